//! Envelopes written by hand; those of real SDKs are in `fixtures/sentry`.

use super::*;
use crate::observed::MAX_RECORD;
use crate::seen::Seen;
use proptest::prelude::*;
use serde_json::json;

const PROJECT: Project<'_> = Project { service: "shop", arrived: Timestamp::from_seconds(1_770_000_000) };

fn decode(body: &[u8]) -> (Result<Taken, DecodeError>, Seen) {
    let mut seen = Seen::default();
    (decode_envelope(body, PROJECT, &mut seen), seen)
}

fn item(kind: &str, payload: &Value) -> Seen {
    decode(format!("{{}}\n{{\"type\":\"{kind}\"}}\n{payload}").as_bytes()).1
}

fn error(event: &Value) -> Value {
    item("event", event).of("error")[0].clone()
}

#[test]
fn an_envelope_is_cut_by_lengths_and_by_lines() {
    let event = r#"{"message":"x"}"#;
    for (case, body, want) in [
        ("only headers", "{}".to_owned(), (0, 0)),
        ("without length", format!("{{}}\n{{\"type\":\"event\"}}\n{event}"), (1, 0)),
        ("with length", format!("{{}}\n{{\"type\":\"event\",\"length\":15}}\n{event}\n"), (1, 0)),
        ("a newline inside", "{}\n{\"type\":\"event\",\"length\":16}\n{\"message\":\n\"x\"}\n".to_owned(), (1, 0)),
        (
            "an attachment between",
            format!(
                "{{}}\n{{\"type\":\"event\"}}\n{event}\n{{\"type\":\"attachment\",\"length\":5}}\n\n{{\n}}\n\n\n{{\"type\":\"event\"}}\n{event}\n"
            ),
            (2, 1),
        ),
        ("an empty payload", "{}\n{\"type\":\"event\",\"length\":0}\n".to_owned(), (0, 1)),
        ("a broken payload", format!("{{}}\n{{\"type\":\"event\"}}\n{{\n{{\"type\":\"event\"}}\n{event}"), (1, 1)),
        ("unknown items", "{}\n{\"type\":\"replay_event\"}\n{}\n{\"type\":\"client_report\"}\n{}".to_owned(), (0, 2)),
    ] {
        let (taken, seen) = decode(body.as_bytes());
        let taken = taken.unwrap();
        assert_eq!((taken.items, taken.refused), want, "{case}: {:?}", seen.0);
    }
    let (taken, _) = decode(b"{\"event_id\":\"9ec79c33ec9942ab8353589fcb2e04dc\"}\n");
    assert_eq!(taken.unwrap().event_id.as_deref(), Some("9ec79c33ec9942ab8353589fcb2e04dc"));
}

#[test]
fn an_envelope_tells_the_releases_that_it_comes_from() {
    let item = |kind: &str, item: &Value| format!("{{\"type\":\"{kind}\"}}\n{item}\n");
    let attrs = json!({"release": "shop@7.1", "environment": "staging"});
    let releases = |body: &str| -> Vec<(String, Option<String>)> {
        let taken = decode(format!("{{}}\n{body}").as_bytes()).0.unwrap();
        taken.releases.into_iter().map(|release| (release.version, release.environment)).collect()
    };
    let staging = ("shop@7.1".to_owned(), Some("staging".to_owned()));
    for (case, body, want) in [
        (
            "an event",
            item("event", &json!({"message": "x", "release": "shop@7.1", "environment": "staging"})),
            vec![&staging],
        ),
        ("a session", item("session", &json!({"sid": "1", "status": "ok", "attrs": attrs})), vec![&staging]),
        ("sessions", item("sessions", &json!({"aggregates": [], "attrs": attrs})), vec![&staging]),
        ("none", item("event", &json!({"message": "x", "release": " "})), vec![]),
        ("what is refused", item("session", &json!([])), vec![]),
        ("twice the same", item("event", &attrs) + &item("event", &attrs), vec![&staging]),
        (
            "two places",
            item("event", &attrs) + &item("event", &json!({"release": "shop@7.1"})),
            vec![&staging, &("shop@7.1".to_owned(), None)],
        ),
    ] {
        assert_eq!(releases(&body).iter().collect::<Vec<_>>(), want, "{case}");
    }
    let many: String = (0..9).map(|at| item("event", &json!({"release": at.to_string()}))).collect();
    assert_eq!(releases(&many).len(), MAX_RELEASES);
    let stored = decode_store(attrs.to_string().as_bytes(), PROJECT, &mut Seen::default()).unwrap();
    assert_eq!(stored.releases[0].version, "shop@7.1");
}

/// As @sentry/node 11 sends `captureMessage`.
#[test]
fn a_message_with_the_stack_of_where_it_was_said_stays_a_message() {
    let stack = json!({"frames": [{"function": "main", "filename": "app.mjs", "lineno": 3, "in_app": true}]});
    let exception = json!({"values": [{"value": "disk nearly full", "stacktrace": stack}]});
    let mut event = json!({"message": "disk nearly full", "level": "warning", "exception": exception});
    let seen = item("event", &event);
    let log = &seen.of("log")[0];
    assert_eq!((&log["body"], &log["severity"]), (&json!("disk nearly full"), &json!("warn")), "{:?}", seen.0);
    assert!(seen.of("error").is_empty(), "{:?}", seen.0);
    event["level"] = json!("error");
    assert_eq!(error(&event)["message"], "disk nearly full", "a grave one is an error");
    event["level"] = json!("warning");
    event["exception"]["values"][0]["type"] = json!("DiskWarning");
    assert_eq!(error(&event)["kind"], "DiskWarning", "so is one with a type");
}

#[test]
fn an_envelope_that_cannot_be_cut_is_refused_whole() {
    let good = "{}\n{\"type\":\"event\"}\n{\"message\":\"x\"}\n";
    for (case, bad) in [
        ("a length beyond the end", "{\"type\":\"event\",\"length\":99}\n{}".to_owned()),
        ("a length without end", "{\"type\":\"event\",\"length\":18446744073709551615}\n{}".to_owned()),
        ("a length inside", "{\"type\":\"event\",\"length\":1}\n{}".to_owned()),
        ("no type", "{}\n{}".to_owned()),
        ("no headers", "hello\n{}".to_owned()),
        ("long headers", format!("{{\"type\":\"{}\"}}\n{{}}", "x".repeat(65 << 10))),
    ] {
        let (taken, seen) = decode(format!("{good}{bad}").as_bytes());
        assert!(matches!(taken, Err(DecodeError::Malformed { at, .. }) if at == good.len()), "{case}: {taken:?}");
        assert!(seen.0.is_empty(), "{case}: nothing of it was observed");
    }
    for body in ["", "hello", "[]", "7\n"] {
        assert!(decode(body.as_bytes()).0.is_err(), "{body}");
    }
    let many = format!("{{}}\n{}", "{\"type\":\"x\"}\n\n".repeat(envelope::MAX_ITEMS + 1));
    assert!(matches!(decode(many.as_bytes()).0, Err(DecodeError::TooMany { .. })));
}

#[test]
fn an_exception_is_its_outermost_with_the_chain_beside_it() {
    let event = json!({
        "event_id": "e1", "level": "fatal", "timestamp": 1_770_091_506.5, "release": "shop@1", "environment": "production",
        "server_name": "web-1", "transaction": "/pay", "user": { "id": 7, "email": "hanako@example.com", "ip_address": "{{auto}}" },
        "tags": [["tenant", "acme"], { "key": "plan", "value": 3 }, "odd"], "extra": { "a": { "b": [1] } },
        "contexts": { "trace": { "trace_id": "4BF92F3577B34DA6A3CE929D0E0E4736" }, "runtime": { "name": "ruby", "version": "3.4" } },
        "request": { "method": "POST", "url": "https://shop.example/pay?token=secret", "headers": { "Cookie": "secret" }, "cookies": "secret" },
        "fingerprint": ["pay", "{{ default }}"],
        "exception": { "values": [
            { "type": "KeyError", "value": "'jp'", "stacktrace": { "frames": [{ "function": "inner" }] } },
            null,
            { "type": "PaymentError", "value": "no", "mechanism": { "handled": false }, "stacktrace": { "frames": [
                { "function": "call", "filename": "rack.rb", "abs_path": "/usr/gems/rack-3/rack.rb", "lineno": "3" },
                "odd",
                { "function": "pay", "module": "Shop", "filename": "pay.rb", "lineno": 12, "in_app": true, "vars": { "card": "secret" } },
            ] } },
        ] },
    });
    let want = json!({
        "ts": "2026-02-03T04:05:06.5Z", "service": "shop", "host": "web-1", "kind": "PaymentError", "message": "no",
        "severity": "fatal", "release": "shop@1", "environment": "production",
        "person": { "id": "7", "email": "hanako@example.com", "name": null, "address": null },
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "frames": ["Shop.pay (pay.rb:12) own", "call (rack.rb:3) library"], "grouping": ["pay", "{{ default }}"],
        "fields": { "event_id": "e1", "transaction": "/pay", "runtime": "ruby 3.4", "request.method": "POST",
            "request.url": "https://shop.example/pay", "handled": "false",
            "exception.chain": "[\"PaymentError: no\",\"KeyError: 'jp'\"]", "tags.tenant": "acme", "tags.plan": "3",
            "extra.a.b": "[1]" },
    });
    let got = error(&event);
    assert_eq!(got, want);
    assert!(!got.to_string().contains("secret"));
    let mut seen = Seen::default();
    let taken = decode_store(event.to_string().as_bytes(), PROJECT, &mut seen).unwrap();
    assert_eq!((taken.event_id.as_deref(), seen.of("error")[0]), (Some("e1"), &want), "the old way in says the same");
    assert!(decode_store(b"[1]", PROJECT, &mut seen).is_err());
    assert!(decode_store(b"eJxLTEoGAAJNASc=", PROJECT, &mut seen).is_err());
}

#[test]
fn odd_events_are_errors_all_the_same() {
    for (case, event, kind, message, severity) in [
        ("empty", json!({}), "message", "", "error"),
        ("a plain message", json!({ "message": "x", "level": "error" }), "message", "x", "error"),
        (
            "a message in an object",
            json!({ "message": { "formatted": "a 1", "message": "a %s" } }),
            "message",
            "a 1",
            "error",
        ),
        ("logentry", json!({ "logentry": { "message": "a %s" }, "level": 40 }), "message", "a %s", "error"),
        ("old names", json!({ "sentry.interfaces.Message": { "message": "x" }, "level": 50 }), "message", "x", "fatal"),
        (
            "a list of exceptions",
            json!({ "exception": [{ "type": "A" }, { "type": "B", "value": "b" }] }),
            "B",
            "b",
            "error",
        ),
        ("one exception", json!({ "exception": { "type": "A", "value": 7 } }), "A", "7", "error"),
        ("an exception of texts", json!({ "exception": "x", "message": "y" }), "message", "y", "error"),
        (
            "values of another type",
            json!({ "exception": { "values": 7 }, "user": [], "tags": 7, "level": [], "timestamp": {}, "contexts": "x" }),
            "message",
            "",
            "error",
        ),
        ("no type", json!({ "exception": { "values": [{ "value": "x" }] }, "level": "loud" }), "message", "x", "error"),
        (
            "a warning with an exception",
            json!({ "exception": { "values": [{ "type": "A" }] }, "level": "warning" }),
            "A",
            "",
            "warn",
        ),
    ] {
        let got = error(&event);
        assert_eq!(
            (got["kind"].as_str(), got["message"].as_str(), got["severity"].as_str()),
            (Some(kind), Some(message), Some(severity)),
            "{case}"
        );
    }
    for (case, fingerprint, want) in [
        ("default alone", json!(["{{ default }}"]), json!([])),
        ("numbers", json!(["a", 7, null]), json!(["a", "7"])),
        ("a text", json!("a"), json!(["a"])),
    ] {
        assert_eq!(error(&json!({ "fingerprint": fingerprint }))["grouping"], want, "{case}");
    }
    let quiet = item("event", &json!({ "message": "x", "level": "warning", "release": "r" }));
    assert_eq!(
        quiet.0,
        [json!({ "log": { "service": "shop", "severity": "warn", "body": "x", "fields": { "release": "r" } } })]
    );
}

#[test]
fn frames_are_found_where_they_are() {
    let frames = json!({ "frames": [{ "function": "f", "filename": "a.rb" }] });
    for (case, event) in [
        ("only the cause has some", json!({ "exception": [{ "type": "A", "stacktrace": frames }, { "type": "B" }] })),
        ("the event", json!({ "message": "x", "stacktrace": frames })),
        (
            "the failed thread",
            json!({ "message": "x", "threads": { "values": [{ "stacktrace": {} }, { "crashed": true, "stacktrace": frames }] } }),
        ),
    ] {
        assert_eq!(error(&event)["frames"], json!(["f (a.rb)"]), "{case}");
    }
}

#[test]
fn a_transaction_is_spans_and_a_request() {
    let ids = |span: &str| json!({ "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": span, "parent_span_id": "00f067aa0ba902b7" });
    let mut trace = ids("00f067aa0ba902b8");
    trace["op"] = "http.server".into();
    trace["status"] = "internal_error".into();
    let mut span = ids("00f067aa0ba902b9");
    span["op"] = "db.query".into();
    span["description"] = "SELECT 1".into();
    let event = json!({
        "type": "transaction", "transaction": "GET /items/{id}", "transaction_info": { "source": "route" },
        "start_timestamp": 1_770_091_506.5, "timestamp": "2026-02-03T04:05:07Z", "server_name": "web-1",
        "contexts": { "trace": trace, "response": { "status_code": 503 } }, "user": { "id": "7" },
        "request": { "url": "https://shop.example/items/7?token=x", "method": "GET" },
        "spans": [span, { "span_id": "odd" }, 7],
    });
    let seen = item("transaction", &event);
    assert_eq!(
        seen.of("request"),
        [&json!({ "ts": "2026-02-03T04:05:07Z", "service": "shop", "route": "/items/{id}",
        "request": "GET /items/7", "status": 503, "duration_us": 500_000, "user": "7", "host": "web-1",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736" })]
    );
    let spans: Vec<_> = seen
        .of("span")
        .iter()
        .map(|s| (s["name"].clone(), s["kind"].clone(), s["status"].clone(), s["duration_us"].clone()))
        .collect();
    assert_eq!(
        spans,
        [
            (json!("GET /items/{id}"), json!("server"), json!("error"), json!(500_000)),
            (json!("SELECT 1"), json!("client"), Value::Null, Value::Null),
        ]
    );
    assert_eq!(seen.0.iter().filter(|seen| seen.get("refused").is_some()).count(), 2);
    assert_eq!(item("transaction", &json!({ "type": "transaction" })).0, [json!({ "refused": "bad_id" })]);
}

#[test]
fn small_items_say_what_they_mean() {
    for (case, kind, payload, want) in [
        (
            "a session",
            "session",
            json!({ "sid": "s", "did": "taro", "init": true, "status": "exited", "errors": 2, "started": "2026-02-03T04:05:06Z", "attrs": { "release": "r" } }),
            json!({ "event": { "ts": "2026-02-03T04:05:06Z", "service": "shop", "kind": "session", "name": "r", "state": "exited",
                "fields": { "started": "1", "errored": "1", "errors": "2", "release": "r" } } }),
        ),
        (
            "many sessions",
            "sessions",
            json!({ "aggregates": [{ "started": "2026-02-03T04:05:00Z", "exited": 3, "crashed": 1, "did": "taro" }], "attrs": { "release": "r", "environment": "e" } }),
            json!({ "event": { "ts": "2026-02-03T04:05:00Z", "service": "shop", "kind": "session", "name": "r",
                "fields": { "exited": "3", "crashed": "1", "started": "4", "release": "r", "environment": "e" } } }),
        ),
        (
            "a check-in",
            "check_in",
            json!({ "check_in_id": "c", "monitor_slug": "backup", "status": "error", "duration": 1.5 }),
            json!({ "event": { "service": "shop", "kind": "heartbeat", "name": "backup", "state": "fail",
                "fields": { "run_id": "c", "duration_s": "1.5" } } }),
        ),
        (
            "a log",
            "log",
            json!({ "items": [{ "timestamp": 1_770_091_506.5, "level": "warn", "body": "x", "attributes": {
                "n": { "value": 7, "type": "integer" }, "user.email": { "value": "taro@example.com", "type": "string" },
                "server.address": { "value": "web-1", "type": "string" } } }] }),
            json!({ "log": { "ts": "2026-02-03T04:05:06.5Z", "service": "shop", "host": "web-1", "severity": "warn", "body": "x",
                "fields": { "n": "7", "server.address": "web-1" } } }),
        ),
        ("no slug", "check_in", json!({ "status": "ok" }), json!({ "refused": "bad_name" })),
        ("no items", "log", json!({}), json!({ "refused": "malformed" })),
        (
            "no number",
            "trace_metric",
            json!({ "items": [{ "name": "n", "value": "x" }] }),
            json!({ "refused": "bad_value" }),
        ),
        ("unknown", "profile", json!({}), json!({ "refused": "unknown" })),
        ("a list", "event", json!([]), json!({ "refused": "not_a_map" })),
    ] {
        let seen = item(kind, &payload);
        assert_eq!(seen.0, [want], "{case}");
        assert!(!format!("{seen:?}").contains("taro"), "{case}");
    }
}

#[test]
fn hostile_items_cost_little() {
    let deep = format!("{{\"extra\":{}1{}}}", "[".repeat(500), "]".repeat(500));
    let long = format!("{{\"message\":\"{}\"}}", "x".repeat(MAX_RECORD));
    for (payload, want) in [(deep, "too_deep"), (long, "too_long")] {
        let (taken, seen) = decode(format!("{{}}\n{{\"type\":\"event\"}}\n{payload}").as_bytes());
        assert_eq!((taken.unwrap().refused, &seen.0[0]["refused"]), (1, &json!(want)));
    }
    let frames = vec![json!({ "function": "f" }); 20_000];
    let tags: serde_json::Map<_, _> = (0..20_000).map(|n| (format!("t{n}"), json!(1))).collect();
    let chain = vec![json!({ "type": "A" }); 20_000];
    let many = error(
        &json!({ "exception": { "values": chain }, "stacktrace": { "frames": frames }, "tags": tags, "fingerprint": vec!["x"; 20_000] }),
    );
    assert_eq!(many["frames"].as_array().unwrap().len(), crate::stack::MAX_FRAMES);
    assert_eq!(many["fields"].as_object().unwrap().len(), lenient::MAX_FIELDS + 1);
    assert!(many.to_string().len() < 100_000);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in "event|transaction|session|sessions|check_in|log|span|trace_metric") {
        let _ = decode(&bytes);
        let _ = decode(&[format!("{{}}\n{{\"type\":\"{kind}\"}}\n").as_bytes(), &bytes].concat());
        let _ = decode_store(&bytes, PROJECT, &mut Seen::default());
    }

    #[test]
    fn no_shape_makes_it_panic(
        kind in "event|transaction|session|sessions|check_in|log|span|trace_metric",
        name in "exception|values|stacktrace|frames|user|tags|contexts|trace|items|attributes|spans|aggregates|fingerprint|timestamp|level",
        inner in "exception|values|stacktrace|frames|type|value|trace|data|response|status|name|body",
        value in prop_oneof![Just(json!(null)), Just(json!([])), Just(json!([null, 7, {}])), Just(json!({})), Just(json!("x")), Just(json!(-1.5e300)), Just(json!(true))],
    ) {
        for payload in [json!({ &name: value }), json!({ &name: { &inner: value } }), json!({ &name: [{ &inner: value }] })] {
            let _ = item(&kind, &payload);
        }
    }
}
