//! A host's agent fell silent: is the host gone, only the agent, or the network between?
//!
//! Judged from evidence that is handed in, and said with its reasons. Where the evidence does not tell two causes apart
//! the verdict is [`Liveness::Unknown`]: nobody is sent to a machine on a guess.

use base::Span;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What came of one try to reach a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It answered.
    Answered,
    /// It refused: something there is alive enough to say no.
    Refused,
    /// No answer in time.
    TimedOut,
    /// The network said that there is no way.
    Unreachable,
    /// The try itself failed: no permission for ICMP, for example.
    NotTried,
}

impl Outcome {
    fn shows_life(self) -> bool {
        matches!(self, Self::Answered | Self::Refused)
    }

    fn shows_nothing_there(self) -> bool {
        matches!(self, Self::TimedOut | Self::Unreachable)
    }
}

/// How it was tried to reach the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeKind {
    /// A TCP connection.
    Tcp,
    /// An ICMP echo.
    Icmp,
}

impl ProbeKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Tcp, Self::Icmp];
}

/// What is known when a verdict is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Time since the agent was heard; `None` if it never was.
    pub silence: Option<Span>,
    /// How often the agent is to be heard.
    pub expected_every: Span,
    /// Tries of the server since the silence began.
    pub probes: Vec<(ProbeKind, Outcome)>,
    /// Tries of other agents since the silence began, by host.
    pub peers: Vec<(String, Outcome)>,
    /// Agents of other hosts that are heard now.
    pub other_agents_heard: usize,
    /// Agents of other hosts that were heard before the silence began.
    pub other_agents_known: usize,
    /// Whether the server reaches its gateway or the outside; `None` if that is not checked.
    pub server_reaches_network: Option<bool>,
}

/// What has become of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Liveness {
    /// The agent is heard.
    Alive,
    /// Nobody reaches the host.
    HostGone,
    /// The host is there, its agent is silent.
    AgentGone,
    /// Others reach the host, the server does not.
    NetworkCut,
    /// The server itself is cut off: nothing can be said of any host.
    ServerIsolated,
    /// The evidence does not tell.
    Unknown,
}

impl Liveness {
    /// Its name in the API and the lake.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::HostGone => "host_gone",
            Self::AgentGone => "agent_gone",
            Self::NetworkCut => "network_cut",
            Self::ServerIsolated => "server_isolated",
            Self::Unknown => "unknown",
        }
    }
}

/// One reason of a verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Reason {
    /// The agent was heard of late.
    Heard {
        /// Time since then.
        ago: Span,
    },
    /// The agent is silent.
    Silent {
        /// For so long; `None` if it was never heard.
        since: Option<Span>,
    },
    /// A try of the server.
    Probe {
        /// How.
        kind: ProbeKind,
        /// What came of it.
        outcome: Outcome,
    },
    /// A try of another agent.
    Peer {
        /// Its host.
        host: String,
        /// What came of it.
        outcome: Outcome,
    },
    /// The server does not reach its own network.
    ServerHasNoNetwork,
    /// All agents fell silent at once.
    AllAgentsSilent {
        /// So many.
        known: usize,
    },
    /// Nobody else looked.
    NoOtherWitness,
    /// Nobody looked at all.
    NotLookedAt,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |outcome: &Outcome| match outcome {
            Outcome::Answered => "answered",
            Outcome::Refused => "refused, so something is there",
            Outcome::TimedOut => "got no answer",
            Outcome::Unreachable => "found no way",
            Outcome::NotTried => "could not be tried",
        };
        match self {
            Self::Heard { ago } => write!(f, "the agent was heard {ago} ago"),
            Self::Silent { since: Some(since) } => write!(f, "the agent has been silent for {since}"),
            Self::Silent { since: None } => f.write_str("the agent was never heard"),
            Self::Probe { kind: ProbeKind::Tcp, outcome } => {
                write!(f, "a TCP connection from the server {}", told(outcome))
            }
            Self::Probe { kind: ProbeKind::Icmp, outcome } => {
                write!(f, "an ICMP echo from the server {}", told(outcome))
            }
            Self::Peer { host, outcome } => write!(f, "a try from {host} {}", told(outcome)),
            Self::ServerHasNoNetwork => f.write_str("the server does not reach its own network"),
            Self::AllAgentsSilent { known } => write!(f, "all {known} other agents fell silent, too"),
            Self::NoOtherWitness => f.write_str("no other agent can say whether the host is there"),
            Self::NotLookedAt => f.write_str("nobody tried to reach the host"),
        }
    }
}

/// The agent may miss so many of its beats.
const BEATS: i64 = 3;
/// So many agents that fall silent at once are the server's fault, not theirs.
const ALL_SILENT: usize = 2;

/// What has become of a host, and why that is believed.
pub fn judge(evidence: &Evidence) -> (Liveness, Vec<Reason>) {
    if let Some(silence) = evidence.silence
        && silence.micros() <= evidence.expected_every.micros().saturating_mul(BEATS)
    {
        return (Liveness::Alive, vec![Reason::Heard { ago: silence }]);
    }
    let mut reasons = vec![Reason::Silent { since: evidence.silence }];
    // What shows life was seen, whatever else is broken.
    let probed = evidence.probes.iter().map(|(kind, outcome)| Reason::Probe { kind: *kind, outcome: *outcome });
    let seen = evidence.peers.iter().map(|(host, outcome)| Reason::Peer { host: host.clone(), outcome: *outcome });
    reasons.extend(probed.chain(seen));
    if evidence.probes.iter().any(|(_, outcome)| outcome.shows_life()) {
        return (Liveness::AgentGone, reasons);
    }
    let all_silent = evidence.other_agents_known >= ALL_SILENT && evidence.other_agents_heard == 0;
    if evidence.server_reaches_network == Some(false) {
        reasons.push(Reason::ServerHasNoNetwork);
    }
    if all_silent {
        reasons.push(Reason::AllAgentsSilent { known: evidence.other_agents_known });
    }
    if evidence.server_reaches_network == Some(false) || (all_silent && evidence.server_reaches_network.is_none()) {
        return (Liveness::ServerIsolated, reasons);
    }
    if evidence.peers.iter().any(|(_, outcome)| outcome.shows_life()) {
        return (Liveness::NetworkCut, reasons);
    }
    let failed = |outcome: Outcome| outcome.shows_nothing_there();
    let server_failed = evidence.probes.iter().any(|(_, outcome)| failed(*outcome));
    let peers_failed = evidence.peers.iter().any(|(_, outcome)| failed(*outcome));
    let verdict = match (server_failed, peers_failed) {
        (true, true) => Liveness::HostGone,
        (true, false) => {
            reasons.push(Reason::NoOtherWitness);
            Liveness::Unknown
        }
        (false, _) => {
            reasons.push(Reason::NotLookedAt);
            Liveness::Unknown
        }
    };
    (verdict, reasons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{Answered, NotTried, Refused, TimedOut, Unreachable};
    use ProbeKind::{Icmp, Tcp};

    fn silent() -> Evidence {
        Evidence {
            silence: Some(Span::from_seconds(120)),
            expected_every: Span::from_seconds(10),
            probes: Vec::new(),
            peers: Vec::new(),
            other_agents_heard: 3,
            other_agents_known: 3,
            server_reaches_network: Some(true),
        }
    }

    #[test]
    fn causes_are_told_apart_as_far_as_the_evidence_goes() {
        let peers = |outcomes: &[Outcome]| outcomes.iter().map(|outcome| ("web2".to_owned(), *outcome)).collect();
        for (case, evidence, want) in [
            ("heard", Evidence { silence: Some(Span::from_seconds(30)), ..silent() }, Liveness::Alive),
            ("answers", Evidence { probes: vec![(Icmp, TimedOut), (Tcp, Answered)], ..silent() }, Liveness::AgentGone),
            ("refuses", Evidence { probes: vec![(Tcp, Refused)], ..silent() }, Liveness::AgentGone),
            (
                "others reach it",
                Evidence { probes: vec![(Tcp, TimedOut)], peers: peers(&[Unreachable, Answered]), ..silent() },
                Liveness::NetworkCut,
            ),
            (
                "nobody reaches it",
                Evidence { probes: vec![(Tcp, TimedOut)], peers: peers(&[Unreachable]), ..silent() },
                Liveness::HostGone,
            ),
            ("no witness", Evidence { probes: vec![(Tcp, TimedOut)], ..silent() }, Liveness::Unknown),
            ("could not try", Evidence { probes: vec![(Icmp, NotTried)], ..silent() }, Liveness::Unknown),
            ("nobody looked", silent(), Liveness::Unknown),
            ("never heard, nobody looked", Evidence { silence: None, ..silent() }, Liveness::Unknown),
            (
                "the server is cut off",
                Evidence { probes: vec![(Tcp, TimedOut)], server_reaches_network: Some(false), ..silent() },
                Liveness::ServerIsolated,
            ),
            (
                "all fell silent at once",
                Evidence {
                    probes: vec![(Tcp, TimedOut)],
                    other_agents_heard: 0,
                    server_reaches_network: None,
                    ..silent()
                },
                Liveness::ServerIsolated,
            ),
            (
                "one other agent is no proof",
                Evidence {
                    probes: vec![(Tcp, TimedOut)],
                    other_agents_heard: 0,
                    other_agents_known: 1,
                    server_reaches_network: None,
                    ..silent()
                },
                Liveness::Unknown,
            ),
        ] {
            let (verdict, reasons) = judge(&evidence);
            assert_eq!(verdict, want, "{case}");
            assert!(!reasons.is_empty(), "{case}");
        }
    }

    #[test]
    fn a_verdict_says_why() {
        let evidence =
            Evidence { probes: vec![(Tcp, TimedOut)], peers: vec![("web2".to_owned(), Answered)], ..silent() };
        let told: Vec<String> = judge(&evidence).1.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "the agent has been silent for 2m",
                "a TCP connection from the server got no answer",
                "a try from web2 answered"
            ]
        );
    }
}
