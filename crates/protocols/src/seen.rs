//! Keeps what decoders hand over as JSON, so that tests can compare and show it.

use crate::observed::{
    ErrorRecord, EventRecord, Field, LogRecord, Observer, Refusal, RequestRecord, SampleRecord, SpanRecord,
};
use base::Timestamp;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Everything that was observed, in order: `{"log": {...}}`, `{"refused": "not_json"}`, ...
#[derive(Debug, Default)]
pub(crate) struct Seen(pub(crate) Vec<Value>);

impl Seen {
    /// The records of one kind.
    pub(crate) fn of(&self, kind: &str) -> Vec<&Value> {
        self.0.iter().filter_map(|seen| seen.get(kind)).collect()
    }

    fn keep(&mut self, kind: &str, record: Value) {
        let Value::Object(mut record) = record else { panic!("{kind} is no object") };
        record.retain(|_, value| !value.is_null());
        self.0.push(json!({ kind: record }));
    }
}

#[allow(clippy::ref_option)] // called on fields as they are
fn text(value: &Option<Cow<'_, str>>) -> Value {
    value.as_deref().map_or(Value::Null, Value::from)
}

fn time(ts: Option<Timestamp>) -> Value {
    ts.map_or(Value::Null, |ts| ts.to_string().into())
}

fn fields(list: &[Field<'_>]) -> Value {
    let map: Map<_, _> = list.iter().map(|(name, value)| (name.to_string(), value.as_ref().into())).collect();
    if map.is_empty() { Value::Null } else { Value::Object(map) }
}

impl Observer for Seen {
    fn log(&mut self, r: LogRecord<'_>) {
        self.keep(
            "log",
            json!({
                "ts": time(r.ts), "service": text(&r.service), "host": text(&r.host),
                "severity": r.severity.map(signal::Severity::as_str), "body": r.body, "trace_id": text(&r.trace_id),
                "fields": fields(&r.fields),
            }),
        );
    }

    fn span(&mut self, r: SpanRecord<'_>) {
        self.keep("span", json!({
            "ts": time(r.ts), "service": text(&r.service), "host": text(&r.host), "trace_id": r.trace_id,
            "span_id": r.span_id, "parent_id": text(&r.parent_id), "name": r.name, "kind": r.kind, "status": r.status,
            "duration_us": r.duration_us, "fields": fields(&r.fields),
        }));
    }

    fn sample(&mut self, r: SampleRecord<'_>) {
        self.keep(
            "sample",
            json!({
                "ts": time(r.ts), "service": text(&r.service), "host": text(&r.host), "name": r.name, "value": r.value,
                "labels": fields(&r.labels),
            }),
        );
    }

    fn error(&mut self, r: ErrorRecord<'_>) {
        let frames: Vec<_> = r
            .frames
            .iter()
            .map(|frame| {
                let line = frame.line.map_or_else(String::new, |line| format!(":{line}"));
                let own = match frame.own {
                    Some(true) => " own",
                    Some(false) => " library",
                    None => "",
                };
                format!("{} ({}{line}){own}", frame.function, frame.file)
            })
            .collect();
        let person = r.person.as_ref().map(|p| {
            json!({
                "id": text(&p.id), "email": text(&p.email), "name": text(&p.name), "address": text(&p.address),
            })
        });
        self.keep("error", json!({
            "ts": time(r.ts), "service": text(&r.service), "host": text(&r.host), "kind": r.kind, "message": r.message,
            "severity": r.severity.map(signal::Severity::as_str), "release": text(&r.release),
            "environment": text(&r.environment), "person": person, "trace_id": text(&r.trace_id), "frames": frames,
            "grouping": r.grouping, "fields": fields(&r.fields),
        }));
    }

    fn event(&mut self, r: EventRecord<'_>) {
        self.keep(
            "event",
            json!({
                "ts": time(r.ts), "service": text(&r.service), "host": text(&r.host), "kind": r.kind, "name": r.name,
                "state": text(&r.state), "fields": fields(&r.fields),
            }),
        );
    }

    fn request(&mut self, r: RequestRecord<'_>) {
        let a = &r.access;
        self.keep(
            "request",
            json!({
                "ts": a.ts.to_string(), "service": text(&r.service), "route": text(&r.route),
                "request": format!("{} {}", a.method, a.target), "status": a.status, "duration_us": a.duration_us,
                "bytes": a.bytes, "remote_addr": text(&a.remote_addr), "user": text(&a.user),
                "user_agent": text(&a.user_agent), "referer": text(&a.referer), "host": text(&a.host),
                "trace_id": text(&a.trace_id), "fields": fields(&a.extra),
            }),
        );
    }

    fn refuse(&mut self, why: Refusal, _bytes: &[u8]) {
        self.0.push(json!({ "refused": why }));
    }
}
