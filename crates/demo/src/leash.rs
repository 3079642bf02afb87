//! Ties a child to its parent: when the parent's end of standard input closes, however it died, the child leaves.
//!
//! It never relies on the async runtime being healthy: a plain thread watches the pipe, and ends the process by force
//! should an orderly end take too long.

use crate::event::{LONGEST_LINE, Settings};
use std::io::{BufRead, BufReader, Read, Stdin};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// An orderly end takes less; the parent waits a little longer than this before it kills.
const PATIENCE: Duration = Duration::from_secs(6);

/// Why a child could not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeashError {
    #[error("failed to read the settings from standard input")]
    Read(#[source] std::io::Error),
    #[error("no settings on standard input; this command is started by `koshu up --demo`, not by hand")]
    NoSettings(#[source] serde_json::Error),
    #[error("failed to start the thread which watches the parent")]
    Thread(#[source] std::io::Error),
}

/// Reads the settings, and from then on watches for the parent's end.
pub(crate) fn take_settings() -> Result<(Settings, CancellationToken), LeashError> {
    let mut input = BufReader::new(std::io::stdin());
    let mut line = Vec::new();
    input.by_ref().take(LONGEST_LINE as u64).read_until(b'\n', &mut line).map_err(LeashError::Read)?;
    let settings = serde_json::from_slice(&line).map_err(LeashError::NoSettings)?;
    let parent_gone = CancellationToken::new();
    let gone = parent_gone.clone();
    std::thread::Builder::new()
        .name("leash".to_owned())
        .spawn(move || watch(input, &gone))
        .map_err(LeashError::Thread)?;
    Ok((settings, parent_gone))
}

fn watch(mut input: BufReader<Stdin>, gone: &CancellationToken) {
    let mut sink = [0; 256];
    while matches!(input.read(&mut sink), Ok(1..)) {}
    gone.cancel();
    std::thread::sleep(PATIENCE);
    std::process::exit(1);
}
