//! Limits of texts that people or programs hand in.

use crate::StoreError;

/// A text of at most `max` characters, not blank and without NUL (which PostgreSQL cannot store; refused on both alike).
pub(crate) fn required(what: &str, text: &str, max: usize) -> Result<String, StoreError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(StoreError::Refused(format!("the {what} is empty")));
    }
    bounded(what, text, max)
}

/// A text of at most `max` characters without NUL.
pub(crate) fn bounded(what: &str, text: &str, max: usize) -> Result<String, StoreError> {
    let length = text.chars().count();
    if length > max {
        return Err(StoreError::Refused(format!("the {what} has {length} characters, {max} allowed")));
    }
    if text.contains('\0') {
        return Err(StoreError::Refused(format!("the {what} has a NUL character")));
    }
    Ok(text.to_owned())
}

/// What a program says, cut and cleaned: a firing is never refused because a label of it is odd.
pub(crate) fn cut(text: &str, max: usize) -> String {
    text.chars().filter(|c| *c != '\0').take(max).collect()
}
