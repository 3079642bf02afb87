//! Good and valid requests of one objective, minute by minute, and how much of the time was seen at all.
//!
//! Two rings: minutes for three days (the longest burn window) and hours for the whole window of the objective. Their
//! size is fixed when they are made. A minute that nobody looked at is *not seen*: it adds nothing to any sum, and
//! every sum says how many of its minutes were seen. A slot knows which minute it holds, so that a clock that runs
//! ahead and comes back overwrites what it touched and no more.

use base::{Span, TimeRange, Timestamp};
use serde::{Deserialize, Serialize};

const MINUTE_US: i64 = 60_000_000;
const HOUR_MINUTES: i64 = 60;
/// Three days, and two hours for what comes late.
const MINUTE_SLOTS: i64 = 3 * 24 * 60 + 120;
/// Hours kept beyond the window: a day for clocks that run ahead, a day for rounding and time zones.
const SPARE_HOURS: i64 = 50;
/// A record may be this far ahead of our clock.
const AHEAD_MINUTES: i64 = 10;

/// What is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Events that met the objective.
    pub good: u64,
    /// Events that count.
    pub valid: u64,
    /// Events that could not be judged (no duration, for example): neither good nor bad, and not in `valid`.
    pub unknown: u64,
}

impl Tally {
    /// Events that did not meet the objective.
    pub fn bad(&self) -> u64 {
        self.valid.saturating_sub(self.good)
    }

    fn add(&mut self, other: Self) {
        self.good = self.good.saturating_add(other.good);
        self.valid = self.valid.saturating_add(other.valid);
        self.unknown = self.unknown.saturating_add(other.unknown);
    }
}

/// The sum over a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Sum {
    /// What was counted.
    pub tally: Tally,
    /// Minutes of the window.
    pub minutes: i64,
    /// How many of them were seen.
    pub seen: i64,
}

impl Sum {
    /// Share of the window that was seen, 0 to 1.
    pub fn coverage(&self) -> f64 {
        if self.minutes <= 0 { 0.0 } else { self.seen as f64 / self.minutes as f64 }
    }
}

/// Where an addition went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It counts.
    Counted,
    /// Before everything that is kept.
    TooOld,
    /// Further ahead of our clock than can be believed.
    Ahead,
}

#[derive(Debug, Clone, Copy, Default)]
struct Minute {
    /// Minutes since the epoch; 0 is empty.
    index: u32,
    good: u32,
    valid: u32,
    unknown: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Hour {
    /// Hours since the epoch; 0 is empty.
    index: u32,
    /// A bit for each minute that was seen.
    seen: u64,
    tally: Tally,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Counts {
    minutes: Box<[Minute]>,
    hours: Box<[Hour]>,
    /// The minute of our clock.
    now: i64,
    /// First minute ever seen.
    first: Option<i64>,
}

fn minute_of(at: Timestamp) -> i64 {
    at.micros().div_euclid(MINUTE_US)
}

fn narrow(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// The slot of an index in a ring; `None` before the epoch and beyond what an index can say.
fn slot(index: i64, slots: usize) -> Option<(usize, u32)> {
    let index = u32::try_from(index).ok().filter(|index| *index > 0)?;
    Some((index as usize % slots, index))
}

impl Counts {
    /// Empty counts for a window of up to this length, at a moment.
    pub fn new(window: Span, now: Timestamp) -> Self {
        let hours = window.micros().div_euclid(MINUTE_US * HOUR_MINUTES).clamp(72, 24 * 400) + SPARE_HOURS;
        let slots = |count: i64| usize::try_from(count).unwrap_or(0);
        Self {
            minutes: vec![Minute::default(); slots(MINUTE_SLOTS)].into(),
            hours: vec![Hour::default(); slots(hours)].into(),
            now: minute_of(now),
            first: None,
        }
    }

    /// Tells what the time is. May go back.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = minute_of(now);
    }

    /// Adds events of a minute, which is thereby seen.
    pub fn add(&mut self, at: Timestamp, tally: Tally) -> Added {
        let minute = minute_of(at);
        if minute > self.now + AHEAD_MINUTES {
            return Added::Ahead;
        }
        if minute < self.oldest() {
            return Added::TooOld;
        }
        let Some(hour) = self.hour_mut(minute.div_euclid(HOUR_MINUTES)) else { return Added::TooOld };
        hour.seen |= 1 << minute.rem_euclid(HOUR_MINUTES);
        hour.tally.add(tally);
        self.first = Some(self.first.map_or(minute, |first| first.min(minute)));
        if let Some(slot) = self.minute_mut(minute) {
            slot.good = slot.good.saturating_add(narrow(tally.good));
            slot.valid = slot.valid.saturating_add(narrow(tally.valid));
            slot.unknown = slot.unknown.saturating_add(narrow(tally.unknown));
        }
        Added::Counted
    }

    /// Says that the minutes of a range were looked at, so that a minute without events had none.
    pub fn see(&mut self, range: TimeRange) {
        self.see_within(range, AHEAD_MINUTES);
    }

    /// The same for what stands until something else is due: a run of a check tells of the time until the next one, at most
    /// a day ahead.
    pub fn see_ahead(&mut self, range: TimeRange) {
        self.see_within(range, 24 * HOUR_MINUTES);
    }

    fn see_within(&mut self, range: TimeRange, ahead: i64) {
        let from = minute_of(range.from).max(self.oldest());
        let to = minute_of(range.to).min(self.now + ahead);
        let mut minute = from;
        while minute < to {
            let end = (minute.div_euclid(HOUR_MINUTES) + 1) * HOUR_MINUTES;
            let until = end.min(to);
            if let Some(hour) = self.hour_mut(minute.div_euclid(HOUR_MINUTES)) {
                for seen in minute..until {
                    hour.seen |= 1 << seen.rem_euclid(HOUR_MINUTES);
                }
                self.first = Some(self.first.map_or(minute, |first| first.min(minute)));
            }
            minute = until;
        }
    }

    /// The first minute that was seen and is still kept.
    pub fn first_seen(&self) -> Option<Timestamp> {
        self.first.map(|first| Timestamp::from_micros(first.max(self.oldest()) * MINUTE_US))
    }

    /// The first minute of the first hour that is kept.
    fn oldest(&self) -> i64 {
        let hours = i64::try_from(self.hours.len()).unwrap_or(0);
        (self.now.div_euclid(HOUR_MINUTES) - hours + 1) * HOUR_MINUTES
    }

    /// The sum over a range of whole minutes. Where the range starts or ends before the minutes that are kept, it is
    /// widened to whole hours, and says so in its `minutes`.
    pub fn sum(&self, range: TimeRange) -> Sum {
        let kept = self.now - MINUTE_SLOTS + 1;
        let whole = |minute: i64| if minute < kept { minute.div_euclid(HOUR_MINUTES) * HOUR_MINUTES } else { minute };
        let from = whole(minute_of(range.from));
        let to = minute_of(range.to);
        let to = if to < kept { to + (-to).rem_euclid(HOUR_MINUTES) } else { to };
        let mut sum = Sum { minutes: (to - from).max(0), ..Sum::default() };
        let mut minute = from;
        while minute < to {
            let index = minute.div_euclid(HOUR_MINUTES);
            let until = ((index + 1) * HOUR_MINUTES).min(to);
            if let Some(hour) = self.hour(index) {
                if until - minute == HOUR_MINUTES {
                    sum.tally.add(hour.tally);
                    sum.seen += i64::from(hour.seen.count_ones());
                } else {
                    self.part(hour, minute, until, &mut sum);
                }
            }
            minute = until;
        }
        sum
    }

    /// The sum over the window of this length that ends at a moment.
    pub fn last(&self, length: Span, now: Timestamp) -> Sum {
        self.sum(TimeRange { from: now.plus_micros(-length.micros()), to: now })
    }

    fn part(&self, hour: &Hour, from: i64, to: i64, sum: &mut Sum) {
        for minute in from..to {
            sum.seen += i64::from(hour.seen >> minute.rem_euclid(HOUR_MINUTES) & 1 == 1);
            let Some((at, index)) = slot(minute, self.minutes.len()) else { continue };
            let found = self.minutes[at];
            if found.index == index {
                let (good, valid, unknown) = (found.good.into(), found.valid.into(), found.unknown.into());
                sum.tally.add(Tally { good, valid, unknown });
            }
        }
    }

    fn hour(&self, index: i64) -> Option<&Hour> {
        let (at, index) = slot(index, self.hours.len())?;
        Some(&self.hours[at]).filter(|hour| hour.index == index)
    }

    fn hour_mut(&mut self, index: i64) -> Option<&mut Hour> {
        let (at, index) = slot(index, self.hours.len())?;
        let ahead = (self.now + AHEAD_MINUTES).div_euclid(HOUR_MINUTES);
        let hour = &mut self.hours[at];
        if hour.index != index {
            // What a clock that ran ahead left behind gives way; a newer hour of the present does not.
            if hour.index > index && i64::from(hour.index) <= ahead {
                return None;
            }
            *hour = Hour { index, ..Hour::default() };
        }
        Some(hour)
    }

    fn minute_mut(&mut self, index: i64) -> Option<&mut Minute> {
        let (at, index) = slot(index, self.minutes.len())?;
        let ahead = self.now + AHEAD_MINUTES;
        let minute = &mut self.minutes[at];
        if minute.index != index {
            if minute.index > index && i64::from(minute.index) <= ahead {
                return None;
            }
            *minute = Minute { index, ..Minute::default() };
        }
        Some(minute)
    }

    /// Memory in bytes; fixed.
    pub fn heap_bytes(&self) -> usize {
        size_of_val(self.minutes.as_ref()) + size_of_val(self.hours.as_ref())
    }

    /// What is counted, to be kept across a restart.
    pub fn save(&self) -> SavedCounts {
        let minutes = self.minutes.iter().filter(|minute| minute.index > 0);
        let hours = self.hours.iter().filter(|hour| hour.index > 0);
        SavedCounts {
            minutes: minutes.map(|minute| (minute.index, minute.good, minute.valid, minute.unknown)).collect(),
            hours: hours.map(|hour| (hour.index, hour.seen, hour.tally)).collect(),
            first: self.first,
        }
    }

    /// Takes back what [`Counts::save`] gave. What does not fit any more is left out.
    pub fn restore(&mut self, saved: &SavedCounts) {
        for &(index, seen, tally) in &saved.hours {
            if let Some(hour) = self.hour_mut(index.into()) {
                hour.seen |= seen & ((1 << HOUR_MINUTES) - 1);
                hour.tally.add(tally);
            }
        }
        for &(index, good, valid, unknown) in &saved.minutes {
            if let Some(minute) = self.minute_mut(index.into()) {
                *minute = Minute { index: minute.index, good, valid, unknown };
            }
        }
        self.first = self.first.into_iter().chain(saved.first).min();
    }
}

/// Counts as they are kept across a restart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SavedCounts {
    minutes: Vec<(u32, u32, u32, u32)>,
    hours: Vec<(u32, u64, Tally)>,
    first: Option<i64>,
}

#[cfg(test)]
mod tests;
