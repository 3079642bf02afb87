//! Whole requests and scrapes; real ones are in `fixtures/prometheus` and `tests/it`.

use super::native::{Histogram, Span};
use super::*;
use crate::collect::Collected;
use crate::observed::DecodeError;
use base::Timestamp;
use proptest::prelude::*;
use prost::Message;
use serde_json::{Value, json};

/// The messages as their definitions have them, to write with another encoder than the reader under test.
mod v1 {
    use super::Histogram;
    use prost::Message;

    #[derive(Clone, PartialEq, Message)]
    pub struct WriteRequest {
        #[prost(message, repeated, tag = "1")]
        pub timeseries: Vec<TimeSeries>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub struct TimeSeries {
        #[prost(message, repeated, tag = "1")]
        pub labels: Vec<Label>,
        #[prost(message, repeated, tag = "2")]
        pub samples: Vec<Sample>,
        #[prost(message, repeated, tag = "3")]
        pub exemplars: Vec<Exemplar>,
        #[prost(message, repeated, tag = "4")]
        pub histograms: Vec<Histogram>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub struct Label {
        #[prost(string, tag = "1")]
        pub name: String,
        #[prost(string, tag = "2")]
        pub value: String,
    }

    #[derive(Clone, Copy, PartialEq, Message)]
    pub struct Sample {
        #[prost(double, tag = "1")]
        pub value: f64,
        #[prost(int64, tag = "2")]
        pub timestamp: i64,
    }

    #[derive(Clone, PartialEq, Message)]
    pub struct Exemplar {
        #[prost(message, repeated, tag = "1")]
        pub labels: Vec<Label>,
        #[prost(double, tag = "2")]
        pub value: f64,
    }
}

mod v2 {
    use super::{Histogram, v1};
    use prost::Message;

    #[derive(Clone, PartialEq, Message)]
    pub struct Request {
        #[prost(string, repeated, tag = "4")]
        pub symbols: Vec<String>,
        #[prost(message, repeated, tag = "5")]
        pub timeseries: Vec<TimeSeries>,
    }

    #[derive(Clone, PartialEq, Message)]
    pub struct TimeSeries {
        #[prost(uint32, repeated, tag = "1")]
        pub labels_refs: Vec<u32>,
        #[prost(message, repeated, tag = "2")]
        pub samples: Vec<v1::Sample>,
        #[prost(message, repeated, tag = "3")]
        pub histograms: Vec<Histogram>,
    }
}

fn snappy(bytes: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(bytes).unwrap()
}

fn lines(seen: &Collected) -> Vec<String> {
    let line =
        |record: &Value| record["sample"].as_str().map_or_else(|| record["refused"]["why"].to_string(), str::to_owned);
    seen.records.iter().map(line).collect()
}

fn series(labels: &[(&str, &str)], samples: &[(f64, i64)]) -> v1::TimeSeries {
    let label = |(name, value): &(&str, &str)| v1::Label { name: (*name).to_owned(), value: (*value).to_owned() };
    v1::TimeSeries {
        labels: labels.iter().map(label).collect(),
        samples: samples.iter().map(|(value, timestamp)| v1::Sample { value: *value, timestamp: *timestamp }).collect(),
        ..v1::TimeSeries::default()
    }
}

fn write_v1(timeseries: Vec<v1::TimeSeries>) -> (Result<Outcome, DecodeError>, Vec<String>) {
    let mut seen = Collected::default();
    let body = snappy(&v1::WriteRequest { timeseries }.encode_to_vec());
    (remote_write(&body, Version::V1, &mut seen), lines(&seen))
}

const UP: [(&str, &str); 3] = [("__name__", "up"), ("instance", "web-1:9100"), ("job", "node")];
const STALE: u64 = 0x7ff0_0000_0000_0002;

#[test]
fn content_types_name_versions() {
    for (value, want) in [
        ("application/x-protobuf", Some(Version::V1)),
        ("application/x-protobuf;proto=prometheus.WriteRequest", Some(Version::V1)),
        ("application/x-protobuf; proto=io.prometheus.write.v2.Request", Some(Version::V2)),
        ("application/x-protobuf;proto=io.prometheus.write.v3.Request", None),
        ("application/json", None),
    ] {
        assert_eq!(Version::of_content_type(value), want, "{value}");
    }
}

#[test]
fn a_series_hands_over_its_samples_and_counts_the_rest() {
    let mut sent = series(&UP, &[(1.0, 1000), (f64::from_bits(STALE), 2000), (f64::NAN, 3000), (1.0, i64::MAX)]);
    sent.exemplars = vec![v1::Exemplar::default()];
    let (outcome, seen) = write_v1(vec![sent]);
    let labels = "up{instance=\"web-1:9100\",job=\"node\"}";
    let want = [
        format!("node/web-1 {labels} 1.0 @1970-01-01T00:00:01Z"),
        format!("node/web-1 {labels} NaN @1970-01-01T00:00:03Z"),
        "\"bad_time\"".to_owned(),
    ];
    assert_eq!(seen, want);
    let want = Outcome {
        samples: 2,
        exemplars: 1,
        stale: 1,
        rejected: 1,
        first_reason: Some(Refusal::BadTime),
        ..Outcome::default()
    };
    assert_eq!(outcome, Ok(want));
}

#[test]
fn a_series_with_bad_labels_is_refused_with_all_its_samples() {
    let bad = series(&[("job", "node"), ("__name__", "up")], &[(1.0, 1), (2.0, 2)]);
    let (outcome, seen) = write_v1(vec![bad, series(&UP, &[(1.0, 1000)])]);
    assert_eq!(seen.len(), 2);
    let want = Outcome { samples: 1, rejected: 2, first_reason: Some(Refusal::BadName), ..Outcome::default() };
    assert_eq!(outcome, Ok(want));
}

#[test]
fn native_histograms_become_buckets() {
    let histogram = Histogram {
        count_int: Some(3),
        sum: 5.5,
        positive_spans: vec![Span { offset: 0, length: 2 }],
        positive_deltas: vec![1, 1],
        timestamp: 1000,
        ..Histogram::default()
    };
    let ended = Histogram { sum: f64::from_bits(STALE), ..histogram.clone() };
    let (outcome, seen) =
        write_v1(vec![v1::TimeSeries { histograms: vec![histogram, ended], ..series(&UP[..1], &[]) }]);
    let want = [
        "-/- up_bucket{le=\"0.5\"} 0.0 @1970-01-01T00:00:01Z",
        "-/- up_bucket{le=\"1\"} 1.0 @1970-01-01T00:00:01Z",
        "-/- up_bucket{le=\"2\"} 3.0 @1970-01-01T00:00:01Z",
        "-/- up_bucket{le=\"+Inf\"} 3.0 @1970-01-01T00:00:01Z",
        "-/- up_count{} 3.0 @1970-01-01T00:00:01Z",
        "-/- up_sum{} 5.5 @1970-01-01T00:00:01Z",
    ];
    assert_eq!(seen, want);
    assert_eq!(outcome, Ok(Outcome { histograms: 1, stale: 1, ..Outcome::default() }));
}

#[test]
fn version_2_refers_to_symbols() {
    let symbols: Vec<String> = ["", "__name__", "up", "job", "node"].map(str::to_owned).to_vec();
    let write = |symbols: &[String], labels_refs: &[u32]| {
        let samples = vec![v1::Sample { value: 1.0, timestamp: 1000 }];
        let timeseries =
            vec![v2::TimeSeries { labels_refs: labels_refs.to_vec(), samples, ..v2::TimeSeries::default() }];
        let body = snappy(&v2::Request { symbols: symbols.to_vec(), timeseries }.encode_to_vec());
        let mut seen = Collected::default();
        (remote_write(&body, Version::V2, &mut seen), lines(&seen))
    };
    let (outcome, seen) = write(&symbols, &[1, 2, 3, 4]);
    assert_eq!(seen, ["node/- up{job=\"node\"} 1.0 @1970-01-01T00:00:01Z"]);
    assert_eq!(outcome, Ok(Outcome { samples: 1, ..Outcome::default() }));
    for (case, references, want) in [
        ("beyond the symbols", &[1, 2, 3, 9][..], Refusal::Malformed),
        ("half a pair", &[1, 2, 3], Refusal::Malformed),
        ("none", &[], Refusal::BadName),
    ] {
        assert_eq!(write(&symbols, references).0.unwrap().first_reason, Some(want), "{case}");
    }
    assert!(write(&symbols[1..], &[0, 1]).0.is_err(), "the first symbol is empty");
}

#[test]
fn hostile_requests_stay_within_bounds() {
    let empty_series = snappy(&[0x0a, 0].repeat(crate::observed::MAX_RECORDS + 1));
    let symbols = snappy(&[0x22, 0].repeat(crate::observed::MAX_RECORDS + 1));
    let mut seen = Nobody;
    for (body, version) in [(empty_series, Version::V1), (symbols, Version::V2)] {
        assert!(matches!(remote_write(&body, version, &mut seen), Err(DecodeError::TooMany { .. })));
    }
    let lying = snappy(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 1]);
    assert!(matches!(remote_write(&lying, Version::V1, &mut seen), Err(DecodeError::Malformed { at: 1, .. })));
}

/// Keeps nothing: a million records would be much.
struct Nobody;
impl crate::observed::Observer for Nobody {
    fn log(&mut self, _: crate::observed::LogRecord<'_>) {}
    fn span(&mut self, _: crate::observed::SpanRecord<'_>) {}
    fn sample(&mut self, _: crate::observed::SampleRecord<'_>) {}
    fn error(&mut self, _: crate::observed::ErrorRecord<'_>) {}
    fn event(&mut self, _: crate::observed::EventRecord<'_>) {}
    fn request(&mut self, _: crate::observed::RequestRecord<'_>) {}
    fn refuse(&mut self, _: Refusal, _: &[u8]) {}
}

fn scraped(line: &str, format: Format, labels: &[(&str, &str)]) -> String {
    let target = Target { labels, at: Some(Timestamp::from_seconds(9)) };
    let mut seen = Collected::default();
    let ending = if format == Format::OpenMetrics { "\n# EOF\n" } else { "\n" };
    scrape(format!("{line}{ending}").as_bytes(), format, &target, &mut seen).unwrap();
    lines(&seen).join("; ")
}

#[test]
fn lines_of_a_scrape_are_read_as_programs_write_them() {
    for (line, want) in [
        ("up 1", "-/- up{} 1.0 @1970-01-01T00:00:09Z"),
        ("  up\t 1 1500 \r", "-/- up{} 1.0 @1970-01-01T00:00:01.5Z"),
        ("up{} +Inf", "-/- up{} inf @1970-01-01T00:00:09Z"),
        ("up { a = \"1\" , b=\"2\", } -1e3", "-/- up{a=\"1\",b=\"2\"} -1000.0 @1970-01-01T00:00:09Z"),
        (r#"up{a="\"\\\n\q,}"} NaN"#, "-/- up{a=\"\\\"\\\\\\n\\\\q,}\"} NaN @1970-01-01T00:00:09Z"),
        (r#"{"my.name","my label"="é"} 1"#, "-/- my.name{my label=\"é\"} 1.0 @1970-01-01T00:00:09Z"),
        ("# HELP up Whether it is up\n# TYPE up gauge\n#\n\n", ""),
        ("up", "\"bad_value\""),
        ("up x", "\"bad_value\""),
        ("up 1 tomorrow", "\"bad_time\""),
        ("up 1 1 1", "\"malformed\""),
        ("{a=\"1\"} 1", "\"bad_name\""),
        ("up{a=\"1\",a=\"2\"} 1", "\"bad_name\""),
        ("up{=\"1\"} 1", "\"bad_name\""),
        ("up{a} 1", "\"malformed\""),
        ("up{a=1} 1", "\"malformed\""),
        ("up{a=\"1\" b=\"2\"} 1", "\"malformed\""),
        ("up{a=\"1\\", "\"malformed\""),
        ("up{a=\"1\"", "\"malformed\""),
        ("up{", "\"malformed\""),
    ] {
        assert_eq!(scraped(line, Format::Text, &[]), want, "{line}");
    }
}

#[test]
fn openmetrics_has_seconds_exemplars_and_an_end() {
    for (line, want) in [
        ("a_total 1 1.5", "-/- a_total{} 1.0 @1970-01-01T00:00:01.5Z"),
        ("a_total 1 # {trace_id=\"x\"} 0.5 1.5", "-/- a_total{} 1.0 @1970-01-01T00:00:09Z"),
        ("a_total 1 1 # {} 0.5", "-/- a_total{} 1.0 @1970-01-01T00:00:01Z"),
        ("a_total 1 # x", "\"malformed\""),
        ("a_total 1 1e300", "\"bad_time\""),
    ] {
        assert_eq!(scraped(line, Format::OpenMetrics, &[]), want, "{line}");
    }
    let cut = scrape(b"a_total 1\n", Format::OpenMetrics, &Target::default(), &mut Collected::default());
    assert_eq!(cut.unwrap_err().to_string(), "no # EOF at the end at byte 10");
    assert_eq!(Format::of_content_type("application/openmetrics-text; version=1.0.0"), Format::OpenMetrics);
    assert_eq!(Format::of_content_type("text/plain; version=0.0.4"), Format::Text);
}

#[test]
fn a_target_has_the_last_word_on_its_labels() {
    let labels = [("instance", "web-1:9100"), ("job", "node")];
    let want =
        "node/web-1 up{exported_job=\"mine\",a=\"1\",instance=\"web-1:9100\",job=\"node\"} 1.0 @1970-01-01T00:00:09Z";
    assert_eq!(scraped("up{job=\"mine\",a=\"1\"} 1", Format::Text, &labels), want);
}

#[test]
fn an_alert_is_resolved_when_its_end_has_passed() {
    let state = |ends_at: &str, now: i64| {
        let body = json!([{ "labels": { "alertname": "Down", "job": "node" }, "endsAt": ends_at }]).to_string();
        let mut seen = Collected::default();
        alerts(body.as_bytes(), Timestamp::from_seconds(now), &mut seen).unwrap();
        seen.records[0]["event"]["state"].as_str().unwrap_or("refused").to_owned()
    };
    for (ends_at, now, want) in [
        ("1970-01-01T00:01:00Z", 59, "firing"),
        ("1970-01-01T00:01:00Z", 60, "resolved"),
        ("0001-01-01T00:00:00Z", 60, "firing"),
        ("", 60, "firing"),
        ("soon", 60, "refused"),
    ] {
        assert_eq!(state(ends_at, now), want, "{ends_at} {now}");
    }
}

#[test]
fn a_bad_alert_does_not_spoil_its_neighbours() {
    let read = |alert: &Value| {
        let good = json!({ "labels": { "alertname": "Down" } });
        let mut seen = Collected::default();
        let outcome = alerts(json!([alert, good]).to_string().as_bytes(), Timestamp::default(), &mut seen).unwrap();
        assert_eq!((outcome.samples, outcome.rejected), (1, 1), "{alert}");
        outcome.first_reason.unwrap()
    };
    let many: serde_json::Map<_, _> = (0..2000).map(|n| (format!("l{n}"), json!("x"))).collect();
    for (alert, want) in [
        (json!({}), Refusal::BadName),
        (json!({ "labels": { "alertname": "" } }), Refusal::BadName),
        (json!({ "labels": { "alertname": 7 } }), Refusal::Malformed),
        (json!({ "labels": [] }), Refusal::NotAMap),
        (json!(7), Refusal::NotAMap),
        (json!({ "labels": many }), Refusal::TooLong),
        (json!({ "labels": { "alertname": "a" }, "startsAt": 7 }), Refusal::BadTime),
    ] {
        assert_eq!(read(&alert), want);
    }
    for body in ["", "{}", "7", "[", "\u{fffd}"] {
        assert!(alerts(body.as_bytes(), Timestamp::default(), &mut Collected::default()).is_err(), "{body}");
    }
    assert!(alertmanager_webhook(b"{}", &mut Collected::default()).is_err());
}

proptest! {
    #[test]
    fn both_versions_say_the_same(
        value in any::<f64>(),
        timestamp in 0i64..4_000_000_000_000,
        label in "[a-z]{1,8}",
        text in "\\PC{1,8}",
    ) {
        let sample = v1::Sample { value, timestamp };
        let labels = [("__name__", "n"), (label.as_str(), text.as_str())];
        let (outcome, first) = write_v1(vec![series(&labels, &[(value, timestamp)])]);
        let symbols = vec![String::new(), "__name__".to_owned(), "n".to_owned(), label.clone(), text.clone()];
        let timeseries = vec![v2::TimeSeries { labels_refs: vec![1, 2, 3, 4], samples: vec![sample], ..v2::TimeSeries::default() }];
        let mut seen = Collected::default();
        let body = snappy(&v2::Request { symbols, timeseries }.encode_to_vec());
        prop_assert_eq!(remote_write(&body, Version::V2, &mut seen), outcome);
        prop_assert_eq!(lines(&seen), first);
    }

    #[test]
    fn labels_of_a_scrape_read_back(value in "[^\u{0}]{0,12}", number in any::<f64>()) {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let line = format!("n{{l=\"{escaped}\"}} {number:?}\n");
        struct Kept(Vec<(String, u64)>);
        impl crate::observed::Observer for Kept {
            fn log(&mut self, _: crate::observed::LogRecord<'_>) {}
            fn span(&mut self, _: crate::observed::SpanRecord<'_>) {}
            fn sample(&mut self, sample: crate::observed::SampleRecord<'_>) {
                let label = sample.labels.first().map_or(String::new(), |(_, value)| value.to_string());
                self.0.push((label, sample.value.to_bits()));
            }
            fn error(&mut self, _: crate::observed::ErrorRecord<'_>) {}
            fn event(&mut self, _: crate::observed::EventRecord<'_>) {}
            fn request(&mut self, _: crate::observed::RequestRecord<'_>) {}
            fn refuse(&mut self, _: Refusal, _: &[u8]) {}
        }
        let mut kept = Kept(Vec::new());
        scrape(line.as_bytes(), Format::Text, &Target::default(), &mut kept).unwrap();
        if !number.is_nan() {
            prop_assert_eq!(kept.0, vec![(value, number.to_bits())]);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read_all(&bytes);
    }

    #[test]
    fn no_line_makes_it_panic(line in "[a{}=\",# \\\\\t0-9é.eE+\\-\n]{0,60}") {
        read_all(line.as_bytes());
    }

    #[test]
    fn no_damage_makes_it_panic(place in any::<prop::sample::Index>(), byte in any::<u8>(), kept in any::<prop::sample::Index>()) {
        for capture in CAPTURES {
            let mut damaged = capture.to_vec();
            *place.get_mut(&mut damaged) = byte;
            read_all(&damaged);
            read_all(&damaged[..kept.index(damaged.len())]);
        }
    }
}

/// All decoders, whatever the bytes were meant for; remote write also behind its compression.
fn read_all(bytes: &[u8]) {
    let mut seen = Nobody;
    for version in [Version::V1, Version::V2] {
        let _ = remote_write(bytes, version, &mut seen);
        let _ = remote_write(&snappy(bytes), version, &mut seen);
    }
    for format in [Format::Text, Format::OpenMetrics] {
        let _ = scrape(bytes, format, &Target::default(), &mut seen);
    }
    let _ = alerts(bytes, Timestamp::default(), &mut seen);
    let _ = alertmanager_webhook(bytes, &mut seen);
}

const CAPTURES: [&[u8]; 4] = [
    include_bytes!("../../../../fixtures/prometheus/prometheus_series.rw1"),
    include_bytes!("../../../../fixtures/prometheus/python-client-openmetrics_scrape.om"),
    include_bytes!("../../../../fixtures/prometheus/prometheus-firing_alerts.json"),
    include_bytes!("../../../../fixtures/prometheus/alertmanager-firing_webhook.json"),
];
