//! Senders of other programs' protocols over HTTP: body in, decoder, lake, and the answer that their client expects.
//!
//! Every body has the same limits and is stored before it is acknowledged. What differs is only the decoder and the form
//! of the answer.

pub mod alerts;
pub mod elasticsearch;
pub mod github;
pub mod heartbeat;
pub mod loki;
pub mod otlp;
pub mod remote_write;
pub mod sentry;

use crate::auth::Peer;
use crate::intake::{Arrived, Collector, Origin, Stored};
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::source_name::{SourceKind, SourceName};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use base::ServiceName;
use bytes::Bytes;
use protocols::observed::DecodeError;

/// Longest name of a client that is shown.
const MAX_CLIENT: usize = 60;

/// Who sends what.
pub(crate) struct Sender {
    kind: SourceKind,
    name: String,
    service: Option<ServiceName>,
}

impl Sender {
    /// Known by its client's name and its address.
    pub fn new(kind: SourceKind, Peer(peer): Peer, headers: &HeaderMap) -> Self {
        let client = client_name(headers).map(|client| format!("{client} at ")).unwrap_or_default();
        Self { kind, name: format!("{client}{}", peer.ip()), service: None }
    }

    /// Known by a name of its own, whoever sends it from where.
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Whose records are all those of one service.
    pub fn of_service(mut self, service: ServiceName) -> Self {
        self.service = Some(service);
        self
    }
}

/// The first word of the header `User-Agent`, without its version: versions would make new senders of old ones.
fn client_name(headers: &HeaderMap) -> Option<String> {
    let word = headers.get(header::USER_AGENT)?.to_str().ok()?.split([' ', '/', '(']).next()?;
    let name: String = word.chars().filter(char::is_ascii_graphic).take(MAX_CLIENT).collect();
    (!name.is_empty()).then_some(name)
}

/// Reads, decodes and stores a body; returns once its records are durable.
pub(crate) async fn receive<R: Send + 'static>(
    parts: &Parts,
    sender: Sender,
    request: Request,
    decode: impl FnOnce(&Bytes, &mut Collector<'_>) -> Result<R, DecodeError> + Send + 'static,
) -> Result<Stored<R>, ApiError> {
    let (bytes, _room) = parts.bodies.read(request).await?;
    store(parts, sender, bytes, decode).await
}

/// Decodes and stores a body that was read before.
pub(crate) async fn store<R: Send + 'static>(
    parts: &Parts,
    sender: Sender,
    bytes: Bytes,
    decode: impl FnOnce(&Bytes, &mut Collector<'_>) -> Result<R, DecodeError> + Send + 'static,
) -> Result<Stored<R>, ApiError> {
    let arrived = Arrived {
        origin: Origin { way: sender.kind, service: sender.service, now: parts.clock.now() },
        source: SourceName { kind: sender.kind, name: sender.name },
        bytes: bytes.len(),
    };
    Ok(parts.intake.store(arrived, move |collector| decode(&bytes, collector)).await?)
}

/// A header as text.
pub(crate) fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_named_without_its_version() {
        for (agent, want) in [
            ("elasticsearch-py/8.19.3 (Python/3.11)", Some("elasticsearch-py")),
            ("curl/8", Some("curl")),
            ("Go-http-client", Some("Go-http-client")),
            ("", None),
        ] {
            let headers: HeaderMap = [(header::USER_AGENT, agent.parse().unwrap())].into_iter().collect();
            assert_eq!(client_name(&headers).as_deref(), want);
        }
        assert_eq!(client_name(&HeaderMap::new()), None);
    }
}
