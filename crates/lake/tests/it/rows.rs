//! Rows from append to table: every acknowledged row is seen exactly once, at every moment.

use crate::support::*;
use base::{ByteSize, TimeRange, Timestamp};
use lake::{Append, AppendError, Lake, LakeError, LakeOptions, Query};
use signal::sample::{SampleRow, SampleRows};
use signal::{Rollups, Table};
use std::sync::Arc;

fn marks(pairs: &[(&str, &str)]) -> Append {
    Append { rows: Vec::new(), marks: pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect() }
}

#[tokio::test]
async fn a_row_is_seen_once_before_and_after_sealing_and_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    append(&lake, requests("shop", 0..100, TODAY)).await;
    assert_eq!(stored(&lake).await, ids("shop", 0..100), "not sealed");
    lake.append(marks(&[("file:1", "0-100"), ("import:x", "7")])).await.unwrap();
    lake.seal_now().await.unwrap();
    assert_eq!(lake.status().unsealed_bytes, 0);
    assert_eq!(stored(&lake).await, ids("shop", 0..100), "sealed");
    append(&lake, requests("shop", 100..150, TODAY)).await;
    lake.append(marks(&[("file:1", "0-150")])).await.unwrap();
    assert_eq!(stored(&lake).await, ids("shop", 0..150), "sealed and not");
    drop(lake);

    let lake = reopen(options(dir.path())).await;
    assert_eq!(stored(&lake).await, ids("shop", 0..150), "reopened");
    assert_eq!(lake.mark("file:1").as_deref(), Some("0-150"));
    lake.seal_now().await.unwrap();
    lake.close().await;
    drop(lake);
    let lake = open(dir.path()).await;
    assert_eq!(stored(&lake).await, ids("shop", 0..150), "closed and opened");
    assert_eq!(lake.mark("file:1").as_deref(), Some("0-150"), "marks outlive the journal's files");
    assert_eq!(lake.marks_with_prefix("import:"), [("import:x".to_owned(), "7".to_owned())]);
    assert!(segments(dir.path()).is_empty(), "what is sealed leaves the journal");
    assert!(lake.damage().is_empty());
}

#[tokio::test]
async fn a_second_process_is_refused_while_the_first_lives() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    let Err(error) = Lake::open(options(dir.path())).await else { panic!("two writers") };
    assert!(matches!(error, LakeError::InUse(_)) && error.to_string().contains("in use by another"), "{error}");
    append(&lake, requests("shop", 0..5, TODAY)).await;
    lake.close().await;
    drop(lake);
    assert_eq!(stored(&*open(dir.path()).await).await.len(), 5);
}

#[tokio::test]
async fn rows_outside_the_range_do_not_exist_for_a_query() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    // Across midnight: two files, one of which is cut by the range.
    append(&lake, requests("shop", 0..100, TODAY - 50)).await;
    let range = TimeRange { from: Timestamp::from_seconds(TODAY - 10), to: Timestamp::from_seconds(TODAY + 20) };
    for moment in ["not sealed", "sealed"] {
        for (sql, want) in [
            ("SELECT count(*) FROM requests", 30),
            ("SELECT count(*) FROM requests WHERE date = DATE '2026-01-10'", 20),
            ("SELECT count(*) FROM requests WHERE status = 500", 3),
            ("SELECT count(DISTINCT path) FROM requests WHERE ts >= TIMESTAMP '2026-01-10T00:00:00Z'", 20),
        ] {
            let query = Query { sql: format!("SELECT CAST(x AS VARCHAR) FROM ({sql}) AS t(x)"), range, limit: 10 };
            let answer = lake.sql(&query).await.unwrap();
            assert_eq!(texts(&answer), [want.to_string()], "{moment}: {sql}");
        }
        lake.seal_now().await.unwrap();
    }
    assert_eq!(data_files(dir.path(), "requests").len(), 2);
}

#[tokio::test]
async fn sealed_and_unsealed_rows_mix_in_every_kind_of_question() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    append(&lake, requests("shop", 0..40, TODAY)).await;
    lake.seal_now().await.unwrap();
    append(&lake, requests("shop", 40..60, TODAY)).await;
    for (sql, want) in [
        ("SELECT count(*) FROM requests", 60),
        ("SELECT count(*) FROM rollup_1m WHERE status_class = 5", 3),
        ("SELECT CAST(sum(errors) AS BIGINT) FROM rollup_1m", 6),
        ("SELECT count(*) FROM requests WHERE trace_id = 'shop-41'", 1),
        ("SELECT count(*) FROM requests WHERE attrs['user_agent'] = 'curl/8'", 60),
        ("SELECT count(*) FROM requests a JOIN requests b ON a.trace_id = b.trace_id", 60),
        ("SELECT count(*) FROM requests WHERE duration_us IS NULL", 9),
        ("WITH slow AS (SELECT * FROM requests WHERE duration_us > 500) SELECT count(*) FROM slow", 39),
    ] {
        assert_eq!(number(&lake, sql).await, want, "{sql}");
    }
    let last = ask(&lake, "SELECT trace_id FROM requests ORDER BY ts DESC, trace_id DESC LIMIT 2").await.unwrap();
    assert_eq!(texts(&last), ["shop-39", "shop-38"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_senders_at_once_are_all_stored_once_while_segments_are_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(LakeOptions { seal_bytes: ByteSize(1), ..options(dir.path()) }).await.unwrap();
    let senders: Vec<_> = (0..200)
        .map(|sender| {
            let lake = Arc::clone(&lake);
            tokio::spawn(async move {
                for part in 0..5 {
                    append(&lake, requests(&format!("s{sender}"), part..part + 1, TODAY)).await;
                }
            })
        })
        .collect();
    // Read all the while: never more than was sent, never fewer than before.
    let (mut before, mut moments) = (0, 0);
    while !senders.iter().all(tokio::task::JoinHandle::is_finished) {
        let now = number(&lake, "SELECT count(DISTINCT trace_id) FROM requests").await;
        assert!(now >= before, "{now} after {before}");
        (before, moments) = (now, moments + 1);
    }
    for sender in senders {
        sender.await.unwrap();
    }
    let mut want: Vec<String> = (0..200).flat_map(|sender| ids(&format!("s{sender}"), 0..5)).collect();
    want.sort();
    assert_eq!(stored(&lake).await, want);
    assert!(moments > 0 && !data_files(dir.path(), "requests").is_empty(), "sealing went on meanwhile");
    lake.close().await;
    drop(lake);
    assert_eq!(stored(&*open(dir.path()).await).await, want);
}

#[tokio::test]
async fn rows_of_long_ago_are_stored_and_found_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    let august_1995 = 807_235_200;
    append(&lake, requests("nasa", 0..50, august_1995)).await;
    append(&lake, requests("nasa", 50..60, -10 * DAY)).await;
    lake.seal_now().await.unwrap();
    lake.close().await;
    drop(lake);
    let lake = open(dir.path()).await;
    assert_eq!(stored(&lake).await, ids("nasa", 0..60));
    assert_eq!(number(&lake, "SELECT count(*) FROM requests WHERE date = DATE '1995-08-01'").await, 50);
    assert_eq!(number(&lake, "SELECT count(*) FROM requests WHERE date = DATE '1969-12-22'").await, 10);
}

#[tokio::test]
async fn samples_are_stored_beside_requests() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    let mut rows = SampleRows::default();
    for second in 0..10 {
        let ts = Timestamp::from_seconds(TODAY + second);
        let row =
            SampleRow { ts, service: None, host: Some("web-1"), name: "cpu.busy_ratio", value: 0.5, source: "agent" };
        rows.push(&row, &[("cpu", "0")]);
    }
    let both = vec![(Table::Samples, rows.finish()), (Table::Requests, requests("shop", 0..3, TODAY))];
    lake.append(Append { rows: both, marks: Vec::new() }).await.unwrap();
    for moment in ["not sealed", "sealed"] {
        assert_eq!(number(&lake, "SELECT count(*) FROM samples WHERE value = 0.5").await, 10, "{moment}");
        assert_eq!(stored(&lake).await.len(), 3, "{moment}");
        lake.seal_now().await.unwrap();
    }
}

#[tokio::test]
async fn rows_that_do_not_fit_their_table_are_refused_and_harm_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    for (table, batch) in [
        (Table::Samples, requests("shop", 0..1, TODAY)),
        (Table::Requests, requests("shop", 0..1, i64::MAX / 1_000_000)),
        (Table::Rollup1m, Rollups::default().to_batch()),
    ] {
        let refused = lake.append(Append { rows: vec![(table, batch)], marks: Vec::new() }).await;
        assert!(matches!(refused, Err(AppendError::Encode(_))), "{table:?}: {refused:?}");
    }
    append(&lake, requests("shop", 0..1, TODAY)).await;
    assert_eq!(stored(&lake).await.len(), 1);
}

#[tokio::test]
async fn many_parts_and_marks_in_one_append_are_all_kept() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    let rows = (0..300).map(|id| (Table::Requests, requests("shop", id..id + 1, TODAY))).collect();
    let marks = (0..70_000).map(|n| (format!("mark {n}"), "x".to_owned())).collect();
    lake.append(Append { rows, marks }).await.unwrap();
    drop(lake);
    let lake = reopen(options(dir.path())).await;
    assert_eq!(stored(&lake).await, ids("shop", 0..300));
    assert_eq!(lake.marks_with_prefix("mark ").len(), 70_000);
}

#[tokio::test]
async fn a_sender_that_goes_away_gives_its_memory_back() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    for id in 0..50 {
        let append = Append { rows: vec![(Table::Requests, requests("shop", id..id + 1, TODAY))], marks: Vec::new() };
        let mut sending = Box::pin(lake.append(append));
        // Usually it is not done yet; either way nobody waits for it any more.
        let _ = futures::poll!(&mut sending);
    }
    lake.seal_now().await.unwrap();
    assert_eq!(lake.status().unsealed_bytes, 0);
}
