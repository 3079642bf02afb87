//! Messages that wait to be sent, and what became of them.
//!
//! A message is written together with what it tells of, claimed for a while by whoever sends it, and booked when it was
//! taken, refused, or has to be tried again. A sender that dies loses its claim when the lease ends, and the message is
//! claimed again **with the same id**: a message is never lost, and is sent twice at most when a sender died between
//! sending and booking. Messages about one firing reach one channel in the order in which they were written.

mod book;
mod claim;
mod fold;
mod health;
mod list;

pub use claim::{BATCH_MAX, Batch, LEASE_MAX, Message};
pub(crate) use fold::tell_the_end;
pub use health::{ChannelState, ChannelTest, StuckMessage};
pub use list::{DELIVERIES_LIST_MAX, Delivery};

use crate::StoreError;
use crate::db::{Db, Tx, args};
use crate::firings::{Firing, Tell};
use crate::text::{bounded, required};
use crate::words::words;
use base::{Clock, Id, Span, Timestamp};

const CHANNEL_MAX_CHARS: usize = 200;
const GROUP_MAX_CHARS: usize = 500;
const PAYLOAD_MAX_BYTES: usize = 64 << 10;
const ERROR_MAX_CHARS: usize = 1000;
/// How long what is settled stays in the list of deliveries.
pub const DELIVERIES_KEPT: Span = Span::from_seconds(90 * 86_400);
const TIDY_ROWS: i64 = 1000;
/// Longer than any wait that is ever asked for. What waits longer was written before the clock was set back, and is due.
const LONGEST_WAIT: Span = Span::from_seconds(2 * 3600);

words! {
    /// What a message is about.
    pub enum MessageKind, "kind of message", MessageKindError {
        /// A firing began.
        Fire = "fire",
        /// It ended.
        Resolve = "resolve",
        /// It is still there: a ticket is overdue, for example.
        Remind = "remind",
        /// Nobody acknowledged in time.
        Escalate = "escalate",
        /// A person asked whether the channel works.
        Test = "test",
        /// Koshu says to another program that its whole way works.
        Heartbeat = "heartbeat",
    }
}
words! {
    /// Where a message is on its way.
    pub enum MessageState, "state of a message", MessageStateError {
        /// To be sent.
        Pending = "pending",
        /// Taken by the channel.
        Delivered = "delivered",
        /// Not sent any more; the reason stands beside it.
        GivenUp = "given_up",
        /// Told in a later message together with the end.
        Folded = "folded",
    }
}

/// Claiming, booking and listing messages.
#[derive(Debug, Clone)]
pub struct Outbox {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
}

impl Outbox {
    /// Writes a message by which a person finds out whether a channel works; answers its id, which the person hands
    /// back with [`Outbox::acknowledge_test`].
    pub async fn add_test(&self, channel: &str, payload: &str) -> Result<Id<Message>, StoreError> {
        let now = self.clock.now();
        let tell = Tell {
            channel: required("channel", channel, CHANNEL_MAX_CHARS)?,
            kind: MessageKind::Test,
            // Never sent together with another one: each has a link of its own.
            group: format!("test/{}", Id::<Message>::generate()),
            not_before: now,
            payload: payload.to_owned(),
        };
        let mut tx = self.db.begin().await?;
        let id = add(&mut tx, None, &tell, false, now).await?;
        health::test_sent(&mut tx, channel, id, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Writes a heartbeat, unless the last one still waits: a receiver that was away needs one, not all of them. Those that
    /// are settled go: they say nothing any more.
    pub async fn add_heartbeat(&self, channel: &str) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let tell = Tell {
            channel: required("channel", channel, CHANNEL_MAX_CHARS)?,
            kind: MessageKind::Heartbeat,
            group: String::new(),
            not_before: now,
            payload: "{}".to_owned(),
        };
        let mut tx = self.db.begin().await?;
        let sql = "DELETE FROM outbox WHERE channel = $1 AND kind = 'heartbeat' AND state <> 'pending'";
        tx.execute(sql, args![channel]).await?;
        let sql = "SELECT id FROM outbox WHERE channel = $1 AND kind = 'heartbeat' AND state = 'pending' LIMIT 1";
        if tx.fetch_one(sql, args![channel]).await?.is_some() {
            tx.rollback().await?;
            return Ok(false);
        }
        add(&mut tx, None, &tell, false, now).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Writes a message about an open firing that nothing else writes: a reminder. `false` when the firing has ended.
    pub async fn remind(&self, firing: Id<Firing>, tell: &[Tell]) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        // The update locks the row, so that the end cannot come in between.
        let sql = "UPDATE firings SET told = 1 WHERE id = $1 AND state = 'open'";
        if tx.execute(sql, args![firing]).await? == 0 {
            return Ok(false);
        }
        for one in tell {
            add(&mut tx, Some(firing), one, false, now).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Drops what was settled long ago, some at a time.
    pub(crate) async fn tidy(&self) -> Result<(), StoreError> {
        let before = self.clock.now().plus_micros(-DELIVERIES_KEPT.micros());
        // Of an open firing they are needed: its end goes where its beginning went.
        let sql = "DELETE FROM outbox WHERE id IN (SELECT o.id FROM outbox o WHERE o.created_at < $1
                   AND o.state <> 'pending' AND (o.firing IS NULL OR NOT EXISTS
                   (SELECT 1 FROM firings f WHERE f.id = o.firing AND f.state = 'open'))
                   ORDER BY o.created_at, o.id LIMIT $2)";
        self.db.execute(sql, args![before, TIDY_ROWS]).await?;
        Ok(())
    }
}

/// Writes one message within the transaction of what it tells of.
pub(crate) async fn add(
    tx: &mut Tx,
    firing: Option<Id<Firing>>,
    tell: &Tell,
    folds: bool,
    now: Timestamp,
) -> Result<Id<Message>, StoreError> {
    let channel = required("channel", &tell.channel, CHANNEL_MAX_CHARS)?;
    let group = bounded("group", &tell.group, GROUP_MAX_CHARS)?;
    if tell.payload.len() > PAYLOAD_MAX_BYTES || tell.payload.contains('\0') {
        let length = tell.payload.len();
        return Err(StoreError::Refused(format!(
            "a message of {length} bytes, {PAYLOAD_MAX_BYTES} without NUL allowed"
        )));
    }
    let turn = next_turn(tx, firing, &channel).await?;
    let id = Id::<Message>::generate();
    let sql = "INSERT INTO outbox (id, firing, channel, turn, kind, group_key, payload, folds, state, created_at,
               not_before, attempts) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9, $10, 0)";
    let firing = firing.map(|id| id.to_string());
    let not_before = tell.not_before.max(now);
    let values =
        args![id, firing, channel, turn, tell.kind.as_str(), group, tell.payload.as_str(), folds, now, not_before];
    tx.execute(sql, values).await?;
    Ok(id)
}

/// The place of the next message about a firing on a channel. The firing's row is locked by the caller's transaction.
async fn next_turn(tx: &mut Tx, firing: Option<Id<Firing>>, channel: &str) -> Result<i64, StoreError> {
    let Some(firing) = firing else { return Ok(0) };
    let sql = "SELECT MAX(turn) FROM outbox WHERE firing = $1 AND channel = $2";
    let last = tx.fetch_one(sql, args![firing, channel]).await?.map(|row| row.maybe_int(0)).transpose()?;
    Ok(last.flatten().unwrap_or(0) + 1)
}
