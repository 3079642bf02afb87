//! What rules would have said about the stored past: the engine of the watch over what the lake keeps.
//!
//! It goes minute by minute, and at each minute knows nothing of what came after it. Requests come from roll-ups, an hour
//! at a time; what has to be asked for with a query is asked for less often when the range is long, and that is said. What
//! is not stored (counts of processes, the silence of hosts) can't be replayed, and that is said too.

use super::Watch;
use super::counting::past_minutes;
use super::values::{Gathering, is_of_requests};
use crate::parts::Parts;
use base::{Span, TimeRange, Timestamp};
use lake::{RouteSums, ServiceWindows, Windows};
use parking_lot::Mutex;
use signal::Sum;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use watch::counts::Tally;
use watch::engine::{Answer, Source};
use watch::objective::{Objective, Subject};
use watch::replay::{History, Replayed, replay};
use watch::rule::{Rule, RuleKind, Scope, Selector, What};
use watch::signals::Signal;

/// Time between two evaluations of a replay: as fine as what is stored.
pub const STEP: Span = Span::from_seconds(60);
/// Which part of the memory budget minutes of a replay may take: an eighth.
const MEMORY_SHARE: u64 = 8;
/// Queries that one replay may ask.
const MAX_QUERIES: i64 = 3000;
const HOUR: i64 = 3_600_000_000;
const MINUTE: i64 = 60_000_000;

/// What is to be gone through.
pub struct Replay {
    /// Rules.
    pub rules: Vec<Arc<Rule>>,
    /// Objectives that they may be about.
    pub objectives: Vec<Arc<Objective>>,
    /// The past.
    pub range: TimeRange,
    /// When it has to end, wherever it is.
    pub deadline: Instant,
}

/// A rule that was left out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct NotReplayed {
    /// Its name.
    pub rule: String,
    /// Why, for people.
    pub why: &'static str,
}

/// A rule that was looked at less often than every minute.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Sampled {
    /// Its name.
    pub rule: String,
    /// How often, seconds.
    pub every_s: i64,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// What the rules said.
    pub replayed: Replayed,
    /// Rules that were left out.
    pub not_replayed: Vec<NotReplayed>,
    /// Rules that were looked at less often.
    pub sampled: Vec<Sampled>,
}

/// Why nothing was gone through.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Try again later.
    #[error("another replay is going on")]
    Busy,
    /// Ours to fix.
    #[error("the replay broke off")]
    Failed(#[source] tokio::task::JoinError),
}

/// Why a rule can't be replayed.
fn obstacle(rule: &Rule) -> Option<&'static str> {
    let RuleKind::Threshold { selector, .. } = &rule.kind else { return None };
    match &selector.what {
        What::Signal(Signal::ProcessCount | Signal::ProcessRestarts) => Some("counts of processes are not stored"),
        What::Signal(Signal::HostSilence | Signal::HostGone | Signal::AgentGone) => {
            Some("when a host was silent is not stored by the minute")
        }
        What::Signal(Signal::HeartbeatAge) => Some("ages of heartbeats are not stored by the minute"),
        What::Signal(Signal::CheckFailures | Signal::CheckDuration | Signal::CheckTlsDays) => {
            Some("results of checks are not kept by the minute; an objective over the check is replayed")
        }
        What::Signal(_) | What::Sql(_) => None,
    }
}

fn selector_of(rule: &Rule) -> Option<&Selector> {
    match &rule.kind {
        RuleKind::Threshold { selector, .. } => Some(selector),
        RuleKind::Burn { .. } => None,
    }
}

/// The objective that a rule is about, by `service/name`.
fn objective_of(rule: &Rule) -> Option<&str> {
    match &rule.kind {
        RuleKind::Burn { objective, .. } => Some(objective),
        RuleKind::Threshold { selector, .. } => selector.objective.as_deref(),
    }
}

/// The objectives that rules are about. The past of an objective is read request by request: none is read for nothing.
fn needed(objectives: Vec<Arc<Objective>>, rules: &[Arc<Rule>]) -> Vec<Arc<Objective>> {
    let keys: HashSet<&str> = rules.iter().filter_map(|rule| objective_of(rule)).collect();
    objectives.into_iter().filter(|objective| keys.contains(objective.key().as_str())).collect()
}

/// Whether it takes a query at each evaluation.
fn takes_query(selector: &Selector) -> bool {
    let is_budget = matches!(selector.what, What::Signal(Signal::BudgetLeft | Signal::BudgetBurn));
    !is_of_requests(selector) && !is_budget
}

impl Watch {
    /// Goes through the past, one replay at a time. It ends when nobody waits for it any more.
    pub async fn replay(self: &Arc<Self>, parts: &Parts, asked: Replay) -> Result<Outcome, ReplayError> {
        // The work itself holds the turn: who asked may be gone before it has ended.
        let turn = Arc::clone(&self.replays).try_acquire_owned().map_err(|_| ReplayError::Busy)?;
        let stop = CancellationToken::new();
        let _ends_with_who_asked = stop.clone().drop_guard();
        let range = TimeRange { from: asked.range.from.minute(), to: asked.range.to };
        let (mut rules, mut not_replayed) = (Vec::new(), Vec::new());
        for rule in &asked.rules {
            match obstacle(rule) {
                Some(why) => not_replayed.push(NotReplayed { rule: rule.info.name.clone(), why }),
                None => rules.push(Arc::new(rule.evaluated_every(STEP))),
            }
        }
        let selectors: BTreeSet<&Selector> = rules.iter().filter_map(|rule| selector_of(rule)).collect();
        let of_requests: Vec<&Selector> = selectors.iter().copied().filter(|one| is_of_requests(one)).collect();
        let queries = i64::try_from(selectors.iter().filter(|one| takes_query(one)).count()).unwrap_or(i64::MAX);
        let asked_for = range.micros() / MINUTE * queries;
        // Rounded up: rounded down it would be up to twice as many.
        let query_every = (asked_for + MAX_QUERIES - 1).div_euclid(MAX_QUERIES).max(1) * MINUTE;
        let asks = |rule: &Arc<Rule>| selector_of(rule).is_some_and(takes_query);
        let sampled = if query_every > MINUTE { rules.iter().filter(|rule| asks(rule)).collect() } else { Vec::new() };
        let sampled = sampled
            .into_iter()
            .map(|rule| Sampled { rule: rule.info.name.clone(), every_s: query_every / 1_000_000 })
            .collect();
        let past = Past {
            watch: Arc::clone(self),
            parts: parts.clone(),
            runtime: Handle::current(),
            longest: of_requests.iter().map(|one| one.window).max(),
            wanted: Wanted::of(&of_requests),
            query_every,
            deadline: asked.deadline,
            most_bytes: usize::try_from(parts.about.memory_bytes / MEMORY_SHARE).unwrap_or(usize::MAX),
            stop,
            watched: self.watched.lock().clone(),
            first: Mutex::default(),
            minutes: Mutex::default(),
            windows: Mutex::default(),
            watched_now: Mutex::default(),
            answers: Mutex::default(),
        };
        let objectives = needed(asked.objectives, &rules);
        let work = move || {
            let _turn = turn;
            replay(&rules, &objectives, &past, range, STEP)
        };
        let replayed = tokio::task::spawn_blocking(work).await.map_err(ReplayError::Failed)?;
        Ok(Outcome { replayed, not_replayed, sampled })
    }
}

/// Which sums of requests the rules ask for.
struct Wanted {
    /// By service, and all when one of the rules is about all.
    services: Option<HashSet<String>>,
    /// Likewise.
    routes: Option<HashSet<String>>,
}

impl Wanted {
    fn of(selectors: &[&Selector]) -> Self {
        let only = |pick: fn(&Selector) -> &Scope| {
            let names = selectors.iter().map(|selector| match pick(selector) {
                Scope::One(name) => Some(name.clone()),
                Scope::All | Scope::Each => None,
            });
            names.collect::<Option<HashSet<String>>>()
        };
        Self { services: only(|selector| &selector.service), routes: only(|selector| &selector.route) }
    }

    fn wants(&self, service: &str, route: &str) -> bool {
        self.services.as_ref().is_none_or(|names| names.contains(service))
            && self.routes.as_ref().is_none_or(|names| names.contains(route))
    }
}

/// Sums by length of the window; `None` where they could not be read.
type ByWindow = BTreeMap<Span, Option<Arc<Windows>>>;

/// Minutes that are in memory, the oldest first.
#[derive(Default)]
struct Minutes {
    kept: VecDeque<(i64, RouteSums)>,
    /// Everything before this was read.
    read_until: Option<i64>,
    /// The end of the last hour that could not be read: a window that reaches before it has a hole.
    failed_until: Option<i64>,
    /// Memory of all that are kept.
    bytes: usize,
    /// That was too much: nothing more is read.
    is_full: bool,
}

/// Memory of a minute's sums, with their places in the map.
fn bytes_of(sums: &RouteSums) -> usize {
    sums.values().map(|sum| sum.heap_bytes() + size_of::<Sum>() + 64).sum()
}

/// The stored past, as rules ask for it.
struct Past {
    watch: Arc<Watch>,
    parts: Parts,
    runtime: Handle,
    /// The longest window over requests.
    longest: Option<Span>,
    wanted: Wanted,
    /// Microseconds between two queries of the same selector.
    query_every: i64,
    deadline: Instant,
    /// Memory that minutes may take.
    most_bytes: usize,
    /// Nobody waits for the answer any more.
    stop: CancellationToken,
    /// When Koshu was there.
    watched: Vec<TimeRange>,
    /// First requests of services.
    first: Mutex<HashMap<String, Timestamp>>,
    minutes: Mutex<Minutes>,
    /// The sums of the evaluation that is going on, by window.
    windows: Mutex<(Timestamp, ByWindow)>,
    /// Services that were watched at the evaluation that is going on.
    watched_now: Mutex<(Timestamp, HashSet<String>)>,
    /// Answers of queries, and when they were asked.
    answers: Mutex<BTreeMap<Selector, (Timestamp, Answer)>>,
}

impl Past {
    fn note_first(&self, service: &str, at: Timestamp) {
        let mut first = self.first.lock();
        match first.get_mut(service) {
            Some(known) => *known = at.min(*known),
            None => drop(first.insert(service.to_owned(), at)),
        }
    }

    /// From the first request of a service on until something was noted, and from then on what was noted.
    fn seen_ranges(&self, service: &str) -> impl Iterator<Item = TimeRange> {
        let noted = self.watched.first().map(|range| range.from);
        let first = self.first.lock().get(service).copied();
        let before = first.and_then(|first| TimeRange::new(first, noted.unwrap_or_else(|| self.parts.clock.now())));
        before.into_iter().chain(self.watched.iter().copied())
    }

    /// Reads on until `now`, and forgets what no window reaches any more.
    fn read_until(&self, now: Timestamp, longest: Span) {
        let mut minutes = self.minutes.lock();
        let oldest = now.plus_micros(-longest.micros()).minute();
        let mut from = minutes.read_until.map_or(oldest.micros(), |until| until.max(oldest.micros()));
        while from < now.micros() && !minutes.is_full {
            if minutes.bytes > self.most_bytes {
                tracing::warn!(
                    bytes = minutes.bytes,
                    "a replay ends: its windows hold more than it may keep in memory"
                );
                minutes.is_full = true;
                break;
            }
            let to = (from.div_euclid(HOUR) + 1) * HOUR;
            let range = TimeRange { from: Timestamp::from_micros(from), to: Timestamp::from_micros(to) };
            let wanted = |service: &str, route: &str| self.wanted.wants(service, route);
            let read = || self.runtime.block_on(self.parts.lake.minutes(range, wanted));
            // Once more: files may have been merged away while they were read.
            match read().or_else(|_| read()) {
                Ok(found) => {
                    if !found.damaged_files.is_empty() {
                        tracing::warn!(files = found.damaged_files.join(", "), "a replay meets damaged files");
                        minutes.failed_until = Some(to);
                    }
                    for (at, sums) in found.minutes {
                        for (service, _) in sums.keys() {
                            self.note_first(service, Timestamp::from_micros(at));
                        }
                        minutes.bytes += bytes_of(&sums);
                        minutes.kept.push_back((at, sums));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "an hour of roll-ups could not be read for a replay");
                    minutes.failed_until = Some(to);
                }
            }
            from = to;
            minutes.read_until = Some(to);
        }
        while minutes.kept.front().is_some_and(|(at, _)| *at < oldest.micros()) {
            let gone = minutes.kept.pop_front().map_or(0, |(_, sums)| bytes_of(&sums));
            minutes.bytes -= gone;
        }
    }

    /// Sums of the whole minutes of a window that ends at `now`. `None` when they could not be read.
    fn windows(&self, window: Span, now: Timestamp) -> Option<Arc<Windows>> {
        let mut known = self.windows.lock();
        if known.0 != now {
            *known = (now, BTreeMap::new());
        }
        if let Some(windows) = known.1.get(&window) {
            return windows.clone();
        }
        self.read_until(now, self.longest.unwrap_or(window));
        let minutes = self.minutes.lock();
        // As at work: a window that is no multiple of a minute begins with the minute in which it begins.
        let from = now.plus_micros(-window.micros()).minute().micros();
        let mut out = Windows::default();
        let within = minutes.kept.iter().filter(|(at, _)| *at >= from && at + MINUTE <= now.micros());
        for ((service, route), sum) in within.flat_map(|(_, sums)| sums) {
            let of_service: &mut ServiceWindows = out.services.entry(Arc::clone(service)).or_default();
            of_service.routes.entry(Arc::clone(route)).or_default().merge(sum);
        }
        let is_whole = !minutes.is_full && minutes.failed_until.is_none_or(|until| until <= from);
        let out = is_whole.then(|| Arc::new(out));
        known.1.insert(window, out.clone());
        out
    }

    /// Services that were watched at a moment; found out once for all rules.
    fn watched_at(&self, now: Timestamp) -> HashSet<String> {
        let mut known = self.watched_now.lock();
        if known.0 != now {
            let services = self.parts.intake.services();
            let names = services.iter().map(|service| service.name().to_string());
            *known = (now, names.filter(|name| self.is_watching(name, now)).collect());
        }
        known.1.clone()
    }

    fn answer(&self, selector: &Selector, windows: Option<&Windows>, now: Timestamp) -> Answer {
        let gathering = Gathering { parts: &self.parts, heard: &self.watch.heard, now, watched: self.watched_at(now) };
        self.runtime.block_on(gathering.answer(selector, windows))
    }
}

impl Source for Past {
    fn signal(&self, selector: &Selector, now: Timestamp) -> Answer {
        if is_of_requests(selector) {
            let windows = self.windows(selector.window, now);
            return self.answer(selector, windows.as_deref(), now);
        }
        let known = self.answers.lock().get(selector).cloned();
        if let Some((at, answer)) = known
            && now.micros() - at.micros() < self.query_every
        {
            return answer;
        }
        let answer = self.answer(selector, None, now);
        self.answers.lock().insert(selector.clone(), (now, answer.clone()));
        answer
    }

    fn is_watching(&self, service: &str, now: Timestamp) -> bool {
        // The moment itself is the end of the minute that is asked about.
        self.seen_ranges(service).any(|range| range.from < now && now.micros() - MINUTE < range.to.micros())
    }

    fn was_watching(&self, service: Option<&str>, range: TimeRange) -> bool {
        if let Some(service) = service {
            return self.is_seen(service, range);
        }
        // The names first: each look takes the lock anew, which must not be held by then.
        let names: Vec<String> = self.first.lock().keys().cloned().collect();
        names.iter().any(|one| self.is_seen(one, range))
    }
}

impl Past {
    fn is_seen(&self, service: &str, range: TimeRange) -> bool {
        let mut at = range.from;
        // Stretches come in the order of time.
        for seen in self.seen_ranges(service) {
            if seen.from <= at && at < seen.to {
                at = seen.to;
            }
        }
        at.micros() + MINUTE >= range.to.micros()
    }
}

impl History for Past {
    fn counts(&self, objective: &Objective, range: TimeRange) -> Vec<(Timestamp, Tally)> {
        match self.runtime.block_on(past_minutes(&self.parts, objective, range)) {
            Ok(minutes) => {
                let minutes = minutes.unwrap_or_default();
                let is_of_requests = matches!(objective.subject, Subject::Requests { .. });
                if let Some((first, _)) = minutes.first().filter(|_| is_of_requests) {
                    self.note_first(&objective.service, *first);
                }
                minutes
            }
            Err(error) => {
                tracing::warn!(%error, objective = objective.key(), "the past of an objective was not counted");
                Vec::new()
            }
        }
    }

    fn seen(&self, service: &str, range: TimeRange) -> Vec<TimeRange> {
        let within = |seen: TimeRange| TimeRange::new(seen.from.max(range.from), seen.to.min(range.to));
        self.seen_ranges(service).filter_map(within).collect()
    }

    fn stands(&self, objective: &Objective) -> Option<Span> {
        match &objective.subject {
            Subject::Check(check) => Some(self.parts.checks.every(check).unwrap_or(STEP)),
            Subject::Requests { .. } => None,
        }
    }

    fn goes_on(&self, _: Timestamp) -> bool {
        let is_full = self.minutes.lock().is_full;
        !is_full && Instant::now() < self.deadline && !self.stop.is_cancelled()
    }
}
