//! Messages on their way.

use super::Fixture;
use super::firings::{fire, resolve, tell};
use crate::{Applied, Batch, Delivery, FiringChange, FiringClass, MessageKind, MessageState};
use base::{Id, Span};

const LEASE: Span = Span::from_seconds(30);

impl Fixture {
    async fn claim(&self, channel: &str) -> Option<Batch> {
        self.store.outbox().claim(channel, LEASE).await.unwrap()
    }

    async fn only(&self, channel: &str) -> Delivery {
        let mut all = self.store.outbox().list(None, 100).await.unwrap();
        all.retain(|delivery| delivery.channel == channel);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }
}

#[tokio::test]
async fn a_message_is_taken_by_one_and_again_when_that_one_dies() {
    for fixture in Fixture::all().await {
        fixture.fired("burning", FiringClass::Alert, &["slack"]).await;
        let first = fixture.claim("slack").await.unwrap();
        assert_eq!((first.messages.len(), first.attempts(), first.kind), (1, 1, MessageKind::Fire));
        assert_eq!(fixture.claim("slack").await, None, "taken");
        assert_eq!(fixture.claim("mail").await, None, "another channel");
        fixture.pass_seconds(29);
        assert_eq!(fixture.claim("slack").await, None, "within the lease");
        fixture.pass_seconds(1);
        let second = fixture.claim("slack").await.unwrap();
        assert_eq!((second.id, second.attempts()), (first.id, 2), "the receiver knows it by its id");
        // The first one was only slow: it did send.
        fixture.store.outbox().delivered(&first, None).await.unwrap();
        fixture.store.outbox().retry(&second, fixture.clock.now(), "late").await.unwrap();
        fixture.pass_seconds(60);
        assert_eq!(fixture.claim("slack").await, None);
        assert_eq!(fixture.only("slack").await.state, MessageState::Delivered);
    }
}

#[tokio::test]
async fn what_a_dead_process_had_in_hand_is_sent_again_at_once_and_with_the_same_id() {
    for fixture in Fixture::all().await {
        fixture.fired("burning", FiringClass::Alert, &["slack"]).await;
        let first = fixture.claim("slack").await.unwrap();
        assert_eq!(fixture.store.outbox().give_back_all().await.unwrap(), 1);
        let second = fixture.claim("slack").await.unwrap();
        assert_eq!((second.id, second.attempts()), (first.id, 2));
        // Should the dead one live after all, its word still counts.
        fixture.store.outbox().delivered(&first, None).await.unwrap();
        assert_eq!(fixture.only("slack").await.state, MessageState::Delivered);
        assert_eq!(fixture.store.outbox().give_back_all().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_holds_nothing_up() {
    for fixture in Fixture::all().await {
        fixture.fired("burning", FiringClass::Alert, &["slack"]).await;
        fixture.claim("slack").await.unwrap();
        fixture.pass_seconds(-86_400);
        assert!(fixture.claim("slack").await.is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_claim_at_once_each_gets_what_nobody_else_has() {
    for fixture in Fixture::all().await {
        for number in 0..40 {
            let mut one = fire(&format!("rule-{number}"), FiringClass::Alert, fixture.clock.now(), &["slack"]);
            one.tell[0].group = format!("group-{}", number % 10);
            fixture.store.firings().apply(&[FiringChange::Fire(one)]).await.unwrap();
        }
        let mut senders = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let outbox = fixture.store.outbox();
            senders.spawn(async move {
                let mut got = Vec::new();
                for _ in 0..20 {
                    if let Some(batch) = outbox.claim("slack", LEASE).await.unwrap() {
                        got.extend(batch.messages.into_iter().map(|message| message.id.to_string()));
                    }
                }
                got
            });
        }
        let mut all: Vec<String> = senders.join_all().await.concat();
        all.sort();
        let count = all.len();
        all.dedup();
        assert_eq!((all.len(), count), (40, 40));
    }
}

#[tokio::test]
async fn messages_of_a_group_that_wait_together_go_together_and_stay_together() {
    for fixture in Fixture::all().await {
        for (rule, group) in [("a", "shop"), ("b", "shop"), ("c", "blog")] {
            let mut one = fire(rule, FiringClass::Alert, fixture.clock.now(), &["slack"]);
            one.tell[0].group = group.to_owned();
            fixture.store.firings().apply(&[FiringChange::Fire(one)]).await.unwrap();
        }
        let shop = fixture.claim("slack").await.unwrap();
        assert_eq!(shop.messages.len(), 2);
        assert_eq!(fixture.claim("slack").await.unwrap().messages.len(), 1, "the other group");
        let at = fixture.clock.now().plus_seconds(10);
        fixture.store.outbox().retry(&shop, at, "503").await.unwrap();
        let mut late = fire("d", FiringClass::Alert, fixture.clock.now(), &["slack"]);
        late.tell[0].group = "shop".to_owned();
        fixture.store.firings().apply(&[FiringChange::Fire(late)]).await.unwrap();
        assert_eq!(fixture.claim("slack").await.unwrap().messages.len(), 1, "who comes later is not added");
        assert_eq!(fixture.store.outbox().next_at("slack").await.unwrap(), Some(at));
        fixture.pass_seconds(10);
        let again = fixture.claim("slack").await.unwrap();
        assert_eq!((again.id, again.messages.len()), (shop.id, 2));
    }
}

#[tokio::test]
async fn what_nobody_was_told_is_told_with_its_end_in_one_message() {
    for fixture in Fixture::all().await {
        let id = fixture.fired("burning", FiringClass::Alert, &["slack", "mail", "pager", "dead"]).await;
        let mail = fixture.claim("mail").await.unwrap();
        fixture.store.outbox().delivered(&mail, None).await.unwrap();
        let pager = fixture.claim("pager").await.unwrap();
        let dead = fixture.claim("dead").await.unwrap();
        fixture.store.outbox().give_up(&dead, "404").await.unwrap();
        assert_eq!(fixture.resolved("burning").await, Applied::Resolved(id));
        let slack = fixture.claim("slack").await.unwrap();
        assert_eq!((slack.kind, slack.messages.len(), slack.messages[0].folds), (MessageKind::Resolve, 1, true));
        let mail = fixture.claim("mail").await.unwrap();
        assert_eq!((mail.kind, mail.messages[0].folds), (MessageKind::Resolve, false));
        assert_eq!(fixture.claim("pager").await, None, "the end waits until the beginning is booked");
        fixture.store.outbox().delivered(&pager, None).await.unwrap();
        let end = fixture.claim("pager").await.unwrap();
        assert_eq!((end.kind, end.messages[0].folds), (MessageKind::Resolve, false));
        assert_eq!(fixture.claim("dead").await, None, "who knows nothing of it needn't hear of its end");
        let states: Vec<_> = fixture.store.outbox().of_firing(id).await.unwrap();
        let slack: Vec<_> = states.iter().filter(|d| d.channel == "slack").map(|d| (d.kind, d.state)).collect();
        assert_eq!(slack, [(MessageKind::Fire, MessageState::Folded), (MessageKind::Resolve, MessageState::Pending)]);
    }
}

#[tokio::test]
async fn a_ticket_that_fires_again_is_told_anew() {
    for fixture in Fixture::all().await {
        let id = fixture.fired("slow", FiringClass::Ticket, &["github"]).await;
        let mut kinds = Vec::new();
        for _ in 0..2 {
            let opened = fixture.claim("github").await.unwrap();
            fixture.store.outbox().delivered(&opened, Some("example/shop#7")).await.unwrap();
            fixture.resolved("slow").await;
            let closed = fixture.claim("github").await.unwrap();
            fixture.store.outbox().delivered(&closed, Some("example/shop#7")).await.unwrap();
            kinds.extend([opened.kind, closed.kind]);
            fixture.fired("slow", FiringClass::Ticket, &["github"]).await;
        }
        assert_eq!(kinds, [MessageKind::Fire, MessageKind::Resolve, MessageKind::Fire, MessageKind::Resolve]);
        let links = fixture.store.firings().links(id).await.unwrap();
        assert_eq!(links.iter().map(|link| link.target.as_str()).collect::<Vec<_>>(), ["example/shop#7"]);
    }
}

#[tokio::test]
async fn a_channel_that_fails_and_returns_gets_everything_at_once() {
    for fixture in Fixture::all().await {
        let outbox = fixture.store.outbox();
        fixture.fired("a", FiringClass::Alert, &["slack"]).await;
        let b = fixture.fired("b", FiringClass::Alert, &["slack"]).await;
        let began = fixture.clock.now();
        // Both are tried and fail; they belong to one group, so they go as one.
        let batch = fixture.claim("slack").await.unwrap();
        outbox.retry(&batch, began.plus_seconds(600), "503").await.unwrap();
        fixture.pass_seconds(60);
        fixture.fired("c", FiringClass::Alert, &["slack"]).await;
        let state = outbox.channels().await.unwrap().remove(0);
        assert_eq!((state.failing_since, state.last_error.as_deref()), (Some(began), Some("503")));
        let stuck = outbox.stuck("slack").await.unwrap();
        assert_eq!(stuck.len(), 3);
        let next = tell("mail", fixture.clock.now());
        let of_b = stuck.iter().find(|one| one.firing == b).unwrap();
        assert!(outbox.fall_back(of_b, &next).await.unwrap());
        assert!(!outbox.fall_back(of_b, &next).await.unwrap(), "told elsewhere already");
        assert_eq!(outbox.stuck("slack").await.unwrap().len(), 2);
        assert_eq!(fixture.claim("mail").await.unwrap().messages[0].firing, Some(b));
        let probe = fixture.claim("slack").await.unwrap();
        assert_eq!(probe.messages.len(), 1, "c, which was not tried yet");
        outbox.delivered(&probe, None).await.unwrap();
        let rest = fixture.claim("slack").await.expect("at once, not after the back-off");
        assert_eq!((rest.id, rest.messages.len()), (batch.id, 2));
        outbox.delivered(&rest, None).await.unwrap();
        assert_eq!(fixture.claim("slack").await, None, "once each");
        let states = outbox.channels().await.unwrap();
        assert_eq!((states[0].failing_since, states[0].last_success_at), (None, Some(fixture.clock.now())));
        assert!(outbox.waiting_channels().await.unwrap().contains(&"mail".to_owned()));
    }
}

#[tokio::test]
async fn a_test_counts_when_a_person_says_that_it_arrived() {
    for fixture in Fixture::all().await {
        let outbox = fixture.store.outbox();
        let first = outbox.add_test("slack", "{}").await.unwrap();
        let test = outbox.add_test("slack", "{}").await.unwrap();
        for _ in 0..2 {
            let batch = fixture.claim("slack").await.unwrap();
            assert_eq!((batch.kind, batch.messages.len(), batch.messages[0].firing), (MessageKind::Test, 1, None));
            outbox.delivered(&batch, None).await.unwrap();
        }
        assert_eq!(outbox.channels().await.unwrap()[0].test_acknowledged_at, None);
        assert_eq!(outbox.acknowledge_test(Id::generate(), "ann").await.unwrap(), None);
        assert_eq!(outbox.acknowledge_test(first, "ann").await.unwrap(), None, "not the last one");
        assert_eq!(outbox.acknowledge_test(test, "ann").await.unwrap().as_deref(), Some("slack"));
        let state = outbox.channels().await.unwrap().remove(0);
        assert_eq!(state.test_acknowledged_by.as_deref(), Some("ann"));
    }
}

#[tokio::test]
async fn a_test_stands_for_itself_whatever_else_its_channel_says() {
    for fixture in Fixture::all().await {
        let outbox = fixture.store.outbox();
        let at = async |id: Id<crate::Message>| {
            let test = outbox.test(id).await.unwrap().unwrap();
            (test.state, test.last_error, test.acknowledged_by)
        };
        let id = outbox.add_test("slack", "{}").await.unwrap();
        assert_eq!(at(id).await, (MessageState::Pending, None, None), "not tried yet");
        let batch = fixture.claim("slack").await.unwrap();
        let later = fixture.clock.now().plus_seconds(5);
        outbox.retry(&batch, later, "HTTP 503").await.unwrap();
        assert_eq!(at(id).await, (MessageState::Pending, Some("HTTP 503".to_owned()), None), "tried again");
        let second = outbox.add_test("slack", "{}").await.unwrap();
        assert_eq!(at(second).await.1.as_deref(), Some("HTTP 503"), "it has to wait because of the first");
        fixture.pass_seconds(5);
        for (want, error) in [(second, Some("HTTP 404")), (id, None)] {
            let batch = fixture.claim("slack").await.unwrap();
            assert_eq!(batch.messages[0].id, want);
            match error {
                None => outbox.delivered(&batch, None).await.unwrap(),
                Some(error) => outbox.give_up(&batch, error).await.unwrap(),
            }
        }
        assert_eq!(at(id).await, (MessageState::Delivered, None, None), "the other one's refusal is not its own");
        assert_eq!(at(second).await, (MessageState::GivenUp, Some("HTTP 404".to_owned()), None), "nor the success");
        fixture.pass_seconds(5);
        let third = outbox.add_test("slack", "{}").await.unwrap();
        outbox.acknowledge_test(third, "ann").await.unwrap();
        assert_eq!(at(third).await.2.as_deref(), Some("ann"));
        assert_eq!(at(second).await.2, None, "only the last one was seen");
        let fourth = outbox.add_test("slack", "{}").await.unwrap();
        fixture.pass_seconds(5);
        assert_eq!(outbox.test(Id::generate()).await.unwrap(), None);
        fixture.fired("burning", FiringClass::Alert, &["mail"]).await;
        let alert = fixture.claim("mail").await.unwrap().messages[0].id;
        assert_eq!(outbox.test(alert).await.unwrap(), None, "no test");
        assert_eq!(at(fourth).await.0, MessageState::Pending);
    }
}

#[tokio::test]
async fn what_is_handed_back_was_never_tried() {
    for fixture in Fixture::all().await {
        fixture.fired("burning", FiringClass::Alert, &["slack"]).await;
        let batch = fixture.claim("slack").await.unwrap();
        fixture.store.outbox().release(&batch).await.unwrap();
        assert_eq!(fixture.only("slack").await.attempts, 0);
        assert_eq!(fixture.claim("slack").await.unwrap().attempts(), 1);
    }
}

#[tokio::test]
async fn settled_messages_go_after_a_while_unless_their_firing_is_open() {
    for fixture in Fixture::all().await {
        let open = fixture.fired("open", FiringClass::Alert, &["slack"]).await;
        let over = fixture.fired("over", FiringClass::Alert, &["mail"]).await;
        for channel in ["slack", "mail"] {
            let batch = fixture.claim(channel).await.unwrap();
            fixture.store.outbox().delivered(&batch, None).await.unwrap();
        }
        fixture.store.firings().apply(&[resolve("over", fixture.clock.now())]).await.unwrap();
        let end = fixture.claim("mail").await.unwrap();
        fixture.store.outbox().delivered(&end, None).await.unwrap();
        fixture.pass_seconds(91 * 86_400);
        fixture.store.outbox().tidy().await.unwrap();
        assert_eq!(fixture.store.outbox().of_firing(open).await.unwrap().len(), 1, "its end has to find the channel");
        assert!(fixture.store.outbox().of_firing(over).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_ticket_is_reminded_of_once_for_each_due_date() {
    for fixture in Fixture::all().await {
        let (firings, outbox) = (fixture.store.firings(), fixture.store.outbox());
        let id = fixture.fired("slow", FiringClass::Ticket, &["tracker"]).await;
        fixture.fired("burning", FiringClass::Alert, &["slack"]).await;
        let late = async || -> Vec<_> {
            firings.to_remind(None, 10).await.unwrap().firings.into_iter().map(|ticket| ticket.id).collect()
        };
        assert_eq!(late().await, [], "there is time");
        fixture.pass_seconds(7 * 86_400);
        assert_eq!(late().await, [id]);
        let reminder = crate::Tell { kind: MessageKind::Remind, ..tell("tracker", fixture.clock.now()) };
        assert!(outbox.remind(id, std::slice::from_ref(&reminder)).await.unwrap());
        assert_eq!(late().await, [], "once is enough");
        assert!(firings.set_due(id, fixture.clock.now().plus_seconds(60), "ann").await.unwrap());
        fixture.pass_seconds(60);
        assert_eq!(late().await, [id], "another date, another reminder");
        firings.set_progress(id, crate::Progress::Done, "ann").await.unwrap();
        assert_eq!(late().await, [], "nobody is reminded of what is done");
    }
}

#[tokio::test]
async fn tickets_that_nobody_may_be_reminded_of_yet_hide_no_others() {
    for fixture in Fixture::all().await {
        let (firings, outbox) = (fixture.store.firings(), fixture.store.outbox());
        let mut due = Vec::new();
        for rule in ["silenced", "silenced-too", "slow"] {
            due.push(fixture.fired(rule, FiringClass::Ticket, &["tracker"]).await);
            fixture.pass_seconds(1);
        }
        fixture.pass_seconds(7 * 86_400);
        let ids = |page: &crate::FiringPage| -> Vec<_> { page.firings.iter().map(|ticket| ticket.id).collect() };
        let first = firings.to_remind(None, 2).await.unwrap();
        assert_eq!(ids(&first), due[..2]);
        let rest = firings.to_remind(first.next.as_ref(), 2).await.unwrap();
        assert_eq!((ids(&rest), rest.next), (due[2..].to_vec(), None));
        let reminder = crate::Tell { kind: MessageKind::Remind, ..tell("tracker", fixture.clock.now()) };
        outbox.remind(due[2], std::slice::from_ref(&reminder)).await.unwrap();
        // The silence ends days later: the reminders are still to come, once.
        fixture.pass_seconds(3 * 86_400);
        assert_eq!(ids(&firings.to_remind(None, 10).await.unwrap()), due[..2]);
        outbox.remind(due[0], std::slice::from_ref(&reminder)).await.unwrap();
        assert_eq!(ids(&firings.to_remind(None, 10).await.unwrap()), due[1..2]);
    }
}

#[tokio::test]
async fn of_heartbeats_one_waits_at_most_and_those_that_arrived_go() {
    for fixture in Fixture::all().await {
        let outbox = fixture.store.outbox();
        assert!(outbox.add_heartbeat("self").await.unwrap());
        assert!(!outbox.add_heartbeat("self").await.unwrap(), "one waits");
        let batch = fixture.claim("self").await.unwrap();
        assert_eq!((batch.kind, batch.messages.len()), (MessageKind::Heartbeat, 1));
        outbox.delivered(&batch, None).await.unwrap();
        fixture.pass_seconds(60);
        assert!(outbox.add_heartbeat("self").await.unwrap());
        assert_eq!(fixture.only("self").await.state, MessageState::Pending, "the one before is gone");
    }
}

#[tokio::test]
async fn tests_of_a_channel_are_never_sent_as_one() {
    for fixture in Fixture::all().await {
        let outbox = fixture.store.outbox();
        let (first, second) =
            (outbox.add_test("slack", "{}").await.unwrap(), outbox.add_test("slack", "{}").await.unwrap());
        let sent: Vec<_> = [fixture.claim("slack").await, fixture.claim("slack").await]
            .into_iter()
            .flat_map(|batch| batch.unwrap().messages)
            .map(|message| message.id)
            .collect();
        assert_eq!(sent.len(), 2);
        assert!(sent.contains(&first) && sent.contains(&second));
    }
}

#[tokio::test]
async fn a_transaction_that_the_database_ended_by_itself_breaks_no_later_one() {
    let fixture = Fixture::sqlite().await;
    for _ in 0..3 {
        let mut tx = fixture.store.outbox().db.begin().await.unwrap();
        // As SQLite does when the disk is full.
        tx.script("ROLLBACK").await.unwrap();
        assert!(tx.commit().await.is_err());
        fixture.fired("burning", FiringClass::Alert, &["slack"]).await;
        fixture.resolved("burning").await;
    }
}
