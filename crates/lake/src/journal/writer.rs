//! The one thread that writes the journal: group commit, publication, rotation.
//!
//! Order of a group: write, fdatasync, publish to readers, acknowledge. What is acknowledged is durable and visible.

use super::frame::Mark;
use super::segment::{SegmentWriter, WriteFailure};
use crate::error::{AppendError, BusyReason, LakeError, chain};
use crate::state::{Segment, State, tail_pieces};
use base::Clock;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::buffer::Buffer;
use parking_lot::{Condvar, Mutex};
use signal::Table;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// How long a sender should wait before it tries again after a failed write.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// One append, encoded and waiting.
pub struct Pending {
    /// The frame to write.
    pub frame: Buffer,
    /// Its rows, pointing into the frame.
    pub parts: Vec<(Table, RecordBatch)>,
    /// Its marks.
    pub marks: Vec<Mark>,
    /// Told once the frame is durable and visible, or why not.
    pub done: oneshot::Sender<Result<(), AppendError>>,
    /// Its bytes in the memory budget, given back when the rows are in a segment or dropped.
    pub held: Held,
}

/// Bytes that wait for the journal. Whoever asked may be gone by the time they are written.
pub struct Held {
    total: Arc<AtomicU64>,
    bytes: u64,
}

impl Held {
    /// Takes `bytes` when `fits` says so of what is taken already.
    pub fn take(total: &Arc<AtomicU64>, bytes: u64, fits: impl Fn(u64) -> bool) -> Option<Self> {
        let taken = total.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |held| fits(held).then_some(held + bytes));
        taken.is_ok().then(|| Self { total: Arc::clone(total), bytes })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}

/// Told once the segment was closed.
type Rotated = oneshot::Sender<Result<(), LakeError>>;

#[derive(Default)]
struct Queue {
    waiting: Vec<Pending>,
    rotate: Vec<Rotated>,
    closed: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
}

/// When segments are closed.
#[derive(Debug, Clone, Copy)]
pub struct Rotation {
    /// At this size.
    pub bytes: u64,
    /// Or this long after the first row.
    pub age: Duration,
}

/// Handle to the writing thread.
pub struct JournalWriter {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Worker {
    shared: Arc<Shared>,
    folder: PathBuf,
    state: Arc<State>,
    clock: Clock,
    rotation: Rotation,
    closed: mpsc::UnboundedSender<Arc<Segment>>,
    writer: SegmentWriter,
    segment: Arc<Segment>,
    published: tokio::sync::broadcast::Sender<(Table, RecordBatch)>,
    /// The file failed and could not be replaced yet: nothing may be acknowledged from it.
    broken: bool,
    /// When a segment that could not be replaced is tried again, and until when nothing more is said of it.
    again: Option<Again>,
    /// When the current segment got its first rows. Not by the clock on the wall, which may jump.
    first_rows: Option<Instant>,
    /// Held as long as anything may be written.
    _lock: Arc<File>,
}

/// A full disk stays full for a while: once a second is often enough to try, and once a minute to say so.
#[derive(Debug, Clone, Copy)]
struct Again {
    at: Instant,
    said: Instant,
}

const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);
const SAY_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// What a writer needs to start.
pub struct Start {
    /// Folder of the journal.
    pub folder: PathBuf,
    /// Number of the first new segment.
    pub number: u64,
    /// Where rows become visible.
    pub state: Arc<State>,
    /// Time of segments.
    pub clock: Clock,
    /// When segments are closed.
    pub rotation: Rotation,
    /// Told every closed segment, in order. Bounded by the memory budget for unsealed rows.
    pub closed: mpsc::UnboundedSender<Arc<Segment>>,
    /// Told every published batch, for live tails.
    pub published: tokio::sync::broadcast::Sender<(Table, RecordBatch)>,
    /// The lake's lock.
    pub lock: Arc<File>,
}

impl JournalWriter {
    /// Starts the thread with a new segment.
    pub fn start(start: Start) -> Result<Self, LakeError> {
        let shared = Arc::new(Shared { queue: Mutex::default(), wake: Condvar::new() });
        let writer = SegmentWriter::create(&start.folder, start.number)?;
        let segment = Arc::new(Segment::new(start.number, writer.path.clone()));
        start.state.add_segment(Arc::clone(&segment));
        let mut worker = Worker {
            shared: Arc::clone(&shared),
            folder: start.folder.clone(),
            state: start.state,
            clock: start.clock,
            rotation: start.rotation,
            closed: start.closed,
            writer,
            segment,
            published: start.published,
            broken: false,
            again: None,
            first_rows: None,
            _lock: start.lock,
        };
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || worker.run())
            .map_err(LakeError::io("start the thread for", start.folder))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Queues an append.
    pub fn submit(&self, pending: Pending) {
        let mut queue = self.shared.queue.lock();
        if queue.closed {
            let _ = pending.done.send(Err(AppendError::Closed));
            return;
        }
        queue.waiting.push(pending);
        self.shared.wake.notify_one();
    }

    /// Closes the current segment if it holds anything, so that it is sealed.
    pub async fn rotate(&self) -> Result<(), LakeError> {
        let (done, wait) = oneshot::channel();
        {
            let mut queue = self.shared.queue.lock();
            if queue.closed {
                return Ok(());
            }
            queue.rotate.push(done);
            self.shared.wake.notify_one();
        }
        wait.await.unwrap_or(Ok(()))
    }

    /// Tells the thread to stop after what is queued was written.
    pub fn stop(&self) {
        self.shared.queue.lock().closed = true;
        self.shared.wake.notify_one();
    }

    /// Stops the thread and waits for its end.
    pub fn close(&self) {
        self.stop();
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
    }
}

impl Worker {
    fn run(&mut self) {
        loop {
            let (group, rotate, closed) = self.next_group();
            if !group.is_empty() {
                self.write_group(group);
            }
            let due = self.is_due();
            if due || !rotate.is_empty() {
                let outcome = self.rotate();
                self.note(&outcome);
                let mut outcome = Some(outcome);
                for done in rotate {
                    let _ = done.send(outcome.take().unwrap_or(Ok(())));
                }
            }
            if closed {
                return;
            }
        }
    }

    fn next_group(&self) -> (Vec<Pending>, Vec<Rotated>, bool) {
        let mut queue = self.shared.queue.lock();
        if queue.waiting.is_empty() && queue.rotate.is_empty() && !queue.closed {
            let pause = self.again.map_or(Duration::ZERO, |again| again.at.saturating_duration_since(Instant::now()));
            let left = self.rotation.age.saturating_sub(self.age()).max(pause).max(Duration::from_millis(50));
            self.shared.wake.wait_for(&mut queue, left.min(Duration::from_secs(1)));
        }
        (std::mem::take(&mut queue.waiting), std::mem::take(&mut queue.rotate), queue.closed)
    }

    /// Notes when a segment that could not be replaced is tried again.
    fn note(&mut self, outcome: &Result<(), LakeError>) {
        let Err(error) = outcome else {
            self.again = None;
            return;
        };
        let now = Instant::now();
        let said = self.again.map(|again| again.said).filter(|said| now.duration_since(*said) < SAY_AGAIN_AFTER);
        if said.is_none() {
            tracing::warn!(error = %chain(error), "the journal segment could not be replaced; it is tried every second");
        }
        self.again = Some(Again { at: now + TRY_AGAIN_AFTER, said: said.unwrap_or(now) });
    }

    fn age(&self) -> Duration {
        self.first_rows.map_or(Duration::ZERO, |at| at.elapsed())
    }

    fn is_due(&self) -> bool {
        let is_old = !self.segment.is_empty() && self.age() >= self.rotation.age;
        let may_try = self.again.is_none_or(|again| again.at <= Instant::now());
        may_try && (self.writer.durable >= self.rotation.bytes || is_old)
    }

    fn write_group(&mut self, group: Vec<Pending>) {
        if self.broken {
            self.leave_broken_file();
        }
        let frames: Vec<&[u8]> = group.iter().map(|pending| pending.frame.as_slice()).collect();
        let outcome = if self.broken {
            Err(WriteFailure::Broken(std::io::Error::other("the journal segment is broken")))
        } else {
            self.writer.append(&frames)
        };
        let Err(failure) = outcome else {
            self.first_rows.get_or_insert_with(Instant::now);
            for pending in group {
                self.publish(pending);
            }
            return;
        };
        let reason = reason_of(&failure);
        tracing::error!(error = %failure.source(), "the journal could not be written");
        for pending in group {
            let _ = pending.done.send(Err(AppendError::Busy { reason, retry_after: RETRY_AFTER }));
        }
        if matches!(failure, WriteFailure::Broken(_)) && !self.broken {
            self.broken = true;
            self.leave_broken_file();
        }
    }

    fn publish(&self, pending: Pending) {
        let Pending { frame, parts, marks, done, held } = pending;
        self.state.set_marks(marks.iter().cloned());
        if self.published.receiver_count() > 0 {
            for (table, batch) in &parts {
                for piece in tail_pieces(batch) {
                    let _ = self.published.send((*table, piece));
                }
            }
        }
        self.segment.push(parts, marks, frame.len() as u64, self.clock.now());
        drop(held);
        let _ = done.send(Ok(()));
    }

    fn rotate(&mut self) -> Result<(), LakeError> {
        if !self.segment.is_empty() {
            let closed = self.replace_segment()?;
            let _ = self.closed.send(closed);
        }
        Ok(())
    }

    /// Starts the next segment and returns the one before.
    fn replace_segment(&mut self) -> Result<Arc<Segment>, LakeError> {
        let number = self.segment.number + 1;
        self.writer = SegmentWriter::create(&self.folder, number)?;
        let segment = Arc::new(Segment::new(number, self.writer.path.clone()));
        self.state.add_segment(Arc::clone(&segment));
        self.first_rows = None;
        Ok(std::mem::replace(&mut self.segment, segment))
    }

    /// After a failed fsync nothing more goes to this file: what was acknowledged is sealed from memory.
    fn leave_broken_file(&mut self) {
        if let Err(error) = self.writer.cut_back() {
            tracing::error!(%error, path = %self.writer.path.display(), "the broken segment could not be cut back");
        }
        match self.replace_segment() {
            Ok(left) => {
                self.broken = false;
                if left.is_empty() {
                    self.state.drop_segment(left.number);
                    let _ = std::fs::remove_file(&left.path);
                } else {
                    let _ = self.closed.send(left);
                }
            }
            Err(error) => tracing::error!(%error, "the broken journal segment could not be replaced"),
        }
    }
}

fn reason_of(failure: &WriteFailure) -> BusyReason {
    match failure.source().kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => BusyReason::DiskFull,
        _ => BusyReason::Journal,
    }
}
