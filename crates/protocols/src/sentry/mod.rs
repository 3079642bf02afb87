//! What Sentry's SDKs send: envelopes, and the single events of old clients (`/store/`).
//!
//! An envelope is cut into items before any of them is read: one that can't be cut is refused whole, and nothing of it
//! was observed. Behind that every item stands alone. Items that are not kept here (replays, attachments, profiles,
//! feedback, ...) are counted as [`Refusal::Unknown`] and never an error of the envelope: SDKs would send it again.
//!
//! Events of real applications are odd in every possible way, so they are read with accessors that answer "nothing" for
//! what has another type, and one odd field never costs an event. What only helps to read source code next to a stack
//! (variables, context lines, breadcrumbs), request headers, cookies and query strings are never handed over.

pub mod auth;
mod envelope;
mod event;
mod items;
pub mod limits;
mod trace;

#[cfg(test)]
mod tests;

use crate::lenient;
use crate::observed::{DecodeError, Observer, Refusal};
use base::Timestamp;
use serde_json::Value;

/// What an envelope does not say itself.
#[derive(Debug, Clone, Copy)]
pub struct Project<'a> {
    /// Name of the project that the key belongs to: the service of everything in it.
    pub service: &'a str,
    /// When it arrived: the time of requests that say none.
    pub arrived: Timestamp,
}

/// Most releases that one envelope is believed to come from; SDKs have one.
const MAX_RELEASES: usize = 4;

/// A version of a program, and where it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// What the program calls its version: `shop@7.1`.
    pub version: String,
    /// `production`, `staging`, ...
    pub environment: Option<String>,
}

/// What was taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// Id of the event, to be answered as `{"id": ...}`.
    pub event_id: Option<String>,
    /// Items that were read.
    pub items: usize,
    /// Items that were refused, those not kept here included.
    pub refused: usize,
    /// Releases that events, transactions, sessions and check-ins say they come from, each once.
    pub releases: Vec<Release>,
}

impl Taken {
    /// Notes the release that an item says it comes from.
    fn hear(&mut self, item: &Value) {
        let said = if item["attrs"].is_object() { &item["attrs"] } else { item };
        let own =
            |value| lenient::short(value).filter(|text| !text.trim().is_empty()).map(std::borrow::Cow::into_owned);
        let Some(version) = own(&said["release"]) else { return };
        let release = Release { version, environment: own(&said["environment"]) };
        if self.releases.len() < MAX_RELEASES && !self.releases.contains(&release) {
            self.releases.push(release);
        }
    }
}

/// Decodes the body of `POST /api/{project}/envelope/`, already decompressed.
pub fn decode_envelope(body: &[u8], project: Project<'_>, observer: &mut impl Observer) -> Result<Taken, DecodeError> {
    let envelope = envelope::cut(body)?;
    let mut taken = Taken { event_id: envelope.event_id, ..Taken::default() };
    for item in envelope.items {
        match take(&item, project, &mut taken, observer) {
            Ok(()) => taken.items += 1,
            Err(why) => {
                taken.refused += 1;
                observer.refuse(why, item.payload);
            }
        }
    }
    Ok(taken)
}

/// Decodes the body of `POST /api/{project}/store/`, already decompressed: one event. One that can't be read is refused
/// to the observer as well as an error.
pub fn decode_store(body: &[u8], project: Project<'_>, observer: &mut impl Observer) -> Result<Taken, DecodeError> {
    let read = lenient::parse(body).and_then(|event| {
        take_event(&event, project, observer)?;
        let event_id = lenient::text(&event["event_id"]).map(std::borrow::Cow::into_owned);
        let mut taken = Taken { event_id, items: 1, ..Taken::default() };
        taken.hear(&event);
        Ok(taken)
    });
    match read {
        Ok(taken) => Ok(taken),
        Err(why) => {
            observer.refuse(why, body);
            Err(DecodeError::Malformed { what: why.to_string(), at: 0 })
        }
    }
}

fn take(
    item: &envelope::Item<'_>,
    project: Project<'_>,
    taken: &mut Taken,
    observer: &mut impl Observer,
) -> Result<(), Refusal> {
    let read: fn(&Value, Project<'_>, &mut _) -> Result<(), Refusal> = match item.kind.as_ref() {
        "event" => take_event,
        "transaction" => trace::transaction,
        "session" => items::session,
        "sessions" => items::sessions,
        "check_in" => items::check_in,
        "log" => items::logs,
        "span" => trace::spans,
        "trace_metric" => items::metrics,
        _ => return Err(Refusal::Unknown),
    };
    let said = lenient::parse(item.payload)?;
    read(&said, project, observer)?;
    taken.hear(&said);
    Ok(())
}

/// Transactions came as events before there were envelopes.
fn take_event<O: Observer>(event: &Value, project: Project<'_>, observer: &mut O) -> Result<(), Refusal> {
    if !event.is_object() {
        return Err(Refusal::NotAMap);
    }
    if event["type"] == "transaction" {
        return trace::transaction(event, project, observer);
    }
    event::observe(event, project, observer);
    Ok(())
}
