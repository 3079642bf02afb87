//! Traces: searched by their root spans, and one of them whole.

use super::params::{self, ms, partial, whole};
use super::{Path, Query, TextRange};
use crate::auth::MayRead;
use crate::parts::Parts;
use crate::problem::ApiError;
use axum::extract::State;
use base::Timestamp;
use lake::{SpanRecord, TraceQuery, TraceRoot};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const DAY: i64 = 86_400;
/// Where a trace is looked for when nobody says when it was: the last seven days.
const SEARCHED: i64 = 7 * DAY;
/// Most traces of an answer.
const MAX_TRACES: usize = 500;

/// A range and what to look for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TraceParams {
    #[serde(flatten)]
    #[param(ignore)]
    range: TextRange,
    /// Only traces that began in this service.
    service: Option<String>,
    /// Words in the name of the root span.
    q: Option<String>,
    /// Only traces whose root span took so long, milliseconds.
    min_ms: Option<String>,
    /// Traces, 100 when missing.
    limit: Option<String>,
}

/// A trace as it is listed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TraceView {
    trace_id: String,
    name: String,
    service: String,
    kind: String,
    status: Option<String>,
    #[schema(value_type = String)]
    start: Timestamp,
    duration_ms: Option<f64>,
    spans: u64,
    errors: u64,
    services: u64,
}

impl From<TraceRoot> for TraceView {
    fn from(root: TraceRoot) -> Self {
        Self {
            trace_id: root.trace_id,
            name: root.name,
            service: root.service,
            kind: root.kind,
            status: root.status,
            start: root.start,
            duration_ms: ms(root.duration_us),
            spans: root.spans,
            errors: root.errors,
            services: root.services,
        }
    }
}

/// Traces, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TraceList {
    traces: Vec<TraceView>,
    more: bool,
    partial: Option<String>,
}

fn least_us(text: Option<&str>) -> Result<Option<i64>, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let ms: f64 = text.parse().map_err(|_| ApiError::bad_request("min_ms is no number"))?;
    if !(0.0..=1e12).contains(&ms) {
        return Err(ApiError::bad_request("min_ms is not between 0 and 1e12"));
    }
    // In range: checked above.
    #[expect(clippy::cast_possible_truncation, reason = "at most 1e15")]
    let us = (ms * 1000.0).round() as i64;
    Ok((us > 0).then_some(us))
}

/// `GET /api/v1/traces`
#[utoipa::path(
    get,
    path = "/api/v1/traces",
    operation_id = "list_traces",
    params(TextRange, TraceParams),
    responses((status = 200, body = TraceList))
)]
pub async fn list(
    State(parts): State<Parts>,
    _: MayRead,
    Query(params): Query<TraceParams>,
) -> Result<axum::Json<TraceList>, ApiError> {
    let q = params.q.unwrap_or_default();
    if q.len() > 1_000 {
        return Err(ApiError::bad_request("q is longer than 1000 bytes"));
    }
    let query = TraceQuery {
        range: params.range.range(&parts.clock, DAY)?,
        service: params::service(params.service),
        words: q.split_whitespace().take(20).map(str::to_owned).collect(),
        least_us: least_us(params.min_ms.as_deref())?,
        limit: whole("limit", params.limit.as_deref(), 100, MAX_TRACES)?,
    };
    let found = parts.lake.traces(&query).await?;
    Ok(axum::Json(TraceList {
        traces: found.traces.into_iter().map(Into::into).collect(),
        more: found.more,
        partial: partial(&found.damaged_files),
    }))
}

/// One span.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SpanView {
    span_id: String,
    parent_id: Option<String>,
    name: String,
    service: String,
    host: Option<String>,
    kind: String,
    status: Option<String>,
    #[schema(value_type = String)]
    start: Timestamp,
    /// Microseconds since the first span began: bars are drawn by it.
    offset_us: i64,
    duration_ms: Option<f64>,
    source: String,
    attrs: BTreeMap<String, String>,
}

fn span_view(first: Timestamp, span: SpanRecord) -> SpanView {
    SpanView {
        span_id: span.span_id,
        parent_id: span.parent_id,
        name: span.name,
        service: span.service,
        host: span.host,
        kind: span.kind,
        status: span.status,
        start: span.ts,
        offset_us: span.ts.micros().saturating_sub(first.micros()),
        duration_ms: ms(span.duration_us),
        source: span.source,
        attrs: span.attrs.into_iter().collect(),
    }
}

/// A whole trace.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TraceAnswer {
    trace_id: String,
    spans: Vec<SpanView>,
    more_spans: bool,
    lines: Vec<super::loglines::LineView>,
    errors: Vec<super::errors::ErrorRecordView>,
    partial: Option<String>,
}

/// `GET /api/v1/traces/{trace_id}`
#[utoipa::path(
    get,
    path = "/api/v1/traces/{trace_id}",
    operation_id = "read_trace",
    params(("trace_id" = String, Path, description = "Id of the trace, hexadecimal."), TextRange),
    responses((status = 200, body = TraceAnswer))
)]
pub async fn show(
    State(parts): State<Parts>,
    _: MayRead,
    Path(trace_id): Path<String>,
    Query(range): Query<TextRange>,
) -> Result<axum::Json<TraceAnswer>, ApiError> {
    let trace_id = params::id("a trace", trace_id)?.to_ascii_lowercase();
    let range = range.range(&parts.clock, SEARCHED)?;
    let found = parts.lake.trace(&trace_id, range).await?;
    if found.spans.is_empty() && found.lines.is_empty() && found.errors.is_empty() {
        let text = format!("nothing of this trace was found between {} and {}", range.from, range.to);
        return Err(ApiError::not_found(text));
    }
    let first = found.spans.first().map(|span| span.ts).unwrap_or_default();
    Ok(axum::Json(TraceAnswer {
        trace_id,
        spans: found.spans.into_iter().map(|span| span_view(first, span)).collect(),
        more_spans: found.more_spans,
        lines: found.lines.into_iter().map(Into::into).collect(),
        errors: found.errors.into_iter().map(Into::into).collect(),
        partial: partial(&found.damaged_files),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_duration_is_read_in_milliseconds() {
        for (text, want) in [(None, None), (Some(""), None), (Some("0"), None), (Some("1.5"), Some(1_500))] {
            assert_eq!(least_us(text), Ok(want), "{text:?}");
        }
        for text in ["x", "-1", "NaN", "inf", "1e13"] {
            assert!(least_us(Some(text)).is_err(), "{text}");
        }
    }
}
