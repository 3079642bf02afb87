//! Logs that real servers wrote, kept outside the project (`../shared/data`, or `KOSHU_TEST_DATA`). Counts are compared
//! with those of regular expressions written for each file alone.

use protocols::access::{AccessRecord, Decoder, Format, Tally, lines};
use regex::bytes::Regex;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// The folder of real logs; `None`, said aloud, when it is not there.
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

fn read(log: &[u8], mut each: impl FnMut(&AccessRecord<'_>)) -> (Format, Tally) {
    let detected = Format::detect(&log[..log.len().min(64 << 10)]).unwrap();
    let (mut decoder, mut tally) = (Decoder::new(&detected), Tally::default());
    for line in lines(log) {
        let result = decoder.decode(line);
        if let Some(record) = tally.count(line, result) {
            each(&record);
        }
    }
    (decoder.format(), tally)
}

/// Status codes as a regular expression for this very file finds them.
fn statuses(log: &[u8], pattern: &str) -> BTreeMap<u16, u64> {
    let pattern = Regex::new(pattern).unwrap();
    let mut counts = BTreeMap::new();
    for line in log.split(|b| *b == b'\n') {
        if let Some(found) = pattern.captures(line) {
            *counts.entry(std::str::from_utf8(&found[1]).unwrap().parse().unwrap()).or_default() += 1;
        }
    }
    counts
}

#[test]
fn real_logs_are_counted_like_an_independent_program_does() {
    let Some(folder) = folder() else { return };
    // A whole combined line ends in a quote: a line cut inside the agent is no whole line.
    let combined = r#"^"?\S+ \S+ \S+ \[[^\]]+\] ".*" (\d{3}) (?:\d+|-) ".*" ".*""?\r?$"#;
    for (name, format, rejects, pattern) in [
        ("apache_combined_2015.log", Format::Combined, vec![("cut_short", 1)], combined),
        ("nasa_common_1995.log", Format::Common, vec![], r#"" (\d{3}) (?:\d+|-)$"#),
        ("scanner_w3af.log", Format::Combined, vec![], combined),
        ("nginx_combined_time.log", Format::Combined, vec![], r#"" (\d{3}) \d+ ""#),
        ("nginx_json.log", Format::Json, vec![], r#""status":(\d{3})"#),
        ("nginx_ltsv.log", Format::Ltsv, vec![], r"\tstatus:(\d{3})\t"),
    ] {
        let log = fs::read(folder.join(name)).unwrap();
        let mut counts: BTreeMap<u16, u64> = BTreeMap::new();
        let (found, tally) = read(&log, |record| *counts.entry(record.status).or_default() += 1);
        let unfinished = u64::from(log.last().is_some_and(|last| *last != b'\n'));
        let ends = log.split(|b| *b == b'\n').count() as u64 - 1;
        assert_eq!(tally.lines(), ends + unfinished, "{name}");
        assert_eq!(tally.parsed() + tally.rejected(), tally.lines(), "{name}");
        assert_eq!(found, format, "{name}");
        let got: Vec<_> = tally.rejects().iter().map(|reject| (reject.reason, reject.count)).collect();
        assert_eq!(got, rejects, "{name}");
        assert_eq!(counts, statuses(&log, pattern), "{name}");
    }
}

#[test]
fn the_same_requests_in_three_formats_give_the_same_durations() {
    let Some(folder) = folder() else { return };
    let durations = |name: &str| {
        let log = fs::read(folder.join(name)).unwrap();
        let mut found = Vec::new();
        read(&log, |record| found.push((record.ts, record.target.to_string(), record.duration_us)));
        found
    };
    let combined = durations("nginx_combined_time.log");
    assert_eq!(combined.iter().filter(|(_, _, duration)| duration.is_some()).count(), 12);
    assert_eq!(combined.last().unwrap().2, Some(321_000));
    assert_eq!(combined, durations("nginx_json.log"));
    assert_eq!(combined, durations("nginx_ltsv.log"));
}
