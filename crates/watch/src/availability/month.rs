//! A calendar month of a time zone.

use base::{TimeRange, Timestamp};
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::fmt;

/// A month: `2026-03`, where people live.
#[derive(Debug, Clone, PartialEq)]
pub struct Month {
    first: Date,
    zone: TimeZone,
}

/// Why a text is no month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MonthError {
    /// No month.
    #[error("{0:?} is no month; write for example 2026-03")]
    Month(String),
    /// No time zone.
    #[error("{0:?} is no time zone; write an IANA name, for example Asia/Tokyo")]
    Zone(String),
}

impl Month {
    /// Reads `2026-03` and the name of a time zone.
    pub fn parse(raw: &str, zone: &str) -> Result<Self, MonthError> {
        let bad = || MonthError::Month(raw.chars().take(40).collect());
        let (year, month) = raw.split_once('-').ok_or_else(bad)?;
        if year.len() != 4 || month.len() != 2 {
            return Err(bad());
        }
        let first = Date::new(year.parse().map_err(|_| bad())?, month.parse().map_err(|_| bad())?, 1);
        let zone = TimeZone::get(zone).map_err(|_| MonthError::Zone(zone.chars().take(40).collect()))?;
        let month = Self { first: first.map_err(|_| bad())?, zone };
        if month.edges().is_none() { Err(bad()) } else { Ok(month) }
    }

    /// The month that holds a moment.
    pub fn of(at: Timestamp, zone: &TimeZone) -> Self {
        let moment = jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Self { first: moment.to_zoned(zone.clone()).date().first_of_month(), zone: zone.clone() }
    }

    /// From its first moment to the first one after it; a jump of the clock makes it an hour longer or shorter.
    pub fn range(&self) -> TimeRange {
        self.edges().unwrap_or(TimeRange { from: Timestamp::default(), to: Timestamp::default() })
    }

    fn edges(&self) -> Option<TimeRange> {
        let start = |date: Date| {
            let zoned = date.to_zoned(self.zone.clone()).ok()?;
            Some(Timestamp::from_micros(zoned.timestamp().as_microsecond()))
        };
        TimeRange::new(start(self.first)?, start(self.first.checked_add(1.month()).ok()?)?)
    }

    /// The day of its time zone that holds a moment.
    pub fn day_of(&self, at: Timestamp) -> Date {
        let moment = jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        moment.to_zoned(self.zone.clone()).date()
    }

    /// IANA name of its time zone.
    pub fn zone_name(&self) -> String {
        self.zone.iana_name().unwrap_or("UTC").to_owned()
    }
}
impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}
