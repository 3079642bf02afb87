//! What people decided about groups of errors: resolved, ignored, or open again.
//!
//! A group about which nobody decided anything is open and has no row. Bounded: only the newest 10,000 decisions are
//! kept.

use crate::StoreError;
use crate::db::{Db, args};
use base::{Clock, Timestamp};
use std::str::FromStr;

/// Most decisions that are kept, and that one question answers.
pub const ERROR_STATES_MAX: i64 = 10_000;
const GROUP_MAX_BYTES: usize = 100;
const NAME_MAX_CHARS: usize = 200;

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorState {
    /// Nobody decided anything, or took it back.
    Open,
    /// The cause is gone; an error after this is news.
    Resolved,
    /// It may go on; nobody wants to hear of it.
    Ignored,
}

/// A text names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no state of a group of errors; use open, resolved or ignored")]
pub struct ErrorStateError(String);

impl ErrorState {
    /// The state as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
        }
    }
}
impl FromStr for ErrorState {
    type Err = ErrorStateError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let all = [Self::Open, Self::Resolved, Self::Ignored];
        let found = all.into_iter().find(|state| state.as_str() == raw);
        found.ok_or_else(|| ErrorStateError(raw.chars().take(40).collect()))
    }
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetState {
    /// The group.
    pub group_id: String,
    /// What was decided.
    pub state: ErrorState,
    /// When.
    pub since: Timestamp,
    /// By whom; `None` when a program did it.
    pub set_by: Option<String>,
}

/// Deciding, and reading what was decided.
#[derive(Debug, Clone)]
pub struct ErrorStates {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
}

impl ErrorStates {
    /// Decides about a group; the last decision counts.
    pub async fn set(&self, group: &str, state: ErrorState, by: Option<&str>) -> Result<SetState, StoreError> {
        if group.is_empty() || group.len() > GROUP_MAX_BYTES || group.contains('\0') {
            return Err(StoreError::Refused("this is no id of a group of errors".to_owned()));
        }
        let set_by = by.map(|name| name.chars().take(NAME_MAX_CHARS).collect::<String>());
        let decided = SetState { group_id: group.to_owned(), state, since: self.clock.now(), set_by };
        if state == ErrorState::Open {
            self.db.execute("DELETE FROM error_states WHERE group_id = $1", args![group]).await?;
            return Ok(decided);
        }
        self.db
            .execute(
                "INSERT INTO error_states (group_id, state, since, set_by) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (group_id) DO UPDATE SET state = excluded.state, since = excluded.since,
                 set_by = excluded.set_by",
                args![group, state.as_str(), decided.since, decided.set_by.clone()],
            )
            .await?;
        Ok(decided)
    }

    /// All decisions, the newest first.
    pub async fn list(&self) -> Result<Vec<SetState>, StoreError> {
        let sql = "SELECT group_id, state, since, set_by FROM error_states ORDER BY since DESC, group_id LIMIT $1";
        let rows = self.db.fetch(sql, args![ERROR_STATES_MAX]).await?;
        let read = |row: &crate::db::Row| {
            Ok(SetState {
                group_id: row.text(0)?,
                state: row.parsed(1, "a state of a group of errors")?,
                since: row.time(2)?,
                set_by: row.maybe_text(3)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Drops the oldest beyond what is kept.
    pub(crate) async fn tidy(&self) -> Result<(), StoreError> {
        let sql = "DELETE FROM error_states WHERE group_id IN
                   (SELECT group_id FROM error_states ORDER BY since DESC, group_id LIMIT $1 OFFSET $2)";
        self.db.execute(sql, args![ERROR_STATES_MAX, ERROR_STATES_MAX]).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Fixture;

    #[tokio::test]
    async fn the_last_decision_about_a_group_counts() {
        for fixture in Fixture::all().await {
            let states = fixture.store.error_states();
            states.set("v1-a", ErrorState::Ignored, None).await.unwrap();
            fixture.pass_seconds(60);
            states.set("v1-b", ErrorState::Resolved, Some("ann")).await.unwrap();
            let decided = states.set("v1-a", ErrorState::Resolved, Some("花子")).await.unwrap();
            let fixture = fixture.reopen().await;
            let states = fixture.store.error_states();
            let listed = states.list().await.unwrap();
            assert_eq!(listed.len(), 2);
            assert_eq!(listed[0], decided);
            assert_eq!((decided.since, decided.set_by.as_deref()), (fixture.clock.now(), Some("花子")));
            states.set("v1-a", ErrorState::Open, Some("ann")).await.unwrap();
            states.set("v1-unknown", ErrorState::Open, None).await.unwrap();
            states.tidy().await.unwrap();
            let left: Vec<String> = states.list().await.unwrap().into_iter().map(|state| state.group_id).collect();
            assert_eq!(left, ["v1-b"]);
        }
    }

    #[tokio::test]
    async fn what_is_no_group_or_state_is_refused() {
        let fixture = Fixture::sqlite().await;
        for group in ["", "a\0b", &"x".repeat(101)] {
            let refused = fixture.store.error_states().set(group, ErrorState::Resolved, None).await;
            assert!(matches!(refused, Err(StoreError::Refused(_))), "{group:?}");
        }
        assert_eq!("resolved".parse(), Ok(ErrorState::Resolved));
        assert_eq!(
            "closed".parse::<ErrorState>().unwrap_err().to_string(),
            "\"closed\" is no state of a group of errors; use open, resolved or ignored"
        );
    }
}
