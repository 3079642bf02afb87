//! Heartbeats: `/ping/{id}`, with start, failure or exit code, as jobs and cron lines send them; `/api/push/{id}` of others.

use super::{Sender, receive};
use crate::auth::{MaySend, Peer};
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::source_name::SourceKind;
use axum::Json;
use axum::extract::{Path, Request, State};
use protocols::heartbeat::{Ping, PingError, Push};
use serde_json::{Value, json};

/// `GET`, `HEAD` or `POST /ping/{id}[/start|/fail|/log|/{exit code}]`
pub async fn ping(
    State(parts): State<Parts>,
    _: MaySend,
    peer: Peer,
    Path(path): Path<String>,
    request: Request,
) -> Result<&'static str, ApiError> {
    let query = request.uri().query().map(str::to_owned);
    let ping = Ping::parse(&path, query.as_deref()).map_err(wrong)?;
    let (id, signal) = (ping.id.to_owned(), ping.signal);
    // The job is who is heard, not the curl that it calls.
    let sender = Sender::new(SourceKind::Heartbeat, peer, request.headers()).named(&id);
    receive(&parts, sender, request, move |bytes, collector| {
        if let Ok(ping) = Ping::parse(&path, query.as_deref()) {
            ping.observe(bytes, collector);
        }
        Ok(())
    })
    .await?;
    parts.checks.ping(&id, signal);
    Ok("OK")
}

/// `GET` or `POST /api/push/{id}?status=up&msg=OK&ping=12`, as push monitors of Uptime Kuma are called.
pub async fn push(
    State(parts): State<Parts>,
    _: MaySend,
    peer: Peer,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, ApiError> {
    let query = request.uri().query().map(str::to_owned);
    let signal = Push::parse(&id, query.as_deref()).map_err(wrong)?.ping.signal;
    let sender = Sender::new(SourceKind::Heartbeat, peer, request.headers()).named(&id);
    let name = id.clone();
    receive(&parts, sender, request, move |_, collector| {
        if let Ok(push) = Push::parse(&name, query.as_deref()) {
            push.observe(collector);
        }
        Ok(())
    })
    .await?;
    parts.checks.ping(&id, signal);
    Ok(Json(json!({ "ok": true })))
}

fn wrong(error: PingError) -> ApiError {
    ApiError::bad_request(error.to_string())
}
