//! What a document says: a log record, and with the names of the Elastic Common Schema a request or an error too.

use crate::access::Among;
use crate::lenient::{check_bounds, flat_object, hex_id, mend, time_of};
use crate::observed::{ErrorRecord, Field, LogRecord, Observer, Refusal, RequestRecord};
use crate::stack;
use base::Timestamp;
use signal::AccessRecord;
use signal::log::Severity;
use std::borrow::Cow;

/// What one of the known fields means. Behind each, its names; the first that a document has counts.
#[derive(Debug, Clone, Copy)]
enum Known {
    Time,
    Body,
    Severity,
    Trace,
    Service,
    Host,
    Method,
    Target,
    Status,
    Duration,
    Bytes,
    Client,
    Agent,
    Referer,
    Domain,
    User,
    ErrorType,
    ErrorMessage,
    ErrorStack,
    Release,
    Environment,
}
const KNOWN: usize = Known::Environment as usize + 1;

/// The meaning of a field's name, and how early it is tried.
fn known(name: &str) -> Option<(Known, usize)> {
    Some(match name {
        "@timestamp" => (Known::Time, 0),
        "timestamp" => (Known::Time, 1),
        "time" => (Known::Time, 2),
        "message" => (Known::Body, 0),
        "log" => (Known::Body, 1),
        "msg" => (Known::Body, 2),
        "log.level" => (Known::Severity, 0),
        "level" => (Known::Severity, 1),
        "severity" => (Known::Severity, 2),
        "trace.id" => (Known::Trace, 0),
        "trace_id" => (Known::Trace, 1),
        "service.name" => (Known::Service, 0),
        "service" => (Known::Service, 1),
        "kubernetes.labels.app" => (Known::Service, 2),
        "fields.service" => (Known::Service, 3),
        "host.name" => (Known::Host, 0),
        "host.hostname" => (Known::Host, 1),
        "host" => (Known::Host, 2),
        "hostname" => (Known::Host, 3),
        "http.request.method" => (Known::Method, 0),
        "url.path" => (Known::Target, 0),
        "http.response.status_code" => (Known::Status, 0),
        "event.duration" => (Known::Duration, 0),
        "http.response.body.bytes" => (Known::Bytes, 0),
        "http.response.bytes" => (Known::Bytes, 1),
        "client.ip" => (Known::Client, 0),
        "source.ip" => (Known::Client, 1),
        "client.address" => (Known::Client, 2),
        "source.address" => (Known::Client, 3),
        "user_agent.original" => (Known::Agent, 0),
        "http.request.referrer" => (Known::Referer, 0),
        "url.domain" => (Known::Domain, 0),
        "user.id" => (Known::User, 0),
        "user.name" => (Known::User, 1),
        "error.type" => (Known::ErrorType, 0),
        "error.message" => (Known::ErrorMessage, 0),
        "error.stack_trace" => (Known::ErrorStack, 0),
        "service.version" => (Known::Release, 0),
        "service.environment" => (Known::Environment, 0),
        _ => return None,
    })
}

/// A flattened document with what is known in it.
struct Document<'a> {
    fields: Vec<Field<'a>>,
    /// Which field says it, for each of [`Known`].
    found: [Option<(usize, usize)>; KNOWN],
}

impl<'a> Document<'a> {
    fn read(json: &'a str) -> Result<Self, Refusal> {
        let fields = flat_object(json)?;
        let mut found = [None; KNOWN];
        for (index, (name, value)) in fields.iter().enumerate() {
            let Some((known, rank)) = known(name) else { continue };
            let best: &mut Option<(usize, usize)> = &mut found[known as usize];
            if best.is_none_or(|(earlier, _)| rank < earlier) && !value.trim().is_empty() {
                *best = Some((rank, index));
            }
        }
        Ok(Self { fields, found })
    }

    fn get(&self, known: Known) -> Option<&str> {
        let (_, index) = self.found[known as usize]?;
        Some(self.fields[index].1.trim())
    }

    fn borrowed(&self, known: Known) -> Option<Cow<'_, str>> {
        self.get(known).map(Cow::Borrowed)
    }

    /// A number, rounded down.
    fn whole(&self, known: Known) -> Option<u64> {
        let text = self.get(known)?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturating, and never negative
        text.parse().ok().or_else(|| text.parse().ok().filter(|n: &f64| *n >= 0.0).map(|n| n as u64))
    }

    /// Takes the value out: it no longer is one of the other fields.
    fn take(&mut self, known: Known) -> Option<Cow<'a, str>> {
        let (_, index) = self.found[known as usize]?;
        let (name, value) = &mut self.fields[index];
        *name = Cow::Borrowed(""); // no name is empty: see `Fields::push`
        Some(std::mem::take(value))
    }

    fn others(self) -> Vec<Field<'a>> {
        let mut fields = self.fields;
        fields.retain(|(name, _)| !name.is_empty());
        fields
    }
}

/// Hands over what one document says.
pub(super) fn observe(
    bytes: &[u8],
    index: &str,
    arrived: Timestamp,
    among: &mut Among,
    observer: &mut impl Observer,
) -> Result<(), Refusal> {
    check_bounds(bytes)?;
    let read =
        std::str::from_utf8(bytes).map_err(|_| Refusal::NotJson).and_then(|json| Ok((json, Document::read(json)?)));
    match read {
        Ok((json, document)) => hand_over(document, json, index, arrived, among, observer),
        Err(Refusal::NotJson) => {
            let mended = mend(bytes).ok_or(Refusal::NotJson)?;
            hand_over(Document::read(&mended)?, &mended, index, arrived, among, observer)
        }
        Err(why) => Err(why),
    }
}

fn hand_over(
    mut document: Document<'_>,
    json: &str,
    index: &str,
    arrived: Timestamp,
    among: &mut Among,
    observer: &mut impl Observer,
) -> Result<(), Refusal> {
    let ts = time(&document)?;
    let service = document.get(Known::Service).unwrap_or_else(|| without_date(index)).to_owned();
    let trace_id = document.get(Known::Trace).and_then(hex_id).map(Cow::into_owned);
    let severity = document.get(Known::Severity).and_then(severity);
    let is_request = match request(&document, &service, ts.unwrap_or(arrived), trace_id.as_deref()) {
        Some(request) => {
            observer.request(request);
            true
        }
        None => false,
    };
    if let Some(error) = error(&document, &service, ts, severity, trace_id.as_deref()) {
        observer.error(error);
    }
    document.take(Known::Service);
    if ts.is_some() {
        document.take(Known::Time);
    }
    if trace_id.is_some() {
        document.take(Known::Trace);
    }
    if severity.is_some() {
        document.take(Known::Severity);
    }
    let host = document.take(Known::Host);
    let body = document.take(Known::Body).unwrap_or(Cow::Borrowed(json));
    let mut record = LogRecord {
        ts: Some(ts.unwrap_or(arrived)),
        service: Some(service.into()),
        host,
        severity,
        body,
        trace_id: trace_id.map(Cow::Owned),
        fields: document.others(),
    };
    // Shippers without the schema's names: fields of fluentd's parsers, and lines of web servers as they are.
    if !is_request && let Some(request) = among.request(&record) {
        observer.request(request);
    }
    record.ts = ts;
    observer.log(record);
    Ok(())
}

/// An `@timestamp` that can't be read is refused, as Elasticsearch does; the other names may mean something else.
fn time(document: &Document<'_>) -> Result<Option<Timestamp>, Refusal> {
    let Some((rank, _)) = document.found[Known::Time as usize] else { return Ok(None) };
    match document.get(Known::Time).and_then(time_of) {
        None if rank == 0 => Err(Refusal::BadTime),
        read => Ok(read),
    }
}

/// A word, or a number as pino and bunyan write it: 10 trace to 60 fatal.
fn severity(raw: &str) -> Option<Severity> {
    Severity::from_word(raw).or_else(|| {
        Some(match raw.parse().ok()? {
            10 => Severity::Trace,
            20 => Severity::Debug,
            30 => Severity::Info,
            40 => Severity::Warn,
            50 => Severity::Error,
            60 => Severity::Fatal,
            _ => return None,
        })
    })
}

fn request<'d>(
    document: &'d Document<'_>,
    service: &'d str,
    ts: Timestamp,
    trace_id: Option<&'d str>,
) -> Option<RequestRecord<'d>> {
    let method = document.borrowed(Known::Method)?;
    let target = document.borrowed(Known::Target)?;
    let status = document.get(Known::Status)?.parse().ok().filter(|status| (100..=599).contains(status))?;
    Some(RequestRecord {
        service: Some(Cow::Borrowed(service)),
        route: None,
        access: AccessRecord {
            ts,
            method,
            target,
            status,
            // The Elastic Common Schema has nanoseconds.
            duration_us: document.whole(Known::Duration).map(|nanos| nanos / 1_000),
            bytes: document.whole(Known::Bytes),
            remote_addr: document.borrowed(Known::Client),
            user: document.borrowed(Known::User),
            user_agent: document.borrowed(Known::Agent),
            referer: document.borrowed(Known::Referer),
            host: document.borrowed(Known::Domain).or_else(|| document.borrowed(Known::Host)),
            trace_id: trace_id.map(Cow::Borrowed),
            ..AccessRecord::default()
        },
    })
}

fn error<'d>(
    document: &'d Document<'_>,
    service: &'d str,
    ts: Option<Timestamp>,
    severity: Option<Severity>,
    trace_id: Option<&'d str>,
) -> Option<ErrorRecord<'d>> {
    let kind = document.borrowed(Known::ErrorType);
    let message = document.borrowed(Known::ErrorMessage);
    let stack = document.get(Known::ErrorStack);
    if kind.is_none() && message.is_none() && stack.is_none() {
        return None;
    }
    Some(ErrorRecord {
        ts,
        service: Some(Cow::Borrowed(service)),
        host: document.borrowed(Known::Host),
        kind: kind.unwrap_or(Cow::Borrowed("error")),
        message: message.or_else(|| document.borrowed(Known::Body)).unwrap_or_default(),
        severity: severity.or(Some(Severity::Error)),
        release: document.borrowed(Known::Release),
        environment: document.borrowed(Known::Environment),
        person: None,
        trace_id: trace_id.map(Cow::Borrowed),
        frames: stack.map(stack::frames).unwrap_or_default(),
        grouping: Vec::new(),
        fields: Vec::new(),
    })
}

/// An index without the date and the number that roll-over puts behind it: `logs-shop-2026.02.03-000001`.
pub(super) fn without_date(index: &str) -> &str {
    let index = index.strip_prefix(".ds-").unwrap_or(index);
    for (at, _) in index.match_indices(['-', '_', '.']) {
        if at > 0 && is_date(&index[at + 1..]) {
            return &index[..at];
        }
    }
    index
}

/// `2026.02.03`, `2026-02`, `20260203`, `2026.w05`, `000001`, and what follows them.
fn is_date(rest: &str) -> bool {
    let mut parts = rest.split(['-', '_', '.']);
    let first = parts.next().unwrap_or_default();
    let year = matches!(first.len(), 4 | 6 | 8) && (first.starts_with("19") || first.starts_with("20"));
    let roll_over = first.len() == 6 && first.starts_with('0');
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    (year || roll_over) && digits(first) && parts.all(|part| digits(part.strip_prefix('w').unwrap_or(part)))
}
