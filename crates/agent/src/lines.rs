//! Cuts raw bytes into chunks of complete lines, in bounded memory.
//!
//! A line longer than [`MAX_LINE`] is counted and left out, never delivered in parts. A line without its newline is
//! held back until the newline arrives, or until the caller says that nothing more will come.

use crate::ledger::{Check, HASHED_BYTES};

/// Longest line that is delivered, and the most bytes in a chunk of a tail.
pub const MAX_LINE: usize = 1 << 20;

/// Complete lines of one stretch of content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Offset of the stretch in the content.
    pub from: u64,
    /// Offset behind its last line.
    pub to: u64,
    /// The lines, each with its newline. Shorter than the stretch if too long lines were left out.
    pub bytes: Vec<u8>,
    /// Lines longer than [`MAX_LINE`] that were left out.
    pub too_long: u64,
    /// Hash of the last line of the stretch.
    pub check: Check,
}

/// Holds what was read and not yet cut.
#[derive(Debug, Default)]
pub struct Cutter {
    /// Offset where the next cut begins.
    from: u64,
    /// Bytes behind `from` which belong to lines that are left out and are no longer held.
    dropped: u64,
    too_long: u64,
    /// Inside a line that is left out.
    dropping: bool,
    /// The end of what was dropped, for its check.
    dropped_end: Vec<u8>,
    held: Vec<u8>,
}

impl Cutter {
    /// A cutter for content from `from` on, which is the start of a line.
    pub fn at(from: u64) -> Self {
        Self { from, ..Self::default() }
    }

    /// A cutter in the middle of an endless line, of which `before` was read last: its rest is left out.
    pub fn inside_a_line(from: u64, before: &[u8]) -> Self {
        let dropped_end = before[before.len().saturating_sub(HASHED_BYTES)..].to_vec();
        Self { from, dropping: true, dropped_end, ..Self::default() }
    }

    /// Offset of the next byte to be pushed.
    pub fn offset(&self) -> u64 {
        self.from + self.dropped + self.held.len() as u64
    }

    /// Offset before which everything has been cut.
    pub fn cut_to(&self) -> u64 {
        self.from
    }

    /// Whether nothing waits for its end.
    pub fn is_clean(&self) -> bool {
        self.held.is_empty() && !self.dropping && self.dropped == 0
    }

    /// Adds what was read at [`Cutter::offset`].
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next complete lines, of about `max` bytes at most (one longer line comes alone).
    pub fn cut(&mut self, max: usize) -> Option<Cut> {
        loop {
            if self.dropping && !self.drop_to_newline() {
                return None;
            }
            let reach = max.clamp(1, MAX_LINE).min(self.held.len());
            let last = memchr::memrchr(b'\n', &self.held[..reach])
                .or_else(|| memchr::memchr(b'\n', &self.held[reach..]).map(|at| reach + at));
            match last {
                Some(end) if end <= MAX_LINE => return Some(self.emit(end + 1)),
                None if self.held.len() <= MAX_LINE => {
                    return (self.too_long > 0).then(|| self.emit(0));
                }
                _ if self.too_long > 0 => return Some(self.emit(0)),
                _ => self.dropping = true,
            }
        }
    }

    /// What remains when nothing more will come: the last line gets the newline it lacks.
    pub fn finish(&mut self) -> Option<Cut> {
        if self.dropping {
            self.drop_bytes(self.held.len());
            self.too_long += 1;
            self.dropping = false;
            return Some(self.emit(0));
        }
        if self.held.is_empty() {
            return None;
        }
        let mut cut = self.emit(self.held.len());
        if cut.bytes.last() != Some(&b'\n') {
            cut.bytes.push(b'\n');
        }
        Some(cut)
    }

    fn emit(&mut self, length: usize) -> Cut {
        let rest = self.held.split_off(length);
        let bytes = std::mem::replace(&mut self.held, rest);
        let check = Check::of(if bytes.is_empty() { &self.dropped_end } else { &bytes });
        let to = self.from + self.dropped + bytes.len() as u64;
        let cut = Cut { from: self.from, to, bytes, too_long: self.too_long, check };
        (self.from, self.dropped, self.too_long) = (to, 0, 0);
        self.dropped_end.clear();
        cut
    }

    /// Leaves out up to and with the next newline; false if it has not come yet.
    fn drop_to_newline(&mut self) -> bool {
        let newline = memchr::memchr(b'\n', &self.held);
        self.drop_bytes(newline.map_or(self.held.len(), |at| at + 1));
        if newline.is_some() {
            self.dropping = false;
            self.too_long += 1;
        }
        newline.is_some()
    }

    fn drop_bytes(&mut self, length: usize) {
        self.dropped += length as u64;
        let from = length.saturating_sub(HASHED_BYTES);
        self.dropped_end.extend_from_slice(&self.held[from..length]);
        let excess = self.dropped_end.len().saturating_sub(HASHED_BYTES);
        self.dropped_end.drain(..excess);
        self.held.drain(..length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_unfinished_line_waits_for_its_newline() {
        let mut cutter = Cutter::at(10);
        cutter.push(b"one\ntw");
        let cut = cutter.cut(MAX_LINE).unwrap();
        assert_eq!((cut.from, cut.to, cut.bytes.as_slice()), (10, 14, &b"one\n"[..]));
        assert_eq!(cutter.cut(MAX_LINE), None);
        cutter.push(b"o\n");
        assert_eq!(cutter.cut(MAX_LINE).unwrap().bytes, b"two\n");
        assert_eq!(cutter.finish(), None);
    }

    #[test]
    fn a_line_beyond_the_limit_is_counted_and_left_out() {
        let mut cutter = Cutter::at(0);
        let mut content = b"short\n".to_vec();
        content.extend(vec![b'x'; MAX_LINE + 1]);
        content.extend(b"\nafter\n");
        let (mut lines, mut too_long, mut end) = (Vec::new(), 0, 0);
        for piece in content.chunks(65_536) {
            cutter.push(piece);
            while let Some(cut) = cutter.cut(MAX_LINE) {
                assert_eq!(cut.from, end);
                assert_eq!(cut.check, Check::of(&content[..usize::try_from(cut.to).unwrap()]));
                (end, too_long) = (cut.to, too_long + cut.too_long);
                lines.extend(cut.bytes);
            }
        }
        assert_eq!((lines.as_slice(), too_long, end), (&b"short\nafter\n"[..], 1, content.len() as u64));
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_delivered() {
        let mut cutter = Cutter::at(0);
        cutter.push(&vec![b'x'; MAX_LINE]);
        assert_eq!(cutter.cut(100), None);
        cutter.push(b"\n");
        assert_eq!(cutter.cut(100).unwrap().bytes.len(), MAX_LINE + 1);
    }

    #[test]
    fn the_last_line_gets_the_newline_it_lacks() {
        let mut cutter = Cutter::at(0);
        cutter.push(b"a\nb");
        let first = cutter.cut(MAX_LINE).unwrap();
        let last = cutter.finish().unwrap();
        assert_eq!((first.to, last.to, last.bytes.as_slice()), (2, 3, &b"b\n"[..]));
        assert_eq!(last.check, Check::of(b"a\nb"));
    }

    proptest! {
        #[test]
        fn whatever_the_pieces_the_lines_are_the_same(
            lines in prop::collection::vec("[a-z]{0,30}", 0..40),
            piece in 1usize..50,
            max in 1usize..60,
        ) {
            let content: Vec<u8> = lines.iter().flat_map(|l| format!("{l}\n").into_bytes()).collect();
            let (mut cutter, mut got, mut end) = (Cutter::at(0), Vec::new(), 0);
            for part in content.chunks(piece) {
                cutter.push(part);
                while let Some(cut) = cutter.cut(max) {
                    prop_assert_eq!(cut.from, end);
                    prop_assert_eq!(cut.check, Check::of(&content[..usize::try_from(cut.to).unwrap()]));
                    end = cut.to;
                    got.extend(cut.bytes);
                }
            }
            prop_assert!(cutter.is_clean());
            prop_assert_eq!(got, content);
        }
    }
}
