//! Proposed objectives and rules for a service, from what its past shows, as a part of the configuration.

use super::{Path, Query};
use crate::auth::MayRead;
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::signals::{self, quantile_ms};
use axum::extract::State;
use base::{TimeRange, Timestamp};
use lake::ServiceWindows;
use serde::{Deserialize, Serialize};
use signal::Sum;
use watch::starter::{Facts, Language, Observed, propose};

/// Days of the past that are looked at.
const DAYS: i64 = 30;
const DAY_S: i64 = 86_400;

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
    let known = parts.intake.find(&service).ok_or_else(|| ApiError::not_found("there is no such service"))?;
    let language = match params.language.as_deref() {
        None | Some("" | "en") => Language::English,
        Some("ja") => Language::Japanese,
        Some(_) => return Err(ApiError::bad_request("language is none of en, ja")),
    };
    // Whole days: half of one says nothing of a day.
    let to = parts.clock.now().floor(DAY_S * 1_000_000);
    let range = TimeRange { from: to.plus_seconds(-DAYS * DAY_S), to };
    let windows = signals::read(&parts.lake, range, Some(&service), None, DAY_S).await?;
    let past = windows.services.get(service.as_str()).cloned().unwrap_or_default();
    let given = params.owner.filter(|owner| !owner.is_empty());
    let owner = given.or_else(|| known.settings().owner.clone()).unwrap_or_else(|| "web-team".to_owned());
    let proposal = propose(&facts(&service, owner, &past), language);
    Ok(axum::Json(StarterAnswer {
        from: range.from,
        to: range.to,
        yaml: proposal.as_ref().map(|proposal| proposal.yaml.clone()),
        reasons: proposal.map(|proposal| proposal.reasons).unwrap_or_default(),
    }))
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
