//! The data lake: a journal that makes rows durable, Delta tables of Parquet files that keep them, SQL over both.
//!
//! The only crate that names DataFusion and Delta. Rows come in as Arrow batches of [`signal::Table`]s and are
//! acknowledged after they are durable; every acknowledged row is seen by every later query exactly once. It never
//! grows beyond its memory and disk budget: it pushes back instead.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod delta;
mod error;
mod file;
mod fsck;
mod identity;
mod ipc;
mod journal;
mod lake;
mod log_check;
mod maintain;
mod observed;
mod options;
mod provider;
mod query;
mod query_memory;
mod requests;
mod rows;
mod seal;
mod stamped;
mod state;
mod threads;
mod windows;
mod workers;
mod yielding;

/// Arrow as DataFusion uses it.
pub use datafusion::arrow;
pub use error::{AppendError, BusyReason, Damage, LakeError, QueryError};
pub use fsck::{Checked, DamagedPart, FsckReport, Note, fsck};
pub use ipc::arrow_stream;
pub use lake::{Append, Lake, LakeStatus};
pub use maintain::Maintenance;
pub use observed::{
    ErrorDetail, ErrorGroup, ErrorGroups, ErrorOrder, ErrorQuery, ErrorRecord, ErrorShare, Fold, LineFilter,
    LineHistogram, LinePage, LineQuery, LineRecord, LineWords, MAX_ERROR_GROUPS, MAX_METRIC_LINES, MAX_SPANS,
    MetricLine, MetricName, MetricNames, MetricQuery, MetricSeries, SpanRecord, TraceDetail, TraceList, TraceQuery,
    TraceRoot,
};
pub use options::{LakeOptions, Retention};
pub use query::{Answer, Query, QueryStats, Reader, TIME_LIMIT};
pub use requests::{
    Bar, Disappointed, DisappointedRow, Facets, HeatMap, Histogram, MAX_STEPS, RECOVERY_WINDOW_US, RowOrder, RowPage,
    RowQuery,
};
pub use windows::{Minutes, RouteSums, ServiceWindows, WindowQuery, Windows};
pub use workers::{BrokeOff, Workers};
