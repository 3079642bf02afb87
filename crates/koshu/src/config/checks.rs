//! The `checks` section: what is read beside the checks themselves, which `watch` defines.

use super::problem::Problem;
use super::read_secret;
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
