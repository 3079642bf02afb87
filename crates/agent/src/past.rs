//! Reads finished logs (plain, gzip, zstd, or a stream) as chunks of complete lines, passing over what the ledger
//! covers: the past, for an import that can be interrupted and repeated.
//!
//! Offsets count decompressed bytes, so that a file keeps its ledger when it is compressed. Memory is bounded: a
//! decompression bomb is only a long read. Never trusts a file's name: the packing is read from its first bytes.

use crate::ledger::{Check, Coverage, FileIdentity, HASHED_BYTES, LedgerError, MAX_VARIANTS, Verdict};
use crate::lines::{Cut, Cutter};
use base::ServiceName;
use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

const READ_BYTES: usize = 64 * 1024;
/// zstd frames that want a larger window (128 MiB) are refused instead of given the memory.
const ZSTD_WINDOW_LOG: u32 = 27;

/// Complete lines of a stretch of the past. `check` and the range extend the ledger once they are stored.
pub type PastChunk = Cut;

/// Why the past can't be read.
#[derive(Debug, thiserror::Error)]
pub enum PastError {
    /// Missing, not permitted, or damaged.
    #[error("failed to read {name}")]
    Read {
        /// The file, or `-`.
        name: String,
        /// What the system or the decompressor said.
        #[source]
        source: io::Error,
    },
    /// Compressed in a way that is not read here.
    #[error("{name} is packed with {packing}, which is not read here; unpack it, or pipe it into `-`")]
    Packed {
        /// The file, or `-`.
        name: String,
        /// The packer.
        packing: &'static str,
    },
    /// A folder, a device or a pipe.
    #[error("{0} is not a regular file; pipe it into `-` instead")]
    NotAFile(PathBuf),
    /// A stored mark is damaged.
    #[error("the ledger has a damaged mark for {name}")]
    Mark {
        /// The file, or `-`.
        name: String,
        /// What is wrong.
        #[source]
        source: LedgerError,
    },
    /// A stream began like an imported one and went on differently; its start has already been passed over.
    #[error("the stream begins like one already imported but differs from it; save it to a file and import that")]
    CannotRewind,
    /// More files with one first line than are told apart.
    #[error("{0} starts like {MAX_VARIANTS} other files; split off its first line")]
    TooManyVariants(String),
}

type Unpacked = Box<dyn Read + Send>;

enum Origin {
    Path(PathBuf),
    Stream,
}

/// A finished log, read once from its start.
pub struct PastReader {
    name: String,
    origin: Origin,
    input: Unpacked,
    /// How much of a plain file can be jumped over.
    plain: Option<File>,
    cutter: Cutter,
    /// First bytes, read ahead for the identity.
    head: Vec<u8>,
    /// Damage met while reading ahead, told once what was before it has been read.
    damage: Option<io::Error>,
    failed: bool,
    covered: Coverage,
    stop_at: Option<u64>,
    may_grow: bool,
}

impl PastReader {
    /// Opens a file and reads ahead its first line.
    pub fn open(path: &Path) -> Result<Self, PastError> {
        let name = path.display().to_string();
        let failed = |source| PastError::Read { name: name.clone(), source };
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(PastError::NotAFile(path.to_owned()));
        }
        let (input, plain) = open_unpacked(path).map_err(failed)?;
        Self::start(name, Origin::Path(path.to_owned()), input, plain).checked()
    }

    /// Reads a stream, such as standard input, which may be compressed too.
    pub fn from_stream(name: &str, stream: impl Read + Send + 'static) -> Result<Self, PastError> {
        let input = unpack(stream).map_err(|source| PastError::Read { name: name.to_owned(), source })?;
        Self::start(name.to_owned(), Origin::Stream, input, None).checked()
    }

    fn start(name: String, origin: Origin, input: Unpacked, plain: Option<File>) -> Self {
        let mut reader = Self {
            name,
            origin,
            input,
            plain,
            cutter: Cutter::at(0),
            head: Vec::new(),
            damage: None,
            failed: false,
            covered: Coverage::default(),
            stop_at: None,
            may_grow: false,
        };
        let mut head = vec![0; HASHED_BYTES];
        let mut filled = 0;
        while filled < HASHED_BYTES {
            match reader.input.read(&mut head[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    reader.damage = Some(error);
                    break;
                }
            }
        }
        head.truncate(filled);
        reader.head = head;
        reader
    }

    /// Refuses what would otherwise be taken for lines that no format explains.
    fn checked(self) -> Result<Self, PastError> {
        match foreign_packing(&self.head) {
            Some(packing) => Err(PastError::Packed { name: self.name, packing }),
            None => Ok(self),
        }
    }

    /// Don't read beyond this offset: from there on the file is followed by a tail.
    pub fn stop_at(mut self, offset: u64) -> Self {
        self.stop_at = Some(offset);
        self
    }

    /// The file is still being written: a last line without newline is left for later.
    pub fn may_grow(mut self) -> Self {
        self.may_grow = true;
        self
    }

    /// Who the content is; `None` if there is none.
    pub fn identity(&self, service: &ServiceName) -> Option<FileIdentity> {
        FileIdentity::of(service, &self.head, !self.may_grow)
    }

    /// Compares the content with what a ledger booked. Reads a packed file once up to the last check. A stream can't
    /// be compared ahead: it counts as the same until [`PastReader::next_chunk`] meets the difference.
    pub fn compare(&mut self, covered: &Coverage) -> Result<Verdict, PastError> {
        let Origin::Path(path) = &self.origin else { return Ok(Verdict::Same) };
        let checks = checks_of(path, covered).map_err(|error| self.failed(error))?;
        let mut checks = checks.into_iter();
        Ok(covered.compare(|_| checks.next().flatten()))
    }

    /// Picks the ledger of this content among the stored marks, and passes over what it covers from here on.
    ///
    /// Returns the mark's key and what is covered. `None` for empty content.
    pub fn settle(
        &mut self,
        service: &ServiceName,
        mark: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<(String, Coverage)>, PastError> {
        let Some(identity) = self.identity(service) else { return Ok(None) };
        for variant in 0..MAX_VARIANTS {
            let key = identity.key(variant);
            let Some(raw) = mark(&key) else {
                self.skip(Coverage::default());
                return Ok(Some((key, Coverage::default())));
            };
            let covered: Coverage =
                raw.parse().map_err(|source| PastError::Mark { name: self.name.clone(), source })?;
            if self.compare(&covered)? != Verdict::Different {
                self.skip(covered.clone());
                return Ok(Some((key, covered)));
            }
        }
        Err(PastError::TooManyVariants(self.name.clone()))
    }

    /// Passes over these ranges. For callers that fetch marks themselves; [`PastReader::settle`] does it too.
    pub fn skip(&mut self, covered: Coverage) {
        self.covered = covered;
    }

    /// The next complete lines, of about `max_bytes` at most; `None` at the end. A line of up to
    /// [`crate::lines::MAX_LINE`] comes whole.
    pub fn next_chunk(&mut self, max_bytes: usize) -> Result<Option<PastChunk>, PastError> {
        loop {
            if self.failed {
                return Ok(None);
            }
            if self.cutter.is_clean() && self.pass_over_covered()? {
                continue;
            }
            if let Some(cut) = self.cutter.cut(max_bytes) {
                return Ok(Some(cut));
            }
            let limit = self.limit();
            if self.cutter.offset() < limit && self.fill(limit)? {
                continue;
            }
            let at_end = self.cutter.offset() < limit;
            if at_end && self.may_grow {
                return Ok(None);
            }
            match self.cutter.finish() {
                Some(cut) => return Ok(Some(cut)),
                None if at_end || self.stop_at.is_some_and(|stop| self.cutter.offset() >= stop) => return Ok(None),
                None => {}
            }
        }
    }

    /// Bytes of a last unfinished line that were left for later.
    pub fn left_unfinished(&self) -> u64 {
        self.cutter.offset() - self.cutter.cut_to()
    }

    /// Offset before which everything was returned or passed over.
    pub fn offset(&self) -> u64 {
        self.cutter.cut_to()
    }

    /// Where reading must stop to cut: a covered range, or the asked end.
    fn limit(&self) -> u64 {
        let covered = self.covered.next_after(self.cutter.offset()).map(|(from, _)| from.max(self.cutter.offset()));
        covered.unwrap_or(u64::MAX).min(self.stop_at.unwrap_or(u64::MAX))
    }

    /// Reads one piece; false at the end of the content.
    fn fill(&mut self, limit: u64) -> Result<bool, PastError> {
        let wanted = usize::try_from(limit - self.cutter.offset()).unwrap_or(usize::MAX).min(READ_BYTES);
        let piece = self.read_piece(wanted)?;
        self.cutter.push(&piece);
        Ok(!piece.is_empty())
    }

    /// At the start of a covered range: moves behind it, and says whether it moved.
    fn pass_over_covered(&mut self) -> Result<bool, PastError> {
        let at = self.cutter.offset();
        let Some((from, to)) = self.covered.next_after(at).filter(|&(from, _)| from <= at) else { return Ok(false) };
        debug_assert!(from <= at && at < to);
        if self.plain.is_some() {
            self.jump(to)?;
            return Ok(true);
        }
        let mut checks: Vec<u64> = self.covered.check_offsets().filter(|&o| at < o && o <= to).collect();
        checks.reverse();
        let (mut window, mut reached) = (Vec::new(), at);
        while reached < to {
            let goal = checks.last().copied().unwrap_or(to).min(to);
            let wanted = usize::try_from(goal - reached).unwrap_or(usize::MAX).min(READ_BYTES);
            let piece = self.read_piece(wanted)?;
            if piece.is_empty() {
                break;
            }
            reached += piece.len() as u64;
            keep_window(&mut window, &piece);
            if checks.last() == Some(&reached) {
                checks.pop();
                if self.covered.check_at(reached) != Some(Check::of(&window)) {
                    return Err(PastError::CannotRewind);
                }
            }
        }
        if reached < to {
            self.covered = Coverage::default(); // a copy cut short: nothing is left
        }
        self.cutter = Cutter::at(reached);
        Ok(true)
    }

    fn jump(&mut self, to: u64) -> Result<(), PastError> {
        let Some(file) = self.plain.as_mut() else { return Ok(()) };
        let moved = file.metadata().and_then(|meta| file.seek(SeekFrom::Start(to.min(meta.len()))));
        let file = moved.and_then(|at| Ok((at, file.try_clone()?)));
        let (at, file) = file.map_err(|error| self.failed(error))?;
        self.head.clear();
        self.input = Box::new(BufReader::with_capacity(READ_BYTES, file));
        self.cutter = Cutter::at(at);
        // A covered range may reach beyond a file that was cut short: nothing is left then.
        if at < to {
            self.covered = Coverage::default();
        }
        Ok(())
    }

    fn read_piece(&mut self, wanted: usize) -> Result<Vec<u8>, PastError> {
        if !self.head.is_empty() {
            let rest = self.head.split_off(wanted.min(self.head.len()));
            return Ok(std::mem::replace(&mut self.head, rest));
        }
        if let Some(error) = self.damage.take() {
            self.failed = true;
            return Err(self.failed(error));
        }
        let mut piece = vec![0; wanted];
        loop {
            match self.input.read(&mut piece) {
                Ok(n) => {
                    piece.truncate(n);
                    return Ok(piece);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = true;
                    return Err(self.failed(error));
                }
            }
        }
    }

    fn failed(&self, source: io::Error) -> PastError {
        PastError::Read { name: self.name.clone(), source }
    }
}

fn keep_window(window: &mut Vec<u8>, piece: &[u8]) {
    window.extend_from_slice(piece);
    let excess = window.len().saturating_sub(HASHED_BYTES);
    window.drain(..excess);
}

/// The content's checks at each offset of the ledger, in its order; `None` beyond the end.
fn checks_of(path: &Path, covered: &Coverage) -> io::Result<Vec<Option<Check>>> {
    let (mut input, plain) = open_unpacked(path)?;
    let mut found = Vec::new();
    let (mut window, mut reached, mut ended) = (Vec::new(), 0u64, false);
    for goal in covered.check_offsets().filter(|&offset| offset > 0) {
        if let Some(file) = &plain {
            found.push(check_in_file(file, goal)?);
            continue;
        }
        while reached < goal && !ended {
            let wanted = usize::try_from(goal - reached).unwrap_or(usize::MAX).min(READ_BYTES);
            let mut piece = vec![0; wanted];
            let n = input.read(&mut piece)?;
            keep_window(&mut window, &piece[..n]);
            reached += n as u64;
            ended = n == 0;
        }
        found.push((reached == goal).then(|| Check::of(&window)));
    }
    Ok(found)
}

/// The check at an offset of a plain file; `None` beyond its end.
pub(crate) fn check_in_file(file: &File, offset: u64) -> io::Result<Option<Check>> {
    use std::os::unix::fs::FileExt;
    let length = offset.min(HASHED_BYTES as u64);
    let mut window = vec![0; usize::try_from(length).unwrap_or(HASHED_BYTES)];
    match file.read_exact_at(&mut window, offset - length) {
        Ok(()) => Ok(Some(Check::of(&window))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

fn open_unpacked(path: &Path) -> io::Result<(Unpacked, Option<File>)> {
    use std::os::unix::fs::FileExt;
    let file = File::open(path)?;
    let mut magic = [0; 4];
    let known = file.read_at(&mut magic, 0)?;
    if packing_of(&magic[..known]) == Magic::None {
        let plain = file.try_clone()?;
        return Ok((Box::new(BufReader::with_capacity(READ_BYTES, file)), Some(plain)));
    }
    Ok((unpack(file)?, None))
}

#[derive(Debug, PartialEq, Eq)]
enum Magic {
    None,
    Gzip,
    Zstd,
}

fn packing_of(start: &[u8]) -> Magic {
    match start {
        [0x1f, 0x8b, ..] => Magic::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Magic::Zstd,
        _ => Magic::None,
    }
}

/// The packer of content that is none of ours, by its first bytes.
fn foreign_packing(start: &[u8]) -> Option<&'static str> {
    match start {
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some("xz"),
        [b'B', b'Z', b'h', b'1'..=b'9', b'1' | 0x17, ..] => Some("bzip2"),
        [0x04, 0x22, 0x4d, 0x18, ..] => Some("lz4"),
        [b'P', b'K', 3, 4, ..] => Some("zip"),
        [0x1f, 0x9d, ..] => Some("compress"),
        _ => None,
    }
}

fn unpack(mut stream: impl Read + Send + 'static) -> io::Result<Unpacked> {
    let mut magic = Vec::new();
    stream.by_ref().take(4).read_to_end(&mut magic)?;
    let packing = packing_of(&magic);
    let whole: Chain<Cursor<Vec<u8>>, _> = Cursor::new(magic).chain(stream);
    let buffered = BufReader::with_capacity(READ_BYTES, whole);
    Ok(match packing {
        Magic::None => Box::new(buffered),
        Magic::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(buffered)),
        Magic::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(buffered)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
    })
}
