//! Cuts a body into actions and their documents.

use super::Action;
use crate::lenient::Text;
use crate::observed::{DecodeError, MAX_RECORDS};
use serde::Deserialize;
use std::borrow::Cow;

/// Longest line of an action, bytes.
const MAX_ACTION: usize = 16 << 10;

/// One action, its document not yet read.
#[derive(Debug)]
pub(super) struct Planned<'a> {
    pub action: Action,
    pub index: Option<Cow<'a, str>>,
    pub id: Option<Cow<'a, str>>,
    /// Empty where the action has none.
    pub document: &'a [u8],
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line<'a> {
    #[serde(borrow)]
    Index(Meta<'a>),
    #[serde(borrow)]
    Create(Meta<'a>),
    #[serde(borrow)]
    Update(Meta<'a>),
    #[serde(borrow)]
    Delete(Meta<'a>),
}

/// Everything else that an action may say (`_type`, `pipeline`, `routing`, ...) changes nothing here.
#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, rename = "_index", default)]
    index: Option<Text<'a>>,
    #[serde(borrow, rename = "_id", default)]
    id: Option<Text<'a>>,
}

/// All actions of a body, in their order. The newline behind the last line may be missing.
pub(super) fn cut(body: &[u8]) -> Result<Vec<Planned<'_>>, DecodeError> {
    let mut planned = Vec::new();
    let mut at = 0;
    while at < body.len() {
        let line = line_at(body, at);
        let start = at;
        at += line.len() + 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let (action, meta) = read(line).map_err(|what| DecodeError::Malformed { what, at: start })?;
        let document = match action {
            Action::Delete => &[],
            Action::Index | Action::Create | Action::Update => {
                if at >= body.len() {
                    let what = format!("no document behind the last {:?} action", action.as_str());
                    return Err(DecodeError::Malformed { what, at: body.len() });
                }
                let document = line_at(body, at);
                at += document.len() + 1;
                document.trim_ascii()
            }
        };
        if planned.len() == MAX_RECORDS {
            return Err(DecodeError::TooMany { what: "items in one body", limit: MAX_RECORDS });
        }
        planned.push(Planned { action, index: meta.index.map(|t| t.0), id: meta.id.map(|t| t.0), document });
    }
    Ok(planned)
}

fn line_at(body: &[u8], at: usize) -> &[u8] {
    let rest = &body[at..];
    &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())]
}

fn read(line: &[u8]) -> Result<(Action, Meta<'_>), String> {
    if line.len() > MAX_ACTION {
        return Err(format!("an action of {} bytes where {MAX_ACTION} are allowed", line.len()));
    }
    Ok(match serde_json::from_slice(line) {
        Ok(Line::Index(meta)) => (Action::Index, meta),
        Ok(Line::Create(meta)) => (Action::Create, meta),
        Ok(Line::Update(meta)) => (Action::Update, meta),
        Ok(Line::Delete(meta)) => (Action::Delete, meta),
        Err(_) => return Err("no action (index, create, update or delete)".to_owned()),
    })
}
