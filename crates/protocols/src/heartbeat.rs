//! Heartbeats in the form of Healthchecks: `/ping/{id}`, `/ping/{id}/start`, `/fail`, `/log` and `/{exit code}`; and in
//! that of Uptime Kuma: `/api/push/{id}?status=up&msg=OK&ping=12`.
//!
//! Says only what one ping means. Whether a heartbeat is late, or known at all, is the caller's to know.

use crate::access::redact_within;
use crate::lenient::{Fields, cut};
use crate::observed::{EventRecord, Observer};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// The kind of the event.
pub const KIND: &str = "heartbeat";
/// Most bytes of a body that are kept.
pub const MAX_BODY: usize = 10_000;
/// Longest id, bytes.
const MAX_ID: usize = 64;

/// What a ping says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The job ran and did what it should.
    Ok,
    /// The job started.
    Start,
    /// The job failed.
    Fail,
    /// A note, which says nothing about how it went.
    Log,
    /// The job ended with this exit code.
    Exit(u8),
}

impl Signal {
    /// The state of the event: `ok`, `start` or `fail`; none for a note.
    pub const fn state(self) -> Option<&'static str> {
        match self {
            Self::Ok | Self::Exit(0) => Some("ok"),
            Self::Start => Some("start"),
            Self::Fail | Self::Exit(1..) => Some("fail"),
            Self::Log => None,
        }
    }
}

/// One ping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping<'a> {
    /// Which heartbeat.
    pub id: &'a str,
    /// What it says.
    pub signal: Signal,
    /// Id of the run (`?rid=`), which joins a start and its end.
    pub run_id: Option<&'a str>,
}

/// Why an address is no ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PingError {
    /// No id, or one that can't be one.
    #[error("the id of a heartbeat is 1 to {MAX_ID} letters, digits, - or _")]
    BadId,
    /// Something else behind the id.
    #[error("behind the id stands nothing, start, fail, log, or an exit code from 0 to 255")]
    BadSignal,
    /// A push with another status.
    #[error("the status of a push is up or down")]
    BadStatus,
}

impl<'a> Ping<'a> {
    /// Reads what stands behind `/ping/`, and the query without its `?`.
    pub fn parse(path: &'a str, query: Option<&'a str>) -> Result<Self, PingError> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let (id, signal) = path.split_once('/').unwrap_or((path, ""));
        if id.len() > MAX_ID || !is_id(id) {
            return Err(PingError::BadId);
        }
        let signal = match signal {
            "" => Signal::Ok,
            "start" => Signal::Start,
            "fail" => Signal::Fail,
            "log" => Signal::Log,
            code if code.bytes().all(|b| b.is_ascii_digit()) => {
                Signal::Exit(code.parse().map_err(|_| PingError::BadSignal)?)
            }
            _ => return Err(PingError::BadSignal),
        };
        let run_id = query.into_iter().flat_map(|query| query.split('&')).find_map(|pair| pair.strip_prefix("rid="));
        Ok(Self { id, signal, run_id: run_id.filter(|run| run.len() <= MAX_ID && is_id(run)) })
    }

    /// Hands the ping over. Of the body at most [`MAX_BODY`] bytes are kept, with secrets masked.
    pub fn observe(&self, body: &[u8], observer: &mut impl Observer) {
        self.hand_over(Fields::default(), body, observer);
    }

    fn hand_over(&self, mut fields: Fields<'a>, body: &[u8], observer: &mut impl Observer) {
        if let Signal::Exit(code) = self.signal {
            fields.push("exit_code", code.to_string());
        }
        fields.push_some("run_id", self.run_id.map(Cow::Borrowed));
        if self.signal == Signal::Log {
            fields.push("note", "true");
        }
        let body = redacted(body);
        if !body.is_empty() {
            fields.push("body", body);
        }
        observer.event(EventRecord {
            kind: KIND,
            name: Cow::Borrowed(self.id),
            state: self.signal.state().map(Cow::Borrowed),
            fields: fields.finish(),
            ..EventRecord::default()
        });
    }
}

/// One call of Uptime Kuma's push monitors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push<'a> {
    /// The ping that it is.
    pub ping: Ping<'a>,
    message: String,
    response_ms: Option<&'a str>,
}

impl<'a> Push<'a> {
    /// Reads what stands behind `/api/push/`, and the query without its `?`. Without a status it is up, as Kuma has it.
    pub fn parse(id: &'a str, query: Option<&'a str>) -> Result<Self, PingError> {
        if id.len() > MAX_ID || !is_id(id) {
            return Err(PingError::BadId);
        }
        let said = |name: &str| {
            let mut pairs =
                query.into_iter().flat_map(|query| query.split('&')).filter_map(|pair| pair.split_once('='));
            pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
        };
        let signal = match said("status") {
            None | Some("" | "up") => Signal::Ok,
            Some("down") => Signal::Fail,
            Some(_) => return Err(PingError::BadStatus),
        };
        // Forms write a blank as `+`.
        let message = said("msg").unwrap_or_default().replace('+', " ");
        let message = percent_decode_str(&message).decode_utf8_lossy().into_owned();
        let is_number = |ms: &&str| ms.parse().is_ok_and(|ms: f64| ms.is_finite() && ms >= 0.0);
        let response_ms = said("ping").filter(is_number);
        Ok(Self { ping: Ping { id, signal, run_id: None }, message, response_ms })
    }

    /// Hands it over as a ping, with its message for a body.
    pub fn observe(&self, observer: &mut impl Observer) {
        let mut fields = Fields::default();
        fields.push_some("response_ms", self.response_ms.map(Cow::Borrowed));
        self.ping.hand_over(fields, self.message.as_bytes(), observer);
    }
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The start of a body, line by line: a secret's label masks the rest of its own line only.
fn redacted(body: &[u8]) -> String {
    let body = &body[..body.len().min(MAX_BODY)];
    let lines: Vec<_> = body.split(|byte| *byte == b'\n').map(|line| redact_within(line, MAX_BODY)).collect();
    // Masks and U+FFFD may be longer than what they stand for.
    cut(lines.join("\n").trim(), MAX_BODY).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seen::Seen;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn an_address_says_how_a_job_went() {
        let id = "0b7a0d5c-5d0f-4b3e-9a54-0f5d2f1c9a11";
        let rid = "9c2d3c9e-02a4-4d0e-9a3f-0123456789ab";
        for (path, query, want) in [
            (id.to_owned(), None, Ok((Signal::Ok, Some("ok"), None))),
            (format!("{id}/"), None, Ok((Signal::Ok, Some("ok"), None))),
            (format!("{id}/start"), Some(format!("rid={rid}")), Ok((Signal::Start, Some("start"), Some(rid)))),
            (format!("{id}/fail"), Some("a=b&rid=x y".to_owned()), Ok((Signal::Fail, Some("fail"), None))),
            (format!("{id}/log"), None, Ok((Signal::Log, None, None))),
            (format!("{id}/0"), None, Ok((Signal::Exit(0), Some("ok"), None))),
            (format!("{id}/255"), None, Ok((Signal::Exit(255), Some("fail"), None))),
            (format!("{id}/256"), None, Err(PingError::BadSignal)),
            (format!("{id}/-1"), None, Err(PingError::BadSignal)),
            (format!("{id}/start/again"), None, Err(PingError::BadSignal)),
            ("nightly_backup".to_owned(), None, Ok((Signal::Ok, Some("ok"), None))),
            (String::new(), None, Err(PingError::BadId)),
            ("../etc".to_owned(), None, Err(PingError::BadId)),
            ("a%2fb".to_owned(), None, Err(PingError::BadId)),
            ("x".repeat(65), None, Err(PingError::BadId)),
        ] {
            let got = Ping::parse(&path, query.as_deref()).map(|ping| (ping.signal, ping.signal.state(), ping.run_id));
            assert_eq!(got, want, "{path}");
        }
    }

    #[test]
    fn a_ping_is_an_event_without_secrets() {
        for (case, path, body, want) in [
            ("nothing said", "b", &b""[..], json!({ "kind": "heartbeat", "name": "b", "state": "ok" })),
            (
                "an exit code and its output",
                "b/3",
                b"copied 7 files\npassword: hunter2\r\nfrom taro@shop.example\n",
                json!({ "kind": "heartbeat", "name": "b", "state": "fail", "fields": { "exit_code": "3",
                    "body": "copied 7 files\npassword: *** \nfrom ***@shop.example" } }),
            ),
            (
                "a note",
                "b/log",
                b"x",
                json!({ "kind": "heartbeat", "name": "b", "fields": { "note": "true", "body": "x" } }),
            ),
        ] {
            let mut seen = Seen::default();
            Ping::parse(path, None).unwrap().observe(body, &mut seen);
            assert_eq!(seen.of("event"), [&want], "{case}");
        }
        let mut seen = Seen::default();
        Ping::parse("b", None).unwrap().observe(&vec![0xff; 1 << 20], &mut seen);
        assert!(seen.of("event")[0]["fields"]["body"].as_str().unwrap().len() <= MAX_BODY);
    }

    #[test]
    fn a_push_of_uptime_kuma_is_a_ping() {
        let event = |state: &str, fields: serde_json::Value| json!({ "kind": "heartbeat", "name": "aBc-1", "state": state, "fields": fields });
        for (query, want) in [
            (Some("status=up&msg=OK&ping=12.5"), Ok(event("ok", json!({ "response_ms": "12.5", "body": "OK" })))),
            (
                Some("status=down&msg=disk+full%3A+%E6%B1%BA%E6%B8%88&ping="),
                Ok(event("fail", json!({ "body": "disk full: 決済" }))),
            ),
            (Some("msg=password%3Dhunter2"), Ok(event("ok", json!({ "body": "password=***" })))),
            (Some("status=&ping=NaN"), Ok(json!({ "kind": "heartbeat", "name": "aBc-1", "state": "ok" }))),
            (None, Ok(json!({ "kind": "heartbeat", "name": "aBc-1", "state": "ok" }))),
            (Some("status=maybe"), Err(PingError::BadStatus)),
        ] {
            let got = Push::parse("aBc-1", query).map(|push| {
                let mut seen = Seen::default();
                push.observe(&mut seen);
                seen.of("event")[0].clone()
            });
            assert_eq!(got, want, "{query:?}");
        }
        assert_eq!(Push::parse("a/b", None), Err(PingError::BadId));
        assert_eq!(Push::parse("", None), Err(PingError::BadId));
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(path in "\\PC{0,30}|[a-z0-9/]{0,12}", query in "\\PC{0,30}", body in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(ping) = Ping::parse(&path, Some(&query)) {
                ping.observe(&body, &mut Seen::default());
            }
            if let Ok(push) = Push::parse(&path, Some(&query)) {
                push.observe(&mut Seen::default());
            }
        }
    }
}
