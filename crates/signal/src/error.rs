//! Error rows: one exception, as an error tracker's client, a span or a log record told it.

use crate::columns::row_builder;
use crate::schema::Table;
use base::Timestamp;

/// One row of `errors`, borrowed.
#[derive(Debug, Clone, Copy, Default)]
pub struct ErrorRow<'a> {
    /// When it happened.
    pub ts: Timestamp,
    /// Service that it happened in.
    pub service: &'a str,
    /// Machine it happened on.
    pub host: Option<&'a str>,
    /// The group that it belongs to.
    pub group_id: &'a str,
    /// Class of the exception (`ZeroDivisionError`).
    pub kind: &'a str,
    /// What it said.
    pub message: &'a str,
    /// [`crate::Severity::as_str`].
    pub severity: Option<&'a str>,
    /// Version of the service.
    pub release: Option<&'a str>,
    /// `production`, `staging`, ...
    pub environment: Option<&'a str>,
    /// Keyed hash of whom it happened to.
    pub user_key: Option<&'a str>,
    /// Trace that it belongs to.
    pub trace_id: Option<&'a str>,
    /// Frames, innermost first, one a line: `function (file:line)`.
    pub stack: Option<&'a str>,
    /// Way in and sender.
    pub source: &'a str,
}

row_builder! {
    /// Collects error rows into a record batch of [`Table::Errors`].
    ErrorRows of ErrorRow for Table::Errors, {
        ts: Time, service: Name, host: MaybeName, group_id: Name, kind: Name, message: Text, severity: MaybeName,
        release: MaybeName, environment: MaybeName, user_key: MaybeText, trace_id: MaybeText, stack: MaybeText,
        source: Name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_a_batch_of_the_errors_table() {
        let mut rows = ErrorRows::default();
        rows.push(&ErrorRow { service: "shop", kind: "KeyError", ..ErrorRow::default() }, []);
        assert_eq!(rows.finish().schema(), Table::Errors.schema());
    }
}
