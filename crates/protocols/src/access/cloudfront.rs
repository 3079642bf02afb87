//! Standard access logs of Amazon CloudFront: tab-separated, UTC, one request a line.
//!
//! The heading `#Fields:` says which columns there are and in which order; before one was seen, the order is that of AWS,
//! "Standard logging reference" (a large file is read in pieces, of which only the first has the heading). Values are
//! percent-encoded once. Cookies and referrers' queries are not read.

use super::draft::status_of;
use super::number::{Unit, duration_us, whole};
use super::time::Times;
use super::{AccessRecord, Reject};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Most columns of a heading that are read.
const MAX_COLUMNS: usize = 128;
/// The columns as AWS documents them, up to the time that the first byte took; what follows is not read.
const USUAL: &str = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) \
                     cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header \
                     cs-protocol cs-bytes time-taken";

/// Where the columns are that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns {
    date: usize,
    time: usize,
    method: usize,
    stem: usize,
    status: usize,
    query: Option<usize>,
    bytes: Option<usize>,
    address: Option<usize>,
    agent: Option<usize>,
    host: Option<usize>,
    request_id: Option<usize>,
    taken: Option<usize>,
}

impl Default for Columns {
    fn default() -> Self {
        Self::of(USUAL).unwrap_or(Self {
            date: 0,
            time: 1,
            method: 5,
            stem: 7,
            status: 8,
            query: None,
            bytes: None,
            address: None,
            agent: None,
            host: None,
            request_id: None,
            taken: None,
        })
    }
}

impl Columns {
    /// By the names of a heading; `None` when one is missing that every request has.
    fn of(names: &str) -> Option<Self> {
        let names: Vec<&str> = names.split_ascii_whitespace().take(MAX_COLUMNS).collect();
        let at = |wanted: &str| names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
        Some(Self {
            date: at("date")?,
            time: at("time")?,
            method: at("cs-method")?,
            stem: at("cs-uri-stem")?,
            status: at("sc-status")?,
            query: at("cs-uri-query"),
            bytes: at("sc-bytes"),
            address: at("c-ip"),
            agent: at("cs(User-Agent)"),
            // What the user typed, rather than the distribution's own name.
            host: at("x-host-header").or_else(|| at("cs(Host)")),
            request_id: at("x-edge-request-id"),
            taken: at("time-taken"),
        })
    }
}

pub(super) fn decode<'a>(line: &'a str, columns: &mut Columns, times: &mut Times) -> Result<AccessRecord<'a>, Reject> {
    if let Some(heading) = line.strip_prefix('#') {
        if let Some(learned) = heading.strip_prefix("Fields:").and_then(Columns::of) {
            *columns = learned;
        }
        return Err(Reject::Heading);
    }
    let mut fields = [""; MAX_COLUMNS];
    let mut count = 0;
    for (slot, field) in fields.iter_mut().zip(line.split('\t')) {
        *slot = field;
        count += 1;
    }
    let is_day = |raw: &str| raw.len() == 10 && raw.as_bytes()[4] == b'-' && raw.as_bytes()[7] == b'-';
    if count < 2 || !is_day(fields[columns.date]) {
        return Err(Reject::NotCloudFront);
    }
    let needed = [columns.time, columns.method, columns.stem, columns.status];
    if needed.into_iter().any(|column| column >= count) {
        return Err(Reject::CutShort);
    }
    let at = format!("{}T{}Z", fields[columns.date], fields[columns.time]);
    let ts = times.iso(at.as_bytes()).ok_or(Reject::BadTime)?;
    let status = status_of(fields[columns.status]).ok_or(Reject::BadStatus)?;
    let get = |column: Option<usize>| column.and_then(|column| fields.get(column).copied()).and_then(value);
    let stem = fields[columns.stem];
    let target = match get(columns.query) {
        Some(query) => Cow::Owned(format!("{stem}?{query}")),
        None => Cow::Borrowed(stem),
    };
    Ok(AccessRecord {
        ts,
        method: Cow::Borrowed(fields[columns.method]),
        target,
        status,
        duration_us: get(columns.taken).and_then(|raw| duration_us(raw, Unit::Seconds)),
        bytes: get(columns.bytes).and_then(whole),
        remote_addr: get(columns.address).map(Cow::Borrowed),
        user_agent: get(columns.agent).map(|raw| percent_decode_str(raw).decode_utf8_lossy()),
        host: get(columns.host).map(Cow::Borrowed),
        trace_id: get(columns.request_id).map(Cow::Borrowed),
        ..AccessRecord::default()
    })
}

fn value(raw: &str) -> Option<&str> {
    (!matches!(raw, "" | "-")).then_some(raw)
}
