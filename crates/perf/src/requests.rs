//! The requests table: how often each route was called and how long users waited for it, side by side, because what
//! is large in both is what pays to improve.
//!
//! Reads a log as a stream: bytes go in by [`Table::feed`], the [`Report`] comes out of [`Table::finish`]. Memory is
//! bounded whatever the log: 1,000 routes, 1 MiB of one line, a sketch per route. Every line is parsed or rejected
//! with a reason; an unknown duration is never counted as 0.

mod accumulate;
mod exact;
mod report;

#[cfg(test)]
mod tests;

pub use report::{Report, RequestSort, RequestsRow, Total, UnknownSort};

use accumulate::Accumulator;
use protocols::access::{Decoder, Format, MAX_LINE, Reject, Tally, lines, trim_line_end};
use signal::route::{RouteNormaliser, RoutePattern};

/// What the table is to show, and how the log is to be read.
#[derive(Debug, Clone)]
pub struct Options {
    /// Order of the rows.
    pub sort: RequestSort,
    /// Rows in the report; all when `None`.
    pub limit: Option<usize>,
    /// How the lines are to be read.
    pub reading: Reading,
    /// Keep every duration, for quantiles without error.
    pub exact: bool,
    /// Patterns of routes, tried first.
    pub patterns: Vec<RoutePattern>,
}

/// How lines become records.
#[derive(Debug, Clone)]
pub enum Reading {
    /// In this format; [`Format::Auto`] finds it out from the first lines of every file.
    As(Format),
    /// By the user's pattern.
    Pattern(Box<Decoder>),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sort: RequestSort::Total,
            limit: None,
            reading: Reading::As(Format::Auto),
            exact: false,
            patterns: Vec::new(),
        }
    }
}

/// Bytes that are looked at to find out a format.
const SAMPLE: usize = 256 << 10;
/// Lines that are enough for it.
const SAMPLE_LINES: usize = 100;

/// Where the table is in its present file.
#[derive(Debug)]
enum Stage {
    /// Collecting the first lines.
    Sampling,
    /// The format is known.
    Reading(Box<Decoder>),
}

/// A requests table that is being filled.
#[derive(Debug)]
pub struct Table {
    options: Options,
    stage: Stage,
    /// The first lines, while their format is not known.
    sample: Vec<u8>,
    sample_lines: usize,
    /// The unfinished line at the end of the last chunk.
    held: Vec<u8>,
    /// The unfinished line is longer than allowed: its rest is dropped up to the next line end.
    too_long: bool,
    tally: Tally,
    formats: Vec<Format>,
    notes: Vec<String>,
    accumulator: Accumulator,
}

impl Table {
    /// An empty table.
    pub fn new(options: Options) -> Self {
        let normaliser = RouteNormaliser::new(options.patterns.clone());
        let accumulator = Accumulator::new(normaliser, options.exact);
        let mut table = Self {
            options,
            stage: Stage::Sampling,
            sample: Vec::new(),
            sample_lines: 0,
            held: Vec::new(),
            too_long: false,
            tally: Tally::default(),
            formats: Vec::new(),
            notes: Vec::new(),
            accumulator,
        };
        table.start_file();
        table
    }

    fn start_file(&mut self) {
        let decoder = match &self.options.reading {
            Reading::As(_) => None,
            Reading::Pattern(decoder) => Some(decoder.clone()),
        };
        self.stage = match decoder {
            None => Stage::Sampling,
            Some(decoder) => {
                self.remember(decoder.format(), Vec::new());
                Stage::Reading(decoder)
            }
        };
    }

    fn remember(&mut self, format: Format, notes: Vec<String>) {
        if !self.formats.contains(&format) {
            self.formats.push(format);
        }
        for note in notes {
            if !self.notes.contains(&note) && self.notes.len() < 20 {
                self.notes.push(note);
            }
        }
    }

    /// Takes the next bytes of the present file, cut anywhere.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let line = &rest[..end];
            rest = &rest[end + 1..];
            if self.held.is_empty() && !self.too_long {
                self.take_line(line);
            } else {
                self.hold(line);
                self.take_held();
            }
        }
        self.hold(rest);
    }

    /// Ends the present file: a last line without a line end counts. The next file may have another format.
    pub fn end_file(&mut self) {
        if !self.held.is_empty() || self.too_long {
            self.take_held();
        }
        if matches!(self.stage, Stage::Sampling) {
            self.read_sample();
        }
        self.start_file();
    }

    /// The report on everything fed.
    pub fn finish(mut self) -> Report {
        self.end_file();
        Report::new(&self.options, &self.tally, &self.formats, self.notes, &self.accumulator)
    }

    /// Lines so far, for a progress display.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Keeps a part of a line until its rest comes; no more than a line may have.
    fn hold(&mut self, part: &[u8]) {
        let free = (MAX_LINE + 2).saturating_sub(self.held.len());
        self.too_long |= part.len() > free;
        self.held.extend_from_slice(&part[..part.len().min(free)]);
    }

    fn take_held(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        if std::mem::take(&mut self.too_long) {
            self.tally.reject(Reject::TooLong, &held);
        } else {
            self.take_line(&held);
        }
        held.clear();
        self.held = held;
    }

    fn take_line(&mut self, line: &[u8]) {
        if let Stage::Reading(_) = self.stage {
            self.read_line(line);
            return;
        }
        self.sample.extend_from_slice(line);
        self.sample.push(b'\n');
        self.sample_lines += 1;
        if self.sample_lines >= SAMPLE_LINES || self.sample.len() >= SAMPLE {
            self.read_sample();
        }
    }

    /// Finds out the format from the sample, then reads it. When no format explains these lines they are rejected, and
    /// the next ones are tried.
    fn read_sample(&mut self) {
        let sample = std::mem::take(&mut self.sample);
        self.sample_lines = 0;
        let Reading::As(format) = self.options.reading else { return };
        if let Some(detected) = format.learn(&sample) {
            self.remember(detected.format, detected.notes());
            self.stage = Stage::Reading(Box::new(Decoder::new(&detected)));
        }
        lines(&sample).for_each(|line| self.read_line(line));
    }

    fn read_line(&mut self, line: &[u8]) {
        let line = trim_line_end(line);
        let result = match &mut self.stage {
            Stage::Reading(decoder) => decoder.decode(line),
            Stage::Sampling if line.trim_ascii().is_empty() => Err(Reject::Blank),
            Stage::Sampling => Err(Reject::UnknownFormat),
        };
        if let Some(record) = self.tally.count(line, result) {
            self.accumulator.add(&record);
        }
    }
}
