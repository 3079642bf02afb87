//! Routes: a request's method and path with the variable parts replaced (`GET /items/:id`).
//!
//! Deterministic: the same method and target always give the same route, on every machine, and a route normalises to
//! itself. A route never holds a query string, is never longer than [`MAX_ROUTE`] bytes, and a service never has more
//! than [`MAX_ROUTES`] of them: the rest is `(other)`, and [`RouteTable::over_limit`] says how much that is.

mod pattern;
mod segment;
mod table;

#[cfg(test)]
mod tests;

pub use pattern::{RoutePattern, RoutePatternError};
pub use table::{OverLimit, RouteId, RouteTable};

/// Longest route in bytes, method included.
pub const MAX_ROUTE: usize = 200;

/// Most routes of one service, `(other)` not counted.
pub const MAX_ROUTES: usize = 1_000;

/// The route of everything beyond [`MAX_ROUTES`].
pub const OTHER: &str = "(other)";

/// Stands for the target of a request that no server could read.
const UNREADABLE: &str = "(unreadable)";

/// Stands for the rest of a path that is too long.
const CUT: &str = "/…";

/// Turns methods and targets into routes. Patterns of the service are tried first, in their order.
#[derive(Debug, Clone, Default)]
pub struct RouteNormaliser {
    patterns: Vec<RoutePattern>,
}

impl RouteNormaliser {
    /// A normaliser with the patterns of a service.
    pub fn new(patterns: Vec<RoutePattern>) -> Self {
        Self { patterns }
    }

    /// The route of a request.
    pub fn normalise(&self, method: &str, target: &str) -> String {
        let mut route = String::new();
        self.normalise_into(method, target, &mut route);
        route
    }

    /// The route of a request, written over `route`.
    pub fn normalise_into(&self, method: &str, target: &str, route: &mut String) {
        route.clear();
        let method = known_method(method);
        route.push_str(method);
        route.push(' ');
        let Some(path) = path_of(target) else {
            route.push_str(if target == "*" { "*" } else { UNREADABLE });
            return;
        };
        if let Some(pattern) = self.patterns.iter().find(|pattern| pattern.matches(method, path)) {
            route.push_str(pattern.path());
            return;
        }
        segment::push_path(path, MAX_ROUTE - CUT.len(), route);
    }
}

/// The path of a target: without origin, query and fragment. `None` when there is none.
pub(crate) fn path_of(target: &str) -> Option<&str> {
    let end = memchr::memchr2(b'?', b'#', target.as_bytes()).unwrap_or(target.len());
    let target = &target[..end];
    if target.starts_with('/') {
        return Some(target);
    }
    let (scheme, rest) = target.split_once("://")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    if scheme.is_empty() || !scheme.bytes().all(plain) {
        return None;
    }
    Some(rest.find('/').map_or("/", |at| &rest[at..]))
}

/// The method, or `-` when it is none that HTTP or WebDAV knows: scanners invent them.
pub(crate) fn known_method(method: &str) -> &'static str {
    const METHODS: [&str; 31] = [
        "GET",
        "POST",
        "HEAD",
        "PUT",
        "PATCH",
        "DELETE",
        "OPTIONS",
        "CONNECT",
        "TRACE",
        "QUERY",
        "PROPFIND",
        "PROPPATCH",
        "MKCOL",
        "COPY",
        "MOVE",
        "LOCK",
        "UNLOCK",
        "REPORT",
        "SEARCH",
        "PURGE",
        "LINK",
        "UNLINK",
        "BIND",
        "UNBIND",
        "REBIND",
        "ACL",
        "CHECKOUT",
        "CHECKIN",
        "MERGE",
        "MKCALENDAR",
        "PRI",
    ];
    METHODS.into_iter().find(|known| *known == method).unwrap_or("-")
}
