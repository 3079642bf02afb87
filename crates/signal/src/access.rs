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
    /// Other named fields of JSON, LTSV and user patterns, in the order of the line. Cookies may be among them, so that
    /// a user can be recognised: store only [`AccessRecord::storable_extra`].
    pub extra: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl AccessRecord<'_> {
    /// The target without its query string and fragment.
    pub fn path(&self) -> &str {
        let target = self.target.as_ref();
        let end = memchr::memchr2(b'?', b'#', target.as_bytes()).unwrap_or(target.len());
        &target[..end]
    }

    /// The extra field of this name.
    pub fn extra(&self, name: &str) -> Option<&str> {
        self.extra.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
    }

    /// The extra fields that may be stored: all but cookies.
    pub fn storable_extra(&self) -> impl Iterator<Item = (&str, &str)> {
        let open = self.extra.iter().filter(|(key, _)| !is_cookie(key));
        open.map(|(key, value)| (key.as_ref(), value.as_ref()))
    }

    /// The same record without borrowing from the line.
    pub fn into_owned(self) -> AccessRecord<'static> {
        fn own(text: Cow<'_, str>) -> Cow<'static, str> {
            Cow::Owned(text.into_owned())
        }
        AccessRecord {
            ts: self.ts,
            method: own(self.method),
            target: own(self.target),
            status: self.status,
            duration_us: self.duration_us,
            upstream_us: self.upstream_us,
            bytes: self.bytes,
            remote_addr: self.remote_addr.map(own),
            user: self.user.map(own),
            user_agent: self.user_agent.map(own),
            referer: self.referer.map(own),
            host: self.host.map(own),
            trace_id: self.trace_id.map(own),
            extra: self.extra.into_iter().map(|(key, value)| (own(key), own(value))).collect(),
        }
    }
}

/// Whether a field of this name holds a cookie or the whole cookie header (`cookie`, `http_cookie`, `cookie_sid`).
fn is_cookie(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("cookie") || name.contains("_cookie") || name.contains("-cookie") || name.contains(".cookie")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_never_storable() {
        let extra = [("cookie_sid", "s3"), ("http_cookie", "a=b"), ("tenant", "x"), ("Set-Cookie", "y")];
        let record = AccessRecord {
            extra: extra.map(|(key, value)| (key.into(), value.into())).to_vec(),
            ..AccessRecord::default()
        };
        assert_eq!(record.extra("cookie_sid"), Some("s3"));
        assert_eq!(record.storable_extra().collect::<Vec<_>>(), [("tenant", "x")]);
        assert_eq!(record.clone().into_owned(), record);
    }

    #[test]
    fn a_path_ends_at_the_query() {
        for (target, want) in [("/a?token=x", "/a"), ("/a#b?c", "/a"), ("*", "*"), ("", "")] {
            let record = AccessRecord { target: target.into(), ..AccessRecord::default() };
            assert_eq!(record.path(), want);
        }
    }
}
