//! Syslog over UDP and TCP, RFC 5424 and 3164. Lines of an access log inside (nginx's `access_log syslog:`) become
//! requests.

use super::{Guest, Patience, each_connection, store};
use crate::intake::Collector;
use crate::parts::Parts;
use crate::source_name::SourceKind;
use crate::tls::Wire;
use bytes::{Bytes, BytesMut};
use foldhash::HashMap;
use jiff::tz::TimeZone;
use protocols::access::Among;
use protocols::observed::{DecodeError, Observer};
use protocols::syslog::{Frames, Here, Message};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, UdpSocket};
use tokio_util::sync::CancellationToken;

/// Largest datagram.
const DATAGRAM: usize = 64 << 10;
/// Datagrams are gathered up to this size, or for [`GATHER`]: each append has its price.
const BATCH: usize = 256 << 10;
const GATHER: Duration = Duration::from_millis(50);
/// A connection that says nothing for this long is closed.
const IDLE: Duration = Duration::from_hours(1);

/// Messages behind each other, with the length of each in front: what is stored at once.
#[derive(Debug, Default)]
struct Batch {
    bytes: BytesMut,
}

impl Batch {
    fn push(&mut self, message: &[u8]) {
        self.bytes.extend_from_slice(&u32::try_from(message.len()).unwrap_or(0).to_be_bytes());
        self.bytes.extend_from_slice(message);
    }

    fn take(&mut self) -> Bytes {
        self.bytes.split().freeze()
    }
}

/// The messages of a batch.
fn messages(mut batch: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = batch.split_first_chunk::<4>()?;
        let (message, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        batch = rest;
        Some(message)
    })
}

/// Hands over the messages of a batch, requests where they are lines of an access log.
fn decoded(batch: &Bytes, zone: &TimeZone, collector: &mut Collector<'_>) {
    let here = Here { now: collector.now(), zone };
    // What a program's columns mean, as its first line of an access log tells.
    let mut programs: HashMap<String, Among> = HashMap::default();
    for bytes in messages(batch) {
        let message = match Message::read(bytes, &here) {
            Ok(message) => message,
            Err(why) => {
                collector.refuse(why, bytes);
                continue;
            }
        };
        let among = programs.entry(message.app.as_deref().unwrap_or_default().to_owned()).or_default();
        if let Some(request) = message.request_among(among) {
            collector.request(request);
            continue;
        }
        collector.log(message.into_log());
    }
}

async fn keep(parts: &Parts, peer: SocketAddr, batch: Bytes, how: (Patience, &CancellationToken)) {
    if batch.is_empty() {
        return;
    }
    let zone = parts.about.time_zone.clone();
    let decode = move |batch: &Bytes, collector: &mut Collector<'_>| {
        decoded(batch, &zone, collector);
        Ok::<_, DecodeError>(())
    };
    if let Err(error) = store(parts, SourceKind::Syslog, peer.ip(), &batch, how, decode).await {
        tracing::warn!(%error, %peer, "syslog messages were lost");
        parts.sources.lost(
            SourceKind::Syslog,
            &peer.ip().to_string(),
            messages(&batch).count() as u64,
            parts.clock.now(),
        );
    }
}

/// Messages of several senders.
#[derive(Debug, Default)]
struct Gathered {
    by_sender: Vec<(SocketAddr, Batch)>,
    bytes: usize,
}

impl Gathered {
    fn push(&mut self, peer: SocketAddr, message: &[u8]) {
        self.bytes += message.len();
        let known = self.by_sender.iter_mut().position(|(known, _)| known.ip() == peer.ip());
        let at = known.unwrap_or_else(|| {
            self.by_sender.push((peer, Batch::default()));
            self.by_sender.len() - 1
        });
        self.by_sender[at].1.push(message);
    }
}

/// Takes datagrams until it is stopped.
pub async fn serve_udp(socket: UdpSocket, parts: Parts, stop: CancellationToken) {
    let mut buffer = vec![0; DATAGRAM];
    while let Some(received) = stop.run_until_cancelled(socket.recv_from(&mut buffer)).await {
        let Ok((length, peer)) = received else { continue };
        let mut gathered = Gathered::default();
        gathered.push(peer, &buffer[..length]);
        let until = tokio::time::Instant::now() + GATHER;
        while gathered.bytes < BATCH
            && let Ok(Ok((length, peer))) = tokio::time::timeout_at(until, socket.recv_from(&mut buffer)).await
        {
            gathered.push(peer, &buffer[..length]);
        }
        for (peer, mut batch) in gathered.by_sender {
            keep(&parts, peer, batch.take(), (Patience::Some, &stop)).await;
        }
    }
}

/// Takes connections until it is stopped.
pub async fn serve_tcp(listener: TcpListener, wire: Wire, parts: Parts, stop: CancellationToken) {
    let ends = stop.clone();
    let connection = move |guest: Guest| {
        let (parts, stop) = (parts.clone(), ends.clone());
        async move { connection(guest, &parts, &stop).await }
    };
    each_connection(listener, wire, "syslog", &stop, connection).await;
}

async fn connection(mut guest: Guest, parts: &Parts, stop: &CancellationToken) {
    let peer = guest.peer;
    let (mut unread, mut frames) = (BytesMut::new(), Frames::default());
    loop {
        let mut batch = Batch::default();
        let mut refused = 0;
        loop {
            let cut = frames.step(&unread);
            let (used, found) = (cut.used, cut.found.map(|found| found.map(Bytes::copy_from_slice)));
            let _ = unread.split_to(used);
            match found {
                None => break,
                Some(Ok(message)) => batch.push(&message),
                Some(Err(_)) => refused += 1,
            }
        }
        if refused > 0 {
            parts.sources.lost(SourceKind::Syslog, &peer.ip().to_string(), refused, parts.clock.now());
        }
        keep(parts, peer, batch.take(), (Patience::Endless, stop)).await;
        let read = tokio::time::timeout(IDLE, guest.socket.read_buf(&mut unread));
        match stop.run_until_cancelled(read).await {
            Some(Ok(Ok(1..))) => {}
            // The sender left, or we do: what is there without an end is a last message.
            _ => break,
        }
    }
    if !unread.is_empty() {
        let mut last = Batch::default();
        last.push(&unread);
        keep(parts, peer, last.take(), (Patience::Endless, stop)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_the_messages_that_were_put_in() {
        let mut batch = Batch::default();
        for message in [&b"one"[..], b"", b"two\nlines"] {
            batch.push(message);
        }
        let bytes = batch.take();
        assert_eq!(messages(&bytes).collect::<Vec<_>>(), [&b"one"[..], b"", b"two\nlines"]);
        assert!(batch.take().is_empty());
        assert_eq!(messages(&bytes[..5]).count(), 0, "a cut batch has no half message");
    }
}
