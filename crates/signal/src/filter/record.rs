//! Rows of requests taken out of Arrow batches: what the explorer, the live tail and the route page show.

use super::{NumberField, TextField};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, MapArray, PrimitiveArray, RecordBatch, StringArray, StringViewArray};
use base::Timestamp;

/// One request, owned.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct RequestRecord {
    /// When the request was logged.
    pub ts: Timestamp,
    /// Service that answered.
    pub service: String,
    /// Virtual host or machine that answered.
    pub host: Option<String>,
    /// HTTP method, `-` when unreadable.
    pub method: String,
    /// Method and path with placeholders.
    pub route: String,
    /// Path without its query.
    pub path: String,
    /// HTTP status.
    pub status: i32,
    /// Time the user waited, microseconds.
    pub duration_us: Option<i64>,
    /// Body bytes sent.
    pub bytes: Option<i64>,
    /// Keyed hash of who asked.
    pub user_key: Option<String>,
    /// Trace or request id.
    pub trace_id: Option<String>,
    /// Where the row came from.
    pub source: String,
    /// Further named fields, in the order in which they came.
    pub attrs: Vec<(String, String)>,
}

impl RequestRecord {
    /// The text of a field; `None` when it is unknown.
    pub fn text(&self, field: &TextField) -> Option<&str> {
        match field {
            TextField::Service => Some(&self.service),
            TextField::Host => self.host.as_deref(),
            TextField::Method => Some(&self.method),
            TextField::Route => Some(&self.route),
            TextField::Path => Some(&self.path),
            TextField::User => self.user_key.as_deref(),
            TextField::Trace => self.trace_id.as_deref(),
            TextField::Source => Some(&self.source),
            TextField::Attr(key) => self.attr(key),
        }
    }

    /// The number of a field; `None` when it is unknown.
    pub fn number(&self, field: NumberField) -> Option<i64> {
        match field {
            NumberField::Status => Some(i64::from(self.status)),
            NumberField::Duration => self.duration_us,
            NumberField::Bytes => self.bytes,
        }
    }

    /// The first value of a further named field.
    pub fn attr(&self, key: &str) -> Option<&str> {
        self.attrs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// Text of either of Arrow's layouts, or of a column that is not there.
enum Text<'a> {
    View(&'a StringViewArray),
    Plain(&'a StringArray),
    Missing,
}

impl<'a> Text<'a> {
    fn of(array: &'a dyn Array) -> Self {
        match (array.as_string_view_opt(), array.as_string_opt::<i32>()) {
            (Some(view), _) => Self::View(view),
            (_, Some(plain)) => Self::Plain(plain),
            _ => Self::Missing,
        }
    }

    fn named(batch: &'a RecordBatch, name: &str) -> Self {
        batch.column_by_name(name).map_or(Self::Missing, |column| Self::of(column.as_ref()))
    }

    fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Plain(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Missing => None,
        }
    }

    fn owned(&self, row: usize) -> Option<String> {
        self.get(row).map(str::to_owned)
    }
}

fn number<T: arrow_array::types::ArrowPrimitiveType>(
    array: Option<&PrimitiveArray<T>>,
    row: usize,
) -> Option<T::Native> {
    array.filter(|array| array.is_valid(row)).map(|array| array.value(row))
}

fn attrs_of(map: Option<&MapArray>, row: usize) -> Vec<(String, String)> {
    let Some(map) = map.filter(|map| map.is_valid(row)) else { return Vec::new() };
    let entries = map.value(row);
    let (keys, values) = (Text::of(entries.column(0).as_ref()), Text::of(entries.column(1).as_ref()));
    (0..entries.len()).filter_map(|at| Some((keys.owned(at)?, values.owned(at)?))).collect()
}

/// The rows of a batch of [`crate::Table::Requests`]. Columns are found by name; a missing one is unknown.
pub fn records(batch: &RecordBatch) -> Vec<RequestRecord> {
    let column = |name: &str| batch.column_by_name(name);
    let whole = |name: &str| column(name).and_then(|array: &ArrayRef| array.as_primitive_opt::<Int64Type>());
    let ts = column("ts").and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>());
    let status = column("status").and_then(|array| array.as_primitive_opt::<Int32Type>());
    let (duration, bytes) = (whole("duration_us"), whole("bytes"));
    let attrs = column("attrs").and_then(|array| array.as_map_opt());
    let text = |name: &str| Text::named(batch, name);
    let (service, host, method, route, path) =
        (text("service"), text("host"), text("method"), text("route"), text("path"));
    let (user, trace, source) = (text("user_key"), text("trace_id"), text("source"));
    let row = |row: usize| RequestRecord {
        ts: Timestamp::from_micros(number(ts, row).unwrap_or(0)),
        service: service.owned(row).unwrap_or_default(),
        host: host.owned(row),
        method: method.owned(row).unwrap_or_default(),
        route: route.owned(row).unwrap_or_default(),
        path: path.owned(row).unwrap_or_default(),
        status: number(status, row).unwrap_or(0),
        duration_us: number(duration, row),
        bytes: number(bytes, row),
        user_key: user.owned(row),
        trace_id: trace.owned(row),
        source: source.owned(row).unwrap_or_default(),
        attrs: attrs_of(attrs, row),
    };
    (0..batch.num_rows()).map(row).collect()
}
