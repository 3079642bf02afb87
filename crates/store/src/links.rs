//! One-time sign-in links: for the first start, and for somebody who lost the password.
//!
//! A link lets exactly one person in, once, within an hour.

use crate::db::{Db, args};
use crate::{StoreError, User, key};
use base::{Clock, Id, Secret, Span};

/// How long a link can be used.
pub const LINK_LIFETIME: Span = Span::from_seconds(3600);

/// A one-time link, as the type of its id.
#[derive(Debug)]
pub enum Link {}

/// Making and using links.
#[derive(Debug, Clone)]
pub struct Links {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
}

impl Links {
    /// A new link's secret for that user. Links made before are no longer valid.
    pub async fn create(&self, user: Id<User>) -> Result<Secret, StoreError> {
        let secret = key::generate();
        let hash = key::hash(secret.reveal()).unwrap_or_default();
        let expires = self.clock.now().plus_micros(LINK_LIFETIME.micros());
        let mut tx = self.db.begin().await?;
        tx.execute("DELETE FROM links WHERE user_id = $1", args![user]).await?;
        tx.execute(
            "INSERT INTO links (id, secret_hash, user_id, expires_at) VALUES ($1, $2, $3, $4)",
            args![Id::<Link>::generate(), hash, user, expires],
        )
        .await?;
        tx.commit().await?;
        Ok(secret)
    }

    /// Uses a link up; `None` when it is unknown, expired or used already. One statement decides, so that of several
    /// people who use it in the same moment one gets in.
    pub async fn redeem(&self, secret: &str) -> Result<Option<Id<User>>, StoreError> {
        let Some(hash) = key::hash(secret) else { return Ok(None) };
        let now = self.clock.now();
        let sql = "UPDATE links SET used_at = $1 WHERE secret_hash = $2 AND used_at IS NULL AND expires_at > $1";
        if self.db.execute(sql, args![now, hash.as_str()]).await? != 1 {
            return Ok(None);
        }
        let row = self.db.fetch_one("SELECT user_id FROM links WHERE secret_hash = $1", args![hash]).await?;
        row.map(|row| row.parsed(0, "a user id")).transpose()
    }

    pub(crate) async fn tidy(&self) -> Result<(), StoreError> {
        self.db.execute("DELETE FROM links WHERE expires_at <= $1", args![self.clock.now()]).await?;
        Ok(())
    }
}
