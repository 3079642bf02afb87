//! What became of a message that was sent.

use super::{Batch, ERROR_MAX_CHARS, Outbox, health};
use crate::StoreError;
use crate::db::{Tx, args};
use crate::firings::{HistoryKind, LinkKind, link_in, note};
use crate::text::cut;
use base::Timestamp;

impl Outbox {
    /// Books that the channel took the batch. Right even when the lease has ended meanwhile: it was sent. `issue` is
    /// what the receiver made of it (`owner/repo#12`), to which its firings are linked.
    pub async fn delivered(&self, batch: &Batch, issue: Option<&str>) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        for message in &batch.messages {
            let sql = "UPDATE outbox SET state = 'delivered', delivered_at = $1, claim = NULL, claimed_until = NULL,
                       last_error = NULL WHERE id = $2 AND state IN ('pending', 'folded')";
            if tx.execute(sql, args![now, message.id]).await? == 0 {
                continue;
            }
            let Some(firing) = message.firing else { continue };
            let said = format!("{}: {}", batch.channel, batch.kind.as_str());
            note(&mut tx, firing, now, HistoryKind::Delivered, None, Some(&said)).await?;
            if let Some(issue) = issue {
                link_in(&mut tx, firing, LinkKind::Issue, issue, None, now).await?;
            }
        }
        health::succeeded(&mut tx, &batch.channel, now).await?;
        tx.commit().await
    }

    /// Books that it has to be tried again at `at`; the channel counts as failing from the first such time on.
    pub async fn retry(&self, batch: &Batch, at: Timestamp, error: &str) -> Result<(), StoreError> {
        let now = self.clock.now();
        let error = cut(error, ERROR_MAX_CHARS);
        let mut tx = self.db.begin().await?;
        for message in &batch.messages {
            let sql = "UPDATE outbox SET not_before = $1, last_error = $2, claim = NULL, claimed_until = NULL
                       WHERE id = $3 AND state = 'pending' AND claim = $4";
            tx.execute(sql, args![at.max(now), error.as_str(), message.id, batch.claim.as_str()]).await?;
        }
        health::failed(&mut tx, &batch.channel, &error, now).await?;
        tx.commit().await
    }

    /// Hands a batch back untouched: it was claimed and not sent, because the program stops for example.
    pub async fn release(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        for message in &batch.messages {
            let sql = "UPDATE outbox SET attempts = attempts - 1, claim = NULL, claimed_until = NULL
                       WHERE id = $1 AND state = 'pending' AND claim = $2";
            tx.execute(sql, args![message.id, batch.claim.as_str()]).await?;
        }
        tx.commit().await
    }

    /// Books that it is not tried any more. The firing's history says so, because somebody was not told.
    pub async fn give_up(&self, batch: &Batch, error: &str) -> Result<(), StoreError> {
        let now = self.clock.now();
        let error = cut(error, ERROR_MAX_CHARS);
        let mut tx = self.db.begin().await?;
        for message in &batch.messages {
            give_up_one(&mut tx, batch, message, &error, now).await?;
        }
        health::failed(&mut tx, &batch.channel, &error, now).await?;
        tx.commit().await
    }
}

async fn give_up_one(
    tx: &mut Tx,
    batch: &Batch,
    message: &super::Message,
    error: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE outbox SET state = 'given_up', given_up_at = $1, last_error = $2, claim = NULL,
               claimed_until = NULL WHERE id = $3 AND state = 'pending' AND claim = $4";
    let written = tx.execute(sql, args![now, error, message.id, batch.claim.as_str()]).await?;
    match message.firing {
        Some(firing) if written > 0 => {
            let said = format!("{}: {error}", batch.channel);
            note(tx, firing, now, HistoryKind::GivenUp, None, Some(&said)).await
        }
        _ => Ok(()),
    }
}
