//! What a person reads about a firing: title, text, facts, links.
//!
//! Pure. Nothing in here is escaped yet; each channel escapes for its own service, because nothing that was observed (a
//! route, a label) is trusted. Everything is bounded.

use crate::texts::{Language, Texts};
use crate::{Class, RuleInfo, Series, Transition};
use base::{Id, Timestamp};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use store::{Batch, Firing, MessageKind};

const WORD_MAX_CHARS: usize = 300;
const TITLE_MAX_CHARS: usize = 200;
const ALSO_MAX: usize = 20;

/// What is kept in the outbox about a transition: all that a message is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// The rule as it was.
    pub rule: RuleInfo,
    /// Which series.
    pub series: Series,
    /// When it began to fire.
    pub began: Timestamp,
    /// When this was written: the beginning, the end, or the moment of a reminder.
    pub at: Timestamp,
    /// What was measured, in the unit of the rule's signal.
    pub value: Option<f64>,
    /// What it was compared with, in the same unit.
    pub threshold: Option<f64>,
    /// Until when (tickets).
    pub due: Option<Timestamp>,
}

impl Told {
    /// Of a transition. `began` is when the firing began, which the transition itself knows only when it is a beginning.
    pub fn of(transition: &Transition, began: Timestamp, due: Option<Timestamp>) -> Self {
        Self {
            rule: RuleInfo::clone(&transition.rule),
            series: transition.series.clone(),
            began,
            at: transition.at,
            value: transition.value,
            threshold: transition.threshold,
            due,
        }
    }

    /// As it is kept.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("maps with text keys and numbers are always JSON")
    }
}

/// One firing that a message tells of.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Which; `None` for a test.
    pub firing: Option<Id<Firing>>,
    /// Whether the end also tells of the beginning.
    pub folds: bool,
    /// What about; `None` for a test.
    pub told: Option<Told>,
}

/// A name and a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// How it is.
    pub value: String,
}

/// Where a link leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkTo {
    /// The firing's page.
    Firing,
    /// The firing's page, asking whether to acknowledge. A link never does it by itself: chat services follow links.
    Acknowledge,
    /// The runbook.
    Runbook,
    /// The page on which a person says that a test arrived.
    Test,
}

/// A link of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Where to.
    pub to: LinkTo,
    /// What it is called.
    pub label: String,
    /// The address.
    pub url: String,
}

/// A message as a person reads it, before it is put into the form of a service.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// What a receiver can tell a repetition by.
    pub id: String,
    /// What about.
    pub kind: MessageKind,
    /// Alert or ticket; alert for a test.
    pub class: Class,
    /// Whether the end also tells of the beginning.
    pub folds: bool,
    /// One line.
    pub title: String,
    /// One or two sentences.
    pub text: String,
    /// Names and values, the most important first.
    pub facts: Vec<Fact>,
    /// One line for every further firing.
    pub also: Vec<String>,
    /// Links.
    pub links: Vec<Link>,
    /// What messages about the same firing have in common; empty for a test.
    pub thread: String,
    /// All firings it tells of.
    pub firings: Vec<String>,
    /// The rule's name; empty for a test.
    pub rule: String,
    /// The service, if about one.
    pub service: Option<String>,
    /// Which series, as labels.
    pub series: Series,
    /// What was measured.
    pub value: Option<f64>,
    /// What it was compared with.
    pub threshold: Option<f64>,
    /// When what it tells of happened.
    pub at: Timestamp,
    /// The language it is written in.
    pub language: Language,
}

/// Where and for whom messages are written.
#[derive(Debug)]
pub struct Desk<'a> {
    /// The words.
    pub texts: &'a Texts,
    /// Address of the pages, without a slash at its end: `https://koshu.example`.
    pub base_url: &'a str,
    /// Times are told in it.
    pub zone: &'a TimeZone,
}

impl Item {
    /// Everything a batch tells of. A payload that cannot be read is told by its firing alone: better a message without
    /// details than none.
    pub fn of_batch(batch: &Batch) -> Vec<Self> {
        let item = |message: &store::Message| Self {
            firing: message.firing,
            folds: message.folds,
            told: serde_json::from_str(&message.payload).ok(),
        };
        batch.messages.iter().map(item).collect()
    }
}

impl Desk<'_> {
    /// Writes the message of a batch.
    pub fn write_batch(&self, batch: &Batch) -> Message {
        let test =
            (batch.kind == MessageKind::Test).then(|| batch.messages.last().map(|message| message.id.to_string()));
        self.write(&batch.id.to_string(), batch.kind, &Item::of_batch(batch), test.flatten().as_deref())
    }

    /// Writes a message about `items`, which are of one kind. `test` is the id by which a test is acknowledged.
    pub fn write(&self, id: &str, kind: MessageKind, items: &[Item], test: Option<&str>) -> Message {
        let first = items.first();
        let told = first.and_then(|item| item.told.as_ref());
        let folds = !items.is_empty() && items.iter().all(|item| item.folds);
        let class = told.map_or(Class::Alert, |told| told.rule.class);
        let firings: Vec<String> = items.iter().filter_map(|item| item.firing).map(|id| id.to_string()).collect();
        Message {
            id: id.to_owned(),
            kind,
            class,
            folds,
            title: self.title(kind, folds, class, items),
            text: self.text(kind, folds, class, told),
            facts: told.map(|told| self.facts(kind, told)).unwrap_or_default(),
            also: items.iter().skip(1).take(ALSO_MAX).map(|item| self.also(item)).collect(),
            links: self.links(kind, firings.first().map(String::as_str), told, test),
            thread: firings.first().cloned().unwrap_or_default(),
            firings,
            rule: told.map(|told| clean(&told.rule.name, WORD_MAX_CHARS)).unwrap_or_default(),
            service: told.and_then(|told| told.rule.service.clone()),
            series: told.map(|told| told.series.clone()).unwrap_or_default(),
            value: told.and_then(|told| told.value),
            threshold: told.and_then(|told| told.threshold),
            at: told.map(|told| told.at).unwrap_or_default(),
            language: self.texts.language(),
        }
    }

    fn title(&self, kind: MessageKind, folds: bool, class: Class, items: &[Item]) -> String {
        let key = match (kind, class) {
            (MessageKind::Fire, Class::Ticket) => "watch-title-fire-ticket",
            (MessageKind::Fire, Class::Alert | Class::Record) => "watch-title-fire-alert",
            (MessageKind::Resolve, _) if folds => "watch-title-folded",
            (MessageKind::Resolve, _) => "watch-title-resolve",
            (MessageKind::Remind, _) => "watch-title-remind",
            (MessageKind::Escalate, _) => "watch-title-escalate",
            (MessageKind::Test, _) => "watch-title-test",
            (MessageKind::Heartbeat, _) => "watch-title-heartbeat",
        };
        let what = items.first().map(what).unwrap_or_default();
        let title = self.texts.say(key, &[("what", &what)]);
        let title = if items.len() > 1 && kind != MessageKind::Test {
            let count = (items.len() - 1).to_string();
            self.texts.say("watch-title-more", &[("title", &title), ("count", &count)])
        } else {
            title
        };
        clean(&title, TITLE_MAX_CHARS)
    }

    fn text(&self, kind: MessageKind, folds: bool, class: Class, told: Option<&Told>) -> String {
        let key = match (kind, class) {
            (MessageKind::Fire, Class::Ticket) => "watch-text-fire-ticket",
            (MessageKind::Fire, Class::Alert | Class::Record) => "watch-text-fire-alert",
            (MessageKind::Resolve, _) if folds => "watch-text-folded",
            (MessageKind::Resolve, _) => "watch-text-resolve",
            (MessageKind::Remind, _) => "watch-text-remind",
            (MessageKind::Escalate, _) => "watch-text-escalate",
            (MessageKind::Test, _) => "watch-text-test",
            (MessageKind::Heartbeat, _) => "watch-text-heartbeat",
        };
        let detects = |told: &Told| match &told.rule.detects {
            Some(detects) => detects.said(self.texts),
            None => told.rule.condition.clone(),
        };
        let condition = told.map(|told| clean(&detects(told), WORD_MAX_CHARS)).unwrap_or_default();
        let began = told.map(|told| self.time(told.began)).unwrap_or_default();
        let ended = told.map(|told| self.time(told.at)).unwrap_or_default();
        self.texts.say(key, &[("condition", &condition), ("began", &began), ("ended", &ended)])
    }

    fn facts(&self, kind: MessageKind, told: &Told) -> Vec<Fact> {
        let over = kind == MessageKind::Resolve;
        let rule = &told.rule;
        let series = told.series.text();
        let action = rule.action.clone().filter(|_| !over);
        [
            ("watch-fact-action", action),
            ("watch-fact-service", rule.service.clone()),
            ("watch-fact-series", Some(series).filter(|series| !series.is_empty())),
            ("watch-fact-value", told.value.map(|value| rule.unit.shown(value))),
            ("watch-fact-threshold", told.threshold.map(|value| rule.unit.shown(value))),
            ("watch-fact-began", Some(self.time(told.began))),
            ("watch-fact-ended", over.then(|| self.time(told.at))),
            ("watch-fact-owner", rule.owner.clone()),
            ("watch-fact-due", told.due.filter(|_| !over).map(|due| self.time(due))),
            ("watch-fact-rule", Some(rule.name.clone())),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some(Fact { name: self.texts.get(key), value: clean(&value?, WORD_MAX_CHARS) }))
        .collect()
    }

    fn also(&self, item: &Item) -> String {
        let more = match (&item.told, item.folds) {
            (Some(told), true) => format!("{} ({}–{})", what(item), self.time(told.began), self.time(told.at)),
            _ => what(item),
        };
        clean(&self.texts.say("watch-also", &[("what", &more)]), WORD_MAX_CHARS)
    }

    fn links(&self, kind: MessageKind, firing: Option<&str>, told: Option<&Told>, test: Option<&str>) -> Vec<Link> {
        let base = self.base_url.trim_end_matches('/');
        let mut links = Vec::new();
        let mut add = |to, key: &str, url| links.push(Link { to, label: self.texts.get(key), url });
        if let Some(firing) = firing {
            add(LinkTo::Firing, "watch-link-firing", format!("{base}/firings/{firing}"));
            let asks = matches!(kind, MessageKind::Fire | MessageKind::Escalate);
            if asks && told.is_some_and(|told| told.rule.class == Class::Alert) {
                add(LinkTo::Acknowledge, "watch-link-ack", format!("{base}/firings/{firing}?ask=ack"));
            }
        }
        let runbook = told.and_then(|told| told.rule.runbook.as_deref()).filter(|_| kind != MessageKind::Resolve);
        if let Some(url) = runbook.and_then(|runbook| runbook_url(base, runbook)) {
            add(LinkTo::Runbook, "watch-link-runbook", url);
        }
        if let Some(test) = test {
            add(LinkTo::Test, "watch-link-test", format!("{base}/channels/test/{test}"));
        }
        links
    }

    /// `2026-03-29 02:15 JST`.
    fn time(&self, at: Timestamp) -> String {
        match jiff::Timestamp::from_microsecond(at.micros()) {
            Ok(moment) => moment.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string(),
            Err(_) => at.to_string(),
        }
    }
}

/// The rule and where: `checkout-slow (route="POST /cart")`.
fn what(item: &Item) -> String {
    let Some(told) = &item.told else {
        return item.firing.map(|id| id.to_string()).unwrap_or_default();
    };
    let series = told.series.text();
    let name = match &told.rule.service {
        Some(service) => format!("{service}: {}", told.rule.name),
        None => told.rule.name.clone(),
    };
    let what = if series.is_empty() { name } else { format!("{name} ({series})") };
    clean(&what, WORD_MAX_CHARS)
}

/// An address as it is, a name as its page.
fn runbook_url(base: &str, runbook: &str) -> Option<String> {
    if let Ok(url) = url::Url::parse(runbook) {
        return matches!(url.scheme(), "http" | "https").then(|| url.to_string());
    }
    let mut url = url::Url::parse(base).ok()?;
    url.path_segments_mut().ok()?.pop_if_empty().push("runbooks").push(runbook);
    Some(url.to_string())
}

/// On one line, without control characters, at most `max` characters.
pub(crate) fn clean(text: &str, max: usize) -> String {
    let mut cleaned: String =
        text.chars().map(|c| if c.is_control() || is_bidi_control(c) { ' ' } else { c }).take(max + 1).collect();
    if cleaned.chars().count() > max {
        cleaned = cleaned.chars().take(max.saturating_sub(1)).collect();
        cleaned.push('…');
    }
    cleaned
}

/// Characters that turn text around: a label could make a line read as another one.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::detects::Detects;
    use base::Span;
    use std::collections::BTreeMap;

    pub(crate) fn told(class: Class, route: &str) -> Told {
        Told {
            rule: RuleInfo {
                name: "checkout-slow".to_owned(),
                class,
                service: Some("shop".to_owned()),
                owner: Some("web-team".to_owned()),
                action: Some("Roll back the last deploy".to_owned()),
                runbook: Some("shop errors".to_owned()),
                due: Some(Span::from_seconds(3 * 86_400)),
                condition: "latency.p95 of POST /checkout above 800ms for 5m".to_owned(),
                detects: None,
                unit: crate::signals::Unit::Milliseconds,
            },
            series: Series(BTreeMap::from([("route".to_owned(), route.to_owned())])),
            began: "2026-03-01T00:00:00Z".parse().unwrap(),
            at: "2026-03-01T00:10:00Z".parse().unwrap(),
            value: Some(1234.567),
            threshold: Some(800.0),
            due: (class == Class::Ticket).then(|| "2026-03-04T00:00:00Z".parse().unwrap()),
        }
    }

    pub(crate) fn firing() -> Id<Firing> {
        "0195f000-0000-7000-8000-000000000001".parse().unwrap()
    }

    pub(crate) fn write(language: Language, kind: MessageKind, folds: bool, tolds: &[Told]) -> Message {
        let texts = Texts::new(language);
        let zone = TimeZone::get("Asia/Tokyo").unwrap();
        let desk = Desk { texts: &texts, base_url: "https://koshu.example/", zone: &zone };
        let item = |told: &Told| Item { firing: Some(firing()), folds, told: Some(told.clone()) };
        let items: Vec<Item> = tolds.iter().map(item).collect();
        desk.write("0195f000-0000-7000-8000-00000000000a", kind, &items, None)
    }

    #[test]
    fn a_message_says_what_where_since_when_and_what_to_do() {
        for (language, kind, folds, class) in [
            (Language::English, MessageKind::Fire, false, Class::Alert),
            (Language::Japanese, MessageKind::Fire, false, Class::Alert),
            (Language::Japanese, MessageKind::Fire, false, Class::Ticket),
            (Language::English, MessageKind::Resolve, true, Class::Alert),
            (Language::Japanese, MessageKind::Resolve, true, Class::Alert),
            (Language::English, MessageKind::Escalate, false, Class::Alert),
        ] {
            let message = write(language, kind, folds, &[told(class, "POST /checkout")]);
            let name = format!("{language:?}-{}-{}", kind.as_str(), class.as_str());
            insta::assert_json_snapshot!(name, message);
        }
    }

    #[test]
    fn what_is_detected_is_said_in_the_language_of_the_message_where_its_parts_are_known() {
        let mut of_now = told(Class::Alert, "POST /checkout");
        of_now.rule.detects = Some(Detects::Burn {
            objective: "available".to_owned(),
            service: "shop\nBcc: x".to_owned(),
            target_percent: 99.9,
        });
        let of_before = told(Class::Alert, "POST /checkout");
        for (told, want) in [
            (of_now, "shop Bcc: x の目標 available (99.9 %) の予算の消費が速すぎる"),
            (of_before, "latency.p95 of POST /checkout above 800ms for 5m"),
        ] {
            let message = write(Language::Japanese, MessageKind::Fire, false, &[told]);
            assert!(message.text.contains(want), "{}", message.text);
        }
    }

    #[test]
    fn a_group_is_one_message_with_a_line_for_each() {
        let both = [told(Class::Alert, "GET /a"), told(Class::Alert, "GET /b")];
        let message = write(Language::English, MessageKind::Fire, false, &both);
        assert_eq!(message.title, "Alert: shop: checkout-slow (route=\"GET /a\") (and 1 more)");
        assert_eq!(message.also, ["Also: shop: checkout-slow (route=\"GET /b\")"]);
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_id() {
        let texts = Texts::new(Language::English);
        let desk = Desk { texts: &texts, base_url: "https://koshu.example", zone: &TimeZone::UTC };
        let item = Item { firing: Some(firing()), folds: false, told: None };
        let message = desk.write("id", MessageKind::Fire, &[item], None);
        assert_eq!(message.title, format!("Alert: {}", firing()));
        assert_eq!(message.links[0].url, format!("https://koshu.example/firings/{}", firing()));
    }

    #[test]
    fn a_runbook_is_a_page_or_an_address_and_never_a_script() {
        for (runbook, want) in [
            ("shop errors", Some("https://koshu.example/runbooks/shop%20errors")),
            ("../../admin", Some("https://koshu.example/runbooks/..%2F..%2Fadmin")),
            ("https://wiki.example/x", Some("https://wiki.example/x")),
            ("javascript:alert(1)", None),
        ] {
            assert_eq!(runbook_url("https://koshu.example", runbook).as_deref(), want, "{runbook}");
        }
    }

    #[test]
    fn observed_text_stays_on_its_line_and_reads_from_left_to_right() {
        assert_eq!(clean("a\r\nBcc: x\u{202e}y", 50), "a  Bcc: x y");
        assert_eq!(clean(&"あ".repeat(10), 5), "ああああ…");
    }
}
