//! Folders, rows and questions for the tests.

use base::{ByteSize, Clock, Span, TimeRange, Timestamp};
use lake::arrow::array::cast::AsArray;
use lake::arrow::array::{Array, RecordBatch};
use lake::arrow::datatypes::Int64Type;
use lake::{Answer, Append, Lake, LakeError, LakeOptions, Query, QueryError};
use signal::{RequestRow, RequestRows, Table};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// 2026-01-10T00:00:00Z, "today" in the tests.
pub const TODAY: i64 = 1_768_003_200;
pub const DAY: i64 = 86_400;

pub const EVER: TimeRange =
    TimeRange { from: Timestamp::from_seconds(-62_135_596_800), to: Timestamp::from_seconds(253_402_300_799) };

/// A small lake that seals only when asked.
pub fn options(dir: &Path) -> LakeOptions {
    LakeOptions {
        memory: ByteSize(64 << 20),
        disk: ByteSize(1 << 30),
        seal_age: Span::from_seconds(3600),
        clock: Clock::manual(Timestamp::from_seconds(TODAY + DAY / 2)),
        ..LakeOptions::new(dir)
    }
}

pub async fn open(dir: &Path) -> Arc<Lake> {
    Lake::open(options(dir)).await.unwrap()
}

/// Between two looks at something that others change.
pub async fn pause() {
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
}

/// Opens after another holder was dropped, whose threads may need a moment to end.
pub async fn reopen(options: LakeOptions) -> Arc<Lake> {
    let give_up = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        match Lake::open(options.clone()).await {
            Err(LakeError::InUse(_)) if std::time::Instant::now() < give_up => pause().await,
            outcome => return outcome.unwrap(),
        }
    }
}

/// Request `id` of a service, a second after the one before; every tenth failed.
pub fn requests(service: &str, ids: std::ops::Range<i64>, start: i64) -> RecordBatch {
    let mut rows = RequestRows::default();
    for id in ids.clone() {
        let (trace, path) = (format!("{service}-{id}"), format!("/some/rather/long/path/{id}"));
        let row = RequestRow {
            ts: Timestamp::from_seconds(start + id - ids.start),
            service,
            method: "GET",
            route: if id % 3 == 0 { "GET /a" } else { "GET /b/{id}" },
            path: &path,
            status: if id % 10 == 0 { 500 } else { 200 },
            duration_us: (id % 7 != 0).then_some(id.unsigned_abs() * 37 % 100_000),
            bytes: Some(100),
            user_key: Some("ann"),
            trace_id: Some(&trace),
            source: "test",
            ..RequestRow::default()
        };
        rows.push(&row, [("user_agent", "curl/8")]);
    }
    rows.finish()
}

pub async fn append(lake: &Lake, batch: RecordBatch) {
    let append = Append { rows: vec![(Table::Requests, batch)], marks: Vec::new() };
    lake.append(append).await.unwrap();
}

pub async fn ask(lake: &Lake, sql: &str) -> Result<Answer, QueryError> {
    lake.sql(&Query { sql: sql.into(), range: EVER, limit: 1_000_000 }).await
}

/// The one number that a question has as its answer.
pub async fn number(lake: &Lake, sql: &str) -> i64 {
    let answer = ask(lake, sql).await.unwrap();
    assert_eq!(answer.stats.rows, 1, "{sql}");
    answer.batches[0].column(0).as_primitive::<Int64Type>().value(0)
}

/// Every value of the first column, in order.
pub fn texts(answer: &Answer) -> Vec<String> {
    let mut out = Vec::new();
    for batch in &answer.batches {
        let column = lake::arrow::compute::cast(batch.column(0), &lake::arrow::datatypes::DataType::Utf8).unwrap();
        let column = column.as_string::<i32>();
        out.extend((0..column.len()).map(|row| column.value(row).to_owned()));
    }
    out
}

/// The ids of all stored requests, sorted, doubles included; roll-ups must have counted as many.
pub async fn stored(lake: &Lake) -> Vec<String> {
    let ids = texts(&ask(lake, "SELECT trace_id FROM requests ORDER BY trace_id").await.unwrap());
    let counted = number(lake, "SELECT CAST(coalesce(sum(count), 0) AS BIGINT) FROM rollup_1m").await;
    assert_eq!(counted, i64::try_from(ids.len()).unwrap(), "roll-ups and rows agree");
    ids
}

pub fn ids(service: &str, ids: std::ops::Range<i64>) -> Vec<String> {
    let mut out: Vec<String> = ids.map(|id| format!("{service}-{id}")).collect();
    out.sort();
    out
}

/// Files under a folder, recursively, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { out.extend(files(&path)) } else { out.push(path) }
    }
    out.sort();
    out
}

/// Data files of a table.
pub fn data_files(dir: &Path, table: &str) -> Vec<PathBuf> {
    let mut found = files(&dir.join("lake").join(table));
    found.retain(|path| {
        path.extension().is_some_and(|ext| ext == "parquet") && !path.to_string_lossy().contains("_delta_log")
    });
    found
}

/// Segments of the journal that hold rows.
pub fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut found = files(&dir.join("journal"));
    found.retain(|path| {
        path.extension().is_some_and(|ext| ext == "journal")
            && std::fs::metadata(path).is_ok_and(|meta| meta.len() > 32)
    });
    found
}

fn copy_into(from: &Path, to: &Path) {
    for path in files(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        // What was sealed or finished meanwhile is gone under this name.
        if let Err(error) = std::fs::copy(&path, &target) {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{}", path.display());
        }
    }
}

/// A copy of a lake that is in use, as a crash could have left it. Segments may grow while they are copied; a copy during
/// which one was sealed mixes two moments and is made again.
pub fn image(dir: &Path) -> tempfile::TempDir {
    let sealed = || {
        let marks = std::fs::read(dir.join("journal/marks")).unwrap_or_default();
        let named = |path: &PathBuf| path.to_string_lossy().contains("_delta_log");
        (marks, files(&dir.join("lake")).into_iter().filter(named).collect::<Vec<_>>(), segments(dir))
    };
    loop {
        let before = sealed();
        let copy = tempfile::tempdir().unwrap();
        copy_into(dir, copy.path());
        if sealed() == before {
            return copy;
        }
    }
}
