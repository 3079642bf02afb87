//! The first page: are users all right, who was disappointed, where does their time go, what is near full, what changed.

use super::changes::ChangeView;
use super::services::{RequestRow, ServiceView, by_route, names_in, request_rows, view};
use super::status::{DamageView, damage};
use super::{Query, RangeParams, step_seconds};
use crate::auth::MayRead;
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::signals::{self, Point, floats, ints, quantile_ms, ratio, seconds, texts};
use agent::host::{FillPoint, fill_forecast};
use axum::extract::State;
use base::{TimeRange, Timestamp};
use lake::{ServiceWindows, Windows};
use serde::Serialize;
use std::collections::BTreeMap;

const DAY: i64 = 86_400;
const WEEK: i64 = 7 * DAY;
/// Rows of "where does their time go".
const TOP_REQUESTS: usize = 10;
/// From this share on a resource is near full.
const NEAR_FULL: f64 = 0.8;
/// A disk that fills within this many days is near full, however much is free.
const SOON_DAYS: f64 = 30.0;

/// A service with its course.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ServiceSpark {
    #[serde(flatten)]
    service: ServiceView,
    #[schema(value_type = Vec<Vec<Option<f64>>>)]
    spark: Vec<Point>,
}

/// Disappointed users of a service.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DisappointedView {
    service: String,
    users: u64,
    recovered: u64,
    still_disappointed: u64,
    unknown_users: u64,
    worst: Option<WorstRoute>,
    by_hour: Vec<(i64, u64)>,
}

/// The route that disappointed most.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct WorstRoute {
    route: String,
    users: u64,
}

/// A request of all services, compared with the same time a week before.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TopRequest {
    service: String,
    #[serde(flatten)]
    row: RequestRow,
    previous_p95_ms: Option<f64>,
    previous_total_ms: Option<f64>,
}

/// Something that is near full.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct NearFull {
    host: String,
    kind: &'static str,
    name: String,
    used_ratio: f64,
    full_in_days: Option<f64>,
    detail: String,
}

/// The first page.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OverviewAnswer {
    services: Vec<ServiceSpark>,
    disappointed: Vec<DisappointedView>,
    top_requests: Vec<TopRequest>,
    near_full: Vec<NearFull>,
    changes: Vec<ChangeView>,
    damage: Vec<DamageView>,
    demo: bool,
}

/// `GET /api/v1/overview`
#[utoipa::path(
    get,
    path = "/api/v1/overview",
    operation_id = "read_overview",
    params(RangeParams),
    responses((status = 200, body = OverviewAnswer))
)]
pub async fn overview(
    State(parts): State<Parts>,
    _: MayRead,
    Query(range): Query<RangeParams>,
) -> Result<axum::Json<OverviewAnswer>, ApiError> {
    let range = range.range(&parts.clock, DAY)?;
    let step_s = step_seconds(range, 60);
    let windows = signals::read(&parts.lake, range, None, None, step_s).await?;
    let before = TimeRange { from: range.from.plus_seconds(-WEEK), to: range.to.plus_seconds(-WEEK) };
    let previous = signals::read(&parts.lake, before, None, None, step_s).await?;
    let known = parts.intake.services();
    let services = known
        .iter()
        .map(|service| {
            let found = windows.services.get(service.name().as_str());
            ServiceSpark { service: view(service, found, range), spark: spark(found) }
        })
        .collect();
    let changes = parts.store.changes().list(range, None, 20).await?;
    Ok(axum::Json(OverviewAnswer {
        services,
        disappointed: disappointed(&parts, &windows, range).await?,
        top_requests: top_requests(&windows, &previous),
        near_full: near_full(&parts).await?,
        changes: changes.into_iter().map(Into::into).collect(),
        damage: damage(&parts),
        demo: known.iter().any(|service| service.settings().demo),
    }))
}

fn spark(windows: Option<&ServiceWindows>) -> Vec<Point> {
    let Some(windows) = windows else { return Vec::new() };
    let good = |sum: &signal::Sum| ratio(sum.count - sum.errors.min(sum.count), sum.count);
    windows.steps.iter().map(|(at, sum)| (seconds(*at), good(sum))).collect()
}

async fn disappointed(parts: &Parts, windows: &Windows, range: TimeRange) -> Result<Vec<DisappointedView>, ApiError> {
    let mut out = Vec::new();
    for service in names_in(windows) {
        let errors = windows.services.get(service.as_str()).map_or(0, |found| found.total().errors);
        if errors == 0 {
            out.push(nobody(service));
            continue;
        }
        let zone = &parts.about.time_zone;
        let found = parts.lake.disappointed(range, &service, zone, lake::RECOVERY_WINDOW_US).await?;
        let worst = found.by_route.iter().max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)));
        out.push(DisappointedView {
            users: found.users,
            recovered: found.recovered,
            still_disappointed: found.still_disappointed,
            unknown_users: found.unknown_users,
            worst: worst.map(|(route, users)| WorstRoute { route: route.clone(), users: *users }),
            by_hour: found.by_hour.iter().map(|(at, users)| (seconds(at.micros()), *users)).collect(),
            service,
        });
    }
    Ok(out)
}

fn nobody(service: String) -> DisappointedView {
    let (users, recovered, still_disappointed, unknown_users) = (0, 0, 0, 0);
    DisappointedView { service, users, recovered, still_disappointed, unknown_users, worst: None, by_hour: Vec::new() }
}

fn top_requests(windows: &Windows, previous: &Windows) -> Vec<TopRequest> {
    let before = by_route(previous);
    let mut rows: Vec<(String, RequestRow)> = Vec::new();
    for (service, found) in &windows.services {
        rows.extend(request_rows(found, None).into_iter().map(|row| (service.to_string(), row)));
    }
    // Of all services together: what users waited for, and without durations what they asked for.
    rows.sort_by(|a, b| {
        let key = |row: &RequestRow| (row.total_ms.unwrap_or(-1.0), row.count);
        let (a_key, b_key) = (key(&a.1), key(&b.1));
        b_key.0.total_cmp(&a_key.0).then_with(|| b_key.1.cmp(&a_key.1)).then_with(|| a.1.route.cmp(&b.1.route))
    });
    rows.truncate(TOP_REQUESTS);
    let row = |(service, row): (String, RequestRow)| {
        let sum = before.get(&(service.clone(), row.route.clone()));
        TopRequest {
            previous_p95_ms: sum.and_then(|sum| quantile_ms(sum, 0.95)),
            previous_total_ms: sum.filter(|sum| sum.timed > 0).map(|sum| sum.duration_sum_us as f64 / 1000.0),
            service,
            row,
        }
    };
    rows.into_iter().map(row).collect()
}

/// Disks, memory and CPU of the last minutes, and Koshu's own budgets.
async fn near_full(parts: &Parts) -> Result<Vec<NearFull>, ApiError> {
    let now = parts.clock.now();
    let mut out = Vec::new();
    let recent = TimeRange { from: now.plus_seconds(-300), to: now.plus_seconds(60) };
    for (host, name, label, value) in latest(parts, recent).await? {
        let kind = match name.as_str() {
            "disk.used_ratio" => "disk",
            "memory.used_ratio" => "memory",
            "cpu.busy_ratio" => "cpu",
            _ => "network",
        };
        let full_in_days = if kind == "disk" { forecast(parts, &host, &label, now).await? } else { None };
        if value >= NEAR_FULL || full_in_days.is_some_and(|days| days <= SOON_DAYS) {
            let detail = format!("{name} {label}").trim().to_owned();
            out.push(NearFull { host, kind, name: label, used_ratio: value, full_in_days, detail });
        }
    }
    let lake = parts.lake.status();
    let own = [
        ("lake", "disk budget", lake.disk_bytes, lake.disk_limit_bytes),
        ("journal", "unsealed rows", lake.unsealed_bytes, lake.unsealed_limit_bytes),
    ];
    for (kind, name, used, limit) in own {
        let used_ratio = ratio(used, limit).unwrap_or(0.0);
        if used_ratio >= NEAR_FULL {
            let detail = format!("{} of {}", base::ByteSize(used), base::ByteSize(limit));
            let host = parts.about.host.clone();
            out.push(NearFull { host, kind, name: name.into(), used_ratio, full_in_days: None, detail });
        }
    }
    out.sort_by(|a, b| b.used_ratio.total_cmp(&a.used_ratio));
    Ok(out)
}

/// The mean of the last minutes by host, resource and label.
async fn latest(parts: &Parts, range: TimeRange) -> Result<Vec<(String, String, String, f64)>, ApiError> {
    let sql = "SELECT host, name, coalesce(attrs['mount'], attrs['interface'], '') AS label, avg(value) AS value
               FROM samples WHERE name IN ('disk.used_ratio', 'memory.used_ratio', 'cpu.busy_ratio', 'network.used_ratio')
               GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
    let answer = parts.lake.sql(&lake::Query { sql: sql.into(), range, limit: 1000 }).await?;
    let mut out = Vec::new();
    for batch in &answer.batches {
        let (hosts, names, labels, values) = (texts(batch, 0), texts(batch, 1), texts(batch, 2), floats(batch, 3));
        for row in 0..batch.num_rows() {
            if let (Some(host), Some(name), Some(label), Some(value)) =
                (hosts[row].clone(), names[row].clone(), labels[row].clone(), values[row])
            {
                out.push((host, name, label, value));
            }
        }
    }
    Ok(out)
}

/// Days until a disk is full, from its last day.
async fn forecast(parts: &Parts, host: &str, mount: &str, now: Timestamp) -> Result<Option<f64>, ApiError> {
    let range = TimeRange { from: now.plus_seconds(-DAY), to: now };
    let quote = |text: &str| text.replace('\'', "''");
    let sql = format!(
        "SELECT CAST(ts AS BIGINT) / 600000000 AS step, avg(value) AS value FROM samples
         WHERE name = 'disk.used_ratio' AND host = '{}' AND attrs['mount'] = '{}' GROUP BY 1 ORDER BY 1",
        quote(host),
        quote(mount)
    );
    let answer = parts.lake.sql(&lake::Query { sql, range, limit: 1000 }).await?;
    let mut points: BTreeMap<i64, f64> = BTreeMap::new();
    for batch in &answer.batches {
        for (step, value) in ints(batch, 0).into_iter().zip(floats(batch, 1)) {
            if let (Some(step), Some(value)) = (step, value) {
                points.insert(step, value);
            }
        }
    }
    let points: Vec<FillPoint> =
        points.into_iter().map(|(step, value)| (Timestamp::from_seconds(step * 600), value)).collect();
    Ok(fill_forecast(&points))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_requests_are_those_that_took_most_of_all_users_time() {
        let mut windows = Windows::default();
        for (service, route, total) in [("a", "GET /slow", 9_000), ("b", "GET /fast", 10), ("b", "GET /mid", 500)] {
            let routes = &mut windows.services.entry(service.into()).or_default().routes;
            let sum = routes.entry(route.into()).or_default();
            (sum.count, sum.timed, sum.duration_sum_us) = (1, 1, total);
        }
        let top = top_requests(&windows, &Windows::default());
        let order: Vec<&str> = top.iter().map(|top| top.row.route.as_str()).collect();
        assert_eq!(order, ["GET /slow", "GET /mid", "GET /fast"]);
        assert!(top[0].previous_p95_ms.is_none(), "nothing to compare with is not zero");
    }
}
