//! One YAML file: read within limits, typed, and with the place of every key.
//!
//! Anchors and merge keys work, but a file that grows by them is refused: it is read with a budget.

use super::Config;
use super::problem::{Problem, nearest};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Error, Location, Options, Spanned};
use std::fmt;
use std::io::Read as _;
use std::path::Path;

const MAX_BYTES: u64 = 1 << 20;

/// Line and column, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}
impl From<Location> for Place {
    fn from(location: Location) -> Self {
        let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        Self { line: number(location.line()), column: number(location.column()) }
    }
}

/// A key of a mapping and where it stands.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) place: Place,
}

/// The shape of a file: its keys. Values are read by type, not from here.
#[derive(Debug)]
pub(super) enum Node {
    Map(Vec<(Key, Node)>),
    /// Each element and where it stands.
    List(Vec<(Place, Node)>),
    Scalar,
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) root: Node,
}

impl Node {
    pub(super) fn entries(&self) -> &[(Key, Node)] {
        match self {
            Self::Map(entries) => entries,
            Self::List(_) | Self::Scalar => &[],
        }
    }

    /// The elements of a list and where they stand.
    pub(super) fn elements(&self) -> &[(Place, Node)] {
        match self {
            Self::List(elements) => elements,
            Self::Map(_) | Self::Scalar => &[],
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(found, _)| found.text == key).map(|(_, node)| node)
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Map(entries) => entries.is_empty(),
            Self::List(elements) => elements.is_empty(),
            Self::Scalar => true,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

macro_rules! scalars {
    ($($method:ident: $type:ty),*) => {
        $(fn $method<E>(self, _: $type) -> Result<Node, E> { Ok(Node::Scalar) })*
    };
}
impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    scalars! { visit_bool: bool, visit_i64: i64, visit_i128: i128, visit_u64: u64, visit_u128: u128, visit_f64: f64, visit_str: &str }
    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar)
    }
    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar)
    }
    fn visit_some<D: Deserializer<'de>>(self, input: D) -> Result<Node, D::Error> {
        Node::deserialize(input)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element::<Spanned<Node>>()? {
            elements.push((element.referenced.into(), element.value));
        }
        Ok(Node::List(elements))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let key = Key { place: key.referenced.into(), text: key.value };
            entries.push((key, map.next_value()?));
        }
        Ok(Node::Map(entries))
    }
}

fn options() -> Options {
    let mut options = Options::default();
    options.budget = serde_saphyr::budget! {
        max_events: 200_000,
        max_nodes: 100_000,
        max_depth: 32,
        max_aliases: 1000,
        max_anchors: 1000,
    };
    options.alias_limits.max_total_replayed_events = 50_000;
    options.with_snippet = false;
    options
}

/// Reads a file. The name is what messages call it.
pub(super) fn read(path: &Path, name: String) -> Result<(Document, Config), Problem> {
    let unreadable = |error: std::io::Error| {
        Problem::new(format!("{name}: the file cannot be read: {error}"))
            .help("check that it exists and who may read it")
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Problem::new(format!("{name}: the file is larger than 1 MiB")).help("split it into several files"));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        Problem::new(format!("{name}: the file is not UTF-8 text")).help("save it as UTF-8, without other encodings")
    })?;
    parse(name, text)
}

/// Reads a text as if it stood in a file of that name.
pub(super) fn parse(name: String, text: String) -> Result<(Document, Config), Problem> {
    let mut document = Document { name, text, root: Node::Scalar };
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if document.text.lines().all(blank) {
        document.root = Node::Map(Vec::new());
        return Ok((document, Config::default()));
    }
    let config = serde_saphyr::from_str_with_options::<Config>(&document.text, options())
        .map_err(|error| explain(&document, &error))?;
    document.root =
        serde_saphyr::from_str_with_options(&document.text, options()).map_err(|error| explain(&document, &error))?;
    Ok((document, config))
}

/// An error of the YAML library in the words of this product.
fn explain(document: &Document, error: &Error) -> Problem {
    let error = error.without_snippet();
    let place = error.location().map_or(Place { line: 1, column: 1 }, Place::from);
    let at = |message: String| Problem::at(document, place, message);
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            at(format!("unknown key `{field}`")).help(suggestion(field, expected))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            at(format!("unknown value `{variant}`")).help(suggestion(variant, expected))
        }
        Error::SerdeMissingField { field, .. } => at(format!("`{field}` is missing")).help(format!("add `{field}:`")),
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            at(format!("expected {expected}, found {unexpected}")).help(format!("write {expected} here"))
        }
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("this key");
            at(format!("`{key}` is set twice in one mapping")).help("keep one of the two")
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            at("the file is too large or too deep once its anchors are written out".to_owned())
                .help("write it without anchors, or split it into several files")
        }
        Error::MultipleDocuments { .. } => {
            at("a second YAML document starts here".to_owned()).help("remove `---`; use one file for each part")
        }
        Error::UnknownAnchor { .. } => {
            at("there is no such anchor".to_owned()).help("put a text that starts with `*` into quotes")
        }
        Error::ExpectedMappingEndAfterEnumVariantValue { .. } => {
            at("more than one key where one is chosen".to_owned()).help("keep exactly one of them")
        }
        Error::AliasError { error, .. } => explain(document, error),
        Error::Message { msg, .. } => value_problem(at(msg.clone())),
        other => {
            let text = other.to_string();
            let message = text.split(" at line ").next().unwrap_or(&text).trim().to_owned();
            at(message).help("check the indentation, the quotes and the brackets of this line and the one above")
        }
    }
}

/// Messages of our own types end with the way out, behind a semicolon.
fn value_problem(problem: Problem) -> Problem {
    match problem.message.split_once("; ") {
        Some((message, help)) => Problem { message: message.to_owned(), help: Some(help.to_owned()), ..problem },
        None => problem.help("see the reference for what can stand here"),
    }
}

/// What was meant, and what would be understood.
pub(super) fn suggestion(written: &str, known: &[&str]) -> String {
    let all = known.join(", ");
    match nearest(written, known.iter().copied()) {
        Some(word) => format!("did you mean `{word}`? known here: {all}"),
        None => format!("known here: {all}"),
    }
}
