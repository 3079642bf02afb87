//! Finds out which format a log has, and what its columns mean, from its first lines.

use super::columns::{Columns, Role};
use super::field::LearnedUnits;
use super::number::Unit;
use super::time::Times;
use super::{Decoder, Format, clf, lines};
use std::fmt;

/// Lines that are looked at; more don't tell more.
const SAMPLE_LINES: usize = 200;

/// A format with the meaning of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// The format; never [`Format::Auto`].
    pub format: Format,
    /// Lines looked at, without blank ones.
    pub lines: usize,
    /// How many of them the format explains.
    pub parsed: usize,
    pub(super) columns: Columns,
    pub(super) units: LearnedUnits,
}

impl Detected {
    /// What people should know: which column holds the response time, which column could not be told.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (index, role) in self.columns.roles.iter().enumerate() {
            let place = index + 1;
            match role {
                Role::Duration(unit) => {
                    notes.push(format!("column {place} after the size is the response time in {}", unit.name()));
                }
                Role::Upstream(unit) => {
                    notes.push(format!("column {place} after the size is the upstream's time in {}", unit.name()));
                }
                Role::Unknown => notes.push(format!(
                    "column {place} after the size holds whole numbers that could be several things; it is not read \
                     (a pattern can name it)"
                )),
                _ => {}
            }
        }
        if self.units.duration.is_none() {
            notes.push("the unit of the duration field can't be told; it is not read (a pattern can name it)".into());
        }
        notes
    }

    /// The same without units that follow from the values alone: a few lines can't prove them, and a duration that is
    /// wrong by a thousand is worse than none.
    #[must_use]
    pub fn without_guesses(mut self) -> Self {
        if let Some(index) = self.columns.guessed.take() {
            self.columns.roles[index] = Role::Unknown;
        }
        if self.units.guessed {
            self.units.duration = None;
        }
        self
    }

    /// Whether both read lines alike.
    pub fn reads_like(&self, other: &Self) -> bool {
        (self.format, &self.columns, self.units) == (other.format, &other.columns, other.units)
    }

    /// Whether the log says how long requests took.
    pub fn has_duration(&self) -> bool {
        self.columns.roles.iter().any(|role| matches!(role, Role::Duration(_) | Role::Upstream(_)))
    }
}
impl fmt::Display for Detected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.format.fmt(f)
    }
}

pub(super) fn detect(first_lines: &[u8]) -> Option<Detected> {
    let candidates = [Format::Json, Format::Ltsv, Format::Alb, Format::Elb, Format::CloudFront, Format::Combined];
    let found = candidates.into_iter().filter_map(|format| learn(format, first_lines));
    let best = found.max_by_key(|detected| detected.parsed)?;
    (best.parsed > 0 && best.parsed * 2 >= best.lines).then_some(best)
}

pub(super) fn learn(format: Format, first_lines: &[u8]) -> Option<Detected> {
    let sample = sample(first_lines);
    let (mut columns, mut units) = (Columns::default(), LearnedUnits::default());
    let mut named = format;
    match format {
        Format::Auto => return detect(first_lines),
        Format::Pattern => return None,
        Format::Common | Format::Combined => {
            let mut times = Times::default();
            let heads = sample.iter().filter_map(|line| clf::head(line, &mut times).ok());
            let tails: Vec<_> = heads.map(|head| (head.bytes, head.tail)).collect();
            match Columns::learn(&tails) {
                Some(learned) => columns = learned,
                None if format == Format::Common || !tails.is_empty() => named = Format::Common,
                None => columns = Columns::combined(),
            }
        }
        Format::Json | Format::Ltsv => units = learn_units(&sample),
        Format::Alb | Format::Elb | Format::CloudFront => {}
    }
    if named == Format::Common && !columns.roles.is_empty() {
        named = Format::Combined;
    }
    let mut detected = Detected { format: named, lines: sample.len(), parsed: 0, columns, units };
    let mut decoder = Decoder::new(&detected);
    detected.parsed = sample.iter().filter(|line| decoder.decode(line.as_bytes()).is_ok()).count();
    Some(detected)
}

/// The first lines as text. The last one is left out when it has no end and is not alone: it may be half a line.
fn sample(first_lines: &[u8]) -> Vec<String> {
    let whole = match memchr::memrchr(b'\n', first_lines) {
        Some(end) => &first_lines[..end],
        None => first_lines,
    };
    // A heading tells nothing of how many lines a format explains.
    let full = lines(whole).filter(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"#"));
    full.take(SAMPLE_LINES).map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}

/// The unit of `duration`, `latency` or `elapsed`, which every program writes as it likes.
fn learn_units(sample: &[String]) -> LearnedUnits {
    let mut millis_by_name = false;
    let mut values = Vec::new();
    for line in sample {
        millis_by_name |= ["\"controller\"", "\"action\":", "\"db_runtime\""].iter().any(|word| line.contains(word));
        values.extend(raw_durations(line));
    }
    LearnedUnits { duration: unit_of(&mut values, millis_by_name), guessed: !millis_by_name }
}

/// Rails' lograge writes milliseconds, Caddy fractions of seconds, Go programs whole nanoseconds, Node whole
/// milliseconds.
fn unit_of(values: &mut [(f64, bool)], millis_by_name: bool) -> Option<Unit> {
    if millis_by_name {
        return Some(Unit::Millis);
    }
    if values.is_empty() {
        return Some(Unit::Seconds);
    }
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let median = values[values.len() / 2].0;
    let whole = values.iter().all(|(_, whole)| *whole);
    match (whole, median) {
        (true, m) if m >= 100_000.0 => Some(Unit::Nanos),
        (true, m) if m >= 1.0 => Some(Unit::Millis),
        (true, _) => None,
        (false, m) if m < 5.0 => Some(Unit::Seconds),
        (false, _) => Some(Unit::Millis),
    }
}

/// Numbers behind the names whose unit is open, and whether they are whole.
fn raw_durations(line: &str) -> Vec<(f64, bool)> {
    let mut found = Vec::new();
    for name in ["duration", "latency", "elapsed", "took", "elapsed_time", "time_taken", "taken"] {
        for (at, _) in line.match_indices(name) {
            let before = line[..at].chars().next_back();
            let rest = line[at + name.len()..].trim_start_matches('"');
            let Some(rest) = rest.strip_prefix(':').filter(|_| matches!(before, None | Some('"' | '\t'))) else {
                continue;
            };
            let rest = rest.trim_start_matches([' ', '"']);
            let end = rest.find(|c: char| !matches!(c, '0'..='9' | '.' | 'e' | 'E' | '-')).unwrap_or(rest.len());
            let ends_well = rest[end..].chars().next().is_none_or(|c| matches!(c, ',' | '}' | '"' | '\t' | ' '));
            if let (Ok(value), true) = (rest[..end].parse::<f64>(), ends_well) {
                found.push((value, !rest[..end].contains(['.', 'e', 'E'])));
            }
        }
    }
    found
}
