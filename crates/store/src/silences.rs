//! What is not told for a while, and why: silences, and windows of maintenance.
//!
//! Never without an end and a reason: a silence that lasts for ever is a rule to change. Both only keep messages back;
//! the firings are recorded and counted all the same.

use crate::StoreError;
use crate::db::{Db, Row, args};
use crate::text::required;
use base::{Clock, Id, ServiceName, Span, TimeRange, Timestamp};
use serde::{Deserialize, Serialize};

/// Longest that a silence lasts.
pub const SILENCE_MAX: Span = Span::from_seconds(31 * 86_400);
/// Longest that a maintenance lasts.
pub const MAINTENANCE_MAX: Span = Span::from_seconds(31 * 86_400);
const MATCHERS_MAX: usize = 20;
const TEXT_MAX_CHARS: usize = 500;
const LIST_MAX: i64 = 1000;
/// How long what has ended is kept: as long as a firing that it kept quiet.
const KEPT: Span = Span::from_seconds(400 * 86_400);

/// What a label has to be. The value may end in `*` for all that begin so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matcher {
    /// `rule`, `class`, `service`, or a label of the series.
    pub label: String,
    /// The value.
    pub value: String,
}

/// Firings that match all of this are not told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Silence {
    /// Never changes.
    pub id: Id<Silence>,
    /// All have to match.
    pub matchers: Vec<Matcher>,
    /// Why.
    pub reason: String,
    /// Who silenced it.
    pub who: String,
    /// Written when.
    pub created_at: Timestamp,
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// A time in which a service is worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Maintenance {
    /// Never changes.
    pub id: Id<Maintenance>,
    /// Which service; `None` for all.
    pub service: Option<ServiceName>,
    /// What is done.
    pub reason: String,
    /// Who announced it.
    pub who: String,
    /// Written when.
    pub created_at: Timestamp,
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// Writing and listing silences.
#[derive(Debug, Clone)]
pub struct Silences {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
}

/// Writing and listing windows of maintenance.
#[derive(Debug, Clone)]
pub struct Maintenances {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
}

impl Silences {
    /// Silences what matches, for at most 31 days.
    pub async fn add(
        &self,
        matchers: &[Matcher],
        range: TimeRange,
        reason: &str,
        who: &str,
    ) -> Result<Silence, StoreError> {
        check_range(range, SILENCE_MAX, self.clock.now())?;
        // Without a matcher it would silence everything, which is what an attacker wishes for first.
        if matchers.is_empty() || matchers.len() > MATCHERS_MAX {
            return Err(StoreError::Refused(format!("a silence has 1 to {MATCHERS_MAX} matchers")));
        }
        for matcher in matchers {
            required("label", &matcher.label, TEXT_MAX_CHARS)?;
            required("value", &matcher.value, TEXT_MAX_CHARS)?;
        }
        if matchers.iter().all(|matcher| matcher.value.trim() == "*") {
            return Err(StoreError::Refused("the silence matches everything; name at least one value".to_owned()));
        }
        let silence = Silence {
            id: Id::generate(),
            matchers: matchers.to_vec(),
            reason: required("reason", reason, TEXT_MAX_CHARS)?,
            who: required("name", who, TEXT_MAX_CHARS)?,
            created_at: self.clock.now(),
            from: range.from,
            until: range.to,
        };
        let json = serde_json::to_string(&silence.matchers)
            .map_err(|error| StoreError::Refused(format!("the matchers are no JSON: {error}")))?;
        let sql = "INSERT INTO silences (id, matchers, reason, who, created_at, starts_at, ends_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let (reason, who) = (silence.reason.as_str(), silence.who.as_str());
        let values = args![silence.id, json, reason, who, silence.created_at, silence.from, silence.until];
        self.db.execute(sql, values).await?;
        Ok(silence)
    }

    /// Ends it now, or before it begins. `false` when it has ended or is unknown.
    pub async fn end(&self, id: Id<Silence>) -> Result<bool, StoreError> {
        let sql = "UPDATE silences SET ends_at = $1 WHERE id = $2 AND ends_at > $1";
        Ok(self.db.execute(sql, args![self.clock.now(), id]).await? > 0)
    }

    /// Those that hold now or later, the first to end in front.
    pub async fn current(&self) -> Result<Vec<Silence>, StoreError> {
        self.within(TimeRange { from: self.clock.now(), to: Timestamp::from_micros(i64::MAX) }).await
    }

    /// Those that hold at some time within the range.
    pub async fn within(&self, range: TimeRange) -> Result<Vec<Silence>, StoreError> {
        let sql = "SELECT id, matchers, reason, who, created_at, starts_at, ends_at FROM silences
                   WHERE ends_at > $1 AND starts_at < $2 ORDER BY ends_at, id LIMIT $3";
        let rows = self.db.fetch(sql, args![range.from, range.to, LIST_MAX]).await?;
        rows.iter().map(read_silence).collect()
    }

    pub(crate) async fn tidy(&self) -> Result<(), StoreError> {
        let before = self.clock.now().plus_micros(-KEPT.micros());
        self.db.execute("DELETE FROM silences WHERE ends_at < $1", args![before]).await?;
        Ok(())
    }
}

impl Maintenances {
    /// Announces work on a service (or on all), for at most 31 days.
    pub async fn add(
        &self,
        service: Option<&ServiceName>,
        range: TimeRange,
        reason: &str,
        who: &str,
    ) -> Result<Maintenance, StoreError> {
        check_range(range, MAINTENANCE_MAX, self.clock.now())?;
        let maintenance = Maintenance {
            id: Id::generate(),
            service: service.cloned(),
            reason: required("reason", reason, TEXT_MAX_CHARS)?,
            who: required("name", who, TEXT_MAX_CHARS)?,
            created_at: self.clock.now(),
            from: range.from,
            until: range.to,
        };
        let sql = "INSERT INTO maintenances (id, service, reason, who, created_at, starts_at, ends_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let (reason, who) = (maintenance.reason.as_str(), maintenance.who.as_str());
        let values =
            args![maintenance.id, service, reason, who, maintenance.created_at, maintenance.from, maintenance.until];
        self.db.execute(sql, values).await?;
        Ok(maintenance)
    }

    /// Ends it now, or before it begins. `false` when it has ended or is unknown.
    pub async fn end(&self, id: Id<Maintenance>) -> Result<bool, StoreError> {
        let sql = "UPDATE maintenances SET ends_at = $1 WHERE id = $2 AND ends_at > $1";
        Ok(self.db.execute(sql, args![self.clock.now(), id]).await? > 0)
    }

    /// Those that hold now or later, the first to end in front.
    pub async fn current(&self) -> Result<Vec<Maintenance>, StoreError> {
        self.within(TimeRange { from: self.clock.now(), to: Timestamp::from_micros(i64::MAX) }).await
    }

    /// Those that hold at some time within the range, for the availability of a month for example.
    pub async fn within(&self, range: TimeRange) -> Result<Vec<Maintenance>, StoreError> {
        let sql = "SELECT id, service, reason, who, created_at, starts_at, ends_at FROM maintenances
                   WHERE ends_at > $1 AND starts_at < $2 ORDER BY ends_at, id LIMIT $3";
        let rows = self.db.fetch(sql, args![range.from, range.to, LIST_MAX]).await?;
        rows.iter().map(read_maintenance).collect()
    }

    pub(crate) async fn tidy(&self) -> Result<(), StoreError> {
        let before = self.clock.now().plus_micros(-KEPT.micros());
        self.db.execute("DELETE FROM maintenances WHERE ends_at < $1", args![before]).await?;
        Ok(())
    }
}

/// It ends, after it begins, after now, and not too late.
pub(crate) fn check_range(range: TimeRange, longest: Span, now: Timestamp) -> Result<(), StoreError> {
    if range.to <= range.from || range.to <= now {
        return Err(StoreError::Refused("it has to end after it begins, and after now".to_owned()));
    }
    if range.micros() > longest.micros() || !range.to.is_in_calendar() {
        return Err(StoreError::Refused(format!("it lasts too long; {longest} is the longest")));
    }
    Ok(())
}

fn read_silence(row: &Row) -> Result<Silence, StoreError> {
    let matchers = serde_json::from_str(&row.text(1)?)
        .map_err(|error| StoreError::Damaged { what: "the matchers of a silence", detail: error.to_string() })?;
    Ok(Silence {
        id: row.parsed(0, "a silence id")?,
        matchers,
        reason: row.text(2)?,
        who: row.text(3)?,
        created_at: row.time(4)?,
        from: row.time(5)?,
        until: row.time(6)?,
    })
}

fn read_maintenance(row: &Row) -> Result<Maintenance, StoreError> {
    Ok(Maintenance {
        id: row.parsed(0, "a maintenance id")?,
        service: row.maybe_parsed(1, "a service name")?,
        reason: row.text(2)?,
        who: row.text(3)?,
        created_at: row.time(4)?,
        from: row.time(5)?,
        until: row.time(6)?,
    })
}
