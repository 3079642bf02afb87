//! Clients of Elasticsearch: Python's of versions 8 and 9, and npm's.

use super::{Packages, assert_rows, node_sends, python_sends, rows, stored};
use e2e::{Client, Place};
use reqwest::Method;
use serde_json::{Value, json};

const BODY: &str = "checkout – 決済 \"ok\"\n\tdone";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn log(ts: &str, service: &str, body: &str, attrs: Value) -> Value {
    let mut row = json!({"ts": ts, "service": service, "host": null, "severity": null, "body": body,
        "trace_id": null, "source": "elasticsearch"});
    row["attrs"] = attrs;
    row
}

const LOGS: &str = "SELECT ts, service, host, severity, body, trace_id, source, attrs FROM logs ORDER BY ts, body";

#[tokio::test]
async fn documents_of_pythons_clients_8_and_9_are_stored_as_they_are() {
    for (packages, version) in [(Packages::Elasticsearch8, "8."), (Packages::Newest, "9.")] {
        let place = Place::new();
        let koshu = place.start().await;
        let Some(said) = python_sends(packages, "send_elasticsearch", &[koshu.url()]) else { return };
        assert!(said["version"].as_str().unwrap().starts_with(version), "answered in its version: {said}");
        assert_answers(&said);
        let client = koshu.client();
        assert_rows(&rows(client, LOGS).await, &python_logs(), version);
        assert_request_and_error(client).await;
        assert_eq!(stored(client).await, [("requests", 1), ("logs", 8), ("errors", 1)], "{version}");
    }
}

/// Each item of a bulk has its own answer, in order.
fn assert_answers(said: &Value) {
    assert_eq!(said["bulk"], json!([4, []]));
    let mixed = said["mixed"].as_array().unwrap();
    let want = [
        (true, "create", 201, json!("one"), Value::Null),
        (false, "delete", 400, json!("two"), json!("illegal_argument_exception")),
        (false, "index", 400, json!("three"), json!("document_parsing_exception")),
        (true, "index", 201, json!("four"), Value::Null),
    ];
    assert_eq!(mixed.len(), want.len());
    for (found, (ok, action, status, id, kind)) in mixed.iter().zip(want) {
        let answer = &found[2];
        let found = (&found[0], &found[1], &answer["status"], &answer["_id"], &answer["error"]["type"]);
        assert_eq!(found, (&json!(ok), &json!(action), &json!(status), &id, &kind), "{said}");
        assert_eq!(answer["_index"], "logs-shop-2026.02.03");
    }
    for name in ["index", "create"] {
        assert_eq!((&said[name]["result"], &said[name]["_version"]), (&json!("created"), &json!(1)), "{said}");
    }
    assert!(!said["index"]["_id"].as_str().unwrap().is_empty());
    assert_eq!(said["create"]["_id"], "named");
    assert_eq!(
        (&said["refused"]["status"], &said["refused"]["error"]),
        (&json!(400), &json!("document_parsing_exception")),
        "{said}"
    );
}

fn python_logs() -> [Value; 8] {
    let mut first = log(
        "2026-02-03T04:05:06.789012Z",
        "logs-shop",
        BODY,
        json!({"labels.team": "web", "labels.deep.er": "1", "count": "3", "large": "9007199254740993", "ratio": "0.25",
            "ok": "true", "empty": "", "tags": r#"["a","b"]"#}),
    );
    first["severity"] = json!("warn");
    first["host"] = json!("web-1");
    first["trace_id"] = json!(TRACE);
    let request = json!({"http.request.method": "POST", "http.response.status_code": "201",
        "http.response.body.bytes": "512", "url.path": "/cart/42", "event.duration": "12500000",
        "client.ip": "192.0.2.7"});
    let error = json!({"service.version": "7.1", "service.environment": "production", "error.type": "KeyError",
        "error.message": "'sku'", "error.stack_trace": "Traceback (most recent call last):\n  File \
        \"/srv/app/cart.py\", line 12, in add\n    price = prices[sku]\nKeyError: 'sku'\n"});
    [
        first,
        log("2026-02-03T04:05:07Z", "logs-shop", "types", json!({"price": "12.5", "day": "2026-02-03"})),
        log("2026-02-03T04:05:08Z", "web", "a request", request),
        log("2026-02-03T04:05:09Z", "web", "an error", error),
        log("2026-02-03T05:00:00Z", "logs-shop", "first", json!({})),
        log("2026-02-03T05:00:01Z", "logs-shop", "last", json!({})),
        log("2026-02-03T06:00:00Z", "logs-shop", "created", json!({})),
        log("2026-02-03T06:00:00Z", "logs-shop", "single", json!({})),
    ]
}

/// With the names of the Elastic Common Schema, a document is a request or an error too.
async fn assert_request_and_error(client: &e2e::Client) {
    let sql = "SELECT ts, service, method, route, path, status, duration_us, bytes, source FROM requests";
    let want = json!({"ts": "2026-02-03T04:05:08Z", "service": "web", "method": "POST", "route": "POST /cart/:id",
        "path": "/cart/42", "status": 201, "duration_us": 12500, "bytes": 512, "source": "elasticsearch"});
    assert_rows(&rows(client, sql).await, &[want], "requests");
    let sql = "SELECT ts, service, kind, message, severity, release, environment, stack, source FROM errors";
    let want = json!({"ts": "2026-02-03T04:05:09Z", "service": "web", "kind": "KeyError", "message": "'sku'",
        "severity": "error", "release": "7.1", "environment": "production", "stack": "add (/srv/app/cart.py:12)\n",
        "source": "elasticsearch"});
    assert_rows(&rows(client, sql).await, &[want], "errors");
}

#[tokio::test]
async fn documents_of_npms_client_are_stored_as_they_are() {
    let place = Place::new();
    let koshu = place.start().await;
    let Some(said) = node_sends("send_elasticsearch", &[koshu.url()]) else { return };
    assert!(said["version"].as_str().unwrap().starts_with("9."), "{said}");
    assert_eq!(said["bulk"], json!({"total": 2, "successful": 2, "failed": 0}));
    assert_eq!(said["dropped"], json!([{"status": 400, "type": "document_parsing_exception"}]));
    assert_eq!(said["index"], json!({"result": "created", "_index": "logs-shop-2026.02.03"}));
    let mut first = log(
        "2026-02-03T04:05:06.789Z",
        "logs-shop",
        BODY,
        json!({"labels.team": "web", "count": "3", "tags": r#"["a",{"b":null}]"#}),
    );
    first["severity"] = json!("error");
    first["host"] = json!("web-1");
    first["trace_id"] = json!(TRACE);
    let want = [
        first,
        log("2026-02-03T04:05:07Z", "logs-shop", "half an emoji \u{fffd}", json!({})),
        log("2026-02-03T06:00:00Z", "logs-shop", "single", json!({})),
    ];
    assert_rows(&rows(koshu.client(), LOGS).await, &want, "logs");
    assert_eq!(stored(koshu.client()).await, [("logs", 3)]);
}

/// What cannot be installed here asks as fluentd's gem, Logstash and Vector do: without naming JSON. And applications
/// ask for their index, or make it.
#[tokio::test]
async fn clients_that_ask_for_anything_are_not_shown_a_page() {
    let place = Place::new();
    let koshu = place.start().await;
    let client = koshu.stranger();
    let (kind, gem) = ("application/json", "elastic-transport-ruby/8.3.0");
    for (method, path, headers, name) in [
        (Method::GET, "/", [("accept", "*/*"), ("content-type", kind)], "version"),
        (Method::GET, "/", [("accept", "*/*"), ("user-agent", gem)], "version"),
        (Method::GET, "/_alias/logs", [("accept", "*/*"), ("user-agent", gem)], "logs"),
        (Method::GET, "/logs", [("accept", kind), ("user-agent", gem)], "logs"),
        (Method::PUT, "/logs", [("accept", kind), ("content-type", kind)], "acknowledged"),
    ] {
        let request =
            headers.into_iter().fold(client.request(method, path), |all, (name, value)| all.header(name, value));
        let answer = Client::send(request).await;
        assert!(!answer.ok()[name].is_null(), "{path} {headers:?} {answer:?}");
        assert_eq!(answer.header("x-elastic-product"), "Elasticsearch", "{path} {headers:?}");
    }
    let search = Client::send(client.request(Method::POST, "/_search").body("{}")).await;
    assert_eq!((search.status.as_u16(), &search.json()["status"]), (404, &json!(404)));
    for accept in ["text/html,*/*;q=0.8", "*/*"] {
        let page = Client::send(client.request(Method::GET, "/").header("accept", accept)).await;
        assert!(page.text.contains("<html"), "{accept}: {page:?}");
    }
}
