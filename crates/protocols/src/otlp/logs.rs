//! One log record to what is observed: the line, and the exception that it may tell of.

use super::attributes::{inherit, push, text};
use super::exception;
use super::ids::{SpanHex, TraceHex};
use super::origin::Origin;
use crate::observed::{Field, LogRecord, Observer, Refusal};
use base::Timestamp;
use opentelemetry_proto::tonic::logs::v1::LogRecord as Sent;
use signal::log::Severity;
use std::borrow::Cow;

pub(super) fn observe(record: &Sent, origin: &Origin, observer: &mut dyn Observer) -> Result<(), Refusal> {
    let trace = TraceHex::read(&record.trace_id)?;
    let span = SpanHex::read(&record.span_id)?;
    let trace_id = trace.as_ref().map(|id| Cow::Borrowed(id.as_str()));
    let severity = Severity::from_otel(record.severity_number).or_else(|| Severity::from_word(&record.severity_text));
    let ts = moment(record.time_unix_nano).or_else(|| moment(record.observed_time_unix_nano));
    let body = text(record.body.as_ref())?;
    // Room for everything, so that the list grows once.
    let mut fields: Vec<Field<'_>> = Vec::with_capacity(record.attributes.len() + origin.fields.len() + 4);
    push(&record.attributes, |_| true, &mut fields)?;
    if let Some(span) = &span {
        fields.push((Cow::Borrowed("span_id"), Cow::Borrowed(span.as_str())));
    }
    if !record.event_name.is_empty() {
        fields.push((Cow::Borrowed("event.name"), Cow::Borrowed(&record.event_name)));
    }
    if !said_already(&record.severity_text, severity) {
        fields.push((Cow::Borrowed("severity_text"), Cow::Borrowed(&record.severity_text)));
    }
    push_dropped("dropped_attributes_count", record.dropped_attributes_count, &mut fields);
    inherit(&mut fields, &origin.fields);
    let exception = exception::of_log(record, origin, severity, ts, trace_id.clone(), span.as_ref())?;
    observer.log(LogRecord { ts, service: origin.service(), host: origin.host(), severity, body, trace_id, fields });
    if let Some(exception) = exception {
        observer.error(exception);
    }
    Ok(())
}

/// Nanoseconds since the epoch; 0 means that no time was given.
pub(super) fn moment(nanos: u64) -> Option<Timestamp> {
    let micros = i64::try_from(nanos / 1000).ok()?;
    (nanos != 0).then_some(Timestamp::from_micros(micros))
}

/// Says how much the sender left out.
pub(super) fn push_dropped(name: &'static str, count: u32, fields: &mut Vec<Field<'_>>) {
    if count > 0 {
        fields.push((Cow::Borrowed(name), Cow::Owned(count.to_string())));
    }
}

/// Whether the sender's word tells nothing beyond the severity.
fn said_already(word: &str, severity: Option<Severity>) -> bool {
    word.is_empty() || severity.is_some_and(|severity| word.eq_ignore_ascii_case(severity.as_str()))
}
