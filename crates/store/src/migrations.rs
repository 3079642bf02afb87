//! The one history of the store's tables, for SQLite and PostgreSQL alike.
//!
//! A step is never changed once released; a change is a new step at the end. A store that is newer than this program
//! is refused before anything is written.

use crate::StoreError;
use crate::db::{Db, Tx, args};

/// Steps in order. Only `TEXT` and `BIGINT`; times are microseconds UTC, ids are UUIDv7 texts, secrets are stored as
/// their BLAKE3 hash in hexadecimal.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("migrations/0001_start.sql")),
    (2, include_str!("migrations/0002_error_states.sql")),
    (3, include_str!("migrations/0003_watch.sql")),
    (4, include_str!("migrations/0004_hosts.sql")),
];

/// The schema version this program writes.
pub(crate) fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |(version, _)| *version)
}

/// Brings the store to [`newest`], in one transaction.
pub(crate) async fn run(db: &Db) -> Result<(), StoreError> {
    let mut tx = db.begin().await?;
    if matches!(tx, Tx::Postgres(_)) {
        // Two servers starting at once would both create the table; any number will do as the name of the lock.
        tx.execute("SELECT pg_advisory_xact_lock($1)", args![4649_i64]).await?;
    }
    tx.script("CREATE TABLE IF NOT EXISTS koshu_schema (version BIGINT NOT NULL PRIMARY KEY)").await?;
    let row = tx.fetch_one("SELECT MAX(version) FROM koshu_schema", args![]).await?;
    let found = row.map(|row| row.maybe_int(0)).transpose()?.flatten().unwrap_or(0);
    if found > newest() {
        return Err(StoreError::Newer { found, known: newest() });
    }
    for (version, sql) in MIGRATIONS.iter().filter(|(version, _)| *version > found) {
        tx.script(sql).await?;
        tx.execute("INSERT INTO koshu_schema (version) VALUES ($1)", args![*version]).await?;
    }
    tx.commit().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_numbered_without_gaps() {
        for (index, (version, _)) in MIGRATIONS.iter().enumerate() {
            assert_eq!(usize::try_from(*version), Ok(index + 1));
        }
    }
}
