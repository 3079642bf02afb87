//! Which path leads to which handler.

use crate::api::{changes, explore, ingest, overview, services, session, sources, status, tail};
use crate::parts::Parts;
use crate::web;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::{delete, get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

/// Largest body of an API call that is no intake.
const API_BODY_BYTES: usize = 1 << 20;

/// Every route.
pub fn routes(parts: Parts) -> Router {
    // Events must leave at once, and tables of floats shrink to a fifth.
    let compressible = SizeAbove::new(1024).and(NotForContentType::SSE).and(NotForContentType::IMAGES);
    Router::new()
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz))
        .route("/metrics", get(status::metrics))
        .route("/api/openapi.json", get(crate::openapi::document))
        .nest("/api/v1", api())
        .fallback(get(web::page))
        .layer(CompressionLayer::new().gzip(true).compress_when(compressible))
        .layer(from_fn(web::security_headers))
        .layer(CatchPanicLayer::new())
        .with_state(parts)
}

fn api() -> Router<Parts> {
    let calls = Router::new()
        .route("/session", get(session::show).post(session::sign_in).delete(session::sign_out))
        .route("/session/link", post(session::redeem_link))
        .route("/session/password", post(session::set_password))
        .route("/tokens", get(session::list_tokens).post(session::create_token))
        .route("/tokens/{id}", delete(session::delete_token))
        .route("/overview", get(overview::overview))
        .route("/services", get(services::list))
        .route("/services/{service}", delete(services::delete))
        .route("/services/{service}/signals", get(services::signals))
        .route("/services/{service}/requests", get(services::requests))
        .route("/services/{service}/disappointed", get(services::disappointed))
        .route("/services/{service}/route", get(services::route))
        .route("/changes", get(changes::list).post(changes::create))
        .route("/logs", get(explore::rows))
        .route("/logs/histogram", get(explore::histogram))
        .route("/logs/facets", get(explore::facets))
        .route("/logs/tail", get(tail::tail))
        .route("/sql", post(explore::sql))
        .route("/schema", get(explore::schema))
        .route("/sources", get(sources::list))
        .route("/sources/follow", post(changes::follow))
        .route("/imports", get(sources::imports))
        .route("/status", get(status::status))
        .route("/listeners", get(status::listeners))
        .layer(DefaultBodyLimit::max(API_BODY_BYTES));
    // Intake has limits of its own (size, time, all bodies together).
    let intake = Router::new()
        .route("/ingest/{service}", post(ingest::ingest))
        .route("/import/{service}", get(ingest::import_mark).post(ingest::import_part))
        .layer(DefaultBodyLimit::disable());
    calls.merge(intake)
}
