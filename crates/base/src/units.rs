//! Sizes and spans as people write them: `64MiB`, `5m`, `800ms`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// A number of bytes. Reads `20GiB`, `512MiB`, `4KiB`, `100` (binary units only, so that nobody has to guess).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ByteSize(pub u64);

/// A length of time in microseconds. Reads `800ms`, `5s`, `5m`, `2h`, `30d`, `4w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span(i64);

/// Why a text is no size or span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// No number in front, or a negative one.
    #[error("{0:?} does not start with a whole number")]
    Number(String),
    /// The part behind the number is not known.
    #[error("{given:?} has no known unit; use one of {allowed}")]
    Unit {
        /// The whole text.
        given: String,
        /// What would be understood.
        allowed: &'static str,
    },
    /// Larger than can be counted.
    #[error("{0:?} is too large")]
    TooLarge(String),
}

const SIZES: &str = "B, KiB, MiB, GiB, TiB";
const SPANS: &str = "us, ms, s, m, h, d, w";

fn split(raw: &str) -> Result<(u64, &str), UnitError> {
    let text = raw.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = text[..end].parse().map_err(|_| UnitError::Number(raw.to_owned()))?;
    Ok((number, text[end..].trim()))
}

impl FromStr for ByteSize {
    type Err = UnitError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let (number, unit) = split(raw)?;
        let shift = match unit {
            "" | "B" => 0,
            "KiB" | "K" => 10,
            "MiB" | "M" => 20,
            "GiB" | "G" => 30,
            "TiB" | "T" => 40,
            _ => return Err(UnitError::Unit { given: raw.to_owned(), allowed: SIZES }),
        };
        number.checked_mul(1 << shift).map(Self).ok_or_else(|| UnitError::TooLarge(raw.to_owned()))
    }
}
impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (shift, unit) in [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")] {
            if self.0 >= 1 << shift {
                let value = self.0 as f64 / (1u64 << shift) as f64;
                let digits = usize::from(value.fract() != 0.0 && value < 100.0);
                return write!(f, "{value:.digits$} {unit}");
            }
        }
        write!(f, "{} B", self.0)
    }
}

impl Span {
    /// From microseconds; a negative length is none.
    pub const fn from_micros(micros: i64) -> Self {
        Self(if micros < 0 { 0 } else { micros })
    }

    /// From seconds.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self::from_micros(seconds.saturating_mul(1_000_000))
    }

    /// Length in microseconds.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The same length for timers of the standard library.
    pub const fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_micros(self.0.unsigned_abs())
    }
}
impl FromStr for Span {
    type Err = UnitError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let (number, unit) = split(raw)?;
        let micros: u64 = match unit {
            "us" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => 86_400_000_000,
            "w" => 604_800_000_000,
            _ => return Err(UnitError::Unit { given: raw.to_owned(), allowed: SPANS }),
        };
        let total = number.checked_mul(micros).and_then(|us| i64::try_from(us).ok());
        total.map(Self).ok_or_else(|| UnitError::TooLarge(raw.to_owned()))
    }
}
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (micros, unit) in
            [(86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s"), (1_000, "ms")]
        {
            if self.0 >= micros && self.0 % micros == 0 {
                return write!(f, "{}{unit}", self.0 / micros);
            }
        }
        write!(f, "{}us", self.0)
    }
}

macro_rules! as_text {
    ($type:ty, $what:literal, $example:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                let raw = String::deserialize(input)?;
                raw.parse().map_err(serde::de::Error::custom)
            }
        }
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $what.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "examples": [$example] })
            }
        }
    };
}
as_text!(ByteSize, "ByteSize", "512MiB");
as_text!(Span, "Span", "5m");

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_and_spans_say_what_they_want() {
        assert_eq!("1GiB".parse(), Ok(ByteSize(1 << 30)));
        assert_eq!(ByteSize(1536).to_string(), "1.5 KiB");
        assert_eq!("800ms".parse::<Span>().unwrap().micros(), 800_000);
        let error = "5 parsecs".parse::<Span>().unwrap_err().to_string();
        assert_eq!(error, "\"5 parsecs\" has no known unit; use one of us, ms, s, m, h, d, w");
        assert!(matches!("-5m".parse::<Span>(), Err(UnitError::Number(_))));
        assert!(matches!("99999999999999w".parse::<Span>(), Err(UnitError::TooLarge(_))));
    }

    proptest! {
        #[test]
        fn a_span_reads_back_from_its_text(micros in 1i64..10_000_000_000_000) {
            let span = Span::from_micros(micros);
            prop_assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }
    }
}
