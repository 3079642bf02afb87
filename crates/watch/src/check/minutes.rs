//! A check by minutes: where it stood in each of the last day, and how many of its steps were good in the last hours.
//!
//! Bounded: some hundred bytes a check, whatever happens. A minute that nobody looked at is none of good, bad or unknown.

use super::outcome::Status;
use base::{Span, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

/// Minutes whose state is kept.
pub const STATE_MINUTES: usize = 24 * 60;
/// Minutes whose counts are kept.
pub const COUNT_MINUTES: usize = 180;
/// The same as lengths of time.
const STATE_SPAN: i64 = 24 * 60;
const COUNT_SPAN: i64 = 180;

/// The state of a minute, two bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum MinuteState {
    /// Nobody looked.
    None = 0,
    /// It can't be said.
    Unknown = 1,
    /// Good.
    Ok = 2,
    /// Bad: whoever came in this minute may have met it.
    Failed = 3,
}

impl MinuteState {
    const ALL: [Self; 4] = [Self::None, Self::Unknown, Self::Ok, Self::Failed];

    /// Of where a check stands. What is late is not bad yet.
    pub fn of(status: Status) -> Self {
        match status {
            Status::Failed => Self::Failed,
            Status::Unknown => Self::Unknown,
            Status::Ok | Status::Late => Self::Ok,
            Status::Pending => Self::None,
        }
    }

    /// One letter: `-` nobody looked, `?` unknown, `o` good, `x` bad.
    pub fn letter(self) -> char {
        match self {
            Self::None => '-',
            Self::Unknown => '?',
            Self::Ok => 'o',
            Self::Failed => 'x',
        }
    }
}

/// Steps of a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MinuteCounts {
    /// When the minute began, seconds since the epoch.
    pub at: i64,
    /// Steps that were as expected.
    pub good: u32,
    /// Steps that could be judged.
    pub valid: u32,
    /// Runs that could not.
    pub unknown: u32,
}

/// Minutes of a range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Uptime {
    /// Good minutes.
    pub ok: u32,
    /// Bad minutes.
    pub failed: u32,
    /// Minutes of which nothing can be said, because the network of the server itself was lost.
    pub unknown: u32,
    /// Minutes in which nobody looked.
    pub unwatched: u32,
}

impl Uptime {
    /// Good minutes of those that are known.
    pub fn ratio(&self) -> Option<f64> {
        let known = self.ok + self.failed;
        (known > 0).then(|| f64::from(self.ok) / f64::from(known))
    }
}

/// The last minutes of one check.
#[derive(Debug, Clone)]
pub struct Minutes {
    /// Two bits a minute; the place is the minute modulo the length.
    states: Box<[u8; STATE_MINUTES / 4]>,
    counts: Box<[[u8; 3]; COUNT_MINUTES]>,
    /// The last minute, of the epoch, for which there was a result. `None` before the first.
    last: Option<i64>,
    /// The last minute that is filled: a result stands for the minutes until the next one is due.
    filled: i64,
}

impl Default for Minutes {
    fn default() -> Self {
        Self {
            states: Box::new([0; STATE_MINUTES / 4]),
            counts: Box::new([[0; 3]; COUNT_MINUTES]),
            last: None,
            filled: i64::MIN,
        }
    }
}

/// The place of a minute in a ring.
fn place(minute: i64, length: usize) -> usize {
    usize::try_from(minute.rem_euclid(i64::try_from(length).unwrap_or(1))).unwrap_or(0)
}

impl Minutes {
    /// Notes a result, which stands until the next one is due.
    pub fn note(&mut self, at: Timestamp, status: Status, good: u32, valid: u32, every: Span) {
        let minute = at.micros().div_euclid(60_000_000);
        let state = MinuteState::of(status);
        self.advance(minute);
        let (last, filled) = (self.last.unwrap_or(i64::MIN), self.filled);
        if filled.saturating_sub(minute) >= STATE_SPAN {
            return;
        }
        // Within its own minute the worst counts; what an earlier result only stood in for is replaced.
        let state_now = if minute <= last { self.state(minute).max(state) } else { state };
        self.put(minute, state_now);
        self.count(minute, status, good, valid);
        if minute < last {
            return;
        }
        let ahead = (every.micros() - 1).max(0) / 60_000_000;
        let until = minute + ahead.min(STATE_SPAN / 2);
        for later in minute + 1..=until {
            self.advance(later);
            self.put(later, state);
        }
        self.last = Some(minute);
    }

    /// Takes a minute that is known from before. It stands until the next result was due, where no other is known: the
    /// newest is to be restored first.
    pub fn restore(&mut self, minute: i64, state: MinuteState, every: Span) {
        let ahead = ((every.micros() - 1).max(0) / 60_000_000).min(STATE_SPAN / 2);
        for minute in minute..=minute.saturating_add(ahead) {
            self.restore_one(minute, state);
        }
    }

    fn restore_one(&mut self, minute: i64, state: MinuteState) {
        self.advance(minute);
        if self.filled.saturating_sub(minute) < STATE_SPAN && self.state(minute) == MinuteState::None {
            self.put(minute, state);
        }
    }

    /// Makes room up to a minute; what is older than the ring is forgotten.
    fn advance(&mut self, minute: i64) {
        if minute <= self.filled {
            return;
        }
        let first = self.filled.saturating_add(1).max(minute.saturating_sub(STATE_SPAN - 1));
        for fresh in first..=minute {
            self.put(fresh, MinuteState::None);
            self.counts[place(fresh, COUNT_MINUTES)] = [0; 3];
        }
        self.filled = minute;
    }

    fn put(&mut self, minute: i64, state: MinuteState) {
        let at = place(minute, STATE_MINUTES);
        let shift = (at % 4) * 2;
        let byte = &mut self.states[at / 4];
        *byte = *byte & !(3 << shift) | (state as u8) << shift;
    }

    fn count(&mut self, minute: i64, status: Status, good: u32, valid: u32) {
        if self.filled - minute >= COUNT_SPAN {
            return;
        }
        let cell = &mut self.counts[place(minute, COUNT_MINUTES)];
        let add = |into: &mut u8, more: u32| *into = into.saturating_add(u8::try_from(more).unwrap_or(u8::MAX));
        add(&mut cell[0], good);
        add(&mut cell[1], valid);
        add(&mut cell[2], u32::from(status == Status::Unknown));
    }

    /// The state of a minute of the epoch.
    pub fn state(&self, minute: i64) -> MinuteState {
        if minute > self.filled || self.filled - minute >= STATE_SPAN {
            return MinuteState::None;
        }
        let at = place(minute, STATE_MINUTES);
        MinuteState::ALL[usize::from(self.states[at / 4] >> ((at % 4) * 2) & 3)]
    }

    /// The last `minutes` minutes up to `now`, oldest first.
    pub fn states(&self, now: Timestamp, minutes: usize) -> impl Iterator<Item = MinuteState> {
        let last = now.micros().div_euclid(60_000_000);
        let count = i64::try_from(minutes.min(STATE_MINUTES)).unwrap_or(0);
        (last - count + 1..=last).map(|minute| self.state(minute))
    }

    /// The last day up to `now` in sums.
    pub fn uptime(&self, now: Timestamp) -> Uptime {
        let mut uptime = Uptime::default();
        for state in self.states(now, STATE_MINUTES) {
            match state {
                MinuteState::None => uptime.unwatched += 1,
                MinuteState::Unknown => uptime.unknown += 1,
                MinuteState::Ok => uptime.ok += 1,
                MinuteState::Failed => uptime.failed += 1,
            }
        }
        uptime
    }

    /// Counts of the minutes from `from` to before `to` that had a run, oldest first.
    pub fn counts(&self, from: Timestamp, to: Timestamp) -> Vec<MinuteCounts> {
        let minute = |at: Timestamp| at.micros().div_euclid(60_000_000);
        let first = minute(from).max(self.filled.saturating_sub(COUNT_SPAN - 1));
        let behind = minute(to).min(self.filled.saturating_add(1));
        let of = |minute: i64| {
            let [good, valid, unknown] = self.counts[place(minute, COUNT_MINUTES)].map(u32::from);
            (valid + unknown > 0).then_some(MinuteCounts { at: minute * 60, good, valid, unknown })
        };
        (first..behind).filter_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: Span = Span::from_seconds(60);

    fn at(minute: i64, second: i64) -> Timestamp {
        Timestamp::from_seconds((29_000_000 + minute) * 60 + second)
    }

    fn letters(minutes: &Minutes, now: Timestamp, count: usize) -> String {
        minutes.states(now, count).map(MinuteState::letter).collect()
    }

    #[test]
    fn each_minute_is_good_bad_unknown_or_unwatched() {
        let mut minutes = Minutes::default();
        for (minute, second, status) in [
            (0, 5, Status::Ok),
            (1, 5, Status::Failed),
            (1, 35, Status::Ok),
            (2, 5, Status::Unknown),
            (3, 5, Status::Unknown),
            (3, 35, Status::Ok),
            (5, 5, Status::Late),
        ] {
            minutes.note(at(minute, second), status, u32::from(status == Status::Ok), 1, MINUTE);
        }
        assert_eq!(letters(&minutes, at(6, 0), 8), "-ox?o-o-");
        let uptime = minutes.uptime(at(5, 30));
        assert_eq!((uptime.ok, uptime.failed, uptime.unknown, uptime.unwatched), (3, 1, 1, 1435));
        assert_eq!(uptime.ratio(), Some(0.75));
        assert_eq!(Uptime::default().ratio(), None, "nothing known is no ratio");
    }

    #[test]
    fn a_result_stands_until_the_next_one_is_due_and_no_longer() {
        let mut minutes = Minutes::default();
        let every = Span::from_seconds(300);
        minutes.note(at(0, 30), Status::Ok, 1, 1, every);
        assert_eq!(letters(&minutes, at(7, 0), 8), "ooooo---");
        minutes.note(at(3, 0), Status::Failed, 0, 1, every);
        assert_eq!(letters(&minutes, at(8, 0), 9), "oooxxxxx-", "what it stood in for is replaced");
        assert_eq!(minutes.counts(at(0, 0), at(9, 0)).len(), 2, "only runs are counted");
    }

    #[test]
    fn counts_are_those_of_steps_and_old_ones_go() {
        let mut minutes = Minutes::default();
        minutes.note(at(0, 0), Status::Failed, 1, 2, MINUTE);
        minutes.note(at(0, 30), Status::Ok, 2, 2, MINUTE);
        minutes.note(at(1, 0), Status::Unknown, 0, 0, MINUTE);
        let of =
            |minute: i64, good, valid, unknown| MinuteCounts { at: (29_000_000 + minute) * 60, good, valid, unknown };
        assert_eq!(minutes.counts(at(0, 0), at(2, 0)), [of(0, 3, 4, 0), of(1, 0, 0, 1)]);
        assert_eq!(minutes.counts(at(1, 0), at(1, 0)), []);
        let late = COUNT_SPAN;
        minutes.note(at(late, 0), Status::Ok, 1, 1, MINUTE);
        assert_eq!(minutes.counts(at(0, 0), at(late + 1, 0)), [of(1, 0, 0, 1), of(late, 1, 1, 0)]);
    }

    #[test]
    fn a_clock_that_jumps_loses_no_more_than_it_must() {
        let mut minutes = Minutes::default();
        minutes.note(at(100, 0), Status::Ok, 1, 1, MINUTE);
        minutes.note(at(40, 0), Status::Failed, 0, 1, MINUTE);
        assert_eq!(minutes.state(29_000_040), MinuteState::Failed, "an hour back");
        assert_eq!(minutes.state(29_000_100), MinuteState::Ok);
        minutes.note(at(-2000, 0), Status::Failed, 0, 1, MINUTE);
        assert_eq!(minutes.uptime(at(100, 0)).failed, 1, "more than a day back is not kept");
        minutes.note(at(3000, 0), Status::Ok, 1, 1, MINUTE);
        assert_eq!(minutes.uptime(at(3000, 0)).ok, 1, "two days on the past is gone");
        minutes.note(at(-5_000_000, 0), Status::Ok, 1, 1, MINUTE);
    }

    #[test]
    fn what_was_known_before_is_known_again() {
        let mut minutes = Minutes::default();
        let every = Span::from_seconds(180);
        for (minute, state) in [(10, MinuteState::Failed), (4, MinuteState::Ok), (3, MinuteState::Unknown)] {
            minutes.restore(29_000_000 + minute, state, every);
        }
        assert_eq!(letters(&minutes, at(13, 0), 12), "-?ooo---xxx-");
        minutes.note(at(11, 0), Status::Ok, 1, 1, MINUTE);
        assert_eq!(letters(&minutes, at(13, 0), 4), "xox-", "what it stood in for is replaced");
    }

    proptest! {
        #[test]
        fn every_minute_of_a_day_is_one_of_four(notes in proptest::collection::vec((-3000i64..3000, 0u8..5, 1i64..4000), 0..60)) {
            let mut minutes = Minutes::default();
            for (minute, status, every) in notes {
                let status = [Status::Ok, Status::Failed, Status::Unknown, Status::Late, Status::Pending][usize::from(status)];
                minutes.note(at(minute, 0), status, 1, 1, Span::from_seconds(every));
            }
            for now in [-3000, 0, 3000] {
                let uptime = minutes.uptime(at(now, 0));
                prop_assert_eq!(uptime.ok + uptime.failed + uptime.unknown + uptime.unwatched, 1440);
            }
        }
    }
}
