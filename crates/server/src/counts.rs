//! How many records came, and what became of them.

use protocols::access::Tally;
use std::collections::BTreeMap;

/// What of a delivery was taken and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records that became rows.
    pub taken: u64,
    /// Records that did not, by reason, with one (masked) example each.
    pub refused: BTreeMap<&'static str, (u64, String)>,
    /// The newest time that a record claims, minus the time of arrival, microseconds: how far the sender's clock is off.
    pub skew_us: Option<i64>,
    /// Records that brought more fields than are kept of one.
    pub shortened: u64,
}

impl Counts {
    /// How many were refused.
    pub fn refused(&self) -> u64 {
        self.refused.values().map(|(count, _)| count).sum()
    }

    /// All records.
    pub fn all(&self) -> u64 {
        self.taken + self.refused()
    }

    /// Counts a record that was refused; `example` is what it looked like.
    pub fn refuse(&mut self, reason: &'static str, example: &[u8]) {
        let entry = self.refused.entry(reason).or_insert_with(|| (0, protocols::access::redact(example)));
        entry.0 += 1;
    }

    /// Adds other counts; examples that are here stay.
    pub fn merge(&mut self, other: &Self) {
        self.taken += other.taken;
        for (reason, (count, example)) in &other.refused {
            self.refused.entry(reason).or_insert_with(|| (0, example.clone())).0 += count;
        }
        self.skew_us = self.skew_us.max(other.skew_us);
        self.shortened += other.shortened;
    }
}

impl From<&Tally> for Counts {
    fn from(tally: &Tally) -> Self {
        let refused =
            tally.rejects().into_iter().map(|reject| (reject.reason, (reject.count, reject.sample))).collect();
        Self { taken: tally.parsed(), refused, ..Self::default() }
    }
}
