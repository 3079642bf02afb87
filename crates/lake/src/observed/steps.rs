//! A range cut into steps of time.

use crate::QueryError;
use crate::requests::MAX_STEPS;
use base::{TimeRange, Timestamp};
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::{self as logical, Expr, col, lit};

/// Steps that start at multiples of their length since the epoch.
#[derive(Debug, Clone, Copy)]
pub struct Steps {
    first: Timestamp,
    step_us: i64,
    /// How many there are.
    pub number: usize,
}

impl Steps {
    /// The steps that cover a range.
    pub fn new(range: TimeRange, step_us: i64) -> Result<Self, QueryError> {
        if step_us <= 0 {
            return Err(QueryError::Invalid("a step has to be longer than nothing".into()));
        }
        let first = range.from.floor(step_us);
        let length = range.to.micros().saturating_sub(first.micros()).max(0);
        let number =
            usize::try_from(length.div_euclid(step_us) + i64::from(length % step_us != 0)).unwrap_or(usize::MAX);
        if number > MAX_STEPS {
            let text =
                format!("the range has {number} steps, {MAX_STEPS} allowed; take longer steps or a shorter range");
            return Err(QueryError::Invalid(text));
        }
        Ok(Self { first, step_us, number })
    }

    /// Number of the step of a row.
    pub fn index(&self) -> Expr {
        (logical::cast(col("ts"), DataType::Int64) - lit(self.first.micros())) / lit(self.step_us)
    }

    /// When a step starts.
    pub fn start(&self, index: usize) -> Timestamp {
        let offset = i64::try_from(index).unwrap_or(i64::MAX).saturating_mul(self.step_us);
        self.first.plus_micros(offset)
    }

    /// The step that a number from [`Self::index`] means; `None` outside.
    pub fn of(&self, index: Option<i64>) -> Option<usize> {
        index.and_then(|index| usize::try_from(index).ok()).filter(|index| *index < self.number)
    }
}
