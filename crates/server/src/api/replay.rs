//! What rules would have said about the past: those that are configured, or others that somebody tries out.

use super::Json;
use crate::auth::MayRead;
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::watching::{NotReplayed, REPLAY_STEP, Replay, ReplayError, ReplayOutcome, Sampled};
use axum::extract::State;
use base::{TimeRange, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use store::{Firing, FiringClass, FiringScope, FiringsQuery, Outcome, PageKey};
use watch::compile::{Declared, DeclaredService, compile};
use watch::replay::{Comparison, KnownIncident, Replayed, ReplayedFiring, compare};
use watch::rule::Rule;
use watch::spec::{ObjectiveSpec, RuleSpec};
use watch::{Class, Series};

/// Longest past of one replay.
const MAX_DAYS: i64 = 92;
const DAY: i64 = 86_400;
/// A replay may take so long; then it ends where it is, and says so.
const TIME_LIMIT: Duration = Duration::from_secs(100);
/// Firings that are listed.
const LISTED: usize = 1000;
/// Firings of the store that are read for one answer.
const MAX_FIRINGS: usize = 50_000;
const PAGE: u32 = 500;

/// A service as a rule file declares it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TriedService {
    owner: Option<String>,
    objectives: Vec<ObjectiveSpec>,
}

/// Rules to try out.
#[derive(Debug, Deserialize)]
pub struct Tried {
    #[serde(default)]
    services: BTreeMap<String, TriedService>,
    rules: Vec<RuleSpec>,
    /// Names of checks that objectives and rules may be about.
    #[serde(default)]
    checks: BTreeSet<String>,
    /// For calendar windows; the server's when missing.
    time_zone: Option<String>,
}

impl Tried {
    /// Names of the rules.
    pub fn rule_names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.name.as_str())
    }
}

/// Which past, and which rules.
#[derive(Debug, Deserialize)]
pub struct ReplayBody {
    /// A day before `to` when missing.
    from: Option<Timestamp>,
    /// Now when missing.
    to: Option<Timestamp>,
    /// Other rules than the configured ones; both are gone through then, and compared.
    config: Option<Tried>,
}

/// A firing that would have been.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReplayedView {
    rule: String,
    #[schema(value_type = String)]
    class: Class,
    service: Option<String>,
    #[schema(value_type = Object)]
    series: Series,
    #[schema(value_type = String)]
    from: Timestamp,
    /// Null when it still fired at the end.
    #[schema(value_type = Option<String>)]
    to: Option<Timestamp>,
    value: Option<f64>,
}

impl From<ReplayedFiring> for ReplayedView {
    fn from(firing: ReplayedFiring) -> Self {
        let ReplayedFiring { rule, class, service, series, from, to, value } = firing;
        Self { rule, class, service, series, from, to, value }
    }
}

/// The rules in question beside those that are configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ComparisonView {
    /// Alerts of the configured rules.
    alerts_before: usize,
    /// Alerts of the rules in question.
    alerts_after: usize,
    /// How many fewer; negative for more.
    alerts_fewer: i64,
    /// Alerts of that time on which somebody acted, or which were healed; without those of rules that can't be replayed.
    incidents: usize,
    /// Of these, how many the rules in question would not have alerted of.
    missed: usize,
}

impl From<Comparison> for ComparisonView {
    fn from(compared: Comparison) -> Self {
        Self {
            alerts_before: compared.alerts_before,
            alerts_after: compared.alerts_after,
            alerts_fewer: compared.alerts_fewer,
            incidents: compared.incidents,
            missed: compared.missed_after.len(),
        }
    }
}

/// What the rules would have said.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReplayAnswer {
    #[schema(value_type = String)]
    from: Timestamp,
    /// How far it came; before `asked_to` when there was not enough time, or memory for the windows of the rules.
    #[schema(value_type = String)]
    to: Timestamp,
    #[schema(value_type = String)]
    asked_to: Timestamp,
    /// From one evaluation to the next.
    step_s: i64,
    alerts: usize,
    tickets: usize,
    records: usize,
    /// By their start, at most a thousand.
    firings: Vec<ReplayedView>,
    /// How many more there are.
    more: usize,
    not_replayed: Vec<NotReplayed>,
    sampled: Vec<Sampled>,
    /// Null without other rules, and when there was no time or memory for both.
    comparison: Option<ComparisonView>,
}

/// How many of a class.
pub fn count(outcome: &ReplayOutcome, class: Class) -> usize {
    outcome.replayed.firings.iter().filter(|firing| firing.class == class).count()
}

/// `POST /api/v1/rules/replay`: nothing is told to anybody and nothing is kept.
#[utoipa::path(
    post,
    path = "/api/v1/rules/replay",
    operation_id = "rule_replay",
    request_body = serde_json::Value,
    responses((status = 200, body = ReplayAnswer))
)]
pub async fn replay(
    State(parts): State<Parts>,
    _: MayRead,
    Json(body): Json<ReplayBody>,
) -> Result<axum::Json<ReplayAnswer>, ApiError> {
    let to = body.to.unwrap_or_else(|| parts.clock.now()).min(parts.clock.now());
    let from = body.from.unwrap_or_else(|| to.plus_seconds(-DAY));
    let range =
        TimeRange::new(from, to).ok_or_else(|| ApiError::bad_request(format!("from ({from}) lies after to ({to})")))?;
    if range.micros() > MAX_DAYS * DAY * 1_000_000 {
        return Err(ApiError::bad_request(format!("a replay is of {MAX_DAYS} days at most; ask for a part of it")));
    }
    let plan = parts.watch.plan();
    let deadline = Instant::now() + TIME_LIMIT;
    let configured = || Replay { rules: plan.rules.clone(), objectives: plan.objectives.clone(), range, deadline };
    let (outcome, comparison) = match body.config {
        None => (go(&parts, configured()).await?, None),
        Some(tried) => {
            // Half of the time: the configured rules need the other one.
            let after = tried_out(&parts, &tried, range, Instant::now() + TIME_LIMIT / 2)?;
            let after = go(&parts, after).await?;
            // As far as the other came: what lies after that can't be compared.
            let before = Replay { range: after.replayed.range, ..configured() };
            let before = go(&parts, before).await?;
            let compared = compared(&parts, before, &after.replayed).await?;
            (after, compared)
        }
    };
    Ok(axum::Json(answer(outcome, range, comparison)))
}

/// Both over the time through which both came. Nothing when that is none.
async fn compared(parts: &Parts, before: ReplayOutcome, after: &Replayed) -> Result<Option<ComparisonView>, ApiError> {
    let ReplayOutcome { replayed: before, not_replayed, .. } = before;
    let end = before.range.to.min(after.range.to);
    let range = TimeRange { from: before.range.from, to: end };
    if range.micros() <= 0 {
        return Ok(None);
    }
    let mut after = after.clone();
    after.firings.retain(|firing| firing.from <= end);
    let incidents = incidents(parts, range, &not_replayed).await?;
    Ok(Some(compare(&before, &after, &incidents).into()))
}

/// What is to be gone through to try rules out; the first thing that is wrong with them otherwise.
pub fn tried_out(parts: &Parts, tried: &Tried, range: TimeRange, deadline: Instant) -> Result<Replay, ApiError> {
    let own_zone = parts.about.time_zone.iana_name().unwrap_or("UTC");
    let services = tried.services.iter().map(|(name, service)| {
        (name.as_str(), DeclaredService { owner: service.owner.as_deref(), objectives: &service.objectives })
    });
    let declared = Declared {
        services: services.collect(),
        checks: tried.checks.iter().map(String::as_str).collect(),
        runbooks: None,
        time_zone: tried.time_zone.as_deref().unwrap_or(own_zone),
        interval: crate::watching::INTERVAL,
    };
    let compiled = compile(&declared, &tried.rules);
    if let Some(problem) = compiled.problems.iter().find(|problem| !problem.is_warning) {
        return Err(ApiError::bad_request(problem.to_string()));
    }
    Ok(Replay { rules: compiled.rules, objectives: compiled.objectives, range, deadline })
}

/// Goes through the past, unless somebody else does.
pub async fn go(parts: &Parts, asked: Replay) -> Result<ReplayOutcome, ApiError> {
    parts.watch.replay(parts, asked).await.map_err(|error| match error {
        ReplayError::Busy => {
            ApiError::too_many("another replay is going on; try again when it is done", Duration::from_secs(10))
        }
        ReplayError::Failed(cause) => ApiError::internal(cause),
    })
}

fn answer(outcome: ReplayOutcome, asked: TimeRange, comparison: Option<ComparisonView>) -> ReplayAnswer {
    let (alerts, tickets, records) =
        (count(&outcome, Class::Alert), count(&outcome, Class::Ticket), count(&outcome, Class::Record));
    let ReplayOutcome { replayed, not_replayed, sampled } = outcome;
    let more = replayed.firings.len().saturating_sub(LISTED);
    // The last evaluation is that of the last whole minute.
    let is_whole = replayed.range.to.micros() + REPLAY_STEP.micros() > asked.to.micros();
    ReplayAnswer {
        from: replayed.range.from,
        to: if is_whole { asked.to } else { replayed.range.to },
        asked_to: asked.to,
        step_s: REPLAY_STEP.micros() / 1_000_000,
        alerts,
        tickets,
        records,
        firings: replayed.firings.into_iter().take(LISTED).map(Into::into).collect(),
        more,
        not_replayed,
        sampled,
        comparison,
    }
}

/// What the store knows of alerts or tickets that began within a range, the newest first.
pub async fn firings(parts: &Parts, scope: &FiringScope, range: TimeRange) -> Result<(Vec<Firing>, bool), ApiError> {
    // Not from now on: between then and the end of the range there may be years of firings.
    let (mut out, mut page) = (Vec::new(), Some(PageKey::before(range.to)));
    loop {
        let query = FiringsQuery { scope: scope.clone(), state: None, page, limit: PAGE };
        let found = parts.store.firings().list(&query).await?;
        let is_before = |firing: &Firing| firing.started_at < range.from;
        let is_done = found.firings.iter().any(is_before);
        out.extend(found.firings.into_iter().filter(|firing| range.contains(firing.started_at)));
        match found.next {
            Some(next) if !is_done && out.len() < MAX_FIRINGS => page = Some(next),
            next => return Ok((out, next.is_some() && !is_done)),
        }
    }
}

/// Alerts of a range in which something really was the matter. Those of rules that can't be replayed are left out: no
/// replay could see them.
async fn incidents(parts: &Parts, range: TimeRange, left_out: &[NotReplayed]) -> Result<Vec<KnownIncident>, ApiError> {
    let (alerts, _) = firings(parts, &FiringScope::Class(FiringClass::Alert), range).await?;
    let was_real = |firing: &&Firing| matches!(firing.outcome, Some(Outcome::Acted | Outcome::Healed));
    let is_replayed = |firing: &&Firing| {
        let rule = firing.rule.strip_suffix("/absent").unwrap_or(&firing.rule);
        left_out.iter().all(|one| one.rule != rule)
    };
    let known = alerts.iter().filter(was_real).filter(is_replayed).map(|firing| KnownIncident {
        service: firing.service.as_ref().map(ToString::to_string),
        range: TimeRange { from: firing.started_at, to: firing.resolved_at.unwrap_or(range.to).max(firing.started_at) },
    });
    Ok(known.collect())
}

/// The comparison of the alerts of the configured rules with and without one of them. Nothing when that one can't be
/// replayed, or when there was no time.
pub async fn without(
    parts: &Parts,
    rule: &Rule,
    range: TimeRange,
    time: Duration,
) -> Result<Option<(TimeRange, ComparisonView)>, ApiError> {
    let plan = parts.watch.plan();
    let is_alert = |one: &&std::sync::Arc<Rule>| one.info.class == Class::Alert;
    let rules = plan.rules.iter().filter(is_alert).cloned().collect();
    let asked = Replay { rules, objectives: plan.objectives.clone(), range, deadline: Instant::now() + time };
    let ReplayOutcome { replayed: before, not_replayed, .. } = go(parts, asked).await?;
    if before.range.micros() <= 0 || not_replayed.iter().any(|one| one.rule == rule.info.name) {
        return Ok(None);
    }
    let mut after = before.clone();
    after.firings.retain(|firing| firing.rule != rule.info.name);
    let incidents = incidents(parts, before.range, &not_replayed).await?;
    Ok(Some((before.range, compare(&before, &after, &incidents).into())))
}
