//! Moments and ranges, in microseconds UTC.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
const MICROS_PER_DAY: i64 = 24 * 60 * MICROS_PER_MINUTE;

/// A moment: microseconds since 1970-01-01T00:00:00Z. Written and read as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

/// A text is no RFC 3339 time, or lies outside years 1 to 9999.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time; write RFC 3339, for example 2026-01-31T09:00:00Z")]
pub struct TimestampError(String);

impl Timestamp {
    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whether the moment lies in the years 1 to 9999, which every calendar and table format can say.
    pub const fn is_in_calendar(self) -> bool {
        const FIRST: i64 = -62_135_596_800 * MICROS_PER_SECOND;
        const LAST: i64 = 253_402_300_799 * MICROS_PER_SECOND + 999_999;
        FIRST <= self.0 && self.0 <= LAST
    }

    /// The start of the UTC minute that holds this moment.
    pub const fn minute(self) -> Self {
        self.floor(MICROS_PER_MINUTE)
    }

    /// The start of the step of `step_us` microseconds (counted from the epoch) that holds this moment.
    pub const fn floor(self, step_us: i64) -> Self {
        Self(self.0.div_euclid(step_us) * step_us)
    }

    /// Days since 1970-01-01, in UTC (the value of an Arrow `Date32`).
    pub const fn utc_days(self) -> i64 {
        self.0.div_euclid(MICROS_PER_DAY)
    }

    /// This moment moved by `micros` microseconds, stopping at the ends of what can be said.
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// This moment moved by whole seconds.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_micros(seconds.saturating_mul(MICROS_PER_SECOND))
    }
}
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(at) => fmt::Display::fmt(&at, f),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}
impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let at: jiff::Timestamp = raw.parse().map_err(|_| TimestampError(raw.to_owned()))?;
        Ok(Self(at.as_microsecond()))
    }
}
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let raw = std::borrow::Cow::<'de, str>::deserialize(input)?;
        raw.parse().map_err(serde::de::Error::custom)
    }
}

/// From `from` (inside) to `to` (outside).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeRange {
    /// First moment inside.
    pub from: Timestamp,
    /// First moment after.
    pub to: Timestamp,
}

impl TimeRange {
    /// A range, or `None` when it would end before it starts.
    pub fn new(from: Timestamp, to: Timestamp) -> Option<Self> {
        (from <= to).then_some(Self { from, to })
    }

    /// Whether the moment lies inside.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }

    /// Length in microseconds.
    pub fn micros(&self) -> i64 {
        self.to.micros().saturating_sub(self.from.micros())
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.micros() as f64 / MICROS_PER_SECOND as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_back_from_its_text() {
        let at: Timestamp = "2015-05-17T10:05:03+09:00".parse().unwrap();
        assert_eq!(at.to_string(), "2015-05-17T01:05:03Z");
        assert_eq!(at.to_string().parse::<Timestamp>().unwrap(), at);
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn the_calendar_ends_with_year_9999() {
        let last = Timestamp::from_seconds(253_402_300_799).plus_micros(999_999);
        assert!(last.is_in_calendar() && !last.plus_micros(1).is_in_calendar());
        let first = Timestamp::from_seconds(-62_135_596_800);
        assert!(first.is_in_calendar() && !first.plus_micros(-1).is_in_calendar());
    }

    #[test]
    fn minutes_and_days_round_down_before_the_epoch_too() {
        let at = Timestamp::from_micros(-1);
        assert_eq!(at.minute().micros(), -60_000_000);
        assert_eq!(at.utc_days(), -1);
    }

    #[test]
    fn a_range_holds_its_start_and_not_its_end() {
        let range = TimeRange::new(Timestamp::from_micros(1), Timestamp::from_micros(3)).unwrap();
        assert!(range.contains(range.from) && !range.contains(range.to));
        assert!(TimeRange::new(range.to, range.from).is_none());
    }
}
