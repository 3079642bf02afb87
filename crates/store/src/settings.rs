//! Small values by name, as JSON: what has no table of its own.

use crate::StoreError;
use crate::db::{Db, Tx, args};
use serde::Serialize;
use serde::de::DeserializeOwned;

const VALUE_MAX_BYTES: usize = 64 << 10;
const NAME_MAX_BYTES: usize = 200;
const UPSERT: &str =
    "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/// Reading and writing settings.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(crate) db: Db,
}

impl Settings {
    /// The value of that name.
    pub async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let row = self.db.fetch_one("SELECT value FROM settings WHERE name = $1", args![name]).await?;
        let Some(row) = row else { return Ok(None) };
        serde_json::from_str(&row.text(0)?)
            .map(Some)
            .map_err(|error| StoreError::Damaged { what: "a setting", detail: format!("{name}: {error}") })
    }

    /// Sets a value of at most 64 KiB.
    pub async fn set<T: Serialize + Sync>(&self, name: &str, value: &T) -> Result<(), StoreError> {
        let text = serde_json::to_string(value)
            .map_err(|error| StoreError::Refused(format!("setting {name:?} is no JSON: {error}")))?;
        if text.len() > VALUE_MAX_BYTES || name.is_empty() || name.len() > NAME_MAX_BYTES {
            return Err(StoreError::Refused(format!(
                "a setting has a name of 1 to {NAME_MAX_BYTES} and a value of at most {VALUE_MAX_BYTES} bytes"
            )));
        }
        self.db.execute(UPSERT, args![name, text]).await?;
        Ok(())
    }

    /// Forgets a value; `false` when there was none.
    pub async fn delete(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.db.execute("DELETE FROM settings WHERE name = $1", args![name]).await? > 0)
    }
}

/// Sets a value together with other statements.
pub(crate) async fn set_in(tx: &mut Tx, name: &str, json: &str) -> Result<(), StoreError> {
    tx.execute(UPSERT, args![name, json]).await?;
    Ok(())
}
