//! What was learned about the lines of each source: their format, the meaning of columns, units.
//!
//! A log may begin with few lines and change its format later. So nothing that few lines can't prove is taken for
//! granted, lines are gathered over several deliveries until there are enough, and what no longer explains a source's
//! lines is forgotten. Bounded: a sample is dropped as soon as it has told what it can.

use crate::source_name::SourceName;
use foldhash::HashMap;
use protocols::access::{Decoder, Detected, Format, lines};
use std::net::IpAddr;

/// Lines that are enough to tell what the columns mean.
pub(super) const ENOUGH_LINES: usize = 100;
/// With fewer lines than this a unit that follows from the values alone stays open.
const PROVING_LINES: usize = 20;
/// What is kept of a source's first lines until there are [`PROVING_LINES`].
const MAX_SAMPLE: usize = 16 * 1024;
/// Sources that are remembered.
const MAX_SOURCES: usize = 128;

/// Who sends, from where, and in which format it says the lines are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Sender {
    pub source: SourceName,
    pub peer: Option<IpAddr>,
    pub format: Option<Format>,
}

/// How lines are read.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    pub decoder: Decoder,
    /// `None` for a pattern, which is given and not learned.
    detected: Option<Detected>,
}

impl Reading {
    /// By a pattern.
    pub fn given(decoder: Decoder) -> Self {
        Self { decoder, detected: None }
    }

    /// As the first lines tell; `None` when no format explains them.
    pub fn learned(format: Format, first_lines: &[u8]) -> Option<Self> {
        let mut detected = format.learn(first_lines)?;
        if detected.lines < PROVING_LINES {
            detected = detected.without_guesses();
        }
        Some(Self { decoder: Decoder::new(&detected), detected: Some(detected) })
    }

    /// Whether both make the same of every line.
    pub fn is_like(&self, other: &Self) -> bool {
        match (&self.detected, &other.detected) {
            (Some(ours), Some(theirs)) => ours.reads_like(theirs),
            (None, None) => true,
            _ => false,
        }
    }
}

struct Known {
    reading: Reading,
    /// Lines that it was learned from.
    lines: usize,
    /// These lines, while they are too few.
    sample: Vec<u8>,
}

/// The readings of a service's sources.
#[derive(Default)]
pub(super) struct Readings {
    known: HashMap<Sender, Known>,
}

impl Readings {
    /// How this delivery is to be read, and whether earlier lines of its source had a say in it. `learn` is asked for a
    /// reading by the first lines; `None` when it knew none and nothing is remembered.
    pub fn reading(
        &mut self,
        sender: &Sender,
        bytes: &[u8],
        learn: impl Fn(&[u8]) -> Option<Reading>,
    ) -> Option<(Reading, bool)> {
        let available = lines(bytes).take(ENOUGH_LINES).count();
        let Some(known) = self.known.get_mut(sender) else {
            let reading = learn(first_lines(bytes, ENOUGH_LINES))?;
            self.put(sender, reading.clone(), bytes, available);
            return Some((reading, false));
        };
        if known.lines < PROVING_LINES && known.lines + available <= ENOUGH_LINES && !known.sample.is_empty() {
            // What was seen before goes in front: an old line proves as much as a new one.
            let sample = [&known.sample[..], first_lines(bytes, ENOUGH_LINES)].concat();
            if let Some(reading) = learn(&sample) {
                self.put(sender, reading, &sample, lines(&sample).take(ENOUGH_LINES).count());
            }
        } else if known.lines < ENOUGH_LINES
            && available > known.lines
            && let Some(reading) = learn(first_lines(bytes, ENOUGH_LINES))
        {
            self.put(sender, reading, bytes, available);
        }
        self.known.get(sender).map(|known| (known.reading.clone(), true))
    }

    /// Replaces what was remembered of a source.
    pub fn put(&mut self, sender: &Sender, reading: Reading, bytes: &[u8], available: usize) {
        if self.known.len() >= MAX_SOURCES && !self.known.contains_key(sender) {
            self.known.clear();
        }
        let learns = reading.detected.is_some();
        let mut sample = Vec::new();
        if learns && available < PROVING_LINES && bytes.len() < MAX_SAMPLE {
            sample.extend_from_slice(bytes);
            if !sample.ends_with(b"\n") {
                sample.push(b'\n');
            }
        }
        let lines = if learns { available } else { ENOUGH_LINES };
        self.known.insert(sender.clone(), Known { reading, lines, sample });
    }
}

/// The first lines of a delivery.
pub(super) fn first_lines(bytes: &[u8], count: usize) -> &[u8] {
    match memchr::memchr_iter(b'\n', bytes).nth(count - 1) {
        Some(end) => &bytes[..=end],
        None => bytes,
    }
}
