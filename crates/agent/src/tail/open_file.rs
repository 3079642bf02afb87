//! One open log file, read line by line from where its ledger ends.
//!
//! Holds the file open, so that its inode can't be reused while it is followed. Never reads ahead of what was
//! delivered by more than one chunk.

use super::Marks;
use crate::ledger::{Check, Coverage, FileIdentity, HASHED_BYTES, MAX_VARIANTS, Verdict};
use crate::lines::{Cut, Cutter, MAX_LINE};
use crate::past::check_in_file;
use base::ServiceName;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

const READ_BYTES: usize = 256 * 1024;
const LOOK_BACK_STEP: u64 = 64 * 1024;

/// Where to begin in content that no ledger knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// A new file: everything in it is new.
    FromStart,
    /// It was there before we came: only what comes from now on.
    FromEnd,
    /// A rotated file: all that is not covered; what was cut short is covered.
    Copy,
    /// Emptied and written anew while open: its ledger, if any, is that of the content before.
    NewContent,
}

/// Device and inode.
pub(super) type FileId = (u64, u64);

pub(super) fn file_id(meta: &Metadata) -> FileId {
    (meta.dev(), meta.ino())
}

/// What a look at the file found.
#[derive(Debug)]
pub(super) enum Found {
    /// Lines to deliver, with the ledger as it will be then.
    Lines(Cut),
    /// The place to start from must be booked before anything is read.
    Start(u64, Check),
    /// Nothing new.
    Nothing,
    /// The content was replaced in place (copy-truncate).
    Replaced,
}

#[derive(Debug)]
struct Settled {
    key: String,
    coverage: Coverage,
    cutter: Cutter,
    /// What the file holds in front of the cutter, or at its first line, to notice content that was replaced.
    last_check: (u64, Check),
    /// A start that must be booked before anything is read.
    start: Option<(u64, Check)>,
}

struct Choice {
    key: String,
    coverage: Coverage,
    /// Where to go on in an empty ledger.
    resume: Option<u64>,
}

/// A log file held open.
#[derive(Debug)]
pub(super) struct OpenFile {
    file: File,
    id: FileId,
    unknown: Unknown,
    settled: Option<Settled>,
    /// Size and change time at the last look which found nothing more to do.
    quiet: Option<(u64, SystemTime)>,
    changed_at: Instant,
    size: u64,
    /// Its content was replaced once after it had been rotated.
    is_read_anew: bool,
}

impl OpenFile {
    pub(super) fn open(path: &Path, unknown: Unknown, now: Instant) -> io::Result<Self> {
        // Never wait for the other end of a pipe.
        let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
        let file = OpenOptions::new().read(true).custom_flags(nonblock).open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        let size = meta.len();
        Ok(Self {
            file,
            id: file_id(&meta),
            unknown,
            settled: None,
            quiet: None,
            changed_at: now,
            size,
            is_read_anew: false,
        })
    }

    pub(super) fn id(&self) -> FileId {
        self.id
    }

    pub(super) fn key(&self) -> Option<&str> {
        self.settled.as_ref().map(|settled| settled.key.as_str())
    }

    /// The ledger as it will be once `cut` is delivered.
    pub(super) fn coverage_with(&self, from: u64, to: u64, check: Check) -> Coverage {
        let mut coverage = self.settled.as_ref().map(|s| s.coverage.clone()).unwrap_or_default();
        coverage.extend(from, to, check);
        coverage
    }

    /// Bytes not yet delivered.
    pub(super) fn lag(&self) -> u64 {
        let at = self.settled.as_ref().map_or(0, |settled| settled.cutter.cut_to());
        self.size.saturating_sub(at)
    }

    /// How long nothing has changed.
    pub(super) fn quiet_for(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.changed_at)
    }

    /// Looks for complete lines.
    pub(super) fn look(&mut self, service: &ServiceName, marks: Marks<'_>, now: Instant) -> io::Result<Found> {
        let meta = self.file.metadata()?;
        let state = (meta.len(), meta.modified().unwrap_or(SystemTime::UNIX_EPOCH));
        self.size = meta.len();
        if self.quiet == Some(state) {
            return Ok(Found::Nothing);
        }
        if self.quiet.is_none_or(|before| before != state) {
            self.changed_at = now;
        }
        self.settle(service, marks, false)?;
        let Some(settled) = self.settled.as_mut() else {
            self.quiet = Some(state);
            return Ok(Found::Nothing);
        };
        if let Some((at, check)) = settled.start.take() {
            return Ok(Found::Start(at, check));
        }
        let cut = read_lines(&self.file, &mut settled.cutter)?;
        if Self::was_replaced(&self.file, settled)? {
            return Ok(Found::Replaced);
        }
        if cut.is_none() {
            self.quiet = Some(state);
        }
        Ok(cut.map_or(Found::Nothing, Found::Lines))
    }

    /// The last line without newline, of a file that nobody writes to any more.
    pub(super) fn finish(&mut self, service: &ServiceName, marks: Marks<'_>) -> io::Result<Option<Cut>> {
        self.settle(service, marks, true)?;
        let Some(settled) = self.settled.as_mut() else { return Ok(None) };
        let cut = read_lines(&self.file, &mut settled.cutter)?;
        Ok(if cut.is_some() { cut } else { settled.cutter.finish() })
    }

    /// Books what was delivered.
    pub(super) fn delivered(&mut self, from: u64, to: u64, check: Check) {
        let Some(settled) = self.settled.as_mut() else { return };
        settled.coverage.extend(from, to, check);
        settled.last_check = (to, check);
        if self.unknown != Unknown::Copy {
            self.unknown = Unknown::FromStart;
        }
        // The receiver may be slower than the reader: what was read behind `to` stays in the cutter.
        debug_assert!(settled.cutter.cut_to() >= to);
    }

    /// Forgets what was read but not delivered, and asks the ledger again.
    pub(super) fn rewind(&mut self) {
        self.settled = None;
        self.quiet = None;
    }

    /// Nothing complete was there when it was found: all that comes is new.
    pub(super) fn all_is_new(&mut self) {
        self.unknown = Unknown::FromStart;
    }

    /// Whether another name is all that is left of it, or not even that.
    pub(super) fn is_deleted(&self) -> bool {
        self.file.metadata().is_ok_and(|meta| meta.nlink() == 0)
    }

    /// Starts over after the content was replaced.
    pub(super) fn restart(&mut self, now: Instant) {
        self.settled = None;
        self.unknown = Unknown::NewContent;
        self.quiet = None;
        self.changed_at = now;
    }

    /// A rotated file whose content was replaced, before it was rotated most often: what is new in it is read, what a
    /// ledger knows is not. `false` the second time: whoever changes it is no log's writer.
    pub(super) fn read_anew(&mut self, now: Instant) -> bool {
        self.settled = None;
        self.unknown = Unknown::Copy;
        self.quiet = None;
        self.changed_at = now;
        !std::mem::replace(&mut self.is_read_anew, true)
    }

    fn was_replaced(file: &File, settled: &Settled) -> io::Result<bool> {
        let (offset, check) = settled.last_check;
        let is_shorter = file.metadata()?.len() < settled.cutter.offset();
        Ok(is_shorter || (offset > 0 && check_in_file(file, offset)? != Some(check)))
    }

    /// Finds the ledger of this content, once its first line is there and unless it is found already.
    pub(super) fn settle(&mut self, service: &ServiceName, marks: Marks<'_>, ended: bool) -> io::Result<()> {
        if self.settled.is_some() {
            return Ok(());
        }
        let mut head = vec![0; HASHED_BYTES];
        let mut filled = 0;
        while filled < HASHED_BYTES {
            match self.file.read_at(&mut head[filled..], filled as u64)? {
                0 => break,
                n => filled += n,
            }
        }
        head.truncate(filled);
        let Some(identity) = FileIdentity::of(service, &head, ended) else { return Ok(()) };
        let Choice { key, coverage, resume } = self.choose(&identity, marks)?;
        let begin = match resume {
            Some(offset) => Some((offset, Cutter::at(offset))),
            None if coverage.is_empty() && self.unknown == Unknown::FromEnd => Some(self.end_of_lines()?),
            None => None,
        };
        if let Some((at, cutter)) = begin {
            let last_check = (at, check_in_file(&self.file, at)?.unwrap_or(Check::of(b"")));
            let start = (at > 0).then_some(last_check);
            self.settled = Some(Settled { key, coverage, cutter, last_check, start });
            return Ok(());
        }
        let end = coverage.end();
        let first_line = memchr::memchr(b'\n', &head).map_or(head.len(), |newline| newline + 1);
        let last_check = match coverage.check_at(end) {
            Some(check) if end > 0 => (end, check),
            _ => (first_line as u64, Check::of(&head[..first_line])),
        };
        self.settled = Some(Settled { key, coverage, cutter: Cutter::at(end), last_check, start: None });
        Ok(())
    }

    fn choose(&self, identity: &FileIdentity, marks: Marks<'_>) -> io::Result<Choice> {
        let mut resume = None;
        for variant in 0..MAX_VARIANTS {
            let key = identity.key(variant);
            let Some(raw) = marks(&key) else { return Ok(Choice { key, coverage: Coverage::default(), resume }) };
            if self.unknown == Unknown::NewContent {
                continue;
            }
            // A damaged mark is never overwritten: the content goes on under the next variant.
            let Ok(coverage) = raw.parse::<Coverage>() else { continue };
            match self.compare(&coverage)? {
                Verdict::Same => return Ok(Choice { key, coverage, resume: None }),
                Verdict::Shorter if self.unknown == Unknown::Copy => {
                    return Ok(Choice { key, coverage, resume: None });
                }
                // The file lost its end (a power cut): go on, in another ledger, behind what surely is the same.
                Verdict::Shorter => {
                    let size = self.file.metadata()?.len();
                    resume = coverage.check_offsets().take_while(|offset| *offset <= size).last();
                }
                Verdict::Different => {}
            }
        }
        Err(io::Error::other("too many files start with the same line"))
    }

    fn compare(&self, coverage: &Coverage) -> io::Result<Verdict> {
        let mut failed = None;
        let verdict = coverage.compare(|offset| {
            check_in_file(&self.file, offset).unwrap_or_else(|error| {
                failed = Some(error);
                None
            })
        });
        failed.map_or(Ok(verdict), Err)
    }

    /// Where the last complete line ends.
    fn end_of_lines(&self) -> io::Result<(u64, Cutter)> {
        let size = self.file.metadata()?.len();
        let lowest = size.saturating_sub(MAX_LINE as u64);
        let mut end = size;
        while end > lowest {
            let from = end.saturating_sub(LOOK_BACK_STEP).max(lowest);
            let mut block = vec![0; usize::try_from(end - from).unwrap_or(0)];
            match self.file.read_exact_at(&mut block, from) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            }
            if let Some(at) = memchr::memrchr(b'\n', &block) {
                let start = from + at as u64 + 1;
                return Ok((start, Cutter::at(start)));
            }
            end = from;
        }
        if lowest == 0 {
            return Ok((0, Cutter::at(0)));
        }
        let mut before = vec![0; HASHED_BYTES];
        self.file.read_exact_at(&mut before, size - HASHED_BYTES as u64)?;
        Ok((size, Cutter::inside_a_line(size, &before)))
    }
}

/// Reads until there is a chunk of complete lines, or the end.
fn read_lines(file: &File, cutter: &mut Cutter) -> io::Result<Option<Cut>> {
    loop {
        let mut piece = vec![0; READ_BYTES];
        let read = match file.read_at(&mut piece, cutter.offset()) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        cutter.push(&piece[..read]);
        if let Some(cut) = cutter.cut(MAX_LINE) {
            return Ok(Some(cut));
        }
        if read == 0 {
            return Ok(None);
        }
    }
}
