//! Errors as clients see them: RFC 9457 problem documents. The only place that knows HTTP status codes.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lake::{AppendError, QueryError};
use serde_json::json;
use std::time::Duration;
use store::{PasswordError, StoreError};

const PROBLEM: &str = "application/problem+json";

/// Why a request was not answered as asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    detail: String,
    retry_after: Option<Duration>,
    position: Option<usize>,
    stale: bool,
}

impl ApiError {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), retry_after: None, position: None, stale: false }
    }

    /// The status that it is answered with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What is wrong, for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// How long to wait before it is tried again, if that can help.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The request is wrong; the text says what and how to mend it.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// A text in the request is wrong at a character.
    pub fn bad_at(detail: impl Into<String>, position: usize) -> Self {
        Self { position: Some(position), ..Self::bad_request(detail) }
    }

    /// Nobody is signed in and no token was sent.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    /// Who asks may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// There is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// It would contradict what is there.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// It was decided on a state that has changed meanwhile: read it again and try anew.
    pub fn stale(detail: impl Into<String>) -> Self {
        Self { stale: true, ..Self::conflict(detail) }
    }

    /// There is no such method at this path.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take this method; see the header Allow")
    }

    /// More than a limit allows.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// Too often; try again after a while.
    pub fn too_many(detail: impl Into<String>, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    /// Full, starting or down for a moment; try again after a while.
    pub fn unavailable(detail: impl Into<String>, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    /// The body says that it is something that can't be read here.
    pub fn unsupported(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    }

    /// Ours to fix. The cause goes to the log under an id, the client gets the id.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let id = base::Id::<Self>::generate();
        tracing::error!(%id, %cause, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, format!("this failed on the server; its log says why under {id}"))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some(position) = self.position {
            body["position"] = position.into();
        }
        if self.stale {
            body["stale"] = true.into();
        }
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        if let Some(after) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Answers that the router gives by itself, for a method that a path does not take, say why as well.
pub async fn of_router(response: Response) -> Response {
    let is_bare = response.status() == StatusCode::METHOD_NOT_ALLOWED
        && response.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind != PROBLEM);
    if !is_bare {
        return response;
    }
    let mut problem = ApiError::method_not_allowed().into_response();
    if let Some(allow) = response.headers().get(header::ALLOW) {
        problem.headers_mut().insert(header::ALLOW, allow.clone());
    }
    problem
}

/// A handler that died.
#[expect(clippy::needless_pass_by_value, reason = "the layer that calls it hands the panic over")]
pub fn of_panic(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a text");
    ApiError::internal(text).into_response()
}

impl From<AppendError> for ApiError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Busy { reason, retry_after } => Self::unavailable(reason.to_string(), retry_after),
            AppendError::TooLarge { .. } => Self::too_large(error.to_string()),
            AppendError::Closed => Self::unavailable("the server is stopping", Duration::from_secs(5)),
            AppendError::Encode(_) => Self::internal(error),
        }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Invalid(text) => Self::bad_request(text),
            QueryError::TimeLimit(_) | QueryError::MemoryLimit(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
            }
            QueryError::Failed(text) => Self::internal(text),
        }
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Store(error) => error.into(),
            other => Self::bad_request(other.to_string()),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::unavailable(error.to_string(), Duration::from_secs(10)),
            StoreError::Busy => Self::unavailable(error.to_string(), Duration::from_secs(1)),
            StoreError::Refused { .. } => Self::bad_request(error.to_string()),
            _ => Self::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lake::BusyReason;

    #[tokio::test]
    async fn a_full_lake_is_503_with_retry_after_and_says_which_limit() {
        let busy = AppendError::Busy { reason: BusyReason::DiskFull, retry_after: Duration::from_secs(5) };
        let response = ApiError::from(busy).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "5");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((body["status"].as_u64(), body["detail"].as_str()), (Some(503), Some("the disk is full")));
    }
}
