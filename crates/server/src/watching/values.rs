//! What rules ask for, gathered once for all of them before each evaluation.
//!
//! Requests are read from roll-ups in memory, one pass for each length of window; measured values and errors with one
//! query each; everything else is known already. A question that can't be answered is [`Verdict::Failed`], one that has
//! no answer [`Verdict::Absent`]: neither is ever a number.

use super::heard::Heard;
use crate::parts::Parts;
use crate::signals::{RESOURCES, floats, quantile_ms, ratio, texts};
use crate::source_name::SourceKind;
use agent::tail::FileState;
use base::{Span, TimeRange, Timestamp};
use lake::arrow::array::RecordBatch;
use lake::arrow::compute::cast;
use lake::arrow::datatypes::DataType;
use lake::{Query, ServiceWindows, WindowQuery, Windows};
use signal::Sum;
use std::collections::{BTreeMap, HashMap, HashSet};
use watch::check::Status;
use watch::engine::{Answer, Source};
use watch::liveness::Liveness;
use watch::rule::{MAX_SERIES, Scope, Selector, What};
use watch::signals::{Resource, Signal};
use watch::{Series, Verdict};

/// A query of a rule may take this long; the next evaluation waits for it.
const SQL_TIME: std::time::Duration = std::time::Duration::from_secs(10);
/// A sender that said nothing for this long is lost, unless its file is still followed.
const LOST_AFTER_US: i64 = 10 * 60 * 1_000_000;

/// The answers of one evaluation.
pub struct Values {
    answers: BTreeMap<Selector, Answer>,
    watched: HashSet<String>,
    /// Since when each service is watched without a break; under the empty name, all of them.
    since: HashMap<String, Timestamp>,
}

impl Source for Values {
    fn signal(&self, selector: &Selector, _: Timestamp) -> Answer {
        self.answers.get(selector).cloned().unwrap_or(Answer::Whole(Verdict::Failed))
    }

    fn is_watching(&self, service: &str, _: Timestamp) -> bool {
        self.watched.contains(service)
    }

    fn was_watching(&self, service: Option<&str>, range: TimeRange) -> bool {
        self.since.get(service.unwrap_or_default()).is_some_and(|since| *since <= range.from)
    }
}

impl Values {
    /// Gathers what these selectors ask for.
    pub async fn gather(
        parts: &Parts,
        heard: &Heard,
        selectors: impl Iterator<Item = &Selector> + Send,
        now: Timestamp,
    ) -> Self {
        let gathering = Gathering { parts, heard, now, watched: watched(parts, now) };
        let mut windows = BTreeMap::new();
        let mut answers = BTreeMap::new();
        for selector in selectors {
            if is_of_requests(selector) && !windows.contains_key(&selector.window) {
                windows.insert(selector.window, gathering.windows(selector.window).await);
            }
            let answer = gathering.answer(selector, windows.get(&selector.window).and_then(Option::as_ref)).await;
            answers.insert(selector.clone(), answer);
        }
        heard.watches(gathering.watched.iter().map(String::as_str), now);
        Self { answers, watched: gathering.watched, since: heard.watched_since() }
    }
}

/// Whether the sum of roll-ups answers it.
pub(super) fn is_of_requests(selector: &Selector) -> bool {
    match &selector.what {
        What::Signal(Signal::Disappointed) | What::Sql(_) => false,
        What::Signal(Signal::ErrorCount) => selector.error_group == Scope::All,
        What::Signal(other) => other.is_of_requests(),
    }
}

/// Services from which something arrives: a file of theirs is followed without trouble, or a sender was heard lately.
fn watched(parts: &Parts, now: Timestamp) -> HashSet<String> {
    let followed = parts.follow.status().into_iter().filter(|file| !matches!(file.state, FileState::Failed { .. }));
    let mut watched: HashSet<String> = followed.map(|file| file.service.to_string()).collect();
    for (key, source) in parts.sources.list() {
        if let Some(service) = key.service
            && now.micros() - source.last_seen.micros() < LOST_AFTER_US
        {
            watched.insert(service.to_string());
        }
    }
    watched
}

/// What is asked for at one moment; it may be one of the past.
pub(super) struct Gathering<'a> {
    pub parts: &'a Parts,
    pub heard: &'a Heard,
    pub now: Timestamp,
    /// Services from which something arrived then.
    pub watched: HashSet<String>,
}

fn labelled(label: &str, value: &str) -> Series {
    Series([(label.to_owned(), value.to_owned())].into())
}

impl Gathering<'_> {
    fn range(&self, window: Span) -> TimeRange {
        TimeRange { from: self.now.plus_micros(-window.micros()), to: self.now }
    }

    async fn windows(&self, window: Span) -> Option<Windows> {
        let range = self.range(window);
        let query = WindowQuery { range, service: None, route: None, step_us: window.micros().max(60_000_000) };
        match self.parts.lake.windows(&query).await {
            Ok(windows) => Some(windows),
            Err(error) => {
                tracing::warn!(%error, "roll-ups could not be read for the rules");
                None
            }
        }
    }

    pub(super) async fn answer(&self, selector: &Selector, windows: Option<&Windows>) -> Answer {
        let signal = match &selector.what {
            What::Sql(sql) => return self.sql(sql, selector.window).await,
            What::Signal(signal) => signal,
        };
        match signal {
            Signal::Disappointed => self.disappointed(selector).await,
            Signal::ErrorCount if selector.error_group != Scope::All => self.error_groups(selector).await,
            Signal::LatencyQuantile(_)
            | Signal::LatencyMean
            | Signal::Traffic
            | Signal::ErrorRatio
            | Signal::ErrorCount => {
                windows.map_or(Answer::Whole(Verdict::Failed), |windows| self.requests(selector, signal, windows))
            }
            Signal::Saturation(resource) => self.saturation(selector, *resource).await,
            Signal::Sample(name) => self.samples(selector, name).await,
            Signal::HostSilence => self.hosts(selector),
            Signal::HostGone => self.liveness(selector, Liveness::HostGone),
            Signal::AgentGone => self.liveness(selector, Liveness::AgentGone),
            Signal::HeartbeatAge => self.heartbeats(selector),
            Signal::ProcessCount | Signal::ProcessRestarts => self.processes(selector, signal),
            Signal::CheckFailures | Signal::CheckDuration | Signal::CheckTlsDays => self.checks(selector, signal),
            // The engine answers these itself.
            Signal::BudgetLeft | Signal::BudgetBurn => Answer::Whole(Verdict::Failed),
        }
    }

    /// What is said of a service from which no request came.
    fn silence(&self, service: &str, signal: &Signal) -> Verdict {
        match (self.watched.contains(service), signal) {
            (false, _) => Verdict::SourceLost,
            (true, Signal::Traffic | Signal::ErrorCount) => Verdict::Value(0.0),
            (true, _) => Verdict::Absent,
        }
    }

    fn requests(&self, selector: &Selector, signal: &Signal, windows: &Windows) -> Answer {
        let value = |sum: &Sum| measured(signal, sum, selector.window);
        let of_service = |name: &str, windows: &ServiceWindows, out: &mut Vec<(Series, Verdict)>, split: bool| {
            let mut series = if split { labelled("service", name) } else { Series::default() };
            match &selector.route {
                Scope::All => out.push((series, value(&windows.total()))),
                Scope::One(route) => {
                    let sum = windows.routes.get(route.as_str());
                    out.push((series, sum.map_or_else(|| self.silence(name, signal), value)));
                }
                Scope::Each => {
                    for (route, sum) in &windows.routes {
                        series.0.insert("route".to_owned(), route.to_string());
                        out.push((series.clone(), value(sum)));
                    }
                }
            }
        };
        let mut out = Vec::new();
        match &selector.service {
            Scope::One(name) => match windows.services.get(name.as_str()) {
                Some(found) => of_service(name, found, &mut out, false),
                None if selector.route == Scope::Each => return Answer::Whole(self.silence(name, signal)),
                None => out.push((Series::default(), self.silence(name, signal))),
            },
            Scope::Each => {
                for (name, found) in &windows.services {
                    of_service(name, found, &mut out, true);
                }
                for service in self.parts.intake.services() {
                    let name = service.name().as_str();
                    if selector.route != Scope::Each && !windows.services.contains_key(name) {
                        out.push((labelled("service", name), self.silence(name, signal)));
                    }
                }
            }
            Scope::All => {
                let mut total = ServiceWindows::default();
                for found in windows.services.values() {
                    for (route, sum) in &found.routes {
                        total.routes.entry(route.clone()).or_default().merge(sum);
                    }
                }
                let nothing = if self.watched.is_empty() { Verdict::SourceLost } else { Verdict::Absent };
                if total.routes.is_empty() {
                    return Answer::Whole(nothing);
                }
                of_service("", &total, &mut out, false);
            }
        }
        Answer::Series(out)
    }

    async fn disappointed(&self, selector: &Selector) -> Answer {
        let names: Vec<String> = match &selector.service {
            Scope::One(name) => vec![name.clone()],
            Scope::Each | Scope::All => {
                self.parts.intake.services().iter().map(|service| service.name().to_string()).collect()
            }
        };
        let mut out = Vec::new();
        for name in names {
            let zone = &self.parts.about.time_zone;
            let window_us = lake::RECOVERY_WINDOW_US;
            let found = self.parts.lake.disappointed(self.range(selector.window), &name, zone, window_us).await;
            let series = if selector.service == Scope::Each { labelled("service", &name) } else { Series::default() };
            let verdict = match found {
                Err(_) => Verdict::Failed,
                Ok(_) if !self.watched.contains(&name) => Verdict::SourceLost,
                Ok(found) => Verdict::Value(found.still_disappointed as f64),
            };
            out.push((series, verdict));
        }
        Answer::Series(out)
    }

    /// Runs a query that this module wrote and reads `value` beside labels.
    async fn ask(&self, sql: String, window: Span) -> Option<Vec<RecordBatch>> {
        let query = Query { sql, range: self.range(window), limit: MAX_SERIES };
        match tokio::time::timeout(SQL_TIME, self.parts.lake.sql(&query)).await {
            Ok(Ok(answer)) => Some(answer.batches),
            Ok(Err(error)) => {
                tracing::warn!(%error, "a question of the rules was not answered");
                None
            }
            Err(_) => {
                tracing::warn!(sql = query.sql, "a question of the rules took longer than 10 s");
                None
            }
        }
    }

    async fn sql(&self, sql: &str, window: Span) -> Answer {
        let Some(batches) = self.ask(sql.to_owned(), window).await else { return Answer::Whole(Verdict::Failed) };
        let mut out = Vec::new();
        for batch in &batches {
            let schema = batch.schema();
            let Some(values) =
                schema.column_with_name("value").and_then(|(at, _)| cast(batch.column(at), &DataType::Float64).ok())
            else {
                tracing::warn!(sql, "the query of a rule has no column `value` with numbers");
                return Answer::Whole(Verdict::Failed);
            };
            let values =
                lake::arrow::array::cast::AsArray::as_primitive::<lake::arrow::datatypes::Float64Type>(&values);
            let labels: Vec<(String, Vec<Option<String>>)> = schema
                .fields()
                .iter()
                .enumerate()
                .filter(|(_, field)| field.name() != "value")
                .map(|(at, field)| (field.name().clone(), texts(batch, at)))
                .collect();
            for row in 0..batch.num_rows() {
                let label = |(name, values): &(String, Vec<Option<String>>)| Some((name.clone(), values[row].clone()?));
                let series = Series(labels.iter().filter_map(label).collect());
                let value = values.iter().nth(row).flatten().filter(|value| value.is_finite());
                out.push((series, value.map_or(Verdict::Absent, Verdict::Value)));
            }
        }
        Answer::Series(out)
    }

    async fn error_groups(&self, selector: &Selector) -> Answer {
        let mut only = service_filter(&selector.service);
        if let Scope::One(group) = &selector.error_group {
            only.push(format!("group_id = {}", quoted(group)));
        }
        let filter = if only.is_empty() { "TRUE".to_owned() } else { only.join(" AND ") };
        let sql =
            format!("SELECT group_id, CAST(count(*) AS DOUBLE) FROM errors WHERE {filter} GROUP BY 1 ORDER BY 2 DESC");
        let Some(batches) = self.ask(sql, selector.window).await else { return Answer::Whole(Verdict::Failed) };
        let found = rows(&batches, "error_group");
        match &selector.error_group {
            // A group that is silent has no errors: that is what it says.
            Scope::One(_) => {
                let value = found.first().map_or(Verdict::Value(0.0), |(_, verdict)| *verdict);
                Answer::Series(vec![(Series::default(), value)])
            }
            Scope::Each | Scope::All => Answer::Series(found),
        }
    }

    async fn saturation(&self, selector: &Selector, resource: Resource) -> Answer {
        let name = match resource {
            Resource::Cpu => "cpu",
            Resource::Memory => "memory",
            Resource::Disk => "disk",
            Resource::Network => "network",
        };
        let sample = RESOURCES.iter().find(|(known, _)| *known == name).map_or("", |(_, sample)| *sample);
        let only = match &selector.host {
            Scope::One(host) => format!(" AND host = {}", quoted(host)),
            Scope::Each | Scope::All => String::new(),
        };
        // Of several disks or interfaces the fullest counts.
        let sql = format!(
            "SELECT host, max(value) FROM (SELECT host, coalesce(attrs['mount'], attrs['interface'], attrs['device'], '') \
             AS part, avg(value) AS value FROM samples WHERE name = {} AND source = 'agent'{only} GROUP BY 1, 2) GROUP BY 1",
            quoted(sample)
        );
        let Some(batches) = self.ask(sql, selector.window).await else { return Answer::Whole(Verdict::Failed) };
        self.by_host(selector, rows(&batches, "host"))
    }

    async fn samples(&self, selector: &Selector, name: &str) -> Answer {
        let mut only = service_filter(&selector.service);
        only.push(format!("name = {}", quoted(name)));
        if let Scope::One(host) = &selector.host {
            only.push(format!("host = {}", quoted(host)));
        }
        let sql = format!("SELECT host, avg(value) FROM samples WHERE {} GROUP BY 1", only.join(" AND "));
        let Some(batches) = self.ask(sql, selector.window).await else { return Answer::Whole(Verdict::Failed) };
        self.by_host(selector, rows(&batches, "host"))
    }

    /// One series a host, or one for the only host that was asked for.
    fn by_host(&self, selector: &Selector, found: Vec<(Series, Verdict)>) -> Answer {
        match &selector.host {
            Scope::Each | Scope::All => Answer::Series(found),
            Scope::One(host) => {
                let lost = if self.heard.host(host).is_some() { Verdict::Absent } else { Verdict::SourceLost };
                let verdict = found.first().map_or(lost, |(_, verdict)| *verdict);
                Answer::Series(vec![(Series::default(), verdict)])
            }
        }
    }

    /// Seconds since each agent was heard.
    fn hosts(&self, selector: &Selector) -> Answer {
        let mut out = Vec::new();
        for (key, source) in self.parts.sources.list() {
            if key.source.kind == SourceKind::Agent {
                self.heard.saw_host(&key.source.name, source.last_seen);
            }
        }
        for (host, at) in self.parts.hosts.last_seen() {
            self.heard.saw_host(&host, at);
        }
        let isolated: HashSet<String> = self.isolated().collect();
        for (host, at) in self.heard.hosts() {
            let age = Verdict::Value((self.now.micros() - at.micros()).max(0) as f64 / 1e6);
            // When the server itself is cut off, no host is silent: nobody would hear it.
            let age = if isolated.contains(&host) { Verdict::SourceLost } else { age };
            match &selector.host {
                Scope::One(wanted) if *wanted != host => {}
                Scope::One(_) => out.push((Series::default(), age)),
                Scope::Each | Scope::All => out.push((labelled("host", &host), age)),
            }
        }
        Answer::Series(out)
    }

    /// Hosts of which nothing can be said because the server is cut off.
    fn isolated(&self) -> impl Iterator<Item = String> {
        let verdicts = self.parts.hosts.verdicts().into_iter();
        verdicts.filter(|(_, verdict)| *verdict == Liveness::ServerIsolated).map(|(host, _)| host)
    }

    /// Seconds since each heartbeat said that all was well.
    fn heartbeats(&self, selector: &Selector) -> Answer {
        let mut out = Vec::new();
        for (id, at) in self.heard.heartbeats() {
            let age = Verdict::Value((self.now.micros() - at.micros()).max(0) as f64 / 1e6);
            match &selector.heartbeat {
                Scope::One(wanted) if *wanted != id => {}
                Scope::Each | Scope::All if id == super::proof::EVENT => {}
                Scope::One(_) => out.push((Series::default(), age)),
                Scope::Each | Scope::All => out.push((labelled("heartbeat", &id), age)),
            }
        }
        Answer::Series(out)
    }

    /// What the checks found: a check whose own network was lost says nothing.
    fn checks(&self, selector: &Selector, signal: &Signal) -> Answer {
        let from = self.now.plus_micros(-selector.window.micros());
        let mut out = Vec::new();
        for state in self.parts.checks.states() {
            let is_asked = match (&selector.check, &selector.service) {
                (Scope::One(wanted), _) => *wanted == state.name,
                (_, Scope::One(service)) => state.service.as_ref() == Some(service),
                _ => true,
            };
            if !is_asked {
                continue;
            }
            let verdict = match (state.status, signal) {
                (Status::Unknown, _) => Verdict::SourceLost,
                (Status::Pending, _) => Verdict::Absent,
                (_, Signal::CheckFailures) => {
                    // With the minute that is going on: what fails now is not waited for.
                    let to = watch::objective::end_of_minute(self.now);
                    let counts = self.parts.checks.minute_counts(&state.name, from, to);
                    let bad: u32 = counts.iter().map(|minute| minute.valid.saturating_sub(minute.good)).sum();
                    Verdict::Value(f64::from(bad))
                }
                (_, Signal::CheckDuration) => state.total_ms.map_or(Verdict::Absent, Verdict::Value),
                (_, _) => state.certificate_ends.map_or(Verdict::Absent, |ends| {
                    Verdict::Value((ends.micros() - self.now.micros()) as f64 / 86_400e6)
                }),
            };
            let one = matches!(selector.check, Scope::One(_));
            out.push((if one { Series::default() } else { labelled("check", &state.name) }, verdict));
        }
        Answer::Series(out)
    }

    fn processes(&self, selector: &Selector, signal: &Signal) -> Answer {
        let Some(command) = &selector.process else { return Answer::Whole(Verdict::Failed) };
        let (is_restarts, range) = (*signal == Signal::ProcessRestarts, self.range(selector.window));
        let value = |host: &str| {
            let found = self.heard.processes(host, command, is_restarts, range);
            found.map_or(Verdict::SourceLost, |count| Verdict::Value(count as f64))
        };
        match &selector.host {
            Scope::One(host) => Answer::Series(vec![(Series::default(), value(host))]),
            Scope::Each | Scope::All => {
                let hosts = self.heard.hosts_with_processes();
                Answer::Series(hosts.iter().map(|host| (labelled("host", host), value(host))).collect())
            }
        }
    }

    /// What is believed of hosts: 1 where it is so, 0 where it is not. Where nobody knows, or the server itself is cut off,
    /// there is no value.
    fn liveness(&self, selector: &Selector, wanted: Liveness) -> Answer {
        let value = |verdict: Liveness| match verdict {
            Liveness::Unknown | Liveness::ServerIsolated => Verdict::SourceLost,
            other => Verdict::Value(f64::from(u8::from(other == wanted))),
        };
        let verdicts = self.parts.hosts.verdicts();
        match &selector.host {
            Scope::One(host) => {
                let verdict = verdicts.iter().find(|(name, _)| name == host);
                let verdict = verdict.map_or(Verdict::SourceLost, |(_, verdict)| value(*verdict));
                Answer::Series(vec![(Series::default(), verdict)])
            }
            Scope::Each | Scope::All => {
                let each = verdicts.into_iter().map(|(host, verdict)| (labelled("host", &host), value(verdict)));
                Answer::Series(each.collect())
            }
        }
    }
}

fn measured(signal: &Signal, sum: &Sum, window: Span) -> Verdict {
    let value = match signal {
        Signal::LatencyQuantile(thousandths) => quantile_ms(sum, f64::from(*thousandths) / 1000.0),
        Signal::LatencyMean => (sum.timed > 0).then(|| sum.duration_sum_us as f64 / sum.timed as f64 / 1000.0),
        Signal::Traffic => Some(sum.count as f64 / (window.micros() as f64 / 1e6)),
        Signal::ErrorRatio => ratio(sum.errors, sum.count),
        Signal::ErrorCount => Some(sum.errors as f64),
        _ => None,
    };
    value.map_or(Verdict::Absent, Verdict::Value)
}

/// Rows of a label and a number.
fn rows(batches: &[RecordBatch], label: &str) -> Vec<(Series, Verdict)> {
    let mut out = Vec::new();
    for batch in batches {
        for (name, value) in texts(batch, 0).into_iter().zip(floats(batch, 1)) {
            let series = name.map_or_else(Series::default, |name| labelled(label, &name));
            out.push((series, value.filter(|value| value.is_finite()).map_or(Verdict::Absent, Verdict::Value)));
        }
    }
    out
}

fn service_filter(scope: &Scope) -> Vec<String> {
    match scope {
        Scope::One(name) => vec![format!("service = {}", quoted(name))],
        Scope::Each | Scope::All => Vec::new(),
    }
}

/// A text as a literal of SQL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
