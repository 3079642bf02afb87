//! Windows of roll-ups: equal to counting the rows one by one, wherever the partials lie.

use crate::support::*;
use base::{TimeRange, Timestamp};
use lake::{Lake, ServiceWindows, WindowQuery};
use std::collections::BTreeMap;

/// Quantiles are right within this share, and the nearest rank of a few rows may lie one bin beside.
const ERROR: f64 = 0.0101;

struct Naive {
    count: u64,
    errors: u64,
    durations: Vec<u64>,
    steps: BTreeMap<i64, u64>,
}

/// The same rows as [`requests`] makes, counted one by one.
fn naive(ids: std::ops::Range<i64>, start: i64, range: TimeRange, step: i64, route: Option<&str>) -> Naive {
    let mut out = Naive { count: 0, errors: 0, durations: Vec::new(), steps: BTreeMap::new() };
    for id in ids.clone() {
        let at = Timestamp::from_seconds(start + id - ids.start);
        let its_route = if id % 3 == 0 { "GET /a" } else { "GET /b/{id}" };
        if !range.contains(at.minute()) || route.is_some_and(|route| route != its_route) {
            continue;
        }
        out.count += 1;
        out.errors += u64::from(id % 10 == 0);
        if id % 7 != 0 {
            out.durations.push(id.unsigned_abs() * 37 % 100_000);
        }
        *out.steps.entry(at.floor(step).micros()).or_default() += 1;
    }
    out.durations.sort_unstable();
    out
}

fn check(case: &str, got: Option<&ServiceWindows>, want: &Naive) {
    let empty = ServiceWindows::default();
    let got = got.unwrap_or(&empty);
    let total = got.total();
    assert_eq!((total.count, total.errors), (want.count, want.errors), "{case}");
    assert_eq!(total.timed, want.durations.len() as u64, "{case}");
    assert_eq!(total.duration_sum_us, want.durations.iter().sum::<u64>(), "{case}");
    assert_eq!(total.damaged, 0, "{case}");
    let steps: BTreeMap<i64, u64> = got.steps.iter().map(|(at, sum)| (*at, sum.count)).collect();
    assert_eq!(steps, want.steps, "{case}");
    for percent in [50, 95, 99] {
        let Some(rank) = (want.durations.len() * percent).div_ceil(100).checked_sub(1) else { continue };
        let exact = want.durations[rank] as f64;
        let quantile = total.latency.quantile_us(f64::from(u32::try_from(percent).unwrap()) / 100.0).unwrap();
        assert!((quantile - exact).abs() <= exact * ERROR, "{case}: p{percent} is {quantile}, exactly {exact}");
    }
}

async fn compare(lake: &Lake, case: &str, ids: std::ops::Range<i64>, start: i64) {
    let end = start + ids.end - ids.start;
    for (from, to) in
        [(start - 10, end + 10), (start + 90, end - 90), (start, start + 60), (start + 3600, start + 7200)]
    {
        let range = TimeRange { from: Timestamp::from_seconds(from).minute(), to: Timestamp::from_seconds(to) };
        for step_us in [60_000_000, 600_000_000] {
            for route in [None, Some("GET /a")] {
                let query = WindowQuery { range, service: Some("shop".into()), route: route.map(Into::into), step_us };
                // Twice: the second answer comes from kept hours.
                for time in ["first", "again"] {
                    let got = lake.windows(&query).await.unwrap();
                    assert!(got.services.len() <= 1 && got.damaged_files.is_empty());
                    let case = format!("{case}, {time}, {from}..{to}, step {step_us}, route {route:?}");
                    check(&case, got.services.get("shop"), &naive(ids.clone(), start, range, step_us, route));
                }
            }
        }
    }
}

#[tokio::test]
async fn sums_are_the_same_wherever_the_partials_lie() {
    let dir = tempfile::tempdir().unwrap();
    let start = TODAY - 5000;
    let lake = open(dir.path()).await;
    append(&lake, requests("bank", 0..500, start)).await;
    append(&lake, requests("shop", 1..10_001, start)).await;
    compare(&lake, "not sealed", 1..10_001, start).await;
    lake.seal_now().await.unwrap();
    compare(&lake, "sealed", 1..10_001, start).await;
    append(&lake, requests("shop", 10_001..10_301, start + 10_000)).await;
    compare(&lake, "late rows", 1..10_301, start).await;
    lake.seal_now().await.unwrap();
    compare(&lake, "late rows sealed", 1..10_301, start).await;
    let merged = lake.compact(true).await.unwrap();
    assert!(merged.merged > 0);
    compare(&lake, "compacted", 1..10_301, start).await;
    lake.close().await;
    drop(lake);
    let lake = open(dir.path()).await;
    compare(&lake, "reopened", 1..10_301, start).await;
    let whole = TimeRange { from: Timestamp::from_micros(i64::MIN), to: Timestamp::from_micros(i64::MAX) };
    let all = WindowQuery { range: whole, service: None, route: None, step_us: 86_400_000_000 };
    let all = lake.windows(&all).await.unwrap();
    assert_eq!(all.services["bank"].total().count, 500);
    assert_eq!(all.services["shop"].total().count, 10_300);
    assert_eq!(all.services["shop"].total().users().map(f64::round), Some(1.0));
}

#[tokio::test]
async fn a_damaged_roll_up_file_is_named_and_its_hours_come_back_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    append(&lake, requests("shop", 0..4000, TODAY)).await;
    lake.seal_now().await.unwrap();
    append(&lake, requests("shop", 4000..8000, TODAY + 4000)).await;
    lake.seal_now().await.unwrap();
    let range = TimeRange { from: Timestamp::from_seconds(TODAY), to: Timestamp::from_seconds(TODAY + 8000) };
    let query = WindowQuery { range, service: None, route: None, step_us: 60_000_000 };
    let file = data_files(dir.path(), "rollup_1m").remove(0);
    let whole = std::fs::read(&file).unwrap();
    let mut bytes = whole.clone();
    bytes[200] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let got = lake.windows(&query).await.unwrap();
    assert_eq!(got.damaged_files.len(), 1);
    assert!(file.to_string_lossy().ends_with(&got.damaged_files[0]));
    assert_eq!(got.services["shop"].total().count, 4000, "the rest is served");
    std::fs::write(&file, &whole).unwrap();
    let got = lake.windows(&query).await.unwrap();
    assert_eq!((got.services["shop"].total().count, got.damaged_files.len()), (8000, 0), "restored from a backup");
}
