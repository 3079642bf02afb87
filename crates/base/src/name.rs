//! Names that people give to services.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A service as people name it: 1 to 63 of `a-z`, `0-9`, `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceName(String);

/// Why a text is no service name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceNameError {
    /// Nothing was given.
    #[error("service name is empty")]
    Empty,
    /// Longer than a DNS label.
    #[error("service name is {0} characters long, 63 allowed")]
    TooLong(usize),
    /// A character that would need escaping in a path or a host name.
    #[error("service name has {0:?}; use a-z, 0-9 and -")]
    BadChar(char),
}

impl ServiceName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServiceName {
    type Err = ServiceNameError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        if raw.is_empty() {
            return Err(ServiceNameError::Empty);
        }
        if let Some(c) = raw.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
            return Err(ServiceNameError::BadChar(c));
        }
        if raw.len() > 63 {
            return Err(ServiceNameError::TooLong(raw.len()));
        }
        Ok(Self(raw.to_owned()))
    }
}
impl TryFrom<String> for ServiceName {
    type Error = ServiceNameError;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        raw.parse()
    }
}
impl From<ServiceName> for String {
    fn from(name: ServiceName) -> Self {
        name.0
    }
}
impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl AsRef<str> for ServiceName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_dns_label() {
        let long = "a".repeat(64);
        for (case, raw, want) in [
            ("plain", "shop", Ok(())),
            ("dash and digit", "shop-2", Ok(())),
            ("empty", "", Err(ServiceNameError::Empty)),
            ("upper case", "Shop", Err(ServiceNameError::BadChar('S'))),
            ("path", "../x", Err(ServiceNameError::BadChar('.'))),
            ("too long", long.as_str(), Err(ServiceNameError::TooLong(64))),
        ] {
            assert_eq!(raw.parse::<ServiceName>().map(|_| ()), want, "{case}");
        }
    }
}
