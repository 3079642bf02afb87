//! Proposed objectives and rules for a service, from what its past shows, as a part of the configuration.

use super::replay::{self, Tried};
use super::{Json, Path, Query};
use crate::auth::{MayAdmin, MayRead};
use crate::intake::ServiceIntake;
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::signals::{self, quantile_ms};
use axum::extract::State;
use axum::http::StatusCode;
use base::{TimeRange, Timestamp};
use lake::ServiceWindows;
use serde::{Deserialize, Serialize};
use signal::Sum;
use std::io::Write as _;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use watch::Class;
use watch::starter::{Facts, Language, Observed, Proposal, propose};

/// Days of the past that are looked at.
const DAYS: i64 = 30;
const DAY_S: i64 = 86_400;
/// Days of which it is said what the proposal would have said, and how long that may take.
const REPLAY_DAYS: i64 = 7;
const REPLAY_TIME: Duration = Duration::from_secs(10);
/// The file that every folder of configuration has, and what it says at least.
const MAIN_FILE: &str = "koshu.yaml";
const MAIN_TEXT: &str = "schema: 1\n";
/// Larger files are nobody's configuration.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// In which language.
#[derive(Debug, Deserialize)]
pub struct StarterParams {
    /// `en` (also when missing) or `ja`: of the reasons.
    language: Option<String>,
    /// Who answers for it; the configured owner when missing.
    owner: Option<String>,
}

/// A part of the configuration, with the reason for every number.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StarterAnswer {
    /// What it was made from: the first and the last moment.
    #[schema(value_type = String)]
    from: Timestamp,
    #[schema(value_type = String)]
    to: Timestamp,
    /// Null when there were no requests to learn from.
    yaml: Option<String>,
    /// The reasons by themselves, in their order.
    reasons: Vec<String>,
    /// What the proposal would have said lately; null when that could not be found out now.
    replay: Option<StarterReplay>,
    accept: Acceptance,
}

/// What the proposal would have said.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StarterReplay {
    #[schema(value_type = String)]
    from: Timestamp,
    #[schema(value_type = String)]
    to: Timestamp,
    alerts: usize,
    tickets: usize,
    records: usize,
}

/// Whether the proposal can be written into the configuration.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Acceptance {
    possible: bool,
    /// The file that would be written.
    file: String,
    /// `no_folder`: the server reads no folder of configuration. `exists`: the file is there already. `declared`: the
    /// service, or a rule of that name, is declared in another file.
    why: Option<&'static str>,
}

/// How to accept.
#[derive(Debug, Deserialize)]
pub struct AcceptBody {
    /// `en` (also when missing) or `ja`: of the reasons in the file.
    language: Option<String>,
    /// Who answers for it.
    owner: Option<String>,
}

/// What was written.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Accepted {
    file: String,
}

fn observed(sum: &Sum) -> Observed {
    Observed { requests: sum.count, errors: sum.errors, p95_ms: quantile_ms(sum, 0.95) }
}

/// `GET /api/v1/services/{service}/starter`: nothing is changed by it.
#[utoipa::path(
    get,
    path = "/api/v1/services/{service}/starter",
    operation_id = "propose_rules",
    params(
        ("service" = String, Path, description = "Name of the service."),
        ("language" = Option<String>, Query),
        ("owner" = Option<String>, Query)
    ),
    responses((status = 200, body = StarterAnswer))
)]
pub async fn propose_rules(
    State(parts): State<Parts>,
    _: MayRead,
    Path(service): Path<String>,
    Query(params): Query<StarterParams>,
) -> Result<axum::Json<StarterAnswer>, ApiError> {
    let known = find(&parts, &service)?;
    let language = language(params.language.as_deref())?;
    let (range, proposal) = proposal(&parts, &known, language, params.owner).await?;
    let replay = match &proposal {
        Some(proposal) => replayed(&parts, proposal).await,
        None => None,
    };
    Ok(axum::Json(StarterAnswer {
        from: range.from,
        to: range.to,
        replay,
        accept: acceptance(&parts, &service, proposal.as_ref()).await?,
        yaml: proposal.as_ref().map(|proposal| proposal.yaml.clone()),
        reasons: proposal.map(|proposal| proposal.reasons).unwrap_or_default(),
    }))
}

fn find(parts: &Parts, service: &str) -> Result<Arc<ServiceIntake>, ApiError> {
    parts.intake.find(service).ok_or_else(|| ApiError::not_found("there is no such service"))
}

fn language(name: Option<&str>) -> Result<Language, ApiError> {
    match name {
        None | Some("" | "en") => Ok(Language::English),
        Some("ja") => Ok(Language::Japanese),
        Some(_) => Err(ApiError::bad_request("language is none of en, ja")),
    }
}

/// From which past, and what; `None` without a day of requests.
async fn proposal(
    parts: &Parts,
    known: &ServiceIntake,
    language: Language,
    owner: Option<String>,
) -> Result<(TimeRange, Option<Proposal>), ApiError> {
    let service = known.name().as_str();
    // Whole days: half of one says nothing of a day.
    let to = parts.clock.now().floor(DAY_S * 1_000_000);
    let range = TimeRange { from: to.plus_seconds(-DAYS * DAY_S), to };
    let windows = signals::read(&parts.lake, range, Some(service), None, DAY_S).await?;
    let past = windows.services.get(service).cloned().unwrap_or_default();
    let given = owner.filter(|owner| !owner.is_empty());
    let owner = given.or_else(|| known.settings().owner.clone()).unwrap_or_else(|| "web-team".to_owned());
    Ok((range, propose(&facts(service, owner, &past), language)))
}

async fn replayed(parts: &Parts, proposal: &Proposal) -> Option<StarterReplay> {
    let tried: Tried = serde_saphyr::from_str(&proposal.yaml).ok()?;
    let now = parts.clock.now();
    let range = TimeRange { from: now.plus_seconds(-REPLAY_DAYS * DAY_S), to: now };
    let asked = replay::tried_out(parts, &tried, range, Instant::now() + REPLAY_TIME).ok()?;
    let outcome = replay::go(parts, asked).await.ok()?;
    let gone_through = outcome.replayed.range;
    // That nothing fired in no time says nothing.
    if gone_through.micros() <= 0 {
        return None;
    }
    Some(StarterReplay {
        from: gone_through.from,
        to: gone_through.to,
        alerts: replay::count(&outcome, Class::Alert),
        tickets: replay::count(&outcome, Class::Ticket),
        records: replay::count(&outcome, Class::Record),
    })
}

/// Service names are made of a few characters, none of which means anything in a path.
fn file_name(service: &str) -> String {
    format!("starter-{service}.yaml")
}

async fn acceptance(parts: &Parts, service: &str, proposal: Option<&Proposal>) -> Result<Acceptance, ApiError> {
    let file = file_name(service);
    let not = |why| Acceptance { possible: false, file: file.clone(), why: Some(why) };
    let Some(folder) = parts.about.config_folder.clone() else { return Ok(not("no_folder")) };
    let rules = proposal.and_then(|proposal| serde_saphyr::from_str::<Tried>(&proposal.yaml).ok());
    let plan = parts.watch.plan();
    if rules.is_some_and(|tried| tried.rule_names().any(|name| plan.rule(name).is_some())) {
        return Ok(not("declared"));
    }
    let (path, service) = (folder.join(&file), service.to_owned());
    let looked = move || if path.exists() { Some("exists") } else { declares(&folder, &service).then_some("declared") };
    let why = tokio::task::spawn_blocking(looked).await.map_err(ApiError::internal)?;
    Ok(Acceptance { possible: why.is_none() && proposal.is_some(), file, why })
}

/// Whether a file of the folder declares the service: no other may do so too.
fn declares(folder: &FilePath, service: &str) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_yaml = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ending == "yaml")
            && std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_FILE_BYTES)
    };
    entries.filter(is_yaml).any(|path| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let file: serde_json::Value = serde_saphyr::from_str(&text).unwrap_or_default();
        file["services"].get(service).is_some()
    })
}

/// `POST /api/v1/services/{service}/starter/accept`: writes the proposal into the configuration, from where it is in force
/// within seconds.
#[utoipa::path(
    post,
    path = "/api/v1/services/{service}/starter/accept",
    operation_id = "accept_rules",
    params(("service" = String, Path, description = "Name of the service.")),
    request_body = serde_json::Value,
    responses((status = 201, body = Accepted))
)]
pub async fn accept(
    State(parts): State<Parts>,
    _: MayAdmin,
    Path(service): Path<String>,
    Json(body): Json<AcceptBody>,
) -> Result<(StatusCode, axum::Json<Accepted>), ApiError> {
    let known = find(&parts, &service)?;
    let (_, proposal) = proposal(&parts, &known, language(body.language.as_deref())?, body.owner).await?;
    let proposal = proposal.ok_or_else(|| ApiError::conflict("there is no whole day of requests to learn from yet"))?;
    let acceptance = acceptance(&parts, &service, Some(&proposal)).await?;
    let (Some(folder), None) = (parts.about.config_folder.clone(), acceptance.why) else {
        return Err(ApiError::conflict(match acceptance.why {
            Some("exists") => "the file is there already; change it there".to_owned(),
            Some("declared") => {
                format!("{service} or a rule of that name is declared in another file; copy what you want into it")
            }
            _ => "the server reads no folder of configuration; start it with --config".to_owned(),
        }));
    };
    let file = acceptance.file;
    let name = file.clone();
    let written = tokio::task::spawn_blocking(move || write(&folder, &name, &proposal.yaml)).await;
    written.map_err(ApiError::internal)?.map_err(|error| {
        ApiError::conflict(format!("the folder of configuration can't be written: {error}; copy the proposal into it"))
    })?;
    Ok((StatusCode::CREATED, axum::Json(Accepted { file })))
}

/// Never over a file that is there, and whole or not at all.
fn write(folder: &FilePath, name: &str, text: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, text) in [(MAIN_FILE, MAIN_TEXT), (name, text)] {
        let path = folder.join(name);
        if name == MAIN_FILE && path.exists() {
            continue;
        }
        // Of two at once each has its own, and one of them finds the name taken.
        let aside = folder.join(format!(".{name}.{:016x}", rand::random::<u64>()));
        let mut file = std::fs::File::create_new(&aside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        // A link fails where a file is: what somebody wrote meanwhile stays.
        let linked = std::fs::hard_link(&aside, &path);
        std::fs::remove_file(&aside)?;
        linked?;
    }
    std::fs::File::open(folder)?.sync_all()
}

fn facts(service: &str, owner: String, past: &ServiceWindows) -> Facts {
    let routes = past.routes.iter().map(|(route, sum)| (route.to_string(), observed(sum)));
    Facts {
        service: service.to_owned(),
        owner,
        days: past.steps.values().map(observed).collect(),
        routes: routes.collect(),
    }
}
