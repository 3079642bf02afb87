//! Groups of errors: which there are, one of them with its latest records, and what people decide about it.

mod explain;

use super::params::{self, partial, whole};
use super::{Json, Path, Query, TextRange, step_seconds};
use crate::auth::{MayAdmin, MayRead, SignedIn};
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::signals::seconds;
use axum::extract::State;
use base::{TimeRange, Timestamp};
use explain::{Grouping, explain};
use lake::{ErrorDetail, ErrorGroup, ErrorOrder, ErrorQuery, ErrorRecord, ErrorShare, MAX_ERROR_GROUPS};
use serde::{Deserialize, Serialize};
use signal::Fingerprinter;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;
use store::{ErrorState, SetState};

const DAY: i64 = 86_400;
/// Bars of a trend.
const BARS: i64 = 60;
/// Releases of a group that a list shows.
const LISTED_RELEASES: usize = 3;
/// How far ahead of ours a sender's clock may be when it is asked whether a group was seen again.
const CLOCK_SKEW_SECONDS: i64 = 86_400;

/// What people decided about a group, and what came after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct StateView {
    /// `open`, `resolved`, `ignored`, or `reopened`: resolved, and seen again since.
    state: &'static str,
    #[schema(value_type = Option<String>)]
    state_since: Option<Timestamp>,
    state_by: Option<String>,
}

impl StateView {
    /// The state of a group that was last seen then.
    fn of(decided: Option<&SetState>, last_seen: Option<Timestamp>) -> Self {
        let Some(decided) = decided else { return Self { state: "open", state_since: None, state_by: None } };
        let is_back = decided.state == ErrorState::Resolved && last_seen.is_some_and(|last| last > decided.since);
        let state = if is_back { "reopened" } else { decided.state.as_str() };
        Self { state, state_since: Some(decided.since), state_by: decided.set_by.clone() }
    }
}

/// What was decided about these groups, and when those that were resolved were last seen since: whether a group is
/// back does not depend on the range that somebody looks at.
struct States {
    decided: HashMap<String, SetState>,
    seen: HashMap<String, Timestamp>,
}

impl States {
    async fn read(parts: &Parts, groups: impl Iterator<Item = &str>) -> Result<Self, ApiError> {
        let all = parts.store.error_states().list().await?;
        let mut all: HashMap<String, SetState> = all.into_iter().map(|set| (set.group_id.clone(), set)).collect();
        let decided: HashMap<String, SetState> = groups.filter_map(|group| all.remove_entry(group)).collect();
        let resolved: Vec<&SetState> =
            decided.values().filter(|decided| decided.state == ErrorState::Resolved).collect();
        let mut seen = HashMap::new();
        if let Some(from) = resolved.iter().map(|resolved| resolved.since).min() {
            let to = parts.clock.now().plus_seconds(CLOCK_SKEW_SECONDS);
            let ids: Vec<String> = resolved.iter().map(|resolved| resolved.group_id.clone()).collect();
            if let Some(range) = TimeRange::new(from, to) {
                seen = parts.lake.errors_last_seen(&ids, range).await?;
            }
        }
        Ok(Self { decided, seen })
    }

    fn of(&self, group: &str) -> StateView {
        StateView::of(self.decided.get(group), self.seen.get(group).copied())
    }
}

/// A range, a service, an order.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ErrorParams {
    #[serde(flatten)]
    #[param(ignore)]
    range: TextRange,
    /// Only this service.
    service: Option<String>,
    /// `count`, `users` or `last_seen`.
    sort: Option<String>,
    /// Groups, 500 when missing.
    limit: Option<String>,
}

/// A group of errors as it is listed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErrorGroupView {
    group_id: String,
    service: String,
    kind: String,
    message: String,
    count: u64,
    users: u64,
    /// The first that is stored, also before the range.
    #[schema(value_type = String)]
    first_seen: Timestamp,
    #[schema(value_type = String)]
    last_seen: Timestamp,
    releases: Vec<(String, u64)>,
    trend: Vec<u64>,
    #[serde(flatten)]
    state: StateView,
}

/// Groups of errors.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErrorList {
    #[schema(value_type = String)]
    from: Timestamp,
    #[schema(value_type = String)]
    to: Timestamp,
    step_s: i64,
    errors: u64,
    group_count: u64,
    users: u64,
    bars: Vec<(i64, u64)>,
    groups: Vec<ErrorGroupView>,
    partial: Option<String>,
}

fn order(text: Option<&str>) -> Result<ErrorOrder, ApiError> {
    match text {
        None | Some("" | "count") => Ok(ErrorOrder::Count),
        Some("users") => Ok(ErrorOrder::Users),
        Some("last_seen") => Ok(ErrorOrder::LastSeen),
        Some(_) => Err(ApiError::bad_request("sort is none of count, users, last_seen")),
    }
}

fn bars(bars: &[(Timestamp, u64)]) -> Vec<(i64, u64)> {
    bars.iter().map(|(start, rows)| (seconds(start.micros()), *rows)).collect()
}

/// `GET /api/v1/errors`
#[utoipa::path(
    get,
    path = "/api/v1/errors",
    operation_id = "list_errors",
    params(TextRange, ErrorParams),
    responses((status = 200, body = ErrorList))
)]
pub async fn list(
    State(parts): State<Parts>,
    _: MayRead,
    Query(params): Query<ErrorParams>,
) -> Result<axum::Json<ErrorList>, ApiError> {
    let range = params.range.range(&parts.clock, DAY)?;
    let step_s = step_seconds(range, BARS);
    let query = ErrorQuery {
        range,
        service: params::service(params.service),
        order: order(params.sort.as_deref())?,
        limit: whole("limit", params.limit.as_deref(), MAX_ERROR_GROUPS, MAX_ERROR_GROUPS)?,
        step_us: step_s * 1_000_000,
    };
    let found = parts.lake.error_groups(&query).await?;
    let states = States::read(&parts, found.groups.iter().map(|group| group.group_id.as_str())).await?;
    let view = |group: ErrorGroup| ErrorGroupView {
        state: states.of(&group.group_id),
        group_id: group.group_id,
        service: group.service,
        kind: group.kind,
        message: group.message,
        count: group.count,
        users: group.users,
        first_seen: group.first_seen,
        last_seen: group.last_seen,
        releases: group.releases.into_iter().take(LISTED_RELEASES).collect(),
        trend: group.trend,
    };
    Ok(axum::Json(ErrorList {
        from: range.from,
        to: range.to,
        step_s,
        errors: found.errors,
        group_count: found.group_count,
        users: found.users,
        bars: bars(&found.bars),
        groups: found.groups.into_iter().map(view).collect(),
        partial: partial(&found.damaged_files),
    }))
}

/// What errors share.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErrorShareView {
    name: Option<String>,
    count: u64,
    #[schema(value_type = String)]
    first_seen: Timestamp,
    #[schema(value_type = String)]
    last_seen: Timestamp,
}

impl From<ErrorShare> for ErrorShareView {
    fn from(share: ErrorShare) -> Self {
        Self { name: share.name, count: share.count, first_seen: share.first_seen, last_seen: share.last_seen }
    }
}

/// One error.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErrorRecordView {
    #[schema(value_type = String)]
    ts: Timestamp,
    service: String,
    host: Option<String>,
    group_id: String,
    kind: String,
    message: String,
    severity: Option<String>,
    release: Option<String>,
    environment: Option<String>,
    user_key: Option<String>,
    trace_id: Option<String>,
    stack: Option<String>,
    source: String,
    attrs: BTreeMap<String, String>,
}

impl From<ErrorRecord> for ErrorRecordView {
    fn from(record: ErrorRecord) -> Self {
        Self {
            ts: record.ts,
            service: record.service,
            host: record.host,
            group_id: record.group_id,
            kind: record.kind,
            message: record.message,
            severity: record.severity,
            release: record.release,
            environment: record.environment,
            user_key: record.user_key,
            trace_id: record.trace_id,
            stack: record.stack,
            source: record.source,
            attrs: record.attrs.into_iter().collect(),
        }
    }
}

/// One group of errors.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErrorDetailView {
    group_id: String,
    kind: String,
    message: String,
    step_s: i64,
    count: u64,
    users: u64,
    /// The first that is stored, also before the range.
    #[schema(value_type = String)]
    first_seen: Timestamp,
    #[schema(value_type = String)]
    last_seen: Timestamp,
    grouping: Grouping,
    services: Vec<ErrorShareView>,
    releases: Vec<ErrorShareView>,
    people: Vec<ErrorShareView>,
    bars: Vec<(i64, u64)>,
    records: Vec<ErrorRecordView>,
    #[serde(flatten)]
    state: StateView,
    partial: Option<String>,
}

fn detail_view(group_id: String, found: ErrorDetail, state: StateView, step_s: i64) -> ErrorDetailView {
    static FINGERPRINTER: LazyLock<Fingerprinter> = LazyLock::new(Fingerprinter::new);
    let latest = found.records.first().cloned().unwrap_or_default();
    let shares = |shares: Vec<ErrorShare>| shares.into_iter().map(Into::into).collect();
    ErrorDetailView {
        grouping: explain(&FINGERPRINTER, &group_id, &latest.kind, &latest.message, latest.stack.as_deref()),
        group_id,
        kind: latest.kind,
        message: latest.message,
        step_s,
        count: found.count,
        users: found.users,
        first_seen: found.first_seen,
        last_seen: found.last_seen,
        services: shares(found.services),
        releases: shares(found.releases),
        people: shares(found.people),
        bars: bars(&found.bars),
        records: found.records.into_iter().map(Into::into).collect(),
        state,
        partial: partial(&found.damaged_files),
    }
}

/// `GET /api/v1/errors/{group}`
#[utoipa::path(
    get,
    path = "/api/v1/errors/{group}",
    operation_id = "read_error",
    params(("group" = String, Path, description = "Id of the group."), TextRange, ErrorParams),
    responses((status = 200, body = ErrorDetailView))
)]
pub async fn show(
    State(parts): State<Parts>,
    _: MayRead,
    Path(group): Path<String>,
    Query(params): Query<ErrorParams>,
) -> Result<axum::Json<ErrorDetailView>, ApiError> {
    let group = params::id("a group of errors", group)?;
    let range = params.range.range(&parts.clock, DAY)?;
    let step_s = step_seconds(range, BARS);
    let service = params::service(params.service);
    let found = parts.lake.error_group(&group, range, service.as_deref(), step_s * 1_000_000).await?;
    let Some(found) = found else {
        let text = format!("no error of this group lies between {} and {}", range.from, range.to);
        return Err(ApiError::not_found(text));
    };
    let state = States::read(&parts, std::iter::once(group.as_str())).await?.of(&group);
    Ok(axum::Json(detail_view(group, found, state, step_s)))
}

/// A decision.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct StateBody {
    /// `open`, `resolved` or `ignored`.
    state: String,
}

/// A decision that was taken.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StateAnswer {
    group_id: String,
    #[serde(flatten)]
    state: StateView,
}

/// `POST /api/v1/errors/{group}/state`
#[utoipa::path(
    post,
    path = "/api/v1/errors/{group}/state",
    operation_id = "decide_error",
    params(("group" = String, Path, description = "Id of the group.")),
    request_body = StateBody,
    responses((status = 200, body = StateAnswer))
)]
pub async fn decide(
    State(parts): State<Parts>,
    _: MayAdmin,
    who: Result<SignedIn, ApiError>,
    Path(group): Path<String>,
    Json(body): Json<StateBody>,
) -> Result<axum::Json<StateAnswer>, ApiError> {
    let state: ErrorState =
        body.state.parse().map_err(|error: store::ErrorStateError| ApiError::bad_request(error.to_string()))?;
    let by = who.ok().map(|SignedIn(session)| session.user);
    let decided = parts.store.error_states().set(&group, state, by.as_deref()).await?;
    Ok(axum::Json(StateAnswer { group_id: group, state: StateView::of(Some(&decided), None) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolved_group_that_is_seen_again_is_reopened() {
        let at = Timestamp::from_seconds;
        let decided = |state| SetState { group_id: "g".into(), state, since: at(100), set_by: Some("ann".into()) };
        for (case, decided, last_seen, want) in [
            ("nobody decided", None, Some(at(200)), "open"),
            ("resolved and gone", Some(decided(ErrorState::Resolved)), None, "resolved"),
            ("told late", Some(decided(ErrorState::Resolved)), Some(at(99)), "resolved"),
            ("at that very moment", Some(decided(ErrorState::Resolved)), Some(at(100)), "resolved"),
            ("back", Some(decided(ErrorState::Resolved)), Some(at(101)), "reopened"),
            ("ignored ones may go on", Some(decided(ErrorState::Ignored)), Some(at(101)), "ignored"),
        ] {
            assert_eq!(StateView::of(decided.as_ref(), last_seen).state, want, "{case}");
        }
    }

    #[test]
    fn an_order_that_is_none_is_refused() {
        assert_eq!(order(None), Ok(ErrorOrder::Count));
        assert_eq!(order(Some("last_seen")), Ok(ErrorOrder::LastSeen));
        assert!(order(Some("count; DROP")).is_err());
    }
}
