//! Who was heard last: agents of hosts, heartbeats, processes of this host. In memory; what a start must know of before is
//! read from the lake once.

use agent::host::Process;
use base::{TimeRange, Timestamp};
use foldhash::HashMap;
use parking_lot::Mutex;
use std::collections::VecDeque;

/// Most hosts, and most heartbeats, that are remembered.
const MAX_NAMES: usize = 10_000;
/// Most starts of processes that are remembered of a host.
const MAX_STARTS: usize = 10_000;
/// Processes of a host that were last seen longer ago say nothing of now, microseconds.
const SEEN_LATELY_US: i64 = 60 * 1_000_000;

/// What was heard.
#[derive(Debug, Default)]
pub struct Heard {
    hosts: Mutex<HashMap<String, Timestamp>>,
    heartbeats: Mutex<HashMap<String, Timestamp>>,
    /// By host.
    processes: Mutex<HashMap<String, Processes>>,
    watched: Mutex<Watched>,
}

/// Since when services are watched without a break.
#[derive(Debug, Default)]
struct Watched {
    last: Option<Timestamp>,
    since: std::collections::HashMap<String, Timestamp>,
}

/// Processes of a host at the last look.
#[derive(Debug, Default)]
struct Processes {
    /// Commands that were asked for then; none where all processes are told.
    commands: Vec<String>,
    /// By id and start, so that an id that is used again is another process.
    there: HashMap<(i32, u64), String>,
    started: VecDeque<(Timestamp, String)>,
    looked: Option<Timestamp>,
}

impl Heard {
    /// These services are watched now, and no others. After a pause longer than a few evaluations everything begins anew.
    pub fn watches<'a>(&self, services: impl Iterator<Item = &'a str>, now: Timestamp) {
        let mut watched = self.watched.lock();
        let pause = watched.last.replace(now).map_or(i64::MAX, |last| now.micros() - last.micros());
        if !(0..=4 * super::INTERVAL.micros()).contains(&pause) {
            watched.since.clear();
        }
        let before = std::mem::take(&mut watched.since);
        let since = |service: &str| before.get(service).copied().unwrap_or(now);
        watched.since = services.chain([""]).take(MAX_NAMES).map(|name| (name.to_owned(), since(name))).collect();
    }

    /// Since when each service is watched; under the empty name, anything.
    pub fn watched_since(&self) -> std::collections::HashMap<String, Timestamp> {
        self.watched.lock().since.clone()
    }

    /// An agent was heard.
    pub fn saw_host(&self, host: &str, at: Timestamp) {
        note(&self.hosts, host, at);
    }

    /// A heartbeat said that all is well.
    pub fn saw_heartbeat(&self, id: &str, at: Timestamp) {
        note(&self.heartbeats, id, at);
    }

    /// When an agent was heard last.
    pub fn host(&self, host: &str) -> Option<Timestamp> {
        self.hosts.lock().get(host).copied()
    }

    /// All agents, and when they were heard last.
    pub fn hosts(&self) -> Vec<(String, Timestamp)> {
        sorted(&self.hosts)
    }

    /// All heartbeats, and when each said last that all is well.
    pub fn heartbeats(&self) -> Vec<(String, Timestamp)> {
        sorted(&self.heartbeats)
    }

    /// Forgets a host.
    pub fn forget_host(&self, host: &str) {
        self.hosts.lock().remove(host);
        self.processes.lock().remove(host);
    }

    /// Takes the processes that were found on a host, those of `commands` only if there are any. The first look, and the
    /// first for other commands, starts nothing: they were there before.
    pub fn look_at_processes(&self, host: &str, commands: &[String], found: Vec<Process>, now: Timestamp) {
        let mut hosts = self.processes.lock();
        if hosts.len() >= MAX_NAMES && !hosts.contains_key(host) {
            return;
        }
        let known = hosts.entry(host.to_owned()).or_default();
        let is_first = known.looked.is_none() || known.commands != commands;
        let there: HashMap<(i32, u64), String> =
            found.into_iter().map(|process| ((process.id, process.started), process.command)).collect();
        if !is_first {
            let new: Vec<String> = there
                .iter()
                .filter(|(key, _)| !known.there.contains_key(*key))
                .map(|(_, command)| command.clone())
                .collect();
            known.started.extend(new.into_iter().map(|command| (now, command)));
            while known.started.len() > MAX_STARTS {
                known.started.pop_front();
            }
        }
        known.commands = commands.to_vec();
        known.there = there;
        known.looked = Some(now);
    }

    /// Hosts whose processes were told.
    pub fn hosts_with_processes(&self) -> Vec<String> {
        let mut hosts: Vec<String> = self.processes.lock().keys().cloned().collect();
        hosts.sort();
        hosts
    }

    /// How many processes of a host there are whose command line holds `command`; with `restarts`, how many of them
    /// started within the range, which ends now. `None` before the first look, when the last one is too old, and when its
    /// agent was not asked for this command.
    pub fn processes(&self, host: &str, command: &str, restarts: bool, range: TimeRange) -> Option<usize> {
        let hosts = self.processes.lock();
        let known = hosts.get(host)?;
        let is_told = known.commands.is_empty() || known.commands.iter().any(|asked| asked == command);
        if !is_told || range.to.micros() - known.looked?.micros() > SEEN_LATELY_US {
            return None;
        }
        Some(if restarts {
            known.started.iter().filter(|(at, line)| range.contains(*at) && line.contains(command)).count()
        } else {
            known.there.values().filter(|line| line.contains(command)).count()
        })
    }
}

fn note(names: &Mutex<HashMap<String, Timestamp>>, name: &str, at: Timestamp) {
    let mut names = names.lock();
    if let Some(last) = names.get_mut(name) {
        *last = (*last).max(at);
    } else if names.len() < MAX_NAMES {
        names.insert(name.to_owned(), at);
    }
}

fn sorted(names: &Mutex<HashMap<String, Timestamp>>) -> Vec<(String, Timestamp)> {
    let mut all: Vec<_> = names.lock().iter().map(|(name, at)| (name.clone(), *at)).collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(id: i32, started: u64, command: &str) -> Process {
        Process { id, started, command: command.to_owned() }
    }

    #[test]
    fn processes_are_counted_by_their_command_and_starts_by_who_was_not_there_before() {
        let (heard, at) = (Heard::default(), Timestamp::from_seconds);
        let minute = |to: i64| TimeRange { from: at(to - 60), to: at(to) };
        let count = |command: &str, to: i64| heard.processes("web-1", command, false, minute(to));
        let starts = |command: &str, to: i64| heard.processes("web-1", command, true, minute(to));
        assert_eq!(count("worker", 100), None, "nobody has looked");
        let (first, second) = (process(7, 100, "unicorn worker 1"), process(8, 100, "unicorn worker 2"));
        heard.look_at_processes("web-1", &[], vec![first.clone(), second.clone()], at(10));
        assert_eq!(
            (count("unicorn worker", 20), heard.processes("web-2", "worker", false, minute(20))),
            (Some(2), None)
        );
        assert_eq!(starts("worker", 20), Some(0), "those that were there did not start");
        // The number is the same, the process is not.
        heard.look_at_processes("web-1", &[], vec![process(8, 900, "unicorn worker 2")], at(70));
        assert_eq!((count("unicorn worker", 80), starts("unicorn worker", 100)), (Some(1), Some(1)));
        assert_eq!(count("unicorn worker", 131), None, "what was seen too long ago is not known");
        // Other commands were asked for: those that are told for the first time did not start now.
        heard.look_at_processes("web-1", &["worker".into()], vec![first, process(8, 900, "unicorn worker 2")], at(200));
        assert_eq!((count("worker", 210), starts("worker", 210)), (Some(2), Some(0)));
        assert_eq!(count("sidekiq", 210), None, "nobody asked for it: none told is none known");
        heard.forget_host("web-1");
        assert_eq!((count("worker", 210), heard.hosts_with_processes().len()), (None, 0));
    }

    #[test]
    fn services_are_watched_since_they_were_seen_and_a_pause_begins_anew() {
        let (heard, at) = (Heard::default(), Timestamp::from_seconds);
        heard.watches(["shop"].into_iter(), at(1000));
        heard.watches(["shop", "blog"].into_iter(), at(1015));
        let since = heard.watched_since();
        assert_eq!((since[""], since["shop"], since["blog"]), (at(1000), at(1000), at(1015)));
        heard.watches(["shop"].into_iter(), at(1030));
        heard.watches(["shop", "blog"].into_iter(), at(1045));
        assert_eq!(heard.watched_since()["blog"], at(1045), "it was silent in between");
        heard.watches(["shop"].into_iter(), at(2000));
        assert_eq!(heard.watched_since()["shop"], at(2000), "the machine slept");
        heard.watches(["shop"].into_iter(), at(1990));
        assert_eq!(heard.watched_since()["shop"], at(1990), "our clock went back");
    }

    #[test]
    fn the_last_time_counts_and_names_are_bounded() {
        let heard = Heard::default();
        heard.saw_heartbeat("backup", Timestamp::from_seconds(20));
        heard.saw_heartbeat("backup", Timestamp::from_seconds(10));
        assert_eq!(heard.heartbeats(), [("backup".to_owned(), Timestamp::from_seconds(20))]);
        for host in 0..MAX_NAMES + 5 {
            heard.saw_host(&format!("h{host}"), Timestamp::from_seconds(1));
        }
        assert_eq!(heard.hosts().len(), MAX_NAMES);
    }
}
