//! Remote write 1.0 (`prometheus.WriteRequest`) and 2.0 (`io.prometheus.write.v2.Request`).
//!
//! Read straight from the wire: labels once a series, then two numbers a sample, without a message for either.

use super::Outcome;
use super::native::Histogram;
use super::series::{Series, is_stale, moment};
use super::snappy::decompress;
use crate::budget::Budget;
use crate::histogram::{MAX_BUCKETS, SeriesNames};
use crate::observed::{DecodeError, MAX_RECORD, MAX_RECORDS, Observer, Refusal};
use crate::wire::{Part, Value};
use prost::Message;

/// Most labels of a series. One of no bytes costs two on the wire and sixteen times as much in memory.
const MAX_LABELS: usize = 1_000;

/// Which message a body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// `prometheus.WriteRequest`
    V1,
    /// `io.prometheus.write.v2.Request`
    V2,
}

impl Version {
    /// The version that a `Content-Type` names; without a `proto` it is 1.0. `None` is not taken (415).
    pub fn of_content_type(value: &str) -> Option<Self> {
        let mut parts = value.split(';').map(str::trim);
        if !parts.next()?.eq_ignore_ascii_case("application/x-protobuf") {
            return None;
        }
        match parts.find_map(|part| part.strip_prefix("proto=")) {
            None | Some("prometheus.WriteRequest") => Some(Self::V1),
            Some("io.prometheus.write.v2.Request") => Some(Self::V2),
            Some(_) => None,
        }
    }
}

/// Reads a request: snappy, then protobuf. When it fails, the caller must throw away what the observer took of it.
///
/// Series that break the rules are refused while their neighbours are taken; tell the sender with a 400 that must not
/// be repeated.
pub fn remote_write(body: &[u8], version: Version, observer: &mut dyn Observer) -> Result<Outcome, DecodeError> {
    let body = decompress(body)?;
    let symbols = match version {
        Version::V1 => Vec::new(),
        Version::V2 => symbols(Part::whole(&body))?,
    };
    let mut reader = Reader {
        version,
        symbols,
        labels: Vec::new(),
        budget: Budget::new("samples in one request"),
        outcome: Outcome::default(),
        observer,
    };
    let series = match version {
        Version::V1 => 1,
        Version::V2 => 5,
    };
    let mut fields = Part::whole(&body).fields();
    while let Some((number, value)) = fields.next()? {
        match value {
            Value::Bytes(part) if number == series => reader.series(part)?,
            // Metadata (1.0), symbols (2.0).
            _ => {}
        }
    }
    Ok(reader.outcome)
}

/// The texts that 2.0 refers to by their number. They may stand anywhere, so they are read first.
fn symbols(body: Part<'_>) -> Result<Vec<&str>, DecodeError> {
    let mut symbols = Vec::new();
    let mut fields = body.fields();
    while let Some((number, value)) = fields.next()? {
        let (4, Value::Bytes(part)) = (number, value) else { continue };
        if symbols.len() == MAX_RECORDS {
            return Err(DecodeError::TooMany { what: "symbols", limit: MAX_RECORDS });
        }
        symbols.push(part.text()?);
    }
    if symbols.first().is_some_and(|first| !first.is_empty()) {
        return Err(DecodeError::Malformed { what: "a first symbol that is not empty".to_owned(), at: 0 });
    }
    Ok(symbols)
}

struct Reader<'b, 'o> {
    version: Version,
    symbols: Vec<&'b str>,
    /// Labels of the series that is being read; kept so that its memory is used again.
    labels: Vec<(&'b str, &'b str)>,
    budget: Budget,
    outcome: Outcome,
    observer: &'o mut dyn Observer,
}

/// Parts of a series. All are messages, except for packed references to symbols.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Labels,
    Sample,
    Exemplar,
    Histogram,
    Other,
}

impl Version {
    const fn held(self, number: u32) -> Held {
        match (self, number) {
            (_, 1) => Held::Labels,
            (_, 2) => Held::Sample,
            (Self::V1, 3) | (Self::V2, 4) => Held::Exemplar,
            (Self::V1, 4) | (Self::V2, 3) => Held::Histogram,
            _ => Held::Other,
        }
    }
}

impl<'b> Reader<'b, '_> {
    /// Takes a series. Only too many samples fail the whole request: each series has its own length.
    fn series(&mut self, part: Part<'b>) -> Result<(), DecodeError> {
        self.labels.clear();
        let series = self.read_labels(part).and_then(|()| Series::from_sorted(&self.labels));
        match series {
            Ok(series) => self.samples(part, &series),
            Err(why) => {
                self.budget.spend(1, 0)?;
                // At least one was refused, even if it can't be told how many.
                self.outcome.reject(why, self.count_samples(part).unwrap_or(0).max(1));
                self.observer.refuse(why, part.bytes);
                Ok(())
            }
        }
    }

    fn read_labels(&mut self, series: Part<'b>) -> Result<(), Refusal> {
        let mut fields = series.fields();
        while let Some((number, value)) = fields.next().map_err(|_| Refusal::Malformed)? {
            match (self.version, number, value) {
                (Version::V1, 1, Value::Bytes(label)) => {
                    let label = label_of(label)?;
                    push(&mut self.labels, label)?;
                }
                (Version::V2, 1, Value::Bytes(references)) => self.referred(references)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Labels as pairs of references to symbols.
    fn referred(&mut self, references: Part<'b>) -> Result<(), Refusal> {
        let mut numbers = references.fields();
        let mut symbol = || -> Result<Option<&'b str>, Refusal> {
            let Some(number) = numbers.packed().map_err(|_| Refusal::Malformed)? else { return Ok(None) };
            let symbol = usize::try_from(number).ok().and_then(|number| self.symbols.get(number));
            symbol.copied().map(Some).ok_or(Refusal::Malformed)
        };
        while let Some(name) = symbol()? {
            push(&mut self.labels, (name, symbol()?.ok_or(Refusal::Malformed)?))?;
        }
        Ok(())
    }

    fn samples(&mut self, part: Part<'b>, series: &Series<'b>) -> Result<(), DecodeError> {
        let mut names = None;
        let mut fields = part.fields();
        // The fields were walked before, to read the labels.
        while let Ok(Some((number, value))) = fields.next() {
            let Value::Bytes(held) = value else { continue };
            let taken = match self.version.held(number) {
                Held::Sample => {
                    self.budget.spend(1, series.text)?;
                    self.sample(held, series)
                }
                Held::Histogram => {
                    // What it becomes can't be told yet: the most that it can.
                    self.budget.spend(held.bytes.len().min(MAX_BUCKETS) + 3, series.text)?;
                    let names = names.get_or_insert_with(|| SeriesNames::new(&series.sample.name));
                    self.histogram(held, series, names)
                }
                Held::Exemplar => {
                    self.outcome.exemplars += 1;
                    continue;
                }
                Held::Labels | Held::Other => continue,
            };
            if let Err(why) = taken {
                self.outcome.reject(why, 1);
                self.observer.refuse(why, part.bytes);
            }
        }
        Ok(())
    }

    /// How many samples and histograms a series holds.
    fn count_samples(&self, series: Part<'_>) -> Result<u64, DecodeError> {
        let mut count = 0;
        let mut fields = series.fields();
        while let Some((number, _)) = fields.next()? {
            count += u64::from(matches!(self.version.held(number), Held::Sample | Held::Histogram));
        }
        Ok(count)
    }

    fn sample(&mut self, sample: Part<'b>, series: &Series<'b>) -> Result<(), Refusal> {
        let (mut value, mut millis) = (0.0, 0);
        let mut fields = sample.fields();
        while let Some(field) = fields.next().map_err(|_| Refusal::Malformed)? {
            match field {
                (1, Value::Fixed64(bits)) => value = f64::from_bits(bits),
                (2, Value::Varint(number)) => millis = number.cast_signed(),
                _ => {}
            }
        }
        if is_stale(value) {
            self.outcome.stale += 1;
            return Ok(());
        }
        let before = self.observer.declined();
        self.observer.sample(series.at(Some(moment(millis)?), value));
        if self.observer.declined() == before {
            self.outcome.samples += 1;
        } else {
            self.outcome.reject(Refusal::OverLimit, 1);
        }
        Ok(())
    }

    fn histogram(&mut self, sent: Part<'b>, series: &Series<'b>, names: &SeriesNames) -> Result<(), Refusal> {
        if sent.bytes.len() > MAX_RECORD {
            return Err(Refusal::TooLong);
        }
        let sent = Histogram::decode(sent.bytes).map_err(|_| Refusal::Malformed)?;
        if is_stale(sent.sum) {
            self.outcome.stale += 1;
            return Ok(());
        }
        let at = series.at(Some(moment(sent.timestamp)?), 0.0);
        let before = self.observer.declined();
        sent.cumulative()?.observe(names, &at, self.observer);
        if self.observer.declined() == before {
            self.outcome.histograms += 1;
        } else {
            self.outcome.reject(Refusal::OverLimit, 1);
        }
        Ok(())
    }
}

fn push<'b>(labels: &mut Vec<(&'b str, &'b str)>, label: (&'b str, &'b str)) -> Result<(), Refusal> {
    if labels.len() == MAX_LABELS {
        return Err(Refusal::TooLong);
    }
    labels.push(label);
    Ok(())
}

fn label_of(label: Part<'_>) -> Result<(&str, &str), Refusal> {
    let (mut name, mut value) = ("", "");
    let mut fields = label.fields();
    while let Some((number, found)) = fields.next().map_err(|_| Refusal::Malformed)? {
        match (number, found) {
            (1, Value::Bytes(text)) => name = text.text().map_err(|_| Refusal::BadName)?,
            (2, Value::Bytes(text)) => value = text.text().map_err(|_| Refusal::BadName)?,
            _ => {}
        }
    }
    Ok((name, value))
}
