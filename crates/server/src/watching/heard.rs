//! Who was heard last: agents of hosts, heartbeats, processes of this host. In memory; what a start must know of before is
//! read from the lake once.

use base::{TimeRange, Timestamp};
use foldhash::HashMap;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::path::Path;

/// Most hosts, and most heartbeats, that are remembered.
const MAX_NAMES: usize = 10_000;
/// Most processes of this host that are looked at.
const MAX_PROCESSES: usize = 50_000;
/// Most starts of processes that are remembered.
const MAX_STARTS: usize = 10_000;
/// Longest command line that is compared, bytes.
const MAX_COMMAND: usize = 4096;

/// What was heard.
#[derive(Debug, Default)]
pub struct Heard {
    hosts: Mutex<HashMap<String, Timestamp>>,
    heartbeats: Mutex<HashMap<String, Timestamp>>,
    processes: Mutex<Processes>,
    watched: Mutex<Watched>,
}

/// Since when services are watched without a break.
#[derive(Debug, Default)]
struct Watched {
    last: Option<Timestamp>,
    since: std::collections::HashMap<String, Timestamp>,
}

/// Processes of this host at the last look.
#[derive(Debug, Default)]
struct Processes {
    /// By pid and start, so that a number that is used again is another process.
    there: HashMap<(i32, u64), String>,
    started: VecDeque<(Timestamp, String)>,
    looked: bool,
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

    /// Looks at the processes below `proc` (`/proc`).
    pub fn look_at_processes(&self, proc: &Path, now: Timestamp) {
        let mut there = HashMap::default();
        let entries = std::fs::read_dir(proc).into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        for pid in pids.take(MAX_PROCESSES) {
            let folder = proc.join(pid.to_string());
            let (Some(start), Some(command)) = (start_of(&folder), command_of(&folder)) else { continue };
            there.insert((pid, start), command);
        }
        let mut known = self.processes.lock();
        if known.looked {
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
        known.there = there;
        known.looked = true;
    }

    /// How many processes there are whose command line holds `command`; with `restarts`, how many of them started within
    /// the range. `None` before the first look.
    pub fn processes(&self, command: &str, restarts: bool, range: TimeRange) -> Option<usize> {
        let known = self.processes.lock();
        if !known.looked {
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

/// Ticks after boot at which a process started: field 22 of `stat`, counted behind the name, which may hold anything.
fn start_of(folder: &Path) -> Option<u64> {
    let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// The command line with spaces between its words; the kernel's own threads have none.
fn command_of(folder: &Path) -> Option<String> {
    let mut line = std::fs::read(folder.join("cmdline")).ok()?;
    line.truncate(MAX_COMMAND);
    while line.last() == Some(&0) {
        line.pop();
    }
    (!line.is_empty()).then(|| String::from_utf8_lossy(&line).replace('\0', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(proc: &Path, pid: u32, start: u64, command: &str) {
        let folder = proc.join(pid.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let before = "S 1 1 1 0 -1 4194560 1 1 1 1 1 1 1 1 20 0 1 0";
        std::fs::write(folder.join("stat"), format!("{pid} (a) name) {before} {start} 1 1")).unwrap();
        std::fs::write(folder.join("cmdline"), command.replace(' ', "\0")).unwrap();
    }

    #[test]
    fn processes_are_counted_by_their_command_and_starts_by_who_was_not_there_before() {
        let dir = tempfile::tempdir().unwrap();
        let (heard, at) = (Heard::default(), Timestamp::from_seconds);
        let minute = |to: i64| TimeRange { from: at(to - 60), to: at(to) };
        assert_eq!(heard.processes("worker", false, minute(100)), None, "nobody has looked");
        process(dir.path(), 7, 100, "unicorn worker 1");
        process(dir.path(), 8, 100, "unicorn worker 2");
        process(dir.path(), 9, 100, "");
        heard.look_at_processes(dir.path(), at(10));
        assert_eq!(heard.processes("unicorn worker", false, minute(100)), Some(2));
        assert_eq!(heard.processes("worker", true, minute(100)), Some(0), "those that were there did not start");
        // The number is the same, the process is not.
        process(dir.path(), 8, 900, "unicorn worker 2");
        std::fs::remove_dir_all(dir.path().join("7")).unwrap();
        heard.look_at_processes(dir.path(), at(70));
        assert_eq!(heard.processes("unicorn worker", false, minute(100)), Some(1));
        assert_eq!(heard.processes("unicorn worker", true, minute(100)), Some(1));
        assert_eq!(heard.processes("unicorn worker", true, minute(200)), Some(0));
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
