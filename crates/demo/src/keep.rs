//! Keeps one child process alive: starts it, starts it again when it ends, replaces it when its settings change.
//!
//! It ends a child only through the child's own handle (never by a process id from a file), first by closing the
//! child's standard input, then, should it not leave, by force.

use crate::child::{CHILD_COMMAND, Role};
use crate::event::{Event, LONGEST_LINE, Settings};
use crate::process_list::Listed;
use base::Clock;
use std::io;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// How long a child may take to leave; its own leash is shorter.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long a replacement may take to become ready before the old one leaves all the same.
const WARM_UP: Duration = Duration::from_secs(10);
/// Between the replacements of worker 1, worker 2, ...
const STAGGER: Duration = Duration::from_millis(700);

/// What happened to a kept child.
#[derive(Debug)]
pub(crate) enum Note {
    Started(Listed),
    Said { role: Role, event: Event },
    Ended { role: Role, pid: u32, how: String },
    CannotStart { role: Role, why: io::Error },
}

/// How long to wait before the next start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BackOff {
    next: Duration,
}

impl BackOff {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(30);
    /// A child which lived so long did not die "at once".
    const HEALTHY: Duration = Duration::from_secs(5);

    pub(crate) fn new() -> Self {
        Self { next: Self::FIRST }
    }

    /// The wait after a child that lived for `lived`: twice the last one if it died at once, short again if it did not.
    pub(crate) fn after(&mut self, lived: Duration) -> Duration {
        if lived >= Self::HEALTHY {
            self.next = Self::FIRST;
        }
        let wait = self.next;
        self.next = (self.next * 2).min(Self::LONGEST);
        wait
    }
}

/// A running child and the pipes to it.
struct Leashed {
    child: Child,
    pid: u32,
    stdin: ChildStdin,
    events: mpsc::Receiver<Event>,
    since: Instant,
}

impl Leashed {
    async fn start(role: Role, settings: &Settings) -> io::Result<Self> {
        let mut child = Command::new(&settings.exe)
            .arg0("koshu")
            .arg(CHILD_COMMAND)
            .args(role.args())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C in a terminal reaches the parent alone, which then ends its children in order.
            .process_group(0)
            .spawn()?;
        let (Some(pid), Some(mut stdin), Some(stdout)) = (child.id(), child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the child ended before it could be spoken to"));
        };
        let mut line = serde_json::to_vec(settings)?;
        line.push(b'\n');
        // A child that dies before it reads is noticed by its end, with its status.
        let _ = stdin.write_all(&line).await;
        let (tx, events) = mpsc::channel(16);
        tokio::spawn(hear(stdout, tx));
        Ok(Self { child, pid, stdin, events, since: Instant::now() })
    }

    /// Lets the child leave; ends it by force when it does not.
    async fn end(self) -> String {
        let Self { mut child, stdin, events, .. } = self;
        drop((stdin, events));
        if let Ok(status) = tokio::time::timeout(PATIENCE, child.wait()).await {
            return describe(status);
        }
        match child.kill().await {
            Ok(()) => "killed, because it did not leave".to_owned(),
            Err(error) => format!("could not be killed: {error}"),
        }
    }

    /// Waits until the child is ready, has died, or took too long. What else it says meanwhile is told on.
    async fn warm_up(&mut self, role: Role, notes: &mpsc::Sender<Note>) {
        let _ = tokio::time::timeout(WARM_UP, async {
            while let Some(event) = self.events.recv().await {
                let is_ready = event == Event::Ready;
                let _ = notes.send(Note::Said { role, event }).await;
                if is_ready {
                    return;
                }
            }
        })
        .await;
    }
}

fn describe(status: io::Result<std::process::ExitStatus>) -> String {
    match status {
        Ok(status) => status.to_string(),
        Err(error) => format!("unknown end: {error}"),
    }
}

/// Reads a child's events; lines that are none (or endless) are passed over.
async fn hear(stdout: ChildStdout, events: mpsc::Sender<Event>) {
    let mut stdout = BufReader::new(stdout);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut stdout).take(LONGEST_LINE as u64).read_until(b'\n', &mut line).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
        // When nobody listens any more the pipe is still read, so that the child never waits on it.
        if let Ok(event) = serde_json::from_slice(&line) {
            let _ = events.send(event).await;
        }
    }
}

/// Why a child is not watched any more.
enum Turn {
    Died(String),
    Replace,
    Stop,
}

/// Keeps one child of this role alive until `stop`.
pub(crate) struct Keeper {
    pub role: Role,
    pub settings: watch::Receiver<Settings>,
    pub stop: CancellationToken,
    pub notes: mpsc::Sender<Note>,
}

impl Keeper {
    /// Returns after `stop`, once the child has ended.
    pub(crate) async fn keep(mut self) {
        let mut back_off = BackOff::new();
        let mut generation = 0;
        let mut running: Option<Leashed> = None;
        while !self.stop.is_cancelled() {
            if running.is_none() {
                running = self.start(&mut generation).await;
            }
            let Some(mut child) = running.take() else {
                self.pause(back_off.after(Duration::ZERO)).await;
                continue;
            };
            match self.watch(&mut child).await {
                Turn::Died(how) => {
                    let lived = child.since.elapsed();
                    self.note(Note::Ended { role: self.role, pid: child.pid, how }).await;
                    self.pause(back_off.after(lived)).await;
                }
                Turn::Replace => running = Some(self.replace(child, &mut generation).await),
                Turn::Stop => self.end(child).await,
            }
        }
        if let Some(child) = running {
            self.end(child).await;
        }
    }

    async fn start(&mut self, generation: &mut u32) -> Option<Leashed> {
        *generation += 1;
        let mut settings = self.settings.borrow_and_update().clone();
        settings.generation = *generation;
        match Leashed::start(self.role, &settings).await {
            Ok(child) => {
                let listed = Listed {
                    role: self.role.name(),
                    number: self.role.number(),
                    pid: child.pid,
                    started_at: Clock::System.now(),
                    generation: *generation,
                };
                self.note(Note::Started(listed)).await;
                Some(child)
            }
            Err(why) => {
                self.note(Note::CannotStart { role: self.role, why }).await;
                None
            }
        }
    }

    async fn watch(&mut self, child: &mut Leashed) -> Turn {
        let mut may_change = true;
        let mut may_speak = true;
        loop {
            tokio::select! {
                status = child.child.wait() => return Turn::Died(describe(status)),
                () = self.stop.cancelled() => return Turn::Stop,
                changed = self.settings.changed(), if may_change => match changed {
                    Ok(()) => return Turn::Replace,
                    Err(_) => may_change = false,
                },
                event = child.events.recv(), if may_speak => match event {
                    Some(event) => self.note(Note::Said { role: self.role, event }).await,
                    None => may_speak = false,
                },
            }
        }
    }

    /// One worker after the other, the new one first, so that somebody always serves.
    async fn replace(&mut self, old: Leashed, generation: &mut u32) -> Leashed {
        self.pause(STAGGER * u32::from(self.role.number())).await;
        let Some(mut new) = self.start(generation).await else { return old };
        new.warm_up(self.role, &self.notes).await;
        self.end(old).await;
        new
    }

    async fn end(&self, child: Leashed) {
        let pid = child.pid;
        let how = child.end().await;
        self.note(Note::Ended { role: self.role, pid, how }).await;
    }

    async fn pause(&self, wait: Duration) {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.stop.cancelled() => {}
        }
    }

    async fn note(&self, note: Note) {
        // Nobody listens only when the owner of this keeper is being torn down.
        let _ = self.notes.send(note).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_for_a_child_that_dies_at_once_and_is_short_for_one_that_lived() {
        let mut back_off = BackOff::new();
        let ms = |d: Duration| d.as_millis();
        let at_once: Vec<u128> = (0..10).map(|_| ms(back_off.after(Duration::from_millis(20)))).collect();
        assert_eq!(at_once, [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000]);
        assert_eq!(ms(back_off.after(Duration::from_mins(1))), 100);
    }
}
