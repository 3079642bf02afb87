//! syslog: a message is a record or a refusal, and a connection means the same in whatever pieces it comes.

use super::twice;
use base::Timestamp;
use jiff::tz::TimeZone;
use protocols::access::{Among, Decoder, Format};
use protocols::observed::Refusal;
use protocols::syslog::{self, Frames, Here, MAX_FRAME, Message};

const HERE: Here<'static> = Here { now: Timestamp::from_seconds(1_795_000_000), zone: &TimeZone::UTC };
/// So that access logs inside syslog are decoded as well.
const ACCESS: &[u8] = b"203.0.113.9 - - [18/Nov/2026:11:20:01 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"curl\"\n";

pub fn datagram(bytes: &[u8]) {
    let access = Format::Combined.learn(ACCESS).map(|detected| Decoder::new(&detected));
    assert!(access.is_some(), "the line above is of an access log");
    for access in [None, access] {
        let ((), seen) = twice(|seen| syslog::decode(bytes, &HERE, access.clone().as_mut(), seen));
        assert_eq!(seen.logs + seen.requests + seen.refused, 1);
    }
    // As the listener does: whatever a program is called, its lines are looked at.
    if let Ok(message) = Message::read(bytes, &HERE) {
        let first = message.request_among(&mut Among::default());
        let mut known = Among::default();
        assert_eq!(message.request_among(&mut known), first);
        assert_eq!(message.request_among(&mut known), first, "it means something else once its form is known");
    }
}

pub fn stream(bytes: &[u8]) {
    let whole = messages(bytes, bytes.len().max(1));
    assert_eq!(messages(bytes, 13), whole, "in pieces of 13 bytes it means something else");
    let length: usize = whole.iter().flatten().map(Vec::len).sum();
    assert!(length <= bytes.len(), "more came out than went in");
    for message in whole.iter().flatten() {
        assert!(message.len() <= MAX_FRAME);
        datagram(message);
    }
}

/// What [`Frames`] finds, and what is left as the last line.
fn messages(bytes: &[u8], piece: usize) -> Vec<Result<Vec<u8>, Refusal>> {
    let (mut frames, mut found, mut start, mut end) = (Frames::default(), Vec::new(), 0, 0);
    while end < bytes.len() {
        end = (end + piece).min(bytes.len());
        loop {
            let cut = frames.step(&bytes[start..end]);
            start += cut.used;
            let Some(message) = cut.found else { break };
            found.push(message.map(<[u8]>::to_vec));
        }
    }
    found
}
