//! Access logs of AWS Classic Load Balancers.
//!
//! Fields as of AWS, "Access logs for your Classic Load Balancer": time, elb, client:port, backend:port, three processing
//! times, two statuses, received and sent bytes, "request", "agent", cipher, protocol. Listeners that don't speak HTTP
//! write neither status nor request: their lines are no requests, and counted as such.

use super::alb::{address, some, split, without_origin};
use super::draft::{split_request, status_of};
use super::number::{Unit, duration_us, whole};
use super::time::Times;
use super::{AccessRecord, Reject};
use std::borrow::Cow;

const FIELDS: usize = 15;
/// Up to the request: older lines end there.
const FIELDS_NEEDED: usize = 12;

pub(super) fn decode<'a>(line: &'a str, times: &mut Times) -> Result<AccessRecord<'a>, Reject> {
    let (fields, count) = split::<FIELDS>(line)?;
    // The time comes first and a client's address third: what tells it from every other format.
    let is_elb = fields[0].as_bytes().get(10) == Some(&b'T') && fields[2].contains(':');
    if !is_elb {
        return Err(Reject::NotElb);
    }
    if count < FIELDS_NEEDED {
        return Err(Reject::CutShort);
    }
    let ts = times.iso(fields[0].as_bytes()).ok_or(Reject::BadTime)?;
    let (method, target) = split_request(fields[11]);
    if fields[7] == "-" && matches!(target, "-" | "") {
        return Err(Reject::NoRequest);
    }
    let status = status_of(fields[7]).ok_or(Reject::BadStatus)?;
    let parts = [fields[4], fields[5], fields[6]].map(|raw| duration_us(raw, Unit::Seconds));
    let duration_us = match parts {
        [Some(request), Some(backend), Some(response)] => Some(request + backend + response),
        // -1: the backend never answered, and nothing says how long the user waited.
        _ => None,
    };
    Ok(AccessRecord {
        ts,
        method: Cow::Borrowed(method),
        target: Cow::Borrowed(without_origin(target)),
        status,
        duration_us,
        upstream_us: parts[1],
        bytes: whole(fields[10]),
        remote_addr: address(fields[2]),
        user_agent: some(fields[12]),
        ..AccessRecord::default()
    })
}
