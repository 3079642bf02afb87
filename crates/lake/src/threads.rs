//! Threads of their own for queries and for merging, so that a heavy one never holds up intake, sign-in or sealing, and
//! for what the tables' logs are read and written with.
//!
//! An operator that does not yield can't be cancelled; it then occupies one of these threads until it ends, while the
//! query itself has long been answered with the limit it broke.

use crate::query_memory::QueryMemory;
use datafusion::arrow::array::RecordBatch;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryPool;
use deltalake_core::DeltaTableError;
use futures::StreamExt;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

/// Batches that wait to be taken.
const AHEAD: usize = 2;

/// Threads on which the Delta library reads and writes files of a log. It needs one that waits and one that reads; a
/// checkpoint asks for one for each commit since the last, and an allocator keeps a heap for each.
const LOG_READERS: usize = 8;

/// Expressions are walked by recursion; this holds the deepest that is let through, in an unoptimised build too.
const STACK_BYTES: usize = 16 << 20;

/// A small runtime that only runs queries.
pub struct QueryThreads(Option<Runtime>);

/// Where the Delta library works, on one log at a time: its jobs wait for each other, so that two of them could take all
/// threads and wait for ever.
pub struct LogThreads {
    /// Taken when this is dropped.
    runtime: Option<Runtime>,
    turn: Arc<Mutex<()>>,
}

/// The answer of a query as it comes. Dropping it cancels the query.
pub struct Running {
    batches: mpsc::Receiver<Result<RecordBatch, DataFusionError>>,
    task: JoinHandle<()>,
    pool: Arc<dyn MemoryPool>,
}

impl QueryThreads {
    /// Starts `count` threads of this name, and up to twice as many that read files for them: an allocator keeps a heap for
    /// each thread, and what is read is handed on.
    pub fn start(name: &str, count: usize) -> std::io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(count).max_blocking_threads(2 * count).thread_name(name);
        builder.thread_stack_size(STACK_BYTES).enable_all();
        Ok(Self(Some(builder.build()?)))
    }

    /// Plans and runs a query.
    pub fn run(&self, frame: DataFrame) -> Running {
        let (out, batches) = mpsc::channel(AHEAD);
        let runtime = self.0.as_ref().expect("the runtime is taken only when this is dropped");
        let pool = Arc::clone(frame.task_ctx().memory_pool());
        let held = Arc::clone(&pool);
        let task = runtime.spawn(async move {
            let failure = stream(frame, &out).await.err();
            // Its memory is given back before anybody hears of the end and asks again.
            released(held.as_ref()).await;
            if let Some(error) = failure {
                let _ = out.send(Err(error)).await;
            }
        });
        Running { batches, task, pool }
    }
}

impl LogThreads {
    /// Starts them.
    pub fn start() -> std::io::Result<Arc<Self>> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).max_blocking_threads(LOG_READERS).thread_name("table-log").enable_all();
        Ok(Arc::new(Self { runtime: Some(builder.build()?), turn: Arc::default() }))
    }

    /// Does work of the Delta library. It goes on to its end even when nobody waits for it any more, and nothing else
    /// is begun until then.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, DeltaTableError>> + Send + 'static,
    ) -> Result<T, DeltaTableError> {
        let runtime = self.runtime.as_ref().expect("the runtime is taken only when this is dropped");
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let task = runtime.spawn(async move {
            let outcome = work.await;
            drop(turn);
            outcome
        });
        task.await.unwrap_or_else(|death| Err(DeltaTableError::Generic(format!("the work broke off: {death}"))))
    }
}

impl Drop for LogThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn released(pool: &dyn MemoryPool) {
    if let Some(memory) = pool.downcast_ref::<QueryMemory>() {
        memory.released().await;
    }
}

/// Hands on the answer of a query, batch by batch, as long as somebody takes them.
async fn stream(
    frame: DataFrame,
    out: &mpsc::Sender<Result<RecordBatch, DataFusionError>>,
) -> Result<(), DataFusionError> {
    let mut batches = frame.execute_stream().await?;
    while let Some(batch) = batches.next().await {
        if out.send(Ok(batch?)).await.is_err() {
            break;
        }
    }
    Ok(())
}

impl Drop for QueryThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Running {
    /// The next batch; `None` at the end. A query that died without a word is an error, never a short answer.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, DataFusionError>> {
        if let Some(batch) = self.batches.recv().await {
            return Some(batch);
        }
        match (&mut self.task).await {
            Ok(()) => None,
            Err(death) => Some(Err(DataFusionError::External(Box::new(death)))),
        }
    }
}

impl Running {
    /// Ends the query before its end and waits, a little while at most, until its memory is back.
    pub async fn stop(self) {
        self.task.abort();
        released(self.pool.as_ref()).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_log_is_worked_on_at_a_time_also_when_nobody_waits_and_after_a_panic() {
        let threads = LogThreads::start().unwrap();
        let (begun, mut order) = mpsc::unbounded_channel();
        let (go, wait) = tokio::sync::oneshot::channel::<()>();
        let say = begun.clone();
        let first = threads.run(async move {
            say.send("first begins").unwrap();
            wait.await.unwrap();
            say.send("first ends").unwrap();
            Ok(())
        });
        let mut first = Box::pin(first);
        assert!(futures::poll!(&mut first).is_pending());
        assert_eq!(order.recv().await, Some("first begins"));
        // Nobody waits for it any more; it goes on.
        drop(first);

        let panics = threads.run(async { std::panic::panic_any("on purpose") });
        let mut panics: std::pin::Pin<Box<dyn Future<Output = Result<(), _>>>> = Box::pin(panics);
        assert!(futures::poll!(&mut panics).is_pending());
        go.send(()).unwrap();
        let error = panics.await.unwrap_err().to_string();
        assert!(error.contains("the work broke off"), "{error}");

        let last = threads.run(async move {
            begun.send("last").unwrap();
            Ok(7)
        });
        assert_eq!(last.await.unwrap(), 7);
        assert_eq!((order.recv().await, order.recv().await), (Some("first ends"), Some("last")));
    }
}
