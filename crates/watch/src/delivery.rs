//! What to do after an attempt to send: when to try again, when to turn to another channel, when to give up.
//!
//! Pure. The sender claims a batch, sends it, asks here, and books the answer; all of it at times that are handed in.
//!
//! The rules:
//! - Attempts wait 5 s, 10 s, 20 s, ... and at most 5 min, each between half of that and the whole, so that many don't
//!   come at once. A service that says how long to wait is obeyed, up to an hour.
//! - While a channel fails, one message at a time finds out whether it works again; then everything that waits goes out
//!   at once, each once. A service that was down is not met by a flood.
//! - An alert that a channel has not taken for five minutes goes to the next one of the list; at once when a person would
//!   have to act before that channel can take anything. The message also stays where it is.
//! - Nothing about an alert is given up within a day, nothing about a ticket within a week; not even what was refused,
//!   because a person may put the channel right meanwhile. A test is given up when it is refused, or after ten minutes:
//!   somebody waits for its result.

use crate::Class;
use crate::channel::Answer;
use base::{Span, Timestamp};
use store::MessageKind;

const FIRST_WAIT: Span = Span::from_seconds(5);
const LONGEST_WAIT: Span = Span::from_seconds(300);
/// Until a person has put it right, asking every five minutes would only be noise at the far side.
const REFUSED_WAIT: Span = Span::from_seconds(900);
/// After this a failing channel is not waited for any longer.
pub const FALL_BACK_AFTER: Span = Span::from_seconds(300);
/// How long a claim lasts; a request has to be answered well within it.
pub const LEASE: Span = Span::from_seconds(60);
/// How long an answer is waited for.
pub const SEND_TIMEOUT: Span = Span::from_seconds(20);

/// What the sender knows about what it has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// What about.
    pub kind: MessageKind,
    /// Alert or ticket.
    pub class: Class,
    /// When the oldest message of the batch was written.
    pub since: Timestamp,
    /// How often it was tried, this time included.
    pub attempts: i64,
}

/// What to book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It was taken.
    Delivered {
        /// The number of the issue it became.
        number: Option<u64>,
    },
    /// Try again.
    Retry {
        /// Not before.
        at: Timestamp,
        /// Why it was not taken.
        why: String,
    },
    /// Not any more.
    GiveUp {
        /// Why.
        why: String,
    },
}

/// Decides what an answer leads to. `random` is from 0 (inside) to 1 (outside).
pub fn after(sent: &Sent, answer: &Answer, random: f64, now: Timestamp) -> Next {
    let (why, refused, asked) = match answer {
        Answer::Delivered { number } => return Next::Delivered { number: *number },
        Answer::Retry { after, why } => (why, false, *after),
        Answer::Refused { why, .. } => (why, true, None),
    };
    if sent.kind == MessageKind::Test && refused {
        return Next::GiveUp { why: why.clone() };
    }
    let wait = if refused { jitter(REFUSED_WAIT, random) } else { back_off(sent.attempts, random) };
    let wait = asked.map_or(wait, |asked| asked.max(wait.min(FIRST_WAIT)));
    let at = now.plus_micros(wait.micros());
    if at > sent.since.plus_micros(patience(sent.kind, sent.class).micros()) {
        return Next::GiveUp { why: why.clone() };
    }
    Next::Retry { at, why: why.clone() }
}

/// How long a message is tried.
pub fn patience(kind: MessageKind, class: Class) -> Span {
    match (kind, class) {
        (MessageKind::Test, _) => Span::from_seconds(600),
        // What it says is true now; the next one says it again.
        (MessageKind::Heartbeat, _) => Span::from_seconds(20),
        // Reminders come again by themselves.
        (MessageKind::Remind, _) => Span::from_seconds(3600),
        (MessageKind::Fire | MessageKind::Resolve | MessageKind::Escalate, Class::Alert) => {
            Span::from_seconds(2 * 86_400)
        }
        (MessageKind::Fire | MessageKind::Resolve | MessageKind::Escalate, Class::Ticket | Class::Record) => {
            Span::from_seconds(8 * 86_400)
        }
    }
}

/// How long to wait after so many attempts: doubled each time, at most five minutes, between half and all of it.
pub fn back_off(attempts: i64, random: f64) -> Span {
    let doublings = attempts.clamp(1, 20) - 1;
    let whole = FIRST_WAIT.micros().saturating_mul(1 << doublings).min(LONGEST_WAIT.micros());
    jitter(Span::from_micros(whole), random)
}

// Waits are minutes: far within what a double holds exactly.
#[allow(clippy::cast_possible_truncation)]
fn jitter(whole: Span, random: f64) -> Span {
    let half = whole.micros() as f64 / 2.0;
    Span::from_micros((half + half * random.clamp(0.0, 1.0)) as i64)
}

/// How a channel is, as its last attempts tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Health {
    /// Since when everything failed.
    pub failing_since: Option<Timestamp>,
    /// Not to be asked before.
    pub ask_at: Option<Timestamp>,
    /// Whether a person has to act before it can take anything.
    pub refuses: bool,
}

impl Health {
    /// After an attempt.
    #[must_use]
    pub fn after(self, answer: &Answer, next: &Next, now: Timestamp) -> Self {
        let refuses = matches!(answer, Answer::Refused { .. });
        match next {
            Next::Delivered { .. } => Self::default(),
            Next::Retry { at, .. } => {
                Self { failing_since: self.failing_since.or(Some(now)), ask_at: Some(*at), refuses }
            }
            // That one is over; the next message finds out how the channel is.
            Next::GiveUp { .. } => Self { failing_since: self.failing_since.or(Some(now)), ask_at: None, refuses },
        }
    }

    /// Whether the channel may be asked to take something now. While it fails, only once in a while. A time that lies
    /// further ahead than any wait was set before the clock was set back.
    pub fn may_ask(&self, now: Timestamp) -> bool {
        self.ask_at.is_none_or(|at| at <= now || at > now.plus_seconds(2 * 3600))
    }

    /// Whether alerts that wait here have to go elsewhere by now.
    pub fn is_given_over(&self, now: Timestamp) -> bool {
        self.failing_since.is_some_and(|since| self.refuses || now >= since.plus_micros(FALL_BACK_AFTER.micros()))
    }
}

/// The next channel of a list after `failing` which is neither given over itself nor told already; when there is none
/// that works, the next one that was not told: a message that waits at two broken channels has two chances.
pub fn next_in_line<'a>(
    list: &'a [String],
    failing: &str,
    is_told: impl Fn(&str) -> bool,
    is_given_over: impl Fn(&str) -> bool,
) -> Option<&'a str> {
    let at = list.iter().position(|name| name == failing)?;
    // From the next one on, and then from the front: the last of the list has somebody behind it, too.
    let others = list[at + 1..].iter().chain(&list[..at]).map(String::as_str).filter(|name| !is_told(name));
    let others: Vec<&str> = others.collect();
    others.iter().copied().find(|name| !is_given_over(name)).or_else(|| others.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Advice;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const START: Timestamp = Timestamp::from_seconds(1_000_000);

    fn sent(kind: MessageKind, class: Class, attempts: i64) -> Sent {
        Sent { kind, class, since: START, attempts }
    }

    fn later() -> Answer {
        Answer::Retry { after: None, why: "HTTP 503".to_owned() }
    }

    fn never() -> Answer {
        Answer::Refused { why: "HTTP 404".to_owned(), advice: Advice::Address }
    }

    fn wait(next: &Next, now: Timestamp) -> i64 {
        match next {
            Next::Retry { at, .. } => (at.micros() - now.micros()) / 1_000_000,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn waits_double_up_to_five_minutes_and_obey_the_service() {
        let asked = |seconds| Answer::Retry { after: Some(Span::from_seconds(seconds)), why: String::new() };
        for (case, attempts, answer, random, want) in [
            ("first, shortest", 1, later(), 0.0, 2),
            ("first, longest", 1, later(), 1.0, 5),
            ("third", 3, later(), 1.0, 20),
            ("the longest", 7, later(), 1.0, 300),
            ("for ever the longest", i64::MAX, later(), 1.0, 300),
            ("a refusal", 1, never(), 1.0, 900),
            ("as the service asks", 1, asked(120), 1.0, 120),
            ("a service that asks for nothing is not flooded", 9, asked(0), 1.0, 5),
        ] {
            let next = after(&sent(MessageKind::Fire, Class::Alert, attempts), &answer, random, START);
            assert_eq!(wait(&next, START), want, "{case}");
        }
    }

    #[test]
    fn an_alert_is_not_given_up_within_a_day_nor_a_ticket_within_a_week() {
        const DAY: i64 = 86_400;
        for (kind, class, answer, seconds, want) in [
            (MessageKind::Fire, Class::Alert, later(), DAY, true),
            (MessageKind::Fire, Class::Alert, never(), DAY, true),
            (MessageKind::Resolve, Class::Alert, never(), DAY, true),
            (MessageKind::Fire, Class::Alert, later(), 3 * DAY, false),
            (MessageKind::Fire, Class::Ticket, never(), 7 * DAY, true),
            (MessageKind::Fire, Class::Ticket, later(), 9 * DAY, false),
            (MessageKind::Remind, Class::Ticket, later(), 600, true),
            (MessageKind::Remind, Class::Ticket, later(), 3600, false),
            (MessageKind::Test, Class::Alert, later(), 0, true),
            (MessageKind::Test, Class::Alert, never(), 0, false),
            (MessageKind::Test, Class::Alert, later(), 600, false),
        ] {
            let next = after(&sent(kind, class, 50), &answer, 0.5, START.plus_seconds(seconds));
            assert_eq!(matches!(next, Next::Retry { .. }), want, "{kind:?} {class:?} after {seconds} s");
        }
    }

    #[test]
    fn a_channel_is_given_over_after_five_minutes_or_at_once_when_it_refuses() {
        let step = |health: Health, answer: &Answer, now| {
            health.after(answer, &after(&sent(MessageKind::Fire, Class::Alert, 1), answer, 1.0, now), now)
        };
        let failing = step(Health::default(), &later(), START);
        assert!(!failing.is_given_over(START.plus_seconds(299)));
        assert!(failing.is_given_over(START.plus_seconds(300)));
        assert!(!failing.may_ask(START.plus_seconds(4)) && failing.may_ask(START.plus_seconds(5)));
        assert!(failing.may_ask(START.plus_seconds(-86_400)), "the clock was set back");
        let still = step(failing, &later(), START.plus_seconds(200));
        assert_eq!(still.failing_since, Some(START), "since the first failure");
        assert!(step(Health::default(), &never(), START).is_given_over(START));
        let well = step(still, &Answer::Delivered { number: None }, START.plus_seconds(400));
        assert_eq!(well, Health::default());
    }

    #[test]
    fn the_next_in_line_works_and_was_not_told() {
        let list: Vec<String> = ["slack", "mail", "pager"].map(str::to_owned).to_vec();
        for (case, failing, told, broken, want) in [
            ("the next", "slack", &["slack"][..], &["slack"][..], Some("mail")),
            ("which is broken, too", "slack", &["slack"], &["slack", "mail"], Some("pager")),
            ("which was told", "slack", &["slack", "mail"], &["slack"], Some("pager")),
            ("all are broken", "slack", &["slack"], &["slack", "mail", "pager"], Some("mail")),
            ("behind the last is the first", "pager", &["pager"], &["pager"], Some("slack")),
            ("all were told", "slack", &["slack", "mail", "pager"], &["slack"], None),
            ("a channel of no list", "phone", &[], &[], None),
        ] {
            let next = next_in_line(&list, failing, |name| told.contains(&name), |name| broken.contains(&name));
            assert_eq!(next, want, "{case}");
        }
    }

    /// A channel with messages that wait, on a simulated clock. Returns how often each was taken, when the first one
    /// was, and how often the channel was asked while it was down.
    fn simulate(down: i64, messages: i64, random: f64) -> (BTreeMap<i64, u32>, i64, u32) {
        let (mut health, mut attempts, mut waiting) = (Health::default(), 0, (0..messages).collect::<Vec<_>>());
        let (mut taken, mut first, mut asked) = (BTreeMap::new(), i64::MAX, 0);
        for second in 0..down + 3600 {
            let now = START.plus_seconds(second);
            while health.may_ask(now) && !waiting.is_empty() {
                attempts += 1;
                let answer = if second < down { later() } else { Answer::Delivered { number: None } };
                asked += u32::from(second < down);
                let next = after(&sent(MessageKind::Fire, Class::Alert, attempts), &answer, random, now);
                health = health.after(&answer, &next, now);
                if matches!(next, Next::Delivered { .. }) {
                    *taken.entry(waiting.remove(0)).or_default() += 1;
                    first = first.min(second);
                }
            }
        }
        (taken, first, asked)
    }

    #[test]
    fn a_service_that_was_down_for_two_hours_gets_each_message_once_within_five_minutes() {
        let (taken, first, asked) = simulate(7200, 500, 0.7);
        assert_eq!((taken.len(), taken.values().max()), (500, Some(&1)));
        assert!((7200..=7500).contains(&first), "{first}");
        assert!(asked < 60, "asked {asked} times while it was down: no storm");
    }

    proptest! {
        #[test]
        fn however_long_it_is_down_everything_arrives_once(down in 0_i64..20_000, random in 0.0..1.0_f64) {
            let (taken, first, _) = simulate(down, 5, random);
            prop_assert_eq!(taken.len(), 5);
            prop_assert!(taken.values().all(|times| *times == 1));
            prop_assert!(first <= down + 300);
        }

        #[test]
        fn a_wait_is_never_longer_than_five_minutes_nor_shorter_than_the_half(attempts in 1_i64..100, random in 0.0..1.0_f64) {
            let whole = back_off(attempts, 1.0).micros();
            let wait = back_off(attempts, random).micros();
            prop_assert!(whole <= 300_000_000 && whole / 2 <= wait && wait <= whole);
        }
    }
}
