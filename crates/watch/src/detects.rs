//! What a rule detects, in parts, so that it can be said in the language of whoever reads it.
//!
//! Its `Display` is the English sentence. Firings keep that sentence, and it is what is said where the parts are not
//! known: of firings of rules that have changed since, and of those that an earlier version wrote.

use crate::texts::{Language, Texts};
use base::Span;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which side of a limit is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// More than the limit.
    Above,
    /// Less than the limit.
    Below,
}

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// The signal by its name in configuration; `None` for the value of a query.
    pub signal: Option<String>,
    /// What it is measured of, the narrowest first; empty for a signal that is of no one thing.
    pub of: Vec<Part>,
}

/// Something that a signal is measured of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What kind of thing.
    pub kind: PartKind,
    /// Which one; `None` for each of them by itself.
    pub name: Option<String>,
}

/// A kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// A route, which is told by its name alone.
    Route,
    /// A service.
    Service,
    /// A host.
    Host,
    /// A check.
    Check,
    /// A group of errors.
    ErrorGroup,
    /// A heartbeat.
    Heartbeat,
    /// A process.
    Process,
    /// An objective.
    Objective,
}

/// What a rule detects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Detects {
    /// A value on the wrong side of a limit.
    Limit {
        /// What is measured.
        #[serde(flatten)]
        measured: Measured,
        /// Which side is wrong.
        side: Side,
        /// The limit, in the unit of the signal.
        limit: f64,
        /// The limit as it was written: `800ms`.
        written: String,
        /// For how long; `None` when it fires at once.
        hold: Option<Span>,
        /// Over which time the signal is measured, where it is measured over time.
        window: Span,
    },
    /// An objective whose budget burns too fast.
    Burn {
        /// The objective's name.
        objective: String,
        /// Its service.
        service: String,
        /// What is aimed for.
        target_percent: f64,
    },
    /// Data that are missing.
    NoData {
        /// What is not measured.
        #[serde(flatten)]
        measured: Measured,
        /// For how long.
        after: Span,
    },
}

impl PartKind {
    /// In English; a route needs no word in front of its name.
    fn word(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Service => "service",
            Self::Host => "host",
            Self::Check => "check",
            Self::ErrorGroup => "error group",
            Self::Heartbeat => "heartbeat",
            Self::Process => "process",
            Self::Objective => "objective",
        }
    }

    /// Keys of the texts for one of a name, and for each.
    fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::Route => ("watch-of-route", "watch-of-each-route"),
            Self::Service => ("watch-of-service", "watch-of-each-service"),
            Self::Host => ("watch-of-host", "watch-of-each-host"),
            Self::Check => ("watch-of-check", "watch-of-each-check"),
            Self::ErrorGroup => ("watch-of-error-group", "watch-of-each-error-group"),
            Self::Heartbeat => ("watch-of-heartbeat", "watch-of-each-heartbeat"),
            Self::Process => ("watch-of-process", "watch-of-each-process"),
            Self::Objective => ("watch-of-objective", "watch-of-each-objective"),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.kind) {
            (None, kind) => write!(f, "each {}", kind.word()),
            (Some(name), PartKind::Route) => f.write_str(name),
            (Some(name), kind) => write!(f, "{} {name}", kind.word()),
        }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.signal.as_deref().unwrap_or("the query's value"))?;
        for (index, part) in self.of.iter().enumerate() {
            write!(f, "{}{part}", if index == 0 { " of " } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Display for Detects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit { measured, side, written, hold, .. } => {
                let side = match side {
                    Side::Above => "above",
                    Side::Below => "below",
                };
                write!(f, "{measured} {side} {written}")?;
                hold.map_or(Ok(()), |hold| write!(f, " for {hold}"))
            }
            Self::Burn { objective, service, target_percent } => {
                write!(f, "{objective} of {service} burning its budget too fast (target {target_percent} %)")
            }
            Self::NoData { measured, after } => write!(f, "no data: {measured} for {after}"),
        }
    }
}

/// A text as particles follow it: Japanese puts a space behind what is written in Latin letters.
fn ended(texts: &Texts, text: &str) -> String {
    let is_latin = text.ends_with(|c: char| c.is_ascii() && c != ' ');
    let gap = if texts.language() == Language::Japanese && is_latin { " " } else { "" };
    format!("{text}{gap}")
}

impl Part {
    fn said(&self, texts: &Texts) -> String {
        let (one, each) = self.kind.keys();
        match &self.name {
            Some(name) => texts.say(one, &[("name", name)]),
            None => texts.get(each),
        }
    }
}

impl Measured {
    fn said(&self, texts: &Texts) -> String {
        let of: Vec<String> = self.of.iter().map(|part| part.said(texts)).collect();
        let comma = match texts.language() {
            Language::English => ", ",
            Language::Japanese => "、",
        };
        let of = ended(texts, &of.join(comma));
        match (&self.signal, of.is_empty()) {
            (Some(signal), true) => signal.clone(),
            (None, true) => texts.get("watch-detects-query"),
            (Some(signal), false) => texts.say("watch-detects-of", &[("signal", signal), ("of", &of)]),
            (None, false) => texts.say("watch-detects-query-of", &[("of", &of)]),
        }
    }
}

impl Detects {
    /// The sentence in the language of the texts; in English it is that of `Display`.
    pub fn said(&self, texts: &Texts) -> String {
        match self {
            Self::Limit { measured, side, written, hold, .. } => {
                let key = match (side, hold) {
                    (Side::Above, None) => "watch-detects-above",
                    (Side::Above, Some(_)) => "watch-detects-above-for",
                    (Side::Below, None) => "watch-detects-below",
                    (Side::Below, Some(_)) => "watch-detects-below-for",
                };
                let hold = hold.map(|hold| ended(texts, &hold.to_string())).unwrap_or_default();
                let (what, limit) = (ended(texts, &measured.said(texts)), ended(texts, written));
                texts.say(key, &[("what", &what), ("limit", &limit), ("hold", &hold)])
            }
            Self::Burn { objective, service, target_percent } => {
                let (service, target) = (ended(texts, service), target_percent.to_string());
                texts.say("watch-detects-burn", &[("objective", objective), ("service", &service), ("target", &target)])
            }
            Self::NoData { measured, after } => {
                let (what, after) = (ended(texts, &measured.said(texts)), ended(texts, &after.to_string()));
                texts.say("watch-detects-no-data", &[("what", &what), ("after", &after)])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(signal: Option<&str>, of: &[(PartKind, Option<&str>)]) -> Measured {
        let part = |(kind, name): &(PartKind, Option<&str>)| Part { kind: *kind, name: name.map(str::to_owned) };
        Measured { signal: signal.map(str::to_owned), of: of.iter().map(part).collect() }
    }

    fn limit(measured: Measured, side: Side, written: &str, hold: Option<i64>) -> Detects {
        let (hold, window) = (hold.map(Span::from_seconds), Span::from_seconds(300));
        Detects::Limit { measured, side, limit: 0.5, written: written.to_owned(), hold, window }
    }

    const KINDS: [PartKind; 8] = [
        PartKind::Route,
        PartKind::Service,
        PartKind::Host,
        PartKind::Check,
        PartKind::ErrorGroup,
        PartKind::Heartbeat,
        PartKind::Process,
        PartKind::Objective,
    ];

    #[test]
    fn what_a_rule_detects_is_said_in_both_languages() {
        let checkout = measured(Some("latency.p95"), &[(PartKind::Route, Some("POST /checkout"))]);
        let budget = [(PartKind::Service, Some("shop")), (PartKind::Objective, Some("fast"))];
        let budget = measured(Some("budget.left"), &budget);
        let (objective, service) = ("available".to_owned(), "shop".to_owned());
        for (detects, english, japanese) in [
            (
                limit(checkout.clone(), Side::Above, "800ms", Some(300)),
                "latency.p95 of POST /checkout above 800ms for 5m",
                "POST /checkout の latency.p95 が 5m 続けて 800ms を超える",
            ),
            (
                limit(budget, Side::Below, "20%", None),
                "budget.left of service shop, objective fast below 20%",
                "サービス shop、目標 fast の budget.left が 20% を下回る",
            ),
            (
                limit(measured(None, &[(PartKind::Host, None)]), Side::Above, "1000", None),
                "the query's value of each host above 1000",
                "各ホストのクエリの値が 1000 を超える",
            ),
            (
                limit(measured(Some("saturation.disk"), &[]), Side::Below, "5%", Some(60)),
                "saturation.disk below 5% for 1m",
                "saturation.disk が 1m 続けて 5% を下回る",
            ),
            (
                Detects::Burn { objective, service, target_percent: 99.9 },
                "available of shop burning its budget too fast (target 99.9 %)",
                "shop の目標 available (99.9 %) の予算の消費が速すぎる",
            ),
            (
                Detects::NoData { measured: checkout, after: Span::from_seconds(300) },
                "no data: latency.p95 of POST /checkout for 5m",
                "POST /checkout の latency.p95 のデータが 5m 以上ない",
            ),
        ] {
            assert_eq!(detects.to_string(), english);
            assert_eq!(detects.said(&Texts::new(Language::English)), english, "both ways are one sentence");
            assert_eq!(detects.said(&Texts::new(Language::Japanese)), japanese);
        }
    }

    #[test]
    fn every_kind_of_thing_has_its_words() {
        let (english, japanese) = (Texts::new(Language::English), Texts::new(Language::Japanese));
        for kind in KINDS {
            for name in [None, Some("some-name")] {
                let part = Part { kind, name: name.map(str::to_owned) };
                assert_eq!(part.said(&english), part.to_string());
                let said = part.said(&japanese);
                let is_japanese = !said.is_ascii() || (kind == PartKind::Route && name.is_some());
                assert!(is_japanese && name.is_none_or(|name| said.contains(name)), "{kind:?}: {said}");
            }
        }
    }

    #[test]
    fn it_comes_back_from_json_as_it_was() {
        let of_each = measured(Some("check.failures"), &[(PartKind::Check, None)]);
        let detects = limit(of_each, Side::Above, "2", Some(60));
        let json = serde_json::to_value(&detects).unwrap();
        let want = serde_json::json!({
            "kind": "limit", "signal": "check.failures", "of": [{"kind": "check", "name": null}], "side": "above",
            "limit": 0.5, "written": "2", "hold": "1m", "window": "5m",
        });
        assert_eq!(json, want);
        assert_eq!(serde_json::from_value::<Detects>(json).unwrap(), detects);
    }
}
