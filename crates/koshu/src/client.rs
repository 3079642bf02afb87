//! Speaks to a server over HTTP: finds it, brings the token, and turns its answers into failures with a way out.
//!
//! A token found in a data folder is only ever sent to the server of that folder, while it runs. Redirects are not followed, so that
//! no token leaves for another host.

use crate::failure::{Exit, Failure};
use crate::place;
use anyhow::{Context, Result};
use base::Secret;
use clap::Args;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

const USUAL_ADDRESS: &str = "127.0.0.1:4649";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest answer to a question; the server's own limits are below.
pub const ANSWER_TIMEOUT: Duration = Duration::from_mins(2);
const MAX_TOKEN_BYTES: u64 = 4096;

/// Where the server is, and what opens its door.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// Address of the server [default: the one running in the data folder]
    #[arg(long, env = "KOSHU_SERVER", value_name = "URL")]
    pub server: Option<String>,
    /// File with a token [default: $KOSHU_TOKEN, else admin.token in the data folder]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Data folder of the server, which tells its address [default: $KOSHU_DIR, else the one of `koshu up`]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// A server, and what opens its door.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    address: Url,
    token: Option<Secret>,
}

/// The address that a running server wrote into its data folder.
pub fn address_of(dir: &Path) -> Option<String> {
    let text = std::fs::read_to_string(dir.join("listeners.json")).ok()?;
    let listeners: BTreeMap<String, Value> = serde_json::from_str(&text).ok()?;
    let address = listeners.get("http")?.as_str()?;
    // An address for every interface is one to listen on, not one to call.
    let called = address.replacen("0.0.0.0:", "127.0.0.1:", 1).replacen("[::]:", "[::1]:", 1);
    Some(format!("http://{called}"))
}

/// The address for people: of the running server, or the usual one.
pub fn address_or_usual(dir: &Path) -> String {
    address_of(dir).unwrap_or_else(|| format!("http://{USUAL_ADDRESS}"))
}

impl Client {
    /// Finds the server; does not speak to it yet.
    pub fn find(args: &ServerArgs) -> Result<Self> {
        let dir = args.dir.clone().unwrap_or_else(place::usual_dir);
        let (address, own) = match &args.server {
            Some(given) => (given.clone(), false),
            None => (address_or_usual(&dir), true),
        };
        let address = parse_address(&address)?;
        let token = token(args, own.then_some(&dir))?;
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("koshu/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT);
        if is_loopback(&address) {
            http = http.no_proxy();
        }
        Ok(Self { http: http.build().context("failed to prepare HTTP")?, address, token })
    }

    /// A request to a path such as `api/v1/sql`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.address.clone();
        url.set_path(&format!("{}/{path}", self.address.path().trim_end_matches('/')));
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        }
    }

    /// Sends it; any answer but a good one is a failure.
    pub async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let answer = self.try_send(request).await?;
        if answer.status().is_success() { Ok(answer) } else { Err(self.refusal(answer).await.into()) }
    }

    /// Sends it and leaves it to the caller what the answer means.
    pub async fn try_send(&self, request: RequestBuilder) -> Result<Response> {
        request.send().await.map_err(|error| self.unreachable(error).into())
    }

    fn unreachable(&self, error: reqwest::Error) -> Failure {
        if error.is_builder() {
            return Failure::failed("cli-request-bad").because(error.without_url());
        }
        Failure::new(Exit::NotReachable, "cli-unreachable")
            .with("server", self.shown())
            .hint("cli-unreachable-hint")
            .because(deepest(&error))
    }

    /// Why the server did not do it.
    pub async fn refusal(&self, answer: Response) -> Failure {
        self.problem(answer).await.into_failure()
    }

    /// Why the server did not do it, for a caller that may know what to do.
    pub async fn problem(&self, answer: Response) -> Refusal {
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        Refusal { server: self.shown(), status, problem: serde_json::from_str(&text).unwrap_or_default() }
    }

    /// The address without a password that may stand in it.
    pub fn shown(&self) -> String {
        let mut url = self.address.clone();
        // Only fails for addresses without a host, which are refused at the start.
        let _ = url.set_password(None);
        let _ = url.set_username("");
        url.to_string().trim_end_matches('/').to_owned()
    }
}

/// An answer that says no, as a problem document.
#[derive(Debug)]
pub struct Refusal {
    server: String,
    status: StatusCode,
    problem: Value,
}

impl Refusal {
    /// It was decided on a state that has changed meanwhile.
    pub fn is_stale(&self) -> bool {
        self.problem["stale"].as_bool() == Some(true)
    }

    /// In words for people.
    pub fn into_failure(self) -> Failure {
        let status = self.status;
        let detail = self.problem["detail"].as_str().unwrap_or_else(|| status.canonical_reason().unwrap_or("?"));
        let detail: String = detail.chars().take(2_000).collect();
        match status {
            StatusCode::UNAUTHORIZED => Failure::new(Exit::NotPermitted, "cli-no-token").hint("cli-no-token-hint"),
            StatusCode::FORBIDDEN => Failure::new(Exit::NotPermitted, "cli-forbidden").hint("cli-forbidden-hint"),
            _ if status.is_redirection() => Failure::failed("cli-not-koshu"),
            _ => Failure::failed("cli-refused"),
        }
        .with("server", self.server)
        .with("status", status.as_u16())
        .with("detail", detail)
    }
}

/// What the operating system said is what helps; the layers above repeat each other.
fn deepest(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

fn parse_address(raw: &str) -> Result<Url, Failure> {
    let with_scheme = if raw.contains("://") { raw.to_owned() } else { format!("http://{raw}") };
    let wrong = || Failure::usage("cli-bad-address").with("server", raw);
    let url: Url = with_scheme.parse().map_err(|_| wrong())?;
    if matches!(url.scheme(), "http" | "https") && url.host().is_some() { Ok(url) } else { Err(wrong()) }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// The token to send. The one of a data folder needs that folder's own server.
fn token(args: &ServerArgs, own_dir: Option<&PathBuf>) -> Result<Option<Secret>> {
    if let Some(file) = &args.token_file {
        let failed = |error| Failure::failed("cli-cannot-open").with("file", file.display()).because(error);
        return Ok(Some(read_token(file).map_err(failed)?));
    }
    if let Some(given) = std::env::var("KOSHU_TOKEN").ok().filter(|given| !given.trim().is_empty()) {
        return Ok(Some(Secret::new(given.trim())));
    }
    // Not readable for this user: the server will say what is missing.
    let own_dir = own_dir.filter(|dir| is_in_use(dir));
    Ok(own_dir.and_then(|dir| read_token(&dir.join(store::ADMIN_TOKEN_FILE)).ok()))
}

/// Whether a server runs in the folder. If it died, anybody may listen at the address that it left behind.
fn is_in_use(dir: &Path) -> bool {
    let lock = std::fs::File::open(dir.join("lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)))
}

fn read_token(file: &Path) -> std::io::Result<Secret> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(file)?.take(MAX_TOKEN_BYTES).read_to_string(&mut text)?;
    Ok(Secret::new(text.trim()))
}

/// How long a busy server asks to be left alone; a second when it does not say, a minute at most.
pub fn retry_after(answer: &Response) -> Duration {
    let seconds = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1).clamp(1, 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_with_a_host() {
        for (raw, want) in [
            ("127.0.0.1:4649", Some("http://127.0.0.1:4649/")),
            ("https://koshu.example/base", Some("https://koshu.example/base")),
            ("file:///etc/passwd", None),
            ("", None),
        ] {
            assert_eq!(parse_address(raw).ok().map(|url| url.to_string()).as_deref(), want, "{raw}");
        }
        assert!(is_loopback(&parse_address("localhost:1").unwrap()));
        assert!(!is_loopback(&parse_address("https://koshu.example").unwrap()));
    }

    #[test]
    fn a_conflict_is_tried_anew_only_when_something_was_overtaken() {
        for (case, problem, want) in [
            ("overtaken", serde_json::json!({"status": 409, "detail": "read the mark again", "stale": true}), true),
            ("too many services", serde_json::json!({"status": 409, "detail": "delete one"}), false),
            ("no problem document", Value::Null, false),
        ] {
            let refusal = Refusal { server: String::new(), status: StatusCode::CONFLICT, problem };
            assert_eq!(refusal.is_stale(), want, "{case}");
        }
    }

    #[test]
    fn the_folders_token_goes_to_the_folders_server_only() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("admin.token"), "koshu_secret\n").unwrap();
        std::fs::write(folder.path().join("listeners.json"), r#"{"http":"0.0.0.0:9999"}"#).unwrap();
        let args = |server: Option<&str>| ServerArgs {
            server: server.map(str::to_owned),
            token_file: None,
            dir: Some(folder.path().to_owned()),
        };
        let left_behind = Client::find(&args(None)).unwrap();
        assert!(left_behind.token.is_none(), "no server holds the folder: whoever answers there is a stranger");
        let lock = std::fs::File::create(folder.path().join("lock")).unwrap();
        lock.try_lock().unwrap();
        let own = Client::find(&args(None)).unwrap();
        assert_eq!(own.shown(), "http://127.0.0.1:9999");
        assert_eq!(own.token.as_ref().map(Secret::reveal), Some("koshu_secret"));
        let other = Client::find(&args(Some("http://user:pw@other.example"))).unwrap();
        assert!(other.token.is_none());
        assert_eq!(other.shown(), "http://other.example");
    }
}
