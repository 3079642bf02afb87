//! Readers of the kernel's texts: text in, values out, `None` for what is not there.

use std::collections::BTreeMap;

/// CPU time of all CPUs together, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuTimes {
    total: u64,
    idle: u64,
    iowait: u64,
    steal: u64,
}

/// Where CPU time went between two samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CpuShares {
    /// Neither idle nor waiting for a disk.
    pub busy: f64,
    /// Idle with a disk request in flight.
    pub iowait: f64,
    /// Taken by the hypervisor.
    pub steal: f64,
}

impl CpuTimes {
    /// `None` when no time passed, or a counter ran backwards as after a live migration.
    pub fn shares_since(&self, before: &Self) -> Option<CpuShares> {
        let total = self.total.checked_sub(before.total).filter(|total| *total > 0)? as f64;
        let idle = self.idle.checked_sub(before.idle)? as f64;
        // The kernel says itself that iowait may decrease.
        let iowait = self.iowait.saturating_sub(before.iowait) as f64;
        let steal = self.steal.checked_sub(before.steal)? as f64;
        let busy = ((total - idle - iowait) / total).clamp(0.0, 1.0);
        Some(CpuShares { busy, iowait: (iowait / total).min(1.0), steal: (steal / total).min(1.0) })
    }
}

/// `/proc/stat`: times, and how many CPUs there are.
pub fn cpu(text: &str) -> Option<(CpuTimes, u32)> {
    let line = text.lines().find(|line| line.starts_with("cpu "))?;
    let ticks: Vec<u64> = line.split_ascii_whitespace().skip(1).map_while(|tick| tick.parse().ok()).collect();
    let at = |index: usize| ticks.get(index).copied().unwrap_or(0);
    if ticks.len() < 4 {
        return None;
    }
    // Guest time (fields 9 and 10) is already part of user time.
    let total = ticks.iter().take(8).fold(0u64, |sum, tick| sum.saturating_add(*tick));
    let is_cpu =
        |line: &&str| line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let cpus = u32::try_from(text.lines().filter(is_cpu).count()).unwrap_or(u32::MAX);
    Some((CpuTimes { total, idle: at(3), iowait: at(4), steal: at(7) }, cpus))
}

/// `/proc/uptime` in seconds.
pub fn uptime(text: &str) -> Option<f64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

/// Load of the last minute from `/proc/loadavg`.
pub fn load(text: &str) -> Option<f64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

/// Memory in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Everything the kernel manages.
    pub total: u64,
    /// What programs could get without swapping.
    pub available: u64,
    /// Size of swap.
    pub swap_total: u64,
    /// Unused swap.
    pub swap_free: u64,
}

/// `/proc/meminfo`.
pub fn memory(text: &str) -> Option<Memory> {
    let field = |name: &str| {
        let rest = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let kib: u64 = rest.trim().trim_end_matches("kB").trim().parse().ok()?;
        kib.checked_mul(1024)
    };
    Some(Memory {
        total: field("MemTotal")?,
        available: field("MemAvailable")?,
        swap_total: field("SwapTotal").unwrap_or(0),
        swap_free: field("SwapFree").unwrap_or(0),
    })
}

/// `some` or `full` `avg10` of a pressure file, as a ratio.
pub fn pressure_avg10(text: &str, kind: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.split_ascii_whitespace().next() == Some(kind))?;
    let percent: f64 = line.split_ascii_whitespace().find_map(|part| part.strip_prefix("avg10="))?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
}

/// A mounted local file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub point: String,
    /// `major:minor`
    pub device: String,
    /// Its type.
    pub kind: String,
}

/// Network file systems are left out: asking a dead one blocks for ever.
const LOCAL_KINDS: [&str; 12] =
    ["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "bcachefs", "vfat", "exfat"];

/// Writable local file systems in `/proc/self/mountinfo`, each device once at its shortest mount point. An overlay
/// counts only as `/`, where it is a container's disk.
pub fn mounts(text: &str) -> Vec<Mount> {
    let mut found: BTreeMap<String, Mount> = BTreeMap::new();
    for mount in text.lines().filter_map(mount) {
        let shorter = found.get(&mount.device).is_none_or(|known| mount.point.len() < known.point.len());
        if shorter {
            found.insert(mount.device.clone(), mount);
        }
    }
    let mut mounts: Vec<Mount> = found.into_values().collect();
    mounts.sort_by(|a, b| a.point.cmp(&b.point));
    mounts
}

fn mount(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let fields: Vec<&str> = before.split(' ').collect();
    let (device, point) = (*fields.get(2)?, unescape(fields.get(4)?));
    // Of the file system itself: a unit that may not write sees every mount as read-only, and disks fill all the same.
    let mut after = after.split(' ');
    let (kind, options) = (after.next()?, after.nth(1)?);
    let is_local = LOCAL_KINDS.contains(&kind) || (kind == "overlay" && point == "/");
    let is_writable = options.split(',').any(|option| option == "rw");
    let is_boot = point.starts_with("/boot/efi") || point.starts_with("/efi");
    (is_local && is_writable && !is_boot).then(|| Mount { point, device: device.to_owned(), kind: kind.to_owned() })
}

/// The kernel writes space, tab, newline and backslash as octal numbers.
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

/// Counters of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskTimes {
    /// Time with at least one request in flight.
    pub busy_ms: u64,
}

/// `/proc/diskstats` by device name.
pub fn disks(text: &str) -> BTreeMap<String, DiskTimes> {
    let disk = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(2);
        let name = fields.next()?.to_owned();
        let busy_ms = fields.nth(9)?.parse().ok()?;
        Some((name, DiskTimes { busy_ms }))
    };
    text.lines().filter_map(disk).collect()
}

/// Devices that stand for memory or for other devices.
pub fn is_pseudo_device(name: &str) -> bool {
    ["loop", "ram", "zram", "sr", "fd", "dm-", "md", "nbd"].iter().any(|prefix| name.starts_with(prefix))
}

/// Counters of a network interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetBytes {
    /// Received bytes.
    pub received: u64,
    /// Sent bytes.
    pub sent: u64,
}

/// `/proc/net/dev` by interface, without loopback and the inner side of containers and bridges.
pub fn network(text: &str) -> BTreeMap<String, NetBytes> {
    let inner = ["veth", "docker", "br-", "virbr", "cni", "flannel", "cali", "tap", "ifb", "dummy"];
    let interface = |line: &str| {
        let (name, counters) = line.split_once(':')?;
        let name = name.trim();
        if name == "lo" || inner.iter().any(|prefix| name.starts_with(prefix)) {
            return None;
        }
        let counters: Vec<u64> = counters.split_ascii_whitespace().map_while(|count| count.parse().ok()).collect();
        Some((name.to_owned(), NetBytes { received: *counters.first()?, sent: *counters.get(8)? }))
    };
    text.lines().filter_map(interface).collect()
}

/// `/sys/class/net/*/speed` in bits per second; `-1` and nonsense are not known.
pub fn link_speed(text: &str) -> Option<f64> {
    let megabits: i64 = text.trim().parse().ok()?;
    (1..=10_000_000).contains(&megabits).then_some(megabits as f64 * 1e6)
}
