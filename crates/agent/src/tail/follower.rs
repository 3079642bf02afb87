//! Follows the files of one source, without tasks or timers: each call looks once and says what to deliver next.
//!
//! This is what the tests drive step by step; [`super::Tailer`] only adds the waiting.

use super::open_file::{Unknown, file_id};
use super::trail::{Stretch, Trail};
use super::{Chunk, FileState, FileStatus, Marks, SourceSpec, StartAt, Timing};
use crate::glob;
use crate::rotated::{Packing, is_rotation_of, packing};
use base::Timestamp;
use bytes::Bytes;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Files of one source beyond this are not followed.
pub const MAX_FILES: usize = 256;

struct Followed {
    trail: Trail,
    bytes: u64,
    too_long: u64,
    last_seen: Option<Timestamp>,
}

/// The state of one followed source.
pub struct Follower {
    spec: SourceSpec,
    timing: Timing,
    files: Vec<Followed>,
    scanned: Option<Instant>,
    turn: usize,
    pending: Option<(usize, Stretch, Chunk)>,
}

impl Follower {
    /// Nothing is opened before the first [`Follower::next`].
    pub fn new(spec: SourceSpec, timing: Timing) -> Self {
        Self { spec, timing, files: Vec::new(), scanned: None, turn: 0, pending: None }
    }

    /// The next lines, if any are complete. The same until [`Follower::delivered`] or [`Follower::rewind`].
    pub fn next(&mut self, marks: Marks<'_>, now: Instant) -> Option<Chunk> {
        if self.pending.is_none() {
            if self.scanned.is_none_or(|at| now.saturating_duration_since(at) >= self.timing.scan) {
                self.scan();
                self.scanned = Some(now);
            }
            self.pending = self.look(marks, now);
        }
        let (_, _, chunk) = self.pending.as_ref()?;
        Some(chunk.clone())
    }

    /// The last chunk is durable.
    pub fn delivered(&mut self, at: Timestamp) {
        let Some((index, stretch, _)) = self.pending.take() else { return };
        let followed = &mut self.files[index];
        followed.trail.delivered(&stretch);
        if stretch.cut.to > stretch.cut.from {
            followed.bytes += stretch.cut.to - stretch.cut.from;
            followed.too_long += stretch.cut.too_long;
            followed.last_seen = Some(at);
        }
    }

    /// The last chunk was not taken because the marks have moved: read them again.
    pub fn rewind(&mut self) {
        if let Some((index, stretch, _)) = self.pending.take() {
            self.files[index].trail.rewind(&stretch);
        }
    }

    /// One row per followed path.
    pub fn status(&self) -> Vec<FileStatus> {
        let row = |followed: &Followed| FileStatus {
            source: self.spec.id.clone(),
            service: self.spec.service.clone(),
            path: followed.trail.path.clone(),
            state: followed.trail.state.clone(),
            lag_bytes: followed.trail.lag(),
            bytes: followed.bytes,
            too_long: followed.too_long,
            last_seen: followed.last_seen,
        };
        self.files.iter().map(row).collect()
    }

    fn look(&mut self, marks: Marks<'_>, now: Instant) -> Option<(usize, Stretch, Chunk)> {
        let count = self.files.len();
        for step in 0..count {
            let at = (self.turn + step) % count;
            let next = self.files[at].trail.next(&self.spec.service, &self.timing, marks, now);
            if let Some(mut stretch) = next {
                self.turn = at + 1;
                let bytes = Bytes::from(std::mem::take(&mut stretch.cut.bytes));
                let chunk = self.chunk(&stretch, bytes);
                return Some((at, stretch, chunk));
            }
        }
        None
    }

    fn chunk(&self, stretch: &Stretch, bytes: Bytes) -> Chunk {
        Chunk {
            source: self.spec.id.clone(),
            service: self.spec.service.clone(),
            path: stretch.path.clone(),
            bytes,
            too_long: stretch.cut.too_long,
            mark_key: stretch.key.clone(),
            mark_value: stretch.coverage.to_string(),
            from: stretch.cut.from,
            to: stretch.cut.to,
        }
    }

    /// Finds the files of the source anew.
    fn scan(&mut self) {
        let is_first = self.scanned.is_none();
        let first = match self.spec.start {
            StartAt::End if is_first => Unknown::FromEnd,
            StartAt::End | StartAt::Beginning => Unknown::FromStart,
        };
        let text = self.spec.path.to_string_lossy();
        if !glob::is_pattern(&text) {
            if self.files.is_empty() {
                self.follow(self.spec.path.clone(), first);
            }
            return;
        }
        self.files.retain(|followed| !(followed.trail.is_done() && followed.trail.state == FileState::Waiting));
        for path in current_logs(&glob::expand(&self.spec.path, 4 * MAX_FILES)) {
            let known = self.files.iter().any(|followed| followed.trail.path == path);
            let held = std::fs::metadata(&path)
                .is_ok_and(|meta| self.files.iter().any(|followed| followed.trail.holds(file_id(&meta))));
            if !known && !held && self.files.len() < MAX_FILES {
                self.follow(path, first);
            }
        }
    }

    fn follow(&mut self, path: PathBuf, first: Unknown) {
        self.files.push(Followed { trail: Trail::new(path, first), bytes: 0, too_long: 0, last_seen: None });
    }
}

/// Without packed files and without what rotation made of another match.
fn current_logs(paths: &[PathBuf]) -> Vec<PathBuf> {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_current = |path: &PathBuf| {
        let own = name(path);
        let older = |log: &PathBuf| log.parent() == path.parent() && is_rotation_of(&name(log), &own);
        path.is_file() && packing(&own) == Packing::Plain && !paths.iter().any(older)
    };
    paths.iter().filter(|path| is_current(path)).cloned().collect()
}
