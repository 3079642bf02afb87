//! Who is signed in.
//!
//! A session lives in the store; the browser only has a random secret, of which the store knows the hash. Reading a
//! session never writes: when it was last used is kept in memory and written at most once a minute, and losing that
//! only makes a session end a minute early.

use crate::db::{Db, Row, args};
use crate::touch::Touches;
use crate::user::User;
use crate::{StoreError, key};
use base::{Clock, Id, Secret, Span, Timestamp};
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A session that nobody uses ends after this.
pub const SESSION_IDLE: Span = Span::from_seconds(8 * 3600);
/// Every session ends after this.
pub const SESSION_ABSOLUTE: Span = Span::from_seconds(7 * 86_400);
const LIST_LIMIT: i64 = 200;
/// Sessions that a full disk keeps from being stored; a handful of people work on one server.
const UNSAVED_MAX: usize = 64;
/// Sessions that ended while a full disk kept them from being deleted.
const ENDED_MAX: usize = 1000;
const ADDRESS_MAX_CHARS: usize = 64;

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// To list and end it; no secret.
    pub id: Id<Session>,
    /// Whose it is.
    pub user_id: Id<User>,
    /// The name of that user.
    pub user: String,
    /// Where it was started from.
    pub address: String,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it was last used, to the minute after a restart.
    pub last_seen: Timestamp,
}

/// Starting, finding and ending sessions.
#[derive(Debug, Clone)]
pub struct Sessions {
    db: Db,
    clock: Clock,
    /// By hash of the secret.
    unsaved: Arc<Mutex<HashMap<String, Session>>>,
    /// Signed out, to be deleted when the disk has space again. Only a restart before that revives them.
    ended: Arc<Mutex<HashSet<Id<Session>>>>,
    seen: Touches<Session>,
}

impl Sessions {
    pub(crate) fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, unsaved: Arc::default(), ended: Arc::default(), seen: Touches::default() }
    }

    /// Starts a session; the secret is for the browser's cookie and is not stored.
    ///
    /// On a full disk the session is kept in memory, because somebody must be able to sign in to see what fills it.
    /// Such a session ends with the process.
    pub async fn start(&self, user: &User, address: &str) -> Result<(Secret, Session), StoreError> {
        let secret = key::generate();
        let hash = key::hash(secret.reveal()).unwrap_or_default();
        let now = self.clock.now();
        let session = Session {
            id: Id::generate(),
            user_id: user.id,
            user: user.name.clone(),
            address: address.chars().take(ADDRESS_MAX_CHARS).collect(),
            created_at: now,
            last_seen: now,
        };
        let stored = self
            .db
            .execute(
                "INSERT INTO sessions (id, secret_hash, user_id, address, created_at, last_seen)
                 VALUES ($1, $2, $3, $4, $5, $5)",
                args![session.id, hash.as_str(), user.id, session.address.as_str(), now],
            )
            .await;
        match stored {
            Ok(_) => {}
            Err(StoreError::Full) => self.keep_unsaved(hash, session.clone())?,
            Err(error) => return Err(error),
        }
        Ok((secret, session))
    }

    fn keep_unsaved(&self, hash: String, session: Session) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut unsaved = self.unsaved.lock();
        unsaved.retain(|_, other| alive(other.created_at, other.last_seen, now));
        if unsaved.len() >= UNSAVED_MAX {
            return Err(StoreError::Full);
        }
        unsaved.insert(hash, session);
        Ok(())
    }

    /// The session of that secret, if it still runs; notes that it was used.
    pub async fn find(&self, secret: &str) -> Result<Option<Session>, StoreError> {
        let Some(hash) = key::hash(secret) else { return Ok(None) };
        let now = self.clock.now();
        if let Some(session) = self.unsaved.lock().get_mut(&hash) {
            if !alive(session.created_at, session.last_seen, now) {
                return Ok(None);
            }
            session.last_seen = now;
            return Ok(Some(session.clone()));
        }
        let sql = "SELECT s.id, s.user_id, u.name, s.address, s.created_at, s.last_seen
                   FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.secret_hash = $1";
        let Some(row) = self.db.fetch_one(sql, args![hash]).await? else { return Ok(None) };
        let mut session = self.read(&row)?;
        if !alive(session.created_at, session.last_seen, now) || self.ended.lock().contains(&session.id) {
            return Ok(None);
        }
        self.seen.note(session.id, now);
        session.last_seen = now;
        Ok(Some(session))
    }

    /// The running sessions of a user, the newest first, at most 200.
    pub async fn list(&self, user: Id<User>) -> Result<Vec<Session>, StoreError> {
        let sql = "SELECT s.id, s.user_id, u.name, s.address, s.created_at, s.last_seen
                   FROM sessions s JOIN users u ON u.id = s.user_id
                   WHERE s.user_id = $1 ORDER BY s.created_at DESC, s.id DESC LIMIT $2";
        let rows = self.db.fetch(sql, args![user, LIST_LIMIT]).await?;
        let mut sessions = rows.iter().map(|row| self.read(row)).collect::<Result<Vec<_>, _>>()?;
        sessions.extend(self.unsaved.lock().values().filter(|session| session.user_id == user).cloned());
        let now = self.clock.now();
        let ended = self.ended.lock().clone();
        let runs =
            |session: &Session| alive(session.created_at, session.last_seen, now) && !ended.contains(&session.id);
        sessions.retain(runs);
        sessions.sort_by_key(|session| std::cmp::Reverse(session.created_at));
        Ok(sessions)
    }

    /// Ends a session; `false` when it had ended already.
    pub async fn end(&self, id: Id<Session>) -> Result<bool, StoreError> {
        if self.drop_unsaved(id) {
            return Ok(true);
        }
        match self.db.execute("DELETE FROM sessions WHERE id = $1", args![id]).await {
            Ok(deleted) => Ok(deleted > 0),
            Err(StoreError::Full) => {
                let mut ended = self.ended.lock();
                if ended.len() >= ENDED_MAX {
                    return Err(StoreError::Full);
                }
                Ok(ended.insert(id))
            }
            Err(error) => Err(error),
        }
    }

    fn drop_unsaved(&self, id: Id<Session>) -> bool {
        let mut unsaved = self.unsaved.lock();
        let before = unsaved.len();
        unsaved.retain(|_, session| session.id != id);
        unsaved.len() < before
    }

    /// Ends every session of a user but `keep`.
    pub async fn end_all(&self, user: Id<User>, keep: Option<Id<Session>>) -> Result<(), StoreError> {
        self.forget_unsaved(user, keep);
        let kept = keep.map(|session| session.to_string()).unwrap_or_default();
        self.db.execute("DELETE FROM sessions WHERE user_id = $1 AND id <> $2", args![user, kept]).await?;
        Ok(())
    }

    pub(crate) fn forget_unsaved(&self, user: Id<User>, keep: Option<Id<Session>>) {
        self.unsaved.lock().retain(|_, session| session.user_id != user || Some(session.id) == keep);
    }

    /// Writes when sessions were last used, and drops those that ended.
    pub(crate) async fn tidy(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.seen.flush(&self.db, "UPDATE sessions SET last_seen = $1 WHERE id = $2 AND last_seen < $1").await?;
        let (oldest_start, oldest_use) = (back(now, SESSION_ABSOLUTE), back(now, SESSION_IDLE));
        let sql = "DELETE FROM sessions WHERE created_at <= $1 OR last_seen <= $2";
        self.db.execute(sql, args![oldest_start, oldest_use]).await?;
        let ended = self.ended.lock().clone();
        for id in ended {
            self.db.execute("DELETE FROM sessions WHERE id = $1", args![id]).await?;
            self.ended.lock().remove(&id);
        }
        Ok(())
    }

    fn read(&self, row: &Row) -> Result<Session, StoreError> {
        let id = row.parsed(0, "a session id")?;
        let written = row.time(5)?;
        Ok(Session {
            id,
            user_id: row.parsed(1, "a user id")?,
            user: row.text(2)?,
            address: row.text(3)?,
            created_at: row.time(4)?,
            last_seen: self.seen.last(id).map_or(written, |noted| noted.max(written)),
        })
    }
}

fn back(now: Timestamp, span: Span) -> Timestamp {
    now.plus_micros(-span.micros())
}

/// Whether a session still runs.
fn alive(created_at: Timestamp, last_seen: Timestamp, now: Timestamp) -> bool {
    created_at > back(now, SESSION_ABSOLUTE) && last_seen > back(now, SESSION_IDLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_idle_or_old() {
        const HOUR: i64 = 3600;
        for (case, created, seen, now, want) in [
            ("just started", 0, 0, 0, true),
            ("a second before idle", 0, 0, 8 * HOUR - 1, true),
            ("idle", 0, 0, 8 * HOUR, false),
            ("used all the time", 0, 100 * HOUR, 101 * HOUR, true),
            ("a second before a week", 0, 168 * HOUR - 2, 168 * HOUR - 1, true),
            ("a week old", 0, 168 * HOUR - 1, 168 * HOUR, false),
            ("clock went back", 50, 50, 0, true),
        ] {
            let at = |seconds| Timestamp::from_seconds(1_000_000 + seconds);
            assert_eq!(alive(at(created), at(seen), at(now)), want, "{case}");
        }
    }
}
