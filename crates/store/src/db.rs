//! One small way to say SQL to SQLite or PostgreSQL.
//!
//! Statements are `'static` text with `$n` placeholders and only two column types, text and 64-bit integers, so that
//! the same statement runs on both. This module never builds a statement from data.

use crate::StoreError;
use base::{Id, ServiceName, Timestamp};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{Executor, PgPool, Pool, Postgres, Row as _, Sqlite, SqlitePool};
use std::path::Path;
use std::time::Duration;

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 8;

/// The open database. Clones share the connections.
#[derive(Debug, Clone)]
pub(crate) enum Db {
    /// WAL lets readers go on while the one writer writes.
    Sqlite {
        write: SqlitePool,
        read: SqlitePool,
    },
    Postgres(PgPool),
}

/// A value for a placeholder.
#[derive(Debug, Clone)]
pub(crate) enum Arg {
    Int(Option<i64>),
    Text(Option<String>),
}

/// One row of an answer; columns are numbered from 0.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// Several statements that happen together or not at all. Dropping it undoes them.
pub(crate) enum Tx {
    Sqlite(OwnTx<Sqlite>),
    Postgres(OwnTx<Postgres>),
}

/// A transaction on a connection of its own. Dropped unfinished (a statement failed, or its caller was cancelled in the
/// middle of one), the connection is closed and never used again: on PostgreSQL an answer that is still under way could be
/// taken for that of a later statement, and SQLite may have ended the transaction by itself (a full disk), which leaves a
/// library that counts transactions in one that no longer is.
pub(crate) struct OwnTx<D: sqlx::Database> {
    connection: PoolConnection<D>,
    is_finished: bool,
}

impl<D: sqlx::Database> OwnTx<D>
where
    for<'c> &'c mut D::Connection: Executor<'c, Database = D>,
{
    async fn begin(pool: &Pool<D>, how: &'static str) -> Result<Self, StoreError> {
        // It exists before the first statement is sent, so that being dropped closes the connection from then on.
        let mut tx = Self { connection: pool.acquire().await?, is_finished: false };
        sqlx::raw_sql(how).execute(&mut *tx.connection).await?;
        Ok(tx)
    }

    async fn finish(mut self, how: &'static str) -> Result<(), StoreError> {
        sqlx::raw_sql(how).execute(&mut *self.connection).await?;
        self.is_finished = true;
        Ok(())
    }
}
impl<D: sqlx::Database> Drop for OwnTx<D> {
    fn drop(&mut self) {
        if !self.is_finished {
            self.connection.close_on_drop();
        }
    }
}

macro_rules! bind_all {
    ($sql:expr, $args:expr) => {{
        let mut query = sqlx::query($sql);
        for arg in $args {
            query = match arg {
                Arg::Int(value) => query.bind(value),
                Arg::Text(value) => query.bind(value),
            };
        }
        query
    }};
}

fn for_sqlite(sql: &'static str, args: Vec<Arg>) -> Query<'static, Sqlite, sqlx::sqlite::SqliteArguments> {
    bind_all!(sql, args)
}

fn for_postgres(sql: &'static str, args: Vec<Arg>) -> Query<'static, Postgres, sqlx::postgres::PgArguments> {
    bind_all!(sql, args)
}

impl Db {
    /// Opens (and creates) a SQLite file. The caller made the file, so that its mode is right.
    pub(crate) async fn sqlite(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        // FULL: what was answered "done" survives a power cut, as the journal's records do.
        let writer = options.clone().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        let write = sqlite_pool(1).connect_with(writer).await?;
        // Readers stay open, because opening one needs space on the disk for the shared-memory file.
        let read = sqlite_pool(SQLITE_READERS).connect_with(options.pragma("query_only", "on")).await?;
        Ok(Self::Sqlite { write, read })
    }

    pub(crate) async fn postgres(options: PgConnectOptions) -> Result<Self, StoreError> {
        let pool = PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
        Ok(Self::Postgres(pool.connect_with(options).await?))
    }

    /// Runs a statement that writes; answers the number of rows it touched.
    pub(crate) async fn execute(&self, sql: &'static str, args: Vec<Arg>) -> Result<u64, StoreError> {
        Ok(match self {
            Self::Sqlite { write, .. } => for_sqlite(sql, args).execute(write).await?.rows_affected(),
            Self::Postgres(pool) => for_postgres(sql, args).execute(pool).await?.rows_affected(),
        })
    }

    /// Runs a statement that reads. The statement bounds the number of rows.
    pub(crate) async fn fetch(&self, sql: &'static str, args: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        Ok(match self {
            Self::Sqlite { read, .. } => {
                for_sqlite(sql, args).fetch_all(read).await?.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(pool) => {
                for_postgres(sql, args).fetch_all(pool).await?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Reads at most one row.
    pub(crate) async fn fetch_one(&self, sql: &'static str, args: Vec<Arg>) -> Result<Option<Row>, StoreError> {
        Ok(self.fetch(sql, args).await?.into_iter().next())
    }

    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(match self {
            // IMMEDIATE: waiting for another process happens here, not in the middle where it would be an error.
            Self::Sqlite { write, .. } => Tx::Sqlite(OwnTx::begin(write, "BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Tx::Postgres(OwnTx::begin(pool, "BEGIN").await?),
        })
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite { write, read } => {
                // The writer closes last: it folds the WAL into the file.
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

fn sqlite_pool(size: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
}

impl Tx {
    pub(crate) async fn execute(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<u64, StoreError> {
        Ok(match self {
            Self::Sqlite(tx) => for_sqlite(sql, args).execute(&mut *tx.connection).await?.rows_affected(),
            Self::Postgres(tx) => for_postgres(sql, args).execute(&mut *tx.connection).await?.rows_affected(),
        })
    }

    pub(crate) async fn fetch_one(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<Option<Row>, StoreError> {
        Ok(match self {
            Self::Sqlite(tx) => for_sqlite(sql, args).fetch_optional(&mut *tx.connection).await?.map(Row::Sqlite),
            Self::Postgres(tx) => for_postgres(sql, args).fetch_optional(&mut *tx.connection).await?.map(Row::Postgres),
        })
    }

    /// Reads rows; the statement bounds their number.
    pub(crate) async fn fetch(&mut self, sql: &'static str, args: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        Ok(match self {
            Self::Sqlite(tx) => {
                for_sqlite(sql, args).fetch_all(&mut *tx.connection).await?.into_iter().map(Row::Sqlite).collect()
            }
            Self::Postgres(tx) => {
                for_postgres(sql, args).fetch_all(&mut *tx.connection).await?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Runs several statements without arguments, as migrations have them.
    pub(crate) async fn script(&mut self, sql: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => sqlx::raw_sql(sql).execute(&mut *tx.connection).await.map(|_| ())?,
            Self::Postgres(tx) => sqlx::raw_sql(sql).execute(&mut *tx.connection).await.map(|_| ())?,
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.finish("COMMIT").await?,
            Self::Postgres(tx) => tx.finish("COMMIT").await?,
        }
        Ok(())
    }

    /// Ends it without doing anything. Dropping does the same, at the price of a connection.
    pub(crate) async fn rollback(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.finish("ROLLBACK").await?,
            Self::Postgres(tx) => tx.finish("ROLLBACK").await?,
        }
        Ok(())
    }
}

impl Row {
    pub(crate) fn maybe_text(&self, column: usize) -> Result<Option<String>, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(crate) fn text(&self, column: usize) -> Result<String, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(crate) fn maybe_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(crate) fn int(&self, column: usize) -> Result<i64, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(crate) fn time(&self, column: usize) -> Result<Timestamp, StoreError> {
        self.int(column).map(Timestamp::from_micros)
    }

    pub(crate) fn maybe_time(&self, column: usize) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.maybe_int(column)?.map(Timestamp::from_micros))
    }

    /// A text column that holds a number, or nothing. Numbers with a fraction are kept as text: Rust writes the shortest
    /// text that reads back as the same number, and a column of text is alike on both databases.
    pub(crate) fn maybe_number(&self, column: usize, what: &'static str) -> Result<Option<f64>, StoreError> {
        let Some(text) = self.maybe_text(column)? else { return Ok(None) };
        text.parse().map(Some).map_err(|error| StoreError::Damaged { what, detail: format!("{error}") })
    }

    /// A text column that holds a type or nothing.
    pub(crate) fn maybe_parsed<T>(&self, column: usize, what: &'static str) -> Result<Option<T>, StoreError>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        let Some(text) = self.maybe_text(column)? else { return Ok(None) };
        text.parse().map(Some).map_err(|error: T::Err| StoreError::Damaged { what, detail: error.to_string() })
    }

    /// A text column that was written from a type, read back into it.
    pub(crate) fn parsed<T>(&self, column: usize, what: &'static str) -> Result<T, StoreError>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        self.text(column)?.parse().map_err(|error: T::Err| StoreError::Damaged { what, detail: error.to_string() })
    }
}

macro_rules! arg_from {
    ($($from:ty => |$value:ident| $arg:expr;)*) => {
        $(impl From<$from> for Arg {
            fn from($value: $from) -> Self {
                $arg
            }
        })*
    };
}
arg_from! {
    i64 => |value| Arg::Int(Some(value));
    Timestamp => |value| Arg::Int(Some(value.micros()));
    Option<Timestamp> => |value| Arg::Int(value.map(Timestamp::micros));
    &str => |value| Arg::Text(Some(value.to_owned()));
    String => |value| Arg::Text(Some(value));
    Option<String> => |value| Arg::Text(value);
    Option<&str> => |value| Arg::Text(value.map(str::to_owned));
    bool => |value| Arg::Int(Some(i64::from(value)));
    Option<f64> => |value| Arg::Text(value.map(|number| number.to_string()));
    &ServiceName => |value| Arg::Text(Some(value.to_string()));
    Option<&ServiceName> => |value| Arg::Text(value.map(ToString::to_string));
}
impl<T> From<Id<T>> for Arg {
    fn from(id: Id<T>) -> Self {
        Self::Text(Some(id.to_string()))
    }
}

/// The values of a statement, in the order of its placeholders.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::db::Arg::from($value)),*] };
}
pub(crate) use args;
