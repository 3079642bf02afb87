//! Turns a closed segment into Parquet files, exactly once.
//!
//! Each table gets one Delta commit which carries the journal's id and the segment's number as a `txn` action. After a
//! crash a segment whose number is already in a table's log is dropped for that table, not written again. The journal
//! file goes last, after the commits and the marks are durable.

use crate::delta::{Changes, DeltaLog};
use crate::error::{Damage, LakeError};
use crate::file::{DataFile, Effort, FileWriter};
use crate::state::{Segment, State};
use crate::threads::LogThreads;
use crate::workers::Workers;
use base::{Clock, Timestamp};
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::compute::interleave_record_batch;
use datafusion::arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use futures::future::join_all;
use signal::Table;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};

/// Rows handed to the Parquet writer at a time.
const WRITE_ROWS: usize = 16 * 1024;

/// The tables' logs. One holder at a time changes a table.
pub struct Logs {
    tables: HashMap<Table, Mutex<DeltaLog>>,
    journal_id: String,
    clock: Clock,
}

impl Logs {
    /// Opens every table under `lake`.
    pub async fn open(lake: &Path, journal_id: String, clock: Clock) -> Result<Self, LakeError> {
        let threads = LogThreads::start().map_err(LakeError::io("start the threads of", lake))?;
        let mut tables = HashMap::new();
        for table in Table::ALL {
            tables.insert(table, Mutex::new(DeltaLog::open(lake, table, &threads).await?));
        }
        Ok(Self { tables, journal_id, clock })
    }

    /// Reads every table into `state`. Returns the last segment that any table has.
    pub async fn read(&self, state: &State) -> Result<Option<u64>, LakeError> {
        let mut last = None;
        for table in Table::ALL {
            let log = self.of(table).lock().await;
            last = last.max(self.read_one(table, &log, state).await?);
        }
        Ok(last)
    }

    async fn read_one(&self, table: Table, log: &DeltaLog, state: &State) -> Result<Option<u64>, LakeError> {
        let (files, foreign) = log.files()?;
        for path in foreign {
            let file = format!("lake/{}/{path}", table.name());
            let reason =
                "the log names it, but koshu did not: it is not read, and nothing of this table is tidied away";
            state.add_damage(Damage { file, range: 0..0, reason: reason.into(), since: self.clock.now() });
        }
        let sealed_through = log.sealed_through(&self.journal_id).await?;
        state.set_table(table, files, sealed_through);
        Ok(sealed_through)
    }

    fn of(&self, table: Table) -> &Mutex<DeltaLog> {
        self.tables.get(&table).expect("open() made one for every table")
    }

    /// The log of a table, to change it. After a commit that seemed to fail, `state` follows what the log says.
    pub async fn change(&self, table: Table, state: &State) -> Result<MutexGuard<'_, DeltaLog>, LakeError> {
        let mut log = self.of(table).lock().await;
        if log.settle().await? {
            self.read_one(table, &log, state).await?;
            // The commit may have removed rows that sums are kept of.
            state.rows_were_removed();
        }
        Ok(log)
    }
}

/// Writes the rows of a segment to files and commits them, each table by itself. Repeating it after a failure is safe.
pub async fn seal(
    segment: &Arc<Segment>,
    logs: &Logs,
    state: &State,
    clock: &Clock,
    writers: &Workers,
) -> Result<(), LakeError> {
    let tables = Table::ALL.into_iter().map(|table| seal_table(table, segment, logs, state, clock, writers));
    // All of them to their end: a write that nobody waits for would leave a file that no log names.
    join_all(tables).await.into_iter().collect()
}

async fn seal_table(
    table: Table,
    segment: &Arc<Segment>,
    logs: &Logs,
    state: &State,
    clock: &Clock,
    writers: &Workers,
) -> Result<(), LakeError> {
    let mut log = logs.change(table, state).await?;
    if state.is_sealed(table, segment.number) {
        return Ok(());
    }
    let folder = log.folder().to_owned();
    let (rows, now) = (Arc::clone(segment), clock.now());
    let write = writers.run(move || write_sorted(&folder, table, &rows.batches(table), now));
    let files = write.await.map_err(|broke_off| LakeError::Io {
        action: "seal",
        path: segment.path.clone(),
        source: std::io::Error::other(broke_off),
    })??;
    if !files.is_empty() {
        let changes = Changes {
            added: &files,
            data_change: true,
            sealed: Some((&logs.journal_id, segment.number)),
            ..Changes::default()
        };
        log.commit(&changes, now).await?;
    }
    state.replace_files(table, &[], &files, Some(segment.number));
    Ok(())
}

/// Where a row is, by what files are sorted by.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
struct Place {
    date: i32,
    rank: u32,
    /// Where the table is sorted by it.
    series: i64,
    ts: i64,
    batch: u32,
    row: u32,
}

fn write_sorted(
    folder: &Path,
    table: Table,
    batches: &[RecordBatch],
    now: Timestamp,
) -> Result<Vec<DataFile>, LakeError> {
    let places = sorted_places(table, batches);
    let references: Vec<&RecordBatch> = batches.iter().collect();
    let mut files = Vec::new();
    for day in places.chunk_by(|a, b| a.date == b.date) {
        let mut writer = FileWriter::create(folder, table, day[0].date, Effort::Seal, now)?;
        for chunk in day.chunks(WRITE_ROWS) {
            let indices: Vec<(usize, usize)> =
                chunk.iter().map(|place| (place.batch as usize, place.row as usize)).collect();
            let rows = interleave_record_batch(&references, &indices).map_err(LakeError::data("sort rows"))?;
            let (first, last) = bounds(chunk);
            writer.write(&rows, first, last)?;
        }
        files.push(writer.finish()?);
    }
    Ok(files)
}

fn bounds(places: &[Place]) -> (Timestamp, Timestamp) {
    let times = || places.iter().map(|place| place.ts);
    let (first, last) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
    (Timestamp::from_micros(first), Timestamp::from_micros(last))
}

fn sorted_places(table: Table, batches: &[RecordBatch]) -> Vec<Place> {
    let [name, more @ ..] = table.sort_columns() else { return Vec::new() };
    let by_series = more.contains(&"series");
    let ranks = name_ranks(batches, name);
    let mut places = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for (number, batch) in (0u32..).zip(batches) {
        let (Some(ts), Some(names)) = (batch.column_by_name("ts"), batch.column_by_name(name)) else { continue };
        let (ts, names) = (ts.as_primitive::<TimestampMicrosecondType>(), names.as_string_view());
        let series = batch.column_by_name("series").filter(|_| by_series).map(AsArray::as_primitive::<Int64Type>);
        let mut last: Option<(&str, u32)> = None;
        for row in 0..batch.num_rows() {
            let text = if names.is_null(row) { "" } else { names.value(row) };
            let rank = match last {
                Some((known, rank)) if known == text => rank,
                _ => ranks.get(text).copied().unwrap_or(0),
            };
            last = Some((text, rank));
            let micros = ts.value(row);
            let days = Timestamp::from_micros(micros).utc_days();
            let date = i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX });
            let series = series.map_or(0, |series| series.value(row));
            let row = u32::try_from(row).unwrap_or(u32::MAX);
            places.push(Place { date, rank, series, ts: micros, batch: number, row });
        }
    }
    places.sort_unstable();
    places
}

/// Position of each name in sorted order: comparing numbers is cheaper than comparing texts.
fn name_ranks<'a>(batches: &'a [RecordBatch], column: &str) -> HashMap<&'a str, u32> {
    let mut names: Vec<&str> = Vec::new();
    for batch in batches {
        let Some(values) = batch.column_by_name(column) else { continue };
        let values = values.as_string_view();
        let mut last = None;
        for row in 0..values.len() {
            let text = if values.is_null(row) { "" } else { values.value(row) };
            if last != Some(text) {
                names.push(text);
                last = Some(text);
            }
        }
        names.sort_unstable();
        names.dedup();
    }
    names.into_iter().zip(0..).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use signal::{RequestRow, RequestRows};

    #[test]
    fn rows_are_split_by_day_and_sorted_by_service_and_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut rows = RequestRows::default();
        let day = 86_400;
        for (service, second) in [("b", day + 1), ("a", day + 2), ("b", 5), ("a", day + 1)] {
            let row = RequestRow {
                ts: Timestamp::from_seconds(second),
                service,
                method: "GET",
                route: "GET /",
                path: "/",
                status: 200,
                source: "t",
                ..RequestRow::default()
            };
            rows.push(&row, []);
        }
        let places = sorted_places(Table::Requests, &[rows.finish()]);
        let order: Vec<(i32, u32, u32)> = places.iter().map(|place| (place.date, place.rank, place.row)).collect();
        assert_eq!(order, [(0, 1, 2), (1, 0, 3), (1, 0, 1), (1, 1, 0)]);

        let files = write_sorted(folder.path(), Table::Requests, &[], Timestamp::default()).unwrap();
        assert!(files.is_empty(), "no rows, no file");
    }
}
