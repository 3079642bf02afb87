//! OpenTelemetry's SDKs: Python's over HTTP and gRPC, npm's over HTTP as JSON and as protobuf; packed and not.

use super::{Packages, assert_rows, moment, node_sends, python_sends, rows, stored};
use crate::listeners::{address, start};
use e2e::{Client, Place};
use serde_json::{Map, Value, json};

const BODY: &str = "checkout – 決済 \"ok\"\n\tdone";
const LOGS: &str = "SELECT ts, service, host, severity, body, trace_id, source, attrs FROM logs ORDER BY ts";
const SPANS: &str = "SELECT ts, service, host, trace_id, span_id, parent_id, name, kind, status, duration_us, source, \
                     attrs FROM spans ORDER BY ts";

/// Own attributes and those of the resource and the scope.
fn with(resource: &Value, scope: (&str, &str), own: Value) -> Value {
    let mut all: Map<String, Value> = resource.as_object().unwrap().clone();
    all.extend([("otel.scope.name".to_owned(), scope.0.into()), ("otel.scope.version".to_owned(), scope.1.into())]);
    let Value::Object(own) = own else { panic!("attributes are an object") };
    all.extend(own);
    Value::Object(all)
}

fn microseconds(begin: &Value, end: &Value) -> i64 {
    (end.as_i64().unwrap() - begin.as_i64().unwrap()) / 1000
}

#[tokio::test]
async fn traces_logs_and_metrics_of_pythons_sdk_over_http_are_stored_as_they_are() {
    let place = Place::new();
    let koshu = place.start().await;
    let Some(said) = python_sends(Packages::Newest, "send_opentelemetry", &["http", koshu.url()]) else { return };
    assert_python(koshu.client(), &said).await;
}

#[tokio::test]
async fn traces_logs_and_metrics_of_pythons_sdk_over_grpc_are_stored_as_they_are() {
    let place = Place::new();
    let koshu = start(&place).await;
    let at = address(&koshu, "otlp_grpc");
    let Some(said) = python_sends(Packages::Newest, "send_opentelemetry", &["grpc", &at]) else { return };
    assert_python(koshu.client(), &said).await;
}

pub(super) async fn assert_python(client: &Client, said: &Value) {
    assert_python_spans(client, said).await;
    assert_python_request_and_error(client, said).await;
    assert_python_logs(client, said).await;
    let resource = json!({"service.instance.id": said["resource"]["service.instance.id"],
        "deployment.environment.name": "staging"});
    assert_metrics(client, said, ("checkout-service", "web-1"), &resource).await;
    let want = [("requests", 1), ("logs", 2), ("spans", 2), ("samples", 10), ("errors", 1)];
    assert_eq!(stored(client).await, want);
}

async fn assert_python_spans(client: &Client, said: &Value) {
    let [server, inner] = [&said["spans"][0], &said["spans"][1]];
    let row = |span: &Value, parent: Value, name: &str, kind: &str, status: &str, own: Value| {
        json!({"ts": moment(&span["start_ns"]), "service": "checkout-service", "host": "web-1",
            "trace_id": span["trace_id"], "span_id": span["span_id"], "parent_id": parent, "name": name, "kind": kind,
            "status": status, "duration_us": microseconds(&span["start_ns"], &span["end_ns"]), "source": "otlp",
            "attrs": with(&said["resource"], ("shop.web", "1.2"), own)})
    };
    let failed = json!([{"time": moment(&server["events_ns"][0]), "name": "exception", "attributes": {
        "exception.type": "ValueError", "exception.message": "no price for 決済",
        "exception.stacktrace": server["stack"], "exception.escaped": "False"}}]);
    let of_server = json!({"http.request.method": "POST", "http.route": "/cart/{id}", "url.path": "/cart/42",
        "url.query": "color=red", "http.response.status_code": "500", "http.response.body.size": "512",
        "user_agent.original": "curl/8", "client.address": "192.0.2.7", "user.id": "taro",
        "status_message": "it failed", "events": failed.to_string()});
    let retried = json!([{"time": moment(&inner["events_ns"][0]), "name": "retry", "attributes": {"attempt": 2}}]);
    let links = json!([{"trace_id": server["trace_id"], "span_id": server["span_id"], "attributes": {"why": "test"}}]);
    let of_inner = json!({"rows": "[1,2]", "ratio": "0.5", "events": retried.to_string(), "links": links.to_string()});
    let want = [
        row(server, Value::Null, "POST /cart/{id}", "server", "error", of_server),
        row(inner, server["span_id"].clone(), "SELECT", "client", "ok", of_inner),
    ];
    let mut found = rows(client, SPANS).await;
    found.iter_mut().for_each(sort_json_texts);
    assert_rows(&found, &want, "spans");
}

/// Events and links are texts of JSON, of which the order of names means nothing.
fn sort_json_texts(row: &mut Value) {
    for name in ["events", "links"] {
        let Some(text) = row["attrs"].get(name).and_then(Value::as_str) else { continue };
        let read: Value = serde_json::from_str(text).unwrap();
        row["attrs"][name] = json!(read.to_string());
    }
}

async fn assert_python_request_and_error(client: &Client, said: &Value) {
    let server = &said["spans"][0];
    let sql = "SELECT ts, service, method, route, path, status, duration_us, bytes, trace_id, source, \
               attrs['user_agent'] AS user_agent, user_key IS NOT NULL AS is_known FROM requests";
    let want = json!({"ts": moment(&server["end_ns"]), "service": "checkout-service", "method": "POST",
        "route": "POST /cart/{id}", "path": "/cart/42", "status": 500,
        "duration_us": microseconds(&server["start_ns"], &server["end_ns"]), "bytes": 512,
        "trace_id": server["trace_id"], "source": "otlp", "user_agent": "curl/8", "is_known": true});
    assert_rows(&rows(client, sql).await, &[want], "requests");

    let sql = "SELECT ts, service, host, kind, message, release, environment, trace_id, source, stack, \
               attrs['span_id'] AS span_id, user_key IS NOT NULL AS is_known, attrs['user.id'] AS name FROM errors";
    let found = rows(client, sql).await;
    let want = json!({"ts": moment(&server["events_ns"][0]), "service": "checkout-service", "host": "web-1",
        "kind": "ValueError", "message": "no price for 決済", "release": "7.1", "environment": "staging",
        "trace_id": server["trace_id"], "source": "otlp", "stack": found[0]["stack"], "span_id": server["span_id"],
        "is_known": true, "name": null});
    assert_rows(&found, &[want], "errors");
    let stack = found[0]["stack"].as_str().unwrap();
    assert!(stack.starts_with("spans (") && stack.contains("send_opentelemetry.py:"), "{stack}");
}

async fn assert_python_logs(client: &Client, said: &Value) {
    let row = |ts: &str, severity: &str, body: &str, own: Value| {
        json!({"ts": ts, "service": "checkout-service", "host": "web-1", "severity": severity, "body": body,
            "trace_id": null, "source": "otlp", "attrs": with(&said["resource"], ("shop.log", "1.3"), own)})
    };
    let want = [
        row(
            "2026-02-03T04:05:06.789012Z",
            "warn",
            BODY,
            json!({"count": "3", "large": "9007199254740993", "ratio": "0.25", "ok": "true", "tags": r#"["a","b"]"#,
                "severity_text": "WARNING"}),
        ),
        row(
            "2026-02-03T04:05:07.789012Z",
            "error",
            r#"{"event":"paid","lines":[1,null]}"#,
            json!({"event.name": "shop.paid"}),
        ),
    ];
    assert_rows(&rows(client, LOGS).await, &want, "logs");
}

/// Both programs measure the same.
async fn assert_metrics(client: &Client, said: &Value, (service, host): (&str, &str), resource: &Value) {
    let sql = "SELECT service, host, name, value, source, attrs FROM samples WHERE source = 'otlp' \
               ORDER BY name, attrs['le'], value DESC";
    let row = |name: &str, value: f64, own: Value| {
        let mut labels = resource.as_object().unwrap().clone();
        labels.insert("otel.scope.name".to_owned(), json!("shop.meter"));
        labels.extend(own.as_object().unwrap().clone());
        json!({"service": service, "host": host, "name": name, "value": value, "source": "otlp", "attrs": labels})
    };
    let want = [
        row("load", 0.75, json!({})),
        row("orders", 7.0, json!({"color": "red"})),
        row("orders", 1.0, json!({"color": "blue"})),
        row("queue", -2.0, json!({})),
        row("wait_bucket", 4.0, json!({"le": "+Inf"})),
        row("wait_bucket", 1.0, json!({"le": "0.1"})),
        row("wait_bucket", 2.0, json!({"le": "1"})),
        row("wait_bucket", 3.0, json!({"le": "10"})),
        row("wait_count", 4.0, json!({})),
        row("wait_sum", 55.55, json!({})),
    ];
    assert_rows(&rows(client, sql).await, &want, "samples");
    let times = rows(client, "SELECT min(ts) AS first, max(ts) AS last FROM samples WHERE source = 'otlp'").await;
    let ends: Vec<jiff::Timestamp> =
        ["first", "last"].iter().map(|name| times[0][name].as_str().unwrap().parse().unwrap()).collect();
    let sent = [&said["begin_ns"], &said["end_ns"]].map(|nanos| moment(nanos).parse::<jiff::Timestamp>().unwrap());
    assert!(sent[0] <= ends[0] && ends[1] <= sent[1], "measured while it was running: {times:?}, {sent:?}");
}

#[tokio::test]
async fn traces_logs_and_metrics_of_npms_sdk_are_stored_as_they_are_in_either_form() {
    for form in ["json", "protobuf"] {
        let place = Place::new();
        let koshu = place.start().await;
        let Some(said) = node_sends("send_opentelemetry", &[form, koshu.url()]) else { return };
        let client = koshu.client();
        assert_node_spans(client, &said).await;
        assert_node_request_error_and_log(client, &said).await;
        assert_metrics(client, &said, ("web", "web-2"), &json!({})).await;
        let want = [("requests", 1), ("logs", 1), ("spans", 2), ("samples", 10), ("errors", 1)];
        assert_eq!(stored(client).await, want, "{form}");
    }
}

fn node_resource() -> Value {
    json!({"service.name": "web", "service.version": "2.0", "host.name": "web-2"})
}

async fn assert_node_spans(client: &Client, said: &Value) {
    let resource = node_resource();
    let [server, inner] = [&said["server"], &said["inner"]];
    let row = |ts: &str, span: &Value, own: Value| {
        let mut row = json!({"ts": ts, "service": "web", "host": "web-2", "trace_id": span["trace_id"],
            "span_id": span["span_id"], "source": "otlp"});
        row["attrs"] = with(&resource, ("shop.web", "1.2"), own);
        row
    };
    let mut found = rows(client, SPANS).await;
    let events: Value = serde_json::from_str(found[1]["attrs"]["events"].as_str().unwrap()).unwrap();
    let event = &events[0];
    assert_eq!(
        (&event["time"], &event["name"], &event["attributes"]["exception.message"]),
        (&json!("2026-02-03T04:05:06.15Z"), &json!("exception"), &json!("no price for 決済"))
    );
    found[1]["attrs"].as_object_mut().unwrap().remove("events");
    let of_server = json!({"http.request.method": "GET", "http.route": "/items/:id", "url.path": "/items/7",
        "http.response.status_code": "200"});
    let of_inner = json!({"count": "3", "ratio": "0.25", "ok": "true", "tags": r#"["a","b"]"#,
        "status_message": "it failed"});
    let mut want = [row("2026-02-03T04:05:06Z", server, of_server), row("2026-02-03T04:05:06.1Z", inner, of_inner)];
    let more = [
        json!({"parent_id": null, "name": "GET /items/:id", "kind": "server", "status": null, "duration_us": 250_000}),
        json!({"parent_id": server["span_id"], "name": "render", "kind": "internal", "status": "error",
            "duration_us": 100_000}),
    ];
    for (row, more) in want.iter_mut().zip(more) {
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    }
    assert_rows(&found, &want, "spans");
}

async fn assert_node_request_error_and_log(client: &Client, said: &Value) {
    let [server, inner] = [&said["server"], &said["inner"]];
    let sql = "SELECT ts, service, route, status, duration_us, trace_id FROM requests";
    let want = json!({"ts": "2026-02-03T04:05:06.25Z", "service": "web", "route": "GET /items/:id", "status": 200,
        "duration_us": 250_000, "trace_id": server["trace_id"]});
    assert_rows(&rows(client, sql).await, &[want], "requests");
    let sql = "SELECT ts, kind, message, release, trace_id, stack LIKE '%send_opentelemetry.mjs:%' AS has_stack \
               FROM errors";
    let want = json!({"ts": "2026-02-03T04:05:06.15Z", "kind": "TypeError", "message": "no price for 決済",
        "release": "2.0", "trace_id": inner["trace_id"], "has_stack": true});
    assert_rows(&rows(client, sql).await, &[want], "errors");
    let own = json!({"count": "3", "ratio": "0.25", "ok": "true", "tags": r#"["a","b"]"#,
        "span_id": server["span_id"]});
    let want = json!({"ts": "2026-02-03T04:05:06.789Z", "service": "web", "host": "web-2", "severity": "error",
        "body": BODY, "trace_id": server["trace_id"], "source": "otlp",
        "attrs": with(&node_resource(), ("shop.log", "1.3"), own)});
    assert_rows(&rows(client, LOGS).await, &[want], "logs");
}
