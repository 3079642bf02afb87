use super::*;
use Phase::{Absent, Failed, Fine, Firing, Pending, SourceLost};
use proptest::prelude::*;

const INTERVAL: i64 = 15;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

fn spec(hold: i64, clear: Option<f64>) -> StepSpec {
    StepSpec {
        threshold: Threshold { side: Side::Above, limit: 800.0, clear },
        hold: Span::from_seconds(hold),
        interval: Span::from_seconds(INTERVAL),
    }
}

/// Goes through verdicts at times and gives back the changes.
fn run(spec: &StepSpec, steps: &[(i64, Verdict)]) -> Vec<(i64, Phase)> {
    let mut state = State::new(at(steps[0].0));
    let mut changes = Vec::new();
    for (seconds, verdict) in steps {
        let (next, change) = step(state, spec, *verdict, at(*seconds));
        state = next;
        changes.extend(change.map(|change| (*seconds, change.to)));
    }
    changes
}

const BAD: Verdict = Verdict::Value(900.0);
const SO_SO: Verdict = Verdict::Value(700.0);
const GOOD: Verdict = Verdict::Value(100.0);

#[test]
fn a_rule_fires_only_after_it_held_long_enough() {
    let hold = spec(60, None);
    let many = |verdict, count: i64| (0..count).map(|i| (i * 15, verdict)).collect::<Vec<_>>();
    for (case, steps, want) in [
        ("exactly on time", many(BAD, 5), vec![(0, Pending), (60, Firing)]),
        ("one evaluation early", many(BAD, 4), vec![(0, Pending)]),
        ("recovered in time", vec![(0, BAD), (15, GOOD), (30, BAD)], vec![(0, Pending), (15, Fine), (30, Pending)]),
        ("never", many(GOOD, 9), vec![]),
        ("the limit itself is fine", many(Verdict::Value(800.0), 9), vec![]),
        ("not a number is no value", vec![(0, Verdict::Value(f64::NAN))], vec![(0, Failed)]),
        (
            "a failed query in between neither counts nor starts anew",
            vec![(0, BAD), (15, BAD), (30, Verdict::Failed), (45, BAD), (60, BAD), (75, BAD), (90, BAD)],
            vec![(0, Pending), (90, Firing)],
        ),
        (
            "absence starts anew",
            vec![(0, BAD), (15, BAD), (30, Verdict::Absent), (45, BAD), (60, BAD)],
            vec![(0, Pending), (30, Absent), (45, Pending)],
        ),
        (
            "a pause is not held",
            vec![(0, BAD), (3600, BAD), (3615, BAD), (3630, BAD)],
            vec![(0, Pending), (3630, Firing)],
        ),
        ("a clock that jumps ahead fulfils no hold", vec![(0, BAD), (86_400, BAD)], vec![(0, Pending)]),
        (
            "a clock that jumps back loses no time held",
            vec![(0, BAD), (15, BAD), (30, BAD), (45, BAD), (-3600, BAD), (-3585, BAD)],
            vec![(0, Pending), (-3585, Firing)],
        ),
    ] {
        assert_eq!(run(&hold, &steps), want, "{case}");
    }
    assert_eq!(run(&spec(0, None), &[(0, BAD)]), [(0, Firing)], "without a hold at once");
}

#[test]
fn a_firing_ends_only_beyond_the_clear_limit() {
    let hysteresis = spec(0, Some(600.0));
    assert_eq!(
        run(&hysteresis, &[(0, BAD), (15, SO_SO), (30, BAD), (45, SO_SO), (60, GOOD), (75, SO_SO)]),
        [(0, Firing), (60, Fine)]
    );
    assert_eq!(run(&spec(0, None), &[(0, BAD), (15, SO_SO)]), [(0, Firing), (15, Fine)]);
    let below = Threshold { side: Side::Below, limit: 10.0, clear: Some(20.0) };
    assert!(below.holds(9.9) && !below.holds(10.0) && !below.clears(20.0) && below.clears(20.1));
}

#[test]
fn absent_failed_and_lost_are_three_phases_and_none_fires_or_ends() {
    let now = spec(0, None);
    for (verdict, phase) in [(Verdict::Absent, Absent), (Verdict::Failed, Failed), (Verdict::SourceLost, SourceLost)] {
        assert_eq!(run(&now, &[(0, GOOD), (15, verdict), (30, GOOD)]), [(15, phase), (30, Fine)]);
        assert_eq!(run(&now, &[(0, BAD), (15, verdict), (30, BAD), (45, GOOD)]), [(0, Firing), (45, Fine)]);
    }
}

#[test]
fn a_firing_series_that_vanishes_ends_after_a_day() {
    let steps: Vec<(i64, Verdict)> =
        std::iter::once((0, BAD)).chain((1..=2 * 5760).map(|i| (i * 15, Verdict::Absent))).collect();
    assert_eq!(run(&spec(0, None), &steps), [(0, Firing), (15 + 86_400, Absent)]);
}

#[test]
fn a_firing_of_before_goes_on_without_a_word() {
    let state = State::firing(at(-500), at(0));
    let (state, change) = step(state, &spec(300, None), BAD, at(15));
    assert_eq!((change, state.phase, state.since), (None, Firing, at(-500)));
    let (_, change) = step(state, &spec(300, None), GOOD, at(30));
    assert_eq!(change.map(|change| change.to), Some(Fine));
}

#[test]
fn a_year_of_evaluations_over_leap_day_and_daylight_saving_fires_once_an_outage() {
    // 2028 is a leap year; outages of ten minutes begin at each local midnight of Berlin, hold is five.
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let mut day = jiff::civil::date(2028, 1, 1);
    let mut outages = Vec::new();
    while day.year() == 2028 {
        outages.push(day.to_zoned(zone.clone()).unwrap().timestamp().as_second());
        day = day.tomorrow().unwrap();
    }
    let spec = spec(300, None);
    let (mut now, end) = (outages[0] - 60, outages[0] + 366 * 86_400);
    let mut state = State::new(Timestamp::from_seconds(now));
    let (mut fired, mut cleared, mut next) = (Vec::new(), 0, 0);
    let started = std::time::Instant::now();
    while now < end {
        while next + 1 < outages.len() && now >= outages[next + 1] {
            next += 1;
        }
        let bad = (outages[next]..outages[next] + 600).contains(&now);
        let (following, change) = step(state, &spec, if bad { BAD } else { GOOD }, Timestamp::from_seconds(now));
        state = following;
        match change.map(|change| change.to) {
            Some(Firing) => fired.push(now),
            Some(Fine) => cleared += 1,
            _ => {}
        }
        now += INTERVAL;
    }
    assert_eq!(outages.len(), 366);
    assert_eq!(fired, outages.iter().map(|outage| outage + 300).collect::<Vec<_>>());
    assert_eq!(cleared, 366);
    assert!(started.elapsed().as_secs() < 5, "a year took {:?}", started.elapsed());
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        4 => Just(BAD), 2 => Just(SO_SO), 3 => Just(GOOD),
        1 => Just(Verdict::Absent), 1 => Just(Verdict::Failed), 1 => Just(Verdict::SourceLost),
    ]
}

proptest! {
    #[test]
    fn no_two_firings_without_an_end_between_and_hold_is_respected(
        steps in prop::collection::vec(
            (verdicts(), prop_oneof![9 => Just(0i64), 1 => prop::sample::select(vec![3600, -3600, 86_400, -86_400])]),
            1..400,
        ),
        hold in prop::sample::select(vec![0i64, 30, 60, 300]),
        clear in prop::option::of(Just(600.0)),
    ) {
        let spec = spec(hold, clear);
        let mut now = 0;
        let mut state = State::new(at(0));
        let mut open = false;
        // Evaluations in a row that were seen to be bad, by count: independent of any clock.
        let (mut bad_run, mut jumped) = (0i64, 0i64);
        for (verdict, jump) in steps {
            now += INTERVAL + jump;
            jumped += i64::from(jump > 0);
            let (next, change) = step(state, &spec, verdict, at(now));
            match verdict {
                Verdict::Value(value) if value > 800.0 => bad_run += 1,
                Verdict::Value(_) | Verdict::Absent => (bad_run, jumped) = (0, 0),
                Verdict::Failed | Verdict::SourceLost => {}
            }
            if let Some(change) = change {
                prop_assert_eq!(change.from, state.phase);
                prop_assert_ne!(change.from, change.to);
                if change.to == Firing {
                    prop_assert!(!open, "fired twice");
                    open = true;
                    // A jump ahead counts for one interval more than was evaluated, at most.
                    let most = (bad_run - 1 + jumped) * INTERVAL;
                    prop_assert!(most >= hold, "fired after {most} s of {hold}");
                }
                if change.from == Firing {
                    prop_assert!(open);
                    open = false;
                    prop_assert!(matches!(verdict, Verdict::Value(_) | Verdict::Absent));
                }
            }
            prop_assert!(next.since <= next.last);
            state = next;
        }
    }

    #[test]
    fn a_clock_that_jumps_back_delays_no_firing_beyond_its_hold(
        jump in prop::sample::select(vec![-3600i64, -86_400, 3600, 86_400]),
        when in 0usize..20,
    ) {
        let spec = spec(120, None);
        let mut now = 0;
        let mut state = State::new(at(0));
        let mut fired = None;
        for index in 0..20 {
            now += INTERVAL + if index == when { jump } else { 0 };
            let (next, change) = step(state, &spec, BAD, at(now));
            state = next;
            if change.is_some_and(|change| change.to == Firing) {
                prop_assert!(fired.is_none());
                fired = Some(index);
            }
        }
        // Eight intervals after the first evaluation; a jump costs or saves one of them.
        prop_assert!((7..=9).contains(&fired.unwrap()), "{:?}", fired);
    }
}
