//! Which channels work, as far as the last messages tell.

use super::{ERROR_MAX_CHARS, Message, MessageKind, MessageState, Outbox, add};
use crate::StoreError;
use crate::db::{Row, Tx, args};
use crate::firings::{Firing, HistoryKind, Tell, note};
use crate::text::cut;
use base::{Id, Timestamp};
use serde::Serialize;

const CHANNELS_MAX: i64 = 1000;
const STUCK_MAX: i64 = 100;

/// How a channel is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChannelState {
    /// Its name.
    pub channel: String,
    /// Since when every message failed; `None` while it works, or before the first message.
    pub failing_since: Option<Timestamp>,
    /// When it last took a message.
    pub last_success_at: Option<Timestamp>,
    /// What it last said instead of taking one.
    pub last_error: Option<String>,
    /// When.
    pub last_error_at: Option<Timestamp>,
    /// When a test was last written.
    pub test_sent_at: Option<Timestamp>,
    /// When a person said that a test arrived: only then it counts as working.
    pub test_acknowledged_at: Option<Timestamp>,
    /// Who.
    pub test_acknowledged_by: Option<String>,
}

/// A test of a channel, and what became of it so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelTest {
    /// Never changes.
    pub id: Id<Message>,
    /// Which channel.
    pub channel: String,
    /// Where it is on its way. `pending` goes on being tried, `given_up` is over.
    pub state: MessageState,
    /// When it was written.
    pub created_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// Why it was not taken so far: what the channel said to it or, before it was tried, to the message that it takes
    /// its turn after.
    pub last_error: Option<String>,
    /// When a person said that it arrived.
    pub acknowledged_at: Option<Timestamp>,
    /// Who.
    pub acknowledged_by: Option<String>,
}

/// A message about an open alert that waits at a failing channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StuckMessage {
    /// Which one.
    pub id: Id<Message>,
    /// The firing.
    pub firing: Id<Firing>,
    /// What about.
    pub kind: MessageKind,
    /// Its group.
    pub group: String,
    /// What it is made of.
    pub payload: String,
    /// When it was written.
    pub created_at: Timestamp,
}

impl Outbox {
    /// All channels that a message was ever written for, by name.
    pub async fn channels(&self) -> Result<Vec<ChannelState>, StoreError> {
        let sql = "SELECT channel, failing_since, last_success_at, last_error, last_error_at, test_sent_at,
                   test_acknowledged_at, test_acknowledged_by FROM channel_states ORDER BY channel LIMIT $1";
        let rows = self.db.fetch(sql, args![CHANNELS_MAX]).await?;
        rows.iter().map(read).collect()
    }

    /// Names of channels for which messages wait, also of those that no configuration names any more.
    pub async fn waiting_channels(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT channel FROM outbox WHERE state = 'pending' ORDER BY channel LIMIT $1";
        let rows = self.db.fetch(sql, args![CHANNELS_MAX]).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// When something may be due for a channel next: the worker's alarm clock. `None` when nothing waits.
    pub async fn next_at(&self, channel: &str) -> Result<Option<Timestamp>, StoreError> {
        // What waits for an earlier message about the same firing is due with that one.
        let sql = "SELECT MIN(CASE WHEN o.claimed_until > o.not_before THEN o.claimed_until ELSE o.not_before END)
                   FROM outbox o WHERE o.channel = $1 AND o.state = 'pending'
                   AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.firing = o.firing AND e.channel = o.channel
                                   AND e.state = 'pending' AND e.turn < o.turn)";
        self.db.fetch_one(sql, args![channel]).await?.map_or(Ok(None), |row| row.maybe_time(0))
    }

    /// Messages about alerts that are still open and unacknowledged, written for this channel and not taken, for which
    /// no other channel was told instead. The oldest first, at most 100.
    pub async fn stuck(&self, channel: &str) -> Result<Vec<StuckMessage>, StoreError> {
        let sql = "SELECT o.id, o.firing, o.kind, o.group_key, o.payload, o.created_at FROM outbox o
                   JOIN firings f ON f.id = o.firing
                   WHERE o.channel = $1 AND o.state = 'pending' AND o.fell_back_to IS NULL
                   AND o.kind IN ('fire', 'escalate') AND f.class = 'alert' AND f.state = 'open'
                   AND f.acknowledged_at IS NULL ORDER BY o.not_before, o.id LIMIT $2";
        let rows = self.db.fetch(sql, args![channel, STUCK_MAX]).await?;
        let read = |row: &Row| {
            Ok(StuckMessage {
                id: row.parsed(0, "a message id")?,
                firing: row.parsed(1, "a firing id")?,
                kind: row.parsed(2, "a kind of message")?,
                group: row.text(3)?,
                payload: row.text(4)?,
                created_at: row.time(5)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Tells another channel instead of the one that fails. The message stays where it was and is sent once when that
    /// channel works again. `false` when it was taken meanwhile, told elsewhere, or its firing has ended.
    pub async fn fall_back(&self, stuck: &StuckMessage, tell: &Tell) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        // Locks the firing's row first, in the order in which its end does, and only while it is open.
        let sql = "UPDATE firings SET told = 1 WHERE id = $1 AND state = 'open'";
        if tx.execute(sql, args![stuck.firing]).await? == 0 {
            return Ok(false);
        }
        let sql = "UPDATE outbox SET fell_back_to = $1 WHERE id = $2 AND state = 'pending' AND fell_back_to IS NULL";
        if tx.execute(sql, args![tell.channel.as_str(), stuck.id]).await? == 0 {
            return Ok(false);
        }
        add(&mut tx, Some(stuck.firing), tell, false, now).await?;
        note(&mut tx, stuck.firing, now, HistoryKind::FellBack, None, Some(&tell.channel)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// How a test stands. `None` when this is no test, or one of long ago.
    pub async fn test(&self, test: Id<Message>) -> Result<Option<ChannelTest>, StoreError> {
        // Who acknowledged it is known of the channel's last test only; an older one can't be acknowledged any more.
        let sql = "SELECT o.id, o.channel, o.state, o.created_at, o.attempts,
                   CASE WHEN o.state = 'pending' AND c.failing_since IS NOT NULL
                        THEN COALESCE(o.last_error, c.last_error) ELSE o.last_error END,
                   CASE WHEN c.test_message = o.id AND c.test_acknowledged_at >= c.test_sent_at
                        THEN c.test_acknowledged_at END,
                   CASE WHEN c.test_message = o.id AND c.test_acknowledged_at >= c.test_sent_at
                        THEN c.test_acknowledged_by END
                   FROM outbox o LEFT JOIN channel_states c ON c.channel = o.channel
                   WHERE o.id = $1 AND o.kind = 'test'";
        let row = self.db.fetch_one(sql, args![test]).await?;
        let read = |row: Row| {
            Ok(ChannelTest {
                id: row.parsed(0, "a message id")?,
                channel: row.text(1)?,
                state: row.parsed(2, "a state of a message")?,
                created_at: row.time(3)?,
                attempts: row.int(4)?,
                last_error: row.maybe_text(5)?,
                acknowledged_at: row.maybe_time(6)?,
                acknowledged_by: row.maybe_text(7)?,
            })
        };
        row.map(read).transpose()
    }

    /// A person says that the test arrived. `None` when this is no test, or not the last one of its channel; else the
    /// channel's name.
    pub async fn acknowledge_test(&self, test: Id<Message>, by: &str) -> Result<Option<String>, StoreError> {
        let mut tx = self.db.begin().await?;
        let sql = "SELECT channel FROM channel_states WHERE test_message = $1";
        let Some(row) = tx.fetch_one(sql, args![test]).await? else { return Ok(None) };
        let channel = row.text(0)?;
        let sql = "UPDATE channel_states SET test_acknowledged_at = $1, test_acknowledged_by = $2 WHERE channel = $3";
        tx.execute(sql, args![self.clock.now(), cut(by, 200), channel.as_str()]).await?;
        tx.commit().await?;
        Ok(Some(channel))
    }
}

fn read(row: &Row) -> Result<ChannelState, StoreError> {
    Ok(ChannelState {
        channel: row.text(0)?,
        failing_since: row.maybe_time(1)?,
        last_success_at: row.maybe_time(2)?,
        last_error: row.maybe_text(3)?,
        last_error_at: row.maybe_time(4)?,
        test_sent_at: row.maybe_time(5)?,
        test_acknowledged_at: row.maybe_time(6)?,
        test_acknowledged_by: row.maybe_text(7)?,
    })
}

pub(super) async fn succeeded(tx: &mut Tx, channel: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "SELECT failing_since FROM channel_states WHERE channel = $1";
    let failed = tx.fetch_one(sql, args![channel]).await?.map(|row| row.maybe_int(0)).transpose()?.flatten();
    let sql = "INSERT INTO channel_states (channel, last_success_at) VALUES ($1, $2)
               ON CONFLICT (channel) DO UPDATE SET failing_since = NULL, last_success_at = excluded.last_success_at";
    tx.execute(sql, args![channel, now]).await?;
    if failed.is_some() {
        // It works again: what waited for its next try needn't wait any longer.
        let sql = "UPDATE outbox SET not_before = $1 WHERE channel = $2 AND state = 'pending' AND attempts > 0
                   AND not_before > $1 AND claim IS NULL";
        tx.execute(sql, args![now, channel]).await?;
    }
    Ok(())
}

pub(super) async fn failed(tx: &mut Tx, channel: &str, error: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO channel_states (channel, failing_since, last_error, last_error_at) VALUES ($1, $2, $3, $2)
               ON CONFLICT (channel) DO UPDATE SET last_error = excluded.last_error,
               last_error_at = excluded.last_error_at,
               failing_since = COALESCE(channel_states.failing_since, excluded.failing_since)";
    tx.execute(sql, args![channel, now, cut(error, ERROR_MAX_CHARS)]).await?;
    Ok(())
}

pub(super) async fn test_sent(tx: &mut Tx, channel: &str, id: Id<Message>, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO channel_states (channel, test_sent_at, test_message) VALUES ($1, $2, $3)
               ON CONFLICT (channel) DO UPDATE SET test_sent_at = excluded.test_sent_at,
               test_message = excluded.test_message";
    tx.execute(sql, args![channel, now, id]).await?;
    Ok(())
}
