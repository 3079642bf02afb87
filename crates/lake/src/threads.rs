//! Threads of their own for queries, so that a heavy one never holds up intake, sign-in or sealing.
//!
//! An operator that does not yield can't be cancelled; it then occupies one of these threads until it ends, while the
//! query itself has long been answered with the limit it broke.

use datafusion::arrow::array::RecordBatch;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use futures::StreamExt;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Batches that wait to be taken.
const AHEAD: usize = 2;

/// A small runtime that only runs queries.
pub struct QueryThreads(Option<Runtime>);

/// The answer of a query as it comes. Dropping it cancels the query.
pub struct Running {
    batches: mpsc::Receiver<Result<RecordBatch, DataFusionError>>,
    task: JoinHandle<()>,
}

impl QueryThreads {
    /// Starts `count` threads.
    pub fn start(count: usize) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(count).thread_name("query").enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    /// Plans and runs a query.
    pub fn run(&self, frame: DataFrame) -> Running {
        let (out, batches) = mpsc::channel(AHEAD);
        let runtime = self.0.as_ref().expect("the runtime is taken only when this is dropped");
        let task = runtime.spawn(async move {
            let mut stream = match frame.execute_stream().await {
                Ok(stream) => stream,
                Err(error) => return drop(out.send(Err(error)).await),
            };
            while let Some(batch) = stream.next().await {
                if let Err(error) = batch {
                    // Its memory is given back before anybody hears of the failure and asks again.
                    drop(stream);
                    return drop(out.send(Err(error)).await);
                }
                if out.send(batch).await.is_err() {
                    return;
                }
            }
        });
        Running { batches, task }
    }
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

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
