//! The end of a firing goes where its beginning went.

use super::{LONGEST_WAIT, MessageKind, MessageState, add};
use crate::StoreError;
use crate::db::{Row, Tx, args};
use crate::firings::{Firing, Tell};
use base::{Id, Timestamp};
use std::collections::BTreeMap;

/// What a channel has been told of a firing since the last end.
#[derive(Default)]
struct Told {
    group: String,
    /// Taken, or just being sent.
    known: bool,
    /// Written, and certainly not being sent now.
    waiting: Vec<String>,
}

/// Writes the end for every channel that knows of the beginning, or was about to. What such a channel has not been told
/// yet is told in the same message, which says so: nobody hears of an alert that is over as if it were news.
pub(crate) async fn tell_the_end(
    tx: &mut Tx,
    firing: Id<Firing>,
    payload: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    for (channel, mut told) in told_so_far(tx, firing, now).await? {
        let mut folded = false;
        for id in std::mem::take(&mut told.waiting) {
            // Unless a sender took it since it was read (PostgreSQL): then it counts as being sent.
            let sql = "UPDATE outbox SET state = 'folded' WHERE id = $1 AND state = 'pending'
                       AND (claimed_until IS NULL OR claimed_until <= $2 OR claimed_until > $3)";
            let far = now.plus_micros(LONGEST_WAIT.micros());
            if tx.execute(sql, args![id, now, far]).await? > 0 {
                folded = true;
            } else {
                told.known = true;
            }
        }
        if folded || told.known {
            let tell = Tell {
                channel,
                kind: MessageKind::Resolve,
                group: told.group,
                not_before: now,
                payload: payload.to_owned(),
            };
            add(tx, Some(firing), &tell, folded && !told.known, now).await?;
        }
    }
    Ok(())
}

async fn told_so_far(tx: &mut Tx, firing: Id<Firing>, now: Timestamp) -> Result<BTreeMap<String, Told>, StoreError> {
    let sql = "SELECT id, channel, kind, group_key, state, claimed_until FROM outbox WHERE firing = $1
               ORDER BY channel, turn";
    let far = now.plus_micros(LONGEST_WAIT.micros());
    let mut channels = BTreeMap::<String, Told>::new();
    for row in tx.fetch(sql, args![firing]).await? {
        let kind: MessageKind = row.parsed(2, "a kind of message")?;
        let told = channels.entry(row.text(1)?).or_default();
        if kind == MessageKind::Resolve {
            // The end of an earlier time (a ticket that fires again): the channel starts anew.
            *told = Told::default();
            continue;
        }
        told.group = row.text(3)?;
        match row.parsed(4, "a state of a message")? {
            MessageState::Delivered => told.known = true,
            MessageState::Pending if is_being_sent(&row, now, far)? => told.known = true,
            MessageState::Pending => told.waiting.push(row.text(0)?),
            MessageState::GivenUp | MessageState::Folded => {}
        }
    }
    Ok(channels)
}

fn is_being_sent(row: &Row, now: Timestamp, far: Timestamp) -> Result<bool, StoreError> {
    Ok(row.maybe_time(5)?.is_some_and(|until| now < until && until <= far))
}
