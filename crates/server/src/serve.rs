//! The listening socket: bounded connections, together and for each address, header timeout, graceful end.

use crate::places::{Admission, Answered, MAX_OF_ADDRESS, Place, Places};
use crate::tls::{Encrypted, Wire};
use axum::Router;
use axum::extract::connect_info::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// A client must send its headers within this time.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long it takes until somebody looks again for a place, when all are being answered; meanwhile more wait in the
/// kernel's queue.
const WITHOUT_PLACE: Duration = Duration::from_millis(20);
/// How long running answers may take when the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// What answers requests: until the parts are there only that the server is starting.
#[derive(Clone)]
pub struct Door {
    starting: Router,
    open: Arc<OnceLock<Router>>,
}

impl Door {
    /// Answers from now on with this.
    pub fn open(&self, routes: Router) {
        // A door is opened once.
        let _ = self.open.set(routes);
    }

    fn routes(&self) -> Router {
        self.open.get().unwrap_or(&self.starting).clone()
    }
}

impl Default for Door {
    fn default() -> Self {
        Self { starting: crate::routes::starting(), open: Arc::default() }
    }
}

/// Serves until it is stopped, then lets running answers end.
pub async fn serve(listener: TcpListener, wire: Wire, door: Door, stop: CancellationToken) {
    let places = Places::default();
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                back_off(&error).await;
                continue;
            }
        };
        let _ = socket.set_nodelay(true);
        let place = match stop.run_until_cancelled(admission(&places, peer)).await {
            None => break,
            Some(Some(place)) => Arc::new(place),
            Some(None) => {
                if !wire.is_encrypted() {
                    refuse(socket);
                }
                continue;
            }
        };
        let (door, wire, stop) = (door.clone(), wire.clone(), stop.clone());
        connections.spawn(async move {
            let socket = tokio::select! {
                socket = wire.open(socket) => socket,
                () = place.left() => return,
                () = stop.cancelled() => return,
            };
            // Who agrees on no keys sends nothing; scanners of ports do it all the time.
            let Ok(socket) = socket else { return };
            let own = Arc::clone(&place);
            let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
                if wire.is_encrypted() {
                    request.extensions_mut().insert(Encrypted);
                }
                let answering = own.answering();
                let answer = door.routes().oneshot(request.map(axum::body::Body::new));
                async move { answer.await.map(|answer| answer.map(|body| Answered::new(body, answering))) }
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(64 * 1024);
            let connection = http.serve_connection(TokioIo::new(socket), service);
            tokio::pin!(connection);
            tokio::select! {
                _ = connection.as_mut() => {}
                () = place.left() => {}
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = tokio::time::timeout(GRACE, connection).await;
                }
            }
        });
    }
    connections.close();
    let _ = tokio::time::timeout(GRACE, connections.wait()).await;
}

/// A place for a connection, as soon as there is one; `None` when its address has too many.
async fn admission(places: &Places, peer: SocketAddr) -> Option<Place> {
    loop {
        match places.admit(peer.ip()) {
            Admission::Admitted(place) => return Some(place),
            Admission::AddressFull => return None,
            Admission::Full => tokio::time::sleep(WITHOUT_PLACE).await,
        }
    }
}

/// Says why, as far as a sender that has not been heard will hear it.
fn refuse(socket: TcpStream) {
    let why = format!("{MAX_OF_ADDRESS} connections of one address are being answered; use them again\n");
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{why}",
        why.len()
    );
    // It does not block: it fits into an empty buffer, and who is gone misses nothing.
    if let Ok(mut socket) = socket.into_std() {
        let _ = io::Write::write_all(&mut socket, answer.as_bytes());
    }
}

/// Out of file descriptors is no reason to spin.
async fn back_off(error: &io::Error) {
    if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
        tracing::warn!(%error, "a connection could not be accepted");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_door_says_that_the_server_starts_until_it_is_opened() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (at, door, stop) = (listener.local_addr().unwrap(), Door::default(), CancellationToken::new());
        let served = tokio::spawn(serve(listener, Wire::default(), door.clone(), stop.clone()));
        let mut socket = tokio::net::TcpStream::connect(at).await.unwrap();
        let mut ask = async || {
            socket.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
            let mut answer = vec![0; 4096];
            let length = socket.read(&mut answer).await.unwrap();
            String::from_utf8_lossy(&answer[..length]).into_owned()
        };
        assert!(ask().await.starts_with("HTTP/1.1 503"));
        door.open(Router::new().route("/", get(|| async { "here" })));
        assert!(ask().await.starts_with("HTTP/1.1 200"), "a connection from before is answered too");
        stop.cancel();
        served.await.unwrap();
    }

    #[tokio::test]
    async fn connections_that_say_nothing_keep_nobody_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (at, door, stop) = (listener.local_addr().unwrap(), Door::default(), CancellationToken::new());
        door.open(Router::new().route("/", get(|| async { "here" })));
        let served = tokio::spawn(serve(listener, Wire::default(), door, stop.clone()));
        let mut silent = Vec::new();
        for _ in 0..MAX_OF_ADDRESS + 10 {
            let mut socket = TcpStream::connect(at).await.unwrap();
            socket.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
            silent.push(socket);
        }
        let mut socket = TcpStream::connect(at).await.unwrap();
        socket.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 4096];
        let asked = tokio::time::timeout(Duration::from_secs(5), socket.read(&mut answer));
        let length = asked.await.expect("it waits for no silent one").unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200") && answer[..length].ends_with(b"here"));
        let mut first = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(5), silent[0].read_to_end(&mut first));
        assert!(closed.await.is_ok() && first.is_empty(), "who waited longest made room");
        stop.cancel();
        served.await.unwrap();
    }
}
