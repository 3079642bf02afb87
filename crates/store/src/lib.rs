//! What people decided and wrote: accounts, sessions, tokens, changes, settings; and what must not be lost on its way to
//! them: firings and the messages that tell of them.
//!
//! One set of portable SQL for SQLite (a file in the data folder) and PostgreSQL (by URL). What was observed is never
//! here but in the lake. No secret is stored as such, only its hash. Reading never needs a write, so that people can
//! sign in and look while the disk is full.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod changes;
mod db;
mod error;
mod error_states;
mod files;
mod firings;
mod followed;
mod hosts;
mod key;
mod links;
mod migrations;
mod outbox;
mod password;
mod rotation_overrides;
mod services;
mod sessions;
mod settings;
mod silences;
#[cfg(test)]
mod tests;
mod text;
mod throttle;
mod tokens;
mod touch;
mod user;
mod users;
mod words;

pub use changes::{CHANGES_LIST_MAX, Change, ChangeKind, ChangeKindError, Changes, NewChange};
pub use error::StoreError;
pub use error_states::{ERROR_STATES_MAX, ErrorState, ErrorStateError, ErrorStates, SetState};
pub use firings::{
    Applied, FIRINGS_KEPT, FIRINGS_LIST_MAX, Fire, Firing, FiringChange, FiringClass, FiringClassError, FiringLink,
    FiringPage, FiringScope, FiringState, FiringStateError, Firings, FiringsQuery, HISTORY_MAX, HistoryEntry,
    HistoryKind, HistoryKindError, LINKS_MAX, LinkKind, LinkKindError, OpenFiring, Outcome, OutcomeError, PageKey,
    Progress, ProgressError, Resolve, TICKET_REOPENS_WITHIN, Tell, TicketsQuery,
};
pub use followed::{FollowedFile, FollowedFiles};
pub use hosts::{Claim, Host, Hosts, MAX_HOSTS};
pub use links::{LINK_LIFETIME, Link, Links};
pub use outbox::{
    BATCH_MAX, Batch, ChannelState, ChannelTest, DELIVERIES_KEPT, DELIVERIES_LIST_MAX, Delivery, LEASE_MAX, Message,
    MessageKind, MessageKindError, MessageState, MessageStateError, Outbox, StuckMessage,
};
pub use password::{PASSWORD_MAX_BYTES, PASSWORD_MIN_CHARS, PasswordError};
pub use rotation_overrides::{OVERRIDE_MAX, RotationOverride, RotationOverrides};
pub use services::{Removal, RemovedService, RemovedServices};
pub use sessions::{SESSION_ABSOLUTE, SESSION_IDLE, Session, Sessions};
pub use settings::Settings;
pub use silences::{MAINTENANCE_MAX, Maintenance, Maintenances, Matcher, SILENCE_MAX, Silence, Silences};
pub use throttle::{FREE_FAILURES, Throttle, Wait};
pub use tokens::{ADMIN_TOKEN_FILE, Scope, ScopeError, TOKEN_PREFIX, Token, Tokens};
pub use user::User;
pub use users::Users;

use base::{Clock, Secret, Span, Timestamp};
use db::Db;
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the SQLite file in the data folder.
pub const SQLITE_FILE: &str = "koshu.sqlite";
const TIDY_EVERY: Span = Span::from_seconds(60);

/// Where the store is.
#[derive(Debug, Clone)]
pub enum StoreOptions {
    /// `koshu.sqlite` in this folder, which is made when it is missing.
    Folder(PathBuf),
    /// A PostgreSQL server: `postgres://user:password@host/database`.
    Url(Secret),
}

/// The open store. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
    clock: Clock,
    users: Users,
    tokens: Tokens,
    tidied: Arc<Mutex<Option<Timestamp>>>,
}

impl Store {
    /// Opens the store, makes it when it is missing, and brings its tables up to date.
    pub async fn open(options: StoreOptions, clock: Clock) -> Result<Self, StoreError> {
        let db = match &options {
            StoreOptions::Folder(folder) => Db::sqlite(&prepare(folder).await?).await?,
            StoreOptions::Url(url) => Db::postgres(parse_url(url)?).await?,
        };
        if let Err(error) = migrations::run(&db).await {
            db.close().await;
            return Err(error);
        }
        let sessions = Sessions::new(db.clone(), clock.clone());
        let users = Users { db: db.clone(), clock: clock.clone(), passwords: password::Passwords::new(), sessions };
        let tokens = Tokens::new(db.clone(), clock.clone());
        Ok(Self { db, clock, users, tokens, tidied: Arc::default() })
    }

    /// Accounts and passwords.
    pub fn users(&self) -> Users {
        self.users.clone()
    }

    /// Who is signed in.
    pub fn sessions(&self) -> Sessions {
        self.users.sessions.clone()
    }

    /// One-time sign-in links.
    pub fn links(&self) -> Links {
        Links { db: self.db.clone(), clock: self.clock.clone() }
    }

    /// Tokens for programs.
    pub fn tokens(&self) -> Tokens {
        self.tokens.clone()
    }

    /// Hosts whose agents report.
    pub fn hosts(&self) -> Hosts {
        Hosts { db: self.db.clone(), clock: self.clock.clone() }
    }

    /// Deploys and other changes.
    pub fn changes(&self) -> Changes {
        Changes { db: self.db.clone(), clock: self.clock.clone() }
    }

    /// What people decided about groups of errors.
    pub fn error_states(&self) -> ErrorStates {
        ErrorStates { db: self.db.clone(), clock: self.clock.clone() }
    }

    /// Firings of alerts and tickets.
    pub fn firings(&self) -> Firings {
        Firings { db: self.db.clone(), clock: self.clock.clone() }
    }

    /// Messages to be sent.
    pub fn outbox(&self) -> Outbox {
        Outbox { db: self.db.clone(), clock: self.clock.clone() }
    }

    /// What is not told for a while.
    pub fn silences(&self) -> Silences {
        Silences { db: self.db.clone(), clock: self.clock.clone() }
    }

    /// When services are worked on.
    pub fn maintenances(&self) -> Maintenances {
        Maintenances { db: self.db.clone(), clock: self.clock.clone() }
    }

    /// Who takes over whose turn on duty.
    pub fn rotation_overrides(&self) -> RotationOverrides {
        RotationOverrides { db: self.db.clone(), clock: self.clock.clone() }
    }

    /// Small values by name.
    pub fn settings(&self) -> Settings {
        Settings { db: self.db.clone() }
    }

    /// Services that were hidden or deleted.
    pub fn removed_services(&self) -> RemovedServices {
        RemovedServices { db: self.db.clone(), clock: self.clock.clone() }
    }

    /// Log files that people chose.
    pub fn followed_files(&self) -> FollowedFiles {
        FollowedFiles { db: self.db.clone(), clock: self.clock.clone() }
    }

    /// Whether the store answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.db.fetch_one("SELECT 1", Vec::new()).await.map(|_| ())
    }

    /// Writes what is gathered in memory and drops what has ended. The owner calls it every now and then; it works at
    /// most once a minute. Failing (a full disk) is worth a line in the log and nothing more.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        {
            let mut tidied = self.tidied.lock();
            let due = tidied.is_none_or(|last| now >= last.plus_micros(TIDY_EVERY.micros()) || now < last);
            if !due {
                return Ok(());
            }
            *tidied = Some(now);
        }
        self.tidy_now().await
    }

    async fn tidy_now(&self) -> Result<(), StoreError> {
        self.users.sessions.tidy().await?;
        self.tokens.tidy().await?;
        self.links().tidy().await?;
        self.error_states().tidy().await?;
        self.firings().tidy().await?;
        self.outbox().tidy().await?;
        self.silences().tidy().await?;
        self.maintenances().tidy().await?;
        self.rotation_overrides().tidy().await?;
        self.changes().tidy().await
    }

    /// Writes what is gathered in memory and closes all connections.
    pub async fn close(self) {
        if let Err(error) = self.tidy_now().await {
            tracing::warn!(%error, "when sessions and tokens were last used could not be written");
        }
        self.db.close().await;
    }
}

/// The SQLite file, readable by its owner only. SQLite gives the files beside it the same mode.
async fn prepare(folder: &Path) -> Result<PathBuf, StoreError> {
    let folder = folder.to_owned();
    let file = folder.join(SQLITE_FILE);
    let path = file.clone();
    let made = tokio::task::spawn_blocking(move || {
        files::make_folder(&folder)?;
        files::make_file(&path)
    });
    made.await
        .unwrap_or_else(|_| Err(std::io::Error::other("the task that makes it failed")))
        .map_err(|source| StoreError::File { path: file.clone(), source })?;
    Ok(file)
}

fn parse_url(url: &Secret) -> Result<sqlx::postgres::PgConnectOptions, StoreError> {
    let scheme = url.reveal().split_once("://").map_or("", |(scheme, _)| scheme);
    if !matches!(scheme, "postgres" | "postgresql") {
        return Err(StoreError::Address { scheme: scheme.chars().take(20).collect() });
    }
    url.reveal().parse().map_err(StoreError::Database)
}
