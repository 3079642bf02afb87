//! One Delta table on disk: opened or created, its active files, commits that are durable when they return.
//!
//! The library writes the log through an object store, which does not sync; so each commit's files are synced here
//! before the journal may forget what they hold.

use crate::error::LakeError;
use crate::file::{DataFile, date_text};
use crate::journal::segment::sync_folder;
use crate::log_check::{self, LogProblem};
use crate::threads::LogThreads;
use base::Timestamp;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake_core::kernel::{Action, Add, DataType, MapType, PrimitiveType, Remove, StructField, Transaction};
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use signal::Table;
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use url::Url;

/// A table's log, for one writer.
pub struct DeltaLog {
    table: Table,
    folder: PathBuf,
    delta: DeltaTable,
    threads: Arc<LogThreads>,
    /// A commit failed halfway: whether it is in the log is not known until the log is read again.
    unsure: bool,
}

/// What a commit changes.
#[derive(Debug, Default)]
pub struct Changes<'a> {
    /// Files that become part of the table.
    pub added: &'a [DataFile],
    /// Files that stop being part of it.
    pub removed: &'a [DataFile],
    /// Whether rows change (false for compaction).
    pub data_change: bool,
    /// Application id and number of the journal segment that is sealed.
    pub sealed: Option<(&'a str, u64)>,
}

impl DeltaLog {
    /// Opens the table in `lake/<name>`, creating it when there is none.
    pub async fn open(lake: &Path, table: Table, threads: &Arc<LogThreads>) -> Result<Self, LakeError> {
        let folder = lake.join(table.name());
        std::fs::create_dir_all(&folder).map_err(LakeError::io("create folder", &folder))?;
        sync_folder(lake).map_err(LakeError::io("sync folder", lake))?;
        let (absolute, url) = table_url(&folder)?;
        let failed = |action| move |source| fail(table, action)(source);
        let build = || DeltaTableBuilder::from_url(url.clone()).and_then(DeltaTableBuilder::build);
        let mut delta = build().map_err(failed("open"))?;
        let log = absolute.join("_delta_log");
        log_check::set_unfinished_commit_aside(&log).map_err(LakeError::io("repair the log in", &log))?;
        if log_check::has_commits(&log) {
            let damaged = log_check::check_checksums(&log).map_err(LakeError::io("read the log in", &log))?;
            if !damaged.is_empty() {
                log_check::set_checkpoints_aside(&log, &damaged).map_err(LakeError::io("repair the log in", &log))?;
            }
            let problems = log_check::check_recent(&log).map_err(LakeError::io("read the log in", &log))?;
            if let Some(LogProblem { file, reason, .. }) = problems.into_iter().next() {
                return Err(LakeError::DamagedLog { file, reason });
            }
            delta = match load(delta, threads).await {
                Ok(delta) => delta,
                Err(source) => repair(table, build().map_err(failed("open"))?, &log, source, threads).await?,
            };
        } else {
            if log_check::has_data_files(&absolute) {
                let reason = "it is empty, but there are data files beside it; restore it from a backup".to_owned();
                return Err(LakeError::DamagedLog { file: log, reason });
            }
            delta = threads.run(create(delta, table)).await.map_err(failed("create"))?;
            sync_commit(&absolute, 0).map_err(LakeError::io("sync the log in", &absolute))?;
        }
        Ok(Self { table, folder: absolute, delta, threads: Arc::clone(threads), unsure: false })
    }

    /// Reads the log again after a commit of which the outcome is not known. Whether that was needed.
    pub async fn settle(&mut self) -> Result<bool, LakeError> {
        if !self.unsure {
            return Ok(false);
        }
        self.delta = load(self.delta.clone(), &self.threads).await.map_err(fail(self.table, "reload"))?;
        if let Some(version) = self.delta.version() {
            // After a failed sync the kernel may call pages clean that are not on the disk: syncing the same file once
            // more would prove nothing.
            let log = self.folder.join("_delta_log");
            write_commit_again(&log, version).map_err(LakeError::io("write the last commit again in", &log))?;
            sync_commit(&self.folder, version).map_err(LakeError::io("sync the log in", &self.folder))?;
        }
        self.unsure = false;
        Ok(true)
    }

    /// The table's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Files that are part of the table now. Files with foreign names are reported by their path.
    pub fn files(&self) -> Result<(Vec<DataFile>, Vec<String>), LakeError> {
        files(self.table, &self.delta)
    }

    /// Number of the last sealed segment of the application.
    pub async fn sealed_through(&self, application: &str) -> Result<Option<u64>, LakeError> {
        let (delta, application) = (self.delta.clone(), application.to_owned());
        let read = async move { delta.snapshot()?.transaction_version(delta.log_store().as_ref(), &application).await };
        let version = self.threads.run(read).await;
        Ok(version.map_err(fail(self.table, "read"))?.and_then(|version| u64::try_from(version).ok()))
    }

    /// Commits the changes; they are durable when this returns. After an error call [`DeltaLog::settle`] first.
    pub async fn commit(&mut self, changes: &Changes<'_>, now: Timestamp) -> Result<(), LakeError> {
        let mut actions: Vec<Action> = Vec::with_capacity(changes.added.len() + changes.removed.len());
        actions.extend(changes.added.iter().map(|file| Action::Add(add(file, changes.data_change, now))));
        actions.extend(changes.removed.iter().map(|file| Action::Remove(remove(file, changes.data_change, now))));
        // One process writes: a version that is there already is our own, from a commit that seemed to fail.
        let mut properties = CommitProperties::default()
            .with_max_retries(0)
            .with_metadata([(log_check::CHECKSUM.to_owned(), checksum(changes).into())]);
        if let Some((application, segment)) = changes.sealed {
            let version = i64::try_from(segment).unwrap_or(i64::MAX);
            properties = properties.with_application_transaction(Transaction::new(application, version));
        }
        let operation = if changes.removed.is_empty() {
            DeltaOperation::Write { mode: SaveMode::Append, partition_by: Some(vec!["date".into()]), predicate: None }
        } else {
            DeltaOperation::Delete { predicate: None }
        };
        self.unsure = true;
        let delta = self.delta.clone();
        let commit = CommitBuilder::from(properties).with_actions(actions);
        let write = async move {
            let done = commit.build(Some(delta.snapshot()?), delta.log_store(), operation).await?;
            Ok((done.version(), delta))
        };
        let (version, mut delta) = self.threads.run(write).await.map_err(fail(self.table, "commit to"))?;
        sync_commit(&self.folder, version).map_err(LakeError::io("sync the log in", &self.folder))?;
        let update = async move {
            delta.update_state().await?;
            Ok(delta)
        };
        self.delta = self.threads.run(update).await.map_err(fail(self.table, "reload"))?;
        self.unsure = false;
        Ok(())
    }
}

/// Reads the table's log.
async fn load(mut delta: DeltaTable, threads: &LogThreads) -> Result<DeltaTable, DeltaTableError> {
    let read = async move {
        delta.load().await?;
        Ok(delta)
    };
    threads.run(read).await
}

/// Loads a table whose log has a damaged checkpoint from its commits; otherwise names the file that is damaged.
async fn repair(
    table: Table,
    delta: DeltaTable,
    log: &Path,
    source: DeltaTableError,
    threads: &LogThreads,
) -> Result<DeltaTable, LakeError> {
    let problems = log_check::check(log).map_err(LakeError::io("read the log in", log))?;
    let (checkpoints, commits): (Vec<LogProblem>, Vec<LogProblem>) =
        problems.into_iter().partition(|problem| problem.checkpoint);
    if let Some(LogProblem { file, reason, .. }) = commits.into_iter().next() {
        return Err(LakeError::DamagedLog { file, reason });
    }
    let Some(LogProblem { file, reason, .. }) = checkpoints.first().cloned() else {
        return Err(fail(table, "load")(source));
    };
    log_check::set_checkpoints_aside(log, &checkpoints).map_err(LakeError::io("repair the log in", log))?;
    load(delta, threads).await.map_err(|_| LakeError::DamagedLog { file, reason })
}

/// The files of the table in `folder`, and those with foreign names; `None` when there is no table. Changes nothing.
pub async fn read_only(folder: &Path, table: Table) -> Result<Option<(Vec<DataFile>, Vec<String>)>, LakeError> {
    if !log_check::has_commits(&folder.join("_delta_log")) {
        return Ok(None);
    }
    let (_, url) = table_url(folder)?;
    let mut delta = DeltaTableBuilder::from_url(url).and_then(DeltaTableBuilder::build).map_err(fail(table, "open"))?;
    delta.load().await.map_err(fail(table, "load"))?;
    files(table, &delta).map(Some)
}

fn files(table: Table, delta: &DeltaTable) -> Result<(Vec<DataFile>, Vec<String>), LakeError> {
    let state = delta.snapshot().map_err(fail(table, "read"))?;
    let (mut known, mut foreign) = (Vec::new(), Vec::new());
    for view in state.log_data().iter() {
        match DataFile::from_path(&view.path(), view.size().unsigned_abs()) {
            Some(file) => known.push(file),
            None => foreign.push(view.path().into_owned()),
        }
    }
    Ok((known, foreign))
}

/// What the log must still say about the changes when it is read again.
fn checksum(changes: &Changes<'_>) -> String {
    let mut says = log_check::Says::default();
    changes.added.iter().for_each(|file| says.add(&file.path, file.bytes));
    changes.removed.iter().for_each(|file| says.remove(&file.path));
    if let Some((application, segment)) = changes.sealed {
        says.sealed(application, segment);
    }
    says.checksum()
}

fn table_url(folder: &Path) -> Result<(PathBuf, Url), LakeError> {
    let absolute = folder.canonicalize().map_err(LakeError::io("resolve", folder))?;
    let url = Url::from_directory_path(&absolute).map_err(|()| LakeError::Io {
        action: "use as a table",
        path: absolute.clone(),
        source: std::io::Error::other("the path is not absolute"),
    })?;
    Ok((absolute, url))
}

fn fail(table: Table, action: &'static str) -> impl FnOnce(DeltaTableError) -> LakeError {
    move |source| LakeError::Delta { action, table: table.name(), source: Box::new(source) }
}

/// Makes a commit durable, and the checkpoint that may have been written after it.
fn sync_commit<V: std::fmt::Display>(folder: &Path, version: V) -> std::io::Result<()> {
    let log = folder.join("_delta_log");
    let version = format!("{version:0>20}");
    File::open(log.join(format!("{version}.json")))?.sync_all()?;
    for checkpoint in [format!("{version}.checkpoint.parquet"), "_last_checkpoint".to_owned()] {
        match File::open(log.join(checkpoint)) {
            Ok(file) => file.sync_all()?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    log_check::write_checksum(&log.join(format!("{version}.checkpoint.parquet")))?;
    sync_folder(&log)?;
    sync_folder(folder)
}

/// Replaces a commit's file by a durable copy of what it says, and removes what only repeats commits.
fn write_commit_again<V: std::fmt::Display>(log: &Path, version: V) -> std::io::Result<()> {
    let version = format!("{version:0>20}");
    let (path, copy) = (log.join(format!("{version}.json")), log.join(format!("{version}.json.copy")));
    std::fs::write(&copy, std::fs::read(&path)?)?;
    File::open(&copy)?.sync_all()?;
    std::fs::rename(&copy, &path)?;
    let checkpoint = log.join(format!("{version}.checkpoint.parquet"));
    if checkpoint.exists() {
        std::fs::remove_file(log.join("_last_checkpoint"))?;
        std::fs::remove_file(checkpoint)?;
    }
    sync_folder(log)
}

async fn create(delta: DeltaTable, table: Table) -> Result<DeltaTable, DeltaTableError> {
    CreateBuilder::new()
        .with_log_store(delta.log_store())
        .with_table_name(table.name())
        .with_columns(columns(table))
        .with_partition_columns(["date"])
        // A seal every half minute would otherwise keep some 90,000 log entries for the default 30 days.
        .with_configuration([
            ("delta.checkpointInterval", Some("50")),
            ("delta.logRetentionDuration", Some("interval 1 days")),
            ("delta.enableExpiredLogCleanup", Some("true")),
        ])
        .await
}

fn columns(table: Table) -> Vec<StructField> {
    use datafusion::arrow::datatypes::DataType as Arrow;
    let mut fields: Vec<StructField> = Vec::new();
    for field in table.schema().fields() {
        let kind = match field.data_type() {
            Arrow::Timestamp(..) => DataType::Primitive(PrimitiveType::Timestamp),
            Arrow::Int32 => DataType::Primitive(PrimitiveType::Integer),
            Arrow::Int64 => DataType::Primitive(PrimitiveType::Long),
            Arrow::Float64 => DataType::Primitive(PrimitiveType::Double),
            Arrow::Binary => DataType::Primitive(PrimitiveType::Binary),
            Arrow::Map(..) => MapType::new(
                DataType::Primitive(PrimitiveType::String),
                DataType::Primitive(PrimitiveType::String),
                true,
            )
            .into(),
            _ => DataType::Primitive(PrimitiveType::String),
        };
        fields.push(StructField::new(field.name(), kind, field.is_nullable()));
    }
    fields.insert(1, StructField::new("date", DataType::Primitive(PrimitiveType::Date), false));
    fields
}

fn millis(at: Timestamp) -> i64 {
    at.micros().div_euclid(1000)
}

fn partition(file: &DataFile) -> HashMap<String, Option<String>> {
    HashMap::from([("date".to_owned(), Some(date_text(file.date)))])
}

fn add(file: &DataFile, data_change: bool, now: Timestamp) -> Add {
    let stats = serde_json::json!({
        "numRecords": file.rows,
        "minValues": { "ts": file.first },
        "maxValues": { "ts": file.last },
        "nullCount": { "ts": 0 },
    });
    Add {
        path: file.path.clone(),
        partition_values: partition(file),
        size: i64::try_from(file.bytes).unwrap_or(i64::MAX),
        modification_time: millis(now),
        data_change,
        stats: Some(stats.to_string()),
        ..Add::default()
    }
}

fn remove(file: &DataFile, data_change: bool, now: Timestamp) -> Remove {
    Remove {
        path: file.path.clone(),
        data_change,
        deletion_timestamp: Some(millis(now)),
        extended_file_metadata: Some(true),
        partition_values: Some(partition(file)),
        size: i64::try_from(file.bytes).ok(),
        ..Remove::default()
    }
}
