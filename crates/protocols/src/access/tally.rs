//! Counts of lines: every line is either parsed or rejected, and nothing else.

use super::Reject;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Longest sample of a rejected line, in bytes.
const MAX_SAMPLE: usize = 300;

/// How many lines came, and what became of them. `lines = parsed + rejected` holds by construction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    parsed: u64,
    rejects: BTreeMap<Reject, RejectCount>,
}

/// Lines refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectCount {
    /// [`Reject::reason`].
    pub reason: &'static str,
    /// How many.
    pub count: u64,
    /// The first of them, shortened, with values masked ([`redact`]).
    pub sample: String,
}

impl Tally {
    /// Counts one parsed line.
    pub fn accept(&mut self) {
        self.parsed += 1;
    }

    /// Counts one refused line.
    pub fn reject(&mut self, why: Reject, line: &[u8]) {
        self.reject_many(why, line, 1);
    }

    /// Counts lines refused for one reason, of which one is known, or none (an empty text).
    pub fn reject_many(&mut self, why: Reject, line: &[u8], count: u64) {
        if count == 0 {
            return;
        }
        let entry = self.rejects.entry(why).or_insert_with(|| RejectCount {
            reason: why.reason(),
            count: 0,
            sample: redact(line),
        });
        entry.count = entry.count.saturating_add(count);
    }

    /// Counts one line by its result, and hands the record on.
    pub fn count<T>(&mut self, line: &[u8], result: Result<T, Reject>) -> Option<T> {
        match result {
            Ok(record) => {
                self.accept();
                Some(record)
            }
            Err(why) => {
                self.reject(why, line);
                None
            }
        }
    }

    /// Adds the counts of another tally; samples already here stay.
    pub fn merge(&mut self, other: &Self) {
        self.parsed += other.parsed;
        for (why, theirs) in &other.rejects {
            match self.rejects.get_mut(why) {
                Some(ours) => ours.count = ours.count.saturating_add(theirs.count),
                None => drop(self.rejects.insert(*why, theirs.clone())),
            }
        }
    }

    /// All lines.
    pub fn lines(&self) -> u64 {
        self.parsed.saturating_add(self.rejected())
    }

    /// Lines that became records.
    pub fn parsed(&self) -> u64 {
        self.parsed
    }

    /// Lines that did not.
    pub fn rejected(&self) -> u64 {
        self.rejects.values().fold(0, |sum, reject| sum.saturating_add(reject.count))
    }

    /// Refused lines by reason, the most frequent first.
    pub fn rejects(&self) -> Vec<RejectCount> {
        let mut rejects: Vec<_> = self.rejects.values().cloned().collect();
        rejects.sort_by_key(|reject| std::cmp::Reverse(reject.count));
        rejects
    }
}

impl Serialize for Tally {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shape {
            lines: u64,
            parsed: u64,
            rejected: u64,
            rejects: Vec<RejectCount>,
        }
        Shape { lines: self.lines(), parsed: self.parsed, rejected: self.rejected(), rejects: self.rejects() }
            .serialize(out)
    }
}

/// A line fit for a report: shortened, control characters replaced, the values of queries, of `key=value` pairs and of
/// labels of secrets and users masked, the last part of addresses, the name part of e-mail addresses and the user of a
/// common log line too.
pub fn redact(line: &[u8]) -> String {
    redact_within(line, MAX_SAMPLE)
}

/// [`redact`] with another length to shorten to.
pub(crate) fn redact_within(line: &[u8], limit: usize) -> String {
    let head = &line[..line.len().min(limit)];
    let text = String::from_utf8_lossy(head);
    let text = without_clf_user(&text);
    let mut out = String::with_capacity(text.len() + 4);
    let mut word = String::new();
    let mut secret_next = false;
    for c in text.chars() {
        if is_boundary(c) {
            flush(&mut out, &mut word, &mut secret_next, c);
            out.push(if c.is_control() { ' ' } else { c });
        } else {
            word.push(if c.is_control() { '\u{fffd}' } else { c });
        }
    }
    flush(&mut out, &mut word, &mut secret_next, ' ');
    if line.len() > head.len() {
        out.push('…');
    }
    out
}

/// A line that looks like `client ident user [time]`, whole or cut short, with the user masked.
fn without_clf_user(text: &str) -> Cow<'_, str> {
    let start = usize::from(text.starts_with('"'));
    if text[start..].starts_with('{') || text.contains('\t') {
        return Cow::Borrowed(text);
    }
    let bracket = text.find('[');
    let end = bracket.or_else(|| text[start..].find('"').map(|at| start + at)).unwrap_or(text.len());
    let mut words = Vec::new();
    for word in text[start..end].split(' ').filter(|word| !word.is_empty()).take(5) {
        let from = words.last().map_or(start, |(at, word): &(usize, &str)| at + word.len());
        words.push((from + text[from..].find(word).unwrap_or(0), word));
    }
    let [(_, first), (_, second), third, rest @ ..] = &words[..] else { return Cow::Borrowed(text) };
    let is_ip = |word: &str| word.parse::<IpAddr>().is_ok();
    // `vhost client ident user` has one word more.
    let has_vhost = !is_ip(first) && is_ip(second);
    let looks_like_it = is_ip(first) || has_vhost || *second == "-" || (bracket.is_some() && words.len() < 5);
    let user = if has_vhost { rest.first() } else { Some(third) };
    let Some((from, _)) = user.filter(|_| looks_like_it) else { return Cow::Borrowed(text) };
    let user = text[*from..end].trim_end();
    if user == "-" {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{}***{}", &text[..*from], &text[from + user.len()..]))
}

fn is_boundary(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '?' | '&' | ',' | ';' | '{' | '}' | '[' | ']' | '(' | ')' | '<' | '>')
}

fn flush(out: &mut String, word: &mut String, secret_next: &mut bool, end: char) {
    if word.is_empty() {
        return;
    }
    let label = word.trim_end_matches(':');
    let (label, value) = label.split_once([':', '=']).unwrap_or((label, ""));
    let secret = is_secret(label);
    if *secret_next && word.as_str() != ":" {
        out.push_str("***");
        // `Authorization: Bearer x`: the scheme is not the secret's end.
        *secret_next = end == ' ';
    } else if let Some((key, _)) = word.split_once('=') {
        out.push_str(key);
        out.push_str("=***");
    } else if secret && !value.is_empty() {
        out.push_str(label);
        out.push_str(":***");
        *secret_next = end == ' ';
    } else if let Some(masked) = mask_address(word) {
        out.push_str(&masked);
    } else {
        out.push_str(word);
        *secret_next |= secret;
    }
    word.clear();
}

fn is_secret(label: &str) -> bool {
    const WORDS: [&str; 9] =
        ["authorization", "cookie", "password", "passwd", "secret", "token", "api_key", "apikey", "session"];
    let label = label.to_ascii_lowercase();
    let names_a_user = (label.contains("user") && !label.contains("agent")) || label == "uid";
    (names_a_user || WORDS.iter().any(|word| label.contains(word))) && !label.contains('/')
}

fn mask_address(word: &str) -> Option<String> {
    if let Some((_, domain)) = word.split_once('@').filter(|(name, _)| !name.is_empty()) {
        return Some(format!("***@{domain}"));
    }
    if let Some(masked) = mask_v6(word) {
        return Some(masked);
    }
    if let Some((label, address)) = word.split_once(':')
        && let Some(masked) = mask_v6(address)
    {
        return Some(format!("{label}:{masked}"));
    }
    let (label, address) = word.split_once(':').filter(|(_, rest)| rest.contains('.')).unwrap_or(("", word));
    let (ip, port) = address.split_once(':').unwrap_or((address, ""));
    ip.parse::<std::net::Ipv4Addr>().ok()?;
    let (network, _) = ip.rsplit_once('.')?;
    let (before, after) = (if label.is_empty() { "" } else { ":" }, if port.is_empty() { "" } else { ":" });
    Some(format!("{label}{before}{network}.*{after}{port}"))
}

/// The network of an IPv6 address; an IPv4 address inside it is masked as one.
fn mask_v6(word: &str) -> Option<String> {
    let address = word.split_once('%').map_or(word, |(address, _zone)| address);
    let address: std::net::Ipv6Addr = address.parse().ok()?;
    Some(match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.*")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:*")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_parsed_plus_rejected() {
        let mut tally = Tally::default();
        assert_eq!(tally.count(b"x", Ok(1)), Some(1));
        assert_eq!(tally.count::<u8>(b"first", Err(Reject::NoTime)), None);
        assert_eq!(tally.count::<u8>(b"second", Err(Reject::NoTime)), None);
        let mut both = tally.clone();
        both.merge(&tally);
        assert_eq!((both.lines(), both.parsed(), both.rejected()), (6, 2, 4));
        let reject = &both.rejects()[0];
        assert_eq!((reject.reason, reject.count, reject.sample.as_str()), ("no_time", 4, "first"));
    }

    #[test]
    fn samples_hold_no_secret() {
        for (line, want) in [
            ("GET /a?token=xyz&id=5 HTTP/1.1", "GET /a?token=***&id=*** HTTP/1.1"),
            ("203.0.113.9 - bob", "203.0.113.* - ***"),
            ("203.0.113.9 - - [x] \"GET / HTTP/1.1\" 9", "203.0.113.* - - [x] \"GET / HTTP/1.1\" 9"),
            ("203.0.113.9 - bob smith [x] \"GET /", "203.0.113.* - *** [x] \"GET /"),
            ("2001:db8:7:1::9 - bob [x]", "2001:db8:7:* - *** [x]"),
            ("www.example.com:443 203.0.113.9 - bob [x]", "www.example.com:443 203.0.113.* - *** [x]"),
            ("host:2001:db8::9\tstatus:200", "host:2001:db8:0:* status:200"),
            ("::ffff:203.0.113.9", "203.0.113.*"),
            (r#"{"remote_addr":"2001:db8::9"}"#, r#"{"remote_addr":"2001:db8:0:*"}"#),
            (r#"{"user":"bob","uid":7,"user_agent":"curl"}"#, r#"{"user":"***","uid"***,"user_agent":"curl"}"#),
            ("user_name:bob\tua:curl", "user_name:*** ua:curl"),
            ("10:05:03 what is this line", "10:05:03 what is this line"),
            ("host:203.0.113.9\tcookie:sid=1", "host:203.0.113.* cookie:sid=***"),
            (r#"{"authorization":"Bearer abc","x":1}"#, r#"{"authorization":"*** ***","x":1}"#),
            (r#"{"password": "hunter2"}"#, r#"{"password": "***"}"#),
            ("taro@example.com", "***@example.com"),
            ("a\u{1b}[31mred\u{7}", "a\u{fffd}[31mred\u{fffd}"),
        ] {
            assert_eq!(redact(line.as_bytes()), want);
        }
        assert!(redact(&vec![b'x'; 5000]).len() <= MAX_SAMPLE + "…".len());
        assert!(redact(&[0xff, 0xfe, b'a']).ends_with('a'));
    }
}
