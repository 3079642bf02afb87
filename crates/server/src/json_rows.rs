//! Arrow rows as JSON values, for answers that people and scripts read.

use lake::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use lake::arrow::compute::cast;
use lake::arrow::datatypes::{
    DataType, Float64Type, Int64Type, SchemaRef, TimeUnit, TimestampMicrosecondType, UInt64Type,
};
use lake::arrow::error::ArrowError;
use lake::arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Value};

/// Names of columns and of their types, in the words of SQL.
pub fn column_types(schema: &SchemaRef) -> Vec<(String, String)> {
    schema.fields().iter().map(|field| (field.name().clone(), type_name(field.data_type()))).collect()
}

fn type_name(kind: &DataType) -> String {
    match kind {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "text".into(),
        DataType::Timestamp(..) => "timestamp".into(),
        DataType::Date32 => "date".into(),
        DataType::Boolean => "boolean".into(),
        kind if kind.is_integer() => "integer".into(),
        kind if kind.is_floating() => "number".into(),
        DataType::Binary | DataType::BinaryView | DataType::LargeBinary => "bytes".into(),
        DataType::Map(..) => "map".into(),
        other => other.to_string().to_lowercase(),
    }
}

/// Every row as a list of values in the order of the columns.
pub fn rows_as_json(batches: &[RecordBatch]) -> Result<Vec<Vec<Value>>, ArrowError> {
    let mut rows = Vec::new();
    for batch in batches {
        let columns = batch.columns().iter().map(column_as_json).collect::<Result<Vec<_>, _>>()?;
        let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
        for _ in 0..batch.num_rows() {
            rows.push(columns.iter_mut().map(|column| column.next().unwrap_or(Value::Null)).collect());
        }
    }
    Ok(rows)
}

fn column_as_json(column: &ArrayRef) -> Result<Vec<Value>, ArrowError> {
    Ok(match column.data_type() {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => {
            let texts = cast(column, &DataType::Utf8)?;
            texts.as_string::<i32>().iter().map(Value::from).collect()
        }
        DataType::Boolean => column.as_boolean().iter().map(Value::from).collect(),
        DataType::UInt64 => column.as_primitive::<UInt64Type>().iter().map(Value::from).collect(),
        kind if kind.is_integer() => {
            let numbers = cast(column, &DataType::Int64)?;
            numbers.as_primitive::<Int64Type>().iter().map(Value::from).collect()
        }
        kind if kind.is_floating() => {
            let numbers = cast(column, &DataType::Float64)?;
            numbers.as_primitive::<Float64Type>().iter().map(Value::from).collect()
        }
        DataType::Timestamp(..) => {
            let micros = cast(column, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
            let micros = micros.as_primitive::<TimestampMicrosecondType>();
            let text = |at| Value::from(base::Timestamp::from_micros(at).to_string());
            micros.iter().map(|at| at.map_or(Value::Null, text)).collect()
        }
        DataType::Map(..) => (0..column.len()).map(|row| map_as_json(column, row)).collect::<Result<_, _>>()?,
        _ => {
            let options = FormatOptions::default();
            let formatter = ArrayFormatter::try_new(column, &options)?;
            let text = |row| if column.is_null(row) { Value::Null } else { formatter.value(row).to_string().into() };
            (0..column.len()).map(text).collect()
        }
    })
}

fn map_as_json(column: &ArrayRef, row: usize) -> Result<Value, ArrowError> {
    if column.is_null(row) {
        return Ok(Value::Null);
    }
    let entries = column.as_map().value(row);
    let texts = |at: usize| cast(entries.column(at), &DataType::Utf8);
    let (keys, values) = (texts(0)?, texts(1)?);
    let mut out = Map::new();
    for (key, value) in keys.as_string::<i32>().iter().zip(values.as_string::<i32>().iter()) {
        out.insert(key.unwrap_or_default().to_owned(), value.into());
    }
    Ok(Value::Object(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use signal::{RequestRow, RequestRows};

    #[test]
    fn a_request_becomes_values_that_people_read() {
        let mut rows = RequestRows::default();
        let row = RequestRow {
            ts: base::Timestamp::from_seconds(1),
            service: "shop",
            method: "GET",
            route: "GET /",
            path: "/",
            status: 200,
            source: "t",
            ..RequestRow::default()
        };
        rows.push(&row, [("user_agent", "curl")]);
        let batch = rows.finish();
        let types = column_types(&batch.schema());
        let json = rows_as_json(&[batch]).unwrap();
        let value = |name: &str| &json[0][types.iter().position(|(known, _)| known == name).unwrap()];
        assert_eq!(value("ts"), "1970-01-01T00:00:01Z");
        assert_eq!((value("status"), value("duration_us")), (&Value::from(200), &Value::Null));
        assert_eq!(value("attrs")["user_agent"], "curl");
        assert!(types.contains(&("attrs".into(), "map".into())));
    }
}
