//! External checks: where each stands, what it found, a run on demand; and which routes no check looks at.

use super::services::known;
use super::{Path, Query, TextRange, ingest::service_name, params};
use crate::auth::{MayAdmin, MayRead};
use crate::checks::{Brief, CheckState, Checks};
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::signals::{self, ratio};
use axum::extract::State;
use base::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use watch::check::{Evidence, Outcome, RunResult, Status, StepResult, Uptime, Why};

const DAY: i64 = 86_400;
/// Rows of a page.
const PAGE: usize = 100;
/// Most rows of a page.
const MAX_PAGE: usize = 1_000;
/// Most routes of each kind that are listed.
const MAX_ROUTES: usize = 500;
/// Longest text that is searched for.
const MAX_SEARCH: usize = 200;

/// The last day by minutes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UptimeView {
    /// Good minutes.
    ok: u32,
    /// Bad minutes.
    failed: u32,
    /// Minutes of which nothing can be said.
    unknown: u32,
    /// Minutes in which nobody looked.
    unwatched: u32,
    /// Good minutes of those that were good or bad; null when none was.
    ratio: Option<f64>,
}

impl From<Uptime> for UptimeView {
    fn from(uptime: Uptime) -> Self {
        let Uptime { ok, failed, unknown, unwatched } = uptime;
        Self { ok, failed, unknown, unwatched, ratio: uptime.ratio() }
    }
}

/// A check in the list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CheckRow {
    #[serde(flatten)]
    state: CheckState,
    uptime: UptimeView,
}

/// A page of checks, the worst first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CheckList {
    checks: Vec<CheckRow>,
    /// How many there are that fit the question.
    total: usize,
    /// How many stand where, of all checks of the service or all altogether: `failed`, `unknown`, `late`, `pending`, `ok`.
    counts: BTreeMap<&'static str, usize>,
    /// Where the next page begins.
    next_cursor: Option<String>,
    /// Results that could not be stored since the server started.
    not_stored: u64,
}

/// What to list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Only checks that stand there: `failed`, `unknown`, `late`, `pending` or `ok`.
    status: Option<String>,
    /// Only checks of this service.
    service: Option<String>,
    /// Only checks with this text in their name or target.
    q: Option<String>,
    /// Rows, 100 when missing, 1,000 at most.
    limit: Option<String>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// `GET /api/v1/checks`
#[utoipa::path(
    get,
    path = "/api/v1/checks",
    operation_id = "check_list",
    responses((status = 200, body = serde_json::Value))
)]
pub async fn list(
    State(checks): State<Arc<Checks>>,
    _: MayRead,
    Query(wanted): Query<ListParams>,
) -> Result<axum::Json<CheckList>, ApiError> {
    let limit = params::whole("limit", wanted.limit.as_deref(), PAGE, MAX_PAGE)?;
    let from: usize = match wanted.cursor.as_deref().filter(|cursor| !cursor.is_empty()) {
        None => 0,
        Some(cursor) => cursor.parse().map_err(|_| ApiError::bad_request("cursor is none of this list"))?,
    };
    let status = match wanted.status.as_deref().filter(|status| !status.is_empty()) {
        None => None,
        Some(name) => Some(Status::parse(name).ok_or_else(|| {
            ApiError::bad_request(format!("status is {name:?}; use failed, unknown, late, pending or ok"))
        })?),
    };
    let service = params::service(wanted.service);
    let search = wanted.q.unwrap_or_default().to_lowercase();
    if search.len() > MAX_SEARCH {
        return Err(ApiError::bad_request(format!("q is longer than {MAX_SEARCH} bytes")));
    }
    let mut states = checks.states();
    states.retain(|state| service.is_none() || state.service == service);
    let mut counts: BTreeMap<&'static str, usize> =
        [Status::Failed, Status::Unknown, Status::Late, Status::Pending, Status::Ok].map(|one| (one.name(), 0)).into();
    for state in &states {
        *counts.entry(state.status.name()).or_default() += 1;
    }
    states.retain(|state| {
        status.is_none_or(|status| state.status == status)
            && (search.is_empty() || state.name.contains(&search) || state.target.to_lowercase().contains(&search))
    });
    // Stable: by name within a status.
    states.sort_by_key(|state| state.status);
    let total = states.len();
    let rows = states.into_iter().skip(from).take(limit).map(|state| {
        let uptime = checks.uptime(&state.name).unwrap_or_default().into();
        CheckRow { state, uptime }
    });
    let rows: Vec<CheckRow> = rows.collect();
    let next = from.saturating_add(rows.len());
    let next_cursor = (next < total && !rows.is_empty()).then(|| next.to_string());
    Ok(axum::Json(CheckList { checks: rows, total, counts, next_cursor, not_stored: checks.not_stored() }))
}

/// One run with every step.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RunView {
    /// When it began.
    #[schema(value_type = String)]
    at: Timestamp,
    /// Where it ran: `server`, or an agent's name.
    from: String,
    /// `ok`, `failed` or `unknown`.
    #[schema(value_type = String)]
    status: Status,
    /// How often it was tried.
    attempts: u32,
    /// All steps together.
    total_ms: Option<f64>,
    /// Which step failed, from 0.
    step: Option<usize>,
    /// What is wrong: `{code, expected, got, text}`.
    #[schema(value_type = Option<Object>)]
    why: Option<Why>,
    /// What was tried, when the network of the server itself may be lost.
    #[schema(value_type = Vec<Object>)]
    evidence: Vec<Evidence>,
    /// Every step: `{name, ok, why, status, address, dns_us, connect_us, tls_us, first_byte_us, total_us,
    /// certificate_ends}`.
    #[schema(value_type = Vec<Object>)]
    steps: Vec<StepResult>,
}

impl From<&RunResult> for RunView {
    fn from(result: &RunResult) -> Self {
        let (step, evidence) = match &result.outcome {
            Outcome::Ok => (None, Vec::new()),
            Outcome::Failed { step, .. } => (Some(*step), Vec::new()),
            Outcome::Unknown { evidence, .. } => (None, evidence.clone()),
        };
        Self {
            at: result.at,
            from: result.from.clone(),
            status: result.status(),
            attempts: result.attempts,
            total_ms: result.total_us().map(|us| us as f64 / 1000.0),
            step,
            why: result.why().cloned(),
            evidence,
            steps: result.steps.clone(),
        }
    }
}

/// One check with its past.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CheckAnswer {
    #[serde(flatten)]
    state: CheckState,
    uptime: UptimeView,
    /// The last day, a letter a minute, the last one now: `o` good, `x` bad, `?` unknown, `-` nobody looked.
    minutes: String,
    /// The last hundred results in short, oldest first.
    history: Vec<Brief>,
    /// The last results with every step, newest first.
    runs: Vec<RunView>,
    /// The last result that was not good, however long ago.
    last_bad: Option<RunView>,
}

/// `GET /api/v1/checks/{name}`
#[utoipa::path(
    get,
    path = "/api/v1/checks/{name}",
    operation_id = "check_show",
    params(("name" = String, Path)),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn show(
    State(checks): State<Arc<Checks>>,
    _: MayRead,
    Path(name): Path<String>,
) -> Result<axum::Json<CheckAnswer>, ApiError> {
    let (Some(state), Some(past)) = (checks.state(&name), checks.past(&name)) else { return Err(none(&name)) };
    Ok(axum::Json(CheckAnswer {
        state,
        uptime: past.uptime.into(),
        minutes: past.minutes,
        history: past.briefs,
        runs: past.details.iter().rev().map(|result| RunView::from(result.as_ref())).collect(),
        last_bad: past.last_bad.as_deref().map(RunView::from),
    }))
}

fn none(name: &str) -> ApiError {
    ApiError::not_found(format!("there is no check {name:?}"))
}

/// `POST /api/v1/checks/{name}/run`: now, whether it is due or not.
#[utoipa::path(
    post,
    path = "/api/v1/checks/{name}/run",
    operation_id = "check_run",
    params(("name" = String, Path)),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn run(
    State(checks): State<Arc<Checks>>,
    _: MayAdmin,
    Path(name): Path<String>,
) -> Result<axum::Json<RunView>, ApiError> {
    let result = checks.run_now(&name).await.ok_or_else(|| none(&name))?;
    Ok(axum::Json(RunView::from(result.as_ref())))
}

/// A service and a range.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CoverageParams {
    #[serde(flatten)]
    #[param(inline)]
    range: TextRange,
    /// The service.
    service: String,
}

/// A step that makes a route's request.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CoveringStep {
    check: String,
    /// From 0.
    step: usize,
}

/// A route of real traffic.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CoverageRow {
    /// Method and path with placeholders.
    route: String,
    /// Requests.
    count: u64,
    /// Of all requests of the service.
    share: Option<f64>,
    /// Requests answered with 5xx.
    errors: u64,
    /// Steps of checks that make this request.
    covered_by: Vec<CoveringStep>,
}

/// Which routes of the real traffic a check looks at, and which not.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CoverageAnswer {
    service: String,
    #[schema(value_type = String)]
    from: Timestamp,
    #[schema(value_type = String)]
    to: Timestamp,
    /// Routes with traffic.
    routes: usize,
    /// Those that a check looks at.
    routes_covered: usize,
    requests: u64,
    requests_covered: u64,
    /// `requests_covered / requests`; null without requests.
    share_covered: Option<f64>,
    /// Routes that no check looks at, most requests first.
    uncovered: Vec<CoverageRow>,
    /// The others, most requests first.
    covered: Vec<CoverageRow>,
    /// Steps of checks whose request is no route of this traffic: `check`, `step`.
    without_traffic: Vec<CoveringStep>,
    damaged_files: Vec<String>,
}

/// `GET /api/v1/coverage`
#[utoipa::path(
    get,
    path = "/api/v1/coverage",
    operation_id = "check_coverage",
    responses((status = 200, body = serde_json::Value))
)]
pub async fn coverage(
    State(parts): State<Parts>,
    _: MayRead,
    Query(wanted): Query<CoverageParams>,
) -> Result<axum::Json<CoverageAnswer>, ApiError> {
    known(&parts, &wanted.service)?;
    let name = service_name(&wanted.service)?;
    let range = wanted.range.range(&parts.clock, DAY)?;
    let windows =
        signals::read(&parts.lake, range, Some(&wanted.service), None, super::step_seconds(range, 60)).await?;
    let walked = parts.checks.walked(&name);
    let mut used = vec![false; walked.len()];
    let empty = lake::ServiceWindows::default();
    let found = windows.services.get(wanted.service.as_str()).unwrap_or(&empty);
    let requests = found.total().count;
    let (mut covered, mut uncovered) = (Vec::new(), Vec::new());
    for (route, sum) in &found.routes {
        let mut covered_by = Vec::new();
        for (at, step) in walked.iter().enumerate().filter(|(_, step)| step.covers(route)) {
            used[at] = true;
            covered_by.push(CoveringStep { check: step.check.clone(), step: step.step });
        }
        let into = if covered_by.is_empty() { &mut uncovered } else { &mut covered };
        let (count, errors) = (sum.count, sum.errors);
        into.push(CoverageRow { route: route.to_string(), count, share: ratio(count, requests), errors, covered_by });
    }
    let requests_covered = covered.iter().map(|row| row.count).sum();
    let (routes, routes_covered) = (found.routes.len(), covered.len());
    for rows in [&mut covered, &mut uncovered] {
        rows.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.route.cmp(&b.route)));
        rows.truncate(MAX_ROUTES);
    }
    let unused = walked.into_iter().zip(used).filter(|(_, used)| !used);
    let without_traffic = unused.map(|(step, _)| CoveringStep { check: step.check, step: step.step }).collect();
    Ok(axum::Json(CoverageAnswer {
        service: wanted.service,
        from: range.from,
        to: range.to,
        routes,
        routes_covered,
        requests,
        requests_covered,
        share_covered: ratio(requests_covered, requests),
        uncovered,
        covered,
        without_traffic,
        damaged_files: windows.damaged_files,
    }))
}
