//! Access-log lines to [`AccessRecord`]s: which format a log has, what its columns mean, and one decoder for each.
//!
//! Every line is accounted for: it is decoded, or refused with a [`Reject`] that has a stable name; [`Tally`] counts
//! both. Nothing is guessed in silence: a column whose meaning can't be told is not read, and [`Detected::notes`] says
//! so. Text is kept as the server wrote it (escapes such as `\x22` stay); bytes that are no UTF-8 become U+FFFD.
//! Never panics on any input, and never keeps more than one line of state.

mod alb;
mod among;
mod clf;
mod cloudfront;
mod columns;
mod detect;
mod draft;
mod elb;
mod field;
mod json;
mod ltsv;
mod number;
mod pattern;
mod reject;
mod scan;
mod tally;
pub(crate) mod time;

#[cfg(test)]
mod tests;

pub use among::Among;
pub(crate) use among::WithRequests;
pub use detect::Detected;
pub use number::Unit;
pub use pattern::PatternError;
pub use reject::Reject;
pub use signal::AccessRecord;
pub(crate) use tally::redact_within;
pub use tally::{RejectCount, Tally, redact};

use columns::Columns;
use field::LearnedUnits;
use pattern::Pattern;
use std::fmt;
use std::str::FromStr;
use time::Times;

/// Longest line that is read; a longer one is refused as [`Reject::TooLong`].
pub const MAX_LINE: usize = 1 << 20;

/// The shape of an access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// To be found out from the first lines.
    Auto,
    /// NCSA common: `host ident user [time] "request" status bytes`.
    Common,
    /// Common with referer, agent and any columns behind them.
    Combined,
    /// Labelled tab-separated values.
    Ltsv,
    /// One JSON object a line.
    Json,
    /// AWS Application Load Balancer.
    Alb,
    /// AWS Classic Load Balancer.
    Elb,
    /// Amazon CloudFront.
    CloudFront,
    /// A regular expression with named groups, given by the user.
    Pattern,
}

/// The name is no known log format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no known log format; use one of auto, common, combined, ltsv, json, alb, elb, cloudfront, pattern")]
pub struct UnknownFormat(String);

impl Format {
    /// The name that commands and configuration use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Common => "common",
            Self::Combined => "combined",
            Self::Ltsv => "ltsv",
            Self::Json => "json",
            Self::Alb => "alb",
            Self::Elb => "elb",
            Self::CloudFront => "cloudfront",
            Self::Pattern => "pattern",
        }
    }

    /// Finds format and meaning of the columns from the first lines of a log (about 100 are enough, a few may be bad).
    /// `None` when no format explains at least half of them.
    pub fn detect(first_lines: &[u8]) -> Option<Detected> {
        detect::detect(first_lines)
    }

    /// What the first lines tell about the columns when the format is known already. [`Format::Auto`] detects;
    /// [`Format::Pattern`] has nothing to learn and answers `None`.
    pub fn learn(self, first_lines: &[u8]) -> Option<Detected> {
        detect::learn(self, first_lines)
    }
}
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        Ok(match raw {
            "auto" => Self::Auto,
            "common" | "clf" => Self::Common,
            "combined" | "vhost_combined" | "nginx" | "apache" => Self::Combined,
            "ltsv" => Self::Ltsv,
            "json" | "ndjson" => Self::Json,
            "alb" => Self::Alb,
            "elb" => Self::Elb,
            "cloudfront" => Self::CloudFront,
            "pattern" => Self::Pattern,
            _ => return Err(UnknownFormat(raw.to_owned())),
        })
    }
}

#[derive(Debug, Clone)]
enum Kind {
    Clf(Columns),
    Ltsv(LearnedUnits),
    Json(LearnedUnits),
    Alb,
    Elb,
    CloudFront(Box<cloudfront::Columns>),
    Pattern(Box<Pattern>),
}

/// Decodes the lines of one log, one after the other. Keeps the last seen day so that times cost little.
#[derive(Debug, Clone)]
pub struct Decoder {
    format: Format,
    kind: Kind,
    times: Times,
}

impl Decoder {
    /// A decoder for what was detected.
    pub fn new(detected: &Detected) -> Self {
        let kind = match detected.format {
            Format::Ltsv => Kind::Ltsv(detected.units),
            Format::Json => Kind::Json(detected.units),
            Format::Alb => Kind::Alb,
            Format::Elb => Kind::Elb,
            Format::CloudFront => Kind::CloudFront(Box::default()),
            Format::Auto | Format::Common | Format::Combined | Format::Pattern => Kind::Clf(detected.columns.clone()),
        };
        Self { format: detected.format, kind, times: Times::default() }
    }

    /// A decoder for a regular expression with the named groups `time`, `status` and `request`, or `path`, or `target`
    /// (and, as the log has them, `method`, `duration`, `duration_ms`, `duration_us`, `bytes`, `user`, `host`, `ua`,
    /// `referer`, `trace`; any other name becomes an extra field).
    pub fn with_pattern(pattern: &str) -> Result<Self, PatternError> {
        let kind = Kind::Pattern(Box::new(Pattern::new(pattern)?));
        Ok(Self { format: Format::Pattern, kind, times: Times::default() })
    }

    /// The format that is decoded.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Decodes one line (without its line end). The record borrows from the line, unless it is no UTF-8.
    pub fn decode<'a>(&mut self, line: &'a [u8]) -> Result<AccessRecord<'a>, Reject> {
        if line.len() > MAX_LINE {
            return Err(Reject::TooLong);
        }
        match std::str::from_utf8(line) {
            Ok(text) => self.decode_text(text),
            Err(_) => self.decode_text(&String::from_utf8_lossy(line)).map(AccessRecord::into_owned),
        }
    }

    fn decode_text<'a>(&mut self, line: &'a str) -> Result<AccessRecord<'a>, Reject> {
        if line.as_bytes().iter().all(|b| matches!(b, b' ' | b'\t' | b'\r')) {
            return Err(Reject::Blank);
        }
        let times = &mut self.times;
        match &mut self.kind {
            Kind::Clf(columns) => clf::decode(line, columns, times),
            Kind::Ltsv(units) => ltsv::decode(line, *units, times),
            Kind::Json(units) => json::decode(line, *units, times),
            Kind::Alb => alb::decode(line, times),
            Kind::Elb => elb::decode(line, times),
            Kind::CloudFront(columns) => cloudfront::decode(line, columns, times),
            Kind::Pattern(pattern) => pattern.decode(line, times),
        }
    }
}

/// The lines of a buffer without their ends (`\n` or `\r\n`). The last one counts without a line end too, so that the
/// number of lines is that of `wc -l` plus an unfinished last line.
pub fn lines(buffer: &[u8]) -> Lines<'_> {
    Lines { rest: buffer }
}

/// See [`lines`].
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest).unwrap_or(self.rest.len());
        let line = &self.rest[..end];
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        Some(trim_line_end(line))
    }
}

/// A line without the `\n` or `\r\n` (or the `\r` which is left of it) at its end.
pub fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
