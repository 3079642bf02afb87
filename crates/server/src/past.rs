//! Imports of what is in a found log and its rotated files: one import a log, one after the other.
//!
//! What was stored stays when an import ends early, and it can be repeated: tail and imports share the ledger, so no
//! line is stored twice.

use crate::intake::{Delivery, Intake, IntakeError, Position, store_lines};
use crate::source_name::{SourceKind, SourceName};
use agent::discover::FoundLog;
use agent::past::PastReader;
use base::{Clock, Id, ServiceName, Timestamp};
use bytes::Bytes;
use lake::AppendError;
use outbound::chain;
use parking_lot::{Mutex, RwLock};
use protocols::access::{Format, Tally};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

#[cfg(test)]
mod tests;

/// Bytes of an import that are stored at a time.
const IMPORT_CHUNK: usize = 1 << 20;
/// Imports that run or wait.
const MAX_IMPORTS: usize = 200;
/// Imports at the same time; more wait.
const IMPORTS_AT_ONCE: usize = 1;
/// How often a file is looked at anew because its tail books at the same time.
const MAX_RESTARTS: u32 = 20;
/// Files that couldn't be imported and are named; of more the number is told.
const NAMED_FAILURES: usize = 3;
/// An import that ended is told for this long.
const TOLD_FOR_US: i64 = 3_600_000_000;

/// What lines of a file look like, where its server's configuration says it.
pub type Patterns = Arc<RwLock<HashMap<PathBuf, Arc<str>>>>;

/// How an import goes.
#[derive(Debug, Clone)]
pub enum ImportState {
    /// Waiting or reading.
    Running,
    /// Everything that was there is in.
    Done,
    /// Some or all of it is not in; what was stored stays, and it can be repeated.
    Failed(String),
}

/// One import of a log's past.
#[derive(Debug, Clone)]
pub struct Import {
    /// Its id.
    pub id: Id<Import>,
    /// The log.
    pub path: PathBuf,
    /// Whose requests.
    pub service: ServiceName,
    /// How it goes.
    pub state: ImportState,
    /// Bytes on disk of files that were passed, and of the one that is being read.
    pub bytes_done: u64,
    /// Bytes on disk of all its files.
    pub bytes_total: u64,
    /// Lines that were new, with their rejects.
    pub tally: Tally,
    /// Bytes that had been imported before.
    pub already_imported: u64,
    /// When it started.
    pub started_at: Timestamp,
}

/// Too many imports run or wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_IMPORTS} imports are running or waiting; try again later")]
pub struct TooManyImports;

/// Why a file is not wholly in.
enum FileError {
    /// The ledger has changed meanwhile: it must be read again.
    Stale,
    Failed(String),
}

struct PastFile {
    path: PathBuf,
    /// What its lines are said to come from.
    source: SourceName,
    bytes: u64,
    /// It is still being written.
    grows: bool,
    /// `None` is found out.
    format: Option<Format>,
}

impl PastFile {
    fn of_log(path: &Path, bytes: u64, grows: bool) -> Self {
        let source = SourceName { kind: SourceKind::Import, name: path.display().to_string() };
        Self { path: path.to_owned(), source, bytes, grows, format: None }
    }
}

/// The imports of this process.
pub struct Past {
    intake: Arc<Intake>,
    patterns: Patterns,
    imports: Mutex<Vec<Import>>,
    turn: tokio::sync::Semaphore,
    clock: Clock,
}

impl Past {
    /// Nothing is imported yet.
    pub fn new(intake: Arc<Intake>, patterns: Patterns, clock: Clock) -> Self {
        let turn = tokio::sync::Semaphore::new(IMPORTS_AT_ONCE);
        Self { intake, patterns, imports: Mutex::default(), turn, clock }
    }

    /// Imports what is in a log and its rotated files, oldest first. Returns at once.
    pub fn import(self: &Arc<Self>, service: &ServiceName, log: &FoundLog) -> Result<Id<Import>, TooManyImports> {
        let older = log.older_files.iter().rev();
        let mut files: Vec<PastFile> = older.map(|file| PastFile::of_log(&file.path, file.size_bytes, false)).collect();
        files.push(PastFile::of_log(&log.path, log.size.0, true));
        let import = Import {
            id: Id::generate(),
            path: log.path.clone(),
            service: service.clone(),
            state: ImportState::Running,
            bytes_done: 0,
            bytes_total: files.iter().map(|file| file.bytes).sum(),
            tally: Tally::default(),
            already_imported: 0,
            started_at: self.clock.now(),
        };
        let id = import.id;
        self.admit(import)?;
        let (me, service) = (Arc::clone(self), service.clone());
        tokio::spawn(async move {
            let Ok(_turn) = me.turn.acquire().await else { return };
            let state = me.run(id, &service, &files).await;
            me.update(id, |import| import.state = state);
        });
        Ok(id)
    }

    /// Reads a file that is not written to any more, whole, when its turn comes; what of it is in already is passed over.
    /// It is not told among the imports.
    pub async fn read_finished(
        &self,
        service: &ServiceName,
        path: &Path,
        source: SourceName,
        format: Option<Format>,
    ) -> Result<(), String> {
        let Ok(_turn) = self.turn.acquire().await else { return Err("the program is ending".to_owned()) };
        let file = PastFile { path: path.to_owned(), source, bytes: 0, grows: false, format };
        self.whole_file(Id::generate(), service, &file, 0).await
    }

    fn admit(&self, import: Import) -> Result<(), TooManyImports> {
        let mut imports = self.imports.lock();
        let now = self.clock.now();
        let is_recent = |import: &Import| now.micros() - import.started_at.micros() < TOLD_FOR_US;
        imports.retain(|import| matches!(import.state, ImportState::Running) || is_recent(import));
        if imports.len() >= MAX_IMPORTS {
            let ended = imports.iter().position(|import| !matches!(import.state, ImportState::Running));
            imports.remove(ended.ok_or(TooManyImports)?);
        }
        imports.push(import);
        Ok(())
    }

    /// Imports of this process.
    pub fn list(&self) -> Vec<Import> {
        self.imports.lock().clone()
    }

    /// Those that wait don't start any more.
    pub fn stop(&self) {
        self.turn.close();
    }

    fn update(&self, id: Id<Import>, change: impl FnOnce(&mut Import)) {
        if let Some(import) = self.imports.lock().iter_mut().find(|import| import.id == id) {
            change(import);
        }
    }

    /// One file that can't be read keeps no other from being imported.
    async fn run(&self, id: Id<Import>, service: &ServiceName, files: &[PastFile]) -> ImportState {
        let (mut passed, mut failures) = (0, Vec::new());
        for file in files {
            if let Err(reason) = self.whole_file(id, service, file, passed).await {
                let name = file.path.display().to_string();
                failures.push(if reason.contains(&name) { reason } else { format!("{name}: {reason}") });
            }
            passed += file.bytes;
            self.update(id, |import| import.bytes_done = passed);
        }
        let more = failures.len().saturating_sub(NAMED_FAILURES);
        failures.truncate(NAMED_FAILURES);
        match (failures.is_empty(), more) {
            (true, _) => ImportState::Done,
            (false, 0) => ImportState::Failed(failures.join("; ")),
            (false, more) => ImportState::Failed(format!("{}; and {more} more files", failures.join("; "))),
        }
    }

    /// Reads a file again from what is booked by then, as often as somebody else books at the same time.
    async fn whole_file(
        &self,
        id: Id<Import>,
        service: &ServiceName,
        file: &PastFile,
        passed: u64,
    ) -> Result<(), String> {
        for attempt in 0..MAX_RESTARTS {
            match self.file(id, service, file, passed, attempt == 0).await {
                Err(FileError::Stale) => {}
                Err(FileError::Failed(reason)) => return Err(reason),
                Ok(()) => return Ok(()),
            }
        }
        Err("other imports book the same content; try again later".into())
    }

    async fn file(
        &self,
        id: Id<Import>,
        service: &ServiceName,
        file: &PastFile,
        passed: u64,
        is_first_try: bool,
    ) -> Result<(), FileError> {
        let (intake, path, whose, grows) = (Arc::clone(&self.intake), file.path.clone(), service.clone(), file.grows);
        let opened = blocking(move || {
            let mut reader = PastReader::open(&path).map_err(|error| chain(&error))?;
            if grows {
                reader = reader.may_grow();
            }
            let settled = reader.settle(&whose, |key| intake.mark(key)).map_err(|error| chain(&error))?;
            Ok((reader, settled))
        });
        let (mut reader, settled) = opened.await?;
        let Some((key, mut covered)) = settled else { return Ok(()) };
        if is_first_try {
            let already: u64 = covered.ranges().map(|(from, to)| to - from).sum();
            self.update(id, |import| import.already_imported += already);
        }
        loop {
            let (back, chunk) = blocking(move || {
                let chunk = reader.next_chunk(IMPORT_CHUNK).map_err(|error| chain(&error))?;
                Ok((reader, chunk))
            })
            .await?;
            reader = back;
            let Some(chunk) = chunk else { return Ok(()) };
            covered.extend(chunk.from, chunk.to, chunk.check);
            let position = Position { key: key.clone(), mark: covered.to_string(), from: chunk.from, to: chunk.to };
            let delivery = Delivery {
                service: service.clone(),
                source: file.source.clone(),
                bytes: Bytes::from(chunk.bytes),
                format: file.format,
                pattern: self.pattern(&file.path),
                position: Some(position),
                peer: None,
                too_long: chunk.too_long,
            };
            let tally = self.deliver_patiently(delivery).await?;
            self.update(id, |import| {
                // Offsets count unpacked bytes, of which there are more than on disk.
                import.bytes_done = passed + chunk.to.min(file.bytes);
                import.tally.merge(&tally);
            });
        }
    }

    /// A rotated file looks like the log it comes from.
    fn pattern(&self, path: &Path) -> Option<Arc<str>> {
        let patterns = self.patterns.read();
        let of_log = |log: &&PathBuf| {
            let (path, log) = (path.as_os_str().as_encoded_bytes(), log.as_os_str().as_encoded_bytes());
            path.starts_with(log) && path.get(log.len()).is_none_or(|next| matches!(next, b'.' | b'-'))
        };
        let log = patterns.keys().filter(of_log).max_by_key(|log| log.as_os_str().len())?;
        patterns.get(log).cloned()
    }

    async fn deliver_patiently(&self, delivery: Delivery) -> Result<Tally, FileError> {
        loop {
            match store_lines(&self.intake, delivery.clone()).await {
                Ok(outcome) => return Ok(outcome.tally),
                Err(IntakeError::Append(AppendError::Busy { retry_after, .. })) => {
                    tokio::time::sleep(retry_after.max(Duration::from_millis(100))).await;
                }
                Err(IntakeError::Stale) => return Err(FileError::Stale),
                Err(error) => return Err(FileError::Failed(error.to_string())),
            }
        }
    }
}

impl From<String> for FileError {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?
}
