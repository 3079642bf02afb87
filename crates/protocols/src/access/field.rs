//! What the fields of labelled logs (JSON, LTSV, `key=value` columns, pattern groups) mean, by their usual names.

use super::number::Unit;

/// The unit of a duration field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// Told by the name.
    Known(Unit),
    /// `duration`, `latency`, `elapsed`: told by the first lines.
    Learned,
}

/// Units of the fields whose name does not tell; `None` when the first lines don't tell either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LearnedUnits {
    pub(super) duration: Option<Unit>,
    /// The unit follows from the values alone, which a few lines can't prove.
    pub(super) guessed: bool,
}

impl Default for LearnedUnits {
    fn default() -> Self {
        Self { duration: Some(Unit::Seconds), guessed: false }
    }
}

impl LearnedUnits {
    pub(super) fn unit(self, scale: Scale) -> Option<Unit> {
        match scale {
            Scale::Known(unit) => Some(unit),
            Scale::Learned => self.duration,
        }
    }
}

/// What a named field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Time,
    /// When a log shipper saw the line: taken only when there is no other time.
    ShipperTime,
    /// `requestTime`: a date in API Gateway's logs, seconds elsewhere.
    RequestTime,
    Method,
    Target,
    /// A path without query: taken when there is no target.
    Path,
    Request,
    Status,
    Bytes,
    Duration(Scale),
    Upstream(Scale),
    Remote,
    Forwarded,
    User,
    Agent,
    Referer,
    Host,
    Trace,
    /// Not kept: secrets (`authorization`), queries, and what repeats other fields.
    Skip,
    /// Kept under its name.
    Extra,
}

/// Which names have another meaning in which format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// LTSV: `host` is the client.
    Ltsv,
    /// JSON and user patterns: `host` is the server.
    Json,
    /// `rt=0.1 uct=...` behind a combined line.
    Tail,
}

/// The meaning of a name. Upper case, `-` and `.` do not matter.
pub(super) fn field_of(name: &str, dialect: Dialect) -> Field {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'@';
    if name.bytes().all(plain) {
        return by_name(name, dialect);
    }
    let mut buffer = [0u8; 64];
    let Some(lower) = buffer.get_mut(..name.len()) else { return Field::Extra };
    for (to, from) in lower.iter_mut().zip(name.bytes()) {
        *to = if matches!(from, b'-' | b'.' | b' ') { b'_' } else { from.to_ascii_lowercase() };
    }
    std::str::from_utf8(lower).map_or(Field::Extra, |lower| by_name(lower, dialect))
}

fn by_name(name: &str, dialect: Dialect) -> Field {
    match (dialect, name) {
        (Dialect::Ltsv, "host") => return Field::Remote,
        (Dialect::Tail, "rt") => return Field::Duration(Scale::Known(Unit::Seconds)),
        (Dialect::Tail, "urt") => return Field::Upstream(Scale::Known(Unit::Seconds)),
        (Dialect::Tail, "uct" | "uht") => return Field::Skip,
        _ => {}
    }
    common_name(name).or_else(|| duration_name(name)).or_else(|| rare_name(name)).unwrap_or(Field::Extra)
}

fn common_name(name: &str) -> Option<Field> {
    Some(match name {
        "time" | "timestamp" | "ts" | "time_local" | "time_iso8601" | "datetime" | "date_time" | "msec" | "date"
        | "start_time" | "startutc" | "start_utc" | "event_time" | "eventtime" | "requesttimeepoch" | "time_unix"
        | "asctime" | "request_timestamp" | "access_time" => Field::Time,
        "@timestamp" => Field::ShipperTime,
        "requesttime" => Field::RequestTime,
        "method"
        | "request_method"
        | "http_request_method"
        | "http_method"
        | "verb"
        | "httpmethod"
        | "requestmethod"
        | "httprequest_requestmethod"
        | "req_method" => Field::Method,
        "uri"
        | "request_uri"
        | "target"
        | "url"
        | "url_original"
        | "requesturi"
        | "req_url"
        | "http_url"
        | "httprequest_requesturl"
        | "http_target"
        | "resource"
        | "originalurl" => Field::Target,
        "path" | "url_path" | "request_path" | "requestpath" | "http_path" | "path_info" | "script_name"
        | "document_uri" => Field::Path,
        "request" | "req" | "request_line" | "http_request" => Field::Request,
        "status"
        | "status_code"
        | "http_response_status_code"
        | "http_status"
        | "http_status_code"
        | "statuscode"
        | "response_status"
        | "response_code"
        | "code"
        | "downstreamstatus"
        | "httprequest_status"
        | "res_statuscode"
        | "response_status_code"
        | "resp_status" => Field::Status,
        "bytes"
        | "size"
        | "body_bytes"
        | "body_bytes_sent"
        | "bytes_sent"
        | "http_response_body_bytes"
        | "http_response_bytes"
        | "bytes_out"
        | "response_size"
        | "response_length"
        | "responselength"
        | "downstreamcontentsize"
        | "httprequest_responsesize"
        | "content_length"
        | "sent_bytes" => Field::Bytes,
        "user_agent"
        | "ua"
        | "http_user_agent"
        | "useragent"
        | "agent"
        | "user_agent_original"
        | "request_headers_user_agent"
        | "request_user_agent"
        | "req_headers_user_agent"
        | "httprequest_useragent" => Field::Agent,
        "referer"
        | "referrer"
        | "http_referer"
        | "http_referrer"
        | "http_request_referrer"
        | "request_headers_referer"
        | "request_referer"
        | "req_headers_referer"
        | "httprequest_referer" => Field::Referer,
        _ => return None,
    })
}

fn duration_name(name: &str) -> Option<Field> {
    use Unit::{Micros, Millis, Nanos, Seconds};
    Some(match name {
        "request_time"
        | "reqtime"
        | "duration_s"
        | "duration_sec"
        | "duration_seconds"
        | "time_taken_s"
        | "runtime"
        | "taken_sec"
        | "request_time_s"
        | "total_time"
        | "request_duration"
        | "latency_s"
        | "latency_seconds"
        | "httprequest_latency" => Field::Duration(Scale::Known(Seconds)),
        "duration_ms"
        | "request_time_ms"
        | "elapsed_ms"
        | "latency_ms"
        | "response_time_ms"
        | "responsetime"
        | "time_taken_ms"
        | "took_ms"
        | "time_ms"
        | "responselatency"
        | "request_duration_ms" => Field::Duration(Scale::Known(Millis)),
        "duration_us"
        | "reqtime_microsec"
        | "request_time_us"
        | "latency_us"
        | "elapsed_us"
        | "response_time_us"
        | "time_us"
        | "request_time_microsec"
        | "duration_usec" => Field::Duration(Scale::Known(Micros)),
        "duration_ns" | "latency_ns" | "elapsed_ns" | "event_duration" => Field::Duration(Scale::Known(Nanos)),
        "duration" | "latency" | "elapsed" | "took" | "elapsed_time" | "time_taken" | "taken" => {
            Field::Duration(Scale::Learned)
        }
        "response_time" | "upstream_response_time" | "apptime" | "app_time" | "upstream_time" | "upstreamtime" => {
            Field::Upstream(Scale::Known(Seconds))
        }
        "upstream_response_time_ms" | "upstream_ms" => Field::Upstream(Scale::Known(Millis)),
        "originduration" => Field::Upstream(Scale::Known(Nanos)),
        _ => return None,
    })
}

fn rare_name(name: &str) -> Option<Field> {
    Some(match name {
        "remote_addr"
        | "remote_ip"
        | "client_ip"
        | "clientip"
        | "ip"
        | "remote"
        | "remote_host"
        | "remotehost"
        | "source_ip"
        | "client_address"
        | "client_addr"
        | "request_client_ip"
        | "request_remote_ip"
        | "request_remote_addr"
        | "clienthost"
        | "remoteip"
        | "remote_address"
        | "remoteaddr"
        | "addr"
        | "httprequest_remoteip"
        | "sourceip"
        | "client"
        | "clientaddr" => Field::Remote,
        "forwardedfor"
        | "x_forwarded_for"
        | "http_x_forwarded_for"
        | "forwarded_for"
        | "xff"
        | "request_headers_x_forwarded_for" => Field::Forwarded,
        "user" | "remote_user" | "user_id" | "userid" | "uid" | "user_name" | "username" | "clientusername" => {
            Field::User
        }
        "host" | "vhost" | "http_host" | "server_name" | "hostname" | "url_domain" | "request_host" | "requesthost"
        | "domain" | "domain_name" | "domainname" => Field::Host,
        "trace"
        | "trace_id"
        | "traceid"
        | "request_id"
        | "requestid"
        | "req_id"
        | "x_request_id"
        | "reqid"
        | "correlation_id"
        | "amzn_trace_id"
        | "http_x_amzn_trace_id"
        | "http_x_request_id" => Field::Trace,
        "authorization"
        | "http_authorization"
        | "proxy_authorization"
        | "request_headers_authorization"
        | "password"
        | "query"
        | "query_string"
        | "args"
        | "url_query"
        | "params"
        | "request_body"
        | "post"
        | "latency_human"
        | "startlocal"
        | "proto"
        | "protocol"
        | "server_protocol"
        | "http_version"
        | "request_proto"
        | "request_uri_query"
        | "set_cookie" => Field::Skip,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_a_field_is() {
        for (name, dialect, want) in [
            ("host", Dialect::Ltsv, Field::Remote),
            ("host", Dialect::Json, Field::Host),
            ("http.response.status_code", Dialect::Json, Field::Status),
            ("User-Agent", Dialect::Json, Field::Agent),
            ("@timestamp", Dialect::Json, Field::ShipperTime),
            ("reqtime_microsec", Dialect::Ltsv, Field::Duration(Scale::Known(Unit::Micros))),
            ("latency", Dialect::Json, Field::Duration(Scale::Learned)),
            ("rt", Dialect::Tail, Field::Duration(Scale::Known(Unit::Seconds))),
            ("rt", Dialect::Json, Field::Extra),
            ("Authorization", Dialect::Json, Field::Skip),
            ("tenant", Dialect::Json, Field::Extra),
        ] {
            assert_eq!(field_of(name, dialect), want, "{name}");
        }
        assert_eq!(field_of(&"x".repeat(100), Dialect::Json), Field::Extra);
    }
}
