//! The demonstration as real processes, over real HTTP, in a temporary folder.

#![allow(clippy::unwrap_used)]

mod log;
mod processes;
mod shop;

use demo::{Demo, DemoOptions, ProcessList, RoleName, Scenario};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Nothing here takes so long; on a busy machine a test is rather slow than wrong.
const PATIENCE: Duration = Duration::from_secs(90);

fn exe() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_demo-child"))
}

/// A small demonstration which fails at once and never deploys, unless the test says otherwise.
fn options(dir: &Path) -> DemoOptions {
    let mut options = DemoOptions::new(dir.to_owned(), exe());
    options.scenario = Scenario { workers: 2, queue_workers: 1, people: 20, ..Scenario::default() };
    options
}

/// Looks again and again until there is something to see.
async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Process ids of the roles in the list, oldest number first.
fn pids(demo_dir: &Path, role: RoleName) -> Vec<u32> {
    let list = ProcessList::read(demo_dir).unwrap_or_default();
    list.processes.iter().filter(|p| p.role == role).map(|p| p.pid).collect()
}

/// Whether a process runs (one that ended but was not waited for does not).
fn is_running(pid: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let state = stat.rsplit(')').next().and_then(|rest| rest.trim().chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

/// All processes below `pid`, itself included.
fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(pid) = all.get(next).copied() {
        next += 1;
        for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            all.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
    }
    all
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

async fn ended(demo: Demo) {
    let dir = demo.dir().to_owned();
    let mut all = pids(&dir, RoleName::Master);
    all.extend(pids(&dir, RoleName::Worker));
    all.extend(pids(&dir, RoleName::QueueWorker));
    demo.stop().await;
    for pid in all {
        assert!(!is_running(pid), "{pid} runs on");
    }
}
