//! How much a lake may use, and how long it keeps what.

use base::{ByteSize, Clock, Span};
use signal::Table;
use std::path::PathBuf;
use std::time::Duration;

/// Settings of a lake.
#[derive(Debug, Clone)]
pub struct LakeOptions {
    /// Data folder; the lake uses `journal/`, `lake/` and `tmp/` in it.
    pub dir: PathBuf,
    /// Memory the whole process may use; the lake's parts are shares of it.
    pub memory: ByteSize,
    /// Disk that journal and tables may use together.
    pub disk: ByteSize,
    /// Age at which days are deleted.
    pub retention: Retention,
    /// Seal at this size of a segment.
    pub seal_bytes: ByteSize,
    /// Seal this long after a segment's first row.
    pub seal_age: Span,
    /// Longest run of a query.
    pub query_time: Duration,
    /// Source of time.
    pub clock: Clock,
}

/// How long rows are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Requests.
    pub requests: Span,
    /// Log records.
    pub logs: Span,
    /// Steps of traces: many, and looked at soon or never.
    pub spans: Span,
    /// Measured values.
    pub samples: Span,
    /// Exceptions.
    pub errors: Span,
    /// What happened: kept for audit.
    pub events: Span,
    /// Roll-ups: small, and what history pages read.
    pub rollups: Span,
}

const DAY_SECONDS: i64 = 86_400;

impl Default for Retention {
    fn default() -> Self {
        Self {
            requests: Span::from_seconds(30 * DAY_SECONDS),
            logs: Span::from_seconds(30 * DAY_SECONDS),
            spans: Span::from_seconds(14 * DAY_SECONDS),
            samples: Span::from_seconds(30 * DAY_SECONDS),
            errors: Span::from_seconds(90 * DAY_SECONDS),
            events: Span::from_seconds(400 * DAY_SECONDS),
            rollups: Span::from_seconds(400 * DAY_SECONDS),
        }
    }
}

impl Retention {
    /// The same for every table.
    pub const fn all(age: Span) -> Self {
        Self { requests: age, logs: age, spans: age, samples: age, errors: age, events: age, rollups: age }
    }

    /// How long rows of a table are kept.
    pub const fn of(&self, table: Table) -> Span {
        match table {
            Table::Requests => self.requests,
            Table::Logs => self.logs,
            Table::Spans => self.spans,
            Table::Samples => self.samples,
            Table::Errors => self.errors,
            Table::Events => self.events,
            Table::Rollup1m => self.rollups,
        }
    }
}

impl LakeOptions {
    /// Defaults for a folder: 1 GiB of memory, 20 GiB of disk, seal at 64 MiB or 30 s.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            memory: ByteSize(1 << 30),
            disk: ByteSize(20 << 30),
            retention: Retention::default(),
            seal_bytes: ByteSize(64 << 20),
            seal_age: Span::from_seconds(30),
            query_time: crate::query::TIME_LIMIT,
            clock: Clock::System,
        }
    }

    /// Memory for rows that are not sealed yet: a quarter of the budget, at most 96 MiB. More would only wait longer:
    /// intake is faster than sealing, and a sender that waits for its answer slows down by itself.
    pub fn unsealed_bytes(&self) -> u64 {
        (self.memory.0 / 4).min(96 << 20)
    }

    /// A segment's size: as configured, but small enough that three fit into the memory for unsealed rows.
    pub fn segment_bytes(&self) -> u64 {
        self.seal_bytes.0.min(self.unsealed_bytes() / 3).max(64 << 10)
    }

    /// Memory for all queries together: a quarter of the budget.
    pub fn query_bytes(&self) -> u64 {
        (self.memory.0 / 4).max(1 << 20)
    }

    /// Memory for cached window sums: a sixteenth of the budget, at most 64 MiB.
    pub fn cache_bytes(&self) -> u64 {
        (self.memory.0 / 16).min(64 << 20)
    }

    /// Memory for hours in which it is known who was disappointed: a thirty-second of the budget, at most 32 MiB.
    pub fn judged_bytes(&self) -> u64 {
        (self.memory.0 / 32).min(32 << 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_fit_into_a_small_budget() {
        let options = LakeOptions { memory: ByteSize(256 << 20), ..LakeOptions::new("x") };
        assert_eq!(options.unsealed_bytes(), 64 << 20);
        assert!(options.segment_bytes() * 3 <= options.unsealed_bytes());
        assert!(
            options.unsealed_bytes() + options.query_bytes() + options.cache_bytes() + options.judged_bytes()
                < options.memory.0
        );
    }
}
