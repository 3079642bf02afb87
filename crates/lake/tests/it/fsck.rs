//! The check of a whole lake on disk: what it counts, and that every kind of damage is named.

use crate::support::*;
use lake::{FsckReport, LakeError};
use std::path::Path;

/// Two sealed days and a segment with three frames.
async fn a_lake(dir: &Path) {
    let lake = open(dir).await;
    append(&lake, requests("shop", 0..1000, TODAY)).await;
    append(&lake, requests("shop", 1000..2000, TODAY - DAY)).await;
    lake.seal_now().await.unwrap();
    lake.append(lake::Append { rows: Vec::new(), marks: vec![("a".into(), "b".into())] }).await.unwrap();
    lake.seal_now().await.unwrap();
    for id in 0..3 {
        append(&lake, requests("shop", 2000 + id..2001 + id, TODAY)).await;
    }
    let copy = image(dir);
    drop(lake);
    for name in ["journal", "lake"] {
        let give_up = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while lake::fsck(dir).await.is_err_and(|error| matches!(error, LakeError::InUse(_))) {
            assert!(std::time::Instant::now() < give_up);
            pause().await;
        }
        std::fs::remove_dir_all(dir.join(name)).unwrap();
        std::fs::rename(copy.path().join(name), dir.join(name)).unwrap();
    }
}

async fn check(dir: &Path) -> FsckReport {
    let before: Vec<_> = files(dir).iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    let report = lake::fsck(dir).await.unwrap();
    let after: Vec<_> = files(dir).iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    assert!(before == after, "checking changes nothing");
    report
}

#[tokio::test]
async fn a_whole_lake_is_counted_and_has_no_damage() {
    let dir = tempfile::tempdir().unwrap();
    a_lake(dir.path()).await;
    let report = check(dir.path()).await;
    assert_eq!(report.damage, []);
    let checked = report.checked;
    assert_eq!((checked.segments, checked.frames, checked.journal_rows), (1, 3, 3));
    assert_eq!(checked.data_files, 4, "two days of two tables");
    assert!(checked.table_rows > 2000 && checked.bytes > 10_000);
    let text = serde_json::to_string(&report).unwrap();
    assert!(text.contains("\"damage\":[]"), "{text}");
}

#[tokio::test]
async fn a_lake_in_use_is_not_checked_and_none_is_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let Err(LakeError::Io { .. }) = lake::fsck(dir.path()).await else { panic!("there is no lake") };
    assert!(files(dir.path()).is_empty());
    let _lake = open(dir.path()).await;
    let Err(error) = lake::fsck(dir.path()).await else { panic!("in use") };
    assert!(error.to_string().contains("in use by another"), "{error}");
}

#[tokio::test]
async fn damage_anywhere_is_named_with_file_and_range() {
    let dir = tempfile::tempdir().unwrap();
    a_lake(dir.path()).await;
    let mut kinds =
        vec![segments(dir.path()).remove(0), dir.path().join("journal/id"), dir.path().join("journal/marks.copy")];
    kinds.push(data_files(dir.path(), "requests").remove(0));
    kinds.push(data_files(dir.path(), "rollup_1m").remove(1));
    for path in kinds {
        let whole = std::fs::read(&path).unwrap();
        for part in 0..12 {
            let at = part * (whole.len() - 1) / 11;
            let mut bytes = whole.clone();
            bytes[at] ^= 0x40;
            std::fs::write(&path, &bytes).unwrap();
            let report = check(dir.path()).await;
            let case = format!("{} at {at}", path.display());
            let found = report
                .damage
                .iter()
                .find(|found| path.ends_with(&found.file))
                .unwrap_or_else(|| panic!("{case}: {report:?}"));
            assert!(!found.reason.is_empty(), "{case}");
            if path.extension().is_some_and(|ext| ext == "journal") {
                assert!(found.range.contains(&(at as u64)), "{case}: {found:?}");
            }
            if path.extension().is_some_and(|ext| ext == "parquet") {
                assert!(found.rows > Some(0) && found.from.is_some() && found.from <= found.to, "{case}: {found:?}");
            }
        }
        std::fs::write(&path, &whole).unwrap();
    }
    assert_eq!(check(dir.path()).await.damage, []);
}

#[tokio::test]
async fn damage_in_a_data_file_is_narrowed_to_the_column_that_does_not_decode() {
    let dir = tempfile::tempdir().unwrap();
    a_lake(dir.path()).await;
    let path = data_files(dir.path(), "requests").remove(0);
    let mut bytes = std::fs::read(&path).unwrap();
    let needle = bytes.windows(4).position(|window| window == [0x28, 0xb5, 0x2f, 0xfd]).expect("a compressed page");
    bytes[needle] ^= 0xff;
    std::fs::write(&path, &bytes).unwrap();
    let report = check(dir.path()).await;
    assert_eq!(report.damage.len(), 1, "{report:?}");
    let found = &report.damage[0];
    assert!(found.range.contains(&(needle as u64)) && found.range.end < bytes.len() as u64, "{found:?}");
    assert!(found.reason.starts_with("row group 0, column "), "{found:?}");
    assert_eq!(found.rows, Some(1000));
}

#[tokio::test]
async fn what_is_missing_torn_or_unknown_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    a_lake(dir.path()).await;
    let segment = segments(dir.path()).remove(0);
    let whole = std::fs::read(&segment).unwrap();
    std::fs::write(&segment, &whole[..whole.len() - 5]).unwrap();
    let file = data_files(dir.path(), "requests").remove(0);
    let stray = file.with_file_name("stray.parquet");
    std::fs::rename(&file, &stray).unwrap();
    std::fs::write(dir.path().join("journal/what.txt"), "?").unwrap();
    let report = check(dir.path()).await;
    assert_eq!(report.checked.frames, 2);
    assert_eq!(report.damage.len(), 1, "{report:?}");
    assert_eq!(report.damage[0].reason, "the file is missing");
    for (name, text) in
        [(".journal", "never acknowledged"), ("stray.parquet", "no table names"), ("what.txt", "unknown")]
    {
        assert!(
            report.notes.iter().any(|note| note.file.ends_with(name) && note.text.contains(text)),
            "{name}: {report:?}"
        );
    }
}

#[tokio::test]
async fn a_damaged_log_is_named_and_the_files_are_checked_by_their_own_names() {
    let dir = tempfile::tempdir().unwrap();
    a_lake(dir.path()).await;
    let log = dir.path().join("lake/requests/_delta_log");
    let commit = files(&log).into_iter().find(|path| path.extension().is_some_and(|ext| ext == "json")).unwrap();
    let mut bytes = std::fs::read(&commit).unwrap();
    bytes[0] = b'x';
    std::fs::write(&commit, &bytes).unwrap();
    let file = data_files(dir.path(), "requests").remove(0);
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let report = check(dir.path()).await;
    assert!(report.damage.iter().any(|found| commit.ends_with(&found.file)), "{report:?}");
    assert!(report.damage.iter().any(|found| file.ends_with(&found.file)), "{report:?}");
}
