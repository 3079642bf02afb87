use super::*;
use crate::compile::{Declared, DeclaredService, INTERVAL, compile};
use crate::condition::Request;
use crate::counts::Tally;
use crate::spec::{ObjectiveSpec, RuleSpec};
use proptest::prelude::*;
use std::cell::{Cell, RefCell};

/// A source that says what the test put into it.
struct Fake {
    answers: RefCell<BTreeMap<String, Answer>>,
    watching: Cell<bool>,
    seen: Cell<bool>,
}

impl Fake {
    fn new() -> Self {
        Self { answers: RefCell::default(), watching: Cell::new(true), seen: Cell::new(true) }
    }

    fn say(&self, signal: &str, answer: Answer) {
        self.answers.borrow_mut().insert(signal.to_owned(), answer);
    }

    fn value(&self, signal: &str, value: f64) {
        self.say(signal, one(Verdict::Value(value)));
    }
}

fn one(verdict: Verdict) -> Answer {
    Answer::Series(vec![(Series::default(), verdict)])
}

fn route(name: &str, verdict: Verdict) -> (Series, Verdict) {
    (Series([("route".to_owned(), name.to_owned())].into()), verdict)
}

impl Source for Fake {
    fn signal(&self, selector: &Selector, _: Timestamp) -> Answer {
        let What::Signal(signal) = &selector.what else { return Answer::Whole(Verdict::Failed) };
        self.answers.borrow().get(&signal.to_string()).cloned().unwrap_or(Answer::Series(Vec::new()))
    }

    fn is_watching(&self, _: &str, _: Timestamp) -> bool {
        self.watching.get()
    }

    fn was_watching(&self, service: Option<&str>, _: TimeRange) -> bool {
        assert_eq!(service, Some("shop"));
        self.seen.get()
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_782_000_000 + seconds)
}

fn rules(yaml: &str) -> (Vec<Arc<Rule>>, Vec<Arc<crate::objective::Objective>>) {
    let objectives: Vec<ObjectiveSpec> =
        serde_saphyr::from_str("[{name: available, good: \"status < 500\", target: 99.9, window: 30d}]").unwrap();
    let rules: Vec<RuleSpec> = serde_saphyr::from_str(yaml).unwrap();
    let declared = Declared {
        services: [("shop", DeclaredService { owner: Some("web"), objectives: &objectives })].into(),
        checks: ["buy"].into(),
        runbooks: None,
        time_zone: "UTC",
        interval: INTERVAL,
    };
    let compiled = compile(&declared, &rules);
    assert!(compiled.is_usable(), "{:?}", compiled.problems);
    (compiled.rules, compiled.objectives)
}

fn engine(yaml: &str, now: Timestamp) -> Engine {
    let (rules, objectives) = rules(yaml);
    Engine::new(rules, Arc::new(Budgets::new(&objectives, now)), INTERVAL, now)
}

/// Ticks every 15 s from one second to another, and tells what changed: `second rule series from>to`.
fn ticks(engine: &mut Engine, source: &Fake, seconds: std::ops::Range<i64>) -> Vec<String> {
    let mut told = Vec::new();
    let mut second = seconds.start;
    while second < seconds.end {
        for change in engine.tick(at(second), source) {
            let series = change.series.text();
            told.push(format!("{second} {} {series} {:?}>{:?}", change.rule.name, change.from, change.to));
        }
        second += 15;
    }
    told
}

const SLOW: &str =
    "[{name: slow, service: shop, route: \"*\", signal: latency.p95, above: 800ms, hold: 30s, class: ticket, due: 3d}]";
const BURNING: &str = "[{name: burning, service: shop, objective: available, class: alert, action: Roll back}]";

#[test]
fn each_series_stands_by_itself() {
    let mut engine = engine(SLOW, at(0));
    let source = Fake::new();
    let (good, bad) = (Verdict::Value(10.0), Verdict::Value(900.0));
    source.say("latency.p95", Answer::Series(vec![route("a", good), route("b", bad)]));
    assert_eq!(
        ticks(&mut engine, &source, 0..45),
        ["0 slow route=\"b\" Fine>Pending", "30 slow route=\"b\" Pending>Firing"]
    );
    // `b` is missing, `a` is slow; then the query fails for all.
    source.say("latency.p95", Answer::Series(vec![route("a", bad)]));
    assert_eq!(ticks(&mut engine, &source, 45..60), ["45 slow route=\"a\" Fine>Pending"]);
    source.say("latency.p95", Answer::Whole(Verdict::Failed));
    assert_eq!(ticks(&mut engine, &source, 60..90), [""; 0]);
    source.say("latency.p95", Answer::Series(vec![route("a", good), route("b", good)]));
    assert_eq!(
        ticks(&mut engine, &source, 90..105),
        ["90 slow route=\"a\" Pending>Fine", "90 slow route=\"b\" Firing>Fine"]
    );
    assert_eq!(engine.status()[0].series.len(), 2);
}

#[test]
fn too_little_traffic_is_said_only_of_a_window_that_was_watched_whole() {
    let yaml = "[{name: quiet, service: shop, signal: traffic, below: 1/s, class: record},
                 {name: busy, service: shop, signal: traffic, above: 0.1/s, class: record}]";
    let mut engine = engine(yaml, at(0));
    let source = Fake::new();
    source.value("traffic", 0.5);
    source.seen.set(false);
    // What came is enough to say that it is much, and not enough to say that it is little.
    assert_eq!(ticks(&mut engine, &source, 0..15), ["0 quiet  Fine>Failed", "0 busy  Fine>Firing"]);
    source.seen.set(true);
    assert_eq!(ticks(&mut engine, &source, 15..30), ["15 quiet  Failed>Firing"]);
}

#[test]
fn missing_data_is_a_firing_only_where_the_rule_says_so() {
    let yaml = "[{name: traffic, service: shop, signal: traffic, below: 1/s, class: record, absent: alert, absent_after: 1m, action: Look, owner: o},
                 {name: other, service: shop, signal: traffic, below: 1/s, class: alert, action: Look}]";
    let mut engine = engine(yaml, at(0));
    let source = Fake::new();
    source.value("traffic", 5.0);
    assert_eq!(ticks(&mut engine, &source, 0..30), [""; 0]);
    source.say("traffic", Answer::Series(Vec::new()));
    assert_eq!(
        ticks(&mut engine, &source, 30..120),
        [
            "30 traffic  Fine>Absent",
            "30 traffic/absent  Fine>Pending",
            "30 other  Fine>Absent",
            "90 traffic/absent  Pending>Firing",
        ]
    );
    // Our own failure says nothing about the data.
    source.say("traffic", Answer::Whole(Verdict::Failed));
    assert_eq!(ticks(&mut engine, &source, 120..150), ["120 traffic  Absent>Failed", "120 other  Absent>Failed"]);
    source.say("traffic", one(Verdict::SourceLost));
    assert_eq!(
        ticks(&mut engine, &source, 150..165),
        ["150 traffic  Failed>SourceLost", "150 other  Failed>SourceLost"]
    );
    source.value("traffic", 5.0);
    assert_eq!(
        ticks(&mut engine, &source, 165..180),
        ["165 traffic  SourceLost>Fine", "165 traffic/absent  Firing>Fine", "165 other  SourceLost>Fine"]
    );
}

#[test]
fn series_are_bounded_and_the_rest_is_said() {
    let mut engine = engine(SLOW, at(0));
    let source = Fake::new();
    let many = |range: std::ops::Range<usize>| {
        Answer::Series(range.map(|i| route(&format!("r{i}"), Verdict::Value(900.0))).collect())
    };
    source.say("latency.p95", many(0..1500));
    assert_eq!(ticks(&mut engine, &source, 0..15).len(), MAX_SERIES);
    let status = &engine.status()[0];
    assert_eq!((status.series.len(), status.left_out), (MAX_SERIES, 500));
}

#[test]
fn a_series_that_vanishes_is_forgotten_after_a_day() {
    let mut engine = engine(SLOW, at(0));
    let source = Fake::new();
    source.say("latency.p95", Answer::Series(vec![route("a", Verdict::Value(1.0)), route("b", Verdict::Value(900.0))]));
    ticks(&mut engine, &source, 0..45);
    source.say("latency.p95", Answer::Series(vec![route("a", Verdict::Value(1.0))]));
    assert_eq!(ticks(&mut engine, &source, 45..86_430), [""; 0], "it still fires");
    assert_eq!(engine.status()[0].series.len(), 2);
    assert_eq!(ticks(&mut engine, &source, 86_430..86_475), ["86445 slow route=\"b\" Firing>Absent"]);
    assert_eq!(engine.status()[0].series.len(), 1);
}

#[test]
fn a_failed_query_before_any_series_is_known_stands_for_all_of_them() {
    let mut engine = engine(SLOW, at(0));
    let source = Fake::new();
    source.say("latency.p95", Answer::Whole(Verdict::Failed));
    assert_eq!(ticks(&mut engine, &source, 0..30), ["0 slow  Fine>Failed"]);
    source.say("latency.p95", Answer::Series(vec![route("a", Verdict::Value(1.0))]));
    assert_eq!(ticks(&mut engine, &source, 30..60), [""; 0]);
    let series: Vec<_> = engine.status()[0].series.iter().map(|series| series.series.text()).collect();
    assert_eq!(series, ["route=\"a\""], "and is forgotten once they are");
}

#[test]
fn a_restart_neither_repeats_nor_loses_a_firing() {
    let source = Fake::new();
    source.say("latency.p95", Answer::Series(vec![route("b", Verdict::Value(900.0))]));
    let mut before = engine(SLOW, at(0));
    ticks(&mut before, &source, 0..45);
    let saved: SavedEngine = serde_json::from_str(&serde_json::to_string(&before.save()).unwrap()).unwrap();
    let (series, _) = route("b", Verdict::Absent);
    let open = OpenFiring { rule: "slow".to_owned(), series, since: at(0) };
    let restarted = |saved: &SavedEngine, open: &[OpenFiring]| {
        let mut engine = engine(SLOW, at(100));
        let unclaimed = engine.restore(saved, open, at(100));
        (engine, unclaimed)
    };
    for saved in [&saved, &SavedEngine::default()] {
        let (mut after, unclaimed) = restarted(saved, std::slice::from_ref(&open));
        assert_eq!(unclaimed, []);
        assert_eq!(ticks(&mut after, &source, 100..200), [""; 0], "announced already");
        assert_eq!(after.status()[0].series[0].since, at(0));
    }
    // The store does not know it: the process died before it was told.
    let (mut after, _) = restarted(&saved, &[]);
    assert_eq!(
        ticks(&mut after, &source, 100..145),
        ["100 slow route=\"b\" Fine>Pending", "130 slow route=\"b\" Pending>Firing"]
    );
    let gone = OpenFiring { rule: "removed".to_owned(), series: Series::default(), since: at(0) };
    assert_eq!(restarted(&saved, std::slice::from_ref(&gone)).1, [gone]);
}

#[test]
fn a_reload_keeps_what_still_means_the_same_and_ends_the_rest() {
    let source = Fake::new();
    source.say("latency.p95", Answer::Series(vec![route("b", Verdict::Value(900.0))]));
    let mut engine = engine(SLOW, at(0));
    ticks(&mut engine, &source, 0..45);
    let (higher, _) = rules(&SLOW.replace("800ms", "850ms"));
    let budgets = Arc::clone(engine.budgets());
    assert_eq!(engine.replace(higher, Arc::clone(&budgets), at(45)), []);
    assert_eq!(ticks(&mut engine, &source, 45..90), [""; 0], "goes on");
    let (other, _) = rules(&SLOW.replace("latency.p95", "latency.p99"));
    let ended = engine.replace(other, Arc::clone(&budgets), at(90));
    assert_eq!(ended.iter().map(|t| (t.from, t.to)).collect::<Vec<_>>(), [(Phase::Firing, Phase::Absent)]);
    assert_eq!(engine.replace(Vec::new(), budgets, at(105)), [], "nothing fired");
}

/// Requests of one minute by tick: so many a tick, a share of them bad.
fn send(engine: &Engine, second: i64, count: usize, bad: usize) {
    let request =
        |status| Request { status, service: "shop", method: "GET", route: "GET /", path: "/", ..Request::default() };
    let rows: Vec<_> = (0..count).map(|i| (at(second), request(if i < bad { 500 } else { 200 }))).collect();
    engine.budgets().count("shop", &rows);
}

fn with_a_clean_hour(now: i64) -> (Engine, Fake) {
    let engine = engine(BURNING, at(now));
    let key = "shop/available";
    engine.budgets().see(key, TimeRange { from: at(now - 4000), to: at(now) });
    let minutes = (1..60).map(|i| (at(now - i * 60), Tally { good: 400, valid: 400, unknown: 0 }));
    engine.budgets().load(key, minutes);
    (engine, Fake::new())
}

/// Goes on for some seconds of the world while the server's clock is off by `skew`.
fn live(engine: &mut Engine, source: &Fake, world: std::ops::Range<i64>, skew: i64, bad: usize) -> Vec<String> {
    let mut told = Vec::new();
    for second in world.step_by(15) {
        send(engine, second + skew, 100, bad);
        for change in engine.tick(at(second + skew), source) {
            told.push(format!("{second} {:?}>{:?}", change.from, change.to));
            // Equal where exactly half of the requests fail.
            assert!(change.to != Phase::Firing || change.value >= change.threshold);
        }
    }
    told
}

#[test]
fn an_outage_fires_within_minutes_and_ends_when_the_long_window_is_clean() {
    let (mut engine, source) = with_a_clean_hour(0);
    assert_eq!(live(&mut engine, &source, 0..300, 0, 0), [""; 0]);
    // All fail: 1.44 % of an hour's requests are bad within a minute.
    let told = live(&mut engine, &source, 300..600, 0, 100);
    assert_eq!(told, ["345 Fine>Firing"]);
    let told = live(&mut engine, &source, 600..9000, 0, 0);
    assert_eq!(told.len(), 1);
    let ended: i64 = told[0].split(' ').next().unwrap().parse().unwrap();
    assert!((3840..=4260).contains(&ended), "an hour after the outage: {told:?}");
    assert!(engine.readings("burning", at(9000)).iter().any(|reading| reading.burn == Some(0.0)));
}

#[test]
fn a_clock_jump_neither_repeats_nor_hides_an_outage() {
    for skew in [3600, -3600, 86_400, -86_400] {
        // During an outage: no end and no second firing while it goes on.
        let (mut engine, source) = with_a_clean_hour(0);
        let mut told = live(&mut engine, &source, 0..600, 0, 100);
        told.extend(live(&mut engine, &source, 600..3000, skew, 100));
        assert_eq!(told.iter().filter(|line| line.ends_with(">Firing")).count(), 1, "{skew}: {told:?}");
        assert!(!told.iter().any(|line| line.contains("Firing>")), "{skew}: {told:?}");
        // Before one that begins after the jump: seen within ten minutes.
        let (mut engine, source) = with_a_clean_hour(0);
        if skew < 0 {
            let past = (60..70).map(|i| (at(skew - i * 60), Tally { good: 400, valid: 400, unknown: 0 }));
            engine.budgets().load("shop/available", past);
        }
        let mut told = live(&mut engine, &source, 0..600, 0, 0);
        told.extend(live(&mut engine, &source, 600..1500, skew, 0));
        assert!(!told.iter().any(|line| line.ends_with("Firing")), "{skew}: {told:?}");
        let told = live(&mut engine, &source, 1500..2100, skew, 100);
        assert!(told.iter().any(|line| line.ends_with(">Firing")), "{skew}: {told:?}");
    }
}

#[test]
fn a_lost_source_is_not_health_and_not_an_alert() {
    let (mut engine, source) = with_a_clean_hour(0);
    assert_eq!(ticks(&mut engine, &source, 0..60), [""; 0]);
    source.watching.set(false);
    // Nothing is sent and nobody looks: within five minutes nothing is known to be fine.
    assert_eq!(ticks(&mut engine, &source, 60..90_000), ["255 burning  Fine>SourceLost"]);
    let (mut fresh, source) = (engine_without_past(), Fake::new());
    assert_eq!(ticks(&mut fresh, &source, 0..15), ["0 burning  Fine>Absent"], "mute, and says so");
}

fn engine_without_past() -> Engine {
    engine(BURNING, at(0))
}

#[test]
fn a_budget_signal_is_answered_from_the_counts() {
    let mut engine = engine(
        "[{name: left, service: shop, objective: available, signal: budget.left, below: 20%, clear_above: 25%, class: ticket, due: 7d}]",
        at(0),
    );
    let source = Fake::new();
    assert_eq!(ticks(&mut engine, &source, 0..15), ["0 left  Fine>Absent"]);
    send(&engine, 10, 10_000, 5);
    assert_eq!(ticks(&mut engine, &source, 15..30), ["15 left  Absent>Fine"]);
    send(&engine, 20, 100, 4);
    assert_eq!(ticks(&mut engine, &source, 30..45), ["30 left  Fine>Firing"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_burn_rule_never_fires_twice_without_an_end(
        pieces in prop::collection::vec((prop::sample::select(vec![0usize, 0, 1, 30, 100]), 1i64..40), 1..20),
        jumps in prop::collection::vec(prop::sample::select(vec![0i64, 0, 0, 3600, -3600, 86_400, -86_400]), 20),
    ) {
        let (mut engine, source) = with_a_clean_hour(0);
        let (mut world, mut skew, mut open) = (0, 0, false);
        for ((bad, minutes), jump) in pieces.into_iter().zip(jumps) {
            skew += jump;
            for line in live(&mut engine, &source, world..world + minutes * 60, skew, bad) {
                if line.ends_with(">Firing") {
                    prop_assert!(!open);
                    open = true;
                } else if line.contains("Firing>") {
                    prop_assert!(open);
                    open = false;
                }
            }
            world += minutes * 60;
        }
    }
}

/// CPU time of this thread's process, from the kernel.
fn cpu_us() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1000.0
}

/// `cargo test -p watch --release -- --ignored --nocapture speed` for the numbers; holds in the dev profile too.
#[test]
#[ignore = "a measurement"]
fn speed_of_a_thousand_rules_and_a_hundred_objectives_on_two_hundred_services() {
    let services: Vec<String> = (0..200).map(|i| format!("s{i}")).collect();
    let objectives: Vec<ObjectiveSpec> =
        serde_saphyr::from_str("[{name: available, good: \"status < 500\", target: 99.9, window: 30d}]").unwrap();
    let slow = |i: usize| {
        let what = "route: \"*\", signal: latency.p95, above: 800ms, hold: 5m, class: record";
        format!("- {{name: t{i}, service: s{}, {what}}}\n", i % 200)
    };
    let burning = |i: usize| {
        format!(
            "- {{name: a{i}, service: s{i}, objective: available, class: alert, owner: o, action: x}}\n\
             - {{name: b{i}, service: s{i}, objective: available, class: ticket, owner: o, due: 3d}}\n"
        )
    };
    let yaml: String = (0..1000).map(slow).chain((0..100).map(burning)).collect();
    let specs: Vec<RuleSpec> = serde_saphyr::from_str(&yaml).unwrap();
    let declared = Declared {
        services: services
            .iter()
            .enumerate()
            .map(|(i, name)| {
                let objectives = if i < 100 { objectives.as_slice() } else { &[] };
                (name.as_str(), DeclaredService { owner: None, objectives })
            })
            .collect(),
        checks: std::collections::BTreeSet::new(),
        runbooks: None,
        time_zone: "UTC",
        interval: INTERVAL,
    };
    let compiled = compile(&declared, &specs);
    assert!(compiled.is_usable());
    let budgets = Arc::new(Budgets::new(&compiled.objectives, at(0)));
    for objective in budgets.objectives() {
        let minutes = (1..40 * 1440).map(|i| (at(-i * 60), Tally { good: 100, valid: 101, unknown: 0 }));
        budgets.load(&objective.key(), minutes);
    }
    let mut engine = Engine::new(compiled.rules, budgets, INTERVAL, at(0));
    let source = Fake::new();
    source.say(
        "latency.p95",
        Answer::Series((0..10).map(|i| route(&format!("r{i}"), Verdict::Value(f64::from(i)))).collect()),
    );
    engine.tick(at(0), &source);
    let before = cpu_us();
    for tick in 1..=10 {
        engine.tick(at(tick * 15), &source);
    }
    let used = (cpu_us() - before) / 10.0;
    let each = used / 1200.0;
    println!("{used:.0} us a tick, {each:.1} us a rule; counts take {} KiB", engine.budgets().heap_bytes() / 1024);
    assert!(each <= 150.0, "{each} us CPU a rule");
    assert!(used <= 1_500_000.0, "a tenth of a core of 15 s");
}
