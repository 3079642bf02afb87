use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const DAY: i64 = 1440;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_seconds(minute * 60)
}

fn range(from: i64, to: i64) -> TimeRange {
    TimeRange { from: at(from), to: at(to) }
}

fn tally(good: u64, valid: u64) -> Tally {
    Tally { good, valid, unknown: 0 }
}

/// Some minute of 2026, the first of an hour.
const NOW: i64 = 29_700_000;

fn counts(days: i64) -> Counts {
    Counts::new(Span::from_seconds(days * 86_400), at(NOW))
}

#[test]
fn what_nobody_looked_at_is_not_seen_and_never_good() {
    let mut counts = counts(30);
    counts.see(range(NOW - 100, NOW - 60));
    counts.add(at(NOW - 10), tally(3, 4));
    let sum = counts.sum(range(NOW - 120, NOW));
    assert_eq!(sum.tally, tally(3, 4));
    assert_eq!((sum.minutes, sum.seen), (120, 41));
    assert!((sum.coverage() - 41.0 / 120.0).abs() < 1e-12);
    assert_eq!(counts.first_seen(), Some(at(NOW - 100)));
    // Seen twice is seen once.
    counts.see(range(NOW - 100, NOW - 60));
    assert_eq!(counts.sum(range(NOW - 120, NOW)).seen, 41);
}

#[test]
fn late_events_count_in_their_own_minute() {
    let mut counts = counts(30);
    counts.add(at(NOW - 1), tally(1, 1));
    assert_eq!(counts.add(at(NOW - 2 * DAY), tally(0, 5)), Added::Counted);
    assert_eq!(counts.last(Span::from_seconds(86_400), at(NOW)).tally, tally(1, 1));
    assert_eq!(counts.last(Span::from_seconds(3 * 86_400), at(NOW)).tally, tally(1, 6));
    assert_eq!(counts.add(at(NOW + 11), tally(1, 1)), Added::Ahead);
    assert_eq!(counts.add(at(NOW - 40 * DAY), tally(1, 1)), Added::TooOld);
}

#[test]
fn beyond_the_kept_minutes_a_range_is_widened_to_whole_hours() {
    let mut counts = counts(30);
    let old = NOW - 20 * DAY;
    counts.add(at(old + 5), tally(1, 2));
    let sum = counts.sum(range(old + 30, NOW));
    assert_eq!((sum.tally, sum.minutes), (tally(1, 2), 20 * DAY));
    // Both ends in the past.
    let sum = counts.sum(range(old + 30, old + 31));
    assert_eq!((sum.tally, sum.minutes), (tally(1, 2), 60));
}

#[test]
fn a_clock_that_runs_ahead_and_comes_back_costs_only_what_it_touched() {
    // The last two fall into the slots of the next minute and hour.
    for ahead in [60, DAY, 400 * DAY, 4440 + 5, (720 + 50) * 60] {
        let mut counts = counts(30);
        for minute in 0..4 * DAY {
            counts.add(at(NOW - 1 - minute), tally(9, 10));
        }
        counts.set_now(at(NOW + ahead));
        counts.add(at(NOW + ahead), tally(0, 7));
        counts.see(range(NOW + ahead, NOW + ahead + 2));
        counts.set_now(at(NOW));
        let day = counts.last(Span::from_seconds(86_400), at(NOW));
        assert_eq!((day.tally, day.seen), (tally(9 * 1440, 10 * 1440), 1440), "{ahead} minutes ahead");
        // And the touched slots take what belongs there.
        for minute in 0..90 {
            counts.set_now(at(NOW + minute + 1));
            assert_eq!(counts.add(at(NOW + minute), tally(1, 1)), Added::Counted);
        }
        let sum = counts.sum(range(NOW, NOW + 59));
        assert_eq!(sum.tally, tally(59, 59), "{ahead} minutes ahead");
    }
}

#[test]
fn memory_is_fixed_and_what_is_saved_comes_back() {
    let mut counts = counts(90);
    let before = counts.heap_bytes();
    for minute in 0..100 * DAY {
        counts.set_now(at(NOW + minute));
        counts.add(at(NOW + minute), tally(2, 3));
    }
    assert_eq!(counts.heap_bytes(), before);
    assert!(before < 200_000, "{before} bytes");
    let saved = serde_json::to_string(&counts.save()).unwrap();
    let now = NOW + 100 * DAY;
    let mut other = Counts::new(Span::from_seconds(90 * 86_400), at(now));
    other.restore(&serde_json::from_str(&saved).unwrap());
    for days in [1, 3, 30, 90] {
        let window = Span::from_seconds(days * 86_400);
        assert_eq!(other.last(window, at(now)), counts.last(window, at(now)), "{days} days");
    }
    counts.set_now(at(now));
    assert_eq!(other.first_seen(), counts.first_seen());
}

proptest! {
    #[test]
    fn sums_are_those_of_a_plain_map(
        events in prop::collection::vec((0i64..3 * DAY, 0u64..5, 0u64..5), 0..200),
        from in 0i64..3 * DAY,
        length in 0i64..3 * DAY,
    ) {
        let mut counts = counts(30);
        let mut plain: BTreeMap<i64, Tally> = BTreeMap::new();
        for (back, good, bad) in events {
            let minute = NOW - 1 - back;
            counts.add(at(minute), tally(good, good + bad));
            plain.entry(minute).or_default().add(tally(good, good + bad));
        }
        let (from, to) = (NOW - from, (NOW - from + length).min(NOW));
        let sum = counts.sum(range(from, to));
        let mut want = Tally::default();
        plain.range(from..to.max(from)).for_each(|(_, tally)| want.add(*tally));
        prop_assert_eq!(sum.tally, want);
        prop_assert_eq!(sum.seen, i64::try_from(plain.range(from..to.max(from)).count()).unwrap());
    }
}
