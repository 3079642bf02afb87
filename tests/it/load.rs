//! Clients that send batches and keep a ledger of what was acknowledged; and the comparison with what is stored.

use e2e::{Client, json_batch};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Records in every batch.
pub const BATCH: usize = 50;

/// What was sent and what of it was acknowledged, by batch.
#[derive(Default)]
pub struct Ledger {
    next: AtomicU64,
    acknowledged: Mutex<BTreeSet<String>>,
}

/// How often a batch was refused or got no answer.
#[derive(Debug, Default)]
pub struct Refusals {
    /// Answers of 503 or 429.
    pub pushed_back: AtomicU64,
    /// Those without `Retry-After`, and any other answer: never allowed.
    pub wrong: Mutex<Vec<String>>,
}

/// Clients that send until they are stopped.
pub struct Senders {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Ledger {
    fn begin(&self) -> String {
        format!("b{:06}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Batches that were begun.
    pub fn sent(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Batches that were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Sends one batch; `None` when no answer came.
    pub async fn send(&self, client: &Client, service: &str) -> Option<e2e::Answer> {
        let name = self.begin();
        let answer = client.ingest(service, json_batch(&name, BATCH)).await.ok()?;
        if answer.status == 200 {
            assert_eq!(answer.json()["accepted"].as_u64(), Some(BATCH as u64), "{answer:?}");
            self.acknowledged.lock().unwrap().insert(name);
        }
        Some(answer)
    }

    /// Panics unless every acknowledged record is stored exactly once, and no record twice or from nowhere.
    pub async fn assert_kept(&self, client: &Client) {
        let mut stored = BTreeMap::new();
        // In pieces that fit below the most rows of an answer.
        for from in (0..self.sent()).step_by(5000) {
            let rows = client
                .sql(&format!(
                    "SELECT split_part(trace_id, '-', 1), count(*), count(DISTINCT trace_id) FROM requests \
                     WHERE trace_id >= 'b{from:06}' AND trace_id < 'b{:06}' GROUP BY 1",
                    from + 5000
                ))
                .await;
            stored.extend(rows.into_iter().map(|row| {
                (row[0].as_str().unwrap().to_owned(), (row[1].as_u64().unwrap(), row[2].as_u64().unwrap()))
            }));
        }
        let acknowledged = self.acknowledged.lock().unwrap().clone();
        let lost: Vec<_> =
            acknowledged.iter().filter(|name| stored.get(*name).is_none_or(|found| found.1 < BATCH as u64)).collect();
        assert!(
            lost.is_empty(),
            "{} of {} acknowledged batches are not whole: {lost:?}",
            lost.len(),
            acknowledged.len()
        );
        let twice: Vec<_> = stored.iter().filter(|(_, (rows, ids))| rows != ids).collect();
        assert!(twice.is_empty(), "stored twice: {twice:?}");
        let foreign: Vec<_> =
            stored.keys().filter(|name| name[1..].parse::<u64>().is_ok_and(|number| number >= self.sent())).collect();
        assert!(foreign.is_empty(), "never sent: {foreign:?}");
        let all: u64 = stored.values().map(|(rows, _)| rows).sum();
        assert_eq!(client.number("SELECT count(*) FROM requests").await.unsigned_abs(), all, "rows that nobody sent");
    }
}

impl Senders {
    /// Starts `clients` of them.
    pub fn start(
        clients: usize,
        client: &Client,
        service: &str,
        ledger: &Arc<Ledger>,
        refusals: &Arc<Refusals>,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let one = |_| {
            let (stop, ledger, refusals) = (Arc::clone(&stop), Arc::clone(ledger), Arc::clone(refusals));
            let (client, service) = (client.clone(), service.to_owned());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let Some(answer) = ledger.send(&client, &service).await else {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        continue;
                    };
                    if answer.status == 200 {
                        continue;
                    }
                    let pushed_back = matches!(answer.status.as_u16(), 429 | 503);
                    if !pushed_back || answer.header("retry-after").is_empty() {
                        refusals.wrong.lock().unwrap().push(format!("{answer:?}"));
                    }
                    refusals.pushed_back.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            })
        };
        let tasks = (0..clients).map(one).collect();
        Self { stop, tasks }
    }

    /// Stops them, and waits for their last answers.
    pub async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("a sender does not panic");
        }
    }
}
