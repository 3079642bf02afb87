//! What one query holds of the memory that all queries share, so that its end can be waited for.
//!
//! A query's operators run as tasks of their own, which end a moment after whoever waited for the answer was told. The
//! shared pool divides itself by the operators that are still there: a question asked right after another one would
//! now and then be refused for memory that is already free in all but name.

use datafusion::common::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// How long an answer waits for the query's tasks to end. One that does not give way keeps its memory longer.
const WAIT: Duration = Duration::from_secs(2);

/// One query's view of the shared pool.
#[derive(Debug)]
pub struct QueryMemory {
    shared: Arc<dyn MemoryPool>,
    /// Operators that hold, or may still take, memory.
    consumers: AtomicUsize,
    left: Notify,
}

impl QueryMemory {
    /// A view of `shared` for one query.
    pub fn new(shared: Arc<dyn MemoryPool>) -> Self {
        Self { shared, consumers: AtomicUsize::new(0), left: Notify::new() }
    }

    /// Waits until every operator gave its memory back, or a little while.
    pub async fn released(&self) {
        let all_left = async {
            loop {
                let left = self.left.notified();
                if self.consumers.load(Ordering::SeqCst) == 0 {
                    return;
                }
                left.await;
            }
        };
        let _ = tokio::time::timeout(WAIT, all_left).await;
    }
}

impl fmt::Display for QueryMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one query's share of {}", self.shared)
    }
}

impl MemoryPool for QueryMemory {
    fn name(&self) -> &'static str {
        "query"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.consumers.fetch_add(1, Ordering::SeqCst);
        self.shared.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.shared.unregister(consumer);
        if self.consumers.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.left.notify_waiters();
        }
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.shared.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.shared.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.shared.try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.shared.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.shared.memory_limit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::execution::memory_pool::FairSpillPool;

    #[tokio::test]
    async fn the_end_of_a_query_is_when_its_last_operator_left() {
        let shared: Arc<dyn MemoryPool> = Arc::new(FairSpillPool::new(1000));
        let query = Arc::new(QueryMemory::new(Arc::clone(&shared)));
        let pool: Arc<dyn MemoryPool> = Arc::clone(&query) as Arc<dyn MemoryPool>;
        let (one, two) = (MemoryConsumer::new("one").register(&pool), MemoryConsumer::new("two").register(&pool));
        one.try_grow(600).unwrap();
        assert!(two.try_grow(600).is_err(), "the limit is that of all queries together");
        drop(two);
        let waiting = tokio::spawn(async move { query.released().await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "one operator is still there");
        drop(one);
        waiting.await.unwrap();
        assert_eq!(shared.reserved(), 0);
    }
}
