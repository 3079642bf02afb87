//! Reads what [`super::judge`] judges: of the people and routes with a server error, every try.
//!
//! Hours whose requests are all sealed are judged once and kept; only what is new is read again. So the cost of a day
//! does not grow with its traffic, but for the hour that is going on.

use super::judge::{Disappointed, Failure, Try, failures, judge};
use crate::QueryError;
use crate::query::{QueryStats, Reader};
use crate::stamped::StampedCache;
use crate::state::{RequestStamp, State};
use base::{TimeRange, Timestamp};
use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType};
use datafusion::common::ScalarValue;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, JoinType, cast, col, lit};
use jiff::tz::TimeZone;
use signal::Table;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most tries that are judged at once.
const MAX_TRIES: usize = 1_000_000;
/// Hours that are read at once when none of them is known.
const HOURS_AT_ONCE: i64 = 6;
const HOUR: i64 = 3_600_000_000;
/// Memory of a failure beside its user's name.
const FAILURE_BYTES: usize = size_of::<Failure>() + 16;

/// Hours that were judged before, by service, start and window.
pub type JudgedCache = StampedCache<(Arc<str>, i64, i64), RequestStamp, Judged>;

/// What was found in an hour.
#[derive(Debug, Default)]
pub struct Judged {
    failures: Vec<Failure>,
    /// Times of the failed requests that no person is known for, by second, with their number.
    unknown: Vec<(Timestamp, u64)>,
}

impl Judged {
    fn heap_bytes(&self) -> u64 {
        let failures = self.failures.iter().map(|failure| FAILURE_BYTES + failure.user.len()).sum::<usize>();
        (failures + self.unknown.len() * size_of::<(Timestamp, u64)>()) as u64
    }
}

/// Where to read and what to remember.
pub struct Sources<'a> {
    /// The rows.
    pub reader: &'a Reader,
    /// Which of them are sealed.
    pub state: &'a State,
    /// What is known already.
    pub cache: &'a JudgedCache,
}

/// Who was disappointed.
pub async fn disappointed(
    sources: &Sources<'_>,
    range: TimeRange,
    service: &str,
    time_zone: &TimeZone,
    window_us: i64,
) -> Result<Disappointed, QueryError> {
    let window_us = window_us.max(0);
    let name: Arc<str> = service.into();
    let hours = sources.state.request_hours(range);
    let (mut found, mut missing) = (Vec::new(), BTreeMap::new());
    for start in hours.starts(range) {
        // A whole hour serves every range that starts inside it; one that the range ends in is read for itself.
        let whole = range.to.micros() >= start + HOUR;
        let stamp = if whole { hours.stamp(start, start + HOUR + window_us + 1) } else { None };
        let key = (Arc::clone(&name), start, window_us);
        match stamp.as_ref().and_then(|stamp| sources.cache.get(&key, stamp)) {
            Some(known) => found.push(known),
            None => drop(missing.insert(start, stamp)),
        }
    }
    let mut stats = QueryStats::default();
    for span in spans(&missing, range) {
        let mut fresh = read(sources.reader, span, service, window_us, &mut stats).await?;
        for (&start, stamp) in missing.range(span.from.micros()..span.to.micros()) {
            let judged = Arc::new(fresh.remove(&start).unwrap_or_default());
            if let Some(stamp) = stamp.clone().filter(|_| !stats.truncated && stats.damaged_files.is_empty()) {
                sources.cache.put(
                    (Arc::clone(&name), start, window_us),
                    stamp,
                    Arc::clone(&judged),
                    judged.heap_bytes(),
                );
            }
            found.push(judged);
        }
    }
    let all = found.iter().flat_map(|judged| &judged.failures);
    let mut out = judge(all.filter(|failure| range.contains(failure.last)).collect(), time_zone);
    let unknown = found.iter().flat_map(|judged| &judged.unknown);
    let from = range.from.floor(1_000_000);
    out.unknown_users = unknown.filter(|(at, _)| *at >= from && *at < range.to).map(|(_, count)| count).sum();
    if stats.truncated {
        out.partial = Some(format!(
            "people with server errors made more tries than are judged at once ({MAX_TRIES}); take a shorter range"
        ));
    }
    stats.damaged_files.sort();
    stats.damaged_files.dedup();
    out.damaged_files = stats.damaged_files;
    Ok(out)
}

/// Stretches of missing hours, from the start of an hour to the end of one or of the range.
fn spans(missing: &BTreeMap<i64, Option<RequestStamp>>, range: TimeRange) -> Vec<TimeRange> {
    let mut out: Vec<TimeRange> = Vec::new();
    for &start in missing.keys() {
        let (from, to) = (Timestamp::from_micros(start), Timestamp::from_micros(start + HOUR).min(range.to));
        match out.last_mut() {
            Some(last) if last.to == from && last.micros() < HOURS_AT_ONCE * HOUR => last.to = to,
            _ => out.push(TimeRange { from, to }),
        }
    }
    out
}

/// Reads and judges a stretch, hour by hour.
async fn read(
    reader: &Reader,
    span: TimeRange,
    service: &str,
    window_us: i64,
    stats: &mut QueryStats,
) -> Result<BTreeMap<i64, Judged>, QueryError> {
    let failed =
        || col("service").eq(lit(service)).and(col("status").gt_eq(lit(500))).and(col("ts").lt(moment(span.to)));
    let nobody = failed().and(col("user_key").is_null());
    let unknown = |frame: DataFrame| {
        let second = (cast(col("ts"), DataType::Int64) - lit(span.from.micros())) / lit(1_000_000i64);
        frame.filter(nobody)?.aggregate(vec![second.alias("second")], vec![count(lit(1i64)).alias("rows")])
    };
    let seconds = usize::try_from(span.micros() / 1_000_000 + 1).unwrap_or(usize::MAX);
    let unknown = reader.frame(Table::Requests, span, seconds, unknown).await?;

    // A retry may come after the end.
    let with_retries = TimeRange { from: span.from, to: span.to.plus_micros(window_us).plus_micros(1) };
    let somebody = failed().and(col("user_key").is_not_null());
    let tries = |frame: DataFrame| tries_of(frame, service, somebody);
    let answer = reader.frame(Table::Requests, with_retries, MAX_TRIES, tries).await?;

    let mut out: BTreeMap<i64, Judged> = BTreeMap::new();
    let hour_of = |at: Timestamp| at.floor(HOUR).micros();
    for failure in failures(answer.batches.iter().flat_map(tries_in).collect(), span, window_us) {
        out.entry(hour_of(failure.last)).or_default().failures.push(failure);
    }
    for (second, rows) in unknown.batches.iter().flat_map(seconds_in) {
        let at = span.from.plus_seconds(second);
        out.entry(hour_of(at)).or_default().unknown.push((at, rows));
    }
    stats.truncated |= answer.stats.truncated || unknown.stats.truncated;
    stats.damaged_files.extend(answer.stats.damaged_files);
    stats.damaged_files.extend(unknown.stats.damaged_files);
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
    let tries = frame.filter(col("service").eq(lit(service)).and(col("user_key").is_not_null()))?.select(vec![
        col("ts"),
        col("user_key"),
        col("route"),
        col("status"),
    ])?;
    // The few pairs are what is remembered while the many tries pass by.
    pairs.join(tries, JoinType::RightSemi, &["failed_user", "failed_route"], &["user_key", "route"], None)
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

fn seconds_in(batch: &RecordBatch) -> impl Iterator<Item = (i64, u64)> {
    let seconds = batch.column(0).as_primitive::<Int64Type>().values();
    let counts = batch.column(1).as_primitive::<Int64Type>().values();
    seconds.iter().zip(counts).map(|(second, count)| (*second, u64::try_from(*count).unwrap_or(0)))
}
