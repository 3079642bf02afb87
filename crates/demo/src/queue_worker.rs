//! A queue worker: takes orders one by one and packs them.
//!
//! It never loses an order: one that it held when it ended is given back by the master.

use crate::event::{Event, Settings, say, tell};
use crate::queue::OrderQueue;
use crate::weather::around;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::io;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long packing an order takes, on average.
const PACKING: Duration = Duration::from_millis(400);
/// How often an idle worker looks for orders.
const LOOK_EVERY: Duration = Duration::from_millis(300);

pub(crate) async fn run(number: u8, settings: &Settings, parent_gone: CancellationToken) -> io::Result<ExitCode> {
    let queue = OrderQueue::open(&settings.dir)?;
    let mut rng = StdRng::seed_from_u64(settings.seed_for(number));
    let mut terminate = signal(SignalKind::terminate())?;
    let mut quit = signal(SignalKind::quit())?;
    let mut has_complained = false;
    tell(&Event::Ready);
    loop {
        let worked = work_once(&queue, number, around(PACKING, &mut rng));
        tokio::select! {
            worked = worked => match worked {
                Ok(true) => continue,
                Err(error) if !std::mem::replace(&mut has_complained, true) => {
                    say(&format!("queue-worker {number}: goes on in spite of: {error}"));
                }
                Ok(false) | Err(_) => {}
            },
            () = parent_gone.cancelled() => break,
            _ = terminate.recv() => break,
            _ = quit.recv() => break,
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = parent_gone.cancelled() => break,
            _ = terminate.recv() => break,
            _ = quit.recv() => break,
        }
    }
    // Should the master be gone, nobody else would.
    queue.give_back(number)?;
    Ok(ExitCode::SUCCESS)
}

/// Packs one order; false when none waits.
async fn work_once(queue: &OrderQueue, number: u8, packing: Duration) -> io::Result<bool> {
    let Some(claimed) = queue.claim(number)? else { return Ok(false) };
    tokio::time::sleep(packing).await;
    queue.finish(&claimed)?;
    Ok(true)
}
