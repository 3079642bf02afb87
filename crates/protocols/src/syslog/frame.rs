//! Cuts a TCP connection's bytes into syslog messages (RFC 6587): counted octets and lines, also mixed.

use crate::observed::Refusal;

/// Longest message, bytes; a longer one is refused and stepped over.
pub const MAX_FRAME: usize = 64 << 10;

/// Digits of a count that is believed; a longer number starts a line.
const MAX_DIGITS: usize = 9;

/// What the bytes so far are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut<'a> {
    /// How many bytes are done with, whether or not something was found in them.
    pub used: usize,
    /// The next message, or why one was refused. Nothing: wait for more bytes.
    pub found: Option<Result<&'a [u8], Refusal>>,
}

/// Remembers only what it is stepping over; holds no bytes itself.
#[derive(Debug, Clone, Default)]
pub struct Frames {
    over: Over,
}

/// What is left of a message that was refused.
#[derive(Debug, Clone, Default)]
enum Over {
    #[default]
    Nothing,
    Octets(usize),
    Line,
}

impl Frames {
    /// Looks at everything that is not used yet. Call it again with the bytes behind [`Cut::used`] until it finds
    /// nothing. What is left when the connection ends is a last line without its end.
    pub fn step<'a>(&mut self, unread: &'a [u8]) -> Cut<'a> {
        let skipped = self.skip(unread);
        let rest = &unread[skipped..];
        // Line ends and NULs between messages: some senders write them behind counted messages as well.
        let between = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r' | 0)).count();
        let used = skipped + between;
        let cut = match count(&rest[between..]) {
            Count::Unknown => Cut { used: 0, found: None },
            Count::Octets { head, length } => self.octets(&rest[between..], head, length),
            Count::None => self.line(&rest[between..]),
        };
        Cut { used: used + cut.used, found: cut.found }
    }

    fn skip(&mut self, unread: &[u8]) -> usize {
        match self.over {
            Over::Nothing => 0,
            Over::Octets(left) => {
                let used = left.min(unread.len());
                self.over = if left > used { Over::Octets(left - used) } else { Over::Nothing };
                used
            }
            Over::Line => match line_end(unread) {
                Some(end) => {
                    self.over = Over::Nothing;
                    end
                }
                None => unread.len(),
            },
        }
    }

    fn octets<'a>(&mut self, rest: &'a [u8], head: usize, length: usize) -> Cut<'a> {
        if length > MAX_FRAME {
            let here = (head + length).min(rest.len());
            if here < head + length {
                self.over = Over::Octets(head + length - here);
            }
            return Cut { used: here, found: Some(Err(Refusal::TooLong)) };
        }
        match rest.get(head..head + length) {
            Some(message) => Cut { used: head + length, found: Some(Ok(message)) },
            None => Cut { used: 0, found: None },
        }
    }

    fn line<'a>(&mut self, rest: &'a [u8]) -> Cut<'a> {
        match line_end(rest) {
            Some(end) if end > MAX_FRAME => Cut { used: end, found: Some(Err(Refusal::TooLong)) },
            Some(end) => Cut { used: end + 1, found: Some(Ok(&rest[..end])) },
            None if rest.len() > MAX_FRAME => {
                self.over = Over::Line;
                Cut { used: rest.len(), found: Some(Err(Refusal::TooLong)) }
            }
            None => Cut { used: 0, found: None },
        }
    }
}

fn line_end(bytes: &[u8]) -> Option<usize> {
    memchr::memchr2(b'\n', 0, bytes)
}

enum Count {
    /// Too few bytes to tell.
    Unknown,
    /// `83 <132>...`: the message behind `head` has `length` bytes.
    Octets { head: usize, length: usize },
    /// A line.
    None,
}

/// A count is digits and a blank before `<`: a line that starts with a number is not taken for one.
fn count(bytes: &[u8]) -> Count {
    let digits = bytes.iter().take(MAX_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
    if digits > MAX_DIGITS || bytes.first() == Some(&b'0') {
        return Count::None;
    }
    match (digits, &bytes[digits..]) {
        (_, []) | (1.., [b' ']) => Count::Unknown,
        (1.., [b' ', b'<', ..]) => {
            let length = bytes[..digits].iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
            Count::Octets { head: digits + 1, length }
        }
        _ => Count::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Found = Vec<Result<Vec<u8>, Refusal>>;

    /// What comes out of a stream which arrives in pieces of this size, what is left, and the most bytes held.
    fn cut(stream: &[u8], piece: usize) -> (Found, Vec<u8>, usize) {
        let (mut frames, mut unread, mut found, mut most) = (Frames::default(), Vec::new(), Vec::new(), 0);
        for bytes in stream.chunks(piece) {
            unread.extend_from_slice(bytes);
            loop {
                let cut = frames.step(&unread);
                let done = cut.found.is_none();
                found.extend(cut.found.map(|found| found.map(<[u8]>::to_vec)));
                let used = cut.used;
                unread.drain(..used);
                if done {
                    break;
                }
            }
            most = most.max(unread.len());
        }
        (found, unread, most)
    }

    #[test]
    fn counted_messages_and_lines_come_mixed() {
        for (case, stream, want, left) in [
            ("lines", &b"<13>a\n<13>b\r\n"[..], &["<13>a", "<13>b\r"][..], ""),
            ("counted, nothing between", b"5 <13>a6 <13>bc", &["<13>a", "<13>bc"], ""),
            ("counted, with line ends", b"5 <13>a\n6 <13>b\n\n", &["<13>a", "<13>b\n"], ""),
            ("mixed", b"5 <13>a<13>b\n5 <13>c", &["<13>a", "<13>b", "<13>c"], ""),
            ("a line end inside", b"7 <13>a\nb", &["<13>a\nb"], ""),
            ("NUL ends a line", b"<13>a\0<13>b\0", &["<13>a", "<13>b"], ""),
            ("a line that starts with a number", b"12 monkeys\n2026-11-25 x\n", &["12 monkeys", "2026-11-25 x"], ""),
            ("a number too long for a count", b"1234567890 <13>a\n", &["1234567890 <13>a"], ""),
            ("no count", b"0 <13>a\n", &["0 <13>a"], ""),
            ("cut short", b"<13>a\n99 <13>b", &["<13>a"], "99 <13>b"),
            ("nothing", b"\n\n", &[], ""),
        ] {
            for piece in [1, 3, 1000] {
                let (found, unread, _) = cut(stream, piece);
                let want: Vec<_> = want.iter().map(|text| Ok(text.as_bytes().to_vec())).collect();
                assert_eq!((found, unread.as_slice()), (want, left.as_bytes()), "{case}, {piece} bytes at a time");
            }
        }
    }

    #[test]
    fn a_message_that_is_too_long_is_stepped_over_and_the_next_is_taken() {
        let long = "x".repeat(MAX_FRAME + 1);
        let limit = format!("<13>{}", "x".repeat(MAX_FRAME - 4));
        for (case, first, ok) in [
            ("line", format!("<13>{long}\n"), false),
            ("line of the longest length", format!("{limit}\n"), true),
            ("counted", format!("{} <13>{long}", long.len() + 4), false),
            ("counted, longest length", format!("{MAX_FRAME} {limit}"), true),
        ] {
            let stream = format!("{first}<13>next\n5 <13>b");
            for piece in [1000, 4096, 1 << 20] {
                let (found, unread, most) = cut(stream.as_bytes(), piece);
                let want = if ok { Ok(limit.clone().into_bytes()) } else { Err(Refusal::TooLong) };
                assert_eq!(found, [want, Ok(b"<13>next".to_vec()), Ok(b"<13>b".to_vec())], "{case}");
                assert!(unread.is_empty() && most <= MAX_FRAME + 16, "{case}: {most} bytes held");
            }
        }
    }

    #[test]
    fn a_count_that_lies_costs_nothing() {
        let mut frames = Frames::default();
        let cut = frames.step(b"999999999 <13>a");
        assert_eq!(cut, Cut { used: 15, found: Some(Err(Refusal::TooLong)) });
        assert_eq!(frames.step(&[b'x'; 1000]), Cut { used: 1000, found: None });
    }

    proptest! {
        #[test]
        fn any_bytes_are_cut_alike_in_any_pieces(stream in prop::collection::vec(prop_oneof![
            Just(b'\n'), Just(b' '), Just(b'<'), Just(b'1'), Just(b'3'), any::<u8>()
        ], 0..120), piece in 1usize..40) {
            prop_assert_eq!(cut(&stream, piece).0, cut(&stream, 1000).0);
        }

        #[test]
        fn what_was_framed_comes_back(messages in prop::collection::vec(("[a-z ]{0,20}", any::<bool>()), 0..8), piece in 1usize..40) {
            let text = |body: &str| format!("<13>{body}");
            let stream: String = messages.iter().map(|(body, counted)| {
                let message = text(body);
                if *counted { format!("{} {message}", message.len()) } else { format!("{message}\n") }
            }).collect();
            let want: Vec<_> = messages.iter().map(|(body, _)| Ok(text(body).into_bytes())).collect();
            prop_assert_eq!(cut(stream.as_bytes(), piece).0, want);
        }
    }
}
