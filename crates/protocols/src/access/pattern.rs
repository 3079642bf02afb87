//! Lines that only the user can explain: a regular expression with named groups.
//!
//! The `regex` crate takes time linear in the line; the limits here bound the memory of the compiled program.

use super::draft::Draft;
use super::field::{Dialect, Field, LearnedUnits, Scale, field_of};
use super::number::Unit;
use super::time::Times;
use super::{AccessRecord, Reject};
use regex::{CaptureLocations, Regex, RegexBuilder};
use std::borrow::Cow;

const MAX_PATTERN: usize = 4096;
const MAX_PROGRAM: usize = 1 << 20;

/// Why a pattern can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Too long to be read by a person.
    #[error("the pattern is {0} bytes long, {MAX_PATTERN} allowed")]
    TooLong(usize),
    /// Not a regular expression, or one that needs too much memory.
    #[error("the pattern is no usable regular expression: {0}")]
    Regex(String),
    /// A group without which there is no record.
    #[error("the pattern has no group (?<{0}>...); it needs time, status, and request or path")]
    Missing(&'static str),
}

#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    groups: Vec<Option<(Box<str>, Field)>>,
    locations: CaptureLocations,
}

impl Pattern {
    pub(super) fn new(pattern: &str) -> Result<Self, PatternError> {
        if pattern.len() > MAX_PATTERN {
            return Err(PatternError::TooLong(pattern.len()));
        }
        let mut builder = RegexBuilder::new(pattern);
        builder.size_limit(MAX_PROGRAM).dfa_size_limit(2 * MAX_PROGRAM);
        let regex = builder.build().map_err(|error| PatternError::Regex(error.to_string()))?;
        let groups: Vec<_> = regex.capture_names().map(|name| name.map(|name| (name.into(), group(name)))).collect();
        let has = |wanted: &[Field]| groups.iter().flatten().any(|(_, field)| wanted.contains(field));
        for (name, wanted) in [
            ("time", &[Field::Time, Field::ShipperTime][..]),
            ("status", &[Field::Status]),
            ("request", &[Field::Request, Field::Path, Field::Target]),
        ] {
            if !has(wanted) {
                return Err(PatternError::Missing(name));
            }
        }
        let locations = regex.capture_locations();
        Ok(Self { regex, groups, locations })
    }

    pub(super) fn decode<'a>(&mut self, line: &'a str, times: &mut Times) -> Result<AccessRecord<'a>, Reject> {
        self.regex.captures_read(&mut self.locations, line).ok_or(Reject::NoMatch)?;
        let mut draft = Draft::new(LearnedUnits::default());
        for (index, group) in self.groups.iter().enumerate() {
            let Some((name, field)) = group else { continue };
            let Some((from, to)) = self.locations.get(index) else { continue };
            let name = match field {
                Field::Extra => Cow::Owned(name.to_string()),
                _ => Cow::Borrowed(""),
            };
            draft.text(*field, name, Cow::Borrowed(&line[from..to]), times);
        }
        draft.finish()
    }
}

/// `duration` without a unit is in seconds here, as the documentation of patterns says.
fn group(name: &str) -> Field {
    match field_of(name, Dialect::Json) {
        Field::Duration(Scale::Learned) => Field::Duration(Scale::Known(Unit::Seconds)),
        field => field,
    }
}
