//! Follows log files and delivers every complete line exactly once, through rotation, truncation and restarts.
//!
//! A chunk travels with the mark that books it; the receiver stores both in one step, so that a crash at any moment
//! means reading on from the mark. Never holds more than one chunk per source in flight: a busy receiver is waited
//! for. Never parses a line.

use base::{Clock, ServiceName, Timestamp};
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub mod follower;
mod open_file;
#[cfg(test)]
mod tests;
mod trail;

pub use follower::Follower;
pub use trail::FileState;

/// More sources than this are refused.
pub const MAX_SOURCES: usize = 1024;

/// How the stored marks are asked for.
pub type Marks<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The name of a source, given by whoever configured it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub String);

/// Where to begin in a file that is followed for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// Only what is written from now on; the past is imported on request.
    End,
    /// Everything in the file.
    Beginning,
}

/// A file, or a pattern of files, to follow.
#[derive(Debug, Clone)]
pub struct SourceSpec {
    /// Its name in statuses.
    pub id: SourceId,
    /// The service whose requests are in it.
    pub service: ServiceName,
    /// A path; `*`, `?` and `[abc]` are patterns.
    pub path: PathBuf,
    /// Where to begin the first time.
    pub start: StartAt,
}

/// How often to look.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Between looks at files that were written to lately.
    pub active: Duration,
    /// Between looks at files that were quiet for `idle_after`.
    pub idle: Duration,
    /// See `idle`.
    pub idle_after: Duration,
    /// A rotated file that was quiet for so long is complete, even without a last newline.
    pub grace: Duration,
    /// Between searches for new files of a pattern.
    pub scan: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            active: Duration::from_millis(200),
            idle: Duration::from_secs(1),
            idle_after: Duration::from_mins(10),
            grace: Duration::from_secs(30),
            scan: Duration::from_secs(5),
        }
    }
}

/// Complete lines of one file.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Which source.
    pub source: SourceId,
    /// Whose requests.
    pub service: ServiceName,
    /// Under which path they were written.
    pub path: PathBuf,
    /// Lines with their newlines, 1 MiB at most. Empty when only a mark is to be stored.
    pub bytes: Bytes,
    /// Lines beyond the length limit in this range, not in `bytes`: rejected.
    pub too_long: u64,
    /// The ledger's key.
    pub mark_key: String,
    /// The ledger with this chunk in it. Where others write to the same key, [`crate::ledger::admit`] it.
    pub mark_value: String,
    /// First offset of the range in the content.
    pub from: u64,
    /// First offset behind it.
    pub to: u64,
}

/// Why a chunk was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliverError {
    /// Full: try again later.
    #[error("the receiver is busy for {} ms", retry_after.as_millis())]
    Busy {
        /// How much later.
        retry_after: Duration,
    },
    /// Another writer booked a part of the range: read the mark again.
    #[error("the mark has moved")]
    Stale,
    /// Not stored, for another reason. It is tried again.
    #[error("the receiver failed: {0}")]
    Failed(String),
}

/// Takes chunks.
pub trait Outlet: Send + Sync + 'static {
    /// Returns `Ok` only once the lines **and** the mark are durable, both or neither.
    fn deliver(&self, chunk: Chunk) -> impl Future<Output = Result<(), DeliverError>> + Send;
    /// The mark stored under a key. May block.
    fn mark(&self, key: &str) -> Option<String>;
}

/// What is known of one followed path.
#[derive(Debug, Clone)]
pub struct FileStatus {
    /// Which source.
    pub source: SourceId,
    /// Whose requests.
    pub service: ServiceName,
    /// The path.
    pub path: PathBuf,
    /// What happens with it.
    pub state: FileState,
    /// Bytes that are there and not yet delivered.
    pub lag_bytes: u64,
    /// Bytes delivered since the start.
    pub bytes: u64,
    /// Lines beyond the length limit since the start.
    pub too_long: u64,
    /// When lines were last delivered.
    pub last_seen: Option<Timestamp>,
}

/// Why a source can't be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// The name is taken.
    #[error("source {0:?} is already followed")]
    Exists(String),
    /// The limit is reached.
    #[error("{MAX_SOURCES} sources are followed already; use a pattern for many files")]
    TooMany,
}

struct Running {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
    status: Arc<Mutex<Vec<FileStatus>>>,
}

/// Follows sources until it is stopped. Dropping it stops too, without waiting.
pub struct Tailer<O: Outlet> {
    outlet: Arc<O>,
    clock: Clock,
    timing: Timing,
    running: Mutex<HashMap<SourceId, Running>>,
}

impl<O: Outlet> Tailer<O> {
    /// Starts following, one task per source. Must be called inside a runtime.
    pub fn start(
        outlet: Arc<O>,
        clock: Clock,
        timing: Timing,
        specs: impl IntoIterator<Item = SourceSpec>,
    ) -> Result<Self, AddError> {
        let tailer = Self { outlet, clock, timing, running: Mutex::default() };
        for spec in specs {
            tailer.add(spec)?;
        }
        Ok(tailer)
    }

    /// Follows one more source.
    pub fn add(&self, spec: SourceSpec) -> Result<(), AddError> {
        let mut running = self.running.lock();
        if running.contains_key(&spec.id) {
            return Err(AddError::Exists(spec.id.0));
        }
        if running.len() >= MAX_SOURCES {
            return Err(AddError::TooMany);
        }
        let id = spec.id.clone();
        let (stop, stopped) = watch::channel(false);
        let status = Arc::new(Mutex::new(Vec::new()));
        let follow = Follow {
            outlet: Arc::clone(&self.outlet),
            clock: self.clock.clone(),
            timing: self.timing,
            stopped,
            status: Arc::clone(&status),
        };
        let task = tokio::spawn(follow.run(Follower::new(spec, self.timing)));
        running.insert(id, Running { task, stop, status });
        Ok(())
    }

    /// Stops following a source and waits for it; its marks stay.
    pub async fn remove(&self, id: &SourceId) -> bool {
        let running = self.running.lock().remove(id);
        let Some(running) = running else { return false };
        end(running).await;
        true
    }

    /// One row per followed path.
    pub fn status(&self) -> Vec<FileStatus> {
        let running = self.running.lock();
        let mut rows: Vec<FileStatus> = running.values().flat_map(|one| one.status.lock().clone()).collect();
        rows.sort_by(|a, b| (&a.source, &a.path).cmp(&(&b.source, &b.path)));
        rows
    }

    /// Stops everything and waits. What was not acknowledged is read again next time.
    pub async fn stop(&self) {
        let all: Vec<Running> = self.running.lock().drain().map(|(_, running)| running).collect();
        for running in &all {
            running.stop.send_replace(true);
        }
        for running in all {
            end(running).await;
        }
    }
}

async fn end(running: Running) {
    running.stop.send_replace(true);
    if let Err(error) = running.task.await {
        tracing::error!(%error, "following a source ended badly");
    }
}

/// What one task needs.
struct Follow<O: Outlet> {
    outlet: Arc<O>,
    clock: Clock,
    timing: Timing,
    stopped: watch::Receiver<bool>,
    status: Arc<Mutex<Vec<FileStatus>>>,
}

impl<O: Outlet> Follow<O> {
    async fn run(mut self, mut follower: Follower) {
        let mut last_line = Instant::now();
        while !*self.stopped.borrow() {
            let outlet = Arc::clone(&self.outlet);
            let looked = tokio::task::spawn_blocking(move || {
                let chunk = follower.next(&|key| outlet.mark(key), Instant::now());
                (follower, chunk)
            });
            let chunk;
            (follower, chunk) = match looked.await {
                Ok(looked) => looked,
                Err(error) => {
                    tracing::error!(%error, "looking for new lines ended badly");
                    return;
                }
            };
            *self.status.lock() = follower.status();
            if let Some(chunk) = chunk {
                last_line = Instant::now();
                if !self.deliver(&mut follower, chunk).await {
                    return;
                }
                *self.status.lock() = follower.status();
            } else {
                let quiet = last_line.elapsed() > self.timing.idle_after;
                self.pause(if quiet { self.timing.idle } else { self.timing.active }).await;
            }
        }
    }

    /// Delivers until it is taken; false when told to stop.
    async fn deliver(&mut self, follower: &mut Follower, chunk: Chunk) -> bool {
        let mut failures = 0u32;
        loop {
            let outcome = tokio::select! {
                outcome = self.outlet.deliver(chunk.clone()) => outcome,
                () = stop_asked(self.stopped.clone()) => return false,
            };
            match outcome {
                Ok(()) => {
                    follower.delivered(self.clock.now());
                    return true;
                }
                Err(DeliverError::Stale) => {
                    follower.rewind();
                    return true;
                }
                Err(DeliverError::Busy { retry_after }) => {
                    self.pause(retry_after.clamp(Duration::from_millis(10), Duration::from_mins(1))).await;
                }
                Err(DeliverError::Failed(reason)) => {
                    failures += 1;
                    self.say_failed(&reason);
                    tracing::warn!(path = %chunk.path.display(), reason, "lines were not taken; trying again");
                    self.pause(Duration::from_millis(250) * (1 << failures.min(7))).await;
                }
            }
            if *self.stopped.borrow() {
                return false;
            }
        }
    }

    fn say_failed(&self, reason: &str) {
        for row in self.status.lock().iter_mut() {
            row.state = FileState::Failed { reason: reason.to_owned() };
        }
    }

    async fn pause(&self, length: Duration) {
        tokio::select! {
            () = tokio::time::sleep(length) => {}
            () = stop_asked(self.stopped.clone()) => {}
        }
    }
}

async fn stop_asked(mut stopped: watch::Receiver<bool>) {
    // An error means that the owner is gone, which asks for the same.
    let _ = stopped.wait_for(|stop| *stop).await;
}
