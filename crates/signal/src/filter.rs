//! The filter box: `status>=500 route:"POST /cart" duration>1s` as a tree that says yes or no to one request.
//!
//! | written | means |
//! |---|---|
//! | `cart` or `"two words"` | path or route contains it, upper and lower case alike |
//! | `service:shop` | exactly this text; `*` stands for any text, `\*` for a star |
//! | `status>=500`, `duration>1s`, `bytes<4KiB` | numbers; a bare duration is in milliseconds |
//! | `host=a`, `host!=a` | the same as `:`; known and different |
//! | `a b`, `a AND b`, `a OR b`, `NOT a`, `-a`, `( )` | `OR` binds weakest |
//!
//! Fields are `service host method route path status duration bytes user trace source`; any other name is a key of
//! `attrs`. Two-valued: a comparison with an unknown value is false, and `NOT x` is every row that does not match `x`.
//!
//! Pure, and bounded in length, depth and number of terms. It never becomes text of another language: who evaluates it
//! elsewhere walks the tree.

mod parse;
mod pattern;
mod record;

pub use parse::{FilterError, Problem};
pub use pattern::{Pattern, contains_folded, fold};
pub use record::{RequestRecord, records};

use std::str::FromStr;

/// Longest filter, bytes.
pub const MAX_FILTER_BYTES: usize = 4096;
/// Deepest nesting of parentheses and `NOT`.
pub const MAX_DEPTH: usize = 32;
/// Most terms.
pub const MAX_TERMS: usize = 64;

/// A parsed filter. Without terms it matches every row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    root: Option<Node>,
}

/// A part of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Every part matches.
    All(Vec<Node>),
    /// At least one part matches.
    Any(Vec<Node>),
    /// The part does not match.
    Not(Box<Node>),
    /// One question.
    Term(Term),
}

/// One question about a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// Path or route contains this text, which is folded (see [`fold`]).
    Anywhere(String),
    /// The text of a field fits (or, when `different`, is known and does not fit).
    Text {
        /// Which field.
        field: TextField,
        /// What it has to look like.
        pattern: Pattern,
        /// `!=`.
        different: bool,
    },
    /// The number of a field compares so.
    Number {
        /// Which field.
        field: NumberField,
        /// How.
        compare: Compare,
        /// With what: a status, microseconds, bytes.
        value: i64,
    },
}

/// A field that holds text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TextField {
    /// Service that answered.
    Service,
    /// Host that answered.
    Host,
    /// HTTP method, in upper case.
    Method,
    /// Method and path with placeholders.
    Route,
    /// Path without its query.
    Path,
    /// Keyed hash of who asked.
    User,
    /// Trace or request id.
    Trace,
    /// Where the row came from.
    Source,
    /// A further named field.
    Attr(String),
}

/// A field that holds a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberField {
    /// HTTP status.
    Status,
    /// Time the user waited, microseconds.
    Duration,
    /// Body bytes sent.
    Bytes,
}

/// How numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `>=`
    AtLeast,
    /// `>`
    Greater,
}

/// A field as people name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// Text.
    Text(TextField),
    /// A number.
    Number(NumberField),
}

impl Field {
    /// The field with this name; a name that is no column is a key of `attrs`.
    pub fn named(name: &str) -> Self {
        Self::Text(match name {
            "status" => return Self::Number(NumberField::Status),
            "duration" => return Self::Number(NumberField::Duration),
            "bytes" => return Self::Number(NumberField::Bytes),
            "service" => TextField::Service,
            "host" => TextField::Host,
            "method" => TextField::Method,
            "route" => TextField::Route,
            "path" => TextField::Path,
            "user" => TextField::User,
            "trace" => TextField::Trace,
            "source" => TextField::Source,
            other => TextField::Attr(other.to_owned()),
        })
    }
}

impl Compare {
    /// Whether `left` compares so with `right`.
    pub fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::AtLeast => left >= right,
            Self::Greater => left > right,
        }
    }
}

impl Filter {
    /// The tree; `None` matches every row.
    pub fn root(&self) -> Option<&Node> {
        self.root.as_ref()
    }

    /// Whether it matches every row.
    pub fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// Whether the row matches.
    pub fn matches(&self, record: &RequestRecord) -> bool {
        self.root.as_ref().is_none_or(|node| node.matches(record))
    }

    /// Rows that match both.
    pub fn and(self, other: Self) -> Self {
        match (self.root, other.root) {
            (Some(left), Some(right)) => Self { root: Some(Node::All(vec![left, right])) },
            (left, right) => Self { root: left.or(right) },
        }
    }
}

impl From<Node> for Filter {
    fn from(node: Node) -> Self {
        Self { root: Some(node) }
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self { root: parse::parse(text)? })
    }
}

impl Node {
    fn matches(&self, record: &RequestRecord) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(record)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(record)),
            Self::Not(part) => !part.matches(record),
            Self::Term(term) => term.matches(record),
        }
    }
}

impl Term {
    fn matches(&self, record: &RequestRecord) -> bool {
        match self {
            Self::Anywhere(text) => contains_folded(&record.path, text) || contains_folded(&record.route, text),
            Self::Text { field, pattern, different } => {
                record.text(field).is_some_and(|text| pattern.matches(text) != *different)
            }
            Self::Number { field, compare, value } => {
                record.number(*field).is_some_and(|number| compare.holds(number, *value))
            }
        }
    }
}

/// `text` as a quoted value that means exactly this text: `route:` followed by this finds it and nothing else.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '*') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests;
