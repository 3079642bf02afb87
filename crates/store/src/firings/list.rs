//! Pages of firings. Every order has its index, and a page goes on after the last row of the one before, so that the
//! thousandth page of a million firings costs as much as the first.

use super::Firings;
use super::model::{Firing, FiringClass, FiringState, read_firing, select_firing};
use crate::StoreError;
use crate::db::{Row, args};
use base::{Id, ServiceName, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Most firings that one question answers.
pub const FIRINGS_LIST_MAX: u32 = 500;
/// Open firings at one start: more is no state that anybody could act on.
const OPEN_MAX: i64 = 100_000;

/// Where a page ended: the time and the id of its last row. Written `<microseconds>_<id>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PageKey {
    pub(crate) at: Timestamp,
    pub(crate) id: String,
}
impl Default for PageKey {
    /// Before the first row of an order that goes from new to old.
    fn default() -> Self {
        Self { at: Timestamp::from_micros(i64::MAX), id: "z".to_owned() }
    }
}
impl PageKey {
    /// After the row with this time and id.
    pub fn after<T>(at: Timestamp, id: Id<T>) -> Self {
        Self { at, id: id.to_string() }
    }

    /// Before the first row that lies before a moment, of an order that goes from new to old. Not to be given out: it names
    /// no row.
    pub fn before(at: Timestamp) -> Self {
        Self { at, id: String::new() }
    }

    /// Before the first row of an order that goes from old to new.
    pub(crate) fn oldest() -> Self {
        Self { at: Timestamp::from_micros(i64::MIN), id: String::new() }
    }
}
impl fmt::Display for PageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.at.micros(), self.id)
    }
}
impl FromStr for PageKey {
    type Err = StoreError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let parsed = raw.split_once('_').and_then(|(at, id)| {
            let id: Id<Firing> = id.parse().ok()?;
            Some(Self { at: Timestamp::from_micros(at.parse().ok()?), id: id.to_string() })
        });
        parsed.ok_or_else(|| StoreError::Refused("the cursor is none that was given out; start without one".to_owned()))
    }
}
impl TryFrom<String> for PageKey {
    type Error = StoreError;

    fn try_from(raw: String) -> Result<Self, Self::Error> {
        raw.parse()
    }
}
impl From<PageKey> for String {
    fn from(key: PageKey) -> Self {
        key.to_string()
    }
}

/// Whose firings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FiringScope {
    /// All of a class.
    Class(FiringClass),
    /// Of a class, about one service.
    Service(FiringClass, ServiceName),
    /// Of one rule.
    Rule(String),
}

/// Which firings, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiringsQuery {
    /// Whose.
    pub scope: FiringScope,
    /// In which state; `None` for both.
    pub state: Option<FiringState>,
    /// Where the page before ended.
    pub page: Option<PageKey>,
    /// At most so many, and never more than 500.
    pub limit: u32,
}

/// A page of firings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FiringPage {
    /// The newest first.
    pub firings: Vec<Firing>,
    /// Where the next page starts; `None` after the last row.
    pub next: Option<PageKey>,
}

/// What an engine needs to go on after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFiring {
    /// Which.
    pub id: Id<Firing>,
    /// The rule's name.
    pub rule: String,
    /// Its class.
    pub class: FiringClass,
    /// The service, if about one.
    pub service: Option<ServiceName>,
    /// Which series.
    pub series: String,
    /// Since when.
    pub started_at: Timestamp,
    /// Whether anybody was told.
    pub told: bool,
}

/// The statement for one scope: any state, open only, resolved only. The state is part of the text, so that the index
/// over open firings can be used.
macro_rules! by_state {
    ($state:expr, $scope:literal, $order:literal) => {
        match $state {
            None => select_firing!($scope, $order),
            Some(FiringState::Open) => select_firing!($scope, " AND state = 'open' ", $order),
            Some(FiringState::Resolved) => select_firing!($scope, " AND state = 'resolved' ", $order),
        }
    };
}

impl Firings {
    /// A page of firings.
    pub async fn list(&self, query: &FiringsQuery) -> Result<FiringPage, StoreError> {
        let page = query.page.clone().unwrap_or_default();
        let limit = query.limit.clamp(1, FIRINGS_LIST_MAX);
        let rows = i64::from(limit) + 1;
        let found = match &query.scope {
            FiringScope::Class(class) => {
                let sql = class_sql(query.state);
                self.db.fetch(sql, args![class.as_str(), page.at, page.id, rows]).await?
            }
            FiringScope::Service(class, service) => {
                let sql = service_sql(query.state);
                self.db.fetch(sql, args![service, class.as_str(), page.at, page.id, rows]).await?
            }
            FiringScope::Rule(rule) => {
                let sql = rule_sql(query.state);
                self.db.fetch(sql, args![rule.as_str(), page.at, page.id, rows]).await?
            }
        };
        self::page(&found, limit, |firing| PageKey::after(firing.started_at, firing.id))
    }

    /// One firing.
    pub async fn get(&self, id: Id<Firing>) -> Result<Option<Firing>, StoreError> {
        let row = self.db.fetch_one(select_firing!("WHERE id = $1"), args![id]).await?;
        row.as_ref().map(read_firing).transpose()
    }

    /// What fires now, the oldest first: where an engine goes on after a restart.
    pub async fn open(&self) -> Result<Vec<OpenFiring>, StoreError> {
        let sql = "SELECT id, rule, class, service, series, started_at, told FROM firings WHERE state = 'open'
                   ORDER BY started_at, id LIMIT $1";
        let rows = self.db.fetch(sql, args![OPEN_MAX]).await?;
        let read = |row: &Row| {
            Ok(OpenFiring {
                id: row.parsed(0, "a firing id")?,
                rule: row.text(1)?,
                class: row.parsed(2, "a class")?,
                service: row.maybe_parsed(3, "a service name")?,
                series: row.text(4)?,
                started_at: row.time(5)?,
                told: row.int(6)? != 0,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Open firings of which nobody was told: to be looked at again when a silence or a maintenance ends.
    pub async fn untold(&self, limit: u32) -> Result<Vec<Firing>, StoreError> {
        let sql = select_firing!("WHERE state = 'open' AND told = 0 ORDER BY started_at, id LIMIT $1");
        let rows = self.db.fetch(sql, args![i64::from(limit.min(FIRINGS_LIST_MAX))]).await?;
        rows.iter().map(read_firing).collect()
    }

    /// Open firings whose next step of the escalation is due.
    pub async fn to_escalate(&self, limit: u32) -> Result<Vec<Firing>, StoreError> {
        let sql = select_firing!(
            "WHERE state = 'open' AND escalate_at IS NOT NULL AND escalate_at <= $1
             ORDER BY escalate_at, id LIMIT $2"
        );
        let rows = self.db.fetch(sql, args![self.clock.now(), i64::from(limit.min(FIRINGS_LIST_MAX))]).await?;
        rows.iter().map(read_firing).collect()
    }

    /// A page of told tickets whose due date has passed since anybody was last reminded of it: once for each due date. One
    /// that is kept quiet stays among them, so the others are on the pages after it.
    pub async fn to_remind(&self, after: Option<&PageKey>, limit: u32) -> Result<FiringPage, StoreError> {
        let sql = select_firing!(
            "WHERE state = 'open' AND class = 'ticket' AND told = 1 AND due_at <= $1 AND (progress IS NULL OR progress <> 'done')
             AND (due_at, id) > ($2, $3)
             AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.firing = firings.id AND o.kind = 'remind'
                             AND o.created_at >= firings.due_at)
             ORDER BY due_at, id LIMIT $4"
        );
        let after = after.cloned().unwrap_or_else(PageKey::oldest);
        let limit = limit.clamp(1, FIRINGS_LIST_MAX);
        let rows = self.db.fetch(sql, args![self.clock.now(), after.at, after.id, i64::from(limit) + 1]).await?;
        page(&rows, limit, |ticket| PageKey::after(ticket.due_at.unwrap_or_default(), ticket.id))
    }
}

/// All statements, for the test that looks at their plans.
#[cfg(test)]
pub(crate) fn statements(state: Option<FiringState>) -> [&'static str; 3] {
    [class_sql(state), service_sql(state), rule_sql(state)]
}

fn class_sql(state: Option<FiringState>) -> &'static str {
    by_state!(state, "WHERE class = $1 AND (started_at, id) < ($2, $3)", " ORDER BY started_at DESC, id DESC LIMIT $4")
}

fn service_sql(state: Option<FiringState>) -> &'static str {
    by_state!(
        state,
        "WHERE service = $1 AND class = $2 AND (started_at, id) < ($3, $4)",
        " ORDER BY started_at DESC, id DESC LIMIT $5"
    )
}

fn rule_sql(state: Option<FiringState>) -> &'static str {
    by_state!(state, "WHERE rule = $1 AND (started_at, id) < ($2, $3)", " ORDER BY started_at DESC, id DESC LIMIT $4")
}

/// A page out of one row more than fits on it.
pub(crate) fn page(rows: &[Row], limit: u32, key: impl Fn(&Firing) -> PageKey) -> Result<FiringPage, StoreError> {
    let mut firings = rows.iter().map(read_firing).collect::<Result<Vec<_>, _>>()?;
    let more = firings.len() > limit as usize;
    firings.truncate(limit as usize);
    let next = firings.last().filter(|_| more).map(key);
    Ok(FiringPage { firings, next })
}
