//! Proposed objectives and rules for a service, from what its past shows: each number with its reason, as YAML that loads.
//!
//! Careful by design: the one alert is the burn of the availability budget; what is slow is a ticket; the rest is kept as
//! records. A target is never stricter than what the past kept with half of its budget, nor so strict that the traffic
//! could not show it.

use crate::objective::Target;
use std::fmt::Write as _;

/// The language of the reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Japanese.
    Japanese,
}

/// One day of a service, or the whole past of a route.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Observed {
    /// Requests.
    pub requests: u64,
    /// Requests answered with 5xx.
    pub errors: u64,
    /// 95th percentile of the known durations, milliseconds.
    pub p95_ms: Option<f64>,
}

/// What is known of a service.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// Name.
    pub service: String,
    /// Who answers for it.
    pub owner: String,
    /// Whole days of its past, the oldest first.
    pub days: Vec<Observed>,
    /// Routes with their past, in any order.
    pub routes: Vec<(String, Observed)>,
}

/// What is proposed.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// A part of the configuration, with the reasons as comments.
    pub yaml: String,
    /// The reasons by themselves, in their order.
    pub reasons: Vec<String>,
}

/// Targets from which one is chosen, the strictest first, in percent.
const TARGETS: [f64; 8] = [99.99, 99.95, 99.9, 99.5, 99.0, 98.0, 95.0, 90.0];
/// So many bad requests a window have to fit into the budget: one bad minute must not use it up.
const MIN_BUDGET: f64 = 10.0;
const WINDOW_DAYS: f64 = 30.0;
/// Slow routes that get a rule.
const MAX_ROUTES: usize = 3;
/// Below so many requests a day burn says little.
const FEW_A_DAY: f64 = 100.0;

/// Rounds up to 1, 1.5, 2, 3, 5 or 8 times a power of ten: a number that people remember.
fn round_up(value: f64) -> f64 {
    let power = 10f64.powf(value.max(1.0).log10().floor());
    let steps = [1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|rounded| *rounded >= value).unwrap_or(10.0 * power)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().checked_sub(1)? / 2).copied()
}

/// The strictest target that the past kept with half of its budget, and that the traffic can show.
fn target(requests: u64, errors: u64, a_day: f64) -> Target {
    let ratio = if requests == 0 { 0.0 } else { errors as f64 / requests as f64 };
    let targets = TARGETS.map(|percent| Target::from_percent(percent).expect("written out above"));
    let kept = |target: &Target| ratio <= target.budget() / 2.0 && a_day * WINDOW_DAYS * target.budget() >= MIN_BUDGET;
    let [.., loosest] = targets;
    targets.into_iter().find(kept).unwrap_or(loosest)
}

fn quoted(text: &str) -> String {
    // JSON's quoting is YAML's double-quoted style.
    serde_json::Value::from(text).to_string()
}

struct Writer {
    language: Language,
    yaml: String,
    reasons: Vec<String>,
}

impl Writer {
    fn line(&mut self, text: &str) {
        self.yaml.push_str(text);
        self.yaml.push('\n');
    }

    fn because(&mut self, indent: &str, english: String, japanese: String) {
        let reason = match self.language {
            Language::English => english,
            Language::Japanese => japanese,
        };
        // A name that was observed may hold anything, but no line break ends a comment.
        let reason: String = reason.chars().map(|c| if c.is_control() || is_line_break(c) { ' ' } else { c }).collect();
        let _ = writeln!(self.yaml, "{indent}# {reason}");
        self.reasons.push(reason);
    }

    fn said<'a>(&self, english: &'a str, japanese: &'a str) -> &'a str {
        match self.language {
            Language::English => english,
            Language::Japanese => japanese,
        }
    }
}

/// What YAML takes for the end of a line beyond control characters.
fn is_line_break(c: char) -> bool {
    matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Proposes objectives and rules. `None` without a day of past.
pub fn propose(facts: &Facts, language: Language) -> Option<Proposal> {
    let days = facts.days.len();
    if days == 0 {
        return None;
    }
    let (requests, errors) =
        facts.days.iter().fold((0, 0), |(requests, errors), day| (requests + day.requests, errors + day.errors));
    let a_day = requests as f64 / days as f64;
    let target = target(requests, errors, a_day);
    let p95 = median(facts.days.iter().filter_map(|day| day.p95_ms).collect());
    let mut out = Writer { language, yaml: String::new(), reasons: Vec::new() };
    let service = &facts.service;
    out.line("services:");
    out.line(&format!("  {service}:"));
    out.line(&format!("    owner: {}", quoted(&facts.owner)));
    out.line("    objectives:");
    let allowed = a_day * WINDOW_DAYS * target.budget();
    out.because(
        "      ",
        format!(
            "{target} %: over {days} days {errors} of {requests} requests failed; 30 days of this traffic may have {allowed:.0} bad ones"
        ),
        format!(
            "{target} %: {days} 日間のリクエスト {requests} 件のうち失敗は {errors} 件。このトラフィックなら 30 日で {allowed:.0} 件まで失敗できます"
        ),
    );
    out.line(&format!("      - {{name: available, good: \"status < 500\", target: {target}, window: 30d}}"));
    if let Some(p95) = p95 {
        let limit = round_up(p95 * 1.25);
        out.because(
            "      ",
            format!(
                "{limit} ms: on a usual day 95 % of the requests took up to {p95:.0} ms; a quarter more, rounded up"
            ),
            format!(
                "{limit} ms: ふだんの日は 95 % のリクエストが {p95:.0} ms 以内でした。その 1.25 倍を切り上げた値です"
            ),
        );
        out.line(&format!("      - {{name: fast, good: \"duration_ms < {limit}\", target: 95, window: 30d}}"));
    }
    out.line("rules:");
    alert(&mut out, service, a_day);
    tickets(&mut out, facts);
    records(&mut out, facts, a_day);
    Some(Proposal { yaml: out.yaml, reasons: out.reasons })
}

fn alert(out: &mut Writer, service: &str, a_day: f64) {
    if a_day < FEW_A_DAY {
        out.because(
            "  ",
            format!("about {a_day:.0} requests a day: too few to notice an outage soon; add a check that buys, signs in or searches"),
            format!("1 日およそ {a_day:.0} 件: 障害にすぐ気づくには少なすぎます。購入やログインを試す外形監視を加えてください"),
        );
    }
    out.because(
        "  ",
        "the only alert: users are failing so fast that the budget of 30 days would be gone within days".to_owned(),
        "アラートはこれだけ: 30 日分の予算が数日で尽きる速さで、利用者が失敗に遭っています".to_owned(),
    );
    let action = out.said(
        "Look at the errors of the last deploy; roll it back if they began with it",
        "直近のデプロイ以降のエラーを確認し、デプロイと同時に始まっていれば切り戻す",
    );
    let rule = format!(
        "  - {{name: {service}-burning, service: {service}, objective: available, class: alert, action: {}}}",
        quoted(action)
    );
    out.line(&rule);
}

fn tickets(out: &mut Writer, facts: &Facts) {
    let service = &facts.service;
    out.because(
        "  ",
        "a slow loss: a tenth of the budget in a day or three; somebody looks within three days".to_owned(),
        "ゆっくりした損失: 1 日または 3 日で予算の 1 割。3 日以内に誰かが調べます".to_owned(),
    );
    out.line(&format!(
        "  - {{name: {service}-burning-slowly, service: {service}, objective: available, class: ticket, due: 3d}}"
    ));
    let mut routes: Vec<(&str, f64, u64)> = facts
        .routes
        .iter()
        .filter(|(_, seen)| seen.requests >= 100)
        .filter_map(|(route, seen)| Some((route.as_str(), seen.p95_ms?, seen.requests)))
        .collect();
    routes.sort_by(|a, b| (b.1 * b.2 as f64).total_cmp(&(a.1 * a.2 as f64)).then(a.0.cmp(b.0)));
    for (index, (route, p95, requests)) in routes.into_iter().take(MAX_ROUTES).enumerate() {
        let (limit, clear) = (round_up(p95 * 2.0), round_up(p95 * 1.25));
        out.because(
            "  ",
            format!("{limit} ms: twice the usual p95 of {p95:.0} ms of {route} ({requests} requests), rounded up"),
            format!("{limit} ms: {route} のふだんの p95 {p95:.0} ms ({requests} 件) の 2 倍を切り上げた値です"),
        );
        let clear = if clear < limit { format!(", clear_below: {clear}ms") } else { String::new() };
        out.line(&format!(
            "  - {{name: {service}-slow-{}, service: {service}, route: {}, signal: latency.p95, above: {limit}ms{clear}, hold: 15m, class: ticket, due: 7d}}",
            index + 1,
            quoted(route)
        ));
    }
}

fn records(out: &mut Writer, facts: &Facts, a_day: f64) {
    let service = &facts.service;
    out.because(
        "  ",
        "for whoever asks later: which routes failed, and when".to_owned(),
        "あとで調べる人のために: どのルートがいつ失敗したか".to_owned(),
    );
    out.line(&format!(
        "  - {{name: {service}-route-errors, service: {service}, route: \"*\", signal: errors.ratio, above: 5%, hold: 5m, class: record}}"
    ));
    let quiet = facts.days.iter().map(|day| day.requests).min().unwrap_or(0) as f64 / 86_400.0 / 5.0;
    // Below that a five-minute window is empty as often as not.
    if quiet >= 0.05 && a_day >= FEW_A_DAY {
        out.because(
            "  ",
            format!("{quiet:.2} a second: a fifth of the quietest day's mean"),
            format!("毎秒 {quiet:.2} 件: いちばん静かな日の平均の 5 分の 1"),
        );
        out.line(&format!(
            "  - {{name: {service}-quiet, service: {service}, signal: traffic, below: {quiet:.2}/s, hold: 10m, class: record}}"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{Compiled, Declared, DeclaredService, INTERVAL, compile};
    use crate::spec::{ObjectiveSpec, RuleSpec};
    use serde::Deserialize;
    use std::collections::{BTreeMap, BTreeSet};

    #[derive(Deserialize)]
    struct File {
        services: BTreeMap<String, Service>,
        rules: Vec<RuleSpec>,
    }

    #[derive(Deserialize)]
    struct Service {
        owner: String,
        objectives: Vec<ObjectiveSpec>,
    }

    fn loaded(yaml: &str) -> Compiled {
        let file: File = serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{yaml}\n{error}"));
        let services = file.services.iter().map(|(name, service)| {
            (name.as_str(), DeclaredService { owner: Some(&service.owner), objectives: &service.objectives })
        });
        let declared = Declared {
            services: services.collect(),
            checks: BTreeSet::new(),
            runbooks: None,
            time_zone: "UTC",
            interval: INTERVAL,
        };
        compile(&declared, &file.rules)
    }

    fn shop() -> Facts {
        let day = |requests, errors, p95_ms| Observed { requests, errors, p95_ms: Some(p95_ms) };
        Facts {
            service: "shop".to_owned(),
            owner: "web-team".to_owned(),
            days: vec![day(90_000, 20, 180.0), day(110_000, 30, 200.0), day(100_000, 40, 900.0)],
            routes: vec![
                ("GET /".to_owned(), day(200_000, 5, 100.0)),
                ("POST /checkout".to_owned(), day(50_000, 80, 700.0)),
                ("GET /rare".to_owned(), day(3, 0, 9000.0)),
                ("GET /x\"}\n- {name: evil\u{2028}".to_owned(), day(500, 5, 150.0)),
            ],
        }
    }

    #[test]
    fn a_proposal_loads_and_gives_its_reasons() {
        for language in [Language::English, Language::Japanese] {
            let proposal = propose(&shop(), language).unwrap();
            let compiled = loaded(&proposal.yaml);
            assert!(compiled.is_usable(), "{:?}\n{}", compiled.problems, proposal.yaml);
            assert_eq!((compiled.objectives.len(), compiled.rules.len()), (2, 7));
            assert_eq!(compiled.rules.iter().filter(|rule| rule.info.class == crate::Class::Alert).count(), 1);
            let file: File = serde_saphyr::from_str(&proposal.yaml).unwrap();
            let routes: Vec<_> = file.rules.iter().filter_map(|rule| rule.route.as_deref()).collect();
            assert_eq!(
                routes,
                ["POST /checkout", "GET /", &shop().routes[3].0, "*"],
                "a name that was observed stays one"
            );
            insta::assert_snapshot!(format!("proposal_{language:?}"), proposal.yaml);
        }
        assert_eq!(propose(&Facts::default(), Language::English), None);
    }

    #[test]
    fn a_target_is_one_that_the_past_kept_and_the_traffic_can_show() {
        for (case, requests, errors, a_day, want) in [
            ("clean and busy", 3_000_000, 0, 100_000.0, 99.99),
            ("3 in 10,000", 300_000, 90, 100_000.0, 99.9),
            ("exactly half of the budget", 200_000, 100, 100_000.0, 99.9),
            ("clean but few", 900, 0, 30.0, 98.0),
            ("very few", 30, 0, 1.0, 90.0),
            ("mostly failing", 100, 60, 100.0, 90.0),
        ] {
            assert!((target(requests, errors, a_day).percent() - want).abs() < 1e-9, "{case}");
        }
    }

    #[test]
    fn limits_are_numbers_that_people_remember() {
        for (value, want) in [(250.0, 300.0), (300.0, 300.0), (301.0, 500.0), (1400.0, 1500.0), (0.4, 1.0), (9.1, 10.0)]
        {
            assert!((round_up(value) - want).abs() < 1e-9, "{value}");
        }
    }
}
