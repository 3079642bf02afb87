//! What changed and when: deploys, configuration, services, damage, limits.
//!
//! Bounded: text is refused beyond its length, and only the newest 100,000 changes are kept.

use crate::StoreError;
use crate::db::{Db, Row, args};
use base::{Clock, Id, ServiceName, TimeRange, Timestamp};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

const KEPT: i64 = 100_000;
/// Most changes that one question answers.
pub const CHANGES_LIST_MAX: u32 = 1000;
const TITLE_MAX_CHARS: usize = 200;
const VERSION_MAX_CHARS: usize = 200;
const URL_MAX_CHARS: usize = 2000;
const DETAIL_MAX_CHARS: usize = 10_000;

/// What kind of thing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A new version runs.
    Deploy,
    /// Koshu's or a service's configuration.
    Config,
    /// A server image.
    Image,
    /// A database schema.
    Schema,
    /// A feature flag.
    Flag,
    /// A service appeared, was hidden or deleted.
    Service,
    /// Stored data was found damaged.
    Damage,
    /// A limit was reached.
    Limit,
}

/// A text names no kind of change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no kind of change; use deploy, config, image, schema, flag, service, damage or limit")]
pub struct ChangeKindError(String);

impl ChangeKind {
    /// The kind as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Config => "config",
            Self::Image => "image",
            Self::Schema => "schema",
            Self::Flag => "flag",
            Self::Service => "service",
            Self::Damage => "damage",
            Self::Limit => "limit",
        }
    }
}
impl FromStr for ChangeKind {
    type Err = ChangeKindError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        use ChangeKind::{Config, Damage, Deploy, Flag, Image, Limit, Schema, Service};
        let all = [Deploy, Config, Image, Schema, Flag, Service, Damage, Limit];
        let found = all.into_iter().find(|kind| kind.as_str() == raw);
        found.ok_or_else(|| ChangeKindError(raw.chars().take(40).collect()))
    }
}

/// A change to note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChange {
    /// When it happened; `None` is now.
    pub at: Option<Timestamp>,
    /// What kind it is.
    pub kind: ChangeKind,
    /// The service, or `None` when it is about all.
    pub service: Option<ServiceName>,
    /// One line for people.
    pub title: String,
    /// The version that runs from then on.
    pub version: Option<String>,
    /// Where to read more; http or https.
    pub url: Option<String>,
    /// Everything else.
    pub detail: Option<String>,
}

/// A noted change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Never changes.
    pub id: Id<Change>,
    /// When it happened.
    pub at: Timestamp,
    /// What kind it is.
    pub kind: ChangeKind,
    /// The service, or `None` when it is about all.
    pub service: Option<ServiceName>,
    /// One line for people.
    pub title: String,
    /// The version that runs from then on.
    pub version: Option<String>,
    /// Where to read more.
    pub url: Option<String>,
    /// Everything else.
    pub detail: Option<String>,
}

/// Noting and listing changes.
#[derive(Debug, Clone)]
pub struct Changes {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
}

impl Changes {
    /// Notes a change.
    pub async fn add(&self, new: NewChange) -> Result<Change, StoreError> {
        check(&new)?;
        let NewChange { at, kind, service, title, version, url, detail } = new;
        let at = at.unwrap_or_else(|| self.clock.now());
        let change = Change { id: Id::generate(), at, kind, service, title, version, url, detail };
        self.db
            .execute(
                "INSERT INTO changes (id, at, kind, service, title, version, url, detail)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                args![
                    change.id,
                    change.at,
                    kind.as_str(),
                    change.service.as_ref(),
                    change.title.as_str(),
                    change.version.clone(),
                    change.url.clone(),
                    change.detail.clone(),
                ],
            )
            .await?;
        Ok(change)
    }

    /// Changes within the range, the newest first, at most `limit` (and never more than 1,000). With a service: its
    /// own and those about all services.
    pub async fn list(
        &self,
        range: TimeRange,
        service: Option<&ServiceName>,
        limit: u32,
    ) -> Result<Vec<Change>, StoreError> {
        let limit = i64::from(limit.min(CHANGES_LIST_MAX));
        let rows = if let Some(service) = service {
            let sql = "SELECT id, at, kind, service, title, version, url, detail FROM changes
                       WHERE at >= $1 AND at < $2 AND (service = $3 OR service IS NULL)
                       ORDER BY at DESC, id DESC LIMIT $4";
            self.db.fetch(sql, args![range.from, range.to, service, limit]).await?
        } else {
            let sql = "SELECT id, at, kind, service, title, version, url, detail FROM changes
                       WHERE at >= $1 AND at < $2 ORDER BY at DESC, id DESC LIMIT $3";
            self.db.fetch(sql, args![range.from, range.to, limit]).await?
        };
        rows.iter().map(read).collect()
    }

    /// Drops the oldest beyond what is kept.
    pub(crate) async fn tidy(&self) -> Result<(), StoreError> {
        let sql =
            "DELETE FROM changes WHERE id IN (SELECT id FROM changes ORDER BY at DESC, id DESC LIMIT $1 OFFSET $2)";
        self.db.execute(sql, args![KEPT, KEPT]).await?;
        Ok(())
    }
}

fn check(new: &NewChange) -> Result<(), StoreError> {
    if new.title.trim().is_empty() {
        return Err(StoreError::Refused("a change needs a title".to_owned()));
    }
    for (what, text, max) in [
        ("title", Some(&new.title), TITLE_MAX_CHARS),
        ("version", new.version.as_ref(), VERSION_MAX_CHARS),
        ("url", new.url.as_ref(), URL_MAX_CHARS),
        ("detail", new.detail.as_ref(), DETAIL_MAX_CHARS),
    ] {
        let length = text.map_or(0, |text| text.chars().count());
        if length > max {
            return Err(StoreError::Refused(format!("the {what} has {length} characters, {max} allowed")));
        }
        // PostgreSQL cannot store it; refused on both alike.
        if text.is_some_and(|text| text.contains('\0')) {
            return Err(StoreError::Refused(format!("the {what} has a NUL character")));
        }
    }
    // The page makes a link of it: no `javascript:`.
    let web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
    if new.url.as_ref().is_some_and(|url| !web(url)) {
        return Err(StoreError::Refused("the url does not start with https:// or http://".to_owned()));
    }
    Ok(())
}

fn read(row: &Row) -> Result<Change, StoreError> {
    let service = row.maybe_text(3)?.map(|name| name.parse()).transpose();
    Ok(Change {
        id: row.parsed(0, "a change id")?,
        at: row.time(1)?,
        kind: row.parsed(2, "a kind of change")?,
        service: service.map_err(|error| StoreError::Damaged { what: "a service name", detail: format!("{error}") })?,
        title: row.text(4)?,
        version: row.maybe_text(5)?,
        url: row.maybe_text(6)?,
        detail: row.maybe_text(7)?,
    })
}
