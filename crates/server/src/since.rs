//! When something happened first since the start of the process, such as a limit that was reached.

use base::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

const NEVER: i64 = i64::MIN;

/// The first time that something happened.
#[derive(Debug)]
pub struct Since(AtomicI64);

impl Default for Since {
    fn default() -> Self {
        Self(AtomicI64::new(NEVER))
    }
}

impl Since {
    /// It happens now; only the first time counts.
    pub fn note(&self, now: Timestamp) {
        let _ = self.0.compare_exchange(NEVER, now.micros(), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// When it happened first; `None` when it never did.
    pub fn get(&self) -> Option<Timestamp> {
        let at = self.0.load(Ordering::Relaxed);
        (at != NEVER).then(|| Timestamp::from_micros(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_time_counts() {
        let since = Since::default();
        assert_eq!(since.get(), None);
        since.note(Timestamp::from_seconds(5));
        since.note(Timestamp::from_seconds(9));
        assert_eq!(since.get(), Some(Timestamp::from_seconds(5)));
    }
}
