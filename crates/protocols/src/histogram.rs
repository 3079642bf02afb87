//! Histograms as cumulative `le` series, the one shape that every histogram can be turned into.
//!
//! Exponential (OTLP) and native (Prometheus) histograms change their resolution as values come in; each change would
//! be a new set of series. So they are merged down to [`MAX_SCALE`], which loses no counts: the bounds then are the
//! same for every sender and for ever. Never more than [`MAX_BUCKETS`] of one histogram.

use crate::observed::{Observer, Refusal, SampleRecord};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Finest resolution that is kept: 8 buckets a doubling, each 9 % wide.
const MAX_SCALE: i32 = 3;
/// Scales that senders may use (OpenTelemetry's range, which holds Prometheus's).
const SCALES: std::ops::RangeInclusive<i32> = -10..=20;
/// Most buckets of one histogram. Senders keep to 160 or so; at [`MAX_SCALE`] these are 128 doublings.
pub(crate) const MAX_BUCKETS: usize = 1024;

/// What a histogram's series are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeriesNames {
    bucket: String,
    count: String,
    sum: String,
}

impl SeriesNames {
    pub(crate) fn new(name: &str) -> Self {
        Self { bucket: format!("{name}_bucket"), count: format!("{name}_count"), sum: format!("{name}_sum") }
    }
}

/// A histogram as counts at or below rising bounds.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Cumulative {
    /// Bound and count of what is at or below it. Infinity is not among them: `count` says that.
    pub(crate) bounds: Vec<(f64, f64)>,
    pub(crate) count: f64,
    pub(crate) sum: Option<f64>,
}

impl Cumulative {
    /// From counts between bounds: the first below the first bound, the last above the last.
    pub(crate) fn from_counts(bounds: &[f64], counts: impl ExactSizeIterator<Item = f64>) -> Result<Self, Refusal> {
        if counts.len() != bounds.len() + 1 || bounds.iter().any(|bound| bound.is_nan()) {
            return Err(Refusal::Malformed);
        }
        if counts.len() > MAX_BUCKETS {
            return Err(Refusal::TooLong);
        }
        let mut total = 0.0;
        let mut found = Vec::with_capacity(bounds.len());
        for (index, count) in counts.enumerate() {
            total += count;
            if let Some(bound) = bounds.get(index).filter(|bound| **bound != f64::INFINITY) {
                found.push((*bound, total));
            }
        }
        Ok(Self { bounds: found, count: total, sum: None })
    }

    /// Hands over one sample a bucket, the count and the sum. `at` gives time, place and labels.
    pub(crate) fn observe(&self, names: &SeriesNames, at: &SampleRecord<'_>, observer: &mut dyn Observer) {
        self.observe_buckets(names, at, observer);
        self.observe_totals(names, at, observer);
    }

    /// Hands over the count and the sum alone.
    pub(crate) fn observe_totals(&self, names: &SeriesNames, at: &SampleRecord<'_>, observer: &mut dyn Observer) {
        let series = |name, value| SampleRecord { name: Cow::Borrowed(name), value, ..at.clone() };
        observer.sample(series(&names.count, self.count));
        if let Some(sum) = self.sum {
            observer.sample(series(&names.sum, sum));
        }
    }

    fn observe_buckets(&self, names: &SeriesNames, at: &SampleRecord<'_>, observer: &mut dyn Observer) {
        let infinity = std::iter::once((f64::INFINITY, self.count));
        for (bound, value) in self.bounds.iter().copied().chain(infinity) {
            let text = number_text(bound);
            let mut labels = Vec::with_capacity(at.labels.len() + 1);
            labels.extend_from_slice(&at.labels);
            labels.push((Cow::Borrowed("le"), Cow::Borrowed(&*text)));
            observer.sample(SampleRecord {
                ts: at.ts,
                service: at.service.clone(),
                host: at.host.clone(),
                name: Cow::Borrowed(&names.bucket),
                value,
                labels,
            });
        }
    }
}

/// Buckets whose bounds are powers of 2^(2^-scale). Bucket `i` holds what is above power `i - 1`, up to power `i`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Exponential {
    scale: i32,
    /// How many halvings of the resolution lie between what was sent and `scale`.
    shift: u32,
    positive: BTreeMap<i64, f64>,
    negative: BTreeMap<i64, f64>,
}

/// Which side of zero a bucket is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Negative,
    Positive,
}

impl Exponential {
    /// Without buckets, at the scale that the sender names.
    pub(crate) fn new(scale: i32) -> Result<Self, Refusal> {
        if !SCALES.contains(&scale) {
            return Err(Refusal::Malformed);
        }
        let kept = scale.min(MAX_SCALE);
        Ok(Self { scale: kept, shift: (scale - kept).unsigned_abs(), ..Self::default() })
    }

    /// Adds a bucket of the sender's scale.
    pub(crate) fn add(&mut self, sign: Sign, index: i64, count: f64) {
        if count == 0.0 {
            return;
        }
        let index = ((index.saturating_sub(1)) >> self.shift) + 1;
        // Doubles end at 2^1024 and 2^-1074; buckets beyond hold nothing that could be told apart.
        let farthest = 1100_i64 << self.scale.max(0);
        let side = match sign {
            Sign::Negative => &mut self.negative,
            Sign::Positive => &mut self.positive,
        };
        *side.entry(index.clamp(-farthest, farthest)).or_default() += count;
    }

    /// The same counts at rising bounds, without gaps from the first bucket that holds any to the last.
    pub(crate) fn cumulative(&self, zero_threshold: f64, zero_count: f64) -> Result<Cumulative, Refusal> {
        if span(&self.positive) + span(&self.negative) > MAX_BUCKETS as u64 {
            return Err(Refusal::TooLong);
        }
        let mut found = Cumulative::default();
        if let (Some((first, _)), Some((last, _))) = (self.negative.first_key_value(), self.negative.last_key_value()) {
            found.rise(-self.power(*last), 0.0);
            for index in (*first..=*last).rev() {
                found.rise(-self.power(index - 1), self.negative.get(&index).copied().unwrap_or_default());
            }
        }
        if zero_count > 0.0 || !self.negative.is_empty() {
            found.rise(zero_threshold.max(0.0), zero_count);
        }
        if let (Some((first, _)), Some((last, _))) = (self.positive.first_key_value(), self.positive.last_key_value()) {
            found.rise(self.power(first - 1), 0.0);
            for index in *first..=*last {
                found.rise(self.power(index), self.positive.get(&index).copied().unwrap_or_default());
            }
        }
        Ok(found)
    }

    /// Upper bound of a bucket, to nine digits: the same text on every machine, whatever its `exp2` does with the last
    /// bit.
    fn power(&self, index: i64) -> f64 {
        let exact = (index as f64 * f64::from(-self.scale).exp2()).exp2();
        format!("{exact:.8e}").parse().unwrap_or(exact)
    }
}

impl Cumulative {
    /// Adds `count` at or below `bound`. Bounds that do not rise (those at zero and infinity) merge.
    fn rise(&mut self, bound: f64, count: f64) {
        self.count += count;
        match self.bounds.last_mut() {
            _ if bound == f64::INFINITY => {}
            Some((last, below)) if *last >= bound => *below = self.count,
            _ => self.bounds.push((bound, self.count)),
        }
    }
}

/// How many buckets lie between the outermost ones.
fn span(side: &BTreeMap<i64, f64>) -> u64 {
    match (side.first_key_value(), side.last_key_value()) {
        (Some((first, _)), Some((last, _))) => last.abs_diff(*first) + 1,
        _ => 0,
    }
}

/// A number as Prometheus writes labels: `1`, `0.005`, `1e+30` without the plus, `+Inf`.
pub(crate) fn number_text(value: f64) -> String {
    if value == f64::INFINITY {
        "+Inf".to_owned()
    } else if value == f64::NEG_INFINITY {
        "-Inf".to_owned()
    } else if value.fract().abs() == 0.0 && value.abs() < 1e15 {
        format!("{value}")
    } else {
        format!("{value:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_between_bounds_add_up() {
        let found = Cumulative::from_counts(&[1.0, 2.0], [3.0, 0.0, 4.0].into_iter()).unwrap();
        assert_eq!((found.bounds, found.count), (vec![(1.0, 3.0), (2.0, 3.0)], 7.0));
        let none = Cumulative::from_counts(&[], [5.0].into_iter()).unwrap();
        assert_eq!((none.bounds, none.count), (vec![], 5.0));
        assert_eq!(Cumulative::from_counts(&[1.0], [1.0].into_iter()), Err(Refusal::Malformed));
        assert_eq!(Cumulative::from_counts(&[f64::NAN], [1.0, 2.0].into_iter()), Err(Refusal::Malformed));
        let many = vec![0.0; MAX_BUCKETS];
        assert_eq!(Cumulative::from_counts(&many, vec![1.0; MAX_BUCKETS + 1].into_iter()), Err(Refusal::TooLong));
    }

    #[test]
    fn exponential_buckets_become_bounds_on_both_sides_of_zero() {
        let mut buckets = Exponential::new(0).unwrap();
        for (sign, index, count) in
            [(Sign::Positive, 1, 2.0), (Sign::Positive, 3, 1.0), (Sign::Negative, 0, 4.0), (Sign::Negative, 2, 8.0)]
        {
            buckets.add(sign, index, count);
        }
        let found = buckets.cumulative(0.0, 16.0).unwrap();
        let want = [
            (-4.0, 0.0),
            (-2.0, 8.0),
            (-1.0, 8.0),
            (-0.5, 12.0),
            (0.0, 28.0),
            (1.0, 28.0),
            (2.0, 30.0),
            (4.0, 30.0),
            (8.0, 31.0),
        ];
        assert_eq!((found.bounds.as_slice(), found.count), (&want[..], 31.0));
    }

    #[test]
    fn fine_buckets_merge_and_lose_no_count() {
        let mut buckets = Exponential::new(5).unwrap();
        for index in -3..=8 {
            buckets.add(Sign::Positive, index, 1.0);
        }
        let found = buckets.cumulative(0.0, 0.0).unwrap();
        // Four of scale 5 make one of scale 3.
        assert_eq!(found.bounds, [(0.917_004_043, 0.0), (1.0, 4.0), (1.090_507_73, 8.0), (1.189_207_12, 12.0)]);
    }

    #[test]
    fn absurd_buckets_stay_within_bounds() {
        assert_eq!(Exponential::new(21), Err(Refusal::Malformed));
        assert_eq!(Exponential::new(i32::MIN), Err(Refusal::Malformed));
        let mut buckets = Exponential::new(3).unwrap();
        buckets.add(Sign::Positive, i64::MIN, 1.0);
        buckets.add(Sign::Positive, i64::MAX, 1.0);
        assert_eq!(buckets.cumulative(0.0, 0.0), Err(Refusal::TooLong));
        let mut coarse = Exponential::new(-10).unwrap();
        coarse.add(Sign::Positive, i64::MAX, 1.0);
        coarse.add(Sign::Negative, i64::MAX, 1.0);
        let found = coarse.cumulative(f64::NAN, 0.0).unwrap();
        assert!((found.count - 2.0).abs() < f64::EPSILON);
        assert!(found.bounds.iter().all(|(bound, _)| *bound != f64::INFINITY));
    }

    #[test]
    fn numbers_read_as_prometheus_writes_them() {
        for (value, want) in [(1.0, "1"), (0.005, "0.005"), (1e30, "1e30"), (f64::INFINITY, "+Inf"), (-2.5, "-2.5")] {
            assert_eq!(number_text(value), want);
        }
    }
}
