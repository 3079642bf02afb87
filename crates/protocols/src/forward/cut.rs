//! Cuts a connection's bytes into whole messages.

use super::pack::{Stop, Walk};
use crate::observed::DecodeError;

/// Longest message, bytes.
pub const MAX_MESSAGE: usize = 64 << 20;

/// What the bytes so far are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The start of a message.
    NeedMore,
    /// A whole message in this many bytes; others may follow.
    Message {
        /// Length of the message.
        used: usize,
    },
}

/// Finds where messages end. Remembers how far it came, so that a long message which arrives in many small pieces is
/// read once; holds no bytes itself.
#[derive(Debug, Clone, Default)]
pub struct Cutter {
    walk: Walk,
}

impl Cutter {
    /// Looks at everything that is not used yet: bytes from the start of a message, more of them at each call. After
    /// an error the connection can't be read on.
    pub fn step(&mut self, unread: &[u8]) -> Result<Step, DecodeError> {
        // Messages are lists; nil is a heartbeat. Anything else is another protocol, and waiting for more is useless.
        if let Some(first) = unread.first()
            && !matches!(first, 0x90..=0x9f | 0xdc | 0xdd | 0xc0)
        {
            return Err(DecodeError::Malformed { what: "no list, which every message is".to_owned(), at: 0 });
        }
        match self.walk.go(unread) {
            Ok(used) if used <= MAX_MESSAGE => {
                self.walk = Walk::default();
                Ok(Step::Message { used })
            }
            Err(Stop::Short) if self.walk.at_least(unread) <= MAX_MESSAGE as u64 => Ok(Step::NeedMore),
            Ok(_) | Err(Stop::Short) => Err(DecodeError::TooMany { what: "bytes in a message", limit: MAX_MESSAGE }),
            Err(Stop::Reserved) => {
                Err(DecodeError::Malformed { what: "a byte that starts no value".to_owned(), at: self.walk.at() })
            }
        }
    }
}
