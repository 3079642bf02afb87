//! `KOSHU_SERVER__MEMORY=1GiB` and the like: single values of `server` from the environment.
//!
//! A variable that would have no effect is an error, because somebody believes that it has one.

use super::Config;
use super::merge::take_server_key;
use super::problem::Problem;
use super::yaml::{parse, suggestion};

const PREFIX: &str = "KOSHU_";
const SEPARATOR: &str = "__";
const KEYS: [&str; 5] = ["memory", "disk", "time_zone", "store_url", "store_url_file"];

/// Variables of the environment that are text.
pub fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Applies the variables; those of other programs are left alone.
pub(super) fn apply(config: &mut Config, variables: impl IntoIterator<Item = (String, String)>) -> Vec<Problem> {
    let mut ours: Vec<_> = variables
        .into_iter()
        .filter(|(name, _)| name.strip_prefix(PREFIX).is_some_and(|rest| rest.contains(SEPARATOR)))
        .collect();
    ours.sort();
    ours.iter().filter_map(|(name, value)| apply_one(config, name, value).err()).collect()
}

fn apply_one(config: &mut Config, name: &str, value: &str) -> Result<(), Problem> {
    let path = name.trim_start_matches(PREFIX).to_lowercase();
    let Some((section, key)) = path.split_once(SEPARATOR) else { return Ok(()) };
    if section != "server" {
        return Err(Problem::new(format!("{name} has no effect: only single values of `server` can be set this way"))
            .help("write it into koshu.yaml"));
    }
    if !KEYS.contains(&key) {
        return Err(Problem::new(format!("{name} has no effect: unknown key `{key}`")).help(suggestion(key, &KEYS)));
    }
    // JSON strings are YAML strings, so any value arrives as it is.
    let quoted = serde_json::Value::from(value).to_string();
    let (_, mut parsed) = parse(name.to_owned(), format!("server: {{{key}: {quoted}}}\n"))
        .map_err(|problem| Problem { message: format!("{name}: {}", problem.message), origin: None, ..problem })?;
    match key {
        // Either way of giving the secret replaces the other one.
        "store_url" => config.server.store_url_file = None,
        "store_url_file" => config.server.store_url = None,
        _ => {}
    }
    take_server_key(&mut config.server, &mut parsed.server, key);
    Ok(())
}
