//! StatsD over UDP: summed up here and stored every few seconds, as the protocol means it.

use crate::intake::{Arrived, Origin};
use crate::parts::Parts;
use crate::source_name::{SourceKind, SourceName};
use bytes::Bytes;
use protocols::statsd::{Aggregator, decode};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

/// Length of a window: counts are sums over it, percentiles those of its values.
pub const WINDOW: Duration = Duration::from_secs(10);
/// Largest datagram.
const DATAGRAM: usize = 64 << 10;
/// Datagrams are decoded when so many bytes of them wait.
const WAITING: usize = 256 << 10;

/// Takes datagrams until it is stopped; what is summed up then is stored.
pub async fn serve(socket: UdpSocket, parts: Parts, stop: CancellationToken) {
    let mut window = interval_at(Instant::now() + WINDOW, WINDOW);
    window.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut buffer = vec![0; DATAGRAM];
    let (mut waiting, mut bytes, mut sums) = (Vec::new(), 0, Aggregator::default());
    loop {
        let (flush, ended) = tokio::select! {
            () = stop.cancelled() => (true, true),
            _ = window.tick() => (true, false),
            received = socket.recv_from(&mut buffer) => {
                if let Ok((length, _)) = received {
                    waiting.push(Bytes::copy_from_slice(&buffer[..length]));
                    bytes += length;
                }
                (false, false)
            }
        };
        if flush || bytes >= WAITING {
            sums = keep(&parts, std::mem::take(&mut waiting), std::mem::take(&mut bytes), sums, flush).await;
        }
        if ended {
            return;
        }
    }
}

/// Adds datagrams to the sums; at the end of a window stores them. What the lake has no room for is lost and counted:
/// there is nobody to send it again.
async fn keep(parts: &Parts, waiting: Vec<Bytes>, bytes: usize, mut sums: Aggregator, flush: bool) -> Aggregator {
    let now = parts.clock.now();
    let arrived = Arrived {
        origin: Origin { way: SourceKind::Statsd, service: None, now },
        source: SourceName { kind: SourceKind::Statsd, name: "statsd".into() },
        bytes,
    };
    let kept = std::sync::Arc::new(parking_lot::Mutex::new(None));
    let back = std::sync::Arc::clone(&kept);
    let stored = parts.intake.store(arrived, move |collector| {
        for datagram in &waiting {
            decode(datagram, &mut sums, collector);
        }
        if flush {
            sums.flush(now, collector);
        }
        *back.lock() = Some(sums);
        Ok(())
    });
    if let Err(error) = stored.await {
        tracing::warn!(%error, "values of StatsD were lost");
        parts.sources.lost(SourceKind::Statsd, "statsd", 1, now);
    }
    kept.lock().take().unwrap_or_default()
}
