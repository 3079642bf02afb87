//! Columns of a small answer as owned values, by name. A column that is missing is unknown everywhere.

use crate::QueryError;
use crate::query::Answer;
use base::Timestamp;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};

/// Fields of a row by name.
pub type Attrs = Vec<(String, String)>;

fn failed(error: impl std::fmt::Display) -> QueryError {
    QueryError::Failed(error.to_string())
}

fn named(batch: &RecordBatch, name: &str, kind: &DataType) -> Result<Option<ArrayRef>, QueryError> {
    batch.column_by_name(name).map(|column| cast(column, kind).map_err(failed)).transpose()
}

/// The rows of one batch.
pub struct Columns<'a>(&'a RecordBatch);

impl<'a> Columns<'a> {
    /// The batches of an answer.
    pub fn of(answer: &'a Answer) -> impl Iterator<Item = Self> {
        answer.batches.iter().map(Self)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.0.num_rows()
    }

    /// Texts.
    pub fn texts(&self, name: &str) -> Result<Vec<Option<String>>, QueryError> {
        let Some(column) = named(self.0, name, &DataType::Utf8View)? else { return Ok(vec![None; self.rows()]) };
        Ok(column.as_string_view().iter().map(|text| text.map(str::to_owned)).collect())
    }

    /// Texts; an unknown one is empty.
    pub fn names(&self, name: &str) -> Result<Vec<String>, QueryError> {
        Ok(self.texts(name)?.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// Whole numbers; moments are microseconds.
    pub fn numbers(&self, name: &str) -> Result<Vec<Option<i64>>, QueryError> {
        let Some(column) = named(self.0, name, &DataType::Int64)? else { return Ok(vec![None; self.rows()]) };
        Ok(column.as_primitive::<Int64Type>().iter().collect())
    }

    /// Counts; an unknown one is 0.
    pub fn counts(&self, name: &str) -> Result<Vec<u64>, QueryError> {
        Ok(self.numbers(name)?.into_iter().map(|n| n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0)).collect())
    }

    /// Moments; an unknown one is the epoch.
    pub fn times(&self, name: &str) -> Result<Vec<Timestamp>, QueryError> {
        Ok(self.numbers(name)?.into_iter().map(|at| Timestamp::from_micros(at.unwrap_or(0))).collect())
    }

    /// Measured values.
    pub fn values(&self, name: &str) -> Result<Vec<Option<f64>>, QueryError> {
        let Some(column) = named(self.0, name, &DataType::Float64)? else { return Ok(vec![None; self.rows()]) };
        Ok(column.as_primitive::<Float64Type>().iter().collect())
    }

    /// Further named fields.
    pub fn attrs(&self, name: &str) -> Result<Vec<Attrs>, QueryError> {
        let Some(column) = self.0.column_by_name(name) else { return Ok(vec![Attrs::new(); self.rows()]) };
        let Some(map) = column.as_map_opt() else { return Err(failed(format!("{name} is no map"))) };
        let keys = cast(map.keys(), &DataType::Utf8View).map_err(failed)?;
        let values = cast(map.values(), &DataType::Utf8View).map_err(failed)?;
        let (keys, values, offsets) = (keys.as_string_view(), values.as_string_view(), map.value_offsets());
        let at = |offset: i32| usize::try_from(offset).unwrap_or(0);
        let row = |row: usize| {
            let entries = if map.is_valid(row) { at(offsets[row])..at(offsets[row + 1]) } else { 0..0 };
            let known = entries.filter(|entry| values.is_valid(*entry));
            known.map(|entry| (keys.value(entry).to_owned(), values.value(entry).to_owned())).collect()
        };
        Ok((0..self.rows()).map(row).collect())
    }
}

/// Names of damaged files, each once.
pub fn merge_damaged(into: &mut Vec<String>, answer: &Answer) {
    for file in &answer.stats.damaged_files {
        if !into.contains(file) {
            into.push(file.clone());
        }
    }
}
