//! The requests table as people and programs get it.

use super::Options;
use super::accumulate::{Accumulator, Sums};
use crate::interval::wilson;
use base::Timestamp;
use protocols::access::{Format, RejectCount, Tally};
use serde::Serialize;
use signal::sketch::RELATIVE_ERROR;
use std::cmp::Reverse;
use std::str::FromStr;

/// Order of the rows: the largest first, routes with equal values by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequestSort {
    /// By all the time users waited; by count in a log without durations.
    #[default]
    Total,
    /// By number of requests.
    Count,
    /// By median.
    P50,
    /// By 95th percentile.
    P95,
    /// By 99th percentile.
    P99,
    /// By number of 5xx.
    Errors,
}

/// The name is no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no order; use one of total, count, p50, p95, p99, errors")]
pub struct UnknownSort(String);

impl FromStr for RequestSort {
    type Err = UnknownSort;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        Ok(match raw {
            "total" => Self::Total,
            "count" => Self::Count,
            "p50" => Self::P50,
            "p95" => Self::P95,
            "p99" => Self::P99,
            "errors" => Self::Errors,
            _ => return Err(UnknownSort(raw.to_owned())),
        })
    }
}

/// What `koshu access -o json` prints. Fields are only ever added.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// All lines: parsed + rejected.
    pub lines: u64,
    /// Lines that became requests.
    pub parsed: u64,
    /// Lines that did not.
    pub rejected: u64,
    /// Why not, with a masked sample of each.
    pub rejects: Vec<RejectCount>,
    /// The format; several names joined by `+` when files differ; null when none was found.
    pub format: Option<String>,
    /// What was found out about the columns, and what could not be.
    pub notes: Vec<String>,
    /// Time of the earliest request.
    pub from: Option<Timestamp>,
    /// Time of the latest request.
    pub to: Option<Timestamp>,
    /// Largest relative error of the quantiles; 0 when they are exact.
    pub quantile_error: f64,
    /// Sums over all routes.
    pub total: Total,
    /// Routes that were called, `(other)` not counted.
    pub routes: usize,
    /// How many routes are told apart.
    pub routes_limit: usize,
    /// About how many more routes there were, which are `(other)`.
    pub routes_over_limit: u64,
    /// Requests counted as `(other)`.
    pub other_requests: u64,
    /// One row a route, up to the limit that was asked for.
    pub rows: Vec<RequestsRow>,
}

/// Sums over all routes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Total {
    /// Requests.
    pub count: u64,
    /// Requests answered with 5xx.
    pub errors: u64,
    /// Requests whose duration is known.
    pub timed: u64,
    /// Time that users waited; null without durations.
    pub total_ms: Option<f64>,
}

/// One route. The time fields are null when the log has no durations for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RequestsRow {
    /// Method and path with placeholders, or `(other)`.
    pub route: String,
    /// Requests.
    pub count: u64,
    /// Requests answered with 5xx.
    pub errors: u64,
    /// Share of errors.
    pub error_ratio: f64,
    /// Lower end of its 95 % interval (Wilson).
    pub error_ratio_low: f64,
    /// Upper end of its 95 % interval.
    pub error_ratio_high: f64,
    /// Requests whose duration is known.
    pub timed: u64,
    /// Time that users waited for this route.
    pub total_ms: Option<f64>,
    /// Its share of all the time that users waited, 0 to 1.
    pub share: Option<f64>,
    /// Mean duration.
    pub mean_ms: Option<f64>,
    /// Median (nearest rank).
    pub p50_ms: Option<f64>,
    /// 95th percentile.
    pub p95_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
}

impl Report {
    pub(super) fn new(
        options: &Options,
        tally: &Tally,
        formats: &[Format],
        notes: Vec<String>,
        sums: &Accumulator,
    ) -> Self {
        let total = total(sums);
        let (from, to) = sums.span();
        let mut rows: Vec<RequestsRow> = sums.rows().map(|(route, one)| row(route, one, sums, &total)).collect();
        sort(&mut rows, options.sort);
        rows.truncate(options.limit.unwrap_or(usize::MAX));
        let names: Vec<&str> = formats.iter().map(|format| format.name()).collect();
        Self {
            lines: tally.lines(),
            parsed: tally.parsed(),
            rejected: tally.rejected(),
            rejects: tally.rejects(),
            format: (!names.is_empty()).then(|| names.join("+")),
            notes,
            from,
            to,
            quantile_error: if sums.is_exact() { 0.0 } else { RELATIVE_ERROR },
            total,
            routes: sums.named_routes(),
            routes_limit: sums.route_limit(),
            routes_over_limit: sums.over_limit().map_or(0, |over| over.routes),
            other_requests: sums.other_requests(),
            rows,
        }
    }
}

fn total(sums: &Accumulator) -> Total {
    let mut total = Total { count: 0, errors: 0, timed: 0, total_ms: None };
    let mut total_us = 0u64;
    for (_, one) in sums.rows() {
        total.count += one.count;
        total.errors += one.errors;
        total.timed += one.timed;
        total_us = total_us.saturating_add(one.total_us);
    }
    total.total_ms = (total.timed > 0).then_some(total_us as f64 / 1_000.0);
    total
}

fn row(route: &str, one: &Sums, all: &Accumulator, total: &Total) -> RequestsRow {
    const SHARES: [f64; 3] = [0.50, 0.95, 0.99];
    let quantiles_us =
        if all.is_exact() { one.exact.quantiles(SHARES) } else { SHARES.map(|share| one.sketch.quantile_us(share)) };
    let [p50_ms, p95_ms, p99_ms] = quantiles_us.map(|us| us.map(ms));
    let total_ms = (one.timed > 0).then_some(one.total_us as f64 / 1_000.0);
    let share = total_ms.zip(total.total_ms).map(|(own, whole)| if whole > 0.0 { own / whole } else { 0.0 });
    let interval = wilson(one.errors, one.count);
    RequestsRow {
        route: route.to_owned(),
        count: one.count,
        errors: one.errors,
        error_ratio: one.errors as f64 / one.count.max(1) as f64,
        error_ratio_low: interval.map_or(0.0, |interval| interval.low),
        error_ratio_high: interval.map_or(1.0, |interval| interval.high),
        timed: one.timed,
        total_ms,
        share,
        mean_ms: total_ms.map(|total| round(total / one.timed as f64)),
        p50_ms,
        p95_ms,
        p99_ms,
    }
}

fn ms(us: f64) -> f64 {
    round(us / 1_000.0)
}

/// To a microsecond: what is behind is not known.
fn round(ms: f64) -> f64 {
    (ms * 1_000.0).round() / 1_000.0
}

fn sort(rows: &mut [RequestsRow], by: RequestSort) {
    let number = |value: Option<f64>| value.unwrap_or(-1.0);
    rows.sort_by(|a, b| {
        let keys = |row: &RequestsRow| match by {
            RequestSort::Total => (number(row.total_ms), row.count),
            RequestSort::Count => (row.count as f64, row.count),
            RequestSort::P50 => (number(row.p50_ms), row.count),
            RequestSort::P95 => (number(row.p95_ms), row.count),
            RequestSort::P99 => (number(row.p99_ms), row.count),
            RequestSort::Errors => (row.errors as f64, row.count),
        };
        let ((a_key, a_count), (b_key, b_count)) = (keys(a), keys(b));
        b_key.total_cmp(&a_key).then(Reverse(a_count).cmp(&Reverse(b_count))).then_with(|| a.route.cmp(&b.route))
    });
}
