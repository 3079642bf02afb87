//! Walks a request down to its records: resource, scope, record. All three signals nest alike.

use super::Encoding;
use super::json;
use super::origin::Origin;
use crate::budget::Budget;
use crate::json_parts::{elements, members};
use crate::observed::{DecodeError, MAX_RECORD, Refusal};
use crate::wire::{Part, Value};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// What a request holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Items {
    Logs,
    Spans,
    Metrics,
}

impl Items {
    /// What JSON calls the lists of resources, scopes and records.
    const fn names(self) -> [&'static str; 3] {
        match self {
            Self::Logs => ["resourceLogs", "scopeLogs", "logRecords"],
            Self::Spans => ["resourceSpans", "scopeSpans", "spans"],
            Self::Metrics => ["resourceMetrics", "scopeMetrics", "metrics"],
        }
    }
}

/// One record as it was sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Raw<'a> {
    Protobuf(Part<'a>),
    Json(&'a str),
}

impl<'a> Raw<'a> {
    pub(super) const fn bytes(self) -> &'a [u8] {
        match self {
            Self::Protobuf(part) => part.bytes,
            Self::Json(text) => text.as_bytes(),
        }
    }

    pub(super) fn log_record(self) -> Result<LogRecord, Refusal> {
        self.read(json::log_record)
    }

    pub(super) fn span(self) -> Result<Span, Refusal> {
        self.read(json::span)
    }

    /// The message; `from_json` reads it from a JSON tree. Only here is a record built, so here its length is limited.
    pub(super) fn read<M: Message + Default>(
        self,
        from_json: fn(&serde_json::Value) -> Result<M, Refusal>,
    ) -> Result<M, Refusal> {
        if self.bytes().len() > MAX_RECORD {
            return Err(Refusal::TooLong);
        }
        match self {
            Self::Protobuf(part) => M::decode(part.bytes).map_err(|error| refusal(&error.to_string())),
            Self::Json(text) => {
                let tree = serde_json::from_str(text).map_err(|error| refusal(&error.to_string()))?;
                from_json(&tree)
            }
        }
    }
}

/// Both decoders tell only by their text that they stopped for depth.
fn refusal(error: &str) -> Refusal {
    if error.contains("recursion limit") { Refusal::TooDeep } else { Refusal::Malformed }
}

/// Takes each record with where it came from; the latter can be refused, and all records below it with it.
pub(super) type Each<'e> = dyn FnMut(Result<&Origin, Refusal>, Raw<'_>) -> Result<(), DecodeError> + 'e;

/// Calls `each` for every record (for every metric, of metrics).
pub(super) fn walk(body: &[u8], encoding: Encoding, items: Items, each: &mut Each<'_>) -> Result<(), DecodeError> {
    let mut budget = Budget::new("records in one request");
    let mut counted = |origin: Result<&Origin, Refusal>, raw: Raw<'_>| {
        budget.spend(1, origin.map_or(0, |origin| origin.text))?;
        each(origin, raw)
    };
    match encoding {
        Encoding::Protobuf => walk_protobuf(Part::whole(body), &mut counted),
        Encoding::Json => walk_json(body, items, &mut counted),
    }
}

type Head<M> = Result<Option<M>, Refusal>;

/// Made once a scope, and only for one that holds records: it copies the resource.
fn origin_of(resource: &Head<Resource>, scope: &Head<InstrumentationScope>) -> Result<Origin, Refusal> {
    match (resource, scope) {
        (Ok(resource), Ok(scope)) => Origin::new(resource.as_ref(), scope.as_ref()),
        (Err(why), _) | (_, Err(why)) => Err(*why),
    }
}

/// Field 1 of a group is where it comes from, 2 what it holds.
const HEAD: u32 = 1;
const HELD: u32 = 2;

fn walk_protobuf(body: Part<'_>, each: &mut Each<'_>) -> Result<(), DecodeError> {
    for_each_field(body, 1, |group| {
        let resource = head::<Resource>(group)?;
        for_each_field(group, HELD, |scope_group| {
            let scope = head::<InstrumentationScope>(scope_group)?;
            let mut origin = None;
            for_each_field(scope_group, HELD, |record| {
                let origin = origin.get_or_insert_with(|| origin_of(&resource, &scope));
                each(origin.as_ref().map_err(|why| *why), Raw::Protobuf(record))
            })
        })
    })
}

/// The resource or scope of a group, wherever among the fields it stands.
fn head<M: Message + Default>(group: Part<'_>) -> Result<Head<M>, DecodeError> {
    let mut found = None;
    for_each_field(group, HEAD, |part| {
        found = Some(part);
        Ok(())
    })?;
    let Some(part) = found else { return Ok(Ok(None)) };
    Ok(Raw::Protobuf(part).read(|_| Err(Refusal::Malformed)).map(Some))
}

/// Calls `each` for every message in the field of this number.
pub(super) fn for_each_field<'a>(
    message: Part<'a>,
    number: u32,
    mut each: impl FnMut(Part<'a>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let mut fields = message.fields();
    while let Some((found, value)) = fields.next()? {
        match value {
            Value::Bytes(part) if found == number => each(part)?,
            _ => {}
        }
    }
    Ok(())
}

fn walk_json(body: &[u8], items: Items, each: &mut Each<'_>) -> Result<(), DecodeError> {
    let text = std::str::from_utf8(body).map_err(|error| DecodeError::Malformed {
        what: "text that is no UTF-8".to_owned(),
        at: error.valid_up_to(),
    })?;
    let [groups, scope_groups, records] = items.names();
    let [groups] = named(text, [groups], body)?;
    for_each_element(groups, body, |group| {
        let [resource, scope_groups] = named(group, ["resource", scope_groups], body)?;
        let resource = resource.map(|text| Raw::Json(text).read(json::resource)).transpose();
        for_each_element(scope_groups, body, |scope_group| {
            let [scope, records] = named(scope_group, ["scope", records], body)?;
            let scope = scope.map(|text| Raw::Json(text).read(json::scope)).transpose();
            let mut origin = None;
            for_each_element(records, body, |record| {
                let origin = origin.get_or_insert_with(|| origin_of(&resource, &scope));
                each(origin.as_ref().map_err(|why| *why), Raw::Json(record))
            })
        })
    })
}

/// The members of these names, as JSON.
pub(super) fn named<'a, const N: usize>(
    json: &'a str,
    names: [&str; N],
    body: &[u8],
) -> Result<[Option<&'a str>; N], DecodeError> {
    let mut found = [None; N];
    let read = members(json, |name, value| {
        if let Some(index) = names.iter().position(|wanted| *wanted == name) {
            found[index] = Some(value);
        }
    });
    read.map_err(|error| malformed(&error, json, body))?;
    Ok(found)
}

/// Calls `each` for every element of a list; a missing list has none.
pub(super) fn for_each_element<'a>(
    json: Option<&'a str>,
    body: &[u8],
    mut each: impl FnMut(&'a str) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let Some(json) = json else { return Ok(()) };
    let mut failed = Ok(());
    let read = elements(json, |element| {
        if failed.is_ok() {
            failed = each(element);
        }
    });
    read.map_err(|error| malformed(&error, json, body))?;
    failed
}

/// The error with its place in the whole body.
fn malformed(error: &serde_json::Error, part: &str, body: &[u8]) -> DecodeError {
    let start = (part.as_ptr() as usize).saturating_sub(body.as_ptr() as usize);
    let line_starts = part.match_indices('\n').map(|(at, _)| at + 1);
    let line = std::iter::once(0).chain(line_starts).nth(error.line().saturating_sub(1)).unwrap_or(0);
    let what = error.to_string();
    let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what).to_owned();
    DecodeError::Malformed { what, at: start + line + error.column().saturating_sub(1) }
}
