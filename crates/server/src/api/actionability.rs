//! How often rules made somebody act, what they cost, and which of them should alert nobody any more.

use super::{Path, Query, TextRange, replay};
use crate::auth::{MayAdmin, MayRead};
use crate::parts::Parts;
use crate::problem::ApiError;
use axum::extract::State;
use base::{Span, TimeRange, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;
use store::{Firing, FiringClass, FiringScope};
use watch::actionability::{Demotion, DemotionError, Page, PersonWeek, Record, Share, by_person_and_week, demote};
use watch::outcome::Case;

/// Days of the past that are looked at when nothing else is asked for.
const DAYS: i64 = 30;
/// A demotion's replay ends after this, wherever it is.
const REPLAY_TIME: Duration = Duration::from_secs(45);
/// Larger files are nobody's configuration.
const MAX_FILE_BYTES: u64 = 4 << 20;
/// Whom an alert wakes that names nobody.
const NOBODY: &str = "?";

/// A rule's record.
#[derive(Debug, Serialize)]
pub struct RecordView {
    firings: u64,
    told: u64,
    outcomes: BTreeMap<&'static str, u64>,
    undecided: u64,
    precision: Option<Share>,
    median_acknowledge_s: Option<f64>,
    flaps: u64,
    off_hours: u64,
    noise_minutes: f64,
}

impl From<Record> for RecordView {
    fn from(record: Record) -> Self {
        Self {
            firings: record.firings,
            told: record.told,
            outcomes: record.outcomes,
            undecided: record.undecided,
            precision: record.precision,
            median_acknowledge_s: record.median_acknowledge.map(seconds),
            flaps: record.flaps,
            off_hours: record.off_hours,
            noise_minutes: record.noise_minutes,
        }
    }
}

/// A rule and its record.
#[derive(Debug, Serialize)]
pub struct RuleRecordView {
    rule: String,
    class: &'static str,
    /// Whether there still is such a rule.
    configured: bool,
    record: RecordView,
    /// Even the upper end of the interval of its precision lies below a half.
    demote: bool,
}

/// Every rule that fired.
#[derive(Debug, Serialize)]
pub struct ActionabilityAnswer {
    from: Timestamp,
    to: Timestamp,
    time_zone: String,
    working_hours: HoursView,
    page_budget: BudgetView,
    rules: Vec<RuleRecordView>,
    people: Vec<PersonWeek>,
    /// There were more firings than are read for one answer: these are the newest.
    partial: bool,
}

#[derive(Debug, Serialize)]
struct HoursView {
    from: i8,
    to: i8,
}

#[derive(Debug, Serialize)]
struct BudgetView {
    per_week: u32,
    off_hours: u32,
}

/// A range.
#[derive(Debug, Deserialize)]
pub struct ActionabilityParams {
    #[serde(flatten)]
    range: TextRange,
}

/// `GET /api/v1/actionability`
#[utoipa::path(
    get,
    path = "/api/v1/actionability",
    operation_id = "rule_actionability",
    params(("from" = Option<String>, Query), ("to" = Option<String>, Query)),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn actionability(
    State(parts): State<Parts>,
    _: MayRead,
    Query(params): Query<ActionabilityParams>,
) -> Result<axum::Json<ActionabilityAnswer>, ApiError> {
    let range = params.range.range(&parts.clock, DAYS * 86_400)?;
    let plan = parts.watch.plan();
    let (hours, budget, zone) = (plan.working_hours, plan.page_budget, &parts.about.time_zone);
    let (mut rules, mut pages, mut partial) = (Vec::new(), Vec::new(), false);
    for (class, name) in [(FiringClass::Alert, "alert"), (FiringClass::Ticket, "ticket")] {
        let (firings, has_more) = replay::firings(&parts, &FiringScope::Class(class), range).await?;
        partial |= has_more;
        pages.extend(firings.iter().filter(|firing| class == FiringClass::Alert && firing.told).map(page_of));
        for (rule, cases) in by_rule(&firings) {
            let record = Record::of(&cases, &hours, zone);
            rules.push(RuleRecordView {
                configured: plan.rule(&rule).is_some(),
                rule,
                class: name,
                demote: class == FiringClass::Alert && record.is_to_be_demoted(),
                record: record.into(),
            });
        }
    }
    rules.sort_by(|a, b| (b.demote, b.record.firings, &a.rule).cmp(&(a.demote, a.record.firings, &b.rule)));
    Ok(axum::Json(ActionabilityAnswer {
        from: range.from,
        to: range.to,
        time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        working_hours: HoursView { from: hours.from, to: hours.to },
        page_budget: BudgetView { per_week: budget.per_week, off_hours: budget.off_hours },
        rules,
        people: by_person_and_week(&pages, &hours, budget, zone),
        partial,
    }))
}

fn by_rule(firings: &[Firing]) -> BTreeMap<String, Vec<Case>> {
    let mut rules: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for firing in firings {
        rules.entry(firing.rule.clone()).or_default().push(firing.into());
    }
    rules
}

/// Whom it woke: who took it, or else who answers for it.
fn page_of(firing: &Firing) -> Page {
    let person = firing.acknowledged_by.as_deref().or(firing.owner.as_deref()).unwrap_or(NOBODY);
    Page { person: person.to_owned(), at: firing.started_at }
}

/// A change for a person to review.
#[derive(Debug, Serialize)]
pub struct DemotionAnswer {
    rule: String,
    /// The file of the configuration.
    file: String,
    /// As `patch -p1` takes it.
    diff: String,
    record: RecordView,
    /// The alerts of the time of the record with and without it; null when they could not be gone through now.
    replay: Option<DemotionReplay>,
}

#[derive(Debug, Serialize)]
struct DemotionReplay {
    from: Timestamp,
    to: Timestamp,
    #[serde(flatten)]
    comparison: replay::ComparisonView,
}

/// `GET /api/v1/rules/{name}/demotion`: for those who may change the configuration. The lines around the change are shown
/// as they are written, and a secret may stand in them.
#[utoipa::path(
    get,
    path = "/api/v1/rules/{name}/demotion",
    operation_id = "rule_demotion",
    params(("name" = String, Path)),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn demotion(
    State(parts): State<Parts>,
    _: MayAdmin,
    Path(name): Path<String>,
) -> Result<axum::Json<DemotionAnswer>, ApiError> {
    let plan = parts.watch.plan();
    let rule = plan.rule(&name).ok_or_else(|| ApiError::not_found("no such rule is configured"))?;
    let (file, demotion) = proposed(&parts, &name, rule.info.owner.clone()).await?;
    let now = parts.clock.now();
    let range = TimeRange { from: now.plus_seconds(-DAYS * 86_400), to: now };
    let (firings, _) = replay::firings(&parts, &FiringScope::Rule(name.clone()), range).await?;
    let cases: Vec<Case> = firings.iter().map(Into::into).collect();
    let compared = replay::without(&parts, rule, range, REPLAY_TIME).await;
    Ok(axum::Json(DemotionAnswer {
        rule: name,
        file,
        diff: demotion.diff,
        record: Record::of(&cases, &plan.working_hours, &parts.about.time_zone).into(),
        replay: compared.ok().flatten().map(|(range, comparison)| DemotionReplay {
            from: range.from,
            to: range.to,
            comparison,
        }),
    }))
}

/// The change of the file that holds the rule.
async fn proposed(parts: &Parts, rule: &str, owner: Option<String>) -> Result<(String, Demotion), ApiError> {
    let none = || ApiError::conflict("the configuration lies in no folder; change `class: alert` where it is written");
    let folder = parts.about.config_folder.clone().ok_or_else(none)?;
    let files = tokio::task::spawn_blocking(move || yaml_files(&folder)).await.map_err(ApiError::internal)?;
    let mut problem = None;
    for (file, text) in &files {
        match demote(file, text, rule, owner.as_deref()) {
            Ok(demotion) => return Ok((file.clone(), demotion)),
            // Another file may hold it.
            Err(DemotionError::NoRule(_)) => {}
            Err(error) => problem = Some(error),
        }
    }
    let none = || DemotionError::NoRule(rule.to_owned());
    Err(ApiError::conflict(problem.unwrap_or_else(none).to_string()))
}

/// Names and texts of a folder's YAML files; those that can't be read are passed over.
fn yaml_files(folder: &PathBuf) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths: BTreeSet<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .filter(|path| std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_FILE_BYTES))
        .collect();
    let read = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?.to_owned();
        Some((name, std::fs::read_to_string(path).ok()?))
    };
    paths.iter().filter_map(read).collect()
}

/// Seconds of a span, for answers.
pub fn seconds(span: Span) -> f64 {
    span.micros() as f64 / 1e6
}
