//! One line of an access log, decoded but not yet interpreted.

use base::Timestamp;
use std::borrow::Cow;

/// One request as an access log tells it. Borrows from the line where it can.
///
/// What the log does not say stays `None`; an unknown duration is never 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AccessRecord<'a> {
    /// When the request was logged (most servers: when it ended).
    pub ts: Timestamp,
    /// `GET`, `POST`, ... or `-` when the request line was unreadable for the server itself.
    pub method: Cow<'a, str>,
    /// Request target as sent: path and query. Never stored whole: queries hold secrets.
    pub target: Cow<'a, str>,
    /// HTTP status, 100 to 599 (0 is not allowed: such a line is rejected), 499 of nginx included.
    pub status: u16,
    /// Time the user waited, microseconds.
    pub duration_us: Option<u64>,
    /// Time the upstream took, microseconds.
    pub upstream_us: Option<u64>,
    /// Body bytes sent.
    pub bytes: Option<u64>,
    /// Client address (or host name in old logs).
    pub remote_addr: Option<Cow<'a, str>>,
    /// User named by the log: HTTP authentication user, or a user field of JSON and LTSV logs.
    pub user: Option<Cow<'a, str>>,
    /// `User-Agent` header.
    pub user_agent: Option<Cow<'a, str>>,
    /// `Referer` header.
    pub referer: Option<Cow<'a, str>>,
    /// Virtual host or server that answered.
    pub host: Option<Cow<'a, str>>,
    /// Trace or request id.
    pub trace_id: Option<Cow<'a, str>>,
    /// Other named fields of JSON, LTSV and user patterns, in the order of the line.
    pub extra: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl AccessRecord<'_> {
    /// The target without its query string and fragment.
    pub fn path(&self) -> &str {
        let target = self.target.as_ref();
        let end = memchr::memchr2(b'?', b'#', target.as_bytes()).unwrap_or(target.len());
        &target[..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_ends_at_the_query() {
        for (target, want) in [("/a?token=x", "/a"), ("/a#b?c", "/a"), ("*", "*"), ("", "")] {
            let record = AccessRecord { target: target.into(), ..AccessRecord::default() };
            assert_eq!(record.path(), want);
        }
    }
}
