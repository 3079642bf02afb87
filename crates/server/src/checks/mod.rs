//! Runs external checks: when each is due, what it finds, and where that is told.
//!
//! One task keeps the time for all checks, whatever their number; a bounded number runs at once. What is found goes into
//! memory, which others read by [`Checks::states`] and [`Checks::minute_counts`], and into the lake.

mod echo;
mod history;
mod http;
mod network;
mod own_network;
mod past;
mod probes;
mod record;
#[cfg(test)]
mod tests;

pub use history::Brief;
pub use record::KIND;
pub use watch::check::{Check, CheckName};

use base::{Clock, Redactor, ServiceName, Timestamp};
use history::History;
use lake::Lake;
use network::Network;
use own_network::OwnNetwork;
use parking_lot::Mutex;
use protocols::heartbeat::Signal;
use record::{Recorder, Row};
use rustls::RootCertStore;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use watch::check::coverage::{Walked, walked};
use watch::check::heartbeat::JobSays;
use watch::check::minutes::{MinuteState, STATE_MINUTES};
use watch::check::outcome::MAX_EVIDENCE;
use watch::check::schedule::{Schedule, next_turn, offset_us};
use watch::check::{
    Evidence, HeartbeatPhase, LOCAL, MinuteCounts, Moment, Outcome, Probe, RunResult, Status, Uptime, Why, WhyCode,
};

/// Checks that run at once: each holds a socket.
const AT_ONCE: usize = 256;
/// How long to wait before a failure is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Steps of all checks together whose details are remembered.
const DETAILS: usize = 50_000;
/// Details that every check keeps.
const LEAST_DETAILS: usize = 2;
/// A heartbeat is looked at so often at least, so that each minute has a state.
const LOOK_EVERY: i64 = 60_000_000;

/// How checks are run.
#[derive(Debug, Clone, Default)]
pub struct CheckSettings {
    /// What must answer when this machine's own network works; `None` for the gateway of the default route.
    pub gateway: Option<IpAddr>,
    /// The name server to ask; `None` as the system does.
    pub resolver: Option<SocketAddr>,
}

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
    /// Where it stands after the result.
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
    history: Mutex<History>,
}

/// All checks.
pub struct Checks {
    entries: Vec<Entry>,
    by_name: HashMap<String, usize>,
    by_heartbeat: HashMap<String, Vec<usize>>,
    keep_details: usize,
    network: Network,
    own_network: OwnNetwork,
    permits: Semaphore,
    recorder: Recorder,
    rows: Mutex<Option<mpsc::Receiver<Row>>>,
    lake: Arc<Lake>,
    clock: Clock,
    redactor: Redactor,
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
    /// `ok`, `failed`, `unknown`, `late` (heartbeats) or `pending`.
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
            None if !checks.is_empty() => {
                tokio::task::spawn_blocking(network::system_roots).await.unwrap_or_else(|error| {
                    tracing::error!(%error, "the system's root certificates were not read");
                    RootCertStore::empty()
                })
            }
            None => RootCertStore::empty(),
        };
        let now = Moment { wall: clock.now(), steady_us: 0 };
        let steps = |check: &Check| if let Probe::Http(steps) = &check.probe { steps.len() } else { 1 };
        let all_steps: usize = checks.values().map(steps).sum();
        let entries: Vec<Entry> = checks
            .into_iter()
            .map(|(name, check)| {
                let history = Mutex::new(History::new(&check, now));
                Entry { name, check, running: AtomicBool::new(false), history }
            })
            .collect();
        let mut by_heartbeat: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            if let Probe::Heartbeat { id, .. } = &entry.check.probe {
                by_heartbeat.entry(id.clone()).or_default().push(index);
            }
        }
        let (recorder, rows) = Recorder::new();
        Ok(Arc::new(Self {
            by_name: entries.iter().enumerate().map(|(at, entry)| (entry.name.to_string(), at)).collect(),
            by_heartbeat,
            keep_details: (DETAILS / all_steps.max(1)).clamp(LEAST_DETAILS, history::BRIEFS),
            entries,
            network: Network::new(roots, settings.resolver)?,
            own_network: OwnNetwork::new(settings.gateway),
            permits: Semaphore::new(AT_ONCE),
            recorder,
            rows: Mutex::new(Some(rows)),
            lake,
            clock,
            redactor,
            started: Instant::now(),
            on_found: OnceLock::new(),
        }))
    }

    /// Tells somebody of each result. Only the first one who asks is told.
    pub fn on_found(&self, told: OnFound) {
        let _ = self.on_found.set(told);
    }

    /// Reads what is known of the past, and runs everything until it is told to stop. `host` is this machine's name.
    pub fn start(self: &Arc<Self>, host: &str, tasks: &TaskTracker, stop: &CancellationToken) {
        let Some(rows) = self.rows.lock().take() else { return };
        if self.entries.is_empty() {
            return;
        }
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
            if stop.run_until_cancelled(past::remember(&me)).await.is_some() {
                me.keep_time(&runs, &stop).await;
            }
            runs.close();
            runs.wait().await;
        });
    }

    async fn keep_time(self: &Arc<Self>, runs: &TaskTracker, stop: &CancellationToken) {
        let mut schedule = Schedule::default();
        let now_us = self.steady_us();
        for (index, entry) in (0..).zip(&self.entries) {
            let is_heartbeat = matches!(entry.check.probe, Probe::Heartbeat { .. });
            if !is_heartbeat && !entry.check.is_local() {
                self.nobody_runs(entry);
            } else {
                let offset = if is_heartbeat { 0 } else { offset_us(entry.name.as_str(), entry.check.every) };
                schedule.add(index, now_us.saturating_add(offset));
            }
        }
        while let Some(next_us) = schedule.next_us() {
            let wait = Duration::from_micros(next_us.saturating_sub(self.steady_us()).max(0).unsigned_abs());
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
            let now_us = self.steady_us();
            while let Some((index, due_us)) = schedule.take(now_us) {
                let at = usize::try_from(index).unwrap_or(usize::MAX);
                let entry = &self.entries[at];
                if matches!(entry.check.probe, Probe::Heartbeat { .. }) {
                    self.look_at_job(entry);
                    schedule.add(index, self.look_again_us(entry));
                    continue;
                }
                schedule.add(index, next_turn(due_us, entry.check.every, now_us));
                // One that still runs, or still waits for its turn, leaves this turn out.
                if !entry.running.swap(true, Ordering::AcqRel) {
                    let (me, stop) = (Arc::clone(self), stop.clone());
                    runs.spawn(async move {
                        let entry = &me.entries[at];
                        let _ = stop.run_until_cancelled(me.run(entry)).await;
                        entry.running.store(false, Ordering::Release);
                    });
                }
            }
        }
        stop.cancelled().await;
    }

    /// Microseconds since the start, by a clock that never jumps.
    fn steady_us(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    fn moment(&self) -> Moment {
        Moment { wall: self.clock.now(), steady_us: self.steady_us() }
    }

    /// Runs a check until it is good or has failed often enough, and tells what was found.
    async fn run(&self, entry: &Entry) -> Arc<RunResult> {
        let check = &entry.check;
        let mut attempts = 0;
        let (at, stepped) = loop {
            attempts += 1;
            let (at, stepped) = {
                // Closed never; without a permit it runs all the same.
                let _permit = self.permits.acquire().await;
                // Boxed: thousands may wait here for their turn, and an attempt is many times as large as a wait.
                (self.clock.now(), Box::pin(probes::attempt(&self.network, &self.clock, check)).await)
            };
            if stepped.fault.is_none() || stepped.not_allowed || attempts > check.retries {
                break (at, stepped);
            }
            tokio::time::sleep(RETRY_AFTER).await;
        };
        let outcome = match stepped.fault {
            None => Outcome::Ok,
            Some(fault) if stepped.not_allowed => Outcome::Unknown { why: fault.why, evidence: Vec::new() },
            Some(fault) => {
                let step = stepped.steps.len().saturating_sub(1);
                let lost = if fault.silence { self.network_is_lost(entry, &fault.why).await } else { None };
                match lost {
                    Some(evidence) => Outcome::Unknown { why: fault.why, evidence },
                    None => Outcome::Failed { step, why: fault.why },
                }
            }
        };
        let result = RunResult { at, from: LOCAL.to_owned(), attempts, outcome, steps: stepped.steps };
        let result = self.redacted(result);
        let status = result.status();
        self.tell(entry, result, status)
    }

    /// What was tried, if this machine's network seems lost.
    async fn network_is_lost(&self, entry: &Entry, why: &Why) -> Option<Vec<Evidence>> {
        // What lies on this machine is reached without a network.
        let reached = entry.history.lock().reached;
        if is_here(&entry.check.probe) || reached.is_some_and(|at| at.ip().is_loopback()) {
            return None;
        }
        let finding = self.own_network.look(|| self.reached_lately(entry)).await;
        if !finding.lost {
            return None;
        }
        tracing::warn!(check = %entry.name, %why, "a check can't be judged: this machine's own network seems lost");
        let mut evidence = finding.evidence;
        evidence.truncate(MAX_EVIDENCE);
        Some(evidence)
    }

    /// Where other checks were answered last, those that are good first.
    fn reached_lately(&self, but: &Entry) -> Vec<(String, SocketAddr)> {
        let mut places: Vec<(Option<Timestamp>, String, SocketAddr)> = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.name != but.name) {
            // A ping's address has no port to connect to, a name server's no TCP for sure.
            if !matches!(entry.check.probe, Probe::Http(_) | Probe::Tcp(_) | Probe::Tls { .. }) {
                continue;
            }
            let history = entry.history.lock();
            if let Some(at) = history.reached {
                places.push((history.last_ok, entry.name.to_string(), at));
            }
        }
        places.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        places.into_iter().map(|(_, name, at)| (name, at)).collect()
    }

    /// The same without what must not be stored.
    fn redacted(&self, mut result: RunResult) -> RunResult {
        let redact = |text: &str| self.redactor.text(text).into_owned();
        match &mut result.outcome {
            Outcome::Ok => {}
            Outcome::Failed { why, .. } | Outcome::Unknown { why, .. } => *why = why.clone().map(redact),
        }
        for step in &mut result.steps {
            step.why = step.why.take().map(|why| why.map(redact));
        }
        result
    }

    fn tell(&self, entry: &Entry, result: RunResult, status: Status) -> Arc<RunResult> {
        let result = Arc::new(result);
        entry.history.lock().take(&result, status, entry.check.every, self.keep_details);
        if let Some(on_found) = self.on_found.get() {
            on_found(Found { check: entry.name.as_str(), at: result.at, status, every: entry.check.every });
        }
        self.recorder.record(Row {
            name: entry.name.to_string(),
            kind: entry.check.probe.kind(),
            service: entry.check.service.as_ref().map(ToString::to_string),
            status,
            result: Arc::clone(&result),
        });
        result
    }

    /// Says of a check for agents only that nobody runs it.
    fn nobody_runs(&self, entry: &Entry) {
        let agents: Vec<&str> = entry.check.agents().collect();
        let why = Why::new(WhyCode::NoRunner, format!("a run from {}", agents.join(", ")), "no agent that runs checks");
        let outcome = Outcome::Unknown { why, evidence: Vec::new() };
        let result =
            RunResult { at: self.clock.now(), from: LOCAL.to_owned(), attempts: 0, outcome, steps: Vec::new() };
        self.tell(entry, result, Status::Unknown);
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
        for index in self.by_heartbeat.get(id).into_iter().flatten() {
            let entry = &self.entries[*index];
            if let Some(heartbeat) = &mut entry.history.lock().heartbeat {
                heartbeat.hear(says, now);
            }
            self.look_at_job(entry);
        }
    }

    /// Runs a check now, whether it is due or not; `None` when there is none of this name. Of a heartbeat it tells where
    /// it stands.
    pub async fn run_now(&self, name: &str) -> Option<Arc<RunResult>> {
        let entry = &self.entries[*self.by_name.get(name)?];
        if matches!(entry.check.probe, Probe::Heartbeat { .. }) {
            self.look_at_job(entry);
            let history = entry.history.lock();
            let (phase, last_end) = (history.phase?, history.heartbeat.as_ref()?.last_end());
            let outcome = outcome_of_job(phase, &entry.check, last_end);
            let at = self.clock.now();
            return Some(Arc::new(RunResult { at, from: LOCAL.to_owned(), attempts: 1, outcome, steps: Vec::new() }));
        }
        Some(self.run(entry).await)
    }

    /// Where every check stands, by name.
    pub fn states(&self) -> Vec<CheckState> {
        self.entries.iter().map(|entry| self.state_of(entry)).collect()
    }

    /// Where one check stands.
    pub fn state(&self, name: &str) -> Option<CheckState> {
        self.by_name.get(name).map(|at| self.state_of(&self.entries[*at]))
    }

    fn state_of(&self, entry: &Entry) -> CheckState {
        let check = &entry.check;
        let now = self.moment();
        let history = entry.history.lock();
        let last = history.details.back();
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
        let entry = &self.entries[*self.by_name.get(name)?];
        Some(entry.history.lock().minutes.uptime(self.clock.now()))
    }

    /// How often a check runs.
    pub fn every(&self, name: &str) -> Option<base::Span> {
        Some(self.entries[*self.by_name.get(name)?].check.every)
    }

    /// What is remembered of a check.
    pub fn past(&self, name: &str) -> Option<CheckPast> {
        let entry = &self.entries[*self.by_name.get(name)?];
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
        let entry = self.by_name.get(name).map(|at| &self.entries[*at]);
        entry.map(|entry| entry.history.lock().minutes.counts(from, to)).unwrap_or_default()
    }

    /// The requests that checks of a service make.
    pub fn walked(&self, service: &ServiceName) -> Vec<Walked> {
        walked(self.entries.iter().map(|entry| (&entry.name, &entry.check)), service.as_str())
    }

    /// Results that could not be stored since the start.
    pub fn not_stored(&self) -> u64 {
        self.recorder.lost()
    }
}

/// Whether a probe names this machine itself.
fn is_here(probe: &Probe) -> bool {
    let host = match probe {
        Probe::Http(steps) => steps.first().and_then(|step| {
            url::Url::parse(&step.url.to_string()).ok().and_then(|url| url.host_str().map(str::to_owned))
        }),
        Probe::Tcp(at) | Probe::Tls { at, .. } => Some(at.host.clone()),
        Probe::Icmp { host } => Some(host.clone()),
        Probe::Dns(question) => question.resolver.map(|at| at.ip().to_string()),
        Probe::Heartbeat { .. } => None,
    };
    host.is_some_and(|host| {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
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
