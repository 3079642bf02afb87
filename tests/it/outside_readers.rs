//! Engines of other people read the lake and count what we count.

use crate::load::BATCH;
use e2e::{Place, checkout, json_batch, python, ran};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Rows by `group`, as `deltalake` and as DuckDB count them.
fn counted_outside(python: &Path, place: &Place, table: &str, group: &str) -> [BTreeMap<String, i64>; 2] {
    let script = checkout().join("tests/python/read_lake.py");
    let output = ran(Command::new(python).arg(script).arg(place.data().join("lake").join(table)).arg(group));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let counts = |name: &str| {
        let object: &Map<String, Value> = found[name].as_object().unwrap();
        object.iter().map(|(key, count)| (key.clone(), count.as_i64().unwrap())).collect()
    };
    [counts("deltalake"), counts("duckdb")]
}

#[tokio::test]
async fn deltalake_and_duckdb_count_the_same_rows() {
    let Some(python) = python() else { return };
    let place = Place::new();
    let koshu = place.start().await;
    for (service, batches) in [("shop", 7), ("blog", 3)] {
        for batch in 0..batches {
            let lines = json_batch(&format!("{service}{batch}"), BATCH).replace(r#""status":200"#, r#""status":404"#);
            let lines = lines.replacen(r#""status":404"#, r#""status":500"#, batch);
            assert_eq!(koshu.client().ingest(service, lines).await.unwrap().status, 200);
        }
    }
    let by_service = koshu.client().sql("SELECT service, count(*) FROM requests GROUP BY 1").await;
    assert_eq!(by_service.len(), 2);
    koshu.stop();

    for (table, group) in [("requests", "status"), ("requests", "service"), ("rollup_1m", "route"), ("samples", "name")]
    {
        let rows = place.query(&format!("SELECT CAST({group} AS VARCHAR), count(*) FROM {table} GROUP BY 1"));
        let ours: BTreeMap<String, i64> =
            rows.iter().map(|row| (row[0].as_str().unwrap().to_owned(), row[1].as_i64().unwrap())).collect();
        assert!(!ours.is_empty() || table == "samples", "{table} has rows");
        let [delta, duck] = counted_outside(&python, &place, table, group);
        assert_eq!(delta, ours, "deltalake, {table} by {group}");
        assert_eq!(duck, ours, "DuckDB, {table} by {group}");
    }
    let total: i64 = place.query("SELECT count(*) FROM requests")[0][0].as_i64().unwrap();
    assert_eq!(total, i64::try_from(10 * BATCH).unwrap(), "a stop seals everything");
}
