//! Evaluates every rule at a tick, and remembers where each of their series stands.
//!
//! Pure: values come from a [`Source`], counts from [`Budgets`], the time as an argument. What comes out are
//! [`Transition`]s; who tells them has to make them durable. After a restart, what the store says of open firings is the
//! truth: a firing that it knows is not announced again, and one that it does not know is announced.

use crate::budgets::Budgets;
use crate::burn::{ROWS, Reading, Row, RowState, Said, read};
use crate::detects::Side;
use crate::rule::{MAX_SERIES, Rule, RuleKind, Scope, Selector, What};
use crate::signals::Signal;
use crate::step::{Change, State, elapsed_us, step};
use crate::{Class, Phase, RuleInfo, Series, Transition, Verdict};
use base::{Span, TimeRange, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a source says about a selector.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A verdict for each series that is there. One that was there before and is missing now is absent.
    Series(Vec<(Series, Verdict)>),
    /// The same for all series: the question could not be answered, for example.
    Whole(Verdict),
}

/// Where values come from.
pub trait Source {
    /// The values of a selector over its window, which ends at `now`.
    fn signal(&self, selector: &Selector, now: Timestamp) -> Answer;

    /// Whether what a service sends is arriving: its files are followed, its agent is heard. Time in which it is not
    /// is not seen, and never good.
    fn is_watching(&self, service: &str, now: Timestamp) -> bool;

    /// Whether the whole of a range was watched: of one service, or of all. What was not is no silence.
    fn was_watching(&self, service: Option<&str>, range: TimeRange) -> bool;
}

/// A firing that was open when the process ended, as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFiring {
    /// Name of the rule; `NAME/absent` for missing data.
    pub rule: String,
    /// Which series.
    pub series: Series,
    /// Since when its condition holds.
    pub since: Timestamp,
}

/// A series of a threshold rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Track {
    state: State,
    absence: Option<State>,
}

/// A rule over an objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct BurnTrack {
    phase: Phase,
    since: Timestamp,
    last: Timestamp,
    /// One for each of [`ROWS`].
    rows: Vec<RowState>,
}

#[derive(Debug)]
struct Running {
    rule: Arc<Rule>,
    series: BTreeMap<Series, Track>,
    burn: BurnTrack,
    left_out: usize,
}

/// Where one series of a rule stands, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesStatus {
    /// Which series.
    pub series: Series,
    /// Where it stands.
    pub phase: Phase,
    /// Since when.
    pub since: Timestamp,
    /// What is missing while it goes on firing.
    pub blind: Option<Phase>,
    /// The last value.
    pub value: Option<f64>,
}

/// Where a rule stands, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleStatus {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Its series.
    pub series: Vec<SeriesStatus>,
    /// Series beyond [`MAX_SERIES`] that are not watched.
    pub left_out: usize,
}

/// What is remembered across a restart; counts are apart ([`Budgets::save`]).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SavedEngine {
    rules: BTreeMap<String, SavedRule>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SavedRule {
    series: Vec<(Series, Track)>,
    burn: BurnTrack,
}

/// See the module.
#[derive(Debug)]
pub struct Engine {
    running: Vec<Running>,
    budgets: Arc<Budgets>,
    interval: Span,
    last: Option<Timestamp>,
}

impl BurnTrack {
    fn new(now: Timestamp) -> Self {
        Self { phase: Phase::Fine, since: now, last: now, rows: vec![RowState::default(); ROWS.len()] }
    }
}

impl Running {
    fn new(rule: Arc<Rule>, now: Timestamp) -> Self {
        Self { rule, series: BTreeMap::new(), burn: BurnTrack::new(now), left_out: 0 }
    }
}

impl Engine {
    /// An engine that has seen nothing yet, evaluated every `interval`.
    pub fn new(rules: Vec<Arc<Rule>>, budgets: Arc<Budgets>, interval: Span, now: Timestamp) -> Self {
        let running = rules.into_iter().map(|rule| Running::new(rule, now)).collect();
        Self { running, budgets, interval, last: None }
    }

    /// The counts that it decides by.
    pub fn budgets(&self) -> &Arc<Budgets> {
        &self.budgets
    }

    /// Evaluates everything once.
    pub fn tick(&mut self, now: Timestamp, source: &dyn Source) -> Vec<Transition> {
        let last = self.last.replace(now);
        self.budgets.set_now(now);
        if let Some(range) = last.and_then(|last| TimeRange::new(last, now)) {
            // A longer pause was not watched, whoever was sending meanwhile; what arrives late still counts.
            if range.micros() <= 4 * self.interval.micros() {
                for service in self.budgets.services().filter(|service| source.is_watching(service, now)) {
                    self.budgets.see_service(service, range);
                }
            }
        }
        let mut out = Vec::new();
        for running in &mut self.running {
            let rule = Arc::clone(&running.rule);
            match &rule.kind {
                RuleKind::Burn { objective, class } => {
                    let tick = BurnTick { rule: &rule, objective, class: *class, interval: self.interval, now };
                    out.extend(tick.evaluate(&mut running.burn, &self.budgets, source));
                }
                RuleKind::Threshold { selector, .. } => {
                    let answer = match selector.what {
                        What::Signal(Signal::BudgetLeft | Signal::BudgetBurn) => {
                            budget_signal(&self.budgets, selector, now)
                        }
                        What::Signal(_) | What::Sql(_) => {
                            unless_unseen(source.signal(selector, now), &rule.kind, source, now)
                        }
                    };
                    running.threshold(answer, now, &mut out);
                }
            }
        }
        out
    }

    /// Takes other rules. Series of rules that still mean the same go on; firings of the others end.
    pub fn replace(&mut self, rules: Vec<Arc<Rule>>, budgets: Arc<Budgets>, now: Timestamp) -> Vec<Transition> {
        let mut old: BTreeMap<String, Running> =
            self.running.drain(..).map(|running| (running.rule.info.name.clone(), running)).collect();
        for rule in rules {
            let kept = old.remove(&rule.info.name);
            match kept {
                Some(mut running) if running.rule.continues(&rule) => {
                    running.rule = rule;
                    running.refit(now);
                    self.running.push(running);
                }
                Some(other) => {
                    old.insert(format!("{}\u{0}", rule.info.name), other);
                    self.running.push(Running::new(rule, now));
                }
                None => self.running.push(Running::new(rule, now)),
            }
        }
        self.budgets = budgets;
        let mut out = Vec::new();
        for running in old.values() {
            running.end(now, &mut out);
        }
        out
    }

    /// Where every rule stands.
    pub fn status(&self) -> Vec<RuleStatus> {
        self.running.iter().map(Running::status).collect()
    }

    /// How the rows of a burn rule read at a moment, for its page. Empty for other rules.
    pub fn readings(&self, rule: &str, now: Timestamp) -> Vec<Reading> {
        let found = self.running.iter().find(|running| running.rule.info.name == rule);
        let Some(RuleKind::Burn { objective, class }) = found.map(|running| &running.rule.kind) else {
            return Vec::new();
        };
        let readings = |objective: &_, counts: &_| {
            rows_of(*class).map(|(_, row)| read(row, objective, counts, now)).collect::<Vec<_>>()
        };
        self.budgets.with(objective, readings).unwrap_or_default()
    }

    /// What is to be kept across a restart.
    pub fn save(&self) -> SavedEngine {
        let save = |running: &Running| {
            let series = running.series.iter().map(|(series, track)| (series.clone(), track.clone())).collect();
            (running.rule.info.name.clone(), SavedRule { series, burn: running.burn.clone() })
        };
        SavedEngine { rules: self.running.iter().map(save).collect() }
    }

    /// Takes back what [`Engine::save`] gave, corrected by the firings that the store knows to be open. Firings of rules
    /// that are no more are given back as ended.
    pub fn restore(&mut self, saved: &SavedEngine, open: &[OpenFiring], now: Timestamp) -> Vec<OpenFiring> {
        let mut unclaimed = Vec::new();
        for running in &mut self.running {
            if let Some(saved) = saved.rules.get(&running.rule.info.name) {
                running.series = saved.series.iter().take(MAX_SERIES).cloned().collect();
                if saved.burn.rows.len() == ROWS.len() {
                    running.burn = saved.burn.clone();
                }
            }
            running.forget_unknown(open, now);
        }
        for firing in open {
            let claimed = self.running.iter_mut().any(|running| running.resume(firing, now));
            if !claimed {
                unclaimed.push(firing.clone());
            }
        }
        unclaimed
    }
}

fn rows_of(class: Class) -> impl Iterator<Item = (usize, Row)> {
    ROWS.into_iter().enumerate().filter(move |(_, row)| class == Class::Record || row.class == class)
}

fn transition(
    rule: &Arc<RuleInfo>,
    series: &Series,
    change: Change,
    threshold: Option<f64>,
    now: Timestamp,
) -> Transition {
    let Change { from, to, since, value } = change;
    Transition { rule: Arc::clone(rule), series: series.clone(), at: now, since, from, to, value, threshold }
}

/// Too little traffic can only be said of a window that was watched whole: before that the question has no answer.
fn unless_unseen(answer: Answer, kind: &RuleKind, source: &dyn Source, now: Timestamp) -> Answer {
    let RuleKind::Threshold { selector, spec, .. } = kind else { return answer };
    let Answer::Series(mut found) = answer else { return answer };
    if selector.what == What::Signal(Signal::Traffic) && spec.threshold.side == Side::Below {
        let range = TimeRange { from: now.plus_micros(-selector.window.micros()), to: now };
        let named = match &selector.service {
            Scope::One(name) => Some(name.as_str()),
            Scope::All | Scope::Each => None,
        };
        for (series, verdict) in &mut found {
            let service = named.or_else(|| series.0.get("service").map(String::as_str));
            if matches!(verdict, Verdict::Value(_)) && !source.was_watching(service, range) {
                *verdict = Verdict::Failed;
            }
        }
    }
    Answer::Series(found)
}

/// What missing data looks like to the rule about missing data.
fn missing(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Value(_) => Verdict::Value(0.0),
        Verdict::Absent | Verdict::SourceLost => Verdict::Value(1.0),
        Verdict::Failed => Verdict::Failed,
    }
}

fn budget_signal(budgets: &Budgets, selector: &Selector, now: Timestamp) -> Answer {
    let Some(key) = &selector.objective else { return Answer::Whole(Verdict::Failed) };
    let value = budgets.with(key, |objective, counts| match selector.what {
        What::Signal(Signal::BudgetBurn) => {
            let end = crate::objective::end_of_minute(now);
            crate::objective::burn(&counts.last(selector.window, end).tally, objective.target)
        }
        What::Signal(_) | What::Sql(_) => crate::objective::standing(objective, counts, now).left,
    });
    let verdict = match value {
        None => Verdict::Failed,
        Some(None) => Verdict::Absent,
        Some(Some(value)) => Verdict::Value(value),
    };
    Answer::Series(vec![(Series::default(), verdict)])
}

impl Running {
    fn threshold(&mut self, answer: Answer, now: Timestamp, out: &mut Vec<Transition>) {
        let rule = Arc::clone(&self.rule);
        let RuleKind::Threshold { selector, spec, absent } = &rule.kind else { return };
        let mut verdicts: BTreeMap<Series, Verdict> = BTreeMap::new();
        match answer {
            Answer::Whole(verdict) => {
                if self.series.is_empty() {
                    verdicts.insert(Series::default(), verdict);
                }
                verdicts.extend(self.series.keys().map(|series| (series.clone(), verdict)));
            }
            Answer::Series(found) => {
                if found.is_empty() && self.series.is_empty() && !selector.is_split() {
                    verdicts.insert(Series::default(), Verdict::Absent);
                }
                verdicts.extend(self.series.keys().map(|series| (series.clone(), Verdict::Absent)));
                verdicts.extend(found);
                // It stood for all series as long as none was known.
                if selector.is_split() && verdicts.len() > 1 {
                    self.drop_placeholder(&mut verdicts);
                }
            }
        }
        self.left_out = 0;
        for (series, verdict) in verdicts {
            if !self.series.contains_key(&series) && self.series.len() >= MAX_SERIES {
                self.left_out += 1;
                continue;
            }
            let track = self
                .series
                .entry(series.clone())
                .or_insert_with(|| Track { state: State::new(now), absence: absent.as_ref().map(|_| State::new(now)) });
            let (state, change) = step(track.state, spec, verdict, now);
            track.state = state;
            let limit = Some(spec.threshold.limit);
            out.extend(change.map(|change| transition(&rule.info, &series, change, limit, now)));
            if let (Some(absent), Some(absence)) = (absent, &mut track.absence) {
                let (state, change) = step(*absence, &absent.spec, missing(verdict), now);
                *absence = state;
                out.extend(change.map(|change| {
                    // What is compared there is no measurement.
                    transition(&absent.info, &series, Change { value: None, ..change }, None, now)
                }));
            }
            if state.is_gone() && selector.is_split() {
                let gone = self.series.remove(&series);
                let absence = gone.and_then(|track| track.absence).filter(|state| state.phase == Phase::Firing);
                if let (Some(absent), Some(_)) = (absent, absence) {
                    out.push(ended(&absent.info, &series, now));
                }
            }
        }
    }

    fn drop_placeholder(&mut self, verdicts: &mut BTreeMap<Series, Verdict>) {
        let none = Series::default();
        let fires = |track: &Track| {
            track.state.phase == Phase::Firing || track.absence.is_some_and(|absence| absence.phase == Phase::Firing)
        };
        if verdicts.get(&none) == Some(&Verdict::Absent) && !self.series.get(&none).is_some_and(fires) {
            verdicts.remove(&none);
            self.series.remove(&none);
        }
    }

    /// After a reload: what a series remembers fits the new rule.
    fn refit(&mut self, now: Timestamp) {
        let RuleKind::Threshold { absent, .. } = &self.rule.kind else { return };
        for track in self.series.values_mut() {
            track.absence = absent.as_ref().map(|_| track.absence.unwrap_or_else(|| State::new(now)));
        }
    }

    /// Ends what fires, because the rule is no more.
    fn end(&self, now: Timestamp, out: &mut Vec<Transition>) {
        match &self.rule.kind {
            RuleKind::Burn { .. } if self.burn.phase == Phase::Firing => {
                out.push(ended(&self.rule.info, &Series::default(), now));
            }
            RuleKind::Burn { .. } => {}
            RuleKind::Threshold { absent, .. } => {
                for (series, track) in &self.series {
                    if track.state.phase == Phase::Firing {
                        out.push(ended(&self.rule.info, series, now));
                    }
                    let absence = track.absence.is_some_and(|state| state.phase == Phase::Firing);
                    if let (Some(absent), true) = (absent, absence) {
                        out.push(ended(&absent.info, series, now));
                    }
                }
            }
        }
    }

    /// A firing that the store does not know was never told: it has to begin again.
    fn forget_unknown(&mut self, open: &[OpenFiring], now: Timestamp) {
        // The store knows alerts and tickets. A record is known here alone.
        let is_record = |class: Class| class == Class::Record;
        let among =
            |name: &str, series: &Series| open.iter().any(|firing| firing.rule == name && firing.series == *series);
        let of_rule = is_record(self.rule.info.class);
        let absent_class = match &self.rule.kind {
            RuleKind::Threshold { absent: Some(absent), .. } => Some(absent.info.class),
            _ => None,
        };
        let absent_name = format!("{}/absent", self.rule.info.name);
        let known = |name: &str, series: &Series| {
            let unknown_to_store = if name == absent_name { absent_class.is_some_and(is_record) } else { of_rule };
            unknown_to_store || among(name, series)
        };
        let name = self.rule.info.name.clone();
        if self.burn.phase == Phase::Firing && !known(&name, &Series::default()) {
            self.burn = BurnTrack::new(now);
        }
        for (series, track) in &mut self.series {
            if track.state.phase == Phase::Firing && !known(&name, series) {
                track.state = State::new(now);
            }
            if track.absence.is_some_and(|state| state.phase == Phase::Firing) && !known(&absent_name, series) {
                track.absence = Some(State::new(now));
            }
        }
        self.refit(now);
    }

    /// Goes on with a firing that is open, if it is one of this rule.
    fn resume(&mut self, firing: &OpenFiring, now: Timestamp) -> bool {
        let is_absence = firing.rule.strip_suffix("/absent") == Some(self.rule.info.name.as_str());
        if firing.rule != self.rule.info.name && !is_absence {
            return false;
        }
        let rule = Arc::clone(&self.rule);
        match &rule.kind {
            RuleKind::Burn { class, .. } => {
                if self.burn.phase != Phase::Firing {
                    self.burn.phase = Phase::Firing;
                    self.burn.since = firing.since;
                    // Which row it was is not known; the others join by themselves while they burn.
                    if let Some((at, row)) = rows_of(*class).next() {
                        self.burn.rows[at] = RowState::resumed(row);
                    }
                }
                !is_absence
            }
            RuleKind::Threshold { absent, .. } => {
                if is_absence && absent.is_none() {
                    return false;
                }
                let track = self.series.entry(firing.series.clone()).or_insert_with(|| Track {
                    state: State::new(now),
                    absence: absent.as_ref().map(|_| State::new(now)),
                });
                let state =
                    if is_absence { track.absence.get_or_insert_with(|| State::new(now)) } else { &mut track.state };
                if state.phase != Phase::Firing {
                    *state = State::firing(firing.since, now);
                }
                true
            }
        }
    }

    fn status(&self) -> RuleStatus {
        let series = match &self.rule.kind {
            RuleKind::Burn { .. } => {
                let BurnTrack { phase, since, .. } = self.burn;
                vec![SeriesStatus { series: Series::default(), phase, since, blind: None, value: None }]
            }
            RuleKind::Threshold { .. } => {
                let told = |(series, track): (&Series, &Track)| SeriesStatus {
                    series: series.clone(),
                    phase: track.state.phase,
                    since: track.state.since,
                    blind: track.state.blind,
                    value: track.state.value,
                };
                self.series.iter().map(told).collect()
            }
        };
        RuleStatus { rule: Arc::clone(&self.rule), series, left_out: self.left_out }
    }
}

fn ended(rule: &Arc<RuleInfo>, series: &Series, now: Timestamp) -> Transition {
    transition(rule, series, Change { from: Phase::Firing, to: Phase::Absent, since: now, value: None }, None, now)
}

/// One evaluation of a burn rule.
struct BurnTick<'a> {
    rule: &'a Arc<Rule>,
    objective: &'a str,
    class: Class,
    interval: Span,
    now: Timestamp,
}

impl BurnTick<'_> {
    fn evaluate(&self, track: &mut BurnTrack, budgets: &Budgets, source: &dyn Source) -> Option<Transition> {
        let Self { class, now, .. } = *self;
        let readings = budgets.with(self.objective, |objective, counts| {
            rows_of(class).map(|(at, row)| (at, read(row, objective, counts, now))).collect::<Vec<_>>()
        })?;
        let elapsed = elapsed_us(track.last, now, self.interval);
        let back = (track.last.micros() - now.micros()).max(0);
        if back > 0 {
            track.since = track.since.min(now);
        }
        track.last = now;
        for (at, reading) in &readings {
            track.rows[*at] = track.rows[*at].next(reading.row, reading.said, elapsed, back);
        }
        let firing = |(at, _): &&(usize, Reading)| track.rows[*at].is_firing();
        // The row with the shortest windows is the first one: while it cannot see, nothing is known to be fine.
        let blind = readings.first().is_none_or(|(_, reading)| matches!(reading.said, Said::Mute | Said::Unseen));
        let to = if readings.iter().any(|reading| firing(&reading)) {
            Phase::Firing
        } else if blind {
            let service = self.objective.split('/').next().unwrap_or_default();
            if source.is_watching(service, now) { Phase::Absent } else { Phase::SourceLost }
        } else {
            Phase::Fine
        };
        if to == track.phase {
            return None;
        }
        // The row that fires, or the one that is nearest to it.
        let told = readings.iter().find(firing).or_else(|| {
            let near = |reading: &Reading| reading.burn.unwrap_or(0.0) / reading.threshold;
            readings.iter().max_by(|a, b| near(&a.1).total_cmp(&near(&b.1)))
        });
        let change = Change { from: track.phase, to, since: now, value: told.and_then(|(_, reading)| reading.burn) };
        (track.phase, track.since) = (to, now);
        let threshold = told.map(|(_, reading)| reading.threshold);
        Some(transition(&self.rule.info, &Series::default(), change, threshold, now))
    }
}

#[cfg(test)]
mod tests;
