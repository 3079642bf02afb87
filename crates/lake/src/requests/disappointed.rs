//! Reads what [`super::judge`] judges: of the people and routes with a server error, every try.

use super::judge::{Disappointed, Try, judge};
use crate::QueryError;
use crate::query::Reader;
use base::{TimeRange, Timestamp};
use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Int32Type, Int64Type, TimestampMicrosecondType};
use datafusion::common::ScalarValue;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, JoinType, col, lit};
use jiff::tz::TimeZone;
use signal::Table;

/// Most tries that are judged at once.
const MAX_TRIES: usize = 1_000_000;

/// Who was disappointed.
pub async fn disappointed(
    reader: &Reader,
    range: TimeRange,
    service: &str,
    time_zone: &TimeZone,
    window_us: i64,
) -> Result<Disappointed, QueryError> {
    let window_us = window_us.max(0);
    let failed =
        || col("service").eq(lit(service)).and(col("status").gt_eq(lit(500))).and(col("ts").lt(moment(range.to)));
    let nobody = failed().and(col("user_key").is_null());
    let unknown = |frame: DataFrame| frame.filter(nobody)?.aggregate(Vec::new(), vec![count(lit(1i64)).alias("rows")]);
    let unknown = reader.frame(Table::Requests, range, 1, unknown).await?;

    // A retry may come after the end of the range.
    let with_retries = TimeRange { from: range.from, to: range.to.plus_micros(window_us).plus_micros(1) };
    let somebody = failed().and(col("user_key").is_not_null());
    let tries = |frame: DataFrame| tries_of(frame, service, somebody);
    let answer = reader.frame(Table::Requests, with_retries, MAX_TRIES, tries).await?;
    let judged = answer.batches.iter().flat_map(tries_in).collect();
    let mut out = judge(judged, range.to, window_us, time_zone);
    out.unknown_users = unknown.batches.iter().map(first_count).sum();
    if answer.stats.truncated {
        out.partial = Some(format!(
            "people with server errors made more tries than are judged at once ({MAX_TRIES}); take a shorter range"
        ));
    }
    out.damaged_files = answer.stats.damaged_files;
    out.damaged_files.extend(unknown.stats.damaged_files);
    out.damaged_files.sort();
    out.damaged_files.dedup();
    Ok(out)
}

fn moment(at: Timestamp) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(Some(at.micros()), Some("UTC".into())))
}

/// Every try of the people and routes that have a failure.
fn tries_of(frame: DataFrame, service: &str, failed: Expr) -> Result<DataFrame, DataFusionError> {
    let pairs = frame
        .clone()
        .filter(failed)?
        .select(vec![col("user_key").alias("failed_user"), col("route").alias("failed_route")])?
        .distinct()?;
    frame
        .filter(col("service").eq(lit(service)).and(col("user_key").is_not_null()))?
        .select(vec![col("ts"), col("user_key"), col("route"), col("status")])?
        .join(pairs, JoinType::LeftSemi, &["user_key", "route"], &["failed_user", "failed_route"], None)
}

fn tries_in(batch: &RecordBatch) -> impl Iterator<Item = Try<'_>> {
    let ts = batch.column(0).as_primitive::<TimestampMicrosecondType>().values();
    let (users, routes) = (batch.column(1).as_string_view(), batch.column(2).as_string_view());
    let status = batch.column(3).as_primitive::<Int32Type>().values();
    (0..batch.num_rows()).map(move |row| Try {
        user: users.value(row),
        route: routes.value(row),
        ts: Timestamp::from_micros(ts[row]),
        status: status[row],
    })
}

fn first_count(batch: &RecordBatch) -> u64 {
    let counts = batch.column(0).as_primitive::<Int64Type>().values();
    counts.first().map_or(0, |count| u64::try_from(*count).unwrap_or(0))
}
