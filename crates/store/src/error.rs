//! What can go wrong in the store, split by what the caller can do about it.

use std::path::PathBuf;

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Reads go on; writes work again once there is space.
    #[error("the store's disk is full; free some space, reading and signing in go on meanwhile")]
    Full,
    /// Another process or a long queue holds the store; trying again helps.
    #[error("the store is busy; try again in a moment")]
    Busy,
    /// An older Koshu must not write into a store it does not understand.
    #[error(
        "the store was written by a newer Koshu (schema {found}, this one knows {known}); start that version, or restore a backup"
    )]
    Newer {
        /// Schema version in the store.
        found: i64,
        /// Newest schema version of this program.
        known: i64,
    },
    /// The folder or file of the store could not be made or opened.
    #[error("failed to prepare {path}")]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The address of the store is none that can be used.
    #[error("the store's address starts with {scheme:?}; use postgres://, or a folder for SQLite")]
    Address {
        /// What stands in front of `://`; never the whole address, which may hold a password.
        scheme: String,
    },
    /// The caller's value does not fit; asking again with the same cannot help.
    #[error("{0}")]
    Refused(String),
    /// A stored value cannot be what this program wrote.
    #[error("the store holds {what} that cannot be read: {detail}")]
    Damaged {
        /// Which value.
        what: &'static str,
        /// Why.
        detail: String,
    },
    /// Ours to look at.
    #[error("the store failed")]
    Database(#[source] sqlx::Error),
}

/// Primary SQLite result codes, from <https://sqlite.org/rescode.html>.
const SQLITE_BUSY: i64 = 5;
const SQLITE_LOCKED: i64 = 6;
const SQLITE_FULL: i64 = 13;
/// Extended code: the shared-memory file beside the store could not grow, which happens only without space.
const SQLITE_IOERR_SHMSIZE: i64 = 4874;
/// PostgreSQL's `disk_full`, and the codes after which a retry helps.
const PG_DISK_FULL: &str = "53100";
const PG_RETRY: [&str; 6] = ["40001", "40P01", "53300", "55P03", "57P01", "57P03"];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if matches!(error, sqlx::Error::PoolTimedOut) {
            return Self::Busy;
        }
        let code =
            error.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default().into_owned();
        if code.len() == 5 {
            return match code.as_str() {
                PG_DISK_FULL => Self::Full,
                retry if PG_RETRY.contains(&retry) => Self::Busy,
                _ => Self::Database(error),
            };
        }
        match code.parse::<i64>() {
            Ok(SQLITE_IOERR_SHMSIZE) => Self::Full,
            Ok(extended) if extended & 0xff == SQLITE_FULL => Self::Full,
            Ok(extended) if matches!(extended & 0xff, SQLITE_BUSY | SQLITE_LOCKED) => Self::Busy,
            _ => Self::Database(error),
        }
    }
}
