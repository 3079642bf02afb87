//! What arrives, from where, and what of it was rejected and why.
//!
//! Counts since the start of the process. Bounded: names beyond the limit are counted together.

use crate::counts::Counts;
use crate::source_name::{SourceKind, SourceName};
use base::{ServiceName, Timestamp};
use foldhash::HashMap;
use parking_lot::Mutex;
use protocols::access::{Format, Tally};

/// Sources that are listed by name.
const MAX_SOURCES: usize = 1000;
/// The rate is averaged over about this long, seconds.
const RATE_SECONDS: f64 = 60.0;

/// What is known of a source.
#[derive(Debug, Clone)]
pub struct Source {
    /// Whose records.
    pub service: Option<ServiceName>,
    /// The format that was read last.
    pub format: Option<Format>,
    /// Records, taken and refused with reasons.
    pub counts: Counts,
    /// Bytes received.
    pub bytes: u64,
    /// When something came last.
    pub last_seen: Timestamp,
    /// Lines a second, lately.
    rate: f64,
}

impl Source {
    /// Lines a second over about the last minute.
    pub fn rate(&self, now: Timestamp) -> f64 {
        let idle = (now.micros() - self.last_seen.micros()).max(0) as f64 / 1e6;
        self.rate * (-idle / RATE_SECONDS).exp()
    }
}

/// All sources.
#[derive(Default)]
pub struct Sources {
    known: Mutex<HashMap<SourceKey, Source>>,
}

/// Who sends for whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceKey {
    /// The source.
    pub source: SourceName,
    /// The service, if it sends for one.
    pub service: Option<ServiceName>,
}

impl Sources {
    /// Counts a delivery.
    pub fn received(
        &self,
        source: &SourceName,
        service: &ServiceName,
        tally: &Tally,
        bytes: usize,
        format: Format,
        now: Timestamp,
    ) {
        let format = (format != Format::Auto).then_some(format);
        self.count(source, Some(service), &tally.into(), bytes as u64, format, now);
    }

    /// Counts what a delivery of records had for a service.
    pub fn observed(
        &self,
        source: &SourceName,
        service: Option<&ServiceName>,
        counts: &Counts,
        bytes: u64,
        now: Timestamp,
    ) {
        self.count(source, service, counts, bytes, None, now);
    }

    /// Counts records that were lost because nobody can be asked to send them again.
    pub fn lost(&self, kind: SourceKind, name: &str, records: u64, now: Timestamp) {
        let mut counts = Counts::default();
        counts.refused.insert("lost", (records, String::new()));
        self.count(&SourceName { kind, name: name.to_owned() }, None, &counts, 0, None, now);
    }

    /// Counts samples of a host's agent.
    pub fn sampled(&self, host: &str, values: u64, now: Timestamp) {
        let source = SourceName { kind: SourceKind::Agent, name: host.to_owned() };
        self.count(&source, None, &Counts { taken: values, ..Counts::default() }, 0, None, now);
    }

    fn count(
        &self,
        source: &SourceName,
        service: Option<&ServiceName>,
        counts: &Counts,
        bytes: u64,
        format: Option<Format>,
        now: Timestamp,
    ) {
        let mut known = self.known.lock();
        let mut key = SourceKey { source: source.clone(), service: service.cloned() };
        if known.len() >= MAX_SOURCES && !known.contains_key(&key) {
            key = SourceKey { source: SourceName { kind: source.kind, name: "(other)".into() }, service: None };
        }
        let service = key.service.clone();
        let entry = known.entry(key).or_insert_with(|| Source {
            service,
            format,
            counts: Counts::default(),
            bytes: 0,
            last_seen: now,
            rate: 0.0,
        });
        entry.rate = entry.rate(now) + counts.all() as f64 / RATE_SECONDS;
        entry.counts.merge(counts);
        entry.bytes += bytes;
        entry.format = format.or(entry.format);
        entry.last_seen = now;
    }

    /// Every source, in no order.
    pub fn list(&self) -> Vec<(SourceKey, Source)> {
        self.known.lock().iter().map(|(key, source)| (key.clone(), source.clone())).collect()
    }

    /// Forgets what a service sent.
    pub fn forget_service(&self, service: &ServiceName) {
        self.known.lock().retain(|key, _| key.service.as_ref() != Some(service));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocols::access::Reject;

    #[test]
    fn sources_are_counted_by_name_up_to_a_limit_and_the_rate_fades() {
        let sources = Sources::default();
        let mut tally = Tally::default();
        (0..60).for_each(|_| tally.accept());
        tally.reject(Reject::Blank, b"");
        let counts = Counts::from(&tally);
        let at = Timestamp::from_seconds(100);
        for number in 0..=MAX_SOURCES {
            let source = SourceName { kind: SourceKind::Http, name: format!("sender-{number}") };
            sources.count(&source, None, &counts, 10, None, at);
        }
        let list = sources.list();
        assert_eq!(list.len(), MAX_SOURCES + 1);
        for number in 0..10 {
            let source = SourceName { kind: SourceKind::Http, name: "late".into() };
            sources.count(&source, Some(&format!("s{number}").parse().unwrap()), &Counts::default(), 0, None, at);
        }
        assert_eq!(sources.list().len(), MAX_SOURCES + 1, "names of services are bounded too");
        let (_, other) = list.iter().find(|(key, _)| key.source.name == "(other)").unwrap();
        assert_eq!((other.counts.all(), other.counts.refused(), other.bytes), (61, 1, 10));
        assert!((other.rate(at) - 61.0 / 60.0).abs() < 1e-9);
        assert!(other.rate(at.plus_seconds(600)) < 0.001);
    }
}
