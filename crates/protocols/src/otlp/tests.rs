//! Whole requests in both encodings; real ones are in `fixtures/otlp` and `tests/it`.

use super::*;
use crate::collect::Collected;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use proptest::prelude::*;
use serde_json::{Value, json};

fn string(text: &str) -> AnyValue {
    AnyValue { value: Some(Any::StringValue(text.to_owned())) }
}

fn pair(key: &str, value: AnyValue) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(value), ..KeyValue::default() }
}

fn shop() -> Resource {
    Resource { attributes: vec![pair("service.name", string("shop"))], ..Resource::default() }
}

fn logs_of(log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    let scope = Some(InstrumentationScope { name: "lib".to_owned(), ..InstrumentationScope::default() });
    let scope_logs = vec![ScopeLogs { scope, log_records, ..ScopeLogs::default() }];
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs { resource: Some(shop()), scope_logs, ..ResourceLogs::default() }],
    }
}

fn spans_of(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource: Some(shop()), scope_spans, ..ResourceSpans::default() }],
    }
}

fn metrics_of(metrics: Vec<Metric>) -> ExportMetricsServiceRequest {
    let scope_metrics = vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }];
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics { resource: Some(shop()), scope_metrics, ..ResourceMetrics::default() }],
    }
}

fn metric(name: &str, data: Data) -> Metric {
    Metric { name: name.to_owned(), data: Some(data), ..Metric::default() }
}

fn good_span() -> Span {
    Span { trace_id: vec![1; 16], span_id: vec![2; 8], name: "step".to_owned(), ..Span::default() }
}

/// What both encodings' decoders, and the one of decoded requests, make of a request.
fn read_logs(request: &ExportLogsServiceRequest) -> (Outcome, Vec<Value>) {
    let (mut decoded, mut walked) = (Collected::default(), Collected::default());
    let outcome = observe_logs(request, &mut decoded);
    assert_eq!(logs(&request.encode_to_vec(), Encoding::Protobuf, &mut walked), Ok(outcome));
    assert_eq!(decoded.records, walked.records);
    (outcome, walked.records)
}

fn read_traces(request: &ExportTraceServiceRequest) -> (Outcome, Vec<Value>) {
    let (mut decoded, mut walked) = (Collected::default(), Collected::default());
    let outcome = observe_traces(request, &mut decoded);
    assert_eq!(traces(&request.encode_to_vec(), Encoding::Protobuf, &mut walked), Ok(outcome));
    assert_eq!(decoded.records, walked.records);
    (outcome, walked.records)
}

fn read_metrics(request: &ExportMetricsServiceRequest) -> (Outcome, Vec<String>) {
    let (mut decoded, mut walked) = (Collected::default(), Collected::default());
    let outcome = observe_metrics(request, &mut decoded);
    assert_eq!(metrics(&request.encode_to_vec(), Encoding::Protobuf, &mut walked), Ok(outcome));
    assert_eq!(decoded.records, walked.records);
    let lines = walked.records.iter().map(|record| record["sample"].as_str().unwrap_or("refused").to_owned());
    (outcome, lines.collect())
}

fn json_logs(record: &Value) -> (Result<Outcome, DecodeError>, Vec<Value>) {
    let body = json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [record] }] }] });
    let mut seen = Collected::default();
    (logs(body.to_string().as_bytes(), Encoding::Json, &mut seen), seen.records)
}

#[test]
fn content_types_name_encodings() {
    for (value, want) in [
        ("application/x-protobuf", Some(Encoding::Protobuf)),
        ("Application/JSON; charset=utf-8", Some(Encoding::Json)),
        ("text/plain", None),
        ("", None),
    ] {
        assert_eq!(Encoding::of_content_type(value), want, "{value}");
    }
}

#[test]
fn a_log_record_keeps_all_it_says() {
    let record = LogRecord {
        time_unix_nano: 1_700_000_000_123_456_789,
        severity_number: 17,
        severity_text: "ERR".to_owned(),
        body: Some(string("it failed")),
        attributes: vec![pair("service.name", string("nearer")), pair("n", AnyValue { value: Some(Any::IntValue(3)) })],
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        event_name: "order.failed".to_owned(),
        dropped_attributes_count: 2,
        ..LogRecord::default()
    };
    let (outcome, records) = read_logs(&logs_of(vec![record]));
    assert_eq!(outcome, Outcome { accepted: 1, ..Outcome::default() });
    let want = json!({ "log": {
        "ts": "2023-11-14T22:13:20.123456Z", "service": "shop", "severity": "error", "body": "it failed",
        "trace_id": "01010101010101010101010101010101",
        "fields": {
            "service.name": "nearer", "n": "3", "span_id": "0202020202020202", "event.name": "order.failed",
            "severity_text": "ERR", "dropped_attributes_count": "2", "otel.scope.name": "lib",
        },
    } });
    assert_eq!(records, [want]);
}

#[test]
fn a_bad_record_does_not_spoil_its_neighbours() {
    let good = LogRecord { body: Some(string("good")), ..LogRecord::default() };
    let bad = LogRecord { trace_id: vec![1; 15], ..LogRecord::default() };
    let (outcome, records) = read_logs(&logs_of(vec![good.clone(), bad, good]));
    assert_eq!(outcome, Outcome { accepted: 2, rejected: 1, first_reason: Some(Refusal::BadId), ..Outcome::default() });
    assert_eq!(records[1]["refused"]["why"], "bad_id");
    let good = good_span();
    for (case, bad) in [
        ("no trace", Span { trace_id: vec![], ..good.clone() }),
        ("zeros", Span { trace_id: vec![0; 16], ..good.clone() }),
        ("short span", Span { span_id: vec![1; 7], ..good.clone() }),
        ("long parent", Span { parent_span_id: vec![1; 9], ..good.clone() }),
        ("a link to nowhere", Span { links: vec![Link::default()], ..good.clone() }),
    ] {
        let (outcome, _) = read_traces(&spans_of(vec![bad, good.clone()]));
        assert_eq!((outcome.accepted, outcome.first_reason), (1, Some(Refusal::BadId)), "{case}");
    }
}

#[test]
fn bytes_that_are_no_record_are_refused_alone_and_those_that_are_no_request_together() {
    // A body in a record says that it has nine bytes, and has one.
    let body = [0x0a, 7, 0x12, 5, 0x12, 3, 0x2a, 9, 1];
    let mut seen = Collected::default();
    let outcome = logs(&body, Encoding::Protobuf, &mut seen).unwrap();
    assert_eq!((outcome.rejected, outcome.first_reason), (1, Some(Refusal::Malformed)));
    for (case, body, encoding, want) in [
        ("cut short", &[0x0a, 9, 0x12][..], Encoding::Protobuf, "a length that goes beyond the end at byte 1"),
        ("no JSON", b"{", Encoding::Json, "EOF while parsing an object at byte 0"),
        ("no object", b"[]", Encoding::Json, "invalid type: sequence, expected an object at byte 0"),
        ("no list", br#"{"resourceLogs":7}"#, Encoding::Json, "invalid type: integer `7`, expected a list at byte 16"),
        ("no UTF-8", b"{\"a\":\"\xff\"}", Encoding::Json, "text that is no UTF-8 at byte 6"),
    ] {
        let error = logs(body, encoding, &mut Collected::default()).unwrap_err();
        assert_eq!(error.to_string(), want, "{case}");
    }
    assert_eq!(logs(b"", Encoding::Protobuf, &mut Collected::default()), Ok(Outcome::default()));
    assert_eq!(logs(b"{}", Encoding::Json, &mut Collected::default()), Ok(Outcome::default()));
}

#[test]
fn json_is_read_as_loosely_as_the_specification_asks() {
    for (case, record, want) in [
        (
            "numbers as text",
            json!({ "timeUnixNano": "1000000", "body": { "intValue": "7" } }),
            json!({ "ts": "1970-01-01T00:00:00.001Z", "body": "7" }),
        ),
        (
            "numbers as numbers",
            json!({ "timeUnixNano": 1_000_000, "body": { "intValue": 7 } }),
            json!({ "ts": "1970-01-01T00:00:00.001Z", "body": "7" }),
        ),
        ("a double for a whole number", json!({ "body": { "intValue": 7.0 } }), json!({ "body": "7" })),
        ("words for doubles", json!({ "body": { "doubleValue": "-Infinity" } }), json!({ "body": "-Infinity" })),
        (
            "unknown members",
            json!({ "new": [1], "body": { "newValue": {}, "stringValue": "x" } }),
            json!({ "body": "x" }),
        ),
        ("null for nothing", json!({ "attributes": null, "traceId": null, "body": null }), json!({ "body": "" })),
        (
            "an enum by name",
            json!({ "severityNumber": "SEVERITY_NUMBER_WARN2" }),
            json!({ "body": "", "severity": "warn" }),
        ),
        (
            "ids of either case",
            json!({ "traceId": "0AF7651916cd43dd8448eb211c80319c" }),
            json!({ "body": "", "trace_id": "0af7651916cd43dd8448eb211c80319c" }),
        ),
        ("no name", json!({ "attributes": [{ "value": { "stringValue": "x" } }] }), json!({ "body": "" })),
    ] {
        let (outcome, records) = json_logs(&record);
        assert_eq!(outcome, Ok(Outcome { accepted: 1, ..Outcome::default() }), "{case}");
        assert_eq!(records, [json!({ "log": want })], "{case}");
    }
    for (record, want) in [
        (json!({ "traceId": "xyz" }), Refusal::BadId),
        (json!({ "traceId": "0a" }), Refusal::BadId),
        (json!({ "timeUnixNano": "yesterday" }), Refusal::BadTime),
        (json!({ "body": { "intValue": "x" } }), Refusal::BadValue),
        (json!({ "body": { "bytesValue": "!" } }), Refusal::Malformed),
        (json!(7), Refusal::NotAMap),
    ] {
        assert_eq!(json_logs(&record).0.unwrap().first_reason, Some(want), "{record}");
    }
}

#[test]
fn where_records_come_from_may_be_said_after_them() {
    let body = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}],"scope":{"name":"late"}}],
        "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]}}]}"#;
    let mut seen = Collected::default();
    logs(body.as_bytes(), Encoding::Json, &mut seen).unwrap();
    let log = &seen.records[0]["log"];
    assert_eq!((&log["service"], &log["fields"]["otel.scope.name"]), (&json!("shop"), &json!("late")));
}

#[test]
fn an_exception_becomes_an_error_beside_its_record() {
    let exception = |kind: &str| {
        vec![
            pair("exception.type", string(kind)),
            pair("exception.message", string("no cup")),
            pair("exception.stacktrace", string("KeyError\n    at total (/app/cart.js:12:9)")),
        ]
    };
    let log = LogRecord { severity_number: 21, attributes: exception("KeyError"), ..LogRecord::default() };
    let (_, records) = read_logs(&logs_of(vec![log, LogRecord::default()]));
    assert_eq!(records.len(), 3);
    let error = &records[1]["error"];
    assert_eq!(
        (&error["kind"], &error["severity"], &error["frames"]),
        (&json!("KeyError"), &json!("fatal"), &json!(["total (/app/cart.js:12)"]))
    );

    let event = |name: &str| Event { name: name.to_owned(), attributes: exception("KeyError"), ..Event::default() };
    let span = Span {
        events: vec![event("exception"), event("retry"), event("exception")],
        attributes: vec![pair("enduser.id", string("taro")), pair("http.route", string("/cart"))],
        ..good_span()
    };
    let (_, records) = read_traces(&spans_of(vec![span]));
    assert_eq!(records.len(), 3);
    let error = &records[1]["error"];
    assert_eq!(error["person"]["id"], "taro");
    let want =
        json!({ "http.route": "/cart", "service.name": "shop", "span.name": "step", "span_id": "0202020202020202" });
    assert_eq!(error["fields"], want);
    let many = Span { events: vec![event("exception"); 1000], ..good_span() };
    assert_eq!(read_traces(&spans_of(vec![many])).1.len(), 33);
}

#[test]
fn durations_are_unknown_rather_than_wrong() {
    for (start, end, want) in [(1_000_000, 3_000_000, Some(2000)), (3_000_000, 1_000_000, None), (0, 1000, None)] {
        let span = Span { start_time_unix_nano: start, end_time_unix_nano: end, ..good_span() };
        let (_, records) = read_traces(&spans_of(vec![span]));
        assert_eq!(records[0]["span"].get("duration_us"), want.map(|want: u64| json!(want)).as_ref(), "{start} {end}");
    }
}

#[test]
fn every_kind_of_metric_becomes_samples() {
    let number = |value| NumberDataPoint { value, ..NumberDataPoint::default() };
    let labelled =
        NumberDataPoint { attributes: vec![pair("room", string("a"))], ..number(Some(Number::AsDouble(21.5))) };
    let stale = NumberDataPoint { flags: 1, ..number(None) };
    let histogram = HistogramDataPoint {
        count: 7,
        sum: Some(9.5),
        bucket_counts: vec![3, 4],
        explicit_bounds: vec![0.5],
        ..HistogramDataPoint::default()
    };
    let without_buckets = HistogramDataPoint { count: 7, ..HistogramDataPoint::default() };
    let wrong = HistogramDataPoint { explicit_bounds: vec![], bucket_counts: vec![1, 2, 3], ..histogram.clone() };
    let quantile_values = vec![ValueAtQuantile { quantile: 0.99, value: 3.0 }];
    let summary = SummaryDataPoint { count: 2, sum: 4.0, quantile_values, ..SummaryDataPoint::default() };
    let sum =
        Sum { data_points: vec![number(Some(Number::AsInt(-3)))], aggregation_temporality: 1, is_monotonic: true };
    let request = metrics_of(vec![
        metric("gauge", Data::Gauge(Gauge { data_points: vec![labelled, stale, number(None)] })),
        metric("sum", Data::Sum(sum)),
        metric(
            "h",
            Data::Histogram(Histogram {
                data_points: vec![histogram, without_buckets, wrong],
                aggregation_temporality: 2,
            }),
        ),
        metric("s", Data::Summary(Summary { data_points: vec![summary] })),
        metric("", Data::Gauge(Gauge { data_points: vec![number(Some(Number::AsInt(1)))] })),
        Metric { name: "none".to_owned(), ..Metric::default() },
    ]);
    let (outcome, lines) = read_metrics(&request);
    let want = [
        "shop/- gauge{room=\"a\"} 21.5 @-",
        "refused",
        "shop/- sum{temporality=\"delta\"} -3.0 @-",
        "shop/- h_bucket{le=\"0.5\"} 3.0 @-",
        "shop/- h_bucket{le=\"+Inf\"} 7.0 @-",
        "shop/- h_count{} 7.0 @-",
        "shop/- h_sum{} 9.5 @-",
        "shop/- h_bucket{le=\"+Inf\"} 7.0 @-",
        "shop/- h_count{} 7.0 @-",
        "refused",
        "shop/- s{quantile=\"0.99\"} 3.0 @-",
        "shop/- s_count{} 2.0 @-",
        "shop/- s_sum{} 4.0 @-",
        "refused",
        "refused",
    ];
    assert_eq!(lines, want);
    assert_eq!(outcome, Outcome { accepted: 6, rejected: 4, first_reason: Some(Refusal::BadValue), stale: 1 });
}

#[test]
fn real_requests_say_the_same_in_the_other_encoding() {
    let [_, _, _, sent_logs, sent_metrics, sent_traces] = CAPTURES;
    let in_json = |read: Reader, json: serde_json::Result<Vec<u8>>, sent: &[u8]| {
        let (mut from_json, mut from_protobuf) = (Collected::default(), Collected::default());
        let outcome = read(&json.unwrap(), Encoding::Json, &mut from_json);
        assert_eq!(outcome, read(sent, Encoding::Protobuf, &mut from_protobuf));
        assert!(!from_json.records.is_empty());
        assert_eq!(from_json.records, from_protobuf.records);
    };
    in_json(logs, serde_json::to_vec(&ExportLogsServiceRequest::decode(sent_logs).unwrap()), sent_logs);
    in_json(traces, serde_json::to_vec(&ExportTraceServiceRequest::decode(sent_traces).unwrap()), sent_traces);
    in_json(metrics, serde_json::to_vec(&ExportMetricsServiceRequest::decode(sent_metrics).unwrap()), sent_metrics);
}

type Reader = fn(&[u8], Encoding, &mut dyn Observer) -> Result<Outcome, DecodeError>;

#[test]
fn hostile_requests_stay_within_bounds() {
    let nested = |levels| {
        (0..levels)
            .fold(string("x"), |inner, _| AnyValue { value: Some(Any::ArrayValue(ArrayValue { values: vec![inner] })) })
    };
    let maps = |levels| {
        (0..levels).fold(string("x"), |inner, _| AnyValue {
            value: Some(Any::KvlistValue(KeyValueList { values: vec![pair("k", inner)] })),
        })
    };
    for (case, body, want) in [
        ("31 lists", nested(31), None),
        ("33 lists", nested(33), Some(Refusal::TooDeep)),
        ("2000 lists", nested(2000), Some(Refusal::TooDeep)),
        ("31 maps", maps(31), None),
        ("33 maps", maps(33), Some(Refusal::TooDeep)),
        ("longer than a record", string(&"x".repeat(crate::observed::MAX_RECORD)), Some(Refusal::TooLong)),
    ] {
        let request = logs_of(vec![LogRecord { body: Some(body), ..LogRecord::default() }]);
        let outcome = logs(&request.encode_to_vec(), Encoding::Protobuf, &mut Collected::default()).unwrap();
        assert_eq!(outcome.first_reason, want, "{case}");
    }
    let deep = format!("{}{}", r#"{"arrayValue":{"values":["#.repeat(5000), "]}}".repeat(5000));
    let body = format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{deep}}}]}}]}}]}}"#);
    let outcome = logs(body.as_bytes(), Encoding::Json, &mut Collected::default()).unwrap();
    assert_eq!(outcome.first_reason, Some(Refusal::TooDeep));
}

#[test]
fn more_records_than_are_taken_fail_the_request() {
    // Two bytes each: a million empty records, and one.
    let records = [0x12, 0].repeat(crate::observed::MAX_RECORDS + 1);
    let body = field(0x0a, &field(0x12, &records));
    struct Nobody;
    impl Observer for Nobody {
        fn log(&mut self, _: crate::observed::LogRecord<'_>) {}
        fn span(&mut self, _: crate::observed::SpanRecord<'_>) {}
        fn sample(&mut self, _: crate::observed::SampleRecord<'_>) {}
        fn error(&mut self, _: crate::observed::ErrorRecord<'_>) {}
        fn event(&mut self, _: crate::observed::EventRecord<'_>) {}
        fn request(&mut self, _: crate::observed::RequestRecord<'_>) {}
        fn refuse(&mut self, _: Refusal, _: &[u8]) {}
    }
    let error = logs(&body, Encoding::Protobuf, &mut Nobody).unwrap_err();
    assert_eq!(error.to_string(), "more than 1000000 records in one request");

    // 64 KiB that every record repeats: 32,768 of them are 2 GiB, more than the 256 MiB that one request may repeat.
    let long = pair("a", string(&"x".repeat(65_000)));
    let resource = Resource { attributes: vec![long], ..Resource::default() };
    let scope_group = field(0x12, &[0x12, 0].repeat(32_768));
    let body = field(0x0a, &[field(0x0a, &resource.encode_to_vec()), scope_group].concat());
    let error = logs(&body, Encoding::Protobuf, &mut Nobody).unwrap_err();
    assert_eq!(error.to_string(), "more than 268435456 bytes which the records of one request repeat");
}

/// A field of bytes, with its key.
fn field(key: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![key];
    prost::encoding::encode_varint(bytes.len() as u64, &mut out);
    out.extend_from_slice(bytes);
    out
}

proptest! {
    #[test]
    fn both_encodings_say_the_same(
        text in "\\PC{0,12}",
        number in any::<i64>(),
        // Halves: JSON's reader may be off in the last bit of other numbers.
        double in (-1_000_000_000i64..1_000_000_000).prop_map(|number| number as f64 / 2.0),
        bytes in proptest::collection::vec(any::<u8>(), 0..9),
        nanos in 0u64..4_000_000_000_000_000_000,
        severity in 0i32..30,
    ) {
        let values = vec![
            string(&text),
            AnyValue { value: Some(Any::IntValue(number)) },
            AnyValue { value: Some(Any::DoubleValue(double)) },
            AnyValue { value: Some(Any::BytesValue(bytes)) },
        ];
        let attributes = values.iter().enumerate().map(|(n, value)| pair(&format!("k{n}"), value.clone())).collect();
        let body = Some(AnyValue { value: Some(Any::ArrayValue(ArrayValue { values })) });
        let request = logs_of(vec![LogRecord {
            time_unix_nano: nanos, severity_number: severity, body, attributes, trace_id: vec![7; 16], ..LogRecord::default()
        }]);
        // `with-serde` writes what the specification says; only its reading is too strict.
        let json = serde_json::to_vec(&request).unwrap();
        let mut seen = Collected::default();
        logs(&json, Encoding::Json, &mut seen).unwrap();
        prop_assert_eq!(seen.records, read_logs(&request).1);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read_all(&bytes);
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

/// All decoders, whatever the bytes were meant for.
fn read_all(bytes: &[u8]) {
    for encoding in [Encoding::Protobuf, Encoding::Json] {
        for read in [logs, traces, metrics] {
            let mut seen = Collected::default();
            let _ = read(bytes, encoding, &mut seen);
        }
    }
}

const CAPTURES: [&[u8]; 6] = [
    include_bytes!("../../../../fixtures/otlp/node_logs.json"),
    include_bytes!("../../../../fixtures/otlp/node_metrics.json"),
    include_bytes!("../../../../fixtures/otlp/node_traces.json"),
    include_bytes!("../../../../fixtures/otlp/python_logs.pb"),
    include_bytes!("../../../../fixtures/otlp/python_metrics.pb"),
    include_bytes!("../../../../fixtures/otlp/python_traces.pb"),
];
