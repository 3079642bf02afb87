//! Latency sketches: quantiles with a relative error of at most 1 %, mergeable without loss.
//!
//! This is DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error
//! guarantees", VLDB 2019) with the logarithmic mapping of `sketches-ddsketch`. The bins are kept sparse and sorted,
//! because a minute of one route holds few distinct bins while there are many such minutes; the library's dense store
//! takes over a kilobyte each.
//!
//! Percentiles are never averaged: merge sketches, then ask.

use sketches_ddsketch::Config;
use std::sync::LazyLock;

/// Largest relative error of a quantile.
pub const RELATIVE_ERROR: f64 = 0.01;

static MAPPING: LazyLock<Config> = LazyLock::new(|| Config::new(RELATIVE_ERROR, 2048, 1.0e-9));

/// The bin of durations of 0 µs, below every other.
const ZERO: i16 = i16::MIN;

/// Counts of durations (microseconds) in logarithmic bins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LatencySketch {
    bins: Vec<(i16, u32)>,
}

/// Bytes are no sketch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the latency sketch is damaged at byte {at}")]
pub struct SketchError {
    /// Where reading stopped.
    pub at: usize,
}

fn bin_of(duration_us: u64) -> i16 {
    if duration_us == 0 {
        return ZERO;
    }
    // ln(u64::MAX) / ln(gamma) is about 2,218, well inside i16.
    i16::try_from(MAPPING.key(duration_us as f64)).unwrap_or(i16::MAX)
}

fn value_of(bin: i16) -> f64 {
    if bin == ZERO { 0.0 } else { MAPPING.value(i32::from(bin)) }
}

impl LatencySketch {
    /// Counts one duration.
    pub fn add(&mut self, duration_us: u64) {
        self.add_bin(bin_of(duration_us), 1);
    }

    fn add_bin(&mut self, bin: i16, count: u32) {
        match self.bins.binary_search_by_key(&bin, |entry| entry.0) {
            Ok(at) => self.bins[at].1 = self.bins[at].1.saturating_add(count),
            Err(at) => self.bins.insert(at, (bin, count)),
        }
    }

    /// Adds everything that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        for &(bin, count) in &other.bins {
            self.add_bin(bin, count);
        }
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.bins.iter().map(|entry| u64::from(entry.1)).sum()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.bins.is_empty()
    }

    /// Quantile `q` (0 to 1) in microseconds, nearest rank; `None` when nothing was counted.
    pub fn quantile_us(&self, q: f64) -> Option<f64> {
        quantile(self.bins.iter().copied(), self.count(), q)
    }

    /// Memory on the heap, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.bins.capacity() * size_of::<(i16, u32)>()
    }

    /// The bins as pairs of variable-length integers (gap to the bin before, count); `decode` reads them back.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut before = i32::from(i16::MIN);
        for &(bin, count) in &self.bins {
            put_varint(out, (i32::from(bin) - before).unsigned_abs());
            put_varint(out, count);
            before = i32::from(bin);
        }
    }

    /// Reads what [`LatencySketch::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, SketchError> {
        let mut bins = Vec::with_capacity(bytes.len() / 2);
        each_bin(bytes, |bin, count| bins.push((bin, count)))?;
        Ok(Self { bins })
    }
}

fn quantile(bins: impl Iterator<Item = (i16, u32)>, total: u64, q: f64) -> Option<f64> {
    if total == 0 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=total")]
    let rank = ((q * total as f64).ceil() as u64).clamp(1, total);
    let mut seen = 0;
    for (bin, count) in bins {
        seen += u64::from(count);
        if seen >= rank {
            return Some(value_of(bin));
        }
    }
    None
}

fn put_varint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

fn get_varint(bytes: &[u8], at: &mut usize) -> Result<u32, SketchError> {
    let mut value = 0u32;
    for shift in (0..35).step_by(7) {
        let byte = *bytes.get(*at).ok_or(SketchError { at: *at })?;
        *at += 1;
        value |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(SketchError { at: *at })
}

fn each_bin(bytes: &[u8], mut visit: impl FnMut(i16, u32)) -> Result<(), SketchError> {
    let (mut at, mut bin) = (0, i64::from(i16::MIN));
    while at < bytes.len() {
        bin += i64::from(get_varint(bytes, &mut at)?);
        let count = get_varint(bytes, &mut at)?;
        visit(i16::try_from(bin).map_err(|_| SketchError { at })?, count);
    }
    Ok(())
}

/// Sums many encoded sketches: one addition a bin, without decoding them into objects first.
#[derive(Debug, Clone, Default)]
pub struct SketchSum {
    zero: u64,
    first: i16,
    counts: Vec<u64>,
    total: u64,
}

impl SketchSum {
    /// Adds an encoded sketch. A damaged one adds what could be read and is an error.
    pub fn add_encoded(&mut self, bytes: &[u8]) -> Result<(), SketchError> {
        each_bin(bytes, |bin, count| self.add_bin(bin, u64::from(count)))
    }

    /// Adds a sketch.
    pub fn add(&mut self, sketch: &LatencySketch) {
        for &(bin, count) in &sketch.bins {
            self.add_bin(bin, u64::from(count));
        }
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: &Self) {
        if other.zero > 0 {
            self.add_bin(ZERO, other.zero);
        }
        let mut bin = other.first;
        for &count in &other.counts {
            if count > 0 {
                self.add_bin(bin, count);
            }
            bin = bin.saturating_add(1);
        }
    }

    fn add_bin(&mut self, bin: i16, count: u64) {
        self.total += count;
        if bin == ZERO {
            self.zero += count;
            return;
        }
        if self.counts.is_empty() {
            self.first = bin;
        }
        if bin < self.first {
            let missing = usize::from(self.first.abs_diff(bin));
            self.counts.splice(0..0, std::iter::repeat_n(0, missing));
            self.first = bin;
        }
        let at = usize::from(bin.abs_diff(self.first));
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += count;
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.total
    }

    /// Quantile `q` (0 to 1) in microseconds, nearest rank; `None` when nothing was counted.
    pub fn quantile_us(&self, q: f64) -> Option<f64> {
        if self.total == 0 {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=total")]
        let rank = ((q * self.total as f64).ceil() as u64).clamp(1, self.total);
        let mut seen = self.zero;
        if seen >= rank {
            return Some(0.0);
        }
        // Wider than a bin's number, because a range counts one further than its last.
        for (bin, &count) in (i32::from(self.first)..).zip(&self.counts) {
            seen += count;
            if seen >= rank {
                return Some(MAPPING.value(bin));
            }
        }
        None
    }

    /// Memory on the heap, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.counts.capacity() * size_of::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exact(values: &[u64], q: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let rank = ((q * sorted.len() as f64).ceil() as usize).clamp(1, sorted.len());
        sorted[rank - 1] as f64
    }

    fn close(got: f64, want: f64) -> bool {
        (got - want).abs() <= RELATIVE_ERROR * want + 1e-6
    }

    proptest! {
        #[test]
        fn quantiles_stay_within_the_stated_error(values in prop::collection::vec(0u64..10_000_000_000, 1..300)) {
            let mut sketch = LatencySketch::default();
            for &value in &values {
                sketch.add(value);
            }
            for q in [0.0, 0.5, 0.95, 0.99, 1.0] {
                let got = sketch.quantile_us(q).unwrap();
                prop_assert!(close(got, exact(&values, q)), "q {q}: {got} for {}", exact(&values, q));
            }
        }

        #[test]
        fn merging_parts_in_any_way_equals_one_sketch_of_all(values in prop::collection::vec(0u64..1_000_000, 1..200), cut in 0usize..200) {
            let cut = cut.min(values.len());
            let (mut left, mut right, mut all) = <(LatencySketch, LatencySketch, LatencySketch)>::default();
            values[..cut].iter().for_each(|&value| left.add(value));
            values[cut..].iter().for_each(|&value| right.add(value));
            for &value in &values {
                all.add(value);
            }
            let mut sum = SketchSum::default();
            for part in [&right, &left] {
                let mut bytes = Vec::new();
                part.encode(&mut bytes);
                prop_assert_eq!(&LatencySketch::decode(&bytes).unwrap(), part);
                sum.add_encoded(&bytes).unwrap();
            }
            left.merge(&right);
            prop_assert_eq!(&left, &all);
            let mut twice = SketchSum::default();
            twice.merge(&sum);
            for q in [0.01, 0.5, 0.95, 1.0] {
                prop_assert_eq!(sum.quantile_us(q), all.quantile_us(q));
                prop_assert_eq!(twice.quantile_us(q), all.quantile_us(q));
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = LatencySketch::decode(&bytes);
        }
    }

    #[test]
    fn nothing_counted_has_no_quantile() {
        assert_eq!(LatencySketch::default().quantile_us(0.5), None);
        assert_eq!(SketchSum::default().quantile_us(0.5), None);
    }
}
