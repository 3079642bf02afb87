//! Small steps through a line, by bytes. Shared by the formats whose fields stand between blanks and quotes.

use std::borrow::Cow;

/// Whether the byte at `at` follows an odd number of backslashes.
pub(super) fn is_escaped(bytes: &[u8], at: usize) -> bool {
    at > 0 && bytes[at - 1] == b'\\' && bytes[..at].iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1
}

/// The quote that ends a quoted field which starts at `from`: one before a blank or the end of the line.
pub(super) fn quoted_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut unescaped = None;
    for at in memchr::memchr_iter(b'"', &bytes[from..]).map(|at| from + at) {
        if !matches!(bytes.get(at + 1), None | Some(b' ')) {
            continue;
        }
        if !is_escaped(&bytes[from..], at - from) {
            return Some(at);
        }
        unescaped = Some(at); // a server that escapes nothing may log an agent that ends in a backslash
    }
    unescaped.filter(|at| at + 1 == bytes.len())
}

/// The text behind its leading blanks. By bytes: twice as fast as a search for characters, on every column.
pub(super) fn skip_blanks(raw: &str) -> &str {
    let blanks = raw.bytes().take_while(|b| *b == b' ').count();
    &raw[blanks..]
}

/// A field's text; `-` and nothing are no value.
pub(super) fn some(raw: &str) -> Option<Cow<'_, str>> {
    (!matches!(raw, "" | "-")).then_some(Cow::Borrowed(raw))
}
