//! OpenTelemetry over gRPC: the three `Export` calls, gzip and zstd.
//!
//! A message is taken as bytes and walked record by record: as whole structures a small message could become gigabytes.

use crate::intake::{Arrived, Collector, IntakeError, Origin};
use crate::parts::Parts;
use crate::source_name::{SourceKind, SourceName};
use axum::http::{Request, Response};
use bytes::{Buf, BufMut, Bytes};
use futures::future::BoxFuture;
use lake::AppendError;
use protocols::observed::{DecodeError, Observer};
use protocols::otlp::{self, Encoding, Outcome};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::server::{Server, TcpConnectInfo};
use tonic::{Code, Status};

/// Largest message, after decompression too.
const MAX_MESSAGE: usize = 64 << 20;
/// Calls of one connection at once.
const MAX_CALLS: usize = 64;

/// What a call decodes and how it is answered.
#[derive(Clone, Copy)]
struct Kind {
    decode: fn(&[u8], Encoding, &mut dyn Observer) -> Result<Outcome, DecodeError>,
    answer: fn(&Outcome, Encoding) -> Vec<u8>,
}

fn kind_of(path: &str) -> Option<Kind> {
    Some(match path {
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => {
            Kind { decode: otlp::logs, answer: otlp::logs_response }
        }
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => {
            Kind { decode: otlp::traces, answer: otlp::traces_response }
        }
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => {
            Kind { decode: otlp::metrics, answer: otlp::metrics_response }
        }
        _ => return None,
    })
}

/// Serves until it is stopped.
pub async fn serve(listener: TcpListener, parts: Parts, stop: CancellationToken) {
    let served = Server::builder()
        .concurrency_limit_per_connection(MAX_CALLS)
        .http2_keepalive_interval(Some(std::time::Duration::from_mins(1)))
        .serve_with_incoming_shutdown(Export { parts }, TcpListenerStream::new(listener), stop.cancelled_owned());
    if let Err(error) = served.await {
        tracing::error!(%error, "OpenTelemetry over gRPC ended");
    }
}

/// All three services: the path tells which.
#[derive(Clone)]
struct Export {
    parts: Parts,
}

impl NamedService for Export {
    const NAME: &'static str = "opentelemetry";
}

impl tower::Service<Request<Body>> for Export {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let parts = self.parts.clone();
        Box::pin(async move {
            let Some(kind) = kind_of(request.uri().path()) else {
                return Ok(Status::unimplemented("only the Export calls of OpenTelemetry are answered").into_http());
            };
            let mut grpc = Grpc::new(Raw)
                .accept_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Zstd)
                .max_decoding_message_size(MAX_MESSAGE);
            Ok(grpc.unary(Call { parts, kind }, request).await)
        })
    }
}

struct Call {
    parts: Parts,
    kind: Kind,
}

impl UnaryService<Bytes> for Call {
    type Response = Bytes;
    type Future = BoxFuture<'static, Result<tonic::Response<Bytes>, Status>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (parts, kind) = (self.parts.clone(), self.kind);
        Box::pin(async move {
            let peer = request.extensions().get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr);
            may_send(&parts, &request).await?;
            take(&parts, kind, peer, request.into_inner()).await.map(tonic::Response::new)
        })
    }
}

/// On loopback, while nobody ever made a token, sending is open.
async fn may_send(parts: &Parts, request: &tonic::Request<Bytes>) -> Result<(), Status> {
    let failed = |error: store::StoreError| Status::unavailable(error.to_string());
    let token = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.split_once(' ')).map(|(_, token)| token.trim());
    let Some(token) = token else {
        let open = !parts.store.tokens().any_created().await.map_err(failed)?;
        return if open { Ok(()) } else { Err(Status::unauthenticated("send a token as 'authorization: Bearer ...'")) };
    };
    match parts.store.tokens().verify(token).await.map_err(failed)? {
        Some(known) if known.scope.allows(store::Scope::Ingest) => Ok(()),
        Some(_) => Err(Status::permission_denied("this token may not send; it takes scope ingest")),
        None => Err(Status::unauthenticated("the token is not known; it may have been deleted")),
    }
}

async fn take(parts: &Parts, kind: Kind, peer: Option<SocketAddr>, message: Bytes) -> Result<Bytes, Status> {
    let mut room = parts.bodies.room();
    room.grow_to(message.len()).await.map_err(|error| Status::unavailable(error.detail()))?;
    let name = peer.map_or_else(|| "grpc".to_owned(), |peer| peer.ip().to_string());
    let arrived = Arrived {
        origin: Origin { way: SourceKind::Otlp, service: None, now: parts.clock.now() },
        source: SourceName { kind: SourceKind::Otlp, name },
        bytes: message.len(),
    };
    let decode = move |collector: &mut Collector<'_>| (kind.decode)(&message, Encoding::Protobuf, collector);
    let stored = parts.intake.store(arrived, decode).await.map_err(|error| status(&error))?;
    Ok((kind.answer)(&stored.answer, Encoding::Protobuf).into())
}

/// Clients send again what is `UNAVAILABLE`, and drop the rest.
fn status(error: &IntakeError) -> Status {
    let code = match error {
        IntakeError::Append(AppendError::Busy { .. } | AppendError::Closed) | IntakeError::Deleting => {
            Code::Unavailable
        }
        IntakeError::Append(AppendError::TooLarge { .. }) => Code::ResourceExhausted,
        IntakeError::Decode(_) | IntakeError::UnknownFormat | IntakeError::Stale | IntakeError::TooManyServices => {
            Code::InvalidArgument
        }
        IntakeError::Append(AppendError::Encode(_)) | IntakeError::Failed(_) => Code::Internal,
    };
    Status::new(code, error.to_string())
}

/// Messages as they are.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
