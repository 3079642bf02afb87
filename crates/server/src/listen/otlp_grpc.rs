//! OpenTelemetry over gRPC: the three `Export` calls, gzip and zstd.
//!
//! A message is taken as bytes and walked record by record: as whole structures a small message could become gigabytes.
//! It is read and unpacked into the memory that all bodies share: 64 calls of a connection, each small and packed, would
//! take 4 GiB otherwise.

use super::{Guest, each_connection};
use crate::auth::is_direct;
use crate::intake::{Arrived, Collector, IntakeError, Origin};
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::source_name::{SourceKind, SourceName};
use crate::tls::Wire;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use bytes::{BufMut, Bytes, BytesMut};
use futures::future::BoxFuture;
use http_body_util::StreamBody;
use hyper::body::Frame;
use lake::AppendError;
use protocols::observed::{DecodeError, Observer};
use protocols::otlp::{self, Encoding, Outcome};
use std::convert::Infallible;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::server::{Connected, Server, TcpConnectInfo};
use tonic::{Code, Status};

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
pub async fn serve(listener: TcpListener, wire: Wire, parts: Parts, stop: CancellationToken) {
    // Whoever is slow to agree on keys holds up nobody: connections come one by one when they are ready.
    let (ready, admitted) = tokio::sync::mpsc::channel(1);
    let hand_over = move |guest: Guest| {
        let ready = ready.clone();
        // Nobody takes it only when the server stops.
        async move { ready.send(Ok::<_, Infallible>(Connection(guest))).await.unwrap_or_default() }
    };
    let connections = each_connection(listener, wire, "OpenTelemetry over gRPC", &stop, hand_over);
    let served = Server::builder()
        .concurrency_limit_per_connection(MAX_CALLS)
        .http2_keepalive_interval(Some(Duration::from_mins(1)))
        .serve_with_incoming_shutdown(Export { parts }, ReceiverStream::new(admitted), stop.clone().cancelled_owned());
    if let (Err(error), ()) = tokio::join!(served, connections) {
        tracing::error!(%error, "OpenTelemetry over gRPC ended");
    }
}

/// A connection, which has its place as long as it is open.
struct Connection(Guest);

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        TcpConnectInfo { local_addr: None, remote_addr: Some(self.0.peer) }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0.socket).poll_read(context, to)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0.socket).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0.socket).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.socket.is_write_vectored()
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
            Ok(match answer(&parts, request).await {
                Ok(message) => answered(&message),
                Err(status) => status.into_http(),
            })
        })
    }
}

/// Who may send what: looked at before anything is read.
async fn answer(parts: &Parts, request: Request<Body>) -> Result<Vec<u8>, Status> {
    let (head, body) = request.into_parts();
    let kind = kind_of(head.uri.path())
        .ok_or_else(|| Status::unimplemented("only the Export calls of OpenTelemetry are answered"))?;
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let peer = head.extensions.get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr);
    let is_local = peer.is_some_and(|peer| peer.ip().is_loopback())
        && is_direct(&head.headers, head.uri.authority().map(Authority::as_str));
    may_send(parts, text("authorization"), is_local).await?;
    let read = parts.bodies.read_message(text("grpc-encoding"), axum::body::Body::new(body)).await;
    let (message, _room) = read.map_err(|error| refused(&error))?;
    take(parts, kind, peer, message).await
}

/// One message, and behind it that all is well.
fn answered(message: &[u8]) -> Response<Body> {
    let mut framed = BytesMut::with_capacity(5 + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    let well = HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))]);
    let frames = [Frame::data(framed.freeze()), Frame::trailers(well)].map(Ok::<_, Infallible>);
    let mut response = Response::new(Body::new(StreamBody::new(futures::stream::iter(frames))));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

/// A body that was not taken. Clients send again what is `UNAVAILABLE`.
fn refused(error: &ApiError) -> Status {
    let code = match error.status() {
        StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
        StatusCode::PAYLOAD_TOO_LARGE => Code::ResourceExhausted,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::Unimplemented,
        StatusCode::INTERNAL_SERVER_ERROR => Code::Internal,
        _ => Code::InvalidArgument,
    };
    Status::new(code, error.detail())
}

/// On loopback, while nobody ever made a token, sending is open: to this machine, not to those for whom a proxy on it
/// speaks.
async fn may_send(parts: &Parts, authorization: Option<&str>, is_local: bool) -> Result<(), Status> {
    let failed = |error: store::StoreError| Status::unavailable(error.to_string());
    let token = authorization.and_then(|value| value.split_once(' ')).map(|(_, token)| token.trim());
    let Some(token) = token else {
        let open = is_local && !parts.store.tokens().any_created().await.map_err(failed)?;
        return if open { Ok(()) } else { Err(Status::unauthenticated("send a token as 'authorization: Bearer ...'")) };
    };
    match parts.store.tokens().verify(token).await.map_err(failed)? {
        Some(known) if known.scope.allows(store::Scope::Ingest) => Ok(()),
        Some(_) => Err(Status::permission_denied("this token may not send; it takes scope ingest")),
        None => Err(Status::unauthenticated("the token is not known; it may have been deleted")),
    }
}

async fn take(parts: &Parts, kind: Kind, peer: Option<SocketAddr>, message: Bytes) -> Result<Vec<u8>, Status> {
    let name = peer.map_or_else(|| "grpc".to_owned(), |peer| peer.ip().to_string());
    let arrived = Arrived {
        origin: Origin { way: SourceKind::Otlp, service: None, now: parts.clock.now() },
        source: SourceName { kind: SourceKind::Otlp, name },
        bytes: message.len(),
    };
    let decode = move |collector: &mut Collector<'_>| (kind.decode)(&message, Encoding::Protobuf, collector);
    let stored = parts.intake.store(arrived, decode).await.map_err(|error| status(&error))?;
    Ok((kind.answer)(&stored.answer, Encoding::Protobuf))
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
