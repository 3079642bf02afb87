//! The `checks` section: what is read beside the checks themselves, which `watch` defines.

use super::problem::Problem;
use super::yaml::{Document, Node};
use super::{Config, read_secret};
use std::collections::BTreeMap;
use std::path::Path;
use watch::check::{Check, CheckName};

/// Fills the values of variables from the files that hold them.
pub(super) fn read_secrets(checks: &mut BTreeMap<CheckName, Check>, folder: Option<&Path>) -> Result<(), Problem> {
    for (name, check) in checks {
        for (variable, file) in &check.secret_files {
            // Beside the configuration, so that it works from every working folder.
            let path = folder.map_or_else(|| file.clone(), |folder| folder.join(file));
            let secret = read_secret(&path, &format!("checks.{name}.secret_files.{variable}"))?;
            check.secrets.insert(variable.clone(), secret);
        }
    }
    Ok(())
}

/// Checks, or places of them, that nobody runs.
pub(super) fn warnings(document: &Document, part: &Config) -> Vec<Problem> {
    let mut found = Vec::new();
    for (key, node) in document.root.get("checks").map(Node::entries).unwrap_or_default() {
        let Some(check) = key.text.parse().ok().and_then(|name: CheckName| part.checks.get(&name)) else { continue };
        let agents: Vec<&str> = check.agents().collect();
        if agents.is_empty() {
            continue;
        }
        let place = node.entries().iter().find(|(key, _)| key.text == "from").map_or(key.place, |(key, _)| key.place);
        let message = format!("check `{}`: no agent runs checks in this version ({})", key.text, agents.join(", "));
        let help = if check.is_local() { "it runs from the server only" } else { "add server, or it is never run" };
        found.push(Problem::at(document, place, message).help(help));
    }
    found
}
