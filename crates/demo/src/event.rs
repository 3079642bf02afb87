//! What parent and child tell each other: one JSON line each, settings down, events up.

use crate::scenario::{Release, Scenario};
use base::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longest line either side reads; ours are far below.
pub(crate) const LONGEST_LINE: usize = 64 << 10;

/// What a child must know, sent as the first line of its standard input (arguments stay readable in `ps` that way).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// The binary to start for further children.
    pub exe: PathBuf,
    /// The demonstration's own folder.
    pub dir: PathBuf,
    /// Where the shop listens, on 127.0.0.1.
    pub port: u16,
    pub seed: u64,
    pub rate_per_s: f64,
    pub scenario: Scenario,
    /// When the demonstration started; all processes tell the story from here.
    pub started_at: Timestamp,
    pub release: Release,
    /// Which start of this role and number it is, from 1.
    pub generation: u32,
}

impl Settings {
    /// Time since the demonstration started; zero should the machine's clock have been set back.
    pub(crate) fn elapsed(&self, now: Timestamp) -> Duration {
        let micros = now.micros().saturating_sub(self.started_at.micros());
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    pub(crate) fn access_log(&self) -> PathBuf {
        access_log(&self.dir)
    }

    /// A seed of its own for each process and each of its starts.
    pub(crate) fn seed_for(&self, number: u8) -> u64 {
        self.seed.wrapping_mul(31).wrapping_add(u64::from(number) << 32).wrapping_add(u64::from(self.generation))
    }
}

pub(crate) fn access_log(dir: &Path) -> PathBuf {
    dir.join("access.log")
}

/// What a child says to its parent on standard output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// It does its work from now on.
    Ready,
    /// It will end by itself.
    Leaving { reason: String },
    /// The master rolls out a release.
    Deploy { release: Release, at: Timestamp },
}

/// Says something to whoever started Koshu. Unlike `eprintln!`, a closed or full standard error is no reason to panic.
pub(crate) fn say(message: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "demonstration, {message}");
}

/// Tells the parent. A parent which is gone needs no answer: the leash ends this process.
pub(crate) fn tell(event: &Event) {
    use std::io::Write as _;
    let Ok(mut line) = serde_json::to_vec(event) else { return };
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    // Nothing can be done about a closed pipe here, and the leash notices it.
    let _ = out.write_all(&line).and_then(|()| out.flush());
}
