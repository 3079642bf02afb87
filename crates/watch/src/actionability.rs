//! How often a rule's alerts made somebody act, and what they cost: the record a rule carries.
//!
//! Pure. No ratio without its interval and counts: 3 of 3 may still be a rule that is wrong half of the time.

mod demotion;
mod pages;

pub use demotion::{Demotion, DemotionError, demote};
pub use pages::{Page, PageBudget, PersonWeek, WorkingHours, by_person_and_week};

use crate::outcome::{Case, Judgement};
use base::Span;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::BTreeMap;
use store::Outcome;

/// Two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;
/// Below this, with 95 % confidence, most of a rule's alerts were for nothing.
pub const DEMOTE_BELOW: f64 = 0.5;
/// It takes so long to get back into what one was doing.
const REFOCUS_MINUTES: f64 = 15.0;

/// A share with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// How many of them.
    pub of: u64,
    /// All.
    pub all: u64,
    /// The share.
    pub share: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Share {
    /// Wilson's score interval, which is sensible for few and at both ends. `None` of none: nothing is known then.
    pub fn of(of: u64, all: u64) -> Option<Self> {
        if all == 0 {
            return None;
        }
        let of = of.min(all);
        let (share, count) = (of as f64 / all as f64, all as f64);
        let spread = Z * Z / count;
        let centre = share + spread / 2.0;
        let half = Z * (share * (1.0 - share) / count + spread / (4.0 * count)).sqrt();
        // Exact where rounding would leave 1e-17.
        let low = if of == 0 { 0.0 } else { (centre - half) / (1.0 + spread) };
        let high = if of == all { 1.0 } else { (centre + half) / (1.0 + spread) };
        Some(Self { of, all, share, low, high })
    }
}

/// A rule's record over some time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Record {
    /// All firings.
    pub firings: u64,
    /// Of these, told to somebody.
    pub told: u64,
    /// How many had which outcome.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// How many nobody said anything about, flaps not counted.
    pub undecided: u64,
    /// Share of those that are decided in which somebody had to act.
    pub precision: Option<Share>,
    /// Median time until somebody took it, of those that somebody took. The lower one of two in the middle.
    pub median_acknowledge: Option<Span>,
    /// Ended within five minutes without anybody's doing.
    pub flaps: u64,
    /// Told outside working hours (alerts).
    pub off_hours: u64,
    /// Minutes of people for nothing: until somebody took it, and a quarter of an hour to get back to work.
    pub noise_minutes: f64,
}

impl Record {
    /// Of a rule's firings.
    pub fn of(cases: &[Case], hours: &WorkingHours, zone: &TimeZone) -> Self {
        let count = |wanted: &dyn Fn(&Case) -> bool| cases.iter().filter(|case| wanted(case)).count() as u64;
        let judged = |wanted: Judgement| count(&|case| case.judgement() == wanted);
        let (actionable, not) = (judged(Judgement::Actionable), judged(Judgement::NotActionable));
        let mut outcomes = BTreeMap::new();
        for outcome in Outcome::ALL {
            outcomes.insert(outcome.as_str(), count(&|case| case.outcome == Some(*outcome)));
        }
        let mut waits: Vec<i64> = cases.iter().filter_map(wait).collect();
        waits.sort_unstable();
        let noise = cases.iter().filter(|case| case.told && case.judgement() == Judgement::NotActionable);
        Self {
            firings: cases.len() as u64,
            told: count(&|case| case.told),
            outcomes,
            undecided: judged(Judgement::Open),
            precision: Share::of(actionable, actionable + not),
            median_acknowledge: waits.get(waits.len().saturating_sub(1) / 2).copied().map(Span::from_micros),
            flaps: count(&Case::is_flap),
            off_hours: count(&|case| case.told && case.alert && !hours.contain(case.began, zone)),
            // A sum of nothing is minus zero otherwise.
            noise_minutes: noise.map(|case| wait(case).unwrap_or(0) as f64 / 60e6 + REFOCUS_MINUTES).sum::<f64>() + 0.0,
        }
    }

    /// Whether the rule should alert nobody any more: even the upper end of the interval lies below a half.
    pub fn is_to_be_demoted(&self) -> bool {
        self.precision.is_some_and(|precision| precision.high < DEMOTE_BELOW)
    }
}

/// Until somebody took it, in microseconds. A clock that was set back makes no negative waits.
fn wait(case: &Case) -> Option<i64> {
    Some((case.acknowledged?.micros() - case.began.micros()).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::tests::case;
    use proptest::prelude::*;

    #[test]
    fn intervals_are_those_worked_out_by_hand() {
        // With z² = 3.841459: of 3 of 3 the lower end is 3/(3 + z²) = 3/6.841459 = 0.4385. Of 0 of n the upper end is
        // z²/(n + z²): 3.841459/13.841459 = 0.2775 for 10, 0.4899 for 4, 0.5615 for 3. Of 1 of 10: centre
        // (0.1 + 0.192073)/1.384146 = 0.211013, half 1.959964 · √(0.009 + 0.0096036)/1.384146 = 0.193137, so
        // 0.0179 to 0.4042. Of 5 of 10: centre 0.5, half 1.959964 · √(0.025 + 0.0096036)/1.384146 = 0.263407.
        for (of, all, low, high) in [
            (3, 3, 0.4385, 1.0),
            (0, 10, 0.0, 0.2775),
            (0, 4, 0.0, 0.4899),
            (0, 3, 0.0, 0.5615),
            (1, 10, 0.0179, 0.4042),
            (5, 10, 0.2366, 0.7634),
        ] {
            let share = Share::of(of, all).unwrap();
            assert!((share.low - low).abs() < 5e-5 && (share.high - high).abs() < 5e-5, "{of} of {all}: {share:?}");
        }
        assert_eq!(Share::of(0, 0), None);
    }

    #[test]
    fn a_record_counts_what_happened() {
        use Outcome::{Acted, NoActionNeeded};
        let mut cases = vec![
            case(Some(30), Some(2), Some(Acted)),
            case(Some(30), Some(10), Some(NoActionNeeded)),
            case(Some(1), None, None),
            case(None, Some(4), None),
        ];
        // 1970-01-12 was a Monday; these began at 13:46 UTC, 22:46 in Tokyo.
        let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
        let record = Record::of(&cases, &WorkingHours::default(), &tokyo);
        assert_eq!((record.firings, record.told, record.undecided, record.flaps), (4, 4, 1, 1));
        assert_eq!((record.outcomes["acted"], record.outcomes["healed"]), (1, 0));
        assert_eq!(record.precision.map(|share| (share.of, share.all)), Some((1, 3)));
        assert_eq!(record.median_acknowledge, Some(Span::from_seconds(240)), "of 2, 4 and 10 minutes");
        assert_eq!(record.off_hours, 4);
        // 10 minutes and 15, and 15 for the flap.
        assert!((record.noise_minutes - 40.0).abs() < 1e-9);
        assert_eq!(Record::of(&cases, &WorkingHours::default(), &TimeZone::UTC).off_hours, 0);
        cases.clear();
        let none = Record::of(&cases, &WorkingHours::default(), &tokyo);
        assert_eq!((none.precision, none.median_acknowledge), (None, None));
    }

    #[test]
    fn a_rule_is_demoted_when_even_the_upper_end_is_below_a_half() {
        let noise = case(Some(30), None, Some(Outcome::NoActionNeeded));
        let real = case(Some(30), None, Some(Outcome::Acted));
        for (case, reals, noises, want) in [
            ("3 for nothing", 0, 3, false),
            ("4 for nothing", 0, 4, true),
            ("1 of 10", 1, 9, true),
            ("3 of 10", 3, 7, false),
            ("none", 0, 0, false),
        ] {
            let mut cases = vec![real.clone(); reals];
            cases.extend(vec![noise.clone(); noises]);
            let record = Record::of(&cases, &WorkingHours::default(), &TimeZone::UTC);
            assert_eq!(record.is_to_be_demoted(), want, "{case}");
        }
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_share_and_shrinks_with_more(of in 0_u64..200, more in 0_u64..200) {
            let all = of + more;
            prop_assume!(all > 0);
            let share = Share::of(of, all).unwrap();
            prop_assert!(0.0 <= share.low && share.low <= share.share && share.share <= share.high && share.high <= 1.0);
            let tenfold = Share::of(of * 10, all * 10).unwrap();
            prop_assert!(tenfold.high - tenfold.low <= share.high - share.low + 1e-12);
        }
    }
}
