//! Functions that the query engine has not, or answers differently from the live tail.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, StringViewBuilder, UInt64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, col, lit,
};
use signal::filter::contains_folded;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, LazyLock};

/// Upper bounds of the steps of durations: from 0.1 ms, each 1.41 times the one before, to 28 minutes.
pub static DURATION_BOUNDS_US: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let octaves = (0..24).map(|octave| 100u64 << octave);
    // 1.4142 without floating point: the same bounds everywhere.
    octaves.flat_map(|bound| [bound, bound * 14_142 / 10_000]).collect()
});

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Function {
    ContainsFolded,
    Attr,
    AttrsHash,
    DurationStep,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Implementation {
    function: Function,
    signature: Signature,
}

/// Whether a text contains another, which was folded before; see [`contains_folded`].
pub fn contains_folded_in(text: Expr, folded: &str) -> Expr {
    static UDF: LazyLock<ScalarUDF> = LazyLock::new(|| udf(Function::ContainsFolded, 2));
    UDF.call(vec![text, lit(folded)])
}

/// The first value of an attribute.
pub fn attr(key: &str) -> Expr {
    static UDF: LazyLock<ScalarUDF> = LazyLock::new(|| udf(Function::Attr, 2));
    UDF.call(vec![col("attrs"), lit(key)])
}

/// A number that orders rows which differ in their attributes alone.
pub fn attrs_hash() -> Expr {
    static UDF: LazyLock<ScalarUDF> = LazyLock::new(|| udf(Function::AttrsHash, 1));
    UDF.call(vec![col("attrs")])
}

/// The index of the first of [`DURATION_BOUNDS_US`] that a duration does not exceed.
pub fn duration_step() -> Expr {
    static UDF: LazyLock<ScalarUDF> = LazyLock::new(|| udf(Function::DurationStep, 1));
    UDF.call(vec![col("duration_us")])
}

fn udf(function: Function, arguments: usize) -> ScalarUDF {
    ScalarUDF::from(Implementation { function, signature: Signature::any(arguments, Volatility::Immutable) })
}

impl ScalarUDFImpl for Implementation {
    fn name(&self) -> &'static str {
        match self.function {
            Function::ContainsFolded => "koshu_contains_folded",
            Function::Attr => "koshu_attr",
            Function::AttrsHash => "koshu_attrs_hash",
            Function::DurationStep => "koshu_duration_step",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.function {
            Function::ContainsFolded => DataType::Boolean,
            Function::Attr => DataType::Utf8View,
            Function::AttrsHash => DataType::UInt64,
            Function::DurationStep => DataType::Int32,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut given = args.args.into_iter();
        let Some(first) = given.next() else { return exec_err!("an argument is missing") };
        let column = first.into_array(args.number_rows)?;
        let literal = match given.next() {
            Some(ColumnarValue::Scalar(ScalarValue::Utf8(text) | ScalarValue::Utf8View(text))) => text,
            Some(_) => return exec_err!("the second argument has to be a text"),
            None => None,
        };
        let literal = literal.unwrap_or_default();
        let result: ArrayRef = match self.function {
            Function::ContainsFolded => {
                let text = cast(&column, &DataType::Utf8View)?;
                let found = text.as_string_view().iter().map(|text| Some(contains_folded(text?, &literal)));
                Arc::new(found.collect::<BooleanArray>())
            }
            Function::Attr => attr_values(&column, &literal)?,
            Function::AttrsHash => attr_hashes(&column)?,
            Function::DurationStep => {
                let durations = column.as_primitive::<Int64Type>();
                Arc::new(durations.iter().map(|us| us.map(step_of)).collect::<Int32Array>())
            }
        };
        Ok(ColumnarValue::Array(result))
    }
}

fn step_of(duration_us: i64) -> i32 {
    let duration_us = u64::try_from(duration_us).unwrap_or(0);
    let at = DURATION_BOUNDS_US.partition_point(|bound| *bound < duration_us);
    i32::try_from(at.min(DURATION_BOUNDS_US.len() - 1)).unwrap_or(0)
}

/// Keys and values of all entries of a column of maps, and where each row's entries are.
struct Entries {
    keys: ArrayRef,
    values: ArrayRef,
    column: ArrayRef,
}

impl Entries {
    fn of(column: &ArrayRef) -> Result<Self> {
        let Some(map) = column.as_map_opt() else { return exec_err!("attrs is no map") };
        let (keys, values) = (cast(map.keys(), &DataType::Utf8)?, cast(map.values(), &DataType::Utf8)?);
        Ok(Self { keys, values, column: Arc::clone(column) })
    }

    /// The entries of each row; those with an unknown value are no entries.
    fn rows(&self) -> impl Iterator<Item = impl Iterator<Item = (&str, &str)>> {
        let offsets = self.column.as_map().value_offsets();
        let (keys, values) = (self.keys.as_string::<i32>(), self.values.as_string::<i32>());
        (0..self.column.len()).map(move |row| {
            let at = |offset: i32| usize::try_from(offset).unwrap_or(0);
            let entries = if self.column.is_valid(row) { at(offsets[row])..at(offsets[row + 1]) } else { 0..0 };
            entries.filter(|entry| values.is_valid(*entry)).map(|entry| (keys.value(entry), values.value(entry)))
        })
    }
}

fn attr_values(column: &ArrayRef, key: &str) -> Result<ArrayRef> {
    let mut found = StringViewBuilder::with_capacity(column.len());
    for mut row in Entries::of(column)?.rows() {
        found.append_option(row.find(|(name, _)| *name == key).map(|(_, value)| value));
    }
    Ok(Arc::new(found.finish()))
}

fn attr_hashes(column: &ArrayRef) -> Result<ArrayRef> {
    let state = foldhash::fast::FixedState::default();
    let hash = |row: &mut dyn Iterator<Item = (&str, &str)>| {
        let mut hasher = state.build_hasher();
        for (key, value) in row {
            hasher.write(key.as_bytes());
            hasher.write_u8(0xff);
            hasher.write(value.as_bytes());
            hasher.write_u8(0xff);
        }
        hasher.finish()
    };
    let entries = Entries::of(column)?;
    Ok(Arc::new(entries.rows().map(|mut row| Some(hash(&mut row))).collect::<UInt64Array>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_below_the_first_bound_that_it_does_not_exceed() {
        let bounds = &*DURATION_BOUNDS_US;
        assert!(bounds.is_sorted());
        for (duration_us, want) in [(-5, 100), (0, 100), (100, 100), (101, 141), (1_000_000, 1_158_512)] {
            let step = usize::try_from(step_of(duration_us)).unwrap();
            assert_eq!(bounds[step], want, "{duration_us}");
        }
        assert_eq!(usize::try_from(step_of(i64::MAX)).unwrap(), bounds.len() - 1);
    }
}
