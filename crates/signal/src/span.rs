//! Span rows: one step of a trace.

use crate::columns::row_builder;
use crate::schema::Table;
use base::Timestamp;

/// One row of `spans`, borrowed.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpanRow<'a> {
    /// When it started.
    pub ts: Timestamp,
    /// Service that did it.
    pub service: &'a str,
    /// Machine it ran on.
    pub host: Option<&'a str>,
    /// Trace that it belongs to, 32 lower-case hex digits.
    pub trace_id: &'a str,
    /// Its own id, 16 lower-case hex digits.
    pub span_id: &'a str,
    /// The span that caused it.
    pub parent_id: Option<&'a str>,
    /// What was done.
    pub name: &'a str,
    /// `internal`, `server`, `client`, `producer` or `consumer`.
    pub kind: &'a str,
    /// `ok` or `error`, when the sender said so.
    pub status: Option<&'a str>,
    /// How long it took, microseconds.
    pub duration_us: Option<u64>,
    /// Way in and sender.
    pub source: &'a str,
}

row_builder! {
    /// Collects span rows into a record batch of [`Table::Spans`].
    SpanRows of SpanRow for Table::Spans, {
        ts: Time, service: Name, host: MaybeName, trace_id: Text, span_id: Text, parent_id: MaybeText, name: Name,
        kind: Name, status: MaybeName, duration_us: MaybeCount, source: Name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_a_batch_of_the_spans_table() {
        let mut rows = SpanRows::default();
        rows.push(&SpanRow { service: "shop", trace_id: "ab", span_id: "cd", ..SpanRow::default() }, []);
        assert_eq!(rows.finish().schema(), Table::Spans.schema());
    }
}
