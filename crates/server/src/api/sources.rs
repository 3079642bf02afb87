//! The sources page: who sends, what was rejected and why, what could be followed, and how to connect more.

use crate::auth::MayRead;
use crate::parts::Parts;
use crate::past::{Import, ImportState};
use crate::problem::ApiError;
use crate::sources::{Source, SourceKey};
use agent::discover::FoundLog;
use agent::tail::{FileState, FileStatus};
use axum::extract::State;
use base::Timestamp;
use serde::Serialize;

/// Lines of a found log that are looked at to tell its format.
const SAMPLE_BYTES: u64 = 64 * 1024;

/// A reason for rejecting lines.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RejectView {
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

/// A limit that was reached.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LimitView {
    name: &'static str,
    service: String,
    limit: usize,
    seen: u64,
}

/// The sources page.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SourcesAnswer {
    sources: Vec<SourceView>,
    discovered: Vec<DiscoveredView>,
    limits: Vec<LimitView>,
    snippets: Vec<super::snippets::Snippet>,
}

/// `GET /api/v1/sources`
pub async fn list(State(parts): State<Parts>, _: MayRead) -> Result<axum::Json<SourcesAnswer>, ApiError> {
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
    let services = parts.intake.services();
    let limits = services.iter().filter_map(|service| {
        let routes = service.routes();
        let over = routes.over?;
        let service = service.name().to_string();
        Some(LimitView { name: "routes", service, limit: routes.limit, seen: routes.named as u64 + over.routes })
    });
    let mut limits: Vec<LimitView> = limits.collect();
    for (service, refused) in parts.intake.readings().series.over_limit() {
        let limit = crate::intake::series::MAX_OF_SERVICE;
        limits.push(LimitView { name: "series", service: service.to_string(), limit, seen: limit as u64 + refused });
    }
    Ok(axum::Json(SourcesAnswer {
        sources,
        limits,
        discovered: look.await.map_err(ApiError::internal)?,
        snippets: super::snippets::all(&parts).await,
    }))
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
