//! When things were last used, gathered in memory.
//!
//! Never needed for a decision that could not also be made from the stored value: whatever is lost here is at most a
//! minute of "last used".

use crate::StoreError;
use crate::db::{Db, args};
use base::{Id, Timestamp};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// More things than this are used within a minute only by somebody who tries to fill the memory.
const MAX: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Touches<T>(Arc<Mutex<HashMap<Id<T>, Timestamp>>>);

impl<T> Clone for Touches<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
impl<T> Default for Touches<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Touches<T> {
    pub(crate) fn note(&self, id: Id<T>, at: Timestamp) {
        let mut noted = self.0.lock();
        if noted.len() < MAX || noted.contains_key(&id) {
            noted.insert(id, at);
        }
    }

    /// What was noted and not written yet.
    pub(crate) fn last(&self, id: Id<T>) -> Option<Timestamp> {
        self.0.lock().get(&id).copied()
    }

    /// Writes all notes with a statement that takes the time and the id. What cannot be written stays noted.
    pub(crate) async fn flush(&self, db: &Db, sql: &'static str) -> Result<(), StoreError> {
        let noted = self.0.lock().clone();
        if noted.is_empty() {
            return Ok(());
        }
        let mut tx = db.begin().await?;
        for (id, at) in &noted {
            tx.execute(sql, args![*at, *id]).await?;
        }
        tx.commit().await?;
        self.0.lock().retain(|id, at| noted.get(id) != Some(at));
        Ok(())
    }
}
