//! Alerts and tickets: what fires, what people did about it, whom it was told to.

use super::{Json, Path, Query};
use crate::auth::{Acting, MayRead};
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::watching::Plan;
use axum::extract::State;
use axum::http::StatusCode;
use base::{Id, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{
    Delivery, Firing, FiringClass, FiringLink, FiringPage, FiringScope, FiringState, FiringsQuery, HistoryEntry,
    LinkKind, Outcome, PageKey, Progress, Store, TicketsQuery,
};
use watch::detects::Detects;

/// Rows of a page when nothing else is asked for.
const USUAL_ROWS: u32 = 50;

/// A firing as it is listed.
#[derive(Debug, Serialize)]
pub struct FiringView {
    #[serde(flatten)]
    firing: Firing,
    /// Which series, as labels.
    labels: BTreeMap<String, String>,
    /// A ticket whose due date has passed.
    overdue: bool,
    /// The condition in parts; null when the rule is another one by now, or is no more.
    detects: Option<Detects>,
}

impl FiringView {
    fn of(firing: Firing, plan: &Plan, now: Timestamp) -> Self {
        let labels = serde_json::from_str(&firing.series).unwrap_or_default();
        let overdue = firing.is_overdue(now);
        let detects = plan.detects(&firing.rule, &firing.condition).cloned();
        Self { firing, labels, overdue, detects }
    }
}

/// A page of firings.
#[derive(Debug, Serialize)]
pub struct FiringList {
    firings: Vec<FiringView>,
    /// Hand it back as `cursor` for the next page; null after the last.
    next: Option<String>,
}

fn page(page: FiringPage, parts: &Parts) -> axum::Json<FiringList> {
    let (plan, now) = (parts.watch.plan(), parts.clock.now());
    let firings = page.firings.into_iter().map(|firing| FiringView::of(firing, &plan, now)).collect();
    axum::Json(FiringList { firings, next: page.next.map(|next| next.to_string()) })
}

/// Which firings.
#[derive(Debug, Deserialize)]
pub struct FiringParams {
    /// `alert` (also when missing) or `ticket`.
    class: Option<String>,
    /// `open` or `resolved`; both when missing.
    state: Option<String>,
    /// Only this service.
    service: Option<String>,
    /// Only this rule; wins over class and service.
    rule: Option<String>,
    /// Where the page before ended.
    cursor: Option<String>,
    limit: Option<u32>,
}

fn parsed<T: std::str::FromStr>(text: Option<&str>) -> Result<Option<T>, ApiError>
where
    T::Err: std::fmt::Display,
{
    let given = text.filter(|text| !text.is_empty());
    given.map(str::parse).transpose().map_err(|error: T::Err| ApiError::bad_request(error.to_string()))
}

/// `GET /api/v1/firings`
#[utoipa::path(
    get,
    path = "/api/v1/firings",
    operation_id = "firing_list",
    params(("class" = Option<String>, Query), ("state" = Option<String>, Query), ("service" = Option<String>, Query), ("rule" = Option<String>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn list(
    State(parts): State<Parts>,
    _: MayRead,
    Query(params): Query<FiringParams>,
) -> Result<axum::Json<FiringList>, ApiError> {
    let class = parsed(params.class.as_deref())?.unwrap_or(FiringClass::Alert);
    let scope = match (&params.rule, &params.service) {
        (Some(rule), _) => FiringScope::Rule(rule.clone()),
        (None, Some(service)) => FiringScope::Service(class, super::ingest::service_name(service)?),
        (None, None) => FiringScope::Class(class),
    };
    let query = FiringsQuery {
        scope,
        state: parsed::<FiringState>(params.state.as_deref())?,
        page: parsed::<PageKey>(params.cursor.as_deref())?,
        limit: params.limit.unwrap_or(USUAL_ROWS),
    };
    Ok(page(parts.store.firings().list(&query).await?, &parts))
}

/// Which tickets.
#[derive(Debug, Deserialize)]
pub struct TicketParams {
    #[serde(default)]
    overdue: bool,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// `GET /api/v1/tickets`: those that are not done, the one that is due first in front.
#[utoipa::path(
    get,
    path = "/api/v1/tickets",
    operation_id = "firing_tickets",
    params(("overdue" = Option<bool>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn tickets(
    State(parts): State<Parts>,
    _: MayRead,
    Query(params): Query<TicketParams>,
) -> Result<axum::Json<FiringList>, ApiError> {
    let query = if params.overdue { TicketsQuery::Overdue } else { TicketsQuery::ToDo };
    let after = parsed::<PageKey>(params.cursor.as_deref())?;
    let limit = params.limit.unwrap_or(USUAL_ROWS);
    Ok(page(parts.store.firings().tickets(query, after.as_ref(), limit).await?, &parts))
}

/// A firing with everything about it.
#[derive(Debug, Serialize)]
pub struct FiringDetail {
    #[serde(flatten)]
    view: FiringView,
    /// What to do first.
    action: Option<String>,
    runbook: Option<String>,
    history: Vec<HistoryEntry>,
    links: Vec<FiringLink>,
    deliveries: Vec<Delivery>,
}

/// `GET /api/v1/firings/{id}`
#[utoipa::path(
    get,
    path = "/api/v1/firings/{id}",
    operation_id = "firing_show",
    params(("id" = String, Path)),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn show(
    State(parts): State<Parts>,
    _: MayRead,
    Path(id): Path<Id<Firing>>,
) -> Result<axum::Json<FiringDetail>, ApiError> {
    let firings = parts.store.firings();
    let firing = firings.get(id).await?.ok_or_else(unknown)?;
    let plan = parts.watch.plan();
    let rule = plan.rule(&firing.rule).map(|rule| &rule.info);
    Ok(axum::Json(FiringDetail {
        action: rule.and_then(|rule| rule.action.clone()),
        runbook: rule.and_then(|rule| rule.runbook.clone()),
        history: firings.history(id).await?,
        links: firings.links(id).await?,
        deliveries: parts.store.outbox().of_firing(id).await?,
        view: FiringView::of(firing, &plan, parts.clock.now()),
    }))
}

fn unknown() -> ApiError {
    ApiError::not_found("there is no such firing; it may have been deleted with its service")
}

/// What changed: `false` when it was so already.
async fn changed(store: &Store, id: Id<Firing>, done: bool) -> Result<StatusCode, ApiError> {
    if done || store.firings().get(id).await?.is_some() { Ok(StatusCode::NO_CONTENT) } else { Err(unknown()) }
}

/// `POST /api/v1/firings/{id}/ack`
#[utoipa::path(
    post,
    path = "/api/v1/firings/{id}/ack",
    operation_id = "firing_acknowledge",
    params(("id" = String, Path)),
    responses((status = 204))
)]
pub async fn acknowledge(
    State(store): State<Store>,
    Acting(who): Acting,
    Path(id): Path<Id<Firing>>,
) -> Result<StatusCode, ApiError> {
    let done = store.firings().acknowledge(id, &who).await?;
    changed(&store, id, done).await
}

/// What came of it.
#[derive(Debug, Deserialize)]
pub struct OutcomeBody {
    /// `acted`, `healed`, `resolved_by_itself`, `duplicate` or `no_action_needed`.
    outcome: String,
    /// Why; must be there with `no_action_needed`.
    why: Option<String>,
}

/// `POST /api/v1/firings/{id}/outcome`
#[utoipa::path(
    post,
    path = "/api/v1/firings/{id}/outcome",
    operation_id = "firing_outcome",
    params(("id" = String, Path)),
    request_body = serde_json::Value,
    responses((status = 204))
)]
pub async fn outcome(
    State(store): State<Store>,
    Acting(who): Acting,
    Path(id): Path<Id<Firing>>,
    Json(body): Json<OutcomeBody>,
) -> Result<StatusCode, ApiError> {
    let outcome: Outcome =
        parsed(Some(&body.outcome))?.ok_or_else(|| ApiError::bad_request("outcome is missing".to_owned()))?;
    let done = store.firings().set_outcome(id, outcome, body.why.as_deref(), &who).await?;
    changed(&store, id, done).await
}

/// A text.
#[derive(Debug, Deserialize)]
pub struct NoteBody {
    text: String,
}

/// `POST /api/v1/firings/{id}/notes`
#[utoipa::path(
    post,
    path = "/api/v1/firings/{id}/notes",
    operation_id = "firing_note",
    params(("id" = String, Path)),
    request_body = serde_json::Value,
    responses((status = 204))
)]
pub async fn note(
    State(store): State<Store>,
    Acting(who): Acting,
    Path(id): Path<Id<Firing>>,
    Json(body): Json<NoteBody>,
) -> Result<StatusCode, ApiError> {
    let done = store.firings().add_note(id, &who, &body.text).await?;
    changed(&store, id, done).await
}

/// Who answers for it.
#[derive(Debug, Deserialize)]
pub struct OwnerBody {
    owner: String,
}

/// `POST /api/v1/firings/{id}/owner`
#[utoipa::path(
    post,
    path = "/api/v1/firings/{id}/owner",
    operation_id = "firing_assign",
    params(("id" = String, Path)),
    request_body = serde_json::Value,
    responses((status = 204))
)]
pub async fn assign(
    State(store): State<Store>,
    Acting(who): Acting,
    Path(id): Path<Id<Firing>>,
    Json(body): Json<OwnerBody>,
) -> Result<StatusCode, ApiError> {
    let done = store.firings().assign(id, &body.owner, &who).await?;
    changed(&store, id, done).await
}

/// Until when.
#[derive(Debug, Deserialize)]
pub struct DueBody {
    due_at: Timestamp,
}

/// `POST /api/v1/firings/{id}/due`
#[utoipa::path(
    post,
    path = "/api/v1/firings/{id}/due",
    operation_id = "firing_due",
    params(("id" = String, Path)),
    request_body = serde_json::Value,
    responses((status = 204))
)]
pub async fn due(
    State(store): State<Store>,
    Acting(who): Acting,
    Path(id): Path<Id<Firing>>,
    Json(body): Json<DueBody>,
) -> Result<StatusCode, ApiError> {
    let done = store.firings().set_due(id, body.due_at, &who).await?;
    changed(&store, id, done).await
}

/// How far the work is.
#[derive(Debug, Deserialize)]
pub struct ProgressBody {
    /// `open`, `in_progress` or `done`.
    progress: String,
}

/// `POST /api/v1/firings/{id}/progress`
#[utoipa::path(
    post,
    path = "/api/v1/firings/{id}/progress",
    operation_id = "firing_progress",
    params(("id" = String, Path)),
    request_body = serde_json::Value,
    responses((status = 204))
)]
pub async fn progress(
    State(store): State<Store>,
    Acting(who): Acting,
    Path(id): Path<Id<Firing>>,
    Json(body): Json<ProgressBody>,
) -> Result<StatusCode, ApiError> {
    let progress: Progress =
        parsed(Some(&body.progress))?.ok_or_else(|| ApiError::bad_request("progress is missing".to_owned()))?;
    let done = store.firings().set_progress(id, progress, &who).await?;
    changed(&store, id, done).await
}

/// What it is linked to.
#[derive(Debug, Deserialize)]
pub struct LinkBody {
    /// `firing`, `change`, `error_group`, `url` or `issue`.
    kind: String,
    target: String,
}

/// `POST /api/v1/firings/{id}/links`
#[utoipa::path(
    post,
    path = "/api/v1/firings/{id}/links",
    operation_id = "firing_link",
    params(("id" = String, Path)),
    request_body = serde_json::Value,
    responses((status = 204))
)]
pub async fn link(
    State(store): State<Store>,
    Acting(who): Acting,
    Path(id): Path<Id<Firing>>,
    Json(body): Json<LinkBody>,
) -> Result<StatusCode, ApiError> {
    let kind: LinkKind =
        parsed(Some(&body.kind))?.ok_or_else(|| ApiError::bad_request("kind is missing".to_owned()))?;
    let done = store.firings().link(id, kind, &body.target, Some(&who)).await?;
    changed(&store, id, done).await
}

/// Which messages.
#[derive(Debug, Deserialize)]
pub struct DeliveryParams {
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Messages and what became of them.
#[derive(Debug, Serialize)]
pub struct DeliveryList {
    deliveries: Vec<Delivery>,
    next: Option<String>,
}

/// `GET /api/v1/deliveries`
#[utoipa::path(
    get,
    path = "/api/v1/deliveries",
    operation_id = "firing_deliveries",
    params(("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn deliveries(
    State(store): State<Store>,
    _: MayRead,
    Query(params): Query<DeliveryParams>,
) -> Result<axum::Json<DeliveryList>, ApiError> {
    let page = parsed::<PageKey>(params.cursor.as_deref())?;
    let limit = params.limit.unwrap_or(USUAL_ROWS).clamp(1, store::DELIVERIES_LIST_MAX - 1);
    let mut deliveries = store.outbox().list(page.as_ref(), limit + 1).await?;
    let more = deliveries.len() > limit as usize;
    deliveries.truncate(limit as usize);
    let last = deliveries.last().filter(|_| more);
    let next = last.map(|last| PageKey::after(last.created_at, last.id).to_string());
    Ok(axum::Json(DeliveryList { deliveries, next }))
}
