//! Cuts an envelope: a line of headers, then for each item a line of headers and its payload.
//!
//! A payload has the length that its header says, whatever bytes it holds; without one it ends at the next newline.

use crate::lenient::{self, Text, cut as cut_text};
use crate::observed::DecodeError;
use serde::Deserialize;
use std::borrow::Cow;

/// Most items of one envelope; SDKs send at most about a hundred.
pub(super) const MAX_ITEMS: usize = 1_000;
/// Longest line of headers, bytes.
const MAX_HEADER: usize = 64 << 10;

#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub event_id: Option<String>,
    pub items: Vec<Item<'a>>,
}

#[derive(Debug)]
pub(super) struct Item<'a> {
    pub kind: Cow<'a, str>,
    pub payload: &'a [u8],
}

#[derive(Deserialize)]
struct ItemHeader<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(default)]
    length: Option<u64>,
}

pub(super) fn cut(body: &[u8]) -> Result<Envelope<'_>, DecodeError> {
    let (header, mut at) = line(body, 0)?;
    let malformed = |what: &str, at| DecodeError::Malformed { what: what.to_owned(), at };
    let header = lenient::parse(header).ok().filter(serde_json::Value::is_object);
    let header = header.ok_or_else(|| malformed("no headers of an envelope", 0))?;
    let event_id = lenient::text(&header["event_id"]).map(|id| cut_text(&id, 64).to_owned());
    let mut items = Vec::new();
    while at < body.len() {
        if body[at] == b'\n' {
            at += 1;
            continue;
        }
        if items.len() == MAX_ITEMS {
            return Err(DecodeError::TooMany { what: "items in one envelope", limit: MAX_ITEMS });
        }
        let (header, start) = line(body, at)?;
        let ItemHeader { kind, length } =
            serde_json::from_slice(header).map_err(|_| malformed("no headers of an item", at))?;
        let end = match length {
            None => start + memchr::memchr(b'\n', &body[start..]).unwrap_or(body.len() - start),
            Some(length) => usize::try_from(length)
                .ok()
                .and_then(|length| start.checked_add(length))
                .filter(|end| matches!(body.get(*end), Some(b'\n')) || *end == body.len())
                .ok_or_else(|| malformed("an item whose length is not that of its payload", at))?,
        };
        items.push(Item { kind: kind.0, payload: &body[start..end] });
        at = end + 1;
    }
    Ok(Envelope { event_id, items })
}

/// The line that starts at `at`, and where the next one does.
fn line(body: &[u8], at: usize) -> Result<(&[u8], usize), DecodeError> {
    let rest = &body[at..];
    let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    if length > MAX_HEADER {
        return Err(DecodeError::Malformed { what: "headers that are too long".to_owned(), at });
    }
    Ok((&rest[..length], (at + length + 1).min(body.len())))
}
