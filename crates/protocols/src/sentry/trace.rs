//! Spans: a transaction with its spans, or the span containers of newer SDKs. Those of a server are requests too.

use super::{Project, event};
use crate::lenient::{Fields, at, hex_id, number, short, text, time, whole};
use crate::observed::{Observer, Refusal, RequestRecord, SpanRecord};
use base::Timestamp;
use serde_json::Value;
use signal::AccessRecord;
use std::borrow::Cow;

/// One span, in whichever form it came.
struct Step<'a> {
    /// The object with ids and name.
    span: &'a Value,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    name: Cow<'a, str>,
    op: Cow<'a, str>,
    /// Named values: plain in transactions, `{"value": ..., "type": ...}` in containers.
    data: &'a Value,
    host: Option<Cow<'a, str>>,
}

impl<'a> Step<'a> {
    fn data(&self, names: &[&str]) -> Option<Cow<'a, str>> {
        names.iter().find_map(|name| text(plain(&self.data[*name])))
    }

    fn record(&self, project: Project<'a>, fields: Fields<'a>) -> Result<SpanRecord<'a>, Refusal> {
        let id = |name: &str, length: usize| {
            let id = text(&self.span[name])?;
            let id = hex_id(&id)?;
            (id.len() == length).then(|| Cow::Owned(id.into_owned()))
        };
        let duration = self
            .start
            .zip(self.end)
            .and_then(|(start, end)| u64::try_from(end.micros().saturating_sub(start.micros())).ok());
        Ok(SpanRecord {
            ts: self.start,
            service: Some(Cow::Borrowed(project.service)),
            host: self.host.clone(),
            trace_id: id("trace_id", 32).ok_or(Refusal::BadId)?,
            span_id: id("span_id", 16).ok_or(Refusal::BadId)?,
            parent_id: id("parent_span_id", 16),
            name: self.name.clone(),
            kind: kind(&self.op, self.data(&["sentry.kind", "otel.kind"]).as_deref()),
            status: status(&self.span["status"]),
            duration_us: duration,
            fields: fields.finish(),
        })
    }

    /// The request that the span of a server was.
    fn request(&self, project: Project<'a>, extra: &RequestHints<'a>) -> Option<RequestRecord<'a>> {
        if kind(&self.op, self.data(&["sentry.kind", "otel.kind"]).as_deref()) != "server" {
            return None;
        }
        let status = self.data(&["http.response.status_code", "http.status_code"]).or_else(|| extra.status.clone())?;
        let status = status.parse().ok().filter(|status| (100..=599).contains(status))?;
        let (named_method, named_path) = match self.name.split_once(' ') {
            Some((method, path)) if path.starts_with('/') => (Some(method.to_owned()), path.to_owned()),
            _ => (None, self.name.clone().into_owned()),
        };
        let method = self.data(&["http.request.method", "http.method"]).or_else(|| extra.method.clone());
        let address = self.data(&["url.full", "http.url"]).or_else(|| extra.url.clone());
        let path = self.data(&["url.path", "http.target"]).or_else(|| Some(Cow::Owned(path_of(&address?)?.to_owned())));
        let route = self.data(&["http.route"]).or_else(|| extra.name_is_route.then(|| Cow::Owned(named_path.clone())));
        let trace_id = text(&self.span["trace_id"]);
        Some(RequestRecord {
            service: Some(Cow::Borrowed(project.service)),
            route,
            access: AccessRecord {
                ts: self.end.or(self.start).unwrap_or(project.arrived),
                method: method.or(named_method.map(Cow::Owned)).unwrap_or(Cow::Borrowed("-")),
                target: path.unwrap_or(Cow::Owned(named_path)),
                status,
                duration_us: self
                    .start
                    .zip(self.end)
                    .and_then(|(start, end)| u64::try_from(end.micros().saturating_sub(start.micros())).ok()),
                remote_addr: self.data(&["client.address", "user.ip_address"]).or_else(|| extra.address.clone()),
                user: self.data(&["user.id", "user.name"]).or_else(|| extra.user.clone()),
                user_agent: self.data(&["user_agent.original", "http.user_agent"]),
                host: self.host.clone(),
                trace_id: trace_id.as_deref().and_then(hex_id).map(|id| Cow::Owned(id.into_owned())),
                ..AccessRecord::default()
            },
        })
    }
}

/// What of a request stands beside its span.
#[derive(Default)]
struct RequestHints<'a> {
    method: Option<Cow<'a, str>>,
    url: Option<Cow<'a, str>>,
    status: Option<Cow<'a, str>>,
    user: Option<Cow<'a, str>>,
    address: Option<Cow<'a, str>>,
    /// Whether the name has placeholders.
    name_is_route: bool,
}

/// A transaction: its own span stands in `contexts.trace`, those below it in `spans`.
pub(super) fn transaction(event: &Value, project: Project<'_>, observer: &mut impl Observer) -> Result<(), Refusal> {
    let trace = at(event, &["contexts", "trace"]);
    let host = short(&event["server_name"]);
    let root = Step {
        span: trace,
        start: time(&event["start_timestamp"]),
        end: time(&event["timestamp"]),
        name: text(&event["transaction"]).unwrap_or_default(),
        op: text(&trace["op"]).unwrap_or_default(),
        data: &trace["data"],
        host: host.clone(),
    };
    let mut fields = fields_of(&root);
    for name in ["release", "environment", "platform"] {
        fields.push_some(name, text(&event[name]));
    }
    event::tags(&event["tags"], &mut fields);
    let record = root.record(project, fields)?;
    let person = event::person(&event["user"]).unwrap_or_default();
    let hints = RequestHints {
        method: text(at(event, &["request", "method"])),
        url: text(at(event, &["request", "url"])),
        status: text(at(event, &["contexts", "response", "status_code"]))
            .or_else(|| text(at(event, &["tags", "http.status_code"]))),
        user: person.id.or(person.name),
        address: person.address,
        name_is_route: at(event, &["transaction_info", "source"]) == "route",
    };
    if let Some(request) = root.request(project, &hints) {
        observer.request(request);
    }
    observer.span(record);
    for span in event["spans"].as_array().into_iter().flatten() {
        let op = text(&span["op"]).unwrap_or_default();
        let step = Step {
            span,
            start: time(&span["start_timestamp"]),
            end: time(&span["timestamp"]),
            name: text(&span["description"]).unwrap_or_else(|| op.clone()),
            op,
            data: &span["data"],
            host: host.clone(),
        };
        hand_over(&step, project, observer);
    }
    Ok(())
}

/// A container of spans, second version: every span stands alone, with its resource among its attributes.
pub(super) fn spans(container: &Value, project: Project<'_>, observer: &mut impl Observer) -> Result<(), Refusal> {
    // A container of the first version is one span.
    let Some(spans) = container["items"].as_array() else { return Err(Refusal::Unknown) };
    for span in spans {
        let data = &span["attributes"];
        let step = Step {
            span,
            start: time(&span["start_timestamp"]),
            end: time(&span["end_timestamp"]),
            name: text(&span["name"]).unwrap_or_default(),
            op: text(plain(&data["sentry.op"])).unwrap_or_default(),
            data,
            host: None,
        };
        let source = step.data(&["sentry.segment.name.source", "sentry.source"]);
        let hints = RequestHints { name_is_route: source.as_deref() == Some("route"), ..RequestHints::default() };
        if let Some(request) = step.request(project, &hints) {
            observer.request(request);
        }
        hand_over(&step, project, observer);
    }
    Ok(())
}

fn hand_over(step: &Step<'_>, project: Project<'_>, observer: &mut impl Observer) {
    match step.record(project, fields_of(step)) {
        Ok(record) => observer.span(record),
        Err(why) => observer.refuse(why, step.span.to_string().as_bytes()),
    }
}

fn fields_of<'a>(step: &Step<'a>) -> Fields<'a> {
    let mut fields = Fields::default();
    if !step.op.is_empty() {
        fields.push("op", step.op.clone());
    }
    fields.push_some("sentry.status", text(&step.span["status"]));
    attributes(step.data, &mut fields);
    fields
}

/// Named values, but for people and what may hold secrets: headers and query strings.
pub(super) fn attributes<'a>(data: &'a Value, fields: &mut Fields<'a>) {
    const HIDDEN: [&str; 7] = [
        "user.",
        "client.",
        "net.peer.",
        "network.peer.",
        "http.request.header.",
        "http.response.header.",
        "http.request.cookie",
    ];
    for (name, value) in data.as_object().into_iter().flatten() {
        if HIDDEN.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        match (name.as_str(), plain(value)) {
            // The last is a list of what the SDK could do, in every span.
            ("url.query" | "http.query" | "sentry.sdk.integrations", _) => {}
            ("url.full" | "http.url" | "url" | "http.target" | "url.original", Value::String(url)) => {
                fields.push(name.as_str(), event::without_query(url));
            }
            ("sentry.release", value) => fields.push_some("release", text(value)),
            ("sentry.environment", value) => fields.push_some("environment", text(value)),
            (name, value) => fields.flatten(name, value),
        }
    }
}

/// The value inside `{"value": ..., "type": ...}`.
pub(super) fn plain(value: &Value) -> &Value {
    match value {
        Value::Object(object) if object.contains_key("type") => object.get("value").unwrap_or(&Value::Null),
        value => value,
    }
}

/// What Sentry's operation means in OpenTelemetry's words.
fn kind(op: &str, said: Option<&str>) -> &'static str {
    for kind in ["server", "client", "producer", "consumer", "internal"] {
        if said.is_some_and(|said| said.eq_ignore_ascii_case(kind)) {
            return kind;
        }
    }
    match op {
        "http.server" | "rpc.server" | "grpc.server" | "websocket.server" => "server",
        "queue.publish" | "queue.submit" => "producer",
        "queue.process" | "queue.receive" | "queue.task" => "consumer",
        op if op.ends_with(".client") || op == "db" || op.starts_with("db.") || op.starts_with("cache") => "client",
        _ => "internal",
    }
}

/// A mistake of the client is no error of the span.
fn status(status: &Value) -> Option<&'static str> {
    match status.as_str()? {
        "ok" => Some("ok"),
        "error" | "internal_error" | "unknown_error" | "deadline_exceeded" | "unavailable" | "data_loss"
        | "resource_exhausted" | "aborted" | "unimplemented" => Some("error"),
        _ => None,
    }
}

fn path_of(url: &str) -> Option<&str> {
    let url = event::without_query(url);
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map(|start| &rest[start..])
}

/// A sample's value, when it is one.
pub(super) fn finite(value: &Value) -> Option<f64> {
    number(value).filter(|value| value.is_finite())
}

/// A count; what is missing or odd is none.
pub(super) fn count(value: &Value) -> u64 {
    whole(value).unwrap_or(0)
}
