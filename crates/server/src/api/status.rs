//! What the server says about itself.

use crate::auth::MayRead;
use crate::parts::{Listeners, Parts};
use crate::problem::ApiError;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use base::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// `GET /healthz`: the process answers.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "healthz",
    responses((status = 200, body = String, content_type = "text/plain"))
)]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: store, lake and journal can be used.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readyz",
    responses((status = 200, body = String, content_type = "text/plain"))
)]
pub async fn readyz(State(parts): State<Parts>) -> Result<String, ApiError> {
    if let Err(error) = parts.store.ping().await {
        return Err(ApiError::unavailable(format!("store: {error}"), Duration::from_secs(5)));
    }
    match parts.lake.status().busy {
        Some(reason) => Err(ApiError::unavailable(format!("journal: {reason}"), Duration::from_secs(5))),
        None => Ok("store ok\nlake ok\njournal ok\n".into()),
    }
}

/// A used and an allowed amount.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Budget {
    used_bytes: u64,
    budget_bytes: u64,
}

/// Damaged bytes.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct DamageView {
    file: String,
    range: String,
    reason: String,
    #[schema(value_type = String)]
    since: Timestamp,
}

/// The server's state.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StatusAnswer {
    version: &'static str,
    host: String,
    time_zone: String,
    #[schema(value_type = String)]
    started_at: Timestamp,
    memory: Budget,
    disk: DiskStatus,
    journal: JournalStatus,
    tables: Vec<TableStatus>,
    damage: Vec<DamageView>,
    listeners: BTreeMap<String, String>,
    busy: Option<String>,
}

/// Disk use.
#[expect(clippy::struct_field_names, reason = "the unit belongs to each number")]
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DiskStatus {
    used_bytes: u64,
    budget_bytes: u64,
    /// Free on the file system of the data folder; null when it does not say.
    free_bytes: Option<u64>,
}

/// Rows that are not sealed yet.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct JournalStatus {
    bytes: u64,
    limit_bytes: u64,
    segments: usize,
    #[schema(value_type = Option<String>)]
    oldest_unsealed: Option<Timestamp>,
}

/// A table's files.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TableStatus {
    name: &'static str,
    files: usize,
    rows: u64,
    bytes: u64,
}

/// Everything found damaged.
pub fn damage(parts: &Parts) -> Vec<DamageView> {
    let view = |damage: lake::Damage| DamageView {
        file: damage.file,
        range: format!("{}..{}", damage.range.start, damage.range.end),
        reason: damage.reason,
        since: damage.since,
    };
    parts.lake.damage().into_iter().map(view).collect()
}

/// `GET /api/v1/status`
#[utoipa::path(
    get,
    path = "/api/v1/status",
    operation_id = "read_status",
    responses((status = 200, body = StatusAnswer))
)]
pub async fn status(State(parts): State<Parts>, _: MayRead) -> axum::Json<StatusAnswer> {
    let lake = parts.lake.status();
    axum::Json(StatusAnswer {
        version: parts.about.version,
        host: parts.about.host.clone(),
        time_zone: parts.about.time_zone.iana_name().unwrap_or("UTC").to_owned(),
        started_at: parts.about.started_at,
        memory: Budget { used_bytes: resident_bytes().unwrap_or(0), budget_bytes: parts.about.memory_bytes },
        disk: DiskStatus {
            used_bytes: lake.disk_bytes,
            budget_bytes: lake.disk_limit_bytes,
            free_bytes: agent::host::disk_free(&parts.about.dir).ok().map(|space| space.free.0),
        },
        journal: JournalStatus {
            bytes: lake.unsealed_bytes,
            limit_bytes: lake.unsealed_limit_bytes,
            segments: lake.segments,
            oldest_unsealed: lake.oldest_unsealed,
        },
        tables: lake
            .tables
            .into_iter()
            .map(|(name, files, rows, bytes)| TableStatus { name, files, rows, bytes })
            .collect(),
        damage: damage(&parts),
        listeners: parts.listeners.lock().clone(),
        busy: lake.busy,
    })
}

/// Resident memory of this process.
pub fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// `GET /api/v1/listeners`
#[utoipa::path(
    get,
    path = "/api/v1/listeners",
    operation_id = "list_listeners",
    responses((status = 200, body = BTreeMap<String, String>))
)]
pub async fn listeners(State(listeners): State<Listeners>, _: MayRead) -> axum::Json<BTreeMap<String, String>> {
    axum::Json(listeners.lock().clone())
}

/// `GET /metrics`: Prometheus text.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "own_metrics",
    responses((status = 200, body = String, content_type = "text/plain"))
)]
pub async fn metrics(State(parts): State<Parts>, _: MayRead) -> Response {
    use std::fmt::Write;
    let lake = parts.lake.status();
    let mut out = String::new();
    let mut gauge = |name: &str, help: &str, value: f64| {
        let _ = writeln!(out, "# HELP koshu_{name} {help}\n# TYPE koshu_{name} gauge\nkoshu_{name} {value}");
    };
    gauge("memory_resident_bytes", "Resident memory.", resident_bytes().unwrap_or(0) as f64);
    gauge("memory_budget_bytes", "Memory budget.", parts.about.memory_bytes as f64);
    gauge("disk_used_bytes", "Bytes of journal and tables.", lake.disk_bytes as f64);
    gauge("disk_budget_bytes", "Disk budget.", lake.disk_limit_bytes as f64);
    gauge("unsealed_bytes", "Rows that are not sealed yet.", lake.unsealed_bytes as f64);
    gauge("unsealed_segments", "Journal segments that are not sealed yet.", lake.segments as f64);
    gauge("damaged_ranges", "Byte ranges found damaged.", parts.lake.damage().len() as f64);
    gauge("intake_busy", "1 while intake pushes back.", f64::from(u8::from(lake.busy.is_some())));
    let _ = writeln!(out, "# HELP koshu_lines_total Lines received.\n# TYPE koshu_lines_total counter");
    for (key, source) in parts.sources.list() {
        let service = key.service.as_ref().map_or("", |service| service.as_str());
        let kind = key.source.kind.name();
        let name = key.source.name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        for (outcome, count) in [("parsed", source.counts.taken), ("rejected", source.counts.refused())] {
            let labels = format!("kind=\"{kind}\",source=\"{name}\",service=\"{service}\",outcome=\"{outcome}\"");
            let _ = writeln!(out, "koshu_lines_total{{{labels}}} {count}");
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], out).into_response()
}
