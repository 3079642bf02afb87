//! Questions about what came in besides requests: groups of errors, traces, metrics, log lines.
//!
//! Every answer is bounded and names the damaged files that were left out. What people typed becomes expressions of
//! the query engine, never text of SQL.

mod columns;
mod errors;
mod first;
mod lines;
mod metrics;
mod of_pattern;
mod steps;
mod traces;

pub use errors::{
    ErrorDetail, ErrorGroup, ErrorGroups, ErrorOrder, ErrorQuery, ErrorRecord, ErrorShare, MAX_ERROR_GROUPS,
};
pub use first::FirstErrors;
pub use lines::{LineFilter, LineHistogram, LinePage, LineQuery, LineRecord, LineWords};
pub use metrics::{Fold, MAX_METRIC_LINES, MetricLine, MetricName, MetricNames, MetricQuery, MetricSeries};
pub use traces::{MAX_SPANS, SpanRecord, TraceDetail, TraceList, TraceQuery, TraceRoot};

use crate::{Lake, QueryError};
use base::{TimeRange, Timestamp};
use std::collections::HashMap;

impl Lake {
    /// Groups of errors, the largest (or latest) first.
    pub async fn error_groups(&self, query: &ErrorQuery) -> Result<ErrorGroups, QueryError> {
        self.reader().in_time(errors::groups(self.reader(), self.first_errors(), query)).await
    }

    /// One group of errors; `None` when none of its errors lies in the range.
    pub async fn error_group(
        &self,
        group: &str,
        range: TimeRange,
        service: Option<&str>,
        step_us: i64,
    ) -> Result<Option<ErrorDetail>, QueryError> {
        let detail = errors::detail(self.reader(), self.first_errors(), group, range, service, step_us);
        self.reader().in_time(detail).await
    }

    /// When an error of each of these groups was last seen in the range.
    pub async fn errors_last_seen(
        &self,
        groups: &[String],
        range: TimeRange,
    ) -> Result<HashMap<String, Timestamp>, QueryError> {
        errors::last_seen(self.reader(), groups, range).await
    }

    /// Traces by their root spans, the newest first.
    pub async fn traces(&self, query: &TraceQuery) -> Result<TraceList, QueryError> {
        self.reader().in_time(traces::list(self.reader(), query)).await
    }

    /// Everything that is known of one trace.
    pub async fn trace(&self, trace_id: &str, range: TimeRange) -> Result<TraceDetail, QueryError> {
        self.reader().in_time(traces::detail(self.reader(), trace_id, range)).await
    }

    /// The metrics that were sampled in the range.
    pub async fn metric_names(&self, range: TimeRange) -> Result<MetricNames, QueryError> {
        metrics::names(self.reader(), range).await
    }

    /// A metric over time, as lines.
    pub async fn metric_series(&self, query: &MetricQuery) -> Result<MetricSeries, QueryError> {
        self.reader().in_time(metrics::series(self.reader(), query)).await
    }

    /// Log lines, the newest first.
    pub async fn log_lines(&self, query: &LineQuery) -> Result<LinePage, QueryError> {
        self.reader().in_time(lines::page(self.reader(), query)).await
    }

    /// Log lines by step and severity.
    pub async fn log_line_histogram(
        &self,
        range: TimeRange,
        filter: &LineFilter,
        step_us: i64,
    ) -> Result<LineHistogram, QueryError> {
        lines::histogram(self.reader(), range, filter, step_us).await
    }
}

#[cfg(test)]
mod tests;
