//! When each check runs next: one heap for all, whatever their number.
//!
//! Each check has its own place within its interval, the same after every restart, so that thousands don't start at once.

use base::Span;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The first run comes within this time, however long the interval.
const FIRST_WITHIN: Span = Span::from_seconds(60);

/// What is due when, by a clock in microseconds that never goes back.
#[derive(Debug, Default)]
pub struct Schedule {
    due: BinaryHeap<Reverse<(i64, u32)>>,
}

/// How long after the start a check runs for the first time, microseconds: by its name, the same every time.
pub fn offset_us(name: &str, every: Span) -> i64 {
    let within = every.min(FIRST_WITHIN).micros().unsigned_abs().max(1);
    let hash = blake3::hash(name.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    i64::try_from(u64::from_le_bytes(first) % within).unwrap_or(0)
}

impl Schedule {
    /// Notes when something is due.
    pub fn add(&mut self, index: u32, at_us: i64) {
        self.due.push(Reverse((at_us, index)));
    }

    /// When the next one is due.
    pub fn next_us(&self) -> Option<i64> {
        self.due.peek().map(|Reverse((at, _))| *at)
    }

    /// One that is due: which, and since when. It is no longer noted.
    pub fn take(&mut self, now_us: i64) -> Option<(u32, i64)> {
        let Reverse((at, index)) = *self.due.peek()?;
        if at > now_us {
            return None;
        }
        self.due.pop();
        Some((index, at))
    }
}

/// The turn after one that was due at `due_us`: at the same place within the interval, in the future. Turns that passed
/// meanwhile are left out.
pub fn next_turn(due_us: i64, every: Span, now_us: i64) -> i64 {
    let every = every.micros().max(1);
    let passed = now_us.saturating_sub(due_us).max(0) / every;
    due_us.saturating_add(every.saturating_mul(passed.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn ten_thousand_checks_are_spread_and_each_runs_once_an_interval() {
        let every = Span::from_seconds(60);
        let mut schedule = Schedule::default();
        for index in 0..10_000 {
            schedule.add(index, offset_us(&format!("check-{index}"), every));
        }
        let mut runs: BTreeMap<u32, u32> = BTreeMap::new();
        let mut busiest = 0;
        for second in 0..300i64 {
            let now = second * 1_000_000;
            let mut at_once = 0;
            while let Some((index, due)) = schedule.take(now) {
                *runs.entry(index).or_default() += 1;
                schedule.add(index, next_turn(due, every, now));
                at_once += 1;
            }
            busiest = busiest.max(at_once);
        }
        assert!(
            runs.len() == 10_000 && runs.values().all(|count| *count == 5 || *count == 4),
            "{:?}",
            runs.values().max()
        );
        assert!(busiest < 250, "{busiest} in one second, 167 is the mean");
    }

    #[test]
    fn turns_that_passed_are_left_out() {
        let every = Span::from_seconds(10);
        for (due, now, want) in [(0, 0, 10), (0, 9, 10), (0, 10, 20), (3, 47, 53), (100, 3, 110)] {
            assert_eq!(next_turn(due * 1_000_000, every, now * 1_000_000), want * 1_000_000, "{due} {now}");
        }
        assert_eq!(next_turn(i64::MAX - 1, every, 0), i64::MAX);
    }

    #[test]
    fn a_name_has_its_place_for_ever() {
        assert_eq!(offset_us("buy", Span::from_seconds(60)), offset_us("buy", Span::from_seconds(3600)));
        assert_ne!(offset_us("buy", Span::from_seconds(60)), offset_us("sell", Span::from_seconds(60)));
        assert!((0..10_000_000).contains(&offset_us("buy", Span::from_seconds(10))));
    }

    proptest! {
        #[test]
        fn the_next_turn_lies_ahead_and_in_step(due in 0i64..1_000_000_000, every in 1i64..10_000, now in 0i64..10_000_000_000) {
            let every = Span::from_micros(every * 1000);
            let next = next_turn(due, every, now);
            prop_assert!(next > now && (next - due) % every.micros() == 0);
            prop_assert!(next <= now.max(due) + every.micros());
        }
    }
}
