//! Access logs of other people, imported: every line is accounted for, nothing is counted twice.

use e2e::{Client, Place, data_files, ran, until};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const ALL: &str = "from=1990-01-01T00:00:00Z&to=2100-01-01T00:00:00Z";

/// What `tests/python/access_counts.py` counted, which shares no code with the product.
struct Counted {
    lines: u64,
    unread: u64,
    statuses: BTreeMap<String, i64>,
    seconds_by_route: BTreeMap<String, Vec<f64>>,
}

fn counted(file: &Path) -> Counted {
    let script = e2e::checkout().join("tests/python/access_counts.py");
    let output = ran(Command::new("python3").arg(script).arg(file));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let object = |name: &str| found[name].as_object().unwrap().clone();
    Counted {
        lines: found["lines"].as_u64().unwrap(),
        unread: found["unread"].as_u64().unwrap(),
        statuses: object("statuses").iter().map(|(key, count)| (key.clone(), count.as_i64().unwrap())).collect(),
        seconds_by_route: object("seconds_by_route")
            .iter()
            .map(|(key, list)| (key.clone(), list.as_array().unwrap().iter().map(|s| s.as_f64().unwrap()).collect()))
            .collect(),
    }
}

struct Imported {
    lines: u64,
    parsed: u64,
    rejected: u64,
    already: u64,
}

fn import(place: &Place, service: &str, file: &Path) -> Imported {
    let file = file.to_str().unwrap();
    let answer = place.run(["import", "--service", service, "-o", "json", file]).json();
    let [only] = &answer["files"].as_array().unwrap()[..] else { panic!("one file was named: {answer}") };
    let count = |name: &str| only[name].as_u64().unwrap_or_else(|| panic!("no {name}: {only}"));
    Imported {
        lines: count("lines"),
        parsed: count("parsed"),
        rejected: count("rejected"),
        already: count("already_imported"),
    }
}

async fn statuses(client: &Client, service: &str) -> BTreeMap<String, i64> {
    let sql = format!("SELECT status, count(*) FROM requests WHERE service = '{service}' GROUP BY status");
    let rows = client.sql(&sql).await;
    rows.iter().map(|row| (row[0].to_string(), row[1].as_i64().unwrap())).collect()
}

/// Exact quantile of the values in milliseconds: the smallest that at least `share` of them do not exceed.
fn nearest_rank_ms(seconds: &[f64], share: f64) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank of a short list")]
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1] * 1000.0
}

fn assert_quantiles(what: &str, seconds: &[f64], row: &Value) {
    for (name, share) in [("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)] {
        let exact = nearest_rank_ms(seconds, share);
        let said = row[name].as_f64().unwrap_or_else(|| panic!("{what}: no {name}: {row}"));
        let error = (said - exact).abs() / exact;
        assert!(error <= 0.0101, "{what} {name}: {said} for {exact}, off by {:.2} %", error * 100.0);
    }
}

/// Compares what the pages show with the exact quantiles of the log, in all and by route.
async fn assert_times(client: &Client, service: &str, counted: &Counted) {
    let all: Vec<f64> = counted.seconds_by_route.values().flatten().copied().collect();
    let signals = client.get(&format!("/api/v1/services/{service}/signals?{ALL}")).await.ok();
    assert_eq!(signals["total"]["timed"].as_u64(), Some(all.len() as u64), "{}", signals["total"]);
    let requests = client.get(&format!("/api/v1/services/{service}/requests?{ALL}")).await.ok();
    let rows = requests["rows"].as_array().unwrap();
    if all.is_empty() {
        assert!(signals["total"]["p95_ms"].is_null(), "no durations, no quantile: {}", signals["total"]);
        assert!(rows.iter().all(|row| row["p95_ms"].is_null() && row["total_ms"].is_null()), "{requests}");
        return;
    }
    assert_quantiles(service, &all, &signals["total"]);
    for (route, seconds) in &counted.seconds_by_route {
        let row = rows.iter().find(|row| row["route"] == **route);
        let row = row.unwrap_or_else(|| panic!("{service}: no row for {route}: {requests}"));
        assert_quantiles(&format!("{service} {route}"), seconds, row);
        let (sum, said) = (seconds.iter().sum::<f64>() * 1000.0, row["total_ms"].as_f64().unwrap());
        assert!((sum - said).abs() < 0.001 * seconds.len() as f64, "{service} {route}: {said} ms in all, not {sum}");
    }
}

fn gzipped(place: &Place, file: &Path) -> PathBuf {
    let path = place.path().join(format!("{}.gz", file.file_name().unwrap().to_str().unwrap()));
    let mut gzip = flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), flate2::Compression::fast());
    std::io::copy(&mut std::fs::File::open(file).unwrap(), &mut gzip).unwrap();
    gzip.finish().unwrap();
    path
}

async fn assert_imported_once(place: &Place, client: &Client, service: &str, file: &Path) {
    let want = counted(file);
    let first = import(place, service, file);
    assert_eq!(first.lines, want.lines, "{service}: lines");
    assert_eq!(first.parsed + first.rejected, want.lines, "{service}: every line is parsed or rejected");
    assert_eq!(first.rejected, want.unread, "{service}: rejected");
    assert_eq!(first.already, 0, "{service}: nothing was there before");
    assert_eq!(statuses(client, service).await, want.statuses, "{service}: requests by status");
    assert_times(client, service, &want).await;

    let sources = client.get("/api/v1/sources").await.ok();
    let sources = sources["sources"].as_array().unwrap();
    let source = sources.iter().find(|source| source["service"] == service && source["kind"] == "import").unwrap();
    assert_eq!((source["parsed"].as_u64(), source["rejected"].as_u64()), (Some(first.parsed), Some(first.rejected)));

    for (how, again) in [("again", file.to_owned()), ("compressed", gzipped(place, file))] {
        let repeated = import(place, service, &again);
        assert_eq!((repeated.parsed, repeated.rejected), (0, 0), "{service} {how}: nothing is new");
        assert_eq!((repeated.lines, repeated.already), (want.lines, want.lines), "{service} {how}: it is said");
        assert_eq!(statuses(client, service).await, want.statuses, "{service} {how}: nothing was added");
    }
}

#[tokio::test]
async fn every_line_of_a_real_log_is_counted_once() {
    let Some(files) = data_files("access") else { return };
    let place = Place::new();
    let koshu = place.start().await;
    for file in &files {
        let service = file.file_stem().unwrap().to_str().unwrap().replace('_', "-");
        assert_imported_once(&place, koshu.client(), &service, file).await;
    }
    // What the command line counts is what the API counts, also across a restart.
    let sql = "SELECT count(*) FROM requests";
    let total = koshu.client().number(sql).await;
    assert_eq!(place.query(sql)[0][0].as_i64(), Some(total));
    koshu.stop();
    assert_eq!(place.query(sql)[0][0].as_i64(), Some(total), "offline");
    let koshu = place.start().await;
    assert_eq!(koshu.client().number(sql).await, total, "after a restart");
}

#[tokio::test]
async fn quantiles_of_many_durations_are_within_one_percent() {
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let place = Place::new();
    let file = place.path().join("shop.log");
    let mut text = String::new();
    for at in 0..20_000 {
        // From a hundredth of a millisecond to minutes, as latencies spread; nginx writes whole milliseconds.
        let seconds = (random.random_range(-6.9_f64..1.5) + random.random_range(0.0..1.5)).exp();
        let (minute, second) = (at / 600 % 60, at / 10 % 60);
        let status = if at % 50 == 0 { 503 } else { 200 };
        writeln!(
            text,
            "192.0.2.{} - - [06/Sep/2025:05:{minute:02}:{second:02} +0900] \"GET /items/{at} HTTP/1.1\" {status} 12 \"-\" \"curl/7.54.0\" {seconds:.3}",
            at % 250,
        )
        .unwrap();
    }
    std::fs::write(&file, text).unwrap();
    let want = counted(&file);
    let koshu = place.start().await;
    let done = import(&place, "shop", &file);
    assert_eq!((done.lines, done.parsed), (20_000, 20_000));
    assert_times(koshu.client(), "shop", &want).await;
    until(Duration::from_secs(10), "the errors are counted", async || {
        let requests = koshu.client().get(&format!("/api/v1/services/shop/requests?{ALL}")).await.ok();
        (requests["total"]["errors"] == 400 && requests["rows"][0]["errors"] == 400).then_some(())
    })
    .await;
}
