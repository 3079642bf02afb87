//! One event's record to a [`LogRecord`].

use super::pack::{Reader, Value};
use super::text::{read_json, read_text};
use super::time::read_time;
use crate::lenient::Fields;
use crate::observed::{Field, LogRecord, MAX_DEPTH, MAX_RECORD, Refusal};
use signal::log::Severity;
use std::borrow::Cow;

/// Names that hold what was said, the best first.
const BODIES: [&str; 3] = ["log", "message", "msg"];

/// Reads `[time, record]`.
pub(super) fn read_entry<'a>(tag: &'a str, entry: &'a [u8]) -> Result<LogRecord<'a>, Refusal> {
    let mut reader = Reader::new(entry);
    match reader.next() {
        Ok(Value::Array(size)) if size >= 2 => read_event(tag, reader.rest()),
        _ => Err(Refusal::Malformed),
    }
}

/// Reads a time with the record behind it.
pub(super) fn read_event<'a>(tag: &'a str, event: &'a [u8]) -> Result<LogRecord<'a>, Refusal> {
    if event.len() > MAX_RECORD {
        return Err(Refusal::TooLong);
    }
    let mut reader = Reader::new(event);
    let mut record = LogRecord { service: (!tag.is_empty()).then_some(Cow::Borrowed(tag)), ..LogRecord::default() };
    let mut fields = Fields::default();
    // Fluent Bit puts metadata beside the time: `[[time, {...}], record]`.
    if let Ok(Value::Array(2)) = reader.clone().next() {
        let _ = reader.next();
        record.ts = read_time(&mut reader)?;
        let metadata = read_json(&mut reader, MAX_DEPTH)?;
        if metadata != "{}" {
            fields.push("metadata", metadata);
        }
    } else {
        record.ts = read_time(&mut reader)?;
    }
    read_record(&mut reader, &mut record, &mut fields)?;
    record.fields = fields.finish();
    Ok(record)
}

fn read_record<'a>(
    reader: &mut Reader<'a>,
    record: &mut LogRecord<'a>,
    fields: &mut Fields<'a>,
) -> Result<(), Refusal> {
    let mut whole = reader.clone();
    let Ok(Value::Map(pairs)) = reader.next() else { return Err(Refusal::NotAMap) };
    let mut body: Option<(usize, Cow<'a, str>)> = None;
    for _ in 0..pairs {
        let name = read_text(reader, MAX_DEPTH - 1)?;
        let value = reader.clone().next().map_err(|_| Refusal::Malformed)?;
        let text = read_text(reader, MAX_DEPTH - 1)?;
        let rank = BODIES.iter().position(|body| *body == name).filter(|_| value != Value::Nil);
        match rank {
            None => {
                if let Some((name, text)) = take_known(record, (name, text), value) {
                    fields.push(name, text);
                }
            }
            Some(rank) if body.as_ref().is_none_or(|(best, _)| rank < *best) => {
                if let Some((before, text)) = body.replace((rank, text)) {
                    fields.push(BODIES[before], text);
                }
            }
            Some(_) => fields.push(name, text),
        }
    }
    record.body = match body {
        Some((_, text)) => text,
        None => Cow::Owned(read_json(&mut whole, MAX_DEPTH)?),
    };
    Ok(())
}

/// Takes what has a place of its own in a log record; gives back every other field. The first of several names wins.
fn take_known<'a>(record: &mut LogRecord<'a>, field: Field<'a>, value: Value<'_>) -> Option<Field<'a>> {
    let (Value::Text(_) | Value::Binary(_)) = value else { return Some(field) };
    let (name, text) = field;
    match name.as_ref() {
        "level" | "severity" | "lvl" if record.severity.is_none() => match Severity::from_word(&text) {
            Some(severity) => record.severity = Some(severity),
            None => return Some((name, text)),
        },
        "trace_id" | "traceId" | "trace" if record.trace_id.is_none() && is_trace_id(&text) => {
            record.trace_id = Some(lower_case(text));
        }
        "hostname" | "host" if record.host.is_none() && !matches!(text.as_ref(), "" | "-") => record.host = Some(text),
        _ => return Some((name, text)),
    }
    None
}

/// 128 or 64 bits in hex, as tracers write them.
fn is_trace_id(text: &str) -> bool {
    matches!(text.len(), 16 | 32) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn lower_case(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) { Cow::Owned(text.to_ascii_lowercase()) } else { text }
}
