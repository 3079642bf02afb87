//! A receiver of webhooks: what another service would hear, in the order in which it came.

use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

/// Takes webhooks and remembers them.
#[derive(Clone)]
pub struct Hook {
    url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// A webhook that came.
#[derive(Debug, Clone)]
struct Heard {
    at: Instant,
    id: String,
    body: Value,
}

impl Hook {
    /// For signed webhooks (Standard Webhooks), on a free port, until the test ends.
    pub async fn start() -> Self {
        Self::listen(true, Duration::ZERO).await
    }

    /// For those of other programs.
    pub async fn unsigned() -> Self {
        Self::listen(false, Duration::ZERO).await
    }

    /// For signed webhooks, each of which is answered so much later.
    pub async fn slow(answers_after: Duration) -> Self {
        Self::listen(true, answers_after).await
    }

    async fn listen(signed: bool, answers_after: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let hook = Self { url: format!("http://{address}/hook"), heard: Arc::default() };
        let heard = Arc::clone(&hook.heard);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(take(socket, signed, answers_after, Arc::clone(&heard)));
            }
        });
        hook
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything that was heard: `webhook-id` and body.
    pub async fn heard(&self) -> Vec<(String, Value)> {
        self.heard.lock().await.iter().map(|heard| (heard.id.clone(), heard.body.clone())).collect()
    }

    /// When the first one came that is as wanted.
    pub async fn first(&self, wanted: impl Fn(&Value) -> bool) -> Option<Instant> {
        self.heard.lock().await.iter().find(|heard| wanted(&heard.body)).map(|heard| heard.at)
    }

    /// `fire`, `resolve` and so on, in their order.
    pub async fn kinds(&self) -> Vec<String> {
        let heard = self.heard.lock().await;
        heard.iter().map(|heard| heard.body["data"]["kind"].as_str().unwrap_or("?").to_owned()).collect()
    }
}

async fn take(mut socket: TcpStream, signed: bool, answers_after: Duration, heard: Arc<Mutex<Vec<Heard>>>) {
    let mut request = Vec::new();
    let mut part = [0; 4096];
    let (head, body) = loop {
        let read = socket.read(&mut part).await.unwrap_or(0);
        if read == 0 {
            return;
        }
        request.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_lowercase();
        let length = header(&head, "content-length").and_then(|length| length.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break (head, body.to_owned());
        }
    };
    let is_signed = header(&head, "webhook-signature").is_some_and(|value| value.starts_with("v1,"));
    assert_eq!(is_signed, signed, "{head}");
    let id = header(&head, "webhook-id").unwrap_or_default().to_owned();
    let body = serde_json::from_str(&body).expect("a webhook is JSON");
    heard.lock().await.push(Heard { at: Instant::now(), id, body });
    tokio::time::sleep(answers_after).await;
    // The sender may be dead by now, which is what some tests are about.
    let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
}

/// The value of a header of a head in lower case.
fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}
