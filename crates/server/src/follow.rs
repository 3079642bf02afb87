//! Files of this host: found, followed, and their past imported.
//!
//! What is found and readable is followed from now on without being asked; its past is imported on request. Each line
//! is stored once, whichever way it came: tail and import share the ledger.

use crate::intake::{Delivery, Intake, IntakeError, Position, store_lines};
use crate::past::{Import, Past, Patterns, TooManyImports};
use crate::source_name::{SourceKind, SourceName};
use agent::discover::{Discovery, FoundLog, discover, log_format_to_pattern};
use agent::tail::{Chunk, DeliverError, FileStatus, Outlet, SourceId, SourceSpec, StartAt, Tailer, Timing};
use base::{Clock, Id, ServiceName};
use lake::AppendError;
use parking_lot::{Mutex, RwLock};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Takes what the tailer reads.
pub struct TailOutlet {
    intake: Arc<Intake>,
    patterns: Patterns,
    demo: Arc<RwLock<Option<PathBuf>>>,
}

impl Outlet for TailOutlet {
    async fn deliver(&self, chunk: Chunk) -> Result<(), DeliverError> {
        let is_demo = self.demo.read().as_deref() == Some(chunk.path.as_path());
        let kind = if is_demo { SourceKind::Demo } else { SourceKind::File };
        let pattern = self.patterns.read().get(&chunk.path).cloned();
        let delivery = Delivery {
            service: chunk.service,
            peer: None,
            source: SourceName { kind, name: chunk.path.display().to_string() },
            bytes: chunk.bytes,
            format: None,
            pattern,
            position: Some(Position { key: chunk.mark_key, mark: chunk.mark_value, from: chunk.from, to: chunk.to }),
            too_long: chunk.too_long,
        };
        match store_lines(&self.intake, delivery).await {
            // An import was faster: what it stored is passed over after reading the mark again.
            Ok(outcome) if outcome.already => Err(DeliverError::Stale),
            Ok(_) => Ok(()),
            Err(IntakeError::Append(AppendError::Busy { retry_after, .. })) => Err(DeliverError::Busy { retry_after }),
            Err(IntakeError::Stale) => Err(DeliverError::Stale),
            Err(error) => Err(DeliverError::Failed(error.to_string())),
        }
    }

    fn mark(&self, key: &str) -> Option<String> {
        self.intake.mark(key)
    }
}

/// Finds, follows and imports files.
pub struct Follow {
    tailer: Tailer<TailOutlet>,
    patterns: Patterns,
    demo: Arc<RwLock<Option<PathBuf>>>,
    discovery: RwLock<Discovery>,
    /// Logs that were found and followed without being asked: not a second time, if somebody has ended it.
    taken: Mutex<HashSet<PathBuf>>,
    past: Arc<Past>,
}

/// A file can't be followed or imported.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// It is followed already, or there are too many.
    #[error(transparent)]
    Add(#[from] agent::tail::AddError),
    /// Only files that were found, or that the configuration names, may be named by a request.
    #[error("{} was not found by the search for access logs; name it in the configuration, or use koshu import", .0.display())]
    Unknown(PathBuf),
    /// Too many imports.
    #[error(transparent)]
    TooManyImports(#[from] TooManyImports),
}

impl Follow {
    /// Nothing is followed yet.
    pub fn new(intake: Arc<Intake>, clock: Clock) -> Result<Self, agent::tail::AddError> {
        let patterns = Patterns::default();
        let demo = Arc::<RwLock<Option<PathBuf>>>::default();
        let outlet =
            TailOutlet { intake: Arc::clone(&intake), patterns: Arc::clone(&patterns), demo: Arc::clone(&demo) };
        let tailer = Tailer::start(Arc::new(outlet), clock.clone(), Timing::default(), [])?;
        let past = Arc::new(Past::new(intake, Arc::clone(&patterns), clock));
        Ok(Self { tailer, patterns, demo, discovery: RwLock::default(), taken: Mutex::default(), past })
    }

    /// Follows a file for a service. The name of the source is its path.
    pub fn follow(&self, service: &ServiceName, path: &Path, start: StartAt) -> Result<(), FollowError> {
        let id = SourceId(path.display().to_string());
        self.tailer.add(SourceSpec { id, service: service.clone(), path: path.to_owned(), start })?;
        Ok(())
    }

    /// Follows the demonstration's log.
    pub fn follow_demo(&self, service: &ServiceName, path: &Path) -> Result<(), FollowError> {
        *self.demo.write() = Some(path.to_owned());
        self.follow(service, path, StartAt::Beginning)
    }

    /// Stops following everything of a service.
    pub async fn forget_service(&self, service: &ServiceName) {
        let status = self.tailer.status();
        for file in status.into_iter().filter(|file| &file.service == service) {
            self.tailer.remove(&file.source).await;
        }
    }

    /// What is followed.
    pub fn status(&self) -> Vec<FileStatus> {
        self.tailer.status()
    }

    /// Looks for access logs below `root` and remembers what was found.
    pub async fn discover(&self, root: &Path) -> Discovery {
        let root = root.to_owned();
        let found = tokio::task::spawn_blocking(move || discover(&root)).await.unwrap_or_default();
        for log in &found.logs {
            self.remember_pattern(log);
        }
        self.discovery.write().clone_from(&found);
        found
    }

    /// Looks for access logs and follows, from now on, those that were not there or not readable before. Returns them.
    pub async fn discover_and_follow(&self, root: &Path) -> Vec<FoundLog> {
        let found = self.discover(root).await;
        let followed = self.status();
        let mut new = Vec::new();
        for log in found.logs.into_iter().filter(|log| log.unreadable.is_none()) {
            let is_first = self.taken.lock().insert(log.path.clone());
            let is_followed = followed.iter().any(|file| file.path == log.path);
            if is_first && !is_followed && self.follow(&log.service, &log.path, StartAt::End).is_ok() {
                new.push(log);
            }
        }
        new
    }

    fn remember_pattern(&self, log: &FoundLog) {
        let Some((syntax, text)) = &log.log_format else { return };
        if let Ok(pattern) = log_format_to_pattern(*syntax, text) {
            self.patterns.write().insert(log.path.clone(), pattern.into());
        }
    }

    /// What the last search found.
    pub fn discovery(&self) -> Discovery {
        self.discovery.read().clone()
    }

    /// Imports what is in a found log and its rotated files, oldest first. Returns at once.
    pub fn import_past(&self, service: &ServiceName, path: &Path) -> Result<Id<Import>, FollowError> {
        let discovery = self.discovery.read();
        let log = discovery.logs.iter().find(|log| log.path == path);
        let log = log.ok_or_else(|| FollowError::Unknown(path.to_owned()))?;
        Ok(self.past.import(service, log)?)
    }

    /// What reads finished files.
    pub fn past(&self) -> Arc<Past> {
        Arc::clone(&self.past)
    }

    /// Imports of this process.
    pub fn imports(&self) -> Vec<Import> {
        self.past.list()
    }

    /// Stops following.
    pub async fn stop(&self) {
        self.past.stop();
        self.tailer.stop().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Identifier;
    use lake::{Lake, LakeOptions};
    use std::collections::HashMap;

    async fn until_followed(follow: &Follow, files: usize) {
        while follow.status().len() != files {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn a_log_that_appears_later_is_found_and_followed_once() {
        let dir = tempfile::tempdir().unwrap();
        let (root, logs) = (dir.path().join("root"), dir.path().join("root/var/log/nginx"));
        std::fs::create_dir_all(&logs).unwrap();
        std::fs::write(logs.join("access.log"), "").unwrap();
        let lake = Lake::open(LakeOptions::new(dir.path().join("data"))).await.unwrap();
        let key = Identifier::new([0; 32]);
        let intake = Arc::new(Intake::new(
            lake,
            Arc::default(),
            key,
            Clock::System,
            HashMap::new(),
            crate::intake::Readings::default(),
        ));
        let follow = Follow::new(intake, Clock::System).unwrap();

        let first = follow.discover_and_follow(&root).await;
        assert_eq!(first.len(), 1);
        until_followed(&follow, 1).await;
        assert!(follow.discover_and_follow(&root).await.is_empty(), "nothing new");
        std::fs::write(logs.join("other.access.log"), "").unwrap();
        let later = follow.discover_and_follow(&root).await;
        assert_eq!(later.len(), 1, "{later:?}");
        until_followed(&follow, 2).await;

        follow.forget_service(&first[0].service).await;
        assert!(follow.discover_and_follow(&root).await.is_empty(), "what somebody ended stays ended");
        follow.stop().await;
    }
}
