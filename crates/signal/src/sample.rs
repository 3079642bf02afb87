//! Sample rows: measured values of hosts, as columns.

use crate::request::attrs_builder;
use crate::schema::Table;
use arrow_array::builder::{Float64Builder, MapBuilder, StringBuilder, StringViewBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use base::Timestamp;
use std::sync::Arc;

/// One row of `samples`, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct SampleRow<'a> {
    /// When it was measured.
    pub ts: Timestamp,
    /// Service it belongs to, when it belongs to one.
    pub service: Option<&'a str>,
    /// Machine it was measured on.
    pub host: Option<&'a str>,
    /// What was measured, for example `cpu.busy_ratio`.
    pub name: &'a str,
    /// The value; ratios are 0 to 1, sizes bytes, rates per second.
    pub value: f64,
    /// Where the row came from.
    pub source: &'a str,
}

/// Collects sample rows into a record batch of [`Table::Samples`].
pub struct SampleRows {
    ts: TimestampMicrosecondBuilder,
    service: StringViewBuilder,
    host: StringViewBuilder,
    name: StringViewBuilder,
    value: Float64Builder,
    source: StringViewBuilder,
    attrs: MapBuilder<StringBuilder, StringBuilder>,
    rows: usize,
}

impl Default for SampleRows {
    fn default() -> Self {
        Self {
            ts: TimestampMicrosecondBuilder::new().with_timezone("UTC"),
            service: StringViewBuilder::new(),
            host: StringViewBuilder::new(),
            name: StringViewBuilder::new(),
            value: Float64Builder::new(),
            source: StringViewBuilder::new(),
            attrs: attrs_builder(),
            rows: 0,
        }
    }
}

impl SampleRows {
    /// Adds a row; `attrs` are its labels (mount point, interface, ...).
    pub fn push<'k>(&mut self, row: &SampleRow<'_>, attrs: impl IntoIterator<Item = (&'k str, &'k str)>) {
        self.ts.append_value(row.ts.micros());
        self.service.append_option(row.service);
        self.host.append_option(row.host);
        self.name.append_value(row.name);
        self.value.append_value(row.value);
        self.source.append_value(row.source);
        for (key, value) in attrs {
            self.attrs.keys().append_value(key);
            self.attrs.values().append_value(value);
        }
        self.attrs.append(true).expect("one value was appended for each key");
        self.rows += 1;
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
            Arc::new(self.name.finish()),
            Arc::new(self.value.finish()),
            Arc::new(self.source.finish()),
            Arc::new(self.attrs.finish()),
        ];
        self.rows = 0;
        RecordBatch::try_new(Table::Samples.schema(), columns).expect("builders follow the schema of samples")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_a_batch_of_the_samples_table() {
        let mut rows = SampleRows::default();
        let row = SampleRow {
            ts: Timestamp::default(),
            service: None,
            host: Some("web-1"),
            name: "cpu.busy_ratio",
            value: 0.5,
            source: "agent",
        };
        rows.push(&row, [("mount", "/")]);
        assert_eq!(rows.finish().num_rows(), 1);
        assert!(rows.is_empty());
    }
}
