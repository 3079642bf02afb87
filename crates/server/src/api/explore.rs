//! The explorer: rows by filter, histogram, facets, SQL.

use super::{Json, Query, TextRange};
use crate::auth::MayRead;
use crate::json_rows::{column_types, rows_as_json};
use crate::parts::Parts;
use crate::problem::ApiError;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use base::{TimeRange, Timestamp};
use lake::{Reader, RowOrder, RowQuery};
use serde::{Deserialize, Serialize};
use signal::filter::{Filter, FilterError, RequestRecord};
use std::collections::BTreeMap;

const DAY: i64 = 86_400;
/// Most rows of a page.
const MAX_ROWS: usize = 1000;
/// Most rows of an SQL answer.
const MAX_SQL_ROWS: usize = 10_000;
/// Bars of a histogram.
const BARS: i64 = 120;

/// A request as it is shown.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RowView {
    id: String,
    #[schema(value_type = String)]
    ts: Timestamp,
    service: String,
    host: Option<String>,
    method: String,
    route: String,
    path: String,
    status: i32,
    duration_ms: Option<f64>,
    bytes: Option<i64>,
    user_key: Option<String>,
    user_agent: Option<String>,
    trace_id: Option<String>,
    source: String,
    attrs: BTreeMap<String, String>,
}

impl From<RequestRecord> for RowView {
    fn from(record: RequestRecord) -> Self {
        let attrs: BTreeMap<String, String> = record.attrs.into_iter().collect();
        let identity = (record.ts.micros(), &record.service, &record.path, record.status, &record.user_key);
        let id = blake3::hash(format!("{identity:?}{:?}{:?}", record.duration_us, record.trace_id).as_bytes());
        Self {
            id: id.to_hex()[..16].to_owned(),
            ts: record.ts,
            duration_ms: record.duration_us.map(|us| us as f64 / 1000.0),
            user_agent: attrs.get("user_agent").cloned(),
            service: record.service,
            host: record.host,
            method: record.method,
            route: record.route,
            path: record.path,
            status: record.status,
            bytes: record.bytes,
            user_key: record.user_key,
            trace_id: record.trace_id,
            source: record.source,
            attrs,
        }
    }
}

/// A range, a filter, a page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogParams {
    #[serde(flatten)]
    #[param(ignore)]
    range: TextRange,
    /// A filter: `status>=500 route:"POST /cart" duration>1s`.
    q: Option<String>,
    /// Only this service.
    service: Option<String>,
    /// Rows of a page, 200 when missing.
    limit: Option<String>,
    /// Where the page before ended.
    cursor: Option<String>,
    /// Field of facets.
    field: Option<String>,
}

impl From<FilterError> for ApiError {
    fn from(error: FilterError) -> Self {
        Self::bad_at(error.to_string(), error.position)
    }
}

/// The filter of a text; none of an empty one.
pub fn filter(text: Option<&str>) -> Result<Option<Filter>, ApiError> {
    let filter: Filter = text.unwrap_or("").parse()?;
    Ok((!filter.is_empty()).then_some(filter))
}

fn number(text: Option<&str>, default: usize, most: usize) -> Result<usize, ApiError> {
    let Some(text) = text else { return Ok(default) };
    let number: usize = text.parse().map_err(|_| ApiError::bad_request("limit is no whole number"))?;
    if number == 0 || number > most {
        return Err(ApiError::bad_request(format!("limit is {number}; use 1 to {most}")));
    }
    Ok(number)
}

/// Rows, newest first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct LogPage {
    rows: Vec<RowView>,
    next_cursor: Option<String>,
    matched: Option<u64>,
    partial: Option<String>,
}

/// `GET /api/v1/logs`
#[utoipa::path(
    get,
    path = "/api/v1/logs",
    operation_id = "list_records",
    params(TextRange, LogParams),
    responses((status = 200, body = LogPage))
)]
pub async fn rows(
    State(parts): State<Parts>,
    _: MayRead,
    Query(params): Query<LogParams>,
) -> Result<axum::Json<LogPage>, ApiError> {
    let query = RowQuery {
        range: params.range.range(&parts.clock, DAY)?,
        filter: filter(params.q.as_deref())?,
        service: params.service,
        route: None,
        order: RowOrder::Newest,
        limit: number(params.limit.as_deref(), 200, MAX_ROWS)?,
        cursor: params.cursor,
    };
    let page = parts.lake.request_rows(&query).await?;
    Ok(axum::Json(LogPage {
        rows: page.rows.into_iter().map(Into::into).collect(),
        next_cursor: page.next_cursor,
        matched: None,
        partial: damaged(&page.damaged_files),
    }))
}

fn damaged(files: &[String]) -> Option<String> {
    (!files.is_empty()).then(|| format!("damaged files were left out: {}", files.join(", ")))
}

/// Requests over time, by outcome.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Histogram {
    step_s: i64,
    bars: Vec<(i64, u64, u64, u64)>,
    total: u64,
}

fn bar_seconds(range: TimeRange) -> i64 {
    const STEPS: [i64; 8] = [1, 2, 5, 10, 15, 20, 30, 60];
    let least = range.micros() / 1_000_000 / BARS;
    STEPS.into_iter().find(|step| *step >= least).unwrap_or_else(|| super::step_seconds(range, BARS))
}

/// `GET /api/v1/logs/histogram`
#[utoipa::path(
    get,
    path = "/api/v1/logs/histogram",
    operation_id = "read_histogram",
    params(TextRange, LogParams),
    responses((status = 200, body = Histogram))
)]
pub async fn histogram(
    State(parts): State<Parts>,
    _: MayRead,
    Query(params): Query<LogParams>,
) -> Result<axum::Json<Histogram>, ApiError> {
    let range = params.range.range(&parts.clock, DAY)?;
    let step_s = bar_seconds(range);
    let filter = filter(params.q.as_deref())?;
    let service = params.service.as_deref();
    let found = parts.lake.histogram(range, filter.as_ref(), service, step_s * 1_000_000).await?;
    let bar =
        |bar: &lake::Bar| (crate::signals::seconds(bar.start.micros()), bar.ok, bar.client_errors, bar.server_errors);
    Ok(axum::Json(Histogram { step_s, bars: found.bars.iter().map(bar).collect(), total: found.total }))
}

/// The most frequent values of a field.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Facets {
    field: String,
    values: Vec<(String, u64)>,
}

/// `GET /api/v1/logs/facets`
#[utoipa::path(
    get,
    path = "/api/v1/logs/facets",
    operation_id = "read_facets",
    params(TextRange, LogParams),
    responses((status = 200, body = Facets))
)]
pub async fn facets(
    State(parts): State<Parts>,
    _: MayRead,
    Query(params): Query<LogParams>,
) -> Result<axum::Json<Facets>, ApiError> {
    let range = params.range.range(&parts.clock, DAY)?;
    let filter = filter(params.q.as_deref())?;
    let field = params.field.unwrap_or_else(|| "status".into());
    let limit = number(params.limit.as_deref(), 10, 100)?;
    let found = parts.lake.facets(range, filter.as_ref(), params.service.as_deref(), &field, limit).await?;
    Ok(axum::Json(Facets { field, values: found.values }))
}

/// A question in SQL.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct SqlBody {
    sql: String,
    #[schema(value_type = Option<String>)]
    from: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    to: Option<Timestamp>,
    limit: Option<usize>,
}

/// A column of an answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ColumnView {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

/// An answer in rows.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SqlAnswer {
    columns: Vec<ColumnView>,
    rows: Vec<Vec<serde_json::Value>>,
    stats: SqlStats,
}

/// What a query read and returned.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SqlStats {
    elapsed_ms: f64,
    rows: usize,
    truncated: bool,
    scanned_rows: u64,
    scanned_bytes: u64,
    #[schema(value_type = String)]
    from: Timestamp,
    #[schema(value_type = String)]
    to: Timestamp,
    damaged_files: Vec<String>,
}

/// `POST /api/v1/sql`
#[utoipa::path(
    post,
    path = "/api/v1/sql",
    operation_id = "run_sql",
    request_body = SqlBody,
    responses((status = 200, body = SqlAnswer))
)]
pub async fn sql(
    State(parts): State<Parts>,
    _: MayRead,
    headers: HeaderMap,
    Json(body): Json<SqlBody>,
) -> Result<Response, ApiError> {
    let to = body.to.unwrap_or_else(|| parts.clock.now());
    let from = body.from.unwrap_or_else(|| to.plus_seconds(-DAY));
    let range = TimeRange::new(from, to).ok_or_else(|| ApiError::bad_request("from lies after to"))?;
    let limit = body.limit.unwrap_or(MAX_SQL_ROWS).clamp(1, MAX_SQL_ROWS);
    let answer = parts.lake.sql(&lake::Query { sql: body.sql, range, limit }).await?;
    if headers.get(header::ACCEPT).is_some_and(|accept| accept == ARROW_STREAM) {
        let bytes = lake::arrow_stream(&answer).map_err(ApiError::internal)?;
        return Ok(([(header::CONTENT_TYPE, ARROW_STREAM)], bytes).into_response());
    }
    let columns = column_types(&answer.schema).into_iter().map(|(name, kind)| ColumnView { name, kind }).collect();
    let rows = rows_as_json(&answer.batches).map_err(ApiError::internal)?;
    let stats = SqlStats {
        elapsed_ms: answer.stats.elapsed_ms,
        rows: answer.stats.rows,
        truncated: answer.stats.truncated,
        scanned_rows: answer.stats.scanned_rows,
        scanned_bytes: answer.stats.scanned_bytes,
        from,
        to,
        damaged_files: answer.stats.damaged_files,
    };
    Ok(axum::Json(SqlAnswer { columns, rows, stats }).into_response())
}

const ARROW_STREAM: &str = "application/vnd.apache.arrow.stream";

/// A table and its columns.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TableView {
    name: String,
    columns: Vec<ColumnView>,
}

/// Tables.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TableList {
    tables: Vec<TableView>,
}

/// `GET /api/v1/schema`
#[utoipa::path(
    get,
    path = "/api/v1/schema",
    operation_id = "read_schema",
    responses((status = 200, body = TableList))
)]
pub async fn schema(_: MayRead) -> axum::Json<TableList> {
    let table = |(name, schema): (&str, lake::arrow::datatypes::SchemaRef)| TableView {
        name: name.to_owned(),
        columns: column_types(&schema).into_iter().map(|(name, kind)| ColumnView { name, kind }).collect(),
    };
    axum::Json(TableList { tables: Reader::schema().into_iter().map(table).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_filter_names_the_place() {
        let error = filter(Some("status>=abc")).unwrap_err();
        assert!(format!("{error:?}").contains("position: Some("));
        assert!(filter(Some("  ")).unwrap().is_none());
    }

    #[test]
    fn bars_are_as_fine_as_the_range_allows() {
        let range = |seconds: i64| {
            let from = Timestamp::from_seconds(0);
            TimeRange { from, to: from.plus_seconds(seconds) }
        };
        assert_eq!((bar_seconds(range(60)), bar_seconds(range(3600)), bar_seconds(range(86_400))), (1, 30, 900));
    }
}
