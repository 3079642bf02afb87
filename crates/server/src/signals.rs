//! The golden signals of services and hosts, as the API tells them. Read from roll-ups and samples, never raw lines.

use base::{TimeRange, Timestamp};
use lake::arrow::array::cast::AsArray;
use lake::arrow::array::{Array, RecordBatch};
use lake::arrow::datatypes::{Float64Type, Int64Type};
use lake::{Lake, Query, QueryError, ServiceWindows, WindowQuery};
use perf::interval::wilson;
use serde::Serialize;
use signal::Sum;
use std::collections::BTreeMap;

/// A chart point: seconds since the epoch, and the value or null where nothing was observed.
pub type Point = (i64, Option<f64>);

/// Seconds since the epoch, as chart points are written.
pub fn seconds(micros: i64) -> i64 {
    micros.div_euclid(1_000_000)
}

/// Counts of a window with their error ratio and latency.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Totals {
    /// Requests.
    pub requests: u64,
    /// Requests answered with 500 to 599.
    pub errors: u64,
    /// `errors / requests`; null without requests.
    pub error_ratio: Option<f64>,
    /// Lower end of the 95 % interval of the ratio.
    pub error_ratio_low: Option<f64>,
    /// Upper end of the 95 % interval of the ratio.
    pub error_ratio_high: Option<f64>,
    /// Requests with a known duration.
    pub timed: u64,
    /// Median, milliseconds.
    pub p50_ms: Option<f64>,
    /// 95th percentile, milliseconds.
    pub p95_ms: Option<f64>,
    /// 99th percentile, milliseconds.
    pub p99_ms: Option<f64>,
}

/// A quantile of a sum in milliseconds.
pub fn quantile_ms(sum: &Sum, q: f64) -> Option<f64> {
    sum.latency.quantile_us(q).map(|us| us / 1000.0)
}

impl Totals {
    /// Of a sum.
    pub fn of(sum: &Sum) -> Self {
        let interval = wilson(sum.errors, sum.count);
        Self {
            requests: sum.count,
            errors: sum.errors,
            error_ratio: ratio(sum.errors, sum.count),
            error_ratio_low: interval.map(|interval| interval.low),
            error_ratio_high: interval.map(|interval| interval.high),
            timed: sum.timed,
            p50_ms: quantile_ms(sum, 0.5),
            p95_ms: quantile_ms(sum, 0.95),
            p99_ms: quantile_ms(sum, 0.99),
        }
    }
}

/// `part / whole`; nothing of nothing is no ratio.
pub fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Latency, traffic and errors over time.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct Series {
    /// Median, milliseconds.
    #[schema(value_type = Vec<Vec<Option<f64>>>)]
    pub latency_p50_ms: Vec<Point>,
    /// 95th percentile, milliseconds.
    #[schema(value_type = Vec<Vec<Option<f64>>>)]
    pub latency_p95_ms: Vec<Point>,
    /// 99th percentile, milliseconds.
    #[schema(value_type = Vec<Vec<Option<f64>>>)]
    pub latency_p99_ms: Vec<Point>,
    /// Requests a second.
    #[schema(value_type = Vec<Vec<Option<f64>>>)]
    pub traffic_per_s: Vec<Point>,
    /// Share of requests answered with 5xx.
    #[schema(value_type = Vec<Vec<Option<f64>>>)]
    pub error_ratio: Vec<Point>,
    /// How full the host is: ratios from 0 to 1 by resource.
    #[schema(value_type = BTreeMap<String, Vec<Vec<Option<f64>>>>)]
    pub saturation: BTreeMap<&'static str, Vec<Point>>,
}

/// When Koshu was there to observe: steps outside it are unknown, steps inside it without requests had none.
#[derive(Debug, Clone, Copy)]
pub struct Observed {
    /// First step with anything at all.
    pub from: i64,
    /// The last moment that can have been observed.
    pub to: i64,
}

/// The steps of a window as series. Steps before the first and after the last observation are null.
pub fn series(service: Option<&ServiceWindows>, range: TimeRange, step_s: i64, now: Timestamp) -> Series {
    let mut out = Series::default();
    let Some(service) = service else { return out };
    let step_us = step_s * 1_000_000;
    let Some((&first, _)) = service.steps.first_key_value() else { return out };
    let last = now.micros().min(range.to.micros());
    let mut at = range.from.floor(step_us).micros();
    while at < range.to.micros() {
        let sum = service.steps.get(&at);
        let t = seconds(at);
        let observed = at >= first && at < last;
        // The current step is not over: its rate counts the seconds that passed.
        let length = (last.min(at + step_us) - at.max(range.from.floor(60_000_000).micros())).max(1_000_000);
        let count = sum.map_or(0, |sum| sum.count);
        out.traffic_per_s.push((t, observed.then(|| count as f64 / (length as f64 / 1e6))));
        out.error_ratio.push((t, sum.and_then(|sum| ratio(sum.errors, sum.count))));
        let quantile = |q| (t, sum.and_then(|sum| quantile_ms(sum, q)));
        out.latency_p50_ms.push(quantile(0.5));
        out.latency_p95_ms.push(quantile(0.95));
        out.latency_p99_ms.push(quantile(0.99));
        at += step_us;
    }
    out
}

/// Windows of one service, or of all.
pub async fn read(
    lake: &Lake,
    range: TimeRange,
    service: Option<&str>,
    route: Option<&str>,
    step_s: i64,
) -> Result<lake::Windows, QueryError> {
    let query = WindowQuery {
        range,
        service: service.map(str::to_owned),
        route: route.map(str::to_owned),
        step_us: step_s * 1_000_000,
    };
    lake.windows(&query).await
}

/// What the API calls a resource, and the sample that tells it.
pub const RESOURCES: [(&str, &str); 7] = [
    ("cpu", "cpu.busy_ratio"),
    ("memory", "memory.used_ratio"),
    ("disk", "disk.used_ratio"),
    ("network", "network.used_ratio"),
    ("pressure_cpu", "pressure.cpu_some_ratio"),
    ("pressure_memory", "pressure.memory_some_ratio"),
    ("pressure_io", "pressure.io_some_ratio"),
];

/// How full the host was: the mean over each step; of several disks or interfaces the fullest counts.
pub async fn saturation(
    lake: &Lake,
    range: TimeRange,
    host: &str,
    step_s: i64,
) -> Result<BTreeMap<&'static str, Vec<Point>>, QueryError> {
    let step_us = step_s * 1_000_000;
    let names: Vec<String> = RESOURCES.iter().map(|(_, name)| format!("'{name}'")).collect();
    let host = host.replace('\'', "''");
    let sql = format!(
        "SELECT name, step, max(value) AS value FROM (
             SELECT name, CAST(ts AS BIGINT) / {step_us} AS step,
                 coalesce(attrs['mount'], attrs['interface'], attrs['device'], '') AS label, avg(value) AS value
             FROM samples WHERE name IN ({}) AND host = '{host}' GROUP BY 1, 2, 3)
         GROUP BY 1, 2 ORDER BY 1, 2",
        names.join(", ")
    );
    let answer = lake.sql(&Query { sql, range, limit: 100_000 }).await?;
    let mut found: BTreeMap<(String, i64), f64> = BTreeMap::new();
    for batch in &answer.batches {
        let (names, steps, values) = (texts(batch, 0), ints(batch, 1), floats(batch, 2));
        for row in 0..batch.num_rows() {
            if let (Some(name), Some(step), Some(value)) = (&names[row], steps[row], values[row]) {
                found.insert((name.clone(), step), value);
            }
        }
    }
    let mut out = BTreeMap::new();
    for (resource, name) in RESOURCES {
        let mut points = Vec::new();
        let mut step = range.from.micros().div_euclid(step_us);
        while step * step_us < range.to.micros() {
            points.push((seconds(step * step_us), found.get(&(name.to_owned(), step)).copied()));
            step += 1;
        }
        if points.iter().any(|point| point.1.is_some()) {
            out.insert(resource, points);
        }
    }
    Ok(out)
}

/// A column of texts.
pub fn texts(batch: &RecordBatch, column: usize) -> Vec<Option<String>> {
    let array = lake::arrow::compute::cast(batch.column(column), &lake::arrow::datatypes::DataType::Utf8);
    match array {
        Ok(array) => array.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect(),
        Err(_) => vec![None; batch.num_rows()],
    }
}

/// A column of whole numbers.
pub fn ints(batch: &RecordBatch, column: usize) -> Vec<Option<i64>> {
    match batch.column(column).as_primitive_opt::<Int64Type>() {
        Some(array) => array.iter().collect(),
        None => vec![None; batch.num_rows()],
    }
}

/// A column of numbers.
pub fn floats(batch: &RecordBatch, column: usize) -> Vec<Option<f64>> {
    match batch.column(column).as_primitive_opt::<Float64Type>() {
        Some(array) => array.iter().collect(),
        None => vec![None; batch.column(column).len()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_without_requests_is_zero_traffic_only_while_somebody_observed() {
        let mut service = ServiceWindows::default();
        let minute = |n: i64| n * 60_000_000;
        for at in [2, 4] {
            service.steps.entry(minute(at)).or_default().count = 60;
        }
        let range = TimeRange { from: Timestamp::from_micros(0), to: Timestamp::from_micros(minute(8)) };
        let now = Timestamp::from_micros(minute(6));
        let series = series(Some(&service), range, 60, now);
        let traffic: Vec<Option<f64>> = series.traffic_per_s.iter().map(|point| point.1).collect();
        let expected = [None, None, Some(1.0), Some(0.0), Some(1.0), Some(0.0), None, None];
        assert_eq!(traffic, expected);
        assert!(series.error_ratio[3].1.is_none(), "no request has no error ratio");
        assert!(series.latency_p95_ms[2].1.is_none(), "unknown durations are no latency");
    }

    #[test]
    fn totals_without_requests_have_no_ratio() {
        let totals = Totals::of(&Sum::default());
        assert_eq!((totals.error_ratio, totals.error_ratio_high, totals.p95_ms), (None, None, None));
    }
}
