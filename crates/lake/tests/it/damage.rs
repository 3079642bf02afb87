//! Damaged data files: named, left out, never a wrong answer, and no burden for the others.

use crate::support::*;
use lake::Lake;
use std::path::Path;

/// Two sealed files of one day: rows 0 to 99 and 100 to 199.
async fn two_files(dir: &Path) -> (std::sync::Arc<Lake>, std::path::PathBuf) {
    let lake = open(dir).await;
    append(&lake, requests("shop", 0..100, TODAY)).await;
    lake.seal_now().await.unwrap();
    let first = data_files(dir, "requests").remove(0);
    append(&lake, requests("shop", 100..200, TODAY)).await;
    lake.seal_now().await.unwrap();
    (lake, first)
}

#[tokio::test]
async fn a_flip_in_any_region_of_a_data_file_is_named_and_the_rest_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let (lake, file) = two_files(dir.path()).await;
    let whole = std::fs::read(&file).unwrap();
    let places = (0..64).map(|part| part * (whole.len() - 1) / 63);
    for at in places {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        std::fs::write(&file, &bytes).unwrap();
        lake.reader().forget_verified();
        let answer = ask(&lake, "SELECT trace_id FROM requests ORDER BY trace_id").await.unwrap();
        assert_eq!(texts(&answer), ids("shop", 100..200), "flip at {at}");
        assert!(file.to_string_lossy().ends_with(&answer.stats.damaged_files[0]), "flip at {at}");
    }
    let damage = lake.damage();
    assert_eq!(damage.len(), 1, "named once");
    assert_eq!(damage[0].range, 0..whole.len() as u64);
    for (case, bytes) in [("cut", &whole[..whole.len() / 2]), ("empty", &[][..])] {
        std::fs::write(&file, bytes).unwrap();
        lake.reader().forget_verified();
        assert_eq!(number(&lake, "SELECT count(*) FROM requests").await, 100, "{case}");
    }
    std::fs::remove_file(&file).unwrap();
    lake.reader().forget_verified();
    assert_eq!(number(&lake, "SELECT count(*) FROM requests").await, 100, "missing");
    std::fs::write(&file, &whole).unwrap();
    assert_eq!(stored(&lake).await, ids("shop", 0..200), "restored from a backup");
}

#[tokio::test]
async fn a_damaged_file_is_not_compacted_and_does_not_hold_up_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let (lake, damaged) = two_files(dir.path()).await;
    append(&lake, requests("shop", 200..300, TODAY)).await;
    append(&lake, requests("shop", 300..400, TODAY - DAY)).await;
    lake.seal_now().await.unwrap();
    append(&lake, requests("shop", 400..500, TODAY - DAY)).await;
    lake.seal_now().await.unwrap();
    let whole = std::fs::read(&damaged).unwrap();
    let mut bytes = whole.clone();
    bytes[500] ^= 1;
    std::fs::write(&damaged, &bytes).unwrap();
    let done = lake.compact(true).await.unwrap();
    assert!(done.merged >= 4, "{done:?}");
    assert_eq!(lake.damage().len(), 1);
    assert!(damaged.exists());
    assert_eq!(number(&lake, "SELECT count(*) FROM requests").await, 400);
    assert_eq!(lake.delete_service("nobody").await.unwrap(), 0, "deletion goes on too");
    lake.remove_dead_files();
    assert_eq!(data_files(dir.path(), "requests").len(), 3, "two days and the damaged file");
    lake.close().await;
    drop(lake);
    std::fs::write(&damaged, &whole).unwrap();
    let lake = open(dir.path()).await;
    assert_eq!(number(&lake, "SELECT count(*) FROM requests").await, 500, "restored from a backup");
}
