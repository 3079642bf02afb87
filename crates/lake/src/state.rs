//! What can be read at this moment: the files of each table, and the segments which are not sealed yet.
//!
//! Both change under one lock, so a reader sees every acknowledged row exactly once: in a segment or in a file, never
//! in both and never in neither.

use crate::error::Damage;
use crate::file::DataFile;
use crate::journal::frame::Mark;
use crate::rows::TIMES;
use base::{TimeRange, Timestamp};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{concat_batches, max, min, take_record_batch};
use datafusion::arrow::datatypes::{DataType, TimestampMicrosecondType};
use parking_lot::{Mutex, RwLock};
use signal::{Rollups, Table};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Batches below this many rows are merged once enough of them wait.
const SMALL_BATCH_ROWS: usize = 1024;
/// This many small batches in a row are merged into one.
const SMALL_BATCHES: usize = 64;
/// Marks that are remembered: all of them are in memory, and are written anew with each sealed segment that has some.
const MAX_MARKS: usize = 200_000;
const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// The rows of one journal segment, in memory until they are sealed.
pub struct Segment {
    /// Number of the journal segment.
    pub number: u64,
    /// File of the segment.
    pub path: PathBuf,
    rows: Mutex<SegmentRows>,
    bytes: AtomicU64,
    opened: AtomicI64,
    /// First and last `ts` of its requests.
    requests: (AtomicI64, AtomicI64),
}

#[derive(Default)]
struct SegmentRows {
    batches: HashMap<Table, Vec<RecordBatch>>,
    rollups: Rollups,
    marks: Vec<Mark>,
}

impl Segment {
    /// An empty segment.
    pub fn new(number: u64, path: PathBuf) -> Self {
        Self {
            number,
            path,
            rows: Mutex::default(),
            bytes: AtomicU64::new(0),
            opened: AtomicI64::new(i64::MAX),
            requests: (AtomicI64::new(i64::MAX), AtomicI64::new(i64::MIN)),
        }
    }

    /// When its first row arrived; `None` while it is empty.
    pub fn opened(&self) -> Option<Timestamp> {
        let opened = self.opened.load(Ordering::Relaxed);
        (opened != i64::MAX).then(|| Timestamp::from_micros(opened))
    }

    /// Adds what one frame of `bytes` made durable at `now`.
    pub fn push(&self, parts: Vec<(Table, RecordBatch)>, marks: Vec<Mark>, bytes: u64, now: Timestamp) {
        self.opened.fetch_min(now.micros(), Ordering::Relaxed);
        let mut rows = self.rows.lock();
        for (table, batch) in parts {
            if table == Table::Requests {
                rows.rollups.add_requests(&batch);
                let ts = batch.column(0).as_primitive::<TimestampMicrosecondType>();
                self.requests.0.fetch_min(min(ts).unwrap_or(i64::MAX), Ordering::Relaxed);
                self.requests.1.fetch_max(max(ts).unwrap_or(i64::MIN), Ordering::Relaxed);
            }
            let batches = rows.batches.entry(table).or_default();
            batches.push(batch);
            merge_small(batches, table);
        }
        rows.marks.extend(marks);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether it may hold requests of `[from, to)`, microseconds.
    fn may_hold_requests(&self, from: i64, to: i64) -> bool {
        self.requests.0.load(Ordering::Relaxed) < to && self.requests.1.load(Ordering::Relaxed) >= from
    }

    /// Memory held, in bytes, roughly.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed) + self.rows.lock().rollups.heap_bytes() as u64
    }

    /// Whether no row arrived.
    pub fn is_empty(&self) -> bool {
        self.opened().is_none()
    }

    /// The batches of a table; roll-ups are made from what was counted so far.
    pub fn batches(&self, table: Table) -> Vec<RecordBatch> {
        let rows = self.rows.lock();
        match table {
            Table::Rollup1m if rows.rollups.is_empty() => Vec::new(),
            Table::Rollup1m => vec![rows.rollups.to_batch()],
            Table::Requests | Table::Logs | Table::Spans | Table::Samples | Table::Errors | Table::Events => {
                rows.batches.get(&table).cloned().unwrap_or_default()
            }
        }
    }

    /// Lets `visit` read the roll-ups.
    pub fn with_rollups<R>(&self, visit: impl FnOnce(&Rollups) -> R) -> R {
        visit(&self.rows.lock().rollups)
    }

    /// Marks that became durable with the rows.
    pub fn marks(&self) -> Vec<Mark> {
        self.rows.lock().marks.clone()
    }
}

fn merge_small(batches: &mut Vec<RecordBatch>, table: Table) {
    let small = batches.iter().rev().take_while(|batch| batch.num_rows() < SMALL_BATCH_ROWS).count();
    if small < SMALL_BATCHES {
        return;
    }
    let tail = batches.split_off(batches.len() - small);
    match concat_batches(&table.schema(), &tail) {
        Ok(merged) => batches.push(compact_views(&merged)),
        // Rows of an older schema stay as they are.
        Err(_) => batches.extend(tail),
    }
}

/// Most rows of a batch for live tails.
pub const TAIL_ROWS: usize = 500;

/// A batch for live tails: in pieces that hold nothing of the frame it came in, so that a slow reader pins little.
pub fn tail_pieces(batch: &RecordBatch) -> impl Iterator<Item = RecordBatch> {
    (0..batch.num_rows()).step_by(TAIL_ROWS).filter_map(|start| {
        let rows = batch.slice(start, TAIL_ROWS.min(batch.num_rows() - start));
        // Taking rows by number copies them; a slice would not.
        let all = UInt32Array::from_iter_values(0..u32::try_from(rows.num_rows()).unwrap_or(0));
        take_record_batch(&rows, &all).ok().map(|copied| compact_views(&copied))
    })
}

/// Copies string views out of the many frames they point into, so that those can be freed.
fn compact_views(batch: &RecordBatch) -> RecordBatch {
    let columns: Vec<ArrayRef> = batch
        .columns()
        .iter()
        .map(|column| match column.data_type() {
            DataType::Utf8View => Arc::new(column.as_string_view().gc()) as ArrayRef,
            _ => Arc::clone(column),
        })
        .collect();
    RecordBatch::try_new(batch.schema(), columns).unwrap_or_else(|_| batch.clone())
}

#[derive(Default)]
struct TableView {
    files: Arc<Vec<Arc<DataFile>>>,
    sealed_through: Option<u64>,
}

#[derive(Default)]
struct Inner {
    tables: HashMap<Table, TableView>,
    segments: VecDeque<Arc<Segment>>,
    hours: BTreeMap<i64, u64>,
    epoch: u64,
    marks: HashMap<String, String>,
    damage: Vec<Damage>,
    /// Files that left their table, and when; running queries may still read them.
    dead: Vec<(Table, String, Instant)>,
}

impl Inner {
    fn touch_hours(&mut self, files: &[DataFile]) {
        for file in files {
            let mut hour = file.first.floor(MICROS_PER_HOUR).micros();
            while hour <= file.last.micros() {
                *self.hours.entry(hour).or_default() += 1;
                hour += MICROS_PER_HOUR;
            }
        }
    }
}

/// The readable state of a lake.
#[derive(Default)]
pub struct State {
    inner: RwLock<Inner>,
}

/// One table at one moment.
pub struct Snapshot {
    /// Sealed files.
    pub files: Arc<Vec<Arc<DataFile>>>,
    /// Segments whose rows of this table are in no file yet.
    pub segments: Vec<Arc<Segment>>,
    /// How often each hour (start, microseconds) changed by sealing; part of the identity of cached sums.
    pub hours: BTreeMap<i64, u64>,
    /// Changes when stored rows were removed.
    pub epoch: u64,
}

/// What is known of the requests of whole hours at one moment.
pub struct RequestHours {
    /// How often each hour (start, microseconds) changed by sealing; hours without sealed rows are not there.
    generations: BTreeMap<i64, u64>,
    epoch: u64,
    unsealed: Vec<Arc<Segment>>,
}

/// What sealed requests were when something was made of them: equal as long as they are the same.
pub type RequestStamp = (u64, Vec<Option<u64>>);

impl RequestHours {
    /// Starts of the hours of `range` that may hold requests.
    pub fn starts(&self, range: TimeRange) -> BTreeSet<i64> {
        let first = range.from.floor(MICROS_PER_HOUR).micros();
        let mut starts: BTreeSet<i64> =
            self.generations.range(first..range.to.micros().max(first)).map(|(hour, _)| *hour).collect();
        for segment in &self.unsealed {
            segment.with_rollups(|rollups| {
                let minutes = rollups.partials().map(|partial| partial.minute);
                let inside = minutes.filter(|minute| *minute >= range.from.minute() && *minute < range.to);
                starts.extend(inside.map(|minute| minute.floor(MICROS_PER_HOUR).micros()));
            });
        }
        starts
    }

    /// The stamp of the requests from the hour `from` to `to`; `None` while some of them may be unsealed.
    pub fn stamp(&self, from: i64, to: i64) -> Option<RequestStamp> {
        if self.unsealed.iter().any(|segment| segment.may_hold_requests(from, to)) {
            return None;
        }
        let (mut hour, mut generations) = (from, Vec::new());
        while hour < to {
            generations.push(self.generations.get(&hour).copied());
            hour += MICROS_PER_HOUR;
        }
        Some((self.epoch, generations))
    }
}

impl State {
    /// What is known of the requests of the hours around a range, at this moment.
    pub fn request_hours(&self, range: TimeRange) -> RequestHours {
        let inner = self.inner.read();
        let from = range.from.micros().max(*TIMES.start()).div_euclid(MICROS_PER_HOUR) * MICROS_PER_HOUR;
        let to = range.to.micros().min(*TIMES.end()).saturating_add(MICROS_PER_HOUR).max(from);
        RequestHours {
            generations: inner.hours.range(from..to).map(|(hour, generation)| (*hour, *generation)).collect(),
            epoch: inner.epoch,
            unsealed: inner.segments.iter().filter(|segment| !segment.is_empty()).cloned().collect(),
        }
    }

    /// One table at this moment; hour generations are given for `[from, to)` only.
    pub fn snapshot(&self, table: Table, range: TimeRange) -> Snapshot {
        let inner = self.inner.read();
        let from = range.from.micros().max(*TIMES.start()).div_euclid(MICROS_PER_HOUR) * MICROS_PER_HOUR;
        let view = inner.tables.get(&table);
        let sealed = view.and_then(|view| view.sealed_through);
        Snapshot {
            files: view.map(|view| Arc::clone(&view.files)).unwrap_or_default(),
            segments: inner.segments.iter().filter(|segment| Some(segment.number) > sealed).cloned().collect(),
            hours: inner
                .hours
                .range(from..range.to.micros().max(from))
                .map(|(hour, generation)| (*hour, *generation))
                .collect(),
            epoch: inner.epoch,
        }
    }

    /// Sets what a table holds when its log was read.
    pub fn set_table(&self, table: Table, files: Vec<DataFile>, sealed_through: Option<u64>) {
        let mut inner = self.inner.write();
        if table == Table::Rollup1m {
            inner.touch_hours(&files);
        }
        let view = TableView { files: Arc::new(files.into_iter().map(Arc::new).collect()), sealed_through };
        let files = Arc::clone(&view.files);
        let Some(before) = inner.tables.insert(table, view) else { return };
        let now = Instant::now();
        let gone = before.files.iter().filter(|old| !files.iter().any(|file| file.path == old.path));
        inner.dead.extend(gone.map(|file| (table, file.path.clone(), now)));
    }

    /// Whether the rows of a segment are already in the table's files.
    pub fn is_sealed(&self, table: Table, segment: u64) -> bool {
        self.sealed_through(table).is_some_and(|through| segment <= through)
    }

    /// The last segment whose rows are in the table's files.
    pub fn sealed_through(&self, table: Table) -> Option<u64> {
        self.inner.read().tables.get(&table).and_then(|view| view.sealed_through)
    }

    /// Replaces files of a table; with `sealed`, the segment's rows are from now on read from the new files.
    pub fn replace_files(&self, table: Table, removed: &[DataFile], added: &[DataFile], sealed: Option<u64>) {
        let mut inner = self.inner.write();
        if sealed.is_some() && table == Table::Rollup1m {
            inner.touch_hours(added);
        }
        let now = Instant::now();
        inner.dead.extend(removed.iter().map(|file| (table, file.path.clone(), now)));
        let view = inner.tables.entry(table).or_default();
        let mut files: Vec<Arc<DataFile>> =
            view.files.iter().filter(|file| !removed.iter().any(|gone| gone.path == file.path)).cloned().collect();
        files.extend(added.iter().cloned().map(Arc::new));
        view.files = Arc::new(files);
        view.sealed_through = view.sealed_through.max(sealed);
    }

    /// The files that left their table and are not deleted yet.
    pub fn dead(&self) -> Vec<(Table, String)> {
        self.inner.read().dead.iter().map(|(table, path, _)| (*table, path.clone())).collect()
    }

    /// Takes the files that left their table at least `age` ago.
    pub fn take_dead(&self, age: Duration) -> Vec<(Table, String)> {
        let mut inner = self.inner.write();
        let (gone, kept) = std::mem::take(&mut inner.dead).into_iter().partition(|dead| dead.2.elapsed() >= age);
        inner.dead = kept;
        let gone: Vec<(Table, String, Instant)> = gone;
        gone.into_iter().map(|(table, path, _)| (table, path)).collect()
    }

    /// Says that stored rows were removed: cached sums are void.
    pub fn rows_were_removed(&self) {
        self.inner.write().epoch += 1;
    }

    /// Adds a segment that is being filled or was recovered.
    pub fn add_segment(&self, segment: Arc<Segment>) {
        self.inner.write().segments.push_back(segment);
    }

    /// Forgets a segment all of whose rows are in files.
    pub fn drop_segment(&self, number: u64) {
        self.inner.write().segments.retain(|segment| segment.number != number);
    }

    /// Segments not sealed yet, oldest first.
    pub fn segments(&self) -> Vec<Arc<Segment>> {
        self.inner.read().segments.iter().cloned().collect()
    }

    /// All files of a table.
    pub fn files(&self, table: Table) -> Arc<Vec<Arc<DataFile>>> {
        self.inner.read().tables.get(&table).map(|view| Arc::clone(&view.files)).unwrap_or_default()
    }

    /// Sets marks; one without a value is forgotten.
    pub fn set_marks(&self, marks: impl IntoIterator<Item = Mark>) {
        let inner = &mut *self.inner.write();
        for (key, value) in marks {
            if value.is_empty() { drop(inner.marks.remove(&key)) } else { drop(inner.marks.insert(key, value)) }
        }
    }

    /// Whether the marks that are not known yet may be remembered too.
    pub fn has_room_for_marks(&self, fresh: &[Mark]) -> bool {
        let inner = self.inner.read();
        let is_new = |(key, value): &&Mark| !value.is_empty() && !inner.marks.contains_key(key);
        let unknown = fresh.iter().filter(is_new).count();
        unknown == 0 || inner.marks.len() + unknown <= MAX_MARKS
    }

    /// Forgets marks whose key starts with `prefix`.
    pub fn remove_marks(&self, prefix: &str) {
        self.inner.write().marks.retain(|key, _| !key.starts_with(prefix));
    }

    /// The value of a mark.
    pub fn mark(&self, key: &str) -> Option<String> {
        self.inner.read().marks.get(key).cloned()
    }

    /// Marks whose key starts with `prefix`.
    pub fn marks_with_prefix(&self, prefix: &str) -> Vec<Mark> {
        let inner = self.inner.read();
        inner.marks.iter().filter(|(key, _)| key.starts_with(prefix)).map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// Remembers damage, once per file and range.
    pub fn add_damage(&self, damage: Damage) {
        let mut inner = self.inner.write();
        if !inner.damage.iter().any(|known| known.file == damage.file && known.range == damage.range) {
            tracing::error!(file = %damage.file, range = ?damage.range, reason = %damage.reason, "damage found");
            inner.damage.push(damage);
        }
    }

    /// Everything found damaged so far.
    pub fn damage(&self) -> Vec<Damage> {
        self.inner.read().damage.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc;
    use datafusion::arrow::buffer::Buffer;
    use signal::{RequestRow, RequestRows};

    #[test]
    fn many_small_appends_hold_little_memory_and_lose_nothing() {
        let segment = Segment::new(1, PathBuf::new());
        for id in 0..2000 {
            let (path, ts) = (format!("/a/rather/long/path/of/a/request/{id}"), Timestamp::from_seconds(id));
            let mut rows = RequestRows::default();
            rows.push(&RequestRow { ts, service: "shop", path: &path, status: 200, ..RequestRow::default() }, []);
            let stream = Buffer::from_vec(ipc::encode(&rows.finish()).unwrap());
            let rows = ipc::decode(&stream).unwrap().into_iter().map(|batch| (Table::Requests, batch)).collect();
            segment.push(rows, Vec::new(), 1, Timestamp::default());
        }
        let batches = segment.batches(Table::Requests);
        assert!(batches.len() < 2 * SMALL_BATCHES, "{} batches", batches.len());
        // The last few still lie in their frames, the others let go of theirs.
        let merged: Vec<&RecordBatch> = batches.iter().filter(|batch| batch.num_rows() > 1).collect();
        let rows: usize = merged.iter().map(|batch| batch.num_rows()).sum();
        let held: usize = merged.iter().map(|batch| batch.get_array_memory_size()).sum();
        assert!(rows > 1900 && held < rows * 600, "{held} bytes for {rows} rows");
        let seconds: Vec<i64> = batches
            .iter()
            .flat_map(|batch| batch.column(0).as_primitive::<TimestampMicrosecondType>().values().to_vec())
            .collect();
        assert_eq!(seconds, (0..2000).map(|second| second * 1_000_000).collect::<Vec<_>>(), "in order, each once");
    }
}
