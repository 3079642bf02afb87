use super::*;
use crate::recorded::Recorded;
use base::Timestamp;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// What one window of datagrams becomes, sorted by name; `None` for a ts is the flush's own.
fn window(aggregator: &mut Aggregator, datagrams: &[&str]) -> Vec<Json> {
    let mut seen = Recorded::default();
    for datagram in datagrams {
        decode(datagram.as_bytes(), aggregator, &mut seen);
    }
    assert_eq!(aggregator.flush(Timestamp::from_seconds(60), &mut seen), 0);
    seen.records.sort_by_key(ToString::to_string);
    seen.records
}

/// Names and values of the samples.
fn values(aggregator: &mut Aggregator, datagrams: &[&str]) -> Vec<(String, f64)> {
    let records = window(aggregator, datagrams);
    let sample = |record: &Json| {
        let sample = record.get("sample").unwrap_or_else(|| panic!("no sample: {record}"));
        (sample["name"].as_str().unwrap().to_owned(), sample["value"].as_f64().unwrap())
    };
    let mut values: Vec<_> = records.iter().map(sample).collect();
    values.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    values
}

#[test]
fn each_kind_is_summed_up_in_its_own_way() {
    for (case, lines, want) in [
        ("counters add up", "a:1|c\na:2.5|c\na:-1|c", &[("a", 2.5)][..]),
        ("sampled counters are scaled", "a:2|c|@0.1\na:1|c", &[("a", 21.0)]),
        ("packed counters", "a:1:2:3|c", &[("a", 6.0)]),
        ("the last level counts", "g:1|g\ng:7|g", &[("g", 7.0)]),
        ("levels change", "g:10|g\ng:-3|g\ng:+1.5|g", &[("g", 8.5)]),
        ("a level below 0 by way of 0", "g:0|g\ng:-5|g", &[("g", -5.0)]),
        ("a level below 0 of DogStatsD", "g:10|g|#a:b\ng:-3|g|#a:b", &[("g", -3.0)]),
        ("a change with tags", "g:10|g|#a:b\ng:+3|g|#a:b", &[("g", 13.0)]),
        ("members of a set", "s:u:1|s\ns:u:2|s\ns:u:1|s", &[("s", 2.0)]),
        (
            "one value of a timer",
            "t:12.5|ms|@0.5",
            &[
                ("t.count", 2.0),
                ("t.max", 12.5),
                ("t.min", 12.5),
                ("t.p50", 12.5),
                ("t.p95", 12.5),
                ("t.p99", 12.5),
                ("t.sum", 25.0),
            ],
        ),
        (
            "timers, histograms and distributions are alike",
            "t:1:2|ms\nt:3|h\nt:4|d",
            &[
                ("t.count", 4.0),
                ("t.max", 4.0),
                ("t.min", 1.0),
                ("t.p50", 2.0),
                ("t.p95", 4.0),
                ("t.p99", 4.0),
                ("t.sum", 10.0),
            ],
        ),
        ("one name, two kinds", "x:1|c\nx:2|g", &[("x", 1.0), ("x", 2.0)]),
        ("unknown sections", "a:1|c|c:0123|e:it-false|card:low", &[("a", 1.0)]),
        ("line ends", "a:1|c\r\n\n\na:1|c\n", &[("a", 2.0)]),
    ] {
        let want: Vec<_> = want.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        assert_eq!(values(&mut Aggregator::default(), &[lines]), want, "{case}");
    }
}

#[test]
fn tags_tell_series_apart_in_any_order_and_name_the_place() {
    let lines = "a:1|c|#env:prod,service:shop,host:web-1,urgent\na:1|c|#urgent,host:web-1,service:shop,env:prod\na:1|c|#env:test";
    let sample = |value: f64, rest: Json| {
        let mut sample = json!({ "ts": "1970-01-01T00:01:00Z", "name": "a", "value": value });
        for (name, value) in rest.as_object().unwrap() {
            sample[name] = value.clone();
        }
        json!({ "sample": sample })
    };
    assert_eq!(
        window(&mut Aggregator::default(), &[lines]),
        [
            sample(2.0, json!({ "service": "shop", "host": "web-1", "labels": [["env", "prod"], ["urgent", ""]] })),
            sample(1.0, json!({ "labels": [["env", "test"]] })),
        ]
    );
}

#[test]
fn a_metric_with_a_time_of_its_own_is_handed_over_at_once() {
    let mut seen = Recorded::default();
    let mut aggregator = Aggregator::default();
    decode(b"g:3|g|T1795000801\nc:1:2|c|@0.5|T1795000801|#service:shop", &mut aggregator, &mut seen);
    assert_eq!(
        seen.records,
        [
            json!({ "sample": { "ts": "2026-11-18T11:20:01Z", "name": "g", "value": 3.0 } }),
            json!({ "sample": { "ts": "2026-11-18T11:20:01Z", "service": "shop", "name": "c", "value": 6.0 } }),
        ]
    );
    assert_eq!(aggregator.series(), 0);
}

#[test]
fn events_and_checks_are_events() {
    let mut seen = Recorded::default();
    let lines = "_e{10,8}:Deploy 日|a|b\\nc\\n|d:1795000801|h:web-1|t:error|p:low|k:dep|s:ci|#service:shop,env:prod\n\
        _e{1,0}:x|\n\
        _sc|db.up|2|d:1795000801|h:web-1|#service:shop|m:no | answer\n\
        _sc|db.up|0";
    decode(lines.as_bytes(), &mut Aggregator::default(), &mut seen);
    assert_eq!(
        seen.records,
        [
            json!({ "event": {
            "ts": "2026-11-18T11:20:01Z", "service": "shop", "host": "web-1", "kind": "statsd.event", "name": "Deploy 日",
            "state": "error", "fields": [["text", "a|b\nc\n"], ["priority", "low"], ["aggregation_key", "dep"],
                ["source_type", "ci"], ["env", "prod"]],
        } }),
            json!({ "event": { "kind": "statsd.event", "name": "x" } }),
            json!({ "event": {
            "ts": "2026-11-18T11:20:01Z", "service": "shop", "host": "web-1", "kind": "statsd.check", "name": "db.up",
            "state": "critical", "fields": [["message", "no | answer"]],
        } }),
            json!({ "event": { "kind": "statsd.check", "name": "db.up", "state": "ok" } }),
        ]
    );
}

#[test]
fn a_bad_line_is_refused_alone() {
    for (reason, line) in [
        ("malformed", "a"),
        ("malformed", "a:1"),
        ("malformed", "s:u|s|T1795000801"),
        ("malformed", "g:+1|g|T1795000801"),
        ("malformed", "_e{1"),
        ("malformed", "_e{1,1}:a|"),
        ("malformed", "_e{0,1}:|b"),
        ("malformed", "_e{99999999999999999999,1}:a|b"),
        ("malformed", "_e{18446744073709551615,1}:a|b"),
        ("malformed", "_e{1,1}:é|b"),
        ("malformed", "_e{1,1}:a|bc"),
        ("malformed", "_sc|a"),
        ("bad_value", "_sc|a|4"),
        ("bad_time", "_sc|a|1|d:now"),
        ("bad_name", ":1|c"),
        ("bad_name", "a\u{7}:1|c"),
        ("bad_value", "a:|c"),
        ("bad_value", "a:x|c"),
        ("bad_value", "a:nan|g"),
        ("bad_value", "a:inf|ms"),
        ("bad_value", "a:1e999|ms"),
        ("bad_value", "a:1:|ms"),
        ("bad_value", "a:|s"),
        ("bad_value", "a:1|c|@0"),
        ("bad_value", "a:1|c|@2"),
        ("bad_time", "a:1|c|T99999999999999"),
        ("unknown", "a:1|m"),
    ] {
        let records = window(&mut Aggregator::default(), &[&format!("ok:1|c\n{line}\nok:1|c")]);
        assert_eq!(records.len(), 2, "{line}");
        assert_eq!(records[0]["refused"]["reason"], reason, "{line}");
        assert_eq!(records[1]["sample"]["value"], 2.0, "{line}");
    }
    let mut seen = Recorded::default();
    decode(b"\xff:1|c", &mut Aggregator::default(), &mut seen);
    assert_eq!(seen.records[0]["refused"]["reason"], "malformed");
}

#[test]
fn only_what_was_reported_is_handed_over_and_levels_are_remembered() {
    let mut aggregator = Aggregator::default();
    assert_eq!(values(&mut aggregator, &["g:5|g\nc:1|c"]).len(), 2);
    assert_eq!(values(&mut aggregator, &[]), [], "nothing was reported");
    assert_eq!(values(&mut aggregator, &["g:+2|g"]), [("g".to_owned(), 7.0)]);
    assert_eq!(aggregator.series(), 1, "a counter starts anew");
    for _ in 0..360 {
        window(&mut aggregator, &[]);
    }
    assert_eq!((aggregator.series(), aggregator.held_bytes()), (0, 0), "not for ever");
}

#[test]
fn percentiles_of_many_values_are_within_one_percent() {
    let mut aggregator = Aggregator::default();
    let lines: Vec<String> = (1..=10_000).map(|value| format!("t:{value}|ms")).collect();
    let got = values(&mut aggregator, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let want = [
        ("t.count", 10_000.0),
        ("t.max", 10_000.0),
        ("t.min", 1.0),
        ("t.p50", 5_000.0),
        ("t.p95", 9_500.0),
        ("t.p99", 9_900.0),
        ("t.sum", 50_005_000.0),
    ];
    for ((name, value), (want_name, want)) in got.iter().zip(want) {
        let allowed = if name.contains(".p") { want * 0.01 + 1e-6 } else { 0.0 };
        assert!(name == want_name && (value - want).abs() <= allowed, "{name} {value}, not {want_name} {want}");
    }
}

#[test]
fn series_beyond_the_limit_are_refused_and_counted() {
    let (mut aggregator, mut seen) = (Aggregator::default(), Recorded::default());
    for at in 0..MAX_SERIES + 500 {
        decode(format!("a:1|c|#id:{at}").as_bytes(), &mut aggregator, &mut seen);
    }
    decode(b"a:1|c|#id:7", &mut aggregator, &mut seen);
    assert_eq!(aggregator.series(), MAX_SERIES);
    assert_eq!(aggregator.flush(Timestamp::from_seconds(1), &mut seen), 500);
    assert_eq!(seen.records.len(), MAX_SERIES);
    assert_eq!(aggregator.flush(Timestamp::from_seconds(2), &mut seen), 0, "the next window has room again");
}

#[test]
fn memory_is_bounded_whatever_is_sent() {
    let (mut aggregator, mut seen) = (Aggregator::default(), Recorded::default());
    let long = "x".repeat(60_000);
    for at in 0..2_000 {
        decode(format!("a:1|c|#{at}{long}").as_bytes(), &mut aggregator, &mut seen);
    }
    assert!(aggregator.held_bytes() <= MAX_HELD_BYTES);
    assert!(aggregator.series() < 300);
    assert!(aggregator.flush(Timestamp::from_seconds(1), &mut Recorded::default()) > 1_700);
    let mut line = String::new();
    for at in 0..2_000_000_u32 {
        use std::fmt::Write;
        let _ = writeln!(line, "s:{at}|s");
        if line.len() > 60_000 {
            decode(line.as_bytes(), &mut aggregator, &mut seen);
            line.clear();
        }
    }
    assert!(aggregator.held_bytes() <= MAX_HELD_BYTES);
    assert!(aggregator.flush(Timestamp::from_seconds(1), &mut Recorded::default()) > 0, "members that found no room");
    assert_eq!(aggregator.held_bytes(), 0);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let (mut aggregator, mut seen) = (Aggregator::default(), Recorded::default());
        decode(&bytes, &mut aggregator, &mut seen);
        aggregator.flush(Timestamp::from_seconds(1), &mut seen);
    }

    #[test]
    fn any_text_that_looks_like_statsd_is_read_or_refused(
        text in "(_e\\{[0-9]{1,3},[0-9]{1,2}\\}:|_sc\\||[a-z.]{1,4}:)[-+0-9.:e|@#msghdcTé,\\n]{0,60}",
    ) {
        let (mut aggregator, mut seen) = (Aggregator::default(), Recorded::default());
        decode(text.as_bytes(), &mut aggregator, &mut seen);
        aggregator.flush(Timestamp::from_seconds(1), &mut seen);
    }

    #[test]
    fn a_written_metric_comes_back(
        name in "[a-z][a-z._-]{0,20}", values in prop::collection::vec(-1e9..1e9, 1..5), rate in 0.001..1.0,
        tags in prop::collection::vec(("[a-z]{1,6}", "[a-z0-9:/]{0,6}"), 0..4), second in 1i64..4_000_000_000,
    ) {
        let packed = values.iter().map(f64::to_string).collect::<Vec<_>>().join(":");
        let list = tags.iter().map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>().join(",");
        let line = format!("{name}:{packed}|ms|@{rate}|#{list}|T{second}");
        let want = Metric {
            name: &name,
            readings: Readings::Spread(values),
            rate,
            tags: tags.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect(),
            ts: Some(Timestamp::from_seconds(second)),
        };
        prop_assert_eq!(Line::read(line.as_bytes()), Ok(Line::Metric(want)));
    }

    #[test]
    fn exact_percentiles_are_those_of_the_sorted_values(values in prop::collection::vec(-1e6..1e6, 1..256)) {
        let mut aggregator = Aggregator::default();
        let lines: Vec<_> = values.iter().map(|value| format!("t:{value}|h")).collect();
        let got = self::values(&mut aggregator, &lines.iter().map(String::as_str).collect::<Vec<_>>());
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = |q: usize| sorted[(sorted.len() * q).div_ceil(100) - 1];
        let percentiles: Vec<_> = got.iter().filter(|(name, _)| name.contains(".p")).map(|(_, value)| *value).collect();
        prop_assert_eq!(percentiles, [rank(50), rank(95), rank(99)]);
    }
}
