//! A page that answers with whatever status it is told to, and counts who asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A running page; it answers 200 until it is told otherwise.
pub struct Target {
    url: String,
    told: Arc<Told>,
}

struct Told {
    status: AtomicU16,
    asked: AtomicUsize,
}

impl Target {
    /// On a free port, until the test ends.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let told = Arc::new(Told { status: AtomicU16::new(200), asked: AtomicUsize::new(0) });
        let target = Self { url: format!("http://{address}/"), told: Arc::clone(&told) };
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(answer(socket, Arc::clone(&told)));
            }
        });
        target
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on it answers with this status.
    pub fn answers(&self, status: u16) {
        self.told.status.store(status, Ordering::SeqCst);
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.told.asked.load(Ordering::SeqCst)
    }
}

async fn answer(mut socket: TcpStream, told: Arc<Told>) {
    let mut request = [0; 4096];
    if socket.read(&mut request).await.unwrap_or(0) == 0 {
        return;
    }
    told.asked.fetch_add(1, Ordering::SeqCst);
    let status = told.status.load(Ordering::SeqCst);
    let text = format!("HTTP/1.1 {status} As told\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    // Who asked may have gone, which is no concern of the page.
    let _ = socket.write_all(text.as_bytes()).await;
}
