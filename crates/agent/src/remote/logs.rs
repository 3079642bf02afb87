//! Log files of this host, followed and delivered to the server. The ledger of what is delivered lies there: an agent that
//! is killed, or a machine that is built anew, loses no line and sends none twice.

use super::server::{Server, ServerError};
use super::wire::{FileView, LinesOf};
use crate::discover::{discover, log_format_to_pattern};
use crate::tail::{Chunk, DeliverError, FileState, Outlet, SourceId, SourceSpec, StartAt, Tailer, Timing};
use base::{Clock, ServiceName};
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// How long to wait before a mark is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(2);
/// Marks that are remembered; of more all are forgotten, which costs questions and nothing else.
const MAX_MARKS: usize = 10_000;
/// Most files that are told of.
const MAX_FILES: usize = 1024;

/// Takes what the tailer reads.
struct ToServer {
    server: Server,
    runtime: Handle,
    stop: CancellationToken,
    /// Marks as the server has them; also that it has none.
    marks: Mutex<HashMap<String, Option<String>>>,
    /// What lines look like, by path.
    patterns: Arc<Mutex<HashMap<PathBuf, String>>>,
}

impl ToServer {
    fn remember(&self, key: &str, value: Option<String>) {
        let mut marks = self.marks.lock();
        if marks.len() >= MAX_MARKS {
            marks.clear();
        }
        marks.insert(key.to_owned(), value);
    }
}

impl Outlet for ToServer {
    async fn deliver(&self, chunk: Chunk) -> Result<(), DeliverError> {
        if self.stop.is_cancelled() {
            return Err(DeliverError::Failed("the agent is stopping".to_owned()));
        }
        let of = LinesOf {
            service: chunk.service,
            path: chunk.path.display().to_string(),
            pattern: self.patterns.lock().get(&chunk.path).cloned(),
            key: chunk.mark_key,
            mark: chunk.mark_value,
            from: chunk.from,
            to: chunk.to,
            too_long: chunk.too_long,
        };
        match self.server.lines(&of, chunk.bytes).await {
            Ok(answer) if !answer.already => {
                self.remember(&of.key, Some(of.mark));
                Ok(())
            }
            // What was stored by an attempt whose answer got lost is passed over after reading the mark again.
            Ok(_) | Err(ServerError::Stale(_)) => {
                self.marks.lock().remove(&of.key);
                Err(DeliverError::Stale)
            }
            Err(ServerError::Busy { after, .. }) => Err(DeliverError::Busy { retry_after: after }),
            Err(error) => Err(DeliverError::Failed(error.to_string())),
        }
    }

    /// Waits until the server has said it: a file that is taken for a new one because nobody knew better would be read
    /// from the wrong place.
    fn mark(&self, key: &str) -> Option<String> {
        if let Some(known) = self.marks.lock().get(key) {
            return known.clone();
        }
        loop {
            let asked = self.runtime.block_on(self.stop.run_until_cancelled(self.server.mark(key)))?;
            match asked {
                Ok(value) => {
                    self.remember(key, value.clone());
                    return value;
                }
                Err(error) => tracing::debug!(%error, key, "the server did not say how far a file is delivered"),
            }
            self.runtime.block_on(self.stop.run_until_cancelled(tokio::time::sleep(ASK_AGAIN)))?;
        }
    }
}

/// The followed files of this host.
pub struct Logs {
    tailer: Tailer<ToServer>,
    patterns: Arc<Mutex<HashMap<PathBuf, String>>>,
    /// Logs that were found and followed.
    taken: Mutex<HashSet<PathBuf>>,
    /// Logs that were found and can't be read.
    unread: Mutex<Vec<FileView>>,
}

impl Logs {
    /// Nothing is followed yet.
    pub fn new(server: Server, stop: CancellationToken) -> Result<Self, crate::tail::AddError> {
        let patterns = Arc::<Mutex<HashMap<PathBuf, String>>>::default();
        let (runtime, marks) = (Handle::current(), Mutex::default());
        let outlet = ToServer { server, runtime, stop, marks, patterns: Arc::clone(&patterns) };
        let tailer = Tailer::start(Arc::new(outlet), Clock::System, Timing::default(), [])?;
        Ok(Self { tailer, patterns, taken: Mutex::default(), unread: Mutex::default() })
    }

    /// Follows a file from its beginning, or from now on.
    pub fn follow(&self, service: &ServiceName, path: &Path, start: StartAt) -> bool {
        let id = SourceId(path.display().to_string());
        let spec = SourceSpec { id, service: service.clone(), path: path.to_owned(), start };
        self.taken.lock().insert(path.to_owned());
        match self.tailer.add(spec) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "a log is not followed");
                false
            }
        }
    }

    /// Looks below `root` for access logs and follows, from now on, those that are new.
    pub async fn discover(&self, root: &Path) {
        let root = root.to_owned();
        let found = tokio::task::spawn_blocking(move || discover(&root)).await.unwrap_or_default();
        let mut unread = Vec::new();
        // A pattern of the configuration may follow it already.
        let followed: HashSet<PathBuf> = self.tailer.status().into_iter().map(|file| file.path).collect();
        for log in found.logs.into_iter().filter(|log| !followed.contains(&log.path)) {
            if let Some((syntax, text)) = &log.log_format
                && let Ok(pattern) = log_format_to_pattern(*syntax, text)
            {
                self.patterns.lock().insert(log.path.clone(), pattern);
            }
            if let Some(problem) = log.unreadable {
                let path = log.path.display().to_string();
                unread.push(FileView { path, service: log.service, problem: Some(problem), lag_bytes: 0 });
            } else if !self.taken.lock().contains(&log.path) && self.follow(&log.service, &log.path, StartAt::End) {
                tracing::info!(path = %log.path.display(), service = %log.service, "an access log was found");
            }
        }
        *self.unread.lock() = unread;
    }

    /// What happens with each file.
    pub fn files(&self) -> Vec<FileView> {
        let followed = self.tailer.status().into_iter().map(|file| FileView {
            path: file.path.display().to_string(),
            service: file.service,
            problem: match file.state {
                FileState::Failed { reason } => Some(reason),
                _ => None,
            },
            lag_bytes: file.lag_bytes,
        });
        followed.chain(self.unread.lock().clone()).take(MAX_FILES).collect()
    }

    /// Stops following; what was not acknowledged is read again next time.
    pub async fn stop(&self) {
        self.tailer.stop().await;
    }
}
