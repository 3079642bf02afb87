//! UUIDv7 ids with the kind of thing in their type.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use uuid::Uuid;

/// Id of a `T`: a UUIDv7, so ids sort by the time at which they were made.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id<T>(Uuid, #[serde(skip)] PhantomData<fn() -> T>);

impl<T> Id<T> {
    /// A new id, from the machine's clock and random bits.
    pub fn generate() -> Self {
        Self(Uuid::now_v7(), PhantomData)
    }
}
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Id<T> {}
impl<T> std::hash::Hash for Id<T> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
impl<T> FromStr for Id<T> {
    type Err = uuid::Error;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        Ok(Self(raw.parse()?, PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    struct Row;

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = Id::<Row>::generate();
        assert_eq!(id.to_string().parse::<Id<Row>>().unwrap(), id);
        assert!("not-an-id".parse::<Id<Row>>().is_err());
    }
}
