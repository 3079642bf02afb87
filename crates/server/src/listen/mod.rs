//! Sockets beside HTTP: fluentd's forward, syslog and StatsD, and OpenTelemetry over gRPC.
//!
//! What a sender waits for is said only after its records are durable. Senders that are told nothing (UDP) are counted
//! where something of theirs was lost. Connections are bounded, together and for each address.

pub mod forward;
pub mod otlp_grpc;
pub mod statsd;
pub mod syslog;

use crate::intake::{Arrived, Collector, IntakeError, Origin, Stored};
use crate::parts::Parts;
use crate::source_name::{SourceKind, SourceName};
use crate::tls::{Socket, Wire};
use bytes::Bytes;
use foldhash::HashMap;
use lake::AppendError;
use parking_lot::Mutex;
use protocols::observed::DecodeError;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections of one listener.
const MAX_CONNECTIONS: usize = 1024;
/// Connections of one listener from one address; senders on this machine share one.
const MAX_OF_ADDRESS: usize = 256;
/// How long a delivery is held back while the lake has no room.
#[derive(Debug, Clone, Copy)]
enum Patience {
    /// Then its sender is told nothing, and sends it again; or it is lost, as datagrams are.
    Some,
    /// As long as it takes: its sender waits with the rest, and will not send this again.
    Endless,
}

const SOME_PATIENCE: Duration = Duration::from_secs(30);
/// Until a delivery is tried again whose service is being deleted.
const DELETING: Duration = Duration::from_secs(1);

/// Who is connected, counted by address.
#[derive(Debug, Clone, Default)]
struct Guests {
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A place among the connections, free again when dropped.
struct Place {
    guests: Guests,
    address: IpAddr,
}

impl Guests {
    /// A place for a connection, unless there are too many.
    fn admit(&self, address: IpAddr) -> Option<Place> {
        let mut by_address = self.by_address.lock();
        let all: usize = by_address.values().sum();
        let own = by_address.entry(address).or_default();
        if all >= MAX_CONNECTIONS || *own >= MAX_OF_ADDRESS {
            return None;
        }
        *own += 1;
        drop(by_address);
        Some(Place { guests: self.clone(), address })
    }
}

/// A connection that was admitted; its place is free again when it is dropped.
struct Guest {
    socket: Socket,
    peer: SocketAddr,
    _place: Place,
}

/// Takes connections until it is stopped, each in a task of its own, and waits until they have ended.
async fn each_connection<Served: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    wire: Wire,
    what: &'static str,
    stop: &CancellationToken,
    serve: impl Fn(Guest) -> Served + Clone + Send + 'static,
) {
    let (guests, connections) = (Guests::default(), TaskTracker::new());
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let Ok((socket, peer)) = accepted else {
            // Out of file descriptors is no reason to spin.
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        };
        let Some(place) = guests.admit(peer.ip()) else {
            tracing::warn!(%peer, "too many connections of {what}; this one is closed");
            continue;
        };
        let _ = socket.set_nodelay(true);
        let (wire, stop, serve) = (wire.clone(), stop.clone(), serve.clone());
        connections.spawn(async move {
            match stop.run_until_cancelled(wire.open(socket)).await {
                Some(Ok(socket)) => serve(Guest { socket, peer, _place: place }).await,
                Some(Err(error)) => tracing::info!(%peer, %error, "a connection of {what} agreed on no keys"),
                None => {}
            }
        });
    }
    connections.close();
    connections.wait().await;
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_address = self.guests.by_address.lock();
        if let Some(count) = by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

/// Decodes and stores what a socket brought. While the lake has no room it waits a while: not reading on is how a sender
/// is slowed down.
async fn store<R: Send + 'static>(
    parts: &Parts,
    kind: SourceKind,
    peer: IpAddr,
    bytes: &Bytes,
    (patience, stop): (Patience, &CancellationToken),
    decode: impl Fn(&Bytes, &mut Collector<'_>) -> Result<R, DecodeError> + Clone + Send + 'static,
) -> Result<Stored<R>, IntakeError> {
    let give_up = match patience {
        Patience::Some => Some(tokio::time::Instant::now() + SOME_PATIENCE),
        Patience::Endless => None,
    };
    loop {
        let (now, held, decode) = (parts.clock.now(), bytes.clone(), decode.clone());
        let arrived = Arrived {
            origin: Origin { way: kind, service: None, now },
            source: SourceName { kind, name: peer.to_string() },
            bytes: held.len(),
        };
        let outcome = parts.intake.store(arrived, move |collector| decode(&held, collector)).await;
        let pause = match &outcome {
            Err(IntakeError::Append(AppendError::Busy { retry_after, .. })) => *retry_after,
            Err(IntakeError::Deleting) => DELETING,
            _ => return outcome,
        };
        if give_up.is_some_and(|give_up| tokio::time::Instant::now() + pause >= give_up) {
            return outcome;
        }
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return Err(IntakeError::Append(AppendError::Closed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_can_not_take_all_places() {
        let guests = Guests::default();
        let (greedy, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let places: Vec<Place> = (0..MAX_OF_ADDRESS).map(|_| guests.admit(greedy).unwrap()).collect();
        assert!(guests.admit(greedy).is_none());
        assert!(guests.admit(other).is_some());
        drop(places);
        assert!(guests.admit(greedy).is_some() && guests.by_address.lock().len() <= 1);
    }
}
