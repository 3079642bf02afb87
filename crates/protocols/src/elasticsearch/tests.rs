//! Bodies written by hand; bodies of real clients are in `fixtures/elasticsearch`.

use super::document::without_date;
use super::*;
use crate::seen::Seen;
use answers::Version;
use proptest::prelude::*;

const AT: Timestamp = Timestamp::from_seconds(1_770_000_000);

fn decode(body: &[u8]) -> (Result<Vec<Item<'_>>, DecodeError>, Seen) {
    let mut seen = Seen::default();
    let mut count = 0;
    let mut new_id = || {
        count += 1;
        format!("new{count}")
    };
    let items = decode_bulk(body, Arrival { index: Some("path-index"), at: AT }, &mut new_id, &mut seen);
    (items, seen)
}

fn one(document: &str) -> Value {
    let body = format!("{{\"index\":{{\"_index\":\"shop-2026.02.03\"}}}}\n{document}\n");
    decode(body.as_bytes()).1.of("log")[0].clone()
}

#[test]
fn every_item_has_its_own_answer_in_order() {
    let body = concat!(
        "{\"index\":{}}\n{\"message\":\"a\"}\n",
        "{\"create\":{\"_index\":\"shop\",\"_type\":\"_doc\",\"_id\":7,\"pipeline\":\"p\",\"dynamic_templates\":{\"a\":\"b\"}}}\n{\"message\":\"b\"}\r\n",
        "\n",
        "{\"index\":{\"_id\":\"x\"}}\n{\"message\":\n",
        "{\"delete\":{\"_id\":\"y\"}}\n",
        "{\"update\":{\"_id\":\"z\"}}\n{\"doc\":{}}\n",
        "{\"index\":{\"_index\":\"\"}}\n{}\n",
        "{\"index\":{}}\n[1]\n",
        "{\"index\":{}}\n{\"@timestamp\":\"yesterday\"}\n",
        "{\"index\":{}}\n{\"message\":\"last, without a newline\"}",
    );
    let (items, seen) = decode(body.as_bytes());
    let items = items.unwrap();
    let got: Vec<_> = items.iter().map(|item| (item.action.as_str(), &*item.index, &*item.id, item.outcome)).collect();
    assert_eq!(
        got,
        [
            ("index", "path-index", "new1", Outcome::Created),
            ("create", "shop", "7", Outcome::Created),
            ("index", "path-index", "x", Outcome::Refused(Refusal::NotJson)),
            ("delete", "path-index", "y", Outcome::Refused(Refusal::ReadOnly)),
            ("update", "path-index", "z", Outcome::Refused(Refusal::ReadOnly)),
            ("index", "", "", Outcome::Refused(Refusal::BadName)),
            ("index", "path-index", "", Outcome::Refused(Refusal::NotAMap)),
            ("index", "path-index", "", Outcome::Refused(Refusal::BadTime)),
            ("index", "path-index", "new2", Outcome::Created),
        ]
    );
    let refused = seen.0.iter().filter(|seen| seen.get("refused").is_some()).count();
    assert_eq!((seen.of("log").len(), refused), (3, 6), "taken and refused are all");

    let answer: Value = serde_json::from_slice(&bulk_answer(&items, 3)).unwrap();
    assert_eq!((&answer["took"], &answer["errors"]), (&json!(3), &json!(true)));
    assert_eq!(answer["items"][0]["index"]["status"], 201);
    assert_eq!(
        answer["items"][3]["delete"],
        json!({ "_index": "path-index", "_id": "y", "status": 400, "error": {
            "type": "illegal_argument_exception", "reason": Refusal::ReadOnly.to_string() } })
    );
    let busy = Item { outcome: Outcome::Busy, ..items[0].clone() };
    assert_eq!(document_answer(&busy)["status"], 429);
    assert_eq!(document_answer(&items[0])["result"], "created");
}

#[test]
fn a_body_that_cannot_be_cut_is_refused_whole() {
    let good = "{\"index\":{}}\n{\"message\":\"a\"}\n";
    for (case, bad) in [
        ("no JSON", "hello\n{}\n"),
        ("an unknown action", "{\"upsert\":{}}\n{}\n"),
        ("two actions", "{\"index\":{},\"create\":{}}\n{}\n"),
        ("a list", "[]\n{}\n"),
        ("no document", "{\"index\":{}}\n"),
        ("deep", &format!("{{\"index\":{{\"a\":{}\n{{}}\n", "[".repeat(10_000))),
        ("long", &format!("{{\"index\":{{\"_id\":\"{}\"}}}}\n{{}}\n", "x".repeat(17 << 10))),
    ] {
        let body = format!("{good}{bad}");
        let (items, seen) = decode(body.as_bytes());
        assert!(matches!(items, Err(DecodeError::Malformed { at, .. }) if at >= good.len()), "{case}: {items:?}");
        assert!(seen.0.is_empty(), "{case}: nothing of it was observed");
    }
    assert_eq!(decode(b"").0.unwrap(), []);
    let many = b"{\"delete\":{}}\n".repeat(MAX_RECORDS + 1);
    let (items, seen) = decode(&many);
    assert_eq!(items.unwrap_err(), DecodeError::TooMany { what: "items in one body", limit: MAX_RECORDS });
    assert!(seen.0.is_empty());
    assert!(matches!(decode(&b"\n".repeat(2 * MAX_RECORDS + 1)).0, Err(DecodeError::TooMany { .. })));
}

#[test]
fn documents_become_log_records() {
    for (case, document, want) in [
        (
            "ECS, nested",
            r#"{"@timestamp":"2026-02-03T04:05:06.5Z","message":"hi","log":{"level":"WARN"},"service":{"name":"shop","version":"1"},"host":{"name":"web-1","os":"linux"},"trace":{"id":"4BF92F3577B34DA6A3CE929D0E0E4736"}}"#,
            json!({ "ts": "2026-02-03T04:05:06.5Z", "service": "shop", "host": "web-1", "severity": "warn", "body": "hi",
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "fields": { "service.version": "1", "host.os": "linux" } }),
        ),
        (
            "flat, epoch milliseconds",
            r#"{"time":1770091506500,"msg":"hi","severity":"notice","service":"pay","hostname":"web-2","n":1}"#,
            json!({ "ts": "2026-02-03T04:05:06.5Z", "service": "pay", "host": "web-2", "severity": "info", "body": "hi",
                "fields": { "n": "1" } }),
        ),
        (
            "Kubernetes",
            r#"{"log":"hi\n","kubernetes":{"labels":{"app":"cart"},"pod_name":"cart-1"},"level":50}"#,
            json!({ "service": "cart", "severity": "error", "body": "hi\n", "fields": { "kubernetes.pod_name": "cart-1" } }),
        ),
        (
            "nothing known",
            r#"{ "a": { "b": [1, 2] } }"#,
            json!({ "service": "shop", "body": r#"{ "a": { "b": [1, 2] } }"#, "fields": { "a.b": "[1,2]" } }),
        ),
        (
            "odd values stay fields",
            r#"{"message":"hi","timestamp":"12 ms","level":"loud","trace_id":"none","service":""}"#,
            json!({ "service": "shop", "body": "hi",
                "fields": { "timestamp": "12 ms", "level": "loud", "trace_id": "none", "service": "" } }),
        ),
        ("half an emoji", r#"{"message":"a\ud83d"}"#, json!({ "service": "shop", "body": "a\u{fffd}" })),
    ] {
        assert_eq!(one(document), want, "{case}");
    }
}

#[test]
fn documents_of_the_common_schema_are_requests_and_errors_too() {
    let body = concat!(
        "{\"index\":{}}\n",
        r#"{"service.name":"shop","http":{"request":{"method":"GET"},"response":{"status_code":503,"body":{"bytes":5}}},"url":{"path":"/a"},"event":{"duration":1250000},"client.ip":"203.0.113.9"}"#,
        "\n{\"index\":{}}\n",
        r#"{"http":{"request":{"method":"GET"},"response":{"status_code":0}},"url":{"path":"/a"}}"#,
        "\n{\"index\":{}}\n",
        r#"{"message":"no","service.name":"shop","service.version":"7","error":{"type":"PayError","stack_trace":"app/pay.rb:12:in 'charge'"}}"#,
    );
    let (_, seen) = decode(body.as_bytes());
    assert_eq!(
        seen.of("request"),
        [&json!({ "ts": AT.to_string(), "service": "shop", "request": "GET /a", "status": 503,
        "duration_us": 1250, "bytes": 5, "remote_addr": "203.0.113.9" })]
    );
    assert_eq!(
        seen.of("error"),
        [&json!({ "service": "shop", "kind": "PayError", "message": "no", "severity": "error",
        "release": "7", "frames": ["charge (app/pay.rb:12)"], "grouping": [] })]
    );
    assert_eq!(seen.of("log").len(), 3);
}

#[test]
fn an_index_names_a_service_without_its_date() {
    for (index, want) in [
        ("shop", "shop"),
        ("logs-shop-2026.02.03", "logs-shop"),
        (".ds-logs-shop-default-2026.02.03-000001", "logs-shop-default"),
        ("shop_20260203", "shop"),
        ("shop-2026.w05", "shop"),
        ("shop-000012", "shop"),
        ("shop-2026-02-03-04", "shop"),
        ("web-1", "web-1"),
        ("v2-2026x", "v2-2026x"),
        ("2026", "2026"),
    ] {
        assert_eq!(without_date(index), want);
    }
}

#[test]
fn clients_are_answered_in_their_version() {
    for (accept, version, content_type) in [
        (None, Version::V8, "application/json"),
        (Some("application/json"), Version::V8, "application/json"),
        (
            Some("application/vnd.elasticsearch+json; compatible-with=9"),
            Version::V9,
            "application/vnd.elasticsearch+json;compatible-with=9",
        ),
        (
            Some("application/vnd.elasticsearch+json;compatible-with=8"),
            Version::V8,
            "application/vnd.elasticsearch+json;compatible-with=8",
        ),
        (Some("compatible-with="), Version::V8, "application/json"),
    ] {
        assert_eq!((Version::of_media_type(accept), answers::content_type(accept)), (version, content_type));
    }
    assert!(answers::root(Version::V9)["version"]["number"].as_str().unwrap().starts_with("9."));
    let whole = [
        answers::licence(),
        answers::xpack(),
        answers::ilm_policy("p"),
        answers::index_template("p"),
        answers::legacy_template("p"),
        answers::data_stream("p"),
        answers::ingest_pipeline("p"),
        answers::cluster_health(),
        answers::nodes(Version::V8, "127.0.0.1:9200"),
        answers::acknowledged(),
        answers::error(400, "parse_exception", "no"),
    ];
    insta::assert_json_snapshot!(whole);
}

#[test]
fn clients_are_told_from_browsers_whatever_they_ask_for() {
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let vendor = "application/vnd.elasticsearch+json; compatible-with=9";
    for (case, accept, content_type, agent, want) in [
        ("a browser", Some(browser), None, Some("Mozilla/5.0"), false),
        ("a browser that asks for JSON as well", Some("application/json, text/html"), None, None, false),
        ("a person's curl", Some("*/*"), None, Some("curl/8.9.1"), false),
        ("Python and JavaScript", Some(vendor), None, Some("elasticsearch-py/9.0.0"), true),
        ("Beats", Some("application/json"), None, Some("Elastic-filebeat/8.15.0"), true),
        ("fluentd, by its gem", Some("*/*"), Some("application/json"), Some("Faraday v2.9.0"), true),
        ("the gem by itself", Some("*/*"), None, Some("elastic-transport-ruby/8.3.0 (RUBY_VERSION: 3.3.1)"), true),
        ("Logstash", None, Some("application/json"), Some("logstash/8.15.0"), true),
        ("Vector", None, None, Some("Vector/0.41.0"), true),
    ] {
        assert_eq!(answers::is_asked_by_client(accept, content_type, agent), want, "{case}");
    }
}

#[test]
fn an_index_that_an_application_asks_for_is_there_or_made() {
    assert_eq!(answers::alias("logs")["logs"]["aliases"]["logs"]["is_write_index"], true);
    assert!(answers::index("logs")["logs"].is_object());
    let made = answers::index_created("logs");
    assert_eq!((&made["acknowledged"], &made["index"]), (&true.into(), &"logs".into()));
    let no = answers::no_handler("POST", "/_search");
    assert_eq!(no["status"], 404);
    assert_eq!(no["error"]["reason"], "no handler found for uri [/_search] and method [POST]");
}

#[test]
fn documents_of_a_web_servers_log_are_requests_whatever_their_names() {
    let line = "192.0.2.7 - - [03/Feb/2026:04:05:06 +0000] \\\"GET /a HTTP/1.1\\\" 200 512";
    let body = format!(
        "{{\"create\":{{\"_index\":\"web\"}}}}\n{{\"@timestamp\":\"2026-02-03T04:05:06Z\",\"method\":\"GET\",\"path\":\"/a\",\"code\":\"200\"}}\n\
         {{\"create\":{{\"_index\":\"web\"}}}}\n{{\"@timestamp\":\"2026-02-03T04:05:07Z\",\"message\":\"{line}\"}}\n"
    );
    let (items, seen) = decode(body.as_bytes());
    assert_eq!(items.unwrap().len(), 2);
    let requests = seen.of("request");
    assert_eq!(requests.len(), 2, "{:?}", seen.0);
    for request in requests {
        assert_eq!((&request["request"], &request["status"]), (&"GET /a".into(), &200.into()));
        assert_eq!((&request["ts"], &request["service"]), (&"2026-02-03T04:05:06Z".into(), &"web".into()));
    }
    assert_eq!(seen.of("log").len(), 2);
}

#[test]
fn a_million_small_items_are_taken_and_no_more() {
    let many = b"{\"delete\":{}}\n".repeat(MAX_RECORDS);
    let (items, seen) = decode(&many);
    let items = items.unwrap();
    assert_eq!((items.len(), seen.0.len()), (MAX_RECORDS, MAX_RECORDS));
    assert!(size_of::<Item<'_>>() <= 64, "{} bytes an item", size_of::<Item<'_>>());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes);
        let body = [b"{\"index\":{}}\n".as_slice(), &bytes].concat();
        let _ = decode(&body);
    }

    #[test]
    fn every_document_is_taken_or_refused(documents in proptest::collection::vec("[^\n]{0,40}|\\{\"message\":\"[a-z]{0,9}\"\\}", 0..20)) {
        let lines: Vec<_> = documents.iter().map(|document| format!("{{\"index\":{{}}}}\n{document}\n")).collect();
        let body = lines.concat();
        let (items, seen) = decode(body.as_bytes());
        prop_assert_eq!(items.unwrap().len(), documents.len());
        let refused = seen.0.iter().filter(|seen| seen.get("refused").is_some()).count();
        prop_assert_eq!(seen.of("log").len() + refused, documents.len());
    }
}
