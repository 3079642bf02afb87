//! What arrives, from where, and what of it was rejected and why.
//!
//! Counts since the start of the process. Bounded: names beyond the limit are counted together.

use crate::counts::Counts;
use crate::since::Since;
use crate::source_name::{SourceKind, SourceName};
use base::{ServiceName, Timestamp};
use foldhash::HashMap;
use parking_lot::Mutex;
use protocols::access::{Format, Tally};

/// Sources that are listed by name.
pub const MAX_SOURCES: usize = 1000;
/// The rate is averaged over about this long, seconds.
const RATE_SECONDS: f64 = 60.0;
/// Clocks are compared over this and the window before it, microseconds.
const SKEW_WINDOW_US: i64 = 5 * 60 * 1_000_000;

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
    /// When a record first had more fields than are kept.
    pub shortened_since: Option<Timestamp>,
    /// Lines a second, lately.
    rate: f64,
    skew: Skew,
}

/// How far a sender's clock is off. Records wait on their way, but seldom all of them for long: of some minutes the
/// freshest record is the closest to what the clock says.
#[derive(Debug, Clone, Copy, Default)]
struct Skew {
    window: i64,
    freshest: Option<i64>,
    freshest_before: Option<i64>,
}

impl Skew {
    fn told(&mut self, skew_us: i64, now: Timestamp) {
        let window = now.micros().div_euclid(SKEW_WINDOW_US);
        if window != self.window {
            self.freshest_before = self.freshest.take().filter(|_| window == self.window + 1);
            self.window = window;
        }
        self.freshest = self.freshest.max(Some(skew_us));
    }
}

impl Source {
    /// Lines a second over about the last minute.
    pub fn rate(&self, now: Timestamp) -> f64 {
        let idle = (now.micros() - self.last_seen.micros()).max(0) as f64 / 1e6;
        self.rate * (-idle / RATE_SECONDS).exp()
    }

    /// The time of the freshest record of the last minutes in which something came, minus that of its arrival,
    /// microseconds; `None` when no record brought a time.
    pub fn skew_us(&self) -> Option<i64> {
        self.skew.freshest.max(self.skew.freshest_before)
    }
}

/// All sources.
#[derive(Default)]
pub struct Sources {
    known: Mutex<HashMap<SourceKey, Source>>,
    full: Since,
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
            self.full.note(now);
            key = SourceKey { source: SourceName { kind: source.kind, name: "(other)".into() }, service: None };
        }
        let service = key.service.clone();
        let entry = known.entry(key).or_insert_with(|| Source {
            service,
            format,
            counts: Counts::default(),
            bytes: 0,
            last_seen: now,
            shortened_since: None,
            rate: 0.0,
            skew: Skew::default(),
        });
        entry.rate = entry.rate(now) + counts.all() as f64 / RATE_SECONDS;
        entry.counts.merge(counts);
        entry.bytes += bytes;
        entry.format = format.or(entry.format);
        entry.last_seen = now;
        if counts.shortened > 0 {
            entry.shortened_since.get_or_insert(now);
        }
        if let Some(skew_us) = counts.skew_us {
            entry.skew.told(skew_us, now);
        }
    }

    /// Every source, in no order.
    pub fn list(&self) -> Vec<(SourceKey, Source)> {
        self.known.lock().iter().map(|(key, source)| (key.clone(), source.clone())).collect()
    }

    /// Since when sources are no longer told apart, if there were too many.
    pub fn full(&self) -> Option<Timestamp> {
        self.full.get()
    }

    /// Forgets a source.
    pub fn forget(&self, source: &SourceName) {
        self.known.lock().retain(|key, _| key.source != *source);
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
        assert_eq!((list.len(), sources.full()), (MAX_SOURCES + 1, Some(at)));
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

    #[test]
    fn a_clock_is_judged_by_the_freshest_record_of_some_minutes() {
        let sources = Sources::default();
        let minute = 60_000_000;
        let told = |skew_us: Option<i64>, at_s: i64| {
            let source = SourceName { kind: SourceKind::Otlp, name: "web-1".into() };
            let counts = Counts { taken: 1, skew_us, ..Counts::default() };
            sources.observed(&source, None, &counts, 1, Timestamp::from_seconds(at_s));
            sources.list()[0].1.skew_us()
        };
        assert_eq!(told(None, 0), None, "records without a time say nothing");
        assert_eq!(told(Some(-9 * minute), 10), Some(-9 * minute));
        assert_eq!(told(Some(-4 * minute), 20), Some(-4 * minute), "one that waited less says more");
        assert_eq!(told(Some(-30 * minute), 290), Some(-4 * minute));
        assert_eq!(told(Some(-30 * minute), 310), Some(-4 * minute), "the window before counts too");
        assert_eq!(told(Some(-5 * minute), 610), Some(-5 * minute), "a clock that goes on slowing is seen");
        assert_eq!(told(Some(0), 620), Some(0), "and one that was set right");
        assert_eq!(told(Some(-7 * minute), 3000), Some(-7 * minute), "old windows are forgotten");
    }

    #[test]
    fn records_with_too_many_fields_are_dated_once() {
        let sources = Sources::default();
        let source = SourceName { kind: SourceKind::Loki, name: "web-1".into() };
        for (at_s, shortened) in [(1, 0), (2, 3), (3, 4)] {
            let counts = Counts { taken: 5, shortened, ..Counts::default() };
            sources.observed(&source, None, &counts, 1, Timestamp::from_seconds(at_s));
        }
        let (_, known) = &sources.list()[0];
        assert_eq!((known.counts.shortened, known.shortened_since), (7, Some(Timestamp::from_seconds(2))));
    }
}
