//! What happens in the demonstration, and when: bursts of failures, the deploy, the leak.
//!
//! Pure: time comes in as "so long since the start", and the same seed tells the same story.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// The story of one demonstration. The default is what `koshu up --demo` shows; tests shorten it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// Processes which serve HTTP.
    pub workers: u8,
    /// Processes which work through orders.
    pub queue_workers: u8,
    /// People in the shop at any time.
    pub people: u16,
    /// Earliest start of the first burst of failed checkouts; it starts at most a tenth of `burst_every_ms` later.
    pub first_burst_ms: u64,
    /// From the start of one burst to about the start of the next.
    pub burst_every_ms: u64,
    /// How long a burst lasts.
    pub burst_length_ms: u64,
    /// When release 1.1 is rolled out, which makes `GET /items/:id` slower.
    pub deploy_after_ms: u64,
    /// The share of item pages that fail with release 1.1, 0 to 1.
    pub deploy_fails: f64,
    /// When release 1.0 is rolled out again; 0 for never.
    pub rollback_after_ms: u64,
    /// A worker forgets to give memory back once in so many requests.
    pub leak_every_requests: u32,
    /// How much it forgets each time.
    pub leak_bytes: usize,
    /// A worker which has leaked about so much dies.
    pub leak_limit_bytes: usize,
    /// The access log is rotated at this size; two older ones are kept.
    pub rotate_log_at_bytes: u64,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            workers: 4,
            queue_workers: 2,
            people: 40,
            first_burst_ms: 20_000,
            burst_every_ms: 90_000,
            burst_length_ms: 20_000,
            deploy_after_ms: 120_000,
            deploy_fails: 0.03,
            rollback_after_ms: 20 * 60_000,
            leak_every_requests: 20,
            leak_bytes: 768 << 10,
            leak_limit_bytes: 60 << 20,
            rotate_log_at_bytes: 16 << 20,
        }
    }
}

/// A version of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Release {
    /// What runs at the start, and again after the roll-back.
    V1_0,
    /// Rolled out after two minutes; its item page asks the database three times instead of once, and sometimes fails.
    V1_1,
}

impl Release {
    /// The version as people write it.
    pub const fn version(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
        }
    }
}
impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.version())
    }
}

impl Scenario {
    /// Whether the payment service is failing `elapsed` after the start.
    pub fn is_failing(&self, seed: u64, elapsed: Duration) -> bool {
        let Ok(elapsed_ms) = u64::try_from(elapsed.as_millis()) else { return false };
        let Some(since_first) = elapsed_ms.checked_sub(self.first_burst_ms) else { return false };
        let every = self.burst_every_ms.max(1);
        let (cycle, into_cycle) = (since_first / every, since_first % every);
        // Each burst starts a little later than its cycle, differently each time, as real ones do.
        let late = StdRng::seed_from_u64(seed ^ cycle.wrapping_mul(0x9E37_79B9_7F4A_7C15)).random_range(0..=every / 10);
        (late..late.saturating_add(self.burst_length_ms)).contains(&into_cycle)
    }

    /// The release that should be running `elapsed` after the start.
    pub fn release(&self, elapsed: Duration) -> Release {
        let last = self.roll_outs().into_iter().rfind(|(at, _)| *at <= elapsed);
        last.map_or(Release::V1_0, |(_, release)| release)
    }

    /// When which release is rolled out, counted from the start, in their order.
    pub fn roll_outs(&self) -> Vec<(Duration, Release)> {
        let deploy = Duration::from_millis(self.deploy_after_ms);
        let rollback = Duration::from_millis(self.rollback_after_ms);
        let mut all = vec![(deploy, Release::V1_1)];
        if rollback > deploy {
            all.push((rollback, Release::V1_0));
        }
        all
    }

    /// How much this very worker may leak before it dies: 80 to 100 % of the limit, so that not all die together.
    pub fn leak_limit(&self, worker_seed: u64) -> usize {
        let tenths = StdRng::seed_from_u64(worker_seed).random_range(80..=100);
        self.leak_limit_bytes / 100 * tenths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing_seconds(scenario: &Scenario, seed: u64, range: std::ops::Range<u64>) -> Vec<u64> {
        range.filter(|s| scenario.is_failing(seed, Duration::from_secs(*s))).collect()
    }

    #[test]
    fn a_newcomer_sees_a_burst_within_a_minute_whatever_the_seed() {
        let scenario = Scenario::default();
        for seed in 0..200 {
            let seen = failing_seconds(&scenario, seed, 0..60);
            assert!((19..=21).contains(&seen.len()), "seed {seed}: {seen:?}");
            assert!(seen[0] >= 20 && seen[0] < 40, "seed {seed} starts at {}", seen[0]);
        }
    }

    #[test]
    fn about_twenty_seconds_of_each_ninety_fail() {
        let scenario = Scenario::default();
        for seed in 0..50 {
            let seen = failing_seconds(&scenario, seed, 20..920).len();
            assert!((190..=210).contains(&seen), "seed {seed}: {seen} of 900 seconds");
        }
    }

    #[test]
    fn the_deploy_comes_after_two_minutes_and_is_taken_back_after_twenty() {
        let scenario = Scenario::default();
        for (case, seconds, want) in [
            ("start", 0, Release::V1_0),
            ("just before", 119, Release::V1_0),
            ("on time", 120, Release::V1_1),
            ("still", 1199, Release::V1_1),
            ("taken back", 1200, Release::V1_0),
            ("for good", 9_000, Release::V1_0),
        ] {
            assert_eq!(scenario.release(Duration::from_secs(seconds)), want, "{case}");
        }
        let kept = Scenario { rollback_after_ms: 0, ..scenario };
        assert_eq!(kept.release(Duration::from_mins(150)), Release::V1_1);
        assert_eq!(kept.roll_outs().len(), 1);
    }

    #[test]
    fn nonsense_numbers_tell_a_dull_story_instead_of_a_crash() {
        let scenario = Scenario { burst_every_ms: 0, burst_length_ms: u64::MAX, ..Scenario::default() };
        scenario.is_failing(1, Duration::MAX);
        scenario.is_failing(1, Duration::from_secs(30));
    }
}
