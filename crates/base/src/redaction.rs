//! Takes secrets out of what programs say, before anything is stored: credentials, cookies, keys, card numbers and, by
//! choice, e-mail addresses.
//!
//! In doubt a value is masked: a log that lost a harmless word is still a log, a stored password is an incident.

use regex::{Captures, Regex};
use std::borrow::Cow;

/// What stands where a secret was.
pub const MASK: &str = "***";

/// Digits of a payment card number (ISO/IEC 7812).
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// `before` and `after` stay, the rest of a match goes.
const SECRETS: &str = r#"(?ix)
  (?P<header> \b(?:proxy-)?authorization | \b(?:set-)?cookie | \bx-(?:api-key|auth-token|amz-security-token) )
      (?P<header_gap> ["']? \s* [:=] \s* ["']? ) [^\r\n"']+
| (?P<label> (?:pass(?:word|wd|phrase) | pwd | secret | (?:access|auth|refresh|id|csrf|api)?[_-]?token
      | (?:api|access|private|secret)[_-]?key | session[_-]?id | credentials? ) )
      (?P<label_gap> \\?["']? \s* [:=] \s* \\?["']? ) [^\s"'&,;\\})\]]+
| (?P<scheme> \b(?:bearer|basic) \s+ ) [a-z0-9._~+/=-]{8,}
| \beyJ[a-z0-9_-]{8,} \. [a-z0-9_-]{8,} \. [a-z0-9_-]*
| \bAKIA[0-9A-Z]{16}\b
| \b(?:gh[pousr]_[a-z0-9]{30,} | github_pat_[a-z0-9_]{30,} | xox[abeprs]-[a-z0-9-]{10,} | koshu_[a-z0-9_-]{20,})
| -----BEGIN\ [A-Z\ ]*PRIVATE\ KEY----- [^-]* (?: -----END\ [A-Z\ ]*PRIVATE\ KEY----- )?
| (?P<user> [a-z][a-z0-9+.-]*:// [^/\s:@"']* : ) [^@\s/"']+ (?P<at> @ )
"#;

const EMAILS: &str = r"(?i)\b[a-z0-9._%+-]+(@[a-z0-9-]+(?:\.[a-z0-9-]+)+)";

/// Words in a field's name whose value is never stored.
const SECRET_WORDS: [&str; 14] = [
    "authorization",
    "cookie",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "private_key",
    "credential",
    "session_id",
];

/// Masks secrets in texts.
#[derive(Debug, Clone)]
pub struct Redactor {
    secrets: Regex,
    emails: Option<Regex>,
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Redactor {
    /// Masks secrets, and the name part of e-mail addresses when `emails` says so.
    pub fn new(emails: bool) -> Self {
        let build = |pattern: &str| Regex::new(pattern).expect("the pattern is a constant that compiles");
        Self { secrets: build(SECRETS), emails: emails.then(|| build(EMAILS)) }
    }

    /// The text without secrets; borrowed when it has none.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut out = self.secrets.replace_all(text, |found: &Captures<'_>| {
            let part = |name| found.name(name).map_or("", |part| part.as_str());
            let before = ["header", "header_gap", "label", "label_gap", "scheme", "user"].map(part).concat();
            format!("{before}{MASK}{}", part("at"))
        });
        if let Some(masked) = mask_cards(&out) {
            out = Cow::Owned(masked);
        }
        if let Some(emails) = &self.emails
            && let Cow::Owned(masked) = emails.replace_all(&out, "***$1")
        {
            out = Cow::Owned(masked);
        }
        out
    }

    /// The value of a field, without secrets: masked whole when the field's name says that it is one.
    pub fn field<'t>(&self, name: &str, value: &'t str) -> Cow<'t, str> {
        if is_secret_name(name) { Cow::Borrowed(MASK) } else { self.text(value) }
    }
}

/// Whether a field of this name holds a secret by its very purpose.
pub fn is_secret_name(name: &str) -> bool {
    let contains = |word: &&str| {
        let mut windows = name.as_bytes().windows(word.len());
        windows.any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
    };
    SECRET_WORDS.iter().any(contains)
}

/// The text with payment card numbers masked; `None` when it has none.
fn mask_cards(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let (mut at, mut copied, mut out) = (0, 0, String::new());
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = number_end(bytes, at);
        if is_card(&bytes[at..end])
            && !is_fraction(bytes, at)
            && !is_in_uuid(bytes, at..end)
            && !is_in_id(bytes, at..end)
        {
            out.push_str(&text[copied..at]);
            out.push_str(MASK);
            copied = end;
        }
        at = end;
    }
    (copied > 0).then(|| out + &text[copied..])
}

/// Where a run of digits ends that may be grouped by single spaces or dashes.
fn number_end(bytes: &[u8], start: usize) -> usize {
    let mut end = start + 1;
    loop {
        match (bytes.get(end), bytes.get(end + 1)) {
            (Some(digit), _) if digit.is_ascii_digit() => end += 1,
            (Some(b' ' | b'-'), Some(digit)) if digit.is_ascii_digit() => end += 2,
            _ => return end,
        }
    }
}

/// Whether the digits begin as those of a payment card do (0, 1, 7 and 9 are other issuers', and times since the epoch
/// begin with 1), are as many, and pass the check of Luhn (ISO/IEC 7812-1, annex B).
fn is_card(number: &[u8]) -> bool {
    let digits = || number.iter().rev().filter(|byte| byte.is_ascii_digit()).map(|byte| u32::from(byte - b'0'));
    if !CARD_DIGITS.contains(&digits().count()) || !matches!(number.first(), Some(b'2'..=b'6' | b'8')) {
        return false;
    }
    let sum: u32 = digits()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => digit,
            (_, double) => double / 10 + double % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether digits stand behind a decimal point: a measured value has as many as a card.
fn is_fraction(bytes: &[u8], at: usize) -> bool {
    matches!(bytes[..at], [.., before, b'.'] if before.is_ascii_digit())
}

/// Whether digits with dashes are a part of a UUID: hex stands before or behind them. Some have groups that pass for a
/// card's.
fn is_in_uuid(bytes: &[u8], digits: std::ops::Range<usize>) -> bool {
    let hex_before = bytes[..digits.start].iter().rev().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let word = digits.start - hex_before;
    let behind_dash = matches!(bytes[..word], [.., before, b'-'] if before.is_ascii_hexdigit());
    let goes_on = bytes.get(digits.end).is_some_and(|byte| *byte == b'-' || matches!(byte, b'a'..=b'f'));
    bytes[digits].contains(&b'-') && (behind_dash || goes_on)
}

/// Whether digits belong to an id of a trace or a span: a word of 32 or 16 lower-case hex digits with a letter among them.
/// Of random ids, some have digits that pass for a card's.
fn is_in_id(bytes: &[u8], digits: std::ops::Range<usize>) -> bool {
    const LONGEST: usize = 32;
    let is_hex = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let before = bytes[..digits.start].iter().rev().take(LONGEST).take_while(is_hex).count();
    let behind = bytes[digits.end..].iter().take(LONGEST).take_while(is_hex).count();
    let (from, to) = (digits.start - before, digits.end + behind);
    let word = &bytes[from..to];
    // Behind a backslash, a letter is not part of a word.
    let is_end = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'\\');
    matches!(word.len(), 16 | LONGEST)
        && word.iter().any(u8::is_ascii_lowercase)
        && word.iter().all(u8::is_ascii_alphanumeric)
        && is_end(from.checked_sub(1).and_then(|at| bytes.get(at)))
        && is_end(bytes.get(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_everything_else_stays() {
        let redactor = Redactor::new(false);
        for (text, want) in [
            ("user 42 bought 3 items", "user 42 bought 3 items"),
            ("Authorization: Bearer abc.def and more", "Authorization: ***"),
            ("curl -H 'Cookie: sid=1; b=2' http://x/", "curl -H 'Cookie: ***' http://x/"),
            ("login failed password=hunter2 user=bob", "login failed password=*** user=bob"),
            (r#"{"password": "hunter2", "id": 1}"#, r#"{"password": "***", "id": 1}"#),
            (r#"{\"api_key\":\"k-123\"}"#, r#"{\"api_key\":\"***\"}"#),
            ("got bearer 0123456789abcdef", "got bearer ***"),
            ("a bearer of news", "a bearer of news"),
            ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln end", "jwt *** end"),
            ("key AKIAIOSFODNN7EXAMPLE used", "key *** used"),
            ("postgres://app:s3cret@db/shop", "postgres://app:***@db/shop"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----!", "***!"),
            ("card 4111 1111 1111 1111 declined", "card *** declined"),
            ("card 4111111111111112 is none", "card 4111111111111112 is none"),
            ("id 0e8a411f-4111-4111-8111-111111111111", "id 0e8a411f-4111-4111-8111-111111111111"),
            ("card4111111111111111, \\b378282246310005", "card***, \\b***"),
            ("took 0.4111111111111111 s, no.4111111111111111", "took 0.4111111111111111 s, no.***"),
            ("at 1770091506789 ms", "at 1770091506789 ms"),
            ("span 348842824675546c", "span 348842824675546c"),
            ("trace 4111111111111111aaaaaaaaaaaaaaaa", "trace 4111111111111111aaaaaaaaaaaaaaaa"),
            ("order 2026-11-25 12:00:00 1234", "order 2026-11-25 12:00:00 1234"),
            ("write to bob@example.com", "write to bob@example.com"),
            ("", ""),
        ] {
            assert_eq!(redactor.text(text), want);
        }
        assert!(matches!(redactor.text("nothing here"), Cow::Borrowed(_)), "no copy without need");
    }

    #[test]
    fn addresses_go_by_choice_and_fields_by_their_name() {
        let redactor = Redactor::new(true);
        assert_eq!(redactor.text("write to bob@example.com"), "write to ***@example.com");
        assert_eq!(redactor.field("http.request.header.authorization", "x"), MASK);
        assert_eq!(redactor.field("DB_PASSWORD", "x"), MASK);
        assert_eq!(redactor.field("item", "token=x"), "token=***");
        assert_eq!(redactor.field("items", "3"), "3");
    }

    #[test]
    fn a_masked_text_stays_as_it_is() {
        let redactor = Redactor::new(true);
        for text in ["password=hunter2", "Cookie: a=b", "4111111111111111", "a@example.com", "x://u:p@h"] {
            let once = redactor.text(text).into_owned();
            assert_eq!(redactor.text(&once), once, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_taken(text in "\\PC*") {
            let _ = Redactor::new(true).text(&text);
        }
    }
}
