//! Labelled tab-separated values (ltsv.org).

use super::draft::Draft;
use super::field::{Dialect, LearnedUnits, field_of};
use super::time::Times;
use super::{AccessRecord, Reject};
use std::borrow::Cow;

pub(super) fn decode<'a>(line: &'a str, units: LearnedUnits, times: &mut Times) -> Result<AccessRecord<'a>, Reject> {
    let mut draft = Draft::new(units);
    let (mut labelled, mut last_whole) = (0usize, true);
    for (label, value) in fields(line) {
        last_whole = value.is_some();
        let Some(value) = value else { continue };
        labelled += 1;
        draft.text(field_of(label, Dialect::Ltsv), Cow::Borrowed(label), Cow::Borrowed(value), times);
    }
    if labelled == 0 {
        return Err(Reject::NotLtsv);
    }
    draft.finish().map_err(|reject| match (labelled, last_whole) {
        (_, false) => Reject::CutShort,
        (1, true) => Reject::NotLtsv,
        _ => reject,
    })
}

/// Labels and values; a field without `:` has no value.
pub(super) fn fields(line: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    line.split('\t').filter(|field| !field.is_empty()).map(|field| match field.split_once(':') {
        Some((label, value)) if is_label(label) => (label, Some(value)),
        _ => (field, None),
    })
}

fn is_label(label: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'@');
    !label.is_empty() && label.bytes().all(plain)
}
