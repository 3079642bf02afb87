//! An observer that keeps what it is given as JSON, for tests to compare and people to read.

use protocols::observed::{
    ErrorRecord, EventRecord, Field, LogRecord, Observer, Refusal, RequestRecord, SampleRecord, SpanRecord,
};
use serde_json::{Map, Value, json};

/// What was observed, in its order. Absent parts are left out.
#[derive(Debug, Default)]
pub struct Collected {
    /// Each record as an object with one member, named after its kind.
    pub records: Vec<Value>,
}

impl Collected {
    fn keep(&mut self, kind: &str, parts: impl IntoIterator<Item = (&'static str, Value)>, fields: &[Field<'_>]) {
        let mut out: Map<_, _> = parts.into_iter().filter(|(_, value)| !value.is_null()).map(owned).collect();
        let fields: Map<_, _> = fields.iter().map(|(name, value)| (name.to_string(), json!(value))).collect();
        if !fields.is_empty() {
            out.insert("fields".to_owned(), Value::Object(fields));
        }
        let record = json!({ kind: out });
        self.records.push(record);
    }
}

fn owned((name, value): (&'static str, Value)) -> (String, Value) {
    (name.to_owned(), value)
}

impl Observer for Collected {
    fn log(&mut self, record: LogRecord<'_>) {
        let parts = [
            ("ts", json!(record.ts)),
            ("service", json!(record.service)),
            ("host", json!(record.host)),
            ("severity", json!(record.severity.map(signal::Severity::as_str))),
            ("body", json!(record.body)),
            ("trace_id", json!(record.trace_id)),
        ];
        self.keep("log", parts, &record.fields);
    }

    fn span(&mut self, record: SpanRecord<'_>) {
        let parts = [
            ("ts", json!(record.ts)),
            ("service", json!(record.service)),
            ("host", json!(record.host)),
            ("trace_id", json!(record.trace_id)),
            ("span_id", json!(record.span_id)),
            ("parent_id", json!(record.parent_id)),
            ("name", json!(record.name)),
            ("kind", json!(record.kind)),
            ("status", json!(record.status)),
            ("duration_us", json!(record.duration_us)),
        ];
        self.keep("span", parts, &record.fields);
    }

    /// One line: a scrape has hundreds.
    fn sample(&mut self, record: SampleRecord<'_>) {
        let labels: Vec<_> = record.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let place = |place: &Option<std::borrow::Cow<'_, str>>| place.as_deref().unwrap_or("-").to_owned();
        let line = format!(
            "{}/{} {}{{{}}} {:?} @{}",
            place(&record.service),
            place(&record.host),
            record.name,
            labels.join(","),
            record.value,
            record.ts.map_or("-".to_owned(), |ts| ts.to_string()),
        );
        self.records.push(json!({ "sample": line }));
    }

    fn error(&mut self, record: ErrorRecord<'_>) {
        let frame = |frame: &protocols::observed::Frame<'_>| {
            let line = frame.line.map_or(String::new(), |line| format!(":{line}"));
            format!("{} ({}{line})", frame.function, frame.file)
        };
        let person = record.person.as_ref().map(
            |person| json!({ "id": person.id, "email": person.email, "name": person.name, "address": person.address }),
        );
        let parts = [
            ("ts", json!(record.ts)),
            ("service", json!(record.service)),
            ("host", json!(record.host)),
            ("kind", json!(record.kind)),
            ("message", json!(record.message)),
            ("severity", json!(record.severity.map(signal::Severity::as_str))),
            ("release", json!(record.release)),
            ("environment", json!(record.environment)),
            ("person", json!(person)),
            ("trace_id", json!(record.trace_id)),
            ("frames", json!(record.frames.iter().map(frame).collect::<Vec<_>>())),
        ];
        self.keep("error", parts, &record.fields);
    }

    fn event(&mut self, record: EventRecord<'_>) {
        let parts = [
            ("ts", json!(record.ts)),
            ("service", json!(record.service)),
            ("host", json!(record.host)),
            ("kind", json!(record.kind)),
            ("name", json!(record.name)),
            ("state", json!(record.state)),
        ];
        self.keep("event", parts, &record.fields);
    }

    fn request(&mut self, record: RequestRecord<'_>) {
        let access = &record.access;
        let parts = [
            ("ts", json!(access.ts)),
            ("service", json!(record.service)),
            ("route", json!(record.route)),
            ("request", json!(format!("{} {}", access.method, access.target))),
            ("status", json!(access.status)),
            ("duration_us", json!(access.duration_us)),
            ("bytes", json!(access.bytes)),
            ("remote_addr", json!(access.remote_addr)),
            ("user", json!(access.user)),
            ("user_agent", json!(access.user_agent)),
            ("host", json!(access.host)),
            ("trace_id", json!(access.trace_id)),
        ];
        self.keep("request", parts, &access.extra);
    }

    fn refuse(&mut self, why: Refusal, bytes: &[u8]) {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        self.keep("refused", [("why", json!(why)), ("bytes", json!(bytes.len())), ("start", json!(start))], &[]);
    }
}
