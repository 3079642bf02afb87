//! Threads of their own for queries and for merging, so that a heavy one never holds up intake, sign-in or sealing.
//!
//! An operator that does not yield can't be cancelled; it then occupies one of these threads until it ends, while the
//! query itself has long been answered with the limit it broke.

use crate::query_memory::QueryMemory;
use datafusion::arrow::array::RecordBatch;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryPool;
use futures::StreamExt;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Batches that wait to be taken.
const AHEAD: usize = 2;

/// Expressions are walked by recursion; this holds the deepest that is let through, in an unoptimised build too.
const STACK_BYTES: usize = 16 << 20;

/// A small runtime that only runs queries.
pub struct QueryThreads(Option<Runtime>);

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
        let runtime = builder.build()?;
        Ok(Self(Some(runtime)))
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
