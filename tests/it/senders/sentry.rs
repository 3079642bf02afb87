//! Sentry's SDKs: Python's (key in a header, brotli) and npm's (key in the query, chunked).

use super::{Packages, assert_rows, node_sends, python_sends, rows, stored};
use e2e::{Client, Place};
use serde_json::{Value, json};

const ERRORS: &str = "SELECT ts, service, host, kind, message, severity, release, environment, trace_id, source, \
                      attrs['event_id'] AS event_id, attrs['tags.color'] AS color FROM errors ORDER BY ts";

/// As Sentry's clients say a time: text, or seconds.
fn time(said: &Value) -> String {
    match said {
        Value::String(text) => text.parse::<jiff::Timestamp>().unwrap().to_string(),
        seconds => {
            let seconds = seconds.as_f64().unwrap();
            #[expect(clippy::cast_possible_truncation, reason = "rounded, and far from the ends")]
            jiff::Timestamp::from_millisecond((seconds * 1000.0).round() as i64).unwrap().to_string()
        }
    }
}

/// Who a row is about, as the hash that is stored; nobody's name or address is.
async fn keys(client: &Client) -> Vec<Value> {
    let rows = client.sql("SELECT DISTINCT user_key FROM errors").await;
    for table in ["errors", "logs"] {
        for row in client.sql(&format!("SELECT * FROM {table}")).await {
            let text = Value::from(row).to_string();
            assert!(!text.contains("taro") && !text.contains("192.0.2.7"), "a person is stored: {text}");
        }
    }
    rows.into_iter().flatten().collect()
}

#[tokio::test]
async fn errors_and_messages_of_pythons_and_npms_sdks_are_stored_as_they_are() {
    let place = Place::new();
    let koshu = place.start().await;
    let client = koshu.client();
    let Some(sent) = python_sends(Packages::Newest, "send_sentry", &[koshu.url()]) else { return };
    assert_python_events(client, &sent).await;
    let python = keys(client).await;
    assert!(python.len() == 1 && python[0].is_string(), "one person: {python:?}");

    let Some(said) = node_sends("send_sentry", &[koshu.url()]) else { return };
    assert_eq!(said["flushed"], true, "{said}");
    assert_npm_events(client, &said["sent"]).await;
    assert_npm_session(client).await;
    assert_eq!(stored(client).await, [("logs", 3), ("errors", 4), ("events", 1)]);
    assert_eq!(keys(client).await, python, "the same person in another program");
}

async fn assert_python_events(client: &Client, sent: &Value) {
    let row = |at: usize, kind: &str, message: &str, severity: &str| {
        json!({"ts": time(&sent[at]["timestamp"]), "service": "project-42", "host": "web-1", "kind": kind,
            "message": message, "severity": severity, "release": "shop@7.1", "environment": "staging",
            "trace_id": sent[at]["trace_id"], "source": "sentry", "event_id": sent[at]["event_id"], "color": "red"})
    };
    let want = [
        row(0, "KeyError", "'sku'", "error"),
        row(1, "KeyError", "'sku'", "error"),
        row(3, "message", "disk full", "fatal"),
    ];
    assert_rows(&rows(client, ERRORS).await, &want, "errors");
    let groups = client.sql("SELECT count(*), count(DISTINCT group_id) FROM errors GROUP BY kind ORDER BY 1").await;
    assert_eq!(groups, [[json!(1), json!(1)], [json!(2), json!(1)]], "the same error twice is one group");
    let stack = client.sql("SELECT DISTINCT stack FROM errors WHERE kind = 'KeyError'").await;
    let stack = stack[0][0].as_str().unwrap();
    let lines: Vec<&str> = stack.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("__main__.fail (") && lines[1].contains("main ("), "{stack}");

    let sql = "SELECT ts, service, host, severity, body, trace_id, source, attrs['release'] AS release, \
               attrs['environment'] AS environment, attrs['tags.color'] AS color FROM logs \
               WHERE attrs['event_id'] IS NOT NULL";
    let want = json!({"ts": time(&sent[2]["timestamp"]), "service": "project-42", "host": "web-1", "severity": "warn",
        "body": "disk nearly full – 決済", "trace_id": sent[2]["trace_id"], "source": "sentry", "release": "shop@7.1",
        "environment": "staging", "color": "red"});
    assert_rows(&rows(client, sql).await, &[want], "messages");
    let sql = "SELECT service, host, severity, body, trace_id, source, attrs['release'] AS release, \
               attrs['environment'] AS environment, \
               attrs['sentry.message.parameter.amount'] AS amount FROM logs WHERE attrs['event_id'] IS NULL";
    let want = json!({"service": "project-42", "host": "web-1", "severity": "warn", "body": "paid 1200 yen",
        "trace_id": sent[2]["trace_id"], "source": "sentry", "release": "shop@7.1", "environment": "staging",
        "amount": "1200"});
    assert_rows(&rows(client, sql).await, &[want], "logs");
    assert_eq!(stored(client).await, [("logs", 2), ("errors", 3)]);
}

async fn assert_npm_events(client: &Client, sent: &Value) {
    let want = json!({"ts": time(&sent[0]["timestamp"]), "service": "project-43", "host": "web-2", "kind": "TypeError",
        "message": "Cannot read properties of undefined (reading 'amount')", "severity": "error",
        "release": "web@2.0", "environment": "production", "trace_id": sent[0]["trace_id"], "source": "sentry",
        "event_id": sent[0]["event_id"], "color": "red"});
    let found = rows(client, ERRORS).await;
    let of_npm: Vec<Value> = found.into_iter().filter(|row| row["service"] == "project-43").collect();
    assert_rows(&of_npm, &[want], "errors");
    let stack = client.sql("SELECT stack FROM errors WHERE service = 'project-43'").await;
    let stack = stack[0][0].as_str().unwrap();
    assert!(stack.lines().next().unwrap().contains("priceOf (") && stack.contains("send_sentry.mjs:"), "{stack}");
    let sql = "SELECT ts, host, severity, body, trace_id, attrs['event_id'] AS event_id FROM logs \
               WHERE service = 'project-43'";
    let want = json!({"ts": time(&sent[1]["timestamp"]), "host": "web-2", "severity": "warn",
        "body": "disk nearly full – 決済", "trace_id": sent[1]["trace_id"], "event_id": sent[1]["event_id"]});
    assert_rows(&rows(client, sql).await, &[want], "messages");
}

/// The program itself is a session, which had an error.
async fn assert_npm_session(client: &Client) {
    let mut found = rows(client, "SELECT service, kind, name, state, source, attrs FROM events").await;
    let duration = found[0]["attrs"].as_object_mut().unwrap().remove("duration_s").unwrap();
    let seconds: f64 = duration.as_str().unwrap().parse().unwrap_or_else(|error| panic!("{duration}: {error}"));
    assert!((0.0..60.0).contains(&seconds), "{seconds}");
    let want = json!({"service": "project-43", "kind": "session", "name": "web@2.0", "state": "ok", "source": "sentry",
        "attrs": {"release": "web@2.0", "environment": "production", "started": "1", "errors": "1"}});
    assert_rows(&found, &[want], "sessions");
}
