//! A client of the HTTP API, as small as a script.

use reqwest::{Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use std::time::Duration;

/// No answer takes longer than this; a query may take 30 s before it is refused.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Asks one server, with one token or none.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The body of an answer that went well.
    pub fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{self:?}");
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// A header as text, empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The detail of a problem document with this status.
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let document = self.json();
        assert_eq!(document["status"], json!(status), "{document}");
        assert!(document["title"].as_str().is_some_and(|title| !title.is_empty()), "{document}");
        document["detail"].as_str().unwrap_or_else(|| panic!("no detail: {document}")).to_owned()
    }
}

impl Client {
    /// A client of the server at `url`.
    pub fn new(url: String, token: Option<String>) -> Self {
        let http = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build().expect("a client can be made");
        Self { http, url, token }
    }

    /// Where the server is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same server with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// A request that can still be changed.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request; an error when no answer came.
    pub async fn try_send(request: RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status, headers, text: response.text().await? })
    }

    /// Sends a request that must be answered.
    pub async fn send(request: RequestBuilder) -> Answer {
        Self::try_send(request).await.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// `GET path`
    pub async fn get(&self, path: &str) -> Answer {
        Self::send(self.request(Method::GET, path)).await
    }

    /// `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Self::send(self.request(Method::POST, path).json(body)).await
    }

    /// `DELETE path`
    pub async fn delete(&self, path: &str) -> Answer {
        Self::send(self.request(Method::DELETE, path)).await
    }

    /// Lines to a service; an error when no answer came.
    pub async fn ingest(&self, service: &str, lines: String) -> reqwest::Result<Answer> {
        Self::try_send(self.request(Method::POST, &format!("/api/v1/ingest/{service}")).body(lines)).await
    }

    /// The answer to a question over all times.
    pub async fn sql_answer(&self, sql: &str) -> Answer {
        let body = json!({"sql": sql, "from": "1990-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z", "limit": 10_000});
        self.post("/api/v1/sql", &body).await
    }

    /// Rows over all times.
    pub async fn sql(&self, sql: &str) -> Vec<Vec<Value>> {
        let answer = self.sql_answer(sql).await.ok();
        assert_eq!(answer["stats"]["truncated"], json!(false), "the answer was cut: {sql}");
        let rows = answer["rows"].as_array().unwrap_or_else(|| panic!("no rows: {answer}"));
        rows.iter().map(|row| row.as_array().expect("a row is a list").clone()).collect()
    }

    /// The one number that a question asks for.
    pub async fn number(&self, sql: &str) -> i64 {
        let rows = self.sql(sql).await;
        rows[0][0].as_i64().unwrap_or_else(|| panic!("no number: {rows:?}"))
    }
}
