//! The OpenAPI document: `GET /api/openapi.json`.

use crate::api::{changes, checks, explore, ingest, overview, services, session, sources, status};
use utoipa::OpenApi;

/// The API's description.
#[derive(OpenApi)]
#[openapi(
    info(title = "Koshu", description = "Reliability platform for small teams.", license(name = "Apache-2.0")),
    components(schemas(
        session::SessionView,
        session::Credentials,
        session::Welcome,
        session::LinkSecret,
        session::NewPassword,
        session::TokenList,
        session::NewToken,
        session::MadeToken,
        overview::OverviewAnswer,
        services::ServiceList,
        services::SignalsAnswer,
        services::RequestsAnswer,
        services::DisappointedAnswer,
        services::RouteAnswer,
        changes::ChangeList,
        changes::ChangeBody,
        changes::FollowBody,
        checks::CheckList,
        checks::CheckAnswer,
        checks::RunView,
        checks::CoverageAnswer,
        explore::LogPage,
        explore::Histogram,
        explore::Facets,
        explore::SqlBody,
        explore::SqlAnswer,
        explore::TableList,
        sources::SourcesAnswer,
        sources::ImportList,
        status::StatusAnswer,
        ingest::IngestAnswer,
    ))
)]
struct Document;

/// `GET /api/openapi.json`
pub async fn document() -> axum::Json<utoipa::openapi::OpenApi> {
    axum::Json(Document::openapi())
}
