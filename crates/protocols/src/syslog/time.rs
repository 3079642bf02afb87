//! Times of syslog messages, with and without year and zone.

use super::Here;
use base::Timestamp;
use jiff::civil::{Date, DateTime, Time};

/// A host's clock and zone may be wrong by this much without a message of today becoming one of last year.
const AHEAD_SECONDS: i64 = 2 * 86_400;

/// How many years back a date without a year may lie: 29 February is the 8th at most.
const YEARS_BACK: i16 = 8;

/// Reads `Nov 25 20:20:01` (also with a year or a fraction) or an RFC 3339 time at the start of `text`; what follows.
pub(super) fn read_start<'a>(text: &'a str, here: &Here<'_>) -> Option<(Timestamp, &'a str)> {
    let iso = text.split(' ').next().unwrap_or_default();
    if let Some(ts) = rfc3339(iso) {
        return Some((ts, &text[iso.len()..]));
    }
    without_zone(text, here)
}

/// RFC 3339 with a zone.
pub(super) fn rfc3339(text: &str) -> Option<Timestamp> {
    // Cheap to tell from all other words.
    if text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    text.parse::<Timestamp>().ok().filter(|ts| ts.is_in_calendar())
}

fn without_zone<'a>(text: &'a str, here: &Here<'_>) -> Option<(Timestamp, &'a str)> {
    let month = month(text.get(..3)?)?;
    let (day, rest) = number(text.get(3..)?.strip_prefix(' ')?.trim_start_matches(' '), 2)?;
    let rest = rest.strip_prefix(' ')?;
    let (year, rest) = match number(rest, 4) {
        Some((year @ 1000.., rest)) => (Some(year), rest.strip_prefix(' ')?),
        _ => (None, rest),
    };
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = number(rest.strip_prefix(':')?, 2)?;
    let (nanos, rest) = fraction(rest);
    // A leap second is the second before it.
    let clock = Time::new(small(hour)?, small(minute)?, small(second.min(59))?, nanos).ok().filter(|_| second <= 60)?;
    let at = |year| moment(DateTime::from_parts(Date::new(year, month, small(day)?).ok()?, clock), here);
    let ts = if let Some(year) = year {
        at(year)?
    } else {
        let latest = here.now.plus_seconds(AHEAD_SECONDS);
        let next = here.zone.to_datetime(to_jiff(here.now)?).year() + 1;
        (next - YEARS_BACK..=next).rev().filter_map(at).find(|ts| *ts <= latest)?
    };
    Some((ts, rest))
}

/// The moment of a wall clock in the caller's zone; the earlier one when the clock shows it twice.
fn moment(clock: DateTime, here: &Here<'_>) -> Option<Timestamp> {
    let at = here.zone.to_ambiguous_timestamp(clock).compatible().ok()?;
    Some(Timestamp::from_micros(at.as_microsecond()))
}

fn to_jiff(ts: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_microsecond(ts.micros()).ok()
}

fn small(number: i16) -> Option<i8> {
    i8::try_from(number).ok()
}

/// A number of at most so many digits, and what follows.
fn number(text: &str, most: usize) -> Option<(i16, &str)> {
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

/// Nanoseconds of `.123456`, and what follows.
fn fraction(text: &str) -> (i32, &str) {
    let Some(rest) = text.strip_prefix('.') else { return (0, text) };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let places = rest.bytes().chain(std::iter::repeat(b'0')).enumerate().take(9);
    let nanos = places.fold(0, |sum, (at, digit)| sum * 10 + i32::from(if at < digits { digit - b'0' } else { 0 }));
    (nanos, &rest[digits..])
}

fn month(name: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let at = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
    i8::try_from(at + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::{TimeZone, offset};

    fn read(text: &str, now: &str, zone: &TimeZone) -> Option<String> {
        let here = Here { now: now.parse().unwrap(), zone };
        read_start(text, &here).map(|(ts, rest)| format!("{ts}|{rest}"))
    }

    #[test]
    fn times_are_read_as_senders_write_them() {
        let tokyo = TimeZone::fixed(offset(9));
        for (text, want) in [
            ("Nov 25 20:20:01 web-1", "2026-11-25T11:20:01Z| web-1"),
            ("Nov  5 20:20:01 web-1", "2026-11-05T11:20:01Z| web-1"),
            ("nov 25 20:20:01.25 x", "2026-11-25T11:20:01.25Z| x"),
            ("Nov 25 2024 20:20:01 x", "2024-11-25T11:20:01Z| x"),
            ("Nov 25 20:20:60", "2026-11-25T11:20:59Z|"),
            ("2026-11-25T20:20:01.123456+09:00 x", "2026-11-25T11:20:01.123456Z| x"),
            ("2026-11-25T20:20:01Z x", "2026-11-25T20:20:01Z| x"),
        ] {
            assert_eq!(read(text, "2026-11-26T00:00:00Z", &tokyo).as_deref(), Some(want), "{text}");
        }
        for text in [
            "",
            "Nov",
            "Nov 25",
            "Nov 31 20:20:01 x",
            "Nov 25 24:20:01",
            "Foo 25 20:20:01",
            "日本 25 20:20:01",
            "2026-13-25T20:20:01Z",
        ] {
            assert_eq!(read(text, "2026-11-26T00:00:00Z", &tokyo), None, "{text}");
        }
    }

    #[test]
    fn a_date_without_a_year_is_the_latest_that_is_not_ahead() {
        for (case, text, now, want) in [
            ("last minute of the year", "Dec 31 23:59:59", "2027-01-01T00:00:05Z", "2026-12-31T23:59:59Z|"),
            ("a sender a little ahead", "Jan  1 00:00:01", "2026-12-31T23:59:58Z", "2027-01-01T00:00:01Z|"),
            ("a sender in another zone", "Jan  1 09:00:00", "2026-12-31T23:59:58Z", "2027-01-01T09:00:00Z|"),
            ("a queue of months", "Mar  3 10:00:00", "2026-12-31T00:00:00Z", "2026-03-03T10:00:00Z|"),
            ("not ahead by a week", "Dec  8 10:00:00", "2026-12-01T00:00:00Z", "2025-12-08T10:00:00Z|"),
            ("a leap day", "Feb 29 10:00:00", "2027-03-01T00:00:00Z", "2024-02-29T10:00:00Z|"),
            ("no leap year in a century", "Feb 29 10:00:00", "2103-03-01T00:00:00Z", "2096-02-29T10:00:00Z|"),
        ] {
            assert_eq!(read(text, now, &TimeZone::UTC).as_deref(), Some(want), "{case}");
        }
    }
}
