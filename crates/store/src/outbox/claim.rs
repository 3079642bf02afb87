//! Taking messages to send them.

use super::{LONGEST_WAIT, MessageKind, Outbox};
use crate::StoreError;
use crate::db::{Row, Tx, args};
use crate::firings::Firing;
use base::{Id, Span, Timestamp};
use std::fmt;

/// Most messages that are sent as one.
pub const BATCH_MAX: u32 = 50;
/// Longest that a claim can last.
pub const LEASE_MAX: Span = Span::from_seconds(600);

/// A message that is being sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Never changes.
    pub id: Id<Message>,
    /// The firing; `None` for a test.
    pub firing: Option<Id<Firing>>,
    /// What about.
    pub kind: MessageKind,
    /// What it is made of, as JSON.
    pub payload: String,
    /// A resolve that also tells of the beginning, because the channel never took that message.
    pub folds: bool,
    /// When it was written.
    pub created_at: Timestamp,
    /// How often it was claimed, this time included.
    pub attempts: i64,
}

/// Messages of one group for one channel, to be sent as one.
#[derive(Clone, PartialEq, Eq)]
pub struct Batch {
    /// What the receiver can tell a repetition by: the same at every attempt.
    pub id: Id<Batch>,
    /// Where to.
    pub channel: String,
    /// All of one kind.
    pub kind: MessageKind,
    /// At least one, in the order in which they were written.
    pub messages: Vec<Message>,
    /// Until when nobody else takes them.
    pub claimed_until: Timestamp,
    pub(super) claim: String,
}
impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("id", &self.id)
            .field("channel", &self.channel)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Batch {
    /// How often it was claimed, this time included.
    pub fn attempts(&self) -> i64 {
        self.messages.iter().map(|message| message.attempts).max().unwrap_or(0)
    }

    /// When its oldest message was written.
    pub fn since(&self) -> Timestamp {
        self.messages.iter().map(|message| message.created_at).min().unwrap_or_default()
    }
}

impl Outbox {
    /// Gives back what a process had taken that is no more: the one that starts is the only one. Whether it was sent is not
    /// known, so it is sent again, with the same id.
    pub async fn give_back_all(&self) -> Result<u64, StoreError> {
        let sql = "UPDATE outbox SET claimed_until = NULL, claim = NULL WHERE state = 'pending' AND claimed_until IS NOT NULL";
        self.db.execute(sql, args![]).await
    }

    /// Takes what is due next for a channel, for `lease` (at most [`LEASE_MAX`]). Of two who ask at once one gets it.
    /// After the lease it can be taken again, so send and book within it.
    pub async fn claim(&self, channel: &str, lease: Span) -> Result<Option<Batch>, StoreError> {
        let now = self.clock.now();
        let until = now.plus_micros(lease.micros().clamp(1, LEASE_MAX.micros()));
        let mut tx = self.db.begin().await?;
        let due = due(&mut tx, channel, now).await?;
        let Some(first) = due.first() else {
            tx.rollback().await?;
            return Ok(None);
        };
        let chosen =
            Chosen { batch: first.batch.unwrap_or_else(Id::generate), claim: Id::<Message>::generate(), until };
        let together = |other: &&Due| match first.batch {
            // What was sent together before is sent together again: the receiver knows it by the batch's id.
            Some(batch) => other.batch == Some(batch),
            None => other.batch.is_none() && other.kind == first.kind && other.group == first.group,
        };
        let mut messages = Vec::new();
        for one in due.iter().filter(together).take(BATCH_MAX as usize) {
            if take(&mut tx, one, &chosen, now).await? {
                messages.push(read(tx.fetch_one(READ, args![one.id]).await?)?);
            }
        }
        if messages.is_empty() {
            tx.rollback().await?;
            return Ok(None);
        }
        tx.commit().await?;
        messages.sort_by_key(|message| (message.created_at, message.id.to_string()));
        Ok(Some(Batch {
            id: chosen.batch,
            channel: channel.to_owned(),
            kind: first.kind,
            messages,
            claimed_until: until,
            claim: chosen.claim.to_string(),
        }))
    }
}

struct Due {
    id: Id<Message>,
    kind: MessageKind,
    group: String,
    batch: Option<Id<Batch>>,
}

struct Chosen {
    batch: Id<Batch>,
    claim: Id<Message>,
    until: Timestamp,
}

/// What can be sent to a channel now, in order. A message waits for those about the same firing before it. Times far in
/// the future were written before the clock was set back; they don't hold anything up.
async fn due(tx: &mut Tx, channel: &str, now: Timestamp) -> Result<Vec<Due>, StoreError> {
    let sql = "SELECT o.id, o.kind, o.group_key, o.batch FROM outbox o
               WHERE o.channel = $1 AND o.state = 'pending' AND (o.not_before <= $2 OR o.not_before > $3)
               AND (o.claimed_until IS NULL OR o.claimed_until <= $2 OR o.claimed_until > $3)
               AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.firing = o.firing AND e.channel = o.channel
                               AND e.state = 'pending' AND e.turn < o.turn)
               ORDER BY o.not_before, o.id LIMIT $4";
    let far = now.plus_micros(LONGEST_WAIT.micros());
    let rows = tx.fetch(sql, args![channel, now, far, i64::from(BATCH_MAX) * 2]).await?;
    let read = |row: &Row| {
        Ok(Due {
            id: row.parsed(0, "a message id")?,
            kind: row.parsed(1, "a kind of message")?,
            group: row.text(2)?,
            batch: row.maybe_parsed(3, "a batch id")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Claims one message unless somebody else just did: PostgreSQL looks at the row again after waiting for its lock.
async fn take(tx: &mut Tx, one: &Due, chosen: &Chosen, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "UPDATE outbox SET batch = $1, claim = $2, claimed_until = $3, attempts = attempts + 1
               WHERE id = $4 AND state = 'pending'
               AND (claimed_until IS NULL OR claimed_until <= $5 OR claimed_until > $6)";
    let far = now.plus_micros(LONGEST_WAIT.micros());
    Ok(tx.execute(sql, args![chosen.batch, chosen.claim, chosen.until, one.id, now, far]).await? > 0)
}

const READ: &str = "SELECT id, firing, kind, payload, folds, created_at, attempts FROM outbox WHERE id = $1";

fn read(row: Option<Row>) -> Result<Message, StoreError> {
    let row = row.ok_or_else(|| StoreError::Damaged {
        what: "a message",
        detail: "it is gone within the transaction that claimed it".to_owned(),
    })?;
    Ok(Message {
        id: row.parsed(0, "a message id")?,
        firing: row.maybe_parsed(1, "a firing id")?,
        kind: row.parsed(2, "a kind of message")?,
        payload: row.text(3)?,
        folds: row.int(4)? != 0,
        created_at: row.time(5)?,
        attempts: row.int(6)?,
    })
}
