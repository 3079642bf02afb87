//! Speaks to the server: one report at a time, lines beside it. A token leaves for this server only, and never in the open.

use super::wire::{LinesAnswer, LinesOf, MarkAnswer, Orders, SENT_AT};
use base::{Secret, Timestamp};
use bytes::Bytes;
use reqwest::{Certificate, RequestBuilder, Response, StatusCode, Url, header};
use serde::de::DeserializeOwned;
use std::path::Path;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a report may take; a server that takes longer is as good as silent.
const REPORT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long lines may take: the server waits for its disk before it says yes.
const LINES_TIMEOUT: Duration = Duration::from_mins(1);
/// So much of an answer is read.
const MAX_ANSWER: usize = 16 << 20;
const MAX_CERTIFICATES: u64 = 4 << 20;
/// How hard lines are packed: as fast as they are read.
const PACKING: i32 = 1;
/// Smaller bodies are sent as they are.
const PACKED_FROM: usize = 1024;

/// The server of an agent.
#[derive(Debug, Clone)]
pub struct Server {
    http: reqwest::Client,
    url: Url,
    token: Secret,
}

/// The server did not do it.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// It is full or starting.
    #[error("the server asks to come back in {} s: {why}", after.as_secs())]
    Busy {
        /// How much later.
        after: Duration,
        /// In its words.
        why: String,
    },
    /// Somebody else booked a part of these lines.
    #[error("{0}")]
    Stale(String),
    /// It refuses what was sent; trying again will not help until a person did something.
    #[error("the server refuses it with {status}: {why}")]
    Refused {
        /// Status of the answer.
        status: u16,
        /// In its words.
        why: String,
    },
    /// No answer.
    #[error("{0}")]
    Silent(String),
}

/// The server's address can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No address.
    #[error("{0:?} is no address of a server; write for example https://koshu.example")]
    Wrong(String),
    /// The token could be read on its way.
    #[error("{0} would show the token to everybody on the way; use https://, or a tunnel that ends at 127.0.0.1")]
    InTheOpen(String),
    /// A file of certificates.
    #[error("{0}")]
    Certificates(String),
    /// HTTP can't be prepared.
    #[error("HTTP can't be prepared: {0}")]
    Http(String),
}

impl Server {
    /// A server by its address; nothing is sent yet.
    pub fn new(address: &str, token: Secret, ca_file: Option<&Path>) -> Result<Self, AddressError> {
        let wrong = || AddressError::Wrong(address.to_owned());
        let url: Url = address.trim_end_matches('/').parse().map_err(|_| wrong())?;
        let host = url.host_str().ok_or_else(wrong)?.trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        match url.scheme() {
            "https" => {}
            "http" if is_here => {}
            "http" => return Err(AddressError::InTheOpen(address.to_owned())),
            _ => return Err(wrong()),
        }
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("koshu-agent/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(Duration::from_mins(1));
        if is_here {
            http = http.no_proxy();
        }
        if let Some(file) = ca_file {
            let text = super::config::read_text(file, MAX_CERTIFICATES).map_err(AddressError::Certificates)?;
            let unread = |error| AddressError::Certificates(format!("{}: {error}", file.display()));
            for certificate in Certificate::from_pem_bundle(text.as_bytes()).map_err(unread)? {
                http = http.add_root_certificate(certificate);
            }
        }
        let http = http.build().map_err(|error| AddressError::Http(outbound::chain(&error)))?;
        Ok(Self { http, url, token })
    }

    /// As people know it.
    pub fn shown(&self) -> String {
        self.url.as_str().trim_end_matches('/').to_owned()
    }

    /// Where connections to it go: a name or an address, and a port.
    pub fn host_and_port(&self) -> (String, u16) {
        let host = self.url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        (bare.to_owned(), self.url.port_or_known_default().unwrap_or(443))
    }

    fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/api/v1/agent/{path}", self.url.path().trim_end_matches('/')));
        self.http.request(method, url).bearer_auth(self.token.reveal())
    }

    /// Sends a report, which is JSON; the answer says what to do.
    pub async fn report(&self, body: Bytes, now: Timestamp) -> Result<Orders, ServerError> {
        let request = self
            .request(reqwest::Method::POST, "report")
            .timeout(REPORT_TIMEOUT)
            .header(header::CONTENT_TYPE, "application/json")
            .header(SENT_AT, now.to_string());
        self.send(packed(request, body)).await
    }

    /// Sends lines; `Ok` means that they and their mark are on the server's disk.
    pub async fn lines(&self, of: &LinesOf, lines: Bytes) -> Result<LinesAnswer, ServerError> {
        let request = self.request(reqwest::Method::POST, "lines").timeout(LINES_TIMEOUT).query(of);
        self.send(packed(request.header(header::CONTENT_TYPE, "text/plain"), lines)).await
    }

    /// The mark of a log file.
    pub async fn mark(&self, key: &str) -> Result<Option<String>, ServerError> {
        let request = self.request(reqwest::Method::GET, "mark").timeout(REPORT_TIMEOUT).query(&[("key", key)]);
        let answer: MarkAnswer = self.send(request).await?;
        Ok(answer.value)
    }

    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ServerError> {
        let silent = |error: reqwest::Error| ServerError::Silent(outbound::chain(&error.without_url()));
        let answer = request.send().await.map_err(silent)?;
        if !answer.status().is_success() {
            return Err(refusal(answer).await);
        }
        let body = read(answer).await.map_err(silent)?;
        serde_json::from_slice(&body)
            .map_err(|error| ServerError::Silent(format!("what answers there is no server of ours: {error}")))
    }
}

fn packed(request: RequestBuilder, body: Bytes) -> RequestBuilder {
    if body.len() < PACKED_FROM {
        return request.body(body);
    }
    match zstd::encode_all(body.as_ref(), PACKING) {
        Ok(small) => request.header(header::CONTENT_ENCODING, "zstd").body(small),
        Err(_) => request.body(body),
    }
}

/// An answer to its end, or as much of it as is worth reading.
async fn read(mut answer: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await? {
        body.extend_from_slice(&part);
        if body.len() > MAX_ANSWER {
            break;
        }
    }
    Ok(body)
}

async fn refusal(answer: Response) -> ServerError {
    let status = answer.status();
    let after = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let body = read(answer).await.unwrap_or_default();
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let why = problem["detail"].as_str().unwrap_or_else(|| status.canonical_reason().unwrap_or("no reason"));
    let why: String = why.chars().take(300).collect();
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            ServerError::Busy { after: Duration::from_secs(after.unwrap_or(5).clamp(1, 60)), why }
        }
        StatusCode::CONFLICT if problem["stale"] == true => ServerError::Stale(why),
        // A proxy answers so while the server behind it is away.
        status if status.is_server_error() => ServerError::Silent(format!("{status}: {why}")),
        status => ServerError::Refused { status: status.as_u16(), why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_never_travels_in_the_open() {
        let server = |address: &str| Server::new(address, Secret::new("koshu_x"), None).map(|server| server.shown());
        assert_eq!(server("https://koshu.example/"), Ok("https://koshu.example".to_owned()));
        assert_eq!(server("http://127.0.0.1:4649"), Ok("http://127.0.0.1:4649".to_owned()));
        assert_eq!(server("http://[::1]:4649"), Ok("http://[::1]:4649".to_owned()));
        assert!(matches!(server("http://koshu.example"), Err(AddressError::InTheOpen(_))));
        for wrong in ["koshu.example", "ftp://koshu.example", "", "https://"] {
            assert!(matches!(server(wrong), Err(AddressError::Wrong(_))), "{wrong}");
        }
    }
}
