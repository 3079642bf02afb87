//! What sends lines: kind and name. Knows neither the intake nor the counts, which both name their senders with it.

use serde::Serialize;

/// How a source sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// `POST /api/v1/ingest/{service}`.
    Http,
    /// A followed file.
    File,
    /// An import of past files.
    Import,
    /// The living demonstration.
    Demo,
    /// The agent of a host.
    Agent,
    /// OpenTelemetry over HTTP or gRPC.
    Otlp,
    /// fluentd's forward protocol.
    Forward,
    /// Elasticsearch's `_bulk`.
    Elasticsearch,
    /// Syslog over UDP or TCP.
    Syslog,
    /// Loki's push.
    Loki,
    /// Prometheus' remote write and alerts, and targets that are scraped.
    Prometheus,
    /// Clients of Sentry.
    Sentry,
    /// StatsD over UDP.
    Statsd,
    /// Heartbeats.
    Heartbeat,
}

impl SourceKind {
    /// Its name in the API, in metrics and in the column `source` of records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::File => "file",
            Self::Import => "import",
            Self::Demo => "demo",
            Self::Agent => "agent",
            Self::Otlp => "otlp",
            Self::Forward => "forward",
            Self::Elasticsearch => "elasticsearch",
            Self::Syslog => "syslog",
            Self::Loki => "loki",
            Self::Prometheus => "prometheus",
            Self::Sentry => "sentry",
            Self::Statsd => "statsd",
            Self::Heartbeat => "heartbeat",
        }
    }
}

/// A source's kind and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceName {
    /// How it sends.
    pub kind: SourceKind,
    /// Path, or what a sender is called.
    pub name: String,
}
