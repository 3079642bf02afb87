//! Agents of other hosts: their reports and their lines; and what is known of those hosts.

use super::{Path, Query};
use crate::auth::{ByAgent, MayAdmin, MayRead};
use crate::hosts::{self, HostView, Hosts};
use crate::intake::{Delivery, Position, store_lines};
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::source_name::{SourceKind, SourceName};
use agent::ledger::{Coverage, file_keys, path_keys};
use agent::remote::wire::{LinesAnswer, LinesOf, MarkAnswer, Orders, Report, SENT_AT};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use base::{ServiceName, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Longest path and longest pattern that an agent may send.
const MAX_TEXT: usize = 4096;

/// The host of an agent that has reported before.
fn host_of(hosts: &Hosts, agent: &ByAgent) -> Result<String, ApiError> {
    hosts
        .of_token(agent.0.id)
        .ok_or_else(|| ApiError::conflict("this token speaks for no host yet; the agent reports before it sends lines"))
}

/// `POST /api/v1/agent/report`: answers only after everything in it is durable, with what the agent is to do.
#[utoipa::path(
    post,
    path = "/api/v1/agent/report",
    operation_id = "agent_report",
    request_body(content = serde_json::Value, description = "Samples, results of checks, and what the agent says of itself."),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn report(
    State(parts): State<Parts>,
    agent: ByAgent,
    headers: HeaderMap,
    request: Request,
) -> Result<axum::Json<Orders>, ApiError> {
    let sent_at = headers.get(SENT_AT).and_then(|value| value.to_str().ok()?.parse::<Timestamp>().ok());
    let (bytes, _room) = parts.bodies.read(request).await?;
    let report: Report = serde_json::from_slice(&bytes)
        .map_err(|error| ApiError::bad_request(format!("the report can't be read: {error}")))?;
    Ok(axum::Json(hosts::take(&parts, agent.0.id, report, sent_at, bytes.len()).await?))
}

/// Which mark to read.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AgentMarkParams {
    /// The key of a file's ledger, or of a path.
    key: String,
}

/// `GET /api/v1/agent/mark`: how far a log file of the agent's host is delivered.
#[utoipa::path(
    get,
    path = "/api/v1/agent/mark",
    operation_id = "agent_mark",
    params(AgentMarkParams),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn mark(
    State(parts): State<Parts>,
    agent: ByAgent,
    Query(params): Query<AgentMarkParams>,
) -> Result<axum::Json<MarkAnswer>, ApiError> {
    let key = key_of_host(&params.key, &host_of(&parts.hosts, &agent)?)?;
    Ok(axum::Json(MarkAnswer { value: parts.intake.mark(&key) }))
}

/// `POST /api/v1/agent/lines`: a part of a log file, stored together with its ledger.
#[utoipa::path(
    post,
    path = "/api/v1/agent/lines",
    operation_id = "agent_lines",
    params(
        ("service" = String, Query, description = "Whose requests."),
        ("path" = String, Query, description = "Where the lines were written."),
        ("pattern" = Option<String>, Query, description = "What they look like, as a regular expression."),
        ("key" = String, Query, description = "Key of the file's ledger."),
        ("mark" = String, Query, description = "The ledger with these lines in it."),
        ("from" = u64, Query, description = "First offset of the range."),
        ("to" = u64, Query, description = "First offset behind it."),
        ("too_long" = Option<u64>, Query, description = "Lines that were left out because they were too long."),
    ),
    request_body(content = String, description = "The lines."),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn lines(
    State(parts): State<Parts>,
    agent: ByAgent,
    Query(of): Query<LinesOf>,
    request: Request,
) -> Result<axum::Json<LinesAnswer>, ApiError> {
    let host = host_of(&parts.hosts, &agent)?;
    let key = check_lines(&of, &host)?;
    let (bytes, _room) = parts.bodies.read(request).await?;
    let delivery = Delivery {
        service: of.service,
        source: SourceName { kind: SourceKind::File, name: format!("{host}:{}", of.path) },
        bytes,
        format: None,
        pattern: of.pattern.map(Arc::from),
        position: Some(Position { key, mark: of.mark, from: of.from, to: of.to }),
        peer: None,
        too_long: of.too_long,
    };
    let outcome = store_lines(&parts.intake, delivery).await?;
    Ok(axum::Json(LinesAnswer { already: outcome.already }))
}

/// Whether the part can be what it says it is; the key under which it is booked.
fn check_lines(of: &LinesOf, host: &str) -> Result<String, ApiError> {
    let key = key_of_host(&of.key, host)?;
    if !is_of(&of.key, &of.service) {
        return Err(ApiError::bad_request("the key is of another service"));
    }
    let is_text = |text: &str| text.len() <= MAX_TEXT && !text.chars().any(char::is_control);
    if !is_text(&of.path) || !of.pattern.as_deref().is_none_or(is_text) {
        return Err(ApiError::bad_request(format!("path and pattern are texts of {MAX_TEXT} bytes at most")));
    }
    // A path that is followed for the first time books that, and no lines.
    if of.from == of.to || of.key.starts_with(&path_keys(&of.service)) {
        return Ok(key);
    }
    let mark: Coverage = of.mark.parse().map_err(|error| ApiError::bad_request(format!("mark: {error}")))?;
    if of.from > of.to || of.too_long > of.to - of.from || mark.covered_bytes(of.from, of.to) != of.to - of.from {
        return Err(ApiError::bad_request("the mark does not cover the part it comes with"));
    }
    Ok(key)
}

fn is_of(key: &str, service: &ServiceName) -> bool {
    key.starts_with(&file_keys(service)) || key.starts_with(&path_keys(service))
}

/// The key of a host's own: two hosts may have logs that begin alike. What a service's keys start with stays, so that
/// they go when it is deleted.
fn key_of_host(key: &str, host: &str) -> Result<String, ApiError> {
    let wrong = || ApiError::bad_request("the key is none of a log file");
    let mut parts = key.splitn(3, ':');
    let (Some(kind @ ("file" | "path")), Some(service), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(wrong());
    };
    let (hash, variant) = rest.split_once('#').unwrap_or((rest, "0"));
    let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_variant = variant.len() <= 4 && variant.bytes().all(|byte| byte.is_ascii_digit());
    if !is_hash || !is_variant || service.parse::<ServiceName>().is_err() {
        return Err(wrong());
    }
    Ok(format!("{kind}:{service}:@{host}:{rest}"))
}

/// Hosts with agents.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct HostList {
    /// By name.
    hosts: Vec<HostView>,
    /// What the server's own host is called; it is observed by the server itself when it was started with `koshu up`.
    server_host: String,
}

/// `GET /api/v1/hosts`: hosts whose agents report, and whether each is there.
#[utoipa::path(get, path = "/api/v1/hosts", operation_id = "host_list", responses((status = 200, body = HostList)))]
pub async fn list(State(parts): State<Parts>, _: MayRead) -> axum::Json<HostList> {
    axum::Json(HostList { hosts: parts.hosts.list(), server_host: parts.about.host.clone() })
}

/// `DELETE /api/v1/hosts/{name}`: forgets a host. If its agent still runs, it is back with its next report.
#[utoipa::path(
    delete,
    path = "/api/v1/hosts/{name}",
    operation_id = "host_forget",
    params(("name" = String, Path)),
    responses((status = 204))
)]
pub async fn forget(State(parts): State<Parts>, _: MayAdmin, Path(name): Path<String>) -> Result<StatusCode, ApiError> {
    if !parts.hosts.forget(&name).await? {
        return Err(ApiError::not_found(format!("there is no host {name:?} with an agent")));
    }
    // Nothing of it may be missed any more.
    parts.watch.heard().forget_host(&name);
    parts.sources.forget(&SourceName { kind: SourceKind::Agent, name });
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_two_hosts_differ_and_go_with_their_service() {
        let key = key_of_host("file:shop:0123456789abcdef#2", "web-1").unwrap();
        assert_eq!(key, "file:shop:@web-1:0123456789abcdef#2");
        assert!(is_of(&key, &"shop".parse().unwrap()));
        assert_ne!(key, key_of_host("file:shop:0123456789abcdef#2", "web-2").unwrap());
        assert!(key_of_host("path:shop:0123456789abcdef", "web-1").is_ok());
        for wrong in [
            "",
            "file:shop",
            "chunk:shop:0123456789abcdef",
            "file:shop:@web-2:0123456789abcdef",
            "file:SHOP:0123456789abcdef",
        ] {
            assert!(key_of_host(wrong, "web-1").is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_mark_covers_the_part_that_it_comes_with() {
        let of = |mark: &str, from: u64, to: u64| LinesOf {
            service: "shop".parse().unwrap(),
            path: "/var/log/a.log".into(),
            pattern: None,
            key: "file:shop:0123456789abcdef".into(),
            mark: mark.into(),
            from,
            to,
            too_long: 0,
        };
        assert!(check_lines(&of("0-100:abcdef12", 0, 100), "web-1").is_ok());
        for (mark, from, to) in [("0-50:abcdef12", 0, 100), ("0-100:abcdef12", 100, 50), ("nonsense", 0, 100)] {
            assert!(check_lines(&of(mark, from, to), "web-1").is_err(), "{mark} {from}-{to}");
        }
        let other = LinesOf { key: "file:blog:0123456789abcdef".into(), ..of("0-100:abcdef12", 0, 100) };
        assert!(check_lines(&other, "web-1").is_err(), "a ledger of another service");
    }
}
