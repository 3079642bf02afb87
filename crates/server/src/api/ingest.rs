//! Records in: `POST /api/v1/ingest/{service}`, and the two calls of `koshu import`.

use super::{Path, Query};
use crate::auth::{MaySend, Peer};
use crate::intake::{Delivery, Intake, IntakeError, Outcome, Position};
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::source_name::{SourceKind, SourceName};
use agent::ledger::{Coverage, file_keys};
use axum::extract::{Request, State};
use base::ServiceName;
use protocols::access::Format;
use protocols::observed::DecodeError;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// How lines are to be read.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct IngestParams {
    /// `combined`, `common`, `ltsv`, `json`, `alb` or `auto`; JSON records when missing.
    format: Option<String>,
}

/// What became of the lines.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct IngestAnswer {
    accepted: u64,
    rejected: u64,
    first_error: Option<String>,
}

/// `POST /api/v1/ingest/{service}`: answers only after the records are durable.
#[utoipa::path(
    post,
    path = "/api/v1/ingest/{service}",
    operation_id = "ingest",
    params(("service" = String, Path, description = "Name of the service."), IngestParams),
    request_body(content = String, description = "The lines."),
    responses((status = 200, body = IngestAnswer))
)]
pub async fn ingest(
    State(parts): State<Parts>,
    _: MaySend,
    peer: Peer,
    Path(service): Path<String>,
    Query(params): Query<IngestParams>,
    request: Request,
) -> Result<axum::Json<IngestAnswer>, ApiError> {
    let service = service_name(&service)?;
    let format = params.format.as_deref().unwrap_or("json").parse::<Format>();
    let format = format.map_err(|error| ApiError::bad_request(error.to_string()))?;
    let (bytes, _room) = parts.bodies.read(request).await?;
    let delivery = Delivery {
        service,
        source: SourceName { kind: SourceKind::Http, name: "http".into() },
        bytes,
        format: Some(format),
        pattern: None,
        position: None,
        peer: Some(peer.0.ip()),
        too_long: 0,
    };
    let outcome = parts.intake.deliver(delivery).await?;
    Ok(axum::Json(IngestAnswer {
        accepted: outcome.tally.parsed(),
        rejected: outcome.tally.rejected(),
        first_error: outcome.first_error,
    }))
}

impl From<IntakeError> for ApiError {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Append(error) => error.into(),
            IntakeError::Decode(DecodeError::TooMany { .. }) => Self::too_large(error.to_string()),
            IntakeError::Decode(DecodeError::Unsupported(_)) => Self::unsupported(error.to_string()),
            IntakeError::UnknownFormat | IntakeError::Decode(DecodeError::Malformed { .. }) => {
                Self::bad_request(error.to_string())
            }
            IntakeError::TooManyServices => Self::conflict(error.to_string()),
            IntakeError::Deleting => Self::unavailable(error.to_string(), Duration::from_secs(5)),
            IntakeError::Stale => Self::stale(error.to_string()),
            IntakeError::Failed(text) => Self::internal(text),
        }
    }
}

/// A service's name out of a path.
pub fn service_name(raw: &str) -> Result<ServiceName, ApiError> {
    raw.parse().map_err(|error: base::ServiceNameError| ApiError::bad_request(error.to_string()))
}

/// Which mark to read.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MarkParams {
    key: String,
}

/// A mark's value.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MarkAnswer {
    value: Option<String>,
}

/// `GET /api/v1/import/{service}`: the ledger of a file, by key.
#[utoipa::path(
    get,
    path = "/api/v1/import/{service}",
    operation_id = "read_import_mark",
    params(("service" = String, Path, description = "Name of the service."), MarkParams),
    responses((status = 200, body = MarkAnswer))
)]
pub async fn import_mark(
    State(intake): State<Arc<Intake>>,
    _: MaySend,
    Path(service): Path<String>,
    Query(params): Query<MarkParams>,
) -> Result<axum::Json<MarkAnswer>, ApiError> {
    file_key(&service_name(&service)?, &params.key)?;
    Ok(axum::Json(MarkAnswer { value: intake.mark(&params.key) }))
}

/// `file:<service>:<hash>`, or a variant of it with `#<number>`.
fn file_key(service: &ServiceName, key: &str) -> Result<(), ApiError> {
    let start = file_keys(service);
    let rest = key.strip_prefix(&start).unwrap_or_default();
    let (hash, variant) = rest.split_once('#').unwrap_or((rest, "0"));
    let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash && variant.len() <= 4 && variant.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    Err(ApiError::bad_request(format!("the key of a file's ledger is {start} and 16 hexadecimal digits")))
}

/// Which part of which file a body is.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportParams {
    key: String,
    mark: String,
    from: u64,
    to: u64,
    name: String,
    format: Option<String>,
    #[serde(default)]
    too_long: u64,
}

impl ImportParams {
    /// Whether the part can be what it says it is. What is booked wrongly could never be imported again.
    fn check(&self, service: &ServiceName) -> Result<(), ApiError> {
        file_key(service, &self.key)?;
        if self.from >= self.to {
            return Err(ApiError::bad_request("a part begins before it ends: from must be less than to"));
        }
        let length = self.to - self.from;
        if self.too_long > length {
            return Err(ApiError::bad_request("too_long is more than the bytes of the part"));
        }
        let mark: Coverage = self.mark.parse().map_err(|error| ApiError::bad_request(format!("mark: {error}")))?;
        if mark.covered_bytes(self.from, self.to) != length {
            return Err(ApiError::bad_request("the mark does not cover the part it comes with"));
        }
        Ok(())
    }
}

/// What became of a part of a file.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ImportAnswer {
    lines: u64,
    parsed: u64,
    rejected: u64,
    already: bool,
    format: Option<String>,
    first_error: Option<String>,
}

/// `POST /api/v1/import/{service}`: a part of a file, stored together with its ledger.
#[utoipa::path(
    post,
    path = "/api/v1/import/{service}",
    operation_id = "import_part",
    params(("service" = String, Path, description = "Name of the service."), ImportParams),
    request_body(content = String, description = "The lines."),
    responses((status = 200, body = ImportAnswer))
)]
pub async fn import_part(
    State(parts): State<Parts>,
    _: MaySend,
    peer: Peer,
    Path(service): Path<String>,
    Query(params): Query<ImportParams>,
    request: Request,
) -> Result<axum::Json<ImportAnswer>, ApiError> {
    let service = service_name(&service)?;
    params.check(&service)?;
    let format = params.format.as_deref().map(str::parse::<Format>).transpose();
    let format = format.map_err(|error| ApiError::bad_request(error.to_string()))?;
    let name: String = params.name.chars().filter(|c| !c.is_control()).take(300).collect();
    let (bytes, _room) = parts.bodies.read(request).await?;
    let delivery = Delivery {
        service,
        source: SourceName { kind: SourceKind::Import, name },
        bytes,
        format,
        pattern: None,
        position: Some(Position { key: params.key, mark: params.mark, from: params.from, to: params.to }),
        peer: Some(peer.0.ip()),
        too_long: params.too_long,
    };
    let Outcome { tally, first_error, already } = parts.intake.deliver(delivery).await?;
    Ok(axum::Json(ImportAnswer {
        lines: tally.lines(),
        parsed: tally.parsed(),
        rejected: tally.rejected(),
        already,
        format: format.map(|format| format.to_string()),
        first_error,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(key: &str, mark: &str, from: u64, to: u64, too_long: u64) -> ImportParams {
        let (key, mark) = (key.to_owned(), mark.to_owned());
        ImportParams { key, mark, from, to, name: "a.log".into(), format: None, too_long }
    }

    #[test]
    fn too_much_is_told_from_broken() {
        for (error, want) in [
            (DecodeError::TooMany { what: "bytes after decompression", limit: 1 }, 413),
            (DecodeError::Unsupported("a format".into()), 415),
            (DecodeError::Malformed { what: "an end".into(), at: 0 }, 400),
        ] {
            assert_eq!(ApiError::from(IntakeError::Decode(error)).status().as_u16(), want);
        }
    }

    #[test]
    fn a_part_of_a_file_must_be_booked_as_what_it_is() {
        let service = "shop".parse().unwrap();
        let key = "file:shop:0123456789abcdef";
        let long = format!("file:shop:{}", "0".repeat(200));
        for (case, part, want) in [
            ("a part", part(key, "0-9:abcdef12", 0, 9, 0), true),
            ("a variant", part(&format!("{key}#7"), "0-9:abcdef12", 0, 9, 9), true),
            ("more long lines than bytes", part(key, "0-9:abcdef12", 0, 9, u64::MAX), false),
            ("nothing", part(key, "0-9:abcdef12", 9, 9, 0), false),
            ("backwards", part(key, "0-9:abcdef12", 9, 0, 0), false),
            ("not in its mark", part(key, "0-9:abcdef12", 5, 10, 0), false),
            ("no mark", part(key, "nonsense", 0, 9, 0), false),
            ("another service", part("file:other:0123456789abcdef", "0-9:abcdef12", 0, 9, 0), false),
            ("another kind", part("path:shop:0123456789abcdef", "0-9:abcdef12", 0, 9, 0), false),
            ("a long key", part(&long, "0-9:abcdef12", 0, 9, 0), false),
            ("a strange key", part("file:shop:../../../etc", "0-9:abcdef12", 0, 9, 0), false),
        ] {
            assert_eq!(part.check(&service).is_ok(), want, "{case}");
        }
    }
}
