//! The listening socket: bounded connections, header timeout, graceful end.

use axum::Router;
use axum::extract::connect_info::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// Connections at the same time; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 2048;
/// A client must send its headers within this time.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
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
pub async fn serve(listener: TcpListener, door: Door, stop: CancellationToken) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { break };
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
        let door = door.clone();
        let stop = stop.clone();
        connections.spawn(async move {
            let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
                door.routes().oneshot(request.map(axum::body::Body::new))
            });
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(64 * 1024);
            let connection = http.serve_connection(TokioIo::new(socket), service);
            tokio::pin!(connection);
            tokio::select! {
                _ = connection.as_mut() => {}
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = tokio::time::timeout(GRACE, connection).await;
                }
            }
            drop(permit);
        });
    }
    connections.close();
    let _ = tokio::time::timeout(GRACE, connections.wait()).await;
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
        let served = tokio::spawn(serve(listener, door.clone(), stop.clone()));
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
}
