//! Damage to a table's log: repaired where nothing is lost, otherwise an error that names the file.

use crate::support::*;
use lake::{Lake, LakeError};
use std::path::{Path, PathBuf};
use std::time::Duration;

fn commits(dir: &Path) -> Vec<PathBuf> {
    let mut found = files(&dir.join("lake/requests/_delta_log"));
    found.retain(|path| path.extension().is_some_and(|ext| ext == "json"));
    found
}

async fn some_seals(dir: &Path, count: i64) {
    let lake = open(dir).await;
    for part in 0..count {
        append(&lake, requests("shop", part * 10..part * 10 + 10, TODAY)).await;
        lake.seal_now().await.unwrap();
    }
    lake.close().await;
}

#[tokio::test]
async fn a_damaged_commit_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    some_seals(dir.path(), 3).await;
    let commits = commits(dir.path());
    for (case, change) in [
        ("flipped", (|bytes: &mut Vec<u8>| bytes[1] = b'}') as fn(&mut Vec<u8>)),
        ("zeros", |bytes| bytes.fill(0)),
        ("empty", Vec::clear),
        ("cut", |bytes| bytes.truncate(bytes.len() / 2)),
        ("no text", |bytes| bytes.fill(0xff)),
    ] {
        let whole = std::fs::read(&commits[1]).unwrap();
        let mut bytes = whole.clone();
        change(&mut bytes);
        std::fs::write(&commits[1], &bytes).unwrap();
        let Err(error) = Lake::open(options(dir.path())).await else { panic!("{case}: opened") };
        assert!(
            matches!(&error, LakeError::DamagedLog { file, .. } if file.ends_with(commits[1].file_name().unwrap())),
            "{case}: {error:?}"
        );
        assert!(error.to_string().contains("restore this file from a backup"), "{error}");
        std::fs::write(&commits[1], &whole).unwrap();
    }
    // One flipped bit in what matters, still JSON: the rows would be gone, or there twice, without a word.
    let text = std::fs::read_to_string(&commits[1]).unwrap();
    for part in ["\"add\"", "\"path\"", "_10_", "\"txn\"", "\"appId\"", "\"version\":", "koshuChecksum"] {
        let at = text.find(part).unwrap_or_else(|| panic!("{part} in {text}")) + part.len() - 2;
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        std::fs::write(&commits[1], &bytes).unwrap();
        let Err(error) = Lake::open(options(dir.path())).await else { panic!("{part}: opened") };
        assert!(
            matches!(&error, LakeError::DamagedLog { file, .. } if file.ends_with(commits[1].file_name().unwrap())),
            "{part}: {error:?}"
        );
    }
    std::fs::write(&commits[1], &text).unwrap();
    let moved = dir.path().join("elsewhere");
    std::fs::rename(&commits[1], &moved).unwrap();
    let Err(error) = Lake::open(options(dir.path())).await else { panic!("a commit is missing") };
    assert!(error.to_string().contains("missing"), "{error}");
    std::fs::rename(&moved, &commits[1]).unwrap();
    assert_eq!(stored(&*open(dir.path()).await).await, ids("shop", 0..30));
}

#[tokio::test]
async fn a_log_that_is_gone_is_not_taken_for_a_new_table() {
    let dir = tempfile::tempdir().unwrap();
    some_seals(dir.path(), 1).await;
    for commit in commits(dir.path()) {
        std::fs::remove_file(commit).unwrap();
    }
    let Err(LakeError::DamagedLog { reason, .. }) = Lake::open(options(dir.path())).await else { panic!("opened") };
    assert!(reason.contains("there are data files beside it"), "{reason}");
    assert_eq!(data_files(dir.path(), "requests").len(), 1, "nothing was deleted");
}

#[tokio::test]
async fn an_unfinished_last_commit_is_set_aside_and_its_rows_come_from_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    some_seals(dir.path(), 2).await;
    let lake = open(dir.path()).await;
    append(&lake, requests("shop", 20..30, TODAY)).await;
    let before = image(dir.path());
    lake.close().await;
    drop(lake);
    let last = commits(dir.path()).pop().unwrap();
    let whole = std::fs::read(&last).unwrap();
    let target = before.path().join(last.strip_prefix(dir.path()).unwrap());
    for (case, bytes) in
        [("empty", Vec::new()), ("zeros", vec![0; whole.len()]), ("cut", whole[..whole.len() - 9].to_vec())]
    {
        let copy = image(before.path());
        std::fs::write(copy.path().join(target.strip_prefix(before.path()).unwrap()), bytes).unwrap();
        let lake = open(copy.path()).await;
        assert_eq!(stored(&lake).await, ids("shop", 0..30), "{case}");
        lake.seal_now().await.unwrap();
        lake.close().await;
        drop(lake);
        assert_eq!(stored(&*open(copy.path()).await).await, ids("shop", 0..30), "{case}, sealed");
    }
}

#[tokio::test]
async fn a_damaged_checkpoint_is_set_aside_and_the_commits_are_read() {
    let dir = tempfile::tempdir().unwrap();
    some_seals(dir.path(), 52).await;
    let log = dir.path().join("lake/requests/_delta_log");
    let checkpoint = files(&log)
        .into_iter()
        .find(|path| path.extension().is_some_and(|ext| ext == "parquet"))
        .expect("fifty commits make one");
    let whole = std::fs::read(&checkpoint).unwrap();
    for (case, bytes) in
        [("empty", Vec::new()), ("zeros", vec![0; whole.len()]), ("cut", whole[..whole.len() / 2].to_vec())]
    {
        let copy = image(dir.path());
        let name = checkpoint.strip_prefix(dir.path()).unwrap();
        std::fs::write(copy.path().join(name), bytes).unwrap();
        let lake = open(copy.path()).await;
        assert_eq!(number(&lake, "SELECT count(*) FROM requests").await, 520, "{case}");
        append(&lake, requests("shop", 520..530, TODAY)).await;
        lake.seal_now().await.unwrap();
        assert_eq!(number(&lake, "SELECT count(*) FROM requests").await, 530, "{case}");
    }
    let copy = image(dir.path());
    std::fs::write(copy.path().join("lake/requests/_delta_log/_last_checkpoint"), "{").unwrap();
    assert_eq!(number(&*open(copy.path()).await, "SELECT count(*) FROM requests").await, 520);
}

#[tokio::test]
async fn a_last_commit_damaged_after_its_segment_left_the_journal_is_said_and_nothing_is_deleted() {
    let dir = tempfile::tempdir().unwrap();
    some_seals(dir.path(), 3).await;
    let files = data_files(dir.path(), "requests");
    let long_ago = std::time::SystemTime::now() - Duration::from_hours(24);
    for file in &files {
        std::fs::File::options().append(true).open(file).unwrap().set_modified(long_ago).unwrap();
    }
    let last = commits(dir.path()).pop().unwrap();
    std::fs::write(&last, b"").unwrap();
    for start in 1..=2 {
        let lake = open(dir.path()).await;
        assert_eq!(stored_requests(&lake).await, 20, "start {start}: what the log still names is served");
        let damage = lake.damage();
        assert!(damage.iter().any(|found| found.file == "lake/requests/_delta_log"), "start {start}: {damage:?}");
        lake.close().await;
        drop(lake);
        assert_eq!(data_files(dir.path(), "requests"), files, "start {start}: the files are kept");
    }
}

#[tokio::test]
async fn a_flipped_bit_in_a_checkpoint_that_still_decodes_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    some_seals(dir.path(), 52).await;
    let log = dir.path().join("lake/requests/_delta_log");
    let checkpoint = |path: &PathBuf| path.extension().is_some_and(|ext| ext == "parquet");
    let checkpoint = files(&log).into_iter().find(checkpoint).unwrap();
    let whole = std::fs::read(&checkpoint).unwrap();
    for at in (4..whole.len() - 8).step_by(whole.len() / 12) {
        let copy = image(dir.path());
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(copy.path().join(checkpoint.strip_prefix(dir.path()).unwrap()), bytes).unwrap();
        let lake = open(copy.path()).await;
        assert_eq!(stored_requests(&lake).await, 520, "byte {at}");
        assert_eq!(lake.damage(), [], "byte {at}: the commits say everything that the checkpoint said");
    }
}

async fn stored_requests(lake: &Lake) -> i64 {
    number(lake, "SELECT count(*) FROM requests").await
}
