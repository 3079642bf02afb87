//! What came of a run: for people, for rules, and for the lake.

use base::Timestamp;
use schemars::JsonSchema;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Longest observed or expected text in a reason, bytes.
pub const MAX_SHOWN: usize = 200;
/// Most pieces of evidence.
pub const MAX_EVIDENCE: usize = 8;

/// What is wrong. The names never change: texts and rules stand on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhyCode {
    /// The name could not be resolved.
    Dns,
    /// No connection.
    Connect,
    /// No TLS, or no certificate to trust.
    Tls,
    /// The certificate ends too soon.
    Certificate,
    /// Nothing came in time.
    Timeout,
    /// The answer is no HTTP, or broke off.
    Http,
    /// An address which a check may not connect to.
    Address,
    /// More redirects than `follow` allows, or one that can't be followed.
    Redirect,
    /// The status.
    Status,
    /// A header.
    Header,
    /// A text that should be in the body is not.
    Contains,
    /// A text that should not be in the body is.
    NotContains,
    /// The body is no JSON.
    NotJson,
    /// A value in the JSON body.
    Json,
    /// A phase took longer than allowed.
    Slow,
    /// There was nothing to save.
    Save,
    /// A text of the request could not be made of the saved values.
    Variable,
    /// The name server's answer.
    Answer,
    /// No echo.
    Ping,
    /// This machine doesn't let the server send echo requests.
    NotAllowed,
    /// The job said that it failed.
    JobFailed,
    /// The job did not say anything in time.
    JobMissing,
    /// The server was not running when the job should have said something.
    NotWatched,
    /// An agent is to run it, and was never heard, or is silent.
    NoRunner,
}

impl WhyCode {
    /// Its name in the API and the lake.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Certificate => "certificate",
            Self::Timeout => "timeout",
            Self::Http => "http",
            Self::Address => "address",
            Self::Redirect => "redirect",
            Self::Status => "status",
            Self::Header => "header",
            Self::Contains => "contains",
            Self::NotContains => "not_contains",
            Self::NotJson => "not_json",
            Self::Json => "json",
            Self::Slow => "slow",
            Self::Save => "save",
            Self::Variable => "variable",
            Self::Answer => "answer",
            Self::Ping => "ping",
            Self::NotAllowed => "not_allowed",
            Self::JobFailed => "job_failed",
            Self::JobMissing => "job_missing",
            Self::NotWatched => "not_watched",
            Self::NoRunner => "no_runner",
        }
    }
}

/// A reason: what was expected, and what came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// Which kind.
    pub code: WhyCode,
    /// What should have been: `status 200`, `"$.total" = 3`. Empty where it goes without saying.
    pub expected: String,
    /// What came instead. Observed: cut, and never more than text.
    pub got: String,
}

impl Why {
    /// A reason.
    pub fn new(code: WhyCode, expected: impl AsRef<str>, got: impl AsRef<str>) -> Self {
        Self { code, expected: shown(expected.as_ref()), got: shown(got.as_ref()) }
    }

    /// The same with other texts, as when secrets are masked.
    pub fn map(self, change: impl Fn(&str) -> String) -> Self {
        Self { code: self.code, expected: change(&self.expected), got: change(&self.got) }
    }
}
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.expected.is_empty(), self.got.is_empty()) {
            (true, _) => f.write_str(&self.got),
            (false, true) => write!(f, "expected {}", self.expected),
            (false, false) => write!(f, "expected {}, got {}", self.expected, self.got),
        }
    }
}
impl Serialize for Why {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut object = out.serialize_struct("Why", 4)?;
        object.serialize_field("code", &self.code)?;
        object.serialize_field("expected", &self.expected)?;
        object.serialize_field("got", &self.got)?;
        object.serialize_field("text", &self.to_string())?;
        object.end()
    }
}

impl<'de> Deserialize<'de> for Why {
    /// Texts are cut again: whoever sent them may not have.
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Sent {
            code: WhyCode,
            expected: String,
            got: String,
        }
        let Sent { code, expected, got } = Sent::deserialize(input)?;
        Ok(Self::new(code, expected, got))
    }
}

/// A text as it may be shown: one line, without control characters, cut.
pub fn shown(text: &str) -> String {
    let clean = |c: char| if c.is_control() || is_direction(c) { ' ' } else { c };
    // Cut before it is copied: what came may be a megabyte.
    let head = &text[..text.floor_char_boundary(MAX_SHOWN * 2)];
    let mut out = String::with_capacity(head.len());
    for word in head.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().map(clean));
    }
    if out.len() > MAX_SHOWN || head.len() < text.len() {
        out.truncate(out.floor_char_boundary(MAX_SHOWN - '…'.len_utf8()));
        out.push('…');
    }
    out
}

/// Marks that turn the direction of a text make it read as something else.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// How long each part took, microseconds. A part that did not happen has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Phases {
    /// Resolving the name.
    pub dns_us: Option<u64>,
    /// Connecting.
    pub connect_us: Option<u64>,
    /// The TLS handshake.
    pub tls_us: Option<u64>,
    /// From the request to the first byte of the answer.
    pub first_byte_us: Option<u64>,
    /// All of it, the body included.
    pub total_us: Option<u64>,
}

impl Phases {
    /// Adds those of a further exchange, as of a redirect.
    pub fn add(&mut self, other: &Self) {
        let sum = |into: &mut Option<u64>, other: Option<u64>| {
            if let Some(other) = other {
                *into = Some(into.unwrap_or(0).saturating_add(other));
            }
        };
        sum(&mut self.dns_us, other.dns_us);
        sum(&mut self.connect_us, other.connect_us);
        sum(&mut self.tls_us, other.tls_us);
        sum(&mut self.first_byte_us, other.first_byte_us);
        sum(&mut self.total_us, other.total_us);
    }
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepResult {
    /// `GET https://shop.example/cart`; never with values of variables.
    pub name: String,
    /// Whether everything was as expected.
    pub ok: bool,
    /// What was not.
    pub why: Option<Why>,
    /// Status of the answer.
    pub status: Option<u16>,
    /// The address that was talked to.
    pub address: Option<String>,
    /// How long it took.
    #[serde(flatten)]
    pub phases: Phases,
    /// When the certificate ends.
    pub certificate_ends: Option<Timestamp>,
}

/// Something that was tried to find out whether this machine's own network works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What was tried: `gateway 192.0.2.1`, `target of check buy (203.0.113.9:443)`.
    pub tried: String,
    /// What came of it.
    pub found: String,
    /// Whether it could be reached.
    pub reached: bool,
}

/// The verdict of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything as expected.
    Ok,
    /// Not so.
    Failed {
        /// Which step, from 0.
        step: usize,
        /// What was wrong.
        why: Why,
    },
    /// It can't be said, because what is missing may be missing here.
    Unknown {
        /// What happened.
        why: Why,
        /// What was tried.
        evidence: Vec<Evidence>,
    },
}

/// Where a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Something is wrong. A heartbeat: the job failed or is missing.
    Failed,
    /// It can't be said.
    Unknown,
    /// A heartbeat is due, and its grace is not over.
    Late,
    /// Not looked at yet.
    Pending,
    /// As it should be.
    Ok,
}

impl Status {
    /// Its name in the API and the lake.
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Late => "late",
            Self::Pending => "pending",
            Self::Ok => "ok",
        }
    }

    /// The status with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Failed, Self::Unknown, Self::Late, Self::Pending, Self::Ok].into_iter().find(|one| one.name() == name)
    }
}

/// A whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// When it began.
    pub at: Timestamp,
    /// Where it ran: `server`, or an agent's name.
    pub from: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The verdict.
    pub outcome: Outcome,
    /// The steps of the last attempt, up to the one that failed.
    pub steps: Vec<StepResult>,
}

impl RunResult {
    /// Where the check stands after it.
    pub fn status(&self) -> Status {
        match self.outcome {
            Outcome::Ok => Status::Ok,
            Outcome::Failed { .. } => Status::Failed,
            Outcome::Unknown { .. } => Status::Unknown,
        }
    }

    /// All steps together, microseconds.
    pub fn total_us(&self) -> Option<u64> {
        self.steps.iter().filter_map(|step| step.phases.total_us).reduce(u64::saturating_add)
    }

    /// Steps that count for an objective: good ones, and all. What can't be said counts for nothing.
    pub fn counts(&self) -> (u32, u32) {
        if self.status() == Status::Unknown {
            return (0, 0);
        }
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        (count(self.steps.iter().filter(|step| step.ok).count()), count(self.steps.len()))
    }

    /// The same as it may be stored when another machine sent it: every text and every list is cut.
    #[must_use]
    pub fn received(mut self, from: &str, at: Timestamp) -> Self {
        (self.from, self.at) = (from.to_owned(), at);
        self.attempts = self.attempts.min(100);
        self.steps.truncate(super::spec::MAX_STEPS);
        let cut = |evidence: &mut Evidence| {
            evidence.tried = shown(&evidence.tried);
            evidence.found = shown(&evidence.found);
        };
        match &mut self.outcome {
            Outcome::Ok => {}
            Outcome::Failed { step, .. } => *step = (*step).min(self.steps.len().saturating_sub(1)),
            Outcome::Unknown { evidence, .. } => {
                evidence.truncate(MAX_EVIDENCE);
                evidence.iter_mut().for_each(cut);
            }
        }
        for step in &mut self.steps {
            step.name = shown(&step.name);
            step.address = step.address.take().map(|address| shown(&address));
            step.certificate_ends = step.certificate_ends.filter(|ends| ends.is_in_calendar());
        }
        self
    }

    /// What is wrong.
    pub fn why(&self) -> Option<&Why> {
        match &self.outcome {
            Outcome::Ok => None,
            Outcome::Failed { why, .. } | Outcome::Unknown { why, .. } => Some(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_reason_says_what_was_expected_and_what_came() {
        for (expected, got, want) in [
            ("status 200", "503", "expected status 200, got 503"),
            ("", "no route to host", "no route to host"),
            ("an answer within 10s", "", "expected an answer within 10s"),
        ] {
            assert_eq!(Why::new(WhyCode::Status, expected, got).to_string(), want);
        }
        let json = serde_json::to_value(Why::new(WhyCode::NotJson, "JSON", "<html>")).unwrap();
        let want = serde_json::json!({"code": "not_json", "expected": "JSON", "got": "<html>",
            "text": "expected JSON, got <html>"});
        assert_eq!(json, want);
    }

    #[test]
    fn names_in_json_are_those_of_the_lake() {
        for status in [Status::Failed, Status::Unknown, Status::Late, Status::Pending, Status::Ok] {
            assert_eq!(serde_json::to_value(status).unwrap(), status.name());
            assert_eq!(Status::parse(status.name()), Some(status));
        }
        for code in [WhyCode::NotJson, WhyCode::JobMissing, WhyCode::NoRunner, WhyCode::Dns] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
    }

    #[test]
    fn observed_text_is_one_short_line() {
        assert_eq!(shown("a\r\n\tb\u{0}c\u{202e}d"), "a b c d");
        let long = shown(&"あ".repeat(1 << 20));
        assert!(long.len() <= MAX_SHOWN && long.ends_with('…'), "{long}");
        assert_eq!(shown(""), "");
    }

    #[test]
    fn phases_of_redirects_add_up() {
        let mut phases = Phases { dns_us: Some(1), total_us: Some(10), ..Phases::default() };
        phases.add(&Phases { dns_us: Some(2), tls_us: Some(5), total_us: Some(u64::MAX), ..Phases::default() });
        assert_eq!((phases.dns_us, phases.connect_us, phases.tls_us), (Some(3), None, Some(5)));
        assert_eq!(phases.total_us, Some(u64::MAX));
    }

    proptest! {
        #[test]
        fn whatever_came_is_shown_short_and_in_one_line(text in "\\PC{0,500}|[\\s\\x00-\\x7f]{0,500}") {
            let shown = shown(&text);
            prop_assert!(shown.len() <= MAX_SHOWN);
            prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
