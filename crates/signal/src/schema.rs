//! The tables of the lake: names, columns and Arrow types.
//!
//! Known fields are typed columns; everything else goes to one `attrs` map, so that no sender can grow the schema.
//! Strings are views (`Utf8View`) in memory and plain UTF-8 in Parquet.

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use std::sync::{Arc, LazyLock};

/// A table of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// One row a request, from access logs.
    Requests,
    /// One row a measured value of a host.
    Samples,
    /// One row a minute, service, route and status class: mergeable partial counts and sketches.
    Rollup1m,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 3] = [Self::Requests, Self::Samples, Self::Rollup1m];

    /// Name in SQL and of the folder in the lake.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Samples => "samples",
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
        }
    }

    /// The table with this number.
    pub fn by_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.code() == code)
    }

    /// Columns as written to Parquet and kept in memory: all but `date`, which partitions the table.
    pub fn schema(self) -> SchemaRef {
        static REQUESTS: LazyLock<SchemaRef> = LazyLock::new(requests);
        static SAMPLES: LazyLock<SchemaRef> = LazyLock::new(samples);
        static ROLLUP_1M: LazyLock<SchemaRef> = LazyLock::new(rollup_1m);
        Arc::clone(match self {
            Self::Requests => &REQUESTS,
            Self::Samples => &SAMPLES,
            Self::Rollup1m => &ROLLUP_1M,
        })
    }

    /// Columns by which rows are sorted inside a file.
    pub const fn sort_columns(self) -> [&'static str; 2] {
        match self {
            Self::Requests | Self::Rollup1m => ["service", "ts"],
            Self::Samples => ["name", "ts"],
        }
    }

    /// Columns that answer "exactly this one" questions and get a Bloom filter.
    pub const fn lookup_columns(self) -> &'static [&'static str] {
        match self {
            Self::Requests => &["trace_id", "user_key"],
            Self::Samples | Self::Rollup1m => &[],
        }
    }

    /// Columns of random text, which a dictionary would only slow down.
    pub const fn random_columns(self) -> &'static [&'static str] {
        match self {
            Self::Requests => &["trace_id"],
            Self::Samples => &[],
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

fn requests() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("ts", timestamp_type(), false),
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
        Field::new("attrs", attrs_type(), true),
    ]))
}

fn samples() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("ts", timestamp_type(), false),
        text("service", true),
        text("host", true),
        text("name", false),
        Field::new("value", DataType::Float64, false),
        text("source", false),
        Field::new("attrs", attrs_type(), true),
    ]))
}

fn rollup_1m() -> SchemaRef {
    Arc::new(Schema::new(vec![
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
    ]))
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
