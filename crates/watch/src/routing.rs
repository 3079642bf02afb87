//! Who hears of a firing, when, and whether at all.
//!
//! Pure. Keeping quiet never loses anything: the firing is recorded and counted, the reason stands beside it, and it is
//! told after all when the reason ends while it still fires. What keeps others quiet must itself have been told, else a
//! silence over one alert would swallow a hundred.

use crate::{Class, RuleInfo, Series};
use base::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use store::{Maintenance, Matcher, MessageKind, Silence, Tell};

/// Messages about one rule of one service come at most so often; what happens in between comes together.
pub const GROUP_WINDOW: Span = Span::from_seconds(60);
/// More groups than this within a window exist only when something is badly wrong; then grouping ends, not telling.
const GROUPS_MAX: usize = 10_000;

/// What is to be told.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The rule.
    pub rule: &'a RuleInfo,
    /// Which series.
    pub series: &'a Series,
    /// Whether it says that a host is gone.
    pub host_gone: bool,
}

/// An alert that fires already.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenAlert {
    /// The rule's name.
    pub rule: String,
    /// The service it is about.
    pub service: Option<String>,
    /// Which series.
    pub series: Series,
    /// Whether it says that a host is gone.
    pub host_gone: bool,
    /// Whether anybody was told.
    pub told: bool,
}

/// A channel of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Told at once even if it is not the first.
    pub always: bool,
}

/// Where the classes go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists {
    /// Alerts: the first, and those that are always told; the others when one before them fails.
    pub alert: Vec<Listed>,
    /// Tickets: all of them.
    pub ticket: Vec<Listed>,
}

/// Why nobody is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Quiet {
    /// Work on the service was announced.
    Maintenance {
        /// What is done.
        reason: String,
        /// Who announced it.
        by: String,
        /// Until when.
        until: Timestamp,
    },
    /// Somebody silenced it.
    Silenced {
        /// Why.
        reason: String,
        /// Who.
        by: String,
        /// Until when.
        until: Timestamp,
    },
    /// An alert that was told says more.
    Inhibited {
        /// Its rule.
        by: String,
    },
    /// No channel is configured for the class.
    NoChannel,
}

impl Quiet {
    /// As the firing keeps it.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and times are always JSON")
    }
}

/// What becomes of a firing's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// It is told.
    Tell(Vec<Tell>),
    /// It is not, for now.
    Quiet(Quiet),
    /// It is a record: nobody ever hears of it.
    Record,
}

/// What may keep a firing quiet.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hush<'a> {
    /// Silences that hold or will.
    pub silences: &'a [Silence],
    /// Maintenances that hold or will.
    pub maintenances: &'a [Maintenance],
    /// Alerts that fire.
    pub open: &'a [OpenAlert],
}

/// Decides who hears of a firing that began. `payload` is what the messages are made of.
pub fn route(
    subject: Subject<'_>,
    hush: Hush<'_>,
    lists: &Lists,
    groups: &mut Groups,
    payload: &str,
    now: Timestamp,
) -> Route {
    let channels: Vec<&str> = match subject.rule.class {
        Class::Record => return Route::Record,
        Class::Alert => {
            let told = lists.alert.iter().enumerate().filter(|(index, listed)| *index == 0 || listed.always);
            told.map(|(_, listed)| listed.name.as_str()).collect()
        }
        Class::Ticket => lists.ticket.iter().map(|listed| listed.name.as_str()).collect(),
    };
    unless_quiet(subject, hush, now, &channels, || {
        let group = group_of(subject.rule);
        let not_before = groups.next(&group, now);
        Tell { channel: String::new(), kind: MessageKind::Fire, group, not_before, payload: payload.to_owned() }
    })
}

/// Decides who is reminded of a ticket that is overdue. What keeps a first message back keeps a reminder back too; it
/// comes when that ends. Each reminder is a message of its own: `firing` names it.
pub fn remind(
    subject: Subject<'_>,
    hush: Hush<'_>,
    lists: &Lists,
    firing: &str,
    payload: &str,
    now: Timestamp,
) -> Route {
    let channels: Vec<&str> = lists.ticket.iter().map(|listed| listed.name.as_str()).collect();
    unless_quiet(subject, hush, now, &channels, || {
        let group = format!("remind/{firing}");
        Tell { channel: String::new(), kind: MessageKind::Remind, group, not_before: now, payload: payload.to_owned() }
    })
}

/// The message for each of the channels, unless something keeps it quiet. It is made only when it is told.
fn unless_quiet(
    subject: Subject<'_>,
    hush: Hush<'_>,
    now: Timestamp,
    channels: &[&str],
    message: impl FnOnce() -> Tell,
) -> Route {
    if let Some(quiet) = quiet(subject, hush, now) {
        return Route::Quiet(quiet);
    }
    if channels.is_empty() {
        return Route::Quiet(Quiet::NoChannel);
    }
    let message = message();
    Route::Tell(channels.iter().map(|channel| Tell { channel: (*channel).to_owned(), ..message.clone() }).collect())
}

/// What keeps it quiet now, if anything.
pub fn quiet(subject: Subject<'_>, hush: Hush<'_>, now: Timestamp) -> Option<Quiet> {
    let holds = |from: Timestamp, until: Timestamp| from <= now && now < until;
    let service = subject.rule.service.as_deref();
    let maintenance = hush.maintenances.iter().find(|work| {
        let concerns = work.service.as_ref().is_none_or(|about| service == Some(about.as_str()));
        concerns && holds(work.from, work.until)
    });
    if let Some(work) = maintenance {
        let (reason, by) = (work.reason.clone(), work.who.clone());
        return Some(Quiet::Maintenance { reason, by, until: work.until });
    }
    let silence = hush.silences.iter().find(|silence| holds(silence.from, silence.until) && silences(silence, subject));
    if let Some(silence) = silence {
        let (reason, by) = (silence.reason.clone(), silence.who.clone());
        return Some(Quiet::Silenced { reason, by, until: silence.until });
    }
    let open = hush.open.iter().find(|open| inhibits(open, subject))?;
    Some(Quiet::Inhibited { by: open.rule.clone() })
}

/// Whether all matchers of a silence hold. One without matchers silences nothing.
fn silences(silence: &Silence, subject: Subject<'_>) -> bool {
    let value = |label: &str| match label {
        "rule" => Some(subject.rule.name.as_str()),
        "class" => Some(subject.rule.class.as_str()),
        "service" => subject.rule.service.as_deref().or_else(|| subject.series.0.get(label).map(String::as_str)),
        other => subject.series.0.get(other).map(String::as_str),
    };
    let holds = |matcher: &Matcher| value(&matcher.label).is_some_and(|value| is_like(value, &matcher.value));
    !silence.matchers.is_empty() && silence.matchers.iter().all(holds)
}

fn is_like(value: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(value == pattern, |beginning| value.starts_with(beginning))
}

/// An alert about a whole service says all that one about a route of it could, and nothing on a host that is gone can be
/// told from the host's being gone. Tickets are kept back by the latter only: they wake nobody.
fn inhibits(open: &OpenAlert, subject: Subject<'_>) -> bool {
    if !open.told || (open.rule == subject.rule.name && open.series == *subject.series) {
        return false;
    }
    if open.host_gone {
        let host = open.series.0.get("host");
        return host.is_some() && host == subject.series.0.get("host") && !subject.host_gone;
    }
    let whole_service = open.service.is_some() && open.series.0.keys().all(|label| label == "service");
    whole_service
        && subject.rule.class == Class::Alert
        && open.service == subject.rule.service
        && subject.series.0.contains_key("route")
}

/// What belongs together: one rule of one service.
fn group_of(rule: &RuleInfo) -> String {
    format!("{}/{}", rule.service.as_deref().unwrap_or_default(), rule.name)
}

/// When the messages of each group go out.
#[derive(Debug, Clone, Default)]
pub struct Groups(HashMap<String, Timestamp>);

impl Groups {
    /// When a message of this group goes out that is written now: at once when the group was silent for a window, else
    /// together with the others at the end of the window.
    pub fn next(&mut self, group: &str, now: Timestamp) -> Timestamp {
        let window = GROUP_WINDOW.micros();
        // Times further ahead than a window were noted before the clock was set back.
        let last = self.0.get(group).copied().filter(|last| *last <= now.plus_micros(window));
        let at = match last {
            Some(last) if now <= last => last,
            Some(last) if now < last.plus_micros(window) => last.plus_micros(window),
            Some(_) | None => now,
        };
        if self.0.len() >= GROUPS_MAX && !self.0.contains_key(group) {
            self.0.retain(|_, last| now < last.plus_micros(window) && *last <= now.plus_micros(window));
        }
        if self.0.len() < GROUPS_MAX || self.0.contains_key(group) {
            self.0.insert(group.to_owned(), at);
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Id;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn rule(class: Class, service: Option<&str>) -> RuleInfo {
        RuleInfo {
            name: "slow".to_owned(),
            class,
            service: service.map(str::to_owned),
            owner: None,
            action: None,
            runbook: None,
            due: None,
            condition: "x".to_owned(),
            detects: None,
            unit: crate::signals::Unit::Any,
        }
    }

    fn series(labels: &[(&str, &str)]) -> Series {
        Series(labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn lists() -> Lists {
        let listed = |name: &str, always| Listed { name: name.to_owned(), always };
        Lists {
            alert: vec![listed("slack", false), listed("mail", false), listed("log", true)],
            ticket: vec![listed("github", false), listed("chat", false)],
        }
    }

    fn silence(matchers: &[(&str, &str)], from: i64, until: i64) -> Silence {
        let matcher =
            |(label, value): &(&str, &str)| Matcher { label: (*label).to_owned(), value: (*value).to_owned() };
        Silence {
            id: Id::generate(),
            matchers: matchers.iter().map(matcher).collect(),
            reason: "deploy".to_owned(),
            who: "ann".to_owned(),
            created_at: NOW,
            from: NOW.plus_seconds(from),
            until: NOW.plus_seconds(until),
        }
    }

    fn told_to(rule: &RuleInfo, series: &Series, hush: Hush<'_>) -> Result<Vec<String>, Option<Quiet>> {
        let subject = Subject { rule, series, host_gone: false };
        match route(subject, hush, &lists(), &mut Groups::default(), "{}", NOW) {
            Route::Tell(tell) => Ok(tell.into_iter().map(|one| one.channel).collect()),
            Route::Quiet(quiet) => Err(Some(quiet)),
            Route::Record => Err(None),
        }
    }

    #[test]
    fn each_class_goes_its_own_way() {
        for (class, want) in [
            (Class::Alert, Ok(vec!["slack".to_owned(), "log".to_owned()])),
            (Class::Ticket, Ok(vec!["github".to_owned(), "chat".to_owned()])),
            (Class::Record, Err(None)),
        ] {
            assert_eq!(told_to(&rule(class, None), &series(&[]), Hush::default()), want);
        }
        let (alert, none) = (rule(Class::Alert, None), series(&[]));
        let subject = Subject { rule: &alert, series: &none, host_gone: false };
        let route = route(subject, Hush::default(), &Lists::default(), &mut Groups::default(), "{}", NOW);
        assert_eq!(route, Route::Quiet(Quiet::NoChannel));
    }

    #[test]
    fn a_silence_holds_for_what_it_names_and_while_it_lasts() {
        let (alert, cart) = (rule(Class::Alert, Some("shop")), series(&[("route", "POST /cart")]));
        for (case, silence, want) in [
            ("by rule", silence(&[("rule", "slow")], -60, 60), true),
            ("by service and route", silence(&[("service", "shop"), ("route", "POST /*")], -60, 60), true),
            ("by class", silence(&[("class", "alert")], -60, 60), true),
            ("another service", silence(&[("service", "blog")], -60, 60), false),
            ("one of two", silence(&[("service", "shop"), ("route", "GET /*")], -60, 60), false),
            ("a label it has not", silence(&[("host", "*")], -60, 60), false),
            ("a star in the middle is no star", silence(&[("route", "*cart")], -60, 60), false),
            ("nothing named", silence(&[], -60, 60), false),
            ("over", silence(&[("rule", "slow")], -60, 0), false),
            ("not yet", silence(&[("rule", "slow")], 1, 60), false),
        ] {
            let silences = [silence];
            let hush = Hush { silences: &silences, ..Hush::default() };
            let quiet = told_to(&alert, &cart, hush);
            assert_eq!(matches!(quiet, Err(Some(Quiet::Silenced { .. }))), want, "{case}");
        }
    }

    #[test]
    fn work_on_a_service_keeps_its_own_firings_quiet() {
        let work = |service: Option<&str>| Maintenance {
            id: Id::generate(),
            service: service.map(|name| name.parse().unwrap()),
            reason: "disk".to_owned(),
            who: "ann".to_owned(),
            created_at: NOW,
            from: NOW,
            until: NOW.plus_seconds(60),
        };
        for (case, about, service, want) in [
            ("its own", Some("shop"), Some("shop"), true),
            ("another", Some("shop"), Some("blog"), false),
            ("all", None, Some("blog"), true),
            ("about no service", Some("shop"), None, false),
        ] {
            let maintenances = [work(about)];
            let hush = Hush { maintenances: &maintenances, ..Hush::default() };
            let quiet = told_to(&rule(Class::Alert, service), &series(&[]), hush);
            assert_eq!(matches!(quiet, Err(Some(Quiet::Maintenance { .. }))), want, "{case}");
        }
    }

    #[test]
    fn a_reminder_waits_for_whatever_keeps_a_first_message_back() {
        let (ticket, none) = (rule(Class::Ticket, Some("shop")), series(&[]));
        let of = |at: Timestamp, silences: &[Silence], maintenances: &[Maintenance]| {
            let subject = Subject { rule: &ticket, series: &none, host_gone: false };
            let hush = Hush { silences, maintenances, open: &[] };
            remind(subject, hush, &lists(), "some-id", "{}", at)
        };
        let silences = [silence(&[("rule", "slow")], -60, 60)];
        let work = Maintenance {
            id: Id::generate(),
            service: Some("shop".parse().unwrap()),
            reason: "disk".to_owned(),
            who: "ann".to_owned(),
            created_at: NOW,
            from: NOW,
            until: NOW.plus_seconds(60),
        };
        let work = [work];
        let tell = |at: Timestamp, channel: &str| Tell {
            channel: channel.to_owned(),
            kind: MessageKind::Remind,
            group: "remind/some-id".to_owned(),
            not_before: at,
            payload: "{}".to_owned(),
        };
        let told = |at: Timestamp| Route::Tell(vec![tell(at, "github"), tell(at, "chat")]);
        let over = NOW.plus_seconds(60);
        assert_eq!(of(NOW, &[], &[]), told(NOW));
        assert!(matches!(of(NOW, &silences, &[]), Route::Quiet(Quiet::Silenced { .. })));
        assert!(matches!(of(NOW, &[], &work), Route::Quiet(Quiet::Maintenance { .. })));
        assert_eq!(of(over, &silences, &work), told(over), "both have ended");
        let elsewhere = [silence(&[("rule", "other")], -60, 60)];
        assert_eq!(of(NOW, &elsewhere, &[]), told(NOW));
    }

    #[test]
    fn what_says_more_and_was_told_keeps_the_rest_quiet() {
        let open = |rule: &str, labels: &[(&str, &str)], host_gone, told| OpenAlert {
            rule: rule.to_owned(),
            service: Some("shop".to_owned()),
            series: series(labels),
            host_gone,
            told,
        };
        let burning = open("burning", &[], false, true);
        let gone = open("gone", &[("host", "web-1")], true, true);
        let route = series(&[("route", "GET /")]);
        let process = series(&[("host", "web-1"), ("process", "unicorn")]);
        let elsewhere = series(&[("host", "web-2"), ("process", "unicorn")]);
        let shop = Some("shop");
        for (case, open, class, service, series, want) in [
            ("a route of a service that burns", burning.clone(), Class::Alert, shop, &route, true),
            ("the ticket about it wakes nobody", burning.clone(), Class::Ticket, shop, &route, false),
            ("a route of another service", burning.clone(), Class::Alert, Some("blog"), &route, false),
            ("not a route", burning.clone(), Class::Alert, shop, &process, false),
            ("nobody was told", OpenAlert { told: false, ..burning }, Class::Alert, shop, &route, false),
            (
                "a route does not inhibit a route",
                open("r", &[("route", "/a")], false, true),
                Class::Alert,
                shop,
                &route,
                false,
            ),
            ("a process on a host that is gone", gone.clone(), Class::Alert, None, &process, true),
            ("a ticket about it, too", gone.clone(), Class::Ticket, None, &process, true),
            ("a process elsewhere", gone, Class::Alert, None, &elsewhere, false),
            (
                "a busy host is not gone",
                open("busy", &[("host", "web-1")], false, true),
                Class::Alert,
                None,
                &process,
                false,
            ),
            ("not itself", open("slow", &[], false, true), Class::Alert, shop, &self::series(&[]), false),
        ] {
            let open = [open];
            let quiet = told_to(&rule(class, service), series, Hush { open: &open, ..Hush::default() });
            assert_eq!(matches!(quiet, Err(Some(Quiet::Inhibited { .. }))), want, "{case}");
        }
    }

    #[test]
    fn the_first_goes_at_once_and_the_rest_of_the_window_together() {
        let mut groups = Groups::default();
        let at = |groups: &mut Groups, second| {
            (groups.next("shop/slow", NOW.plus_seconds(second)).micros() - NOW.micros()) / 1_000_000
        };
        let sent: Vec<i64> = [0, 0, 1, 59, 60, 61, 119, 121, 300].into_iter().map(|s| at(&mut groups, s)).collect();
        assert_eq!(sent, [0, 0, 60, 60, 60, 120, 120, 180, 300]);
        assert_eq!(groups.next("blog/slow", NOW), NOW, "another group");
        assert_eq!(at(&mut groups, -86_400), -86_400, "the clock was set back");
    }

    proptest! {
        #[test]
        fn nothing_waits_longer_than_a_window_and_sendings_are_a_window_apart(gaps in prop::collection::vec(0_i64..90, 1..60)) {
            let (mut groups, mut now, mut sendings) = (Groups::default(), NOW, Vec::new());
            for gap in gaps {
                now = now.plus_seconds(gap);
                let at = groups.next("g", now);
                prop_assert!(now <= at && at <= now.plus_micros(GROUP_WINDOW.micros()));
                sendings.push(at.micros());
            }
            sendings.dedup();
            prop_assert!(sendings.windows(2).all(|pair| pair[1] - pair[0] >= GROUP_WINDOW.micros()));
        }
    }
}
