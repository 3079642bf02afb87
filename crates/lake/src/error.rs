//! What can go wrong in the lake, split by what the caller can do about it.

use std::path::PathBuf;
use std::time::Duration;

/// Why rows were not accepted. Nothing of them was stored.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Retry later; the sender keeps the data.
    #[error("intake is full: {reason}")]
    Busy {
        /// Which limit was reached.
        reason: BusyReason,
        /// When to try again.
        retry_after: Duration,
    },
    /// Retrying can't help: the append is larger than a frame may be.
    #[error("one append has {bytes} bytes, {limit} allowed; send smaller batches")]
    TooLarge {
        /// Its encoded size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The lake is shutting down.
    #[error("the lake is closed")]
    Closed,
    /// The rows could not be encoded; ours to fix.
    #[error("failed to encode rows")]
    Encode(#[source] datafusion::arrow::error::ArrowError),
}

/// The limit that makes intake push back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BusyReason {
    /// Rows wait to be sealed and fill their share of the memory budget.
    #[error("the memory budget for unsealed rows is used up")]
    Memory,
    /// The disk budget is used up and nothing may be deleted any more.
    #[error("the disk budget is used up")]
    DiskBudget,
    /// The file system has no space left.
    #[error("the disk is full")]
    DiskFull,
    /// Too many sources are remembered.
    #[error("more files are remembered than there is room for; delete services that are not needed any more")]
    Marks,
    /// The journal's file failed and is being replaced.
    #[error("the journal could not be written")]
    Journal,
}

/// Why the lake could not be opened or maintained.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// A file or folder could not be used.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// Another process holds the lake.
    #[error("{} is in use by another koshu process", .0.display())]
    InUse(PathBuf),
    /// The table's log could not be read or written.
    #[error("failed to {action} table {table}")]
    Delta {
        /// What was tried.
        action: &'static str,
        /// Which table.
        table: &'static str,
        /// Why it failed.
        #[source]
        source: Box<deltalake_core::DeltaTableError>,
    },
    /// A file of a table's log is damaged, so what the table holds can't be told.
    #[error("{} is damaged: {reason}; restore this file from a backup, or move the table's folder away", file.display())]
    DamagedLog {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Rows could not be read or written.
    #[error("failed to {action}")]
    Data {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        #[source]
        source: Box<datafusion::error::DataFusionError>,
    },
}

impl LakeError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn data<E: Into<datafusion::error::DataFusionError>>(action: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Data { action, source: Box::new(source.into()) }
    }
}

/// Why a query gave no (or not the whole) answer. The limit is named.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The statement is wrong or not allowed; the text is for the person who wrote it.
    #[error("{0}")]
    Invalid(String),
    /// It ran too long.
    #[error("the query ran longer than {0} s; narrow the time range or aggregate less")]
    TimeLimit(f64),
    /// It needed too much memory.
    #[error("the query needed more than its {0} of memory; narrow the time range or group by fewer values")]
    MemoryLimit(base::ByteSize),
    /// Ours to fix.
    #[error("the query failed: {0}")]
    Failed(String),
}

/// Bytes that were found damaged. They are served to nobody; everything else is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Damage {
    /// File, relative to the lake's folder.
    pub file: String,
    /// Byte range `from..to` inside the file.
    pub range: std::ops::Range<u64>,
    /// What is wrong.
    pub reason: String,
    /// When it was found.
    pub since: base::Timestamp,
}

/// An error with its causes, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
