//! Which bytes of which content have been delivered, so that no restart, rotation or import counts a line twice.
//!
//! A file is known by its content, not by its name: [`FileIdentity`] hashes its first line, and each covered range
//! carries a [`Check`], a hash of the line which ends there. A renamed, copied, or compressed log keeps its ledger; a
//! new log at the old path gets its own. Two files which start alike are told apart by their checks and become
//! variants `#1`, `#2`, ... of one identity.
//!
//! Pure: it reads no file. Offsets count bytes of decompressed content.

use base::ServiceName;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

#[cfg(test)]
mod tests;

/// This much of a first line, and of a line before a check, is hashed.
pub const HASHED_BYTES: usize = 4096;
/// Variants of one identity that are tried before a file is refused.
pub const MAX_VARIANTS: u32 = 1024;
const MAX_MARK_CHARS: usize = 64 * 1024;

/// Who a file is: its service, and a hash of its first line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    service: ServiceName,
    hash: u64,
}

impl FileIdentity {
    /// The identity of content that starts with `head`, or `None` while its first line is unfinished.
    ///
    /// `head` is what is known of the first [`HASHED_BYTES`]; `ended` says that nothing follows it. Lines that start
    /// with `#` are column headings, alike in every file, and are passed over.
    pub fn of(service: &ServiceName, head: &[u8], ended: bool) -> Option<Self> {
        let head = &head[..head.len().min(HASHED_BYTES)];
        let mut rest = head;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let line = &rest[..end];
            if !line.starts_with(b"#") {
                return Some(Self::hash(service, line));
            }
            rest = &rest[end + 1..];
        }
        if head.len() == HASHED_BYTES {
            return Some(Self::hash(service, if rest.is_empty() { head } else { rest }));
        }
        (ended && !head.is_empty()).then(|| Self::hash(service, if rest.is_empty() { head } else { rest }))
    }

    fn hash(service: &ServiceName, line: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(service.as_str().as_bytes()).update(b"\0").update(line);
        Self { service: service.clone(), hash: first_u64(&hasher.finalize()) }
    }

    /// The key under which variant `variant` of this identity keeps its mark.
    pub fn key(&self, variant: u32) -> String {
        let start = file_keys(&self.service);
        match variant {
            0 => format!("{start}{:016x}", self.hash),
            n => format!("{start}{:016x}#{n}", self.hash),
        }
    }
}

/// What the key of every file of a service starts with.
pub fn file_keys(service: &ServiceName) -> String {
    format!("file:{service}:")
}

/// What the key of every path of a service starts with.
pub fn path_keys(service: &ServiceName) -> String {
    format!("path:{service}:")
}

fn first_u64(hash: &blake3::Hash) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_be_bytes(first)
}

/// The key which says that this path has been followed before, so that what is new there is read from its start.
pub fn path_key(service: &ServiceName, path: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(service.as_str().as_bytes()).update(b"\0").update(path.as_bytes());
    format!("{}{:016x}", path_keys(service), first_u64(&hasher.finalize()))
}

/// Hash of the line that ends at an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Check(u32);

impl Check {
    /// The check at the end of `before`: the last [`HASHED_BYTES`] in front of an offset, or fewer if they start a
    /// line.
    pub fn of(before: &[u8]) -> Self {
        let window = &before[before.len().saturating_sub(HASHED_BYTES)..];
        let inner = &window[..window.len().saturating_sub(1)];
        let start = memchr::memrchr(b'\n', inner).map_or(0, |at| at + 1);
        let hash = blake3::hash(&window[start..]);
        let bytes = hash.as_bytes();
        Self(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}

/// How content compares with a [`Coverage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every check is there.
    Same,
    /// Every check that fits is there, but more was covered than the content holds: a copy cut short.
    Shorter,
    /// Another content with the same first line.
    Different,
}

/// Covered ranges of one content, with checks. Written as `0-12345:abcdef12,20000-30000:0badcafe`; touching ranges
/// are one range with a check inside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// start -> end; neither overlapping nor touching.
    spans: BTreeMap<u64, u64>,
    /// offset -> check; the end of every span has one.
    checks: BTreeMap<u64, Check>,
}

/// Why a text is no mark, or why two marks don't go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Not of our making.
    #[error("{0:?} is no ledger mark, expected for example 0-12345:abcdef12")]
    Syntax(String),
    /// Longer than any ledger we write.
    #[error("a ledger mark of {0} characters is longer than 65536")]
    TooLong(usize),
    /// One offset, two different checks: the marks belong to different contents.
    #[error("the content at offset {0} differs from what was booked there")]
    Conflict(u64),
}

/// Why a receiver must not store a chunk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotNew {
    /// Everything in it is already stored: acknowledge it, store nothing.
    #[error("the range is already covered")]
    Covered,
    /// A part of it is already stored: the sender must read the mark again.
    #[error("a part of the range is already covered")]
    Overlaps,
    /// The stored mark is damaged or belongs to another content.
    #[error("the mark does not fit")]
    Ledger(#[from] LedgerError),
}

/// What a receiver stores with the chunk `from..to`: the stored mark with the incoming one merged in, or why the
/// chunk must not be stored. To be called under the same lock as the write.
pub fn admit(stored: Option<&str>, incoming: &str, from: u64, to: u64) -> Result<String, NotNew> {
    let stored: Coverage = stored.map_or_else(|| Ok(Coverage::default()), str::parse)?;
    let mut next: Coverage = incoming.parse()?;
    if from < to {
        match stored.covered_bytes(from, to) {
            0 => {}
            n if n == to - from => return Err(NotNew::Covered),
            _ => return Err(NotNew::Overlaps),
        }
    }
    next.merge(&stored)?;
    Ok(next.to_string())
}

impl Coverage {
    /// Whether nothing was booked.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Whether the byte at `offset` is covered.
    pub fn covers(&self, offset: u64) -> bool {
        self.spans.range(..=offset).next_back().is_some_and(|(_, &to)| offset < to)
    }

    /// How many bytes of `from..to` are covered.
    pub fn covered_bytes(&self, from: u64, to: u64) -> u64 {
        let inside = self.spans.range(..to).rev().take_while(|&(_, &end)| end > from);
        inside.map(|(&start, &end)| end.min(to).saturating_sub(start.max(from))).sum()
    }

    /// The first covered range (never an empty one) that ends after `offset`.
    pub fn next_after(&self, offset: u64) -> Option<(u64, u64)> {
        let spans = self.spans.iter().map(|(&from, &to)| (from, to));
        spans.into_iter().find(|&(from, to)| to > offset && from < to)
    }

    /// The last covered range: where a tail started and how far it came.
    pub fn last(&self) -> Option<(u64, u64)> {
        self.spans.last_key_value().map(|(&from, &to)| (from, to))
    }

    /// End of all that is covered; 0 if nothing is.
    pub fn end(&self) -> u64 {
        self.last().map_or(0, |(_, to)| to)
    }

    /// The covered ranges in order.
    pub fn ranges(&self) -> impl Iterator<Item = (u64, u64)> {
        self.spans.iter().map(|(&from, &to)| (from, to))
    }

    /// Offsets at which the content can be compared, ascending.
    pub fn check_offsets(&self) -> impl Iterator<Item = u64> {
        self.checks.keys().copied()
    }

    /// The check booked at an offset.
    pub fn check_at(&self, offset: u64) -> Option<Check> {
        self.checks.get(&offset).copied()
    }

    /// Books `from..to`, which ends with the line of `check`. An empty range books a starting point.
    pub fn extend(&mut self, from: u64, to: u64, check: Check) {
        self.insert(from, to.max(from));
        self.checks.insert(to.max(from), check);
        self.thin();
    }

    /// Adds what another mark of the same content covers.
    pub fn merge(&mut self, other: &Self) -> Result<(), LedgerError> {
        for (offset, check) in &other.checks {
            if self.checks.get(offset).is_some_and(|ours| ours != check) {
                return Err(LedgerError::Conflict(*offset));
            }
        }
        for (from, to) in other.ranges() {
            self.insert(from, to);
        }
        self.checks.extend(&other.checks);
        self.thin();
        Ok(())
    }

    /// Compares with content, given its check at an offset, or `None` beyond its end.
    pub fn compare(&self, mut found: impl FnMut(u64) -> Option<Check>) -> Verdict {
        let mut agreed = 0usize;
        for (&offset, &check) in self.checks.iter().filter(|(offset, _)| **offset > 0) {
            match found(offset) {
                Some(there) if there == check => agreed += 1,
                None if agreed > 0 => return Verdict::Shorter,
                Some(_) | None => return Verdict::Different,
            }
        }
        Verdict::Same
    }

    fn insert(&mut self, from: u64, to: u64) {
        let (mut start, mut end) = (from, to);
        while let Some((&near, &near_end)) = self.spans.range(..=end).next_back() {
            if near_end < start {
                break;
            }
            start = start.min(near);
            end = end.max(near_end);
            self.spans.remove(&near);
        }
        self.spans.insert(start, end);
    }

    /// Keeps the check at each end, and before it the farthest one of every distance class (a class spans a factor of
    /// four), so that a copy cut short can still be recognised.
    fn thin(&mut self) {
        let mut kept = BTreeMap::new();
        for (&from, &to) in &self.spans {
            let mut class = None;
            for (&offset, &check) in self.checks.range(from..=to) {
                let this = (to - offset).checked_ilog2().map(|log| log / 2);
                let inner = offset > from && this != class;
                if offset == to || inner {
                    kept.insert(offset, check);
                    class = this;
                }
            }
        }
        self.checks = kept;
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for (&from, &to) in &self.spans {
            let mut start = from;
            for (&offset, check) in self.checks.range(from..=to) {
                write!(f, "{comma}{start}-{offset}:{:08x}", check.0)?;
                (start, comma) = (offset, ",");
            }
        }
        Ok(())
    }
}

impl FromStr for Coverage {
    type Err = LedgerError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        if raw.len() > MAX_MARK_CHARS {
            return Err(LedgerError::TooLong(raw.len()));
        }
        let mut coverage = Self::default();
        for part in raw.split(',').filter(|_| !raw.is_empty()) {
            let (from, to, check) = parse_range(part).ok_or_else(|| LedgerError::Syntax(shorten(part)))?;
            if coverage.checks.get(&to).is_some_and(|known| *known != check) {
                return Err(LedgerError::Conflict(to));
            }
            coverage.insert(from, to);
            coverage.checks.insert(to, check);
        }
        coverage.thin();
        Ok(coverage)
    }
}

fn parse_range(part: &str) -> Option<(u64, u64, Check)> {
    let (range, check) = part.split_once(':')?;
    let (from, to) = range.split_once('-')?;
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok())?;
    let (from, to) = (number(from)?, number(to)?);
    if from > to || check.len() != 8 || !check.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    Some((from, to, Check(u32::from_str_radix(check, 16).ok()?)))
}

fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}
