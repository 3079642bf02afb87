//! Compaction, retention, the disk budget and the deletion of a service.

use crate::support::*;
use base::{ByteSize, Clock, Span, Timestamp};
use lake::{Append, Lake, LakeOptions, Retention};
use signal::Table;

#[tokio::test]
async fn compaction_keeps_rows_and_order_in_fewer_files() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    for part in 0..20 {
        let service = if part % 2 == 0 { "shop" } else { "bank" };
        append(&lake, requests(service, part * 50..part * 50 + 50, TODAY - part * 7)).await;
        lake.seal_now().await.unwrap();
    }
    let before = stored(&lake).await;
    let files_before = data_files(dir.path(), "requests");
    let done = lake.compact(true).await.unwrap();
    assert!(done.merged >= files_before.len());
    assert_eq!(stored(&lake).await, before);
    let named = lake.status().tables[0].1;
    assert_eq!(named, 2, "one file a day");
    assert!(files_before.iter().all(|file| file.exists()), "running queries may still read the others");
    assert!(lake.remove_dead_files() >= files_before.len());
    assert_eq!(data_files(dir.path(), "requests").len(), named);
    let unsorted = "SELECT service || CAST(ts AS VARCHAR) FROM requests WHERE date = DATE '2026-01-09'";
    let rows = texts(&ask(&lake, unsorted).await.unwrap());
    assert!(rows.is_sorted() && rows.len() > 100, "sorted by service and time in the file");
    lake.close().await;
    drop(lake);
    assert_eq!(stored(&*open(dir.path()).await).await, before);
}

#[tokio::test]
async fn a_query_that_began_before_compaction_still_finds_its_files() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    for part in 0..3 {
        append(&lake, requests("shop", part * 10..part * 10 + 10, TODAY)).await;
        lake.seal_now().await.unwrap();
    }
    let old = data_files(dir.path(), "requests");
    lake.compact(true).await.unwrap();
    lake.expire().await.unwrap();
    assert!(old.iter().all(|file| file.exists()));
}

#[tokio::test]
async fn deleting_a_service_leaves_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    append(&lake, requests("shop", 0..50, TODAY)).await;
    append(&lake, requests("demo", 0..30, TODAY)).await;
    lake.seal_now().await.unwrap();
    append(&lake, requests("demo", 30..40, TODAY - DAY)).await;
    lake.seal_now().await.unwrap();
    append(&lake, requests("demo", 40..50, TODAY)).await;
    assert_eq!(lake.delete_service("demo").await.unwrap(), 50, "sealed or not");
    assert_eq!(stored(&lake).await, ids("shop", 0..50));
    assert_eq!(lake.delete_service("demo").await.unwrap(), 0);
    append(&lake, requests("demo", 50..60, TODAY)).await;
    assert_eq!(stored(&lake).await.len(), 60, "it may come back");
    lake.close().await;
    drop(lake);
    assert_eq!(stored(&*open(dir.path()).await).await.len(), 60);
}

#[tokio::test]
async fn retention_deletes_whole_days_and_counts_for_the_past_from_its_arrival() {
    let dir = tempfile::tempdir().unwrap();
    let days = |count: i64| Span::from_seconds(count * DAY);
    let clock = Clock::manual(Timestamp::from_seconds(TODAY));
    let keep = Retention { rollups: days(20), ..Retention::all(days(10)) };
    let options = LakeOptions { clock: clock.clone(), retention: keep, ..options(dir.path()) };
    let lake = Lake::open(options).await.unwrap();
    append(&lake, requests("old", 0..10, TODAY - 3000 * DAY)).await;
    append(&lake, requests("new", 0..10, TODAY)).await;
    lake.seal_now().await.unwrap();
    let all = |lake: std::sync::Arc<Lake>| async move {
        let rows = number(&lake, "SELECT count(*) FROM requests").await;
        (rows, number(&lake, "SELECT CAST(coalesce(sum(count), 0) AS BIGINT) FROM rollup_1m").await)
    };
    for (day, want) in [(0, (20, 20)), (9, (20, 20)), (10, (20, 20)), (11, (0, 20)), (20, (0, 20)), (21, (0, 0))] {
        clock.set(Timestamp::from_seconds(TODAY + day * DAY));
        lake.expire().await.unwrap();
        assert_eq!(all(std::sync::Arc::clone(&lake)).await, want, "after {day} days");
    }
    // What arrived weeks after it happened still goes in time.
    append(&lake, requests("late", 0..10, TODAY + 5 * DAY)).await;
    lake.seal_now().await.unwrap();
    lake.compact(true).await.unwrap();
    lake.expire().await.unwrap();
    assert_eq!(all(std::sync::Arc::clone(&lake)).await, (10, 10));
    clock.set(Timestamp::from_seconds(TODAY + 32 * DAY));
    lake.expire().await.unwrap();
    assert_eq!(all(std::sync::Arc::clone(&lake)).await, (0, 10));
}

#[tokio::test]
async fn the_disk_budget_deletes_the_oldest_days_and_never_what_is_being_written() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    for day in 0..5 {
        append(&lake, requests("shop", day * 2000..day * 2000 + 2000, TODAY - day * DAY)).await;
        lake.seal_now().await.unwrap();
    }
    let used = lake.measure_disk().await;
    let table = |lake: &Lake, name| lake.status().tables.into_iter().find(|table| table.0 == name).unwrap();
    // Half of the requests have to go, and nothing else.
    let budget = (used - table(&lake, "requests").3 / 2) * 100 / 95;
    lake.close().await;
    drop(lake);
    let tight = LakeOptions { disk: ByteSize(budget), ..options(dir.path()) };
    let lake = Lake::open(tight).await.unwrap();
    let rows = vec![(Table::Requests, requests("live", 0..10, TODAY))];
    lake.append(Append { rows, marks: Vec::new() }).await.unwrap();
    // A file of a seal that is under way: written, not yet committed.
    let writing = data_files(dir.path(), "requests").remove(0).with_file_name(".x.unfinished");
    std::fs::write(&writing, "half").unwrap();
    lake.expire().await.unwrap();
    assert!(writing.exists());
    lake.remove_dead_files();
    assert!(lake.measure_disk().await <= budget, "inside the budget");
    let kept = texts(&ask(&lake, "SELECT DISTINCT date FROM requests ORDER BY date").await.unwrap());
    assert!(kept.len() < 5 && kept.last().unwrap() == "2026-01-10", "{kept:?}");
    assert_eq!(number(&lake, "SELECT count(*) FROM requests WHERE service = 'live'").await, 10);
    assert_eq!(table(&lake, "rollup_1m").1, 5, "roll-ups go last");
}
