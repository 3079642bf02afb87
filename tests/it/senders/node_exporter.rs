//! Debian's node exporter, which Koshu scrapes itself.

use super::programs::{Running, free_port};
use super::rows;
use e2e::{Client, Place, tool, until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long something may take that happens every second.
const SOON: Duration = Duration::from_secs(30);

/// An exporter that tells what does not change.
fn exporter(program: &Path, port: u16) -> Running {
    let mut command = Command::new(program);
    command
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .args(["--log.level=error", "--web.disable-exporter-metrics"]);
    command.arg("--collector.disable-defaults");
    Running::start(command.args(["uname", "meminfo", "loadavg", "stat"].map(|name| format!("--collector.{name}"))))
}

/// What it says itself: values by series, as text.
async fn told(client: &Client) -> BTreeMap<String, f64> {
    let text = client.get("/metrics").await.text;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series.to_owned(), value.parse().unwrap())
        })
        .collect()
}

/// A row as the series that it is for the exporter, once what Koshu adds was seen and taken away.
fn series(row: &Value, port: u16) -> String {
    let mut labels = row["attrs"].as_object().unwrap().clone();
    for (name, want) in [("job", "node"), ("instance", &format!("127.0.0.1:{port}")), ("env", "prod")] {
        assert_eq!(labels.remove(name), Some(json!(want)), "{row}");
    }
    assert_eq!((&row["service"], &row["source"]), (&json!("node"), &json!("prometheus")), "{row}");
    let name = row["name"].as_str().unwrap();
    if labels.is_empty() {
        return name.to_owned();
    }
    let label = |(name, value): (&String, &Value)| format!("{name}={}", value.as_str().unwrap());
    let mut labels: Vec<String> = labels.iter().map(label).collect();
    labels.sort();
    format!("{name}{{{}}}", labels.join(","))
}

const COLUMNS: &str = "SELECT service, name, value, source, attrs FROM samples";

/// The moment of a whole scrape behind another moment, which says whether the target is up.
async fn scrape(client: &Client, up: u8, after: &str) -> String {
    let sql = format!(
        "SELECT ts FROM samples WHERE name = 'up' AND value = {up} AND attrs['job'] = 'node' AND ts > '{after}' ORDER BY ts LIMIT 1"
    );
    until(SOON, &format!("up is {up}"), async || {
        client.sql(&sql).await.first().map(|row| row[0].as_str().unwrap().to_owned())
    })
    .await
}

#[tokio::test]
async fn a_node_exporter_is_scraped_as_it_is_and_is_down_when_it_is_away() {
    let Some(program) = tool("prometheus-node-exporter") else { return };
    let place = Place::new();
    let port = free_port();
    place.configure(&format!(
        "scrape:\n  - job: node\n    every: 1s\n    targets: [http://127.0.0.1:{port}/metrics]\n    labels: {{env: prod}}\n"
    ));
    let koshu = place.start().await;
    let client = koshu.client();
    let down = scrape(client, 0, "1970-01-01T00:00:00Z").await;
    let running = exporter(&program, port);
    let node = Client::new(format!("http://127.0.0.1:{port}"), None);
    let up = scrape(client, 1, &down).await;
    // Every series and no other, with the values of those that stay as they are.
    let told = told(&node).await;
    let found = rows(client, &format!("{COLUMNS} WHERE ts = '{up}' AND attrs['job'] = 'node'")).await;
    let found: BTreeMap<String, f64> =
        found.iter().map(|row| (series(row, port), row["value"].as_f64().unwrap())).collect();
    let of_koshu = ["up", "scrape_duration_seconds", "scrape_samples_scraped"];
    let names: Vec<&String> = found.keys().filter(|name| !of_koshu.contains(&name.as_str())).collect();
    let want: Vec<String> = told.keys().map(|series| series.replace('"', "")).collect();
    let mut want: Vec<&String> = want.iter().collect();
    want.sort();
    assert_eq!(names, want);
    assert!(names.len() > 40, "{names:?}");
    for steady in ["node_memory_MemTotal_bytes", "node_boot_time_seconds"] {
        assert_eq!(found[steady].to_bits(), told[steady].to_bits(), "{steady}");
    }

    // Away, it is down and nothing else: no series goes on by itself.
    drop(running);
    let down = scrape(client, 0, &up).await;
    scrape(client, 0, &down).await;
    let after = format!(
        "SELECT DISTINCT name, value FROM samples WHERE attrs['job'] = 'node' AND ts >= '{down}' AND name NOT LIKE 'scrape_%'"
    );
    assert_eq!(client.sql(&after).await, [[json!("up"), json!(0.0)]]);
    let _running = exporter(&program, port);
    scrape(client, 1, &down).await;
}
