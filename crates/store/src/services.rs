//! Services that people removed from view.
//!
//! Only what was decided; the records themselves are in the lake.

use crate::StoreError;
use crate::db::{Db, args};
use base::{Clock, ServiceName, Timestamp};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

const LIST_LIMIT: i64 = 10_000;

/// How a service was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    /// Not shown; its records stay.
    Hidden,
    /// Its records are being deleted; a restart goes on with it.
    Deleting,
    /// Its records up to that moment are gone. Newer ones show it again.
    Deleted,
}

impl Removal {
    fn as_str(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }
}
impl FromStr for Removal {
    type Err = String;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        match raw {
            "hidden" => Ok(Self::Hidden),
            "deleting" => Ok(Self::Deleting),
            "deleted" => Ok(Self::Deleted),
            other => Err(format!("{other:?} is no state of a removed service")),
        }
    }
}

/// A service that was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovedService {
    /// Which.
    pub name: ServiceName,
    /// How far.
    pub state: Removal,
    /// When it was asked for; kept when `Deleting` becomes `Deleted`.
    pub since: Timestamp,
}

/// The list of removed services.
#[derive(Debug, Clone)]
pub struct RemovedServices {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
}

impl RemovedServices {
    /// Notes that a service is removed, or how far the removal is.
    pub async fn set(&self, name: &ServiceName, state: Removal) -> Result<(), StoreError> {
        // Finishing a deletion keeps the moment up to which records are gone.
        let sql = "INSERT INTO removed_services (name, state, since) VALUES ($1, $2, $3)
                   ON CONFLICT (name) DO UPDATE SET state = excluded.state, since =
                   CASE WHEN excluded.state = 'deleted' THEN removed_services.since ELSE excluded.since END";
        self.db.execute(sql, args![name, state.as_str(), self.clock.now()]).await?;
        Ok(())
    }

    /// Shows a service again; `false` when it was not removed.
    pub async fn restore(&self, name: &ServiceName) -> Result<bool, StoreError> {
        Ok(self.db.execute("DELETE FROM removed_services WHERE name = $1", args![name]).await? > 0)
    }

    /// All removed services by name, at most 10,000.
    pub async fn list(&self) -> Result<Vec<RemovedService>, StoreError> {
        let sql = "SELECT name, state, since FROM removed_services ORDER BY name LIMIT $1";
        let rows = self.db.fetch(sql, args![LIST_LIMIT]).await?;
        rows.iter()
            .map(|row| {
                Ok(RemovedService {
                    name: row.parsed(0, "a service name")?,
                    state: row.parsed(1, "a removed service")?,
                    since: row.time(2)?,
                })
            })
            .collect()
    }
}
