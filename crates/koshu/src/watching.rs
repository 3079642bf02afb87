//! Wires the watch: from the configuration to a plan, and again when the configuration changes.

use crate::config::variables;
use crate::config::{Config, compile_watch, render};
use base::ByteSize;
use server::parts::Parts;
use server::watching::Plan;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often it is looked whether the configuration has changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What the configuration says of the watch. `here` is the address of the pages on this machine.
pub fn plan(config: &Config, here: &str) -> Plan {
    let (watched, _) = compile_watch(config);
    let base_url = config.outputs.base_url.clone().unwrap_or_else(|| format!("http://{here}"));
    Plan {
        rules: watched.compiled.rules,
        objectives: watched.compiled.objectives,
        lists: watched.lists,
        channels: watched.channels,
        escalation: watched.escalation,
        rotations: watched.rotations,
        people: watched.people,
        heartbeat_every: watched.heartbeat_every,
        working_hours: config.on_call.working_hours,
        page_budget: config.on_call.page_budget,
        base_url: base_url.trim_end_matches('/').to_owned(),
        language: config.outputs.language,
        ..Plan::default()
    }
    .ready()
}

/// Takes rules, objectives, outputs and checks anew whenever the folder changes. What can't be used changes nothing, and is said.
pub fn follow(folder: PathBuf, parts: Parts, tasks: &TaskTracker, stop: CancellationToken) {
    tasks.spawn(async move {
        let mut known = state(&folder);
        while tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await.is_err() {
            let now = state(&folder);
            if now == known {
                continue;
            }
            known = now;
            let read = folder.clone();
            let loaded = tokio::task::spawn_blocking(move || Config::load(Some(&read), variables())).await;
            match loaded {
                Ok(Ok(loaded)) => {
                    let here = parts.listeners.lock().get("http").cloned().unwrap_or_default();
                    parts.watch.replace(&parts, plan(&loaded.config, &here)).await;
                    parts.checks.replace(loaded.config.checks).await;
                    tracing::info!(
                        "the configuration has changed: rules, objectives, channels and checks are in force"
                    );
                }
                Ok(Err(errors)) => {
                    let why = render(&errors.0, false);
                    tracing::warn!("the configuration has changed and can't be used; the one before stays:\n{why}");
                    parts.watch.refuse(why);
                }
                Err(error) => tracing::error!(%error, "reading the configuration failed"),
            }
        }
    });
}

/// Names, sizes and times of the files, by which a change is seen.
fn state(folder: &Path) -> BTreeMap<PathBuf, (ByteSize, Option<SystemTime>)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let yaml = entries.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "yaml"));
    yaml.filter_map(|entry| {
        let meta = std::fs::metadata(entry.path()).ok()?;
        Some((entry.path(), (ByteSize(meta.len()), meta.modified().ok())))
    })
    .collect()
}
