//! A dead-man's switch of another service: it is called as long as all is well, and raises the alarm itself when it is not.

use super::HttpRequest;
use url::Url;

#[derive(Debug, Clone)]
pub(crate) struct Ping {
    /// Most often itself the secret.
    pub(crate) url: Url,
}

impl Ping {
    pub(crate) fn render(&self) -> HttpRequest {
        HttpRequest { method: "GET", url: self.url.clone(), headers: Vec::new(), body: String::new() }
    }
}
