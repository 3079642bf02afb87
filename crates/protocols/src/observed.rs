//! What decoders hand over, record by record, and why they refuse one.
//!
//! A decoder knows its protocol and nothing of services, limits or storage: it calls an [`Observer`] for each record, in
//! the order of the bytes, and reports each one that it can't read. Nothing is dropped without being counted.

use base::Timestamp;
use serde::Serialize;
use signal::AccessRecord;
use signal::log::Severity;
use std::borrow::Cow;

/// A named field.
pub type Field<'a> = (Cow<'a, str>, Cow<'a, str>);

/// One line or structured record of a program.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogRecord<'a> {
    /// When it was said; missing, it is when it arrived.
    pub ts: Option<Timestamp>,
    /// What the sender calls its program: `service.name`, tag, index, app name. A rule makes a service's name of it.
    pub service: Option<Cow<'a, str>>,
    /// Machine it ran on.
    pub host: Option<Cow<'a, str>>,
    /// How grave it is.
    pub severity: Option<Severity>,
    /// What was said.
    pub body: Cow<'a, str>,
    /// Trace that it belongs to, lower-case hex.
    pub trace_id: Option<Cow<'a, str>>,
    /// Everything else. Numbers as JSON writes them, lists and objects as JSON.
    pub fields: Vec<Field<'a>>,
}

/// One step of a trace.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SpanRecord<'a> {
    /// When it started.
    pub ts: Option<Timestamp>,
    /// What the sender calls its program.
    pub service: Option<Cow<'a, str>>,
    /// Machine it ran on.
    pub host: Option<Cow<'a, str>>,
    /// 32 lower-case hex digits.
    pub trace_id: Cow<'a, str>,
    /// 16 lower-case hex digits.
    pub span_id: Cow<'a, str>,
    /// The span that caused it.
    pub parent_id: Option<Cow<'a, str>>,
    /// What was done.
    pub name: Cow<'a, str>,
    /// `internal`, `server`, `client`, `producer` or `consumer`.
    pub kind: &'static str,
    /// `ok` or `error`, when the sender said so.
    pub status: Option<&'static str>,
    /// How long it took, microseconds.
    pub duration_us: Option<u64>,
    /// Everything else.
    pub fields: Vec<Field<'a>>,
}

/// One measured value of a series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SampleRecord<'a> {
    /// When it was measured; missing, it is when it arrived.
    pub ts: Option<Timestamp>,
    /// What the sender calls its program, job or service.
    pub service: Option<Cow<'a, str>>,
    /// Machine it was measured on.
    pub host: Option<Cow<'a, str>>,
    /// What was measured.
    pub name: Cow<'a, str>,
    /// The value.
    pub value: f64,
    /// The labels of the series.
    pub labels: Vec<Field<'a>>,
}

/// A person as an error tracker's client names them. Never stored: only a keyed hash of one of these is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PersonHint<'a> {
    /// The application's id of the person.
    pub id: Option<Cow<'a, str>>,
    /// Their e-mail address.
    pub email: Option<Cow<'a, str>>,
    /// Their user name.
    pub name: Option<Cow<'a, str>>,
    /// Their address.
    pub address: Option<Cow<'a, str>>,
}

/// A place in a program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame<'a> {
    /// Function, with its module or class where the sender says one.
    pub function: Cow<'a, str>,
    /// File.
    pub file: Cow<'a, str>,
    /// Line, when known.
    pub line: Option<u32>,
    /// Whether it is the application's own code rather than a library's; `None` when the sender does not say.
    pub own: Option<bool>,
}

/// One exception.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorRecord<'a> {
    /// When it happened; missing, it is when it arrived.
    pub ts: Option<Timestamp>,
    /// What the sender calls its program.
    pub service: Option<Cow<'a, str>>,
    /// Machine it happened on.
    pub host: Option<Cow<'a, str>>,
    /// Class of the exception.
    pub kind: Cow<'a, str>,
    /// What it said.
    pub message: Cow<'a, str>,
    /// How grave it is.
    pub severity: Option<Severity>,
    /// Version of the program.
    pub release: Option<Cow<'a, str>>,
    /// `production`, `staging`, ...
    pub environment: Option<Cow<'a, str>>,
    /// Whom it happened to.
    pub person: Option<PersonHint<'a>>,
    /// Trace that it belongs to, lower-case hex.
    pub trace_id: Option<Cow<'a, str>>,
    /// Frames, innermost first.
    pub frames: Vec<Frame<'a>>,
    /// What the sender wants it grouped by instead of its own type, message and frames.
    pub grouping: Vec<Cow<'a, str>>,
    /// Everything else.
    pub fields: Vec<Field<'a>>,
}

/// Something that happened: a heartbeat, an alert of another program, a session.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EventRecord<'a> {
    /// When it happened; missing, it is when it arrived.
    pub ts: Option<Timestamp>,
    /// What the sender calls its program.
    pub service: Option<Cow<'a, str>>,
    /// Machine it concerns.
    pub host: Option<Cow<'a, str>>,
    /// `heartbeat`, `alert.received`, `session`, ...
    pub kind: &'static str,
    /// What it is about.
    pub name: Cow<'a, str>,
    /// How it went: `ok`, `fail`, `firing`, `resolved`, ...
    pub state: Option<Cow<'a, str>>,
    /// Everything else.
    pub fields: Vec<Field<'a>>,
}

/// One request to a service: an access-log line inside another protocol, or a server span.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RequestRecord<'a> {
    /// What the sender calls its program.
    pub service: Option<Cow<'a, str>>,
    /// The path with placeholders, when the sender knows it (`/items/{id}`).
    pub route: Option<Cow<'a, str>>,
    /// The request itself.
    pub access: AccessRecord<'a>,
}

/// Takes what decoders find.
pub trait Observer {
    /// A log record.
    fn log(&mut self, record: LogRecord<'_>);
    /// A span.
    fn span(&mut self, record: SpanRecord<'_>);
    /// A sample.
    fn sample(&mut self, record: SampleRecord<'_>);
    /// An exception.
    fn error(&mut self, record: ErrorRecord<'_>);
    /// An event.
    fn event(&mut self, record: EventRecord<'_>);
    /// A request.
    fn request(&mut self, record: RequestRecord<'_>);
    /// A record that can't be read; `bytes` are (the start of) what it looked like.
    fn refuse(&mut self, why: Refusal, bytes: &[u8]);
    /// How many of the records that were handed over it did not take, because one of its own limits was reached. It has
    /// counted them; a decoder that answers its sender record by record says so.
    fn declined(&self) -> u64 {
        0
    }
}

/// Why one record was refused while its neighbours were taken. [`Refusal::reason`] never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// It is no object of named fields.
    #[error("the record is no map of named fields")]
    NotAMap,
    /// It is no JSON.
    #[error("the record is no JSON")]
    NotJson,
    /// Its time can't be read or lies outside the years 1 to 9999.
    #[error("the time can't be read or lies outside the years 1 to 9999")]
    BadTime,
    /// It is longer than 1 MiB.
    #[error("the record is longer than 1 MiB")]
    TooLong,
    /// It nests deeper than 32 levels.
    #[error("the record nests deeper than 32 levels")]
    TooDeep,
    /// It is not what the protocol says.
    #[error("the record does not follow its protocol")]
    Malformed,
    /// A trace or span id is missing or has another length.
    #[error("the trace or span id is missing or has the wrong length")]
    BadId,
    /// A value is no number.
    #[error("the value is no number")]
    BadValue,
    /// A name is missing or can't be one.
    #[error("the name is missing or has characters that a name can't have")]
    BadName,
    /// An action that is not offered, such as changing what was stored.
    #[error("only new records are taken: nothing that was stored is changed or deleted")]
    ReadOnly,
    /// A kind of item that is not stored here.
    #[error("this kind of item is not stored here")]
    Unknown,
    /// The receiver is full of its kind: too many series, or a service that is being deleted.
    #[error("a limit of the receiver was reached; its sources page says which")]
    OverLimit,
}

impl Refusal {
    /// The stable name.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NotAMap => "not_a_map",
            Self::NotJson => "not_json",
            Self::BadTime => "bad_time",
            Self::TooLong => "too_long",
            Self::TooDeep => "too_deep",
            Self::Malformed => "malformed",
            Self::BadId => "bad_id",
            Self::BadValue => "bad_value",
            Self::BadName => "bad_name",
            Self::ReadOnly => "read_only",
            Self::Unknown => "unknown",
            Self::OverLimit => "over_limit",
        }
    }
}

impl Serialize for Refusal {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.reason())
    }
}

/// Why a whole body or message was refused: it can't be cut into records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It does not follow the protocol.
    #[error("{what} at byte {at}")]
    Malformed {
        /// What was found, or was expected and missing.
        what: String,
        /// Where.
        at: usize,
    },
    /// More of something than is taken.
    #[error("more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are taken.
        limit: usize,
    },
    /// A version or encoding that is not read here.
    #[error("{0} is not read here")]
    Unsupported(String),
}

/// Deepest nesting of what is decoded.
pub const MAX_DEPTH: usize = 32;
/// Longest record, bytes.
pub const MAX_RECORD: usize = 1 << 20;
/// Most records in one body.
pub const MAX_RECORDS: usize = 1_000_000;
