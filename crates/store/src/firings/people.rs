//! What people do with a firing: take it, write about it, say what came of it, link it.

use super::model::{Firing, FiringLink, HistoryEntry, HistoryKind, LinkKind, Outcome};
use super::{Firings, note};
use crate::StoreError;
use crate::changes::Change;
use crate::db::{Row, Tx, args};
use crate::text::{bounded, required};
use base::{Id, Timestamp};

/// Most entries of a firing's history, which also bounds the notes that people can write.
pub const HISTORY_MAX: i64 = 2000;
/// Most links of a firing.
pub const LINKS_MAX: i64 = 200;
const NAME_MAX_CHARS: usize = 200;
const NOTE_MAX_CHARS: usize = 10_000;
const WHY_MAX_CHARS: usize = 1000;
const TARGET_MAX_CHARS: usize = 2000;

impl Firings {
    /// Somebody takes it: the escalation stops. `false` when it was taken already (the first one stays) or is unknown.
    pub async fn acknowledge(&self, id: Id<Firing>, by: &str) -> Result<bool, StoreError> {
        let (by, now) = (required("name", by, NAME_MAX_CHARS)?, self.clock.now());
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE firings SET acknowledged_at = $1, acknowledged_by = $2, escalate_at = NULL
                   WHERE id = $3 AND acknowledged_at IS NULL";
        if tx.execute(sql, args![now, by.as_str(), id]).await? == 0 {
            return Ok(false);
        }
        note(&mut tx, id, now, HistoryKind::Acknowledged, Some(&by), None).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Somebody writes about it. `false` when it is unknown.
    pub async fn add_note(&self, id: Id<Firing>, by: &str, text: &str) -> Result<bool, StoreError> {
        let (by, now) = (required("name", by, NAME_MAX_CHARS)?, self.clock.now());
        let text = required("note", text, NOTE_MAX_CHARS)?;
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE firings SET notes = notes + 1 WHERE id = $1";
        if tx.execute(sql, args![id]).await? == 0 {
            return Ok(false);
        }
        let row = tx.fetch_one("SELECT COUNT(*) FROM firing_history WHERE firing = $1", args![id]).await?;
        if row.map_or(Ok(0), |row| row.int(0))? >= HISTORY_MAX {
            return Err(StoreError::Refused(format!("the firing has {HISTORY_MAX} entries already; write elsewhere")));
        }
        note(&mut tx, id, now, HistoryKind::Note, Some(&by), Some(&text)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Somebody says what came of it; the last word counts. That no action was needed has to be explained, because the
    /// reason is what the rule is corrected by. `false` when the firing is unknown.
    pub async fn set_outcome(
        &self,
        id: Id<Firing>,
        outcome: Outcome,
        why: Option<&str>,
        by: &str,
    ) -> Result<bool, StoreError> {
        let (by, now) = (required("name", by, NAME_MAX_CHARS)?, self.clock.now());
        let why = why.map(str::trim).filter(|why| !why.is_empty());
        let why = why.map(|why| bounded("reason", why, WHY_MAX_CHARS)).transpose()?;
        if outcome == Outcome::NoActionNeeded && why.is_none() {
            return Err(StoreError::Refused("say in a few words why no action was needed".to_owned()));
        }
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE firings SET outcome = $1, outcome_why = $2, outcome_by = $3, outcome_at = $4 WHERE id = $5";
        if tx.execute(sql, args![outcome.as_str(), why.clone(), by.as_str(), now, id]).await? == 0 {
            return Ok(false);
        }
        let said = why.map_or_else(|| outcome.as_str().to_owned(), |why| format!("{}: {why}", outcome.as_str()));
        note(&mut tx, id, now, HistoryKind::Outcome, Some(&by), Some(&said)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// A healing policy put it right, unless a person said something else. `false` when a person did, or it is unknown.
    pub async fn set_healed(&self, id: Id<Firing>, why: &str) -> Result<bool, StoreError> {
        let (why, now) = (bounded("reason", why, WHY_MAX_CHARS)?, self.clock.now());
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE firings SET outcome = 'healed', outcome_why = $1, outcome_at = $2
                   WHERE id = $3 AND outcome_by IS NULL";
        if tx.execute(sql, args![why.as_str(), now, id]).await? == 0 {
            return Ok(false);
        }
        note(&mut tx, id, now, HistoryKind::Outcome, None, Some(&format!("healed: {why}"))).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Somebody else answers for it. `false` when it is unknown.
    pub async fn assign(&self, id: Id<Firing>, owner: &str, by: &str) -> Result<bool, StoreError> {
        let (by, now) = (required("name", by, NAME_MAX_CHARS)?, self.clock.now());
        let owner = required("owner", owner, NAME_MAX_CHARS)?;
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE firings SET owner = $1 WHERE id = $2";
        if tx.execute(sql, args![owner.as_str(), id]).await? == 0 {
            return Ok(false);
        }
        note(&mut tx, id, now, HistoryKind::Assigned, Some(&by), Some(&owner)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// What happened to it, from the beginning on.
    pub async fn history(&self, id: Id<Firing>) -> Result<Vec<HistoryEntry>, StoreError> {
        let sql = "SELECT id, at, kind, who, detail FROM firing_history WHERE firing = $1 ORDER BY at, id LIMIT $2";
        let rows = self.db.fetch(sql, args![id, HISTORY_MAX]).await?;
        let read = |row: &Row| {
            Ok(HistoryEntry {
                id: row.parsed(0, "a history id")?,
                at: row.time(1)?,
                kind: row.parsed(2, "a kind of history")?,
                who: row.maybe_text(3)?,
                detail: row.maybe_text(4)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Links it to something; `false` when it was linked already or is unknown.
    pub async fn link(
        &self,
        id: Id<Firing>,
        kind: LinkKind,
        target: &str,
        by: Option<&str>,
    ) -> Result<bool, StoreError> {
        let target = check_target(kind, target)?;
        let mut tx = self.db.begin().await?;
        if tx.execute("UPDATE firings SET notes = notes WHERE id = $1", args![id]).await? == 0 {
            return Ok(false);
        }
        let row = tx.fetch_one("SELECT COUNT(*) FROM firing_links WHERE firing = $1", args![id]).await?;
        if row.map_or(Ok(0), |row| row.int(0))? >= LINKS_MAX {
            return Err(StoreError::Refused(format!("the firing has {LINKS_MAX} links already; remove one first")));
        }
        let linked = link_in(&mut tx, id, kind, &target, by, self.clock.now()).await?;
        tx.commit().await?;
        Ok(linked)
    }

    /// Removes a link; `false` when there was none.
    pub async fn unlink(&self, id: Id<Firing>, kind: LinkKind, target: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM firing_links WHERE firing = $1 AND kind = $2 AND target = $3";
        Ok(self.db.execute(sql, args![id, kind.as_str(), target]).await? > 0)
    }

    /// What it is linked to, in the order in which it was linked.
    pub async fn links(&self, id: Id<Firing>) -> Result<Vec<FiringLink>, StoreError> {
        let sql = "SELECT kind, target, at, who FROM firing_links WHERE firing = $1 ORDER BY at, kind, target LIMIT $2";
        let rows = self.db.fetch(sql, args![id, LINKS_MAX]).await?;
        let read = |row: &Row| {
            Ok(FiringLink {
                kind: row.parsed(0, "a kind of link")?,
                target: row.text(1)?,
                at: row.time(2)?,
                who: row.maybe_text(3)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Which firings are linked to this, the newest links first, at most 200.
    pub async fn linked_to(&self, kind: LinkKind, target: &str) -> Result<Vec<Id<Firing>>, StoreError> {
        let sql = "SELECT firing FROM firing_links WHERE kind = $1 AND target = $2 ORDER BY at DESC, firing LIMIT $3";
        let rows = self.db.fetch(sql, args![kind.as_str(), target, LINKS_MAX]).await?;
        rows.iter().map(|row| row.parsed(0, "a firing id")).collect()
    }
}

/// Links within a transaction; `false` when it was linked already.
pub(crate) async fn link_in(
    tx: &mut Tx,
    id: Id<Firing>,
    kind: LinkKind,
    target: &str,
    by: Option<&str>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO firing_links (firing, kind, target, at, who) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (firing, kind, target) DO NOTHING";
    if tx.execute(sql, args![id, kind.as_str(), target, now, by]).await? == 0 {
        return Ok(false);
    }
    let said = format!("{}: {target}", kind.as_str());
    note(tx, id, now, HistoryKind::Linked, by, Some(&said)).await?;
    Ok(true)
}

/// What a link may point at. A page makes a link of it, so an address is http or https and nothing else.
fn check_target(kind: LinkKind, target: &str) -> Result<String, StoreError> {
    let target = required("target of the link", target, TARGET_MAX_CHARS)?;
    let fits = match kind {
        LinkKind::Firing => target.parse::<Id<Firing>>().is_ok(),
        LinkKind::Change => target.parse::<Id<Change>>().is_ok(),
        LinkKind::ErrorGroup => target.len() <= 100,
        LinkKind::Url => target.starts_with("https://") || target.starts_with("http://"),
        LinkKind::Issue => target.rsplit_once('#').is_some_and(|(repo, number)| {
            repo.split('/').filter(|part| !part.is_empty()).count() == 2 && number.parse::<u64>().is_ok()
        }),
    };
    if fits {
        Ok(target)
    } else {
        Err(StoreError::Refused(format!("{target:?} is no target of a link of kind {}", kind.as_str())))
    }
}
