//! fluentd's forward protocol over TCP, with its UDP heartbeat on the same port.
//!
//! A chunk is acknowledged when its records are durable and never before; one that is sent again is acknowledged again
//! and stored once.

use super::{Guest, Patience, each_connection, store};
use crate::intake::Collector;
use crate::parts::Parts;
use crate::source_name::SourceKind;
use crate::tls::Wire;
use base::Secret;
use bytes::{Bytes, BytesMut};
use protocols::forward::{Cutter, Hello, Message, Ping, Step, UDP_HEARTBEAT, decode, encode_ack};
use protocols::observed::DecodeError;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A connection that says nothing for this long is closed; senders open another one.
const IDLE: Duration = Duration::from_mins(10);
/// A message that has begun must be there within this time.
const MESSAGE_TIMEOUT: Duration = Duration::from_mins(1);
/// Who is asked for a key proves it within this time: until then a place is held by somebody unknown.
const GREETING: Duration = Duration::from_secs(10);
/// Longest first word of a sender. Who has proved nothing yet takes no more memory than this and one read.
const MAX_PING: usize = 16 << 10;
/// How much is read at a time.
const READ: usize = 64 << 10;

/// What clients have to prove.
#[derive(Debug, Default)]
pub struct Settings {
    /// Without a key everybody who reaches the port may send.
    pub shared_key: Option<Secret>,
    /// Users and their passwords; empty when the key is enough.
    pub users: BTreeMap<String, Secret>,
    /// What this server calls itself.
    pub hostname: String,
}

/// Serves until it is stopped.
pub async fn serve(listener: TcpListener, wire: Wire, parts: Parts, settings: Settings, stop: CancellationToken) {
    let (settings, ends) = (Arc::new(settings), stop.clone());
    let connection = move |guest: Guest| {
        let (parts, settings, stop) = (parts.clone(), Arc::clone(&settings), ends.clone());
        async move {
            let peer = guest.peer;
            let mut connection = Connection { guest, parts, settings, stop: stop.clone() };
            if let Some(Err(why)) = stop.run_until_cancelled(connection.run()).await {
                tracing::info!(%peer, why, "a forward connection ended");
            }
        }
    };
    each_connection(listener, wire, "forward", &stop, connection).await;
}

/// Answers heartbeats until it is stopped.
pub async fn answer_heartbeats(socket: UdpSocket, stop: CancellationToken) {
    let mut buffer = [0; 16];
    while let Some(received) = stop.run_until_cancelled(socket.recv_from(&mut buffer)).await {
        if let Ok((_, peer)) = received {
            let _ = socket.send_to(&UDP_HEARTBEAT, peer).await;
        }
    }
}

struct Connection {
    guest: Guest,
    parts: Parts,
    settings: Arc<Settings>,
    stop: CancellationToken,
}

impl Connection {
    /// Takes messages until the sender leaves. The error is for the log.
    async fn run(&mut self) -> Result<(), String> {
        let mut unread = BytesMut::new();
        let mut cutter = Cutter::default();
        let settings = Arc::clone(&self.settings);
        if let Some(key) = &settings.shared_key {
            self.greet(key, &mut unread, &mut cutter).await?;
        }
        while let Some(message) = self.next(&mut unread, &mut cutter, usize::MAX).await? {
            self.take(message).await?;
        }
        Ok(())
    }

    /// The next whole message, of so many bytes at most; `None` when the sender left between two. The cutter has a limit
    /// of its own.
    async fn next(&mut self, unread: &mut BytesMut, cutter: &mut Cutter, most: usize) -> Result<Option<Bytes>, String> {
        let mut room = self.parts.bodies.room();
        let mut begun = None;
        loop {
            if let Step::Message { used } = cutter.step(unread).map_err(|error| error.to_string())? {
                return Ok(Some(unread.split_to(used).freeze()));
            }
            if unread.len() > most {
                return Err(format!("a message here has {most} bytes at most"));
            }
            room.grow_to(unread.len() + READ).await.map_err(|error| error.detail().to_owned())?;
            unread.reserve(READ);
            // From its first byte on: a byte now and then would hold the connection and its room for ever.
            let (since, limit) = if unread.is_empty() {
                (Instant::now(), IDLE)
            } else {
                (*begun.get_or_insert_with(Instant::now), MESSAGE_TIMEOUT)
            };
            let read = tokio::time::timeout_at(since + limit, self.guest.socket.read_buf(unread)).await;
            match read.map_err(|_| format!("no whole message came within {} s", limit.as_secs()))? {
                Ok(0) if unread.is_empty() => return Ok(None),
                Ok(0) => return Err("the sender left in the middle of a message".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    /// Stores a message and acknowledges it, if its sender waits for that.
    async fn take(&mut self, message: Bytes) -> Result<(), String> {
        let peer = self.guest.peer.ip();
        let stored =
            store(&self.parts, SourceKind::Forward, peer, &message, (Patience::Some, &self.stop), decoded).await;
        let stored = stored.map_err(|error| error.to_string())?;
        if let Some(ack) = stored.answer {
            self.say(&ack).await?;
        }
        Ok(())
    }

    /// The handshake: both sides prove that they know the key.
    async fn greet(&mut self, key: &Secret, unread: &mut BytesMut, cutter: &mut Cutter) -> Result<(), String> {
        let hello = Hello { nonce: rand::random(), user_salt: self.asks_for_user().then(rand::random) };
        self.say(&hello.encode()).await?;
        let message = tokio::time::timeout(GREETING, self.next(unread, cutter, MAX_PING));
        let message = message.await.map_err(|_| "the sender did not prove its key in time")??;
        let message = message.ok_or("the sender left before it proved its key")?;
        let ping = Ping::decode(&message).map_err(|error| error.to_string())?;
        let checked = ping.check(&hello, key.reveal(), |user| self.settings.users.get(user).map(Secret::reveal));
        let denied = checked.err();
        let pong = ping.pong(&hello, key.reveal(), &self.settings.hostname, checked);
        self.say(&pong).await?;
        denied.map_or(Ok(()), |why| Err(why.to_string()))
    }

    /// Writes to the end: what TLS keeps back would be said only with the next word.
    async fn say(&mut self, word: &[u8]) -> Result<(), String> {
        let socket = &mut self.guest.socket;
        let said = async {
            socket.write_all(word).await?;
            socket.flush().await
        };
        said.await.map_err(|error: std::io::Error| error.to_string())
    }

    fn asks_for_user(&self) -> bool {
        !self.settings.users.is_empty()
    }
}

/// Hands over a message's events. Returns what acknowledges it.
fn decoded(message: &Bytes, collector: &mut Collector<'_>) -> Result<Option<Vec<u8>>, DecodeError> {
    let Message::Events(events) = decode(message, collector)? else { return Ok(None) };
    let Some(chunk) = events.chunk else { return Ok(None) };
    let mut name = blake3::Hasher::new();
    name.update(events.tag.as_bytes()).update(&[0]).update(chunk.bytes());
    collector.name_delivery(format!("forward:{}", &name.finalize().to_hex()[..32]));
    Ok(Some(encode_ack(chunk)))
}
