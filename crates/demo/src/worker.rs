//! A worker: serves the shop over HTTP until its leak (or somebody) ends it.
//!
//! It shares the port with the other workers and answers what it has begun before it leaves.

use crate::event::{Event, Settings, say, tell};
use crate::shop::{self, Shop};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long requests in flight may take after the decision to leave.
const DRAIN: Duration = Duration::from_secs(4);
/// The exit code of a worker which the leak ended (EX_SOFTWARE).
const DIED_OF_LEAK: u8 = 70;

/// A socket on the shop's port which others may share; port 0 picks a free one.
pub(crate) fn shared_socket(port: u16) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    Ok(socket)
}

pub(crate) async fn run(number: u8, settings: Settings, parent_gone: CancellationToken) -> io::Result<ExitCode> {
    let listener = shared_socket(settings.port)?.listen(128)?;
    let shop = Arc::new(Shop::open(number, settings)?);
    let leave = CancellationToken::new();
    let serving = serve(listener, Arc::clone(&shop), leave.clone());
    tokio::pin!(serving);
    tell(&Event::Ready);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut quit = signal(SignalKind::quit())?;
    let code = tokio::select! {
        served = &mut serving => return served.map(|()| ExitCode::FAILURE),
        () = parent_gone.cancelled() => ExitCode::SUCCESS,
        _ = terminate.recv() => ExitCode::SUCCESS,
        _ = quit.recv() => ExitCode::SUCCESS,
        leaked = shop.leak.fatal() => {
            tell(&Event::Leaving { reason: format!("out of memory, {} MiB leaked", leaked >> 20) });
            ExitCode::from(DIED_OF_LEAK)
        }
    };
    leave.cancel();
    // Whoever has not been answered by then sees a closed connection, as behind any server that is restarted.
    let _ = tokio::time::timeout(DRAIN, serving).await;
    let lost = shop.lost_lines();
    if lost > 0 {
        say(&format!("worker {number}: {lost} lines of the access log could not be written"));
    }
    Ok(code)
}

async fn serve(listener: TcpListener, shop: Arc<Shop>, leave: CancellationToken) -> io::Result<()> {
    let app = shop::routes(shop).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app).with_graceful_shutdown(leave.cancelled_owned()).await
}
