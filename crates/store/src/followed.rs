//! Log files that people chose to follow. How far each was read is the reader's own note, not here.

use crate::StoreError;
use crate::db::{Db, args};
use base::{Clock, ServiceName, Timestamp};

const MAX_FILES: i64 = 1000;
const PATH_MAX_BYTES: usize = 4096;

/// A file that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedFile {
    /// Absolute path.
    pub path: String,
    /// The service its lines belong to.
    pub service: ServiceName,
    /// Its format, or `None` to find out.
    pub format: Option<String>,
    /// Whether what it holds already is read, too.
    pub from_start: bool,
    /// When it was chosen.
    pub since: Timestamp,
}

/// The list of followed files.
#[derive(Debug, Clone)]
pub struct FollowedFiles {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
}

impl FollowedFiles {
    /// Follows a file, or changes how. At most 1,000 files.
    pub async fn follow(
        &self,
        path: &str,
        service: &ServiceName,
        format: Option<&str>,
        from_start: bool,
    ) -> Result<(), StoreError> {
        if !path.starts_with('/') || path.len() > PATH_MAX_BYTES || path.contains('\0') {
            return Err(StoreError::Refused(format!("{:?} is no absolute path", shorten(path))));
        }
        let mut tx = self.db.begin().await?;
        let sql = "SELECT COUNT(*) FROM followed_files WHERE path <> $1";
        let others = tx.fetch_one(sql, args![path]).await?.map_or(Ok(0), |row| row.int(0))?;
        if others >= MAX_FILES {
            return Err(StoreError::Refused(format!("{MAX_FILES} files are followed already; stop one first")));
        }
        tx.execute(
            "INSERT INTO followed_files (path, service, format, from_start, since) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (path) DO UPDATE SET service = excluded.service, format = excluded.format,
             from_start = excluded.from_start",
            args![path, service, format.map(str::to_owned), i64::from(from_start), self.clock.now()],
        )
        .await?;
        tx.commit().await
    }

    /// Stops following; `false` when it was not followed.
    pub async fn unfollow(&self, path: &str) -> Result<bool, StoreError> {
        Ok(self.db.execute("DELETE FROM followed_files WHERE path = $1", args![path]).await? > 0)
    }

    /// All followed files by path.
    pub async fn list(&self) -> Result<Vec<FollowedFile>, StoreError> {
        let sql = "SELECT path, service, format, from_start, since FROM followed_files ORDER BY path LIMIT $1";
        let rows = self.db.fetch(sql, args![MAX_FILES]).await?;
        rows.iter()
            .map(|row| {
                Ok(FollowedFile {
                    path: row.text(0)?,
                    service: row.parsed(1, "a service name")?,
                    format: row.maybe_text(2)?,
                    from_start: row.int(3)? != 0,
                    since: row.time(4)?,
                })
            })
            .collect()
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}
