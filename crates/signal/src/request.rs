//! Request rows: one access record, interpreted for its service, as columns.

use crate::columns::row_builder;
use crate::schema::Table;
use base::Timestamp;

/// One row of `requests`, borrowed.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestRow<'a> {
    /// When the request was logged.
    pub ts: Timestamp,
    /// Service that answered.
    pub service: &'a str,
    /// Virtual host or machine that answered.
    pub host: Option<&'a str>,
    /// HTTP method, `-` when unreadable.
    pub method: &'a str,
    /// Method and path with placeholders.
    pub route: &'a str,
    /// Path without its query.
    pub path: &'a str,
    /// HTTP status.
    pub status: u16,
    /// Time the user waited, microseconds; unknown is `None`, never 0.
    pub duration_us: Option<u64>,
    /// Body bytes sent.
    pub bytes: Option<u64>,
    /// Keyed hash of who asked.
    pub user_key: Option<&'a str>,
    /// Trace or request id.
    pub trace_id: Option<&'a str>,
    /// Where the row came from (`http`, a file, an import).
    pub source: &'a str,
}

row_builder! {
    /// Collects request rows into a record batch of [`Table::Requests`].
    RequestRows of RequestRow for Table::Requests, {
        ts: Time, service: Name, host: MaybeName, method: Name, route: Name, path: Text, status: Small,
        duration_us: MaybeCount, bytes: MaybeCount, user_key: MaybeText, trace_id: MaybeText, source: Name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Array;

    #[test]
    fn rows_become_a_batch_of_the_requests_table() {
        let mut rows = RequestRows::default();
        let row = RequestRow {
            service: "shop",
            method: "GET",
            route: "GET /",
            path: "/",
            status: 200,
            source: "http",
            ..RequestRow::default()
        };
        rows.push(&row, [("user_agent", "curl/8")]);
        rows.push(&RequestRow { duration_us: Some(u64::MAX), ..row }, []);
        assert_eq!(rows.len(), 2);
        let batch = rows.finish();
        assert!(rows.is_empty());
        assert_eq!((batch.num_rows(), batch.schema()), (2, Table::Requests.schema()));
        assert!(batch.column_by_name("duration_us").unwrap().is_null(0), "an unknown duration is null");
    }
}
