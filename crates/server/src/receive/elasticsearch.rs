//! Shippers that write to Elasticsearch: `_bulk`, single documents, and what they ask before they begin.
//!
//! Each item of a bulk has its own status, in order. Nothing that is stored is ever changed or deleted.

use super::{Sender, receive, text};
use crate::auth::{MaySend, Peer};
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::source_name::SourceKind;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use protocols::elasticsearch::answers::{self, Version};
use protocols::elasticsearch::{Arrival, bulk_answer, decode_bulk, decode_document, document_answer};
use serde_json::Value;
use std::time::Instant;

const PRODUCT: HeaderName = HeaderName::from_static("x-elastic-product");

/// An answer in the form that the client asked for, with the header without which clients stop at once.
fn answer(headers: &HeaderMap, status: StatusCode, body: impl Into<axum::body::Body>) -> Response {
    let kind = answers::content_type(text(headers, header::ACCEPT));
    let mut response = (status, body.into()).into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    out.insert(PRODUCT, HeaderValue::from_static("Elasticsearch"));
    response
}

fn json(headers: &HeaderMap, value: &Value) -> Response {
    answer(headers, StatusCode::OK, value.to_string())
}

/// An error as Elasticsearch says it, with the status and `Retry-After` of ours.
fn failed(headers: &HeaderMap, error: ApiError) -> Response {
    let (status, detail) = (error.status(), error.detail().to_owned());
    let kind = match status.as_u16() {
        401 | 403 => "security_exception",
        413 => "content_too_long_exception",
        429 | 503 => "es_rejected_execution_exception",
        _ => "illegal_argument_exception",
    };
    let ours = error.into_response();
    let body = answers::error(status.as_u16(), kind, &detail);
    let mut response = answer(headers, status, body.to_string());
    for name in [header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
        if let Some(value) = ours.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

fn new_id() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

/// `POST` or `PUT /_bulk`
pub async fn bulk(
    State(parts): State<Parts>,
    send: Result<MaySend, ApiError>,
    peer: Peer,
    request: Request,
) -> Response {
    take_bulk(parts, send, peer, None, request).await
}

/// `POST` or `PUT /{index}/_bulk`
pub async fn bulk_of_index(
    State(parts): State<Parts>,
    send: Result<MaySend, ApiError>,
    peer: Peer,
    Path(index): Path<String>,
    request: Request,
) -> Response {
    take_bulk(parts, send, peer, Some(index), request).await
}

async fn take_bulk(
    parts: Parts,
    send: Result<MaySend, ApiError>,
    peer: Peer,
    index: Option<String>,
    request: Request,
) -> Response {
    let (headers, started, at) = (request.headers().clone(), Instant::now(), parts.clock.now());
    if let Err(error) = send {
        return failed(&headers, error);
    }
    let sender = Sender::new(SourceKind::Elasticsearch, peer, &headers);
    let stored = receive(&parts, sender, request, move |bytes: &Bytes, collector| {
        let arrival = Arrival { index: index.as_deref(), at };
        let items = decode_bulk(bytes, arrival, &mut new_id, collector)?;
        // The time that storing takes is not known yet, and no client looks at it.
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(bulk_answer(&items, took_ms))
    });
    match stored.await {
        Ok(stored) => answer(&headers, StatusCode::OK, stored.answer),
        Err(error) => failed(&headers, error),
    }
}

/// `POST /{index}/_doc`
pub async fn document(
    State(parts): State<Parts>,
    send: Result<MaySend, ApiError>,
    peer: Peer,
    Path(index): Path<String>,
    request: Request,
) -> Response {
    take_document(parts, send, peer, index, None, request).await
}

/// `POST` or `PUT /{index}/_doc/{id}` and `/{index}/_create/{id}`
pub async fn document_with_id(
    State(parts): State<Parts>,
    send: Result<MaySend, ApiError>,
    peer: Peer,
    Path((index, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    take_document(parts, send, peer, index, Some(id), request).await
}

async fn take_document(
    parts: Parts,
    send: Result<MaySend, ApiError>,
    peer: Peer,
    index: String,
    id: Option<String>,
    request: Request,
) -> Response {
    let (headers, at) = (request.headers().clone(), parts.clock.now());
    if let Err(error) = send {
        return failed(&headers, error);
    }
    let sender = Sender::new(SourceKind::Elasticsearch, peer, &headers);
    let stored = receive(&parts, sender, request, move |bytes: &Bytes, collector| {
        let arrival = Arrival { index: Some(&index), at };
        let item = decode_document(bytes, id.as_deref(), arrival, &mut new_id, collector);
        Ok((item.outcome.status(), document_answer(&item)))
    });
    match stored.await {
        Ok(stored) => {
            let (status, body) = stored.answer;
            answer(&headers, StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body.to_string())
        }
        Err(error) => failed(&headers, error),
    }
}

/// The version in which a client speaks.
fn version(headers: &HeaderMap) -> Version {
    Version::of_media_type(text(headers, header::ACCEPT).or_else(|| text(headers, header::CONTENT_TYPE)))
}

/// What clients of Elasticsearch ask on paths that are the pages' as well, and on those of its paths that nothing here
/// answers; `None` is for a page. The path has no `/` in front.
pub fn beside_pages(method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
    // No page is called so, and nobody should take one for the answer to a search.
    if path.starts_with('_') {
        let body = answers::no_handler(method.as_str(), &format!("/{path}"));
        return Some(answer(headers, StatusCode::NOT_FOUND, body.to_string()));
    }
    if path.contains('/') {
        return None;
    }
    let is_reading = matches!(*method, Method::GET | Method::HEAD) && is_client(headers);
    match path {
        "" if is_reading => Some(json(headers, &answers::root(version(headers)))),
        "" => None,
        index if is_reading => Some(json(headers, &answers::index(index))),
        index if *method == Method::PUT => Some(json(headers, &answers::index_created(index))),
        _ => None,
    }
}

fn is_client(headers: &HeaderMap) -> bool {
    let [accept, kind, agent] =
        [header::ACCEPT, header::CONTENT_TYPE, header::USER_AGENT].map(|name| text(headers, name));
    answers::is_asked_by_client(accept, kind, agent)
}

/// `GET /_alias/{name}`
pub async fn alias(Path(name): Path<String>, headers: HeaderMap) -> Response {
    json(&headers, &answers::alias(&name))
}

/// `GET /_license` and `GET /_xpack/license`
pub async fn licence(headers: HeaderMap) -> Response {
    json(&headers, &answers::licence())
}

/// `GET /_xpack`
pub async fn xpack(headers: HeaderMap) -> Response {
    json(&headers, &answers::xpack())
}

/// `GET /_cluster/health`
pub async fn health(headers: HeaderMap) -> Response {
    json(&headers, &answers::cluster_health())
}

/// `GET /_nodes` and what is below it
pub async fn nodes(State(parts): State<Parts>, headers: HeaderMap) -> Response {
    let address = parts.listeners.lock().get("http").cloned().unwrap_or_default();
    json(&headers, &answers::nodes(version(&headers), &address))
}

/// `PUT` of templates, policies and pipelines: taken and not needed, since the lake knows its columns.
pub async fn acknowledged(headers: HeaderMap) -> Response {
    json(&headers, &answers::acknowledged())
}

/// `GET /_ilm/policy/{name}`
pub async fn policy(Path(name): Path<String>, headers: HeaderMap) -> Response {
    json(&headers, &answers::ilm_policy(&name))
}

/// `GET /_index_template/{name}`
pub async fn index_template(Path(name): Path<String>, headers: HeaderMap) -> Response {
    json(&headers, &answers::index_template(&name))
}

/// `GET /_template/{name}`
pub async fn legacy_template(Path(name): Path<String>, headers: HeaderMap) -> Response {
    json(&headers, &answers::legacy_template(&name))
}

/// `GET /_data_stream/{name}`
pub async fn data_stream(Path(name): Path<String>, headers: HeaderMap) -> Response {
    json(&headers, &answers::data_stream(&name))
}

/// `GET /_ingest/pipeline/{name}`
pub async fn pipeline(Path(name): Path<String>, headers: HeaderMap) -> Response {
    json(&headers, &answers::ingest_pipeline(&name))
}
