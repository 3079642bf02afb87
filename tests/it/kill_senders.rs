//! Killed again and again under load that comes over the protocols of other programs, whose senders send again what was
//! not acknowledged: nothing that was is missing, and what has a name (a chunk of forward) is there once.

use crate::listeners::{address, send_chunk, start};
use crate::senders::endpoints::{field, snappy, varint};
use e2e::{Client, Koshu, Place, heavy};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

const KILLS: usize = 8;
/// Records in every batch.
const BATCH: u64 = 20;
/// How long the senders may take to bring what they still have once nobody kills any more.
const LAST: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Copy)]
enum Protocol {
    Forward,
    OpenTelemetry,
    Elasticsearch,
    RemoteWrite,
}
const ALL: [Protocol; 4] = [Protocol::Forward, Protocol::OpenTelemetry, Protocol::Elasticsearch, Protocol::RemoteWrite];

/// Where the server is, until it is killed.
#[derive(Clone)]
struct Here {
    client: Client,
    forward: String,
}

impl Here {
    fn of(koshu: &Koshu) -> Self {
        Self { client: koshu.stranger(), forward: address(koshu, "forward") }
    }
}

fn names(batch: u64) -> impl Iterator<Item = String> {
    (0..BATCH).map(move |line| format!("{batch:06}-{line:02}"))
}

impl Protocol {
    /// Sends a batch; whether it was acknowledged.
    async fn send(self, here: &Here, batch: u64) -> bool {
        let request = match self {
            Self::Forward => return chunk(here.forward.clone(), batch).await,
            Self::OpenTelemetry => here.client.request(Method::POST, "/v1/logs").json(&otlp(batch)),
            Self::Elasticsearch => here
                .client
                .request(Method::POST, "/_bulk")
                .header("content-type", "application/x-ndjson")
                .body(bulk(batch)),
            Self::RemoteWrite => here
                .client
                .request(Method::POST, "/api/v1/write")
                .header("content-type", "application/x-protobuf")
                .header("content-encoding", "snappy")
                .body(series(batch)),
        };
        let Ok(answer) = Client::try_send(request).await else { return false };
        if matches!(answer.status.as_u16(), 429 | 503) {
            return false;
        }
        let said = answer.ok();
        match self {
            Self::OpenTelemetry => assert_eq!(said["partialSuccess"]["rejectedLogRecords"], Value::Null, "{said}"),
            Self::Elasticsearch => {
                assert_eq!((&said["errors"], said["items"].as_array().unwrap().len() as u64), (&json!(false), BATCH));
            }
            Self::Forward | Self::RemoteWrite => {}
        }
        true
    }

    /// How often each record of each batch is stored: batch, rows, records.
    fn question(self, from: u64, to: u64) -> String {
        let source = match self {
            Self::RemoteWrite => {
                return format!(
                    "SELECT CAST(floor(value / {BATCH}) AS BIGINT), count(*), count(DISTINCT value) FROM samples \
                     WHERE name = 'sent' AND value >= {} AND value < {} GROUP BY 1",
                    from * BATCH,
                    to * BATCH
                );
            }
            Self::Forward => "forward",
            Self::OpenTelemetry => "otlp",
            Self::Elasticsearch => "elasticsearch",
        };
        format!(
            "SELECT CAST(split_part(body, '-', 1) AS BIGINT), count(*), count(DISTINCT body) FROM logs \
             WHERE source = '{source}' AND body >= '{from:06}' AND body < '{to:06}' GROUP BY 1"
        )
    }
}

async fn chunk(at: String, batch: u64) -> bool {
    let messages: Vec<String> = names(batch).collect();
    tokio::task::spawn_blocking(move || send_chunk(&at, &messages, &format!("chunk {batch}"))).await.unwrap()
}

fn otlp(batch: u64) -> Value {
    let time = jiff::Timestamp::now().as_nanosecond().to_string();
    let records: Vec<Value> =
        names(batch).map(|name| json!({"timeUnixNano": time, "body": {"stringValue": name}})).collect();
    json!({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]})
}

fn bulk(batch: u64) -> String {
    let now = jiff::Timestamp::now();
    names(batch).fold(String::new(), |mut lines, name| {
        writeln!(lines, "{{\"create\":{{\"_index\":\"kill\"}}}}\n{}", json!({"@timestamp": now, "message": name}))
            .unwrap();
        lines
    })
}

/// One series, whose values are the records.
fn series(batch: u64) -> Vec<u8> {
    let label = |name: &str, value: &str| field(1, &[field(1, name.as_bytes()), field(2, value.as_bytes())].concat());
    let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap();
    let samples = (batch * BATCH..(batch + 1) * BATCH).flat_map(|record| {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let value = record as f64;
        field(2, &[&[0x09][..], &value.to_le_bytes(), &[0x10], &varint(now + record % BATCH)].concat())
    });
    let series = [label("__name__", "sent"), label("job", "kill"), samples.collect()].concat();
    snappy(&field(1, &series))
}

/// What a sender did until it was stopped. Each of its batches was acknowledged in the end.
#[derive(Debug, Default)]
struct Sent {
    batches: u64,
    /// Times that a batch had to be sent again.
    repeats: u64,
}

/// Sends until it is stopped, like a program that keeps what was not acknowledged.
async fn send(protocol: Protocol, mut here: watch::Receiver<Option<Here>>, stop: Arc<AtomicBool>) -> Sent {
    let mut sent = Sent::default();
    while !stop.load(Ordering::Relaxed) {
        loop {
            let at = here.wait_for(Option::is_some).await.unwrap().clone().unwrap();
            if protocol.send(&at, sent.batches).await {
                break;
            }
            sent.repeats += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        sent.batches += 1;
    }
    sent
}

/// Panics unless every batch is there whole, and none that nobody sent.
async fn assert_kept(client: &Client, protocol: Protocol, sent: &Sent) {
    let mut stored = BTreeMap::new();
    // In pieces that fit below the most rows of an answer, and one behind the last.
    for from in (0..=sent.batches).step_by(5000) {
        let found = client.sql(&protocol.question(from, from + 5000)).await;
        stored.extend(found.into_iter().map(|row| {
            let [batch, rows, records] = [0, 1, 2].map(|at| row[at].as_u64().unwrap());
            (batch, (rows, records))
        }));
    }
    let lost: Vec<_> =
        (0..sent.batches).filter(|batch| stored.get(batch).is_none_or(|(_, records)| *records < BATCH)).collect();
    assert!(lost.is_empty(), "{protocol:?}: acknowledged and not whole: {lost:?} of {sent:?}");
    assert_eq!(stored.len() as u64, sent.batches, "{protocol:?}: what nobody sent is there");
    let twice = stored.values().filter(|(rows, records)| rows > records).count();
    println!("{protocol:?}: {sent:?}, {twice} batches are stored twice");
    if matches!(protocol, Protocol::Forward) {
        assert_eq!(twice, 0, "a chunk is stored once, however often it was sent");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_while_other_programs_send_what_they_heard_acknowledged_is_there() {
    let _turn = heavy();
    let seed = std::env::var("KOSHU_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("seed {seed}: repeat with KOSHU_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let place = Place::new();
    // A small budget makes segments small, so that kills also hit sealing and commits.
    place.configure("server: {memory: 64MiB}\n");
    let (say, here) = watch::channel(None);
    let stop = Arc::new(AtomicBool::new(false));
    let senders = ALL.map(|protocol| tokio::spawn(send(protocol, here.clone(), Arc::clone(&stop))));
    for _ in 0..KILLS {
        let koshu = start(&place).await;
        say.send_replace(Some(Here::of(&koshu)));
        tokio::time::sleep(Duration::from_millis(random.random_range(50..600))).await;
        koshu.kill();
        say.send_replace(None);
    }
    let koshu = start(&place).await;
    say.send_replace(Some(Here::of(&koshu)));
    stop.store(true, Ordering::Relaxed);
    let mut sent = Vec::new();
    for sender in senders {
        sent.push(tokio::time::timeout(LAST, sender).await.expect("the last batches are taken").unwrap());
    }
    koshu.kill();

    place.configure("server: {memory: 512MiB}\n");
    let koshu = start(&place).await;
    for (protocol, sent) in ALL.into_iter().zip(&sent) {
        assert!(sent.batches > KILLS as u64 && sent.repeats > 0, "the load was no load: {protocol:?} {sent:?}");
        assert_kept(koshu.client(), protocol, sent).await;
    }
    koshu.stop();
    assert_eq!(place.run(["fsck"]).code, 0, "no kill damages anything");
}
