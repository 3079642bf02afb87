//! Which deliveries were stored, by their senders' names for them: the newest ones, so that one that is sent again after a
//! lost answer is not stored twice.
//!
//! The marks themselves are the lake's and become durable together with the rows; this only knows their order.

use std::collections::VecDeque;

/// Keys of stored deliveries, oldest first.
#[derive(Debug, Default)]
pub struct Chunks {
    order: VecDeque<String>,
}

impl Chunks {
    /// From marks and the times at which they were set.
    pub fn known(mut marks: Vec<(String, String)>) -> Self {
        marks.sort_by(|a, b| a.1.cmp(&b.1));
        Self { order: marks.into_iter().map(|(key, _)| key).collect() }
    }

    /// Takes the oldest keys when there are `limit` or more.
    pub fn oldest_beyond(&mut self, limit: usize) -> Vec<String> {
        let surplus = (self.order.len() + 1).saturating_sub(limit);
        self.order.drain(..surplus).collect()
    }

    /// Remembers a key.
    pub fn stored(&mut self, key: String) {
        self.order.push_back(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_first_also_after_a_restart() {
        let mark = |key: &str, at: &str| (key.to_owned(), at.to_owned());
        let mut chunks = Chunks::known(vec![mark("b", "2026-01-02"), mark("a", "2026-01-01")]);
        assert!(chunks.oldest_beyond(3).is_empty());
        chunks.stored("c".into());
        assert_eq!(chunks.oldest_beyond(3), ["a"]);
        chunks.stored("d".into());
        assert_eq!(chunks.oldest_beyond(2), ["b", "c"]);
    }
}
