//! Waiting for something to become true: polls, and fails with a name when the time is over.

use std::time::{Duration, Instant};

/// Asks `probe` again and again until it has an answer. Panics after `limit` with what was waited for.
pub async fn until<T>(limit: Duration, what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(begin.elapsed() < limit, "gave up after {limit:?} waiting until {what}");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}
