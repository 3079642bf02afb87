//! Common and combined lines: `[vhost] host ident user [time] "request" status bytes "referer" "agent" more...`
//!
//! Parsed by hand, without allocation. Quotes inside a field are told from its end by what follows: a quoted field
//! ends before a blank or the end of the line, the request ends before a status.

use super::columns::Columns;
use super::draft::{split_request, status_of};
use super::number::whole;
use super::scan::{is_escaped, skip_blanks, some};
use super::time::Times;
use super::{AccessRecord, Reject};
use base::Timestamp;
use std::borrow::Cow;
use std::net::IpAddr;

pub(super) fn decode<'a>(line: &'a str, columns: &Columns, times: &mut Times) -> Result<AccessRecord<'a>, Reject> {
    let head = head(line, times)?;
    let mut record = AccessRecord {
        ts: head.ts,
        method: Cow::Borrowed(head.method),
        target: Cow::Borrowed(head.target),
        status: head.status,
        bytes: head.bytes,
        ..AccessRecord::default()
    };
    identity(head.identity, &mut record);
    columns.read(head.tail, &mut record)?;
    Ok(record)
}

/// What all lines have, and the columns behind it.
pub(super) struct Head<'a> {
    identity: &'a str,
    ts: Timestamp,
    method: &'a str,
    target: &'a str,
    pub(super) status: u16,
    pub(super) bytes: Option<u64>,
    pub(super) tail: &'a str,
}

pub(super) fn head<'a>(line: &'a str, times: &mut Times) -> Result<Head<'a>, Reject> {
    let line = unwrap_quotes(line);
    let (open, close, ts) = find_time(line.as_bytes(), times)?;
    let identity = &line[..open];
    let rest = skip_blanks(&line[close + 1..]);
    let Some(rest) = rest.strip_prefix('"') else {
        return Err(if rest.is_empty() { Reject::CutShort } else { Reject::NoRequest });
    };
    let end = request_end(rest.as_bytes())?;
    let (method, target) = split_request(&rest[..end]);
    let status = status_of(&rest[end + 2..end + 5]).ok_or(Reject::BadStatus)?;
    let Some(after) = rest[end + 5..].strip_prefix(' ') else { return Err(Reject::CutShort) };
    let length = memchr::memchr(b' ', after.as_bytes()).unwrap_or(after.len());
    let bytes = match &after[..length] {
        "" => return Err(Reject::CutShort),
        "-" => Some(0), // %b writes `-` for 0
        size => whole(size),
    };
    Ok(Head { identity, ts, method, target, status, bytes, tail: &after[length..] })
}

/// A line wrapped in quotes as a whole, as some exports have it.
fn unwrap_quotes(line: &str) -> &str {
    let line = if line.ends_with([' ', '\r']) { line.trim_end_matches([' ', '\r']) } else { line };
    let Some(inner) = line.strip_prefix('"') else { return line };
    match memchr::memchr2(b'"', b'[', inner.as_bytes()) {
        Some(at) if inner.as_bytes()[at] == b'"' => line, // only the first field is quoted
        _ => inner.strip_suffix('"').unwrap_or(inner),
    }
}

/// Start and end of `[time]`. A bracket in a user name is passed over.
fn find_time(line: &[u8], times: &mut Times) -> Result<(usize, usize, Timestamp), Reject> {
    let mut why = Reject::NoTime;
    for open in memchr::memchr_iter(b'[', line).take(8) {
        let inner = &line[open + 1..];
        let Some(length) = memchr::memchr(b']', &inner[..inner.len().min(48)]) else {
            if open > 0 && inner.len() < 26 {
                why = Reject::CutShort;
            }
            continue;
        };
        let raw = &inner[..length];
        let at = times.clf(raw).or_else(|| times.iso(raw)).or_else(|| times.any(std::str::from_utf8(raw).ok()?));
        if let Some(ts) = at {
            return Ok((open, open + 1 + length, ts));
        }
        why = Reject::BadTime;
    }
    Err(why)
}

/// The quote that ends the request: the first which is followed by three digits and a blank (or the end).
fn request_end(rest: &[u8]) -> Result<usize, Reject> {
    let mut seen = None;
    for honour_escapes in [true, false] {
        for at in memchr::memchr_iter(b'"', rest) {
            if honour_escapes && is_escaped(rest, at) {
                continue;
            }
            seen.get_or_insert(at);
            if let [b' ', a, b, c, after @ ..] = &rest[at + 1..]
                && a.is_ascii_digit()
                && b.is_ascii_digit()
                && c.is_ascii_digit()
                && matches!(after.first(), None | Some(b' '))
            {
                return Ok(at);
            }
        }
    }
    match seen {
        Some(at) if rest.len() - at > 4 => Err(Reject::BadStatus),
        _ => Err(Reject::CutShort),
    }
}

/// Client, user and virtual host from what stands before the time.
fn identity<'a>(raw: &'a str, record: &mut AccessRecord<'a>) {
    let raw = raw.strip_suffix(' ').unwrap_or(raw);
    let (first, rest) = word(raw);
    let (second, third) = word(rest);
    let vhost = second != "-" && !third.is_empty() && is_vhost(first, second);
    let (client, user) = if vhost { (second, word(third).1) } else { (first, third) };
    if vhost {
        let host = first.rsplit_once(':').filter(|(_, port)| whole(port).is_some()).map_or(first, |(host, _)| host);
        record.host = some(host);
    }
    record.remote_addr = some(without_quotes(client));
    record.user = some(without_quotes(user));
}

fn without_quotes(raw: &str) -> &str {
    raw.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(raw)
}

fn word(raw: &str) -> (&str, &str) {
    memchr::memchr(b' ', raw.as_bytes()).map_or((raw, ""), |at| (&raw[..at], skip_blanks(&raw[at + 1..])))
}

/// Whether a line starts with the virtual host: `www.example.com:443 203.0.113.5 - -`.
fn is_vhost(first: &str, second: &str) -> bool {
    let is_ip = |raw: &str| raw.parse::<IpAddr>().is_ok();
    let has_port = first.rsplit_once(':').is_some_and(|(host, port)| !host.contains(':') && whole(port).is_some());
    (has_port || is_ip(second)) && !is_ip(first)
}
