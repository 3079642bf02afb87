//! The agent of another machine: samples it, follows its logs, runs checks from it, and reports all that to a server.
//!
//! It dials out and listens nowhere. Everything it does it could do without orders, but for checks, processes and looks at
//! other hosts, which the server names; no order is a command. What the server did not take is kept for an hour and sent
//! later; lines wait in their files. When the server is silent it says so over channels of its own.

mod command;
mod config;
mod logs;
mod server;
mod silence;
mod work;

pub mod wire;

pub use command::{AgentArgs, run_command};
pub use config::{AgentConfig, ConfigError, SilentSection};
pub use server::{AddressError, Server, ServerError};

use crate::host::{HostSampler, Process, processes};
use crate::tail::StartAt;
use base::{Clock, Redactor, Secret, Timestamp};
use bytes::Bytes;
use logs::Logs;
use outbound::probe::{Runner, Settings, reach, system_roots};
use parking_lot::Mutex;
use silence::Silence;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use wire::{
    BEAT, LookAt, Looked, MAX_LOOKS, MAX_PROCESSES, MAX_RESULTS, MAX_SETS, MAX_VALUES, Orders, Processes, Report,
    SampleSet, Sampled, Work,
};

/// Sets of samples that wait for the server: an hour of them.
const MAX_WAITING_SETS: usize = 360;
/// How often access logs are looked for.
const LOOK_EVERY: Duration = Duration::from_mins(1);
/// How often it is looked which address leads to the server.
const REACH_EVERY: Duration = Duration::from_mins(5);
/// The port that others try, when the file names none.
const USUAL_PORT: u16 = 22;
/// Longest list of commands that is followed, and longest command.
const MAX_COMMANDS: usize = 200;
const MAX_COMMAND: usize = 200;
/// How often it is looked whether somebody is to be told that the server is silent.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// How long the last report may take at the end.
const LAST_REPORT: Duration = Duration::from_secs(3);

/// What an agent needs to know.
#[derive(Debug)]
pub struct Options {
    /// Address of the server.
    pub server: String,
    /// The token that was made for this host.
    pub token: Secret,
    /// The agent's file, or its defaults.
    pub config: AgentConfig,
    /// Below which access logs are looked for: `/`, another folder only in tests.
    pub root: PathBuf,
}

/// The agent can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The server's address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The file.
    #[error("{0}")]
    Config(String),
    /// TLS for checks.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
}

/// What the reports say of the server, for whoever watches over it.
#[derive(Debug)]
enum Word {
    Heard(Timestamp),
    Missed(String),
}

/// Reports until it is told to stop.
pub async fn run(options: Options, stop: CancellationToken) -> Result<(), StartError> {
    let Options { server, token, config, root } = options;
    let server = Server::new(&server, token, config.ca_file.as_deref())?;
    let host = config.host.clone().unwrap_or_else(system_name);
    if !wire::is_host(&host) {
        return Err(StartError::Config(format!("this machine's name, {host:?}, is none of a host; write `host:`")));
    }
    let roots = tokio::task::spawn_blocking(system_roots).await.map_err(|error| StartError::Tls(error.to_string()))?;
    let runner = Runner::new(&Settings::default(), roots, Clock::System, Redactor::new(false));
    let runner = Arc::new(runner.map_err(|error| StartError::Tls(error.to_string()))?);
    let (words, heard) = mpsc::channel(16);
    let mut tasks = JoinSet::new();
    if let Some(section) = &config.server_silent {
        let sender = outbound::Sender::new().map_err(|error| StartError::Tls(outbound::chain(&error)))?;
        let silence = Silence::new(section, sender, &server.shown(), &host, Clock::System.now());
        let silence = silence.map_err(StartError::Config)?;
        tasks.spawn(watch_over(silence, heard, stop.clone()));
    }
    let logs = Logs::new(server.clone(), stop.clone()).map_err(|error| StartError::Config(error.to_string()))?;
    for (service, paths) in &config.logs {
        for path in paths {
            logs.follow(service, path, StartAt::Beginning);
        }
    }
    let logs = Arc::new(logs);
    if config.discover {
        let (logs, stop) = (Arc::clone(&logs), stop.clone());
        tasks.spawn(async move {
            loop {
                logs.discover(&root).await;
                if tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await.is_ok() {
                    return;
                }
            }
        });
    }
    let mut agent = Agent {
        sampler: Some(HostSampler::new(Path::new("/"))),
        reporting: Reporting::new(host.clone()),
        found: Arc::default(),
        looked: Arc::default(),
        reach: config.reach,
        reach_is_given: config.reach.is_some(),
        reach_at: None,
        work: Work::default(),
        working: None,
        server,
        host,
        runner,
        logs: Arc::clone(&logs),
        words,
        stop: stop.clone(),
    };
    agent.keep_reporting().await;
    logs.stop().await;
    while tasks.join_next().await.is_some() {}
    Ok(())
}

fn system_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Tells whoever is to be told, beside the reports: a channel that hangs must not hold them up.
async fn watch_over(mut silence: Silence, mut words: mpsc::Receiver<Word>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(TELL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            word = words.recv() => match word {
                Some(Word::Heard(at)) => silence.heard(at),
                Some(Word::Missed(why)) => silence.missed(&why),
                None => return,
            },
            _ = ticks.tick() => {
                let _ = stop.run_until_cancelled(silence.tell(Clock::System.now())).await;
            }
        }
    }
}

/// What is being reported, and what waits.
struct Reporting {
    host: String,
    boot: String,
    number: u64,
    /// A report that was not answered yet: it is repeated as it was, so that nothing in it counts twice.
    unanswered: Option<Bytes>,
    sets: VecDeque<SampleSet>,
    dropped: u64,
    orders: String,
}

impl Reporting {
    fn new(host: String) -> Self {
        let boot = format!("{:032x}", rand::random::<u128>());
        let (unanswered, sets, orders) = (None, VecDeque::new(), String::new());
        Self { host, boot, number: 0, unanswered, sets, dropped: 0, orders }
    }

    fn add(&mut self, set: SampleSet) {
        self.sets.push_back(set);
        if self.sets.len() > MAX_WAITING_SETS {
            self.sets.pop_front();
            self.dropped += 1;
        }
    }
}

struct Agent {
    server: Server,
    host: String,
    /// Away while it works on another thread.
    sampler: Option<HostSampler>,
    reporting: Reporting,
    runner: Arc<Runner>,
    found: Arc<work::Found>,
    looked: Arc<Mutex<Vec<Looked>>>,
    reach: Option<SocketAddr>,
    reach_is_given: bool,
    reach_at: Option<Instant>,
    work: Work,
    /// Ends the checks that run.
    working: Option<tokio_util::sync::DropGuard>,
    logs: Arc<Logs>,
    words: mpsc::Sender<Word>,
    stop: CancellationToken,
}

impl Agent {
    async fn keep_reporting(&mut self) {
        let mut ticks = tokio::time::interval(BEAT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stop = self.stop.clone();
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let (values, processes) = self.look_at_host().await;
            self.reporting.add(SampleSet { at: Clock::System.now(), values });
            loop {
                let Some(answered) = stop.run_until_cancelled(self.report(processes.clone())).await else { break };
                let more = self.reporting.sets.len() >= MAX_SETS || !self.found.is_empty();
                if !answered || !more {
                    break;
                }
            }
        }
        let _ = tokio::time::timeout(LAST_REPORT, self.report(None)).await;
    }

    /// What the host says now.
    async fn look_at_host(&mut self) -> (Vec<Sampled>, Option<Processes>) {
        let mut sampler = self.sampler.take().unwrap_or_else(|| HostSampler::new(Path::new("/")));
        let commands = self.work.commands.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let samples = sampler.sample(Clock::System.now());
            let found = (!commands.is_empty()).then(|| {
                let asked = |process: &Process| commands.iter().any(|command| process.command.contains(command));
                let found = processes(Path::new("/proc")).into_iter().filter(asked).take(MAX_PROCESSES).collect();
                Processes { commands, found }
            });
            (sampler, samples, found)
        });
        let Ok((sampler, samples, found)) = looked.await else { return (Vec::new(), None) };
        self.sampler = Some(sampler);
        let values = samples.into_iter().take(MAX_VALUES).map(|sample| Sampled {
            name: sample.name.to_owned(),
            value: sample.value,
            labels: sample.labels.into_iter().collect(),
        });
        (values.collect(), found)
    }

    /// Sends what waits, the unanswered report first; whether it was answered.
    async fn report(&mut self, processes: Option<Processes>) -> bool {
        self.find_reach().await;
        let body = match self.reporting.unanswered.clone() {
            Some(body) => body,
            None => self.write(processes),
        };
        self.reporting.unanswered = Some(body.clone());
        match self.server.report(body, Clock::System.now()).await {
            Ok(orders) => {
                self.reporting.unanswered = None;
                self.say(Word::Heard(Clock::System.now()));
                self.follow(orders);
                true
            }
            Err(error) => {
                // Refused as it is, it would be refused for ever.
                if matches!(error, ServerError::Refused { status: 400 | 413 | 415 | 422, .. }) {
                    self.reporting.unanswered = None;
                    self.reporting.dropped += 1;
                }
                tracing::warn!(%error, server = self.server.shown(), "the report was not taken");
                self.say(Word::Missed(error.to_string()));
                false
            }
        }
    }

    fn write(&mut self, processes: Option<Processes>) -> Bytes {
        let reporting = &mut self.reporting;
        reporting.number += 1;
        let sets = reporting.sets.len().min(MAX_SETS);
        let (results, dropped) = self.found.take(MAX_RESULTS);
        let report = Report {
            host: reporting.host.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            boot: reporting.boot.clone(),
            number: reporting.number,
            reach: self.reach,
            orders: reporting.orders.clone(),
            dropped: std::mem::take(&mut reporting.dropped) + dropped,
            samples: reporting.sets.drain(..sets).collect(),
            results,
            looked: std::mem::take(&mut *self.looked.lock()),
            processes,
            files: self.logs.files(),
        };
        // Maps with text keys and finite numbers are always JSON.
        Bytes::from(serde_json::to_vec(&report).unwrap_or_default())
    }

    /// Nobody listens when nobody is to be told; a full queue says the same again soon.
    fn say(&self, word: Word) {
        let _ = self.words.try_send(word);
    }

    /// Does what the answer asks for.
    fn follow(&mut self, orders: Orders) {
        if let Some(mut work) = orders.work {
            work.commands.truncate(MAX_COMMANDS);
            work.commands.retain(|command| !command.is_empty() && command.len() <= MAX_COMMAND);
            self.reporting.orders = orders.version;
            self.work = work.clone();
            let stop = self.stop.child_token();
            // The checks before end here.
            self.working = Some(stop.clone().drop_guard());
            let (host, runner, found) = (self.host.clone(), Arc::clone(&self.runner), Arc::clone(&self.found));
            tokio::spawn(async move { work::run(&work, &host, runner, found, stop).await });
        }
        for LookAt { host, at } in orders.look_at.into_iter().take(MAX_LOOKS) {
            let (looked, stop) = (Arc::clone(&self.looked), self.stop.clone());
            tokio::spawn(async move {
                let Some(tries) = stop.run_until_cancelled(reach(at)).await else { return };
                let mut looked = looked.lock();
                if looked.len() < MAX_LOOKS * 4 {
                    looked.push(Looked { host, tries });
                }
            });
        }
    }

    /// The address by which this host reaches its server, unless the file names another.
    async fn find_reach(&mut self) {
        if self.reach_is_given || self.reach_at.is_some_and(|at| at.elapsed() < REACH_EVERY) {
            return;
        }
        self.reach_at = Some(Instant::now());
        let found = local_address(self.server.host_and_port()).await;
        if let Some(ip) = found {
            self.reach = Some(SocketAddr::new(ip, USUAL_PORT));
        }
    }
}

/// The address that packets to a place leave from. None is sent.
async fn local_address((host, port): (String, u16)) -> Option<std::net::IpAddr> {
    let to = tokio::net::lookup_host((host, port)).await.ok()?.next()?;
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = tokio::net::UdpSocket::bind(any).await.ok()?;
    socket.connect(to).await.ok()?;
    socket.local_addr().ok().map(|at| at.ip())
}
