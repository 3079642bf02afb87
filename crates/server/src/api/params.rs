//! What several questions have in common: whole numbers in the query, names of damaged files in the answer.

use crate::problem::ApiError;

/// A whole number of 1 to `most`; `default` when it is missing.
pub fn whole(name: &str, text: Option<&str>, default: usize, most: usize) -> Result<usize, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(default) };
    let number: usize = text.parse().map_err(|_| ApiError::bad_request(format!("{name} is no whole number")))?;
    if number == 0 || number > most {
        return Err(ApiError::bad_request(format!("{name} is {number}; use 1 to {most}")));
    }
    Ok(number)
}

/// Yes or no; `default` when it is missing.
pub fn yes(name: &str, text: Option<&str>, default: bool) -> Result<bool, ApiError> {
    match text {
        None | Some("") => Ok(default),
        Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        Some(_) => Err(ApiError::bad_request(format!("{name} is neither true nor false"))),
    }
}

/// An id out of a path: some characters, not too many.
pub fn id(what: &str, text: String) -> Result<String, ApiError> {
    if text.is_empty() || text.len() > 100 {
        return Err(ApiError::bad_request(format!("this is no id of {what}")));
    }
    Ok(text)
}

/// A service to narrow down to; none when it is missing.
pub fn service(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Microseconds as milliseconds.
pub fn ms(us: Option<i64>) -> Option<f64> {
    us.map(|us| us as f64 / 1000.0)
}

/// What is missing in an answer.
pub fn partial(damaged_files: &[String]) -> Option<String> {
    (!damaged_files.is_empty()).then(|| format!("damaged files were left out: {}", damaged_files.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_parse_is_named() {
        for (text, want) in [(None, Ok(7)), (Some(""), Ok(7)), (Some("3"), Ok(3)), (Some("10"), Ok(10))] {
            assert_eq!(whole("limit", text, 7, 10), want);
        }
        for text in ["0", "11", "-1", "x"] {
            let error = whole("limit", Some(text), 7, 10).unwrap_err();
            assert!(error.detail().starts_with("limit is"), "{text}");
        }
        assert_eq!(yes("rate", Some("false"), true), Ok(false));
        assert!(yes("rate", Some("maybe"), true).is_err());
    }
}
