//! Pushes in Loki's form: by hand, by winston-loki (protobuf in a snappy block, and JSON) and by loki-logger-handler.

use super::{Packages, assert_rows, moment, node_sends, python_sends, rows, stored};
use e2e::Place;
use serde_json::{Value, json};

const BODY: &str = "checkout – 決済 \"ok\"\n\tdone";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const LOGS: &str = "SELECT ts, service, host, severity, body, trace_id, source, attrs FROM logs ORDER BY ts";

#[tokio::test]
async fn lines_pushed_to_loki_are_stored_with_their_labels() {
    let place = Place::new();
    let koshu = place.start().await;
    let Some(said) = python_sends(Packages::Newest, "send_loki", &[koshu.url()]) else { return };
    assert_eq!(said, json!([204, 204]));
    let want = [
        json!({"ts": "2026-02-03T04:05:06.789012Z", "service": "shop", "host": "web-1", "severity": "warn",
            "body": BODY, "trace_id": null, "source": "loki", "attrs": {"team": "web"}}),
        json!({"ts": "2026-02-03T04:05:07Z", "service": "shop", "host": "web-1", "severity": "warn",
            "body": "with more", "trace_id": TRACE, "source": "loki", "attrs": {"team": "web", "user": "7"}}),
        json!({"ts": "2026-02-03T04:05:08Z", "service": "cron-nightly", "host": null, "severity": null,
            "body": "{\"a\": 1}", "trace_id": null, "source": "loki", "attrs": {}}),
    ];
    assert_rows(&rows(koshu.client(), LOGS).await, &want, "logs");
    assert_eq!(stored(koshu.client()).await, [("logs", 3)]);
}

#[tokio::test]
async fn lines_of_winston_loki_are_stored_from_protobuf_as_from_json() {
    for (form, kind) in [("protobuf", "application/x-protobuf"), ("json", "application/json")] {
        let place = Place::new();
        let koshu = place.start().await;
        let Some(said) = node_sends("send_loki", &[form, koshu.url()]) else { return };
        // It falls back to JSON without a word when snappy is missing.
        assert_eq!(said, kind);
        let row = |ts: &str, severity: &str, body: &str, trace: Value, attrs: Value| {
            json!({"ts": ts, "service": "shop", "host": "web-1", "severity": severity, "body": body,
                "trace_id": trace, "source": "loki", "attrs": attrs})
        };
        let want = [
            row("2026-02-03T04:05:06.789Z", "info", BODY, Value::Null, json!({"team": "web"})),
            row("2026-02-03T04:05:07Z", "info", "paid", Value::Null, json!({"team": "web"})),
            row("2026-02-03T04:05:08Z", "error", "refused", json!(TRACE), json!({})),
        ];
        assert_rows(&rows(koshu.client(), LOGS).await, &want, form);
        assert_eq!(stored(koshu.client()).await, [("logs", 3)]);
    }
}

#[tokio::test]
async fn records_of_loki_logger_handler_are_stored_with_their_metadata() {
    let place = Place::new();
    let koshu = place.start().await;
    let Some(said) = python_sends(Packages::Newest, "send_loki_handler", &[koshu.url()]) else { return };
    // The line is JSON, in which Python's order of names stands.
    let line = |at: usize, level: &str, message: &str, more: &Value| {
        let mut line = json!({"message": message, "function": "main", "module": "send_loki_handler", "name": "shop",
            "level": level});
        for part in [&said[at], more] {
            line.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        }
        line.as_object_mut().unwrap().remove("ns");
        line
    };
    let row = |at: usize, severity: &str, body: Value, trace: Value, own: Value| {
        let mut attrs = json!({"region": "tokyo", "team": "web"});
        attrs.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        json!({"ts": moment(&said[at]["ns"]), "service": "shop", "host": "web-1", "severity": severity, "body": body,
            "trace_id": trace, "source": "loki", "attrs": attrs})
    };
    let want = [
        row(0, "info", line(0, "INFO", BODY, &json!({})), json!(TRACE), json!({})),
        row(1, "info", line(1, "INFO", "paid", &json!({"amount": 1200})), Value::Null, json!({"user": "7"})),
        row(2, "warn", line(2, "WARNING", "disk nearly full", &json!({})), Value::Null, json!({})),
    ];
    let mut found = rows(koshu.client(), LOGS).await;
    for row in &mut found {
        row["body"] = serde_json::from_str(row["body"].as_str().unwrap()).unwrap();
    }
    assert_rows(&found, &want, "logs");
    assert_eq!(stored(koshu.client()).await, [("logs", 3)]);
}
