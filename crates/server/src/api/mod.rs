//! The HTTP API: one module a subject. Handlers decode, call, encode; what they decide is decided elsewhere.

pub mod actionability;
pub mod changes;
pub mod checks;
pub mod errors;
pub mod explore;
pub mod firings;
pub mod hosts;
pub mod ingest;
pub mod loglines;
pub mod metrics;
pub mod overview;
pub mod params;
pub mod replay;
pub mod report;
pub mod rules;
pub mod services;
pub mod session;
pub mod silences;
pub mod snippets;
pub mod sources;
pub mod starter;
pub mod status;
pub mod tail;
pub mod traces;

use crate::problem::ApiError;
use axum::extract::FromRequestParts;
use axum::http::request::Parts as Head;
use base::{Clock, TimeRange, Timestamp};
use serde::Deserialize;

/// The range of a request: `from` and `to`, the last hour when they are missing.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RangeParams {
    /// First moment inside, RFC 3339.
    #[param(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// First moment after, RFC 3339.
    #[param(value_type = Option<String>)]
    to: Option<Timestamp>,
}

impl RangeParams {
    /// The range; `default_seconds` long when only one end or none is given.
    pub fn range(&self, clock: &Clock, default_seconds: i64) -> Result<TimeRange, ApiError> {
        let to = self.to.unwrap_or_else(|| match self.from {
            Some(from) => clock.now().max(from),
            None => clock.now(),
        });
        let from = self.from.unwrap_or_else(|| to.plus_seconds(-default_seconds));
        TimeRange::new(from, to).ok_or_else(|| ApiError::bad_request(format!("from ({from}) lies after to ({to})")))
    }
}

/// `from` and `to` as texts: flattened query parameters are texts.
#[derive(Debug, Deserialize, utoipa::IntoParams, utoipa::ToSchema)]
#[into_params(parameter_in = Query)]
pub struct TextRange {
    from: Option<String>,
    to: Option<String>,
}

impl TextRange {
    /// The range, as [`RangeParams::range`].
    pub fn range(&self, clock: &Clock, default_seconds: i64) -> Result<TimeRange, ApiError> {
        let parse = |text: &Option<String>| {
            let parsed = text.as_deref().map(str::parse::<Timestamp>).transpose();
            parsed.map_err(|error| ApiError::bad_request(error.to_string()))
        };
        let to = parse(&self.to)?.unwrap_or_else(|| clock.now());
        let from = parse(&self.from)?.unwrap_or_else(|| to.plus_seconds(-default_seconds));
        TimeRange::new(from, to).ok_or_else(|| ApiError::bad_request(format!("from ({from}) lies after to ({to})")))
    }
}

/// Parts of the path, with a problem document for those that are no text.
pub struct Path<T>(pub T);

impl<T: serde::de::DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(head: &mut Head, state: &S) -> Result<Self, ApiError> {
        let parts = axum::extract::Path::<T>::from_request_parts(head, state).await;
        parts.map(|axum::extract::Path(value)| Self(value)).map_err(|error| ApiError::bad_request(error.body_text()))
    }
}

/// Query parameters, with a problem document for those that don't parse.
pub struct Query<T>(pub T);

impl<T: serde::de::DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(head: &mut Head, _: &S) -> Result<Self, ApiError> {
        axum::extract::Query::try_from_uri(&head.uri)
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|error| ApiError::bad_request(error.body_text()))
    }
}

/// A JSON body, with a problem document for one that doesn't parse.
pub struct Json<T>(pub T);

impl<T: serde::de::DeserializeOwned, S: Send + Sync> axum::extract::FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, ApiError> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(error) if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE => {
                Err(ApiError::too_large(error.body_text()))
            }
            Err(error) if error.status() == axum::http::StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                Err(ApiError::unsupported(error.body_text()))
            }
            Err(error) => Err(ApiError::bad_request(error.body_text())),
        }
    }
}

/// A whole number of seconds that divides the range into at most `points` steps, at least a minute, of a length that
/// people know (1, 2, 5, 10, 15, 30 minutes, hours, days).
pub fn step_seconds(range: TimeRange, points: i64) -> i64 {
    const STEPS: [i64; 14] =
        [60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];
    let least = range.micros() / 1_000_000 / points.max(1);
    STEPS.into_iter().find(|step| *step >= least).unwrap_or(2_592_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_keep_a_chart_below_its_number_of_points() {
        for (hours, want) in [(1, 60), (6, 120), (24, 300), (168, 3600), (720, 10_800)] {
            let from = Timestamp::from_seconds(0);
            let range = TimeRange { from, to: from.plus_seconds(hours * 3600) };
            assert_eq!(step_seconds(range, 300), want, "{hours} h");
        }
    }

    #[test]
    fn a_range_defaults_to_the_last_hour_and_must_not_run_backwards() {
        let clock = Clock::manual(Timestamp::from_seconds(10_000));
        let none = RangeParams { from: None, to: None }.range(&clock, 3600).unwrap();
        assert_eq!((none.from, none.to), (Timestamp::from_seconds(6400), Timestamp::from_seconds(10_000)));
        let backwards = RangeParams { from: Some(none.to), to: Some(none.from) };
        assert!(backwards.range(&clock, 3600).is_err());
    }
}
