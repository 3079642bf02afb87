//! A question about one request, written in CEL: `status < 500`, `duration_ms < 300 && method == "GET"`.
//!
//! The answer has three values. What a request does not say (a duration that was never logged, a missing attribute)
//! makes a comparison unknown, never true and never false; `&&`, `||` and `!` go on as in SQL: `false && unknown` is
//! false. `x == null` and `x != null` are always known.
//!
//! Compiled once: unknown names, wrong types and results that are no boolean are found then. Most conditions become a
//! tree of comparisons ([`Condition::is_native`]) which is evaluated without the CEL interpreter and can be said in
//! SQL; both give the same answers, and the tests compare them.

mod cel_side;
mod check;
mod native;
mod sql;
#[cfg(test)]
mod tests;

pub use check::{ConditionError, VARIABLES};

use native::Node;
use std::fmt;
use std::sync::Arc;

/// Longest condition, bytes.
pub const MAX_CONDITION_BYTES: usize = 2048;

/// What a condition can ask about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request<'a> {
    /// HTTP status.
    pub status: u16,
    /// Time the user waited, microseconds; unknown is `None`.
    pub duration_us: Option<u64>,
    /// HTTP method.
    pub method: &'a str,
    /// Method and path with placeholders.
    pub route: &'a str,
    /// Path without its query.
    pub path: &'a str,
    /// Host that answered.
    pub host: Option<&'a str>,
    /// `User-Agent` header.
    pub user_agent: Option<&'a str>,
    /// Service that answered.
    pub service: &'a str,
    /// Body bytes sent.
    pub bytes: Option<u64>,
    /// Further named fields.
    pub attrs: &'a [(&'a str, &'a str)],
}

/// What a condition says about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// The request does not say enough.
    Unknown,
}

impl From<Option<bool>> for Answer {
    fn from(known: Option<bool>) -> Self {
        match known {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::Unknown,
        }
    }
}

/// A compiled condition. Cheap to clone.
#[derive(Clone)]
pub struct Condition {
    text: Arc<str>,
    kind: Kind,
    asks_duration: bool,
}

#[derive(Clone)]
enum Kind {
    Native(Arc<Node>),
    Cel(Arc<cel_side::Interpreted>),
}

impl Condition {
    /// Compiles a condition, or says where it is wrong and what to write instead.
    pub fn compile(text: &str) -> Result<Self, ConditionError> {
        let parsed = check::parse(text)?;
        let kind = match native::translate(&parsed.expression) {
            Some(node) => Kind::Native(Arc::new(node)),
            None => Kind::Cel(Arc::new(cel_side::Interpreted::new(parsed.expression))),
        };
        Ok(Self { text: text.trim().into(), kind, asks_duration: parsed.asks_duration })
    }

    /// What the condition says about a request.
    pub fn answer(&self, request: &Request<'_>) -> Answer {
        match &self.kind {
            Kind::Native(node) => node.eval(request).into(),
            Kind::Cel(program) => program.eval(request).into(),
        }
    }

    /// The condition as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it asks for the duration, so that requests without one can be neither good nor bad.
    pub fn asks_duration(&self) -> bool {
        self.asks_duration
    }

    /// Whether it is evaluated as a tree of comparisons.
    pub fn is_native(&self) -> bool {
        matches!(self.kind, Kind::Native(_))
    }

    /// The same question about rows of the `requests` table, as a boolean SQL expression which is NULL where
    /// [`Condition::answer`] is [`Answer::Unknown`]. `None` where SQL can't say it.
    pub fn to_sql(&self) -> Option<String> {
        match &self.kind {
            Kind::Native(node) => sql::predicate(node),
            Kind::Cel(_) => None,
        }
    }

    #[cfg(test)]
    fn interpreted(text: &str) -> Result<Self, ConditionError> {
        let parsed = check::parse(text)?;
        let kind = Kind::Cel(Arc::new(cel_side::Interpreted::new(parsed.expression)));
        Ok(Self { text: text.into(), kind, asks_duration: parsed.asks_duration })
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({:?}, native: {})", self.text, self.is_native())
    }
}
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
