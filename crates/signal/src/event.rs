//! Event rows: what happened and is kept for diagnosis and audit: heartbeats, changes, alerts of other programs.

use crate::columns::row_builder;
use crate::schema::Table;
use base::Timestamp;

/// One row of `events`, borrowed. Append-only: a later event never changes an earlier one.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventRow<'a> {
    /// When it happened.
    pub ts: Timestamp,
    /// Service that it concerns.
    pub service: Option<&'a str>,
    /// Machine that it concerns.
    pub host: Option<&'a str>,
    /// What kind of event: `heartbeat`, `alert.received`, `session`, ...
    pub kind: &'a str,
    /// What it is about: a heartbeat's id, a rule's name.
    pub name: &'a str,
    /// How it went: `ok`, `fail`, `start`, `firing`, `resolved`, ...
    pub state: Option<&'a str>,
    /// Way in and sender.
    pub source: &'a str,
}

row_builder! {
    /// Collects event rows into a record batch of [`Table::Events`].
    EventRows of EventRow for Table::Events, {
        ts: Time, service: MaybeName, host: MaybeName, kind: Name, name: Name, state: MaybeName, source: Name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_a_batch_of_the_events_table() {
        let mut rows = EventRows::default();
        rows.push(&EventRow { kind: "heartbeat", name: "backup", ..EventRow::default() }, [("exit", "0")]);
        assert_eq!(rows.finish().schema(), Table::Events.schema());
    }
}
