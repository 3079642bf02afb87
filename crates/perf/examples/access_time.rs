//! Measures the requests table over a file, in CPU time of this process:
//! `cargo run -p perf --example access_time -- FILE`.

use perf::requests::{Options, Table};
use std::fs::File;
use std::io::{self, Read};

fn main() -> io::Result<()> {
    let Some(name) = std::env::args().nth(1) else {
        eprintln!("usage: access_time FILE");
        return Ok(());
    };
    let mut file = File::open(name)?;
    let mut buffer = vec![0; 256 << 10];
    let (mut table, mut bytes) = (Table::new(Options::default()), 0);
    let before = cpu_seconds();
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        bytes += length;
        table.feed(&buffer[..length]);
    }
    let report = table.finish();
    let cpu = cpu_seconds() - before;
    println!(
        "{} lines, {bytes} bytes, {cpu:.2} CPU s, {:.0} ns a line, {} routes, peak RSS {}",
        report.lines,
        cpu * 1e9 / report.lines.max(1) as f64,
        report.routes,
        peak_rss()
    );
    Ok(())
}

/// User and system time in ticks of a hundredth of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = behind_name.split_whitespace().skip(11).take(2).filter_map(|raw| raw.parse::<f64>().ok()).sum();
    ticks / 100.0
}

fn peak_rss() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap_or(" unknown").trim().to_owned()
}
