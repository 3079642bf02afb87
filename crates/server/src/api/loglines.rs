//! Log lines, and the patterns that they have in common.

use super::params::{self, partial, whole};
use super::{Query, TextRange, step_seconds};
use crate::auth::MayRead;
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::signals::seconds;
use axum::extract::State;
use base::{TimeRange, Timestamp};
use lake::{LineFilter, LineQuery, LineRecord, LineWords};
use serde::{Deserialize, Serialize};
use signal::{Patterns, Severity};
use std::collections::BTreeMap;

const DAY: i64 = 86_400;
/// Most lines of a page.
const MAX_LINES: usize = 1_000;
/// The newest lines in which patterns are looked for.
const PATTERN_LINES: usize = 5_000;
/// Most patterns of an answer.
const MAX_PATTERNS: usize = 200;
/// Bars of the histogram.
const BARS: i64 = 100;
/// Longest sample of a pattern, bytes.
const MAX_SAMPLE: usize = 500;

/// A range and what to look for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LineParams {
    #[serde(flatten)]
    #[param(ignore)]
    range: TextRange,
    /// Only this service.
    service: Option<String>,
    /// Words and "phrases" that the line holds; `-word` must not be there.
    q: Option<String>,
    /// At least so grave: `trace`, `debug`, `info`, `warn`, `error` or `fatal`.
    severity: Option<String>,
    /// Only lines of this pattern, as `/loglines/patterns` wrote it.
    pattern: Option<String>,
    /// Lines of a page, 200 when missing.
    limit: Option<String>,
    /// Where the page before ended.
    cursor: Option<String>,
}

impl LineParams {
    fn filter(&self) -> Result<LineFilter, ApiError> {
        let severity = self.severity.as_deref().filter(|word| !word.is_empty());
        let wrong = || ApiError::bad_request("severity is none of trace, debug, info, warn, error, fatal");
        let least = severity.map(|word| Severity::from_word(word).ok_or_else(wrong)).transpose()?;
        Ok(LineFilter {
            service: params::service(self.service.clone()),
            words: LineWords::parse(self.q.as_deref().unwrap_or_default())?,
            least,
            pattern: self.pattern.clone().filter(|pattern| !pattern.is_empty()),
        })
    }
}

/// A log line.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LineView {
    #[schema(value_type = String)]
    ts: Timestamp,
    service: String,
    host: Option<String>,
    severity: Option<String>,
    body: String,
    trace_id: Option<String>,
    source: String,
    attrs: BTreeMap<String, String>,
}

impl From<LineRecord> for LineView {
    fn from(line: LineRecord) -> Self {
        Self {
            ts: line.ts,
            service: line.service,
            host: line.host,
            severity: line.severity,
            body: line.body,
            trace_id: line.trace_id,
            source: line.source,
            attrs: line.attrs.into_iter().collect(),
        }
    }
}

/// Lines over time. Each bar: start, those below warning or without a severity, warnings, errors and worse.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LineBars {
    step_s: i64,
    total: u64,
    bars: Vec<(i64, u64, u64, u64)>,
}

/// Lines, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LinePage {
    lines: Vec<LineView>,
    next_cursor: Option<String>,
    /// Only on the first page.
    histogram: Option<LineBars>,
    partial: Option<String>,
}

async fn bars(parts: &Parts, range: TimeRange, filter: &LineFilter) -> Result<LineBars, ApiError> {
    let step_s = step_seconds(range, BARS);
    let found = parts.lake.log_line_histogram(range, filter, step_s * 1_000_000).await?;
    let bar = |(start, n): &(Timestamp, [u64; 7])| (seconds(start.micros()), n[..4].iter().sum(), n[4], n[5] + n[6]);
    Ok(LineBars { step_s, total: found.total, bars: found.bars.iter().map(bar).collect() })
}

/// `GET /api/v1/loglines`
#[utoipa::path(
    get,
    path = "/api/v1/loglines",
    operation_id = "list_log_lines",
    params(TextRange, LineParams),
    responses((status = 200, body = LinePage))
)]
pub async fn lines(
    State(parts): State<Parts>,
    _: MayRead,
    Query(params): Query<LineParams>,
) -> Result<axum::Json<LinePage>, ApiError> {
    let range = params.range.range(&parts.clock, DAY)?;
    let filter = params.filter()?;
    let limit = whole("limit", params.limit.as_deref(), 200, MAX_LINES)?;
    let cursor = params.cursor.filter(|cursor| !cursor.is_empty());
    let histogram = if cursor.is_none() { Some(bars(&parts, range, &filter).await?) } else { None };
    let page = parts.lake.log_lines(&LineQuery { range, filter, limit, cursor }).await?;
    Ok(axum::Json(LinePage {
        lines: page.lines.into_iter().map(Into::into).collect(),
        next_cursor: page.next_cursor,
        histogram,
        partial: partial(&page.damaged_files),
    }))
}

/// What many lines have in common.
#[derive(Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PatternView {
    pattern: String,
    count: u64,
    /// The gravest of its lines.
    severity: Option<String>,
    /// Its newest line.
    sample: String,
    #[schema(value_type = String)]
    first_seen: Timestamp,
    #[schema(value_type = String)]
    last_seen: Timestamp,
}

/// Patterns of the newest lines, the commonest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PatternList {
    patterns: Vec<PatternView>,
    /// Lines that were looked at.
    of_lines: usize,
    /// Whether older lines were not looked at.
    more_lines: bool,
    /// Lines whose pattern is not listed.
    other_lines: u64,
    partial: Option<String>,
}

/// The patterns of lines that come newest first, and how many lines have another one.
fn patterns_of(lines: &[LineRecord]) -> (Vec<PatternView>, u64) {
    let mut found = Patterns::default();
    let mut views: Vec<PatternView> = Vec::new();
    let grave = |word: Option<&str>| word.and_then(Severity::from_word);
    for line in lines {
        let Some(at) = found.add(&line.body) else { continue };
        if at == views.len() {
            views.push(PatternView {
                pattern: String::new(),
                count: 0,
                severity: line.severity.clone(),
                sample: line.body[..line.body.floor_char_boundary(MAX_SAMPLE)].to_owned(),
                first_seen: line.ts,
                last_seen: line.ts,
            });
        }
        let view = &mut views[at];
        view.first_seen = view.first_seen.min(line.ts);
        if grave(line.severity.as_deref()) > grave(view.severity.as_deref()) {
            view.severity.clone_from(&line.severity);
        }
    }
    for (view, pattern) in views.iter_mut().zip(found.found()) {
        (view.pattern, view.count) = (pattern.text(), pattern.count());
    }
    views.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.pattern.cmp(&b.pattern)));
    let listed: u64 = views.iter().take(MAX_PATTERNS).map(|view| view.count).sum();
    views.truncate(MAX_PATTERNS);
    (views, (lines.len() as u64).saturating_sub(listed))
}

/// `GET /api/v1/loglines/patterns`
#[utoipa::path(
    get,
    path = "/api/v1/loglines/patterns",
    operation_id = "list_patterns",
    params(TextRange, LineParams),
    responses((status = 200, body = PatternList))
)]
pub async fn patterns(
    State(parts): State<Parts>,
    _: MayRead,
    Query(params): Query<LineParams>,
) -> Result<axum::Json<PatternList>, ApiError> {
    let range = params.range.range(&parts.clock, DAY)?;
    let query = LineQuery { range, filter: params.filter()?, limit: PATTERN_LINES, cursor: None };
    let page = parts.lake.log_lines(&query).await?;
    let (of_lines, more_lines) = (page.lines.len(), page.next_cursor.is_some());
    let partial = partial(&page.damaged_files);
    let work = tokio::task::spawn_blocking(move || patterns_of(&page.lines));
    let (patterns, other_lines) = work.await.map_err(ApiError::internal)?;
    Ok(axum::Json(PatternList { patterns, of_lines, more_lines, other_lines, partial }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_shows_its_gravest_and_newest_line() {
        let line = |second, body: &str, severity: Option<&str>| LineRecord {
            ts: Timestamp::from_seconds(second),
            body: body.into(),
            severity: severity.map(str::to_owned),
            ..LineRecord::default()
        };
        let lines = [
            line(9, "order 7 paid", Some("info")),
            line(8, "cache miss", None),
            line(7, "order 8 paid", Some("error")),
            line(6, "order 9 paid", Some("warn")),
        ];
        let (found, other) = patterns_of(&lines);
        assert_eq!(other, 0);
        let at = Timestamp::from_seconds;
        assert_eq!(
            found[0],
            PatternView {
                pattern: "order <n> paid".into(),
                count: 3,
                severity: Some("error".into()),
                sample: "order 7 paid".into(),
                first_seen: at(6),
                last_seen: at(9),
            }
        );
        assert_eq!((found[1].pattern.as_str(), found[1].count), ("cache miss", 1));
    }
}
