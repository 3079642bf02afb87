//! What was sent, for people.

use super::{Message, MessageKind, MessageState, Outbox};
use crate::StoreError;
use crate::db::{Row, args};
use crate::firings::{Firing, PageKey};
use base::{Id, Timestamp};
use serde::Serialize;

/// Most messages that one question answers.
pub const DELIVERIES_LIST_MAX: u32 = 500;

/// A message and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Never changes.
    pub id: Id<Message>,
    /// The firing; `None` for a test.
    pub firing: Option<Id<Firing>>,
    /// Where to.
    pub channel: String,
    /// What about.
    pub kind: MessageKind,
    /// Where it is on its way.
    pub state: MessageState,
    /// When it was written.
    pub created_at: Timestamp,
    /// Not sent before.
    pub not_before: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// When the channel took it.
    pub delivered_at: Option<Timestamp>,
    /// When it was given up.
    pub given_up_at: Option<Timestamp>,
    /// What the channel last said instead.
    pub last_error: Option<String>,
    /// The channel that was told instead meanwhile.
    pub fell_back_to: Option<String>,
}

macro_rules! select {
    ($($rest:literal),+) => {
        concat!(
            "SELECT id, firing, channel, kind, state, created_at, not_before, attempts, delivered_at, given_up_at,
             last_error, fell_back_to FROM outbox ",
            $($rest),+
        )
    };
}

impl Outbox {
    /// Messages, the newest first, from after `page` on.
    pub async fn list(&self, page: Option<&PageKey>, limit: u32) -> Result<Vec<Delivery>, StoreError> {
        let page = page.cloned().unwrap_or_default();
        let limit = i64::from(limit.min(DELIVERIES_LIST_MAX));
        let sql = select!("WHERE (created_at, id) < ($1, $2) ORDER BY created_at DESC, id DESC LIMIT $3");
        let rows = self.db.fetch(sql, args![page.at, page.id, limit]).await?;
        rows.iter().map(read).collect()
    }

    /// Messages about a firing, in the order in which they were written.
    pub async fn of_firing(&self, firing: Id<Firing>) -> Result<Vec<Delivery>, StoreError> {
        let sql = select!("WHERE firing = $1 ORDER BY created_at, id LIMIT $2");
        let rows = self.db.fetch(sql, args![firing, i64::from(DELIVERIES_LIST_MAX)]).await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: row.parsed(0, "a message id")?,
        firing: row.maybe_parsed(1, "a firing id")?,
        channel: row.text(2)?,
        kind: row.parsed(3, "a kind of message")?,
        state: row.parsed(4, "a state of a message")?,
        created_at: row.time(5)?,
        not_before: row.time(6)?,
        attempts: row.int(7)?,
        delivered_at: row.maybe_time(8)?,
        given_up_at: row.maybe_time(9)?,
        last_error: row.maybe_text(10)?,
        fell_back_to: row.maybe_text(11)?,
    })
}
