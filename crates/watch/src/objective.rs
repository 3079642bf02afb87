//! Objectives: what share of requests has to be good, and what is left of the budget for bad ones.
//!
//! Budget *b* = 1 − target. Error ratio *e* = bad / valid. Burn over a window *w*: *B(w)* = *e(w)* / *b*; a burn of 1
//! uses exactly the budget. Budget left = 1 − *e(W)* / *b* over the whole window *W*; negative when overspent. Nothing
//! is said about a window in which nothing valid was seen.

use crate::condition::{Answer, Condition, Request};
use crate::counts::{Counts, Sum, Tally};
use crate::window::Window;
use base::{Span, TimeRange, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// A target in percent, kept exactly: millionths of a percent. More than 0, less than 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target(u32);

/// All of it, in millionths of a percent.
pub(crate) const WHOLE: u32 = 100_000_000;

/// Why a number is no target.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum TargetError {
    /// No budget at all.
    #[error("a target of 100 leaves no budget: one bad request ever would break it; write 99.9, or 99.99 if you must")]
    Hundred,
    /// No percentage.
    #[error("{0} is no target; write a percentage above 0 and below 100, such as 99.9")]
    Range(f64),
    /// Finer than can be kept.
    #[error("{0} is finer than a millionth of a percent; write fewer digits")]
    TooFine(f64),
}

impl Target {
    /// From a percentage such as 99.9.
    pub fn from_percent(percent: f64) -> Result<Self, TargetError> {
        let scaled = percent * 1e6;
        if !scaled.is_finite() || scaled <= 0.0 || percent > 100.0 {
            return Err(TargetError::Range(percent));
        }
        let rounded = scaled.round();
        if (scaled - rounded).abs() > 1e-3 || rounded < 1.0 {
            return Err(TargetError::TooFine(percent));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 100 million")]
        let millionths = rounded as u32;
        if millionths >= WHOLE { Err(TargetError::Hundred) } else { Ok(Self(millionths)) }
    }

    /// The percentage.
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 1e6
    }

    /// Share of events that may be bad.
    pub fn budget(self) -> f64 {
        f64::from(self.budget_parts()) / f64::from(WHOLE)
    }

    /// The budget in hundred-millionths, for exact comparisons.
    pub(crate) fn budget_parts(self) -> u32 {
        WHOLE - self.0
    }
}
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.percent())
    }
}
impl Serialize for Target {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_f64(self.percent())
    }
}
impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Self::from_percent(f64::deserialize(input)?).map_err(serde::de::Error::custom)
    }
}
impl JsonSchema for Target {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Target".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 100, "examples": [99.9]
        })
    }
}

/// What is judged.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// Requests of the service.
    Requests {
        /// Which are good.
        good: Condition,
        /// Which count. All, without one.
        valid: Option<Condition>,
    },
    /// Runs of an external check.
    Check(String),
}

/// An objective that can be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// Unique in its service.
    pub name: String,
    /// The service it is about.
    pub service: String,
    /// Only requests of this route.
    pub route: Option<String>,
    /// What is judged.
    pub subject: Subject,
    /// Share that has to be good.
    pub target: Target,
    /// Over which time.
    pub window: Window,
    /// So many bad events have to be in a long window before it can fire.
    pub min_bad: u64,
}

/// What an objective says about one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// Counts, and is good.
    Good,
    /// Counts, and is bad.
    Bad,
    /// Does not count.
    NotValid,
    /// Does not say enough to be judged; counted apart.
    Unknown,
}

impl Judgement {
    /// As something to add up; `None` for what does not count.
    pub fn tally(self) -> Option<Tally> {
        match self {
            Self::Good => Some(Tally { good: 1, valid: 1, unknown: 0 }),
            Self::Bad => Some(Tally { good: 0, valid: 1, unknown: 0 }),
            Self::Unknown => Some(Tally { good: 0, valid: 0, unknown: 1 }),
            Self::NotValid => None,
        }
    }
}

impl Objective {
    /// What it says about a request.
    pub fn judge(&self, request: &Request<'_>) -> Judgement {
        let Subject::Requests { good, valid } = &self.subject else { return Judgement::NotValid };
        if request.service != self.service || self.route.as_deref().is_some_and(|route| route != request.route) {
            return Judgement::NotValid;
        }
        match valid.as_ref().map_or(Answer::Yes, |valid| valid.answer(request)) {
            Answer::No => return Judgement::NotValid,
            Answer::Unknown => return Judgement::Unknown,
            Answer::Yes => {}
        }
        match good.answer(request) {
            Answer::Yes => Judgement::Good,
            Answer::No => Judgement::Bad,
            Answer::Unknown => Judgement::Unknown,
        }
    }

    /// `service/name`.
    pub fn key(&self) -> String {
        format!("{}/{}", self.service, self.name)
    }

    /// Rows of `requests` that are bad, as a SQL expression: for "what burnt it". `None` for a check, or where SQL can't
    /// say the condition.
    pub fn bad_sql(&self) -> Option<String> {
        let (good, valid) = self.both_sql()?;
        Some(format!("({} AND {valid} AND NOT {good})", self.scope_sql()))
    }

    /// Which rows of `requests` are good, and which count, as SQL expressions. `None` as above.
    pub fn judged_sql(&self) -> Option<(String, String)> {
        let (good, valid) = self.both_sql()?;
        Some((good, format!("({} AND {valid})", self.scope_sql())))
    }

    /// `(good, valid, unknown)` as SQL aggregates over rows of `requests`, and the condition that selects its rows: for
    /// counting the past. `None` as above.
    pub fn count_sql(&self) -> Option<(String, String)> {
        let (good, valid) = self.both_sql()?;
        let aggregates = format!(
            "count(*) FILTER (WHERE {valid} AND {good}) AS good, \
             count(*) FILTER (WHERE {valid} AND {good} IS NOT NULL) AS valid, \
             count(*) FILTER (WHERE ({valid}) IS NULL OR ({valid} AND {good} IS NULL)) AS unknown"
        );
        Some((aggregates, self.scope_sql()))
    }

    fn both_sql(&self) -> Option<(String, String)> {
        let Subject::Requests { good, valid } = &self.subject else { return None };
        let valid = match valid {
            Some(valid) => valid.to_sql()?,
            None => "TRUE".to_owned(),
        };
        Some((good.to_sql()?, valid))
    }

    fn scope_sql(&self) -> String {
        let quoted = |text: &str| text.replace('\'', "''");
        let route = self.route.as_deref().map(|route| format!(" AND route = '{}'", quoted(route)));
        format!("(service = '{}'{})", quoted(&self.service), route.unwrap_or_default())
    }
}

/// bad / valid; nothing of nothing is no ratio.
pub fn error_ratio(tally: &Tally) -> Option<f64> {
    (tally.valid > 0).then(|| tally.bad() as f64 / tally.valid as f64)
}

/// Burn: error ratio over budget.
pub fn burn(tally: &Tally, target: Target) -> Option<f64> {
    error_ratio(tally).map(|ratio| ratio / target.budget())
}

/// When the budget is gone if it goes on like now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "in")]
pub enum Exhaustion {
    /// It is gone.
    Already,
    /// It will be gone after this time.
    In(Span),
    /// Not in this window.
    NotInWindow,
    /// Nothing valid was seen of late.
    Unknown,
}

/// Where an objective stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// The whole window; a calendar window ends in the future.
    pub window: TimeRange,
    /// What was counted in it so far.
    pub sum: Sum,
    /// Good / valid.
    pub sli: Option<f64>,
    /// Bad / valid.
    pub error_ratio: Option<f64>,
    /// Share that may be bad.
    pub budget: f64,
    /// 1 − error ratio / budget, over what was counted so far; negative when overspent.
    pub left: Option<f64>,
    /// What is left of the budget of the whole window, were the traffic to go on as so far. For a rolling window that is
    /// full, the same as `left`.
    pub left_of_window: Option<f64>,
    /// Burn over the last hour.
    pub burn_1h: Option<f64>,
    /// When it is gone at the burn of the last hour.
    pub exhaustion: Exhaustion,
}

/// The end of the minute that is going on: sums of whole minutes end there.
pub fn end_of_minute(now: Timestamp) -> Timestamp {
    now.plus_micros(-1).minute().plus_seconds(60)
}

const HOUR: Span = Span::from_seconds(3600);

/// Where the objective stands at a moment. Counts are by minute; the minute that is not over is in, as far as it went.
pub fn standing(objective: &Objective, counts: &Counts, now: Timestamp) -> Standing {
    let end = end_of_minute(now);
    let window = match &objective.window {
        Window::Rolling(_) => objective.window.range(end),
        Window::Calendar(..) => objective.window.range(now),
    };
    let now = end.min(window.to);
    let counted = TimeRange { from: window.from, to: now };
    let sum = counts.sum(counted);
    let budget = objective.target.budget();
    let ratio = error_ratio(&sum.tally);
    let left = ratio.map(|ratio| 1.0 - ratio / budget);
    let start = counts.first_seen().map_or(now, |first| first.max(window.from));
    let elapsed = (now.micros() - start.micros()).max(0) as f64;
    let length = window.micros() as f64;
    let left_of_window = ratio.map(|ratio| 1.0 - ratio / budget * (elapsed / length).min(1.0));
    let burn_1h = burn(&counts.last(HOUR, now).tally, objective.target);
    let rest = match &objective.window {
        Window::Rolling(_) => f64::INFINITY,
        Window::Calendar(..) => (window.to.micros() - now.micros()) as f64,
    };
    let exhaustion = exhaustion(left_of_window, burn_1h, length, rest);
    let sli = ratio.map(|ratio| 1.0 - ratio);
    Standing { window, sum, sli, error_ratio: ratio, budget, left, left_of_window, burn_1h, exhaustion }
}

/// A burn of *B* uses the whole budget once in *length* / *B*. Over a rolling window a burn of up to 1 never uses it up:
/// as much leaves the window as comes in.
fn exhaustion(left: Option<f64>, burn: Option<f64>, length_us: f64, rest_us: f64) -> Exhaustion {
    let (Some(left), Some(burn)) = (left, burn) else { return Exhaustion::Unknown };
    if left <= 0.0 {
        return Exhaustion::Already;
    }
    let in_us = left * length_us / burn;
    if burn <= 0.0 || (rest_us.is_infinite() && burn <= 1.0) || in_us > rest_us {
        return Exhaustion::NotInWindow;
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most the longest window")]
    Exhaustion::In(Span::from_micros(in_us as i64))
}

#[cfg(test)]
mod tests;
