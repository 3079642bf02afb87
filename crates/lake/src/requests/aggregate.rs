//! Matching rows counted: over time, by value, by time and duration.

use super::functions::{DURATION_BOUNDS_US, duration_step};
use super::{MAX_STEPS, predicate};
use crate::QueryError;
use crate::query::{Answer, Reader};
use base::{TimeRange, Timestamp};
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{self as logical, Expr, col, lit, when};
use signal::Table;
use signal::filter::{Field, NumberField};

/// Most values of [`Facets`].
const MAX_FACETS: usize = 200;

/// Matching rows over time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Histogram {
    /// Width of a bar, microseconds.
    pub step_us: i64,
    /// A bar for each step of the range, also for those without rows.
    pub bars: Vec<Bar>,
    /// Rows in all bars.
    pub total: u64,
    /// Damaged files that were left out.
    pub damaged_files: Vec<String>,
}

/// Matching rows of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bar {
    /// Start of the step.
    pub start: Timestamp,
    /// Rows with a status below 400.
    pub ok: u64,
    /// Rows with a status of 400 to 499.
    pub client_errors: u64,
    /// Rows with a status of 500 or more.
    pub server_errors: u64,
}

/// The commonest values of a field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facets {
    /// Values with the number of rows, the commonest first.
    pub values: Vec<(String, u64)>,
    /// Damaged files that were left out.
    pub damaged_files: Vec<String>,
}

/// Durations by time and length.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeatMap {
    /// Width of a step of time, microseconds.
    pub step_us: i64,
    /// Longest duration of each row of cells, microseconds; each 1.41 times the one before. Durations above the last
    /// possible bound are counted in it.
    pub bounds_us: Vec<u64>,
    /// For each step of the range: its start, and the rows for each bound.
    pub cells: Vec<(Timestamp, Vec<u64>)>,
    /// Damaged files that were left out.
    pub damaged_files: Vec<String>,
}

/// The steps of a range.
struct Steps {
    first: Timestamp,
    step_us: i64,
    number: usize,
}

impl Steps {
    fn new(range: TimeRange, step_us: i64) -> Result<Self, QueryError> {
        if step_us <= 0 {
            return Err(QueryError::Invalid("a step has to be longer than nothing".into()));
        }
        let first = range.from.floor(step_us);
        let length = range.to.micros().saturating_sub(first.micros()).max(0);
        let number =
            usize::try_from(length.div_euclid(step_us) + i64::from(length % step_us != 0)).unwrap_or(usize::MAX);
        if number > MAX_STEPS {
            let text =
                format!("the range has {number} steps, {MAX_STEPS} allowed; take longer steps or a shorter range");
            return Err(QueryError::Invalid(text));
        }
        Ok(Self { first, step_us, number })
    }

    /// Number of the step of a row.
    fn index(&self) -> Expr {
        (logical::cast(col("ts"), DataType::Int64) - lit(self.first.micros())) / lit(self.step_us)
    }

    fn start(&self, index: usize) -> Timestamp {
        let offset = i64::try_from(index).unwrap_or(i64::MAX).saturating_mul(self.step_us);
        self.first.plus_micros(offset)
    }
}

/// Groups of two numbers and the rows in each.
async fn counted(
    reader: &Reader,
    range: TimeRange,
    wanted: Option<Expr>,
    (first, second): (Expr, Expr),
    limit: usize,
) -> Result<(Vec<(usize, usize, u64)>, Vec<String>), QueryError> {
    let build = |frame: datafusion::dataframe::DataFrame| {
        let frame = match wanted {
            Some(wanted) => frame.filter(wanted)?,
            None => frame,
        };
        let groups = vec![first.alias("first"), logical::cast(second, DataType::Int64).alias("second")];
        frame.aggregate(groups, vec![count(lit(1i64)).alias("rows")])
    };
    let answer = reader.frame(Table::Requests, range, limit, build).await?;
    let mut groups = Vec::new();
    for batch in &answer.batches {
        let column = |at: usize| batch.column(at).as_primitive::<Int64Type>().values();
        let number = |value: i64| usize::try_from(value).unwrap_or(usize::MAX);
        for row in 0..batch.num_rows() {
            let rows = u64::try_from(column(2)[row]).unwrap_or(0);
            groups.push((number(column(0)[row]), number(column(1)[row]), rows));
        }
    }
    Ok((groups, answer.stats.damaged_files))
}

/// Rows by step and kind of status.
pub async fn histogram(
    reader: &Reader,
    range: TimeRange,
    wanted: Option<Expr>,
    step_us: i64,
) -> Result<Histogram, QueryError> {
    let steps = Steps::new(range, step_us)?;
    let kind = when(col("status").gt_eq(lit(500)), lit(2i64)).when(col("status").gt_eq(lit(400)), lit(1i64));
    let kind = { kind }.otherwise(lit(0i64)).map_err(|error| QueryError::Failed(error.to_string()))?;
    let (groups, damaged_files) = counted(reader, range, wanted, (steps.index(), kind), steps.number * 3).await?;
    let mut bars: Vec<Bar> = (0..steps.number).map(|at| Bar { start: steps.start(at), ..Bar::default() }).collect();
    let mut total = 0;
    for (step, kind, rows) in groups {
        let Some(bar) = bars.get_mut(step) else { continue };
        total += rows;
        match kind {
            0 => bar.ok += rows,
            1 => bar.client_errors += rows,
            _ => bar.server_errors += rows,
        }
    }
    Ok(Histogram { step_us, bars, total, damaged_files })
}

/// The commonest values.
pub async fn facets(
    reader: &Reader,
    range: TimeRange,
    wanted: Option<Expr>,
    field: &str,
    limit: usize,
) -> Result<Facets, QueryError> {
    let field = Field::named(field);
    if matches!(field, Field::Number(NumberField::Duration | NumberField::Bytes)) {
        return Err(QueryError::Invalid(
            "durations and bytes have no common values; use status or a field of text".into(),
        ));
    }
    let limit = limit.clamp(1, MAX_FACETS);
    let build = |frame: datafusion::dataframe::DataFrame| {
        let frame = match wanted {
            Some(wanted) => frame.filter(wanted)?,
            None => frame,
        };
        let value = predicate::field(&field);
        let frame = frame.aggregate(vec![value.alias("value")], vec![count(lit(1i64)).alias("rows")])?;
        let order = vec![col("rows").sort(false, false), col("value").sort(true, false)];
        frame.filter(col("value").is_not_null())?.sort(order)?.limit(0, Some(limit))
    };
    let answer = reader.frame(Table::Requests, range, limit, build).await?;
    let values = text_and_count(&answer)?;
    Ok(Facets { values, damaged_files: answer.stats.damaged_files })
}

fn text_and_count(answer: &Answer) -> Result<Vec<(String, u64)>, QueryError> {
    let mut values = Vec::with_capacity(answer.stats.rows);
    for batch in &answer.batches {
        let texts =
            cast(batch.column(0), &DataType::Utf8View).map_err(|error| QueryError::Failed(error.to_string()))?;
        let (texts, counts) = (texts.as_string_view(), batch.column(1).as_primitive::<Int64Type>());
        for row in 0..texts.len() {
            values.push((texts.value(row).to_owned(), u64::try_from(counts.value(row)).unwrap_or(0)));
        }
    }
    Ok(values)
}

/// Durations by step of time and of length.
pub async fn heatmap(
    reader: &Reader,
    range: TimeRange,
    wanted: Option<Expr>,
    steps: usize,
) -> Result<HeatMap, QueryError> {
    let wanted_steps = i64::try_from(steps.clamp(1, MAX_STEPS / 2)).unwrap_or(1);
    let length = range.micros().max(1);
    let step_us = length.div_euclid(wanted_steps) + i64::from(length % wanted_steps != 0);
    let steps = Steps::new(range, step_us)?;
    let timed = wanted.into_iter().fold(col("duration_us").is_not_null(), Expr::and);
    let limit = steps.number * DURATION_BOUNDS_US.len();
    let (groups, damaged_files) = counted(reader, range, Some(timed), (steps.index(), duration_step()), limit).await?;
    let lowest = groups.iter().map(|(_, bound, _)| *bound).min().unwrap_or(0);
    let highest = groups.iter().map(|(_, bound, _)| *bound).max().unwrap_or(0);
    let used = if groups.is_empty() { 0..0 } else { lowest..highest + 1 };
    let mut cells: Vec<(Timestamp, Vec<u64>)> =
        (0..steps.number).map(|at| (steps.start(at), vec![0; used.len()])).collect();
    for (step, bound, rows) in groups {
        if let Some(cell) = cells.get_mut(step).and_then(|(_, cells)| cells.get_mut(bound - lowest)) {
            *cell += rows;
        }
    }
    Ok(HeatMap { step_us, bounds_us: DURATION_BOUNDS_US[used].to_vec(), cells, damaged_files })
}
