//! Changes, settings, services, files.

use super::Fixture;
use crate::{Change, ChangeKind, NewChange, Removal, StoreError};
use base::{ServiceName, TimeRange, Timestamp};
use std::collections::BTreeMap;

fn name(text: &str) -> ServiceName {
    text.parse().unwrap()
}

fn deploy(title: &str, service: Option<&str>, second: i64) -> NewChange {
    NewChange {
        at: Some(Timestamp::from_seconds(second)),
        kind: ChangeKind::Deploy,
        service: service.map(name),
        title: title.to_owned(),
        version: Some("v2".to_owned()),
        url: Some("https://ci.example/7".to_owned()),
        detail: None,
    }
}

fn titles(changes: &[Change]) -> Vec<&str> {
    changes.iter().map(|change| change.title.as_str()).collect()
}

#[tokio::test]
async fn changes_are_listed_by_time_and_service() {
    for fixture in Fixture::all().await {
        let changes = fixture.store.changes();
        for (title, service, second) in
            [("a", Some("shop"), 10), ("b", Some("blog"), 20), ("c", None, 30), ("d", Some("shop"), 40)]
        {
            changes.add(deploy(title, service, second)).await.unwrap();
        }
        let range = |from, to| TimeRange::new(Timestamp::from_seconds(from), Timestamp::from_seconds(to)).unwrap();
        let shop = name("shop");
        for (case, from, to, service, limit, want) in [
            ("all", 0, 100, None, 100, vec!["d", "c", "b", "a"]),
            ("the end is outside", 10, 40, None, 100, vec!["c", "b", "a"]),
            ("of a service, with those for all", 0, 100, Some(&shop), 100, vec!["d", "c", "a"]),
            ("few", 0, 100, None, 1, vec!["d"]),
        ] {
            let listed = changes.list(range(from, to), service, limit).await.unwrap();
            assert_eq!(titles(&listed), want, "{case}");
        }
        let now = changes.add(NewChange { at: None, ..deploy("now", None, 0) }).await.unwrap();
        assert_eq!(now.at, fixture.clock.now());
        let read = changes.list(range(1_000_000, 1_000_001), None, 9).await.unwrap();
        assert_eq!(read, [now]);
    }
}

#[tokio::test]
async fn a_change_that_does_not_fit_is_refused_with_the_reason() {
    let fixture = Fixture::sqlite().await;
    let base = || deploy("x", None, 0);
    for (new, want) in [
        (NewChange { title: " ".to_owned(), ..base() }, "a change needs a title"),
        (NewChange { title: "x".repeat(201), ..base() }, "the title has 201 characters, 200 allowed"),
        (
            NewChange { url: Some("javascript:alert(1)".to_owned()), ..base() },
            "the url does not start with https:// or http://",
        ),
        (NewChange { detail: Some("a\0b".to_owned()), ..base() }, "the detail has a NUL character"),
    ] {
        assert_eq!(fixture.store.changes().add(new).await.unwrap_err().to_string(), want);
    }
}

#[tokio::test]
async fn settings_keep_any_small_json() {
    for fixture in Fixture::all().await {
        let settings = fixture.store.settings();
        assert_eq!(settings.get::<String>("language").await.unwrap(), None);
        settings.set("language", &"ja").await.unwrap();
        settings.set("language", &"日本語").await.unwrap();
        let map = BTreeMap::from([("a".to_owned(), 1.5), ("b".to_owned(), -2.0)]);
        settings.set("map", &map).await.unwrap();
        assert_eq!(settings.get::<String>("language").await.unwrap().as_deref(), Some("日本語"));
        assert_eq!(settings.get::<BTreeMap<String, f64>>("map").await.unwrap(), Some(map));
        assert!(matches!(settings.get::<u32>("map").await, Err(StoreError::Damaged { .. })));
        assert!(settings.delete("map").await.unwrap() && !settings.delete("map").await.unwrap());
        assert!(matches!(settings.set("big", &"x".repeat(70_000)).await, Err(StoreError::Refused(_))));
    }
}

#[tokio::test]
async fn a_deleted_service_keeps_the_moment_of_its_deletion() {
    for fixture in Fixture::all().await {
        let (removed, asked) = (fixture.store.removed_services(), fixture.clock.now());
        removed.set(&name("shop"), Removal::Deleting).await.unwrap();
        removed.set(&name("blog"), Removal::Hidden).await.unwrap();
        fixture.pass_seconds(60);
        removed.set(&name("shop"), Removal::Deleted).await.unwrap();
        let listed = removed.list().await.unwrap();
        assert_eq!((listed[0].name.as_str(), listed[0].state), ("blog", Removal::Hidden));
        assert_eq!((listed[1].state, listed[1].since), (Removal::Deleted, asked));
        removed.set(&name("shop"), Removal::Deleting).await.unwrap();
        assert_eq!(removed.list().await.unwrap()[1].since, fixture.clock.now(), "deleted a second time");
        assert!(removed.restore(&name("blog")).await.unwrap());
        assert_eq!(removed.list().await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn followed_files_are_changed_in_place() {
    for fixture in Fixture::all().await {
        let files = fixture.store.followed_files();
        files.follow("/var/log/nginx/access.log", &name("shop"), None, true).await.unwrap();
        files.follow("/var/log/nginx/access.log", &name("web"), Some("ltsv"), false).await.unwrap();
        let listed = files.list().await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!((listed[0].service.as_str(), listed[0].format.as_deref()), ("web", Some("ltsv")));
        assert!(!listed[0].from_start);
        assert!(matches!(files.follow("relative.log", &name("web"), None, false).await, Err(StoreError::Refused(_))));
        assert!(files.unfollow("/var/log/nginx/access.log").await.unwrap());
        assert!(files.list().await.unwrap().is_empty());
    }
}
