//! Errors, traces, metrics and log lines: sent as their programs send them, asked for as the pages ask.

use e2e::{Client, Place};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn nanos_ago(seconds: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    (now - u128::from(seconds) * 1_000_000_000).to_string()
}

fn resource(service: &str) -> Value {
    json!({"attributes": [{"key": "service.name", "value": {"stringValue": service}}]})
}

async fn post_ok(client: &Client, path: &str, body: &Value) {
    let answer = client.post(path, body).await;
    assert!(answer.status.is_success(), "{answer:?}");
}

async fn send_error(client: &Client, order: u32) {
    let event = json!({
        "exception": {"values": [{
            "type": "PaymentError",
            "value": format!("order {order} was refused"),
            "stacktrace": {"frames": [{"function": "pay", "filename": "app/pay.py", "lineno": 7, "in_app": true}]},
        }]},
        "user": {"id": format!("u{}", order % 2)},
        "release": "shop@1",
        "contexts": {"trace": {"trace_id": TRACE, "span_id": "00f067aa0ba902b7"}},
    });
    post_ok(client, "/api/7/store/", &event).await;
}

#[tokio::test]
async fn a_group_of_errors_is_explained_decided_and_comes_back() {
    let place = Place::new();
    let koshu = place.start().await;
    let client = koshu.client();
    for order in [7, 8, 9] {
        send_error(client, order).await;
    }
    let list = client.get("/api/v1/errors?sort=users").await.ok();
    assert_eq!((&list["errors"], &list["group_count"], &list["users"]), (&json!(3), &json!(1), &json!(2)), "{list}");
    let group = &list["groups"][0];
    assert_eq!((&group["kind"], &group["service"]), (&json!("PaymentError"), &json!("project-7")));
    assert_eq!((&group["state"], &group["releases"]), (&json!("open"), &json!([["shop@1", 3]])));
    let path = format!("/api/v1/errors/{}", group["group_id"].as_str().unwrap());

    let detail = client.get(&path).await.ok();
    assert_eq!(detail["grouping"]["proven"], true, "{detail}");
    let inputs: Vec<&str> =
        detail["grouping"]["inputs"].as_array().unwrap().iter().map(|input| input["text"].as_str().unwrap()).collect();
    assert_eq!(inputs, ["PaymentError", "order <n> was refused", "pay (app/pay.py)"]);
    assert_eq!(detail["records"].as_array().unwrap().len(), 3);
    assert_eq!(detail["records"][0]["trace_id"], TRACE);

    let state = format!("{path}/state");
    client.post(&state, &json!({"state": "closed"})).await.problem(400);
    koshu.stranger().post(&state, &json!({"state": "resolved"})).await.problem(401);
    assert_eq!(client.post(&state, &json!({"state": "resolved"})).await.ok()["state"], "resolved");
    assert_eq!(client.get(&path).await.ok()["state"], "resolved");
    send_error(client, 10).await;
    assert_eq!(client.get(&path).await.ok()["state"], "reopened");
    assert_eq!(client.post(&state, &json!({"state": "ignored"})).await.ok()["state"], "ignored");
    assert_eq!(client.get("/api/v1/errors").await.ok()["groups"][0]["state"], "ignored");
    client.post(&state, &json!({"state": "open"})).await.ok();
    assert_eq!(client.get(&path).await.ok()["state"], "open");

    client.get("/api/v1/errors?sort=nonsense").await.problem(400);
    client.get("/api/v1/errors/v1-gone").await.problem(404);
    client.get(&format!("{path}?from=2001-01-01T00:00:00Z&to=2001-01-02T00:00:00Z")).await.problem(404);
}

#[tokio::test]
async fn a_trace_is_searched_and_shown_whole() {
    let place = Place::new();
    let koshu = place.start().await;
    let client = koshu.client();
    let span = |id: &str, parent: &str, name: &str, from: u64, to: u64| {
        json!({
            "traceId": TRACE, "spanId": id, "parentSpanId": parent, "name": name, "kind": 2,
            "startTimeUnixNano": nanos_ago(from), "endTimeUnixNano": nanos_ago(to),
        })
    };
    let spans = [
        span("00f067aa0ba902b7", "", "POST /Checkout", 20, 10),
        span("00f067aa0ba902b8", "00f067aa0ba902b7", "SELECT", 19, 18),
    ];
    let body = json!({"resourceSpans": [{"resource": resource("shop"), "scopeSpans": [{"spans": spans}]}]});
    post_ok(client, "/v1/traces", &body).await;
    send_error(client, 7).await;

    for (query, want) in [
        ("", 1),
        ("?q=checkout", 1),
        ("?q=select", 0),
        ("?min_ms=9000", 1),
        ("?min_ms=20000", 0),
        ("?service=shop", 1),
        ("?service=blog", 0),
        ("?q=%27%20OR%201%3D1%20--", 0),
    ] {
        let list = client.get(&format!("/api/v1/traces{query}")).await.ok();
        assert_eq!(list["traces"].as_array().unwrap().len(), want, "{query}");
    }
    let list = client.get("/api/v1/traces").await.ok();
    assert_eq!((&list["traces"][0]["spans"], &list["traces"][0]["trace_id"]), (&json!(2), &json!(TRACE)));
    let whole = client.get(&format!("/api/v1/traces/{TRACE}")).await.ok();
    let names: Vec<&str> =
        whole["spans"].as_array().unwrap().iter().map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["POST /Checkout", "SELECT"]);
    assert_eq!(whole["spans"][1]["parent_id"], "00f067aa0ba902b7");
    assert_eq!(whole["errors"][0]["kind"], "PaymentError");
    client.get("/api/v1/traces/ffffffffffffffffffffffffffffffff").await.problem(404);
    client.get("/api/v1/traces?min_ms=fast").await.problem(400);
}

#[tokio::test]
async fn a_counter_is_read_as_its_rate_and_the_page_of_metrics_shares_its_path() {
    let place = Place::new();
    let koshu = place.start().await;
    let client = koshu.client();
    let point = |seconds: u64, value: f64| {
        json!({
            "timeUnixNano": nanos_ago(seconds), "asDouble": value,
            "attributes": [{"key": "code", "value": {"stringValue": "200"}}],
        })
    };
    let sum = json!({
        "name": "http_requests_total",
        "sum": {"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [point(120, 10.0), point(60, 70.0)]},
    });
    let body = json!({"resourceMetrics": [{"resource": resource("shop"), "scopeMetrics": [{"metrics": [sum]}]}]});
    post_ok(client, "/v1/metrics", &body).await;
    let names = client.get("/api/v1/metrics").await.ok();
    let metric = names["metrics"].as_array().unwrap().iter().find(|each| each["name"] == "http_requests_total");
    let metric = metric.unwrap_or_else(|| panic!("{names}"));
    assert_eq!((&metric["counter"], &metric["services"]), (&json!(true), &json!(["shop"])));
    let series = client.get("/api/v1/metrics/series?name=http_requests_total&by=code").await.ok();
    assert_eq!((&series["rate"], &series["lines"][0]["label"]), (&json!(true), &json!("200")), "{series}");
    let points = series["lines"][0]["points"].as_array().unwrap();
    let known: Vec<f64> = points.iter().filter_map(|point| point[1].as_f64()).collect();
    assert_eq!(known.len(), 1);
    assert!((known[0] - 1.0).abs() < 0.01, "{known:?}");
    client.get("/api/v1/metrics/series").await.problem(400);
    client.get("/api/v1/metrics/series?name=x&step=0").await.problem(400);

    // What scrapers rely on, and the page of that name for browsers.
    assert!(client.get("/metrics").await.text.contains("koshu_memory_resident_bytes"));
    let browser = koshu.stranger().request(reqwest::Method::GET, "/metrics").header("accept", "text/html,*/*;q=0.8");
    let page = Client::send(browser).await;
    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
}

#[tokio::test]
async fn lines_are_found_with_their_patterns() {
    let place = Place::new();
    let koshu = place.start().await;
    let client = koshu.client();
    let stream = |level: &str, values: &[(u64, &str)]| {
        let values: Vec<Value> = values.iter().map(|(seconds, body)| json!([nanos_ago(*seconds), body])).collect();
        json!({"stream": {"service": "shop", "level": level}, "values": values})
    };
    let body = json!({"streams": [
        stream("info", &[(5, "order 7 paid"), (4, "order 8 paid"), (3, "cache miss")]),
        stream("error", &[(2, "order 9 paid")]),
    ]});
    post_ok(client, "/loki/api/v1/push", &body).await;
    for (query, want) in [
        ("", 4),
        ("?q=ORDER%20-9", 2),
        ("?severity=error", 1),
        ("?pattern=order%20%3Cn%3E%20paid", 3),
        ("?service=blog", 0),
    ] {
        let page = client.get(&format!("/api/v1/loglines{query}")).await.ok();
        assert_eq!(page["lines"].as_array().unwrap().len(), want, "{query}: {page}");
        assert_eq!(page["histogram"]["total"], json!(want), "{query}");
    }
    let first = client.get("/api/v1/loglines?limit=3").await.ok();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = client.get(&format!("/api/v1/loglines?limit=3&cursor={cursor}")).await.ok();
    assert_eq!((&second["lines"][0]["body"], &second["histogram"]), (&json!("order 7 paid"), &Value::Null));
    let patterns = client.get("/api/v1/loglines/patterns").await.ok();
    let best = &patterns["patterns"][0];
    assert_eq!(
        (&best["pattern"], &best["count"], &best["severity"]),
        (&json!("order <n> paid"), &json!(3), &json!("error"))
    );
    client.get("/api/v1/loglines?severity=loud").await.problem(400);
    client.get("/api/v1/loglines?cursor=1").await.problem(400);
}
