//! An event: an exception with its chain, or a message.

use super::Project;
use crate::lenient::{Fields, at, cut, hex_id, text, time, whole};
use crate::observed::{ErrorRecord, Frame, LogRecord, Observer, PersonHint};
use crate::stack::{self, MAX_FRAMES};
use serde_json::Value;
use signal::log::Severity;
use std::borrow::Cow;

/// Most exceptions of a chain that are named.
const MAX_CHAIN: usize = 50;
/// Longest message of an exception in the chain, bytes.
const MAX_CHAIN_TEXT: usize = 500;
/// Most parts of a grouping.
const MAX_GROUPING: usize = 32;
/// What a message without an exception is called.
const MESSAGE: &str = "message";

/// Hands over one event: an error, or a log record when it is a message of less than an error.
pub(super) fn observe(event: &Value, project: Project<'_>, observer: &mut impl Observer) {
    let chain = exceptions(event);
    let message = message(event);
    let severity = severity(&event["level"]);
    let trace_id = text(at(event, &["contexts", "trace", "trace_id"]));
    let trace_id = trace_id.as_deref().and_then(hex_id);
    let service = Some(Cow::Borrowed(project.service));
    let outermost = chain.last().copied().unwrap_or(&Value::Null);
    let grave = severity.is_none_or(|severity| severity >= Severity::Error);
    // SDKs may give a message the stack of where it was said, as an exception without a type.
    let is_message = message.is_some() && chain.iter().all(|exception| text(&exception["type"]).is_none());
    if (chain.is_empty() || is_message) && !grave {
        // Logs have no columns for these.
        let mut fields = fields(event, &chain);
        fields.push_some("release", text(&event["release"]));
        fields.push_some("environment", text(&event["environment"]));
        observer.log(LogRecord {
            ts: time(&event["timestamp"]),
            service,
            host: text(&event["server_name"]),
            severity,
            body: message.unwrap_or_default(),
            trace_id,
            fields: fields.finish(),
        });
        return;
    }
    observer.error(ErrorRecord {
        ts: time(&event["timestamp"]),
        service,
        host: text(&event["server_name"]),
        kind: text(&outermost["type"]).unwrap_or(Cow::Borrowed(MESSAGE)),
        message: text(&outermost["value"]).or(message).unwrap_or_default(),
        severity: severity.or(Some(Severity::Error)),
        release: text(&event["release"]),
        environment: text(&event["environment"]),
        person: person(&event["user"]),
        trace_id,
        frames: frames(event, &chain),
        grouping: grouping(&event["fingerprint"]),
        fields: fields(event, &chain).finish(),
    });
}

/// The exceptions, the outermost last: in `values`, as a plain list, or as one object.
fn exceptions(event: &Value) -> Vec<&Value> {
    let exception = match &event["exception"] {
        Value::Null => &event["sentry.interfaces.Exception"],
        exception => exception,
    };
    match exception.get("values").unwrap_or(exception) {
        Value::Array(list) => list.iter().filter(|exception| exception.is_object()).collect(),
        Value::Object(object) if !object.is_empty() => vec![exception],
        _ => Vec::new(),
    }
}

/// The message, with its parameters filled in where the SDK did so.
fn message(event: &Value) -> Option<Cow<'_, str>> {
    [&event["logentry"], &event["sentry.interfaces.Message"], &event["message"]]
        .into_iter()
        .find_map(|found| text(found).or_else(|| text(&found["formatted"])).or_else(|| text(&found["message"])))
}

/// A word, or a number of Python's `logging`.
pub(super) fn severity(level: &Value) -> Option<Severity> {
    match level {
        Value::String(word) => Severity::from_word(word),
        Value::Number(_) => Some(match whole(level)? {
            0..10 => Severity::Trace,
            10..20 => Severity::Debug,
            20..30 => Severity::Info,
            30..40 => Severity::Warn,
            40..50 => Severity::Error,
            _ => Severity::Fatal,
        }),
        _ => None,
    }
}

pub(super) fn person(user: &Value) -> Option<PersonHint<'_>> {
    let person = PersonHint {
        id: text(&user["id"]),
        email: text(&user["email"]),
        name: text(&user["username"]).or_else(|| text(&user["name"])),
        // "{{auto}}" asks for the address that the event came from, which is a proxy's as often as not.
        address: text(&user["ip_address"]).filter(|address| !address.contains('{')),
    };
    (person != PersonHint::default()).then_some(person)
}

/// The frames of the outermost exception that has some, else of the event, else of the thread that failed.
fn frames<'a>(event: &'a Value, chain: &[&'a Value]) -> Vec<Frame<'a>> {
    let threads = match event["threads"].get("values").unwrap_or(&event["threads"]) {
        Value::Array(threads) => threads.as_slice(),
        _ => &[],
    };
    let failed = |thread: &&Value| thread["crashed"] == true || thread["current"] == true;
    let holders = chain.iter().rev().copied().chain([event]).chain(threads.iter().filter(failed));
    let found = holders.into_iter().find_map(|holder| {
        let frames = at(holder, &["stacktrace", "frames"]).as_array()?;
        (!frames.is_empty()).then_some(frames)
    });
    let Some(found) = found else { return Vec::new() };
    // Senders write the innermost last.
    found.iter().rev().filter(|frame| frame.is_object()).take(MAX_FRAMES).map(frame).collect()
}

fn frame(frame: &Value) -> Frame<'_> {
    let function = text(&frame["function"]).unwrap_or(Cow::Borrowed("?"));
    let function = match text(&frame["module"]) {
        Some(module) => Cow::Owned(format!("{module}.{function}")),
        None => function,
    };
    let path = text(&frame["abs_path"]);
    let file = text(&frame["filename"]).or_else(|| path.clone()).unwrap_or_default();
    let library = stack::is_library(path.as_deref().unwrap_or(&file));
    let own = frame["in_app"].as_bool().or_else(|| library.then_some(false));
    let line = whole(&frame["lineno"]).and_then(|line| u32::try_from(line).ok());
    Frame { function, file, line, own }
}

/// What the sender wants it grouped by. `{{ default }}` alone is what happens without it.
fn grouping(fingerprint: &Value) -> Vec<Cow<'_, str>> {
    let parts: Vec<_> = match fingerprint {
        Value::Array(parts) => parts.iter().filter_map(text).take(MAX_GROUPING).collect(),
        other => text(other).into_iter().collect(),
    };
    let by_default = parts.iter().all(|part| part.trim_matches(['{', '}', ' ']) == "default");
    if by_default { Vec::new() } else { parts }
}

fn fields<'a>(event: &'a Value, chain: &[&'a Value]) -> Fields<'a> {
    let mut fields = Fields::default();
    for name in ["event_id", "logger", "platform", "transaction", "dist"] {
        fields.push_some(name, text(&event[name]));
    }
    fields.push_some("span_id", text(at(event, &["contexts", "trace", "span_id"])));
    fields.push_some("sdk", named_version(&event["sdk"]));
    for context in ["runtime", "os", "browser"] {
        fields.push_some(context, named_version(at(event, &["contexts", context])));
    }
    fields.push_some("request.method", text(at(event, &["request", "method"])));
    let url = text(at(event, &["request", "url"]));
    fields.push_some("request.url", url.map(|url| Cow::Owned(without_query(&url).to_owned())));
    if chain.iter().any(|exception| at(exception, &["mechanism", "handled"]) == &Value::Bool(false)) {
        fields.push("handled", "false");
    }
    if chain.len() > 1 {
        fields.push("exception.chain", chain_text(chain));
    }
    tags(&event["tags"], &mut fields);
    fields.flatten("extra", &event["extra"]);
    fields
}

/// `CPython 3.11.7`
fn named_version(value: &Value) -> Option<Cow<'_, str>> {
    let name = text(&value["name"])?;
    Some(match text(&value["version"]) {
        Some(version) => Cow::Owned(format!("{name} {version}")),
        None => name,
    })
}

/// A JSON list, the outermost first.
fn chain_text(chain: &[&Value]) -> String {
    let named = chain.iter().rev().take(MAX_CHAIN).map(|exception| {
        let kind = text(&exception["type"]).unwrap_or_default();
        let value = text(&exception["value"]).unwrap_or_default();
        Value::from(format!("{kind}: {}", cut(&value, MAX_CHAIN_TEXT)))
    });
    Value::Array(named.collect()).to_string()
}

/// An object, or a list of pairs: `[["a", "b"]]`, `[{"key": "a", "value": "b"}]`.
pub(super) fn tags<'a>(tags: &'a Value, fields: &mut Fields<'a>) {
    let Value::Array(list) = tags else { return fields.flatten("tags", tags) };
    for tag in list {
        let (key, value) = match tag {
            Value::Array(pair) => (pair.first(), pair.get(1)),
            other => (other.get("key"), other.get("value")),
        };
        if let (Some(key), Some(value)) = (key.and_then(text), value.and_then(text)) {
            fields.push(format!("tags.{}", cut(&key, crate::lenient::MAX_NAME)), value);
        }
    }
}

/// An address without what may hold secrets.
pub(super) fn without_query(url: &str) -> &str {
    &url[..memchr::memchr2(b'?', b'#', url.as_bytes()).unwrap_or(url.len())]
}
