//! Loki's push: `/loki/api/v1/push`, JSON or snappy-compressed protobuf.

use super::{Sender, receive, text};
use crate::auth::{MaySend, Peer};
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::source_name::SourceKind;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use protocols::loki::{self, Encoding};

/// `POST /loki/api/v1/push`
pub async fn push(
    State(parts): State<Parts>,
    _: MaySend,
    peer: Peer,
    request: Request,
) -> Result<StatusCode, ApiError> {
    let encoding = Encoding::of_content_type(text(request.headers(), header::CONTENT_TYPE));
    let encoding = encoding.map_err(|error| ApiError::unsupported(error.to_string()))?;
    let sender = Sender::new(SourceKind::Loki, peer, request.headers());
    receive(&parts, sender, request, move |bytes, collector| loki::decode(bytes, encoding, collector)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /ready` and `GET /loki/api/v1/status/buildinfo`: what clients ask before they push.
pub async fn ready() -> &'static str {
    "ready\n"
}
