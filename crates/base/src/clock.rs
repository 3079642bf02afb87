//! Where "now" comes from, so that a test can turn the clock by hand.

use crate::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The source of the present moment. Cheap to clone; clones of a manual clock move together.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// Stands still until [`Clock::set`] moves it.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands still at `at`.
    pub fn manual(at: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.micros())))
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::from_micros(jiff::Timestamp::now().as_microsecond()),
            Self::Manual(at) => Timestamp::from_micros(at.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock to `at`; the system clock is never moved.
    pub fn set(&self, at: Timestamp) {
        if let Self::Manual(cell) = self {
            cell.store(at.micros(), Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_manual_clock_move_together() {
        let clock = Clock::manual(Timestamp::from_micros(5));
        let twin = clock.clone();
        clock.set(Timestamp::from_micros(9));
        assert_eq!(twin.now(), Timestamp::from_micros(9));
    }
}
