//! Hosts whose agents report: each is bound to the token that spoke for it first, so that an agent tells of its own host
//! and of no other.

use crate::db::{Db, Row, args};
use crate::tokens::Token;
use crate::{StoreError, text};
use base::{Clock, Id, Timestamp};

/// Hosts that are known at most.
pub const MAX_HOSTS: i64 = 1_000;
const NAME_MAX: usize = 253;

/// A host whose agent reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// What it is called.
    pub name: String,
    /// The token that speaks for it.
    pub token: Id<Token>,
    /// Version of its agent.
    pub version: String,
    /// Where it may be tried whether the host is there.
    pub reach: Option<String>,
    /// When it was heard first.
    pub first_seen: Timestamp,
    /// When it was heard last, to about a minute.
    pub last_seen: Timestamp,
}

/// What became of a token's claim to speak for a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It does.
    Bound(Host),
    /// Another token does.
    Taken,
    /// The token speaks for another host, this one.
    SpeaksFor(String),
    /// There are as many hosts as there may be.
    Full,
}

/// Binding and listing hosts.
#[derive(Debug, Clone)]
pub struct Hosts {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
}

impl Hosts {
    /// Binds a host to a token, if neither is bound otherwise. A host whose token was deleted takes a new one.
    pub async fn claim(&self, name: &str, token: Id<Token>) -> Result<Claim, StoreError> {
        let name = text::required("name", name, NAME_MAX)?;
        let mut tx = self.db.begin().await?;
        let sql = "SELECT name, token, version, reach, first_seen, last_seen FROM hosts WHERE name = $1 OR token = $2";
        let found = tx.fetch(sql, args![name.as_str(), token]).await?;
        let found: Vec<Host> = found.iter().map(read).collect::<Result<_, _>>()?;
        let other = found.iter().find(|host| host.token == token && host.name != name);
        let known = found.iter().find(|host| host.name == name);
        let claim = match (other, known) {
            (Some(other), _) => Claim::SpeaksFor(other.name.clone()),
            (None, Some(host)) if host.token == token => Claim::Bound(host.clone()),
            (None, Some(host)) => {
                let its = tx.fetch_one("SELECT 1 FROM tokens WHERE id = $1", args![host.token]).await?;
                if its.is_some() {
                    Claim::Taken
                } else {
                    tx.execute("UPDATE hosts SET token = $1 WHERE name = $2", args![token, name.as_str()]).await?;
                    Claim::Bound(Host { token, ..host.clone() })
                }
            }
            (None, None) => {
                let count = tx.fetch_one("SELECT COUNT(*) FROM hosts", args![]).await?;
                if count.map_or(Ok(0), |row| row.int(0))? >= MAX_HOSTS {
                    Claim::Full
                } else {
                    let now = self.clock.now();
                    let sql = "INSERT INTO hosts (name, token, version, first_seen, last_seen)
                               VALUES ($1, $2, '', $3, $3)";
                    tx.execute(sql, args![name.as_str(), token, now]).await?;
                    let (version, reach) = (String::new(), None);
                    Claim::Bound(Host { name, token, version, reach, first_seen: now, last_seen: now })
                }
            }
        };
        tx.commit().await?;
        Ok(claim)
    }

    /// Writes when hosts were heard last, and what their agents said of themselves.
    pub async fn heard(&self, hosts: &[Host]) -> Result<(), StoreError> {
        if hosts.is_empty() {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        for host in hosts {
            let sql = "UPDATE hosts SET version = $1, reach = $2, last_seen = $3 WHERE name = $4 AND last_seen <= $3";
            let values = args![host.version.as_str(), host.reach.clone(), host.last_seen, host.name.as_str()];
            tx.execute(sql, values).await?;
        }
        tx.commit().await
    }

    /// All hosts by name.
    pub async fn list(&self) -> Result<Vec<Host>, StoreError> {
        let sql = "SELECT name, token, version, reach, first_seen, last_seen FROM hosts ORDER BY name LIMIT $1";
        self.db.fetch(sql, args![MAX_HOSTS]).await?.iter().map(read).collect()
    }

    /// Forgets a host; `false` when it was not known. Its token may speak for another one then.
    pub async fn forget(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.db.execute("DELETE FROM hosts WHERE name = $1", args![name]).await? > 0)
    }
}

fn read(row: &Row) -> Result<Host, StoreError> {
    Ok(Host {
        name: row.text(0)?,
        token: row.parsed(1, "a token's id")?,
        version: row.text(2)?,
        reach: row.maybe_text(3)?,
        first_seen: row.time(4)?,
        last_seen: row.time(5)?,
    })
}
