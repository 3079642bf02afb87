//! What an [`Observer`] was handed, as JSON: for tests, beside the code and in `tests/it`.

use super::observed::{
    ErrorRecord, EventRecord, Field, LogRecord, Observer, Refusal, RequestRecord, SampleRecord, SpanRecord,
};
use base::Timestamp;
use serde_json::{Map, Value, json};
use signal::Severity;

/// Keeps everything in the order in which it came.
#[derive(Debug, Default)]
pub struct Recorded {
    /// One object a record: its kind, and what of it was said.
    pub records: Vec<Value>,
}

impl Recorded {
    /// The bodies of the log records.
    #[allow(dead_code, reason = "one of the two test programs that share this file asks")]
    pub fn bodies(&self) -> Vec<&str> {
        self.records.iter().filter_map(|record| record["log"]["body"].as_str()).collect()
    }

    fn keep(&mut self, kind: &str, said: impl IntoIterator<Item = (&'static str, Option<Value>)>) {
        let said: Map<_, _> = said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        self.records.push(json!({ kind: said }));
    }
}

fn text<T: AsRef<str>>(value: Option<&T>) -> Option<Value> {
    value.map(|text| Value::from(text.as_ref()))
}

fn moment(ts: Option<Timestamp>) -> Option<Value> {
    ts.map(|ts| Value::from(ts.to_string()))
}

/// A list, because a name may come twice.
fn fields(fields: &[Field<'_>]) -> Option<Value> {
    (!fields.is_empty()).then(|| fields.iter().map(|(name, value)| json!([name, value])).collect())
}

impl Observer for Recorded {
    fn log(&mut self, record: LogRecord<'_>) {
        self.keep(
            "log",
            [
                ("ts", moment(record.ts)),
                ("service", text(record.service.as_ref())),
                ("host", text(record.host.as_ref())),
                ("severity", text(record.severity.map(Severity::as_str).as_ref())),
                ("body", Some(record.body.into())),
                ("trace_id", text(record.trace_id.as_ref())),
                ("fields", fields(&record.fields)),
            ],
        );
    }

    fn span(&mut self, record: SpanRecord<'_>) {
        self.keep("span", [("name", Some(record.name.into()))]);
    }

    fn sample(&mut self, record: SampleRecord<'_>) {
        self.keep(
            "sample",
            [
                ("ts", moment(record.ts)),
                ("service", text(record.service.as_ref())),
                ("host", text(record.host.as_ref())),
                ("name", Some(record.name.into())),
                ("value", Some(record.value.into())),
                ("labels", fields(&record.labels)),
            ],
        );
    }

    fn error(&mut self, record: ErrorRecord<'_>) {
        self.keep("error", [("kind", Some(record.kind.into())), ("message", Some(record.message.into()))]);
    }

    fn event(&mut self, record: EventRecord<'_>) {
        self.keep(
            "event",
            [
                ("ts", moment(record.ts)),
                ("service", text(record.service.as_ref())),
                ("host", text(record.host.as_ref())),
                ("kind", Some(record.kind.into())),
                ("name", Some(record.name.into())),
                ("state", text(record.state.as_ref())),
                ("fields", fields(&record.fields)),
            ],
        );
    }

    fn request(&mut self, record: RequestRecord<'_>) {
        let access = &record.access;
        self.keep(
            "request",
            [
                ("ts", moment(Some(access.ts))),
                ("service", text(record.service.as_ref())),
                ("host", text(access.host.as_ref())),
                ("request", Some(format!("{} {}", access.method, access.target).into())),
                ("status", Some(access.status.into())),
                ("duration_us", access.duration_us.map(Value::from)),
                ("user_agent", text(access.user_agent.as_ref())),
            ],
        );
    }

    fn refuse(&mut self, why: Refusal, bytes: &[u8]) {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]);
        self.keep("refused", [("reason", Some(why.reason().into())), ("start", Some(start.into()))]);
    }
}
