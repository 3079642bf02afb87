//! Files of this host: found, followed, and their past imported.
//!
//! What is found and readable is followed from now on without being asked; its past is imported on request. Each line
//! is stored once, whichever way it came: tail and import share the ledger.

use crate::intake::{Delivery, Intake, IntakeError, Outcome, Position, SourceName};
use crate::sources::SourceKind;
use agent::discover::{Discovery, FoundLog, discover, log_format_to_pattern};
use agent::past::PastReader;
use agent::tail::{Chunk, DeliverError, FileStatus, Outlet, SourceId, SourceSpec, StartAt, Tailer, Timing};
use base::{Clock, Id, ServiceName, Timestamp};
use bytes::Bytes;
use lake::AppendError;
use parking_lot::{Mutex, RwLock};
use protocols::access::{Format, Tally};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of an import that are stored at a time.
const IMPORT_CHUNK: usize = 1 << 20;
/// Imports that are remembered, running ones included.
const MAX_IMPORTS: usize = 200;
/// Imports at the same time; more wait.
const IMPORTS_AT_ONCE: usize = 1;

/// How an import goes.
#[derive(Debug, Clone)]
pub enum ImportState {
    /// Waiting or reading.
    Running,
    /// Everything that was there is in.
    Done,
    /// It ended early; what was stored stays, and it can be repeated.
    Failed(String),
}

/// One import of a file's past.
#[derive(Debug, Clone)]
pub struct Import {
    /// Its id.
    pub id: Id<Import>,
    /// The file.
    pub path: PathBuf,
    /// Whose requests.
    pub service: ServiceName,
    /// How it goes.
    pub state: ImportState,
    /// Bytes of (decompressed) content that were passed.
    pub bytes_done: u64,
    /// Size of the file on disk.
    pub bytes_total: u64,
    /// Lines that were new, with their rejects.
    pub tally: Tally,
    /// Bytes that had been imported before.
    pub already_imported: u64,
    /// When it started.
    pub started_at: Timestamp,
}

/// Takes what the tailer reads.
pub struct TailOutlet {
    intake: Arc<Intake>,
    patterns: Arc<RwLock<HashMap<PathBuf, Arc<str>>>>,
    demo: Arc<RwLock<Option<PathBuf>>>,
}

impl Outlet for TailOutlet {
    async fn deliver(&self, chunk: Chunk) -> Result<(), DeliverError> {
        let is_demo = self.demo.read().as_deref() == Some(chunk.path.as_path());
        let kind = if is_demo { SourceKind::Demo } else { SourceKind::File };
        let pattern = self.patterns.read().get(&chunk.path).cloned();
        let delivery = Delivery {
            service: chunk.service,
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

/// Delivers lines of a file. Lines that no format explains are counted as rejected, so that the file goes on.
async fn store_lines(intake: &Arc<Intake>, delivery: Delivery) -> Result<Outcome, IntakeError> {
    let again = Delivery { format: Some(Format::Combined), ..delivery.clone() };
    match intake.deliver(delivery).await {
        Err(IntakeError::UnknownFormat) => intake.deliver(again).await,
        outcome => outcome,
    }
}

/// Finds, follows and imports files.
pub struct Follow {
    intake: Arc<Intake>,
    tailer: Tailer<TailOutlet>,
    patterns: Arc<RwLock<HashMap<PathBuf, Arc<str>>>>,
    demo: Arc<RwLock<Option<PathBuf>>>,
    discovery: RwLock<Discovery>,
    imports: Mutex<Vec<Import>>,
    turn: tokio::sync::Semaphore,
    clock: Clock,
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
    #[error("{MAX_IMPORTS} imports are running or waiting; try again later")]
    TooManyImports,
}

impl Follow {
    /// Nothing is followed yet.
    pub fn new(intake: Arc<Intake>, clock: Clock) -> Result<Self, agent::tail::AddError> {
        let patterns = Arc::<RwLock<HashMap<PathBuf, Arc<str>>>>::default();
        let demo = Arc::<RwLock<Option<PathBuf>>>::default();
        let outlet =
            TailOutlet { intake: Arc::clone(&intake), patterns: Arc::clone(&patterns), demo: Arc::clone(&demo) };
        let tailer = Tailer::start(Arc::new(outlet), clock.clone(), Timing::default(), [])?;
        Ok(Self {
            intake,
            tailer,
            patterns,
            demo,
            discovery: RwLock::default(),
            imports: Mutex::default(),
            turn: tokio::sync::Semaphore::new(IMPORTS_AT_ONCE),
            clock,
        })
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
    pub fn import_past(self: &Arc<Self>, service: &ServiceName, path: &Path) -> Result<Vec<Id<Import>>, FollowError> {
        let discovery = self.discovery.read();
        let log = discovery.logs.iter().find(|log| log.path == path);
        let log = log.ok_or_else(|| FollowError::Unknown(path.to_owned()))?;
        let mut files: Vec<(PathBuf, u64, bool)> =
            log.older_files.iter().rev().map(|file| (file.path.clone(), file.size_bytes, false)).collect();
        files.push((log.path.clone(), log.size.0, true));
        drop(discovery);
        let mut imports = self.imports.lock();
        imports.retain(|import| matches!(import.state, ImportState::Running) || imports_is_recent(import, &self.clock));
        if imports.len() + files.len() > MAX_IMPORTS {
            return Err(FollowError::TooManyImports);
        }
        let mut ids = Vec::new();
        for (path, bytes_total, grows) in files {
            let import = Import {
                id: Id::generate(),
                path,
                service: service.clone(),
                state: ImportState::Running,
                bytes_done: 0,
                bytes_total,
                tally: Tally::default(),
                already_imported: 0,
                started_at: self.clock.now(),
            };
            ids.push(import.id);
            let me = Arc::clone(self);
            let (id, path, service) = (import.id, import.path.clone(), import.service.clone());
            imports.push(import);
            tokio::spawn(async move {
                let Ok(_turn) = me.turn.acquire().await else { return };
                let outcome = me.run_import(id, &path, &service, grows).await;
                me.update(id, |import| {
                    import.state = match outcome {
                        Ok(()) => ImportState::Done,
                        Err(reason) => ImportState::Failed(reason),
                    };
                });
            });
        }
        Ok(ids)
    }

    /// Imports of this process.
    pub fn imports(&self) -> Vec<Import> {
        self.imports.lock().clone()
    }

    fn update(&self, id: Id<Import>, change: impl FnOnce(&mut Import)) {
        if let Some(import) = self.imports.lock().iter_mut().find(|import| import.id == id) {
            change(import);
        }
    }

    async fn run_import(&self, id: Id<Import>, path: &Path, service: &ServiceName, grows: bool) -> Result<(), String> {
        let (intake, name, whose) = (Arc::clone(&self.intake), path.to_owned(), service.clone());
        let opened = blocking(move || {
            let mut reader = PastReader::open(&name).map_err(|error| chain(&error))?;
            if grows {
                reader = reader.may_grow();
            }
            let settled = reader.settle(&whose, |key| intake.mark(key)).map_err(|error| chain(&error))?;
            Ok((reader, settled))
        });
        let (mut reader, settled) = opened.await?;
        let Some((key, mut covered)) = settled else { return Ok(()) };
        let already: u64 = covered.ranges().map(|(from, to)| to - from).sum();
        self.update(id, |import| import.already_imported = already);
        loop {
            let (back, chunk) = blocking(move || {
                let chunk = reader.next_chunk(IMPORT_CHUNK).map_err(|error| chain(&error))?;
                Ok((reader, chunk))
            })
            .await?;
            reader = back;
            let Some(chunk) = chunk else { return Ok(()) };
            covered.extend(chunk.from, chunk.to, chunk.check);
            let delivery = Delivery {
                service: service.clone(),
                source: SourceName { kind: SourceKind::Import, name: path.display().to_string() },
                bytes: Bytes::from(chunk.bytes),
                format: None,
                pattern: self.patterns.read().get(path).cloned(),
                position: Some(Position {
                    key: key.clone(),
                    mark: covered.to_string(),
                    from: chunk.from,
                    to: chunk.to,
                }),
                too_long: chunk.too_long,
            };
            let tally = self.deliver_patiently(delivery).await?;
            self.update(id, |import| {
                import.bytes_done = chunk.to;
                import.tally.merge(&tally);
            });
        }
    }

    async fn deliver_patiently(&self, delivery: Delivery) -> Result<Tally, String> {
        loop {
            match store_lines(&self.intake, delivery.clone()).await {
                Err(IntakeError::Append(AppendError::Busy { retry_after, .. })) => {
                    tokio::time::sleep(retry_after.max(Duration::from_millis(100))).await;
                }
                outcome => return outcome.map(|outcome| outcome.tally).map_err(|error| error.to_string()),
            }
        }
    }

    /// Stops following.
    pub async fn stop(&self) {
        self.turn.close();
        self.tailer.stop().await;
    }
}

fn imports_is_recent(import: &Import, clock: &Clock) -> bool {
    clock.now().micros() - import.started_at.micros() < 3_600_000_000
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
