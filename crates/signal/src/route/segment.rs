//! Which parts of a path are variable, and how the others are written.

use super::CUT;

/// Longer segments are nobody's name for a page.
const MAX_SEGMENT: usize = 64;

const PLACEHOLDERS: [&str; 6] = [":id", ":uuid", ":hex", ":token", ":date", ":email"];

/// Appends the path with its variable parts replaced, up to `limit` bytes and a mark that it was cut.
pub(super) fn push_path(path: &str, limit: usize, route: &mut String) {
    let mut segments = path.split('/').skip(1).peekable();
    let mut rest = path;
    while let Some(raw) = segments.next() {
        rest = rest.get(1 + raw.len()..).unwrap_or_default();
        let before = route.len();
        route.push('/');
        if let Some(length) = date_ahead(raw, rest) {
            route.push_str(":date");
            rest = &rest[length..];
            segments.nth(1);
        } else {
            push_segment(raw, route);
        }
        if route.len() > limit {
            route.truncate(before);
            route.push_str(CUT);
            return;
        }
    }
}

/// Length of `/05/17` behind `2015`.
fn date_ahead(year: &str, rest: &str) -> Option<usize> {
    if !is_year(year) {
        return None;
    }
    let mut ahead = rest.split('/').skip(1);
    let (month, day) = (ahead.next()?, ahead.next()?);
    (is_between(month, 1, 12) && is_between(day, 1, 31)).then_some(2 + month.len() + day.len())
}

fn push_segment(raw: &str, route: &mut String) {
    let raw = &raw[..memchr::memchr(b';', raw.as_bytes()).unwrap_or(raw.len())]; // `;jsessionid=...`
    let start = route.len();
    if is_plain(raw) {
        route.push_str(raw);
    } else {
        push_decoded(raw, route);
    }
    let segment = &route[start..];
    let file = split_ending(segment);
    let asset = file.and_then(|(stem, ending)| Some((fingerprint(stem)?, ending)));
    let (kept, placeholder, ending) = if let Some((at, ending)) = asset {
        (at, ":hex", ending.to_owned())
    } else if let Some(placeholder) = classify(segment) {
        (0, placeholder, String::new())
    } else if let Some((placeholder, ending)) = file.and_then(|(stem, ending)| Some((classify(stem)?, ending))) {
        (0, placeholder, ending.to_owned())
    } else {
        return;
    };
    route.truncate(start + kept);
    route.push_str(placeholder);
    route.push_str(&ending);
}

/// Needs neither decoding nor encoding.
fn is_plain(raw: &str) -> bool {
    raw.bytes().all(|b| b.is_ascii_graphic() && b != b'%')
}

/// Decodes `%41` to `A` where the result can't be taken for something else, encodes what can't be shown, and writes
/// the rest as `%2F`. Doing it twice changes nothing.
fn push_decoded(raw: &str, out: &mut String) {
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        if c == '%' {
            let bytes = escaped_bytes(rest);
            if bytes.is_empty() {
                out.push_str("%25");
                rest = &rest[1..];
            } else {
                push_bytes(&bytes, out);
                rest = &rest[bytes.len() * 3..];
            }
        } else {
            push_char(c, out);
            rest = &rest[c.len_utf8()..];
        }
        if out.len() > 4_096 {
            return; // far beyond any limit
        }
    }
}

fn push_bytes(bytes: &[u8], out: &mut String) {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            let plain = c.is_ascii_alphanumeric() || "-._~@!$'()*+,=".contains(c);
            if plain || (!c.is_ascii() && is_shown(c)) { out.push(c) } else { push_escaped(c, out) }
        }
        for byte in chunk.invalid() {
            push_byte(*byte, out);
        }
    }
}

/// The bytes of the run of `%xx` at the start.
fn escaped_bytes(raw: &str) -> Vec<u8> {
    let hex = |b: u8| (b as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut bytes = Vec::new();
    for triple in raw.as_bytes().chunks_exact(3) {
        let [b'%', high, low] = *triple else { break };
        let (Some(high), Some(low)) = (hex(high), hex(low)) else { break };
        bytes.push(high * 16 + low);
    }
    bytes
}

fn push_char(c: char, out: &mut String) {
    if is_shown(c) { out.push(c) } else { push_escaped(c, out) }
}

/// Characters that people can see and that do not move the cursor or turn the writing direction.
fn is_shown(c: char) -> bool {
    let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !c.is_control() && !c.is_whitespace() && !hidden
}

fn push_escaped(c: char, out: &mut String) {
    let mut buffer = [0; 4];
    for byte in c.encode_utf8(&mut buffer).bytes() {
        push_byte(byte, out);
    }
}

fn push_byte(byte: u8, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(HEX[usize::from(byte >> 4)] as char);
    out.push(HEX[usize::from(byte & 15)] as char);
}

/// The placeholder for a variable segment; `None` for one that names a page.
fn classify(segment: &str) -> Option<&'static str> {
    let bytes = segment.as_bytes();
    if bytes.is_empty() || segment == "…" {
        return None;
    }
    let placeholder = || PLACEHOLDERS.iter().any(|name| segment.contains(name)) || is_name(bytes);
    if memchr::memchr(b':', bytes).is_some() && placeholder() {
        return None;
    }
    if bytes.len() < 8 && !bytes[0].is_ascii_digit() && memchr::memchr(b'@', bytes).is_none() {
        return None; // too short for anything but a number or an address
    }
    if bytes.iter().all(u8::is_ascii_digit) {
        return Some(":id");
    }
    if is_uuid(bytes) {
        return Some(":uuid");
    }
    if is_date(segment) {
        return Some(":date");
    }
    if is_email(segment) {
        return Some(":email");
    }
    if is_hex(bytes) {
        return Some(":hex");
    }
    (is_token(segment) || segment.len() > MAX_SEGMENT).then_some(":token")
}

/// `:slug`: a placeholder of a pattern.
fn is_name(bytes: &[u8]) -> bool {
    let name = |b: &u8| b.is_ascii_lowercase() || *b == b'_';
    bytes.len() <= 32 && bytes.len() > 1 && bytes[0] == b':' && bytes[1..].iter().all(name)
}

fn is_uuid(bytes: &[u8]) -> bool {
    let dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    let fits = |(at, b): (usize, &u8)| if dash(at) { *b == b'-' } else { b.is_ascii_hexdigit() };
    bytes.len() == 36 && bytes.iter().enumerate().all(fits)
}

/// 8 or more hexadecimal digits, of which one is a decimal digit: `deadbeef` is a word.
fn is_hex(bytes: &[u8]) -> bool {
    bytes.len() >= 8 && bytes.iter().all(u8::is_ascii_hexdigit) && bytes.iter().any(u8::is_ascii_digit)
}

fn is_year(raw: &str) -> bool {
    raw.len() == 4 && (raw.starts_with("19") || raw.starts_with("20")) && raw.bytes().all(|b| b.is_ascii_digit())
}

fn is_between(raw: &str, low: u32, high: u32) -> bool {
    let digits = raw.len() <= 2 && raw.bytes().all(|b| b.is_ascii_digit());
    digits && raw.parse().is_ok_and(|value: u32| (low..=high).contains(&value))
}

/// `2015-05-17`.
fn is_date(segment: &str) -> bool {
    let mut parts = segment.split('-');
    let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    is_year(year) && month.len() == 2 && is_between(month, 1, 12) && day.len() == 2 && is_between(day, 1, 31)
}

/// An e-mail address, but not `logo@2x.png`.
fn is_email(segment: &str) -> bool {
    let Some(at) = memchr::memchr(b'@', segment.as_bytes()) else { return false };
    let (name, domain) = (&segment[..at], &segment[at + 1..]);
    let Some((_, last)) = domain.rsplit_once('.') else { return false };
    let file = matches!(last, "png" | "jpg" | "jpeg" | "gif" | "webp" | "svg" | "avif" | "js" | "mjs" | "css" | "map");
    let plain = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let host = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
    let last_is_name = last.len() >= 2 && last.bytes().all(|b| b.is_ascii_alphabetic());
    !name.is_empty() && name.chars().all(plain) && domain.bytes().all(host) && last_is_name && !file
}

/// 20 or more characters of a token's alphabet, digits among letters, and not words joined by dashes.
fn is_token(segment: &str) -> bool {
    let alphabet = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~' | b'+' | b'=');
    let has = |test: fn(&u8) -> bool| segment.as_bytes().iter().any(test);
    segment.len() >= 20
        && segment.bytes().all(alphabet)
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && !segment.split(['-', '_', '.', '+']).all(is_word)
}

/// Letters with at most four digits behind them, or a number: a part of `logstash-monitorama-2013`.
fn is_word(part: &str) -> bool {
    let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = part.len() - letters.len();
    let one_case =
        letters.bytes().skip(1).all(|b| b.is_ascii_lowercase()) || letters.bytes().all(|b| b.is_ascii_uppercase());
    digits <= 4 && letters.len() <= 20 && letters.bytes().all(|b| b.is_ascii_alphabetic()) && one_case
}

/// `123` and `.png`; the ending has 1 to 5 letters or digits, one of them a letter.
fn split_ending(segment: &str) -> Option<(&str, &str)> {
    let at = memchr::memrchr(b'.', segment.as_bytes()).filter(|at| *at > 0)?;
    let ending = &segment.as_bytes()[at + 1..];
    let short = (1..=5).contains(&ending.len()) && ending.iter().all(u8::is_ascii_alphanumeric);
    let (stem, ending_text) = segment.split_at(at);
    let inner = split_tar(stem, ending_text, segment);
    (short && ending.iter().any(u8::is_ascii_alphabetic)).then_some(inner)
}

/// `.tar.gz`, `.min.js` and `.js.map` are one ending.
fn split_tar<'a>(stem: &'a str, ending: &'a str, segment: &'a str) -> (&'a str, &'a str) {
    for double in [".tar", ".min", ".js", ".css"] {
        if let Some(shorter) = stem.strip_suffix(double).filter(|shorter| !shorter.is_empty()) {
            return (shorter, &segment[shorter.len()..]);
        }
    }
    (stem, ending)
}

/// Where the fingerprint of an asset starts: `application-` of `application-d41d8cd98f00b204`.
fn fingerprint(stem: &str) -> Option<usize> {
    let at = stem.rfind(['-', '.', '_'])? + 1;
    let named = at <= MAX_SEGMENT && stem[..at].split(['-', '.', '_']).all(is_word);
    (named && is_hex(&stem.as_bytes()[at..])).then_some(at)
}
