use super::*;
use crate::condition::Condition;
use crate::counts::Tally;
use crate::objective::{Subject, Target, standing};
use crate::window::Window;
use base::TimeRange;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

fn objective(target: f64, window: &str, zone: &str) -> Objective {
    let good = Condition::compile("status < 500").unwrap();
    Objective {
        name: "available".to_owned(),
        service: "shop".to_owned(),
        route: None,
        subject: Subject::Requests { good, valid: None },
        target: Target::from_percent(target).unwrap(),
        window: Window::new(window.parse().unwrap(), zone).unwrap(),
        min_bad: MIN_BAD,
    }
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_seconds(minute * 60)
}

/// Some minute of 2026.
const NOW: i64 = 29_700_000;

/// Counts that were seen all the time, with so many good and bad ones a number of minutes ago.
fn seen(objective: &Objective, events: &[(i64, u64, u64)]) -> Counts {
    let mut counts = Counts::new(objective.window.longest(), at(NOW));
    counts.see(TimeRange { from: at(NOW - 40 * 1440), to: at(NOW) });
    for (ago, good, bad) in events {
        counts.add(at(NOW - ago), Tally { good: *good, valid: good + bad, unknown: 0 });
    }
    counts
}

fn says(objective: &Objective, counts: &Counts) -> Vec<Said> {
    ROWS.iter().map(|row| read(*row, objective, counts, at(NOW)).said).collect()
}

#[test]
fn thresholds_scale_with_the_window_and_are_never_below_one() {
    for (window, want) in [
        ("30d", [14.4, 6.0, 3.0, 1.0]),
        ("28d", [13.44, 5.6, 2.8, 1.0]),
        ("7d", [3.36, 1.4, 1.0, 1.0]),
        ("90d", [43.2, 18.0, 9.0, 3.0]),
    ] {
        let objective = objective(99.9, window, "UTC");
        let length = Span::from_micros(objective.window.range(at(NOW)).micros());
        for (row, want) in ROWS.iter().zip(want) {
            assert!((row.threshold(length, &objective) - want).abs() < 1e-9, "{window}: {row:?}");
        }
    }
}

#[test]
fn a_row_that_burn_cannot_reach_never_fires() {
    let month = Span::from_seconds(30 * 86_400);
    for (target, want) in [(93.05, false), (93.06, true), (99.9, true), (90.0, false)] {
        assert_eq!(ROWS[0].can_fire(month, &objective(target, "30d", "UTC")), want, "{target}");
    }
    // 1 / budget is exactly the threshold: it cannot be exceeded.
    assert!(!ROWS[1].can_fire(Span::from_seconds(20 * 86_400), &objective(75.0, "20d", "UTC")));
    // A total outage of a low target is caught all the same.
    assert!(ROWS[4].can_fire(month, &objective(40.0, "30d", "UTC")));
    // Longer than the window.
    let two_days = objective(99.9, "2d", "UTC");
    assert!(!ROWS[3].can_fire(Span::from_seconds(2 * 86_400), &two_days));
    let all_bad: Vec<_> = (1..4400).map(|ago| (ago, 0, 10)).collect();
    let said = says(&two_days, &seen(&two_days, &all_bad));
    assert_eq!((said[2], said[3], said[6]), (Said::Burning, Said::Mute, Said::Mute));
}

#[test]
fn one_failure_alone_never_fires_however_few_requests_there_are() {
    // From the definition: one of n crosses 14.4 if n < 1 / (14.4 b), that is 6.94, 13.9, 69.4 and 347.2.
    for (target, crosses) in [(99.0, 6), (99.5, 13), (99.9, 69), (99.98, 347)] {
        let one = |floor, requests: u64| {
            let objective = Objective { min_bad: floor, ..objective(target, "30d", "UTC") };
            let counts = seen(&objective, &[(1, requests - 1, 1)]);
            read(ROWS[0], &objective, &counts, at(NOW)).said
        };
        assert_eq!(one(1, crosses), Said::Burning, "{target}");
        assert_eq!(one(1, crosses + 1), Said::Fine, "{target}");
        assert_eq!(one(3, crosses), Said::Fine, "{target}: below the floor");
        let objective = objective(target, "30d", "UTC");
        let three = seen(&objective, &[(1, 3 * crosses - 3, 3)]);
        assert_eq!(read(ROWS[0], &objective, &three, at(NOW)).said, Said::Burning, "{target}: at the floor");
    }
}

#[test]
fn few_requests_most_of_which_fail_are_not_missed() {
    let strict = objective(99.9, "30d", "UTC");
    let low = objective(80.0, "30d", "UTC");
    // One request in three hours, all bad, the last one more than two hours ago: every short window of a day is empty.
    let rare: Vec<(i64, u64, u64)> = (0..24).map(|i| (130 + i * 180, 0, 1)).collect();
    let said = says(&strict, &seen(&strict, &rare));
    assert_eq!(said[0..2], [Said::Fine, Said::Fine], "below the floor within an hour and six");
    assert_eq!(said[5], Said::Burning, "eight in a day, all bad");
    // Half a request a second, 90 % of which fail, against a target that burn rules hardly reach.
    let steady: Vec<(i64, u64, u64)> = (1..=60).map(|ago| (ago, 3, 27)).collect();
    let said = says(&low, &seen(&low, &steady));
    assert_eq!((said[0], said[4]), (Said::Fine, Said::Burning), "burn cannot exceed 5, most fail");
    // Most fail, but not of late.
    let over: Vec<(i64, u64, u64)> = vec![(30, 0, 20), (2, 5, 0)];
    assert_eq!(says(&strict, &seen(&strict, &over))[4], Said::Easing);
    // Two failures are below the floor, even without any success.
    assert_eq!(says(&strict, &seen(&strict, &[(1, 0, 2)]))[4], Said::Fine);
    // Half of the requests bad, but less than the budget allows.
    let loose = objective(40.0, "30d", "UTC");
    assert_eq!(says(&loose, &seen(&loose, &[(1, 5, 5)]))[4], Said::Fine);
}

#[test]
fn a_row_is_mute_until_its_long_window_is_full_and_silent_about_what_was_not_seen() {
    let objective = objective(99.9, "30d", "UTC");
    let fresh = |minutes: i64| {
        let mut counts = Counts::new(objective.window.longest(), at(NOW));
        counts.see(TimeRange { from: at(NOW - minutes), to: at(NOW) });
        counts.add(at(NOW - 1), Tally { good: 0, valid: 50, unknown: 0 });
        read(ROWS[0], &objective, &counts, at(NOW)).said
    };
    assert_eq!(fresh(59), Said::Mute);
    assert_eq!(fresh(60), Said::Burning);
    let mut gap = Counts::new(objective.window.longest(), at(NOW));
    gap.see(TimeRange { from: at(NOW - 600), to: at(NOW - 300) });
    for ago in 1..=4 {
        gap.add(at(NOW - ago), Tally { good: 0, valid: 50, unknown: 0 });
    }
    assert_eq!(read(ROWS[0], &objective, &gap, at(NOW)).said, Said::Unseen, "four minutes of sixty");
    gap.add(at(NOW - 5), Tally { good: 0, valid: 50, unknown: 0 });
    assert_eq!(read(ROWS[0], &objective, &gap, at(NOW)).said, Said::Burning, "as long as the short window");
}

#[test]
fn a_row_ends_on_the_long_window_and_does_not_fire_anew_within_it() {
    let row = ROWS[0];
    let minute = 60_000_000;
    let run = |steps: &[(i64, Said, i64)]| {
        let mut state = RowState::default();
        let mut firing = Vec::new();
        for (minutes, said, back) in steps {
            state = state.next(row, *said, minutes * minute, *back);
            firing.push(state.is_firing());
        }
        firing
    };
    use Said::{Burning, Easing, Fine, Mute, Unseen};
    assert_eq!(
        run(&[(0, Burning, 0), (1, Easing, 0), (1, Unseen, 0), (1, Mute, 0), (1, Fine, 0)]),
        [true, true, true, true, false]
    );
    // Quiet for an hour after it fired, then at once.
    assert_eq!(run(&[(0, Burning, 0), (20, Fine, 0), (39, Burning, 0), (1, Burning, 0)]), [true, false, false, true]);
    // Our clock went back by an hour: what is seen now says nothing of what fired.
    assert_eq!(run(&[(0, Burning, 0), (0, Fine, 60 * minute), (59, Fine, 0), (1, Fine, 0)]), [true, true, true, false]);
    // By a day: no longer than the long window.
    assert_eq!(run(&[(0, Burning, 0), (0, Fine, 1440 * minute), (60, Fine, 0)]), [true, true, false]);
}

/// Numbers that look random and are the same everywhere.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Good and valid ones by minute.
type Minutes = BTreeMap<i64, (u64, u64)>;

/// Traffic of a hundred days with outages, quiet nights and stretches that nobody saw.
fn traffic(numbers: &mut Numbers, to: i64, days: i64) -> (Minutes, Vec<(i64, i64)>) {
    let from = to - days * 1440;
    let (mut counts, mut stretches) = (Minutes::new(), Vec::new());
    let mut minute = from;
    while minute < to {
        let length = i64::try_from(10 + numbers.below(600)).unwrap();
        let end = (minute + length).min(to);
        let (kind, volume) = (numbers.below(12), 1 + numbers.below(30));
        if kind != 0 {
            stretches.push((minute, end));
            // Sparse, or one bad in a hundred, or an outage.
            let bad_of_thousand = [1, 1, 1, 2, 2, 5, 10, 20, 60, 300, 950, 0][usize::try_from(kind).unwrap()];
            for at in minute..end {
                let valid = if kind == 10 { numbers.below(80) / 79 } else { numbers.below(volume + 1) };
                let bad = (0..valid).filter(|_| numbers.below(1000) < bad_of_thousand).count() as u64;
                if valid > 0 {
                    counts.insert(at, (valid - bad, valid));
                }
            }
        }
        minute = end;
    }
    (counts, stretches)
}

#[test]
fn burn_and_budget_are_what_python_computes_in_fractions() {
    let mut numbers = Numbers(7);
    // The end of March: the clocks of Europe went forward on the 29th, those of New York on the 8th.
    let now: i64 = "2026-03-31T21:40:00Z".parse::<Timestamp>().unwrap().micros() / 60_000_000;
    let cases = [
        ("30d", "UTC", 99.9, 3),
        ("28d", "UTC", 99.5, 3),
        ("7d", "UTC", 99.0, 1),
        ("90d", "UTC", 99.98, 3),
        ("month", "Asia/Tokyo", 99.9, 3),
        ("month", "Europe/Berlin", 95.0, 3),
        ("week", "Europe/Berlin", 99.0, 2),
        ("quarter", "America/New_York", 99.9, 3),
    ];
    let mut questions = Vec::new();
    let mut ours = Vec::new();
    for (window, zone, target, min_bad) in cases {
        let objective = Objective { min_bad, ..objective(target, window, zone) };
        let (events, stretches) = traffic(&mut numbers, now, 100);
        let mut counts = Counts::new(objective.window.longest(), at(now));
        for (minute, (good, valid)) in &events {
            counts.add(at(*minute), Tally { good: *good, valid: *valid, unknown: 0 });
        }
        for (from, to) in &stretches {
            counts.see(TimeRange { from: at(*from), to: at(*to) });
        }
        // Only what is kept can be asked for: the last moments, across the end of a month in Tokyo.
        let seconds: Vec<i64> =
            (0..25).map(|i| (now - 47 * i) * 60 - [0, 17][usize::try_from(i % 2).unwrap()]).collect();
        let first = counts.first_seen().unwrap().micros() / 60_000_000;
        let kept: Vec<_> = events.range(first..).map(|(minute, (good, valid))| json!([minute, good, valid])).collect();
        let seen: Vec<_> =
            stretches.iter().filter(|(_, to)| *to > first).map(|(from, to)| json!([from.max(&first), to])).collect();
        questions.push(json!({
            "window": window, "zone": zone, "target": target.to_string(), "min_bad": min_bad,
            "counts": kept, "seen": seen, "seconds": seconds,
        }));
        let mut answers = Vec::new();
        for second in seconds {
            let moment = Timestamp::from_seconds(second);
            counts.set_now(moment);
            let standing = standing(&objective, &counts, moment);
            let rows: Vec<Value> = ROWS
                .iter()
                .map(|row| read(*row, &objective, &counts, moment))
                .map(|reading| json!({ "said": reading.said, "threshold": reading.threshold }))
                .collect();
            answers.push(json!({
                "from": standing.window.from.micros() / 1_000_000,
                "to": standing.window.to.micros() / 1_000_000,
                "good": standing.sum.tally.good,
                "valid": standing.sum.tally.valid,
                "left": standing.left,
                "burn_1h": standing.burn_1h,
                "rows": rows,
            }));
        }
        ours.push(answers);
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/python/burn_arithmetic.py");
    let mut python = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is there");
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(serde_json::to_string(&questions).unwrap().as_bytes()).unwrap();
    drop(stdin);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let theirs: Vec<Vec<Value>> = serde_json::from_slice(&output.stdout).unwrap();
    let mut said: BTreeMap<String, usize> = BTreeMap::new();
    for ((case, ours), theirs) in cases.iter().zip(&ours).zip(&theirs) {
        assert_eq!(ours.len(), theirs.len());
        for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            same(ours, theirs, &format!("{case:?}, moment {index}"));
            for row in ours["rows"].as_array().unwrap() {
                *said.entry(row["said"].to_string()).or_default() += 1;
            }
        }
    }
    // The traffic is such that every answer occurs: what never occurs was not compared.
    assert!(["\"fine\"", "\"easing\"", "\"burning\""].iter().all(|word| said.get(*word) > Some(&20)), "{said:?}");
}

/// Equal, but for the last digits of a fraction.
fn same(ours: &Value, theirs: &Value, place: &str) {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= 1e-9 * a.abs().max(1.0), "{place}: {a} and {b}");
        }
        (Value::Object(a), Value::Object(b)) => {
            assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>(), "{place}");
            a.iter().for_each(|(key, value)| same(value, &b[key], &format!("{place}, {key}")));
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{place}");
            a.iter().zip(b).enumerate().for_each(|(i, (a, b))| same(a, b, &format!("{place}[{i}]")));
        }
        (a, b) => assert_eq!(a, b, "{place}"),
    }
}
