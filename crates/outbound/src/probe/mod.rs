//! Runs a check once: names, connections, TLS, HTTP scenarios, echoes; and tells a broken target from a broken network of
//! this machine's own.

mod attempt;
mod echo;
mod http;
mod network;
mod own_network;
mod reach;

pub use http::MAX_BODY;
pub use network::system_roots;
pub use reach::reach;

use attempt::attempt;
use base::{Clock, Redactor, Timestamp};
use network::Network;
use own_network::OwnNetwork;
use parking_lot::Mutex;
use rustls::RootCertStore;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::sync::Semaphore;
use watch::check::outcome::MAX_EVIDENCE;
use watch::check::{Check, Evidence, Outcome, Probe, RunResult, Why};

/// Checks that run at once: each holds a socket.
const AT_ONCE: usize = 256;
/// How long to wait before a failure is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How checks are run.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What must answer when this machine's own network works; `None` for the gateway of the default route.
    pub gateway: Option<IpAddr>,
    /// The name server to ask; `None` as the system does.
    pub resolver: Option<SocketAddr>,
}

/// Where a check was answered last.
#[derive(Debug, Clone, Copy)]
struct Reached {
    at: SocketAddr,
    when: Timestamp,
    /// Whether the address takes TCP connections: a ping's has no port, a name server's takes none for sure.
    connects: bool,
}

/// Runs checks, a bounded number at once, and remembers where each was answered last.
pub struct Runner {
    network: Network,
    own_network: OwnNetwork,
    permits: Semaphore,
    clock: Clock,
    redactor: Redactor,
    reached: Mutex<HashMap<String, Reached>>,
}

impl Runner {
    /// With the roots that certificates must lead to.
    pub fn new(
        settings: &Settings,
        roots: RootCertStore,
        clock: Clock,
        redactor: Redactor,
    ) -> Result<Self, rustls::Error> {
        Ok(Self {
            network: Network::new(roots, settings.resolver)?,
            own_network: OwnNetwork::new(settings.gateway),
            permits: Semaphore::new(AT_ONCE),
            clock,
            redactor,
            reached: Mutex::default(),
        })
    }

    /// Forgets where checks were answered that are not among these any more.
    pub fn keep_only(&self, is_known: impl Fn(&str) -> bool) {
        self.reached.lock().retain(|name, _| is_known(name));
    }

    /// Runs a check until it is good or has failed often enough. `from` is what this place is called.
    pub async fn run(&self, name: &str, check: &Check, from: &str) -> RunResult {
        let mut attempts = 0;
        let (at, stepped) = loop {
            attempts += 1;
            let (at, stepped) = {
                // Closed never; without a permit it runs all the same.
                let _permit = self.permits.acquire().await;
                // Boxed: thousands may wait here for their turn, and an attempt is many times as large as a wait.
                (self.clock.now(), Box::pin(attempt(&self.network, &self.clock, check)).await)
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
                let lost = if fault.silence { self.network_is_lost(name, check, &fault.why).await } else { None };
                match lost {
                    Some(evidence) => Outcome::Unknown { why: fault.why, evidence },
                    None => Outcome::Failed { step, why: fault.why },
                }
            }
        };
        let result = RunResult { at, from: from.to_owned(), attempts, outcome, steps: stepped.steps };
        self.remember(name, check, &result);
        self.redacted(result)
    }

    fn remember(&self, name: &str, check: &Check, result: &RunResult) {
        if !matches!(result.outcome, Outcome::Ok) {
            return;
        }
        let connects = matches!(check.probe, Probe::Http(_) | Probe::Tcp(_) | Probe::Tls { .. });
        let last = result.steps.iter().rev().find_map(|step| step.address.as_ref()?.parse().ok());
        let mut reached = self.reached.lock();
        match last {
            Some(at) => drop(reached.insert(name.to_owned(), Reached { at, when: result.at, connects })),
            None => drop(reached.remove(name)),
        }
    }

    /// What was tried, if this machine's network seems lost.
    async fn network_is_lost(&self, name: &str, check: &Check, why: &Why) -> Option<Vec<Evidence>> {
        // What lies on this machine is reached without a network.
        let reached = self.reached.lock().get(name).copied();
        if is_here(&check.probe) || reached.is_some_and(|last| last.at.ip().is_loopback()) {
            return None;
        }
        let finding = self.own_network.look(|| self.reached_lately(name)).await;
        if !finding.lost {
            return None;
        }
        tracing::warn!(check = name, %why, "a check can't be judged: this machine's own network seems lost");
        let mut evidence = finding.evidence;
        evidence.truncate(MAX_EVIDENCE);
        Some(evidence)
    }

    /// Whether this machine's own network works; `None` when nothing says so either way.
    pub async fn network_works(&self) -> Option<bool> {
        let finding = self.own_network.look(|| self.reached_lately("")).await;
        if finding.lost {
            return Some(false);
        }
        finding.evidence.iter().any(|evidence| evidence.reached).then_some(true)
    }

    /// Where other checks were answered last, the latest first.
    fn reached_lately(&self, but: &str) -> Vec<(String, SocketAddr)> {
        let reached = self.reached.lock();
        let others = reached.iter().filter(|(name, last)| name.as_str() != but && last.connects);
        let mut places: Vec<(&String, &Reached)> = others.collect();
        places.sort_by(|a, b| b.1.when.cmp(&a.1.when).then_with(|| a.0.cmp(b.0)));
        places.into_iter().map(|(name, last)| (name.clone(), last.at)).collect()
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
