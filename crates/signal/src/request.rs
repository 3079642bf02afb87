//! Request rows: one access record, interpreted for its service, as columns.

use crate::schema::Table;
use arrow_array::builder::{
    Int32Builder, Int64Builder, MapBuilder, MapFieldNames, StringBuilder, StringViewBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use base::Timestamp;
use std::sync::Arc;

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

/// Collects request rows into a record batch of [`Table::Requests`].
pub struct RequestRows {
    ts: TimestampMicrosecondBuilder,
    service: StringViewBuilder,
    host: StringViewBuilder,
    method: StringViewBuilder,
    route: StringViewBuilder,
    path: StringViewBuilder,
    status: Int32Builder,
    duration_us: Int64Builder,
    bytes: Int64Builder,
    user_key: StringViewBuilder,
    trace_id: StringViewBuilder,
    source: StringViewBuilder,
    attrs: MapBuilder<StringBuilder, StringBuilder>,
    rows: usize,
}

/// Views point into blocks of this size, so that a batch of a few rows does not hold megabytes.
const VIEW_BLOCK_BYTES: u32 = 64 * 1024;

fn views(deduplicate: bool) -> StringViewBuilder {
    let builder = StringViewBuilder::new().with_fixed_block_size(VIEW_BLOCK_BYTES);
    if deduplicate { builder.with_deduplicate_strings() } else { builder }
}

pub(crate) fn attrs_builder() -> MapBuilder<StringBuilder, StringBuilder> {
    let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new())
}

impl Default for RequestRows {
    fn default() -> Self {
        Self {
            ts: TimestampMicrosecondBuilder::new().with_timezone("UTC"),
            service: views(true),
            host: views(true),
            method: views(true),
            route: views(true),
            path: views(false),
            status: Int32Builder::new(),
            duration_us: Int64Builder::new(),
            bytes: Int64Builder::new(),
            user_key: views(false),
            trace_id: views(false),
            source: views(true),
            attrs: attrs_builder(),
            rows: 0,
        }
    }
}

fn signed(value: Option<u64>) -> Option<i64> {
    value.map(|value| i64::try_from(value).unwrap_or(i64::MAX))
}

impl RequestRows {
    /// Adds a row; `attrs` are further named fields (user agent, referer, ...).
    pub fn push<'k>(&mut self, row: &RequestRow<'_>, attrs: impl IntoIterator<Item = (&'k str, &'k str)>) {
        self.ts.append_value(row.ts.micros());
        self.service.append_value(row.service);
        self.host.append_option(row.host);
        self.method.append_value(row.method);
        self.route.append_value(row.route);
        self.path.append_value(row.path);
        self.status.append_value(i32::from(row.status));
        self.duration_us.append_option(signed(row.duration_us));
        self.bytes.append_option(signed(row.bytes));
        self.user_key.append_option(row.user_key);
        self.trace_id.append_option(row.trace_id);
        self.source.append_value(row.source);
        for (key, value) in attrs {
            self.attrs.keys().append_value(key);
            self.attrs.values().append_value(value);
        }
        self.attrs.append(true).expect("one value was appended for each key");
        self.rows += 1;
    }

    /// Rows collected so far.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether no row was collected.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows as one batch; the builder starts anew.
    pub fn finish(&mut self) -> RecordBatch {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.ts.finish()),
            Arc::new(self.service.finish()),
            Arc::new(self.host.finish()),
            Arc::new(self.method.finish()),
            Arc::new(self.route.finish()),
            Arc::new(self.path.finish()),
            Arc::new(self.status.finish()),
            Arc::new(self.duration_us.finish()),
            Arc::new(self.bytes.finish()),
            Arc::new(self.user_key.finish()),
            Arc::new(self.trace_id.finish()),
            Arc::new(self.source.finish()),
            Arc::new(self.attrs.finish()),
        ];
        self.rows = 0;
        RecordBatch::try_new(Table::Requests.schema(), columns).expect("builders follow the schema of requests")
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
