//! A server span as the request that it is, by the HTTP conventions of today and those before 1.21.

use super::attributes::{find, find_any};
use super::ids::TraceHex;
use super::logs::moment;
use super::origin::Origin;
use super::spans::{duration_us, status};
use crate::observed::RequestRecord;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use signal::AccessRecord;
use std::borrow::Cow;

/// The request, if the span is one that a server answered, and it says how.
pub(super) fn of_span<'a>(span: &'a Span, origin: &'a Origin, trace: &'a TraceHex) -> Option<RequestRecord<'a>> {
    if span.kind() != SpanKind::Server {
        return None;
    }
    let sent = &span.attributes;
    let method = find_any(sent, &["http.request.method", "http.method"])?;
    let method = if method == "_OTHER" { find(sent, "http.request.method_original").unwrap_or(method) } else { method };
    let (status, extra) = status_of(span)?;
    let bytes = find_any(sent, &["http.response.body.size", "http.response_content_length"]);
    let address = ["client.address", "http.client_ip", "network.peer.address", "net.sock.peer.addr", "net.peer.ip"];
    let access = AccessRecord {
        // As in an access log: when it ended. A request that began before a minute is counted in the next one.
        ts: moment(span.end_time_unix_nano).or_else(|| moment(span.start_time_unix_nano))?,
        method,
        target: target(sent)?,
        status,
        duration_us: duration_us(span),
        bytes: bytes.and_then(|bytes| bytes.parse().ok()),
        remote_addr: find_any(sent, &address),
        user: find_any(sent, &["enduser.id", "user.id"]),
        user_agent: find_any(sent, &["user_agent.original", "http.user_agent"]),
        host: find_any(sent, &["server.address", "http.host", "net.host.name"]),
        trace_id: Some(Cow::Borrowed(trace.as_str())),
        extra,
        ..AccessRecord::default()
    };
    Some(RequestRecord { service: origin.service(), route: find(sent, "http.route"), access })
}

/// What was asked for: path and query, from the part that the sender gives.
fn target(sent: &[KeyValue]) -> Option<Cow<'_, str>> {
    if let Some(path) = find(sent, "url.path") {
        return Some(match find(sent, "url.query") {
            Some(query) => Cow::Owned(format!("{path}?{query}")),
            None => path,
        });
    }
    if let Some(target) = find(sent, "http.target") {
        return Some(target);
    }
    if let Some(url) = find_any(sent, &["url.full", "http.url"]) {
        let start = url.find("://").map_or(0, |at| at + 3);
        let path = url[start..].find('/').map_or("/", |at| &url[start + at..]);
        return Some(Cow::Owned(path.to_owned()));
    }
    find(sent, "http.route")
}

type Extra<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The status that was answered. A span which failed without one, as after an exception or a lost connection, counts as
/// 500, and says where that came from; one which did not fail says too little to be a request.
fn status_of(span: &Span) -> Option<(u16, Extra<'_>)> {
    let sent = find_any(&span.attributes, &["http.response.status_code", "http.status_code"]);
    let sent = sent.and_then(|code| code.parse().ok()).filter(|code| (100..600).contains(code));
    match sent {
        Some(code) => Some((code, Vec::new())),
        None if status(span) == Some("error") => {
            Some((500, vec![(Cow::Borrowed("status_from"), Cow::Borrowed("span status"))]))
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::common::v1::AnyValue;
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    use opentelemetry_proto::tonic::trace::v1::Status;

    fn read(attributes: &[(&str, &str)], failed: bool) -> Option<(String, String, u16, Option<String>)> {
        let attributes = attributes.iter().map(|(key, value)| KeyValue {
            key: (*key).to_owned(),
            value: Some(AnyValue { value: Some(Value::StringValue((*value).to_owned())) }),
            ..KeyValue::default()
        });
        let span = Span {
            kind: SpanKind::Server.into(),
            start_time_unix_nano: 1_000_000_000,
            end_time_unix_nano: 1_250_000_000,
            attributes: attributes.collect(),
            status: failed.then(|| Status { code: 2, ..Status::default() }),
            ..Span::default()
        };
        let (origin, trace) = (Origin::default(), TraceHex::read(&[1; 16]).unwrap().unwrap());
        let request = of_span(&span, &origin, &trace)?;
        assert_eq!(request.access.duration_us, Some(250_000));
        let access = request.access;
        Some((
            access.method.into_owned(),
            access.target.into_owned(),
            access.status,
            access.remote_addr.map(Cow::into_owned),
        ))
    }

    #[test]
    fn old_and_new_conventions_say_the_same() {
        let get = |target: &str, status, address: Option<&str>| {
            Some(("GET".to_owned(), target.to_owned(), status, address.map(str::to_owned)))
        };
        for (case, attributes, failed, want) in [
            (
                "new",
                &[
                    ("http.request.method", "GET"),
                    ("url.path", "/a"),
                    ("url.query", "b=c"),
                    ("http.response.status_code", "200"),
                    ("client.address", "203.0.113.9"),
                    ("network.peer.address", "10.0.0.1"),
                ][..],
                false,
                get("/a?b=c", 200, Some("203.0.113.9")),
            ),
            (
                "old",
                &[
                    ("http.method", "GET"),
                    ("http.target", "/a?b=c"),
                    ("http.status_code", "404"),
                    ("net.peer.ip", "203.0.113.9"),
                ],
                false,
                get("/a?b=c", 404, Some("203.0.113.9")),
            ),
            (
                "a whole URL",
                &[("http.method", "GET"), ("http.url", "https://shop.example/a?b"), ("http.status_code", "200")],
                false,
                get("/a?b", 200, None),
            ),
            (
                "a URL without a path",
                &[("http.method", "GET"), ("http.url", "https://shop.example"), ("http.status_code", "200")],
                false,
                get("/", 200, None),
            ),
            ("failed without status", &[("http.method", "GET"), ("http.target", "/")], true, get("/", 500, None)),
            ("no status", &[("http.method", "GET"), ("http.target", "/")], false, None),
            (
                "an absurd status",
                &[("http.method", "GET"), ("http.target", "/"), ("http.status_code", "0")],
                false,
                None,
            ),
            ("no target", &[("http.method", "GET"), ("http.status_code", "200")], false, None),
            ("no HTTP", &[("rpc.system", "grpc")], true, None),
        ] {
            assert_eq!(read(attributes, failed), want, "{case}");
        }
    }
}
