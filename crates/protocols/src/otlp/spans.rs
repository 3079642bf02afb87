//! One span to what is observed: the step of a trace, the request that it may be, and the exceptions in it.

use super::attributes::{inherit, push, write_object, write_text};
use super::ids::{SpanHex, TraceHex};
use super::logs::{moment, push_dropped};
use super::origin::Origin;
use super::{exception, request};
use crate::observed::{Field, Observer, Refusal, SpanRecord};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use std::borrow::Cow;
use std::fmt::Write;

pub(super) fn observe(span: &Span, origin: &Origin, observer: &mut dyn Observer) -> Result<(), Refusal> {
    let trace = TraceHex::read(&span.trace_id)?.ok_or(Refusal::BadId)?;
    let own = SpanHex::read(&span.span_id)?.ok_or(Refusal::BadId)?;
    let parent = SpanHex::read(&span.parent_span_id)?;
    let fields = fields(span, origin)?;
    observer.span(SpanRecord {
        ts: moment(span.start_time_unix_nano),
        service: origin.service(),
        host: origin.host(),
        trace_id: Cow::Borrowed(trace.as_str()),
        span_id: Cow::Borrowed(own.as_str()),
        parent_id: parent.as_ref().map(|id| Cow::Borrowed(id.as_str())),
        name: Cow::Borrowed(&span.name),
        kind: kind(span.kind()),
        status: status(span),
        duration_us: duration_us(span),
        fields,
    });
    if let Some(request) = request::of_span(span, origin, &trace) {
        observer.request(request);
    }
    exception::of_span(span, origin, &trace, &own, observer);
    Ok(())
}

fn fields<'a>(span: &'a Span, origin: &'a Origin) -> Result<Vec<Field<'a>>, Refusal> {
    let mut fields = Vec::with_capacity(span.attributes.len() + origin.fields.len() + 4);
    push(&span.attributes, |_| true, &mut fields)?;
    if let Some(message) = span.status.as_ref().map(|status| &status.message).filter(|message| !message.is_empty()) {
        fields.push((Cow::Borrowed("status_message"), Cow::Borrowed(message)));
    }
    if !span.trace_state.is_empty() {
        fields.push((Cow::Borrowed("trace_state"), Cow::Borrowed(&span.trace_state)));
    }
    if !span.events.is_empty() {
        fields.push((Cow::Borrowed("events"), Cow::Owned(events_json(&span.events)?)));
    }
    if !span.links.is_empty() {
        fields.push((Cow::Borrowed("links"), Cow::Owned(links_json(&span.links)?)));
    }
    push_dropped("dropped_attributes_count", span.dropped_attributes_count, &mut fields);
    push_dropped("dropped_events_count", span.dropped_events_count, &mut fields);
    push_dropped("dropped_links_count", span.dropped_links_count, &mut fields);
    inherit(&mut fields, &origin.fields);
    Ok(fields)
}

const fn kind(kind: SpanKind) -> &'static str {
    match kind {
        // "Implementations may assume that an unspecified kind is internal."
        SpanKind::Unspecified | SpanKind::Internal => "internal",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}

pub(super) fn status(span: &Span) -> Option<&'static str> {
    match span.status.as_ref()?.code() {
        StatusCode::Unset => None,
        StatusCode::Ok => Some("ok"),
        StatusCode::Error => Some("error"),
    }
}

/// How long the span took; unknown, never 0, when it has no end or one before its start.
pub(super) fn duration_us(span: &Span) -> Option<u64> {
    let nanos = span.end_time_unix_nano.checked_sub(span.start_time_unix_nano)?;
    (span.start_time_unix_nano != 0).then_some(nanos / 1000)
}

/// `[{"time":"...","name":"...","attributes":{...}}]`
fn events_json(events: &[Event]) -> Result<String, Refusal> {
    let mut out = String::from("[");
    for (index, event) in events.iter().enumerate() {
        out.push_str(if index > 0 { ",{" } else { "{" });
        if let Some(time) = moment(event.time_unix_nano) {
            write!(out, "\"time\":\"{time}\",").expect("a String takes any text");
        }
        out.push_str("\"name\":");
        write_text(&event.name, &mut out);
        out.push_str(",\"attributes\":");
        write_object(&event.attributes, 0, &mut out)?;
        out.push('}');
    }
    out.push(']');
    Ok(out)
}

/// `[{"trace_id":"...","span_id":"...","attributes":{...}}]`
fn links_json(links: &[Link]) -> Result<String, Refusal> {
    let mut out = String::from("[");
    for (index, link) in links.iter().enumerate() {
        let trace = TraceHex::read(&link.trace_id)?.ok_or(Refusal::BadId)?;
        let span = SpanHex::read(&link.span_id)?.ok_or(Refusal::BadId)?;
        let comma = if index > 0 { "," } else { "" };
        write!(out, "{comma}{{\"trace_id\":\"{}\",\"span_id\":\"{}\",\"attributes\":", trace.as_str(), span.as_str())
            .expect("a String takes any text");
        write_object(&link.attributes, 0, &mut out)?;
        out.push('}');
    }
    out.push(']');
    Ok(out)
}
