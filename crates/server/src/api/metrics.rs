//! Metrics: which there are, and one of them as lines over time.

use super::params::{self, partial, yes};
use super::{Query, TextRange, step_seconds};
use crate::auth::MayRead;
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::signals::seconds;
use axum::extract::State;
use base::{TimeRange, Timestamp};
use lake::{Fold, MetricQuery};
use serde::{Deserialize, Serialize};

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// Points of a chart.
const POINTS: i64 = 240;
/// Ends of names of what only grows, as OpenMetrics and histograms have them.
const COUNTERS: [&str; 4] = ["_total", "_count", "_bucket", "_sum"];

/// A metric.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MetricView {
    name: String,
    /// Whether its name says that it only grows.
    counter: bool,
    series: u64,
    services: Vec<String>,
    #[schema(value_type = String)]
    last_seen: Timestamp,
}

/// Metrics by name.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MetricList {
    metrics: Vec<MetricView>,
    more: bool,
    partial: Option<String>,
}

/// Whether a name says that its values only grow.
fn is_counter(name: &str) -> bool {
    COUNTERS.iter().any(|end| name.ends_with(end))
}

/// `GET /api/v1/metrics`
#[utoipa::path(
    get,
    path = "/api/v1/metrics",
    operation_id = "list_metrics",
    params(TextRange),
    responses((status = 200, body = MetricList))
)]
pub async fn names(
    State(parts): State<Parts>,
    _: MayRead,
    Query(range): Query<TextRange>,
) -> Result<axum::Json<MetricList>, ApiError> {
    let found = parts.lake.metric_names(range.range(&parts.clock, DAY)?).await?;
    let view = |metric: lake::MetricName| MetricView {
        counter: is_counter(&metric.name),
        name: metric.name,
        series: metric.series,
        services: metric.services,
        last_seen: metric.last_seen,
    };
    Ok(axum::Json(MetricList {
        metrics: found.names.into_iter().map(view).collect(),
        more: found.more,
        partial: partial(&found.damaged_files),
    }))
}

/// A metric, a range, how to split and fold it.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SeriesParams {
    #[serde(flatten)]
    #[param(ignore)]
    range: TextRange,
    /// Name of the metric.
    name: String,
    /// Only this service.
    service: Option<String>,
    /// Seconds; chosen for about 240 points when missing.
    step: Option<String>,
    /// Label whose values become lines.
    by: Option<String>,
    /// Growth a second; when missing, as the name says.
    rate: Option<String>,
    /// `mean`, `sum`, `min` or `max` over the series of a line; rates always add up. When missing it is `mean`, or `max`
    /// for quantiles (series with a label `quantile`), which are never averaged or added.
    fold: Option<String>,
}

/// One line.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MetricLineView {
    label: Option<String>,
    series: u64,
    points: Vec<(i64, Option<f64>)>,
}

/// A metric over time.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SeriesAnswer {
    name: String,
    #[schema(value_type = String)]
    from: Timestamp,
    #[schema(value_type = String)]
    to: Timestamp,
    step_s: i64,
    counter: bool,
    rate: bool,
    fold: &'static str,
    by: Option<String>,
    series: u64,
    labels: Vec<(String, usize)>,
    lines: Vec<MetricLineView>,
    lines_left_out: usize,
    partial: Option<String>,
}

fn fold(text: Option<&str>) -> Result<Option<Fold>, ApiError> {
    match text {
        None | Some("") => Ok(None),
        Some("mean") => Ok(Some(Fold::Mean)),
        Some("sum") => Ok(Some(Fold::Sum)),
        Some("min") => Ok(Some(Fold::Min)),
        Some("max") => Ok(Some(Fold::Max)),
        Some(_) => Err(ApiError::bad_request("fold is none of mean, sum, min, max")),
    }
}

fn fold_name(fold: Fold) -> &'static str {
    match fold {
        Fold::Mean => "mean",
        Fold::Sum => "sum",
        Fold::Min => "min",
        Fold::Max => "max",
    }
}

/// How series are joined: as asked, but the mean or the sum of quantiles is the quantile of nothing.
fn joined(asked: Option<Fold>, labels: &[(String, usize)]) -> Result<Fold, ApiError> {
    let are_quantiles = labels.iter().any(|(label, _)| label == "quantile");
    match asked {
        Some(Fold::Mean | Fold::Sum) if are_quantiles => Err(ApiError::bad_request(
            "these series are quantiles (they have the label quantile), which are never averaged or added; use fold=max or fold=min",
        )),
        None if are_quantiles => Ok(Fold::Max),
        asked => Ok(asked.unwrap_or(Fold::Mean)),
    }
}

fn step(text: Option<&str>, range: TimeRange) -> Result<i64, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        let short = range.micros() / 1_000_000 <= HOUR;
        return Ok(if short { 15 } else { step_seconds(range, POINTS) });
    };
    let step: i64 = text.parse().map_err(|_| ApiError::bad_request("step is no whole number of seconds"))?;
    if !(1..=366 * DAY).contains(&step) {
        return Err(ApiError::bad_request("step is not between 1 second and 366 days"));
    }
    Ok(step)
}

/// `GET /api/v1/metrics/series`
#[utoipa::path(
    get,
    path = "/api/v1/metrics/series",
    operation_id = "read_series",
    params(TextRange, SeriesParams),
    responses((status = 200, body = SeriesAnswer))
)]
pub async fn series(
    State(parts): State<Parts>,
    _: MayRead,
    Query(params): Query<SeriesParams>,
) -> Result<axum::Json<SeriesAnswer>, ApiError> {
    let range = params.range.range(&parts.clock, HOUR)?;
    let step_s = step(params.step.as_deref(), range)?;
    let counter = is_counter(&params.name);
    let asked = fold(params.fold.as_deref())?;
    let mut query = MetricQuery {
        name: params.name,
        range,
        service: params::service(params.service),
        step_us: step_s * 1_000_000,
        by: params.by.filter(|by| !by.is_empty()),
        rate: yes("rate", params.rate.as_deref(), counter)?,
        fold: asked.unwrap_or(Fold::Mean),
    };
    let mut found = parts.lake.metric_series(&query).await?;
    let fold = joined(asked, &found.labels)?;
    if fold != query.fold {
        query.fold = fold;
        found = parts.lake.metric_series(&query).await?;
    }
    let starts: Vec<i64> = found.starts.iter().map(|start| seconds(start.micros())).collect();
    let line = |line: lake::MetricLine| MetricLineView {
        label: line.label,
        series: line.series,
        points: starts.iter().copied().zip(line.values).collect(),
    };
    Ok(axum::Json(SeriesAnswer {
        lines: found.lines.into_iter().map(line).collect(),
        name: query.name,
        from: range.from,
        to: range.to,
        step_s,
        counter,
        rate: query.rate,
        fold: fold_name(fold),
        by: query.by,
        series: found.series,
        labels: found.labels,
        lines_left_out: found.lines_left_out,
        partial: partial(&found.damaged_files),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_only_grows() {
        for (name, want) in [
            ("http_requests_total", true),
            ("http_request_duration_seconds_bucket", true),
            ("go_gc_duration_seconds_count", true),
            ("node_memory_MemFree_bytes", false),
            ("total_bytes", false),
        ] {
            assert_eq!(is_counter(name), want, "{name}");
        }
    }

    #[test]
    fn quantiles_are_never_averaged() {
        let (plain, quantiles) = ([("code".to_owned(), 3)], [("code".to_owned(), 3), ("quantile".to_owned(), 5)]);
        assert_eq!(joined(None, &plain), Ok(Fold::Mean));
        assert_eq!(joined(Some(Fold::Sum), &plain), Ok(Fold::Sum));
        assert_eq!(joined(None, &quantiles), Ok(Fold::Max));
        assert_eq!(joined(Some(Fold::Min), &quantiles), Ok(Fold::Min));
        for asked in [Fold::Mean, Fold::Sum] {
            assert!(joined(Some(asked), &quantiles).unwrap_err().detail().contains("never averaged"));
        }
    }

    #[test]
    fn steps_are_short_for_short_ranges() {
        let range = |seconds: i64| TimeRange { from: Timestamp::from_seconds(0), to: Timestamp::from_seconds(seconds) };
        for (text, length, want) in [(None, 900, 15), (None, 86_400, 600), (Some("7"), 60, 7)] {
            assert_eq!(step(text, range(length)), Ok(want));
        }
        assert!(step(Some("0"), range(60)).is_err());
    }
}
