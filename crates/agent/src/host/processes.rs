//! Processes of this host, as `/proc` shows them.

use serde::{Deserialize, Serialize};
use std::path::Path;

/// Most processes that are looked at.
const MAX_PROCESSES: usize = 50_000;
/// Longest command line that is read, bytes.
const MAX_COMMAND: u64 = 4096;

/// One process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id, which is used again after its end.
    pub id: i32,
    /// Ticks after boot at which it started: with the id it is this process and no other.
    pub started: u64,
    /// Its command line, with spaces between its words.
    pub command: String,
}

/// The processes below `proc` (`/proc`), without the kernel's own threads.
pub fn processes(proc: &Path) -> Vec<Process> {
    let entries = std::fs::read_dir(proc).into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let read = |id: i32| {
        let folder = proc.join(id.to_string());
        Some(Process { id, started: start_of(&folder)?, command: command_of(&folder)? })
    };
    ids.take(MAX_PROCESSES).filter_map(read).collect()
}

/// Field 22 of `stat`, counted behind the name, which may hold anything.
fn start_of(folder: &Path) -> Option<u64> {
    let stat = std::fs::read_to_string(folder.join("stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

fn command_of(folder: &Path) -> Option<String> {
    use std::io::Read;
    let mut line = Vec::new();
    std::fs::File::open(folder.join("cmdline")).ok()?.take(MAX_COMMAND).read_to_end(&mut line).ok()?;
    while line.last() == Some(&0) {
        line.pop();
    }
    (!line.is_empty()).then(|| String::from_utf8_lossy(&line).replace('\0', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_its_id_its_start_and_its_command() {
        let dir = tempfile::tempdir().unwrap();
        let add = |id: i32, started: u64, command: &str| {
            let folder = dir.path().join(id.to_string());
            std::fs::create_dir_all(&folder).unwrap();
            let before = "S 1 1 1 0 -1 4194560 1 1 1 1 1 1 1 1 20 0 1 0";
            std::fs::write(folder.join("stat"), format!("{id} (a) name) {before} {started} 1 1")).unwrap();
            std::fs::write(folder.join("cmdline"), command.replace(' ', "\0")).unwrap();
        };
        add(7, 100, "unicorn worker 1");
        add(9, 100, "");
        std::fs::create_dir(dir.path().join("net")).unwrap();
        let found = processes(dir.path());
        assert_eq!(found, [Process { id: 7, started: 100, command: "unicorn worker 1".to_owned() }]);
        assert!(processes(Path::new("/proc")).iter().any(|process| process.id.unsigned_abs() == std::process::id()));
    }
}
