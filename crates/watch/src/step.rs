//! Decides when a series of a threshold rule starts and stops firing.
//!
//! Pure: no clock, no data source. Time is counted only as far as it was evaluated: between two evaluations never more
//! than two intervals, and never less than nothing. So a clock that jumps ahead does not fulfil a `hold`, one that jumps
//! back neither ends nor repeats a firing, and a pause of the process holds nobody to what was not looked at.
//!
//! What was not seen ends nothing: a firing goes on while its data is absent, its query fails or its source is lost,
//! until the series was absent for [`FORGET`]. Nothing of that is a firing by itself; `absent` in a rule makes it one,
//! as a series of its own.

use crate::detects::Side;
use crate::{Phase, Verdict};
use base::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// A series that was absent for so long is forgotten; if it still fired, the firing ends as [`Phase::Absent`].
pub const FORGET: Span = Span::from_seconds(86_400);

/// What counts as too much or too little, in the unit of the signal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Which side is bad.
    pub side: Side,
    /// Beyond it the condition holds.
    pub limit: f64,
    /// A firing ends once the value is back across this one.
    pub clear: Option<f64>,
}

impl Threshold {
    /// Whether the condition holds.
    pub fn holds(&self, value: f64) -> bool {
        match self.side {
            Side::Above => value > self.limit,
            Side::Below => value < self.limit,
        }
    }

    /// Whether a firing ends.
    pub fn clears(&self, value: f64) -> bool {
        match (self.clear, self.side) {
            (None, _) => !self.holds(value),
            (Some(clear), Side::Above) => value < clear,
            (Some(clear), Side::Below) => value > clear,
        }
    }
}

/// How a series is decided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepSpec {
    /// What is too much.
    pub threshold: Threshold,
    /// For how long.
    pub hold: Span,
    /// Time between two evaluations.
    pub interval: Span,
}

/// What is remembered of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Where it stands.
    pub phase: Phase,
    /// Since when it stands there; for a firing, since when its condition holds.
    pub since: Timestamp,
    /// The last evaluation.
    pub last: Timestamp,
    /// For how long the condition was seen to hold, microseconds.
    held_us: i64,
    /// What is missing while a firing or a pending one goes on.
    pub blind: Option<Phase>,
    /// For how long nothing was seen, microseconds.
    blind_us: i64,
    /// The last value.
    pub value: Option<f64>,
}

/// A change of phase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Before.
    pub from: Phase,
    /// After.
    pub to: Phase,
    /// Since when the condition holds; the time of the change for other phases.
    pub since: Timestamp,
    /// What was measured.
    pub value: Option<f64>,
}

impl State {
    /// A series of which nothing is known yet.
    pub fn new(now: Timestamp) -> Self {
        Self { phase: Phase::Fine, since: now, last: now, held_us: 0, blind: None, blind_us: 0, value: None }
    }

    /// A series that fires already: it did when the process ended.
    pub fn firing(since: Timestamp, now: Timestamp) -> Self {
        Self { phase: Phase::Firing, since, ..Self::new(now) }
    }

    /// Whether it was absent for so long that it is to be forgotten.
    pub fn is_gone(&self) -> bool {
        self.blind == Some(Phase::Absent) && self.blind_us >= FORGET.micros()
    }

    fn enter(&mut self, phase: Phase, since: Timestamp) -> Option<Change> {
        if self.phase == phase {
            return None;
        }
        let change = Change { from: self.phase, to: phase, since, value: self.value };
        (self.phase, self.since) = (phase, since);
        Some(change)
    }
}

/// Evaluated time since the last evaluation.
pub(crate) fn elapsed_us(last: Timestamp, now: Timestamp, interval: Span) -> i64 {
    now.micros().saturating_sub(last.micros()).clamp(0, interval.micros().saturating_mul(2))
}

/// The next state of a series, and what changed.
pub fn step(mut state: State, spec: &StepSpec, verdict: Verdict, now: Timestamp) -> (State, Option<Change>) {
    let elapsed = elapsed_us(state.last, now, spec.interval);
    if now < state.last {
        // What began "in the future" began now.
        state.since = state.since.min(now);
    }
    state.last = now;
    let change = match verdict {
        Verdict::Value(value) if !value.is_nan() => seen(&mut state, spec, value, elapsed, now),
        Verdict::Value(_) | Verdict::Failed => unseen(&mut state, spec, Phase::Failed, elapsed, now),
        Verdict::Absent => unseen(&mut state, spec, Phase::Absent, elapsed, now),
        Verdict::SourceLost => unseen(&mut state, spec, Phase::SourceLost, elapsed, now),
    };
    (state, change)
}

fn seen(state: &mut State, spec: &StepSpec, value: f64, elapsed: i64, now: Timestamp) -> Option<Change> {
    // The time before this value was seen only if there was a value before it, too.
    let elapsed = if state.blind.is_some() { 0 } else { elapsed };
    (state.value, state.blind, state.blind_us) = (Some(value), None, 0);
    let holds = spec.threshold.holds(value);
    match state.phase {
        Phase::Firing if spec.threshold.clears(value) => state.enter(Phase::Fine, now),
        Phase::Firing => None,
        Phase::Pending if holds => {
            state.held_us = state.held_us.saturating_add(elapsed);
            let since = state.since;
            if state.held_us >= spec.hold.micros() { state.enter(Phase::Firing, since) } else { None }
        }
        _ if holds => {
            state.held_us = 0;
            state.enter(if spec.hold.micros() == 0 { Phase::Firing } else { Phase::Pending }, now)
        }
        _ => state.enter(Phase::Fine, now),
    }
}

fn unseen(state: &mut State, spec: &StepSpec, missing: Phase, elapsed: i64, now: Timestamp) -> Option<Change> {
    if state.blind == Some(missing) {
        state.blind_us = state.blind_us.saturating_add(elapsed);
    } else {
        (state.blind, state.blind_us) = (Some(missing), 0);
    }
    match state.phase {
        Phase::Firing if state.is_gone() => state.enter(Phase::Absent, now),
        Phase::Firing => None,
        // One failed query in between must not start a hold anew; the time does not count, though.
        Phase::Pending if missing != Phase::Absent && state.blind_us < spec.hold.micros() => None,
        _ => {
            state.value = None;
            state.enter(missing, now)
        }
    }
}

#[cfg(test)]
mod tests;
