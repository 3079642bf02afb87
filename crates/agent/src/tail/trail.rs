//! Everything that is written under one path: the live file, files rotated away from it, and what rotation packed
//! while nobody looked.
//!
//! Decides in what order their lines come: packed remains, then rotated files, then the live one.

use super::open_file::{FileId, Found, OpenFile, Unknown, file_id};
use super::{Marks, Timing};
use crate::ledger::{Check, Coverage, MAX_VARIANTS, Verdict, path_key};
use crate::lines::{Cut, MAX_LINE};
use crate::past::{PastError, PastReader};
use crate::rotated::{OlderFile, Packing, older_files};
use base::ServiceName;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

const MAX_OLD: usize = 8;
const MAX_RECOVERED: usize = 32;

/// What happens with a followed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// Lines are read as they come.
    Following,
    /// No file is there yet, or no longer.
    Waiting,
    /// What was written while nobody followed is being read.
    CatchingUp,
    /// It can't be read; it is tried again.
    Failed {
        /// Why, and what would help.
        reason: String,
    },
}

/// Which part of a trail a delivery came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    PathMark,
    Packed,
    Rotated,
    Live,
}

/// A stretch to be delivered, with the mark that books it.
#[derive(Debug)]
pub(super) struct Stretch {
    pub(super) part: From,
    pub(super) path: PathBuf,
    pub(super) cut: Cut,
    pub(super) key: String,
    pub(super) coverage: Coverage,
}

struct Packed {
    path: PathBuf,
    past: PastReader,
    key: String,
    coverage: Coverage,
}

/// Whether the path is known to have been followed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    NotAsked,
    /// Followed for the first time: to be booked once the live file's start is.
    ToBook,
    Booked,
}

pub(super) struct Trail {
    pub(super) path: PathBuf,
    pub(super) state: FileState,
    known: Known,
    /// When the path was first followed, in milliseconds since the epoch: unknown files written later are new.
    since: u64,
    first: Unknown,
    /// The path has been looked at in this run.
    looked: bool,
    live: Option<OpenFile>,
    rotated: VecDeque<OpenFile>,
    packed: VecDeque<Packed>,
}

impl Trail {
    pub(super) fn new(path: PathBuf, first: Unknown) -> Self {
        Self {
            path,
            state: FileState::Waiting,
            known: Known::NotAsked,
            since: now_ms(),
            first,
            looked: false,
            live: None,
            rotated: VecDeque::new(),
            packed: VecDeque::new(),
        }
    }

    pub(super) fn holds(&self, id: FileId) -> bool {
        self.live.iter().chain(&self.rotated).any(|file| file.id() == id)
    }

    pub(super) fn is_done(&self) -> bool {
        self.live.is_none() && self.rotated.is_empty() && self.packed.is_empty()
    }

    pub(super) fn lag(&self) -> u64 {
        self.live.iter().chain(&self.rotated).map(OpenFile::lag).sum()
    }

    /// The next stretch of complete lines under this path.
    pub(super) fn next(
        &mut self,
        service: &ServiceName,
        timing: &Timing,
        marks: Marks<'_>,
        now: Instant,
    ) -> Option<Stretch> {
        if self.known == Known::NotAsked {
            self.begin(service, marks, now);
        }
        if self.watch_path(now) && self.known == Known::Booked {
            // Others may have come and gone since the last look: a busy receiver can take hours.
            self.recover(service, marks, false, now);
        }
        // Before anything else is read, so that content which is replaced meanwhile is noticed.
        if let Some(Err(error)) = self.live.as_mut().map(|live| live.settle(service, marks, false)) {
            self.fail(&error);
        }
        if let Some(stretch) = self.next_packed() {
            self.state = FileState::CatchingUp;
            return Some(stretch);
        }
        if let Some(stretch) = self.next_rotated(service, timing, marks, now) {
            return Some(stretch);
        }
        if let Some(stretch) = self.next_live(service, timing, marks, now) {
            return Some(stretch);
        }
        (self.known == Known::ToBook).then(|| self.path_mark(service))
    }

    /// Books what was delivered.
    pub(super) fn delivered(&mut self, stretch: &Stretch) {
        let (from, to, check) = (stretch.cut.from, stretch.cut.to, stretch.cut.check);
        let file = match stretch.part {
            From::PathMark => {
                self.known = Known::Booked;
                return;
            }
            From::Packed => {
                if let Some(packed) = self.packed.front_mut() {
                    packed.coverage.extend(from, to, check);
                }
                return;
            }
            From::Rotated => self.rotated.iter_mut().find(|file| file.key() == Some(&stretch.key)),
            From::Live => self.live.as_mut(),
        };
        if let Some(file) = file {
            file.delivered(from, to, check);
        }
    }

    /// Somebody else booked a part of the stretch: read the marks again.
    pub(super) fn rewind(&mut self, stretch: &Stretch) {
        match stretch.part {
            From::PathMark => self.known = Known::Booked,
            From::Packed => {
                self.packed.pop_front();
            }
            From::Rotated => self.rotated.iter_mut().for_each(OpenFile::rewind),
            From::Live => self.live.iter_mut().for_each(OpenFile::rewind),
        }
    }

    /// First look at the path: has it been followed before, and what happened since?
    fn begin(&mut self, service: &ServiceName, marks: Marks<'_>, now: Instant) {
        let Some(mark) = marks(&path_key(service, &self.path.to_string_lossy())) else {
            self.known = Known::ToBook;
            return;
        };
        self.known = Known::Booked;
        self.since = mark.parse::<Coverage>().map_or(u64::MAX, |booked| booked.end());
        self.first = Unknown::FromStart;
        let live_is_known = PastReader::open(&self.path)
            .ok()
            .and_then(|past| past.may_grow().identity(service))
            .is_some_and(|identity| marks(&identity.key(0)).is_some());
        self.recover(service, marks, live_is_known, now);
    }

    fn path_mark(&self, service: &ServiceName) -> Stretch {
        let check = Check::of(b"");
        let mut coverage = Coverage::default();
        coverage.extend(self.since, self.since, check);
        Stretch {
            part: From::PathMark,
            path: self.path.clone(),
            cut: Cut { from: self.since, to: self.since, bytes: Vec::new(), too_long: 0, check },
            key: path_key(service, &self.path.to_string_lossy()),
            coverage,
        }
    }

    /// Queues what rotation took away before it was read. All that was written since this path is followed is ours;
    /// of packed files, which cost a full read, only those not older than the newest one that a ledger knows.
    fn recover(&mut self, service: &ServiceName, marks: Marks<'_>, plain_only: bool, now: Instant) {
        let mut queue = Vec::new();
        let (mut plain, mut look_at_packed) = (0, !plain_only);
        for older in unpacked_first(older_files(&self.path)).into_iter().take(MAX_RECOVERED) {
            let is_held = std::fs::metadata(&older.path).is_ok_and(|meta| self.holds(file_id(&meta)));
            let is_plain = older.packing == Packing::Plain;
            if is_held || (is_plain && plain >= MAX_OLD) || !(is_plain || look_at_packed) {
                continue;
            }
            let identity = PastReader::open(&older.path).ok().and_then(|past| past.identity(service));
            let Some(identity) = identity else { continue };
            let is_known = marks(&identity.key(0)).is_some();
            if !is_known && ms_of(older.modified) < self.since {
                break;
            }
            plain += usize::from(is_plain);
            look_at_packed &= !is_known;
            queue.push(older);
        }
        for older in queue.into_iter().rev() {
            self.queue(service, marks, &older, now);
        }
    }

    fn queue(&mut self, service: &ServiceName, marks: Marks<'_>, older: &OlderFile, now: Instant) {
        if older.packing == Packing::Plain {
            self.rotated.extend(OpenFile::open(&older.path, Unknown::Copy, now));
            return;
        }
        match remains(service, marks, &older.path) {
            // A second search may find what the first one queued, under another name after the next rotation.
            Ok(Some(packed)) if self.packed.iter().any(|queued| queued.key == packed.key) => {}
            Ok(packed) => self.packed.extend(packed),
            Err(error) => tracing::warn!(path = %older.path.display(), %error, "the end of a rotated log was not read"),
        }
    }

    fn next_packed(&mut self) -> Option<Stretch> {
        while let Some(packed) = self.packed.front_mut() {
            match packed.past.next_chunk(MAX_LINE) {
                Ok(Some(cut)) => {
                    let mut coverage = packed.coverage.clone();
                    coverage.extend(cut.from, cut.to, cut.check);
                    let (path, key) = (packed.path.clone(), packed.key.clone());
                    return Some(Stretch { part: From::Packed, path, cut, key, coverage });
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "the end of a rotated log was not read"),
            }
            self.packed.pop_front();
        }
        None
    }

    /// Notices that a file is gone, and says whether a new one has come since the last look.
    fn watch_path(&mut self, now: Instant) -> bool {
        let looked = std::mem::replace(&mut self.looked, true);
        let meta = match std::fs::metadata(&self.path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.state = FileState::Waiting;
                // What appears from now on was not there when we came.
                self.first = Unknown::FromStart;
                return false;
            }
            Err(error) => {
                self.fail(&error);
                return false;
            }
        };
        if self.live.as_ref().is_some_and(|live| live.id() == file_id(&meta)) {
            self.state = FileState::Following;
            return false;
        }
        match OpenFile::open(&self.path, self.first, now) {
            Ok(next) => {
                self.rotated.extend(self.live.replace(next));
                self.first = Unknown::FromStart;
                self.state = FileState::Following;
                looked
            }
            Err(error) => {
                self.fail(&error);
                false
            }
        }
    }

    fn fail(&mut self, error: &io::Error) {
        let reason = match error.kind() {
            io::ErrorKind::PermissionDenied => {
                "permission denied: add the user of this process to the group that may read it (often adm)".to_owned()
            }
            _ => error.to_string(),
        };
        self.state = FileState::Failed { reason };
    }

    fn next_rotated(
        &mut self,
        service: &ServiceName,
        timing: &Timing,
        marks: Marks<'_>,
        now: Instant,
    ) -> Option<Stretch> {
        let mut at = 0;
        while at < self.rotated.len() {
            let crowded = self.rotated.len() > MAX_OLD;
            let file = &mut self.rotated[at];
            let looked = file.look(service, marks, now);
            // It was truncated and written to again before it was rotated: dropping it would drop those lines.
            if matches!(looked, Ok(Found::Replaced)) && file.read_anew(now) {
                continue;
            }
            let found = looked.map(|found| match found {
                Found::Nothing if crowded || file.quiet_for(now) >= timing.grace => {
                    (file.finish(service, marks).ok().flatten().map_or(Found::Replaced, Found::Lines), at)
                }
                other => (other, at),
            });
            match found {
                Ok((Found::Nothing, _)) => at += 1,
                Ok((Found::Replaced, _)) => drop(self.rotated.remove(at)),
                Ok((found, _)) => {
                    let file = &self.rotated[at];
                    // The same content may wait as a packed file, which was found while this one still held another.
                    self.packed.retain(|packed| file.key() != Some(packed.key.as_str()));
                    return stretch_of(From::Rotated, &self.path, file, found);
                }
                Err(error) => {
                    tracing::warn!(path = %self.path.display(), %error, "a rotated log can't be read any more");
                    drop(self.rotated.remove(at));
                }
            }
        }
        None
    }

    fn next_live(&mut self, service: &ServiceName, timing: &Timing, marks: Marks<'_>, now: Instant) -> Option<Stretch> {
        let live = self.live.as_mut()?;
        let found = match live.look(service, marks, now) {
            Ok(found) => found,
            Err(error) => {
                self.fail(&error);
                return None;
            }
        };
        match found {
            Found::Nothing => {
                if live.key().is_none() {
                    live.all_is_new();
                }
                if self.state == FileState::Waiting && live.quiet_for(now) >= timing.grace && live.is_deleted() {
                    let last = live.finish(service, marks).ok().flatten();
                    if let Some(cut) = last {
                        return stretch_of(From::Live, &self.path, live, Found::Lines(cut));
                    }
                    self.live = None;
                }
                None
            }
            Found::Replaced => {
                live.restart(now);
                self.recover(service, marks, false, now);
                self.next_packed()
                    .or_else(|| self.next_rotated(service, timing, marks, now))
                    .or_else(|| self.next_live(service, timing, marks, now))
            }
            found => stretch_of(From::Live, &self.path, live, found),
        }
    }
}

fn now_ms() -> u64 {
    ms_of(SystemTime::now())
}

fn ms_of(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn stretch_of(part: From, path: &Path, file: &OpenFile, found: Found) -> Option<Stretch> {
    let cut = match found {
        Found::Lines(cut) => cut,
        Found::Start(at, check) => Cut { from: at, to: at, bytes: Vec::new(), too_long: 0, check },
        Found::Nothing | Found::Replaced => return None,
    };
    let key = file.key()?.to_owned();
    let coverage = file.coverage_with(cut.from, cut.to, cut.check);
    Some(Stretch { part, path: path.to_owned(), cut, key, coverage })
}

/// Without packed files of which the unpacked one is still there: those are being written.
fn unpacked_first(files: Vec<OlderFile>) -> Vec<OlderFile> {
    let plain: Vec<PathBuf> =
        files.iter().filter(|file| file.packing == Packing::Plain).map(|file| file.path.clone()).collect();
    let keep = |file: &OlderFile| file.packing == Packing::Plain || !plain.contains(&file.path.with_extension(""));
    files.into_iter().filter(|file| file.packing != Packing::Unknown && keep(file)).collect()
}

/// What of a packed log lies behind its last covered range.
fn remains(service: &ServiceName, marks: Marks<'_>, path: &Path) -> Result<Option<Packed>, PastError> {
    let mut past = PastReader::open(path)?;
    let Some(identity) = past.identity(service) else { return Ok(None) };
    for variant in 0..MAX_VARIANTS {
        let key = identity.key(variant);
        let Some(raw) = marks(&key) else {
            return Ok(Some(Packed { path: path.to_owned(), past, key, coverage: Coverage::default() }));
        };
        let Ok(coverage) = raw.parse::<Coverage>() else { continue };
        if past.compare(&coverage)? != Verdict::Different {
            let mut passed = coverage.clone();
            if let Some((_, end)) = coverage.last() {
                let check = coverage.check_at(end).unwrap_or(Check::of(b""));
                passed.extend(0, end, check);
            }
            past.skip(passed);
            return Ok(Some(Packed { path: path.to_owned(), past, key, coverage }));
        }
    }
    Err(PastError::TooManyVariants(path.display().to_string()))
}
