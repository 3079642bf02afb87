//! How much one request may make of itself.
//!
//! Records repeat what they have in common (a resource, the labels of a series), so that a few megabytes could become
//! many gigabytes for whoever takes them. Each record is paid for before it is handed over.

use crate::observed::{DecodeError, MAX_RECORDS};

/// Most text that the records of one request may repeat, together. Senders come nowhere near: a batch of a thousand
/// records with a resource of 2 KiB repeats 2 MiB.
const MAX_REPEATED: usize = 256 << 20;

/// What is left for a request.
#[derive(Debug)]
pub(crate) struct Budget {
    what: &'static str,
    records: usize,
    repeated: usize,
}

impl Budget {
    /// For a request of so many `what` (the words of an error) at most.
    pub(crate) const fn new(what: &'static str) -> Self {
        Self { what, records: MAX_RECORDS, repeated: MAX_REPEATED }
    }

    /// Pays for records which repeat so many bytes each.
    pub(crate) fn spend(&mut self, records: usize, repeated_each: usize) -> Result<(), DecodeError> {
        let left = self.records.checked_sub(records);
        self.records = left.ok_or(DecodeError::TooMany { what: self.what, limit: MAX_RECORDS })?;
        let left = self.repeated.checked_sub(records.saturating_mul(repeated_each));
        self.repeated = left.ok_or(DecodeError::TooMany {
            what: "bytes which the records of one request repeat",
            limit: MAX_REPEATED,
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_counts_and_repeated_text_run_out() {
        let mut budget = Budget::new("lines");
        assert_eq!(budget.spend(MAX_RECORDS, 1), Ok(()));
        assert_eq!(budget.spend(1, 0).unwrap_err().to_string(), "more than 1000000 lines");
        let mut budget = Budget::new("lines");
        assert_eq!(budget.spend(256, 1 << 20), Ok(()));
        let error = budget.spend(1, 1).unwrap_err().to_string();
        assert_eq!(error, "more than 268435456 bytes which the records of one request repeat");
        assert!(budget.spend(2, usize::MAX).is_err());
    }
}
