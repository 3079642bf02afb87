//! The bug of this shop: memory that is never given back.
//!
//! The memory is real (each page is touched), and bounded: at the limit the worker is told to die.

use parking_lot::Mutex;
use tokio::sync::Notify;

/// What one worker has leaked.
#[derive(Debug)]
pub(crate) struct Leak {
    every: u32,
    bytes: usize,
    limit: usize,
    held: Mutex<Held>,
    fatal: Notify,
}

#[derive(Debug, Default)]
struct Held {
    requests: u32,
    bytes: usize,
    blocks: Vec<Vec<u8>>,
}

impl Leak {
    pub(crate) fn new(every: u32, bytes: usize, limit: usize) -> Self {
        Self { every: every.max(1), bytes: bytes.max(1), limit, held: Mutex::default(), fatal: Notify::new() }
    }

    /// Counts a request, and leaks when it is time.
    pub(crate) fn after_request(&self) {
        let held = &mut *self.held.lock();
        held.requests = held.requests.wrapping_add(1);
        if !held.requests.is_multiple_of(self.every) {
            return;
        }
        if held.bytes.saturating_add(self.bytes) > self.limit {
            self.fatal.notify_one();
            return;
        }
        // Not zero: zeroed pages would not be resident.
        held.blocks.push(vec![0x4b; self.bytes]);
        held.bytes += self.bytes;
    }

    /// Returns, once the leak has reached its limit, how many bytes are held.
    pub(crate) async fn fatal(&self) -> usize {
        self.fatal.notified().await;
        self.held.lock().bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_grows_by_steps_and_never_beyond_its_limit() {
        let leak = Leak::new(10, 100, 250);
        for (requests, want) in [(9, 0), (1, 100), (10, 200), (10, 200), (1_000, 200)] {
            for _ in 0..requests {
                leak.after_request();
            }
            assert_eq!(leak.held.lock().bytes, want);
        }
    }

    #[tokio::test]
    async fn the_limit_is_fatal() {
        let leak = Leak::new(1, 100, 250);
        for _ in 0..3 {
            leak.after_request();
        }
        assert_eq!(leak.fatal().await, 200);
    }
}
