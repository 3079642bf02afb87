//! Tokens for programs: `koshu_` and 256 random bits, stored hashed.
//!
//! The fixed prefix lets secret scanners find a token that was committed by mistake. A token is shown once, when it is
//! made; afterwards only its first four characters are known.

use crate::db::{Db, Row, args};
use crate::settings::set_in;
use crate::touch::Touches;
use crate::{StoreError, files, key};
use base::{Clock, Id, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What every token starts with.
pub const TOKEN_PREFIX: &str = "koshu_";
const SHOWN_CHARS: usize = 4;
const NAME_MAX_CHARS: usize = 100;
const LIST_LIMIT: i64 = 1000;
/// Name of the file in the data folder, and of the token in it.
pub const ADMIN_TOKEN_FILE: &str = "admin.token";
const MADE_BY_PERSON: &str = "token_created";
const MADE_ADMIN_FILE: &str = "admin_token_made";

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Send records, nothing else.
    Ingest,
    /// Be the agent of one host: tell of that host, and hear what it is to look at.
    Agent,
    /// Read everything that was observed.
    Read,
    /// Everything.
    Admin,
}

/// A text names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no scope; use ingest, agent, read or admin")]
pub struct ScopeError(String);

impl Scope {
    /// Whether a token of this scope may do what needs the other.
    pub fn allows(self, needed: Self) -> bool {
        self == Self::Admin || self == needed
    }

    /// The scope as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Agent => "agent",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        match raw {
            "ingest" => Ok(Self::Ingest),
            "agent" => Ok(Self::Agent),
            "read" => Ok(Self::Read),
            "admin" => Ok(Self::Admin),
            other => Err(ScopeError(other.chars().take(40).collect())),
        }
    }
}

/// A token as people see it later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// To delete it.
    pub id: Id<Token>,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// Its first characters, to recognise it: `koshu_ab12`.
    pub prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// Making, checking and deleting tokens.
#[derive(Debug, Clone)]
pub struct Tokens {
    db: Db,
    clock: Clock,
    used: Touches<Token>,
}

impl Tokens {
    pub(crate) fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock, used: Touches::default() }
    }

    /// Makes a token. The secret is shown to its user now and never again.
    pub async fn create(&self, name: &str, scope: Scope) -> Result<(Secret, Token), StoreError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_MAX_CHARS || name.chars().any(char::is_control) {
            let why = format!("a token's name is 1 to {NAME_MAX_CHARS} characters that say what it is for");
            return Err(StoreError::Refused(why));
        }
        let secret = new_secret();
        let token = self.insert(&secret, name, scope, MADE_BY_PERSON).await?;
        Ok((secret, token))
    }

    async fn insert(&self, secret: &Secret, name: &str, scope: Scope, flag: &'static str) -> Result<Token, StoreError> {
        let shown = secret.reveal().chars().take(TOKEN_PREFIX.len() + SHOWN_CHARS).collect();
        let token = Token {
            id: Id::generate(),
            name: name.to_owned(),
            scope,
            prefix: shown,
            created_at: self.clock.now(),
            last_used_at: None,
        };
        let hash = key::hash(secret.reveal()).unwrap_or_default();
        let mut tx = self.db.begin().await?;
        tx.execute(
            "INSERT INTO tokens (id, secret_hash, name, prefix, scope, created_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (secret_hash) DO NOTHING",
            args![token.id, hash, name, token.prefix.as_str(), scope.as_str(), token.created_at],
        )
        .await?;
        set_in(&mut tx, flag, "true").await?;
        tx.commit().await?;
        Ok(token)
    }

    /// The token, if it is one of ours; notes that it was used. Needs no write.
    pub async fn verify(&self, secret: &str) -> Result<Option<Token>, StoreError> {
        if !secret.starts_with(TOKEN_PREFIX) {
            return Ok(None);
        }
        let Some(hash) = key::hash(secret) else { return Ok(None) };
        let sql = "SELECT id, name, scope, prefix, created_at, last_used_at FROM tokens WHERE secret_hash = $1";
        let Some(row) = self.db.fetch_one(sql, args![hash]).await? else { return Ok(None) };
        let token = self.read(&row)?;
        self.used.note(token.id, self.clock.now());
        Ok(Some(token))
    }

    /// All tokens, the newest first, at most 1,000.
    pub async fn list(&self) -> Result<Vec<Token>, StoreError> {
        let sql = "SELECT id, name, scope, prefix, created_at, last_used_at FROM tokens
                   ORDER BY created_at DESC, id DESC LIMIT $1";
        self.db.fetch(sql, args![LIST_LIMIT]).await?.iter().map(|row| self.read(row)).collect()
    }

    /// Deletes a token: from now on it is refused. `false` when there was none.
    pub async fn delete(&self, id: Id<Token>) -> Result<bool, StoreError> {
        Ok(self.db.execute("DELETE FROM tokens WHERE id = $1", args![id]).await? > 0)
    }

    /// Whether somebody ever made a token; from then on sending needs one. The file made at the first start does not
    /// count, and deleting all tokens does not open the door again.
    pub async fn any_created(&self) -> Result<bool, StoreError> {
        self.flag(MADE_BY_PERSON).await
    }

    /// Makes `admin.token` (mode 0600) in the folder at the first start, and never again: whoever deleted the file
    /// or the token wanted it gone.
    pub async fn ensure_admin_file(&self, dir: &Path) -> Result<PathBuf, StoreError> {
        let path = dir.join(ADMIN_TOKEN_FILE);
        if self.flag(MADE_ADMIN_FILE).await? {
            return Ok(path);
        }
        // The file comes first: a crash in between leaves a file that is overwritten, not a token nobody has.
        let secret = new_secret();
        let text = format!("{}\n", secret.reveal());
        let target = path.clone();
        let written = tokio::task::spawn_blocking(move || files::write_private(&target, text.as_bytes())).await;
        written
            .unwrap_or_else(|_| Err(std::io::Error::other("the task that writes it failed")))
            .map_err(|source| StoreError::File { path: path.clone(), source })?;
        self.insert(&secret, ADMIN_TOKEN_FILE, Scope::Admin, MADE_ADMIN_FILE).await?;
        Ok(path)
    }

    async fn flag(&self, name: &'static str) -> Result<bool, StoreError> {
        Ok(self.db.fetch_one("SELECT 1 FROM settings WHERE name = $1", args![name]).await?.is_some())
    }

    /// Writes when tokens were last used.
    pub(crate) async fn tidy(&self) -> Result<(), StoreError> {
        let sql = "UPDATE tokens SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)";
        self.used.flush(&self.db, sql).await
    }

    fn read(&self, row: &Row) -> Result<Token, StoreError> {
        let id = row.parsed(0, "a token id")?;
        Ok(Token {
            id,
            name: row.text(1)?,
            scope: row.parsed(2, "a token scope")?,
            prefix: row.text(3)?,
            created_at: row.time(4)?,
            last_used_at: self.used.last(id).max(row.maybe_time(5)?),
        })
    }
}

fn new_secret() -> Secret {
    Secret::new(format!("{TOKEN_PREFIX}{}", key::generate().reveal()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_admin_reaches_beyond_its_scope() {
        use Scope::{Admin, Agent, Ingest, Read};
        for (has, needed, want) in [
            (Ingest, Ingest, true),
            (Ingest, Read, false),
            (Ingest, Agent, false),
            (Agent, Ingest, false),
            (Read, Ingest, false),
            (Read, Admin, false),
            (Admin, Ingest, true),
            (Admin, Read, true),
        ] {
            assert_eq!(has.allows(needed), want, "{has} for {needed}");
        }
        assert_eq!(
            "root".parse::<Scope>().unwrap_err().to_string(),
            "\"root\" is no scope; use ingest, agent, read or admin"
        );
    }

    #[test]
    fn a_token_can_be_found_by_a_scanner() {
        let secret = new_secret();
        let tail = secret.reveal().strip_prefix("koshu_").unwrap();
        assert!(tail.len() == 43 && tail.chars().all(|c| c.is_ascii_alphanumeric()), "{tail}");
    }
}
