//! OpenTelemetry over HTTP: `/v1/logs`, `/v1/traces`, `/v1/metrics`, protobuf or JSON.
//!
//! Clients drop what is answered with 500 and other statuses that the protocol does not name as passing; a fault of ours
//! that passes is 503 with `Retry-After`. Errors come in the form that the request had.

use super::{Sender, receive, text};
use crate::auth::{MaySend, Peer};
use crate::intake::Collector;
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::source_name::SourceKind;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use protocols::observed::{DecodeError, Observer};
use protocols::otlp::{self, Encoding, Outcome};

type Decode = fn(&[u8], Encoding, &mut dyn Observer) -> Result<Outcome, DecodeError>;
type Answer = fn(&Outcome, Encoding) -> Vec<u8>;

/// `POST /v1/logs`
pub async fn logs(state: State<Parts>, send: Result<MaySend, ApiError>, peer: Peer, request: Request) -> Response {
    export(state.0, send, peer, request, otlp::logs, otlp::logs_response).await
}

/// `POST /v1/traces`
pub async fn traces(state: State<Parts>, send: Result<MaySend, ApiError>, peer: Peer, request: Request) -> Response {
    export(state.0, send, peer, request, otlp::traces, otlp::traces_response).await
}

/// `POST /v1/metrics`
pub async fn metrics(state: State<Parts>, send: Result<MaySend, ApiError>, peer: Peer, request: Request) -> Response {
    export(state.0, send, peer, request, otlp::metrics, otlp::metrics_response).await
}

async fn export(
    parts: Parts,
    send: Result<MaySend, ApiError>,
    peer: Peer,
    request: Request,
    decode: Decode,
    answer: Answer,
) -> Response {
    let Some(encoding) = text(request.headers(), header::CONTENT_TYPE).and_then(Encoding::of_content_type) else {
        let known = "send application/x-protobuf or application/json";
        return ApiError::unsupported(known).into_response();
    };
    if let Err(error) = send {
        return in_form(error, encoding);
    }
    let sender = Sender::new(SourceKind::Otlp, peer, request.headers());
    let work = move |bytes: &bytes::Bytes, collector: &mut Collector<'_>| decode(bytes, encoding, collector);
    match receive(&parts, sender, request, work).await {
        Ok(stored) => {
            let kind = [(header::CONTENT_TYPE, encoding.content_type())];
            (kind, answer(&stored.answer, encoding)).into_response()
        }
        Err(error) => in_form(error, encoding),
    }
}

/// The error with a `google.rpc.Status` as its body, which is what clients of the protocol read.
fn in_form(error: ApiError, encoding: Encoding) -> Response {
    let body = otlp::status(error.detail(), encoding);
    let mut response = error.into_response();
    *response.body_mut() = body.into();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(encoding.content_type()));
    response
}
