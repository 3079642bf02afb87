use super::*;
use crate::observed::{MAX_DEPTH, MAX_RECORD};
use crate::recorded::Recorded;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use rmp::encode;
use serde_json::{Value as Json, json};
use std::io::Write;

/// JSON as MessagePack.
fn pack(value: &Json) -> Vec<u8> {
    let mut out = Vec::new();
    let size = |length: usize| u32::try_from(length).unwrap();
    match value {
        Json::Null => encode::write_nil(&mut out).unwrap(),
        Json::Bool(value) => encode::write_bool(&mut out, *value).unwrap(),
        Json::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => drop(encode::write_uint(&mut out, number).unwrap()),
            (_, Some(number)) => drop(encode::write_sint(&mut out, number).unwrap()),
            _ => encode::write_f64(&mut out, number.as_f64().unwrap()).unwrap(),
        },
        Json::String(text) => encode::write_str(&mut out, text).unwrap(),
        Json::Array(items) => {
            encode::write_array_len(&mut out, size(items.len())).unwrap();
            for item in items {
                out.extend(pack(item));
            }
        }
        Json::Object(pairs) => {
            encode::write_map_len(&mut out, size(pairs.len())).unwrap();
            for (name, value) in pairs {
                encode::write_str(&mut out, name).unwrap();
                out.extend(pack(value));
            }
        }
    }
    out
}

/// A list of values that are packed already.
fn list(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    encode::write_array_len(&mut out, u32::try_from(parts.len()).unwrap()).unwrap();
    out.extend(parts.concat());
    out
}

fn binary(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode::write_bin(&mut out, bytes).unwrap();
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn read(message: &[u8]) -> (Result<Events<'_>, DecodeError>, Recorded) {
    let mut seen = Recorded::default();
    let events = decode(message, &mut seen).map(|message| match message {
        Message::Events(events) => events,
        Message::Heartbeat => panic!("a heartbeat"),
    });
    (events, seen)
}

/// What becomes of one record.
fn record(value: &Json) -> Json {
    let message = pack(&json!(["app", 1_795_000_801, value]));
    let (events, seen) = read(&message);
    events.unwrap();
    seen.records[0].clone()
}

#[test]
fn what_fluentd_sends_of_a_web_servers_log_is_a_request_as_well() {
    let parsed = json!({ "remote": "192.0.2.7", "host": "-", "user": "-", "method": "GET", "path": "/items/1",
        "code": "200", "size": "512", "agent": "curl/8" });
    let line = "192.0.2.7 - - [18/Nov/2026:11:20:01 +0000] \"GET /items/1 HTTP/1.1\" 200 512 \"-\" \"curl/8\"";
    let docker = json!({ "log": line, "container_name": "/web", "source": "stdout" });
    for value in [parsed, docker] {
        let message = pack(&json!(["nginx.access", 1_795_000_801, value]));
        let (events, seen) = read(&message);
        assert_eq!(events.unwrap().taken, 1);
        let want = json!({ "request": { "ts": "2026-11-18T11:20:01Z", "service": "nginx.access",
            "request": "GET /items/1", "status": 200, "user_agent": "curl/8" } });
        assert_eq!(seen.records[0], want, "{value}");
        let log = &seen.records[1]["log"];
        assert!(log.is_object() && seen.records.len() == 2, "it stays a log record: {value}");
        assert!(log["host"].is_null(), "a dash is no machine: {log}");
    }
}

#[test]
fn all_modes_carry_the_same_events() {
    let entries = [json!([1, { "log": "one" }]), json!([2, { "log": "two" }])];
    let packed = entries.iter().flat_map(pack).collect::<Vec<_>>();
    let (first, second) = packed.split_at(pack(&entries[0]).len());
    let tag = pack(&json!("app.web"));
    let option = |option: Json| pack(&option);
    let gzipped = option(json!({ "compressed": "gzip", "chunk": "c" }));
    for (case, message, chunk) in [
        ("forward", list(&[tag.clone(), pack(&json!(entries))]), None),
        ("with nil for options", list(&[tag.clone(), pack(&json!(entries)), pack(&Json::Null)]), None),
        ("packed, binary", list(&[tag.clone(), binary(&packed), option(json!({ "chunk": "c" }))]), Some("c")),
        ("compressed", list(&[tag.clone(), binary(&gzip(&packed)), gzipped.clone()]), Some("c")),
        ("two gzip members", list(&[tag.clone(), binary(&[gzip(first), gzip(second)].concat()), gzipped]), Some("c")),
    ] {
        let (events, seen) = read(&message);
        let events = events.unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!((events.taken, events.refused, &*events.tag), (2, 0, "app.web"), "{case}");
        assert_eq!(events.chunk, chunk.map(|chunk| Chunk::Text(chunk.as_bytes())), "{case}");
        assert_eq!(seen.bodies(), ["one", "two"], "{case}");
        assert_eq!(seen.records[1]["log"]["ts"], "1970-01-01T00:00:02Z", "{case}");
    }
    let alone = pack(&json!(["app", 1, { "log": "one" }, { "chunk": "c", "size": 1 }]));
    let (events, _) = read(&alone);
    assert_eq!((events.clone().unwrap().size, events.unwrap().taken), (Some(1), 1));
    // Old senders pack into text, which need not be UTF-8.
    let mut text = Vec::new();
    encode::write_str_len(&mut text, u32::try_from(packed.len()).unwrap()).unwrap();
    text.extend(&packed);
    let message = list(&[tag, text]);
    assert_eq!(read(&message).1.bodies(), ["one", "two"]);
}

#[test]
fn known_fields_find_their_place_and_all_others_are_kept() {
    for (case, given, want) in [
        (
            "log before message",
            json!({ "message": "m", "log": "l" }),
            json!({ "body": "l", "fields": [["message", "m"]] }),
        ),
        ("message before msg", json!({ "message": "m", "msg": "x" }), json!({ "body": "m", "fields": [["msg", "x"]] })),
        (
            "nothing said is not a body",
            json!({ "log": null, "msg": "x" }),
            json!({ "body": "x", "fields": [["log", "null"]] }),
        ),
        (
            "no body",
            json!({ "n": 1, "o": { "k": [true] } }),
            json!({
                "body": r#"{"n":1,"o":{"k":[true]}}"#, "fields": [["n", "1"], ["o", r#"{"k":[true]}"#]],
            }),
        ),
        ("severity", json!({ "log": "x", "level": "WARNING" }), json!({ "body": "x", "severity": "warn" })),
        ("unknown severity", json!({ "log": "x", "lvl": "loud" }), json!({ "body": "x", "fields": [["lvl", "loud"]] })),
        (
            "a number is no severity",
            json!({ "log": "x", "level": 30 }),
            json!({ "body": "x", "fields": [["level", "30"]] }),
        ),
        (
            "trace",
            json!({ "log": "x", "traceId": "4BF92F3577B34DA6A3CE929D0E0E4736" }),
            json!({
                "body": "x", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            }),
        ),
        (
            "no trace",
            json!({ "log": "x", "trace": "projects/p" }),
            json!({ "body": "x", "fields": [["trace", "projects/p"]] }),
        ),
        (
            "host",
            json!({ "log": "x", "hostname": "web-1", "host": "w" }),
            json!({
                "body": "x", "host": "w", "fields": [["hostname", "web-1"]],
            }),
        ),
        (
            "host that is no text",
            json!({ "log": "x", "host": { "name": "w" } }),
            json!({
                "body": "x", "fields": [["host", r#"{"name":"w"}"#]],
            }),
        ),
    ] {
        let mut want = want;
        want["ts"] = json!("2026-11-18T11:20:01Z");
        want["service"] = json!("app");
        assert_eq!(record(&given)["log"], want, "{case}");
    }
}

#[test]
fn metadata_beside_the_time_is_kept() {
    let message = pack(&json!(["app", [[[5, { "k": 1 }], { "log": "x" }], [[6, {}], { "log": "y" }]]]));
    let (_, seen) = read(&message);
    assert_eq!(seen.records[0]["log"]["fields"], json!([["metadata", r#"{"k":1}"#]]));
    assert_eq!(seen.records[1]["log"], json!({ "ts": "1970-01-01T00:00:06Z", "service": "app", "body": "y" }));
}

#[test]
fn a_bad_event_is_refused_alone() {
    let good = json!([1, { "log": "good" }]);
    let deep = (0..=MAX_DEPTH).fold(json!(1), |inner, _| json!([inner]));
    let long = "x".repeat(MAX_RECORD);
    for (reason, bad) in [
        ("not_a_map", json!([1, "text"])),
        ("not_a_map", json!([1, [1]])),
        ("malformed", json!([1])),
        ("malformed", json!("entry")),
        ("bad_time", json!(["now", {}])),
        ("bad_time", json!([u64::MAX, {}])),
        ("too_deep", json!([1, { "log": "x", "deep": deep }])),
        ("too_long", json!([1, { "log": long }])),
    ] {
        let message = pack(&json!(["app", [good, bad, good], { "chunk": "c" }]));
        let (events, seen) = read(&message);
        let events = events.unwrap();
        assert_eq!((events.taken, events.refused), (2, 1), "{reason}");
        assert_eq!(seen.bodies(), ["good", "good"]);
        assert_eq!(seen.records[1]["refused"]["reason"], reason);
    }
}

#[test]
fn an_event_too_long_to_be_held_is_stepped_over_while_it_is_unpacked() {
    let good = pack(&json!([1, { "log": "good" }]));
    for (case, long) in [
        ("a text", json!("x".repeat(3 << 20))),
        ("many short values", json!(vec![[0, 0]; 1 << 20])),
        ("long texts", json!(["x".repeat(1 << 20), "y".repeat(1 << 20), "z".repeat(70_000)])),
    ] {
        let long = pack(&json!([1, { "log": long }]));
        let message = |entries: &[u8]| {
            list(&[pack(&json!("app")), binary(&gzip(entries)), pack(&json!({ "compressed": "gzip" }))])
        };
        let whole = message(&[&good[..], &long, &good, &long, &good].concat());
        let (events, seen) = read(&whole);
        let events = events.unwrap();
        assert_eq!((events.taken, events.refused), (3, 2), "{case}");
        assert_eq!(seen.bodies(), ["good"; 3], "{case}");
        assert_eq!(seen.records[1]["refused"]["reason"], "too_long", "{case}");
        for end in [long.len() - 1, long.len() / 2 + MAX_RECORD / 2] {
            let cut = message(&[&good[..], &long[..end]].concat());
            assert!(read(&cut).0.is_err(), "{case}: what is cut short is an error");
        }
    }
}

#[test]
fn a_record_of_very_many_fields_says_how_many_were_dropped() {
    let many: serde_json::Map<_, _> = (0..2_000).map(|number| (format!("f{number:04}"), json!(number))).collect();
    let message = pack(&json!(["app", 1, many]));
    let (events, seen) = read(&message);
    assert_eq!(events.unwrap().taken, 1);
    let fields = seen.records[0]["log"]["fields"].as_array().unwrap();
    assert_eq!((fields.len(), fields.last().unwrap()), (1_001, &json!(["dropped_fields", "1000"])));
    assert!(seen.bodies()[0].contains("f1999"), "the body has them all");
}

#[test]
fn damage_is_an_error_and_never_a_loss_in_silence() {
    let tag = pack(&json!("app"));
    let entry = pack(&json!([1, { "log": "one" }]));
    let gzip_option = pack(&json!({ "compressed": "gzip" }));
    let half = [entry.as_slice(), &entry[..3]].concat();
    let mut wrong_sum = gzip(&entry);
    let end = wrong_sum.len() - 8;
    wrong_sum[end] ^= 1;
    for (case, message) in [
        ("no list", vec![0xa1, b'x']),
        ("one value", pack(&json!(["app"]))),
        ("no tag", pack(&json!([1, 2, {}]))),
        ("no record", pack(&json!(["app", 1]))),
        ("options that are none", pack(&json!(["app", [], "x"]))),
        ("an entry cut short", list(&[tag.clone(), binary(&half)])),
        ("a byte that is none", list(&[tag.clone(), binary(&[0xc1])])),
        ("no gzip", list(&[tag.clone(), binary(&entry), gzip_option.clone()])),
        ("gzip cut short", list(&[tag.clone(), binary(&gzip(&entry)[..20]), gzip_option.clone()])),
        ("gzip of half an entry", list(&[tag.clone(), binary(&gzip(&half)), gzip_option.clone()])),
        ("a wrong checksum", list(&[tag.clone(), binary(&wrong_sum), gzip_option])),
        ("another compression", list(&[tag.clone(), binary(&entry), pack(&json!({ "compressed": "zstd" }))])),
        ("metrics", list(&[tag, binary(&entry), pack(&json!({ "fluent_signal": 1 }))])),
    ] {
        assert!(read(&message).0.is_err(), "{case}");
    }
}

#[test]
fn bombs_cost_no_more_than_their_own_size() {
    // 64 MiB and a bit of zeros: each is an event that is refused, until there are too many.
    let zeros = gzip(&vec![0; MAX_UNPACKED + UNPACK_STEP]);
    let compressed = pack(&json!({ "compressed": "gzip" }));
    let message = list(&[pack(&json!("app")), binary(&zeros), compressed.clone()]);
    assert!(message.len() < 100_000, "it is a bomb");
    assert!(matches!(read_counted(&message).0, Err(DecodeError::TooMany { limit: MAX_RECORDS, .. })));
    // One event that is larger than may be unpacked.
    let mut large = vec![0xc6];
    large.extend(u32::MAX.to_be_bytes());
    large.resize(MAX_UNPACKED + UNPACK_STEP, 0);
    let message = list(&[pack(&json!("app")), binary(&gzip(&large)), compressed]);
    assert!(matches!(read_counted(&message).0, Err(DecodeError::TooMany { limit: MAX_UNPACKED, .. })));
    // A million levels.
    let deep = [vec![0x91; 1_000_000], vec![0xc0]].concat();
    let message = list(&[pack(&json!("app")), pack(&json!(1)), [vec![0x81, 0xa1, b'k'], deep].concat()]);
    assert_eq!(read_counted(&message), (Ok((0, 1)), 1));
    // A million events that are hardly one byte each.
    let message = list(&[pack(&json!("app")), binary(&vec![0x90; MAX_RECORDS + 1])]);
    assert!(matches!(read_counted(&message).0, Err(DecodeError::TooMany { limit: MAX_RECORDS, .. })));
}

/// Only counts, as bombs hold millions.
fn read_counted(message: &[u8]) -> (Result<(usize, usize), DecodeError>, usize) {
    struct Count(usize);
    impl Observer for Count {
        fn log(&mut self, _: LogRecord<'_>) {}
        fn span(&mut self, _: crate::observed::SpanRecord<'_>) {}
        fn sample(&mut self, _: crate::observed::SampleRecord<'_>) {}
        fn error(&mut self, _: crate::observed::ErrorRecord<'_>) {}
        fn event(&mut self, _: crate::observed::EventRecord<'_>) {}
        fn request(&mut self, _: crate::observed::RequestRecord<'_>) {}
        fn refuse(&mut self, _: Refusal, _: &[u8]) {
            self.0 += 1;
        }
    }
    let mut count = Count(0);
    let result = decode(message, &mut count).map(|message| match message {
        Message::Events(events) => (events.taken, events.refused),
        Message::Heartbeat => (0, 0),
    });
    (result, count.0)
}

#[test]
fn a_stream_is_cut_where_messages_end() {
    let messages = [pack(&json!(["a", 1, { "log": "x" }])), vec![0xc0], pack(&json!(["b", [[1, { "log": "y" }]]]))];
    let stream = messages.concat();
    for piece in [1, 2, 7, stream.len()] {
        let (mut cutter, mut unread, mut found) = (Cutter::default(), Vec::new(), Vec::new());
        for bytes in stream.chunks(piece) {
            unread.extend_from_slice(bytes);
            while let Step::Message { used } = cutter.step(&unread).unwrap() {
                found.push(unread.drain(..used).collect::<Vec<_>>());
            }
        }
        assert_eq!(found, messages, "{piece} bytes at a time");
        assert!(unread.is_empty());
    }
    assert_eq!(decode(&[0xc0], &mut Recorded::default()), Ok(Message::Heartbeat));
}

#[test]
fn a_stream_that_lies_or_is_another_protocol_ends_at_once() {
    let too_many = DecodeError::TooMany { what: "bytes in a message", limit: MAX_MESSAGE };
    for (case, bytes) in [
        ("a binary of 4 GiB", &[0x92, 0xa1, b't', 0xc6, 0xff, 0xff, 0xff, 0xff][..]),
        ("a list of 4 billion", &[0x92, 0xa1, b't', 0xdd, 0xff, 0xff, 0xff, 0xff]),
        ("a map of 4 billion", &[0x93, 0xa1, b't', 0x01, 0xdf, 0xff, 0xff, 0xff, 0xff]),
        ("a message of 4 billion", &[0xdd, 0xff, 0xff, 0xff, 0xff]),
    ] {
        assert_eq!(Cutter::default().step(bytes), Err(too_many.clone()), "{case}");
    }
    for bytes in [&b"GET / HTTP/1.1"[..], &[0x16, 3, 1], b"{\"a\":1}", &[0x81], &[0x92, 0xc1]] {
        assert!(matches!(Cutter::default().step(bytes), Err(DecodeError::Malformed { .. })), "{bytes:x?}");
    }
    let mut just = vec![0x92, 0xa1, b't', 0xc6];
    just.extend(u32::try_from(MAX_MESSAGE - 8).unwrap().to_be_bytes());
    assert_eq!(Cutter::default().step(&just), Ok(Step::NeedMore), "64 MiB are taken");
}

#[test]
fn an_ack_names_the_chunk_as_it_came() {
    assert_eq!(encode_ack(Chunk::Text(b"c\xff")), b"\x81\xa3ack\xa2c\xff");
    assert_eq!(encode_ack(Chunk::Binary(b"c")), b"\x81\xa3ack\xc4\x01c");
    let long = [b'x'; 300];
    assert_eq!(encode_ack(Chunk::Text(&long)).len(), 5 + 3 + 300);
}

const HELLO: Hello = Hello { nonce: *b"0123456789abcdef", user_salt: Some(*b"fedcba9876543210") };

fn ping(hello: &Hello, key: &str, user: &str, password: &str) -> Vec<u8> {
    let salt = hello.user_salt.unwrap_or_default();
    let proof = handshake::hex_digest([b"salt", b"web-1", &hello.nonce, key.as_bytes()]);
    let password = handshake::hex_digest([&salt, user.as_bytes(), password.as_bytes(), b""]);
    pack(&json!(["PING", "web-1", "salt", proof, user, password]))
}

#[test]
fn only_who_knows_key_and_password_is_let_in() {
    let passwords = |user: &str| (user == "app").then_some("pass");
    let without_user = Hello { user_salt: None, ..HELLO };
    for (case, hello, message, want) in [
        ("all right", HELLO, ping(&HELLO, "key", "app", "pass"), Ok(())),
        ("wrong key", HELLO, ping(&HELLO, "kex", "app", "pass"), Err(Denied::SharedKey)),
        ("wrong password", HELLO, ping(&HELLO, "key", "app", "past"), Err(Denied::User)),
        ("unknown user", HELLO, ping(&HELLO, "key", "root", ""), Err(Denied::User)),
        ("no user needed", without_user.clone(), ping(&without_user, "key", "", ""), Ok(())),
        (
            "a handshake played again",
            Hello { nonce: [1; 16], ..HELLO },
            ping(&HELLO, "key", "app", "pass"),
            Err(Denied::SharedKey),
        ),
    ] {
        let ping = Ping::decode(&message).unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(ping.hostname, b"web-1");
        let got = ping.check(&hello, "key", passwords);
        assert_eq!(got, want, "{case}");
        let pong = ping.pong(&hello, "key", "koshu", got);
        assert_eq!(
            pong[1..7],
            *b"\xa4PONG".iter().chain(&[if want.is_ok() { 0xc3 } else { 0xc2 }]).copied().collect::<Vec<_>>()
        );
        assert_eq!(memchr::memmem::find(&pong, b"mismatch").is_some(), want.is_err(), "{case}");
    }
    for message in [
        pack(&json!(["PING", "h", "s", "d", "u"])),
        pack(&json!(["PONG", "h", "s", "d", "u", "p"])),
        vec![0xc0],
        vec![],
    ] {
        assert!(Ping::decode(&message).is_err());
    }
}

#[test]
fn hello_offers_nonce_salt_and_keepalive() {
    let bytes = HELLO.encode();
    let mut reader = Reader::new(&bytes);
    assert_eq!(reader.next(), Ok(Value::Array(2)));
    assert_eq!(reader.next(), Ok(Value::Text(b"HELO")));
    assert_eq!(reader.next(), Ok(Value::Map(3)));
    let rest: Vec<_> = std::iter::from_fn(|| reader.next().ok()).collect();
    assert_eq!(
        rest,
        [
            Value::Text(b"nonce"),
            Value::Binary(b"0123456789abcdef"),
            Value::Text(b"auth"),
            Value::Binary(b"fedcba9876543210"),
            Value::Text(b"keepalive"),
            Value::Bool(true),
        ]
    );
    let open = Hello { user_salt: None, ..HELLO }.encode();
    assert!(memchr::memmem::find(&open, b"auth\xc4\x00").is_some(), "an empty salt asks for no user");
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "\\PC{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[a-z]{1,6}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes, &mut Recorded::default());
        let _ = Cutter::default().step(&bytes);
        let _ = Ping::decode(&bytes);
    }

    #[test]
    fn a_damaged_message_never_panics(value in any_json(), at in 0usize..400, byte in any::<u8>(), squeeze in any::<bool>()) {
        let entries = pack(&json!([1, { "log": value }]));
        let content = if squeeze { gzip(&entries) } else { entries };
        let option = pack(&json!({ "chunk": "c", "compressed": if squeeze { "gzip" } else { "text" } }));
        let mut message = list(&[pack(&json!("app")), binary(&content), option]);
        let at = at % message.len();
        message[at] = byte;
        let _ = decode(&message, &mut Recorded::default());
    }

    #[test]
    fn every_record_comes_back_as_the_json_it_was(value in prop::collection::btree_map("[a-d]{1,6}", any_json(), 0..5)) {
        let value = json!(value);
        let got = record(&value);
        prop_assert_eq!(&got["log"]["body"], &Json::from(value.to_string()));
    }

    #[test]
    fn a_message_ends_where_it_was_written_to_end(value in any_json(), cut in 0usize..100) {
        let message = pack(&json!(["app", 1, { "v": value }]));
        let stream = [message.as_slice(), &[0xc0]].concat();
        let mut cutter = Cutter::default();
        prop_assert_eq!(cutter.step(&message[..cut.min(message.len() - 1)]), Ok(Step::NeedMore));
        prop_assert_eq!(cutter.step(&stream), Ok(Step::Message { used: message.len() }));
        prop_assert_eq!(cutter.step(&stream[message.len()..]), Ok(Step::Message { used: 1 }));
    }
}
