//! GitHub's webhooks: pushes to the default branch, deployments and releases become changes of a service.
//!
//! The signature is the permission, so no token is asked for. A delivery that GitHub sends again is noted once.

use crate::intake::Intake;
use crate::parts::Parts;
use crate::problem::ApiError;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use protocols::webhook::{Change, Stage, decode_github, verify};
use std::fmt::Write;
use std::sync::Arc;
use store::{ChangeKind, NewChange};

const EVENT: &str = "x-github-event";
const DELIVERY: &str = "x-github-delivery";
const SIGNATURE: &str = "x-hub-signature-256";
/// Longest id of a delivery; GitHub's have 36 characters.
const MAX_ID: usize = 64;

/// `POST /api/v1/webhooks/github`
#[utoipa::path(
    post,
    path = "/api/v1/webhooks/github",
    operation_id = "github_webhook",
    request_body(content = serde_json::Value, description = "What GitHub sends, signed."),
    responses((status = 201, description = "A change was noted."), (status = 202, description = "Nothing to note."))
)]
pub async fn deliver(State(parts): State<Parts>, request: Request) -> Result<(StatusCode, &'static str), ApiError> {
    let headers = request.headers().clone();
    let Some(secret) = parts.intake.readings().github_secret.clone() else {
        return Err(ApiError::forbidden(
            "no secret for GitHub's webhooks is configured: set `server.intake.github_secret_file`, and the same secret \
             at GitHub",
        ));
    };
    let (body, _room) = parts.bodies.read(request).await?;
    verify(&secret, header(&headers, SIGNATURE), &body).map_err(|error| ApiError::unauthorized(error.to_string()))?;
    let event = header(&headers, EVENT)
        .ok_or_else(|| ApiError::bad_request("the header X-GitHub-Event is missing".to_owned()))?;
    let id = header(&headers, DELIVERY)
        .filter(|id| !id.is_empty() && id.len() <= MAX_ID)
        .ok_or_else(|| ApiError::bad_request("the header X-GitHub-Delivery is missing or too long".to_owned()))?;
    let told = decode_github(event, &body)
        .map_err(|refusal| ApiError::bad_request(format!("the delivery can't be read: {}", refusal.reason())))?;
    let Some(change) = told.and_then(|told| worth_noting(told, &parts.intake)) else {
        return Ok((StatusCode::ACCEPTED, "nothing to note\n"));
    };
    let name = format!("github:{id}");
    if parts.intake.is_taken(&name) {
        return Ok((StatusCode::ACCEPTED, "noted before\n"));
    }
    parts.store.changes().add(change).await?;
    // Second: noted twice after a crash is better than never.
    parts.intake.remember_taken(&name).await.map_err(crate::intake::IntakeError::from)?;
    Ok((StatusCode::CREATED, "noted\n"))
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// What people look for when something got worse: what went live, or tried to. A push counts when it is to the default
/// branch, which is what most small teams deploy from.
fn worth_noting(change: Change, intake: &Arc<Intake>) -> Option<NewChange> {
    let is_push = change.on_default_branch == Some(true);
    if !(is_push || matches!(change.stage, Stage::Done | Stage::Failed)) {
        return None;
    }
    // Only a service that is known: a repository of something else is a change for all to see.
    let service = intake.readings().rules.service_of(&change.service);
    let service = intake.find(service.as_str()).map(|known| known.name().clone());
    let mut detail = change.repo.clone();
    let more = [("environment", &change.environment), ("ref", &change.reference), ("by", &change.author)];
    for (name, value) in more {
        if let Some(value) = value {
            let _ = write!(detail, "\n{name}: {value}");
        }
    }
    let _ = write!(detail, "\nstage: {}", change.stage.as_str());
    let failed = if change.stage == Stage::Failed { "failed: " } else { "" };
    let title: String = format!("{failed}{}", change.title).chars().take(200).collect();
    Some(NewChange {
        at: change.at,
        kind: ChangeKind::Deploy,
        service,
        title,
        version: change.sha.map(|sha| sha.chars().take(12).collect()),
        url: change.url,
        detail: Some(detail),
    })
}
