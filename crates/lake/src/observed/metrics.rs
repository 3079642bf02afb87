//! Metrics over time: which there are, and one of them as lines split by a label.
//!
//! A counter is read as its rate: for each series what it grew by between two samples, over the time between them. A
//! value lower than the one before means that the counter began anew, so all of it is growth. Rates of series add up;
//! values of series are folded as the question says, after each series' own mean in the step.

use super::columns::{Columns, merge_damaged};
use super::steps::Steps;
use crate::QueryError;
use crate::query::Reader;
use crate::requests::functions::attr;
use base::{TimeRange, Timestamp};
use datafusion::arrow::datatypes::DataType;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::{avg, count_distinct, last_value, max, min, sum};
use datafusion::functions_window::expr_fn::lag;
use datafusion::logical_expr::{Expr, ExprFunctionExt, cast, col, lit, when};
use signal::Table;
use std::collections::{BTreeMap, BTreeSet};

/// Most names of metrics, counted once for each service.
const MAX_NAMES: usize = 5_000;
/// Most lines of an answer.
pub const MAX_METRIC_LINES: usize = 50;
/// Most values of a label that are counted.
const MAX_VALUES: usize = 10_000;
/// Series whose labels are looked at.
const MAX_LABELLED: usize = 2_000;
/// How long before the range a counter's last value is looked for: five minutes.
const LOOK_BACK_US: i64 = 300_000_000;

/// A metric.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetricName {
    /// Its name.
    pub name: String,
    /// Different series.
    pub series: u64,
    /// Services that sent it.
    pub services: Vec<String>,
    /// Its last sample in the range.
    pub last_seen: Timestamp,
}

/// Metrics.
#[derive(Debug, Clone, Default)]
pub struct MetricNames {
    /// By name.
    pub names: Vec<MetricName>,
    /// Whether there are more.
    pub more: bool,
    /// Damaged files that were left out.
    pub damaged_files: Vec<String>,
}

/// How the series of a line become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fold {
    /// Their mean.
    #[default]
    Mean,
    /// Their sum.
    Sum,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

/// A question about one metric.
#[derive(Debug, Clone)]
pub struct MetricQuery {
    /// Its name.
    pub name: String,
    /// Samples inside this range.
    pub range: TimeRange,
    /// Samples of this service.
    pub service: Option<String>,
    /// Width of a step, microseconds.
    pub step_us: i64,
    /// Label that splits it into lines; `service` and `host` are labels, too.
    pub by: Option<String>,
    /// As growth a second.
    pub rate: bool,
    /// How series become one value; rates always add up.
    pub fold: Fold,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricLine {
    /// Value of the label; `None` where series don't have it, and when nothing splits.
    pub label: Option<String>,
    /// Series in it.
    pub series: u64,
    /// A value for each step; `None` where nothing was measured.
    pub values: Vec<Option<f64>>,
}

/// A metric over time.
#[derive(Debug, Clone, Default)]
pub struct MetricSeries {
    /// Start of each step.
    pub starts: Vec<Timestamp>,
    /// The largest lines.
    pub lines: Vec<MetricLine>,
    /// Lines that were left out.
    pub lines_left_out: usize,
    /// Series altogether.
    pub series: u64,
    /// Labels that could split it, with how many values each has.
    pub labels: Vec<(String, usize)>,
    /// Damaged files that were left out.
    pub damaged_files: Vec<String>,
}

/// Names of metrics.
pub async fn names(reader: &Reader, range: TimeRange) -> Result<MetricNames, QueryError> {
    let build = |frame: DataFrame| {
        let sums = vec![count_distinct(col("series")).alias("series"), max(col("ts")).alias("last")];
        let frame = frame.aggregate(vec![col("name"), col("service")], sums)?;
        let sort = vec![col("name").sort(true, false), col("service").sort(true, false)];
        frame.sort(sort)?.limit(0, Some(MAX_NAMES + 1))
    };
    let answer = reader.frame(Table::Samples, range, MAX_NAMES, build).await?;
    let mut found: BTreeMap<String, MetricName> = BTreeMap::new();
    for batch in Columns::of(&answer) {
        let (names, services) = (batch.names("name")?, batch.texts("service")?);
        let (series, last) = (batch.counts("series")?, batch.times("last")?);
        for row in 0..batch.rows() {
            let metric = found.entry(names[row].clone()).or_default();
            metric.name.clone_from(&names[row]);
            // The service is part of what tells series apart.
            metric.series += series[row];
            metric.services.extend(services[row].clone());
            metric.last_seen = metric.last_seen.max(last[row]);
        }
    }
    Ok(MetricNames {
        names: found.into_values().collect(),
        more: answer.stats.truncated,
        damaged_files: answer.stats.damaged_files,
    })
}

/// The value of a label.
fn label(by: Option<&str>) -> Expr {
    match by {
        None => lit(""),
        Some("service") => col("service"),
        Some("host") => col("host"),
        Some(key) => attr(key),
    }
}

/// Its samples that are numbers: senders mark the end of a series with one that is none.
fn selected(query: &MetricQuery) -> Expr {
    // Numbers are compared in their total order, in which both kinds of NaN lie beyond the infinities.
    let finite = col("value").lt(lit(f64::INFINITY)).and(col("value").gt(lit(f64::NEG_INFINITY)));
    let name = col("name").eq(lit(query.name.as_str())).and(finite);
    match &query.service {
        Some(service) => name.and(col("service").eq(lit(service.as_str()))),
        None => name,
    }
}

/// Samples with their label; as rates with growth and the time it took.
fn samples(frame: DataFrame, query: &MetricQuery) -> Result<DataFrame, DataFusionError> {
    let frame = frame.filter(selected(query))?;
    let label = label(query.by.as_deref()).alias("label");
    if !query.rate {
        return frame.select(vec![col("ts"), col("series"), label, col("value")]);
    }
    let is_delta = attr("temporality").eq(lit("delta")).is_true().alias("is_delta");
    let frame = frame.select(vec![col("ts"), col("series"), label, col("value"), is_delta])?;
    let before = |column: &str| {
        let window = lag(col(column), Some(1), None).partition_by(vec![col("series")]);
        window.order_by(vec![col("ts").sort(true, false)]).build()
    };
    let frame = frame.window(vec![before("value")?.alias("before"), before("ts")?.alias("ts_before")])?;
    let micros = |column: &str| cast(col(column), DataType::Int64);
    let grown = when(col("is_delta"), col("value"))
        .when(col("value").gt_eq(col("before")), col("value") - col("before"))
        .otherwise(col("value"))?;
    let frame = frame.filter(col("before").is_not_null().and(col("ts").gt(col("ts_before"))))?;
    frame.select(vec![
        col("ts"),
        col("series"),
        col("label"),
        grown.alias("value"),
        (micros("ts") - micros("ts_before")).alias("took_us"),
    ])
}

/// One value for each series and step, then one for each line and step.
fn folded(frame: DataFrame, query: &MetricQuery, steps: Steps) -> Result<DataFrame, DataFusionError> {
    let own = if query.rate {
        let took_s = cast(sum(col("took_us")), DataType::Float64) / lit(1_000_000.0);
        let sums = vec![sum(col("value")).alias("grown"), took_s.alias("took_s")];
        let frame = frame.aggregate(by_series(steps), sums)?;
        frame.select(vec![col("label"), col("series"), col("step"), (col("grown") / col("took_s")).alias("own")])?
    } else {
        frame.aggregate(by_series(steps), vec![avg(col("value")).alias("own")])?
    };
    let value = match (query.rate, query.fold) {
        (true, _) | (false, Fold::Sum) => sum(col("own")),
        (false, Fold::Mean) => avg(col("own")),
        (false, Fold::Min) => min(col("own")),
        (false, Fold::Max) => max(col("own")),
    };
    let sums = vec![value.alias("value"), count_distinct(col("series")).alias("series")];
    own.aggregate(vec![col("label"), col("step")], sums)
}

fn by_series(steps: Steps) -> Vec<Expr> {
    vec![col("label"), col("series"), steps.index().alias("step")]
}

/// One metric as lines.
pub async fn series(reader: &Reader, query: &MetricQuery) -> Result<MetricSeries, QueryError> {
    let steps = Steps::new(query.range, query.step_us)?;
    let mut found =
        MetricSeries { starts: (0..steps.number).map(|at| steps.start(at)).collect(), ..MetricSeries::default() };
    labels(reader, query, &mut found).await?;
    let look_back = if query.rate { query.step_us.max(LOOK_BACK_US) } else { 0 };
    let range = TimeRange { from: query.range.from.plus_micros(-look_back), to: query.range.to };
    let chosen = largest(reader, query, range, &mut found).await?;
    if chosen.is_empty() {
        return Ok(found);
    }
    let wanted = chosen_labels(&chosen);
    let build = |frame: DataFrame| {
        let frame = samples(frame, query)?.filter(wanted)?;
        folded(frame.filter(col("ts").gt_eq(moment(query.range.from)))?, query, steps)
    };
    let answer = reader.frame(Table::Samples, range, MAX_METRIC_LINES * steps.number, build).await?;
    merge_damaged(&mut found.damaged_files, &answer);
    let empty = |(label, series): (Option<String>, u64)| MetricLine { label, series, values: vec![None; steps.number] };
    found.lines = chosen.into_iter().map(empty).collect();
    for batch in Columns::of(&answer) {
        let (labels, at, values) = (batch.texts("label")?, batch.numbers("step")?, batch.values("value")?);
        for row in 0..batch.rows() {
            let line = found.lines.iter_mut().find(|line| line.label == labels[row]);
            if let (Some(line), Some(step)) = (line, steps.of(at[row])) {
                line.values[step] = values[row].filter(|value| value.is_finite());
            }
        }
    }
    Ok(found)
}

fn moment(at: Timestamp) -> Expr {
    lit(datafusion::common::ScalarValue::TimestampMicrosecond(Some(at.micros()), Some("UTC".into())))
}

fn chosen_labels(chosen: &[(Option<String>, u64)]) -> Expr {
    let named: Vec<Expr> = chosen.iter().filter_map(|(label, _)| label.as_deref()).map(lit).collect();
    let of_named = if named.is_empty() { lit(false) } else { col("label").in_list(named, false) };
    if chosen.iter().any(|(label, _)| label.is_none()) { of_named.or(col("label").is_null()) } else { of_named }
}

/// The lines to show, those with the largest values first, and how many there are.
async fn largest(
    reader: &Reader,
    query: &MetricQuery,
    range: TimeRange,
    found: &mut MetricSeries,
) -> Result<Vec<(Option<String>, u64)>, QueryError> {
    let build = |frame: DataFrame| {
        let frame = samples(frame, query)?.filter(col("ts").gt_eq(moment(query.range.from)))?;
        let weight = if query.rate || query.fold == Fold::Sum { sum(col("value")) } else { avg(col("value")) };
        let sums = vec![count_distinct(col("series")).alias("series"), weight.alias("weight")];
        let frame = frame.aggregate(vec![col("label")], sums)?;
        let sort = vec![col("weight").sort(false, false), col("label").sort(true, false)];
        frame.sort(sort)?.limit(0, Some(MAX_VALUES + 1))
    };
    let answer = reader.frame(Table::Samples, range, MAX_VALUES, build).await?;
    merge_damaged(&mut found.damaged_files, &answer);
    let mut all = Vec::new();
    for batch in Columns::of(&answer) {
        all.extend(batch.texts("label")?.into_iter().zip(batch.counts("series")?));
    }
    found.series = all.iter().map(|(_, series)| series).sum();
    found.lines_left_out = all.len().saturating_sub(MAX_METRIC_LINES) + usize::from(answer.stats.truncated);
    all.truncate(MAX_METRIC_LINES);
    Ok(all)
}

/// What the series of a metric can be split by.
async fn labels(reader: &Reader, query: &MetricQuery, found: &mut MetricSeries) -> Result<(), QueryError> {
    let build = |frame: DataFrame| {
        let last = |column: &str| last_value(col(column), vec![col("ts").sort(true, false)]).alias(column);
        let frame = frame.filter(selected(query))?;
        frame
            .aggregate(vec![col("series")], vec![last("service"), last("host"), last("attrs")])?
            .limit(0, Some(MAX_LABELLED))
    };
    let answer = reader.frame(Table::Samples, query.range, MAX_LABELLED, build).await?;
    merge_damaged(&mut found.damaged_files, &answer);
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut add = |key: &str, value: String| {
        values.entry(key.to_owned()).or_default().insert(value);
    };
    for batch in Columns::of(&answer) {
        for (key, texts) in [("service", batch.texts("service")?), ("host", batch.texts("host")?)] {
            texts.into_iter().flatten().for_each(|text| add(key, text));
        }
        for (key, value) in batch.attrs("attrs")?.into_iter().flatten() {
            add(&key, value);
        }
    }
    found.labels = values.into_iter().map(|(key, values)| (key, values.len())).collect();
    Ok(())
}
