//! The OpenAPI document: `GET /api/openapi.json`.
//!
//! Every handler under `/api/v1` describes itself; a test compares the document with what the router really answers.

use crate::api::{
    actionability, changes, checks, errors, explore, firings, hosts, ingest, loglines, metrics, overview, replay,
    report, rules, services, session, silences, sources, starter, status, tail, traces,
};
use utoipa::OpenApi;

/// The API's description.
#[derive(OpenApi)]
#[openapi(
    info(title = "Koshu", description = "Reliability platform for small teams.", license(name = "Apache-2.0")),
    paths(
        session::show,
        session::sign_in,
        session::sign_out,
        session::redeem_link,
        session::set_password,
        session::list_tokens,
        session::create_token,
        session::delete_token,
        overview::overview,
        services::list,
        services::delete,
        services::signals,
        services::requests,
        services::disappointed,
        services::route,
        starter::propose_rules,
        starter::accept,
        changes::list,
        changes::create,
        changes::follow,
        explore::rows,
        explore::histogram,
        explore::facets,
        tail::tail,
        errors::list,
        errors::show,
        errors::decide,
        traces::list,
        traces::show,
        metrics::names,
        metrics::series,
        loglines::lines,
        loglines::patterns,
        explore::sql,
        explore::schema,
        sources::list,
        sources::imports,
        status::status,
        status::listeners,
        ingest::ingest,
        ingest::import_mark,
        ingest::import_part,
        status::healthz,
        status::readyz,
        status::metrics,
        firings::list,
        firings::show,
        firings::acknowledge,
        firings::outcome,
        firings::note,
        firings::assign,
        firings::due,
        firings::progress,
        firings::link,
        firings::tickets,
        firings::deliveries,
        silences::list,
        silences::add,
        silences::end,
        silences::announce,
        silences::finish,
        rules::list,
        replay::replay,
        actionability::actionability,
        actionability::demotion,
        report::month,
        rules::objectives,
        rules::objective,
        rules::channels,
        rules::test,
        rules::test_result,
        rules::acknowledge_test,
        rules::calendar,
        rules::overrides,
        rules::take_over,
        rules::give_back,
        checks::list,
        checks::show,
        checks::run,
        checks::coverage,
        hosts::list,
        hosts::forget,
        hosts::report,
        hosts::lines,
        hosts::mark,
        crate::receive::remote_write::write,
        crate::receive::alerts::webhook,
        crate::receive::github::deliver,
    )
)]
struct Document;

/// The document.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// `GET /api/openapi.json`
pub async fn document() -> axum::Json<utoipa::openapi::OpenApi> {
    axum::Json(openapi())
}
