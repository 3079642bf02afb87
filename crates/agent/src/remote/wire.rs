//! What an agent and its server say to each other: the agent reports, the answer says what it is to do. The agent dials;
//! it listens nowhere.
//!
//! Both sides take the other for a stranger: lists and texts have limits, and unknown fields are passed over, so that
//! neither has to be of the same version.

use base::{ServiceName, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use watch::check::RunResult;
use watch::liveness::{Outcome, ProbeKind};

/// How often an agent reports.
pub const BEAT: Duration = Duration::from_secs(10);
/// Header with the agent's time at which a report left, so that clocks that differ are seen.
pub const SENT_AT: &str = "koshu-sent-at";
/// Most sets of samples in a report.
pub const MAX_SETS: usize = 60;
/// Most values of a set.
pub const MAX_VALUES: usize = 2_000;
/// Most results in a report.
pub const MAX_RESULTS: usize = 1_000;
/// Most processes in a report.
pub const MAX_PROCESSES: usize = 2_000;
/// Most hosts that one agent is asked to look at.
pub const MAX_LOOKS: usize = 8;
/// Longest name of a host.
pub const MAX_HOST: usize = 253;

/// Whether a text can be the name of a host.
pub fn is_host(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.len() <= MAX_HOST && name.bytes().all(plain)
}

/// What an agent tells.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// What the host is called.
    pub host: String,
    /// Version of the agent.
    pub version: String,
    /// Random, anew for each start of the agent.
    pub boot: String,
    /// From 1, one more for each report of this start; the same for a repetition.
    pub number: u64,
    /// Where others may try whether the host is there.
    pub reach: Option<SocketAddr>,
    /// Which orders it follows: [`Orders::version`] of the last answer.
    pub orders: String,
    /// Sets of samples and results that were dropped since the last report, because the server was away for too long.
    pub dropped: u64,
    /// Measured values, oldest first.
    pub samples: Vec<SampleSet>,
    /// What its checks found, oldest first.
    pub results: Vec<CheckResult>,
    /// What came of looking at other hosts.
    pub looked: Vec<Looked>,
    /// Processes of the commands that were asked for; `None` before anybody asked.
    pub processes: Option<Processes>,
    /// What happens with its log files.
    pub files: Vec<FileView>,
}

/// Values of one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleSet {
    /// When, by the agent's clock.
    pub at: Timestamp,
    /// The values.
    pub values: Vec<Sampled>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sampled {
    /// As in [`crate::host`].
    pub name: String,
    /// Ratios are 0 to 1.
    pub value: f64,
    /// Which of several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Name of the check.
    pub check: String,
    /// The run.
    pub result: RunResult,
}

/// What came of looking at a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// The host.
    pub host: String,
    /// Each try.
    pub tries: Vec<(ProbeKind, Outcome)>,
}

/// Processes that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Processes {
    /// The commands that were asked for.
    pub commands: Vec<String>,
    /// Those whose command line holds one of them.
    pub found: Vec<crate::host::Process>,
}

/// What happens with one log file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileView {
    /// Where it is.
    pub path: String,
    /// Whose requests are in it.
    pub service: ServiceName,
    /// Why it isn't followed; `None` when it is.
    pub problem: Option<String>,
    /// Bytes that are there and not yet delivered.
    pub lag_bytes: u64,
}

/// What an agent is to do.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Orders {
    /// Of the lists below; an agent that tells the same has them already.
    pub version: String,
    /// The lists, when the agent has others.
    pub work: Option<Work>,
    /// Hosts to look at, once.
    pub look_at: Vec<LookAt>,
}

/// What an agent does until it hears otherwise.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Work {
    /// Checks to run.
    pub checks: Vec<SentCheck>,
    /// Commands whose processes are told of.
    pub commands: Vec<String>,
}

/// A check to run.
#[derive(Clone, Serialize, Deserialize)]
pub struct SentCheck {
    /// Its name.
    pub name: String,
    /// As a configuration holds it.
    pub check: Value,
    /// Values of its secrets.
    pub secrets: BTreeMap<String, String>,
}

impl std::fmt::Debug for Work {
    /// Without the checks, which may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Work").field("checks", &self.checks.len()).field("commands", &self.commands).finish()
    }
}

/// A host to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookAt {
    /// What it is called.
    pub host: String,
    /// Where.
    pub at: SocketAddr,
}

/// Where lines belong, beside the lines themselves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinesOf {
    /// Whose requests.
    pub service: ServiceName,
    /// Under which path they were written.
    pub path: String,
    /// What they look like, if the web server's configuration says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The ledger's key.
    pub key: String,
    /// The ledger with these lines in it.
    pub mark: String,
    /// First offset of the range in the content.
    pub from: u64,
    /// First offset behind it.
    pub to: u64,
    /// Lines that were left out because they were too long.
    #[serde(default)]
    pub too_long: u64,
}

/// What became of lines.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LinesAnswer {
    /// They were stored before.
    pub already: bool,
}

/// A mark of the ledger.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MarkAnswer {
    /// Its value, if there is one.
    pub value: Option<String>,
}
