//! Samples of this host: CPU, memory, swap, disks, network, load and pressure, from `/proc` and `/sys`.
//!
//! A value that the kernel does not tell is absent, never 0. Never touches a network file system, which could hang,
//! and never runs a program. Rates come from two samples and from the machine's uptime, so that a clock which is set
//! does not bend them.
//!
//! | name | value | labels |
//! |---|---|---|
//! | `cpu.busy_ratio`, `cpu.iowait_ratio`, `cpu.steal_ratio` | share of all CPU time since the last sample | |
//! | `load.1m`, `load.per_cpu` | runnable and waiting tasks | |
//! | `memory.used_ratio`, `memory.used_bytes`, `memory.total_bytes` | by `MemAvailable` | |
//! | `swap.used_ratio` | absent without swap | |
//! | `disk.used_ratio`, `disk.used_bytes`, `disk.total_bytes`, `disk.inodes_used_ratio` | as seen by ordinary users | `mount` |
//! | `disk.busy_ratio` | share of time with a request in flight | `device` |
//! | `network.rx_bytes_per_s`, `network.tx_bytes_per_s` | | `interface` |
//! | `network.used_ratio` | busier direction by link speed, where it is told | `interface` |
//! | `pressure.{cpu,memory,io}_{some,full}_ratio` | share of the last 10 s in which tasks waited | |

use base::{ByteSize, Timestamp};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

mod forecast;
mod memory;
pub mod parse;
mod processes;

pub use forecast::{FillPoint, fill_forecast};
pub use memory::{usable_memory, usable_memory_below};
use parse::{CpuTimes, DiskTimes, Mount, NetBytes};
pub use processes::{Process, processes};

const MAX_MOUNTS: usize = 64;
const MAX_INTERFACES: usize = 32;
const MAX_DEVICES: usize = 64;
const MAX_FILE_BYTES: u64 = 4 << 20;

/// One value of this host.
#[derive(Debug, Clone, PartialEq)]
pub struct HostSample {
    /// See the table of this module.
    pub name: &'static str,
    /// Ratios are 0 to 1.
    pub value: f64,
    /// Which of several.
    pub labels: Vec<(String, String)>,
}

/// Room on a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// All of it.
    pub total: ByteSize,
    /// What an ordinary user may still write.
    pub free: ByteSize,
    /// What is in use.
    pub used: ByteSize,
    /// Files that exist, and files that can exist; 0 where the file system does not count.
    pub inodes: (u64, u64),
}

impl DiskSpace {
    /// Share in use of what ordinary users can use, as `df` counts it; `None` for an empty file system.
    pub fn used_ratio(&self) -> Option<f64> {
        ratio(self.used.0, self.used.0 + self.free.0)
    }
}

/// Room on the file system that holds `path`.
pub fn disk_free(path: &Path) -> io::Result<DiskSpace> {
    let stat = rustix::fs::statvfs(path)?;
    let bytes = |blocks: u64| ByteSize(blocks.saturating_mul(stat.f_frsize));
    Ok(DiskSpace {
        total: bytes(stat.f_blocks),
        free: bytes(stat.f_bavail),
        used: bytes(stat.f_blocks.saturating_sub(stat.f_bfree)),
        inodes: (stat.f_files.saturating_sub(stat.f_ffree), stat.f_files),
    })
}

/// What rates are counted from.
#[derive(Debug, Default)]
struct Before {
    elapsed_from_s: Option<f64>,
    cpu: Option<CpuTimes>,
    disks: BTreeMap<String, DiskTimes>,
    network: BTreeMap<String, NetBytes>,
}

/// Takes samples of one host.
#[derive(Debug)]
pub struct HostSampler {
    root: PathBuf,
    before: Before,
}

impl HostSampler {
    /// A sampler of the machine below `root`: `/`, or a copy of its files.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), before: Before::default() }
    }

    /// What the host says now. Rates are absent in the first sample.
    pub fn sample(&mut self, now: Timestamp) -> Vec<HostSample> {
        let mut out = Samples::default();
        let uptime = self.read("proc/uptime").and_then(|text| parse::uptime(&text));
        let at_s = uptime.unwrap_or(now.micros() as f64 / 1e6);
        let elapsed_s = self.before.elapsed_from_s.map(|from| at_s - from).filter(|elapsed| *elapsed > 0.0);
        self.before.elapsed_from_s = Some(at_s);
        self.cpu(&mut out);
        self.memory(&mut out);
        self.pressure(&mut out);
        self.mounts(&mut out);
        self.disks(&mut out, elapsed_s);
        self.network(&mut out, elapsed_s);
        out.0
    }

    fn cpu(&mut self, out: &mut Samples) {
        let Some((times, cpus)) = self.read("proc/stat").and_then(|text| parse::cpu(&text)) else { return };
        if let Some(shares) = self.before.cpu.replace(times).and_then(|before| times.shares_since(&before)) {
            out.push("cpu.busy_ratio", shares.busy);
            out.push("cpu.iowait_ratio", shares.iowait);
            out.push("cpu.steal_ratio", shares.steal);
        }
        if let Some(load) = self.read("proc/loadavg").and_then(|text| parse::load(&text)) {
            out.push("load.1m", load);
            out.push("load.per_cpu", load / f64::from(cpus.max(1)));
        }
    }

    fn memory(&self, out: &mut Samples) {
        let Some(memory) = self.read("proc/meminfo").and_then(|text| parse::memory(&text)) else { return };
        let used = memory.total.saturating_sub(memory.available);
        out.push("memory.used_bytes", used as f64);
        out.push("memory.total_bytes", memory.total as f64);
        out.push_some("memory.used_ratio", ratio(used, memory.total));
        out.push_some("swap.used_ratio", ratio(memory.swap_total.saturating_sub(memory.swap_free), memory.swap_total));
    }

    fn pressure(&self, out: &mut Samples) {
        for (file, some, full) in [
            ("proc/pressure/cpu", "pressure.cpu_some_ratio", "pressure.cpu_full_ratio"),
            ("proc/pressure/memory", "pressure.memory_some_ratio", "pressure.memory_full_ratio"),
            ("proc/pressure/io", "pressure.io_some_ratio", "pressure.io_full_ratio"),
        ] {
            let Some(text) = self.read(file) else { continue };
            out.push_some(some, parse::pressure_avg10(&text, "some"));
            out.push_some(full, parse::pressure_avg10(&text, "full"));
        }
    }

    fn mounts(&self, out: &mut Samples) {
        let Some(text) = self.read("proc/self/mountinfo") else { return };
        for Mount { point, .. } in parse::mounts(&text).into_iter().take(MAX_MOUNTS) {
            let Ok(space) = disk_free(&self.root.join(point.trim_start_matches('/'))) else { continue };
            if space.total.0 == 0 {
                continue;
            }
            let label = || vec![("mount".to_owned(), point.clone())];
            out.labelled("disk.used_bytes", Some(space.used.0 as f64), label());
            out.labelled("disk.total_bytes", Some(space.total.0 as f64), label());
            out.labelled("disk.used_ratio", space.used_ratio(), label());
            out.labelled("disk.inodes_used_ratio", ratio(space.inodes.0, space.inodes.1), label());
        }
    }

    fn disks(&mut self, out: &mut Samples, elapsed_s: Option<f64>) {
        let Some(text) = self.read("proc/diskstats") else { return };
        let mut now = parse::disks(&text);
        now.retain(|device, _| self.is_whole_device(device));
        for (device, times) in now.iter().take(MAX_DEVICES) {
            let before = self.before.disks.get(device);
            let busy_ms = before.and_then(|before| times.busy_ms.checked_sub(before.busy_ms));
            let busy = busy_ms.zip(elapsed_s).map(|(ms, elapsed)| (ms as f64 / 1e3 / elapsed).min(1.0));
            out.labelled("disk.busy_ratio", busy, vec![("device".to_owned(), device.clone())]);
        }
        self.before.disks = now;
    }

    fn is_whole_device(&self, device: &str) -> bool {
        let block = self.root.join("sys/block");
        !parse::is_pseudo_device(device) && (!block.is_dir() || block.join(device).exists())
    }

    fn network(&mut self, out: &mut Samples, elapsed_s: Option<f64>) {
        let Some(text) = self.read("proc/net/dev") else { return };
        let now = parse::network(&text);
        for (interface, bytes) in now.iter().take(MAX_INTERFACES) {
            let Some((before, elapsed)) = self.before.network.get(interface).zip(elapsed_s) else { continue };
            let rate = |now: u64, before: u64| now.checked_sub(before).map(|bytes| bytes as f64 / elapsed);
            let (rx, tx) = (rate(bytes.received, before.received), rate(bytes.sent, before.sent));
            let label = || vec![("interface".to_owned(), interface.clone())];
            out.labelled("network.rx_bytes_per_s", rx, label());
            out.labelled("network.tx_bytes_per_s", tx, label());
            let speed =
                self.read(&format!("sys/class/net/{interface}/speed")).and_then(|text| parse::link_speed(&text));
            let busier = rx.zip(tx).map(|(rx, tx)| rx.max(tx));
            let used = busier.zip(speed).map(|(busier, bits_per_s)| busier * 8.0 / bits_per_s);
            out.labelled("network.used_ratio", used, label());
        }
        self.before.network = now;
    }

    fn read(&self, path: &str) -> Option<String> {
        read_bounded(&self.root.join(path))
    }
}

#[derive(Default)]
struct Samples(Vec<HostSample>);

impl Samples {
    fn push(&mut self, name: &'static str, value: f64) {
        self.labelled(name, Some(value), Vec::new());
    }

    fn push_some(&mut self, name: &'static str, value: Option<f64>) {
        self.labelled(name, value, Vec::new());
    }

    fn labelled(&mut self, name: &'static str, value: Option<f64>, labels: Vec<(String, String)>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.0.push(HostSample { name, value, labels });
        }
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64).min(1.0))
}

fn read_bounded(path: &Path) -> Option<String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(MAX_FILE_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests;
