//! Services: their signals, requests, disappointed users, routes.

use super::{Path, Query, RangeParams, TextRange, ingest::service_name, step_seconds};
use crate::auth::{MayAdmin, MayRead};
use crate::intake::ServiceIntake;
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::signals::{self, Series, Totals, quantile_ms, ratio};
use axum::extract::State;
use axum::http::StatusCode;
use base::{ServiceName, TimeRange, Timestamp};
use lake::{RowOrder, RowQuery, ServiceWindows};
use perf::interval::wilson;
use serde::{Deserialize, Serialize};
use signal::sketch::RELATIVE_ERROR;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const HOUR: i64 = 3600;
/// Points of a chart.
const POINTS: i64 = 300;
/// Rows of the lists on the route page.
const ROUTE_ROWS: usize = 20;

/// One service in a window.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ServiceView {
    /// Its name.
    pub name: String,
    /// Whether it is the living demonstration.
    pub demo: bool,
    /// Team or person to turn to.
    pub owner: Option<String>,
    #[serde(flatten)]
    totals: Totals,
    traffic_per_s: f64,
    #[schema(value_type = Option<String>)]
    last_seen: Option<Timestamp>,
    user_identity: String,
    routes: usize,
    routes_limit: usize,
    routes_over_limit: bool,
}

/// All services.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ServiceList {
    services: Vec<ServiceView>,
}

/// A service of a window as it is listed.
pub fn view(service: &ServiceIntake, windows: Option<&ServiceWindows>, range: TimeRange) -> ServiceView {
    let total = windows.map(ServiceWindows::total).unwrap_or_default();
    let routes = service.routes();
    ServiceView {
        name: service.name().to_string(),
        demo: service.settings().demo,
        owner: service.settings().owner.clone(),
        traffic_per_s: total.count as f64 / range.seconds().max(1.0),
        totals: Totals::of(&total),
        last_seen: service.last_seen(),
        user_identity: service.user_identity().1,
        routes: routes.named,
        routes_limit: routes.limit,
        routes_over_limit: routes.over.is_some(),
    }
}

/// `GET /api/v1/services`
#[utoipa::path(
    get,
    path = "/api/v1/services",
    operation_id = "list_services",
    params(RangeParams),
    responses((status = 200, body = ServiceList))
)]
pub async fn list(
    State(parts): State<Parts>,
    _: MayRead,
    Query(range): Query<RangeParams>,
) -> Result<axum::Json<ServiceList>, ApiError> {
    let range = range.range(&parts.clock, HOUR)?;
    let windows = signals::read(&parts.lake, range, None, None, step_seconds(range, 60)).await?;
    let known = parts.intake.services();
    let services = known.iter().map(|service| view(service, windows.services.get(service.name().as_str()), range));
    Ok(axum::Json(ServiceList { services: services.collect() }))
}

/// A known service, or 404.
pub fn known(parts: &Parts, name: &str) -> Result<Arc<ServiceIntake>, ApiError> {
    parts.intake.find(name).ok_or_else(|| ApiError::not_found(format!("there is no service {name:?}")))
}

/// `DELETE /api/v1/services/{s}`: goes on in the background.
#[utoipa::path(
    delete,
    path = "/api/v1/services/{service}",
    operation_id = "delete_service",
    params(("service" = String, Path, description = "Name of the service.")),
    responses((status = 202, body = serde_json::Value))
)]
pub async fn delete(
    State(parts): State<Parts>,
    _: MayAdmin,
    Path(service): Path<String>,
) -> Result<(StatusCode, axum::Json<serde_json::Value>), ApiError> {
    known(&parts, &service)?;
    let name = service_name(&service)?;
    tokio::spawn(async move {
        (parts.before_delete)(name.clone()).await;
        parts.follow.forget_service(&name).await;
        forget_followed(&parts, &name).await;
        match parts.intake.delete_service(&name).await {
            Ok(rows) => tracing::info!(service = %name, rows, "a service was deleted"),
            Err(error) => tracing::error!(service = %name, %error, "a service could not be deleted wholly"),
        }
    });
    Ok((StatusCode::ACCEPTED, axum::Json(serde_json::json!({ "deleting": true }))))
}

async fn forget_followed(parts: &Parts, name: &ServiceName) {
    let followed = parts.store.followed_files();
    for file in followed.list().await.unwrap_or_default() {
        if &file.service == name
            && let Err(error) = followed.unfollow(&file.path).await
        {
            tracing::warn!(path = file.path, %error, "a followed file could not be forgotten");
        }
    }
}

/// A range, a step and a route.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SignalParams {
    #[serde(flatten)]
    #[param(ignore)]
    range: TextRange,
    /// Seconds; a multiple of 60. Chosen for about 300 points when missing.
    step: Option<String>,
    /// Only this route.
    route: Option<String>,
}

/// The golden signals of a service.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SignalsAnswer {
    service: String,
    #[schema(value_type = String)]
    from: Timestamp,
    #[schema(value_type = String)]
    to: Timestamp,
    step_s: i64,
    quantile_error: f64,
    series: Series,
    total: Totals,
    saturation_host: String,
    damaged_files: Vec<String>,
}

/// `GET /api/v1/services/{s}/signals`
#[utoipa::path(
    get,
    path = "/api/v1/services/{service}/signals",
    operation_id = "read_signals",
    params(("service" = String, Path, description = "Name of the service."), TextRange, SignalParams),
    responses((status = 200, body = SignalsAnswer))
)]
pub async fn signals(
    State(parts): State<Parts>,
    _: MayRead,
    Path(service): Path<String>,
    Query(params): Query<SignalParams>,
) -> Result<axum::Json<SignalsAnswer>, ApiError> {
    known(&parts, &service)?;
    let range = params.range.range(&parts.clock, HOUR)?;
    let step_s = step(params.step.as_deref(), range)?;
    let route = params.route.as_deref();
    let windows = signals::read(&parts.lake, range, Some(&service), route, step_s).await?;
    let found = windows.services.get(service.as_str());
    let mut series = signals::series(found, range, step_s, parts.clock.now());
    series.saturation = signals::saturation(&parts.lake, range, &parts.about.host, step_s).await?;
    Ok(axum::Json(SignalsAnswer {
        service,
        from: range.from,
        to: range.to,
        step_s,
        quantile_error: RELATIVE_ERROR,
        series,
        total: Totals::of(&found.map(ServiceWindows::total).unwrap_or_default()),
        saturation_host: parts.about.host.clone(),
        damaged_files: windows.damaged_files,
    }))
}

/// Longest step of a chart, seconds.
const LONGEST_STEP: i64 = 366 * 86_400;
/// Most points that one question answers.
const MAX_POINTS: i64 = 20_000;

fn step(given: Option<&str>, range: TimeRange) -> Result<i64, ApiError> {
    let Some(given) = given else { return Ok(step_seconds(range, POINTS)) };
    let wrong =
        || ApiError::bad_request(format!("step is {given:?}; give seconds, a multiple of 60, 366 days at most"));
    let step: i64 = given.parse().map_err(|_| wrong())?;
    if !(60..=LONGEST_STEP).contains(&step) || step % 60 != 0 {
        return Err(wrong());
    }
    if range.micros() / 1_000_000 / step > MAX_POINTS {
        return Err(ApiError::bad_request(format!("this step gives more than {MAX_POINTS} points; take a larger one")));
    }
    Ok(step)
}

/// A range, an order and a limit.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RequestParams {
    #[serde(flatten)]
    #[param(ignore)]
    range: TextRange,
    /// `total`, `count`, `p50`, `p95`, `p99`, `errors` or `users` (disappointed ones).
    sort: Option<String>,
    /// Rows, 100 when missing.
    limit: Option<String>,
}

/// One route's requests.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RequestRow {
    /// Method and path with placeholders.
    pub route: String,
    /// Requests.
    pub count: u64,
    /// Requests answered with 5xx.
    pub errors: u64,
    error_ratio: Option<f64>,
    error_ratio_low: Option<f64>,
    error_ratio_high: Option<f64>,
    /// Time that users waited for it altogether.
    pub total_ms: Option<f64>,
    share: Option<f64>,
    mean_ms: Option<f64>,
    p50_ms: Option<f64>,
    /// 95th percentile, milliseconds.
    pub p95_ms: Option<f64>,
    p99_ms: Option<f64>,
    users: Option<u64>,
    disappointed: Option<u64>,
}

/// Sums over all routes.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RequestTotals {
    count: u64,
    errors: u64,
    total_ms: Option<f64>,
}

/// The requests table of a service.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RequestsAnswer {
    service: String,
    #[schema(value_type = String)]
    from: Timestamp,
    #[schema(value_type = String)]
    to: Timestamp,
    quantile_error: f64,
    total: RequestTotals,
    rows: Vec<RequestRow>,
}

/// The routes of a window as rows, in no order.
pub fn request_rows(windows: &ServiceWindows, disappointed: Option<&BTreeMap<String, u64>>) -> Vec<RequestRow> {
    let waited: u64 = windows.routes.values().map(|sum| sum.duration_sum_us).sum();
    let row = |(route, sum): (&Arc<str>, &signal::Sum)| {
        let interval = wilson(sum.errors, sum.count);
        let total_ms = (sum.timed > 0).then(|| sum.duration_sum_us as f64 / 1000.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate of a count")]
        let users = sum.users().map(|users| users.round() as u64);
        RequestRow {
            route: route.to_string(),
            count: sum.count,
            errors: sum.errors,
            error_ratio: ratio(sum.errors, sum.count),
            error_ratio_low: interval.map(|interval| interval.low),
            error_ratio_high: interval.map(|interval| interval.high),
            total_ms,
            share: (sum.timed > 0).then(|| ratio(sum.duration_sum_us, waited).unwrap_or(0.0)),
            mean_ms: total_ms.map(|total| total / sum.timed as f64),
            p50_ms: quantile_ms(sum, 0.5),
            p95_ms: quantile_ms(sum, 0.95),
            p99_ms: quantile_ms(sum, 0.99),
            users,
            disappointed: disappointed.map(|by_route| by_route.get(route.as_ref()).copied().unwrap_or(0)),
        }
    };
    windows.routes.iter().map(row).collect()
}

/// Sorts rows, largest first; equal ones by count and name, so that the order is always the same.
pub fn sort_rows(rows: &mut [RequestRow], by: &str) -> Result<(), ApiError> {
    let key: fn(&RequestRow) -> f64 = match by {
        "total" => |row| row.total_ms.unwrap_or(-1.0),
        "count" => |row| row.count as f64,
        "p50" => |row| row.p50_ms.unwrap_or(-1.0),
        "p95" => |row| row.p95_ms.unwrap_or(-1.0),
        "p99" => |row| row.p99_ms.unwrap_or(-1.0),
        "errors" => |row| row.errors as f64,
        "users" => |row| row.disappointed.unwrap_or(0) as f64,
        other => {
            let text = format!("sort is {other:?}; use total, count, p50, p95, p99, errors or users");
            return Err(ApiError::bad_request(text));
        }
    };
    rows.sort_by(|a, b| {
        key(b).total_cmp(&key(a)).then_with(|| b.count.cmp(&a.count)).then_with(|| a.route.cmp(&b.route))
    });
    Ok(())
}

/// `GET /api/v1/services/{s}/requests`
#[utoipa::path(
    get,
    path = "/api/v1/services/{service}/requests",
    operation_id = "list_requests",
    params(("service" = String, Path, description = "Name of the service."), TextRange, RequestParams),
    responses((status = 200, body = RequestsAnswer))
)]
pub async fn requests(
    State(parts): State<Parts>,
    _: MayRead,
    Path(service): Path<String>,
    Query(params): Query<RequestParams>,
) -> Result<axum::Json<RequestsAnswer>, ApiError> {
    known(&parts, &service)?;
    let range = params.range.range(&parts.clock, HOUR)?;
    let limit = match params.limit.as_deref().map(str::parse::<usize>) {
        None => 100,
        Some(Ok(limit)) => limit,
        Some(Err(_)) => return Err(ApiError::bad_request("limit is no whole number")),
    };
    let windows = signals::read(&parts.lake, range, Some(&service), None, step_seconds(range, 60)).await?;
    let empty = ServiceWindows::default();
    let found = windows.services.get(service.as_str()).unwrap_or(&empty);
    let total = found.total();
    let sort = params.sort.as_deref().unwrap_or("total");
    // Who was disappointed is asked of raw lines, whose number this page does not depend on: only when rows are sorted
    // by it. Without a single error nobody was.
    let disappointed = match (total.errors, sort) {
        (0, _) => Some(BTreeMap::new()),
        (_, "users") => {
            let zone = &parts.about.time_zone;
            Some(parts.lake.disappointed(range, &service, zone, lake::RECOVERY_WINDOW_US).await?.by_route)
        }
        _ => None,
    };
    let mut rows = request_rows(found, disappointed.as_ref());
    sort_rows(&mut rows, sort)?;
    rows.truncate(limit);
    let total_ms = (total.timed > 0).then(|| total.duration_sum_us as f64 / 1000.0);
    Ok(axum::Json(RequestsAnswer {
        service,
        from: range.from,
        to: range.to,
        quantile_error: RELATIVE_ERROR,
        total: RequestTotals { count: total.count, errors: total.errors, total_ms },
        rows,
    }))
}

/// Users who saw an error.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DisappointedAnswer {
    service: String,
    identity: String,
    identity_kind: String,
    window_s: i64,
    users: u64,
    recovered: u64,
    still_disappointed: u64,
    unknown_users: u64,
    partial: Option<String>,
    rows: Vec<DisappointedRow>,
    /// Users by route over the whole range.
    by_route: Vec<(String, u64)>,
    by_hour: Vec<(i64, u64)>,
}

/// One day and route.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DisappointedRow {
    day: String,
    route: String,
    users: u64,
    recovered: u64,
    still_disappointed: u64,
}

/// `GET /api/v1/services/{s}/disappointed`
#[utoipa::path(
    get,
    path = "/api/v1/services/{service}/disappointed",
    operation_id = "read_disappointed",
    params(("service" = String, Path, description = "Name of the service."), RangeParams),
    responses((status = 200, body = DisappointedAnswer))
)]
pub async fn disappointed(
    State(parts): State<Parts>,
    _: MayRead,
    Path(service): Path<String>,
    Query(range): Query<RangeParams>,
) -> Result<axum::Json<DisappointedAnswer>, ApiError> {
    let intake = known(&parts, &service)?;
    let range = range.range(&parts.clock, 24 * HOUR)?;
    let zone = &parts.about.time_zone;
    let found = parts.lake.disappointed(range, &service, zone, lake::RECOVERY_WINDOW_US).await?;
    let (kind, identity) = intake.user_identity();
    Ok(axum::Json(DisappointedAnswer {
        service,
        identity,
        identity_kind: kind.to_owned(),
        window_s: lake::RECOVERY_WINDOW_US / 1_000_000,
        users: found.users,
        recovered: found.recovered,
        still_disappointed: found.still_disappointed,
        unknown_users: found.unknown_users,
        partial: found.partial,
        rows: found
            .rows
            .into_iter()
            .map(|row| DisappointedRow {
                day: row.day.to_string(),
                route: row.route,
                users: row.users,
                recovered: row.recovered,
                still_disappointed: row.still_disappointed,
            })
            .collect(),
        by_route: found.by_route.into_iter().collect(),
        by_hour: found.by_hour.into_iter().map(|(at, users)| (signals::seconds(at.micros()), users)).collect(),
    }))
}

/// A route and a range.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RouteParams {
    #[serde(flatten)]
    #[param(ignore)]
    range: TextRange,
    /// Method and path with placeholders.
    route: String,
}

/// The slowest and the failed requests of a route, and how its latency spreads over time.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RouteAnswer {
    route: String,
    slowest: Vec<super::explore::RowView>,
    failed: Vec<super::explore::RowView>,
    heatmap: Heatmap,
}

/// Requests by time and duration.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Heatmap {
    step_s: i64,
    bounds_ms: Vec<f64>,
    cells: Vec<(i64, Vec<u64>)>,
}

/// `GET /api/v1/services/{s}/route`
#[utoipa::path(
    get,
    path = "/api/v1/services/{service}/route",
    operation_id = "read_route",
    params(("service" = String, Path, description = "Name of the service."), TextRange, RouteParams),
    responses((status = 200, body = RouteAnswer))
)]
pub async fn route(
    State(parts): State<Parts>,
    _: MayRead,
    Path(service): Path<String>,
    Query(params): Query<RouteParams>,
) -> Result<axum::Json<RouteAnswer>, ApiError> {
    known(&parts, &service)?;
    let range = params.range.range(&parts.clock, HOUR)?;
    let rows = |order, filter: Option<&str>| {
        let filter = filter.map(|text| text.parse().expect("the filter is a constant that parses"));
        RowQuery {
            range,
            filter,
            service: Some(service.clone()),
            route: Some(params.route.clone()),
            order,
            limit: ROUTE_ROWS,
            cursor: None,
        }
    };
    let slowest = parts.lake.request_rows(&rows(RowOrder::Slowest, None)).await?;
    let failed = parts.lake.request_rows(&rows(RowOrder::Newest, Some("status>=500"))).await?;
    let heat = parts.lake.heatmap(&service, Some(&params.route), range, 60).await?;
    Ok(axum::Json(RouteAnswer {
        route: params.route,
        slowest: slowest.rows.into_iter().map(Into::into).collect(),
        failed: failed.rows.into_iter().map(Into::into).collect(),
        heatmap: Heatmap {
            step_s: heat.step_us / 1_000_000,
            bounds_ms: heat.bounds_us.iter().map(|us| *us as f64 / 1000.0).collect(),
            cells: heat.cells.into_iter().map(|(at, counts)| (signals::seconds(at.micros()), counts)).collect(),
        },
    }))
}

/// Services with requests in a window, by name.
pub fn names_in(windows: &lake::Windows) -> BTreeSet<String> {
    windows.services.keys().map(ToString::to_string).collect()
}

/// The sums of each route of every service, for comparing two windows.
pub fn by_route(windows: &lake::Windows) -> BTreeMap<(String, String), signal::Sum> {
    let mut out = BTreeMap::new();
    for (service, sums) in &windows.services {
        for (route, sum) in &sums.routes {
            out.insert((service.to_string(), route.to_string()), sum.clone());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_whole_minutes_and_not_longer_than_a_year() {
        let from = Timestamp::from_seconds(0);
        let range = TimeRange { from, to: from.plus_seconds(7 * 86_400) };
        for (given, want) in [
            (None, Some(3600)),
            (Some("60"), Some(60)),
            (Some("31622400"), Some(31_622_400)),
            (Some("31622460"), None),
            (Some("9223372036854775800"), None),
            (Some("-60"), None),
            (Some("90"), None),
            (Some("x"), None),
        ] {
            assert_eq!(step(given, range).ok(), want, "{given:?}");
        }
        let longer = TimeRange { from, to: from.plus_seconds(60 * (MAX_POINTS + 1)) };
        assert!(step(Some("60"), longer).is_err(), "too many points");
    }
}
