//! People who may sign in.

use crate::StoreError;
use crate::db::{Db, Row, args};
use crate::password::{PasswordError, Passwords};
use crate::sessions::{Session, Sessions};
use crate::user::User;
use base::{Clock, Id, Secret};

const LIST_LIMIT: i64 = 1000;
const NAME_MAX_CHARS: usize = 64;

/// Accounts and their passwords.
#[derive(Debug, Clone)]
pub struct Users {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) passwords: Passwords,
    pub(crate) sessions: Sessions,
}

impl Users {
    /// Makes an account without a password.
    pub async fn create(&self, name: &str) -> Result<User, StoreError> {
        check_name(name)?;
        let user =
            User { id: Id::generate(), name: name.to_owned(), password_set: false, created_at: self.clock.now() };
        let added = self
            .db
            .execute(
                "INSERT INTO users (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
                args![user.id, name, user.created_at],
            )
            .await?;
        if added == 0 {
            return Err(StoreError::Refused(format!("there is already a user called {name:?}")));
        }
        Ok(user)
    }

    /// The account of that name.
    pub async fn find(&self, name: &str) -> Result<Option<User>, StoreError> {
        let sql = "SELECT id, name, password, created_at FROM users WHERE name = $1";
        self.db.fetch_one(sql, args![name]).await?.map(|row| read(&row)).transpose()
    }

    /// The account of that id.
    pub async fn get(&self, id: Id<User>) -> Result<Option<User>, StoreError> {
        let sql = "SELECT id, name, password, created_at FROM users WHERE id = $1";
        self.db.fetch_one(sql, args![id]).await?.map(|row| read(&row)).transpose()
    }

    /// All accounts by name, at most 1,000.
    pub async fn list(&self) -> Result<Vec<User>, StoreError> {
        let sql = "SELECT id, name, password, created_at FROM users ORDER BY name LIMIT $1";
        self.db.fetch(sql, args![LIST_LIMIT]).await?.iter().map(read).collect()
    }

    /// Deletes an account, its sessions and its links; `false` when there was none.
    pub async fn delete(&self, id: Id<User>) -> Result<bool, StoreError> {
        let deleted = self.db.execute("DELETE FROM users WHERE id = $1", args![id]).await?;
        self.sessions.forget_unsaved(id, None);
        Ok(deleted > 0)
    }

    /// Sets or changes a password. Ends every session of the user but `keep`, and every link not used yet: whoever
    /// knew the old password is out.
    pub async fn set_password(
        &self,
        id: Id<User>,
        password: &Secret,
        keep: Option<Id<Session>>,
    ) -> Result<(), PasswordError> {
        let hash = self.passwords.hash(password).await?;
        let mut tx = self.db.begin().await?;
        let set = tx.execute("UPDATE users SET password = $1 WHERE id = $2", args![hash, id]).await?;
        if set == 0 {
            return Err(PasswordError::NoSuchUser);
        }
        let kept = keep.map(|session| session.to_string()).unwrap_or_default();
        tx.execute("DELETE FROM sessions WHERE user_id = $1 AND id <> $2", args![id, kept]).await?;
        tx.execute("DELETE FROM links WHERE user_id = $1", args![id]).await?;
        tx.commit().await?;
        self.sessions.forget_unsaved(id, keep);
        Ok(())
    }

    /// The user, if name and password belong together. Needs no write, so it works on a full disk; takes equally
    /// long for a wrong password, an unknown name and a user without a password.
    pub async fn verify_password(&self, name: &str, password: &Secret) -> Result<Option<User>, StoreError> {
        let sql = "SELECT id, name, password, created_at FROM users WHERE name = $1";
        let row = self.db.fetch_one(sql, args![name]).await?;
        let hash = row.as_ref().map(|row| row.maybe_text(2)).transpose()?.flatten();
        if !self.passwords.matches(password, hash).await? {
            return Ok(None);
        }
        row.as_ref().map(read).transpose()
    }
}

fn check_name(name: &str) -> Result<(), StoreError> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '+');
    if name.is_empty() || name.chars().count() > NAME_MAX_CHARS || !name.chars().all(fits) {
        let why = format!("a user name is 1 to {NAME_MAX_CHARS} letters, digits or . - _ @ +");
        return Err(StoreError::Refused(why));
    }
    Ok(())
}

fn read(row: &Row) -> Result<User, StoreError> {
    Ok(User {
        id: row.parsed(0, "a user id")?,
        name: row.text(1)?,
        password_set: row.maybe_text(2)?.is_some(),
        created_at: row.time(3)?,
    })
}
