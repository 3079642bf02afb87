//! Traces: found by their root spans, shown with everything that carries their id.

use super::columns::{Attrs, Columns, merge_damaged};
use super::errors::{self, ErrorRecord};
use super::lines::{self, LineRecord};
use crate::QueryError;
use crate::query::{Answer, Reader};
use crate::requests::functions::contains_folded_in;
use base::{TimeRange, Timestamp};
use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::expr_fn::{count, count_distinct, sum};
use datafusion::logical_expr::{Expr, col, lit, when};
use signal::Table;
use std::collections::HashMap;

/// Most traces of a list.
const MAX_TRACES: usize = 500;
/// Most spans of one trace.
pub const MAX_SPANS: usize = 5_000;
/// How far the other spans of a listed trace may lie from its root: an hour.
const SPREAD_US: i64 = 3_600_000_000;

/// Which traces.
#[derive(Debug, Clone)]
pub struct TraceQuery {
    /// Traces that began inside this range.
    pub range: TimeRange,
    /// Traces that began in this service.
    pub service: Option<String>,
    /// The name of the root span holds all of these words, in any case.
    pub words: Vec<String>,
    /// The root span took at least this long, microseconds.
    pub least_us: Option<i64>,
    /// At most this many, and at most 500.
    pub limit: usize,
}

/// A trace, by its root span.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceRoot {
    /// Its id.
    pub trace_id: String,
    /// What the root span did.
    pub name: String,
    /// Service that it began in.
    pub service: String,
    /// `server`, `client`, ...
    pub kind: String,
    /// `ok` or `error`, when the sender said so.
    pub status: Option<String>,
    /// When it began.
    pub start: Timestamp,
    /// How long the root span took, microseconds.
    pub duration_us: Option<i64>,
    /// Spans within an hour of the root.
    pub spans: u64,
    /// Spans among them that failed.
    pub errors: u64,
    /// Services among them.
    pub services: u64,
}

/// Traces.
#[derive(Debug, Clone, Default)]
pub struct TraceList {
    /// The newest first.
    pub traces: Vec<TraceRoot>,
    /// Whether there are more.
    pub more: bool,
    /// Damaged files that were left out.
    pub damaged_files: Vec<String>,
}

/// One span.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpanRecord {
    /// When it started.
    pub ts: Timestamp,
    /// Service that did it.
    pub service: String,
    /// Machine it ran on.
    pub host: Option<String>,
    /// Its own id.
    pub span_id: String,
    /// The span that caused it.
    pub parent_id: Option<String>,
    /// What was done.
    pub name: String,
    /// `internal`, `server`, `client`, `producer` or `consumer`.
    pub kind: String,
    /// `ok` or `error`, when the sender said so.
    pub status: Option<String>,
    /// How long it took, microseconds.
    pub duration_us: Option<i64>,
    /// Way in and sender.
    pub source: String,
    /// Further named fields.
    pub attrs: Attrs,
}

/// Everything that is known of one trace.
#[derive(Debug, Clone, Default)]
pub struct TraceDetail {
    /// Spans in the order in which they started, at most [`MAX_SPANS`].
    pub spans: Vec<SpanRecord>,
    /// Whether it has more spans.
    pub more_spans: bool,
    /// Log lines, the earliest first.
    pub lines: Vec<LineRecord>,
    /// Errors, the earliest first.
    pub errors: Vec<ErrorRecord>,
    /// Damaged files that were left out.
    pub damaged_files: Vec<String>,
}

/// Traces by their root spans.
pub async fn list(reader: &Reader, query: &TraceQuery) -> Result<TraceList, QueryError> {
    let limit = query.limit.clamp(1, MAX_TRACES);
    let mut wanted = col("parent_id").is_null();
    if let Some(service) = &query.service {
        wanted = wanted.and(col("service").eq(lit(service.as_str())));
    }
    if let Some(least) = query.least_us {
        wanted = wanted.and(col("duration_us").gt_eq(lit(least)));
    }
    for word in &query.words {
        wanted = wanted.and(contains_folded_in(col("name"), &signal::filter::fold(word)));
    }
    let build = move |frame: DataFrame| {
        let sort = vec![col("ts").sort(false, false), col("trace_id").sort(true, false)];
        frame.filter(wanted)?.sort(sort)?.limit(0, Some(limit + 1))
    };
    let answer = reader.frame(Table::Spans, query.range, limit + 1, build).await?;
    let mut found = TraceList::default();
    merge_damaged(&mut found.damaged_files, &answer);
    for batch in Columns::of(&answer) {
        let (ids, names) = (batch.names("trace_id")?, batch.names("name")?);
        let (services, kinds) = (batch.names("service")?, batch.names("kind")?);
        let (statuses, starts) = (batch.texts("status")?, batch.times("ts")?);
        let durations = batch.numbers("duration_us")?;
        for row in 0..batch.rows() {
            found.traces.push(TraceRoot {
                trace_id: ids[row].clone(),
                name: names[row].clone(),
                service: services[row].clone(),
                kind: kinds[row].clone(),
                status: statuses[row].clone(),
                start: starts[row],
                duration_us: durations[row],
                ..TraceRoot::default()
            });
        }
    }
    found.more = found.traces.len() > limit || answer.stats.truncated;
    found.traces.truncate(limit);
    count_spans(reader, &mut found).await?;
    Ok(found)
}

/// Counts all spans of the listed traces.
async fn count_spans(reader: &Reader, found: &mut TraceList) -> Result<(), QueryError> {
    let starts = || found.traces.iter().map(|trace| trace.start);
    let (Some(first), Some(last)) = (starts().min(), starts().max()) else { return Ok(()) };
    let range = TimeRange { from: first.plus_micros(-SPREAD_US), to: last.plus_micros(SPREAD_US) };
    let ids: Vec<Expr> = found.traces.iter().map(|trace| lit(trace.trace_id.as_str())).collect();
    let wanted = col("trace_id").in_list(ids, false);
    let failed = when(col("status").eq(lit("error")), lit(1i64)).otherwise(lit(0i64));
    let failed = failed.map_err(|error| QueryError::Failed(error.to_string()))?;
    let build = move |frame: DataFrame| {
        let sums = vec![
            count(lit(1i64)).alias("rows"),
            sum(failed).alias("failed"),
            count_distinct(col("service")).alias("services"),
        ];
        frame.filter(wanted)?.aggregate(vec![col("trace_id")], sums)
    };
    let answer = reader.frame(Table::Spans, range, MAX_TRACES, build).await?;
    merge_damaged(&mut found.damaged_files, &answer);
    let mut sums = HashMap::new();
    for batch in Columns::of(&answer) {
        let (ids, rows) = (batch.names("trace_id")?, batch.counts("rows")?);
        let (failed, services) = (batch.counts("failed")?, batch.counts("services")?);
        for (row, id) in ids.into_iter().enumerate() {
            sums.insert(id, (rows[row], failed[row], services[row]));
        }
    }
    for trace in &mut found.traces {
        if let Some(&(spans, errors, services)) = sums.get(&trace.trace_id) {
            (trace.spans, trace.errors, trace.services) = (spans, errors, services);
        }
    }
    Ok(())
}

/// All spans of a trace, with its lines and errors.
pub async fn detail(reader: &Reader, trace_id: &str, range: TimeRange) -> Result<TraceDetail, QueryError> {
    let wanted = col("trace_id").eq(lit(trace_id));
    let build = move |frame: DataFrame| {
        let sort = vec![col("ts").sort(true, false), col("span_id").sort(true, false)];
        frame.filter(wanted)?.sort(sort)?.limit(0, Some(MAX_SPANS + 1))
    };
    let answer = reader.frame(Table::Spans, range, MAX_SPANS + 1, build).await?;
    let mut spans = read(&answer)?;
    let more_spans = spans.len() > MAX_SPANS || answer.stats.truncated;
    spans.truncate(MAX_SPANS);
    let (errors, errors_damaged) = errors::of_trace(reader, trace_id, range).await?;
    let (lines, lines_damaged) = lines::of_trace(reader, trace_id, range).await?;
    let mut damaged_files = answer.stats.damaged_files;
    damaged_files.extend(errors_damaged);
    damaged_files.extend(lines_damaged);
    Ok(TraceDetail { spans, more_spans, lines, errors, damaged_files })
}

fn read(answer: &Answer) -> Result<Vec<SpanRecord>, QueryError> {
    let mut found = Vec::new();
    for batch in Columns::of(answer) {
        let (ts, durations) = (batch.times("ts")?, batch.numbers("duration_us")?);
        let mut names = Vec::new();
        for name in ["service", "span_id", "name", "kind", "source"] {
            names.push(batch.names(name)?.into_iter());
        }
        let mut texts = Vec::new();
        for name in ["host", "parent_id", "status"] {
            texts.push(batch.texts(name)?.into_iter());
        }
        let mut attrs = batch.attrs("attrs")?.into_iter();
        for (ts, duration_us) in ts.into_iter().zip(durations) {
            let mut name = |at: usize| names[at].next().unwrap_or_default();
            let mut text = |at: usize| texts[at].next().flatten();
            found.push(SpanRecord {
                ts,
                service: name(0),
                span_id: name(1),
                name: name(2),
                kind: name(3),
                source: name(4),
                host: text(0),
                parent_id: text(1),
                status: text(2),
                duration_us,
                attrs: attrs.next().unwrap_or_default(),
            });
        }
    }
    Ok(found)
}
