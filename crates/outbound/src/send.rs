//! Sends one message over one channel, and says what the answer means.

use crate::{chain, mail};
use base::{Span, Timestamp};
use futures::StreamExt;
use watch::channel::{Advice, Answer, Channel, HttpAnswer, HttpRequest, IssueRef, Outgoing};
use watch::delivery::SEND_TIMEOUT;
use watch::message::Message;

/// So much of an answer is read.
const ANSWER_BYTES: usize = 256 << 10;

/// Sends messages.
#[derive(Debug, Clone)]
pub struct Sender {
    client: reqwest::Client,
    timeout: Span,
}

struct Answered {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: String,
}

impl Sender {
    /// Follows no redirect and asks no proxy: what is sent may hold secrets in its address.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("koshu/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(SEND_TIMEOUT.to_std())
            .build()?;
        Ok(Self { client, timeout: SEND_TIMEOUT })
    }

    /// Sends a message; `issue` is what an earlier message about the same firing became at a forge.
    pub async fn send(&self, channel: &Channel, message: &Message, issue: Option<&IssueRef>, now: Timestamp) -> Answer {
        let outgoing = match channel.render(message, issue, now) {
            Ok(outgoing) => outgoing,
            Err(error) => return Answer::Refused { why: error.to_string(), advice: Advice::Content },
        };
        match outgoing {
            Outgoing::Http(request) => self.request(channel, &request, now).await,
            Outgoing::Steps(requests) => {
                let mut first = None;
                for request in requests {
                    let answer = self.request(channel, &request, now).await;
                    if !matches!(answer, Answer::Delivered { .. }) {
                        return answer;
                    }
                    first.get_or_insert(answer);
                }
                first.unwrap_or(Answer::Delivered { number: None })
            }
            Outgoing::Mail(letter) => match channel.mail_server() {
                Some(server) => mail::send(server, &letter, self.timeout.to_std()).await,
                None => Answer::Delivered { number: None },
            },
            Outgoing::Nothing => Answer::Delivered { number: None },
        }
    }

    async fn request(&self, channel: &Channel, request: &HttpRequest, now: Timestamp) -> Answer {
        match self.http(request).await {
            Ok(answer) => {
                let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
                let status = HttpAnswer::Status {
                    status: answer.status,
                    retry_after: header("retry-after"),
                    rate_remaining: header("x-ratelimit-remaining"),
                    rate_reset: header("x-ratelimit-reset"),
                    body: &answer.body,
                };
                channel.classify(&status, now)
            }
            Err(error) => {
                // The address may be the secret: it stays out of what is said.
                let why = chain(&error.without_url());
                channel.classify(&HttpAnswer::None { why: &why }, now)
            }
        }
    }

    /// The body of an answer, the beginning of a long one.
    pub async fn read(&self, request: &HttpRequest) -> Result<String, reqwest::Error> {
        Ok(self.http(request).await?.body)
    }

    async fn http(&self, request: &HttpRequest) -> Result<Answered, reqwest::Error> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes()).unwrap_or(reqwest::Method::POST);
        let mut builder = self.client.request(method, request.url.clone());
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let response = builder.body(request.body.clone()).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        let mut parts = response.bytes_stream();
        while let Some(part) = parts.next().await {
            body.extend_from_slice(&part?);
            if body.len() >= ANSWER_BYTES {
                body.truncate(ANSWER_BYTES);
                break;
            }
        }
        Ok(Answered { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
    }
}
