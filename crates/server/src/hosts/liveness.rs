//! Whether a silent host is gone, only its agent, or the network between: looks from here and from other hosts, judged by
//! [`watch::liveness`]. A way that never led to the host while it was there says nothing when it does not lead there now.

use super::{Hosts, Known, LOOK_AT_LIVING, LOOK_AT_SILENT};
use crate::parts::Parts;
use agent::remote::wire::{BEAT, Looked};
use base::{Span, Timestamp};
use lake::Append;
use outbound::probe::reach;
use signal::{EventRow, EventRows, Table};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use watch::liveness::{Evidence, Liveness, Outcome, ProbeKind, Reason, judge};

/// How often hosts are judged.
const JUDGE_EVERY: Duration = Duration::from_secs(2);
/// How often what is known of hosts is written.
const SAVE_EVERY: Duration = Duration::from_mins(1);
/// So many beats may be missed before others look.
const BEATS: u32 = 3;
/// Hosts that are tried at the same time.
const AT_ONCE: usize = 16;
/// The kind of the events that tell what became of a host.
pub const KIND: &str = "host";

/// Who looked: another host's agent, or the server.
pub(super) type Witness = Option<String>;

/// A look at a host.
#[derive(Debug, Clone)]
pub(super) struct Look {
    /// When it was asked for.
    pub asked: Instant,
    /// When it came, and what each try found.
    came: Option<(Instant, Vec<(ProbeKind, Outcome)>)>,
}

impl Look {
    pub fn new() -> Self {
        Self { asked: Instant::now(), came: None }
    }
}

impl Known {
    fn is_heard(&self) -> bool {
        self.heard.is_some_and(|heard| heard.elapsed() <= BEAT * BEATS)
    }

    /// Takes what came of a look.
    pub(super) fn saw(&mut self, witness: &Witness, tries: Vec<(ProbeKind, Outcome)>) {
        if self.is_heard() {
            let alive = tries.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Answered | Outcome::Refused));
            self.good.extend(alive.map(|(kind, _)| (witness.clone(), *kind)));
        }
        let look = self.looks.entry(witness.clone()).or_insert_with(Look::new);
        look.came = Some((Instant::now(), tries.into_iter().take(ProbeKind::ALL.len()).collect()));
    }

    /// What each witness found since the silence began.
    fn found(&self) -> Vec<(&Witness, Vec<(ProbeKind, Outcome)>)> {
        let told = |(witness, look): (_, &Look)| {
            let (at, tries) = look.came.as_ref()?;
            let is_of_now = self.heard.is_none_or(|heard| *at > heard);
            let says = |(kind, outcome): &(ProbeKind, Outcome)| {
                let is_silence = matches!(outcome, Outcome::TimedOut | Outcome::Unreachable);
                let is_known_way = self.good.contains(&(Witness::clone(witness), *kind));
                (*kind, if is_silence && !is_known_way { Outcome::NotTried } else { *outcome })
            };
            is_of_now.then(|| (witness, tries.iter().map(says).collect()))
        };
        self.looks.iter().filter_map(told).collect()
    }

    fn evidence(&self, silence: Span, others: (usize, usize), server_reaches_network: Option<bool>) -> Evidence {
        let (mut probes, mut peers) = (Vec::new(), Vec::new());
        for (witness, tries) in self.found() {
            match witness {
                None => probes.extend(tries),
                Some(host) => peers.extend(most_telling(&tries).map(|outcome| (host.clone(), outcome))),
            }
        }
        peers.sort();
        Evidence {
            silence: Some(silence),
            expected_every: Span::from_micros(i64::try_from(BEAT.as_micros()).unwrap_or(i64::MAX)),
            probes,
            peers,
            other_agents_heard: others.0,
            other_agents_known: others.1,
            server_reaches_network,
        }
    }
}

/// Of several tries of one witness: life, else silence, else nothing.
fn most_telling(tries: &[(ProbeKind, Outcome)]) -> Option<Outcome> {
    let order = |outcome: Outcome| match outcome {
        Outcome::Answered => 0,
        Outcome::Refused => 1,
        Outcome::TimedOut => 2,
        Outcome::Unreachable => 3,
        Outcome::NotTried => 4,
    };
    tries.iter().map(|(_, outcome)| *outcome).min_by_key(|outcome| order(*outcome))
}

/// A verdict that changed.
struct Changed {
    host: String,
    verdict: Liveness,
    reasons: Vec<Reason>,
}

impl Hosts {
    /// Hosts that the server itself is to try now.
    fn due(&self) -> Vec<(String, SocketAddr)> {
        let mut due = Vec::new();
        for (name, known) in self.known.lock().iter_mut() {
            let Some(at) = known.reach else { continue };
            let every = if known.is_heard() { LOOK_AT_LIVING } else { LOOK_AT_SILENT };
            if known.looks.get(&None).is_none_or(|look| look.asked.elapsed() >= every) && due.len() < AT_ONCE {
                known.looks.entry(None).or_insert_with(Look::new).asked = Instant::now();
                due.push((name.clone(), at));
            }
        }
        due
    }

    fn is_anybody_silent(&self) -> bool {
        self.known.lock().values().any(|known| !known.is_heard())
    }

    /// Judges every host; returns those of which something else is believed now.
    fn judge(&self, server_reaches_network: Option<bool>, now: Timestamp) -> Vec<Changed> {
        let mut all = self.known.lock();
        let heard = all.values().filter(|known| known.is_heard()).count();
        let count = all.len();
        let mut changed = Vec::new();
        for (name, known) in all.iter_mut() {
            // Nobody can have been heard before this process began to listen.
            let since = known.heard.unwrap_or(self.started);
            let silence = Span::from_seconds(i64::try_from(since.elapsed().as_secs()).unwrap_or(i64::MAX));
            if known.heard.is_none() && since.elapsed() <= BEAT * BEATS {
                continue;
            }
            let others = (heard - usize::from(known.is_heard()), count - 1);
            let (verdict, reasons) = judge(&known.evidence(silence, others, server_reaches_network));
            if verdict != known.verdict {
                (known.verdict, known.since) = (verdict, now);
                changed.push(Changed { host: name.clone(), verdict, reasons: reasons.clone() });
            }
            known.reasons = reasons;
        }
        changed
    }
}

/// Looks, judges and books until it is told to stop.
pub async fn watch_over(parts: Parts, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(JUDGE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut saved = Instant::now();
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        for (host, at) in parts.hosts.due() {
            let (hosts, stop) = (std::sync::Arc::clone(&parts.hosts), stop.clone());
            tokio::spawn(async move {
                if let Some(tries) = stop.run_until_cancelled(reach(at)).await {
                    hosts.looked(&None, Looked { host, tries });
                }
            });
        }
        let network = if parts.hosts.is_anybody_silent() { parts.checks.network_works().await } else { None };
        for changed in parts.hosts.judge(network, parts.clock.now()) {
            book(&parts, changed).await;
        }
        if saved.elapsed() >= SAVE_EVERY {
            saved = Instant::now();
            parts.hosts.save().await;
        }
    }
    parts.hosts.save().await;
}

/// What became of a host is a record: rules decide whether anybody is told.
async fn book(parts: &Parts, changed: Changed) {
    let Changed { host, verdict, reasons } = changed;
    let state = verdict.name();
    let told: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    tracing::info!(host, state, because = told.join("; "), "a host is believed to be in another state");
    let mut rows = EventRows::default();
    let event = EventRow {
        ts: parts.clock.now(),
        service: None,
        host: Some(&host),
        kind: KIND,
        name: &host,
        state: Some(state),
        source: "agent",
    };
    let because: Vec<(String, &String)> =
        told.iter().enumerate().map(|(at, reason)| (format!("because.{at}"), reason)).collect();
    rows.push(&event, because.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let append = Append { rows: vec![(Table::Events, rows.finish())], marks: Vec::new() };
    if let Err(error) = parts.intake.append(append).await {
        tracing::warn!(%error, "what became of a host could not be stored");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::{Clock, Id};
    use store::Host;

    fn known() -> Known {
        let host = Host {
            name: "web-1".into(),
            token: Id::generate(),
            version: String::new(),
            reach: Some("10.0.0.5:22".into()),
            first_seen: Timestamp::from_seconds(0),
            last_seen: Timestamp::from_seconds(0),
        };
        Known::new(host, Clock::System.now())
    }

    /// A moment that lies so many beats back.
    fn ago(beats: u32) -> Instant {
        Instant::now().checked_sub(BEAT * beats).expect("the machine runs for longer")
    }

    #[tokio::test]
    async fn a_way_that_never_led_there_says_nothing_when_it_does_not_lead_there_now() {
        let mut host = known();
        host.heard = Some(Instant::now());
        let silent = vec![(ProbeKind::Tcp, Outcome::TimedOut), (ProbeKind::Icmp, Outcome::TimedOut)];
        // While it is there, the server reaches it by a connection, a peer by an echo.
        host.saw(&None, vec![(ProbeKind::Tcp, Outcome::Refused), (ProbeKind::Icmp, Outcome::TimedOut)]);
        let peer = Some("web-2".to_owned());
        host.saw(&peer, vec![(ProbeKind::Tcp, Outcome::TimedOut), (ProbeKind::Icmp, Outcome::Answered)]);
        assert_eq!(host.reached_by(), ["server", "web-2"]);
        host.heard = Some(ago(4));
        assert!(!host.is_heard());
        host.saw(&None, silent.clone());
        host.saw(&peer, silent.clone());
        host.saw(&Some("web-3".into()), silent);
        let evidence = host.evidence(Span::from_seconds(40), (2, 2), Some(true));
        assert_eq!(evidence.probes, [(ProbeKind::Tcp, Outcome::TimedOut), (ProbeKind::Icmp, Outcome::NotTried)]);
        assert_eq!(
            evidence.peers,
            [("web-2".to_owned(), Outcome::TimedOut), ("web-3".to_owned(), Outcome::NotTried)],
            "the third was never seen to reach it"
        );
        assert_eq!(judge(&evidence).0, Liveness::HostGone);
    }

    #[tokio::test]
    async fn what_was_seen_before_the_silence_is_no_evidence_of_it() {
        let mut host = known();
        host.looks
            .insert(None, Look { asked: ago(6), came: Some((ago(6), vec![(ProbeKind::Tcp, Outcome::Answered)])) });
        host.heard = Some(ago(4));
        let evidence = host.evidence(Span::from_seconds(40), (0, 0), None);
        assert_eq!(evidence.probes, []);
        let (verdict, reasons) = judge(&evidence);
        assert_eq!(verdict, Liveness::Unknown);
        assert!(reasons.contains(&Reason::NotLookedAt), "{reasons:?}");
    }
}
