//! Collects rows as columns: what the row builders of all tables have in common.

use arrow_array::ArrayRef;
use arrow_array::builder::{
    Float64Builder, Int32Builder, Int64Builder, MapBuilder, MapFieldNames, StringBuilder, StringViewBuilder,
    TimestampMicrosecondBuilder,
};
use base::Timestamp;
use std::sync::Arc;

/// Views point into blocks of this size, so that a batch of a few rows does not hold megabytes.
const VIEW_BLOCK_BYTES: u32 = 64 * 1024;

fn views() -> StringViewBuilder {
    StringViewBuilder::new().with_fixed_block_size(VIEW_BLOCK_BYTES)
}

macro_rules! column {
    ($(#[$doc:meta])* $name:ident, $builder:ty, $new:expr, $value:ty, |$held:ident, $given:ident| $append:expr) => {
        $(#[$doc])*
        pub struct $name($builder);

        impl Default for $name {
            fn default() -> Self {
                Self($new)
            }
        }

        impl $name {
            /// Adds a value.
            pub fn push(&mut self, $given: $value) {
                let $held = &mut self.0;
                $append;
            }

            /// The values; the column starts anew.
            pub fn finish(&mut self) -> ArrayRef {
                Arc::new(self.0.finish())
            }
        }
    };
}

column!(
    /// Moments.
    Time, TimestampMicrosecondBuilder, TimestampMicrosecondBuilder::new().with_timezone("UTC"), Timestamp,
    |held, at| held.append_value(at.micros())
);
column!(
    /// Names that come again and again.
    Name, StringViewBuilder, views().with_deduplicate_strings(), &str, |held, text| held.append_value(text)
);
column!(
    /// Names that may be missing.
    MaybeName, StringViewBuilder, views().with_deduplicate_strings(), Option<&str>, |held, text| held.append_option(text)
);
column!(
    /// Texts that are mostly different.
    Text, StringViewBuilder, views(), &str, |held, text| held.append_value(text)
);
column!(
    /// Texts that are mostly different or missing.
    MaybeText, StringViewBuilder, views(), Option<&str>, |held, text| held.append_option(text)
);
column!(
    /// Small numbers.
    Small, Int32Builder, Int32Builder::new(), u16, |held, number| held.append_value(i32::from(number))
);
column!(
    /// Counts that may be unknown; what no 64-bit integer holds becomes the largest.
    MaybeCount, Int64Builder, Int64Builder::new(), Option<u64>,
    |held, number| held.append_option(number.map(|number| i64::try_from(number).unwrap_or(i64::MAX)))
);
column!(
    /// Whole numbers.
    Whole, Int64Builder, Int64Builder::new(), i64, |held, number| held.append_value(number)
);
column!(
    /// Measured values.
    Value, Float64Builder, Float64Builder::new(), f64, |held, number| held.append_value(number)
);

/// Further fields by name.
pub struct Attrs(MapBuilder<StringBuilder, StringBuilder>);

impl Default for Attrs {
    fn default() -> Self {
        let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
        Self(MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new()))
    }
}

impl Attrs {
    /// Adds the fields of a row.
    pub fn push<'k>(&mut self, fields: impl IntoIterator<Item = (&'k str, &'k str)>) {
        for (key, value) in fields {
            self.0.keys().append_value(key);
            self.0.values().append_value(value);
        }
        self.0.append(true).expect("one value was appended for each key");
    }

    /// The fields; the column starts anew.
    pub fn finish(&mut self) -> ArrayRef {
        Arc::new(self.0.finish())
    }
}

/// Makes a builder of a table's rows: one column a field of its row, in the order of the schema, then `attrs`.
macro_rules! row_builder {
    ($(#[$doc:meta])* $rows:ident of $row:ident for $table:expr, { $($column:ident: $kind:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Default)]
        pub struct $rows {
            $($column: $crate::columns::$kind,)*
            attrs: $crate::columns::Attrs,
            rows: usize,
        }

        impl $rows {
            /// Adds a row; `attrs` are further named fields.
            pub fn push<'k>(&mut self, row: &$row<'_>, attrs: impl IntoIterator<Item = (&'k str, &'k str)>) {
                $(self.$column.push(row.$column);)*
                self.attrs.push(attrs);
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
            pub fn finish(&mut self) -> arrow_array::RecordBatch {
                let columns = vec![$(self.$column.finish(),)* self.attrs.finish()];
                self.rows = 0;
                arrow_array::RecordBatch::try_new($table.schema(), columns).expect("columns follow the table's schema")
            }
        }
    };
}
pub(crate) use row_builder;
