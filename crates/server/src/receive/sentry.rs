//! Clients of Sentry: `/api/{project}/envelope/` and the older `/api/{project}/store/`.

use super::{Sender, receive};
use crate::auth::{MaySend, Peer};
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::source_name::SourceKind;
use axum::Json;
use axum::extract::{Path, Request, State};
use protocols::sentry::{Project, decode_envelope, decode_store};
use serde_json::{Value, json};

/// `POST /api/{project}/envelope/`
pub async fn envelope(
    state: State<Parts>,
    send: MaySend,
    peer: Peer,
    project: Path<String>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    take(state, send, peer, project, request, true).await
}

/// `POST /api/{project}/store/`
pub async fn store(
    state: State<Parts>,
    send: MaySend,
    peer: Peer,
    project: Path<String>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    take(state, send, peer, project, request, false).await
}

async fn take(
    State(parts): State<Parts>,
    _: MaySend,
    peer: Peer,
    Path(project): Path<String>,
    request: Request,
    is_envelope: bool,
) -> Result<Json<Value>, ApiError> {
    let service = parts.intake.readings().rules.service_of(&format!("project-{project}"));
    let arrived = parts.clock.now();
    let sender = Sender::new(SourceKind::Sentry, peer, request.headers()).of_service(service.clone());
    let stored = receive(&parts, sender, request, move |bytes, collector| {
        let project = Project { service: service.as_str(), arrived };
        if is_envelope { decode_envelope(bytes, project, collector) } else { decode_store(bytes, project, collector) }
    })
    .await?;
    Ok(Json(json!({ "id": stored.answer.event_id })))
}
