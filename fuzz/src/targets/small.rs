//! Heartbeats and GitHub's webhooks. What stands in an address or a header is the input's first line.

use super::twice;
use base::Secret;
use protocols::heartbeat::{MAX_BODY, Ping, Push};
use protocols::webhook::{decode_github, verify};

/// The first line as text, and the rest.
fn first_line(input: &[u8]) -> (String, &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    (String::from_utf8_lossy(&input[..end]).into_owned(), input.get(end + 1..).unwrap_or_default())
}

pub fn heartbeat(input: &[u8]) {
    let (address, body) = first_line(input);
    let (path, query) = address.split_once('?').map_or((&*address, None), |(path, query)| (path, Some(query)));
    if let Ok(push) = Push::parse(path, query) {
        let ((), seen) = twice(|seen| push.observe(seen));
        assert_eq!((seen.events, seen.taken(), seen.refused), (1, 1, 0));
        assert!(seen.longest <= 6 * MAX_BODY + 1_000, "{} bytes of a push were kept", seen.longest);
    }
    let Ok(ping) = Ping::parse(path, query) else { return };
    let ((), seen) = twice(|seen| ping.observe(body, seen));
    assert_eq!((seen.events, seen.taken(), seen.refused), (1, 1, 0));
    // As `Debug` writes it: control characters take up to six bytes.
    assert!(seen.longest <= 6 * MAX_BODY + 1_000, "{} bytes were kept", seen.longest);
}

pub fn github(input: &[u8]) {
    let (event, body) = first_line(input);
    let change = decode_github(&event, body);
    assert_eq!(decode_github(&event, body), change);
    if let Ok(Some(change)) = change {
        assert!(!change.title.contains(char::is_control), "a title of several lines: {change:?}");
        let texts = [&change.sha, &change.reference, &change.environment, &change.url, &change.author];
        assert!(texts.into_iter().flatten().chain([&change.title, &change.repo]).all(|text| text.len() <= 500));
        assert!(change.url.is_none_or(|url| url.starts_with("http")));
    }
    assert!(verify(&Secret::new("secret"), Some(&event), body).is_err(), "a signature was guessed");
}
