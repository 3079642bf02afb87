//! Hosts whose agents report here: who may speak for which, what each is to do, and whether each is there.
//!
//! A report is answered once all of it is durable, and a repetition stores nothing again. An agent tells of its own host
//! only: what it sends is booked under the name that its token is bound to, whatever it says.

mod liveness;
mod taking;

pub use liveness::watch_over;
pub use taking::take;

use agent::remote::wire::{FileView, LookAt, Looked, MAX_LOOKS};
use base::{Clock, Id, Timestamp};
use liveness::{Look, Witness};
use parking_lot::Mutex;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::{Claim, Host, Store, StoreError, Token};
use tokio::time::Instant;
use watch::check::LOCAL;
use watch::liveness::{Liveness, ProbeKind, Reason};

/// How often a host that is there is tried, so that it is known which ways lead to it.
const LOOK_AT_LIVING: Duration = Duration::from_mins(5);
/// How often one that is silent is tried.
const LOOK_AT_SILENT: Duration = Duration::from_secs(15);
/// Hosts that a living one is looked at by one agent at a time.
const LIVING_AT_ONCE: usize = 2;

/// Why an agent is not listened to.
#[derive(Debug, thiserror::Error)]
pub enum NotHeard {
    /// Another token speaks for the host.
    #[error(
        "another token speaks for the host {0}; use that one, or delete it and this host's agent may bind a new one"
    )]
    Taken(String),
    /// The token speaks for another host.
    #[error("this token speaks for the host {0}; make one for each host with `koshu token create --scope agent`")]
    SpeaksFor(String),
    /// Too many hosts.
    #[error("there are {} hosts already; remove those that are gone on the page of sources", store::MAX_HOSTS)]
    Full,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is known of a host.
struct Known {
    host: Host,
    reach: Option<SocketAddr>,
    /// When it was heard last by this process, by the steady clock.
    heard: Option<Instant>,
    /// Its clock minus ours, microseconds.
    skew_us: Option<i64>,
    checks: usize,
    files: Vec<FileView>,
    /// Hashes of names and labels of its samples.
    series: HashSet<u64>,
    /// One report of a host at a time.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Ways by which it was reached while it was there.
    good: HashSet<(Witness, ProbeKind)>,
    looks: HashMap<Witness, Look>,
    verdict: Liveness,
    reasons: Vec<Reason>,
    /// Since when the verdict holds.
    since: Timestamp,
    is_unsaved: bool,
}

impl Known {
    fn new(host: Host, now: Timestamp) -> Self {
        Self {
            reach: host.reach.as_deref().and_then(|reach| reach.parse().ok()),
            host,
            heard: None,
            skew_us: None,
            checks: 0,
            files: Vec::new(),
            series: HashSet::new(),
            turn: Arc::default(),
            good: HashSet::new(),
            looks: HashMap::new(),
            verdict: Liveness::Unknown,
            reasons: Vec::new(),
            since: now,
            is_unsaved: false,
        }
    }
}

impl Known {
    fn reached_by(&self) -> Vec<String> {
        // `None`, the server, comes first.
        let witnesses: std::collections::BTreeSet<&Witness> = self.good.iter().map(|(witness, _)| witness).collect();
        witnesses.into_iter().map(|witness| witness.clone().unwrap_or_else(|| LOCAL.to_owned())).collect()
    }
}

/// All hosts with agents.
pub struct Hosts {
    known: Mutex<BTreeMap<String, Known>>,
    store: Store,
    clock: Clock,
    started: Instant,
}

/// A host as people see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct HostView {
    /// What it is called.
    pub name: String,
    /// Version of its agent.
    pub version: String,
    /// Where others try whether it is there.
    #[schema(value_type = Option<String>)]
    pub reach: Option<SocketAddr>,
    /// When it was heard first.
    #[schema(value_type = String)]
    pub first_seen: Timestamp,
    /// When it was heard last.
    #[schema(value_type = String)]
    pub last_seen: Timestamp,
    /// `alive`, `host_gone`, `agent_gone`, `network_cut`, `server_isolated` or `unknown`.
    #[schema(value_type = String)]
    pub liveness: Liveness,
    /// Since when.
    #[schema(value_type = String)]
    pub since: Timestamp,
    /// Who has reached it while it was there: `server`, or hosts. Only their silence says anything.
    pub reached_by: Vec<String>,
    /// Why that is believed: `{reason, ...}`.
    #[schema(value_type = Vec<Object>)]
    pub reasons: Vec<Reason>,
    /// Its clock minus the server's, milliseconds; null before it was heard by this process.
    pub skew_ms: Option<f64>,
    /// Checks that it runs.
    pub checks: usize,
    /// What happens with its log files: `{path, service, problem, lag_bytes}`.
    #[schema(value_type = Vec<Object>)]
    pub files: Vec<FileView>,
}

impl Hosts {
    /// With the hosts that are known from before.
    pub async fn load(store: &Store, clock: &Clock) -> Result<Self, StoreError> {
        let now = clock.now();
        let known = store.hosts().list().await?.into_iter().map(|host| (host.name.clone(), Known::new(host, now)));
        Ok(Self {
            known: Mutex::new(known.collect()),
            store: store.clone(),
            clock: clock.clone(),
            started: Instant::now(),
        })
    }

    /// The name of the host that a token speaks for, if it is bound to one.
    pub fn of_token(&self, token: Id<Token>) -> Option<String> {
        self.known.lock().values().find(|known| known.host.token == token).map(|known| known.host.name.clone())
    }

    /// Binds a token to the host that it says it speaks for.
    pub async fn bind(&self, name: &str, token: Id<Token>) -> Result<(), NotHeard> {
        if self.known.lock().get(name).is_some_and(|known| known.host.token == token) {
            return Ok(());
        }
        let host = match self.store.hosts().claim(name, token).await? {
            Claim::Bound(host) => host,
            Claim::Taken => return Err(NotHeard::Taken(name.to_owned())),
            Claim::SpeaksFor(other) => return Err(NotHeard::SpeaksFor(other)),
            Claim::Full => return Err(NotHeard::Full),
        };
        let now = self.clock.now();
        let mut known = self.known.lock();
        let entry = known.entry(name.to_owned()).or_insert_with(|| Known::new(host.clone(), now));
        entry.host.token = host.token;
        Ok(())
    }

    /// Forgets a host; `false` when there is none of this name.
    pub async fn forget(&self, name: &str) -> Result<bool, StoreError> {
        let was_there = self.store.hosts().forget(name).await?;
        self.known.lock().remove(name);
        Ok(was_there)
    }

    /// What became of every host, by name.
    pub fn verdicts(&self) -> Vec<(String, Liveness)> {
        self.known.lock().iter().map(|(name, known)| (name.clone(), known.verdict)).collect()
    }

    /// When each host was heard last, by name.
    pub fn last_seen(&self) -> Vec<(String, Timestamp)> {
        self.known.lock().iter().map(|(name, known)| (name.clone(), known.host.last_seen)).collect()
    }

    /// All hosts by name.
    pub fn list(&self) -> Vec<HostView> {
        let view = |known: &Known| HostView {
            name: known.host.name.clone(),
            version: known.host.version.clone(),
            reach: known.reach,
            first_seen: known.host.first_seen,
            last_seen: known.host.last_seen,
            liveness: known.verdict,
            since: known.since,
            reached_by: known.reached_by(),
            reasons: known.reasons.clone(),
            skew_ms: known.skew_us.map(|us| us as f64 / 1e3),
            checks: known.checks,
            files: known.files.clone(),
        };
        self.known.lock().values().map(view).collect()
    }

    /// Hosts that an agent is to look at now: silent ones, and some of the living.
    fn looks_for(&self, agent: &str) -> Vec<LookAt> {
        let witness: Witness = Some(agent.to_owned());
        let (mut silent, mut living) = (Vec::new(), Vec::new());
        let mut all = self.known.lock();
        for (name, known) in all.iter_mut().filter(|(name, _)| name.as_str() != agent) {
            let Some(at) = known.reach else { continue };
            let is_living = known.verdict == Liveness::Alive;
            let every = if is_living { LOOK_AT_LIVING } else { LOOK_AT_SILENT };
            if known.looks.get(&witness).is_some_and(|look| look.asked.elapsed() < every) {
                continue;
            }
            let into = if is_living { &mut living } else { &mut silent };
            into.push(LookAt { host: name.clone(), at });
        }
        living.truncate(LIVING_AT_ONCE);
        silent.extend(living);
        silent.truncate(MAX_LOOKS);
        for look in &silent {
            if let Some(known) = all.get_mut(&look.host) {
                known.looks.entry(witness.clone()).or_insert_with(Look::new).asked = Instant::now();
            }
        }
        silent
    }

    /// Takes what came of a look by an agent, or by the server itself.
    fn looked(&self, witness: &Witness, looked: Looked) {
        let mut all = self.known.lock();
        let Some(known) = all.get_mut(&looked.host) else { return };
        known.saw(witness, looked.tries);
    }

    /// Writes what is new of hosts into the store.
    async fn save(&self) {
        let unsaved: Vec<Host> = {
            let mut all = self.known.lock();
            let unsaved = all.values_mut();
            unsaved.filter_map(|known| std::mem::take(&mut known.is_unsaved).then(|| known.host.clone())).collect()
        };
        if let Err(error) = self.store.hosts().heard(&unsaved).await {
            tracing::warn!(%error, "when hosts were heard last could not be written");
        }
    }
}
