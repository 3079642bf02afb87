//! The master: keeps workers and queue workers alive, rolls out the deploy, rotates the access log.
//!
//! It serves nothing itself, so that a bug in a request can't take the shop down.

use crate::access_log;
use crate::child::Role;
use crate::event::{Event, Settings, say, tell};
use crate::keep::{Keeper, Note};
use crate::process_list::{Listed, ProcessList, RoleName};
use crate::queue::OrderQueue;
use base::Clock;
use std::collections::{HashSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The shop's own log of starts and ends is rotated at this size.
const SHOP_LOG_BYTES: u64 = 1 << 20;
/// Rotated logs that are kept.
const KEPT_LOGS: u32 = 2;

struct Master {
    dir: PathBuf,
    processes: ProcessList,
    queue: OrderQueue,
    /// Roles which have not been ready yet.
    awaited: HashSet<Role>,
    has_complained: bool,
}

pub(crate) async fn run(mut settings: Settings, parent_gone: CancellationToken) -> io::Result<ExitCode> {
    let clock = Clock::System;
    settings.release = settings.scenario.release(settings.elapsed(clock.now()));
    let mut master = Master::new(&settings)?;
    let rotate_at = settings.scenario.rotate_log_at_bytes;
    let log_path = settings.access_log();
    let began = tokio::time::Instant::now();
    let elapsed = settings.elapsed(clock.now());
    let mut roll_outs: VecDeque<_> = settings.scenario.roll_outs().into();
    // One that is past is told again: the owner knows whether it was told before.
    while roll_outs.get(1).is_some_and(|(next, _)| *next <= elapsed) {
        roll_outs.pop_front();
    }

    let (notes_in, mut notes) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let (release, current) = watch::channel(settings.clone());
    let mut keepers = JoinSet::new();
    for role in roles(&settings) {
        let (settings, stop, notes) = (current.clone(), stop.clone(), notes_in.clone());
        keepers.spawn(Keeper { role, settings, stop, notes }.keep());
    }
    drop(notes_in);

    let mut tick = tokio::time::interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        let next = roll_outs.front().map(|(at, _)| began + at.saturating_sub(elapsed));
        tokio::select! {
            note = notes.recv() => match note {
                Some(note) => master.hear(note),
                None => break,
            },
            () = parent_gone.cancelled(), if !stop.is_cancelled() => stop.cancel(),
            () = at(next), if next.is_some() => {
                let Some((_, new)) = roll_outs.pop_front() else { continue };
                tell(&Event::Deploy { release: new, at: clock.now() });
                master.processes.release = new.to_string();
                if new != release.borrow().release {
                    master.log(&format!("rolling out release {new}"));
                    release.send_modify(|s| s.release = new);
                }
            }
            _ = tick.tick() => master.housekeeping(&log_path, rotate_at),
        }
    }
    keepers.join_all().await;
    Ok(ExitCode::SUCCESS)
}

async fn at(moment: Option<tokio::time::Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn roles(settings: &Settings) -> Vec<Role> {
    let workers = (1..=settings.scenario.workers).map(Role::Worker);
    workers.chain((1..=settings.scenario.queue_workers).map(Role::QueueWorker)).collect()
}

impl Master {
    fn new(settings: &Settings) -> io::Result<Self> {
        let processes = ProcessList { release: settings.release.to_string(), processes: Vec::new() };
        let mut master = Self {
            dir: settings.dir.clone(),
            processes,
            queue: OrderQueue::open(&settings.dir)?,
            awaited: roles(settings).into_iter().collect(),
            has_complained: false,
        };
        // What an earlier run was working on when it ended is worked on again.
        for number in 1..=settings.scenario.queue_workers {
            let given_back = master.queue.give_back(number);
            master.complain_once(given_back);
        }
        let pid = std::process::id();
        let written = std::fs::write(master.dir.join("master.pid"), format!("{pid}\n"));
        master.complain_once(written);
        let started_at = Clock::System.now();
        let generation = settings.generation;
        master.processes.enter(Listed { role: RoleName::Master, number: 1, pid, started_at, generation });
        Ok(master)
    }

    fn hear(&mut self, note: Note) {
        match note {
            Note::Started(listed) => {
                let Listed { role, number, pid, generation, .. } = &listed;
                self.log(&format!("{role:?} {number} started, pid {pid}, generation {generation}"));
                self.processes.enter(listed);
                self.write_list();
            }
            Note::Said { role, event: Event::Ready } => {
                if self.awaited.remove(&role) && self.awaited.is_empty() {
                    tell(&Event::Ready);
                }
            }
            Note::Said { role, event: Event::Leaving { reason } } => self.log(&format!("{role} leaves: {reason}")),
            Note::Said { event: Event::Deploy { .. }, .. } => {}
            Note::Ended { role, pid, how } => {
                self.log(&format!("{role} ended, pid {pid}: {how}"));
                if let Role::QueueWorker(number) = role {
                    let given_back = self.queue.give_back(number);
                    self.complain_once(given_back);
                }
                self.processes.remove(pid);
                self.write_list();
            }
            Note::CannotStart { role, why } => self.log(&format!("{role} cannot start: {why}")),
        }
    }

    fn housekeeping(&mut self, access_log: &Path, rotate_at: u64) {
        let rotated = access_log::rotate(access_log, rotate_at, KEPT_LOGS);
        self.complain_once(rotated.map(|_| ()));
        let shop_log = self.dir.join("shop.log");
        let rotated = access_log::rotate(&shop_log, SHOP_LOG_BYTES, KEPT_LOGS);
        self.complain_once(rotated.map(|_| ()));
        let pruned = self.queue.forget_old();
        self.complain_once(pruned);
    }

    fn write_list(&mut self) {
        let written = self.processes.write(&self.dir);
        self.complain_once(written);
    }

    fn log(&mut self, message: &str) {
        let line = format!("{} {message}\n", Clock::System.now());
        let written = access_log::append(&self.dir.join("shop.log"), &line);
        self.complain_once(written);
    }

    /// A full disk makes the demonstration poorer, never stops it.
    fn complain_once(&mut self, done: io::Result<()>) {
        if let Err(error) = done
            && !std::mem::replace(&mut self.has_complained, true)
        {
            say(&format!("master: failed to write below its folder, goes on without: {error}"));
        }
    }
}
