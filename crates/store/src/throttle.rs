//! Slows down whoever tries passwords.
//!
//! Pure: the caller brings the time. An attempt counts as failed from its start until it is said to have succeeded,
//! so that attempts made side by side are no way around. Memory is bounded: an entry is forgotten an hour after its
//! last attempt, or when there are too many, and then those with the fewest failures go first.

use base::{Span, Timestamp};
use std::collections::HashMap;

/// Failures before anybody has to wait.
pub const FREE_FAILURES: u32 = 5;
const FIRST_WAIT: Span = Span::from_seconds(30);
const LONGEST_WAIT: Span = Span::from_seconds(15 * 60);
const FORGET_AFTER: Span = Span::from_seconds(3600);
const MAX_ENTRIES: usize = 10_000;

/// Failed attempts of one user from one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Failures {
    count: u32,
    last: Timestamp,
}

/// Too many failures: wait this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many wrong passwords; try again in {0}")]
pub struct Wait(pub Span);

/// What is known about recent attempts.
#[derive(Debug, Default)]
pub struct Throttle {
    /// By hash of user and address, because both come from outside and may be long.
    entries: HashMap<[u8; 32], Failures>,
}

impl Throttle {
    /// Counts an attempt, or says how long to wait before the next one.
    pub fn attempt(&mut self, user: &str, address: &str, now: Timestamp) -> Result<(), Wait> {
        let key = key_of(user, address);
        let next = step(self.entries.get(&key).copied(), now)?;
        if !self.entries.contains_key(&key) && self.entries.len() >= MAX_ENTRIES {
            self.make_room(now);
        }
        self.entries.insert(key, next);
        Ok(())
    }

    /// The attempt was right: its failures are forgotten.
    pub fn succeeded(&mut self, user: &str, address: &str) {
        self.entries.remove(&key_of(user, address));
    }

    fn make_room(&mut self, now: Timestamp) {
        self.entries.retain(|_, failures| !forgotten(*failures, now));
        if self.entries.len() < MAX_ENTRIES {
            return;
        }
        let least = self.entries.iter().min_by_key(|(_, failures)| (failures.count, failures.last));
        if let Some(key) = least.map(|(key, _)| *key) {
            self.entries.remove(&key);
        }
    }
}

fn key_of(user: &str, address: &str) -> [u8; 32] {
    // Hashing the user first keeps ("a", "bc") and ("ab", "c") apart.
    let mut hasher = blake3::Hasher::new();
    hasher.update(blake3::hash(user.as_bytes()).as_bytes());
    hasher.update(address.as_bytes());
    *hasher.finalize().as_bytes()
}

fn forgotten(failures: Failures, now: Timestamp) -> bool {
    now >= failures.last.plus_micros(FORGET_AFTER.micros())
}

/// How long after that many failures nothing is tried: 30 s after the fifth, doubling up to 15 min.
fn wait_after(count: u32) -> Span {
    let Some(doublings) = count.checked_sub(FREE_FAILURES) else { return Span::default() };
    let micros = FIRST_WAIT.micros().saturating_mul(1 << doublings.min(16));
    Span::from_micros(micros.min(LONGEST_WAIT.micros()))
}

/// The failures with one more attempt, or the wait.
fn step(before: Option<Failures>, now: Timestamp) -> Result<Failures, Wait> {
    let Some(failures) = before.filter(|failures| !forgotten(*failures, now)) else {
        return Ok(Failures { count: 1, last: now });
    };
    let until = failures.last.plus_micros(wait_after(failures.count).micros());
    if now < until {
        return Err(Wait(Span::from_micros(until.micros() - now.micros())));
    }
    Ok(Failures { count: failures.count.saturating_add(1), last: now })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn the_wait_starts_after_five_failures_and_grows() {
        let failed = |count, last| Some(Failures { count, last: at(last) });
        let wait = |seconds| Err(Wait(Span::from_seconds(seconds)));
        for (case, before, now, want) in [
            ("first", None, 0, Ok(Failures { count: 1, last: at(0) })),
            ("fifth", failed(4, 0), 0, Ok(Failures { count: 5, last: at(0) })),
            ("sixth, at once", failed(5, 0), 0, wait(30)),
            ("sixth, a second early", failed(5, 0), 29, wait(1)),
            ("sixth, on time", failed(5, 0), 30, Ok(Failures { count: 6, last: at(30) })),
            ("seventh", failed(6, 0), 0, wait(60)),
            ("tenth", failed(9, 0), 0, wait(480)),
            ("eleventh", failed(10, 0), 0, wait(900)),
            ("hundredth", failed(99, 0), 0, wait(900)),
            ("forgotten", failed(99, 0), 3600, Ok(Failures { count: 1, last: at(3600) })),
            ("clock went back", failed(5, 100), 0, wait(130)),
        ] {
            assert_eq!(step(before, at(now)), want, "{case}");
        }
    }

    #[test]
    fn users_and_addresses_wait_on_their_own() {
        let mut throttle = Throttle::default();
        for _ in 0..5 {
            throttle.attempt("ann", "10.0.0.1", at(0)).unwrap();
        }
        assert!(throttle.attempt("ann", "10.0.0.1", at(1)).is_err());
        assert!(throttle.attempt("ann", "10.0.0.2", at(1)).is_ok());
        assert!(throttle.attempt("bob", "10.0.0.1", at(1)).is_ok());
        throttle.succeeded("ann", "10.0.0.1");
        assert!(throttle.attempt("ann", "10.0.0.1", at(1)).is_ok());
    }

    #[test]
    fn a_flood_of_names_neither_fills_the_memory_nor_frees_the_blocked() {
        let mut throttle = Throttle::default();
        for _ in 0..5 {
            throttle.attempt("ann", "10.0.0.1", at(0)).unwrap();
        }
        for number in 0..MAX_ENTRIES + 50 {
            throttle.attempt(&format!("user{number}"), "10.0.0.1", at(1)).unwrap();
        }
        assert_eq!(throttle.entries.len(), MAX_ENTRIES);
        assert!(throttle.attempt("ann", "10.0.0.1", at(2)).is_err());
    }
}
