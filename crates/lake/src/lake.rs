//! The lake itself: opened, appended to, queried, maintained, closed.

use crate::error::{AppendError, BusyReason, Damage, LakeError, QueryError, chain};
use crate::identity;
use crate::ipc;
use crate::journal::frame::{self, FRAME_HEADER_BYTES, Mark, Payload};
use crate::journal::segment;
use crate::journal::writer::{Held, JournalWriter, Pending, Rotation, Start};
use crate::maintain::{Maintainer, Maintenance, reserve_bytes};
use crate::observed::FirstErrors;
use crate::options::LakeOptions;
use crate::query::{Answer, Query, QueryStats, Reader};
use crate::requests::{JudgedCache, JudgedSources};
use crate::rows;
use crate::seal::{Logs, seal};
use crate::state::{Segment, State};
use crate::windows::{HourCache, Minutes, WindowQuery, Windows, minutes, windows};
use crate::workers::Workers;
use base::TimeRange;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::buffer::Buffer;
use futures::StreamExt;
use parking_lot::Mutex;
use signal::Table;
use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;

/// How long an append waits for memory before it is pushed back.
const WAIT_FOR_MEMORY: Duration = Duration::from_secs(5);
/// How often maintenance runs.
const MAINTENANCE_EVERY: Duration = Duration::from_mins(1);
/// Threads that write files: one seals while the other merges.
const WRITERS: usize = 2;
/// Pause after sealing failed.
const SEAL_RETRY: Duration = Duration::from_secs(1);
/// How often the free disk space is looked at.
const DISK_LOOK_EVERY: Duration = Duration::from_millis(500);
/// Batches kept for a live tail that is slow; each has [`crate::state::TAIL_ROWS`] rows at most.
const TAIL_BATCHES: usize = 64;

/// Rows (and how far their source was read) that become durable together.
#[derive(Debug, Default)]
pub struct Append {
    /// Rows by table; roll-ups are made by the lake.
    pub rows: Vec<(Table, RecordBatch)>,
    /// Marks: see [`Lake::mark`]. One without a value is forgotten.
    pub marks: Vec<Mark>,
}

/// A data lake in one folder, held by one process.
pub struct Lake {
    state: Arc<State>,
    writer: Arc<JournalWriter>,
    reader: Arc<Reader>,
    cache: HourCache,
    judged: JudgedCache,
    first_errors: FirstErrors,
    maintainer: Arc<Maintainer>,
    room: Arc<Room>,
    published: broadcast::Sender<(Table, RecordBatch)>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    stop: Arc<Stop>,
    options: LakeOptions,
}

#[derive(Default)]
struct Stop {
    stopping: AtomicBool,
    wake: Notify,
}

/// Memory for rows that are not sealed yet, and what the disk allows.
struct Room {
    /// Bytes of appends that wait for the journal.
    queued: Arc<AtomicU64>,
    limit: u64,
    freed: Notify,
    disk: Mutex<Option<BusyReason>>,
    /// Why sealing does not get on at the moment.
    trouble: Mutex<Option<String>>,
    /// Held while the stored marks are rewritten.
    marks: Mutex<()>,
}

/// How full the lake is.
#[derive(Debug, Clone, serde::Serialize)]
pub struct LakeStatus {
    /// Bytes of rows that are not sealed yet.
    pub unsealed_bytes: u64,
    /// Most bytes of unsealed rows.
    pub unsealed_limit_bytes: u64,
    /// Segments not sealed yet.
    pub segments: usize,
    /// First row that is not sealed yet.
    pub oldest_unsealed: Option<base::Timestamp>,
    /// Bytes of journal and tables on disk.
    pub disk_bytes: u64,
    /// The disk budget.
    pub disk_limit_bytes: u64,
    /// Why intake pushes back at the moment.
    pub busy: Option<String>,
    /// Files by table: name, files, rows, bytes.
    pub tables: Vec<(&'static str, usize, u64, u64)>,
}

impl Lake {
    /// Opens the lake in `options.dir`, creating it when there is none, and reads the journal back.
    pub async fn open(options: LakeOptions) -> Result<Arc<Self>, LakeError> {
        let (journal, lake) = (options.dir.join("journal"), options.dir.join("lake"));
        for folder in [&journal, &lake, &options.dir.join("tmp")] {
            std::fs::create_dir_all(folder).map_err(LakeError::io("create folder", folder))?;
        }
        segment::sync_folder(&options.dir).map_err(LakeError::io("sync folder", &options.dir))?;
        let lock = lock(&options.dir)?;
        remove_spilled(&options.dir.join("tmp"));
        let state = Arc::new(State::default());
        let logs = Arc::new(Logs::open(&lake, identity::journal_id(&journal)?, options.clock.clone()).await?);
        let sealed_through = logs.read(&state).await?;
        state.set_marks(identity::read_marks(&journal)?);
        let reader = Arc::new(Reader::new(Arc::clone(&state), options.clone()).map_err(LakeError::data("start SQL"))?);
        let writers = Arc::new(Workers::start("lake-write", WRITERS).map_err(|source| LakeError::Io {
            action: "start the threads of",
            path: options.dir.join("lake"),
            source,
        })?);
        let maintainer = Arc::new(Maintainer {
            state: Arc::clone(&state),
            logs: Arc::clone(&logs),
            reader: Arc::clone(&reader),
            options: options.clone(),
            used: AtomicU64::new(0),
            expiring: tokio::sync::Mutex::default(),
            stopping: AtomicBool::new(false),
            writers: Arc::clone(&writers),
            _lock: Arc::clone(&lock),
        });
        maintainer.remove_strays();
        maintainer.measure_used().await;

        let room = Arc::new(Room {
            queued: Arc::new(AtomicU64::new(0)),
            limit: options.unsealed_bytes(),
            freed: Notify::new(),
            disk: Mutex::new(None),
            trouble: Mutex::new(None),
            marks: Mutex::new(()),
        });
        let sealer = Sealer {
            state: Arc::clone(&state),
            logs,
            journal: journal.clone(),
            options: options.clone(),
            room: Arc::clone(&room),
            writers,
            _lock: Arc::clone(&lock),
        };
        let (closed, to_seal) = mpsc::unbounded_channel();
        let next = sealer.recover(&closed).await?.max(sealed_through.map_or(0, |number| number + 1));
        let (published, _) = broadcast::channel(TAIL_BATCHES);
        let writer = Arc::new(JournalWriter::start(Start {
            folder: journal,
            number: next,
            state: Arc::clone(&state),
            clock: options.clock.clone(),
            rotation: Rotation { bytes: options.segment_bytes(), age: options.seal_age.to_std() },
            closed,
            published: published.clone(),
            lock,
        })?);
        let stop = Arc::new(Stop::default());
        let tasks = vec![
            tokio::spawn(sealer.run(to_seal, Arc::clone(&stop))),
            tokio::spawn(maintain(Arc::clone(&maintainer), Arc::clone(&stop))),
            tokio::spawn(watch_disk(Arc::clone(&maintainer), Arc::clone(&room), Arc::clone(&stop))),
        ];
        let cache = HourCache::new(options.cache_bytes());
        let judged = JudgedCache::new(options.judged_bytes());
        Ok(Arc::new(Self {
            state,
            writer,
            reader,
            cache,
            judged,
            first_errors: FirstErrors::default(),
            maintainer,
            room,
            published,
            tasks: Mutex::new(tasks),
            stop,
            options,
        }))
    }

    /// Stores rows and marks; returns once they are durable and visible. Waits a little for memory, then pushes back.
    pub async fn append(&self, append: Append) -> Result<(), AppendError> {
        if let Some(reason) = *self.room.disk.lock() {
            return Err(AppendError::Busy { reason, retry_after: Duration::from_secs(5) });
        }
        if !self.state.has_room_for_marks(&append.marks) {
            return Err(AppendError::Busy { reason: BusyReason::Marks, retry_after: Duration::from_mins(1) });
        }
        let (frame, parts, marks) = encode_beside(append).await?;
        let limit = usize::try_from(self.room.limit).unwrap_or(usize::MAX);
        if frame.len() > limit {
            return Err(AppendError::TooLarge { bytes: frame.len(), limit });
        }
        let held = self.wait_for_memory(frame.len() as u64).await?;
        let (done, wait) = oneshot::channel();
        self.writer.submit(Pending { frame, parts, marks, done, held });
        wait.await.unwrap_or(Err(AppendError::Closed))
    }

    async fn wait_for_memory(&self, bytes: u64) -> Result<Held, AppendError> {
        let waiting = async {
            loop {
                let freed = self.room.freed.notified();
                let sealing = self.sealing_bytes();
                // An append that is nearly as large as the room passes when it is alone.
                let fits = |queued: u64| sealing + queued == 0 || sealing + queued + bytes <= self.room.limit;
                if let Some(held) = Held::take(&self.room.queued, bytes, fits) {
                    return held;
                }
                if self.state.segments().len() <= 1 {
                    let _ = self.writer.rotate().await;
                }
                let _ = tokio::time::timeout(Duration::from_millis(100), freed).await;
            }
        };
        tokio::time::timeout(WAIT_FOR_MEMORY, waiting)
            .await
            .map_err(|_| AppendError::Busy { reason: BusyReason::Memory, retry_after: Duration::from_secs(2) })
    }

    fn sealing_bytes(&self) -> u64 {
        self.state.segments().iter().map(|segment| segment.bytes()).sum()
    }

    fn unsealed_bytes(&self) -> u64 {
        self.sealing_bytes() + self.room.queued.load(Ordering::Relaxed)
    }

    /// The value that was stored last under a mark's key, by an append that became durable.
    pub fn mark(&self, key: &str) -> Option<String> {
        self.state.mark(key)
    }

    /// Forgets all marks whose key starts with `prefix`, durably: what they booked may be stored once more.
    pub async fn forget_marks(&self, prefix: &str) -> Result<(), LakeError> {
        // Those of unsealed rows would come back with their segment.
        self.seal_now().await?;
        let (room, state, prefix) = (Arc::clone(&self.room), Arc::clone(&self.state), prefix.to_owned());
        let journal = self.options.dir.join("journal");
        let forget = move || {
            let _one_by_one = room.marks.lock();
            identity::remove_marks(&journal, &prefix)?;
            state.remove_marks(&prefix);
            Ok(())
        };
        let done = tokio::task::spawn_blocking(forget).await;
        done.unwrap_or_else(|error| {
            Err(LakeError::io("forget marks in", &self.options.dir)(std::io::Error::other(error)))
        })
    }

    /// All marks whose key starts with `prefix`.
    pub fn marks_with_prefix(&self, prefix: &str) -> Vec<Mark> {
        self.state.marks_with_prefix(prefix)
    }

    /// Answers SQL.
    pub async fn sql(&self, query: &Query) -> Result<Answer, QueryError> {
        self.reader.sql(query).await
    }

    /// The reader, for questions built with expressions.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// What is remembered of when errors were first seen.
    pub(crate) fn first_errors(&self) -> &FirstErrors {
        &self.first_errors
    }

    /// What disappointed users are judged from.
    pub(crate) fn judged_sources(&self) -> JudgedSources<'_> {
        JudgedSources { reader: &self.reader, state: &self.state, cache: &self.judged }
    }

    /// Sums of roll-ups over a window.
    pub async fn windows(&self, query: &WindowQuery) -> Result<Windows, QueryError> {
        windows(&self.reader, &self.state, &self.cache, query).await
    }

    /// Runs a query for at most `limit` and visits its rows batch by batch, however many there are.
    pub async fn each(
        &self,
        sql: &str,
        range: TimeRange,
        limit: Duration,
        visit: impl FnMut(&RecordBatch) + Send,
    ) -> Result<QueryStats, QueryError> {
        self.reader.each(sql, range, limit, visit).await
    }

    /// Sums of each minute of a range by themselves, of the services and routes that are wanted.
    pub async fn minutes(
        &self,
        range: TimeRange,
        wanted: impl Fn(&str, &str) -> bool + Send + Sync,
    ) -> Result<Minutes, QueryError> {
        minutes(&self.reader, &self.state, range, wanted).await
    }

    /// Every batch from now on, as it becomes durable. A slow reader loses batches and is told how many.
    pub fn tail(&self) -> broadcast::Receiver<(Table, RecordBatch)> {
        self.published.subscribe()
    }

    /// What was found damaged so far.
    pub fn damage(&self) -> Vec<Damage> {
        self.state.damage()
    }

    /// How full the lake is.
    pub fn status(&self) -> LakeStatus {
        let segments = self.state.segments();
        LakeStatus {
            unsealed_bytes: self.unsealed_bytes(),
            unsealed_limit_bytes: self.room.limit,
            segments: segments.iter().filter(|segment| !segment.is_empty()).count(),
            oldest_unsealed: segments.iter().find_map(|segment| segment.opened()),
            disk_bytes: self.maintainer.used_bytes(),
            disk_limit_bytes: self.options.disk.0,
            busy: self.room.disk.lock().map(|reason| reason.to_string()),
            tables: Table::ALL
                .into_iter()
                .map(|table| {
                    let files = self.state.files(table);
                    let rows = files.iter().map(|file| file.rows).sum();
                    (table.name(), files.len(), rows, files.iter().map(|file| file.bytes).sum())
                })
                .collect(),
        }
    }

    /// Measures the bytes on disk anew; [`Lake::status`] tells what was measured within the last seconds.
    pub async fn measure_disk(&self) -> u64 {
        self.maintainer.measure_used().await
    }

    /// Seals everything that was appended before and waits until it is in the tables, or until sealing fails.
    pub async fn seal_now(&self) -> Result<(), LakeError> {
        *self.room.trouble.lock() = None;
        self.writer.rotate().await?;
        let before: Vec<u64> =
            self.state.segments().iter().filter(|part| !part.is_empty()).map(|part| part.number).collect();
        while self.state.segments().iter().any(|part| before.contains(&part.number)) {
            let freed = self.room.freed.notified();
            if let Some(trouble) = self.room.trouble.lock().clone() {
                return Err(LakeError::Io {
                    action: "seal the journal in",
                    path: self.options.dir.clone(),
                    source: std::io::Error::other(trouble),
                });
            }
            let _ = tokio::time::timeout(Duration::from_millis(100), freed).await;
        }
        Ok(())
    }

    /// Merges files now; see [`Maintainer::compact`].
    pub async fn compact(&self, all: bool) -> Result<Maintenance, LakeError> {
        self.maintainer.compact(all).await
    }

    /// Deletes what is older than its retention or beyond the disk budget.
    pub async fn expire(&self) -> Result<Maintenance, LakeError> {
        self.maintainer.expire().await
    }

    /// Deletes files that left their table; queries that run may still read them.
    pub fn remove_dead_files(&self) -> usize {
        self.maintainer.remove_dead_files(Duration::ZERO)
    }

    /// Removes every row of a service. Returns how many were removed.
    pub async fn delete_service(&self, service: &str) -> Result<u64, LakeError> {
        self.seal_now().await?;
        self.maintainer.delete_service(service).await
    }

    /// Writes what is queued, seals it, and stops every task.
    pub async fn close(&self) {
        if let Err(error) = self.writer.rotate().await {
            tracing::warn!(%error, "the last segment stays in the journal");
        }
        let writer = Arc::clone(&self.writer);
        let _ = tokio::task::spawn_blocking(move || writer.close()).await;
        self.stop.stopping.store(true, Ordering::SeqCst);
        self.maintainer.stopping.store(true, Ordering::SeqCst);
        self.stop.wake.notify_waiters();
        let tasks = std::mem::take(&mut *self.tasks.lock());
        for task in tasks {
            let _ = task.await;
        }
    }
}

impl Drop for Lake {
    /// Not closed: what is queued is still written, what is not sealed stays in the journal.
    fn drop(&mut self) {
        self.writer.stop();
        self.stop.stopping.store(true, Ordering::SeqCst);
        self.stop.wake.notify_waiters();
    }
}

impl Stop {
    fn is_set(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Sleeps, but not when stopping.
    async fn pause(&self, length: Duration) {
        let woken = self.wake.notified();
        if !self.is_set() {
            let _ = tokio::time::timeout(length, woken).await;
        }
    }
}

/// Rows and marks as a frame, and the rows as they lie in it.
type Encoded = (Buffer, Vec<(Table, RecordBatch)>, Vec<Mark>);

/// Appends of more rows than this are encoded beside the runtime.
const MANY_ROWS: usize = 2_000;

async fn encode_beside(append: Append) -> Result<Encoded, AppendError> {
    let rows: usize = append.rows.iter().map(|(_, batch)| batch.num_rows()).sum();
    let encode = move || {
        let frame = encode(&append)?;
        let parts = decode_parts(&frame)?;
        Ok((frame, parts, append.marks))
    };
    if rows <= MANY_ROWS {
        return encode();
    }
    tokio::task::spawn_blocking(encode).await.unwrap_or(Err(AppendError::Closed))
}

fn encode(append: &Append) -> Result<Buffer, AppendError> {
    let mut streams = Vec::with_capacity(append.rows.len());
    for (table, batch) in &append.rows {
        rows::check(*table, batch).map_err(AppendError::Encode)?;
        streams.push((*table, ipc::encode(batch).map_err(AppendError::Encode)?));
    }
    let parts = streams.iter().map(|(table, stream)| (*table, stream.as_slice())).collect();
    let payload = Payload { marks: append.marks.clone(), parts };
    let bytes = payload.size();
    if bytes > frame::MAX_PAYLOAD_BYTES {
        return Err(AppendError::TooLarge { bytes, limit: frame::MAX_PAYLOAD_BYTES });
    }
    Ok(Buffer::from_vec(frame::encode(&payload)))
}

/// The rows of a frame, pointing into it.
fn decode_parts(frame: &Buffer) -> Result<Vec<(Table, RecordBatch)>, AppendError> {
    let bytes = frame.as_slice();
    let payload = frame::parse(&bytes[FRAME_HEADER_BYTES..]).expect("the frame was encoded a moment ago");
    let mut parts = Vec::new();
    for (table, stream) in payload.parts {
        let at = stream.as_ptr() as usize - bytes.as_ptr() as usize;
        let slice = frame.slice_with_length(at, stream.len());
        parts.extend(ipc::decode(&slice).map_err(AppendError::Encode)?.into_iter().map(|batch| (table, batch)));
    }
    Ok(parts)
}

/// Removes what queries of an earlier process put aside.
fn remove_spilled(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let _ = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
    }
}

/// One process at a time writes a lake.
pub(crate) fn lock(dir: &Path) -> Result<Arc<File>, LakeError> {
    let path = dir.join("lock");
    let file = File::options().create(true).append(true).open(&path).map_err(LakeError::io("create", &path))?;
    file.try_lock().map_err(|_| LakeError::InUse(dir.to_owned()))?;
    Ok(Arc::new(file))
}

/// Moves closed segments into the tables, in order.
struct Sealer {
    state: Arc<State>,
    logs: Arc<Logs>,
    journal: PathBuf,
    options: LakeOptions,
    room: Arc<Room>,
    writers: Arc<Workers>,
    _lock: Arc<File>,
}

impl Sealer {
    /// Reads every segment back. What would not fit into memory is sealed at once, the rest is queued.
    /// Returns the number of the next segment.
    async fn recover(&self, closed: &mpsc::UnboundedSender<Arc<Segment>>) -> Result<u64, LakeError> {
        let segments = segment::list(&self.journal).map_err(LakeError::io("read", &self.journal))?;
        self.report_lost_rows(&segments);
        let last = segments.last().map(|(number, _)| *number);
        // The next segment is read while the one before is sealed.
        let mut reads = futures::stream::iter(segments)
            .map(|(number, path)| self.read_segment(number, path, Some(number) == last))
            .buffered(2);
        while let Some(part) = reads.next().await {
            let part = part?;
            self.state.set_marks(part.marks());
            if part.is_empty() {
                let _ = std::fs::remove_file(&part.path);
                continue;
            }
            self.state.add_segment(part);
            let mut waiting: VecDeque<_> = self.state.segments().into();
            let mut bytes: u64 = waiting.iter().map(|part| part.bytes()).sum();
            while bytes > self.options.unsealed_bytes() / 2
                && let Some(oldest) = waiting.pop_front()
            {
                bytes -= oldest.bytes();
                self.seal_one(&oldest).await?;
            }
        }
        for part in self.state.segments() {
            let _ = closed.send(part);
        }
        Ok(last.map_or(1, |last| last + 1))
    }

    /// Requests and their roll-ups are always sealed together. Where one table knows of a segment that the other one does
    /// not, and the journal has it no more, a commit of the other one is gone: that is said, whatever the log says.
    fn report_lost_rows(&self, segments: &[(u64, PathBuf)]) {
        let sealed = |table| self.state.sealed_through(table).unwrap_or(0);
        let (requests, rollups) = (sealed(Table::Requests), sealed(Table::Rollup1m));
        let lost = requests.min(rollups) + 1..=requests.max(rollups);
        if lost.is_empty() || segments.iter().any(|(number, _)| lost.contains(number)) {
            return;
        }
        let table = if requests < rollups { Table::Requests } else { Table::Rollup1m };
        self.state.add_damage(Damage {
            file: format!("lake/{}/_delta_log", table.name()),
            range: 0..0,
            reason: format!(
                "the commits of the segments {} to {} are missing; their files are kept, but no log names them",
                lost.start(),
                lost.end()
            ),
            since: self.options.clock.now(),
        });
    }

    async fn read_segment(&self, number: u64, path: PathBuf, last: bool) -> Result<Arc<Segment>, LakeError> {
        let state = Arc::clone(&self.state);
        let now = self.options.clock.now();
        let read = tokio::task::spawn_blocking(move || rows::read_segment(number, path, last, &state, now));
        read.await.map_err(|error| LakeError::Io {
            action: "read",
            path: self.journal.clone(),
            source: std::io::Error::other(error),
        })?
    }

    async fn seal_one(&self, part: &Arc<Segment>) -> Result<(), LakeError> {
        seal(part, &self.logs, &self.state, &self.options.clock, &self.writers).await?;
        let (journal, sealed, room) = (self.journal.clone(), Arc::clone(part), Arc::clone(&self.room));
        let book = move || {
            let _one_by_one = room.marks.lock();
            identity::add_marks(&journal, sealed.marks())?;
            match std::fs::remove_file(&sealed.path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(LakeError::io("remove", &sealed.path)(error))
                }
                _ => Ok(()),
            }
        };
        tokio::task::spawn_blocking(book).await.map_err(|error| LakeError::Io {
            action: "book the marks of",
            path: part.path.clone(),
            source: std::io::Error::other(error),
        })??;
        self.state.drop_segment(part.number);
        Ok(())
    }

    async fn run(self, mut closed: mpsc::UnboundedReceiver<Arc<Segment>>, stop: Arc<Stop>) {
        // The channel closes when the writer stops; what is in it is sealed first.
        while let Some(part) = closed.recv().await {
            while let Err(error) = self.seal_one(&part).await {
                let text = chain(&error);
                tracing::error!(error = text, segment = part.number, "sealing failed; it is tried again");
                *self.room.trouble.lock() = Some(text);
                self.room.freed.notify_waiters();
                if stop.is_set() {
                    return;
                }
                stop.pause(SEAL_RETRY).await;
            }
            *self.room.trouble.lock() = None;
            self.room.freed.notify_waiters();
        }
    }
}

async fn maintain(maintainer: Arc<Maintainer>, stop: Arc<Stop>) {
    loop {
        stop.pause(MAINTENANCE_EVERY).await;
        if stop.is_set() {
            return;
        }
        if let Err(error) = maintainer.round().await {
            tracing::error!(error = %chain(&error), "maintenance failed; it is tried again in a minute");
        }
    }
}

async fn watch_disk(maintainer: Arc<Maintainer>, room: Arc<Room>, stop: Arc<Stop>) {
    let mut rounds = 0u32;
    while !stop.is_set() {
        let mut reason = None;
        if let Ok(disk) = rustix::fs::statvfs(&maintainer.options.dir) {
            let free = disk.f_bavail * disk.f_frsize;
            if free < reserve_bytes(disk.f_blocks * disk.f_frsize) {
                reason = Some(BusyReason::DiskFull);
            }
        }
        // Walking the folders costs more than asking the file system.
        if rounds.is_multiple_of(20) || *room.disk.lock() == Some(BusyReason::DiskBudget) {
            let over = |used: u64| used > maintainer.options.disk.0;
            if over(maintainer.measure_used().await) {
                let _ = maintainer.expire().await;
                if over(maintainer.measure_used().await) {
                    reason = reason.or(Some(BusyReason::DiskBudget));
                }
            }
        }
        let before = std::mem::replace(&mut *room.disk.lock(), reason);
        if before != reason {
            if let Some(reason) = reason {
                tracing::warn!("intake is pushed back: {reason}");
            } else {
                tracing::info!("there is room on the disk again: intake goes on");
            }
        }
        rounds = rounds.wrapping_add(1);
        stop.pause(DISK_LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::{Effort, FileWriter};
    use base::{Clock, Timestamp};
    use signal::{RequestRow, RequestRows};

    const DAY: i64 = 86_400;

    fn rows(service: &str, ts: Timestamp) -> RecordBatch {
        let mut rows = RequestRows::default();
        rows.push(&RequestRow { ts, service, route: "GET /", status: 200, ..RequestRow::default() }, []);
        rows.finish()
    }

    #[tokio::test]
    async fn a_day_of_the_past_that_is_sealed_while_days_expire_stays() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::from_seconds(20_000 * DAY);
        let options = LakeOptions { clock: Clock::manual(now), ..LakeOptions::new(dir.path()) };
        let lake = Lake::open(options).await.unwrap();
        let old = Timestamp::from_seconds(9_000 * DAY);
        let (state, maintainer) = (Arc::clone(&lake.state), Arc::clone(&lake.maintainer));
        // As while a segment with rows of long ago is sealed: the log is held, the file is written, then committed.
        let log = maintainer.logs.change(Table::Requests, &state).await.unwrap();
        let mut expiring = std::pin::pin!(maintainer.expire());
        assert!(futures::poll!(&mut expiring).is_pending());
        let mut writer = FileWriter::create(log.folder(), Table::Requests, 9_000, Effort::Seal, now).unwrap();
        writer.write(&rows("shop", old), old, old).unwrap();
        let file = writer.finish().unwrap();
        state.replace_files(Table::Requests, &[], std::slice::from_ref(&file), None);
        drop(log);
        assert_eq!(expiring.await.unwrap().expired, 0);
        assert_eq!(state.files(Table::Requests).len(), 1);
        lake.close().await;
    }

    #[tokio::test]
    async fn a_slow_tail_pins_copies_of_rows_and_never_their_frames() {
        let dir = tempfile::tempdir().unwrap();
        let lake = Lake::open(LakeOptions::new(dir.path())).await.unwrap();
        let mut tail = lake.tail();
        let mut many = RequestRows::default();
        for second in 0..1234 {
            let row = RequestRow { ts: Timestamp::from_seconds(second), service: "shop", ..RequestRow::default() };
            many.push(&RequestRow { path: "/a/path/that/is/longer/than/a/view", route: "GET /", ..row }, []);
        }
        let append = Append { rows: vec![(Table::Requests, many.finish())], marks: Vec::new() };
        lake.append(append).await.unwrap();
        let mut seen = 0;
        while seen < 1234 {
            let (_, piece) = tail.recv().await.unwrap();
            assert!(piece.num_rows() <= crate::state::TAIL_ROWS);
            assert!(piece.get_array_memory_size() < piece.num_rows() * 600, "{}", piece.get_array_memory_size());
            seen += piece.num_rows();
        }
        lake.close().await;
    }

    #[tokio::test]
    async fn what_an_earlier_process_put_aside_is_removed_at_start() {
        let dir = tempfile::tempdir().unwrap();
        let left = dir.path().join("tmp/datafusion-x");
        std::fs::create_dir_all(&left).unwrap();
        std::fs::write(left.join("spill"), "rows").unwrap();
        let lake = Lake::open(LakeOptions::new(dir.path())).await.unwrap();
        assert!(!left.exists());
        let too_large = Append {
            rows: vec![(Table::Requests, rows("shop", Timestamp::default()))],
            marks: vec![("k".into(), "v".repeat(97 << 20))],
        };
        assert!(matches!(lake.append(too_large).await, Err(AppendError::TooLarge { .. })), "no retry could help");
        lake.close().await;
    }

    #[tokio::test]
    async fn marks_are_forgotten_for_good_and_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let lake = Lake::open(LakeOptions::new(dir.path())).await.unwrap();
        let marks = |keys: &[&str]| Append {
            rows: Vec::new(),
            marks: keys.iter().map(|key| ((*key).to_owned(), "1".to_owned())).collect(),
        };
        lake.append(marks(&["file:shop:a", "file:shop:b", "file:bank:a"])).await.unwrap();
        lake.forget_marks("file:shop:").await.unwrap();
        let forgotten = Append { rows: Vec::new(), marks: vec![("file:bank:b".into(), String::new())] };
        lake.append(marks(&["file:bank:b"])).await.unwrap();
        lake.append(forgotten).await.unwrap();
        assert_eq!(lake.mark("file:bank:b"), None);
        let many: Vec<String> = (0..200_000).map(|key| format!("many {key}")).collect();
        let too_many = marks(&many.iter().map(String::as_str).collect::<Vec<_>>());
        let refused = lake.append(too_many).await;
        assert!(matches!(refused, Err(AppendError::Busy { reason: BusyReason::Marks, .. })), "{refused:?}");
        lake.close().await;
        drop(lake);
        let lake = Lake::open(LakeOptions::new(dir.path())).await.unwrap();
        assert_eq!(lake.marks_with_prefix("file:"), [("file:bank:a".to_owned(), "1".to_owned())]);
        lake.close().await;
    }
}
