//! How much memory this process may use: the machine's, or its control group's if that is less.

use super::{parse, read_bounded};
use base::ByteSize;
use std::path::{Path, PathBuf};

/// Memory this process may use; `None` if the kernel does not tell.
pub fn usable_memory() -> Option<ByteSize> {
    usable_memory_below(Path::new("/"))
}

/// [`usable_memory`] of the machine below `root`.
pub fn usable_memory_below(root: &Path) -> Option<ByteSize> {
    let total = read_bounded(&root.join("proc/meminfo")).and_then(|text| parse::memory(&text))?.total;
    let groups = read_bounded(&root.join("proc/self/cgroup")).unwrap_or_default();
    let limits = limit_files(&groups);
    let limit = limits.iter().filter_map(|file| read_bounded(&root.join(file))?.trim().parse::<u64>().ok()).min();
    Some(ByteSize(limit.map_or(total, |limit| limit.min(total))))
}

/// Files that may hold a limit: those of the own group and of every group above it, in both versions.
fn limit_files(groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines().take(64) {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { continue };
        let (base, name) = match controllers {
            "" => ("sys/fs/cgroup", "memory.max"),
            list if list.split(',').any(|one| one == "memory") => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => continue,
        };
        let relative = Path::new(group.trim_start_matches('/'));
        let is_inside = relative.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let above = if is_inside { relative } else { Path::new("") };
        files.extend(above.ancestors().take(32).map(|group| Path::new(base).join(group).join(name)));
    }
    files
}
