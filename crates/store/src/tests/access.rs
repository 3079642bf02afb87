//! Who gets in and who does not.

use super::Fixture;
use crate::{PasswordError, Scope, StoreError};
use base::{Id, Secret};

const RIGHT: &str = "correct horse battery";

#[tokio::test]
async fn only_the_right_password_lets_in() {
    for fixture in Fixture::all().await {
        fixture.user("ann", RIGHT).await;
        fixture.store.users().create("bob").await.unwrap();
        let users = fixture.store.users();
        for (case, name, password, want) in [
            ("right", "ann", RIGHT, true),
            ("wrong", "ann", "wrong horse battery", false),
            ("empty", "ann", "", false),
            ("unknown user", "eve", RIGHT, false),
            ("user without a password", "bob", RIGHT, false),
            ("user without a password, empty", "bob", "", false),
            ("SQL in the name", "ann' OR '1'='1", RIGHT, false),
        ] {
            let found = users.verify_password(name, &Secret::new(password)).await.unwrap();
            assert_eq!(found.is_some(), want, "{case}");
        }
    }
}

#[tokio::test]
async fn a_password_that_is_too_short_is_refused_with_the_reason() {
    for fixture in Fixture::all().await {
        let user = fixture.store.users().create("ann").await.unwrap();
        let error = fixture.store.users().set_password(user.id, &Secret::new("short"), None).await.unwrap_err();
        assert_eq!(error.to_string(), "the password has 5 characters; use at least 12");
        let nobody = fixture.store.users().set_password(Id::generate(), &Secret::new(RIGHT), None).await;
        assert!(matches!(nobody, Err(PasswordError::NoSuchUser)));
    }
}

#[tokio::test]
async fn changing_the_password_ends_the_other_sessions_and_links() {
    for fixture in Fixture::all().await {
        let store = &fixture.store;
        let (ann, bob) = (fixture.user("ann", RIGHT).await, fixture.user("bob", RIGHT).await);
        let (mine, my_session) = store.sessions().start(&ann, "127.0.0.1").await.unwrap();
        let (other, _) = store.sessions().start(&ann, "10.0.0.9").await.unwrap();
        let (bobs, _) = store.sessions().start(&bob, "10.0.0.2").await.unwrap();
        let link = store.links().create(ann.id).await.unwrap();
        let new = Secret::new("another long password");
        store.users().set_password(ann.id, &new, Some(my_session.id)).await.unwrap();
        for (case, secret, want) in [("mine", &mine, true), ("my other", &other, false), ("bob's", &bobs, true)] {
            assert_eq!(store.sessions().find(secret.reveal()).await.unwrap().is_some(), want, "{case}");
        }
        assert_eq!(store.links().redeem(link.reveal()).await.unwrap(), None);
        assert!(store.users().verify_password("ann", &Secret::new(RIGHT)).await.unwrap().is_none());
        assert!(store.users().verify_password("ann", &new).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_session_survives_a_restart_and_ends_when_idle() {
    for fixture in Fixture::all().await {
        let ann = fixture.user("ann", RIGHT).await;
        let (secret, session) = fixture.store.sessions().start(&ann, "127.0.0.1").await.unwrap();
        fixture.pass_seconds(7 * 3600);
        let found = fixture.store.sessions().find(secret.reveal()).await.unwrap().unwrap();
        assert_eq!((found.id, found.user.as_str()), (session.id, "ann"));
        let fixture = fixture.reopen().await;
        fixture.pass_seconds(7 * 3600);
        assert!(fixture.store.sessions().find(secret.reveal()).await.unwrap().is_some(), "used 7 h ago");
        fixture.pass_seconds(8 * 3600);
        assert!(fixture.store.sessions().find(secret.reveal()).await.unwrap().is_none(), "idle");
        assert!(fixture.store.sessions().list(ann.id).await.unwrap().is_empty());
        assert!(fixture.store.sessions().find("guess").await.unwrap().is_none());
    }
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one() {
    for fixture in Fixture::all().await {
        let sessions = fixture.store.sessions();
        let ann = fixture.user("ann", RIGHT).await;
        let (first, _) = sessions.start(&ann, "10.0.0.1").await.unwrap();
        fixture.pass_seconds(1);
        let (second, newest) = sessions.start(&ann, "10.0.0.2").await.unwrap();
        let listed: Vec<_> = sessions.list(ann.id).await.unwrap().into_iter().map(|s| s.address).collect();
        assert_eq!(listed, ["10.0.0.2", "10.0.0.1"]);
        assert!(sessions.end(newest.id).await.unwrap());
        assert!(!sessions.end(newest.id).await.unwrap(), "ended already");
        assert!(sessions.find(second.reveal()).await.unwrap().is_none());
        assert!(sessions.find(first.reveal()).await.unwrap().is_some());
        sessions.end_all(ann.id, None).await.unwrap();
        assert!(sessions.find(first.reveal()).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_full_disk_lets_people_in_and_out() {
    let fixture = Fixture::sqlite().await;
    let store = &fixture.store;
    let ann = fixture.user("ann", RIGHT).await;
    let (before, old) = store.sessions().start(&ann, "127.0.0.1").await.unwrap();
    fixture.fill_disk().await;
    let long = "x".repeat(3000);
    assert!(matches!(store.settings().set("more", &long).await, Err(StoreError::Full)));
    assert!(store.users().verify_password("ann", &Secret::new(RIGHT)).await.unwrap().is_some());
    assert!(store.sessions().find(before.reveal()).await.unwrap().is_some());
    // Enough sessions that the table needs a new page, which it cannot have.
    let mut secrets = Vec::new();
    for _ in 0..40 {
        secrets.push(store.sessions().start(&ann, "10.0.0.1").await.unwrap());
    }
    for (secret, session) in &secrets {
        assert_eq!(store.sessions().find(secret.reveal()).await.unwrap().map(|s| s.id), Some(session.id));
    }
    assert_eq!(store.sessions().list(ann.id).await.unwrap().len(), 41);
    assert!(store.sessions().end(old.id).await.unwrap());
    let (last, session) = &secrets[39];
    assert!(store.sessions().end(session.id).await.unwrap());
    assert!(store.sessions().find(last.reveal()).await.unwrap().is_none());
    fixture.free_disk().await;
    store.settings().set("more", &long).await.unwrap();
    let row = store.db.fetch_one("SELECT COUNT(*) FROM sessions", Vec::new()).await.unwrap().unwrap();
    assert!(row.int(0).unwrap() < 41, "some were in memory only");
}

#[tokio::test]
async fn a_link_works_once_within_an_hour() {
    for fixture in Fixture::all().await {
        let (links, user) = (fixture.store.links(), fixture.store.users().create("admin").await.unwrap());
        let secret = links.create(user.id).await.unwrap();
        assert_eq!(links.redeem("guess").await.unwrap(), None);
        assert_eq!(links.redeem(secret.reveal()).await.unwrap(), Some(user.id));
        assert_eq!(links.redeem(secret.reveal()).await.unwrap(), None, "used");
        let late = links.create(user.id).await.unwrap();
        fixture.pass_seconds(3600);
        assert_eq!(links.redeem(late.reveal()).await.unwrap(), None, "expired");
        let (old, new) = (links.create(user.id).await.unwrap(), links.create(user.id).await.unwrap());
        assert_eq!(links.redeem(old.reveal()).await.unwrap(), None, "replaced");
        assert_eq!(links.redeem(new.reveal()).await.unwrap(), Some(user.id));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_use_a_link_at_once_one_gets_in() {
    for fixture in Fixture::all().await {
        let user = fixture.store.users().create("admin").await.unwrap();
        let secret = fixture.store.links().create(user.id).await.unwrap();
        let mut tries = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (links, secret) = (fixture.store.links(), secret.clone());
            tries.spawn(async move { links.redeem(secret.reveal()).await.unwrap() });
        }
        let winners = tries.join_all().await.into_iter().flatten().count();
        assert_eq!(winners, 1);
    }
}

#[tokio::test]
async fn a_token_is_shown_once_and_gone_when_deleted() {
    for fixture in Fixture::all().await {
        let tokens = fixture.store.tokens();
        assert!(!tokens.any_created().await.unwrap());
        let (secret, token) = tokens.create("shipper", Scope::Ingest).await.unwrap();
        assert!(secret.reveal().starts_with(&token.prefix) && token.prefix.len() == 10, "{}", token.prefix);
        let found = tokens.verify(secret.reveal()).await.unwrap().unwrap();
        assert_eq!((found.id, found.scope), (token.id, Scope::Ingest));
        assert!(tokens.verify("koshu_guess").await.unwrap().is_none());
        assert!(tokens.verify(&secret.reveal()[6..]).await.unwrap().is_none());
        let fixture = fixture.reopen().await;
        let tokens = fixture.store.tokens();
        let listed = tokens.list().await.unwrap();
        assert_eq!(listed[0].last_used_at, Some(fixture.clock.now()), "written at the latest when closing");
        assert!(tokens.delete(token.id).await.unwrap());
        assert!(tokens.verify(secret.reveal()).await.unwrap().is_none());
        assert!(tokens.any_created().await.unwrap(), "deleting does not open the door again");
        assert!(matches!(tokens.create("  ", Scope::Read).await, Err(StoreError::Refused(_))));
    }
}

#[tokio::test]
async fn the_admin_token_file_is_made_once_and_private() {
    use std::os::unix::fs::PermissionsExt as _;
    for fixture in Fixture::all().await {
        let (tokens, folder) = (fixture.store.tokens(), fixture.folder.path());
        std::fs::write(folder.join("admin.token"), "left by a crash").unwrap();
        let path = tokens.ensure_admin_file(folder).await.unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let secret = std::fs::read_to_string(&path).unwrap();
        let token = tokens.verify(secret.trim()).await.unwrap().unwrap();
        assert_eq!(token.scope, Scope::Admin);
        assert!(!tokens.any_created().await.unwrap(), "nobody asked for it, so sending stays open");
        std::fs::remove_file(&path).unwrap();
        tokens.ensure_admin_file(folder).await.unwrap();
        assert!(!path.exists(), "whoever deleted it wanted it gone");
    }
}
