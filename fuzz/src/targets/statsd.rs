//! StatsD: every line is summed, handed over or refused, and no sum is anything but a number.

use super::twice;
use base::Timestamp;
use protocols::statsd::{self, Aggregator, Line, MAX_HELD_BYTES, MAX_SERIES};

pub fn datagram(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    let is_summed = |line: &&&[u8]| matches!(Line::read(line), Ok(Line::Metric(metric)) if metric.ts.is_none());
    let summed = lines.iter().filter(is_summed).count() as u64;

    let decode = |seen: &mut super::Counted| {
        let mut aggregator = Aggregator::default();
        statsd::decode(bytes, &mut aggregator, seen);
        assert_eq!(seen.samples + seen.events + seen.refused + summed, lines.len() as u64, "{seen:?}");
        assert!(aggregator.series() <= MAX_SERIES && aggregator.held_bytes() <= MAX_HELD_BYTES);
        let refused = aggregator.flush(Timestamp::from_seconds(60), seen);
        // Series come in the order of a hash table.
        *seen = std::mem::take(seen).without_order();
        refused
    };
    let (_, seen) = twice(decode);
    assert_eq!(seen.not_finite, 0);
}
