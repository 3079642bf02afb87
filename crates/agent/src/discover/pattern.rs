//! Log formats of nginx and Apache as regular expressions with named groups.
//!
//! The names carry the unit (`request_time` is seconds, `duration_us` microseconds), so that nothing has to be guessed
//! later. Pure.

use std::fmt::Write;

const MAX_FORMAT: usize = 2048;
const MAX_PIECES: usize = 128;

/// Why a format can't become a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Nothing in it.
    #[error("the log format is empty")]
    Empty,
    /// Longer than anybody writes.
    #[error("the log format is longer than {MAX_FORMAT} bytes or has more than {MAX_PIECES} parts")]
    TooLong,
    /// The lines name their fields themselves.
    #[error("the log format writes JSON or LTSV, which needs no pattern")]
    SelfDescribing,
}

/// The two ways to write a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// `$remote_addr - $remote_user [$time_local]`
    Nginx,
    /// `%h %l %u %t`
    Apache,
}

#[derive(Debug, PartialEq)]
enum Piece {
    Text(String),
    /// A group name, or none for what nobody needs, and a fixed expression if the value has a shape of its own.
    Value(Option<&'static str>, Option<&'static str>),
}

const NUMBER: &str = r"-|[0-9.]+";
const LIST: &str = r"-|[0-9.]+(?:(?:, | : )(?:-|[0-9.]+))*|-(?:(?:, | : )(?:-|[0-9.]+))+";
/// Apache's `%t` brings its own brackets.
const BRACKETED: &str = "[";

/// A format as the text of a regular expression over a whole line.
///
/// Groups are named `time`, `request`, `method`, `path`, `target`, `status`, `bytes`, `request_time`, `duration_s`,
/// `duration_ms`, `duration_us`, `upstream_response_time`, `user_agent`, `referer`, `user` (the first cookie),
/// `remote_user`, `remote_addr`, `x_forwarded_for`, `host`, `trace_id`.
pub fn log_format_to_pattern(syntax: Syntax, format: &str) -> Result<String, FormatError> {
    let format = format.trim();
    if format.is_empty() {
        return Err(FormatError::Empty);
    }
    if format.len() > MAX_FORMAT {
        return Err(FormatError::TooLong);
    }
    if format.starts_with('{') || format.split(['\t', '\\']).next().is_some_and(is_labelled) {
        return Err(FormatError::SelfDescribing);
    }
    let pieces = match syntax {
        Syntax::Nginx => nginx_pieces(format),
        Syntax::Apache => apache_pieces(format),
    };
    if pieces.len() > MAX_PIECES {
        return Err(FormatError::TooLong);
    }
    Ok(assemble(&pieces))
}

/// `time:$time_local` or `time:%t` at the start: LTSV.
fn is_labelled(first: &str) -> bool {
    let label = first.split_once(':').map(|(label, _)| label);
    label.is_some_and(|label| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

fn assemble(pieces: &[Piece]) -> String {
    let mut pattern = String::from("^");
    let mut named: Vec<&str> = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => pattern.push_str(&regex::escape(text)),
            Piece::Value(name, shape) => {
                let next = match pieces.get(index + 1) {
                    Some(Piece::Text(text)) => text.chars().next(),
                    Some(Piece::Value(..)) => Some('\0'),
                    None => None,
                };
                let bracketed = *shape == Some(BRACKETED);
                let shape = match shape {
                    Some(_) if bracketed => r"[^\]]*",
                    Some(shape) => shape,
                    None => free_shape(next),
                };
                let name = name.filter(|name| !named.contains(name));
                named.extend(name);
                let open = name.map_or_else(|| "(?:".to_owned(), |name| format!("(?P<{name}>"));
                let (left, right) = if bracketed { (r"\[", r"\]") } else { ("", "") };
                // Writing to a string can't fail.
                let _ = write!(pattern, "{left}{open}{shape}){right}");
            }
        }
    }
    pattern.push('$');
    pattern
}

/// What a value may be made of, by what ends it.
fn free_shape(next: Option<char>) -> &'static str {
    match next {
        Some('"') => r#"(?:[^"\\]|\\.)*"#,
        Some(']') => r"[^\]]*",
        Some(' ') => r"\S*",
        Some('\t') => r"[^\t]*",
        Some(',') => r"[^,]*",
        Some('|') => r"[^|]*",
        Some(';') => r"[^;]*",
        None => ".*",
        Some(_) => ".*?",
    }
}

fn push_text(pieces: &mut Vec<Piece>, c: char) {
    if let Some(Piece::Text(text)) = pieces.last_mut() {
        text.push(c);
    } else {
        pieces.push(Piece::Text(c.to_string()));
    }
}

fn nginx_pieces(format: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if c == '$' {
            let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
            let (name, left) = braced.unwrap_or((&after[..end], &after[end..]));
            if !name.is_empty() {
                pieces.push(nginx_value(name));
                rest = left;
                continue;
            }
        }
        push_text(&mut pieces, c);
        rest = after;
    }
    pieces
}

fn nginx_value(name: &str) -> Piece {
    let (group, shape) = match name {
        "time_local" | "time_iso8601" | "msec" => ("time", None),
        "request" => ("request", None),
        "request_method" => ("method", None),
        "request_uri" => ("target", None),
        "uri" | "document_uri" => ("path", None),
        "status" => ("status", Some("[0-9]{3}")),
        "body_bytes_sent" | "bytes_sent" => ("bytes", Some(NUMBER)),
        "request_time" => ("request_time", Some(NUMBER)),
        "upstream_response_time" => ("upstream_response_time", Some(LIST)),
        "upstream_connect_time" | "upstream_header_time" => return Piece::Value(None, Some(LIST)),
        "http_user_agent" => ("user_agent", None),
        "http_referer" => ("referer", None),
        "http_x_forwarded_for" => ("x_forwarded_for", None),
        "remote_addr" => ("remote_addr", None),
        "remote_user" => ("remote_user", None),
        "host" | "http_host" | "server_name" => ("host", None),
        "request_id" | "http_x_request_id" | "http_x_amzn_trace_id" => ("trace_id", None),
        cookie if cookie.starts_with("cookie_") => ("user", None),
        _ => return Piece::Value(None, None),
    };
    Piece::Value(Some(group), shape)
}

fn apache_pieces(format: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some(c) = rest.chars().next() {
        let mut after = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                let escaped = after.chars().next().unwrap_or('\\');
                after = &after[after.chars().next().map_or(0, char::len_utf8)..];
                push_text(
                    &mut pieces,
                    match escaped {
                        't' => '\t',
                        'n' => '\n',
                        other => other,
                    },
                );
            }
            '%' if after.starts_with('%') => {
                push_text(&mut pieces, '%');
                after = &after[1..];
            }
            '%' => {
                let (value, left) = apache_value(after);
                pieces.push(value);
                after = left;
            }
            other => push_text(&mut pieces, other),
        }
        rest = after;
    }
    pieces
}

/// Reads `>s`, `!200,304{Referer}i` and the like behind a `%`.
fn apache_value(text: &str) -> (Piece, &str) {
    let text = text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '!' | ',' | '<' | '>'));
    let (argument, text) = text.strip_prefix('{').and_then(|rest| rest.split_once('}')).unwrap_or(("", text));
    let text = text.trim_start_matches(['<', '>']);
    let Some(directive) = text.chars().next() else { return (Piece::Value(None, None), "") };
    let left = text[directive.len_utf8()..].trim_start_matches("ti");
    let left = if directive == '^' { left } else { &text[directive.len_utf8()..] };
    let argument = argument.to_ascii_lowercase();
    let (group, shape) = match (directive, argument.as_str()) {
        ('t', "") => ("time", Some(BRACKETED)),
        ('t', _) => ("time", None),
        ('r', _) => ("request", None),
        ('m', _) => ("method", None),
        ('U', _) => ("path", None),
        ('s', _) => ("status", Some("[0-9]{3}")),
        ('b' | 'B' | 'O', _) => ("bytes", Some(NUMBER)),
        ('D', _) | ('T', "us") => ("duration_us", Some(NUMBER)),
        ('T', "ms") => ("duration_ms", Some(NUMBER)),
        ('T', _) => ("duration_s", Some(NUMBER)),
        ('i', "user-agent") => ("user_agent", None),
        ('i', "referer") => ("referer", None),
        ('i', "x-forwarded-for") => ("x_forwarded_for", None),
        ('i', "host") | ('v' | 'V', _) => ("host", None),
        ('i' | 'o', "x-request-id") | ('L', _) | ('e', "unique_id") => ("trace_id", None),
        ('h' | 'a', _) => ("remote_addr", None),
        ('u', _) => ("remote_user", None),
        ('C', _) => ("user", None),
        _ => return (Piece::Value(None, None), left),
    };
    (Piece::Value(Some(group), shape), left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use regex::Regex;

    fn fields(syntax: Syntax, format: &str, line: &str) -> Vec<(String, String)> {
        let regex = Regex::new(&log_format_to_pattern(syntax, format).unwrap()).unwrap();
        let captures = regex.captures(line).unwrap_or_else(|| panic!("{regex} does not match {line}"));
        let names = regex.capture_names().flatten();
        names.filter_map(|name| Some((name.to_owned(), captures.name(name)?.as_str().to_owned()))).collect()
    }

    fn field(fields: &[(String, String)], name: &str) -> String {
        fields.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}")).1.clone()
    }

    #[test]
    fn an_nginx_format_is_understood() {
        let format = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" rt=$request_time urt="$upstream_response_time" sid=${cookie_sid} $host"#;
        let line = r#"10.0.0.1 - - [22/Nov/2026:10:00:00 +0900] "GET /a?b=\x22 HTTP/1.1" 200 612 "-" "curl/8 (x)" rt=0.123 urt="0.100, 0.020 : -" sid=abc shop.example.com"#;
        let found = fields(Syntax::Nginx, format, line);
        for (name, want) in [
            ("time", "22/Nov/2026:10:00:00 +0900"),
            ("request", r"GET /a?b=\x22 HTTP/1.1"),
            ("status", "200"),
            ("bytes", "612"),
            ("user_agent", "curl/8 (x)"),
            ("request_time", "0.123"),
            ("upstream_response_time", "0.100, 0.020 : -"),
            ("user", "abc"),
            ("remote_user", "-"),
            ("host", "shop.example.com"),
        ] {
            assert_eq!(field(&found, name), want, "{name}");
        }
    }

    #[test]
    fn an_apache_format_is_understood() {
        let format = r#"%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\" %D %{ms}T %T %{sid}C %%"#;
        let line =
            r#"shop:80 10.0.0.1 - bob [22/Nov/2026:10:00:00 +0900] "GET /\"q HTTP/1.1" 404 99 "-" "a b" 1234 1 0 s1 %"#;
        let found = fields(Syntax::Apache, format, line);
        for (name, want) in [
            ("host", "shop"),
            ("remote_user", "bob"),
            ("time", "22/Nov/2026:10:00:00 +0900"),
            ("request", r#"GET /\"q HTTP/1.1"#),
            ("status", "404"),
            ("bytes", "99"),
            ("duration_us", "1234"),
            ("duration_ms", "1"),
            ("duration_s", "0"),
            ("user", "s1"),
        ] {
            assert_eq!(field(&found, name), want, "{name}");
        }
    }

    #[test]
    fn what_needs_no_pattern_gets_none() {
        for (format, want) in [
            ("", FormatError::Empty),
            (r#"{"time":"$time_iso8601"}"#, FormatError::SelfDescribing),
            (r"time:$time_local\thost:$remote_addr", FormatError::SelfDescribing),
            (&"x".repeat(5000), FormatError::TooLong),
            (&"$a ".repeat(300), FormatError::TooLong),
        ] {
            assert_eq!(log_format_to_pattern(Syntax::Nginx, format), Err(want), "{format}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_format_the_pattern_compiles(format in r#"[$%{}a-zA-Z_ "\\\[\]><,!0-9^ü]{0,60}"#) {
            for syntax in [Syntax::Nginx, Syntax::Apache] {
                if let Ok(pattern) = log_format_to_pattern(syntax, &format) {
                    prop_assert!(Regex::new(&pattern).is_ok(), "{}", pattern);
                }
            }
        }
    }
}
