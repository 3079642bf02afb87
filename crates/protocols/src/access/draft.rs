//! A record while its fields come in, in whatever order the line has them.

use super::Reject;
use super::field::{Field, LearnedUnits};
use super::number::{duration_us, float_us, suffixed_us, whole};
use super::time::{Times, epoch};
use base::Timestamp;
use signal::AccessRecord;
use std::borrow::Cow;
use std::net::IpAddr;

/// More extra fields than any log has on purpose.
const MAX_EXTRA: usize = 64;

/// A field that the line may lack or may have wrong.
#[derive(Debug, Default, Clone, Copy)]
enum Found<T> {
    #[default]
    Nothing,
    Wrong,
    Value(T),
}

/// Collects named fields and decides at the end what they make.
#[derive(Debug, Default)]
pub(super) struct Draft<'a> {
    record: AccessRecord<'a>,
    units: LearnedUnits,
    time: Found<Timestamp>,
    shipper_time: Found<Timestamp>,
    status: Found<u16>,
    method: Option<Cow<'a, str>>,
    target: Option<Cow<'a, str>>,
    path: Option<Cow<'a, str>>,
    request: Option<Cow<'a, str>>,
    forwarded: Option<Cow<'a, str>>,
    /// A field for the request was there, if only to say that it was unreadable.
    has_request: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn new(units: LearnedUnits) -> Self {
        Self { units, ..Self::default() }
    }

    /// Takes a field that is text. `-` and nothing are no value. The first of two fields with one meaning wins.
    pub(super) fn text(&mut self, field: Field, name: Cow<'a, str>, value: Cow<'a, str>, times: &mut Times) {
        self.has_request |= matches!(field, Field::Request | Field::Method | Field::Target | Field::Path);
        if matches!(value.as_ref(), "" | "-") {
            return;
        }
        match field {
            Field::Time => take_time(&mut self.time, times.any(&value)),
            Field::ShipperTime => take_time(&mut self.shipper_time, times.any(&value)),
            Field::RequestTime => match times.any(&value) {
                Some(at) => take_time(&mut self.time, Some(at)),
                None => first(&mut self.record.duration_us, duration_us(&value, super::Unit::Seconds)),
            },
            Field::Status => self.status(status_of(&value)),
            Field::Bytes => first(&mut self.record.bytes, whole(&value)),
            Field::Duration(scale) => {
                let us = match self.units.unit(scale) {
                    Some(unit) => duration_us(&value, unit),
                    None => suffixed_us(&value),
                };
                first(&mut self.record.duration_us, us);
            }
            Field::Upstream(scale) => {
                let us = self.units.unit(scale).and_then(|unit| duration_us(&value, unit));
                first(&mut self.record.upstream_us, us);
            }
            Field::Method => first(&mut self.method, Some(value)),
            Field::Target => first(&mut self.target, Some(value)),
            Field::Path => first(&mut self.path, Some(value)),
            Field::Request => first(&mut self.request, Some(value)),
            Field::Remote => first(&mut self.record.remote_addr, Some(value)),
            Field::Forwarded => first(&mut self.forwarded, Some(value)),
            Field::User => first(&mut self.record.user, Some(value)),
            Field::Agent => first(&mut self.record.user_agent, Some(value)),
            Field::Referer => first(&mut self.record.referer, Some(value)),
            Field::Host => first(&mut self.record.host, Some(value)),
            Field::Trace => first(&mut self.record.trace_id, Some(value)),
            Field::Skip => {}
            Field::Extra => {
                if self.record.extra.len() < MAX_EXTRA {
                    self.record.extra.push((name, value));
                }
            }
        }
    }

    /// Takes a field that JSON gave as a number.
    pub(super) fn number(&mut self, field: Field, name: Cow<'a, str>, value: f64, times: &mut Times) {
        match field {
            Field::Time => take_time(&mut self.time, epoch(value)),
            Field::ShipperTime => take_time(&mut self.shipper_time, epoch(value)),
            Field::RequestTime if value > 1e9 => take_time(&mut self.time, epoch(value)),
            Field::RequestTime => first(&mut self.record.duration_us, float_us(value, super::Unit::Seconds)),
            Field::Duration(scale) => {
                let us = self.units.unit(scale).and_then(|unit| float_us(value, unit));
                first(&mut self.record.duration_us, us);
            }
            Field::Upstream(scale) => {
                let us = self.units.unit(scale).and_then(|unit| float_us(value, unit));
                first(&mut self.record.upstream_us, us);
            }
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked in the guard
            Field::Bytes if (0.0..9e15).contains(&value) => first(&mut self.record.bytes, Some(value as u64)),
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked in the guard
            Field::Status if (100.0..600.0).contains(&value) => self.status(Some(value as u16)),
            Field::Status => self.status(None),
            _ => self.text(field, name, Cow::Owned(value.to_string()), times),
        }
    }

    fn status(&mut self, status: Option<u16>) {
        if let Found::Nothing = self.status {
            self.status = status.map_or(Found::Wrong, Found::Value);
        }
    }

    /// The record with a time that stands outside of it, or what else it lacks.
    pub(super) fn finish_at(mut self, ts: Timestamp) -> Result<AccessRecord<'a>, Reject> {
        self.time = Found::Value(ts);
        self.finish()
    }

    /// The record, or what it lacks.
    pub(super) fn finish(mut self) -> Result<AccessRecord<'a>, Reject> {
        self.record.ts = match (self.time, self.shipper_time) {
            (Found::Value(at), _) | (_, Found::Value(at)) => at,
            (Found::Wrong, _) | (_, Found::Wrong) => return Err(Reject::BadTime),
            (Found::Nothing, Found::Nothing) => return Err(Reject::NoTime),
        };
        self.record.status = match self.status {
            Found::Value(status) => status,
            Found::Wrong => return Err(Reject::BadStatus),
            Found::Nothing => return Err(Reject::NoStatus),
        };
        let target = self.target.take().or_else(|| self.path.take());
        (self.record.method, self.record.target) = match (target, self.request.take()) {
            (Some(target), request) => {
                let from_line = |line: Cow<'a, str>| split_owned(line).0;
                let method = self.method.take().or_else(|| request.map(from_line));
                (method.unwrap_or(Cow::Borrowed("-")), target)
            }
            (None, Some(line)) => split_owned(line),
            (None, None) if self.has_request => (self.method.take().unwrap_or(Cow::Borrowed("-")), Cow::Borrowed("-")),
            (None, None) => return Err(Reject::NoRequest),
        };
        if let Some(forwarded) = self.forwarded.take() {
            see_through_proxy(&mut self.record, forwarded);
        }
        self.record.duration_us = self.record.duration_us.or(self.record.upstream_us);
        Ok(self.record)
    }
}

fn first<T>(slot: &mut Option<T>, value: Option<T>) {
    if slot.is_none() {
        *slot = value;
    }
}

fn take_time(slot: &mut Found<Timestamp>, at: Option<Timestamp>) {
    match (&slot, at) {
        (Found::Value(_), _) => {}
        (_, Some(at)) => *slot = Found::Value(at),
        (_, None) => *slot = Found::Wrong,
    }
}

/// A status from 100 to 599.
pub(super) fn status_of(raw: &str) -> Option<u16> {
    let [a, b, c] = *raw.as_bytes() else { return None };
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0'));
    let status = digit(a)? * 100 + digit(b)? * 10 + digit(c)?;
    (100..600).contains(&status).then_some(status)
}

/// Method and target of a request line. A line that no server understood (bytes of TLS, `-`, nothing) still was
/// answered, so it is a request: method and target are `-`.
pub(super) fn split_request(line: &str) -> (&str, &str) {
    const UNREADABLE: (&str, &str) = ("-", "-");
    let Some(space) = memchr::memchr(b' ', line.as_bytes()) else { return UNREADABLE };
    let (method, rest) = (&line[..space], &line[space + 1..]);
    let token = |b: u8| b.is_ascii_uppercase() || matches!(b, b'-' | b'_');
    if method.is_empty() || method.len() > 20 || !method.bytes().all(token) || method == "-" {
        return UNREADABLE;
    }
    let bytes = rest.as_bytes();
    let target = match bytes.len().checked_sub(9) {
        Some(at) if &bytes[at..at + 6] == b" HTTP/" => &rest[..at],
        _ => rest.rfind(" HTTP/").map_or(rest, |at| &rest[..at]),
    };
    if target.is_empty() { UNREADABLE } else { (method, target) }
}

fn split_owned(line: Cow<'_, str>) -> (Cow<'_, str>, Cow<'_, str>) {
    match line {
        Cow::Borrowed(line) => {
            let (method, target) = split_request(line);
            (Cow::Borrowed(method), Cow::Borrowed(target))
        }
        Cow::Owned(line) => {
            let (method, target) = split_request(&line);
            (Cow::Owned(method.to_owned()), Cow::Owned(target.to_owned()))
        }
    }
}

/// Takes the client from `X-Forwarded-For` when the connection came from a private address, that is, from our own
/// proxy; a header sent straight from outside proves nothing.
pub(super) fn see_through_proxy<'a>(record: &mut AccessRecord<'a>, forwarded: Cow<'a, str>) {
    let direct = record.remote_addr.as_deref().map(str::parse::<IpAddr>);
    let own_proxy = match direct {
        None => true,
        Some(Ok(IpAddr::V4(ip))) => ip.is_private() || ip.is_loopback(),
        Some(Ok(IpAddr::V6(ip))) => ip.is_loopback() || ip.is_unique_local(),
        Some(Err(_)) => false,
    };
    if !own_proxy {
        return;
    }
    let client = first_of(&forwarded);
    if client.parse::<IpAddr>().is_err() {
        return;
    }
    record.remote_addr = Some(match forwarded {
        Cow::Borrowed(list) => Cow::Borrowed(first_of(list)),
        Cow::Owned(list) => Cow::Owned(first_of(&list).to_owned()),
    });
}

fn first_of(list: &str) -> &str {
    list.split(',').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_line_is_split_or_unreadable() {
        for (line, want) in [
            ("GET /a?b=c HTTP/1.1", ("GET", "/a?b=c")),
            ("GET /a b HTTP/1.0", ("GET", "/a b")),
            ("GET /old", ("GET", "/old")),
            ("M-SEARCH * HTTP/1.1", ("M-SEARCH", "*")),
            ("PRI * HTTP/2.0", ("PRI", "*")),
            ("\\x16\\x03\\x01", ("-", "-")),
            ("\\x16 \\x03", ("-", "-")),
            ("-", ("-", "-")),
            ("", ("-", "-")),
            ("GET ", ("-", "-")),
            ("- http://a:80- -", ("-", "-")),
        ] {
            assert_eq!(split_request(line), want, "{line:?}");
        }
    }

    #[test]
    fn a_forwarded_address_counts_only_behind_an_own_proxy() {
        for (direct, forwarded, want) in [
            (Some("10.0.0.1"), "203.0.113.7, 10.0.0.9", Some("203.0.113.7")),
            (Some("198.51.100.1"), "203.0.113.7", Some("198.51.100.1")),
            (Some("127.0.0.1"), "unknown", Some("127.0.0.1")),
            (None, "203.0.113.7", Some("203.0.113.7")),
        ] {
            let mut record = AccessRecord { remote_addr: direct.map(Cow::Borrowed), ..AccessRecord::default() };
            see_through_proxy(&mut record, Cow::Borrowed(forwarded));
            assert_eq!(record.remote_addr.as_deref(), want, "{direct:?}");
        }
    }
}
