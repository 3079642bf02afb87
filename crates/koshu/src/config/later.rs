//! Sections that are part of the schema and that this version does not act on yet.
//!
//! They are read by shape only, and every one that is present is said: nobody may believe that a rule guards what
//! nothing looks at.

use super::problem::Problem;
use super::yaml::Document;
use schemars::JsonSchema;
use serde::Deserialize;

/// A value that is kept as it was written.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Raw(pub serde_json::Value);

const SECTIONS: [&str; 1] = ["heal"];

/// What of this file nothing acts on.
pub(super) fn warnings(document: &Document) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut warn = |key: &super::yaml::Key, what: String| {
        let message = format!("{what}: this version does not act on it");
        found.push(
            Problem::at(document, key.place, message)
                .help("it is checked for its shape only; remove it, or keep it for a later version"),
        );
    };
    for (key, node) in document.root.entries() {
        if SECTIONS.contains(&key.text.as_str()) && !node.is_empty() {
            warn(key, format!("section `{}`", key.text));
        }
    }
    found
}
