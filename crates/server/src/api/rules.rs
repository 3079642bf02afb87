//! Rules, objectives and channels: what is watched, where it stands, and whether messages arrive.

use super::{Json, Path, Query, TextRange};
use crate::auth::{Acting, MayAdmin, MayRead};
use crate::parts::Parts;
use crate::problem::ApiError;
use axum::extract::State;
use axum::http::StatusCode;
use base::{Id, Span, TimeRange, Timestamp};
use lake::Query as Sql;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{ChannelState, ChannelTest, Message, RotationOverride};
use watch::channel::ChannelKind;
use watch::counts::Sum;
use watch::engine::RuleStatus;
use watch::objective::{Objective, Standing, Subject};
use watch::rule::RuleKind;
use watch::{Phase, RuleInfo};

/// Points of a chart.
const POINTS: i64 = 300;
/// Rows of what burnt a budget.
const BURNT_ROWS: usize = 20;
/// Series of a rule that are listed.
const SERIES: usize = 200;

/// One series of a rule.
#[derive(Debug, Serialize)]
pub struct SeriesView {
    labels: BTreeMap<String, String>,
    phase: Phase,
    since: Timestamp,
    /// What is missing while it goes on firing.
    blind: Option<Phase>,
    value: Option<f64>,
}

/// A rule and where it stands.
#[derive(Debug, Serialize)]
pub struct RuleView {
    #[serde(flatten)]
    info: RuleInfo,
    /// The objective whose burn it watches.
    objective: Option<String>,
    threshold: Option<f64>,
    /// The worst of its series: `firing`, `pending`, `source_lost`, `failed`, `absent`, `fine`.
    phase: Phase,
    series: Vec<SeriesView>,
    /// Series that are not listed here.
    series_more: usize,
    /// Series beyond the limit that are not watched.
    left_out: usize,
}

/// Every rule.
#[derive(Debug, Serialize)]
pub struct RuleList {
    rules: Vec<RuleView>,
    /// Why the last change of the configuration was not taken.
    config_problem: Option<String>,
    /// Wall time of the last evaluation.
    last_evaluation_us: u64,
}

fn worst(status: &RuleStatus) -> Phase {
    let order = [Phase::Firing, Phase::Pending, Phase::SourceLost, Phase::Failed, Phase::Absent];
    let has = |phase: &Phase| status.series.iter().any(|series| series.phase == *phase);
    order.into_iter().find(has).unwrap_or(Phase::Fine)
}

fn rule_view(status: RuleStatus) -> RuleView {
    let phase = worst(&status);
    let (objective, threshold) = match &status.rule.kind {
        RuleKind::Burn { objective, .. } => (Some(objective.clone()), None),
        RuleKind::Threshold { selector, spec, .. } => (selector.objective.clone(), Some(spec.threshold.limit)),
    };
    let series_more = status.series.len().saturating_sub(SERIES);
    let series = status.series.into_iter().take(SERIES).map(|series| SeriesView {
        labels: series.series.0,
        phase: series.phase,
        since: series.since,
        blind: series.blind,
        value: series.value,
    });
    let series = series.collect();
    let info = RuleInfo::clone(&status.rule.info);
    RuleView { info, objective, threshold, phase, series, series_more, left_out: status.left_out }
}

/// `GET /api/v1/rules`
#[utoipa::path(
    get,
    path = "/api/v1/rules",
    operation_id = "rule_list",
    responses((status = 200, body = serde_json::Value))
)]
pub async fn list(State(parts): State<Parts>, _: MayRead) -> axum::Json<RuleList> {
    let rules = parts.watch.status().await.into_iter().map(rule_view).collect();
    let config_problem = parts.watch.config_problem();
    axum::Json(RuleList { rules, config_problem, last_evaluation_us: parts.watch.last_tick_us() })
}

/// An objective and where it stands.
#[derive(Debug, Serialize)]
pub struct ObjectiveView {
    service: String,
    name: String,
    route: Option<String>,
    /// The condition of a good request; null for one of a check.
    good: Option<String>,
    check: Option<String>,
    target_percent: f64,
    /// As it is written: `30d`. Where it lies now is `window`.
    window_spec: String,
    time_zone: Option<String>,
    #[serde(flatten)]
    standing: Standing,
    /// Burn over the last six hours, as `burn_1h` over one: 1 uses up the budget exactly by the end of the window.
    burn_6h: Option<f64>,
}

/// Every objective.
#[derive(Debug, Serialize)]
pub struct ObjectiveList {
    objectives: Vec<ObjectiveView>,
}

fn objective_view(parts: &Parts, objective: &Objective, now: Timestamp) -> Option<ObjectiveView> {
    let budgets = parts.watch.budgets();
    let key = objective.key();
    let standing = budgets.standing(&key, now)?;
    let burn_6h = budgets.with(&key, |objective, counts| {
        let end = watch::objective::end_of_minute(now);
        watch::objective::burn(&counts.last(Span::from_seconds(6 * 3600), end).tally, objective.target)
    });
    let (good, check) = match &objective.subject {
        Subject::Requests { good, .. } => (Some(good.text().to_owned()), None),
        Subject::Check(check) => (None, Some(check.clone())),
    };
    Some(ObjectiveView {
        service: objective.service.clone(),
        name: objective.name.clone(),
        route: objective.route.clone(),
        good,
        check,
        target_percent: objective.target.percent(),
        window_spec: objective.window.spec().to_string(),
        time_zone: objective.window.zone().map(str::to_owned),
        standing,
        burn_6h: burn_6h.flatten(),
    })
}

/// `GET /api/v1/objectives`
#[utoipa::path(
    get,
    path = "/api/v1/objectives",
    operation_id = "rule_objectives",
    responses((status = 200, body = serde_json::Value))
)]
pub async fn objectives(State(parts): State<Parts>, _: MayRead) -> axum::Json<ObjectiveList> {
    let now = parts.clock.now();
    let plan = parts.watch.plan();
    let objectives = plan.objectives.iter().filter_map(|objective| objective_view(&parts, objective, now)).collect();
    axum::Json(ObjectiveList { objectives })
}

/// A step of an objective's chart.
#[derive(Debug, Serialize)]
pub struct StepView {
    at: Timestamp,
    #[serde(flatten)]
    sum: Sum,
    /// Budget left at the end of the step, counted from the beginning of the window.
    left: Option<f64>,
}

/// Something that burnt budget.
#[derive(Debug, Serialize)]
pub struct BurntBy {
    name: Option<String>,
    bad: i64,
    /// People among them.
    people: i64,
}

/// An objective with everything about it.
#[derive(Debug, Serialize)]
pub struct ObjectiveDetail {
    #[serde(flatten)]
    view: ObjectiveView,
    step_s: i64,
    steps: Vec<StepView>,
    /// Bad requests of the window by route; null where SQL can't say the condition.
    routes: Option<Vec<BurntBy>>,
    /// By the version that ran.
    changes: Vec<super::changes::ChangeView>,
    /// The rules that watch it.
    rules: Vec<String>,
}

/// A range.
#[derive(Debug, Deserialize)]
pub struct ObjectiveParams {
    #[serde(flatten)]
    range: TextRange,
}

/// `GET /api/v1/objectives/{service}/{name}`
#[utoipa::path(
    get,
    path = "/api/v1/objectives/{service}/{name}",
    operation_id = "rule_objective",
    params(("service" = String, Path), ("name" = String, Path), ("from" = Option<String>, Query), ("to" = Option<String>, Query)),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn objective(
    State(parts): State<Parts>,
    _: MayRead,
    Path((service, name)): Path<(String, String)>,
    Query(params): Query<ObjectiveParams>,
) -> Result<axum::Json<ObjectiveDetail>, ApiError> {
    let (plan, now) = (parts.watch.plan(), parts.clock.now());
    let found = plan.objectives.iter().find(|known| known.service == service && known.name == name);
    let objective = found.ok_or_else(|| ApiError::not_found("no such objective is configured"))?;
    let window = objective.window.range(now);
    let range = params.range.range(&parts.clock, window.micros() / 1_000_000)?;
    let view = objective_view(&parts, objective, now).ok_or_else(|| ApiError::not_found("it is being taken up"))?;
    let step_s = super::step_seconds(range, POINTS);
    let budgets = parts.watch.budgets();
    let sums = budgets.steps(&objective.key(), range, Span::from_seconds(step_s)).unwrap_or_default();
    let budget = objective.target.budget();
    let total: u64 = sums.iter().map(|(_, sum)| sum.tally.valid).sum();
    let mut bad = 0;
    let steps = sums.into_iter().map(|(at, sum)| {
        bad += sum.tally.bad();
        let left = (total > 0).then(|| 1.0 - bad as f64 / (total as f64 * budget));
        StepView { at, sum, left }
    });
    let steps = steps.collect();
    let watches = |rule: &&std::sync::Arc<watch::rule::Rule>| match &rule.kind {
        RuleKind::Burn { objective: watched, .. } => *watched == objective.key(),
        RuleKind::Threshold { selector, .. } => selector.objective.as_ref() == Some(&objective.key()),
    };
    let rules = plan.rules.iter().filter(watches).map(|rule| rule.info.name.clone()).collect();
    let service = super::ingest::service_name(&service)?;
    let changes = parts.store.changes().list(range, Some(&service), 100).await?;
    Ok(axum::Json(ObjectiveDetail {
        view,
        step_s,
        steps,
        routes: burnt(&parts, objective, range).await?,
        changes: changes.into_iter().map(Into::into).collect(),
        rules,
    }))
}

async fn burnt(parts: &Parts, objective: &Objective, range: TimeRange) -> Result<Option<Vec<BurntBy>>, ApiError> {
    let Some(bad) = objective.bad_sql() else { return Ok(None) };
    let sql = format!(
        "SELECT route, count(*), count(DISTINCT user_key) FROM requests WHERE {bad} GROUP BY 1 ORDER BY 2 DESC LIMIT {BURNT_ROWS}"
    );
    let answer = parts.lake.sql(&Sql { sql, range, limit: BURNT_ROWS }).await?;
    let mut out = Vec::new();
    for batch in &answer.batches {
        let (names, counts) = (crate::signals::texts(batch, 0), crate::signals::ints(batch, 1));
        let people = crate::signals::ints(batch, 2);
        for (row, name) in names.into_iter().enumerate() {
            out.push(BurntBy { name, bad: counts[row].unwrap_or(0), people: people[row].unwrap_or(0) });
        }
    }
    Ok(Some(out))
}

/// A channel and how it is.
#[derive(Debug, Serialize)]
pub struct ChannelView {
    name: String,
    kind: Option<&'static str>,
    /// The classes that go there, in their order.
    classes: Vec<&'static str>,
    state: Option<ChannelState>,
}

/// Every channel.
#[derive(Debug, Serialize)]
pub struct ChannelList {
    channels: Vec<ChannelView>,
}

/// `GET /api/v1/channels`
#[utoipa::path(
    get,
    path = "/api/v1/channels",
    operation_id = "rule_channels",
    responses((status = 200, body = serde_json::Value))
)]
pub async fn channels(State(parts): State<Parts>, _: MayRead) -> Result<axum::Json<ChannelList>, ApiError> {
    let plan = parts.watch.plan();
    let mut states: BTreeMap<String, ChannelState> =
        parts.store.outbox().channels().await?.into_iter().map(|state| (state.channel.clone(), state)).collect();
    let listed = |list: &[watch::routing::Listed], name: &str| list.iter().any(|listed| listed.name == name);
    let mut channels: Vec<ChannelView> = plan
        .channels
        .iter()
        .map(|(name, channel)| {
            let classes = [("alert", listed(&plan.lists.alert, name)), ("ticket", listed(&plan.lists.ticket, name))];
            ChannelView {
                name: name.clone(),
                kind: Some(channel.kind().as_str()),
                classes: classes.into_iter().filter_map(|(class, told)| told.then_some(class)).collect(),
                state: states.remove(name),
            }
        })
        .collect();
    // Messages may still wait for one that no configuration names any more.
    channels.extend(states.into_iter().map(|(name, state)| ChannelView {
        name,
        kind: None,
        classes: Vec::new(),
        state: Some(state),
    }));
    Ok(axum::Json(ChannelList { channels }))
}

/// The id of a test.
#[derive(Debug, Serialize)]
pub struct TestView {
    id: Id<Message>,
}

/// `POST /api/v1/channels/{name}/test`: sends a message that a person has to acknowledge.
#[utoipa::path(
    post,
    path = "/api/v1/channels/{name}/test",
    operation_id = "rule_test",
    params(("name" = String, Path)),
    responses((status = 202, body = serde_json::Value))
)]
pub async fn test(
    State(parts): State<Parts>,
    _: MayAdmin,
    Path(name): Path<String>,
) -> Result<(StatusCode, axum::Json<TestView>), ApiError> {
    let plan = parts.watch.plan();
    let channel = plan.channels.get(&name).ok_or_else(|| ApiError::not_found("no such channel is configured"))?;
    if channel.kind() == ChannelKind::Ping {
        return Err(ApiError::conflict("nobody reads what a dead-man's switch gets; look there whether it is called"));
    }
    let id = parts.store.outbox().add_test(&name, "{}").await?;
    parts.watch.wake();
    Ok((StatusCode::ACCEPTED, axum::Json(TestView { id })))
}

/// `GET /api/v1/channels/tests/{id}`: what became of a test so far. One that is `pending` with an error is tried again.
#[utoipa::path(
    get,
    path = "/api/v1/channels/tests/{id}",
    operation_id = "rule_test_result",
    params(("id" = String, Path)),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn test_result(
    State(parts): State<Parts>,
    _: MayRead,
    Path(id): Path<Id<Message>>,
) -> Result<axum::Json<ChannelTest>, ApiError> {
    let test = parts.store.outbox().test(id).await?;
    test.map(axum::Json).ok_or_else(|| ApiError::not_found("there is no such test; send another one"))
}

/// `POST /api/v1/channels/tests/{id}/ack`: a person says that the test arrived.
#[utoipa::path(
    post,
    path = "/api/v1/channels/tests/{id}/ack",
    operation_id = "rule_acknowledge_test",
    params(("id" = String, Path)),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn acknowledge_test(
    State(parts): State<Parts>,
    Acting(who): Acting,
    Path(id): Path<Id<Message>>,
) -> Result<axum::Json<serde_json::Value>, ApiError> {
    let channel = parts.store.outbox().acknowledge_test(id, &who).await?;
    let channel =
        channel.ok_or_else(|| ApiError::not_found("this is not the last test of a channel; send another one"))?;
    Ok(axum::Json(serde_json::json!({ "channel": channel })))
}

/// `GET /api/v1/rotations/{name}`: the turns of a year as a calendar (iCalendar).
#[utoipa::path(
    get,
    path = "/api/v1/rotations/{name}",
    operation_id = "rule_calendar",
    params(("name" = String, Path)),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn calendar(
    State(parts): State<Parts>,
    _: MayRead,
    Path(name): Path<String>,
) -> Result<([(axum::http::HeaderName, &'static str); 1], String), ApiError> {
    let (plan, now) = (parts.watch.plan(), parts.clock.now());
    let name = name.strip_suffix(".ics").unwrap_or(&name);
    let rotation = plan.rotations.get(name).ok_or_else(|| ApiError::not_found("no such rotation is configured"))?;
    let range = TimeRange { from: now.plus_seconds(-30 * 86_400), to: now.plus_seconds(335 * 86_400) };
    let overrides = parts.store.rotation_overrides().within(name, range).await?;
    let text = watch::escalation::calendar(rotation, &rotation.lay_out(range, &overrides), now);
    Ok(([(axum::http::header::CONTENT_TYPE, "text/calendar; charset=utf-8")], text))
}

/// Who takes over.
#[derive(Debug, Deserialize)]
pub struct OverrideBody {
    person: String,
    /// Now when missing.
    from: Option<Timestamp>,
    until: Timestamp,
    reason: Option<String>,
}

/// Who takes over whose turn.
#[derive(Debug, Serialize)]
pub struct OverrideList {
    overrides: Vec<RotationOverride>,
}

/// `GET /api/v1/rotations/{name}/overrides`: those that hold now or within a year.
#[utoipa::path(
    get,
    path = "/api/v1/rotations/{name}/overrides",
    operation_id = "rotation_overrides",
    params(("name" = String, Path)),
    responses((status = 200, body = serde_json::Value))
)]
pub async fn overrides(
    State(parts): State<Parts>,
    _: MayRead,
    Path(name): Path<String>,
) -> Result<axum::Json<OverrideList>, ApiError> {
    let now = parts.clock.now();
    let range = TimeRange { from: now, to: now.plus_seconds(366 * 86_400) };
    Ok(axum::Json(OverrideList { overrides: parts.store.rotation_overrides().within(&name, range).await? }))
}

/// `POST /api/v1/rotations/{name}/overrides`: somebody is on duty in place of whose turn it is.
#[utoipa::path(
    post,
    path = "/api/v1/rotations/{name}/overrides",
    operation_id = "rotation_override",
    params(("name" = String, Path)),
    request_body = serde_json::Value,
    responses((status = 201, body = serde_json::Value))
)]
pub async fn take_over(
    State(parts): State<Parts>,
    Acting(who): Acting,
    Path(name): Path<String>,
    Json(body): Json<OverrideBody>,
) -> Result<(StatusCode, axum::Json<RotationOverride>), ApiError> {
    let plan = parts.watch.plan();
    if !plan.rotations.contains_key(&name) {
        return Err(ApiError::not_found("no such rotation is configured"));
    }
    if plan.channel_of_person(&body.person).is_none() {
        let known: Vec<&str> = plan.people.keys().map(String::as_str).collect();
        let text = format!("nobody called `{}` is declared; there are {}", body.person, known.join(", "));
        return Err(ApiError::bad_request(text));
    }
    let from = body.from.unwrap_or_else(|| parts.clock.now());
    let range = TimeRange::new(from, body.until)
        .ok_or_else(|| ApiError::bad_request(format!("from ({from}) lies after until ({})", body.until)))?;
    let overrides = parts.store.rotation_overrides();
    let added = overrides.add(&name, &body.person, range, body.reason.as_deref(), &who).await?;
    Ok((StatusCode::CREATED, axum::Json(added)))
}

/// `DELETE /api/v1/rotations/overrides/{id}`
#[utoipa::path(
    delete,
    path = "/api/v1/rotations/overrides/{id}",
    operation_id = "rotation_override_end",
    params(("id" = String, Path)),
    responses((status = 204))
)]
pub async fn give_back(
    State(parts): State<Parts>,
    _: Acting,
    Path(id): Path<Id<RotationOverride>>,
) -> Result<StatusCode, ApiError> {
    if parts.store.rotation_overrides().remove(id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::not_found("there is no such override"))
    }
}
