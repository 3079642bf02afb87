//! Records in: `POST /api/v1/ingest/{service}`, and the two calls of `koshu import`.

use super::Query;
use crate::auth::MaySend;
use crate::intake::{Delivery, Intake, IntakeError, Outcome, Position, SourceName};
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::sources::SourceKind;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, header};
use base::ServiceName;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use protocols::access::Format;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

/// Largest body, before and after decompression.
pub const MAX_BODY: usize = 64 << 20;
/// So much of a body that is too large is read and thrown away, so that its sender hears why.
const MAX_DISCARDED: usize = 4 * MAX_BODY;
/// A body must arrive within this time.
const BODY_TIMEOUT: Duration = Duration::from_mins(1);
/// What a body takes from the pool of bodies, in these units.
pub const BODY_UNIT: usize = 64 * 1024;

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
pub async fn ingest(
    State(parts): State<Parts>,
    _: MaySend,
    Path(service): Path<String>,
    Query(params): Query<IngestParams>,
    request: Request,
) -> Result<axum::Json<IngestAnswer>, ApiError> {
    let service = service_name(&service)?;
    let format = params.format.as_deref().unwrap_or("json").parse::<Format>();
    let format = format.map_err(|error| ApiError::bad_request(error.to_string()))?;
    let (bytes, _room) = read_body(&parts.bodies, request).await?;
    let delivery = Delivery {
        service,
        source: SourceName { kind: SourceKind::Http, name: "http".into() },
        bytes,
        format: Some(format),
        pattern: None,
        position: None,
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
            IntakeError::UnknownFormat | IntakeError::Decode(_) => Self::bad_request(error.to_string()),
            IntakeError::TooManyServices => Self::too_many(error.to_string(), Duration::from_mins(1)),
            IntakeError::Deleting => Self::unavailable(error.to_string(), Duration::from_secs(5)),
            IntakeError::Stale => Self::conflict(error.to_string()),
            IntakeError::Failed(text) => Self::internal(text),
        }
    }
}

/// A service's name out of a path.
pub fn service_name(raw: &str) -> Result<ServiceName, ApiError> {
    raw.parse().map_err(|error: base::ServiceNameError| ApiError::bad_request(error.to_string()))
}

type Room = tokio::sync::OwnedSemaphorePermit;

/// Reads a body within the limits of size, time and of all bodies together, decompressed.
pub async fn read_body(pool: &Arc<tokio::sync::Semaphore>, request: Request) -> Result<(Bytes, Room), ApiError> {
    let encoding = content_encoding(request.headers())?;
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if let Some(length) = announced.filter(|length| *length > MAX_BODY) {
        if length <= MAX_DISCARDED {
            let _ = tokio::time::timeout(BODY_TIMEOUT, discard(&mut request.into_body(), MAX_DISCARDED)).await;
        }
        return Err(too_large());
    }
    // Without a length a megabyte is assumed; what is larger takes more as it grows.
    let mut room = take_room(pool, announced.unwrap_or(1 << 20)).await?;
    let read = collect(request, pool, &mut room);
    let raw = tokio::time::timeout(BODY_TIMEOUT, read)
        .await
        .map_err(|_| ApiError::bad_request("the body did not arrive within 60 s"))??;
    if encoding == Encoding::Plain {
        return Ok((raw, room));
    }
    let more = take_room(pool, raw.len().saturating_mul(4)).await?;
    room.merge(more);
    let unpacked = tokio::task::spawn_blocking(move || unpack(&raw, encoding)).await;
    unpacked.map_err(ApiError::internal)?.map(|bytes| (bytes, room))
}

async fn take_room(pool: &Arc<tokio::sync::Semaphore>, bytes: usize) -> Result<Room, ApiError> {
    let units = u32::try_from(bytes.min(MAX_BODY).div_ceil(BODY_UNIT)).unwrap_or(u32::MAX);
    let wait = Arc::clone(pool).acquire_many_owned(units);
    let busy = || ApiError::unavailable("too many bodies are being received", Duration::from_secs(1));
    tokio::time::timeout(Duration::from_secs(10), wait).await.map_err(|_| busy())?.map_err(|_| busy())
}

async fn collect(request: Request, pool: &Arc<tokio::sync::Semaphore>, room: &mut Room) -> Result<Bytes, ApiError> {
    let mut body = request.into_body();
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ApiError::bad_request(format!("the body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > MAX_BODY {
            discard(&mut body, MAX_DISCARDED).await;
            return Err(too_large());
        }
        if bytes.len() + data.len() > room.num_permits() * BODY_UNIT {
            let more = take_room(pool, 1 << 20).await?;
            room.merge(more);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

/// Reads on without keeping anything: most clients read no answer before their body is sent.
async fn discard(body: &mut axum::body::Body, most: usize) {
    let mut seen = 0;
    while let Some(Ok(frame)) = body.frame().await {
        seen += frame.data_ref().map_or(0, Bytes::len);
        if seen > most {
            return;
        }
    }
}

fn too_large() -> ApiError {
    ApiError::too_large("a body has at most 64 MiB, also after decompression; send smaller batches")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Plain,
    Gzip,
    Zstd,
}

fn content_encoding(headers: &HeaderMap) -> Result<Encoding, ApiError> {
    match headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?")) {
        None | Some("" | "identity") => Ok(Encoding::Plain),
        Some("gzip" | "x-gzip") => Ok(Encoding::Gzip),
        Some("zstd") => Ok(Encoding::Zstd),
        Some(other) => Err(ApiError::unsupported(format!("content encoding {other:?} is not known; use gzip or zstd"))),
    }
}

fn unpack(raw: &[u8], encoding: Encoding) -> Result<Bytes, ApiError> {
    let broken = |error: std::io::Error| ApiError::bad_request(format!("the body can't be decompressed: {error}"));
    let limit = MAX_BODY as u64 + 1;
    let mut out = Vec::new();
    match encoding {
        Encoding::Plain => return Ok(Bytes::copy_from_slice(raw)),
        Encoding::Gzip => flate2::read::MultiGzDecoder::new(raw).take(limit).read_to_end(&mut out).map_err(broken)?,
        Encoding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(raw).map_err(broken)?;
            decoder.window_log_max(26).map_err(broken)?;
            decoder.take(limit).read_to_end(&mut out).map_err(broken)?
        }
    };
    if out.len() > MAX_BODY { Err(too_large()) } else { Ok(out.into()) }
}

/// Which mark to read.
#[derive(Debug, Deserialize)]
pub struct MarkParams {
    key: String,
}

/// A mark's value.
#[derive(Debug, Serialize)]
pub struct MarkAnswer {
    value: Option<String>,
}

/// `GET /api/v1/import/{service}`: the ledger of a file, by key.
pub async fn import_mark(
    State(intake): State<Arc<Intake>>,
    _: MaySend,
    Path(service): Path<String>,
    Query(params): Query<MarkParams>,
) -> Result<axum::Json<MarkAnswer>, ApiError> {
    service_name(&service)?;
    file_key(&params.key)?;
    Ok(axum::Json(MarkAnswer { value: intake.mark(&params.key) }))
}

fn file_key(key: &str) -> Result<(), ApiError> {
    if key.starts_with("file:") && key.len() <= 64 {
        return Ok(());
    }
    Err(ApiError::bad_request("the key of a file's ledger starts with file:"))
}

/// Which part of which file a body is.
#[derive(Debug, Deserialize)]
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

/// What became of a part of a file.
#[derive(Debug, Serialize)]
pub struct ImportAnswer {
    lines: u64,
    parsed: u64,
    rejected: u64,
    already: bool,
    format: Option<String>,
    first_error: Option<String>,
}

/// `POST /api/v1/import/{service}`: a part of a file, stored together with its ledger.
pub async fn import_part(
    State(parts): State<Parts>,
    _: MaySend,
    Path(service): Path<String>,
    Query(params): Query<ImportParams>,
    request: Request,
) -> Result<axum::Json<ImportAnswer>, ApiError> {
    file_key(&params.key)?;
    let format = params.format.as_deref().map(str::parse::<Format>).transpose();
    let format = format.map_err(|error| ApiError::bad_request(error.to_string()))?;
    let name: String = params.name.chars().filter(|c| !c.is_control()).take(300).collect();
    let (bytes, _room) = read_body(&parts.bodies, request).await?;
    let delivery = Delivery {
        service: service_name(&service)?,
        source: SourceName { kind: SourceKind::Import, name },
        bytes,
        format,
        pattern: None,
        position: Some(Position { key: params.key, mark: params.mark, from: params.from, to: params.to }),
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
    use std::io::Write;

    #[test]
    fn a_bomb_is_refused_at_the_limit() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let zeros = vec![0; 1 << 20];
        (0..=64).for_each(|_| gzip.write_all(&zeros).unwrap());
        let bomb = gzip.finish().unwrap();
        assert_eq!(unpack(&bomb, Encoding::Gzip), Err(too_large()));
        let small = zstd::encode_all(&b"a\n"[..], 1).unwrap();
        assert_eq!(unpack(&small, Encoding::Zstd).unwrap(), Bytes::from_static(b"a\n"));
        assert!(unpack(b"nonsense", Encoding::Zstd).is_err());
    }
}
