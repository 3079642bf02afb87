//! SQL: reads, never writes, and names the limit that it reached.

use crate::support::*;
use base::ByteSize;
use lake::arrow::util::pretty::pretty_format_batches;
use lake::{Lake, LakeOptions, Query, QueryError};
use std::time::Duration;

#[tokio::test]
async fn statements_that_would_change_something_are_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    append(&lake, requests("shop", 0..5, TODAY)).await;
    for sql in [
        "CREATE TABLE x AS SELECT * FROM requests",
        "CREATE VIEW v AS SELECT 1",
        "CREATE EXTERNAL TABLE e STORED AS PARQUET LOCATION '/'",
        "DROP TABLE requests",
        "INSERT INTO requests SELECT * FROM requests",
        "WITH a AS (SELECT 1) INSERT INTO requests SELECT * FROM requests",
        "DELETE FROM requests",
        "UPDATE requests SET status = 200",
        "COPY requests TO '/tmp/out.csv'",
        "COPY (SELECT * FROM requests) TO 'out.parquet'",
        "SET datafusion.execution.target_partitions = 1",
        "RESET datafusion.execution.target_partitions",
        "EXPLAIN INSERT INTO requests SELECT * FROM requests",
        "EXPLAIN ANALYZE DELETE FROM requests",
        "EXPLAIN ANALYZE COPY requests TO 'out.csv'",
        "BEGIN",
        "SHOW TABLES",
        "SELECT * INTO other FROM requests",
        "SELECT 1; DROP TABLE requests",
    ] {
        let refused = ask(&lake, sql).await;
        assert!(matches!(&refused, Err(QueryError::Invalid(text)) if text.len() > 20), "{sql}: {refused:?}");
    }
    let Err(error) = ask(&lake, "DROP TABLE requests").await else { panic!("refused") };
    assert!(error.to_string().contains("only SELECT"), "{error}");
    assert_eq!(stored(&lake).await.len(), 5);
    assert!(!std::path::Path::new("out.parquet").exists() && !std::path::Path::new("out.csv").exists());
}

#[tokio::test]
async fn mistakes_are_explained_to_who_wrote_the_statement() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    append(&lake, requests("shop", 0..5, TODAY)).await;
    for (sql, part) in [
        (
            "SELECT * FROM reqests",
            "there is no table \"reqests\"; the tables are requests, logs, spans, samples, errors, events, rollup_1m",
        ),
        ("SELECT * FROM information_schema.tables", "there is no table"),
        ("SELECT * FROM '/etc/passwd'", "there is no table"),
        ("SELECT latency FROM requests", "latency"),
        ("SELEC 1", "SELEC"),
        ("", "statement"),
        ("SELECT nosuch(1)", "nosuch"),
        ("SELECT CAST('x' AS INT) FROM requests", "x"),
    ] {
        match ask(&lake, sql).await {
            Err(QueryError::Invalid(text)) => assert!(text.contains(part), "{sql}: {text}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
    let long = format!("SELECT '{}'", "x".repeat(70_000));
    assert!(matches!(ask(&lake, &long).await, Err(QueryError::Invalid(text)) if text.contains("longer than")));
}

#[tokio::test]
async fn the_row_limit_is_kept_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    append(&lake, requests("shop", 0..100, TODAY)).await;
    for (limit, rows, truncated) in [(0, 0, true), (99, 99, true), (100, 100, false), (101, 100, false)] {
        let query = Query { sql: "SELECT * FROM requests".into(), range: EVER, limit };
        let answer = lake.sql(&query).await.unwrap();
        let returned: usize = answer.batches.iter().map(lake::arrow::array::RecordBatch::num_rows).sum();
        assert_eq!((returned, answer.stats.rows, answer.stats.truncated), (rows, rows, truncated), "limit {limit}");
    }
}

#[tokio::test]
async fn memory_and_time_limits_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let small = LakeOptions { memory: ByteSize(64 << 20), disk: ByteSize(200 << 20), ..options(dir.path()) };
    let lake = Lake::open(small).await.unwrap();
    for part in 0..8 {
        append(&lake, requests("shop", part * 1000..(part + 1) * 1000, TODAY)).await;
    }
    lake.seal_now().await.unwrap();
    // Texts of some 12 kB each, all of which sorting has to hold.
    let hungry = &format!("SELECT replace(path, '/', '{}') AS p FROM requests ORDER BY p", "x".repeat(3000));
    let Err(error) = ask(&lake, hungry).await else { panic!("100 MB of paths in 16 MiB") };
    assert!(matches!(error, QueryError::MemoryLimit(_)), "{error}");
    assert_eq!(
        error.to_string(),
        "the query needed more than its 16 MiB of memory; narrow the time range or group by fewer values"
    );
    for _ in 0..20 {
        assert_eq!(stored(&lake).await.len(), 8000, "the next query has its memory");
        assert!(matches!(ask(&lake, hungry).await, Err(QueryError::MemoryLimit(_))));
    }
    lake.close().await;
    drop(lake);

    let hasty = LakeOptions { query_time: Duration::from_millis(1), ..options(dir.path()) };
    let lake = Lake::open(hasty).await.unwrap();
    let endless = "SELECT count(*) FROM requests a, requests b, requests c WHERE a.path || b.path <> c.path";
    let Err(error) = ask(&lake, endless).await else { panic!("in a millisecond") };
    assert_eq!(error.to_string(), "the query ran longer than 0.001 s; narrow the time range or aggregate less");
}

#[tokio::test]
async fn filters_reach_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    append(&lake, requests("shop", 0..2000, TODAY)).await;
    append(&lake, requests("bank", 0..2000, TODAY)).await;
    lake.seal_now().await.unwrap();
    let plan = |sql: &'static str| {
        let lake = &lake;
        async move {
            let answer = ask(lake, sql).await.unwrap();
            pretty_format_batches(&answer.batches).unwrap().to_string()
        }
    };
    let text = plan("EXPLAIN SELECT path FROM requests WHERE trace_id = 'shop-7'").await;
    assert!(text.contains("predicate=trace_id") && !text.contains("FilterExec"), "{text}");
    // Inside the file's smallest and largest value, but not in it.
    let text = plan("EXPLAIN ANALYZE SELECT path FROM requests WHERE trace_id = 'bank-7777'").await;
    assert!(text.contains("row_groups_pruned_bloom_filter=1 total \u{2192} 0 matched"), "{text}");
    let text = plan("EXPLAIN ANALYZE SELECT path FROM requests WHERE service = 'zoo'").await;
    assert!(text.contains("row_groups_pruned_statistics=1 total \u{2192} 0 matched"), "{text}");
}

#[tokio::test]
async fn times_are_utc_and_columns_have_their_types() {
    let dir = tempfile::tempdir().unwrap();
    let lake = open(dir.path()).await;
    append(&lake, requests("shop", 0..1, TODAY)).await;
    for moment in ["not sealed", "sealed"] {
        let answer = ask(&lake, "SELECT ts, date, service, status, duration_us, attrs FROM requests").await.unwrap();
        let text = pretty_format_batches(&answer.batches).unwrap().to_string();
        assert!(text.contains("2026-01-10T00:00:00Z") && text.contains("2026-01-10 |"), "{moment}: {text}");
        assert!(text.contains("user_agent: curl/8"), "{moment}: {text}");
        let types: Vec<String> = answer.schema.fields().iter().map(|field| field.data_type().to_string()).collect();
        assert_eq!(types[..5], ["Timestamp(µs, \"UTC\")", "Date32", "Utf8View", "Int32", "Int64"], "{moment}");
        lake.seal_now().await.unwrap();
    }
}
