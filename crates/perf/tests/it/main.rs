//! The requests table of real logs, kept outside the project (`../shared/data`, or `KOSHU_TEST_DATA`), against counts
//! and percentiles made from the raw text.
#![allow(clippy::unwrap_used)]

use perf::requests::{Options, Report, Table};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

fn folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder =
        std::env::var_os("KOSHU_TEST_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from).join("access");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no real logs at {} (set KOSHU_TEST_DATA)", folder.display());
    None
}

fn report(log: &[u8], exact: bool) -> Report {
    let mut table = Table::new(Options { exact, ..Options::default() });
    log.chunks(1_000).for_each(|chunk| table.feed(chunk));
    table.finish()
}

#[test]
fn every_real_log_is_accounted_for() {
    let Some(folder) = folder() else { return };
    let mut seen = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let log = fs::read(&path).unwrap();
        let report = report(&log, false);
        let name = path.display();
        assert_eq!(report.lines, report.parsed + report.rejected, "{name}");
        assert_eq!(report.lines, String::from_utf8_lossy(&log).lines().count() as u64, "{name}");
        assert_eq!(report.rejected, report.rejects.iter().map(|reject| reject.count).sum::<u64>(), "{name}");
        assert_eq!(report.rows.iter().map(|row| row.count).sum::<u64>(), report.parsed, "{name}");
        assert!(report.parsed * 1_000 >= report.lines * 999, "{name}: {} rejected", report.rejected);
        seen += 1;
    }
    assert!(seen > 0, "the folder of real logs is empty");
}

#[test]
fn server_errors_of_the_apache_log_are_counted() {
    let Some(folder) = folder() else { return };
    let log = fs::read(folder.join("apache_combined_2015.log")).unwrap();
    let report = report(&log, false);
    assert_eq!((report.total.count, report.total.errors, report.total.timed), (9_999, 3, 0));
    assert!(report.rows.iter().all(|row| row.p95_ms.is_none() && row.total_ms.is_none() && row.share.is_none()));
}

#[test]
fn percentiles_are_within_one_percent_of_exact_ones() {
    let Some(folder) = folder() else { return };
    let log = fs::read(folder.join("nginx_combined_time.log")).unwrap();
    let mut raw: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&log).lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let path = words[6].split('?').next().unwrap();
        let path = if path.starts_with("/diary/entry/") { "/diary/entry/:id" } else { path };
        let route = format!("{} {path}", words[5].trim_start_matches('"'));
        let seconds = words[words.len() - 1].parse::<f64>().ok();
        raw.entry(route).or_default().extend(seconds.map(|seconds| seconds * 1_000.0));
    }
    for (exact, error) in [(false, 0.01), (true, 0.0)] {
        let report = report(&log, exact);
        assert!((report.quantile_error - error).abs() < f64::EPSILON);
        assert_eq!(report.rows.len(), raw.len());
        for row in &report.rows {
            let values = raw.get_mut(&row.route).unwrap();
            values.sort_by(f64::total_cmp);
            for (share, got) in [(50, row.p50_ms), (95, row.p95_ms), (99, row.p99_ms)] {
                let want = values[(share * values.len()).div_ceil(100) - 1];
                let got = got.unwrap();
                assert!((got - want).abs() <= want * error + 0.001, "{} p{share}: {got} for {want}", row.route);
            }
        }
    }
}
