//! What is kept quiet, and when: silences and announced work.

use super::{Json, Path};
use crate::auth::{Acting, MayRead};
use crate::problem::ApiError;
use axum::extract::State;
use axum::http::StatusCode;
use base::{Id, ServiceName, TimeRange, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Maintenance, Matcher, Silence, Store};

/// What is quiet now or will be.
#[derive(Debug, Serialize)]
pub struct QuietList {
    silences: Vec<Silence>,
    maintenances: Vec<Maintenance>,
}

/// `GET /api/v1/silences`
#[utoipa::path(
    get,
    path = "/api/v1/silences",
    operation_id = "silence_list",
    responses((status = 200, body = serde_json::Value))
)]
pub async fn list(State(store): State<Store>, _: MayRead) -> Result<axum::Json<QuietList>, ApiError> {
    Ok(axum::Json(QuietList {
        silences: store.silences().current().await?,
        maintenances: store.maintenances().current().await?,
    }))
}

/// What is to be quiet.
#[derive(Debug, Deserialize)]
pub struct SilenceBody {
    matchers: Vec<Matcher>,
    reason: String,
    /// Now when missing.
    from: Option<Timestamp>,
    until: Timestamp,
}

fn range(from: Option<Timestamp>, until: Timestamp, now: Timestamp) -> Result<TimeRange, ApiError> {
    let from = from.unwrap_or(now);
    TimeRange::new(from, until)
        .ok_or_else(|| ApiError::bad_request(format!("from ({from}) lies after until ({until})")))
}

/// `POST /api/v1/silences`
#[utoipa::path(
    post,
    path = "/api/v1/silences",
    operation_id = "silence_add",
    request_body = serde_json::Value,
    responses((status = 201, body = serde_json::Value))
)]
pub async fn add(
    State(store): State<Store>,
    State(clock): State<base::Clock>,
    Acting(who): Acting,
    Json(body): Json<SilenceBody>,
) -> Result<(StatusCode, axum::Json<Silence>), ApiError> {
    let range = range(body.from, body.until, clock.now())?;
    let silence = store.silences().add(&body.matchers, range, &body.reason, &who).await?;
    Ok((StatusCode::CREATED, axum::Json(silence)))
}

/// `DELETE /api/v1/silences/{id}`
#[utoipa::path(
    delete,
    path = "/api/v1/silences/{id}",
    operation_id = "silence_end",
    params(("id" = String, Path)),
    responses((status = 204))
)]
pub async fn end(State(store): State<Store>, _: Acting, Path(id): Path<Id<Silence>>) -> Result<StatusCode, ApiError> {
    if store.silences().end(id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found("there is no such silence, or it has ended"))
    }
}

/// Work to be announced.
#[derive(Debug, Deserialize)]
pub struct MaintenanceBody {
    /// All when missing.
    service: Option<ServiceName>,
    reason: String,
    from: Option<Timestamp>,
    until: Timestamp,
}

/// `POST /api/v1/maintenances`
#[utoipa::path(
    post,
    path = "/api/v1/maintenances",
    operation_id = "silence_announce",
    request_body = serde_json::Value,
    responses((status = 201, body = serde_json::Value))
)]
pub async fn announce(
    State(store): State<Store>,
    State(clock): State<base::Clock>,
    Acting(who): Acting,
    Json(body): Json<MaintenanceBody>,
) -> Result<(StatusCode, axum::Json<Maintenance>), ApiError> {
    let range = range(body.from, body.until, clock.now())?;
    let maintenance = store.maintenances().add(body.service.as_ref(), range, &body.reason, &who).await?;
    Ok((StatusCode::CREATED, axum::Json(maintenance)))
}

/// `DELETE /api/v1/maintenances/{id}`
#[utoipa::path(
    delete,
    path = "/api/v1/maintenances/{id}",
    operation_id = "silence_finish",
    params(("id" = String, Path)),
    responses((status = 204))
)]
pub async fn finish(
    State(store): State<Store>,
    _: Acting,
    Path(id): Path<Id<Maintenance>>,
) -> Result<StatusCode, ApiError> {
    if store.maintenances().end(id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found("there is no such maintenance, or it has ended"))
    }
}
