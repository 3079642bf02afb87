//! Every duration of a route, for quantiles without error.

use foldhash::HashMap;

/// How often each duration occurred: logs have few different ones, because servers round to milliseconds.
#[derive(Debug, Clone, Default)]
pub(super) struct ExactDurations {
    counts: HashMap<u64, u64>,
}

impl ExactDurations {
    /// Counts a duration; whether it is a new one.
    pub(super) fn add(&mut self, us: u64) -> bool {
        let count = self.counts.entry(us).or_default();
        *count += 1;
        *count == 1
    }

    /// Nearest-rank quantiles: the smallest duration such that at least this share is not longer.
    pub(super) fn quantiles<const N: usize>(&self, shares: [f64; N]) -> [Option<f64>; N] {
        let mut sorted: Vec<(u64, u64)> = self.counts.iter().map(|(us, count)| (*us, *count)).collect();
        sorted.sort_unstable();
        let total: u64 = sorted.iter().map(|(_, count)| count).sum();
        shares.map(|share| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share of a count
            let rank = ((share * total as f64).ceil() as u64).max(1);
            let mut seen = 0;
            let found = sorted.iter().find(|(_, count)| {
                seen += count;
                seen >= rank
            });
            found.map(|(us, _)| *us as f64)
        })
    }
}
