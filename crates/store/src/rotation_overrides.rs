//! Who takes over whose turn on duty.
//!
//! The rotation itself is configuration; what people swap at run time is here.

use crate::StoreError;
use crate::db::{Db, Row, args};
use crate::silences::check_range;
use crate::text::{bounded, required};
use base::{Clock, Id, Span, TimeRange, Timestamp};
use serde::Serialize;

/// Longest that one override lasts.
pub const OVERRIDE_MAX: Span = Span::from_seconds(92 * 86_400);
const TEXT_MAX_CHARS: usize = 200;
const LIST_MAX: i64 = 1000;
const KEPT: Span = Span::from_seconds(400 * 86_400);

/// Somebody is on duty in place of whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RotationOverride {
    /// Never changes.
    pub id: Id<RotationOverride>,
    /// The rotation's name.
    pub rotation: String,
    /// Who is on duty.
    pub person: String,
    /// Why, if anybody said.
    pub reason: Option<String>,
    /// Who wrote it.
    pub who: String,
    /// Written when; of two that overlap the later one counts.
    pub created_at: Timestamp,
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// Writing and listing overrides.
#[derive(Debug, Clone)]
pub struct RotationOverrides {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
}

impl RotationOverrides {
    /// Puts a person on duty for a while.
    pub async fn add(
        &self,
        rotation: &str,
        person: &str,
        range: TimeRange,
        reason: Option<&str>,
        who: &str,
    ) -> Result<RotationOverride, StoreError> {
        check_range(range, OVERRIDE_MAX, self.clock.now())?;
        let added = RotationOverride {
            id: Id::generate(),
            rotation: required("rotation", rotation, TEXT_MAX_CHARS)?,
            person: required("person", person, TEXT_MAX_CHARS)?,
            reason: reason.map(|reason| bounded("reason", reason, TEXT_MAX_CHARS)).transpose()?,
            who: required("name", who, TEXT_MAX_CHARS)?,
            created_at: self.clock.now(),
            from: range.from,
            until: range.to,
        };
        let sql = "INSERT INTO rotation_overrides (id, rotation, person, reason, who, created_at, starts_at, ends_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let values = args![
            added.id,
            added.rotation.as_str(),
            added.person.as_str(),
            added.reason.clone(),
            added.who.as_str(),
            added.created_at,
            added.from,
            added.until,
        ];
        self.db.execute(sql, values).await?;
        Ok(added)
    }

    /// Takes it back. `false` when there is none.
    pub async fn remove(&self, id: Id<RotationOverride>) -> Result<bool, StoreError> {
        Ok(self.db.execute("DELETE FROM rotation_overrides WHERE id = $1", args![id]).await? > 0)
    }

    /// Those of a rotation that hold at some time within the range, in the order in which they were written.
    pub async fn within(&self, rotation: &str, range: TimeRange) -> Result<Vec<RotationOverride>, StoreError> {
        let sql = "SELECT id, rotation, person, reason, who, created_at, starts_at, ends_at FROM rotation_overrides
                   WHERE rotation = $1 AND ends_at > $2 AND starts_at < $3 ORDER BY created_at, id LIMIT $4";
        let rows = self.db.fetch(sql, args![rotation, range.from, range.to, LIST_MAX]).await?;
        rows.iter().map(read).collect()
    }

    pub(crate) async fn tidy(&self) -> Result<(), StoreError> {
        let before = self.clock.now().plus_micros(-KEPT.micros());
        self.db.execute("DELETE FROM rotation_overrides WHERE ends_at < $1", args![before]).await?;
        Ok(())
    }
}

fn read(row: &Row) -> Result<RotationOverride, StoreError> {
    Ok(RotationOverride {
        id: row.parsed(0, "an override id")?,
        rotation: row.text(1)?,
        person: row.text(2)?,
        reason: row.maybe_text(3)?,
        who: row.text(4)?,
        created_at: row.time(5)?,
        from: row.time(6)?,
        until: row.time(7)?,
    })
}
