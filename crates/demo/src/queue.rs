//! The order queue: one file an order, moved from folder to folder as it is worked on.
//!
//! A rename is atomic, so two workers never hold the same order, and an order whose worker died is found under that
//! worker's number and given back. Both the waiting and the finished orders are bounded.
//! File operations here block; they are tiny, and each caller is a process with nothing better to do.

use base::{Id, Timestamp};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// Orders that may wait; beyond it the shop says so to the buyer.
const MOST_WAITING: usize = 1_000;
/// Finished orders that can still be looked at.
const MOST_DONE: usize = 500;

/// An order of the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub items: Vec<u16>,
    pub at: Timestamp,
}

/// The id of an order. It only ever holds the canonical text of a UUID, so it is safe as a file name.
pub(crate) type OrderId = Id<Order>;

/// Where an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderState {
    Waiting,
    BeingPacked,
    Shipped,
}

/// Why an order was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PutError {
    #[error("{MOST_WAITING} orders are waiting already")]
    Full,
    #[error("failed to write the order")]
    Disk(#[from] io::Error),
}

/// How many orders are where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Depth {
    /// Not begun.
    pub waiting: usize,
    /// In the hands of a queue worker.
    pub being_packed: usize,
    /// Finished (the last 500 are kept).
    pub shipped: usize,
}

/// The queue in the demonstration's folder.
#[derive(Debug, Clone)]
pub struct OrderQueue {
    todo: PathBuf,
    doing: PathBuf,
    done: PathBuf,
}

/// An order in the hands of one worker.
#[derive(Debug)]
pub(crate) struct Claimed {
    name: String,
    held_at: PathBuf,
}

impl OrderQueue {
    /// Opens the queue below the demonstration's folder, and makes it if it is new.
    pub fn open(demo_dir: &Path) -> io::Result<Self> {
        let base = demo_dir.join("queue");
        let queue = Self { todo: base.join("todo"), doing: base.join("doing"), done: base.join("done") };
        for dir in [&queue.todo, &queue.doing, &queue.done] {
            std::fs::create_dir_all(dir)?;
        }
        Ok(queue)
    }

    /// How full it is.
    pub fn depth(&self) -> io::Result<Depth> {
        Ok(Depth {
            waiting: names(&self.todo)?.len(),
            being_packed: names(&self.doing)?.len(),
            shipped: names(&self.done)?.len(),
        })
    }

    pub(crate) fn put(&self, order: &Order) -> Result<OrderId, PutError> {
        if names(&self.todo)?.len() >= MOST_WAITING {
            return Err(PutError::Full);
        }
        let id = OrderId::generate();
        let draft = self.todo.join(format!(".{id}"));
        let written = std::fs::write(&draft, serde_json::to_vec(order).map_err(io::Error::from)?)
            .and_then(|()| std::fs::rename(&draft, self.todo.join(id.to_string())));
        if written.is_err() {
            // On a full disk the draft may be there, empty; it is no order.
            let _ = std::fs::remove_file(&draft);
        }
        written?;
        Ok(id)
    }

    /// Takes the oldest waiting order, if any.
    pub(crate) fn claim(&self, worker: u8) -> io::Result<Option<Claimed>> {
        let mut waiting = names(&self.todo)?;
        waiting.sort_unstable(); // ids sort by time
        for name in waiting {
            let held_at = self.doing.join(format!("{name}.{worker}"));
            match std::fs::rename(self.todo.join(&name), &held_at) {
                Ok(()) => return Ok(Some(Claimed { name, held_at })),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {} // another worker was faster
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    pub(crate) fn finish(&self, claimed: &Claimed) -> io::Result<()> {
        std::fs::rename(&claimed.held_at, self.done.join(&claimed.name))
    }

    /// Puts back what a worker held when it ended.
    pub(crate) fn give_back(&self, worker: u8) -> io::Result<()> {
        let suffix = format!(".{worker}");
        for held in names(&self.doing)? {
            if let Some(name) = held.strip_suffix(&suffix) {
                std::fs::rename(self.doing.join(&held), self.todo.join(name))?;
            }
        }
        Ok(())
    }

    pub(crate) fn state(&self, id: OrderId) -> io::Result<Option<OrderState>> {
        let name = id.to_string();
        // In the direction in which orders move, so that one is not missed between two looks.
        if self.todo.join(&name).exists() {
            return Ok(Some(OrderState::Waiting));
        }
        if names(&self.doing)?.iter().any(|held| held.starts_with(&name)) {
            return Ok(Some(OrderState::BeingPacked));
        }
        Ok(self.done.join(&name).exists().then_some(OrderState::Shipped))
    }

    /// Removes the oldest finished orders beyond the bound.
    pub(crate) fn forget_old(&self) -> io::Result<()> {
        let mut done = names(&self.done)?;
        done.sort_unstable();
        let beyond = done.len().saturating_sub(MOST_DONE);
        for name in done.iter().take(beyond) {
            std::fs::remove_file(self.done.join(name))?;
        }
        Ok(())
    }
}

/// The orders in a folder; drafts (which start with a dot) are none.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        names.extend(name.to_str().filter(|n| !n.starts_with('.')).map(str::to_owned));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order {
        Order { items: vec![1, 2], at: Timestamp::from_seconds(1) }
    }

    #[test]
    fn an_order_moves_from_waiting_to_shipped() {
        let dir = tempfile::tempdir().unwrap();
        let queue = OrderQueue::open(dir.path()).unwrap();
        let id = queue.put(&order()).unwrap();
        assert_eq!(queue.state(id).unwrap(), Some(OrderState::Waiting));
        let claimed = queue.claim(1).unwrap().unwrap();
        assert_eq!(queue.state(id).unwrap(), Some(OrderState::BeingPacked));
        assert!(queue.claim(2).unwrap().is_none(), "nobody else gets it");
        queue.finish(&claimed).unwrap();
        assert_eq!(queue.state(id).unwrap(), Some(OrderState::Shipped));
        assert_eq!(queue.state(OrderId::generate()).unwrap(), None);
    }

    #[test]
    fn what_a_dead_worker_held_is_given_back_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let queue = OrderQueue::open(dir.path()).unwrap();
        for _ in 0..2 {
            queue.put(&order()).unwrap();
        }
        queue.claim(1).unwrap().unwrap();
        queue.claim(11).unwrap().unwrap();
        queue.give_back(1).unwrap();
        assert_eq!(queue.depth().unwrap(), Depth { waiting: 1, being_packed: 1, shipped: 0 });
    }

    #[test]
    fn a_full_queue_says_so_instead_of_growing() {
        let dir = tempfile::tempdir().unwrap();
        let queue = OrderQueue::open(dir.path()).unwrap();
        for n in 0..MOST_WAITING {
            std::fs::write(queue.todo.join(format!("{n}")), "").unwrap();
        }
        assert!(matches!(queue.put(&order()), Err(PutError::Full)));
    }

    #[test]
    fn only_the_last_finished_orders_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let queue = OrderQueue::open(dir.path()).unwrap();
        for n in 0..MOST_DONE + 3 {
            std::fs::write(queue.done.join(format!("{n:04}")), "").unwrap();
        }
        queue.forget_old().unwrap();
        assert_eq!(queue.depth().unwrap().shipped, MOST_DONE);
        assert!(!queue.done.join("0002").exists());
    }
}
