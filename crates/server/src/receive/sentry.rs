//! Clients of Sentry: `/api/{project}/envelope/` and the older `/api/{project}/store/`.

use super::{Sender, receive};
use crate::auth::{MaySend, Peer};
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::source_name::SourceKind;
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use base::ServiceName;
use protocols::sentry::limits::{self, RateLimit};
use protocols::sentry::{Project, Release, decode_envelope, decode_store};
use serde_json::json;
use store::{ChangeKind, NewChange};

/// `POST /api/{project}/envelope/`
pub async fn envelope(
    state: State<Parts>,
    send: MaySend,
    peer: Peer,
    project: Path<String>,
    request: Request,
) -> Response {
    take(state, send, peer, project, request, true).await
}

/// `POST /api/{project}/store/`
pub async fn store(
    state: State<Parts>,
    send: MaySend,
    peer: Peer,
    project: Path<String>,
    request: Request,
) -> Response {
    take(state, send, peer, project, request, false).await
}

async fn take(
    State(parts): State<Parts>,
    _: MaySend,
    peer: Peer,
    Path(project): Path<String>,
    request: Request,
    is_envelope: bool,
) -> Response {
    let service = parts.intake.readings().rules.service_of(&format!("project-{project}"));
    let arrived = parts.clock.now();
    let sender = Sender::new(SourceKind::Sentry, peer, request.headers()).of_service(service.clone());
    let of = service.clone();
    let stored = receive(&parts, sender, request, move |bytes, collector| {
        let project = Project { service: service.as_str(), arrived };
        if is_envelope { decode_envelope(bytes, project, collector) } else { decode_store(bytes, project, collector) }
    });
    match stored.await {
        Ok(stored) => {
            for release in &stored.answer.releases {
                // What was sent is stored: that it can't be noted now is no reason to have it sent again.
                if let Err(error) = note(&parts, &of, release).await {
                    tracing::warn!(service = %of, error = error.detail(), "a new release could not be noted");
                }
            }
            Json(json!({ "id": stored.answer.event_id })).into_response()
        }
        Err(error) => refused(error),
    }
}

/// A release that was never heard of went live somewhere: what people look for when something got worse.
async fn note(parts: &Parts, service: &ServiceName, release: &Release) -> Result<(), ApiError> {
    let Release { version, environment } = release;
    let place = environment.as_deref().map(|environment| format!(" ({environment})")).unwrap_or_default();
    if !parts.intake.is_first(service, &format!("release {version}{place}")).await? {
        return Ok(());
    }
    let short = |text: &str| -> String { text.chars().take(200).collect() };
    let change = NewChange {
        at: None,
        kind: ChangeKind::Deploy,
        service: Some(service.clone()),
        title: short(&format!("{version}{place} was heard of for the first time")),
        version: Some(short(version)),
        url: None,
        detail: Some("by what a client of Sentry sent".to_owned()),
    };
    parts.store.changes().add(change).await?;
    Ok(())
}

/// The error with the header by which SDKs hold back: they read `Retry-After` with status 429 alone.
fn refused(error: ApiError) -> Response {
    let wait = error.retry_after();
    let mut response = error.into_response();
    if let Some(wait) = wait {
        let seconds = u32::try_from(wait.as_secs().max(1)).unwrap_or(u32::MAX);
        let all = limits::header(&[RateLimit { seconds, categories: &[], reason: "busy" }]);
        if let Ok(all) = HeaderValue::from_str(&all) {
            response.headers_mut().insert(HeaderName::from_static(limits::HEADER), all);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn sdks_are_told_how_long_to_hold_back_when_that_can_help() {
        let full = refused(ApiError::unavailable("the disk is full", Duration::from_secs(5)));
        assert_eq!((full.status().as_u16(), &full.headers()["retry-after"]), (503, &HeaderValue::from_static("5")));
        assert_eq!(full.headers()[limits::HEADER], "5::key:busy");
        let broken = refused(ApiError::bad_request("no headers of an envelope"));
        assert!(!broken.headers().contains_key(limits::HEADER));
    }
}
