//! Runs external checks: when each is due, what it finds, and where that is told.
//!
//! One task keeps the time for all checks, whatever their number; how one run goes is told in `outbound::probe`. Agents of
//! other machines run their checks themselves and send what they found. What is found goes into memory, which others read
//! by [`Checks::states`] and [`Checks::minute_counts`], and into the lake.

mod history;
mod past;
mod record;
#[cfg(test)]
mod tests;

pub use history::Brief;
pub use outbound::probe::Settings as CheckSettings;
pub use record::{KIND, Row, rows};
pub use watch::check::{Check, CheckName};

use base::{Clock, Redactor, ServiceName, Timestamp};
use history::History;
use lake::Lake;
use outbound::probe::{Runner, system_roots};
use parking_lot::Mutex;
use protocols::heartbeat::Signal;
use record::Recorder;
use rustls::RootCertStore;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{mpsc, watch as latest};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use watch::check::coverage::{Walked, walked};
use watch::check::heartbeat::JobSays;
use watch::check::minutes::{MinuteState, STATE_MINUTES};
use watch::check::schedule::{Schedule, next_turn, offset_us};
use watch::check::{
    Evidence, HeartbeatPhase, LOCAL, MinuteCounts, Moment, Outcome, Probe, RunResult, Status, Uptime, Why, WhyCode,
};

/// Steps of all checks together whose details are remembered.
const DETAILS: usize = 50_000;
/// Details that every check keeps.
const LEAST_DETAILS: usize = 2;
/// A heartbeat is looked at so often at least, so that each minute has a state.
const LOOK_EVERY: i64 = 60_000_000;
/// How often it is looked whether agents have sent what they should have.
const MISS_EVERY: Duration = Duration::from_secs(5);
/// How much later than two turns of its check an agent's result may come.
const MISS_AFTER: i64 = 60_000_000;

/// What running checks needs of the rest.
pub struct Surroundings {
    /// Where results go, and the past is read from.
    pub lake: Arc<Lake>,
    /// When it is.
    pub clock: Clock,
    /// What is masked in what targets say.
    pub redactor: Redactor,
    /// Roots that certificates must lead to; `None` for those that this system trusts.
    pub roots: Option<RootCertStore>,
}

/// A result, for whoever counts results.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Name of the check.
    pub check: &'a str,
    /// When it ran.
    pub at: Timestamp,
    /// What the result says.
    pub status: Status,
    /// Until the next result is due.
    pub every: base::Span,
}

/// Is told of each result, at once; must not wait.
pub type OnFound = Arc<dyn Fn(Found<'_>) + Send + Sync>;

/// One check and its memory.
struct Entry {
    name: CheckName,
    check: Check,
    running: AtomicBool,
    /// When it is due next, by the steady clock; 0 before it is scheduled.
    next_us: AtomicI64,
    history: Mutex<History>,
}

/// The checks of one configuration.
#[derive(Default)]
struct Set {
    entries: Vec<Arc<Entry>>,
    by_name: HashMap<String, usize>,
    by_heartbeat: HashMap<String, Vec<usize>>,
    keep_details: usize,
}

impl Set {
    fn new(entries: Vec<Arc<Entry>>) -> Self {
        let steps = |check: &Check| if let Probe::Http(steps) = &check.probe { steps.len() } else { 1 };
        let all_steps: usize = entries.iter().map(|entry| steps(&entry.check)).sum();
        let mut by_heartbeat: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            if let Probe::Heartbeat { id, .. } = &entry.check.probe {
                by_heartbeat.entry(id.clone()).or_default().push(index);
            }
        }
        Self {
            by_name: entries.iter().enumerate().map(|(at, entry)| (entry.name.to_string(), at)).collect(),
            by_heartbeat,
            keep_details: (DETAILS / all_steps.max(1)).clamp(LEAST_DETAILS, history::BRIEFS),
            entries,
        }
    }

    fn find(&self, name: &str) -> Option<&Arc<Entry>> {
        self.by_name.get(name).map(|at| &self.entries[*at])
    }
}

/// All checks.
pub struct Checks {
    set: latest::Sender<Arc<Set>>,
    runner: Runner,
    recorder: Recorder,
    rows: Mutex<Option<mpsc::Receiver<Row>>>,
    lake: Arc<Lake>,
    clock: Clock,
    started: Instant,
    on_found: OnceLock<OnFound>,
}

/// Where a check stands, as others read it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CheckState {
    /// Its name.
    pub name: String,
    /// `http`, `tcp`, `tls`, `dns`, `icmp` or `heartbeat`.
    pub kind: &'static str,
    /// What it looks at: the first step of a scenario, a host, an id.
    pub target: String,
    /// The service that it stands for.
    pub service: Option<String>,
    /// How often, seconds.
    pub every_s: i64,
    /// Where it runs.
    pub from: Vec<String>,
    /// Where it stands in each place, when it runs elsewhere than on the server.
    pub places: Vec<PlaceView>,
    /// `ok`, `failed`, `unknown`, `late` (heartbeats) or `pending`; of several places the one that failed counts, and
    /// unknown only when nobody knows.
    #[schema(value_type = String)]
    pub status: Status,
    /// Since when; null while nothing was found.
    #[schema(value_type = Option<String>)]
    pub since: Option<Timestamp>,
    /// When it was looked at last.
    #[schema(value_type = Option<String>)]
    pub last_at: Option<Timestamp>,
    /// When it was last good.
    #[schema(value_type = Option<String>)]
    pub last_ok: Option<Timestamp>,
    /// How long the last run took.
    pub total_ms: Option<f64>,
    /// What is wrong: `{code, expected, got, text}`; null when nothing is.
    #[schema(value_type = Option<Object>)]
    pub why: Option<Why>,
    /// Which step failed, from 0.
    pub step: Option<usize>,
    /// What was tried, when the network of the server itself may be lost: `{tried, found, reached}`.
    #[schema(value_type = Vec<Object>)]
    pub evidence: Vec<Evidence>,
    /// When the certificate that was seen last ends, the earliest of all steps.
    #[schema(value_type = Option<String>)]
    pub certificate_ends: Option<Timestamp>,
    /// For heartbeats.
    pub heartbeat: Option<HeartbeatView>,
}

/// Where a check stands in one place.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PlaceView {
    /// `server`, or an agent's name.
    pub from: String,
    /// As that of the check.
    #[schema(value_type = String)]
    pub status: Status,
    /// When it was looked at last; null while nothing was heard.
    #[schema(value_type = Option<String>)]
    pub last_at: Option<Timestamp>,
    /// How long the last run took.
    pub total_ms: Option<f64>,
    /// What is wrong: `{code, expected, got, text}`.
    #[schema(value_type = Option<Object>)]
    pub why: Option<Why>,
}

/// Where a heartbeat stands.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct HeartbeatView {
    /// Under `/ping/{id}`.
    pub id: String,
    /// `waiting`, `ok`, `late`, `failed`, `missing` or `not_watched`.
    #[schema(value_type = String)]
    pub phase: HeartbeatPhase,
    /// When the job last ended.
    #[schema(value_type = Option<String>)]
    pub last_end: Option<Timestamp>,
    /// When a run began that has not ended.
    #[schema(value_type = Option<String>)]
    pub running_since: Option<Timestamp>,
    /// When the next end is due.
    #[schema(value_type = String)]
    pub due: Timestamp,
    /// How much later it may come, seconds.
    pub grace_s: i64,
}

/// What is remembered of a check.
#[derive(Debug, Clone)]
pub struct CheckPast {
    /// The last results in short, oldest first.
    pub briefs: Vec<Brief>,
    /// The last results with every step, oldest first.
    pub details: Vec<Arc<RunResult>>,
    /// The last one that was not good.
    pub last_bad: Option<Arc<RunResult>>,
    /// The last day in sums.
    pub uptime: Uptime,
    /// The last day, a letter a minute, the last one now: `o` good, `x` bad, `?` unknown, `-` nobody looked.
    pub minutes: String,
}

impl Checks {
    /// With the checks of the configuration. Nothing runs before [`Self::start`].
    pub async fn new(
        checks: BTreeMap<CheckName, Check>,
        settings: &CheckSettings,
        around: Surroundings,
    ) -> Result<Arc<Self>, rustls::Error> {
        let Surroundings { lake, clock, redactor, roots } = around;
        let roots = match roots {
            Some(roots) => roots,
            // They are many files.
            None => tokio::task::spawn_blocking(system_roots).await.unwrap_or_else(|error| {
                tracing::error!(%error, "the system's root certificates were not read");
                RootCertStore::empty()
            }),
        };
        let runner = Runner::new(settings, roots, clock.clone(), redactor)?;
        let (recorder, rows) = Recorder::new();
        let started = Instant::now();
        let entries = checks.into_iter().map(|(name, check)| entry(name, check, &clock, started)).collect();
        Ok(Arc::new(Self {
            set: latest::Sender::new(Arc::new(Set::new(entries))),
            runner,
            recorder,
            rows: Mutex::new(Some(rows)),
            lake,
            clock,
            started,
            on_found: OnceLock::new(),
        }))
    }

    fn set(&self) -> Arc<Set> {
        Arc::clone(&self.set.borrow())
    }

    /// Takes the checks of another configuration. What did not change goes on as if nothing had happened.
    pub async fn replace(&self, checks: BTreeMap<CheckName, Check>) {
        let before = self.set();
        let mut fresh = Vec::new();
        let entries = checks.into_iter().map(|(name, check)| {
            if let Some(known) = before.find(name.as_str()).filter(|known| known.check == check) {
                return Arc::clone(known);
            }
            let new = entry(name, check, &self.clock, self.started);
            fresh.push(Arc::clone(&new));
            new
        });
        let set = Set::new(entries.collect());
        self.runner.keep_only(|name| set.by_name.contains_key(name));
        past::remember(self, &Set::new(fresh)).await;
        self.set.send_replace(Arc::new(set));
    }

    /// Tells somebody of each result. Only the first one who asks is told.
    pub fn on_found(&self, told: OnFound) {
        let _ = self.on_found.set(told);
    }

    /// Reads what is known of the past, and runs everything until it is told to stop. `host` is this machine's name.
    pub fn start(self: &Arc<Self>, host: &str, tasks: &TaskTracker, stop: &CancellationToken) {
        let Some(rows) = self.rows.lock().take() else { return };
        // The rows outlive the runs: what was found in the last moment is stored too.
        let (runs, runs_done) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn(record::write(
            Arc::clone(&self.lake),
            host.to_owned(),
            self.clock.clone(),
            rows,
            runs_done.clone(),
        ));
        let (me, stop) = (Arc::clone(self), stop.clone());
        tasks.spawn(async move {
            let _done = runs_done.drop_guard();
            let set = me.set();
            if stop.run_until_cancelled(past::remember(&me, &set)).await.is_some() {
                me.keep_time(&runs, &stop).await;
            }
            runs.close();
            runs.wait().await;
        });
    }

    /// Runs what is due, of the configuration that is in force.
    async fn keep_time(self: &Arc<Self>, runs: &TaskTracker, stop: &CancellationToken) {
        let mut sets = self.set.subscribe();
        loop {
            let set = Arc::clone(&sets.borrow_and_update());
            tokio::select! {
                () = stop.cancelled() => return,
                changed = sets.changed() => if changed.is_err() { return },
                () = self.keep_time_of(&set, runs, stop) => {}
                () = self.miss_agents(&set) => {}
            }
        }
    }

    async fn keep_time_of(self: &Arc<Self>, set: &Set, runs: &TaskTracker, stop: &CancellationToken) {
        let mut schedule = Schedule::default();
        let now_us = self.steady_us();
        for (index, entry) in (0..).zip(&set.entries) {
            let is_heartbeat = matches!(entry.check.probe, Probe::Heartbeat { .. });
            if is_heartbeat || entry.check.is_local() {
                let offset = if is_heartbeat { 0 } else { offset_us(entry.name.as_str(), entry.check.every) };
                let first = now_us.saturating_add(offset);
                // One that was there before is due when it was: changes of others must not put it off for ever.
                let known = entry.next_us.load(Ordering::Relaxed);
                schedule.add(index, if known > 0 { known } else { first });
                entry.next_us.store(if known > 0 { known } else { first }, Ordering::Relaxed);
            }
        }
        let again = |schedule: &mut Schedule, index, entry: &Entry, at_us| {
            schedule.add(index, at_us);
            entry.next_us.store(at_us, Ordering::Relaxed);
        };
        while let Some(next_us) = schedule.next_us() {
            let wait = Duration::from_micros(next_us.saturating_sub(self.steady_us()).max(0).unsigned_abs());
            tokio::time::sleep(wait).await;
            let now_us = self.steady_us();
            while let Some((index, due_us)) = schedule.take(now_us) {
                let entry = &set.entries[usize::try_from(index).unwrap_or(usize::MAX)];
                if matches!(entry.check.probe, Probe::Heartbeat { .. }) {
                    self.look_at_job(entry);
                    again(&mut schedule, index, entry, self.look_again_us(entry));
                    continue;
                }
                again(&mut schedule, index, entry, next_turn(due_us, entry.check.every, now_us));
                // One that still runs, or still waits for its turn, leaves this turn out.
                if !entry.running.swap(true, Ordering::AcqRel) {
                    let (me, entry, stop) = (Arc::clone(self), Arc::clone(entry), stop.clone());
                    runs.spawn(async move {
                        let _ = stop.run_until_cancelled(me.run(&entry)).await;
                        entry.running.store(false, Ordering::Release);
                    });
                }
            }
        }
        std::future::pending::<()>().await;
    }

    /// Says of places whose agent sent nothing that nobody knows.
    async fn miss_agents(&self, set: &Set) {
        let mut ticks = tokio::time::interval(MISS_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for entry in set.entries.iter().filter(|entry| entry.check.agents().next().is_some()) {
                self.miss(entry, self.moment());
            }
        }
    }

    fn miss(&self, entry: &Entry, now: Moment) {
        let patience = entry.check.every.micros().saturating_mul(2).saturating_add(MISS_AFTER);
        for agent in entry.check.agents() {
            let heard = entry.history.lock().silent_since(agent);
            if now.steady_us.saturating_sub(heard) <= patience {
                continue;
            }
            let why = Why::new(WhyCode::NoRunner, format!("a run from {agent}"), "nothing from that agent");
            let outcome = Outcome::Unknown { why, evidence: Vec::new() };
            let result = RunResult { at: now.wall, from: agent.to_owned(), attempts: 0, outcome, steps: Vec::new() };
            // Once for each silence: the next time is counted from now.
            self.tell(entry, result, Status::Unknown);
        }
    }

    /// Microseconds since the start, by a clock that never jumps.
    fn steady_us(&self) -> i64 {
        micros(self.started)
    }

    fn moment(&self) -> Moment {
        Moment { wall: self.clock.now(), steady_us: self.steady_us() }
    }

    /// Runs a check and tells what was found.
    async fn run(&self, entry: &Entry) -> Arc<RunResult> {
        let result = self.runner.run(entry.name.as_str(), &entry.check, LOCAL).await;
        let status = result.status();
        self.tell(entry, result, status)
    }

    /// Notes a result, tells it to whoever counts, and stores it.
    fn tell(&self, entry: &Entry, result: RunResult, status: Status) -> Arc<RunResult> {
        let row = self.take(entry, result, status, self.moment());
        let result = Arc::clone(&row.result);
        self.recorder.record(row);
        result
    }

    /// Notes a result and tells it to whoever counts; what is returned is to be stored.
    fn take(&self, entry: &Entry, result: RunResult, status: Status, now: Moment) -> Row {
        let result = Arc::new(result);
        let keep_details = self.set.borrow().keep_details;
        entry.history.lock().take(&result, status, entry.check.every, keep_details, now);
        if let Some(on_found) = self.on_found.get() {
            on_found(Found { check: entry.name.as_str(), at: result.at, status, every: entry.check.every });
        }
        row_of(entry, result, status)
    }

    /// What an agent is to run: names and checks, in the order of their names.
    pub fn of_agent(&self, agent: &str) -> Vec<(String, Check)> {
        let set = self.set();
        let is_its = |entry: &&Arc<Entry>| {
            !matches!(entry.check.probe, Probe::Heartbeat { .. }) && entry.check.agents().any(|name| name == agent)
        };
        set.entries.iter().filter(is_its).map(|entry| (entry.name.to_string(), entry.check.clone())).collect()
    }

    /// Rows of what an agent found, for those of its checks that it is to run. Nothing is noted before they are stored:
    /// then [`Self::found_by_agent`].
    pub fn rows_of_agent(&self, agent: &str, found: &[(String, RunResult)]) -> Vec<Row> {
        let set = self.set();
        let known = found.iter().filter_map(|(name, result)| {
            let entry = set.find(name).filter(|entry| entry.check.agents().any(|its| its == agent))?;
            Some(row_of(entry, Arc::new(result.clone()), result.status()))
        });
        known.collect()
    }

    /// Notes what an agent found, once it is stored.
    pub fn found_by_agent(&self, rows: &[Row]) {
        let set = self.set();
        for row in rows {
            if let Some(entry) = set.find(&row.name) {
                self.take(entry, RunResult::clone(&row.result), row.status, self.moment());
            }
        }
    }

    /// Looks where a heartbeat stands, and tells it when that changed.
    fn look_at_job(&self, entry: &Entry) {
        let now = self.moment();
        let mut history = entry.history.lock();
        let Some(heartbeat) = &history.heartbeat else { return };
        let (phase, last_end) = (heartbeat.phase(now.steady_us), heartbeat.last_end());
        let status = match phase {
            HeartbeatPhase::Waiting => Status::Pending,
            HeartbeatPhase::Ok => Status::Ok,
            HeartbeatPhase::Late => Status::Late,
            HeartbeatPhase::Failed | HeartbeatPhase::Missing => Status::Failed,
            HeartbeatPhase::NotWatched => Status::Unknown,
        };
        if history.phase == Some(phase) {
            // Nothing new; but the minute has a state.
            history.minutes.note(now.wall, status, 0, 0, base::Span::from_seconds(1));
            return;
        }
        let is_first_silence = history.phase.is_none() && phase == HeartbeatPhase::Waiting;
        history.phase = Some(phase);
        let outcome = outcome_of_job(phase, &entry.check, last_end);
        drop(history);
        if !is_first_silence {
            let result = RunResult { at: now.wall, from: LOCAL.to_owned(), attempts: 1, outcome, steps: Vec::new() };
            self.tell(entry, result, status);
        }
    }

    /// When a heartbeat is to be looked at again, by the steady clock.
    fn look_again_us(&self, entry: &Entry) -> i64 {
        let now_us = self.steady_us();
        // Often enough that a ping, which moves what is due, is never overlooked for longer than it may be late.
        let regular = now_us.saturating_add((entry.check.every.micros() / 4).clamp(200_000, LOOK_EVERY));
        let history = entry.history.lock();
        let changes = history.heartbeat.as_ref().and_then(|heartbeat| heartbeat.changes_at(now_us));
        changes.map_or(regular, |changes| changes.min(regular))
    }

    /// Takes what a job says under `/ping/{id}`.
    pub fn ping(&self, id: &str, signal: Signal) {
        let says = match signal {
            Signal::Log => return,
            Signal::Start => JobSays::Started,
            Signal::Ok | Signal::Exit(0) => JobSays::Done,
            Signal::Fail | Signal::Exit(1..) => JobSays::Failed,
        };
        let now = self.moment();
        let set = self.set();
        for index in set.by_heartbeat.get(id).into_iter().flatten() {
            let entry = &set.entries[*index];
            if let Some(heartbeat) = &mut entry.history.lock().heartbeat {
                heartbeat.hear(says, now);
            }
            self.look_at_job(entry);
        }
    }

    /// Runs a check now, whether it is due or not; `None` when there is none of this name. Of a heartbeat it tells where
    /// it stands. What agents alone are to look at is looked at from here, and counts for nothing.
    pub async fn run_now(&self, name: &str) -> Option<Arc<RunResult>> {
        let entry = &Arc::clone(self.set().find(name)?);
        if matches!(entry.check.probe, Probe::Heartbeat { .. }) {
            self.look_at_job(entry);
            let history = entry.history.lock();
            let (phase, last_end) = (history.phase?, history.heartbeat.as_ref()?.last_end());
            let outcome = outcome_of_job(phase, &entry.check, last_end);
            let at = self.clock.now();
            return Some(Arc::new(RunResult { at, from: LOCAL.to_owned(), attempts: 1, outcome, steps: Vec::new() }));
        }
        if !entry.check.is_local() {
            return Some(Arc::new(self.runner.run(name, &entry.check, LOCAL).await));
        }
        Some(self.run(entry).await)
    }

    /// Where every check stands, by name.
    pub fn states(&self) -> Vec<CheckState> {
        self.set().entries.iter().map(|entry| self.state_of(entry)).collect()
    }

    /// Where one check stands.
    pub fn state(&self, name: &str) -> Option<CheckState> {
        self.set().find(name).map(|entry| self.state_of(entry))
    }

    fn state_of(&self, entry: &Entry) -> CheckState {
        let check = &entry.check;
        let now = self.moment();
        let history = entry.history.lock();
        let last = history.telling();
        let is_bad = matches!(history.status, Status::Failed | Status::Unknown);
        let (step, evidence) = match last.map(|last| &last.outcome) {
            Some(Outcome::Failed { step, .. }) if is_bad => (Some(*step), Vec::new()),
            Some(Outcome::Unknown { evidence, .. }) if is_bad => (None, evidence.clone()),
            _ => (None, Vec::new()),
        };
        let heartbeat = match (&check.probe, &history.heartbeat) {
            (Probe::Heartbeat { id, grace }, Some(heartbeat)) => Some(HeartbeatView {
                id: id.clone(),
                phase: heartbeat.phase(now.steady_us),
                last_end: heartbeat.last_end(),
                running_since: heartbeat.running_since(),
                due: heartbeat.due(now),
                grace_s: grace.micros() / 1_000_000,
            }),
            _ => None,
        };
        let ends = last.into_iter().flat_map(|last| last.steps.iter().filter_map(|step| step.certificate_ends)).min();
        CheckState {
            name: entry.name.to_string(),
            kind: check.probe.kind(),
            target: check.probe.target(),
            service: check.service.as_ref().map(ToString::to_string),
            every_s: check.every.micros() / 1_000_000,
            from: check.from.clone(),
            places: if check.agents().next().is_some() { history.places_of(&check.from) } else { Vec::new() },
            status: history.status,
            since: history.since,
            last_at: history.briefs.back().map(|brief| brief.at),
            last_ok: history.last_ok,
            total_ms: history.briefs.back().and_then(|brief| brief.total_ms),
            why: last.filter(|_| is_bad).and_then(|last| last.why().cloned()),
            step,
            evidence,
            certificate_ends: ends,
            heartbeat,
        }
    }

    /// The last day of a check in sums.
    pub fn uptime(&self, name: &str) -> Option<Uptime> {
        let set = self.set();
        let uptime = set.find(name)?.history.lock().minutes.uptime(self.clock.now());
        Some(uptime)
    }

    /// How often a check runs.
    pub fn every(&self, name: &str) -> Option<base::Span> {
        Some(self.set().find(name)?.check.every)
    }

    /// What is remembered of a check.
    pub fn past(&self, name: &str) -> Option<CheckPast> {
        let set = self.set();
        let entry = set.find(name)?;
        let now = self.clock.now();
        let history = entry.history.lock();
        Some(CheckPast {
            briefs: history.briefs.iter().copied().collect(),
            details: history.details.iter().cloned().collect(),
            last_bad: history.last_bad.clone(),
            uptime: history.minutes.uptime(now),
            minutes: history.minutes.states(now, STATE_MINUTES).map(MinuteState::letter).collect(),
        })
    }

    /// Good and valid steps of a check by minute, of the last three hours at most: what a check-based objective counts.
    pub fn minute_counts(&self, name: &str, from: Timestamp, to: Timestamp) -> Vec<MinuteCounts> {
        let set = self.set();
        set.find(name).map(|entry| entry.history.lock().minutes.counts(from, to)).unwrap_or_default()
    }

    /// The requests that checks of a service make.
    pub fn walked(&self, service: &ServiceName) -> Vec<Walked> {
        walked(self.set().entries.iter().map(|entry| (&entry.name, &entry.check)), service.as_str())
    }

    /// Whether this machine's own network works; `None` when nothing says so either way.
    pub async fn network_works(&self) -> Option<bool> {
        self.runner.network_works().await
    }

    /// Results that could not be stored since the start.
    pub fn not_stored(&self) -> u64 {
        self.recorder.lost()
    }
}

/// An entry of which nothing is known.
fn entry(name: CheckName, check: Check, clock: &Clock, started: Instant) -> Arc<Entry> {
    let now = Moment { wall: clock.now(), steady_us: micros(started) };
    let history = Mutex::new(History::new(&check, now));
    Arc::new(Entry { name, check, running: AtomicBool::new(false), next_us: AtomicI64::new(0), history })
}

/// Microseconds since a moment, by a clock that never jumps.
fn micros(since: Instant) -> i64 {
    i64::try_from(since.elapsed().as_micros()).unwrap_or(i64::MAX)
}

fn row_of(entry: &Entry, result: Arc<RunResult>, status: Status) -> Row {
    Row {
        name: entry.name.to_string(),
        kind: entry.check.probe.kind(),
        service: entry.check.service.as_ref().map(ToString::to_string),
        status,
        result,
    }
}

fn outcome_of_job(phase: HeartbeatPhase, check: &Check, last_end: Option<Timestamp>) -> Outcome {
    let last = last_end.map_or_else(|| "nothing yet".to_owned(), |at| format!("the last one at {at}"));
    let grace = if let Probe::Heartbeat { grace, .. } = &check.probe { grace.to_string() } else { String::new() };
    let expected = format!("a ping every {}, at most {grace} late", check.every);
    match phase {
        HeartbeatPhase::Waiting | HeartbeatPhase::Ok | HeartbeatPhase::Late => Outcome::Ok,
        HeartbeatPhase::Failed => Outcome::Failed {
            step: 0,
            why: Why::new(WhyCode::JobFailed, "", format!("the job said that it failed: {last}")),
        },
        HeartbeatPhase::Missing => Outcome::Failed { step: 0, why: Why::new(WhyCode::JobMissing, expected, last) },
        HeartbeatPhase::NotWatched => {
            let got = format!("{last}; it was due while the server was not running");
            Outcome::Unknown { why: Why::new(WhyCode::NotWatched, expected, got), evidence: Vec::new() }
        }
    }
}
