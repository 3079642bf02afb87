//! The window of an objective: rolling (`30d`) or a calendar period in a time zone (`month`, `week`, `quarter`).

use base::{Span, TimeRange, Timestamp};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Shortest rolling window.
pub const MIN_WINDOW: Span = Span::from_seconds(86_400);
/// Longest rolling window.
pub const MAX_WINDOW: Span = Span::from_seconds(400 * 86_400);

/// How long the good and the bad are added up, as configuration says it. The time zone is said beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum WindowSpec {
    /// Ends now, always as long.
    Rolling(Span),
    /// Starts anew with each period of the calendar.
    Calendar(Period),
}

/// A period of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// Monday to Sunday.
    Week,
    /// January, February, ...
    Month,
    /// January to March, April to June, ...
    Quarter,
}

/// A text is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// Neither a span nor a period.
    #[error("`{0}` is no window; write a span (7d, 28d, 30d) or week, month, quarter")]
    Unknown(String),
    /// Outside the limits.
    #[error("a window of `{0}` cannot be used; write 1d to 400d")]
    Length(Span),
    /// Not in the time zone database.
    #[error("`{0}` is no time zone; write an IANA name such as Asia/Tokyo")]
    Zone(String),
}

impl FromStr for WindowSpec {
    type Err = WindowError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let period = match raw.trim() {
            "week" => Period::Week,
            "month" => Period::Month,
            "quarter" => Period::Quarter,
            other => {
                let span: Span = other.parse().map_err(|_| WindowError::Unknown(raw.to_owned()))?;
                if span < MIN_WINDOW || span > MAX_WINDOW || span.micros() % MINUTE_US != 0 {
                    return Err(WindowError::Length(span));
                }
                return Ok(Self::Rolling(span));
            }
        };
        Ok(Self::Calendar(period))
    }
}
impl TryFrom<String> for WindowSpec {
    type Error = WindowError;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        raw.parse()
    }
}
impl From<WindowSpec> for String {
    fn from(window: WindowSpec) -> Self {
        window.to_string()
    }
}
impl fmt::Display for WindowSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rolling(span) => fmt::Display::fmt(span, f),
            Self::Calendar(Period::Week) => f.write_str("week"),
            Self::Calendar(Period::Month) => f.write_str("month"),
            Self::Calendar(Period::Quarter) => f.write_str("quarter"),
        }
    }
}
impl JsonSchema for WindowSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Window".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "examples": ["30d", "28d", "7d", "week", "month", "quarter"] })
    }
}

const MINUTE_US: i64 = 60_000_000;
const HOUR_US: i64 = 60 * MINUTE_US;

/// A window with its time zone.
#[derive(Debug, Clone, PartialEq)]
pub enum Window {
    /// Ends now, always as long.
    Rolling(Span),
    /// Starts anew with each period of the calendar.
    Calendar(Period, TimeZone),
}

impl Window {
    /// A window whose calendar periods begin in this time zone (an IANA name).
    pub fn new(spec: WindowSpec, zone: &str) -> Result<Self, WindowError> {
        Ok(match spec {
            WindowSpec::Rolling(span) => Self::Rolling(span),
            WindowSpec::Calendar(period) => {
                let zone = TimeZone::get(zone).map_err(|_| WindowError::Zone(zone.to_owned()))?;
                Self::Calendar(period, zone)
            }
        })
    }

    /// As configuration says it, without the time zone.
    pub fn spec(&self) -> WindowSpec {
        match self {
            Self::Rolling(span) => WindowSpec::Rolling(*span),
            Self::Calendar(period, _) => WindowSpec::Calendar(*period),
        }
    }

    /// IANA name of the time zone of a calendar window.
    pub fn zone(&self) -> Option<&str> {
        match self {
            Self::Rolling(_) => None,
            Self::Calendar(_, zone) => zone.iana_name(),
        }
    }

    /// The whole window at a moment. A rolling one ends then; a calendar one is the period that holds the moment, and
    /// ends later. Daylight saving time makes some weeks, months and quarters an hour shorter or longer.
    pub fn range(&self, now: Timestamp) -> TimeRange {
        match self {
            Self::Rolling(span) => TimeRange { from: now.plus_micros(-span.micros()), to: now },
            Self::Calendar(period, zone) => calendar_range(*period, zone, now),
        }
    }

    /// The longest that the window can be.
    pub fn longest(&self) -> Span {
        let days = match self {
            Self::Rolling(span) => return *span,
            Self::Calendar(Period::Week, _) => 7,
            Self::Calendar(Period::Month, _) => 31,
            Self::Calendar(Period::Quarter, _) => 92,
        };
        // A day more covers every shift of the clock.
        Span::from_micros((days + 1) * 24 * HOUR_US)
    }
}

fn calendar_range(period: Period, zone: &TimeZone, now: Timestamp) -> TimeRange {
    let at = jiff::Timestamp::from_microsecond(now.micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let date = Zoned::new(at, zone.clone()).date();
    let (first, next) = match period {
        Period::Week => {
            let first = date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days());
            (first, first.saturating_add(7.days()))
        }
        Period::Month => {
            let first = date.first_of_month();
            (first, first.saturating_add(1.month()))
        }
        Period::Quarter => {
            let back = i64::from((date.month() - 1) % 3);
            let first = date.first_of_month().saturating_sub(back.months());
            (first, first.saturating_add(3.months()))
        }
    };
    TimeRange { from: midnight(first, zone, now), to: midnight(next, zone, now) }
}

/// The first moment of a day; where the clock skips midnight, the moment after the gap.
fn midnight(date: Date, zone: &TimeZone, otherwise: Timestamp) -> Timestamp {
    let start = date.to_zoned(zone.clone()).map(|zoned| zoned.timestamp().as_microsecond());
    // Only at the very end of what the calendar can say.
    start.map_or(otherwise, Timestamp::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_calendar_window_follows_its_time_zone_and_daylight_saving() {
        for (case, spec, zone, now, from, hours) in [
            ("month in Tokyo", "month", "Asia/Tokyo", "2026-02-28T15:00:00Z", "2026-02-28T15:00:00Z", 31 * 24),
            ("last moment", "month", "Asia/Tokyo", "2026-02-28T14:59:59Z", "2026-01-31T15:00:00Z", 28 * 24),
            ("leap february", "month", "UTC", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", 29 * 24),
            ("spring forward", "month", "Europe/Berlin", "2026-03-31T00:00:00Z", "2026-02-28T23:00:00Z", 31 * 24 - 1),
            ("fall back", "week", "Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-18T22:00:00Z", 7 * 24 + 1),
            ("quarter", "quarter", "America/New_York", "2026-05-15T00:00:00Z", "2026-04-01T04:00:00Z", 91 * 24),
            ("week starts on monday", "week", "UTC", "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z", 168),
            ("rolling", "28d", "UTC", "2026-03-01T00:00:00Z", "2026-02-01T00:00:00Z", 672),
            (
                "midnight does not exist",
                "month",
                "America/Asuncion",
                "2017-10-15T00:00:00Z",
                "2017-10-01T04:00:00Z",
                743,
            ),
        ] {
            let window = Window::new(spec.parse().unwrap(), zone).unwrap();
            let range = window.range(at(now));
            assert_eq!(range.from, at(from), "{case}");
            assert_eq!(range.micros() / HOUR_US, hours, "{case}");
            assert!(range.micros() <= window.longest().micros(), "{case}");
        }
    }

    #[test]
    fn a_window_reads_back_from_its_text() {
        for text in ["30d", "7d", "4w", "week", "month", "quarter"] {
            let spec: WindowSpec = text.parse().unwrap();
            assert_eq!(spec.to_string().parse::<WindowSpec>().unwrap(), spec);
        }
        for (text, want) in [
            ("fortnight", "`fortnight` is no window; write a span (7d, 28d, 30d) or week, month, quarter"),
            ("1h", "a window of `1h` cannot be used; write 1d to 400d"),
            ("500d", "a window of `500d` cannot be used; write 1d to 400d"),
        ] {
            assert_eq!(text.parse::<WindowSpec>().unwrap_err().to_string(), want);
        }
        assert!(matches!(Window::new("month".parse().unwrap(), "Mars/Olympus"), Err(WindowError::Zone(_))));
    }
}
