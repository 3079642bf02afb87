//! Route patterns of a service: `/items/:slug/reviews`, `GET /files/*`.

use super::{MAX_ROUTE, known_method, path_of};
use std::str::FromStr;

/// A path whose `:name` and `*` segments stand for anything; a `*` at the end stands for all that follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutePattern {
    method: Option<&'static str>,
    path: Box<str>,
}

/// Why a text is no route pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoutePatternError {
    /// Does not look like a path.
    #[error("route pattern {0:?} does not start with /; write it as /items/:slug or GET /items/:slug")]
    NoPath(String),
    /// A query never is part of a route.
    #[error("route pattern {0:?} has a query, a fragment or a blank; routes are made of the path alone")]
    NotAPath(String),
    /// A method which no request can have.
    #[error("{0:?} is no HTTP method")]
    Method(String),
    /// Longer than a route may be.
    #[error("route pattern is {0} bytes long, {limit} allowed", limit = MAX_ROUTE - 16)]
    TooLong(usize),
}

impl RoutePattern {
    /// The path of the pattern, which is the path of the route.
    pub fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn matches(&self, method: &str, path: &str) -> bool {
        if self.method.is_some_and(|wanted| wanted != method) {
            return false;
        }
        let (mut wanted, mut given) = (self.path.split('/').peekable(), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some("*"), Some(_)) if wanted.peek().is_none() => return true,
                (Some(name), Some(value)) if name == "*" || name.starts_with(':') => {
                    if value.is_empty() {
                        return false;
                    }
                }
                (Some(name), Some(value)) if name == value => {}
                _ => return false,
            }
        }
    }
}

impl FromStr for RoutePattern {
    type Err = RoutePatternError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let (method, path) = match raw.split_once(' ') {
            Some((method, path)) => match known_method(method) {
                "-" => return Err(RoutePatternError::Method(method.to_owned())),
                known => (Some(known), path.trim_start()),
            },
            None => (None, raw),
        };
        if !path.starts_with('/') {
            return Err(RoutePatternError::NoPath(raw.to_owned()));
        }
        if path_of(path) != Some(path) || path.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(RoutePatternError::NotAPath(raw.to_owned()));
        }
        if path.len() > MAX_ROUTE - 16 {
            return Err(RoutePatternError::TooLong(path.len()));
        }
        Ok(Self { method, path: path.into() })
    }
}
