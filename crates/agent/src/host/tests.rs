use super::*;
use std::fs;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn machine(root: &Path) {
    write(root, "proc/uptime", "100.00 150.00\n");
    write(root, "proc/stat", "cpu  100 0 100 700 50 0 0 50 0 0\ncpu0 1 1 1 1\ncpu1 1 1 1 1\nintr 5\n");
    write(root, "proc/loadavg", "3.00 2.00 1.00 1/200 999\n");
    let memory = "MemTotal: 1000 kB\nMemFree: 10 kB\nMemAvailable: 400 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n";
    write(root, "proc/meminfo", memory);
    let mounts = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        23 22 0:5 / /proc rw - proc proc rw\n\
        24 22 8:1 /srv /mnt/bind rw - ext4 /dev/sda1 rw\n\
        25 22 8:17 / /data\\040disk ro,nosuid - xfs /dev/sdb1 rw\n\
        26 22 7:0 / /snap/core ro - squashfs /dev/loop0 ro\n\
        27 22 0:50 / /var/lib/docker/overlay2/x rw - overlay overlay rw\n\
        28 22 0:60 / /mnt/nfs rw - nfs4 far:/x rw\n";
    write(root, "proc/self/mountinfo", mounts);
    fs::create_dir_all(root.join("data disk")).unwrap();
    write(root, "proc/diskstats", "8 0 sda 1 2 3 4 5 6 7 8 0 1000 9\n8 1 sda1 1 2 3 4 5 6 7 8 0 1000 9\n");
    fs::create_dir_all(root.join("sys/block/sda")).unwrap();
    let header = "Inter-| Receive | Transmit\n face |bytes packets | bytes packets\n";
    write(root, "proc/net/dev", &format!("{header}  lo: 9 0 0 0 0 0 0 0 9 0\neth0: 1000 0 0 0 0 0 0 0 5000 0\n"));
    write(root, "sys/class/net/eth0/speed", "1\n");
    write(root, "proc/pressure/cpu", "some avg10=12.50 avg60=0.00 avg300=0.00 total=1\n");
}

fn value(samples: &[HostSample], name: &str) -> Option<f64> {
    samples.iter().find(|sample| sample.name == name).map(|sample| sample.value)
}

#[test]
fn a_host_is_read_from_its_files() {
    let root = tempfile::tempdir().unwrap();
    machine(root.path());
    let mut sampler = HostSampler::new(root.path());
    let first = sampler.sample(Timestamp::from_seconds(1));
    assert_eq!(value(&first, "cpu.busy_ratio"), None, "a rate needs two samples");
    assert_eq!(value(&first, "memory.used_ratio"), Some(0.6));
    assert_eq!(value(&first, "swap.used_ratio"), None, "no swap is not empty swap");
    assert_eq!(value(&first, "load.per_cpu"), Some(1.5));
    assert_eq!(value(&first, "pressure.cpu_some_ratio"), Some(0.125));
    assert_eq!(value(&first, "pressure.cpu_full_ratio"), None);
    assert_eq!(value(&first, "pressure.io_some_ratio"), None, "missing is absent, never 0");
    let mounts: Vec<_> = first.iter().filter(|sample| sample.name == "disk.used_ratio").collect();
    let points: Vec<_> = mounts.iter().map(|sample| sample.labels[0].1.as_str()).collect();
    assert_eq!(points, ["/", "/data disk"]);
    assert!(mounts.iter().all(|sample| (0.0..=1.0).contains(&sample.value)));

    write(root.path(), "proc/uptime", "110.00 150.00\n");
    write(root.path(), "proc/stat", "cpu  130 0 110 740 60 0 0 60 0 0\ncpu0 1 1 1 1\n");
    write(root.path(), "proc/diskstats", "8 0 sda 1 2 3 4 5 6 7 8 0 3500 9\n8 1 sda1 1 2 3 4 5 6 7 8 0 9999 9\n");
    write(root.path(), "proc/net/dev", "eth0: 501000 0 0 0 0 0 0 0 5100 0\n");
    let second = sampler.sample(Timestamp::from_seconds(-9000));
    assert_eq!(value(&second, "cpu.busy_ratio"), Some(0.5));
    assert_eq!(value(&second, "cpu.iowait_ratio"), Some(0.1));
    assert_eq!(value(&second, "cpu.steal_ratio"), Some(0.1));
    assert_eq!(value(&second, "disk.busy_ratio"), Some(0.25), "a clock that was set does not bend rates");
    assert_eq!(second.iter().filter(|sample| sample.name == "disk.busy_ratio").count(), 1, "no partitions");
    assert_eq!(value(&second, "network.rx_bytes_per_s"), Some(50_000.0));
    assert_eq!(value(&second, "network.tx_bytes_per_s"), Some(10.0));
    assert_eq!(value(&second, "network.used_ratio"), Some(0.4));

    write(root.path(), "proc/uptime", "120.00 150.00\n");
    write(root.path(), "proc/net/dev", "eth0: 5 0 0 0 0 0 0 0 5 0\n");
    let third = sampler.sample(Timestamp::from_seconds(2));
    assert_eq!(value(&third, "network.rx_bytes_per_s"), None, "a counter that starts over is no rate");
    assert_eq!(value(&third, "cpu.busy_ratio"), None, "no time passed");
}

#[test]
fn nothing_is_invented_where_nothing_is_told() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(HostSampler::new(root.path()).sample(Timestamp::default()), []);
    assert_eq!(usable_memory_below(root.path()), None);
    for file in ["stat", "meminfo", "loadavg", "self/mountinfo", "diskstats", "net/dev", "pressure/io", "uptime"] {
        write(root.path(), &format!("proc/{file}"), "cpu x\nMemTotal:\n: - :\n\u{0}");
    }
    assert_eq!(HostSampler::new(root.path()).sample(Timestamp::default()), []);
}

#[test]
fn usable_memory_is_the_least_limit_above_us() {
    for (case, groups, limits, want) in [
        ("no limit", "0::/app\n", vec![("app/memory.max", "max\n")], 1_024_000),
        ("own limit", "0::/app\n", vec![("app/memory.max", "5000\n")], 5000),
        ("limit of the group above", "0::/a/b\n", vec![("a/memory.max", "6000\n"), ("a/b/memory.max", "9000\n")], 6000),
        ("version 1", "4:memory:/x\n0::/\n", vec![("memory/x/memory.limit_in_bytes", "7000\n")], 7000),
        (
            "version 1 without limit",
            "4:memory:/\n",
            vec![("memory/memory.limit_in_bytes", "9223372036854771712\n")],
            1_024_000,
        ),
        ("outside of our root", "0::/../../etc\n", vec![("memory.max", "8000\n")], 8000),
    ] {
        let root = tempfile::tempdir().unwrap();
        machine(root.path());
        write(root.path(), "proc/self/cgroup", groups);
        for (file, text) in limits {
            write(root.path(), &format!("sys/fs/cgroup/{file}"), text);
        }
        assert_eq!(usable_memory_below(root.path()), Some(ByteSize(want)), "{case}");
    }
}

#[test]
fn this_machine_can_be_sampled() {
    let samples = HostSampler::new(Path::new("/")).sample(Timestamp::default());
    let used = value(&samples, "memory.used_ratio").unwrap();
    assert!(used > 0.0 && used < 1.0);
    assert!(usable_memory().unwrap().0 > 0);
    assert!(disk_free(Path::new("/")).unwrap().total.0 > 0);
}
