//! The multi-window burn rules of an objective.
//!
//! A row fires when the budget burns faster than *B\** over its long window **and** over its short one (a twelfth):
//! the long window says that it matters, the short one that it is still going on. *B\** = share × window / long, and
//! never below 1, or a row would fire while the objective is met. All comparisons are exact, in integers.
//!
//! | class | row | fires | ends |
//! |---|---|---|---|
//! | alert | 2 % of the budget in 1 h | both windows above *B\**, at least `min_bad` bad ones | the long window is no longer above |
//! | alert | 5 % in 6 h | likewise | likewise |
//! | ticket | 10 % in 1 d | likewise | likewise |
//! | ticket | 10 % in 3 d | likewise | likewise |
//! | alert | most fail, 1 h and 1 d | at least `min_bad` bad ones, at least half of the long window and more than the budget; the short window the same, or without a request | the long window is no longer so |
//! | ticket | most fail, 3 d | likewise | likewise |
//!
//! The last rows are for services with few requests, where the short window is mostly empty, and for low targets, whose
//! burn cannot rise far.
//!
//! A row is *mute* until its whole long window lies after the first minute that was ever seen, and it says nothing while
//! less of the long window was seen than the short one is long, or nothing of the short one: what was not seen neither
//! fires nor ends anything.
//! After a row has fired it does not fire anew before its long window has passed since then; what still burns after
//! that fires at once.

use crate::Class;
use crate::counts::{Counts, Sum, Tally};
use crate::objective::{Objective, WHOLE, burn, end_of_minute};
use base::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// Default of `min_bad`: fewer bad events never fire, whatever their share.
pub const MIN_BAD: u64 = 3;

const MINUTE_US: i64 = 60_000_000;

/// How a row measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// So many percent of the budget within the long window.
    Share(u8),
    /// Most requests fail.
    MostFail,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Which class of rule it decides.
    pub class: Class,
    /// How it measures.
    pub measure: Measure,
    /// The long window, minutes.
    pub long_minutes: i64,
}

const fn row(class: Class, measure: Measure, long_minutes: i64) -> Row {
    Row { class, measure, long_minutes }
}

/// Every row.
pub const ROWS: [Row; 7] = [
    row(Class::Alert, Measure::Share(2), 60),
    row(Class::Alert, Measure::Share(5), 360),
    row(Class::Ticket, Measure::Share(10), 1440),
    row(Class::Ticket, Measure::Share(10), 4320),
    row(Class::Alert, Measure::MostFail, 60),
    row(Class::Alert, Measure::MostFail, 1440),
    row(Class::Ticket, Measure::MostFail, 4320),
];

impl Row {
    /// The long window.
    pub fn long(&self) -> Span {
        Span::from_micros(self.long_minutes * MINUTE_US)
    }

    /// The short window.
    pub fn short(&self) -> Span {
        Span::from_micros(self.long_minutes * MINUTE_US / 12)
    }

    /// The burn above which it fires, for an objective over a window of this length.
    pub fn threshold(&self, window: Span, objective: &Objective) -> f64 {
        match self.measure {
            Measure::Share(share) => {
                let scaled = f64::from(share) * window.micros() as f64 / (100.0 * self.long().micros() as f64);
                scaled.max(1.0)
            }
            Measure::MostFail => (0.5 / objective.target.budget()).max(1.0),
        }
    }

    /// Whether it can fire at all: a burn never exceeds 1 / budget.
    pub fn can_fire(&self, window: Span, objective: &Objective) -> bool {
        let all_bad = Tally { good: 0, valid: 1, unknown: 0 };
        self.long().micros() <= window.micros() && self.exceeds(&all_bad, window, objective)
    }

    /// Whether a tally burns faster than the threshold. Exact.
    fn exceeds(&self, tally: &Tally, window: Span, objective: &Objective) -> bool {
        let parts = u128::from(objective.target.budget_parts());
        let (bad, valid) = (u128::from(tally.bad()), u128::from(tally.valid));
        // bad / valid > budget × factor, as whole numbers.
        let above =
            |numerator: u128, denominator: u128| bad * u128::from(WHOLE) * denominator > valid * parts * numerator;
        let over_budget = above(1, 1);
        match self.measure {
            Measure::Share(share) => {
                let micros = |span: Span| u128::from(span.micros().unsigned_abs());
                over_budget && above(u128::from(share) * micros(window), 100 * micros(self.long()))
            }
            Measure::MostFail => over_budget && bad * 2 >= valid,
        }
    }
}

/// What a row says at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// There is no full long window yet, or the objective's own window is shorter.
    Mute,
    /// Too little of the long window was seen.
    Unseen,
    /// Not burning too fast.
    Fine,
    /// The long window still is above, the short one is not.
    Easing,
    /// Too fast.
    Burning,
}

/// A row, looked at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reading {
    /// Which row.
    pub row: Row,
    /// What it says.
    pub said: Said,
    /// Burn over the long window.
    pub burn: Option<f64>,
    /// Burn over the short window.
    pub burn_short: Option<f64>,
    /// Above which it fires.
    pub threshold: f64,
}

/// Looks at one row. Windows are whole minutes and end with the minute that is going on, so that what fails now is not
/// waited for.
pub fn read(row: Row, objective: &Objective, counts: &Counts, now: Timestamp) -> Reading {
    let end = end_of_minute(now);
    let window = Span::from_micros(objective.window.range(now).micros());
    let (long, short) = (counts.last(row.long(), end), counts.last(row.short(), end));
    let target = objective.target;
    let said = say(row, objective, counts, window, end, (&long, &short));
    Reading {
        row,
        said,
        burn: burn(&long.tally, target),
        burn_short: burn(&short.tally, target),
        threshold: row.threshold(window, objective),
    }
}

fn say(
    row: Row,
    objective: &Objective,
    counts: &Counts,
    window: Span,
    end: Timestamp,
    (long, short): (&Sum, &Sum),
) -> Said {
    let start = end.plus_micros(-row.long().micros());
    // A row that is longer than the objective's window says nothing of the objective.
    if row.long() > window || counts.first_seen().is_none_or(|first| first > start) {
        return Said::Mute;
    }
    if long.seen < short.minutes || short.seen == 0 {
        return Said::Unseen;
    }
    if !row.exceeds(&long.tally, window, objective) || long.tally.bad() < objective.min_bad {
        return Said::Fine;
    }
    let goes_on = match row.measure {
        Measure::Share(_) => row.exceeds(&short.tally, window, objective),
        Measure::MostFail => short.tally.valid == 0 || row.exceeds(&short.tally, window, objective),
    };
    if goes_on { Said::Burning } else { Said::Easing }
}

/// What is remembered of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RowState {
    /// It fires.
    firing: bool,
    /// Microseconds until it may fire anew.
    quiet_us: i64,
    /// Microseconds for which it may not end: our clock went back, and what made it fire lies in the future.
    settle_us: i64,
}

impl RowState {
    /// Whether it fires.
    pub fn is_firing(&self) -> bool {
        self.firing
    }

    /// A row that fired before a restart.
    pub(crate) fn resumed(row: Row) -> Self {
        Self { firing: true, quiet_us: row.long().micros(), settle_us: 0 }
    }

    /// The next state, after `elapsed_us` of evaluated time; `back_us` is how far the clock went back.
    pub fn next(self, row: Row, said: Said, elapsed_us: i64, back_us: i64) -> Self {
        let long_us = row.long().micros();
        let mut next = Self {
            firing: self.firing,
            quiet_us: (self.quiet_us - elapsed_us).max(0),
            settle_us: (self.settle_us - elapsed_us).max(0).max(back_us.min(long_us)),
        };
        match said {
            Said::Burning if !self.firing && next.quiet_us == 0 => {
                next.firing = true;
                next.quiet_us = long_us;
                next.settle_us = 0;
            }
            Said::Fine if self.firing && next.settle_us == 0 => next.firing = false,
            Said::Burning | Said::Fine | Said::Easing | Said::Mute | Said::Unseen => {}
        }
        next
    }
}

#[cfg(test)]
mod tests;
