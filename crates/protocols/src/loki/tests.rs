//! Bodies written by hand; bodies of real clients are in `fixtures/loki`.

use super::*;
use crate::observed::MAX_RECORDS;
use crate::seen::Seen;
use proptest::prelude::*;
use prost::Message;
use serde_json::{Value, json};

/// `logproto.PushRequest` as Loki's own definition has it, to encode what the decoder reads by hand.
#[derive(Message)]
struct PushRequest {
    #[prost(message, repeated, tag = "1")]
    streams: Vec<Stream>,
}

#[derive(Message)]
struct Stream {
    #[prost(string, tag = "1")]
    labels: String,
    #[prost(message, repeated, tag = "2")]
    entries: Vec<ProtoEntry>,
    #[prost(uint64, tag = "3")]
    hash: u64,
}

#[derive(Message)]
struct ProtoEntry {
    #[prost(message, optional, tag = "1")]
    timestamp: Option<Time>,
    #[prost(string, tag = "2")]
    line: String,
    #[prost(message, repeated, tag = "3")]
    metadata: Vec<Pair>,
}

#[derive(Message)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[derive(Message)]
struct Pair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

fn push(labels: &str, lines: &[(&str, &[(&str, &str)])]) -> Vec<u8> {
    let pair = |(name, value): &(&str, &str)| Pair { name: (*name).to_owned(), value: (*value).to_owned() };
    let entry = |(line, metadata): &(&str, &[(&str, &str)])| ProtoEntry {
        timestamp: Some(Time { seconds: 1_770_091_506, nanos: 500_000_000 }),
        line: (*line).to_owned(),
        metadata: metadata.iter().map(pair).collect(),
    };
    let stream = Stream { labels: labels.to_owned(), entries: lines.iter().map(entry).collect(), hash: 7 };
    PushRequest { streams: vec![stream] }.encode_to_vec()
}

fn snappy(body: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(body).unwrap()
}

fn protobuf(body: &[u8]) -> (Result<(), DecodeError>, Seen) {
    let mut seen = Seen::default();
    (decode(&snappy(body), Encoding::SnappyProtobuf, &mut seen), seen)
}

fn json_body(body: &str) -> (Result<(), DecodeError>, Seen) {
    let mut seen = Seen::default();
    (decode(body.as_bytes(), Encoding::Json, &mut seen), seen)
}

#[test]
fn both_encodings_say_the_same() {
    let want = json!({ "log": { "ts": "2026-02-03T04:05:06.5Z", "service": "shop", "host": "web-1", "severity": "error",
        "body": "no \"tea\"", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "fields": { "env": "a\"b\\c", "order": "7" } } });
    let labels = r#"{service_name="shop", instance="web-1",env="a\"b\\c", order="6"}"#;
    let metadata: &[_] = &[("level", "error"), ("trace_id", "4BF92F3577B34DA6A3CE929D0E0E4736"), ("order", "7")];
    let (result, seen) = protobuf(&push(labels, &[("no \"tea\"", metadata)]));
    assert_eq!((result, &seen.0), (Ok(()), &vec![want.clone()]));

    // Labels behind values, as an object in any order may have them.
    let body = json!({ "streams": [{ "values": [["1770091506500000000", "no \"tea\"",
        { "level": "error", "trace_id": "4BF92F3577B34DA6A3CE929D0E0E4736", "order": 7 }]], "stream": {
        "service_name": "shop", "instance": "web-1", "env": "a\"b\\c", "order": "6" } }], "more": [1] });
    let (result, seen) = json_body(&body.to_string());
    assert_eq!((result, seen.0), (Ok(()), vec![want]));
}

#[test]
fn a_line_of_a_web_servers_log_is_a_request_as_well() {
    let line = r#"192.0.2.7 - - [03/Feb/2026:04:05:06 +0000] "GET /a HTTP/1.1" 200 512 "-" "curl/8""#;
    let body = json!({ "streams": [{ "stream": { "job": "nginx", "host": "web-1" }, "values": [
        ["1770091506500000000", line], ["1770091506500000000", "worker started"]] }] });
    for (result, seen) in
        [json_body(&body.to_string()), protobuf(&push(r#"{job="nginx",host="web-1"}"#, &[(line, &[]), ("x", &[])]))]
    {
        assert_eq!(result, Ok(()));
        let want = json!({ "ts": "2026-02-03T04:05:06Z", "service": "nginx", "request": "GET /a", "status": 200,
            "bytes": 512, "remote_addr": "192.0.2.7", "user_agent": "curl/8", "host": "web-1" });
        assert_eq!(seen.of("request"), [&want]);
        assert_eq!(seen.of("log").len(), 2);
    }
}

#[test]
fn the_most_telling_label_names_service_and_host() {
    for (labels, service, host, fields) in [
        (r#"{job="varlogs",app="shop",hostname="web-1",instance="x"}"#, Some("shop"), Some("web-1"), 2),
        (r#"{job="varlogs"}"#, Some("varlogs"), None, 0),
        (r#"{container="cart",node_name="n1",service=""}"#, Some("cart"), Some("n1"), 1),
        (r#"{level="loud"}"#, None, None, 1),
        ("{}", None, None, 0),
        ("", None, None, 0),
        (r#"{a="b", c"#, None, None, 1),
        ("{a=`x\\`,b=\"\\u3042\\x41\\n\"}", None, None, 2),
    ] {
        let (_, seen) = protobuf(&push(labels, &[("x", &[])]));
        let log = seen.of("log")[0];
        let got =
            (log["service"].as_str(), log["host"].as_str(), log["fields"].as_object().map_or(0, serde_json::Map::len));
        assert_eq!(got, (service, host, fields), "{labels}");
    }
}

#[test]
fn a_broken_entry_costs_its_neighbours_nothing() {
    let long = "x".repeat(MAX_RECORD + 1);
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for (case, entry, want) in [
        ("no time", r#"["soon","x"]"#.to_owned(), "bad_time"),
        ("a time beyond the calendar", r#"["999999999999999999999","x"]"#.to_owned(), "bad_time"),
        ("no list", "7".to_owned(), "malformed"),
        ("too short", r#"["1"]"#.to_owned(), "malformed"),
        ("too long", format!(r#"["1","{long}"]"#), "too_long"),
        ("too deep", format!(r#"["1","x",{{"a":{deep}}}]"#), "too_deep"),
    ] {
        let body =
            format!(r#"{{"streams":[{{"stream":{{"app":"shop"}},"values":[["1","a"],{entry},["2","b\ud83d"]]}}]}}"#);
        let (result, seen) = json_body(&body);
        assert_eq!(result, Ok(()), "{case}");
        let got: Vec<_> =
            seen.0.iter().map(|s| s.get("refused").cloned().unwrap_or_else(|| s["log"]["body"].clone())).collect();
        assert_eq!(got, ["a", want, "b\u{fffd}"], "{case}");
    }
}

#[test]
fn labels_that_are_no_text_are_kept_as_they_stand() {
    let body =
        r#"{"streams":[{"stream":{"a":1.50,"b":{"c": [1]},"d":null,"e":"\u3042","app":7},"values":[["1","x"]]}]}"#;
    let (result, seen) = json_body(body);
    assert_eq!(result, Ok(()));
    let log = seen.of("log")[0];
    assert_eq!(log["service"], "7");
    assert_eq!(log["fields"], json!({ "a": "1.50", "b": r#"{"c": [1]}"#, "d": "null", "e": "あ" }));
}

#[test]
fn what_is_too_long_costs_its_neighbours_nothing() {
    let long = "x".repeat(MAX_LABEL_TEXT);
    let streams = |first: &str| {
        format!(
            r#"{{"streams":[{{"stream":{{"a":"{first}"}},"values":[["1","x"],["2","x"]]}},{{"stream":{{}},"values":[["1","good"]]}}]}}"#
        )
    };
    let (result, seen) = json_body(&streams(&long));
    assert_eq!((result, seen.of("log").len(), seen.of("refused").len()), (Ok(()), 1, 2), "labels as JSON");
    let (_, seen) = json_body(&streams(&long[1..]));
    assert_eq!(seen.of("log").len(), 3, "the longest labels are taken");

    let labels = format!("{{a=\"{long}\"}}");
    let both = [push(&labels, &[("x", &[]), ("x", &[])]), push("{}", &[("good", &[])])].concat();
    let (result, seen) = protobuf(&both);
    assert_eq!((result, seen.of("log").len(), seen.of("refused").len()), (Ok(()), 1, 2), "labels in protobuf");

    let line = "x".repeat(MAX_ENTRY);
    let (result, seen) = protobuf(&push("{}", &[(&line, &[]), ("good", &[])]));
    assert_eq!((result, seen.of("log").len(), seen.of("refused").len()), (Ok(()), 1, 1), "an entry");
    let (_, seen) = protobuf(&push("{}", &[(&line[..MAX_RECORD], &[])]));
    assert_eq!(seen.of("log").len(), 1, "the longest line is taken");
}

#[test]
fn a_broken_body_is_an_error() {
    for (case, body) in [
        ("no JSON", "hello"),
        ("no streams", "{}"),
        ("no list", r#"{"streams":{}}"#),
        ("cut", r#"{"streams":[{"stream":{},"values":[["1","a"]"#),
        ("more behind it", r#"{"streams":[]} x"#),
        ("deep", &format!(r#"{{"streams":{}"#, "[".repeat(1 << 20))),
        ("deep values", &format!(r#"{{"streams":[{{"values":{}"#, "[".repeat(1 << 20))),
    ] {
        assert!(matches!(json_body(body).0, Err(DecodeError::Malformed { .. })), "{case}");
    }
    for (case, body) in [
        ("a lying length", vec![0x0a, 0x7f, 0x0a]),
        ("a length without end", vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        ("a group", vec![0x0b]),
    ] {
        assert!(matches!(protobuf(&body).0, Err(DecodeError::Malformed { .. })), "{case}");
    }
}

#[test]
fn bombs_are_refused_before_they_are_unpacked() {
    let refused = |block: &[u8]| decode(block, Encoding::SnappyProtobuf, &mut Seen::default()).unwrap_err();
    // A header that claims 4 GiB, one that claims 60 MiB of four bytes.
    assert!(matches!(refused(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]), DecodeError::TooMany { .. }));
    assert!(matches!(refused(&[0x80, 0x80, 0x80, 0x1e, 0, 0]), DecodeError::Malformed { .. }));
    let large = snappy(&vec![0; MAX_BODY + 1]);
    assert!(matches!(refused(&large), DecodeError::TooMany { limit: MAX_BODY, .. }));

    struct Counter(usize);
    impl Observer for Counter {
        fn log(&mut self, _: LogRecord<'_>) {
            self.0 += 1;
        }
        fn span(&mut self, _: crate::observed::SpanRecord<'_>) {}
        fn sample(&mut self, _: crate::observed::SampleRecord<'_>) {}
        fn error(&mut self, _: crate::observed::ErrorRecord<'_>) {}
        fn event(&mut self, _: crate::observed::EventRecord<'_>) {}
        fn request(&mut self, _: crate::observed::RequestRecord<'_>) {}
        fn refuse(&mut self, _: Refusal, _: &[u8]) {
            self.0 += 1;
        }
    }
    // Empty entries are two bytes each: more of them than are taken.
    let entries = [0x12, 0x00].repeat(MAX_RECORDS + 1);
    let mut stream = vec![0x0a];
    prost::encoding::encode_varint(entries.len() as u64, &mut stream);
    stream.extend(entries);
    let mut counter = Counter(0);
    let many = decode(&snappy(&stream), Encoding::SnappyProtobuf, &mut counter);
    assert_eq!(many, Err(DecodeError::TooMany { what: "entries in one body", limit: MAX_RECORDS }));
    assert_eq!(counter.0, MAX_RECORDS);
    let body = format!(r#"{{"streams":[{{"stream":{{}},"values":[{}1]}}]}}"#, "1,".repeat(MAX_RECORDS));
    let mut counter = Counter(0);
    assert!(matches!(decode(body.as_bytes(), Encoding::Json, &mut counter), Err(DecodeError::TooMany { .. })));
    assert_eq!(counter.0, MAX_RECORDS);

    // More labels and metadata than are kept.
    let pairs = vec![("a", "b"); 10_000];
    let (result, seen) = protobuf(&push("{}", &[("x", &pairs)]));
    assert_eq!(result, Ok(()));
    assert_eq!(seen.of("log").len(), 1);
}

#[test]
fn the_content_type_tells_the_encoding() {
    for (header, want) in [
        (Some("application/json; charset=utf-8"), Some(Encoding::Json)),
        (Some("application/x-protobuf"), Some(Encoding::SnappyProtobuf)),
        (None, Some(Encoding::SnappyProtobuf)),
        (Some("text/plain"), None),
    ] {
        assert_eq!(Encoding::of_content_type(header).ok(), want, "{header:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes, Encoding::SnappyProtobuf, &mut Seen::default());
        let _ = decode(&snappy(&bytes), Encoding::SnappyProtobuf, &mut Seen::default());
        let _ = decode(&bytes, Encoding::Json, &mut Seen::default());
    }

    #[test]
    fn labels_read_back_as_they_were_written(values in proptest::collection::vec("\\PC{0,20}|[\"\\\\\n,{}=]{0,8}", 0..8)) {
        let text: Vec<_> = values.iter().enumerate().map(|(n, value)| {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            format!("l{n}=\"{value}\"")
        }).collect();
        let labels = parse_labels(&format!("{{{}}}", text.join(", ")));
        let got: Vec<_> = labels.iter().map(|(_, value)| value.to_string()).collect();
        prop_assert_eq!(got, values);
    }

    #[test]
    fn lines_read_back_as_they_were_sent(line in "\\PC{0,40}") {
        let (result, seen) = protobuf(&push("{}", &[(&line, &[])]));
        prop_assert_eq!(result, Ok(()));
        prop_assert_eq!(&seen.of("log")[0]["body"], &Value::from(line.clone()));
        let body = json!({ "streams": [{ "stream": {}, "values": [["1", line]] }] }).to_string();
        let (_, seen) = json_body(&body);
        prop_assert_eq!(&seen.of("log")[0]["body"], &Value::from(line));
    }
}
