//! Numbers of access logs: sizes, and durations with the unit that their column has.

/// Unit of a duration column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Seconds: nginx `$request_time`, Apache `%T`.
    Seconds,
    /// Milliseconds: Apache `%{ms}T`, most application logs.
    Millis,
    /// Microseconds: Apache `%D`.
    Micros,
    /// Nanoseconds: Go programs, ECS `event.duration`.
    Nanos,
}

impl Unit {
    const fn nanos(self) -> u64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Millis => 1_000_000,
            Self::Micros => 1_000,
            Self::Nanos => 1,
        }
    }

    /// The short name (`s`, `ms`, `us`, `ns`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Millis => "ms",
            Self::Micros => "us",
            Self::Nanos => "ns",
        }
    }
}

/// Longer than ten years is no request but a number of another kind.
const LONGEST_US: u64 = 10 * 366 * 86_400 * 1_000_000;

/// Microseconds of a duration: `0.123`, `12ms`, or a list of tries (`0.1, 0.2`, `0.1 : 0.2`), which is summed.
/// `-` and anything else that is no number is none.
pub(super) fn duration_us(raw: &str, unit: Unit) -> Option<u64> {
    let raw = raw.trim();
    if let Some(us) = decimal_us(raw, unit) {
        return Some(us);
    }
    if memchr::memchr2(b',', b':', raw.as_bytes()).is_some() {
        let mut sum = None;
        for part in raw.split([',', ':']).map(str::trim) {
            if let Some(us) = decimal_us(part, unit) {
                sum = Some(sum.unwrap_or(0u64).saturating_add(us));
            } else if !matches!(part, "-" | "") {
                return None;
            }
        }
        return sum.filter(|us| *us <= LONGEST_US);
    }
    suffixed_us(raw)
}

/// Microseconds of a duration that brings its unit.
pub(super) fn suffixed_us(raw: &str) -> Option<u64> {
    let (number, unit) = with_suffix(raw.trim())?;
    decimal_us(number, unit)
}

/// The number and unit of `12ms`, `0.5s`, `300us`.
pub(super) fn with_suffix(raw: &str) -> Option<(&str, Unit)> {
    let digits = raw.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let unit = match raw[digits..].trim_start() {
        "s" | "sec" => Unit::Seconds,
        "ms" | "msec" => Unit::Millis,
        "us" | "µs" | "μs" | "usec" => Unit::Micros,
        "ns" => Unit::Nanos,
        _ => return None,
    };
    (digits > 0).then_some((&raw[..digits], unit))
}

fn decimal_us(raw: &str, unit: Unit) -> Option<u64> {
    let bytes = raw.as_bytes();
    if bytes.is_empty() || bytes.len() > 32 {
        return None;
    }
    let (mut whole, mut fraction, mut scale, mut dot) = (0u64, 0u64, 1u64, false);
    for &byte in bytes {
        match byte {
            b'0'..=b'9' if !dot => whole = whole.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?,
            b'0'..=b'9' if scale < 1_000_000_000 => {
                fraction = fraction * 10 + u64::from(byte - b'0');
                scale *= 10;
            }
            b'0'..=b'9' => {} // beyond a billionth
            b'.' if !dot => dot = true,
            _ => return None,
        }
    }
    if bytes == b"." {
        return None;
    }
    let nanos = whole.checked_mul(unit.nanos())?.checked_add(fraction * unit.nanos() / scale)?;
    let us = nanos.checked_add(500)? / 1_000;
    (us <= LONGEST_US).then_some(us)
}

/// Microseconds of a duration that JSON gave as a number.
pub(super) fn float_us(value: f64, unit: Unit) -> Option<u64> {
    let us = (value * unit.nanos() as f64 / 1_000.0).round();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within the range checked here
    (us >= 0.0 && us <= LONGEST_US as f64).then_some(us as u64)
}

/// A whole number of at most 19 digits.
pub(super) fn whole(raw: &str) -> Option<u64> {
    let bytes = raw.as_bytes();
    if bytes.is_empty() || bytes.len() > 19 {
        return None;
    }
    let mut value = 0u64;
    for byte in bytes {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u64::from(byte - b'0');
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_in_their_unit() {
        for (raw, unit, want) in [
            ("0.057", Unit::Seconds, Some(57_000)),
            ("60.000", Unit::Seconds, Some(60_000_000)),
            ("0.000", Unit::Seconds, Some(0)),
            ("1234", Unit::Micros, Some(1_234)),
            ("58.33", Unit::Millis, Some(58_330)),
            ("929675", Unit::Nanos, Some(930)),
            ("0.1, 0.2", Unit::Seconds, Some(300_000)),
            ("0.1 : 0.2", Unit::Seconds, Some(300_000)),
            ("-, 0.2", Unit::Seconds, Some(200_000)),
            ("-, -", Unit::Seconds, None),
            ("12ms", Unit::Seconds, Some(12_000)),
            ("300µs", Unit::Seconds, Some(300)),
            ("0.012s", Unit::Micros, Some(12_000)),
            ("-", Unit::Seconds, None),
            ("-1", Unit::Seconds, None),
            ("", Unit::Seconds, None),
            (".", Unit::Seconds, None),
            ("1.2.3", Unit::Seconds, None),
            ("10.0.0.1:80, x", Unit::Seconds, None),
            ("1436158985.123", Unit::Seconds, None),
        ] {
            assert_eq!(duration_us(raw, unit), want, "{raw} {}", unit.name());
        }
    }

    #[test]
    fn a_list_of_tries_is_no_longer_than_one_duration_may_be() {
        let longest = (LONGEST_US / 1_000_000).to_string();
        assert_eq!(duration_us(&longest, Unit::Seconds), Some(LONGEST_US));
        for tries in [2, 60_000] {
            assert_eq!(duration_us(&vec![longest.as_str(); tries].join(","), Unit::Seconds), None, "{tries} tries");
        }
    }
}
