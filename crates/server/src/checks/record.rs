//! Results as rows of the lake's table `events`, kind `check`, gathered so that thousands of checks are a few appends.

use base::Clock;
use lake::{Append, AppendError, Lake};
use signal::{EventRow, EventRows, Table};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use watch::check::{Outcome, RunResult, Status};

/// The kind of the events.
pub const KIND: &str = "check";
/// The column `source`.
const SOURCE: &str = "check";
/// Results that may wait for the lake; further ones are counted and not stored.
const WAITING: usize = 20_000;
/// Results of one append.
const AT_ONCE: usize = 2_000;
/// How long results are gathered.
const GATHER: Duration = Duration::from_millis(500);
/// How long to wait when the lake pushes back.
const PAUSE: Duration = Duration::from_secs(1);

/// A result to be stored.
#[derive(Debug)]
pub struct Row {
    /// The check.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its service.
    pub service: Option<String>,
    /// Where it stands after the result: a heartbeat can be late.
    pub status: Status,
    /// The result.
    pub result: Arc<RunResult>,
}

/// Where results go.
#[derive(Debug)]
pub struct Recorder {
    rows: mpsc::Sender<Row>,
    lost: AtomicU64,
}

impl Recorder {
    /// With its other end, which [`write`] takes.
    pub fn new() -> (Self, mpsc::Receiver<Row>) {
        let (rows, receiver) = mpsc::channel(WAITING);
        (Self { rows, lost: AtomicU64::new(0) }, receiver)
    }

    /// Hands a result over; never waits.
    pub fn record(&self, row: Row) {
        if self.rows.try_send(row).is_err() {
            let lost = self.lost.fetch_add(1, Ordering::Relaxed) + 1;
            if lost.is_power_of_two() {
                tracing::warn!(lost, "results of checks are not stored: the lake takes none");
            }
        }
    }

    /// Results that were not stored since the start.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

/// Writes results until it is told to stop; then what still waits, once.
pub async fn write(
    lake: Arc<Lake>,
    host: String,
    clock: Clock,
    mut rows: mpsc::Receiver<Row>,
    stop: CancellationToken,
) {
    let mut batch = Vec::new();
    while let Some(count) = stop.run_until_cancelled(rows.recv_many(&mut batch, AT_ONCE)).await {
        if count == 0 {
            return;
        }
        let _ = stop.run_until_cancelled(tokio::time::sleep(GATHER)).await;
        gather(&mut rows, &mut batch);
        while let Err(error) = append(&lake, &host, &clock, &batch).await {
            let (AppendError::Busy { .. }, false) = (&error, stop.is_cancelled()) else {
                tracing::warn!(%error, results = batch.len(), "results of checks were not stored");
                break;
            };
            let _ = stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
        batch.clear();
    }
    loop {
        gather(&mut rows, &mut batch);
        if batch.is_empty() {
            return;
        }
        if let Err(error) = append(&lake, &host, &clock, &batch).await {
            tracing::warn!(%error, results = batch.len(), "the last results of checks were not stored");
        }
        batch.clear();
    }
}

fn gather(rows: &mut mpsc::Receiver<Row>, batch: &mut Vec<Row>) {
    while batch.len() < AT_ONCE
        && let Ok(row) = rows.try_recv()
    {
        batch.push(row);
    }
}

async fn append(lake: &Lake, host: &str, clock: &Clock, batch: &[Row]) -> Result<(), AppendError> {
    let mut rows = rows(host, clock, batch);
    lake.append(Append { rows: vec![(Table::Events, rows.finish())], marks: Vec::new() }).await
}

/// Results as rows of `events`; `host` is the machine that ran them.
pub fn rows(host: &str, clock: &Clock, batch: &[Row]) -> EventRows {
    let mut rows = EventRows::default();
    for row in batch {
        let fields = fields(row);
        let ts = if row.result.at.is_in_calendar() { row.result.at } else { clock.now() };
        let event = EventRow {
            ts,
            service: row.service.as_deref(),
            host: Some(host),
            kind: KIND,
            name: &row.name,
            state: Some(row.status.name()),
            source: SOURCE,
        };
        rows.push(&event, fields.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    }
    rows
}

/// What is stored beside the state. Texts are cut and masked already.
fn fields(row: &Row) -> Vec<(String, String)> {
    let result = &row.result;
    let (good, valid) = result.counts();
    let mut fields: Vec<(String, String)> =
        vec![("check.kind".into(), row.kind.into()), ("from".into(), result.from.clone())];
    let mut add = |name: &str, value: String| fields.push((name.to_owned(), value));
    if result.attempts > 1 {
        add("attempts", result.attempts.to_string());
    }
    if valid > 0 {
        add("good", good.to_string());
        add("valid", valid.to_string());
    }
    if let Some(total) = result.total_us() {
        add("total_us", total.to_string());
    }
    if let Some(why) = result.why() {
        add("why", why.to_string());
        add("why.code", why.code.name().to_owned());
    }
    match &result.outcome {
        Outcome::Failed { step, .. } if !result.steps.is_empty() => add("step", step.to_string()),
        Outcome::Unknown { evidence, .. } => {
            for (at, evidence) in evidence.iter().enumerate() {
                add(&format!("evidence.{at}"), format!("{}: {}", evidence.tried, evidence.found));
            }
        }
        Outcome::Ok | Outcome::Failed { .. } => {}
    }
    for (at, step) in result.steps.iter().enumerate() {
        if result.steps.len() > 1 {
            add(&format!("steps.{at}.name"), step.name.clone());
        }
        let phases = step.phases;
        for (name, value) in [
            ("status", step.status.map(u64::from)),
            ("dns_us", phases.dns_us),
            ("connect_us", phases.connect_us),
            ("tls_us", phases.tls_us),
            ("first_byte_us", phases.first_byte_us),
            ("total_us", phases.total_us),
        ] {
            if let Some(value) = value {
                add(&format!("steps.{at}.{name}"), value.to_string());
            }
        }
        if let Some(ends) = step.certificate_ends {
            add(&format!("steps.{at}.certificate_ends"), ends.to_string());
        }
    }
    fields
}
