//! Opening, migrating, and refusing to.

use super::Fixture;
use crate::{Scope, Store, StoreError, StoreOptions};
use base::{Clock, Secret};
use std::os::unix::fs::PermissionsExt as _;

#[tokio::test]
async fn a_store_opens_again_with_all_it_had() {
    for fixture in Fixture::all().await {
        fixture.store.users().create("ann").await.unwrap();
        let fixture = fixture.reopen().await;
        fixture.store.ping().await.unwrap();
        assert!(fixture.store.users().find("ann").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused() {
    for fixture in Fixture::all().await {
        let sql = "INSERT INTO koshu_schema (version) VALUES (9999)";
        fixture.store.db.execute(sql, Vec::new()).await.unwrap();
        fixture.store.close().await;
        let error = Store::open(fixture.options.clone(), Clock::System).await.unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 9999, .. }), "{error:?}");
        assert!(error.to_string().contains("start that version, or restore a backup"), "{error}");
    }
}

#[tokio::test]
async fn nobody_else_may_read_the_files() {
    let fixture = Fixture::sqlite().await;
    fixture.store.users().create("ann").await.unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(fixture.folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        files += 1;
    }
    assert!(files >= 2, "the file and its log");
}

#[tokio::test]
async fn a_file_left_open_to_others_is_closed_to_them() {
    let fixture = Fixture::sqlite().await;
    let file = fixture.folder.path().join(crate::SQLITE_FILE);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let fixture = fixture.reopen().await;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    drop(fixture);
}

#[tokio::test]
async fn what_is_no_store_is_said_without_its_password() {
    for url in ["mysql://ann:hunter2@db/x", "ann:hunter2@db"] {
        let error = Store::open(StoreOptions::Url(Secret::new(url)), Clock::System).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains("postgres://") && !text.contains("hunter2"), "{text}");
    }
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(
        folder.path().join(crate::SQLITE_FILE),
        "this is no database, but long enough to look at".repeat(99),
    )
    .unwrap();
    let options = StoreOptions::Folder(folder.path().to_owned());
    assert!(matches!(Store::open(options, Clock::System).await, Err(StoreError::Database(_))));
}

#[tokio::test]
async fn a_second_process_sees_what_the_first_wrote() {
    for fixture in Fixture::all().await {
        let second = Store::open(fixture.options.clone(), fixture.clock.clone()).await.unwrap();
        let (secret, _) = second.tokens().create("from the command line", Scope::Read).await.unwrap();
        assert!(fixture.store.tokens().verify(secret.reveal()).await.unwrap().is_some());
        assert!(fixture.store.tokens().any_created().await.unwrap());
        second.close().await;
    }
}

#[tokio::test]
async fn tidying_drops_what_ended_at_most_once_a_minute() {
    for fixture in Fixture::all().await {
        let store = &fixture.store;
        let ann = store.users().create("ann").await.unwrap();
        store.sessions().start(&ann, "127.0.0.1").await.unwrap();
        store.links().create(ann.id).await.unwrap();
        store.tidy().await.unwrap();
        let sql = "SELECT (SELECT COUNT(*) FROM sessions) + (SELECT COUNT(*) FROM links)";
        let count = async || store.db.fetch_one(sql, Vec::new()).await.unwrap().unwrap().int(0).unwrap();
        assert_eq!(count().await, 2);
        fixture.pass_seconds(59);
        let (secret, _) = store.tokens().create("t", Scope::Read).await.unwrap();
        store.tokens().verify(secret.reveal()).await.unwrap();
        store.tidy().await.unwrap();
        let used = "SELECT COUNT(*) FROM tokens WHERE last_used_at IS NOT NULL";
        assert_eq!(store.db.fetch_one(used, Vec::new()).await.unwrap().unwrap().int(0).unwrap(), 0, "too early");
        fixture.pass_seconds(8 * 3600);
        store.tidy().await.unwrap();
        assert_eq!(store.db.fetch_one(used, Vec::new()).await.unwrap().unwrap().int(0).unwrap(), 1);
        assert_eq!(count().await, 0);
    }
}
