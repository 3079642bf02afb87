//! The sources page: who sends, what was rejected and why, what could be followed, and how to connect more.

use super::Query;
use super::snippets::{self, Reached, Snippet};
use crate::auth::MayRead;
use crate::intake::{MAX_FIELDS, MAX_SERIES, MAX_SERVICES};
use crate::parts::Parts;
use crate::past::{Import, ImportState};
use crate::problem::ApiError;
use crate::sources::{MAX_SOURCES, Source, SourceKey};
use agent::discover::FoundLog;
use agent::tail::{FileState, FileStatus};
use axum::extract::State;
use base::Timestamp;
use serde::{Deserialize, Serialize};

/// Lines of a found log that are looked at to tell its format.
const SAMPLE_BYTES: u64 = 64 * 1024;

/// A reason for rejecting lines.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RejectView {
    /// The reason's stable name; pages have texts for it.
    reason: String,
    count: u64,
    sample: String,
}

/// One sender.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SourceView {
    id: String,
    kind: String,
    name: String,
    service: Option<String>,
    format: Option<String>,
    state: &'static str,
    reason: Option<String>,
    lines: u64,
    parsed: u64,
    rejected: u64,
    bytes: u64,
    rate_per_s: f64,
    #[schema(value_type = Option<String>)]
    last_seen: Option<Timestamp>,
    lag_bytes: Option<u64>,
    /// The time of the freshest record of the last minutes minus that of its arrival, seconds: how far the sender's
    /// clock is ahead, or behind when it is negative. Null when records bring no time.
    clock_skew_s: Option<f64>,
    rejects: Vec<RejectView>,
}

/// A file of the past.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OlderFileView {
    path: String,
    size_bytes: u64,
}

/// Lines of a sample.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SampleView {
    lines: u64,
    parsed: u64,
    rejected: u64,
}

/// A log that was found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DiscoveredView {
    path: String,
    size_bytes: u64,
    readable: bool,
    reason: Option<String>,
    format: Option<String>,
    service_suggestion: String,
    found_by: String,
    following: bool,
    older_files: Vec<OlderFileView>,
    sample: SampleView,
}

/// A limit that was reached since the start of the process.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LimitView {
    /// `routes` and `series` of a service, `series_of_all`, `fields` of a record, `services`, `sources`.
    name: &'static str,
    service: Option<String>,
    source: Option<String>,
    limit: usize,
    /// What it hit: requests counted as `(other)`, samples that were refused, records that lost fields. Null where
    /// that is not counted.
    affected: Option<u64>,
    #[schema(value_type = String)]
    since: Timestamp,
}

/// How senders would reach this server.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SourcesParams {
    /// Where the browser reached this server, such as `https://koshu.example`: what senders are told, unless it is an
    /// address that only this machine has.
    at: Option<String>,
}

/// The sources page.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SourcesAnswer {
    sources: Vec<SourceView>,
    discovered: Vec<DiscoveredView>,
    limits: Vec<LimitView>,
    snippets: Vec<Snippet>,
    /// Nobody ever made a token: programs on this machine may send without one.
    open: bool,
}

/// `GET /api/v1/sources`
#[utoipa::path(
    get,
    path = "/api/v1/sources",
    operation_id = "list_sources",
    params(SourcesParams),
    responses((status = 200, body = SourcesAnswer))
)]
pub async fn list(
    State(parts): State<Parts>,
    _: MayRead,
    Query(params): Query<SourcesParams>,
) -> Result<axum::Json<SourcesAnswer>, ApiError> {
    let reached = params.at.as_deref().map(str::parse::<Reached>).transpose()?;
    let now = parts.clock.now();
    let followed = parts.follow.status();
    let mut sources: Vec<SourceView> = Vec::new();
    for (key, source) in parts.sources.list() {
        let file = followed.iter().find(|file| file.path.display().to_string() == key.source.name);
        sources.push(source_view(&key, &source, file, now));
    }
    for file in &followed {
        if !sources.iter().any(|source| source.name == file.path.display().to_string()) {
            sources.push(waiting_view(file));
        }
    }
    sources.sort_by(|a, b| (&a.service, &a.name).cmp(&(&b.service, &b.name)));
    let discovery = parts.follow.discovery();
    let look = tokio::task::spawn_blocking(move || {
        discovery.logs.iter().map(|log| discovered_view(log, &followed)).collect::<Vec<_>>()
    });
    let listeners = parts.listeners.lock().clone();
    // When it can't be told, a token that is not needed does no harm.
    let open = !parts.store.tokens().any_created().await.unwrap_or(true);
    Ok(axum::Json(SourcesAnswer {
        sources,
        limits: limits(&parts),
        discovered: look.await.map_err(ApiError::internal)?,
        snippets: snippets::all(&listeners, reached.as_ref(), open),
        open,
    }))
}

/// Limits that were reached, the first one first.
fn limits(parts: &Parts) -> Vec<LimitView> {
    let blank = |name, limit, since| LimitView { name, service: None, source: None, limit, affected: None, since };
    let mut reached = Vec::new();
    for service in parts.intake.services() {
        let routes = service.routes();
        if let (Some(over), Some(since)) = (routes.over, routes.over_since) {
            let service = Some(service.name().to_string());
            reached.push(LimitView { service, affected: Some(over.requests), ..blank("routes", routes.limit, since) });
        }
    }
    for over in parts.intake.readings().series.over_limit() {
        let name = if over.limit == MAX_SERIES { "series_of_all" } else { "series" };
        let service = Some(over.service.to_string());
        reached.push(LimitView { service, affected: Some(over.refused), ..blank(name, over.limit, over.since) });
    }
    for (key, source) in parts.sources.list() {
        if let Some(since) = source.shortened_since {
            reached.push(LimitView {
                service: key.service.as_ref().map(ToString::to_string),
                source: Some(key.source.name),
                affected: Some(source.counts.shortened),
                ..blank("fields", MAX_FIELDS, since)
            });
        }
    }
    reached.extend(parts.intake.services_full().map(|since| blank("services", MAX_SERVICES, since)));
    reached.extend(parts.sources.full().map(|since| blank("sources", MAX_SOURCES, since)));
    reached.sort_by_key(|limit| limit.since);
    reached
}

fn source_view(key: &SourceKey, source: &Source, file: Option<&FileStatus>, now: Timestamp) -> SourceView {
    let idle_s = (now.micros() - source.last_seen.micros()) / 1_000_000;
    let (state, reason) = match file.map(|file| &file.state) {
        Some(FileState::Failed { reason }) => ("failed", Some(reason.clone())),
        Some(FileState::Waiting) => ("waiting", None),
        _ if idle_s > 60 => ("idle", None),
        _ => ("receiving", None),
    };
    let mut rejects: Vec<_> = source.counts.refused.iter().collect();
    rejects.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let reject = |(reason, (count, sample)): (&&'static str, &(u64, String))| RejectView {
        reason: (*reason).to_owned(),
        count: *count,
        sample: sample.clone(),
    };
    SourceView {
        id: format!("{}:{}", key.source.kind.name(), key.source.name),
        kind: key.source.kind.name().to_owned(),
        name: key.source.name.clone(),
        service: source.service.as_ref().map(ToString::to_string),
        format: source.format.map(|format| format.to_string()),
        state,
        reason,
        lines: source.counts.all(),
        parsed: source.counts.taken,
        rejected: source.counts.refused(),
        bytes: source.bytes,
        rate_per_s: source.rate(now),
        last_seen: Some(source.last_seen),
        lag_bytes: file.map(|file| file.lag_bytes),
        clock_skew_s: source.skew_us().map(|skew| skew as f64 / 1e6),
        rejects: rejects.into_iter().map(reject).collect(),
    }
}

/// A followed file of which no line came yet.
fn waiting_view(file: &FileStatus) -> SourceView {
    let (state, reason) = match &file.state {
        FileState::Failed { reason } => ("failed", Some(reason.clone())),
        FileState::Waiting | FileState::Following | FileState::CatchingUp => ("waiting", None),
    };
    let name = file.path.display().to_string();
    SourceView {
        id: format!("file:{name}"),
        kind: "file".into(),
        name,
        service: Some(file.service.to_string()),
        format: None,
        state,
        reason,
        lines: 0,
        parsed: 0,
        rejected: 0,
        bytes: file.bytes,
        rate_per_s: 0.0,
        last_seen: file.last_seen,
        lag_bytes: Some(file.lag_bytes),
        clock_skew_s: None,
        rejects: Vec::new(),
    }
}

fn discovered_view(log: &FoundLog, followed: &[FileStatus]) -> DiscoveredView {
    let sample = sample_of(log);
    DiscoveredView {
        path: log.path.display().to_string(),
        size_bytes: log.size.0,
        readable: log.unreadable.is_none(),
        reason: log.unreadable.clone(),
        format: sample.as_ref().map(|(format, _)| format.to_string()),
        service_suggestion: log.service.to_string(),
        found_by: log.found_by.to_owned(),
        following: followed.iter().any(|file| file.path == log.path),
        older_files: log
            .older_files
            .iter()
            .map(|file| OlderFileView { path: file.path.display().to_string(), size_bytes: file.size_bytes })
            .collect(),
        sample: sample.map_or(SampleView { lines: 0, parsed: 0, rejected: 0 }, |(_, tally)| SampleView {
            lines: tally.lines(),
            parsed: tally.parsed(),
            rejected: tally.rejected(),
        }),
    }
}

/// What the first lines of a found log look like.
fn sample_of(log: &FoundLog) -> Option<(protocols::access::Format, protocols::access::Tally)> {
    use protocols::access::{Decoder, Format, Tally, lines};
    use std::io::Read;
    let mut head = Vec::new();
    std::fs::File::open(&log.path).ok()?.take(SAMPLE_BYTES).read_to_end(&mut head).ok()?;
    if head.len() as u64 == SAMPLE_BYTES {
        head.truncate(head.iter().rposition(|byte| *byte == b'\n')? + 1);
    }
    let mut decoder = Decoder::new(&Format::detect(&head)?);
    let mut tally = Tally::default();
    for line in lines(&head) {
        tally.count(line, decoder.decode(line));
    }
    Some((decoder.format(), tally))
}

/// An import as it goes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ImportView {
    id: String,
    path: String,
    service: String,
    state: &'static str,
    bytes_done: u64,
    bytes_total: u64,
    lines: u64,
    parsed: u64,
    rejected: u64,
    already_imported: u64,
    error: Option<String>,
}

/// Imports of this process.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ImportList {
    imports: Vec<ImportView>,
}

/// `GET /api/v1/imports`
#[utoipa::path(
    get,
    path = "/api/v1/imports",
    operation_id = "list_imports",
    responses((status = 200, body = ImportList))
)]
pub async fn imports(State(parts): State<Parts>, _: MayRead) -> axum::Json<ImportList> {
    let view = |import: Import| {
        let (state, error) = match import.state {
            ImportState::Running => ("running", None),
            ImportState::Done => ("done", None),
            ImportState::Failed(error) => ("failed", Some(error)),
        };
        ImportView {
            id: import.id.to_string(),
            path: import.path.display().to_string(),
            service: import.service.to_string(),
            state,
            bytes_done: import.bytes_done,
            bytes_total: import.bytes_total,
            lines: import.tally.lines(),
            parsed: import.tally.parsed(),
            rejected: import.tally.rejected(),
            already_imported: import.already_imported,
            error,
        }
    };
    axum::Json(ImportList { imports: parts.follow.imports().into_iter().map(view).collect() })
}
