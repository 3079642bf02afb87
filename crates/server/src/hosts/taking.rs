//! Takes a report: everything in it is checked, bounded, stored in one step with the number of the report, and only then
//! believed.

use super::{Hosts, NotHeard};
use crate::checks;
use crate::counts::Counts;
use crate::parts::Parts;
use crate::problem::ApiError;
use crate::source_name::{SourceKind, SourceName};
use agent::remote::wire::{
    self, MAX_PROCESSES, MAX_RESULTS, MAX_SETS, MAX_VALUES, Orders, Report, Sampled, SentCheck, Work,
};
use base::{Id, Timestamp};
use lake::Append;
use signal::{SampleRow, SampleRows, Table};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;
use store::Token;
use tokio::time::Instant;
use watch::check::RunResult;
use watch::liveness::Liveness;

/// Clocks that differ by less are taken for equal: reports take a while on their way.
const EQUAL_CLOCKS_US: u64 = 2_000_000;
/// Nothing was observed later than this from now.
const FUTURE_S: i64 = 60;
/// Samples of different names and labels that one host may have.
const MAX_SERIES: usize = 5_000;
const MAX_LABELS: usize = 8;
const MAX_NAME: usize = 100;
const MAX_LABEL: usize = 256;
const MAX_FILES: usize = 1_024;
const MAX_TEXT: usize = 500;

/// Takes a report of an agent and says what it is to do. `sent_at` is the agent's time at which it left.
pub async fn take(
    parts: &Parts,
    token: Id<Token>,
    report: Report,
    sent_at: Option<Timestamp>,
    bytes: usize,
) -> Result<Orders, ApiError> {
    if !wire::is_host(&report.host) {
        return Err(ApiError::bad_request("host is no name of a host; use letters, digits, `-`, `_` and `.`"));
    }
    if report.host == parts.about.host {
        let text = format!("{} is the name of the server's own host; give this one another with `host:`", report.host);
        return Err(ApiError::conflict(text));
    }
    parts.hosts.bind(&report.host, token).await?;
    let turn = parts.hosts.turn(&report.host).ok_or_else(|| ApiError::conflict("the host was removed just now"))?;
    let _one_by_one = turn.lock().await;
    let now = parts.clock.now();
    let skew_us = sent_at.map(|sent| sent.micros().saturating_sub(now.micros()));
    let shift_us = skew_us.filter(|skew| skew.unsigned_abs() > EQUAL_CLOCKS_US).map_or(0, i64::saturating_neg);
    let taking = Taking { parts, report: &report, now, shift_us };
    let key = format!("agent:{}:report", report.host);
    let number = format!("{}:{}", report.boot.chars().take(64).collect::<String>(), report.number);
    let is_repeated = parts.intake.mark(&key).as_ref() == Some(&number);
    if !is_repeated {
        let mut counts = Counts { skew_us, ..Counts::default() };
        let found = taking.results();
        let mut append = Append { rows: Vec::new(), marks: vec![(key, number)] };
        append.rows.extend(taking.samples(&mut counts).map(|mut rows| (Table::Samples, rows.finish())));
        if !found.is_empty() {
            counts.taken += found.len() as u64;
            let mut rows = checks::rows(&report.host, &parts.clock, &found);
            append.rows.push((Table::Events, rows.finish()));
        }
        parts.intake.append(append).await?;
        parts.checks.found_by_agent(&found);
        if report.dropped > 0 {
            counts.refused.insert("lost", (report.dropped, String::new()));
        }
        let source = SourceName { kind: SourceKind::Agent, name: report.host.clone() };
        parts.sources.observed(&source, None, &counts, bytes as u64, now);
    }
    taking.believe(skew_us);
    Ok(taking.orders())
}

impl From<NotHeard> for ApiError {
    fn from(error: NotHeard) -> Self {
        match error {
            NotHeard::Store(error) => error.into(),
            NotHeard::Full => Self::conflict(error.to_string()),
            NotHeard::Taken(_) | NotHeard::SpeaksFor(_) => Self::forbidden(error.to_string()),
        }
    }
}

impl Hosts {
    fn turn(&self, host: &str) -> Option<Arc<tokio::sync::Mutex<()>>> {
        self.known.lock().get(host).map(|known| Arc::clone(&known.turn))
    }

    /// Whether samples of this name and these labels are among those that the host may have.
    fn has_room(&self, host: &str, sample: &Sampled) -> bool {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((&sample.name, &sample.labels));
        let mut all = self.known.lock();
        let Some(known) = all.get_mut(host) else { return false };
        known.series.contains(&hash) || (known.series.len() < MAX_SERIES && known.series.insert(hash))
    }
}

struct Taking<'a> {
    parts: &'a Parts,
    report: &'a Report,
    now: Timestamp,
    /// What is added to the agent's times.
    shift_us: i64,
}

impl Taking<'_> {
    /// A moment by our clock; what can't be true was now.
    fn by_our_clock(&self, at: Timestamp) -> Timestamp {
        let at = at.plus_micros(self.shift_us);
        if at.is_in_calendar() && at <= self.now.plus_seconds(FUTURE_S) { at } else { self.now }
    }

    fn samples(&self, counts: &mut Counts) -> Option<SampleRows> {
        let mut rows = SampleRows::default();
        for set in self.report.samples.iter().take(MAX_SETS) {
            let ts = self.by_our_clock(set.at);
            for sample in set.values.iter().take(MAX_VALUES) {
                if !is_plain(sample) || !self.parts.hosts.has_room(&self.report.host, sample) {
                    let refused = counts.refused.entry("sample").or_default();
                    refused.0 += 1;
                    continue;
                }
                counts.taken += 1;
                let row = SampleRow {
                    ts,
                    service: None,
                    host: Some(&self.report.host),
                    name: &sample.name,
                    value: sample.value,
                    source: SourceKind::Agent.name(),
                };
                let labels: Vec<_> = sample.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
                rows.push(&row, &labels);
            }
        }
        (!rows.is_empty()).then_some(rows)
    }

    fn results(&self) -> Vec<checks::Row> {
        let received = |found: &wire::CheckResult| {
            let at = self.by_our_clock(found.result.at);
            (found.check.clone(), RunResult::clone(&found.result).received(&self.report.host, at))
        };
        let found: Vec<_> = self.report.results.iter().take(MAX_RESULTS).map(received).collect();
        self.parts.checks.rows_of_agent(&self.report.host, &found)
    }

    /// What is true now, once it is stored.
    fn believe(&self, skew_us: Option<i64>) {
        let (report, hosts) = (self.report, &self.parts.hosts);
        let witness = Some(report.host.clone());
        for looked in report.looked.iter().take(wire::MAX_LOOKS * 4) {
            hosts.looked(&witness, looked.clone());
        }
        if let Some(processes) = &report.processes {
            let found = processes.found.iter().take(MAX_PROCESSES).cloned().collect();
            self.parts.watch.heard().look_at_processes(&report.host, &processes.commands, found, self.now);
        }
        let mut all = hosts.known.lock();
        let Some(known) = all.get_mut(&report.host) else { return };
        known.heard = Some(Instant::now());
        known.host.last_seen = self.now;
        known.host.version = report.version.chars().filter(|c| !c.is_control()).take(40).collect();
        if report.reach.is_some() && report.reach != known.reach {
            // Another place: what led to the old one says nothing of it.
            known.reach = report.reach;
            known.good.clear();
            known.looks.clear();
        }
        known.host.reach = known.reach.map(|reach| reach.to_string());
        known.skew_us = skew_us;
        known.files = report.files.iter().take(MAX_FILES).cloned().map(cut).collect();
        known.is_unsaved = true;
        if known.verdict == Liveness::Unknown && known.reasons.is_empty() {
            (known.verdict, known.since) = (Liveness::Alive, self.now);
        }
    }

    fn orders(&self) -> Orders {
        let host = &self.report.host;
        let sent = |(name, check): (String, watch::check::Check)| {
            let secrets = check.secrets.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned()));
            SentCheck { name, check: check.to_json(), secrets: secrets.collect() }
        };
        let checks: Vec<SentCheck> = self.parts.checks.of_agent(host).into_iter().map(sent).collect();
        let commands = self.parts.watch.plan().commands.iter().cloned().collect();
        if let Some(known) = self.parts.hosts.known.lock().get_mut(host) {
            known.checks = checks.len();
        }
        let work = Work { checks, commands };
        // Texts, lists and maps with text keys are always JSON.
        let version = blake3::hash(&serde_json::to_vec(&work).unwrap_or_default()).to_hex().to_string();
        let is_known = self.report.orders == version;
        Orders { version, work: (!is_known).then_some(work), look_at: self.parts.hosts.looks_for(host) }
    }
}

fn is_plain(sample: &Sampled) -> bool {
    let plain = |name: &str| {
        !name.is_empty()
            && name.len() <= MAX_NAME
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    sample.value.is_finite()
        && plain(&sample.name)
        && sample.labels.len() <= MAX_LABELS
        && sample.labels.iter().all(|(key, value)| plain(key) && value.len() <= MAX_LABEL)
}

fn cut(file: wire::FileView) -> wire::FileView {
    let short = |text: &str| text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
    wire::FileView { path: short(&file.path), problem: file.problem.as_deref().map(short), ..file }
}
