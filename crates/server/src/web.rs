//! The embedded web pages, with a content security policy that allows no inline script and no other host.

use crate::problem::ApiError;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

/// The built pages; without them (`npm run build` was not run) a short text says so.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Pages;

const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'";

/// Headers that every answer carries.
pub async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let fixed: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Any path that is no API: a built file, or the page whose script reads the path.
pub async fn page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") {
        return ApiError::not_found(format!("there is no {}", uri.path())).into_response();
    }
    if let Some(answer) = crate::receive::elasticsearch::beside_pages(&method, path, &headers) {
        return answer;
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        let mut response = ApiError::method_not_allowed().into_response();
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET,HEAD"));
        return response;
    }
    let is_asset = path.starts_with("assets/");
    match Pages::get(path).filter(|_| !path.is_empty()) {
        Some(file) => {
            served(&file, if is_asset { "public, max-age=31536000, immutable" } else { "no-cache" }, &headers)
        }
        None if is_asset => ApiError::not_found("this file is gone; reload the page").into_response(),
        None => match Pages::get("index.html") {
            Some(file) => served(&file, "no-cache", &headers),
            None => ApiError::not_found("the web pages are not built into this binary").into_response(),
        },
    }
}

fn served(file: &rust_embed::EmbeddedFile, caching: &'static str, headers: &HeaderMap) -> Response {
    let hash = file.metadata.sha256_hash();
    let tag = format!("\"{}\"", blake3::Hash::from_bytes(hash).to_hex());
    let kind = HeaderValue::from_str(file.metadata.mimetype());
    let mut response = if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Body::from(file.data.clone().into_owned()).into_response()
    };
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, kind.unwrap_or(HeaderValue::from_static("application/octet-stream")));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        out.insert(header::ETAG, tag);
    }
    response
}
