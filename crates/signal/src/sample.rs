//! Sample rows: measured values of hosts, as columns.

use crate::columns::{Attrs, MaybeName, Name, Time, Value, Whole};
use crate::schema::Table;
use arrow_array::RecordBatch;
use base::Timestamp;

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

/// FNV-1a, 64 bits (RFC 9923): its result is the same everywhere and for ever, unlike those of hash maps.
fn fnv1a(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for part in parts {
        part.bytes().for_each(&mut add);
        // Ends a part; no UTF-8 text holds this byte.
        add(0xff);
    }
    hash
}

/// Tells series apart by their name, place and labels, in any order of labels. Stored, so it never changes: rows of one
/// series lie next to each other in a file and take little room there.
pub fn series_id(row: &SampleRow<'_>, attrs: &[(&str, &str)]) -> i64 {
    let place = fnv1a(&[row.name, row.service.unwrap_or_default(), row.host.unwrap_or_default()]);
    let labels = attrs.iter().fold(0u64, |sum, (key, value)| sum.wrapping_add(fnv1a(&[key, value])));
    place.wrapping_add(labels).cast_signed()
}

/// Collects sample rows into a record batch of [`Table::Samples`].
#[derive(Default)]
pub struct SampleRows {
    ts: Time,
    service: MaybeName,
    host: MaybeName,
    name: Name,
    series: Whole,
    value: Value,
    source: Name,
    attrs: Attrs,
    rows: usize,
}

impl SampleRows {
    /// Adds a row; `attrs` are its labels (mount point, interface, ...).
    pub fn push(&mut self, row: &SampleRow<'_>, attrs: &[(&str, &str)]) {
        self.ts.push(row.ts);
        self.service.push(row.service);
        self.host.push(row.host);
        self.name.push(row.name);
        self.series.push(series_id(row, attrs));
        self.value.push(row.value);
        self.source.push(row.source);
        self.attrs.push(attrs.iter().copied());
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
        let columns = vec![
            self.ts.finish(),
            self.service.finish(),
            self.host.finish(),
            self.name.finish(),
            self.series.finish(),
            self.value.finish(),
            self.source.finish(),
            self.attrs.finish(),
        ];
        self.rows = 0;
        RecordBatch::try_new(Table::Samples.schema(), columns).expect("columns follow the schema of samples")
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
        rows.push(&row, &[("mount", "/")]);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows.finish().schema(), Table::Samples.schema());
        assert!(rows.is_empty());
    }

    #[test]
    fn a_series_is_known_again_and_by_any_order_of_its_labels() {
        let row = |name| SampleRow {
            ts: Timestamp::default(),
            service: None,
            host: Some("web-1"),
            name,
            value: 0.5,
            source: "agent",
        };
        let labels = [("device", "sda"), ("mode", "read")];
        let id = series_id(&row("a"), &labels);
        assert_eq!(id, series_id(&row("a"), &[labels[1], labels[0]]));
        assert_ne!(id, series_id(&row("b"), &labels));
        assert_ne!(id, series_id(&row("a"), &labels[..1]));
        assert_ne!(id, series_id(&row("a"), &[("device", "read"), ("mode", "sda")]));
        assert_eq!(id, SERIES_OF_VERSION_1, "the number is stored: it must be the same for ever");
    }

    const SERIES_OF_VERSION_1: i64 = 7_596_035_052_332_409_242;
}
