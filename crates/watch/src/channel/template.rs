//! Templates of those who want another form: Jinja that writes JSON, within a budget.
//!
//! Every value is written as JSON by itself (`{"text": {{ title }}}` needs no quotes), so nothing observed can break out
//! of its string. A template is tried with a message of every kind when the configuration is read.

use crate::message::Message;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use std::sync::Arc;

/// Steps a template may take; a message needs a few hundred.
const FUEL: u64 = 50_000;
const SOURCE_MAX_BYTES: usize = 32 << 10;
const OUTPUT_MAX_BYTES: usize = 64 << 10;
/// The ending makes every value JSON.
const NAME: &str = "template.json";

/// A template that was read and tried.
#[derive(Clone)]
pub struct Template(Arc<Environment<'static>>);
impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Template")
    }
}

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// More than 32 KiB.
    #[error("the template has {0} bytes, 32768 allowed; shorten it")]
    TooLong(usize),
    /// It does not read, names something unknown, or takes too many steps.
    #[error(
        "line {line} of the template: {why}; known are id, kind, class, folds, title, text, facts, also, links, firings, rule, service, series, value, threshold, at"
    )]
    Broken {
        /// From 1.
        line: usize,
        /// Why.
        why: String,
    },
    /// What it writes is no JSON.
    #[error(
        "the template writes no JSON: {0}; values are written with their quotes, so write {{\"text\": {{{{ title }}}}}}"
    )]
    NoJson(String),
    /// It writes more than 64 KiB.
    #[error("the template writes {0} bytes, 65536 allowed; shorten it")]
    TooLarge(usize),
}

impl Template {
    /// Reads a template and tries it.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        if source.len() > SOURCE_MAX_BYTES {
            return Err(TemplateError::TooLong(source.len()));
        }
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(50);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_template_owned(NAME, source.to_owned()).map_err(|error| broken(&error))?;
        let template = Self(Arc::new(environment));
        for sample in samples() {
            template.render(&sample)?;
        }
        Ok(template)
    }

    /// What it writes about a message.
    pub fn render(&self, message: &Message) -> Result<serde_json::Value, TemplateError> {
        let template = self.0.get_template(NAME).map_err(|error| broken(&error))?;
        let text = template.render(Value::from(Serde(message))).map_err(|error| broken(&error))?;
        if text.len() > OUTPUT_MAX_BYTES {
            return Err(TemplateError::TooLarge(text.len()));
        }
        serde_json::from_str(&text).map_err(|error| TemplateError::NoJson(error.to_string()))
    }
}

fn broken(error: &minijinja::Error) -> TemplateError {
    let detail =
        error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    TemplateError::Broken { line: error.line().unwrap_or(1), why: detail }
}

/// A message with everything and one with nothing.
fn samples() -> [Message; 2] {
    use crate::message::{Fact, Link, LinkTo};
    let empty = Message {
        id: "0195f000-0000-7000-8000-000000000000".to_owned(),
        kind: store::MessageKind::Test,
        class: crate::Class::Alert,
        folds: false,
        title: String::new(),
        text: String::new(),
        facts: Vec::new(),
        also: Vec::new(),
        links: Vec::new(),
        thread: String::new(),
        firings: Vec::new(),
        rule: String::new(),
        service: None,
        series: crate::Series::default(),
        value: None,
        threshold: None,
        at: base::Timestamp::from_micros(0),
        language: crate::texts::Language::English,
    };
    let full = Message {
        kind: store::MessageKind::Fire,
        title: "Alert: \"quotes\" and \\ and\nlines".to_owned(),
        text: "text".to_owned(),
        facts: vec![Fact { name: "name".to_owned(), value: "value".to_owned() }],
        also: vec!["also".to_owned()],
        links: vec![Link { to: LinkTo::Firing, label: "Open".to_owned(), url: "https://koshu.example/".to_owned() }],
        firings: vec!["0195f000-0000-7000-8000-000000000001".to_owned()],
        service: Some("shop".to_owned()),
        value: Some(0.5),
        ..empty.clone()
    };
    [full, empty]
}
