//! What every decoder must keep to, whatever bytes it gets: one target a decoder.
//!
//! Compiled twice: by the fuzzer (`make fuzz`), which looks for bytes that break one, and by the tests of `protocols`
//! (`tests/hostile`), which run every target over its seeds and mutations of them. A target panics when a decoder did
//! something wrong, and never because bytes are bad.

mod access;
mod counted;
mod elasticsearch;
mod forward;
mod loki;
pub mod memory;
mod otlp;
mod prometheus;
mod sentry;
mod small;
mod statsd;
mod syslog;
mod watched;

#[path = "seeds.rs"]
mod seed;

pub use counted::Counted;
#[allow(unused_imports, reason = "bombs use it, the fuzzer does not")]
pub use forward::packed_message;
pub use seed::Fixtures;

use std::fmt::Debug;

/// One decoder under attack.
#[derive(Clone, Copy)]
pub struct Target {
    /// What it is called on the command line, and in `fixtures/crashers/`.
    pub name: &'static str,
    /// Good bytes to start from.
    seeds: fn(&Fixtures) -> Vec<Vec<u8>>,
    /// Decodes, and panics when something is wrong with how.
    decode: fn(&[u8]),
}

/// Every target. A decoder that is not in here is not fuzzed.
#[rustfmt::skip]
pub const TARGETS: &[Target] = &[
    Target { name: "access_log", seeds: |from| from.files("access/*.log"), decode: access::log },
    Target { name: "alertmanager_webhook", seeds: |from| from.files("prometheus/*_webhook.json"), decode: prometheus::webhook },
    Target { name: "alerts", seeds: |from| from.files("prometheus/*_alerts.json"), decode: prometheus::alerts },
    Target { name: "elasticsearch_bulk", seeds: |from| from.files("elasticsearch/*.body"), decode: elasticsearch::bulk },
    Target { name: "elasticsearch_document", seeds: |from| from.parts("elasticsearch/*.body", seed::lines), decode: elasticsearch::document },
    Target { name: "forward_message", seeds: |from| from.files("forward/*.bin"), decode: forward::message },
    Target { name: "forward_packed", seeds: |from| from.parts("forward/*_packed.bin", seed::packed_entries), decode: forward::packed },
    Target { name: "forward_stream", seeds: |from| from.files("forward/*.bin"), decode: forward::stream },
    Target { name: "github_webhook", seeds: |_| seed::github(), decode: small::github },
    Target { name: "heartbeat", seeds: |_| seed::pings(), decode: small::heartbeat },
    Target { name: "loki_json", seeds: |from| from.json_of_loki(), decode: loki::json },
    Target { name: "loki_protobuf", seeds: |from| from.parts("loki/*_protobuf.body", seed::without_snappy), decode: loki::protobuf },
    Target { name: "loki_snappy", seeds: |from| from.files("loki/*_protobuf.body"), decode: loki::snappy },
    Target { name: "otlp_logs_json", seeds: |from| from.files("otlp/*_logs.json"), decode: otlp::logs_json },
    Target { name: "otlp_logs_protobuf", seeds: |from| from.files("otlp/*_logs.pb"), decode: otlp::logs_protobuf },
    Target { name: "otlp_metrics_json", seeds: |from| from.files("otlp/*_metrics.json"), decode: otlp::metrics_json },
    Target { name: "otlp_metrics_protobuf", seeds: |from| from.files("otlp/*_metrics.pb"), decode: otlp::metrics_protobuf },
    Target { name: "otlp_traces_json", seeds: |from| from.files("otlp/*_traces.json"), decode: otlp::traces_json },
    Target { name: "otlp_traces_protobuf", seeds: |from| from.files("otlp/*_traces.pb"), decode: otlp::traces_protobuf },
    Target { name: "remote_write_1", seeds: |from| from.parts("prometheus/*.rw1", seed::without_snappy), decode: prometheus::remote_write_1 },
    Target { name: "remote_write_2", seeds: |_| seed::remote_write_2(), decode: prometheus::remote_write_2 },
    Target { name: "remote_write_snappy", seeds: |from| from.files("prometheus/*.rw1"), decode: prometheus::snappy },
    Target { name: "scrape_openmetrics", seeds: |from| from.files("prometheus/*.om"), decode: prometheus::scrape_openmetrics },
    Target { name: "scrape_text", seeds: |from| from.files("prometheus/*.prom"), decode: prometheus::scrape_text },
    Target { name: "sentry_envelope", seeds: |from| from.files("sentry/*.body"), decode: sentry::envelope },
    Target { name: "sentry_store", seeds: |from| from.files("sentry/raven6_*.body"), decode: sentry::store },
    Target { name: "signal_filter", seeds: |_| seed::filters(), decode: watched::filter },
    Target { name: "signal_patterns", seeds: |from| from.files("syslog/*.stream"), decode: watched::patterns },
    Target { name: "signal_route", seeds: |from| from.parts("access/*.log", seed::lines), decode: watched::route },
    Target { name: "signal_sketch", seeds: |_| seed::sketches(), decode: watched::sketch },
    Target { name: "statsd", seeds: |from| from.parts("statsd/*.datagrams", seed::json_lines), decode: statsd::datagram },
    Target { name: "syslog_datagram", seeds: |from| from.parts("syslog/*.datagrams", seed::json_lines), decode: syslog::datagram },
    Target { name: "syslog_stream", seeds: |from| from.files("syslog/*.stream"), decode: syslog::stream },
];

impl Target {
    /// The target of this name.
    pub fn named(name: &str) -> Option<Self> {
        TARGETS.iter().find(|target| target.name == name).copied()
    }

    /// Good bytes, and those that broke it once (`fixtures/crashers/<name>/`).
    pub fn seeds(&self, fixtures: &Fixtures) -> Vec<Vec<u8>> {
        let mut seeds = (self.seeds)(fixtures);
        seeds.extend(fixtures.crashers(self.name));
        seeds
    }

    /// Makes what is made once (compiled patterns, tables), which is no input's memory.
    pub fn warm_up(&self, seeds: &[Vec<u8>]) {
        seeds.iter().take(1).for_each(|seed| (self.decode)(seed));
    }

    /// Decodes one input: panics when a promise is broken, that of memory included.
    pub fn run(&self, input: &[u8]) {
        let ((), peak) = memory::peak(|| (self.decode)(input));
        let most = memory::most_for(input.len());
        assert!(peak <= most, "{}: {peak} bytes of memory for {} of input, {most} allowed", self.name, input.len());
    }
}

/// Decodes twice: the same bytes must always mean the same.
fn twice<T: PartialEq + Debug>(decode: impl Fn(&mut Counted) -> T) -> (T, Counted) {
    let (mut first, mut second) = (Counted::default(), Counted::default());
    let result = decode(&mut first);
    assert_eq!(decode(&mut second), result, "another result of the same bytes");
    assert_eq!(first, second, "other records of the same bytes");
    (result, first)
}
