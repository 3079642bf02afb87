//! The watch at work: values are gathered, rules decide, what they say is stored and told.
//!
//! One evaluation every 15 s. A transition and the messages about it are one transaction of the store; a worker sends
//! what is written there. Between any two steps the process may die: nothing is lost, and at most one message comes twice.

mod counting;
mod heard;
mod plan;
mod proof;
mod replaying;
mod sending;
mod telling;
mod values;

pub use counting::past_minutes;
pub use heard::Heard;
pub use plan::{Plan, Reloaded};
pub use proof::CHANNEL as HEARTBEAT_CHANNEL;
pub use replaying::{NotReplayed, Outcome as ReplayOutcome, Replay, ReplayError, STEP as REPLAY_STEP, Sampled};

use crate::parts::Parts;
use base::{Clock, Span, TimeRange, Timestamp};
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use watch::budgets::Budgets;
use watch::delivery::Health;
use watch::engine::{Engine, OpenFiring, RuleStatus, SavedEngine};
use watch::routing::Groups;
use watch::{Series, Transition};

/// Time between two evaluations.
pub const INTERVAL: Span = watch::compile::INTERVAL;
/// Transitions that wait for the store; more are dropped with an error, and come again after a restart.
const MAX_PENDING: usize = 100_000;
/// What is kept across a restart.
const SAVED: &str = "watch.json";
/// How often it is written.
const SAVE_EVERY: Duration = Duration::from_mins(1);
/// Stretches of time that were watched; of more the oldest are forgotten.
const MAX_WATCHED: usize = 2000;

/// Rules, objectives and what they say.
pub struct Watch {
    plan: RwLock<Arc<Plan>>,
    engine: tokio::sync::Mutex<Engine>,
    budgets: RwLock<Arc<Budgets>>,
    heard: Heard,
    /// Transitions that the store has not taken yet.
    pending: Mutex<Vec<Transition>>,
    groups: Mutex<Groups>,
    health: Mutex<HashMap<String, Health>>,
    /// Something was written that may have to be sent.
    to_send: Notify,
    /// When this process began to count.
    started: Timestamp,
    watched: Mutex<Vec<TimeRange>>,
    saved: Option<SavedEngine>,
    past_is_counted: std::sync::atomic::AtomicBool,
    /// CPU of evaluations is not measured; their wall time is, for the page about Koshu itself.
    last_tick_us: AtomicU64,
    config_problem: RwLock<Option<String>>,
    proof: proof::Proof,
    /// One report at a time: it sorts a month of requests.
    pub(crate) reports: tokio::sync::Semaphore,
    /// One replay at a time: it reads much and thinks much.
    replays: Arc<tokio::sync::Semaphore>,
}

/// What is kept across a restart.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Saved {
    engine: SavedEngine,
    /// From and to, microseconds.
    watched: Vec<(i64, i64)>,
}

impl Watch {
    /// A watch that has seen nothing yet, with what an earlier process left in the data folder.
    pub fn new(plan: Plan, dir: &Path, clock: &Clock) -> Self {
        let now = clock.now();
        let budgets = Arc::new(Budgets::new(&plan.objectives, now));
        let engine = Engine::new(plan.rules.clone(), Arc::clone(&budgets), INTERVAL, now);
        let saved = read_saved(dir);
        let watched = saved.iter().flat_map(|saved| &saved.watched);
        let watched =
            watched.filter_map(|(from, to)| TimeRange::new(Timestamp::from_micros(*from), Timestamp::from_micros(*to)));
        Self {
            plan: RwLock::new(Arc::new(plan)),
            engine: tokio::sync::Mutex::new(engine),
            budgets: RwLock::new(budgets),
            heard: Heard::default(),
            pending: Mutex::default(),
            groups: Mutex::default(),
            health: Mutex::default(),
            to_send: Notify::new(),
            started: now,
            watched: Mutex::new(watched.collect()),
            saved: saved.map(|saved| saved.engine),
            past_is_counted: false.into(),
            last_tick_us: AtomicU64::new(0),
            config_problem: RwLock::default(),
            proof: proof::Proof::new(now),
            reports: tokio::sync::Semaphore::new(1),
            replays: Arc::new(tokio::sync::Semaphore::new(1)),
        }
    }

    /// What is configured.
    pub fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan.read())
    }

    /// Who was heard last.
    pub fn heard(&self) -> &Heard {
        &self.heard
    }

    /// The counts of all objectives.
    pub fn budgets(&self) -> Arc<Budgets> {
        Arc::clone(&self.budgets.read())
    }

    /// Where every rule stands.
    pub async fn status(&self) -> Vec<RuleStatus> {
        self.engine.lock().await.status()
    }

    /// Why the last change of the configuration was not taken.
    pub fn config_problem(&self) -> Option<String> {
        self.config_problem.read().clone()
    }

    /// Wall time of the last evaluation, microseconds.
    pub fn last_tick_us(&self) -> u64 {
        self.last_tick_us.load(Ordering::Relaxed)
    }

    /// Says that something was written that is to be sent.
    pub fn wake(&self) {
        self.to_send.notify_one();
    }

    /// Starts evaluating and sending.
    pub async fn start(
        self: &Arc<Self>,
        parts: &Parts,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<(), store::StoreError> {
        self.hook(parts);
        self.resume(parts).await?;
        let (me, its, ends) = (Arc::clone(self), parts.clone(), stop.clone());
        tasks.spawn(async move {
            let _ = ends.run_until_cancelled(me.count_past(&its)).await;
        });
        let (me, its, ends) = (Arc::clone(self), parts.clone(), stop.clone());
        tasks.spawn(async move {
            let _ = ends.run_until_cancelled(me.evaluate(&its)).await;
            me.save(&its).await;
        });
        sending::start(self, parts, tasks, stop);
        Ok(())
    }

    /// Goes on where the store says that the process before was.
    async fn resume(&self, parts: &Parts) -> Result<(), store::StoreError> {
        let now = parts.clock.now();
        parts.store.outbox().give_back_all().await?;
        let open: Vec<OpenFiring> = parts
            .store
            .firings()
            .open()
            .await?
            .into_iter()
            .map(|firing| OpenFiring { rule: firing.rule, series: series_of(&firing.series), since: firing.started_at })
            .collect();
        let saved = self.saved.clone().unwrap_or_default();
        let ended = self.engine.lock().await.restore(&saved, &open, now);
        if !ended.is_empty() {
            self.end_unclaimed(parts, &ended, now).await;
        }
        Ok(())
    }

    async fn evaluate(&self, parts: &Parts) {
        let mut ticks = tokio::time::interval(INTERVAL.to_std());
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut saved = Instant::now();
        loop {
            ticks.tick().await;
            let begin = Instant::now();
            self.tick(parts).await;
            let took = u64::try_from(begin.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.last_tick_us.store(took, Ordering::Relaxed);
            if saved.elapsed() >= SAVE_EVERY {
                saved = Instant::now();
                self.save(parts).await;
            }
        }
    }

    /// One evaluation.
    pub async fn tick(&self, parts: &Parts) {
        let now = parts.clock.now();
        let plan = self.plan();
        if !plan.commands.is_empty() {
            let found = tokio::task::spawn_blocking(|| agent::host::processes(Path::new("/proc"))).await;
            self.heard.look_at_processes(&parts.about.host, &[], found.unwrap_or_default(), now);
        }
        let own = plan.heartbeat_every.and_then(|_| self.proof.selector());
        let selectors = plan.selectors.iter().chain(own);
        let gathered = values::Values::gather(parts, &self.heard, selectors, now).await;
        let transitions = self.engine.lock().await.tick(now, &gathered);
        self.note_watched(now);
        let is_changed = !transitions.is_empty();
        self.pend(transitions);
        self.tell(parts, now).await;
        if let Some(every) = plan.heartbeat_every {
            self.prove(parts, every, &gathered, now).await;
        }
        // The store knows nothing of records: they would be noted once more after a kill.
        if is_changed {
            self.save(parts).await;
        }
    }

    fn pend(&self, transitions: Vec<Transition>) {
        let mut pending = self.pending.lock();
        let room = MAX_PENDING - pending.len().min(MAX_PENDING);
        if transitions.len() > room {
            tracing::error!(dropped = transitions.len() - room, "the store takes no transitions: some are dropped");
        }
        pending.extend(transitions.into_iter().take(room));
    }

    /// Books that Koshu was there since the last evaluation.
    fn note_watched(&self, now: Timestamp) {
        let mut watched = self.watched.lock();
        match watched.last_mut() {
            Some(last) if last.to <= now && now.micros() - last.to.micros() <= 4 * INTERVAL.micros() => last.to = now,
            _ => watched.push(TimeRange { from: now, to: now }),
        }
        if watched.len() > MAX_WATCHED {
            watched.remove(0);
        }
    }

    /// Takes another plan. Series of rules that mean the same go on; firings of those that are gone end.
    pub async fn replace(&self, parts: &Parts, plan: Plan) {
        let now = parts.clock.now();
        let budgets = Arc::new(Budgets::new(&plan.objectives, now));
        let mut engine = self.engine.lock().await;
        let fresh = budgets.adopt(engine.budgets());
        let ended = engine.replace(plan.rules.clone(), Arc::clone(&budgets), now);
        drop(engine);
        *self.budgets.write() = Arc::clone(&budgets);
        *self.plan.write() = Arc::new(plan);
        *self.config_problem.write() = None;
        self.pend(ended);
        self.tell(parts, now).await;
        self.count_past_of(parts, &budgets, &fresh, now).await;
    }

    /// Keeps the plan that is in force, and says why the new one was not taken.
    pub fn refuse(&self, why: String) {
        *self.config_problem.write() = Some(why);
    }

    async fn save(&self, parts: &Parts) {
        let watched = self.watched.lock().iter().map(|range| (range.from.micros(), range.to.micros())).collect();
        let saved = Saved { engine: self.engine.lock().await.save(), watched };
        let path = parts.about.dir.join(SAVED);
        let written = tokio::task::spawn_blocking(move || write_saved(&path, &saved)).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(%error, "where the rules stand could not be written; a restart begins with the store's word");
        }
    }
}

fn read_saved(dir: &Path) -> Option<Saved> {
    let text = std::fs::read(dir.join(SAVED)).ok()?;
    match serde_json::from_slice(&text) {
        Ok(saved) => Some(saved),
        Err(error) => {
            tracing::warn!(%error, "what is kept of the rules can't be read; they begin anew");
            None
        }
    }
}

fn write_saved(path: &PathBuf, saved: &Saved) -> std::io::Result<()> {
    let aside = path.with_extension("unfinished");
    std::fs::write(&aside, serde_json::to_vec(saved)?)?;
    std::fs::File::open(&aside)?.sync_all()?;
    std::fs::rename(aside, path)
}

/// A series as the store keeps it: JSON, or nothing for a rule's only one.
fn series_text(series: &Series) -> String {
    if series.0.is_empty() { String::new() } else { serde_json::to_string(series).unwrap_or_default() }
}

fn series_of(text: &str) -> Series {
    let labels: BTreeMap<String, String> = serde_json::from_str(text).unwrap_or_default();
    Series(labels)
}
