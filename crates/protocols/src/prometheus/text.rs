//! The text formats of a scrape: Prometheus's and OpenMetrics.
//!
//! One line is one sample; a line that can't be read is refused and its neighbours are taken. `HELP`, `TYPE` and `UNIT`
//! say nothing that is stored. Exemplars are counted and left out.

use super::Outcome;
use super::series::{Series, is_stale, moment};
use crate::budget::Budget;
use crate::observed::{DecodeError, Field, MAX_RECORD, Observer, Refusal};
use base::Timestamp;
use std::borrow::Cow;

/// Which text format a scrape has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `text/plain; version=0.0.4`: times in milliseconds.
    Text,
    /// `application/openmetrics-text`: times in seconds, and `# EOF` at the end, without which it was cut short.
    OpenMetrics,
}

impl Format {
    /// The format that a `Content-Type` names; what is unknown is read as Prometheus's text, as Prometheus does.
    pub fn of_content_type(value: &str) -> Self {
        let kind = value.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/openmetrics-text") { Self::OpenMetrics } else { Self::Text }
    }

    /// What a scrape asks for with its `Accept` header.
    pub const ACCEPT: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5";
}

/// What is known of a scraped target. Its labels win over those of the text, which then are called `exported_...`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Target<'a> {
    /// Labels of every sample: `job`, `instance`, and what the configuration adds. Service and host are told by them.
    pub labels: &'a [(&'a str, &'a str)],
    /// When it was scraped: the time of samples that have none of their own.
    pub at: Option<Timestamp>,
}

/// Reads what a target answered. When it fails, the caller must throw away what the observer took of it.
pub fn scrape(
    body: &[u8],
    format: Format,
    target: &Target<'_>,
    observer: &mut dyn Observer,
) -> Result<Outcome, DecodeError> {
    if format == Format::OpenMetrics && !body.trim_ascii_end().ends_with(b"# EOF") {
        return Err(DecodeError::Malformed { what: "no # EOF at the end".to_owned(), at: body.len() });
    }
    let mut outcome = Outcome::default();
    let mut budget = Budget::new("samples in one scrape");
    let repeated = target.labels.iter().map(|(name, value)| name.len() + value.len()).sum();
    for line in lines(body) {
        let content = line.trim_ascii();
        if content.is_empty() || content.starts_with(b"#") {
            continue;
        }
        budget.spend(1, repeated)?;
        if let Err(why) = take(content, format, target, &mut outcome, observer) {
            outcome.reject(why, 1);
            observer.refuse(why, line);
        }
    }
    Ok(outcome)
}

fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = body;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(line)
    })
}

fn take(
    line: &[u8],
    format: Format,
    target: &Target<'_>,
    outcome: &mut Outcome,
    observer: &mut dyn Observer,
) -> Result<(), Refusal> {
    if line.len() > MAX_RECORD {
        return Err(Refusal::TooLong);
    }
    let line = std::str::from_utf8(line).map_err(|_| Refusal::Malformed)?;
    let mut cursor = Cursor { rest: line };
    let (name, labels) = cursor.series()?;
    if name.is_empty() || repeats(&labels) {
        return Err(Refusal::BadName);
    }
    let value = number(cursor.word()).ok_or(Refusal::BadValue)?;
    let time = match cursor.word() {
        "" => None,
        time => Some(time_of(time, format)?),
    };
    let exemplar = match cursor.rest.strip_prefix('#') {
        Some(exemplar) => well_formed(exemplar)?,
        None if cursor.rest.is_empty() => false,
        None => return Err(Refusal::Malformed),
    };
    let series = Series::new(name, joined(labels, target))?;
    if is_stale(value) {
        outcome.stale += 1;
        return Ok(());
    }
    let before = observer.declined();
    observer.sample(series.at(time.or(target.at), value));
    if observer.declined() == before {
        outcome.samples += 1;
    } else {
        outcome.reject(Refusal::OverLimit, 1);
    }
    outcome.exemplars += u64::from(exemplar);
    Ok(())
}

/// Labels of the text, then those of the target.
fn joined<'a>(mut labels: Vec<Field<'a>>, target: &Target<'a>) -> Vec<Field<'a>> {
    for (name, _) in &mut labels {
        if target.labels.iter().any(|(known, _)| known == name) {
            *name = Cow::Owned(format!("exported_{name}"));
        }
    }
    labels.extend(target.labels.iter().map(|(name, value)| (Cow::Borrowed(*name), Cow::Borrowed(*value))));
    labels
}

/// Whether a label is there twice.
fn repeats(labels: &[Field<'_>]) -> bool {
    /// From here on sorting is faster than comparing each with each.
    const MANY: usize = 32;
    if labels.len() < MANY {
        return labels.iter().enumerate().any(|(at, (name, _))| labels[..at].iter().any(|(before, _)| before == name));
    }
    let mut names: Vec<_> = labels.iter().map(|(name, _)| name.as_ref()).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

/// `{labels} value [time]` behind the `#` of an exemplar.
fn well_formed(exemplar: &str) -> Result<bool, Refusal> {
    let mut cursor = Cursor { rest: exemplar.trim_ascii_start() };
    cursor.eat('{').then_some(()).ok_or(Refusal::Malformed)?;
    cursor.labels(&mut Cow::Borrowed(""))?;
    number(cursor.word()).ok_or(Refusal::BadValue)?;
    let time = cursor.word();
    let timed = time.is_empty() || number(time).is_some();
    (timed && cursor.rest.is_empty()).then_some(true).ok_or(Refusal::Malformed)
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn time_of(text: &str, format: Format) -> Result<Timestamp, Refusal> {
    match format {
        Format::Text => moment(text.parse().map_err(|_| Refusal::BadTime)?),
        Format::OpenMetrics => {
            let micros = number(text).ok_or(Refusal::BadTime)? * 1e6;
            #[allow(clippy::cast_possible_truncation)] // saturates, and the ends are outside the calendar
            let moment = Timestamp::from_micros(micros.round() as i64);
            (micros.is_finite() && moment.is_in_calendar()).then_some(moment).ok_or(Refusal::BadTime)
        }
    }
}

/// Where reading a line stands.
struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    /// `name{labels}`, `name`, or `{"name",labels}` as Prometheus 3 writes names that are no words.
    fn series(&mut self) -> Result<(Cow<'a, str>, Vec<Field<'a>>), Refusal> {
        let mut name = Cow::Borrowed(self.until(&['{', ' ', '\t']));
        self.blanks();
        let labels = if self.eat('{') { self.labels(&mut name)? } else { Vec::new() };
        Ok((name, labels))
    }

    /// Labels behind their `{`, up to and with the `}`. A quoted text alone is the name.
    fn labels(&mut self, name: &mut Cow<'a, str>) -> Result<Vec<Field<'a>>, Refusal> {
        let mut labels = Vec::new();
        loop {
            self.blanks();
            if self.eat('}') {
                return Ok(labels);
            }
            let quoted = self.rest.starts_with('"');
            let key = if quoted { self.quoted()? } else { Cow::Borrowed(self.until(&['=', ' ', '\t', ',', '}'])) };
            self.blanks();
            if self.eat('=') {
                self.blanks();
                if key.is_empty() {
                    return Err(Refusal::BadName);
                }
                labels.push((key, self.quoted()?));
            } else if quoted && name.is_empty() {
                *name = key;
            } else {
                return Err(Refusal::Malformed);
            }
            self.blanks();
            if !self.eat(',') && !self.rest.starts_with('}') {
                return Err(Refusal::Malformed);
            }
        }
    }

    /// A text in quotes; `\\`, `\"` and `\n` are its escapes, and a backslash before anything else is itself.
    fn quoted(&mut self) -> Result<Cow<'a, str>, Refusal> {
        let text = self.rest.strip_prefix('"').ok_or(Refusal::Malformed)?;
        let end = memchr::memchr2(b'"', b'\\', text.as_bytes()).ok_or(Refusal::Malformed)?;
        if text.as_bytes()[end] == b'"' {
            self.rest = &text[end + 1..];
            return Ok(Cow::Borrowed(&text[..end]));
        }
        let mut out = text[..end].to_owned();
        let mut rest = text[end..].chars();
        while let Some(c) = rest.next() {
            match c {
                '"' => {
                    self.rest = rest.as_str();
                    return Ok(Cow::Owned(out));
                }
                '\\' => match rest.next().ok_or(Refusal::Malformed)? {
                    'n' => out.push('\n'),
                    c @ ('\\' | '"') => out.push(c),
                    c => out.extend(['\\', c]),
                },
                c => out.push(c),
            }
        }
        Err(Refusal::Malformed)
    }

    /// The next word; empty at the end and before an exemplar.
    fn word(&mut self) -> &'a str {
        self.blanks();
        if self.rest.starts_with('#') {
            return "";
        }
        let word = self.until(&[' ', '\t']);
        self.blanks();
        word
    }

    fn until(&mut self, ends: &[char]) -> &'a str {
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        text
    }

    fn eat(&mut self, c: char) -> bool {
        let rest = self.rest.strip_prefix(c);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }
}
