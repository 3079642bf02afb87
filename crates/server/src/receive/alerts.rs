//! Alerts of other programs: what Prometheus and its like send to an Alertmanager, and what an Alertmanager sends on.

use super::{Sender, receive};
use crate::auth::{MaySend, Peer};
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::source_name::SourceKind;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use protocols::prometheus::{alertmanager_webhook, alerts};

/// `POST /api/v2/alerts`
pub async fn post(
    State(parts): State<Parts>,
    _: MaySend,
    peer: Peer,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let now = parts.clock.now();
    let sender = Sender::new(SourceKind::Prometheus, peer, request.headers());
    receive(&parts, sender, request, move |bytes, collector| alerts(bytes, now, collector)).await?;
    Ok(StatusCode::OK)
}

/// `POST /api/v1/alertmanager`: the webhook of an Alertmanager.
#[utoipa::path(
    post,
    path = "/api/v1/alertmanager",
    operation_id = "alertmanager",
    request_body(content = serde_json::Value, description = "What Alertmanager sends to a webhook."),
    responses((status = 200))
)]
pub async fn webhook(
    State(parts): State<Parts>,
    _: MaySend,
    peer: Peer,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let sender = Sender::new(SourceKind::Prometheus, peer, request.headers());
    receive(&parts, sender, request, |bytes, collector| alertmanager_webhook(bytes, collector)).await?;
    Ok(StatusCode::OK)
}
