//! Which path leads to which handler.

use crate::api::{
    actionability, changes, checks, errors, explore, firings, hosts, ingest, loglines, metrics, overview, replay,
    report, rules, services, session, silences, sources, starter, status, tail, traces,
};
use crate::parts::Parts;
use crate::problem::{self, ApiError};
use crate::web;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::handler::Handler;
use axum::http::header;
use axum::middleware::{from_fn, map_response};
use axum::response::Response;
use axum::routing::{delete, get, post};
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

/// Largest body of an API call that is no intake.
const API_BODY_BYTES: usize = 1 << 20;

/// Every route.
pub fn routes(parts: Parts) -> Router {
    // Events must leave at once, and tables of floats shrink to a fifth.
    let compressible = SizeAbove::new(1024).and(NotForContentType::SSE).and(NotForContentType::IMAGES);
    described()
        .route("/api/openapi.json", get(crate::openapi::document))
        .merge(receivers())
        .fallback(web::page)
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(map_response(problem::of_router))
        .layer(CompressionLayer::new().gzip(true).compress_when(compressible))
        .layer(from_fn(web::security_headers))
        .with_state(parts)
}

/// What the OpenAPI document describes.
fn described() -> Router<Parts> {
    Router::new()
        .route("/healthz", get(status::healthz))
        .route("/readyz", get(status::readyz))
        .route("/metrics", get(metrics_or_page))
        .nest("/api/v1", api())
}

/// `GET /metrics`: Prometheus text as scrapers rely on it, and the page of that name for browsers, which ask for HTML.
async fn metrics_or_page(State(parts): State<Parts>, request: Request) -> Response {
    let accepted = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if accepted.is_some_and(|accept| accept.contains("text/html")) {
        let (head, _) = request.into_parts();
        return web::page(head.method, head.uri, head.headers).await;
    }
    status::metrics.call(request, parts).await
}

/// What is answered while the parts are being started: the process lives, everything else comes later.
pub fn starting() -> Router {
    let later = || async { ApiError::unavailable("the server is starting", Duration::from_secs(1)) };
    Router::new()
        .route("/healthz", get(status::healthz))
        .fallback(later)
        .layer(map_response(problem::of_router))
        .layer(from_fn(web::security_headers))
}

/// Other programs' protocols, on the paths of their owners.
fn receivers() -> Router<Parts> {
    use crate::receive::{alerts, elasticsearch as es, heartbeat, loki, otlp, sentry};
    Router::new()
        .route("/v1/logs", post(otlp::logs))
        .route("/v1/traces", post(otlp::traces))
        .route("/v1/metrics", post(otlp::metrics))
        .route("/loki/api/v1/push", post(loki::push))
        .route("/ready", get(loki::ready))
        .route("/api/v2/alerts", post(alerts::post))
        .route("/api/{project}/envelope/", post(sentry::envelope))
        .route("/api/{project}/envelope", post(sentry::envelope))
        .route("/api/{project}/store/", post(sentry::store))
        .route("/api/{project}/store", post(sentry::store))
        .route("/ping/{*path}", get(heartbeat::ping).post(heartbeat::ping))
        .route("/api/push/{id}", get(heartbeat::push).post(heartbeat::push))
        .route("/_bulk", post(es::bulk).put(es::bulk))
        .route("/{index}/_bulk", post(es::bulk_of_index).put(es::bulk_of_index))
        .route("/{index}/_doc", post(es::document))
        .route("/{index}/_doc/{id}", post(es::document_with_id).put(es::document_with_id))
        .route("/{index}/_create/{id}", post(es::document_with_id).put(es::document_with_id))
        .route("/_license", get(es::licence))
        .route("/_xpack", get(es::xpack))
        .route("/_xpack/license", get(es::licence))
        .route("/_cluster/health", get(es::health))
        .route("/_nodes", get(es::nodes))
        .route("/_nodes/{*path}", get(es::nodes))
        .route("/_alias/{name}", get(es::alias))
        .route("/_ilm/policy/{name}", get(es::policy).put(es::acknowledged))
        .route("/_index_template/{name}", get(es::index_template).put(es::acknowledged))
        .route("/_component_template/{name}", get(es::index_template).put(es::acknowledged))
        .route("/_template/{name}", get(es::legacy_template).put(es::acknowledged))
        .route("/_data_stream/{name}", get(es::data_stream).put(es::acknowledged))
        .route("/_ingest/pipeline/{name}", get(es::pipeline).put(es::acknowledged))
        .layer(DefaultBodyLimit::disable())
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
        .route("/services/{service}/starter", get(starter::propose_rules))
        .route("/services/{service}/starter/accept", post(starter::accept))
        .route("/changes", get(changes::list).post(changes::create))
        .route("/checks", get(checks::list))
        .route("/checks/{name}", get(checks::show))
        .route("/checks/{name}/run", post(checks::run))
        .route("/hosts", get(hosts::list))
        .route("/hosts/{name}", delete(hosts::forget))
        .route("/coverage", get(checks::coverage))
        .route("/logs", get(explore::rows))
        .route("/logs/histogram", get(explore::histogram))
        .route("/logs/facets", get(explore::facets))
        .route("/logs/tail", get(tail::tail))
        .route("/errors", get(errors::list))
        .route("/errors/{group}", get(errors::show))
        .route("/errors/{group}/state", post(errors::decide))
        .route("/traces", get(traces::list))
        .route("/traces/{trace_id}", get(traces::show))
        .route("/metrics", get(metrics::names))
        .route("/metrics/series", get(metrics::series))
        .route("/loglines", get(loglines::lines))
        .route("/loglines/patterns", get(loglines::patterns))
        .route("/firings", get(firings::list))
        .route("/firings/{id}", get(firings::show))
        .route("/firings/{id}/ack", post(firings::acknowledge))
        .route("/firings/{id}/outcome", post(firings::outcome))
        .route("/firings/{id}/notes", post(firings::note))
        .route("/firings/{id}/owner", post(firings::assign))
        .route("/firings/{id}/due", post(firings::due))
        .route("/firings/{id}/progress", post(firings::progress))
        .route("/firings/{id}/links", post(firings::link))
        .route("/tickets", get(firings::tickets))
        .route("/deliveries", get(firings::deliveries))
        .route("/silences", get(silences::list).post(silences::add))
        .route("/silences/{id}", delete(silences::end))
        .route("/maintenances", post(silences::announce))
        .route("/maintenances/{id}", delete(silences::finish))
        .route("/rules", get(rules::list))
        .route("/rules/replay", post(replay::replay))
        .route("/rules/{name}/demotion", get(actionability::demotion))
        .route("/actionability", get(actionability::actionability))
        .route("/report/month", get(report::month))
        .route("/objectives", get(rules::objectives))
        .route("/objectives/{service}/{name}", get(rules::objective))
        .route("/channels", get(rules::channels))
        .route("/channels/{name}/test", post(rules::test))
        .route("/channels/tests/{id}", get(rules::test_result))
        .route("/channels/tests/{id}/ack", post(rules::acknowledge_test))
        .route("/rotations/{name}", get(rules::calendar))
        .route("/rotations/{name}/overrides", get(rules::overrides).post(rules::take_over))
        .route("/rotations/overrides/{id}", delete(rules::give_back))
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
        .route("/agent/report", post(hosts::report))
        .route("/agent/lines", post(hosts::lines))
        .route("/agent/mark", get(hosts::mark))
        .route("/webhooks/github", post(crate::receive::github::deliver))
        .route("/write", post(crate::receive::remote_write::write))
        .route("/alertmanager", post(crate::receive::alerts::webhook))
        .layer(DefaultBodyLimit::disable());
    calls.merge(intake)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::{Method, Request, StatusCode};
    use std::collections::{BTreeMap, BTreeSet};
    use tower::ServiceExt;

    async fn ask(router: Router, method: Method, path: &str) -> axum::response::Response {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap()
    }

    /// What a router answers, as `GET /path`: its description for developers is the only place that lists it.
    fn answered<S>(router: &Router<S>) -> BTreeSet<String> {
        let told = format!("{router:?}");
        let (routes, rest) = told.split_once("node: Node { paths: {").unwrap();
        let (paths, _) = rest.split_at(rest.find("\"} }").unwrap());
        let path_of: BTreeMap<&str, &str> = paths
            .split("RouteId(")
            .filter_map(|part| part.split_once("): \""))
            .map(|(id, rest)| (id, rest.split('"').next().unwrap()))
            .collect();
        let mut found = BTreeSet::new();
        for (id, methods) in routes.split("RouteId(").filter_map(|part| part.split_once("): MethodRouter(")) {
            for method in ["get", "delete", "patch", "post", "put"] {
                if !methods.contains(&format!(" {method}: None")) {
                    found.insert(format!("{} {}", method.to_uppercase(), path_of[id]));
                }
            }
        }
        assert_eq!(found.iter().map(|call| call.split(' ').nth(1)).collect::<BTreeSet<_>>().len(), path_of.len());
        found
    }

    #[test]
    fn the_document_describes_every_call_and_no_other() {
        let mut document = BTreeSet::new();
        for (path, item) in crate::openapi::openapi().paths.paths {
            let methods = [
                ("GET", item.get),
                ("DELETE", item.delete),
                ("PATCH", item.patch),
                ("POST", item.post),
                ("PUT", item.put),
            ];
            for (method, operation) in methods {
                if let Some(operation) = operation {
                    assert!(operation.operation_id.is_some() && operation.summary.is_some(), "{method} {path}");
                    document.insert(format!("{method} {path}"));
                }
            }
        }
        assert_eq!(document, answered(&described()));
        assert!(document.contains("POST /api/v1/tokens") && document.len() > 40, "{document:?}");
    }

    #[test]
    fn no_two_calls_have_the_same_name_and_every_answer_a_schema() {
        let document = serde_json::to_value(crate::openapi::openapi()).unwrap();
        let text = document.to_string();
        let mut names: Vec<&str> =
            text.split("\"operationId\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{names:?}");
        for reference in text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(document["components"]["schemas"][reference].is_object(), "{reference} is nowhere described");
        }
    }

    #[tokio::test]
    async fn a_server_that_starts_lives_but_asks_to_come_back() {
        assert_eq!(ask(starting(), Method::GET, "/healthz").await.status(), StatusCode::OK);
        for (method, path) in
            [(Method::GET, "/readyz"), (Method::POST, "/api/v1/ingest/shop"), (Method::GET, "/"), (Method::GET, "/x")]
        {
            let answer = ask(starting(), method, path).await;
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert_eq!(answer.headers()["retry-after"], "1", "{path}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        }
    }

    #[tokio::test]
    async fn a_handler_that_panics_is_a_problem_that_tells_nothing_of_it() {
        async fn panics() -> &'static str {
            panic!("a secret")
        }
        let router = Router::new().route("/", get(panics)).layer(CatchPanicLayer::custom(problem::of_panic));
        let answer = ask(router, Method::GET, "/").await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
        assert!(!String::from_utf8_lossy(&body).contains("secret"));
    }
}
