//! Access logs of AWS Application Load Balancers.
//!
//! Fields as of AWS, "Access logs for your Application Load Balancer": type, time, elb, client:port, target:port,
//! three processing times, two statuses, received and sent bytes, "request", "agent", cipher, protocol, target group,
//! "trace id", "domain", "certificate", priority, creation time, and more which is not read.

use super::draft::{split_request, status_of};
use super::number::{Unit, duration_us, whole};
use super::scan::quoted_end;
use super::time::Times;
use super::{AccessRecord, Reject};
use std::borrow::Cow;

/// The fields that are read, up to the creation time.
const FIELDS: usize = 22;
/// Up to the agent: what every line has, however old.
const FIELDS_NEEDED: usize = 14;

pub(super) fn decode<'a>(line: &'a str, times: &mut Times) -> Result<AccessRecord<'a>, Reject> {
    let (fields, count) = split::<FIELDS>(line)?;
    if !matches!(fields[0], "http" | "https" | "h2" | "grpcs" | "ws" | "wss") {
        return Err(Reject::NotAlb);
    }
    if count < FIELDS_NEEDED {
        return Err(Reject::CutShort);
    }
    let ts = times.iso(fields[1].as_bytes()).ok_or(Reject::BadTime)?;
    let status = status_of(fields[8]).ok_or(Reject::BadStatus)?;
    let (method, target) = split_request(fields[12]);
    let upstream_us = duration_us(fields[6], Unit::Seconds);
    let parts = [fields[5], fields[6], fields[7]].map(|raw| duration_us(raw, Unit::Seconds));
    let duration_us = match parts {
        [Some(request), Some(target), Some(response)] => Some(request + target + response),
        // -1: the target never answered; what the user waited is in the two times.
        _ => times.iso(fields[21].as_bytes()).and_then(|from| u64::try_from(ts.micros() - from.micros()).ok()),
    };
    Ok(AccessRecord {
        ts,
        method: Cow::Borrowed(method),
        target: Cow::Borrowed(without_origin(target)),
        status,
        duration_us,
        upstream_us,
        bytes: whole(fields[11]),
        remote_addr: address(fields[3]),
        user_agent: some(fields[13]),
        host: some(fields[18]),
        trace_id: some(fields[17].strip_prefix("Root=").unwrap_or(fields[17])),
        ..AccessRecord::default()
    })
}

/// The address of `192.0.2.1:4711`.
pub(super) fn address(raw: &str) -> Option<Cow<'_, str>> {
    raw.rsplit_once(':').map(|(ip, _)| Cow::Borrowed(ip.trim_matches(['[', ']'])))
}

pub(super) fn some(raw: &str) -> Option<Cow<'_, str>> {
    (!matches!(raw, "" | "-")).then_some(Cow::Borrowed(raw))
}

/// `/path?query` of `https://host:443/path?query`.
pub(super) fn without_origin(target: &str) -> &str {
    let Some((_, rest)) = target.split_once("://") else { return target };
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// The first fields of a line, quoted or not, and how many there are.
pub(super) fn split<const FIELDS: usize>(line: &str) -> Result<([&str; FIELDS], usize), Reject> {
    let bytes = line.as_bytes();
    let (mut fields, mut count, mut at) = ([""; FIELDS], 0, 0);
    while at < bytes.len() && count < FIELDS {
        let (start, end) = if bytes[at] == b'"' {
            (at + 1, quoted_end(bytes, at + 1).ok_or(Reject::CutShort)?)
        } else {
            (at, memchr::memchr(b' ', &bytes[at..]).map_or(bytes.len(), |length| at + length))
        };
        fields[count] = &line[start..end];
        count += 1;
        at = end + if start > at { 2 } else { 1 };
    }
    Ok((fields, count))
}
