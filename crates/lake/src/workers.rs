//! A few threads for work that takes much memory for a moment: taking deliveries apart, sorting and writing files.
//!
//! The runtime's threads for blocking work are dozens, and each job goes to another of them. An allocator keeps a heap for
//! each thread, so that the leftovers of large jobs would lie in dozens of heaps; a few threads keep them in a few.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::{Builder, JoinHandle};
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that take jobs in their order. Dropping them waits for those that were given.
#[derive(Debug)]
pub struct Workers {
    jobs: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

/// The job broke off with a panic, which the log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the work broke off")]
pub struct BrokeOff;

impl Workers {
    /// Starts `count` threads of this name.
    pub fn start(name: &str, count: usize) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        let start = |_| {
            let queue = Arc::clone(&queue);
            Builder::new().name(name.to_owned()).spawn(move || work(&queue))
        };
        let threads = (0..count.max(1)).map(start).collect::<Result<_, _>>()?;
        Ok(Self { jobs: Some(jobs), threads })
    }

    /// Does a job as soon as a thread is free. Whoever stops waiting for it does not stop it.
    pub async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, BrokeOff> {
        let (done, answer) = oneshot::channel();
        let job = move || {
            // Nobody may be waiting any more.
            let _ = done.send(job());
        };
        let jobs = self.jobs.as_ref().ok_or(BrokeOff)?;
        jobs.send(Box::new(job)).map_err(|_| BrokeOff)?;
        answer.await.map_err(|_| BrokeOff)
    }
}

fn work(queue: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        // A panic happens in a job, never while the queue is held.
        let Ok(job) = queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv() else { return };
        // The sender of its answer is dropped, which says that it broke off; the thread goes on with the next.
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("a job broke off");
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[tokio::test]
    async fn jobs_are_done_by_a_few_threads_and_one_that_panics_ends_none_of_them() {
        let workers = Workers::start("worker", 2).unwrap();
        let mut threads = HashSet::new();
        for number in 0..20 {
            let (thread, answer) = workers.run(move || (std::thread::current().id(), number * 2)).await.unwrap();
            threads.insert(thread);
            assert_eq!(answer, number * 2);
            let broken: Result<(), _> = workers.run(|| panic!("on purpose")).await;
            assert_eq!(broken, Err(BrokeOff));
        }
        assert!((1..=2).contains(&threads.len()), "{threads:?}");
    }

    #[tokio::test]
    async fn what_was_given_is_done_before_they_end() {
        let workers = Workers::start("worker", 1).unwrap();
        let (said, heard) = mpsc::channel();
        for number in 0..10 {
            let said = said.clone();
            // Nobody waits for it.
            let job = workers.run(move || said.send(number).is_ok());
            let _ = futures::poll!(Box::pin(job));
        }
        drop((workers, said));
        assert_eq!(heard.iter().collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    }
}
