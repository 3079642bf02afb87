//! Who a person is, for accounts and for sessions.

use base::{Id, Timestamp};

/// A person who may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Never changes.
    pub id: Id<User>,
    /// What is typed at sign-in.
    pub name: String,
    /// Without a password only a one-time link lets this person in.
    pub password_set: bool,
    /// When the account was made.
    pub created_at: Timestamp,
}
