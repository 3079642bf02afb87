//! Older files of a log: what rotation made of it (`access.log.1`, `access.log.2.gz`, `access.log-20261122.zst`).
//!
//! Looks at names only and lists one folder, of which it reads a bounded number of entries.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

const MAX_ENTRIES: usize = 10_000;
/// More older files than this are not listed.
pub const MAX_OLDER: usize = 400;

/// How a log file is packed, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As written.
    Plain,
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
    /// `.bz2`, `.xz`, `.lz4`, `.zip`: not read.
    Unknown,
}

/// An older file of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OlderFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its size on disk.
    pub size_bytes: u64,
    /// How it is packed.
    pub packing: Packing,
    /// When it was last written.
    pub modified: SystemTime,
}

/// The packing that a file name tells.
pub fn packing(name: &str) -> Packing {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("gz") => Packing::Gzip,
        Some("zst") => Packing::Zstd,
        Some("bz2" | "xz" | "lz4" | "zip" | "Z") => Packing::Unknown,
        _ => Packing::Plain,
    }
}

/// Whether `name` is what rotation makes of the log `log` in the same folder.
pub fn is_rotation_of(log: &str, name: &str) -> bool {
    if log == name || log.is_empty() {
        return false;
    }
    let bare = match packing(name) {
        Packing::Plain => name,
        _ => name.rsplit_once('.').map_or(name, |(bare, _)| bare),
    };
    // access.log.1, access.log-20261122, access.log.20261122
    if let Some(rest) = bare.strip_prefix(log) {
        return is_counter(rest);
    }
    // access-20261122.log (logrotate's `extension`)
    let Some((stem, extension)) = log.rsplit_once('.') else { return false };
    let middle = bare.strip_prefix(stem).and_then(|rest| rest.strip_suffix(extension)?.strip_suffix('.'));
    middle.is_some_and(is_counter)
}

fn is_counter(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(['.', '-', '_']) else { return false };
    let digits = |c: char| c.is_ascii_digit() || matches!(c, '-' | '_' | 'T' | '.');
    rest.starts_with(|c: char| c.is_ascii_digit()) && rest.len() <= 24 && rest.chars().all(digits)
}

/// Older files of `log`, newest first.
pub fn older_files(log: &Path) -> Vec<OlderFile> {
    let (Some(folder), Some(name)) = (log.parent(), log.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.take(MAX_ENTRIES).flatten() {
        let file_name = entry.file_name();
        let Some(older) = file_name.to_str().filter(|other| is_rotation_of(name, other)) else { continue };
        let Ok(meta) = std::fs::metadata(entry.path()) else { continue };
        if meta.is_file() {
            let modified = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            found.push(OlderFile { path: entry.path(), size_bytes: meta.len(), packing: packing(older), modified });
        }
    }
    found.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.path.cmp(&b.path)));
    found.truncate(MAX_OLDER);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotation_is_seen_by_name() {
        for (log, name, want) in [
            ("access.log", "access.log.1", true),
            ("access.log", "access.log.2.gz", true),
            ("access.log", "access.log-20261122", true),
            ("access.log", "access.log-20261122-1795305600.zst", true),
            ("access.log", "access-20261122.log", true),
            ("access.log", "access-20261122.log.gz", true),
            ("access_log", "access_log-20261122", true),
            ("access.log", "access.log", false),
            ("access.log", "access.log.bak", false),
            ("access.log", "access.log.gz", false),
            ("access.log", "shop-access.log.1", false),
            ("access.log", "access-shop.log", false),
            ("access.log", "access.log.1.txt", false),
        ] {
            assert_eq!(is_rotation_of(log, name), want, "{log} {name}");
        }
    }

    #[test]
    fn older_files_come_newest_first() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("access.log");
        for (name, age_s) in [("access.log", 0), ("access.log.1", 100), ("access.log.2.gz", 200), ("error.log.1", 50)] {
            let file = std::fs::File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - std::time::Duration::from_secs(age_s)).unwrap();
        }
        let older = older_files(&log);
        let names: Vec<_> = older.iter().map(|f| f.path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["access.log.1", "access.log.2.gz"]);
        assert_eq!(older[1].packing, Packing::Gzip);
    }
}
