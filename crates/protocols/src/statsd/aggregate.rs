//! Readings of a window to samples.

use super::line::{Level, Metric, Readings, place};
use crate::observed::{Field, Observer, Refusal, SampleRecord};
use base::Timestamp;
use signal::LatencySketch;
use std::borrow::Cow;
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

/// Most series of one aggregator.
pub const MAX_SERIES: usize = 10_000;

/// Most memory that names, tags and values of one aggregator take, about.
pub const MAX_HELD_BYTES: usize = 32 << 20;

/// Values of a series that are kept one by one, for exact percentiles; more of them become a sketch.
const MAX_EXACT: usize = 256;

/// Windows for which a gauge that nobody sets is remembered, so that a later change has something to change.
const REMEMBERED_WINDOWS: u32 = 360;

/// What a series costs beside its text and values: its entry, and room in tables that are not full.
const SERIES_BYTES: usize = 400;

/// Collects metrics until the caller flushes them as samples: counters as their sum, gauges as their last level, timers,
/// histograms and distributions as `.count`, `.sum`, `.min`, `.max`, `.p50`, `.p95` and `.p99`, sets as the number of
/// their members.
///
/// Only what was reported since the last flush is handed over: a gauge of a program that died is no news.
///
/// `.count` and `.sum` are scaled by the sample rate; percentiles are of the values that came. They are exact for the
/// first 256 values of a window; of more, they have the sketch's relative error of 1 %, and values below 0 count as 0.
#[derive(Debug, Default)]
pub struct Aggregator {
    series: HashMap<Vec<u8>, Series>,
    key: Vec<u8>,
    hasher: RandomState,
    held_bytes: usize,
    refused: u64,
}

#[derive(Debug)]
struct Series {
    name: String,
    /// Sorted.
    tags: Vec<(String, String)>,
    state: State,
    /// Flushes since the last reading.
    idle: u32,
    /// What it counts for in [`Aggregator::held_bytes`].
    held: usize,
}

#[derive(Debug)]
enum State {
    Count(f64),
    Level(f64),
    Spread(Spread),
    /// Hashes of the members.
    Members(HashSet<u64>),
}

#[derive(Debug)]
struct Spread {
    count: f64,
    sum: f64,
    min: f64,
    max: f64,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Exact(Vec<f64>),
    /// In millionths.
    Sketch(LatencySketch),
}

impl Aggregator {
    /// Takes the readings of one line. What is beyond a limit is counted, and said at the next flush.
    pub fn add(&mut self, metric: &Metric<'_>) {
        let mut tags: Vec<&Field<'_>> = metric.tags.iter().collect();
        tags.sort_unstable();
        let mut key = std::mem::take(&mut self.key);
        write_key(&mut key, metric, &tags);
        if !self.series.contains_key(&key) && !self.open(&key, metric, &tags) {
            self.refused += 1;
        } else if let Some(series) = self.series.get_mut(&key) {
            series.idle = 0;
            let room = MAX_HELD_BYTES.saturating_sub(self.held_bytes);
            let (grown, refused) = series.state.add(metric, &self.hasher, room);
            series.held += grown;
            self.held_bytes += grown;
            self.refused += refused;
        }
        self.key = key;
    }

    /// Starts a series, if there is room.
    fn open(&mut self, key: &[u8], metric: &Metric<'_>, tags: &[&Field<'_>]) -> bool {
        let held = SERIES_BYTES + 2 * key.len() + tags.len() * size_of::<(String, String)>();
        if self.series.len() >= MAX_SERIES || self.held_bytes + held > MAX_HELD_BYTES {
            return false;
        }
        let state = match metric.readings {
            Readings::Counts(_) => State::Count(0.0),
            Readings::Levels(_) => State::Level(0.0),
            Readings::Spread(_) => State::Spread(Spread::default()),
            Readings::Member(_) => State::Members(HashSet::new()),
        };
        let tags = tags.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let series = Series { name: metric.name.to_owned(), tags, state, idle: 0, held };
        self.held_bytes += held;
        self.series.insert(key.to_vec(), series);
        true
    }

    /// Ends the window: hands over a sample for everything that was reported in it, and how many readings were refused
    /// since the last flush because of a limit.
    pub fn flush(&mut self, now: Timestamp, observer: &mut dyn Observer) -> u64 {
        let held_bytes = &mut self.held_bytes;
        self.series.retain(|_, series| {
            if series.idle == 0 {
                series.hand_over(now, observer);
            }
            series.idle += 1;
            let kept = matches!(series.state, State::Level(_)) && series.idle <= REMEMBERED_WINDOWS;
            if !kept {
                *held_bytes -= series.held;
            }
            kept
        });
        if self.series.is_empty() {
            // A table that was large once does not stay so.
            self.series = HashMap::new();
        }
        std::mem::take(&mut self.refused)
    }

    /// Series that are held.
    pub fn series(&self) -> usize {
        self.series.len()
    }

    /// Memory that is held, about.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }
}

/// Kind, name and sorted tags; no text holds the byte between them.
fn write_key(key: &mut Vec<u8>, metric: &Metric<'_>, tags: &[&Field<'_>]) {
    key.clear();
    key.push(match metric.readings {
        Readings::Counts(_) => b'c',
        Readings::Levels(_) => b'g',
        Readings::Spread(_) => b'd',
        Readings::Member(_) => b's',
    });
    key.extend_from_slice(metric.name.as_bytes());
    for (name, value) in tags {
        key.push(0xff);
        key.extend_from_slice(name.as_bytes());
        key.push(0xff);
        key.extend_from_slice(value.as_bytes());
    }
}

impl State {
    /// Adds readings. By how many bytes it grew, at most about `room`, and how many readings found no room.
    fn add(&mut self, metric: &Metric<'_>, hasher: &RandomState, room: usize) -> (usize, u64) {
        match (self, &metric.readings) {
            (Self::Count(sum), Readings::Counts(counts)) => {
                *sum += counts.iter().sum::<f64>() / metric.rate;
                (0, 0)
            }
            (Self::Level(level), Readings::Levels(levels)) => {
                for reading in levels {
                    match reading {
                        Level::At(value) => *level = *value,
                        Level::By(change) => *level += change,
                    }
                }
                (0, 0)
            }
            (Self::Spread(spread), Readings::Spread(values)) => spread.add(values, metric.rate, room),
            (Self::Members(members), Readings::Member(member)) => {
                let hash = hasher.hash_one(member);
                if members.contains(&hash) {
                    return (0, 0);
                }
                // Two words and a half for each: a table is at least half full.
                const MEMBER_BYTES: usize = 20;
                if room < MEMBER_BYTES {
                    return (0, 1);
                }
                members.insert(hash);
                (MEMBER_BYTES, 0)
            }
            // The kind is part of the key.
            (Self::Count(_) | Self::Level(_) | Self::Spread(_) | Self::Members(_), _) => (0, 1),
        }
    }
}

impl Default for Spread {
    fn default() -> Self {
        Self { count: 0.0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY, values: Values::Exact(Vec::new()) }
    }
}

impl Spread {
    fn add(&mut self, values: &[f64], rate: f64, room: usize) -> (usize, u64) {
        let before = self.values.heap_bytes();
        for (at, value) in values.iter().enumerate() {
            if self.values.heap_bytes().saturating_sub(before) > room {
                return (self.values.heap_bytes() - before, (values.len() - at) as u64);
            }
            self.count += 1.0 / rate;
            self.sum += value / rate;
            self.min = self.min.min(*value);
            self.max = self.max.max(*value);
            self.values.add(*value);
        }
        (self.values.heap_bytes().saturating_sub(before), 0)
    }
}

impl Values {
    fn heap_bytes(&self) -> usize {
        match self {
            Self::Exact(values) => values.capacity() * size_of::<f64>(),
            Self::Sketch(sketch) => sketch.heap_bytes(),
        }
    }

    fn add(&mut self, value: f64) {
        match self {
            Self::Exact(values) if values.len() < MAX_EXACT => values.push(value),
            Self::Exact(values) => {
                let mut sketch = LatencySketch::default();
                for value in values {
                    sketch.add(millionths(*value));
                }
                sketch.add(millionths(value));
                *self = Self::Sketch(sketch);
            }
            Self::Sketch(sketch) => sketch.add(millionths(value)),
        }
    }

    /// Sorts exact values, so that [`Values::quantile`] can be asked.
    fn settle(&mut self) {
        if let Self::Exact(values) = self {
            values.sort_unstable_by(f64::total_cmp);
        }
    }

    /// Nearest rank.
    fn quantile(&self, q: f64) -> Option<f64> {
        match self {
            Self::Exact(sorted) => {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 256")]
                let rank = ((q * sorted.len() as f64).ceil() as usize).max(1);
                sorted.get(rank - 1).copied()
            }
            Self::Sketch(sketch) => sketch.quantile_us(q).map(|millionths| millionths / 1e6),
        }
    }
}

fn millionths(value: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` stops at the ends")]
    let whole = (value * 1e6).round() as u64;
    whole
}

impl Series {
    fn hand_over(&mut self, now: Timestamp, observer: &mut dyn Observer) {
        let tags = self.tags.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect();
        let (service, host, labels) = place(tags);
        let mut sample = |suffix: &str, value: f64| {
            let name =
                if suffix.is_empty() { Cow::Borrowed(&*self.name) } else { format!("{}{suffix}", self.name).into() };
            // Sums of huge values may leave what a number can say.
            if !value.is_finite() {
                return observer.refuse(Refusal::BadValue, name.as_bytes());
            }
            let (service, host, labels) = (service.clone(), host.clone(), labels.clone());
            observer.sample(SampleRecord { ts: Some(now), service, host, name, value, labels });
        };
        match &mut self.state {
            State::Count(value) | State::Level(value) => sample("", *value),
            State::Members(members) => sample("", members.len() as f64),
            State::Spread(spread) => {
                spread.values.settle();
                sample(".count", spread.count);
                sample(".sum", spread.sum);
                sample(".min", spread.min);
                sample(".max", spread.max);
                for (suffix, q) in [(".p50", 0.5), (".p95", 0.95), (".p99", 0.99)] {
                    if let Some(value) = spread.values.quantile(q) {
                        // The sketch knows values to 1 %, and these two exactly.
                        sample(suffix, value.clamp(spread.min, spread.max));
                    }
                }
            }
        }
    }
}
