//! Elasticsearch's `_bulk`: newline-delimited JSON, an action on one line and its document on the next.
//!
//! A body is cut into actions before any document is read: one that can't be cut is refused whole, and nothing of it
//! was observed. Behind that every item stands alone: a broken document costs its neighbours nothing, and the answer
//! has one item for each action, in their order ([`bulk_answer`]). Only new documents are taken; nothing is ever
//! changed or deleted.
//!
//! What shippers ask before and between is in [`answers`].

mod action;
pub mod answers;
mod document;

#[cfg(test)]
mod tests;

use crate::access::Among;
use crate::lenient::cut;
use crate::observed::{DecodeError, MAX_RECORDS, Observer, Refusal};
use action::Planned;
use base::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Longest name of an index, bytes, as Elasticsearch has it.
const MAX_INDEX: usize = 255;
/// Longest id of a document, bytes, as Elasticsearch has it.
const MAX_ID: usize = 512;

/// What a body does not say itself.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The index of the path (`/logs-shop/_bulk`), for items without one.
    pub index: Option<&'a str>,
    /// When the body arrived: the time of requests whose document says none.
    pub at: Timestamp,
}

/// What an action wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Store, over what is there.
    Index,
    /// Store what is not there yet.
    Create,
    /// Change what is there.
    Update,
    /// Delete what is there.
    Delete,
}

impl Action {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Taken.
    Created,
    /// Not taken, and sending it again cannot help.
    Refused(Refusal),
    /// Not taken for want of room: to be sent again later. Only the caller knows.
    Busy,
}

impl Outcome {
    /// The HTTP status of the item.
    pub const fn status(self) -> u16 {
        match self {
            Self::Created => 201,
            Self::Refused(_) => 400,
            Self::Busy => 429,
        }
    }
}

/// One action of a body and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<'a> {
    /// What was asked for.
    pub action: Action,
    /// The index it was for.
    pub index: Cow<'a, str>,
    /// The id that was given, or made up.
    pub id: Cow<'a, str>,
    /// What became of it.
    pub outcome: Outcome,
}

/// Decodes a body. `new_id` makes the id of a document that has none.
pub fn decode_bulk<'a>(
    body: &'a [u8],
    arrival: Arrival<'a>,
    new_id: &mut dyn FnMut() -> String,
    observer: &mut impl Observer,
) -> Result<Vec<Item<'a>>, DecodeError> {
    // Counted before anything is kept: the shortest item is an action and its document.
    if memchr::memchr_iter(b'\n', body).take(2 * MAX_RECORDS + 1).count() > 2 * MAX_RECORDS {
        return Err(DecodeError::TooMany { what: "items in one body", limit: MAX_RECORDS });
    }
    let planned = action::cut(body)?;
    let among = &mut Among::default();
    Ok(planned.into_iter().map(|planned| take(planned, arrival, among, new_id, observer)).collect())
}

/// Decodes the one document of `POST /{index}/_doc` and `PUT /{index}/_create/{id}`.
pub fn decode_document<'a>(
    document: &'a [u8],
    id: Option<&'a str>,
    arrival: Arrival<'a>,
    new_id: &mut dyn FnMut() -> String,
    observer: &mut impl Observer,
) -> Item<'a> {
    let id = id.map(Cow::Borrowed);
    let planned = Planned { action: Action::Index, index: None, id, document };
    take(planned, arrival, &mut Among::default(), new_id, observer)
}

fn take<'a>(
    planned: Planned<'a>,
    arrival: Arrival<'a>,
    among: &mut Among,
    new_id: &mut dyn FnMut() -> String,
    observer: &mut impl Observer,
) -> Item<'a> {
    let Planned { action, index, id, document } = planned;
    let index = index.or(arrival.index.map(Cow::Borrowed)).unwrap_or_default();
    let id = id.filter(|id| !id.is_empty());
    let before = observer.declined();
    let result = match action {
        Action::Update | Action::Delete => Err(Refusal::ReadOnly),
        _ if index.is_empty() || index.len() > MAX_INDEX => Err(Refusal::BadName),
        _ if id.as_ref().is_some_and(|id| id.len() > MAX_ID) => Err(Refusal::BadId),
        Action::Index | Action::Create => document::observe(document, &index, arrival.at, among, observer),
    };
    let outcome = match result {
        Ok(()) if observer.declined() == before => Outcome::Created,
        Ok(()) => Outcome::Refused(Refusal::OverLimit),
        Err(why) => {
            observer.refuse(why, document);
            Outcome::Refused(why)
        }
    };
    let id = id.unwrap_or_else(|| if outcome == Outcome::Created { Cow::Owned(new_id()) } else { Cow::Borrowed("") });
    Item { action, index, id, outcome }
}

/// The answer to `_bulk`, as JSON. Written straight from the items: a tree of it would cost more than decoding did.
pub fn bulk_answer(items: &[Item<'_>], took_ms: u64) -> Vec<u8> {
    #[derive(Serialize)]
    struct Answer<'i> {
        took: u64,
        errors: bool,
        items: Vec<ByAction<'i>>,
    }
    struct ByAction<'i>(&'i Item<'i>);
    impl Serialize for ByAction<'_> {
        fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
            out.collect_map([(self.0.action.as_str(), ItemAnswer::of(self.0))])
        }
    }
    let errors = items.iter().any(|item| item.outcome != Outcome::Created);
    let answer = Answer { took: took_ms, errors, items: items.iter().map(ByAction).collect() };
    serde_json::to_vec(&answer).expect("texts and numbers are always JSON")
}

/// The answer to a single document, to be sent with [`Outcome::status`].
pub fn document_answer(item: &Item<'_>) -> Value {
    let answer = ItemAnswer::of(item);
    match answer.error {
        None => json!({ "_index": item.index, "_id": item.id, "_version": answer.version, "result": answer.result }),
        Some(error) => json!({ "error": error, "status": answer.status }),
    }
}

#[derive(Serialize)]
struct ItemAnswer<'i> {
    #[serde(rename = "_index")]
    index: &'i str,
    #[serde(rename = "_id")]
    id: &'i str,
    #[serde(rename = "_version", skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ItemError>,
}

#[derive(Serialize)]
struct ItemError {
    #[serde(rename = "type")]
    kind: &'static str,
    reason: String,
}

impl<'i> ItemAnswer<'i> {
    fn of(item: &'i Item<'_>) -> Self {
        let error = match item.outcome {
            Outcome::Created => None,
            Outcome::Refused(why) => Some(ItemError { kind: error_type(why), reason: why.to_string() }),
            Outcome::Busy => Some(ItemError {
                kind: "es_rejected_execution_exception",
                reason: "no room now, send it again later".to_owned(),
            }),
        };
        let created = error.is_none();
        Self {
            // A long one is refused; a million refusals must not repeat it whole.
            index: cut(&item.index, MAX_INDEX),
            id: &item.id,
            version: created.then_some(1),
            result: created.then_some("created"),
            status: item.outcome.status(),
            error,
        }
    }
}

/// Elasticsearch's own word for what was wrong, which shippers sort by.
const fn error_type(why: Refusal) -> &'static str {
    match why {
        Refusal::ReadOnly | Refusal::BadId => "illegal_argument_exception",
        Refusal::BadName => "invalid_index_name_exception",
        Refusal::OverLimit => "cluster_block_exception",
        Refusal::NotAMap
        | Refusal::NotJson
        | Refusal::BadTime
        | Refusal::TooLong
        | Refusal::TooDeep
        | Refusal::Malformed
        | Refusal::BadValue
        | Refusal::Unknown => "document_parsing_exception",
    }
}
