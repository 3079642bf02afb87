//! Sentry's SDKs: Python's (key in a header, brotli) and npm's (key in the query, chunked; spans in containers).
//!
//! Both are given a person, secrets and more breadcrumbs than they keep: nothing of that is stored.

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

/// What is never stored: persons, and what only helps to read source code beside a stack.
const NEVER: [&str; 4] = ["taro", "192.0.2.7", "hunter2", "crumb "];

/// Who rows are about, as the hashes that are stored.
async fn persons(client: &Client) -> Vec<Value> {
    for table in ["requests", "logs", "spans", "samples", "errors", "events"] {
        for row in client.sql(&format!("SELECT * FROM {table} WHERE source <> 'agent'")).await {
            let text = Value::from(row).to_string();
            assert!(!NEVER.iter().any(|never| text.contains(never)), "in {table}: {text}");
        }
    }
    let sql = "SELECT user_key FROM errors UNION SELECT user_key FROM requests";
    client.sql(sql).await.into_iter().flatten().collect()
}

#[tokio::test]
async fn what_pythons_and_npms_sdks_report_is_stored_as_it_is() {
    let place = Place::new();
    let koshu = place.start().await;
    let client = koshu.client();
    let Some(said) = python_sends(Packages::Newest, "send_sentry", &[koshu.url()]) else { return };
    assert_python_events(client, &said["events"]).await;
    assert_python_logs(client, &said["events"]).await;
    assert_python_trace(client, &said["traces"][0]).await;
    assert_python_sessions_and_metrics(client).await;
    let want = [("requests", 1), ("logs", 2), ("spans", 2), ("samples", 2), ("errors", 3), ("events", 3)];
    assert_eq!(stored(client).await, want);
    let python = persons(client).await;
    assert!(python.len() == 1 && python[0].is_string(), "one person: {python:?}");

    let Some(said) = node_sends("send_sentry", &[koshu.url()]) else { return };
    assert_eq!(said["flushed"], true, "{said}");
    assert_npm_events(client, &said["sent"]).await;
    assert_npm_trace(client, &said).await;
    assert_npm_session_and_metrics(client).await;
    let want = [("requests", 2), ("logs", 4), ("spans", 4), ("samples", 3), ("errors", 4), ("events", 5)];
    assert_eq!(stored(client).await, want);
    let changes = client.get("/api/v1/changes").await.ok();
    let deploys = changes["changes"].as_array().unwrap().iter().filter(|change| change["kind"] == "deploy");
    let mut versions: Vec<_> = deploys.map(|change| change["version"].as_str().unwrap()).collect();
    versions.sort_unstable();
    assert_eq!(versions, ["shop@7.1", "web@2.0"], "a release that was never heard of is a change, once");
    assert_eq!(persons(client).await, python, "the same person in another program");
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

    // All that is kept beside the columns.
    let attrs = client.sql("SELECT attrs FROM errors WHERE kind = 'message'").await[0][0].clone();
    let names: Vec<&str> = attrs.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["event_id", "extra.sys.argv", "platform", "runtime", "sdk", "span_id", "tags.color"]);
    assert!(attrs["sdk"].as_str().unwrap().starts_with("sentry.python "), "{attrs}");
    assert!(attrs["runtime"].as_str().unwrap().starts_with("CPython 3"), "{attrs}");
    assert_eq!((&attrs["span_id"], &attrs["platform"]), (&sent[3]["span_id"], &json!("python")));
    assert!(sent.as_array().unwrap().iter().all(|event| event["breadcrumbs"] == 100), "as many as they keep: {sent}");
}

async fn assert_python_logs(client: &Client, sent: &Value) {
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
}

const SPANS: &str = "SELECT ts, service, host, trace_id, span_id, parent_id, name, kind, status, duration_us, source, \
                     attrs FROM spans";

fn microseconds(step: &Value) -> i64 {
    let [begin, end] = ["start_timestamp", "timestamp"].map(|name| step[name].as_str().unwrap().parse().unwrap());
    jiff::Timestamp::as_microsecond(end) - jiff::Timestamp::as_microsecond(begin)
}

async fn assert_python_trace(client: &Client, trace: &Value) {
    let [server, query] = [&trace[0], &trace[1]];
    let mut found = rows(client, &format!("{SPANS} ORDER BY ts")).await;
    for row in &mut found {
        row["attrs"].as_object_mut().unwrap().remove("thread.id").unwrap();
    }
    let row = |step: &Value, parent: Value, name: &str, kind: &str, status: Value, attrs: Value| {
        json!({"ts": time(&step["start_timestamp"]), "service": "project-42", "host": "web-1",
            "trace_id": step["trace_id"], "span_id": step["span_id"], "parent_id": parent, "name": name, "kind": kind,
            "status": status, "duration_us": microseconds(step), "source": "sentry", "attrs": attrs})
    };
    let of_server = json!({"op": "http.server", "sentry.status": "internal_error", "thread.name": "MainThread",
        "http.request.method": "POST", "http.response.status_code": "500", "url.path": "/cart/42",
        "release": "shop@7.1", "environment": "staging", "platform": "python", "tags.color": "red",
        "tags.http.status_code": "500"});
    let of_query = json!({"op": "db", "thread.name": "MainThread", "db.system": "mysql"});
    let want = [
        row(server, Value::Null, "POST /cart/{id}", "server", json!("error"), of_server),
        row(query, server["span_id"].clone(), "SELECT price FROM prices", "client", Value::Null, of_query),
    ];
    assert_rows(&found, &want, "spans");
    let want = json!({"ts": time(&server["timestamp"]), "service": "project-42", "host": "web-1", "method": "POST",
        "route": "POST /cart/{id}", "path": "/cart/42", "status": 500, "duration_us": microseconds(server),
        "trace_id": server["trace_id"], "source": "sentry"});
    assert_rows(&rows(client, REQUESTS).await, &[want], "requests");
}

const REQUESTS: &str = "SELECT ts, service, host, method, route, path, status, duration_us, trace_id, source \
                        FROM requests ORDER BY service DESC";

async fn assert_python_sessions_and_metrics(client: &Client) {
    let sql = "SELECT service, host, kind, name, state, source, attrs FROM events ORDER BY kind, state";
    let session = |state: Value| {
        json!({"service": "project-42", "host": null, "kind": "session", "name": "shop@7.1", "state": state,
            "source": "sentry", "attrs": {"started": "1", "exited": "1", "release": "shop@7.1",
                "environment": "staging"}})
    };
    let job = json!({"service": "project-42", "host": "web-1", "kind": "heartbeat", "name": "nightly", "state": "ok",
        "source": "sentry", "attrs": {"run_id": "0c0ffee00c0ffee00c0ffee00c0ffee0", "duration_s": "12.5",
            "release": "shop@7.1", "environment": "staging"}});
    // One that says how it went, and a count of those of a minute.
    assert_rows(&rows(client, sql).await, &[job, session(json!("exited")), session(Value::Null)], "events");
    let want = [
        json!({"service": "project-42", "host": "web-1", "name": "load", "value": 0.75, "type": "gauge",
            "unit": "ratio", "color": null, "release": "shop@7.1"}),
        json!({"service": "project-42", "host": "web-1", "name": "orders", "value": 3.0, "type": "counter",
            "unit": null, "color": "red", "release": "shop@7.1"}),
    ];
    assert_rows(&rows(client, SAMPLES).await, &want, "samples");
}

const SAMPLES: &str = "SELECT service, host, name, value, attrs['type'] AS type, attrs['unit'] AS unit, \
                       attrs['color'] AS color, attrs['release'] AS release FROM samples WHERE source = 'sentry' \
                       ORDER BY service, name";

async fn assert_npm_events(client: &Client, sent: &Value) {
    let want = json!({"ts": time(&sent["error"]["timestamp"]), "service": "project-43", "host": "web-2", "kind": "TypeError",
        "message": "Cannot read properties of undefined (reading 'amount')", "severity": "error",
        "release": "web@2.0", "environment": "production", "trace_id": sent["error"]["trace_id"], "source": "sentry",
        "event_id": sent["error"]["event_id"], "color": "red"});
    let found = rows(client, ERRORS).await;
    let of_npm: Vec<Value> = found.into_iter().filter(|row| row["service"] == "project-43").collect();
    assert_rows(&of_npm, &[want], "errors");
    let stack = client.sql("SELECT stack FROM errors WHERE service = 'project-43'").await;
    let stack = stack[0][0].as_str().unwrap();
    assert!(stack.lines().next().unwrap().contains("priceOf (") && stack.contains("send_sentry.mjs:"), "{stack}");
    let sql = "SELECT ts, host, severity, body, trace_id, attrs['event_id'] AS event_id FROM logs \
               WHERE service = 'project-43'";
    let want = json!({"ts": time(&sent["message"]["timestamp"]), "host": "web-2", "severity": "warn",
        "body": "disk nearly full – 決済", "trace_id": sent["message"]["trace_id"], "event_id": sent["message"]["event_id"]});
    let of_lines = "AND attrs['event_id'] IS NULL";
    assert_rows(&rows(client, &format!("{sql} AND attrs['event_id'] IS NOT NULL")).await, &[want], "messages");
    let want = json!({"host": "web-2", "severity": "info", "body": "paid 1200 yen",
        "trace_id": sent["message"]["trace_id"], "event_id": null});
    let mut found = rows(client, &format!("{sql} {of_lines}")).await;
    found[0].as_object_mut().unwrap().remove("ts");
    assert_rows(&found, &[want], "lines");
    let breadcrumbs = ["error", "message"].map(|kind| &sent[kind]["breadcrumbs"]);
    assert_eq!(breadcrumbs, [100, 100], "as many as they keep");
}

async fn assert_npm_trace(client: &Client, said: &Value) {
    let [server, query] = [&said["server"], &said["query"]];
    let sql = "SELECT ts, service, trace_id, span_id, parent_id, name, kind, status, duration_us, source, \
               attrs['op'] AS op, attrs['sentry.status.message'] AS why, attrs['db.system'] AS db, \
               attrs['rows'] AS rows, attrs['ratio'] AS ratio, attrs['ok'] AS ok, attrs['release'] AS release, \
               attrs['environment'] AS environment FROM spans WHERE service = 'project-43' ORDER BY ts";
    let common = |span: &Value| {
        json!({"service": "project-43", "trace_id": span["trace_id"], "span_id": span["span_id"], "source": "sentry",
            "release": "web@2.0", "environment": "production"})
    };
    let with = |mut row: Value, more: Value| {
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let want = [
        with(
            common(server),
            json!({"ts": "2026-02-03T04:05:06Z", "parent_id": null, "name": "GET /items/:id", "kind": "server",
                "status": "ok", "duration_us": 250_000, "op": "http.server", "why": null, "db": null, "rows": null,
                "ratio": null, "ok": null}),
        ),
        with(
            common(query),
            json!({"ts": "2026-02-03T04:05:06.1Z", "parent_id": server["span_id"], "name": "SELECT price FROM prices",
                "kind": "client", "status": "error", "duration_us": 50_000, "op": "db", "why": "unavailable",
                "db": "mysql", "rows": "3", "ratio": "0.25", "ok": "true"}),
        ),
    ];
    assert_rows(&rows(client, sql).await, &want, "spans");
    let want = json!({"ts": "2026-02-03T04:05:06.25Z", "service": "project-43", "host": null, "method": "GET",
        "route": "GET /items/:id", "path": "/items/7", "status": 200, "duration_us": 250_000,
        "trace_id": server["trace_id"], "source": "sentry"});
    assert_rows(&rows(client, REQUESTS).await[..1], &[want], "requests");
}

/// The program itself is a session, which had an error.
async fn assert_npm_session_and_metrics(client: &Client) {
    let sql = "SELECT service, kind, name, state, source, attrs FROM events WHERE service = 'project-43' ORDER BY kind";
    let mut found = rows(client, sql).await;
    let run = found[0]["attrs"].as_object_mut().unwrap().remove("run_id").unwrap();
    assert_eq!(run.as_str().unwrap().len(), 32, "{run}");
    let duration = found[1]["attrs"].as_object_mut().unwrap().remove("duration_s").unwrap();
    let seconds: f64 = duration.as_str().unwrap().parse().unwrap_or_else(|error| panic!("{duration}: {error}"));
    assert!((0.0..60.0).contains(&seconds), "{seconds}");
    let want = [
        json!({"service": "project-43", "kind": "heartbeat", "name": "nightly", "state": "start", "source": "sentry",
            "attrs": {"release": "web@2.0", "environment": "production"}}),
        json!({"service": "project-43", "kind": "session", "name": "web@2.0", "state": "ok", "source": "sentry",
            "attrs": {"release": "web@2.0", "environment": "production", "started": "1", "errors": "1"}}),
    ];
    assert_rows(&found, &want, "events");
    let want = json!({"service": "project-43", "host": "web-2", "name": "orders", "value": 3.0, "type": "counter",
        "unit": null, "color": "red", "release": "web@2.0"});
    assert_rows(&rows(client, SAMPLES).await[2..], &[want], "samples");
}
