//! Deploy markers and other changes.

use super::{Json, Query, TextRange};
use crate::auth::{MayAdmin, MayRead, MaySend};
use crate::follow::FollowError;
use crate::parts::Parts;
use crate::problem::ApiError;
use axum::extract::State;
use axum::http::StatusCode;
use base::{Clock, ServiceName, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use store::{Change, ChangeKind, NewChange, Store};

/// A change as it is listed.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ChangeView {
    id: String,
    /// When it happened.
    #[schema(value_type = String)]
    pub at: Timestamp,
    kind: String,
    service: Option<String>,
    title: String,
    version: Option<String>,
    url: Option<String>,
    detail: Option<String>,
}

impl From<Change> for ChangeView {
    fn from(change: Change) -> Self {
        Self {
            id: change.id.to_string(),
            at: change.at,
            kind: change.kind.as_str().to_owned(),
            service: change.service.map(String::from),
            title: change.title,
            version: change.version,
            url: change.url,
            detail: change.detail,
        }
    }
}

/// A change to note.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct ChangeBody {
    kind: String,
    #[schema(value_type = Option<String>)]
    service: Option<ServiceName>,
    title: String,
    #[schema(value_type = Option<String>)]
    at: Option<Timestamp>,
    version: Option<String>,
    url: Option<String>,
    detail: Option<String>,
}

/// `POST /api/v1/changes`
#[utoipa::path(
    post,
    path = "/api/v1/changes",
    operation_id = "note_change",
    request_body = ChangeBody,
    responses((status = 201, body = ChangeView))
)]
pub async fn create(
    State(store): State<Store>,
    _: MaySend,
    Json(body): Json<ChangeBody>,
) -> Result<(StatusCode, axum::Json<ChangeView>), ApiError> {
    let kind: ChangeKind =
        body.kind.parse().map_err(|error: store::ChangeKindError| ApiError::bad_request(error.to_string()))?;
    let new = NewChange {
        at: body.at,
        kind,
        service: body.service,
        title: body.title,
        version: body.version,
        url: body.url,
        detail: body.detail,
    };
    let change = store.changes().add(new).await?;
    Ok((StatusCode::CREATED, axum::Json(change.into())))
}

/// A range and a service.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChangeParams {
    #[serde(flatten)]
    #[param(ignore)]
    range: TextRange,
    /// Only its changes, and those about all services.
    service: Option<String>,
}

/// Changes, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChangeList {
    changes: Vec<ChangeView>,
}

/// `GET /api/v1/changes`
#[utoipa::path(
    get,
    path = "/api/v1/changes",
    operation_id = "list_changes",
    params(TextRange, ChangeParams),
    responses((status = 200, body = ChangeList))
)]
pub async fn list(
    State(store): State<Store>,
    State(clock): State<Clock>,
    _: MayRead,
    Query(params): Query<ChangeParams>,
) -> Result<axum::Json<ChangeList>, ApiError> {
    let range = params.range.range(&clock, 24 * 3600)?;
    let service = params.service.as_deref().map(super::ingest::service_name).transpose()?;
    let changes = store.changes().list(range, service.as_ref(), 200).await?;
    Ok(axum::Json(ChangeList { changes: changes.into_iter().map(Into::into).collect() }))
}

impl From<FollowError> for ApiError {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::Add(_) => Self::conflict(error.to_string()),
            FollowError::Unknown(_) => Self::bad_request(error.to_string()),
            FollowError::TooManyImports(_) => Self::too_many(error.to_string(), Duration::from_secs(10)),
        }
    }
}

/// A file to follow.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct FollowBody {
    path: String,
    #[schema(value_type = String)]
    service: ServiceName,
    #[serde(default)]
    import_past: bool,
}

/// `POST /api/v1/sources/follow`: only files that the search found may be named.
#[utoipa::path(
    post,
    path = "/api/v1/sources/follow",
    operation_id = "follow_file",
    request_body = FollowBody,
    responses((status = 202, body = serde_json::Value))
)]
pub async fn follow(
    State(parts): State<Parts>,
    _: MayAdmin,
    Json(body): Json<FollowBody>,
) -> Result<(StatusCode, axum::Json<serde_json::Value>), ApiError> {
    let path = std::path::PathBuf::from(&body.path);
    let discovery = parts.follow.discovery();
    let followed = parts.follow.status();
    let known_path = discovery.logs.iter().any(|log| log.path == path);
    let already = followed.iter().find(|file| file.path == path);
    if !known_path && already.is_none() {
        let text = "this file was not found by the search for access logs; name it in the configuration";
        return Err(ApiError::bad_request(text));
    }
    let service = if let Some(file) = already {
        file.service.clone()
    } else {
        let start = agent::tail::StartAt::End;
        parts.follow.follow(&body.service, &path, start)?;
        parts.store.followed_files().follow(&body.path, &body.service, None, false).await?;
        body.service
    };
    let mut imports = Vec::new();
    if body.import_past {
        imports.push(parts.follow.import_past(&service, &path)?.to_string());
    }
    Ok((StatusCode::ACCEPTED, axum::Json(serde_json::json!({ "following": true, "imports": imports }))))
}
