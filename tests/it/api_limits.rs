//! Input that is too large, broken or not allowed: refused with the right status and a reason, never with a 500.

use e2e::{Client, Place, json_batch, json_line};
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use serde_json::json;
use std::io::Write;
use std::time::{Duration, Instant};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

async fn send(client: &Client, path: &str, encoding: &str, body: Vec<u8>) -> e2e::Answer {
    let request = client.request(Method::POST, path).header("content-encoding", encoding).body(body);
    Client::send(request).await
}

#[tokio::test]
async fn bodies_are_taken_packed_and_refused_when_broken_or_too_large() {
    let place = Place::new();
    let koshu = place.start().await;
    let (client, path) = (koshu.client(), "/api/v1/ingest/shop");
    let lines = json_batch("packed", 20).into_bytes();
    assert_eq!(send(client, path, "gzip", gzip(&lines)).await.ok()["accepted"], 20);
    assert_eq!(send(client, path, "zstd", zstd::encode_all(&lines[..], 3).unwrap()).await.ok()["accepted"], 20);

    let mut cut = gzip(&lines);
    cut.truncate(cut.len() / 2);
    for (what, encoding, body, status) in [
        ("half a gzip", "gzip", cut, 400),
        ("no gzip", "gzip", b"plain".to_vec(), 400),
        ("no zstd", "zstd", b"plain".to_vec(), 400),
        ("unknown", "compress", lines.clone(), 415),
        ("a bomb", "gzip", gzip(&vec![b'a'; (64 << 20) + 1]), 413),
        ("too large", "identity", vec![b'a'; (64 << 20) + 1], 413),
    ] {
        let answer = send(client, path, encoding, body).await;
        let detail = answer.problem(status);
        assert!(!detail.is_empty(), "{what}");
    }
    assert_eq!(client.number("SELECT count(*) FROM requests").await, 40, "nothing of a refused body is kept");
}

#[tokio::test]
async fn broken_lines_are_rejected_one_by_one_and_said() {
    let place = Place::new();
    let koshu = place.start().await;
    let client = koshu.client();
    let lines =
        [json_line("good", "/a", 200, 0.1), "{\"time\":".into(), "no json".into(), json_line("also", "/b", 200, 0.1)];
    let answer = client.ingest("shop", lines.join("\n")).await.unwrap().ok();
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&json!(2), &json!(2)), "{answer}");
    assert!(answer["first_error"].as_str().is_some_and(|why| !why.is_empty()), "{answer}");
    let sources = client.get("/api/v1/sources").await.ok();
    let source =
        sources["sources"].as_array().unwrap().iter().find(|source| source["service"] == "shop").unwrap().clone();
    assert_eq!(
        (&source["lines"], &source["parsed"], &source["rejected"]),
        (&json!(4), &json!(2), &json!(2)),
        "{source}"
    );
    let rejects = source["rejects"].as_array().unwrap();
    assert_eq!(rejects.iter().map(|reject| reject["count"].as_u64().unwrap()).sum::<u64>(), 2, "{source}");

    for (path, status) in [
        ("/api/v1/ingest/Not%20A%20Name", 400),
        ("/api/v1/ingest/shop?format=nonsense", 400),
        ("/api/v1/ingest/shop?format=combined", 200),
    ] {
        let answer = Client::send(client.request(Method::POST, path).body("what is this\n")).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {answer:?}");
    }
    let body = client.request(Method::POST, "/api/v1/sql").header("content-type", "application/json").body("{\"sql\":");
    Client::send(body).await.problem(400);
    client.get("/api/v1/services?from=yesterday").await.problem(400);
    client.get("/api/v1/services?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z").await.problem(400);
}

#[tokio::test]
async fn sql_reads_within_its_limits_and_writes_nothing() {
    let place = Place::new();
    let koshu = place.start().await;
    let client = koshu.client();
    let lines: String = (0..300).map(|part| json_batch(&format!("p{part}"), 40)).collect();
    assert_eq!(client.ingest("shop", lines).await.unwrap().ok()["accepted"], 12_000);

    let limited = client.post("/api/v1/sql", &json!({"sql": "SELECT trace_id FROM requests", "limit": 100})).await.ok();
    assert_eq!((limited["rows"].as_array().unwrap().len(), &limited["stats"]["truncated"]), (100, &json!(true)));
    let capped =
        client.post("/api/v1/sql", &json!({"sql": "SELECT trace_id FROM requests", "limit": 10_000})).await.ok();
    assert_eq!((capped["rows"].as_array().unwrap().len(), &capped["stats"]["truncated"]), (10_000, &json!(true)));
    assert_eq!(capped["columns"], json!([{"name": "trace_id", "type": capped["columns"][0]["type"]}]));

    let outside = std::env::temp_dir().join("koshu-e2e-must-not-exist");
    for sql in [
        "DELETE FROM requests".to_owned(),
        "INSERT INTO requests SELECT * FROM requests".into(),
        "UPDATE requests SET status = 200".into(),
        "DROP TABLE requests".into(),
        "CREATE TABLE mine AS SELECT 1".into(),
        "CREATE EXTERNAL TABLE t (a VARCHAR) STORED AS CSV LOCATION '/etc/passwd'".into(),
        format!("COPY (SELECT 1) TO '{}' STORED AS CSV", outside.display()),
        "SET datafusion.execution.batch_size = 1".into(),
        "SELECT * FROM '/etc/passwd'".into(),
        "SELECT 1; DROP TABLE requests".into(),
        "SELEC 1".into(),
        "SELECT nothing FROM requests".into(),
        "SELECT * FROM passwords".into(),
        String::new(),
    ] {
        let detail = client.sql_answer(&sql).await.problem(400);
        assert!(!detail.is_empty(), "{sql}");
    }
    assert!(!outside.exists());
    assert_eq!(client.number("SELECT count(*) FROM requests").await, 12_000);

    // A range that is not asked for is not read.
    let past =
        json!({"sql": "SELECT count(*) FROM requests", "from": "2001-01-01T00:00:00Z", "to": "2001-02-01T00:00:00Z"});
    assert_eq!(client.post("/api/v1/sql", &past).await.ok()["rows"], json!([[0]]));
}

/// Questions without an end in sight: few input rows, endless combinations, hardly any output.
const ENDLESS: [&str; 3] = [
    "SELECT sum(length(concat(a.trace_id, b.trace_id, c.trace_id))) FROM requests a, requests b, requests c",
    "SELECT count(*) FROM requests a JOIN requests b ON a.service = b.service WHERE a.trace_id < b.trace_id",
    "SELECT sum(length(a.path || b.path)) FROM requests a, requests b",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_questions_are_ended_with_the_limit_named_and_keep_nobody_waiting() {
    let place = Place::new();
    let koshu = place.start().await;
    let client = koshu.client();
    for part in 0..6 {
        let lines: String = (0..250).map(|batch| json_batch(&format!("p{part}-{batch}"), 40)).collect();
        client.ingest("shop", lines).await.unwrap().ok();
    }
    let begin = Instant::now();
    let asked = ENDLESS.map(|sql| {
        let client = client.clone();
        tokio::spawn(async move { client.sql_answer(sql).await })
    });
    while begin.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = Instant::now();
        assert_eq!(client.get("/healthz").await.status, 200);
        assert!(now.elapsed() < Duration::from_secs(5), "others wait {:?} for an answer", now.elapsed());
        let sent = client.ingest("shop", json_line("beside", "/", 200, 0.1)).await.unwrap();
        assert_eq!(sent.status, 200, "intake goes on: {sent:?}");
        assert!(now.elapsed() < Duration::from_secs(5), "senders wait {:?} for an answer", now.elapsed());
    }
    for (sql, answer) in ENDLESS.into_iter().zip(asked) {
        let answer = answer.await.unwrap();
        let detail = answer.problem(422);
        assert!(detail.contains("longer than 30 s") || detail.contains("of memory"), "{sql}: {detail}");
    }
    assert!(begin.elapsed() < Duration::from_secs(45), "ended after {:?}", begin.elapsed());
    assert_eq!(client.sql("SELECT count(*) > 60000 FROM requests").await, [[json!(true)]]);
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there_say_so() {
    let place = Place::new();
    let koshu = place.start().await;
    let client = koshu.client();
    client.ingest("shop", json_line("one", "/", 200, 0.1)).await.unwrap().ok();
    for (method, path, status, allow) in [
        (Method::GET, "/api/v1/nonsense", 404, None),
        (Method::POST, "/api/v1/nonsense", 404, None),
        (Method::DELETE, "/api", 404, None),
        (Method::GET, "/assets/gone.js", 404, None),
        (Method::PUT, "/api/v1/services", 405, Some("GET")),
        (Method::GET, "/api/v1/sql", 405, Some("POST")),
        (Method::POST, "/healthz", 405, Some("GET")),
        (Method::POST, "/errors", 405, Some("GET")),
        (Method::GET, "/v1/logs", 405, Some("POST")),
        (Method::GET, "/api/v1/services/%ff/signals", 400, None),
        (Method::GET, "/api/v1/services/nobody/signals", 404, None),
        (Method::GET, "/api/v1/services/shop/signals?step=9223372036854775800", 400, None),
        (Method::GET, "/api/v1/import/shop?key=file:other:0123456789abcdef", 400, None),
    ] {
        let answer = Client::send(client.request(method.clone(), path)).await;
        assert!(!answer.problem(status).is_empty(), "{method} {path}");
        assert_eq!(
            allow.is_some_and(|allow| answer.header("allow").contains(allow)),
            allow.is_some(),
            "{method} {path}"
        );
    }
    let part = "key=file:shop:0123456789abcdef&mark=0-9:abcdef12&from=0&to=9&name=a";
    let endless = format!("/api/v1/import/shop?{part}&too_long=18446744073709551615");
    Client::send(client.request(Method::POST, &endless)).await.problem(400);
}
