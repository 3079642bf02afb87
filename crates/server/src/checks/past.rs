//! What checks know again after a restart: when jobs last said something, and how the last day's minutes were.

use super::record::KIND;
use super::{Checks, Set};
use crate::signals::{ints, texts};
use base::{TimeRange, Timestamp};
use lake::Query;
use lake::arrow::array::RecordBatch;
use watch::check::Probe;
use watch::check::heartbeat::JobSays;
use watch::check::minutes::{MinuteState, STATE_MINUTES};

/// Minutes of all checks together that are read back.
const MAX_MINUTES: usize = 400_000;
/// How far back a ping is looked for at most: as long as events are kept by default.
const LONGEST: i64 = 400 * 86_400;

/// Reads both for these checks. What can't be read is not known, and said.
pub async fn remember(checks: &Checks, set: &Set) {
    if set.entries.is_empty() {
        return;
    }
    jobs(checks, set).await;
    minutes(checks, set).await;
}

async fn jobs(checks: &Checks, set: &Set) {
    let periods = set.entries.iter().filter_map(|entry| match &entry.check.probe {
        Probe::Heartbeat { grace, .. } => Some((entry.check.every.micros() + grace.micros()) / 1_000_000),
        _ => None,
    });
    // A job that was silent for ten of its turns is missing, whenever the last one was.
    let Some(longest) = periods.max() else { return };
    let now = checks.clock.now();
    let range =
        TimeRange { from: now.plus_seconds(-(longest.saturating_mul(10)).min(LONGEST)), to: now.plus_seconds(60) };
    let sql = format!(
        "SELECT name, state, CAST(max(ts) AS BIGINT) FROM events WHERE kind = '{}' GROUP BY 1, 2",
        protocols::heartbeat::KIND
    );
    for batch in read(checks, sql, range, MAX_MINUTES).await {
        let (names, states, times) = (texts(&batch, 0), texts(&batch, 1), ints(&batch, 2));
        for ((name, state), time) in names.into_iter().zip(states).zip(times) {
            let says = match state.as_deref() {
                Some("ok") => JobSays::Done,
                Some("fail") => JobSays::Failed,
                Some("start") => JobSays::Started,
                _ => continue,
            };
            let (Some(name), Some(time)) = (name, time) else { continue };
            for index in set.by_heartbeat.get(&name).into_iter().flatten() {
                if let Some(heartbeat) = &mut set.entries[*index].history.lock().heartbeat {
                    heartbeat.remember(says, Timestamp::from_micros(time));
                }
            }
        }
    }
}

async fn minutes(checks: &Checks, set: &Set) {
    let now = checks.clock.now();
    let back = i64::try_from(STATE_MINUTES).unwrap_or(0) * 60;
    let range = TimeRange { from: now.plus_seconds(-back), to: now.plus_seconds(60) };
    let sql = format!(
        "SELECT name, CAST(ts AS BIGINT) / 60000000 AS minute,
             max(CASE state WHEN 'failed' THEN 3 WHEN 'ok' THEN 2 WHEN 'late' THEN 2 WHEN 'unknown' THEN 1 ELSE 0 END)
         FROM events WHERE kind = '{KIND}' GROUP BY 1, 2 ORDER BY 2 DESC LIMIT {MAX_MINUTES}"
    );
    for batch in read(checks, sql, range, MAX_MINUTES).await {
        let (names, minutes, states) = (texts(&batch, 0), ints(&batch, 1), ints(&batch, 2));
        for ((name, minute), state) in names.into_iter().zip(minutes).zip(states) {
            let state = match state {
                Some(3) => MinuteState::Failed,
                Some(2) => MinuteState::Ok,
                Some(1) => MinuteState::Unknown,
                _ => continue,
            };
            let entry = name.as_deref().and_then(|name| set.find(name));
            if let (Some(entry), Some(minute)) = (entry, minute) {
                // A heartbeat's state lasts from one change to the next, which minutes of changes alone don't tell.
                let mut history = entry.history.lock();
                if history.heartbeat.is_none() {
                    history.minutes.restore(minute, state, entry.check.every);
                }
            }
        }
    }
}

async fn read(checks: &Checks, sql: String, range: TimeRange, limit: usize) -> Vec<RecordBatch> {
    match checks.lake.sql(&Query { sql, range, limit }).await {
        Ok(answer) => answer.batches,
        Err(error) => {
            tracing::warn!(%error, "the past of checks could not be read");
            Vec::new()
        }
    }
}
