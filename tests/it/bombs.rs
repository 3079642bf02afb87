//! A sender whose paths and labels hold ids: new routes and series without end. Its own limits hold, they are said, memory
//! stays bounded, and other services notice nothing.

use e2e::{Client, Koshu, Place, json_batch};
use serde_json::{Value, json};
use std::fmt::Write;

/// Scaled down from a million in ten minutes; above both limits (1,000 routes, 50,000 series).
const ROUTES: u32 = 100_000;
const SERIES: u32 = 120_000;
const BATCH: u32 = 2_000;
/// What memory may grow by.
const GROWTH: u64 = 256 << 20;
/// Batches that the neighbour sends meanwhile.
const NEIGHBOURS: u32 = (ROUTES + SERIES) / BATCH;

/// A word of letters alone, which no rule takes for an id.
fn word(mut number: u32) -> String {
    let mut word = String::new();
    for _ in 0..6 {
        word.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
        number /= 26;
    }
    word
}

fn routes(batch: u32) -> String {
    let mut lines = String::new();
    for at in batch * BATCH..(batch + 1) * BATCH {
        let time = 1_790_000_000 + at / 100;
        let path = word(at * 7);
        writeln!(lines, r#"{{"time":{time},"method":"GET","uri":"/{path}","status":200,"request_time":0.01}}"#)
            .unwrap();
    }
    lines
}

fn series(batch: u32) -> Value {
    let point = |at: u32| {
        json!({"timeUnixNano": "1790000000000000000", "asDouble": 1.5,
            "attributes": [{"key": "session", "value": {"stringValue": format!("s-{at}")}}]})
    };
    let points: Vec<Value> = (batch * BATCH..(batch + 1) * BATCH).map(point).collect();
    json!({"resourceMetrics": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "bomb"}}]},
        "scopeMetrics": [{"metrics": [{"name": "session.age", "gauge": {"dataPoints": points}}]}],
    }]})
}

fn resident(koshu: &Koshu) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", koshu.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

async fn neighbour_sends(client: &Client, batch: u32) {
    let answer = client.ingest("shop", json_batch(&format!("n{batch:05}"), 20)).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn new_routes_and_series_without_end_stay_within_limits_that_are_said() {
    let place = Place::new();
    place.configure("server: {memory: 512MiB}\n");
    let koshu = place.start().await;
    let client = koshu.client();
    // Both ways once, so that what they need anyway is there before it is measured.
    assert_eq!(client.ingest("bomb", routes(0)).await.unwrap().status, 200);
    client.post("/v1/metrics", &series(0)).await.ok();
    neighbour_sends(client, 0).await;
    let before = resident(&koshu);
    let mut most = before;
    let mut sent = 1;
    for batch in 1..ROUTES / BATCH {
        assert_eq!(client.ingest("bomb", routes(batch)).await.unwrap().status, 200);
        neighbour_sends(client, sent).await;
        sent += 1;
        most = most.max(resident(&koshu));
    }
    let mut rejected = 0;
    for batch in 1..SERIES / BATCH {
        let answer = client.post("/v1/metrics", &series(batch)).await.ok();
        rejected += answer["partialSuccess"]["rejectedDataPoints"].as_str().map_or(0, |text| text.parse().unwrap());
        neighbour_sends(client, sent).await;
        sent += 1;
        most = most.max(resident(&koshu));
    }
    assert!(most - before.min(most) <= GROWTH, "from {} to {} MiB", before >> 20, most >> 20);

    // Everything is stored that may be, and what may not be was said to the sender and is said to people.
    assert_eq!(client.number("SELECT count(*) FROM requests WHERE service = 'bomb'").await, i64::from(ROUTES));
    let named = client.number("SELECT count(DISTINCT route) FROM requests WHERE service = 'bomb'").await;
    assert!((1000..=1001).contains(&named), "{named} routes");
    let stored = client.number("SELECT count(*) FROM samples WHERE service = 'bomb'").await;
    assert_eq!((stored, rejected), (50_000, i64::from(SERIES) - 50_000), "samples, and partial success");
    let sources = client.get("/api/v1/sources").await.ok();
    let limit = |name: &str| {
        let limits = sources["limits"].as_array().unwrap();
        limits
            .iter()
            .find(|limit| limit["name"] == name && limit["service"] == "bomb")
            .unwrap_or_else(|| panic!("{name}: {sources}"))
    };
    assert_eq!(limit("routes")["limit"], 1000);
    assert_eq!(limit("series")["limit"], 50_000);
    assert!(sources["sources"].to_string().contains("too_many_series"), "{sources}");

    // The neighbour is as if nothing had been.
    assert_eq!(sent, NEIGHBOURS - 1);
    let neighbours = client.number("SELECT count(DISTINCT trace_id) FROM requests WHERE service = 'shop'").await;
    assert_eq!(neighbours, i64::from(sent) * 20);
    assert_eq!(client.number("SELECT count(*) FROM requests WHERE service = 'shop' AND route = '(other)'").await, 0);
}
