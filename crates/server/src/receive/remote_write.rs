//! Prometheus' remote write: `/api/v1/write`, versions 1.0 and 2.0.
//!
//! Prometheus sends again whatever is answered with 5xx, for ever: what can never be stored is 400, only passing faults
//! are 503.

use super::{Sender, receive, text};
use crate::auth::{MaySend, Peer};
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::source_name::SourceKind;
use axum::extract::{Request, State};
use axum::http::{HeaderName, StatusCode, header};
use protocols::prometheus::{Version, remote_write};

const SAMPLES_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-samples-written");
const HISTOGRAMS_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-histograms-written");
const EXEMPLARS_WRITTEN: HeaderName = HeaderName::from_static("x-prometheus-remote-write-exemplars-written");

/// `POST /api/v1/write`
#[utoipa::path(
    post,
    path = "/api/v1/write",
    operation_id = "remote_write",
    request_body(content = Vec<u8>, content_type = "application/x-protobuf", description = "Prometheus remote write, snappy."),
    responses((status = 204))
)]
pub async fn write(
    State(parts): State<Parts>,
    _: MaySend,
    peer: Peer,
    mut request: Request,
) -> Result<(StatusCode, [(HeaderName, String); 3]), ApiError> {
    let kind = text(request.headers(), header::CONTENT_TYPE).unwrap_or("application/x-protobuf");
    let version = Version::of_content_type(kind).ok_or_else(|| {
        ApiError::unsupported(format!("content type {kind:?} is not known; send protobuf of remote write 1.0 or 2.0"))
    })?;
    // Its snappy is a block, unpacked by the decoder within its own limits.
    match text(request.headers(), header::CONTENT_ENCODING) {
        None | Some("snappy") => drop(request.headers_mut().remove(header::CONTENT_ENCODING)),
        Some(other) => {
            return Err(ApiError::unsupported(format!("content encoding {other:?} is not known; use snappy")));
        }
    }
    let sender = Sender::new(SourceKind::Prometheus, peer, request.headers());
    let stored =
        receive(&parts, sender, request, move |bytes, collector| remote_write(bytes, version, collector)).await?;
    let written = [
        (SAMPLES_WRITTEN, stored.answer.samples.to_string()),
        (HISTOGRAMS_WRITTEN, stored.answer.histograms.to_string()),
        (EXEMPLARS_WRITTEN, "0".to_owned()),
    ];
    let status = if stored.answer.rejected > 0 { StatusCode::BAD_REQUEST } else { StatusCode::NO_CONTENT };
    Ok((status, written))
}
