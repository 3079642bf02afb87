//! Processes of one command on one host, as its agent saw them: how many there are, and how often they were started anew.
//!
//! Answers the signals `process.count` and `process.restarts`. A process is its id and its start time: ids are used again.

use base::{Span, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// One process: its id, and when it was started (in the units of the host's kernel).
pub type Process = (u32, u64);

/// Most starts that are remembered.
const MAX_STARTS: usize = 10_000;

/// What is remembered of the processes of a command.
#[derive(Debug, Clone, Default)]
pub struct Processes {
    now: BTreeSet<Process>,
    /// Starts by time, and how many were seen then.
    starts: BTreeMap<Timestamp, usize>,
    seen: bool,
}

impl Processes {
    /// Takes in what an agent saw. The first look starts nothing: they were there before.
    pub fn look(&mut self, at: Timestamp, processes: impl IntoIterator<Item = Process>) {
        let found: BTreeSet<Process> = processes.into_iter().collect();
        if self.seen {
            let started = found.difference(&self.now).count();
            if started > 0 {
                *self.starts.entry(at).or_default() += started;
            }
            while self.starts.len() > MAX_STARTS {
                self.starts.pop_first();
            }
        }
        (self.now, self.seen) = (found, true);
    }

    /// How many there are; `None` before the first look.
    pub fn count(&self) -> Option<usize> {
        self.seen.then_some(self.now.len())
    }

    /// How many were started within the window that ends at `now`; `None` before the first look.
    pub fn restarts(&self, window: Span, now: Timestamp) -> Option<usize> {
        let from = now.plus_micros(-window.micros());
        self.seen.then(|| self.starts.range(from..=now).map(|(_, started)| started).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_is_a_process_that_was_not_there_before() {
        let at = |minute: i64| Timestamp::from_seconds(minute * 60);
        let hour = Span::from_seconds(3600);
        let mut workers = Processes::default();
        assert_eq!((workers.count(), workers.restarts(hour, at(0))), (None, None));
        workers.look(at(0), [(10, 1), (11, 1)]);
        assert_eq!((workers.count(), workers.restarts(hour, at(0))), (Some(2), Some(0)));
        // The same id with another start time is another process.
        workers.look(at(10), [(10, 1), (11, 5)]);
        workers.look(at(20), [(10, 1)]);
        workers.look(at(30), [(10, 1), (12, 9), (13, 9)]);
        assert_eq!((workers.count(), workers.restarts(hour, at(30))), (Some(3), Some(3)));
        assert_eq!(workers.restarts(Span::from_seconds(600), at(35)), Some(2));
    }
}
