//! `processes.json`: which processes make up the shop right now.
//!
//! For whoever looks at the shop from outside. Nothing here ever ends a process because its number is in this file:
//! the number may belong to somebody else by then.

pub use crate::child::RoleName;
use base::Timestamp;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// One process of the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// What it does.
    pub role: RoleName,
    /// Which of its role, from 1.
    pub number: u8,
    /// Its process id.
    pub pid: u32,
    /// When it was started.
    pub started_at: Timestamp,
    /// Which start of this role and number it is, from 1.
    pub generation: u32,
}

/// The shop's processes, as the master last wrote them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessList {
    /// The release which new workers run.
    pub release: String,
    /// In the order role, number.
    pub processes: Vec<Listed>,
}

impl ProcessList {
    /// Where the list is, in the demonstration's folder.
    pub fn path(demo_dir: &Path) -> PathBuf {
        demo_dir.join("processes.json")
    }

    /// Reads the list.
    pub fn read(demo_dir: &Path) -> io::Result<Self> {
        let text = std::fs::read(Self::path(demo_dir))?;
        serde_json::from_slice(&text).map_err(io::Error::from)
    }

    /// Replaces the list; a reader sees the old one or the new one, never half of one.
    pub(crate) fn write(&self, demo_dir: &Path) -> io::Result<()> {
        let path = Self::path(demo_dir);
        let draft = path.with_extension("json.new");
        std::fs::write(&draft, serde_json::to_vec_pretty(self)?)?;
        std::fs::rename(draft, path)
    }

    /// Enters a process, in place of an earlier start of the same role and number.
    pub(crate) fn enter(&mut self, listed: Listed) {
        self.processes.retain(|p| (p.role, p.number) != (listed.role, listed.number));
        self.processes.push(listed);
        self.processes.sort_by_key(|p| (p.role, p.number));
    }

    /// Takes an ended process out; a newer start of the same role stays.
    pub(crate) fn remove(&mut self, pid: u32) {
        self.processes.retain(|p| p.pid != pid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(number: u8, pid: u32, generation: u32) -> Listed {
        Listed { role: RoleName::Worker, number, pid, started_at: Timestamp::from_seconds(1), generation }
    }

    #[test]
    fn the_late_end_of_an_old_worker_does_not_remove_its_successor() {
        let mut list = ProcessList::default();
        list.enter(worker(2, 20, 1));
        list.enter(worker(1, 10, 1));
        list.enter(worker(2, 21, 2));
        list.remove(20);
        assert_eq!(list.processes, [worker(1, 10, 1), worker(2, 21, 2)]);
    }

    #[test]
    fn a_list_reads_back_as_written() {
        let dir = tempfile::tempdir().unwrap();
        let list = ProcessList { release: "1.0".to_owned(), processes: vec![worker(1, 10, 1)] };
        list.write(dir.path()).unwrap();
        assert_eq!(ProcessList::read(dir.path()).unwrap(), list);
    }
}
