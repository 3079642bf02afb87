//! Times as access logs write them. Remembers the last day, because neighbours in a log share it.

use base::Timestamp;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Reads times; the state is only a cache and never changes a result.
#[derive(Debug, Clone)]
pub(crate) struct Times {
    clf_day: [u8; 12],
    clf_zone: [u8; 6],
    clf_start: i64,
    iso_day: [u8; 10],
    iso_start: i64,
}

impl Default for Times {
    fn default() -> Self {
        Self { clf_day: *b"01/Jan/1970:", clf_zone: *b" +0000", clf_start: 0, iso_day: *b"1970-01-01", iso_start: 0 }
    }
}

impl Times {
    /// `17/May/2015:10:05:03 +0000`, also with a fraction behind the seconds.
    pub(super) fn clf(&mut self, raw: &[u8]) -> Option<Timestamp> {
        if raw.len() < 26 {
            return None;
        }
        let (day, rest) = raw.split_first_chunk::<12>()?;
        let (clock, rest) = rest.split_first_chunk::<8>()?;
        let (fraction, zone) = fraction(rest)?;
        let zone: &[u8; 6] = zone.try_into().ok()?;
        if *day != self.clf_day || *zone != self.clf_zone {
            let start = clf_day(day)? * DAY - clf_zone(*zone)?;
            (self.clf_day, self.clf_zone, self.clf_start) = (*day, *zone, start);
        }
        Some(Timestamp::from_micros(self.clf_start + clock_of(*clock)? + fraction))
    }

    /// `2015-09-06T05:58:05+09:00`, also with a blank, with slashes, a fraction, `Z`, or no zone (then UTC).
    pub(super) fn iso(&mut self, raw: &[u8]) -> Option<Timestamp> {
        let (day, rest) = raw.split_first_chunk::<10>()?;
        let (separator, rest) = rest.split_first()?;
        if !matches!(separator, b'T' | b't' | b' ' | b'_') {
            return None;
        }
        let (clock, rest) = rest.split_first_chunk::<8>()?;
        let (fraction, zone) = fraction(rest)?;
        if *day != self.iso_day {
            let start = iso_day(day)? * DAY;
            (self.iso_day, self.iso_start) = (*day, start);
        }
        Some(Timestamp::from_micros(self.iso_start + clock_of(*clock)? + fraction - iso_zone(zone)?))
    }

    /// Any of the above, or seconds, milliseconds, microseconds or nanoseconds since the epoch (told by their size).
    pub(crate) fn any(&mut self, raw: &str) -> Option<Timestamp> {
        let raw = raw.trim().trim_start_matches('[').trim_end_matches(']').as_bytes();
        match (raw.get(2), raw.get(4)) {
            (Some(b'/'), _) => self.clf(raw),
            (_, Some(b'-' | b'/')) => self.iso(raw),
            _ => epoch_text(raw),
        }
    }
}

/// Seconds, milli-, micro- or nanoseconds since the epoch, told by their size (good until the year 5138).
pub(crate) fn epoch(value: f64) -> Option<Timestamp> {
    let scale = match value {
        v if !(0.0..1e20).contains(&v) => return None,
        v if v < 1e11 => 1e6,
        v if v < 1e14 => 1e3,
        v if v < 1e17 => 1.0,
        _ => 1e-3,
    };
    #[allow(clippy::cast_possible_truncation)] // at most 1e17 by the ranges above
    Some(Timestamp::from_micros((value * scale).round() as i64))
}

fn epoch_text(raw: &[u8]) -> Option<Timestamp> {
    let plain = raw.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    if !plain || raw.len() < 9 {
        return None;
    }
    epoch(std::str::from_utf8(raw).ok()?.parse().ok()?)
}

fn digits(raw: &[u8]) -> Option<i64> {
    let mut value = 0;
    for byte in raw {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(byte - b'0');
    }
    Some(value)
}

/// Microseconds since midnight of `10:05:03`; 60 is a leap second.
fn clock_of(raw: [u8; 8]) -> Option<i64> {
    let [h1, h2, b':', m1, m2, b':', s1, s2] = raw else { return None };
    let (hour, minute, second) = (digits(&[h1, h2])?, digits(&[m1, m2])?, digits(&[s1, s2])?);
    (hour < 24 && minute < 60 && second < 61).then_some((hour * 3600 + minute * 60 + second) * SECOND)
}

/// Microseconds of `.123456`, and what follows. Nothing there is no fraction.
fn fraction(raw: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.' | b',', rest)) = raw.split_first() else { return Some((0, raw)) };
    let length = rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
    if length == 0 {
        return None;
    }
    let mut micros = 0;
    for place in 0..6 {
        let digit = rest.get(place).filter(|_| place < length).map_or(0, |b| i64::from(b - b'0'));
        micros = micros * 10 + digit;
    }
    Some((micros, &rest[length..]))
}

fn clf_day(raw: &[u8; 12]) -> Option<i64> {
    let [d1, d2, b'/', m1, m2, m3, b'/', y1, y2, y3, y4, b':'] = *raw else { return None };
    let month = match &[m1, m2, m3] {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    };
    days(digits(&[y1, y2, y3, y4])?, month, digits(&[d1, d2])?)
}

/// Microseconds east of UTC of ` +0900`.
fn clf_zone(raw: [u8; 6]) -> Option<i64> {
    let [b' ', sign, h1, h2, m1, m2] = raw else { return None };
    offset(sign, &[h1, h2], &[m1, m2])
}

fn iso_day(raw: &[u8; 10]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-' | b'/', m1, m2, b'-' | b'/', d1, d2] = *raw else { return None };
    days(digits(&[y1, y2, y3, y4])?, digits(&[m1, m2])?, digits(&[d1, d2])?)
}

fn iso_zone(raw: &[u8]) -> Option<i64> {
    match *raw.trim_ascii_start() {
        [] | [b'Z' | b'z'] | [b'U', b'T', b'C'] => Some(0),
        [sign, h1, h2] => offset(sign, &[h1, h2], b"00"),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => offset(sign, &[h1, h2], &[m1, m2]),
        _ => None,
    }
}

fn offset(sign: u8, hours: &[u8], minutes: &[u8]) -> Option<i64> {
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let micros = (hours * 3600 + minutes * 60) * SECOND;
    match sign {
        b'+' => Some(micros),
        b'-' => Some(-micros),
        _ => None,
    }
}

/// Days since 1970-01-01 of a date in the Gregorian calendar (Howard Hinnant, `chrono-Compatible Low-Level Date
/// Algorithms`). `None` for a day that does not exist.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year < 1 || day < 1 || day > length {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_read_as_servers_write_them() {
        let mut times = Times::default();
        for (raw, want) in [
            ("17/May/2015:10:05:03 +0000", "2015-05-17T10:05:03Z"),
            ("[06/Sep/2015:05:58:05 +0900]", "2015-09-05T20:58:05Z"),
            ("01/Jul/1995:00:00:01 -0400", "1995-07-01T04:00:01Z"),
            ("17/May/2015:10:05:03.250 +0000", "2015-05-17T10:05:03.25Z"),
            ("2015-09-06T05:58:05+09:00", "2015-09-05T20:58:05Z"),
            ("2015-09-06T05:58:05.123456789Z", "2015-09-06T05:58:05.123456Z"),
            ("2015-09-06 05:58:05", "2015-09-06T05:58:05Z"),
            ("2015/09/06 05:58:05 +0900", "2015-09-05T20:58:05Z"),
            ("1441486685", "2015-09-05T20:58:05Z"),
            ("1441486685.123", "2015-09-05T20:58:05.123Z"),
            ("1441486685123", "2015-09-05T20:58:05.123Z"),
            ("29/Feb/2016:00:00:00 +0000", "2016-02-29T00:00:00Z"),
        ] {
            assert_eq!(times.any(raw).map(|t| t.to_string()).as_deref(), Some(want), "{raw}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        let mut times = Times::default();
        for raw in [
            "",
            "-",
            "17/Foo/2015:10:05:03 +0000",
            "31/Apr/2015:10:05:03 +0000",
            "29/Feb/2015:10:05:03 +0000",
            "17/May/2015:24:05:03 +0000",
            "17/May/2015:10:05:03",
            "17/May/2015:10:05:03 0000",
            "2015-13-06T05:58:05Z",
            "2015-09-06T05:58:05+9",
            "2015-09-06",
            "12345",
        ] {
            assert_eq!(times.any(raw), None, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn any_second_reads_back_from_its_text(seconds in 0i64..4_102_444_800) {
            let at = Timestamp::from_seconds(seconds);
            let mut times = Times::default();
            prop_assert_eq!(times.any(&at.to_string()), Some(at));
            prop_assert_eq!(times.any(&at.to_string()), Some(at));
        }

        #[test]
        fn no_text_makes_it_panic(raw in "\\PC{0,40}") {
            let mut times = Times::default();
            let _ = (times.any(&raw), times.clf(raw.as_bytes()), times.iso(raw.as_bytes()));
        }
    }
}
