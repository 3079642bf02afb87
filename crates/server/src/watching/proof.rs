//! Who watches the watcher: a heartbeat to another service, sent only when an event that was made for it has gone the whole
//! way, from intake through lake and rule into the outbox. Where any of them stands still the heartbeat stays away, and
//! the other service raises the alarm.

use super::values::Values;
use super::{INTERVAL, Watch};
use crate::parts::Parts;
use base::{Span, TimeRange, Timestamp};
use lake::{Append, Query};
use parking_lot::Mutex;
use signal::{EventRow, EventRows, Table};
use std::collections::BTreeMap;
use std::sync::Arc;
use watch::Phase;
use watch::budgets::Budgets;
use watch::compile::{Declared, compile};
use watch::engine::Engine;
use watch::rule::{Rule, RuleKind, Selector};
use watch::spec::RuleSpec;

/// The event that is made, as a heartbeat of this name.
pub(super) const EVENT: &str = "koshu-self";
/// The channel of the heartbeats.
pub const CHANNEL: &str = "heartbeat";
/// An event that was heard within this time is fresh: two evaluations, and one for a busy machine.
const FRESH: &str = "below: 45s";
/// The lake is asked for the event at most so long.
const QUERY_TIME: std::time::Duration = std::time::Duration::from_secs(10);

/// The way that is proven, and how far it is.
pub(super) struct Proof {
    engine: Mutex<Engine>,
    selector: Option<Selector>,
    state: Mutex<State>,
}

#[derive(Debug, Default, Clone, Copy)]
struct State {
    /// When the last heartbeat was written, and the event that it stands for.
    sent: Option<(Timestamp, Timestamp)>,
    /// When the last event was made.
    made: Option<Timestamp>,
    /// The last event that came through. That it is the one which was made counts, not that it is later than others: a
    /// clock may be set back.
    heard: Option<Timestamp>,
}

/// What is to be done at an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Nothing,
    /// Another event has to be made.
    Make,
    /// An event came through the rule: it may be said.
    Say(Timestamp),
}

impl State {
    fn next(&self, every: Span, rule_fires: bool, now: Timestamp) -> Step {
        let is_due = |early_us: i64| {
            self.sent.is_none_or(|(at, _)| {
                let passed = now.micros() - at.micros();
                // A clock that was set back begins anew.
                passed < 0 || passed >= every.micros() - early_us
            })
        };
        // Half an evaluation early rather than one late.
        let half = INTERVAL.micros() / 2;
        // An event has come through at the next evaluation: it is made that much before it is needed.
        if !is_due(INTERVAL.micros() + half) {
            return Step::Nothing;
        }
        let is_new =
            |event: &Timestamp| Some(*event) == self.made && self.sent.is_none_or(|(_, before)| *event != before);
        match self.heard.filter(is_new) {
            Some(event) if rule_fires && is_due(half) => Step::Say(event),
            _ if self.made.is_none_or(|at| (now.micros() - at.micros()).abs() >= 2 * INTERVAL.micros()) => Step::Make,
            _ => Step::Nothing,
        }
    }
}

fn rule() -> Option<Arc<Rule>> {
    let spec = format!("{{name: {EVENT}, heartbeat: {EVENT}, signal: heartbeat.age, {FRESH}, class: record}}");
    let spec: RuleSpec = serde_saphyr::from_str(&spec).ok()?;
    let declared = Declared {
        services: BTreeMap::new(),
        checks: std::collections::BTreeSet::new(),
        runbooks: None,
        time_zone: "UTC",
        interval: INTERVAL,
    };
    compile(&declared, &[spec]).rules.pop()
}

impl Proof {
    pub(super) fn new(now: Timestamp) -> Self {
        let rule = rule();
        let selector = rule.as_ref().and_then(|rule| match &rule.kind {
            RuleKind::Threshold { selector, .. } => Some((**selector).clone()),
            RuleKind::Burn { .. } => None,
        });
        let engine = Engine::new(rule.into_iter().collect(), Arc::new(Budgets::default()), INTERVAL, now);
        Self { engine: Mutex::new(engine), selector, state: Mutex::default() }
    }

    /// What the rule asks for.
    pub(super) fn selector(&self) -> Option<&Selector> {
        self.selector.as_ref()
    }

    /// An event came through.
    pub(super) fn hears(&self, event: Timestamp) {
        self.state.lock().heard = Some(event);
    }

    fn rule_fires(&self, gathered: &Values, now: Timestamp) -> bool {
        let mut engine = self.engine.lock();
        engine.tick(now, gathered);
        engine.status().iter().flat_map(|rule| &rule.series).any(|series| series.phase == Phase::Firing)
    }
}

impl Watch {
    /// Goes one step on the way to the next heartbeat. To be called after each evaluation.
    pub(super) async fn prove(&self, parts: &Parts, every: Span, gathered: &Values, now: Timestamp) {
        let fires = self.proof.rule_fires(gathered, now);
        let state = *self.proof.state.lock();
        match state.next(every, fires, now) {
            Step::Nothing => {}
            Step::Make => {
                self.proof.state.lock().made = Some(now);
                let row = EventRow {
                    ts: now,
                    service: None,
                    host: Some(&parts.about.host),
                    kind: protocols::heartbeat::KIND,
                    name: EVENT,
                    state: Some("ok"),
                    source: "watch",
                };
                let mut rows = EventRows::default();
                rows.push(&row, []);
                let append = Append { rows: vec![(Table::Events, rows.finish())], marks: Vec::new() };
                // Evaluations must not wait for a disk that hangs.
                match tokio::time::timeout(QUERY_TIME, parts.intake.append(append)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        tracing::warn!(%error, "no heartbeat is sent: the lake does not take the event for it");
                    }
                    Err(_) => tracing::warn!("no heartbeat is sent: the lake does not answer"),
                }
            }
            Step::Say(event) if self.is_in_lake(parts, event).await => {
                match parts.store.outbox().add_heartbeat(CHANNEL).await {
                    Ok(_) => {
                        self.proof.state.lock().sent = Some((now, event));
                        self.wake();
                    }
                    Err(error) => tracing::warn!(%error, "no heartbeat is sent: the outbox takes none"),
                }
            }
            Step::Say(_) => tracing::warn!("no heartbeat is sent: the lake does not show the event for it"),
        }
    }

    async fn is_in_lake(&self, parts: &Parts, event: Timestamp) -> bool {
        let sql =
            format!("SELECT count(*) FROM events WHERE kind = '{}' AND name = '{EVENT}'", protocols::heartbeat::KIND);
        let range = TimeRange { from: event, to: event.plus_micros(1) };
        let query = Query { sql, range, limit: 1 };
        match tokio::time::timeout(QUERY_TIME, parts.lake.sql(&query)).await {
            Ok(Ok(answer)) => {
                answer.batches.iter().flat_map(|batch| crate::signals::ints(batch, 0)).flatten().any(|count| count > 0)
            }
            Ok(Err(_)) | Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_needs_an_event_that_came_through_and_one_of_its_own() {
        let at = |second: i64| Timestamp::from_seconds(1_782_000_000 + second);
        let every = Span::from_seconds(60);
        let mut state = State::default();
        assert_eq!(state.next(every, false, at(0)), Step::Make);
        state.made = Some(at(0));
        assert_eq!(state.next(every, false, at(15)), Step::Nothing, "it is on its way");
        assert_eq!(state.next(every, false, at(30)), Step::Make, "it did not arrive");
        state.heard = Some(at(0));
        assert_eq!(state.next(every, false, at(15)), Step::Nothing, "heard, but the rule says nothing");
        assert_eq!(state.next(every, true, at(15)), Step::Say(at(0)));
        state.sent = Some((at(15), at(0)));
        assert_eq!(state.next(every, true, at(45)), Step::Nothing, "there is time");
        assert_eq!(state.next(every, true, at(60)), Step::Make, "the old event proves nothing anew");
        (state.made, state.heard) = (Some(at(60)), Some(at(60)));
        assert_eq!(state.next(every, true, at(61)), Step::Nothing, "a minute has not passed");
        assert_eq!(state.next(every, true, at(75)), Step::Say(at(60)), "a minute after the one before");
        // Our clock goes back by an hour: what is made now counts, although it seems older than what was.
        state.sent = Some((at(75), at(60)));
        assert_eq!(state.next(every, true, at(-3600)), Step::Make);
        (state.made, state.heard) = (Some(at(-3600)), Some(at(-3600)));
        assert_eq!(state.next(every, true, at(-3585)), Step::Say(at(-3600)));
    }

    #[test]
    fn the_rule_is_one() {
        let proof = Proof::new(Timestamp::from_seconds(1_782_000_000));
        assert!(proof.selector().is_some());
        assert_eq!(proof.engine.lock().status().len(), 1);
    }
}
