//! How available a service was in a month, by three definitions side by side.
//!
//! Minutes and users come from the stored requests: what is not stored is unknown, never good, and the days of which that
//! is so are named.

use super::Query;
use crate::auth::MayRead;
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::signals::{ints, texts};
use crate::watching::past_minutes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base::{ServiceName, TimeRange, Timestamp};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use watch::availability::{
    DEFAULT_CUT_OFF, Figures, IncompleteDay, Kept, Month, Report, Tally, UserRequest, csv, incomplete_days, markdown,
};
use watch::compile::{Declared, DeclaredService, compile};
use watch::objective::{Objective, Subject};
use watch::spec::ObjectiveSpec;
use watch::texts::{Language, Texts};

/// Sorting a month of requests by user may take so long.
const USERS_TIME: Duration = Duration::from_secs(90);

/// Whole days of UTC are deleted, so no hour is deleted in part.
const HOUR_US: i64 = 3_600_000_000;
/// More than a month has.
const HOURS_MAX: usize = 1000;

const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Which month of which service.
#[derive(Debug, Deserialize)]
pub struct ReportParams {
    /// The only one when missing.
    service: Option<String>,
    /// `2026-03`; the current month when missing.
    month: Option<String>,
    /// IANA name; the server's when missing.
    time_zone: Option<String>,
    /// The objective whose condition says what is good. When missing: the first one over all requests of the service, or
    /// `status < 500` without one.
    objective: Option<String>,
    /// `json` (also when missing), `markdown` or `csv`.
    format: Option<String>,
    /// `en` (also when missing) or `ja`: of the Markdown.
    language: Option<String>,
}

/// The worst window of a length.
#[derive(Debug, Serialize)]
pub struct WorstView {
    length_s: i64,
    from: Timestamp,
    share: f64,
    requests: u64,
}

/// A month's report.
#[derive(Debug, Serialize)]
pub struct ReportAnswer {
    service: String,
    month: String,
    time_zone: String,
    from: Timestamp,
    to: Timestamp,
    /// Whether the month is over.
    is_over: bool,
    /// Until when figures are known.
    until: Timestamp,
    objective: Option<String>,
    /// The condition of a good request.
    good: String,
    target_percent: Option<f64>,
    /// Seconds that it may be down for that.
    allowed_s: Option<f64>,
    with_maintenance: Figures,
    without_maintenance: Figures,
    maintenance_minutes: u64,
    /// Users who could be told apart; null when they were not counted.
    user_count: Option<u64>,
    /// Of these, met at least one error; null when they were not counted.
    disappointed: Option<u64>,
    /// Days of which not all requests are stored any more.
    incomplete_days: Vec<IncompleteDay>,
    worst: Vec<WorstView>,
    cut_off_s: f64,
    good_minute: f64,
    /// What is missing.
    partial: Option<String>,
}

/// `GET /api/v1/report/month`
#[utoipa::path(
    get,
    path = "/api/v1/report/month",
    operation_id = "report_month",
    params(
        ("service" = Option<String>, Query), ("month" = Option<String>, Query), ("time_zone" = Option<String>, Query),
        ("objective" = Option<String>, Query), ("format" = Option<String>, Query), ("language" = Option<String>, Query)
    ),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn month(
    State(parts): State<Parts>,
    _: MayRead,
    Query(params): Query<ReportParams>,
) -> Result<Response, ApiError> {
    let language = match params.language.as_deref() {
        None | Some("" | "en") => Language::English,
        Some("ja") => Language::Japanese,
        Some(_) => return Err(ApiError::bad_request("language is none of en, ja")),
    };
    let service = service(&parts, params.service.as_deref())?;
    let month = which_month(&parts, &params)?;
    let (objective, is_declared) = objective(&parts, &service, params.objective.as_deref())?;
    let now = parts.clock.now();
    let busy = || ApiError::too_many("another report is being made; try again when it is done", RETRY_AFTER);
    let _turn = parts.watch.reports.try_acquire().map_err(|_| busy())?;
    let (report, partial) = make(&parts, &service, &month, &objective, is_declared).await?;
    let attached = |kind: &'static str, ending: &str, text: String| {
        let name = format!("inline; filename=\"{}-{}.{ending}\"", report.service, report.month);
        ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)], text).into_response()
    };
    match params.format.as_deref() {
        Some("markdown") => {
            let text = markdown(&report, &Texts::new(language));
            // Without it the figures would seem to be of the whole month.
            let text = match partial {
                Some(partial) => format!("{text}\n> {partial}\n"),
                None => text,
            };
            Ok(attached("text/markdown; charset=utf-8", "md", text))
        }
        Some("csv") => Ok(attached("text/csv; charset=utf-8", "csv", csv(&report))),
        None | Some("" | "json") => {
            Ok(axum::Json(answer(report, &objective, is_declared, now, partial)).into_response())
        }
        Some(_) => Err(ApiError::bad_request("format is none of json, markdown, csv")),
    }
}

fn service(parts: &Parts, asked: Option<&str>) -> Result<ServiceName, ApiError> {
    if let Some(name) = asked.filter(|name| !name.is_empty()) {
        let name = super::ingest::service_name(name)?;
        return match parts.intake.find(name.as_str()) {
            Some(_) => Ok(name),
            None => Err(ApiError::not_found("there is no such service")),
        };
    }
    match parts.intake.services().as_slice() {
        [only] => Ok(only.name().clone()),
        [] => Err(ApiError::not_found("there is no service yet")),
        _ => Err(ApiError::bad_request("there are several services; name one: service=...")),
    }
}

fn which_month(parts: &Parts, params: &ReportParams) -> Result<Month, ApiError> {
    let own = &parts.about.time_zone;
    let zone = params.time_zone.as_deref().filter(|zone| !zone.is_empty());
    let zone = zone.or_else(|| own.iana_name()).unwrap_or("UTC");
    let there = || TimeZone::get(zone).unwrap_or_else(|_| own.clone());
    let current = || Month::of(parts.clock.now(), &there()).to_string();
    let month = params.month.clone().filter(|month| !month.is_empty()).unwrap_or_else(current);
    Month::parse(&month, zone).map_err(|error| ApiError::bad_request(error.to_string()))
}

/// The objective in question, and whether it is one of the configuration.
fn objective(parts: &Parts, service: &ServiceName, asked: Option<&str>) -> Result<(Arc<Objective>, bool), ApiError> {
    let plan = parts.watch.plan();
    let of_requests =
        |one: &&Arc<Objective>| one.service == service.as_str() && matches!(one.subject, Subject::Requests { .. });
    let mut known = plan.objectives.iter().filter(of_requests);
    if let Some(name) = asked.filter(|name| !name.is_empty()) {
        let found = known.find(|one| one.name == name);
        let missing = || ApiError::not_found("the service has no such objective over its requests");
        return Ok((Arc::clone(found.ok_or_else(missing)?), true));
    }
    match known.find(|one| one.route.is_none()) {
        Some(first) => Ok((Arc::clone(first), true)),
        None => Ok((plain(service)?, false)),
    }
}

/// Every request counts, and one that is not answered with 5xx is good.
fn plain(service: &ServiceName) -> Result<Arc<Objective>, ApiError> {
    let spec = serde_json::json!({"name": "available", "good": "status < 500", "target": 50});
    let specs: Vec<ObjectiveSpec> = vec![serde_json::from_value(spec).map_err(ApiError::internal)?];
    let declared = Declared {
        services: BTreeMap::from([(service.as_str(), DeclaredService { owner: None, objectives: &specs })]),
        checks: std::collections::BTreeSet::new(),
        runbooks: None,
        time_zone: "UTC",
        interval: crate::watching::INTERVAL,
    };
    let found = compile(&declared, &[]).objectives.pop();
    found.ok_or_else(|| ApiError::internal("the plain objective is none"))
}

async fn make(
    parts: &Parts,
    service: &ServiceName,
    month: &Month,
    objective: &Objective,
    is_declared: bool,
) -> Result<(Report, Option<String>), ApiError> {
    let range = month.range();
    let maintenances = parts.store.maintenances().within(range).await?;
    let of_service = maintenances.iter().filter(|one| one.service.as_ref().is_none_or(|of| of == service));
    let maintenances: Vec<TimeRange> = of_service.filter_map(|one| TimeRange::new(one.from, one.until)).collect();
    let mut tally = Tally::new(range, DEFAULT_CUT_OFF, &maintenances).until(parts.clock.now());
    let minutes = past_minutes(parts, objective, range).await?;
    let minutes = minutes.ok_or_else(|| ApiError::conflict("the objective's condition can't be asked of the past"))?;
    for (at, counts) in minutes {
        tally.add_requests(at, counts.valid, counts.good);
    }
    let days = days(parts, service, month, &mut tally).await.err();
    let users = users(parts, objective, range, &mut tally).await;
    let partial: Vec<String> = days.into_iter().chain(users).collect();
    let partial = (!partial.is_empty()).then(|| partial.join("; "));
    let target = is_declared.then(|| objective.target.percent() / 100.0);
    Ok((tally.report(service.as_str(), month, target), partial))
}

/// Names the days of which not all requests are stored any more, because retention or the disk budget deleted them:
/// roll-ups count every request and are kept for longer. What went wrong with that is given back.
async fn days(parts: &Parts, service: &ServiceName, month: &Month, tally: &mut Tally) -> Result<(), String> {
    let range = month.range();
    let failed = |error: lake::QueryError| format!("which days are stored whole is not known: {error}");
    // Counts first: a request that comes in between is then one too many, and none seems to be missing.
    let counted = crate::signals::read(&parts.lake, range, Some(service.as_str()), None, HOUR_US / 1_000_000).await;
    let sql = format!(
        "SELECT CAST(ts AS BIGINT) / {HOUR_US} AS hour, count(*) AS requests FROM requests \
         WHERE service = '{service}' GROUP BY 1 ORDER BY 1"
    );
    let stored = parts.lake.sql(&lake::Query { sql, range, limit: HOURS_MAX }).await.map_err(failed)?;
    let mut hours: BTreeMap<i64, Kept> = BTreeMap::new();
    if let Some(windows) = counted.map_err(failed)?.services.get(service.as_str()) {
        for (at, sum) in &windows.steps {
            hours.entry(*at).or_default().counted += sum.count;
        }
    }
    for batch in &stored.batches {
        for (hour, requests) in ints(batch, 0).into_iter().zip(ints(batch, 1)) {
            if let (Some(hour), Some(requests)) = (hour, requests) {
                hours.entry(hour * HOUR_US).or_default().stored += requests.unsigned_abs();
            }
        }
    }
    let hours = hours.into_iter().map(|(at, kept)| (Timestamp::from_micros(at), kept));
    tally.lacks(incomplete_days(month, hours));
    Ok(())
}

/// Adds what each user met. What went wrong with that is given back: the other figures stand without it.
async fn users(parts: &Parts, objective: &Objective, range: TimeRange, tally: &mut Tally) -> Option<String> {
    let (good, only) = objective.judged_sql()?;
    let sql = format!(
        "SELECT user_key, CAST(ts AS BIGINT) AS at, CAST({good} AS BIGINT) AS good FROM requests \
         WHERE {only} AND {good} IS NOT NULL AND user_key IS NOT NULL ORDER BY user_key, ts"
    );
    let mut is_sorted = true;
    let visited = parts
        .lake
        .each(&sql, range, USERS_TIME, |batch| {
            for ((user, at), good) in texts(batch, 0).into_iter().zip(ints(batch, 1)).zip(ints(batch, 2)) {
                if let (Some(user), Some(at)) = (user, at) {
                    let request = UserRequest { user: &user, at: Timestamp::from_micros(at), good: good == Some(1) };
                    is_sorted &= tally.add_user_request(request).is_ok();
                }
            }
        })
        .await;
    match visited {
        Ok(stats) if !stats.damaged_files.is_empty() => super::params::partial(&stats.damaged_files),
        Ok(_) if is_sorted => None,
        Ok(_) => {
            tally.forget_users();
            Some("what users met is not known: requests changed while they were read; ask again".to_owned())
        }
        Err(error) => {
            tally.forget_users();
            Some(format!("what users met is not known: {error}"))
        }
    }
}

fn answer(
    report: Report,
    objective: &Objective,
    is_declared: bool,
    now: Timestamp,
    partial: Option<String>,
) -> ReportAnswer {
    let good = match &objective.subject {
        Subject::Requests { good, .. } => good.text().to_owned(),
        Subject::Check(check) => check.clone(),
    };
    ReportAnswer {
        is_over: report.range.to <= now,
        until: report.range.to.min(now),
        from: report.range.from,
        to: report.range.to,
        objective: is_declared.then(|| objective.name.clone()),
        good,
        target_percent: report.target.map(|_| objective.target.percent()),
        allowed_s: report.allowed.map(super::actionability::seconds),
        with_maintenance: report.with_maintenance,
        without_maintenance: report.without_maintenance,
        maintenance_minutes: report.maintenance_minutes,
        user_count: report.users.map(|users| users.all),
        disappointed: report.users.map(|users| users.disappointed),
        incomplete_days: report.incomplete_days,
        worst: report
            .worst
            .iter()
            .map(|one| WorstView {
                length_s: one.length.micros() / 1_000_000,
                from: one.from,
                share: one.share,
                requests: one.requests,
            })
            .collect(),
        cut_off_s: super::actionability::seconds(report.cut_off),
        good_minute: report.good_minute,
        service: report.service,
        month: report.month,
        time_zone: report.time_zone,
        partial,
    }
}
