//! What rules would have said about the past: the same engine over a stored history.

use crate::budgets::Budgets;
use crate::counts::Tally;
use crate::engine::{Engine, Source};
use crate::objective::{Objective, Subject};
use crate::rule::Rule;
use crate::{Class, Phase, Series};
use base::{Span, TimeRange, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A stored past. [`Source::signal`] is asked for moments of the past, in their order.
pub trait History: Source {
    /// Counts of an objective by minute within a range, in the order of time.
    fn counts(&self, objective: &Objective, range: TimeRange) -> Vec<(Timestamp, Tally)>;

    /// The parts of a range in which a service was watched. Asked after the counts of the range.
    fn seen(&self, service: &str, range: TimeRange) -> Vec<TimeRange>;

    /// How long a result of an objective's check stands, until the next one is due. `None` for one over requests.
    fn stands(&self, _objective: &Objective) -> Option<Span> {
        None
    }

    /// Whether to go on after a moment; asked before each evaluation, and before counts are read. The replay ends there
    /// otherwise.
    fn goes_on(&self, _now: Timestamp) -> bool {
        true
    }
}

/// A firing of a replay.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplayedFiring {
    /// Name of the rule.
    pub rule: String,
    /// Its class.
    pub class: Class,
    /// Its service, if it is about one.
    pub service: Option<String>,
    /// Which series.
    pub series: Series,
    /// When it fired.
    pub from: Timestamp,
    /// When it ended; `None` if it still did not at the end of the past.
    pub to: Option<Timestamp>,
    /// What was measured when it fired.
    pub value: Option<f64>,
}

/// What a replay says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replayed {
    /// The time that was gone through, until the last evaluation.
    pub range: TimeRange,
    /// Every firing, by its start.
    pub firings: Vec<ReplayedFiring>,
    /// Evaluations of all rules.
    pub ticks: u64,
}

const DAY_US: i64 = 86_400_000_000;
/// A replay ends when it has so many firings: rules that say so much say nothing.
pub const MAX_FIRINGS: usize = 50_000;

/// Counts of one objective that were read and are not booked yet.
struct Waiting {
    key: String,
    stands: Option<Span>,
    rows: VecDeque<(Timestamp, Tally)>,
}

impl Waiting {
    /// Those of a range; none when there is no time for them.
    fn read(history: &dyn History, objective: &Objective, range: TimeRange) -> Self {
        let rows = if history.goes_on(range.from) { history.counts(objective, range) } else { Vec::new() };
        Self { key: objective.key(), stands: history.stands(objective), rows: rows.into() }
    }

    /// Books the first so many. The time until the next run of a check was seen, as it is at work.
    fn book(&mut self, budgets: &Budgets, count: usize) {
        let rows: Vec<(Timestamp, Tally)> = self.rows.drain(..count).collect();
        if let Some(stands) = self.stands {
            for (at, _) in &rows {
                budgets.see_ahead(&self.key, TimeRange { from: *at, to: at.plus_micros(stands.micros()) });
            }
        }
        budgets.load(&self.key, rows);
    }
}

/// Goes through a range of the past, an evaluation each `interval`, the one with which the rules were compiled.
pub fn replay(
    rules: &[Arc<Rule>],
    objectives: &[Arc<Objective>],
    history: &dyn History,
    range: TimeRange,
    interval: Span,
) -> Replayed {
    let interval_us = interval.micros().max(1_000_000);
    let budgets = Arc::new(Budgets::new(objectives, range.from));
    for objective in objectives {
        let before = TimeRange { from: range.from.plus_micros(-objective.window.longest().micros()), to: range.from };
        let mut past = Waiting::read(history, objective, before);
        past.book(&budgets, past.rows.len());
        // A service may have been watched while its check did not run.
        if matches!(objective.subject, Subject::Requests { .. }) {
            for seen in history.seen(&objective.service, before) {
                budgets.see(&objective.key(), seen);
            }
        }
    }
    let mut engine = Engine::new(rules.to_vec(), Arc::clone(&budgets), interval, range.from);
    let mut open: BTreeMap<(String, Series), usize> = BTreeMap::new();
    let gone_through = TimeRange { from: range.from, to: range.from };
    let mut out = Replayed { range: gone_through, firings: Vec::new(), ticks: 0 };
    let (mut now, mut loaded) = (range.from, range.from);
    let mut waiting: Vec<Waiting> = Vec::new();
    while now <= range.to && out.firings.len() < MAX_FIRINGS && history.goes_on(now) {
        if now >= loaded && loaded < range.to {
            // A day at a time: the past may be long, and memory is not.
            let day = TimeRange { from: loaded, to: loaded.plus_micros(DAY_US).min(range.to) };
            let read = |objective: &Arc<Objective>| Waiting::read(history, objective, day);
            let left = std::mem::replace(&mut waiting, objectives.iter().map(read).collect());
            for mut one in left {
                one.book(&budgets, one.rows.len());
            }
            loaded = day.to;
        }
        for one in &mut waiting {
            let due = one.rows.iter().take_while(|(at, _)| *at < now).count();
            one.book(&budgets, due);
        }
        for change in engine.tick(now, history) {
            let key = (change.rule.name.clone(), change.series.clone());
            if change.to == Phase::Firing {
                open.insert(key, out.firings.len());
                out.firings.push(ReplayedFiring {
                    rule: change.rule.name.clone(),
                    class: change.rule.class,
                    service: change.rule.service.clone().or_else(|| change.series.0.get("service").cloned()),
                    series: change.series,
                    from: now,
                    to: None,
                    value: change.value,
                });
            } else if change.from == Phase::Firing
                && let Some(index) = open.remove(&key)
            {
                out.firings[index].to = Some(now);
            }
        }
        out.ticks += 1;
        out.range.to = now;
        now = now.plus_micros(interval_us);
    }
    out
}

/// An incident that is known to have happened.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownIncident {
    /// Its service, if it was of one.
    pub service: Option<String>,
    /// From when until when.
    pub range: TimeRange,
}

/// Two sets of rules over the same past.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Alerts of the first set.
    pub alerts_before: usize,
    /// Alerts of the second set.
    pub alerts_after: usize,
    /// How many fewer the second has; negative for more.
    pub alerts_fewer: i64,
    /// Known incidents.
    pub incidents: usize,
    /// Incidents (by their number) that no alert of the first set saw.
    pub missed_before: Vec<usize>,
    /// Incidents that no alert of the second set saw.
    pub missed_after: Vec<usize>,
}

/// "41 alerts fewer, 0 incidents missed".
pub fn compare(before: &Replayed, after: &Replayed, incidents: &[KnownIncident]) -> Comparison {
    let alerts = |replayed: &Replayed| replayed.firings.iter().filter(|firing| firing.class == Class::Alert).count();
    let missed = |replayed: &Replayed| {
        let unseen =
            |(_, incident): &(usize, &KnownIncident)| !replayed.firings.iter().any(|firing| saw(firing, incident));
        incidents.iter().enumerate().filter(unseen).map(|(index, _)| index).collect()
    };
    let (alerts_before, alerts_after) = (alerts(before), alerts(after));
    let count = |alerts: usize| i64::try_from(alerts).unwrap_or(i64::MAX);
    Comparison {
        alerts_before,
        alerts_after,
        alerts_fewer: count(alerts_before) - count(alerts_after),
        incidents: incidents.len(),
        missed_before: missed(before),
        missed_after: missed(after),
    }
}

/// An alert saw an incident if it was open at any time of it, for its service or for none.
fn saw(firing: &ReplayedFiring, incident: &KnownIncident) -> bool {
    let same = match (&firing.service, &incident.service) {
        (Some(firing), Some(incident)) => firing == incident,
        _ => true,
    };
    let open_until = firing.to.unwrap_or(Timestamp::from_micros(i64::MAX));
    same && firing.class == Class::Alert && firing.from < incident.range.to && open_until > incident.range.from
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{Declared, DeclaredService, compile};
    use crate::engine::Answer;
    use crate::rule::Selector;
    use crate::spec::{ObjectiveSpec, RuleSpec};
    use crate::{Series, Verdict};

    const START: i64 = 1_782_000_000;
    const MINUTE: Span = Span::from_seconds(60);

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_seconds(START + minute * 60)
    }

    /// 100 requests a minute; outages by minute, and a latency that peaks for ten minutes at each full hour.
    struct Past(Vec<std::ops::Range<i64>>);

    impl Past {
        fn is_out(&self, minute: i64) -> bool {
            self.0.iter().any(|outage| outage.contains(&minute))
        }
    }

    impl Source for Past {
        fn signal(&self, _: &Selector, now: Timestamp) -> Answer {
            let minute = (now.micros() - at(0).micros()).div_euclid(60_000_000);
            let slow = self.is_out(minute) || minute.rem_euclid(60) < 10;
            Answer::Series(vec![(Series::default(), Verdict::Value(if slow { 2000.0 } else { 100.0 }))])
        }
        fn is_watching(&self, _: &str, _: Timestamp) -> bool {
            true
        }
        fn was_watching(&self, _: Option<&str>, _: TimeRange) -> bool {
            true
        }
    }

    impl History for Past {
        fn counts(&self, _: &Objective, range: TimeRange) -> Vec<(Timestamp, Tally)> {
            let minute_of = |at: Timestamp| (at.micros() / 60_000_000) - START / 60;
            let minutes = minute_of(range.from)..minute_of(range.to);
            let tally = |minute| Tally { good: if self.is_out(minute) { 20 } else { 100 }, valid: 100, unknown: 0 };
            minutes.map(|minute| (at(minute), tally(minute))).collect()
        }
        fn seen(&self, _: &str, range: TimeRange) -> Vec<TimeRange> {
            vec![range]
        }
    }

    fn run(rules: &str, past: &Past) -> Replayed {
        let objectives: Vec<ObjectiveSpec> =
            serde_saphyr::from_str("[{name: available, good: \"status < 500\", target: 99.9}]").unwrap();
        let specs: Vec<RuleSpec> = serde_saphyr::from_str(rules).unwrap();
        let declared = Declared {
            services: [("shop", DeclaredService { owner: Some("web"), objectives: &objectives })].into(),
            checks: std::collections::BTreeSet::new(),
            runbooks: None,
            time_zone: "UTC",
            interval: MINUTE,
        };
        let compiled = compile(&declared, &specs);
        assert!(compiled.is_usable(), "{:?}", compiled.problems);
        let range = TimeRange { from: at(0), to: at(3 * 1440) };
        let rules: Vec<Arc<Rule>> = compiled.rules.iter().map(|rule| Arc::new(rule.evaluated_every(MINUTE))).collect();
        replay(&rules, &compiled.objectives, past, range, MINUTE)
    }

    #[test]
    fn two_sets_of_rules_are_compared_over_the_same_past() {
        // The first minute out is too little for an hour whose past is known.
        let past = Past(vec![5..6, 500..560, 3000..3045]);
        let noisy =
            run("[{name: slow, service: shop, signal: latency.p95, above: 1s, class: alert, action: Look}]", &past);
        let burning = run("[{name: burning, service: shop, objective: available, class: alert, action: Look}]", &past);
        // Once an hour: 73 peaks, one of which began in an outage and one of which an outage prolonged.
        let peaks = noisy.firings.len();
        assert_eq!(burning.ticks, 3 * 1440 + 1);
        assert_eq!(burning.range.to, at(3 * 1440));
        assert_eq!(burning.firings.len(), 2);
        for (firing, outage) in burning.firings.iter().zip([500, 3000]) {
            let delay = (firing.from.micros() - at(outage).micros()) / 60_000_000;
            assert!((1..=4).contains(&delay), "fired {delay} minutes after {outage}");
            assert!(firing.to.is_some() && firing.value.is_some());
        }
        let incident = |from, to| KnownIncident {
            service: Some("shop".to_owned()),
            range: TimeRange { from: at(from), to: at(to) },
        };
        let incidents = [incident(500, 560), incident(3000, 3045), incident(2000, 2010)];
        let compared = compare(&noisy, &burning, &incidents);
        assert_eq!((compared.alerts_before, compared.alerts_after), (peaks, 2));
        assert_eq!(compared.alerts_fewer, i64::try_from(peaks).unwrap() - 2);
        assert!((70..=74).contains(&peaks), "{peaks}");
        assert_eq!((compared.missed_before, compared.missed_after), (vec![2], vec![2]));
        let blind = Replayed { firings: Vec::new(), ..burning };
        assert_eq!(compare(&noisy, &blind, &incidents).missed_after, [0, 1, 2]);
    }

    #[test]
    fn a_hold_is_the_nearest_number_of_minutes() {
        // One bad minute, and two in a row, far from the full hours.
        let past = Past(vec![30..31, 90..92]);
        let fired = |hold: &str| {
            let rule = format!(
                "[{{name: slow, service: shop, signal: latency.p95, above: 1500ms, hold: {hold}, class: record}}]"
            );
            let minutes = run(&rule, &past).firings.into_iter().map(|firing| firing.from.micros() / MINUTE.micros());
            minutes
                .map(|minute| minute - START / 60)
                .filter(|minute| (20..120).contains(minute) && minute % 60 > 20)
                .collect::<Vec<_>>()
        };
        assert_eq!(fired("15s"), [30, 90], "as if there was none");
        assert_eq!(fired("29s"), [30, 90]);
        assert_eq!((fired("30s"), fired("89s")), (vec![91], vec![91]), "one more minute");
        assert_eq!(fired("90s"), [0; 0]);
    }
}
