//! The tables of the lake: names, columns and Arrow types.
//!
//! Known fields are typed columns; everything else goes to one `attrs` map, so that no sender can grow the schema.
//! Strings are views (`Utf8View`) in memory and plain UTF-8 in Parquet.

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use std::sync::{Arc, LazyLock};

/// A table of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// One row a request, from access logs and server spans.
    Requests,
    /// One row a log record.
    Logs,
    /// One row a step of a trace.
    Spans,
    /// One row a measured value.
    Samples,
    /// One row an exception.
    Errors,
    /// One row for what happened: heartbeats, alerts of other programs, sessions. Append-only.
    Events,
    /// One row a minute, service, route and status class: mergeable partial counts and sketches.
    Rollup1m,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 7] =
        [Self::Requests, Self::Logs, Self::Spans, Self::Samples, Self::Errors, Self::Events, Self::Rollup1m];

    /// Name in SQL and of the folder in the lake.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Logs => "logs",
            Self::Spans => "spans",
            Self::Samples => "samples",
            Self::Errors => "errors",
            Self::Events => "events",
            Self::Rollup1m => "rollup_1m",
        }
    }

    /// The table with this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// Number of the table in journal frames; never reused for another table.
    pub const fn code(self) -> u8 {
        match self {
            Self::Requests => 1,
            Self::Samples => 2,
            Self::Rollup1m => 3,
            Self::Logs => 4,
            Self::Spans => 5,
            Self::Errors => 6,
            Self::Events => 7,
        }
    }

    /// The table with this number.
    pub fn by_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.code() == code)
    }

    /// Columns as written to Parquet and kept in memory: all but `date`, which partitions the table.
    pub fn schema(self) -> SchemaRef {
        static SCHEMAS: LazyLock<[SchemaRef; 7]> =
            LazyLock::new(|| [requests(), logs(), spans(), samples(), errors(), events(), rollup_1m()].map(Arc::new));
        Arc::clone(&SCHEMAS[self as usize])
    }

    /// Columns by which rows are sorted inside a file.
    pub const fn sort_columns(self) -> &'static [&'static str] {
        match self {
            Self::Requests | Self::Logs | Self::Spans | Self::Errors | Self::Rollup1m => &["service", "ts"],
            Self::Samples => &["name", "series", "ts"],
            Self::Events => &["kind", "ts"],
        }
    }

    /// Columns that answer "exactly this one" questions and get a Bloom filter.
    pub const fn lookup_columns(self) -> &'static [&'static str] {
        match self {
            Self::Requests => &["trace_id", "user_key"],
            Self::Logs => &["trace_id"],
            Self::Spans => &["trace_id", "span_id"],
            Self::Errors => &["trace_id", "group_id"],
            Self::Samples | Self::Events | Self::Rollup1m => &[],
        }
    }

    /// Columns of random text, which a dictionary would only slow down.
    pub const fn random_columns(self) -> &'static [&'static str] {
        match self {
            Self::Requests | Self::Errors => &["trace_id"],
            Self::Logs => &["trace_id", "body"],
            Self::Spans => &["trace_id", "span_id", "parent_id"],
            Self::Samples => &["value"],
            Self::Events => &[],
            Self::Rollup1m => &["sketch", "users"],
        }
    }
}

/// The type of `ts`: microseconds UTC.
pub fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The type of `attrs`: a map from text to text, with Parquet's and Delta's standard inner names.
pub fn attrs_type() -> DataType {
    let entry = Fields::from(vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)]);
    DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(entry), false)), false)
}

fn text(name: &str, nullable: bool) -> Field {
    Field::new(name, DataType::Utf8View, nullable)
}

fn number(name: &str, nullable: bool) -> Field {
    Field::new(name, DataType::Int64, nullable)
}

/// `ts` first, further columns, `attrs` last.
fn observed(columns: impl IntoIterator<Item = Field>) -> Schema {
    let ts = Field::new("ts", timestamp_type(), false);
    let attrs = Field::new("attrs", attrs_type(), true);
    Schema::new([ts].into_iter().chain(columns).chain([attrs]).collect::<Vec<_>>())
}

fn requests() -> Schema {
    observed([
        text("service", false),
        text("host", true),
        text("method", false),
        text("route", false),
        text("path", false),
        Field::new("status", DataType::Int32, false),
        number("duration_us", true),
        number("bytes", true),
        text("user_key", true),
        text("trace_id", true),
        text("source", false),
    ])
}

fn logs() -> Schema {
    observed([
        text("service", false),
        text("host", true),
        text("severity", true),
        text("body", false),
        text("trace_id", true),
        text("source", false),
    ])
}

fn spans() -> Schema {
    observed([
        text("service", false),
        text("host", true),
        text("trace_id", false),
        text("span_id", false),
        text("parent_id", true),
        text("name", false),
        text("kind", false),
        text("status", true),
        number("duration_us", true),
        text("source", false),
    ])
}

fn samples() -> Schema {
    observed([
        text("service", true),
        text("host", true),
        text("name", false),
        number("series", false),
        Field::new("value", DataType::Float64, false),
        text("source", false),
    ])
}

fn errors() -> Schema {
    observed([
        text("service", false),
        text("host", true),
        text("group_id", false),
        text("kind", false),
        text("message", false),
        text("severity", true),
        text("release", true),
        text("environment", true),
        text("user_key", true),
        text("trace_id", true),
        text("stack", true),
        text("source", false),
    ])
}

fn events() -> Schema {
    observed([
        text("service", true),
        text("host", true),
        text("kind", false),
        text("name", false),
        text("state", true),
        text("source", false),
    ])
}

fn rollup_1m() -> Schema {
    Schema::new(vec![
        Field::new("ts", timestamp_type(), false),
        text("service", false),
        text("route", false),
        Field::new("status_class", DataType::Int32, false),
        number("count", false),
        number("errors", false),
        number("timed", false),
        number("duration_sum_us", false),
        number("bytes", false),
        Field::new("sketch", DataType::Binary, true),
        Field::new("users", DataType::Binary, true),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_found_by_its_name_and_number() {
        for table in Table::ALL {
            assert_eq!(Table::by_name(table.name()), Some(table));
            assert_eq!(Table::by_code(table.code()), Some(table));
            for column in table.sort_columns() {
                assert!(table.schema().field_with_name(column).is_ok(), "{column} of {}", table.name());
            }
        }
        assert_eq!(Table::by_name("passwords"), None);
    }
}
