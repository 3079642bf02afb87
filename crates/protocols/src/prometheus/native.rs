//! Native histograms of remote write, in both versions, to cumulative buckets.

use crate::histogram::{Cumulative, Exponential, MAX_BUCKETS, Sign};
use crate::observed::Refusal;
use prost::Message;

/// The schema whose bounds the sender lists itself.
const CUSTOM_BOUNDS: i32 = -53;

/// `prometheus.Histogram` and `io.prometheus.write.v2.Histogram`: the same fields in both.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Histogram {
    #[prost(uint64, optional, tag = "1")]
    pub(super) count_int: Option<u64>,
    #[prost(double, optional, tag = "2")]
    pub(super) count_float: Option<f64>,
    #[prost(double, tag = "3")]
    pub(super) sum: f64,
    #[prost(sint32, tag = "4")]
    pub(super) schema: i32,
    #[prost(double, tag = "5")]
    pub(super) zero_threshold: f64,
    #[prost(uint64, optional, tag = "6")]
    pub(super) zero_count_int: Option<u64>,
    #[prost(double, optional, tag = "7")]
    pub(super) zero_count_float: Option<f64>,
    #[prost(message, repeated, tag = "8")]
    pub(super) negative_spans: Vec<Span>,
    #[prost(sint64, repeated, tag = "9")]
    pub(super) negative_deltas: Vec<i64>,
    #[prost(double, repeated, tag = "10")]
    pub(super) negative_counts: Vec<f64>,
    #[prost(message, repeated, tag = "11")]
    pub(super) positive_spans: Vec<Span>,
    #[prost(sint64, repeated, tag = "12")]
    pub(super) positive_deltas: Vec<i64>,
    #[prost(double, repeated, tag = "13")]
    pub(super) positive_counts: Vec<f64>,
    #[prost(int64, tag = "15")]
    pub(super) timestamp: i64,
    #[prost(double, repeated, tag = "16")]
    pub(super) custom_values: Vec<f64>,
}

/// A run of buckets: how far behind the last one it begins, and how many they are.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Span {
    #[prost(sint32, tag = "1")]
    pub(super) offset: i32,
    #[prost(uint32, tag = "2")]
    pub(super) length: u32,
}

impl Histogram {
    pub(super) fn cumulative(&self) -> Result<Cumulative, Refusal> {
        let positive = buckets(&self.positive_spans, &self.positive_deltas, &self.positive_counts)?;
        let negative = buckets(&self.negative_spans, &self.negative_deltas, &self.negative_counts)?;
        let found = if self.schema == CUSTOM_BOUNDS {
            self.custom(&positive)?
        } else {
            let mut found = Exponential::new(self.schema)?;
            for (sign, side) in [(Sign::Positive, positive), (Sign::Negative, negative)] {
                for (index, count) in side {
                    found.add(sign, index, count);
                }
            }
            let zero = self.zero_count_float.or(self.zero_count_int.map(|count| count as f64));
            found.cumulative(self.zero_threshold, zero.unwrap_or_default())?
        };
        let count = self.count_float.or(self.count_int.map(|count| count as f64)).unwrap_or(found.count);
        Ok(Cumulative { count, sum: Some(self.sum), ..found })
    }

    /// Bucket `i` ends at the `i`-th bound; the last has none.
    fn custom(&self, buckets: &[(i64, f64)]) -> Result<Cumulative, Refusal> {
        if self.custom_values.len() >= MAX_BUCKETS {
            return Err(Refusal::TooLong);
        }
        let mut counts = vec![0.0; self.custom_values.len() + 1];
        for (index, count) in buckets {
            let place = usize::try_from(*index).ok().and_then(|index| counts.get_mut(index));
            *place.ok_or(Refusal::Malformed)? += count;
        }
        Cumulative::from_counts(&self.custom_values, counts.into_iter())
    }
}

/// Index and count of each bucket. Counts are whole numbers, each told by its difference to the one before, or doubles.
/// Spans say how many there are; only as many as there are counts are believed.
fn buckets(spans: &[Span], deltas: &[i64], counts: &[f64]) -> Result<Vec<(i64, f64)>, Refusal> {
    let claimed: u64 = spans.iter().map(|span| u64::from(span.length)).sum();
    if claimed != deltas.len().max(counts.len()) as u64 {
        return Err(Refusal::Malformed);
    }
    if claimed > MAX_BUCKETS as u64 {
        return Err(Refusal::TooLong);
    }
    let indexes = spans.iter().scan(0i64, |next, span| {
        let start = next.saturating_add(i64::from(span.offset));
        *next = start.saturating_add(i64::from(span.length));
        Some(start..*next)
    });
    let mut total = 0i64;
    let whole = deltas.iter().map(|delta| {
        total = total.saturating_add(*delta);
        total as f64
    });
    let counts: Vec<f64> = if deltas.is_empty() { counts.to_vec() } else { whole.collect() };
    Ok(indexes.flatten().zip(counts).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(offset: i32, length: u32) -> Span {
        Span { offset, length }
    }

    #[test]
    fn spans_and_deltas_become_cumulative_buckets() {
        let sent = Histogram {
            count_int: Some(12),
            sum: 18.4,
            zero_threshold: 0.001,
            zero_count_int: Some(2),
            positive_spans: vec![span(0, 2), span(1, 2)],
            positive_deltas: vec![1, 1, -1, 0],
            ..Histogram::default()
        };
        let found = sent.cumulative().unwrap();
        let want = [(0.001, 2.0), (0.5, 2.0), (1.0, 3.0), (2.0, 5.0), (4.0, 5.0), (8.0, 6.0), (16.0, 7.0)];
        assert_eq!((found.bounds.as_slice(), found.count, found.sum), (&want[..], 12.0, Some(18.4)));
    }

    #[test]
    fn bounds_of_the_sender_are_kept() {
        let sent = Histogram {
            schema: CUSTOM_BOUNDS,
            custom_values: vec![0.1, 1.0],
            positive_spans: vec![span(0, 1), span(1, 1)],
            positive_counts: vec![2.0, 3.0],
            ..Histogram::default()
        };
        let found = sent.cumulative().unwrap();
        assert_eq!((found.bounds.as_slice(), found.count), (&[(0.1, 2.0), (1.0, 2.0)][..], 5.0));
        let beyond = Histogram { positive_spans: vec![span(3, 1), span(0, 1)], ..sent };
        assert_eq!(beyond.cumulative(), Err(Refusal::Malformed));
    }

    #[test]
    fn spans_that_lie_are_refused_before_they_cost() {
        for (case, spans, deltas, want) in [
            ("more than there are", vec![span(0, u32::MAX); 1000], vec![1], Refusal::Malformed),
            ("fewer than there are", vec![], vec![1], Refusal::Malformed),
            ("too many", vec![span(0, 2000)], vec![1; 2000], Refusal::TooLong),
            ("too far apart", vec![span(-9000, 1), span(i32::MAX, 1)], vec![1, 1], Refusal::TooLong),
        ] {
            let sent = Histogram { positive_spans: spans, positive_deltas: deltas, schema: 3, ..Histogram::default() };
            assert_eq!(sent.cumulative(), Err(want), "{case}");
        }
        let schema = Histogram { schema: 99, ..Histogram::default() };
        assert_eq!(schema.cumulative(), Err(Refusal::Malformed));
    }

    proptest! {
        #[test]
        fn bounds_and_counts_rise(
            schema in -10i32..=20,
            offsets in proptest::collection::vec(0i32..3, 1..5),
            counts in proptest::collection::vec(0i64..9, 5),
        ) {
            let spans: Vec<_> = offsets.iter().map(|offset| span(*offset, 1)).collect();
            let counts: Vec<f64> = counts.iter().take(spans.len()).map(|count| *count as f64).collect();
            let sent = Histogram {
                schema,
                positive_spans: spans.clone(),
                positive_counts: counts.clone(),
                negative_spans: spans,
                negative_counts: counts.clone(),
                ..Histogram::default()
            };
            let found = sent.cumulative().unwrap();
            prop_assert!(found.bounds.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1));
            prop_assert!((found.count - counts.iter().sum::<f64>() * 2.0).abs() < 1e-9);
        }
    }
}
