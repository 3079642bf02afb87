//! Silences, maintenances, overrides, and firings of which nobody was told.

use super::Fixture;
use super::firings::{fire, tell};
use crate::{Applied, FiringChange, FiringClass, HistoryKind, Matcher, StoreError};
use base::{TimeRange, Timestamp};

fn range(from: i64, to: i64) -> TimeRange {
    TimeRange { from: Timestamp::from_seconds(from), to: Timestamp::from_seconds(to) }
}

fn matcher(label: &str, value: &str) -> Matcher {
    Matcher { label: label.to_owned(), value: value.to_owned() }
}

#[tokio::test]
async fn a_silence_has_a_reason_an_end_and_something_it_is_about() {
    for fixture in Fixture::all().await {
        let silences = fixture.store.silences();
        let shop = [matcher("service", "shop")];
        for (case, matchers, from, to, reason) in [
            ("no matcher", &[][..], 1_000_000, 1_000_060, "x"),
            ("everything", &[matcher("service", "*")], 1_000_000, 1_000_060, "x"),
            ("no reason", &shop, 1_000_000, 1_000_060, " "),
            ("over already", &shop, 999_000, 1_000_000, "x"),
            ("ends before it begins", &shop, 1_000_060, 1_000_000, "x"),
            ("for ever", &shop, 1_000_000, 1_000_001 + 31 * 86_400, "x"),
        ] {
            let refused = silences.add(matchers, range(from, to), reason, "ann").await;
            assert!(matches!(refused, Err(StoreError::Refused(_))), "{case}");
        }
        let silence = silences.add(&shop, range(1_000_000, 1_000_600), "deploy", "ann").await.unwrap();
        let later = silences.add(&shop, range(1_001_000, 1_002_000), "again", "ann").await.unwrap();
        assert_eq!(silences.current().await.unwrap(), [silence.clone(), later.clone()]);
        fixture.pass_seconds(60);
        assert!(silences.end(silence.id).await.unwrap());
        assert!(!silences.end(silence.id).await.unwrap());
        assert_eq!(silences.current().await.unwrap(), [later]);
        assert_eq!(silences.within(range(1_000_030, 1_000_031)).await.unwrap().len(), 1, "it held then");
    }
}

#[tokio::test]
async fn maintenances_and_overrides_are_found_by_the_time_they_hold() {
    for fixture in Fixture::all().await {
        let (maintenances, overrides) = (fixture.store.maintenances(), fixture.store.rotation_overrides());
        let shop = "shop".parse().unwrap();
        let one = maintenances.add(Some(&shop), range(1_000_100, 1_000_200), "disk", "ann").await.unwrap();
        let all = maintenances.add(None, range(1_000_150, 1_000_300), "network", "ann").await.unwrap();
        assert_eq!(maintenances.within(range(1_000_200, 1_000_250)).await.unwrap(), std::slice::from_ref(&all));
        assert_eq!(maintenances.current().await.unwrap(), [one, all]);
        let first = overrides.add("web", "bob", range(1_000_100, 1_000_200), None, "ann").await.unwrap();
        overrides.add("db", "eve", range(1_000_100, 1_000_200), None, "ann").await.unwrap();
        fixture.pass_seconds(1);
        let second = overrides.add("web", "eve", range(1_000_150, 1_000_160), Some("dentist"), "bob").await.unwrap();
        assert_eq!(overrides.within("web", range(1_000_150, 1_000_151)).await.unwrap(), [first.clone(), second]);
        assert!(overrides.remove(first.id).await.unwrap() && !overrides.remove(first.id).await.unwrap());
    }
}

#[tokio::test]
async fn a_firing_that_was_kept_quiet_is_told_when_that_ends() {
    for fixture in Fixture::all().await {
        let firings = fixture.store.firings();
        let mut quiet = fire("burning", FiringClass::Alert, fixture.clock.now(), &[]);
        quiet.quiet = Some("silenced by ann: deploy".to_owned());
        quiet.escalate_at = Some(fixture.clock.now());
        let Applied::Fired(id) = firings.apply(&[FiringChange::Fire(quiet)]).await.unwrap()[0] else { panic!() };
        assert_eq!(firings.untold(10).await.unwrap()[0].quiet_reason.as_deref(), Some("silenced by ann: deploy"));
        assert!(firings.to_escalate(10).await.unwrap().is_empty(), "who was not told can't answer");
        assert!(firings.tell(id, &[tell("slack", fixture.clock.now())], None).await.unwrap());
        assert!(!firings.tell(id, &[tell("slack", fixture.clock.now())], None).await.unwrap(), "once");
        assert!(firings.untold(10).await.unwrap().is_empty());
        assert_eq!(fixture.store.outbox().of_firing(id).await.unwrap().len(), 1);
        let kinds: Vec<_> = firings.history(id).await.unwrap().into_iter().map(|entry| entry.kind).collect();
        let mut sorted = kinds.clone();
        sorted.sort();
        assert_eq!(sorted, [HistoryKind::Fired, HistoryKind::Quiet, HistoryKind::Told], "{kinds:?}");
        let silent = fixture.fired("other", FiringClass::Alert, &[]).await;
        fixture.resolved("other").await;
        assert!(fixture.store.outbox().of_firing(silent).await.unwrap().is_empty(), "nor of its end");
    }
}
