//! Alerts that Prometheus and its relatives push (`POST /api/v2/alerts`), and those that Alertmanager passes on.
//!
//! Senders repeat an alert as long as it fires. It keeps its start, so its event keeps its time: who stores it can tell
//! a repetition by labels and time.

use super::Outcome;
use super::series::place;
use crate::budget::Budget;
use crate::json_parts::{elements, members};
use crate::observed::{DecodeError, EventRecord, Field, MAX_RECORD, Observer, Refusal};
use base::Timestamp;
use std::borrow::Cow;

/// Most labels and annotations of one alert together.
const MAX_FIELDS: usize = 1000;

/// Reads the body of Alertmanager's `POST /api/v2/alerts`. An alert is resolved when its end lies before `now`.
pub fn alerts(body: &[u8], now: Timestamp, observer: &mut dyn Observer) -> Result<Outcome, DecodeError> {
    read_list(text_of(body)?, &[], observer, |alert| match alert.ends_at {
        Some(end) if end <= now => State::Resolved,
        _ => State::Firing,
    })
}

/// Reads the body that Alertmanager's `webhook` receiver gets, version 4. Each alert says its state itself.
pub fn alertmanager_webhook(body: &[u8], observer: &mut dyn Observer) -> Result<Outcome, DecodeError> {
    let (mut list, mut shared) = (None, Vec::new());
    let read = members(text_of(body)?, |name, json| match name.as_ref() {
        "alerts" => list = Some(json),
        "receiver" => shared.extend(text(json).map(|text| (Cow::Borrowed("receiver"), text))),
        "groupKey" => shared.extend(text(json).map(|text| (Cow::Borrowed("group_key"), text))),
        "externalURL" => shared.extend(text(json).map(|text| (Cow::Borrowed("external_url"), text))),
        _ => {}
    });
    read.map_err(|error| malformed(&error))?;
    let list = list.ok_or_else(|| DecodeError::Malformed { what: "no list of alerts".to_owned(), at: 0 })?;
    read_list(list, &shared, observer, |alert| match alert.status.as_deref() {
        Some("resolved") => State::Resolved,
        _ => State::Firing,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Firing,
    Resolved,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// One alert, read.
#[derive(Default)]
struct Alert<'a> {
    name: Option<Cow<'a, str>>,
    status: Option<Cow<'a, str>>,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    fields: Vec<Field<'a>>,
    labels: usize,
}

fn read_list<'a>(
    list: &'a str,
    shared: &[Field<'a>],
    observer: &mut dyn Observer,
    state: impl Fn(&Alert<'_>) -> State,
) -> Result<Outcome, DecodeError> {
    let mut outcome = Outcome::default();
    let mut budget = Budget::new("alerts in one request");
    let repeated = shared.iter().map(|(name, value)| name.len() + value.len()).sum();
    let mut paid = Ok(());
    let read = elements(list, |json| {
        if paid.is_ok() {
            paid = budget.spend(1, repeated);
        }
        if paid.is_err() {
            return;
        }
        match Alert::read(json) {
            Ok(alert) => {
                outcome.samples += 1;
                let state = state(&alert);
                observer.event(alert.event(state, shared));
            }
            Err(why) => {
                outcome.reject(why, 1);
                observer.refuse(why, json.as_bytes());
            }
        }
    });
    read.map_err(|error| malformed(&error))?;
    paid.map(|()| outcome)
}

impl<'a> Alert<'a> {
    fn read(json: &'a str) -> Result<Self, Refusal> {
        if json.len() > MAX_RECORD {
            return Err(Refusal::TooLong);
        }
        let mut parts = Parts::default();
        members(json, |name, json| parts.keep(&name, json)).map_err(|_| Refusal::NotAMap)?;
        let mut alert = Self {
            status: parts.status.and_then(text),
            starts_at: moment(parts.starts_at)?,
            ends_at: moment(parts.ends_at)?,
            ..Self::default()
        };
        alert.push_pairs(parts.labels, |name| name)?;
        alert.labels = alert.fields.len();
        let name = alert.fields.iter().position(|(name, _)| name == "alertname");
        alert.name = name.map(|at| alert.fields[at].1.clone());
        alert.push_pairs(parts.annotations, |name| Cow::Owned(format!("annotation.{name}")))?;
        for (name, json) in [("generator_url", parts.generator_url), ("fingerprint", parts.fingerprint)] {
            alert.fields.extend(json.and_then(text).map(|value| (Cow::Borrowed(name), value)));
        }
        if alert.name.as_ref().is_none_or(|name| name.is_empty()) {
            return Err(Refusal::BadName);
        }
        Ok(alert)
    }

    fn push_pairs(
        &mut self,
        json: Option<&'a str>,
        name_of: impl Fn(Cow<'a, str>) -> Cow<'a, str>,
    ) -> Result<(), Refusal> {
        let Some(json) = json else { return Ok(()) };
        let mut failed = None;
        let read = members(json, |name, json| match text(json) {
            Some(value) if self.fields.len() < MAX_FIELDS => self.fields.push((name_of(name), value)),
            Some(_) => failed = Some(Refusal::TooLong),
            None => failed = Some(Refusal::Malformed),
        });
        read.map_err(|_| Refusal::NotAMap)?;
        failed.map_or(Ok(()), Err)
    }

    fn event(mut self, state: State, shared: &[Field<'a>]) -> EventRecord<'a> {
        let (service, host) = place(&self.fields[..self.labels]);
        for (name, time) in [("starts_at", self.starts_at), ("ends_at", self.ends_at)] {
            self.fields.extend(time.map(|time| (Cow::Borrowed(name), Cow::Owned(time.to_string()))));
        }
        self.fields.extend_from_slice(shared);
        EventRecord {
            ts: match state {
                State::Firing => self.starts_at,
                State::Resolved => self.ends_at.or(self.starts_at),
            },
            service,
            host,
            kind: "alert.received",
            name: self.name.unwrap_or_default(),
            state: Some(Cow::Borrowed(state.as_str())),
            fields: self.fields,
        }
    }
}

/// The parts of an alert, not read yet.
#[derive(Default)]
struct Parts<'a> {
    status: Option<&'a str>,
    labels: Option<&'a str>,
    annotations: Option<&'a str>,
    starts_at: Option<&'a str>,
    ends_at: Option<&'a str>,
    generator_url: Option<&'a str>,
    fingerprint: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn keep(&mut self, name: &str, json: &'a str) {
        let place = match name {
            "status" => &mut self.status,
            "labels" => &mut self.labels,
            "annotations" => &mut self.annotations,
            "startsAt" => &mut self.starts_at,
            "endsAt" => &mut self.ends_at,
            "generatorURL" => &mut self.generator_url,
            "fingerprint" => &mut self.fingerprint,
            _ => return,
        };
        *place = Some(json);
    }
}

/// A JSON text, borrowed when it has no escapes; `None` when it is something else.
fn text(json: &str) -> Option<Cow<'_, str>> {
    #[derive(serde::Deserialize)]
    #[serde(transparent)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(json).ok().map(|text| text.0)
}

/// A time; Go writes the year 1 for none.
fn moment(json: Option<&str>) -> Result<Option<Timestamp>, Refusal> {
    let Some(json) = json.filter(|json| *json != "null") else { return Ok(None) };
    let text = text(json).ok_or(Refusal::BadTime)?;
    if text.is_empty() || text.starts_with("0001-01-01T00:00:00") {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Refusal::BadTime)
}

fn text_of(body: &[u8]) -> Result<&str, DecodeError> {
    let what = "text that is no UTF-8".to_owned();
    std::str::from_utf8(body).map_err(|error| DecodeError::Malformed { what, at: error.valid_up_to() })
}

fn malformed(error: &serde_json::Error) -> DecodeError {
    DecodeError::Malformed { what: error.to_string(), at: 0 }
}
