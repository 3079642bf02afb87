//! Exceptions that spans and log records tell of, by the `exception.*` conventions.

use super::attributes::{find, find_any, inherit, push};
use super::ids::{SpanHex, TraceHex};
use super::logs::moment;
use super::origin::Origin;
use super::stack::frames;
use crate::observed::{ErrorRecord, Field, Observer, PersonHint, Refusal};
use base::Timestamp;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use signal::log::Severity;
use std::borrow::Cow;

/// Most exceptions of one span that become errors; all of them stay in the span's events.
const MAX_OF_SPAN: usize = 32;

/// The exception that a log record tells of.
pub(super) fn of_log<'a>(
    record: &'a LogRecord,
    origin: &'a Origin,
    severity: Option<Severity>,
    ts: Option<Timestamp>,
    trace_id: Option<Cow<'a, str>>,
    span: Option<&'a SpanHex>,
) -> Result<Option<ErrorRecord<'a>>, Refusal> {
    let Some(kind) = find(&record.attributes, "exception.type") else { return Ok(None) };
    let mut fields = Vec::new();
    push(&record.attributes, is_other, &mut fields)?;
    let told = Told { attributes: &record.attributes, around: &[], origin };
    Ok(Some(ErrorRecord { ts, severity, trace_id, ..told.error(kind, span, fields) }))
}

/// Hands over the exceptions that a span recorded as events.
pub(super) fn of_span(span: &Span, origin: &Origin, trace: &TraceHex, own: &SpanHex, observer: &mut dyn Observer) {
    let events = span.events.iter().filter(|event| event.name == "exception");
    for event in events.take(MAX_OF_SPAN) {
        let kind = find(&event.attributes, "exception.type").unwrap_or(Cow::Borrowed("exception"));
        let mut fields = Vec::new();
        // The same values were written as text for the span, or it was refused.
        let pushed =
            push(&event.attributes, is_other, &mut fields).and_then(|()| push(&span.attributes, is_other, &mut fields));
        if pushed.is_err() {
            continue;
        }
        fields.push((Cow::Borrowed("span.name"), Cow::Borrowed(&span.name)));
        let told = Told { attributes: &event.attributes, around: &span.attributes, origin };
        observer.error(ErrorRecord {
            ts: moment(event.time_unix_nano).or_else(|| moment(span.end_time_unix_nano)),
            trace_id: Some(Cow::Borrowed(trace.as_str())),
            ..told.error(kind, Some(own), fields)
        });
    }
}

/// What is said of one exception, and around it.
struct Told<'a> {
    attributes: &'a [KeyValue],
    around: &'a [KeyValue],
    origin: &'a Origin,
}

impl<'a> Told<'a> {
    fn error(&self, kind: Cow<'a, str>, span: Option<&'a SpanHex>, mut fields: Vec<Field<'a>>) -> ErrorRecord<'a> {
        if let Some(span) = span {
            fields.push((Cow::Borrowed("span_id"), Cow::Borrowed(span.as_str())));
        }
        inherit(&mut fields, &self.origin.fields);
        ErrorRecord {
            service: self.origin.service(),
            host: self.origin.host(),
            kind,
            message: find(self.attributes, "exception.message").unwrap_or_default(),
            release: self.origin.release.as_deref().map(Cow::Borrowed),
            environment: self.origin.environment.as_deref().map(Cow::Borrowed),
            person: self.person(),
            frames: self.stack().map(frames).unwrap_or_default(),
            fields,
            ..ErrorRecord::default()
        }
    }

    /// The stack as it was sent: frames borrow from it.
    fn stack(&self) -> Option<&'a str> {
        use opentelemetry_proto::tonic::common::v1::any_value::Value;
        let found = self.attributes.iter().find(|attribute| attribute.key == "exception.stacktrace")?;
        match found.value.as_ref()?.value.as_ref()? {
            Value::StringValue(stack) => Some(stack),
            _ => None,
        }
    }

    fn person(&self) -> Option<PersonHint<'a>> {
        let either = |names: &[&str]| find_any(self.attributes, names).or_else(|| find_any(self.around, names));
        let person = PersonHint {
            id: either(&["enduser.id", "user.id"]),
            email: either(&["user.email"]),
            name: either(&["user.name"]),
            address: either(&["client.address", "http.client_ip"]),
        };
        (person != PersonHint::default()).then_some(person)
    }
}

/// Whether an attribute is neither part of the exception nor names a person: the record has places for both.
fn is_other(name: &str) -> bool {
    let of_exception = matches!(name, "exception.type" | "exception.message" | "exception.stacktrace");
    let of_person =
        matches!(name, "enduser.id" | "user.id" | "user.email" | "user.name" | "client.address" | "http.client_ip");
    !of_exception && !of_person
}
