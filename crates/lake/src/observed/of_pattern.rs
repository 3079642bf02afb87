//! Whether a line is one of a pattern's, as a function of the query engine.

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use signal::PatternText;
use std::sync::{Arc, LazyLock};

#[derive(Debug, PartialEq, Eq, Hash)]
struct OfPattern(Signature);

/// Whether the text is a line of the pattern.
pub fn of_pattern(text: Expr, pattern: &str) -> Expr {
    static UDF: LazyLock<ScalarUDF> =
        LazyLock::new(|| ScalarUDF::from(OfPattern(Signature::any(2, Volatility::Immutable))));
    UDF.call(vec![text, lit(pattern)])
}

impl ScalarUDFImpl for OfPattern {
    fn name(&self) -> &'static str {
        "koshu_of_pattern"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut given = args.args.into_iter();
        let (Some(text), Some(ColumnarValue::Scalar(ScalarValue::Utf8(Some(pattern))))) = (given.next(), given.next())
        else {
            return exec_err!("the second argument has to be a text");
        };
        let pattern = PatternText::new(&pattern);
        let text = cast(&text.into_array(args.number_rows)?, &DataType::Utf8View)?;
        let found: BooleanArray = text.as_string_view().iter().map(|text| Some(pattern.matches(text?))).collect();
        Ok(ColumnarValue::Array(Arc::new(found) as ArrayRef))
    }
}
