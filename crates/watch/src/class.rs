//! The three outputs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of a detection: exactly one of three, each a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Somebody must act now: users are hurt, or will be before the day is over.
    Alert,
    /// Somebody must act within days; has an owner and a due date.
    Ticket,
    /// Nobody must act. Kept in the lake for whoever asks.
    Record,
}

impl Class {
    /// As it stands in configuration, the API and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Ticket => "ticket",
            Self::Record => "record",
        }
    }

    /// The class with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Alert, Self::Ticket, Self::Record].into_iter().find(|class| class.as_str() == name)
    }
}
