//! Firings of alerts and tickets: what fired, what came of it, and everything that happened in between.
//!
//! A transition and the messages that tell of it are written in **one transaction** ([`Firings::apply`]): there is never
//! a firing that nobody will hear of, nor a message about a firing that does not exist. Writing the same transition twice
//! changes nothing, so a caller who does not know whether the first time was committed simply does it again. Records
//! (the third class) are never here but in the lake.

mod apply;
mod list;
mod model;
mod people;
mod tickets;

pub use apply::{Applied, Fire, FiringChange, Resolve, Tell};
#[cfg(test)]
pub(crate) use list::statements;
pub use list::{FIRINGS_LIST_MAX, FiringPage, FiringScope, FiringsQuery, OpenFiring, PageKey};
pub use model::{
    Firing, FiringClass, FiringClassError, FiringLink, FiringState, FiringStateError, HistoryEntry, HistoryKind,
    HistoryKindError, LinkKind, LinkKindError, Outcome, OutcomeError, Progress, ProgressError,
};
pub(crate) use people::link_in;
pub use people::{HISTORY_MAX, LINKS_MAX};
#[cfg(test)]
pub(crate) use tickets::TO_DO;
pub use tickets::{TICKET_REOPENS_WITHIN, TicketsQuery};

use crate::StoreError;
use crate::db::{Db, Tx, args};
use base::{Clock, Id, Span, Timestamp};

/// How long a firing that has ended is kept: 13 months, so that a month can be compared with the same one a year ago.
pub const FIRINGS_KEPT: Span = Span::from_seconds(400 * 86_400);
/// Removed at once; a larger step would hold the writer.
const TIDY_ROWS: i64 = 1000;

/// Writing and reading firings.
#[derive(Debug, Clone)]
pub struct Firings {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
}

impl Firings {
    /// Drops firings that ended too long ago, some at a time. An open one, and a ticket that is not done, stays.
    pub(crate) async fn tidy(&self) -> Result<(), StoreError> {
        let before = self.clock.now().plus_micros(-FIRINGS_KEPT.micros());
        let sql = "DELETE FROM firings WHERE id IN (SELECT id FROM firings WHERE started_at < $1
                   AND state = 'resolved' AND (class <> 'ticket' OR progress = 'done')
                   AND (resolved_at IS NULL OR resolved_at < $1) ORDER BY started_at, id LIMIT $2)";
        self.db.execute(sql, args![before, TIDY_ROWS]).await?;
        Ok(())
    }
}

/// Notes what happened to a firing, within the transaction that makes it happen.
pub(crate) async fn note(
    tx: &mut Tx,
    firing: Id<Firing>,
    at: Timestamp,
    kind: HistoryKind,
    who: Option<&str>,
    detail: Option<&str>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO firing_history (id, firing, at, kind, who, detail) VALUES ($1, $2, $3, $4, $5, $6)";
    let id = Id::<HistoryEntry>::generate();
    tx.execute(sql, args![id, firing, at, kind.as_str(), who, detail]).await?;
    Ok(())
}
