//! Firings, tickets, and what people do with them.

use super::Fixture;
use crate::{
    Applied, Fire, Firing, FiringChange, FiringClass, FiringScope, FiringState, FiringsQuery, HistoryKind, LinkKind,
    MessageKind, Outcome, PageKey, Progress, Resolve, StoreError, Tell, TicketsQuery,
};
use base::{Id, Timestamp};

pub(super) fn tell(channel: &str, at: Timestamp) -> Tell {
    Tell {
        channel: channel.to_owned(),
        kind: MessageKind::Fire,
        group: String::new(),
        not_before: at,
        payload: "{}".to_owned(),
    }
}

pub(super) fn fire(rule: &str, class: FiringClass, at: Timestamp, channels: &[&str]) -> Fire {
    Fire {
        rule: rule.to_owned(),
        spec: "spec-1".to_owned(),
        class,
        service: Some("shop".parse().unwrap()),
        series: String::new(),
        condition: "errors.ratio above 1 %".to_owned(),
        at,
        value: Some(0.1 + 0.2),
        threshold: Some(0.01),
        owner: Some("web-team".to_owned()),
        due_at: None,
        tell: channels.iter().map(|channel| tell(channel, at)).collect(),
        quiet: None,
        escalate_at: None,
    }
}

pub(super) fn resolve(rule: &str, at: Timestamp) -> FiringChange {
    FiringChange::Resolve(Resolve {
        rule: rule.to_owned(),
        series: String::new(),
        at,
        value: Some(0.0),
        payload: "{}".to_owned(),
    })
}

impl Fixture {
    pub(super) async fn fired(&self, rule: &str, class: FiringClass, channels: &[&str]) -> Id<Firing> {
        let change = FiringChange::Fire(fire(rule, class, self.clock.now(), channels));
        match self.store.firings().apply(&[change]).await.unwrap()[..] {
            [Applied::Fired(id) | Applied::FiredAgain(id)] => id,
            ref other => panic!("{other:?}"),
        }
    }

    pub(super) async fn resolved(&self, rule: &str) -> Applied {
        self.store.firings().apply(&[resolve(rule, self.clock.now())]).await.unwrap()[0]
    }

    pub(super) async fn firing(&self, id: Id<Firing>) -> Firing {
        self.store.firings().get(id).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_transition_written_twice_is_there_once() {
    for fixture in Fixture::all().await {
        let firings = fixture.store.firings();
        let change = FiringChange::Fire(fire("burning", FiringClass::Alert, fixture.clock.now(), &["slack", "mail"]));
        let first = firings.apply(std::slice::from_ref(&change)).await.unwrap();
        let again = firings.apply(&[change]).await.unwrap();
        let (Applied::Fired(id), Applied::AlreadyOpen(same)) = (first[0], again[0]) else { panic!("{again:?}") };
        assert_eq!(id, same);
        assert_eq!(fixture.store.outbox().of_firing(id).await.unwrap().len(), 2);
        let firing = fixture.firing(id).await;
        assert_eq!((firing.value, firing.threshold), (Some(0.1 + 0.2), Some(0.01)), "to the last bit");
        assert_eq!((firing.state, firing.told, firing.times), (FiringState::Open, true, 1));
        assert_eq!(firing.progress, None, "an alert is no ticket");
        fixture.pass_seconds(60);
        assert_eq!(fixture.resolved("burning").await, Applied::Resolved(id));
        assert_eq!(fixture.resolved("burning").await, Applied::NotOpen);
        let next = fixture.fired("burning", FiringClass::Alert, &["slack"]).await;
        assert_ne!(next, id, "an alert that comes back is a new one");
        let kinds: Vec<_> = firings.history(id).await.unwrap().into_iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [HistoryKind::Fired, HistoryKind::Resolved]);
    }
}

#[tokio::test]
async fn one_bad_message_takes_the_whole_transaction_with_it() {
    for fixture in Fixture::all().await {
        let firings = fixture.store.firings();
        let good = fire("good", FiringClass::Alert, fixture.clock.now(), &["slack"]);
        let mut bad = fire("bad", FiringClass::Alert, fixture.clock.now(), &["slack"]);
        bad.tell[0].payload = "x".repeat(70_000);
        let both = [FiringChange::Fire(good), FiringChange::Fire(bad)];
        assert!(matches!(firings.apply(&both).await, Err(StoreError::Refused(_))));
        assert!(firings.open().await.unwrap().is_empty());
        assert!(fixture.store.outbox().list(None, 10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_ticket_that_comes_and_goes_is_one_ticket() {
    for fixture in Fixture::all().await {
        let firings = fixture.store.firings();
        let id = fixture.fired("slow", FiringClass::Ticket, &["github"]).await;
        let due = fixture.firing(id).await.due_at.unwrap();
        assert_eq!(due, fixture.clock.now().plus_seconds(7 * 86_400), "a ticket always has a date");
        fixture.resolved("slow").await;
        let ended = fixture.firing(id).await;
        assert_eq!((ended.progress, ended.outcome), (Some(Progress::Done), Some(Outcome::ResolvedByItself)));
        assert_eq!((ended.done_by, ended.outcome_by), (None, None));
        fixture.pass_seconds(6 * 86_400);
        assert_eq!(fixture.fired("slow", FiringClass::Ticket, &["github"]).await, id);
        let back = fixture.firing(id).await;
        assert_eq!((back.times, back.progress, back.outcome), (2, Some(Progress::Open), None));
        assert!(firings.set_progress(id, Progress::InProgress, "ann").await.unwrap());
        assert!(!firings.set_progress(id, Progress::InProgress, "ann").await.unwrap(), "it is that far already");
        fixture.resolved("slow").await;
        assert_eq!(fixture.firing(id).await.progress, Some(Progress::InProgress), "theirs to close");
        assert_eq!(fixture.fired("slow", FiringClass::Ticket, &["github"]).await, id);
        assert!(firings.set_progress(id, Progress::Done, "ann").await.unwrap());
        fixture.resolved("slow").await;
        let new = fixture.fired("slow", FiringClass::Ticket, &["github"]).await;
        assert_ne!(new, id, "what a person closed stays closed");
        fixture.resolved("slow").await;
        fixture.pass_seconds(8 * 86_400);
        assert_ne!(fixture.fired("slow", FiringClass::Ticket, &["github"]).await, new, "long ago");
    }
}

#[tokio::test]
async fn the_first_who_acknowledges_stops_the_escalation() {
    for fixture in Fixture::all().await {
        let (firings, now) = (fixture.store.firings(), fixture.clock.now());
        let mut alert = fire("burning", FiringClass::Alert, now, &["slack"]);
        alert.escalate_at = Some(now.plus_seconds(600));
        let Applied::Fired(id) = firings.apply(&[FiringChange::Fire(alert)]).await.unwrap()[0] else { panic!() };
        assert!(firings.to_escalate(10).await.unwrap().is_empty(), "not yet");
        fixture.pass_seconds(600);
        assert_eq!(firings.to_escalate(10).await.unwrap()[0].id, id);
        let next = Some(fixture.clock.now().plus_seconds(600));
        let step = Tell { kind: MessageKind::Escalate, ..tell("phone", fixture.clock.now()) };
        assert!(firings.escalate(id, 0, std::slice::from_ref(&step), next).await.unwrap());
        assert!(!firings.escalate(id, 0, std::slice::from_ref(&step), next).await.unwrap(), "that step is taken");
        assert!(firings.acknowledge(id, "ann").await.unwrap());
        assert!(!firings.acknowledge(id, "bob").await.unwrap());
        fixture.pass_seconds(600);
        assert!(firings.to_escalate(10).await.unwrap().is_empty());
        assert!(!firings.escalate(id, 1, &[step], None).await.unwrap(), "somebody is on it");
        let firing = fixture.firing(id).await;
        assert_eq!((firing.acknowledged_by.as_deref(), firing.escalation_level), (Some("ann"), 1));
        assert!(!firings.acknowledge(Id::generate(), "ann").await.unwrap(), "unknown");
    }
}

#[tokio::test]
async fn notes_outcomes_owners_and_links_are_history() {
    for fixture in Fixture::all().await {
        let firings = fixture.store.firings();
        let id = fixture.fired("burning", FiringClass::Alert, &["slack"]).await;
        let other = fixture.fired("slow", FiringClass::Ticket, &[]).await;
        fixture.pass_seconds(1);
        assert!(firings.add_note(id, "ann", "ロールバックした").await.unwrap());
        fixture.pass_seconds(1);
        let unexplained = firings.set_outcome(id, Outcome::NoActionNeeded, Some(" "), "ann").await;
        assert_eq!(unexplained.unwrap_err().to_string(), "say in a few words why no action was needed");
        assert!(firings.set_outcome(id, Outcome::Acted, Some("rolled back"), "ann").await.unwrap());
        assert!(!firings.set_healed(id, "restarted").await.unwrap(), "a person's word stays");
        fixture.pass_seconds(1);
        assert!(firings.assign(id, "bob", "ann").await.unwrap());
        fixture.pass_seconds(1);
        assert!(firings.link(id, LinkKind::Firing, &other.to_string(), Some("ann")).await.unwrap());
        assert!(!firings.link(id, LinkKind::Firing, &other.to_string(), Some("bob")).await.unwrap(), "linked already");
        for (kind, target) in [
            (LinkKind::Url, "javascript:alert(1)"),
            (LinkKind::Firing, "7"),
            (LinkKind::Issue, "shop#x"),
            (LinkKind::Issue, "a/b/c#1"),
            (LinkKind::ErrorGroup, ""),
        ] {
            assert!(matches!(firings.link(id, kind, target, None).await, Err(StoreError::Refused(_))), "{target:?}");
        }
        assert_eq!(firings.linked_to(LinkKind::Firing, &other.to_string()).await.unwrap(), [id]);
        let history = firings.history(id).await.unwrap();
        let told: Vec<_> = history.iter().map(|e| (e.kind, e.who.as_deref(), e.detail.as_deref())).collect();
        let link = format!("firing: {other}");
        assert_eq!(
            told,
            [
                (HistoryKind::Fired, None, None),
                (HistoryKind::Note, Some("ann"), Some("ロールバックした")),
                (HistoryKind::Outcome, Some("ann"), Some("acted: rolled back")),
                (HistoryKind::Assigned, Some("ann"), Some("bob")),
                (HistoryKind::Linked, Some("ann"), Some(link.as_str())),
            ]
        );
        let firing = fixture.firing(id).await;
        assert_eq!((firing.notes, firing.owner.as_deref(), firing.outcome), (1, Some("bob"), Some(Outcome::Acted)));
        assert!(firings.unlink(id, LinkKind::Firing, &other.to_string()).await.unwrap());
        assert!(firings.links(id).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn tickets_are_listed_by_due_date_page_by_page() {
    for fixture in Fixture::all().await {
        let (firings, now) = (fixture.store.firings(), fixture.clock.now());
        let mut ids = Vec::new();
        for (number, days) in [(0, 3), (1, 1), (2, 2), (3, 2)] {
            let ticket = Fire {
                due_at: Some(now.plus_seconds(days * 86_400)),
                ..fire(&format!("slow-{number}"), FiringClass::Ticket, now, &[])
            };
            let Applied::Fired(id) = firings.apply(&[FiringChange::Fire(ticket)]).await.unwrap()[0] else { panic!() };
            ids.push(id);
        }
        let mut seen = Vec::new();
        let mut page = firings.tickets(TicketsQuery::ToDo, None, 1).await.unwrap();
        loop {
            seen.extend(page.firings.iter().map(|ticket| ticket.id));
            let Some(next) = page.next else { break };
            let next: PageKey = next.to_string().parse().unwrap();
            page = firings.tickets(TicketsQuery::ToDo, Some(&next), 1).await.unwrap();
        }
        assert_eq!(seen, [ids[1], ids[2], ids[3], ids[0]]);
        fixture.pass_seconds(86_401);
        let overdue = firings.tickets(TicketsQuery::Overdue, None, 10).await.unwrap();
        assert_eq!(overdue.firings.iter().map(|ticket| ticket.id).collect::<Vec<_>>(), [ids[1]]);
        assert!(overdue.firings[0].is_overdue(fixture.clock.now()));
        assert!(firings.set_due(ids[1], fixture.clock.now().plus_seconds(9), "ann").await.unwrap());
        assert!(firings.tickets(TicketsQuery::Overdue, None, 10).await.unwrap().firings.is_empty());
        firings.set_progress(ids[1], Progress::Done, "ann").await.unwrap();
        assert_eq!(firings.tickets(TicketsQuery::ToDo, None, 10).await.unwrap().firings.len(), 3);
        let alert = fixture.fired("burning", FiringClass::Alert, &[]).await;
        assert!(!firings.set_progress(alert, Progress::Done, "ann").await.unwrap(), "no ticket");
    }
}

#[tokio::test]
async fn pages_can_begin_at_a_moment_of_the_past() {
    for fixture in Fixture::all().await {
        let (firings, mut made) = (fixture.store.firings(), Vec::new());
        for number in 0..6 {
            made.push(fixture.fired(&format!("rule-{number}"), FiringClass::Alert, &[]).await);
            // Two at each moment: none of them lies before it.
            fixture.pass_seconds(i64::from(number % 2 == 1));
        }
        let moment = |second: i64| Timestamp::from_seconds(1_000_000 + second);
        for (case, at, want) in [
            ("after the last", moment(3), &made[..]),
            ("at the last", moment(2), &made[..4]),
            ("in between", moment(2).plus_micros(-1), &made[..4]),
            ("at the first", moment(0), &made[..0]),
        ] {
            let scope = FiringScope::Class(FiringClass::Alert);
            let query = FiringsQuery { scope, state: None, page: Some(PageKey::before(at)), limit: 10 };
            let mut found: Vec<_> = firings.list(&query).await.unwrap().firings.iter().map(|one| one.id).collect();
            found.sort_by_key(ToString::to_string);
            let mut want = want.to_vec();
            want.sort_by_key(ToString::to_string);
            assert_eq!(found, want, "{case}");
        }
    }
}

#[tokio::test]
async fn pages_go_through_all_firings_once() {
    for fixture in Fixture::all().await {
        let firings = fixture.store.firings();
        let mut made = Vec::new();
        for number in 0..7 {
            let rule = format!("rule-{}", number % 2);
            made.push(fixture.fired(&rule, FiringClass::Alert, &[]).await);
            if number != 6 {
                fixture.resolved(&rule).await;
            }
            // Some share a moment: the id decides.
            fixture.pass_seconds(i64::from(number % 3 == 0));
        }
        made.reverse();
        let shop = "shop".parse().unwrap();
        for (case, scope, state, want) in [
            ("all", FiringScope::Class(FiringClass::Alert), None, made.clone()),
            ("open", FiringScope::Class(FiringClass::Alert), Some(FiringState::Open), made[..1].to_vec()),
            ("over", FiringScope::Service(FiringClass::Alert, shop), Some(FiringState::Resolved), made[1..].to_vec()),
            ("tickets", FiringScope::Class(FiringClass::Ticket), None, Vec::new()),
            ("rule", FiringScope::Rule("rule-1".to_owned()), None, vec![made[1], made[3], made[5]]),
        ] {
            let (mut query, mut seen) = (FiringsQuery { scope, state, page: None, limit: 2 }, Vec::new());
            loop {
                let page = firings.list(&query).await.unwrap();
                seen.extend(page.firings.iter().map(|firing| firing.id));
                query.page = page.next;
                if query.page.is_none() {
                    break;
                }
            }
            assert_eq!(seen, want, "{case}");
        }
        assert!("1_; DROP TABLE".parse::<PageKey>().is_err());
    }
}

#[tokio::test]
async fn what_ended_long_ago_goes_and_what_is_open_stays() {
    for fixture in Fixture::all().await {
        let old = fixture.fired("old", FiringClass::Alert, &["slack"]).await;
        fixture.resolved("old").await;
        let open = fixture.fired("open", FiringClass::Alert, &["slack"]).await;
        let ticket = fixture.fired("ticket", FiringClass::Ticket, &[]).await;
        fixture.store.firings().set_progress(ticket, Progress::InProgress, "ann").await.unwrap();
        fixture.resolved("ticket").await;
        fixture.pass_seconds(401 * 86_400);
        fixture.store.firings().tidy().await.unwrap();
        assert!(fixture.store.firings().get(old).await.unwrap().is_none());
        assert!(fixture.store.outbox().of_firing(old).await.unwrap().is_empty());
        assert_eq!(fixture.firing(open).await.state, FiringState::Open);
        assert_eq!(fixture.firing(ticket).await.progress, Some(Progress::InProgress));
    }
}
