//! Several files become one configuration.
//!
//! Sections merge by their keys, lists are joined in the order of file names. The same key in two files is an error
//! that names both: no file silently wins.

use super::Config;
use super::problem::Problem;
use super::server::ServerSection;
use super::watching::OutputsSection;
use super::yaml::{Document, Key};
use std::collections::BTreeMap;

/// Moves one key of a section from one to the other.
pub(super) fn take_server_key(into: &mut ServerSection, from: &mut ServerSection, key: &str) -> bool {
    macro_rules! take {
        ($($field:ident),*) => {
            match key {
                $(stringify!($field) => { into.$field = std::mem::take(&mut from.$field); true })*
                _ => false,
            }
        };
    }
    take!(memory, disk, time_zone, store_url, store_url_file, retention, listen, tls, intake, checks)
}

fn take_output_key(into: &mut OutputsSection, from: &mut OutputsSection, key: &str) {
    match key {
        "alert" => into.alert = std::mem::take(&mut from.alert),
        "ticket" => into.ticket = std::mem::take(&mut from.ticket),
        "heartbeat" => into.heartbeat = from.heartbeat.take(),
        "base_url" => into.base_url = from.base_url.take(),
        _ => into.language = from.language,
    }
}

/// Gathers files.
#[derive(Default)]
pub(super) struct Merge {
    pub(super) config: Config,
    pub(super) problems: Vec<Problem>,
    /// Where `section.key` was set first.
    seen: BTreeMap<String, String>,
}

impl Merge {
    pub(super) fn add(&mut self, document: &Document, mut file: Config) {
        for (section, node) in document.root.entries() {
            match section.text.as_str() {
                "schema" => self.config.schema = file.schema,
                "server" => {
                    for (key, _) in node.entries() {
                        if self.first(document, "server", key) {
                            take_server_key(&mut self.config.server, &mut file.server, &key.text);
                        }
                    }
                }
                name @ ("services" | "checks" | "rotations" | "people") => {
                    for (key, _) in node.entries() {
                        self.first(document, name, key);
                    }
                }
                "outputs" => {
                    for (key, _) in node.entries() {
                        if self.first(document, "outputs", key) {
                            take_output_key(&mut self.config.outputs, &mut file.outputs, &key.text);
                        }
                    }
                }
                "on_call" if self.first(document, "the file", section) => {
                    self.config.on_call = std::mem::take(&mut file.on_call);
                }
                "escalation" if self.first(document, "the file", section) => {
                    self.config.escalation = std::mem::take(&mut file.escalation);
                }
                _ => {}
            }
        }
        self.config.services.append(&mut file.services);
        self.config.checks.append(&mut file.checks);
        self.config.rotations.append(&mut file.rotations);
        self.config.people.append(&mut file.people);
        self.config.scrape.append(&mut file.scrape);
        self.config.rules.append(&mut file.rules);
        self.config.heal.append(&mut file.heal);
    }

    /// Whether nobody set this key before; else that is a problem.
    fn first(&mut self, document: &Document, section: &str, key: &Key) -> bool {
        let name = format!("{section}.{}", key.text);
        let problem = Problem::at(document, key.place, "");
        let place = problem.origin.as_ref().map(ToString::to_string).unwrap_or_default();
        let Some(before) = self.seen.get(&name) else {
            self.seen.insert(name, place);
            return true;
        };
        let message = format!("`{name}` is set twice: at {before} and at {place}");
        self.problems.push(Problem { message, ..problem }.help("keep one of the two"));
        false
    }
}
