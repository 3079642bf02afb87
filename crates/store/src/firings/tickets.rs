//! Tickets: firings that somebody must act on within days, with a state, a date and an owner.

use super::list::{FIRINGS_LIST_MAX, FiringPage, PageKey, page};
use super::model::{Firing, HistoryKind, Progress, select_firing};
use super::{Firings, note};
use crate::StoreError;
use crate::db::args;
use crate::text::required;
use base::{Id, Span, Timestamp};

/// A ticket whose condition ended before anybody began, and which fires again within this time, is the same ticket.
pub const TICKET_REOPENS_WITHIN: Span = Span::from_seconds(7 * 86_400);
const NAME_MAX_CHARS: usize = 200;

/// Which tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketsQuery {
    /// Not done, the one that is due first in front.
    ToDo,
    /// Not done although the date has passed, the longest overdue first.
    Overdue,
}

impl Firings {
    /// A page of tickets that are not done. Done ones are in [`Firings::list`], like all others.
    pub async fn tickets(
        &self,
        query: TicketsQuery,
        after: Option<&PageKey>,
        limit: u32,
    ) -> Result<FiringPage, StoreError> {
        let after = after.cloned().unwrap_or_else(PageKey::oldest);
        let limit = limit.clamp(1, FIRINGS_LIST_MAX);
        let until = match query {
            TicketsQuery::ToDo => Timestamp::from_micros(i64::MAX),
            TicketsQuery::Overdue => self.clock.now(),
        };
        let rows = self.db.fetch(TO_DO, args![after.at, after.id, until, i64::from(limit) + 1]).await?;
        page(&rows, limit, |ticket| PageKey::after(ticket.due_at.unwrap_or_default(), ticket.id))
    }

    /// The work goes on. Done by a person, it stays done when its condition comes back: that makes a new ticket. `false`
    /// when it is that far already, or no ticket.
    pub async fn set_progress(&self, id: Id<Firing>, progress: Progress, by: &str) -> Result<bool, StoreError> {
        let (by, now) = (required("name", by, NAME_MAX_CHARS)?, self.clock.now());
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE firings SET progress = $1, done_at = $2, done_by = $3
                   WHERE id = $4 AND class = 'ticket' AND progress <> $1";
        let done = progress == Progress::Done;
        let values = args![progress.as_str(), done.then_some(now), done.then_some(by.as_str()), id];
        if tx.execute(sql, values).await? == 0 {
            return Ok(false);
        }
        note(&mut tx, id, now, HistoryKind::Progress, Some(&by), Some(progress.as_str())).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Moves the due date. `false` when it is no ticket.
    pub async fn set_due(&self, id: Id<Firing>, due: Timestamp, by: &str) -> Result<bool, StoreError> {
        let (by, now) = (required("name", by, NAME_MAX_CHARS)?, self.clock.now());
        if !due.is_in_calendar() {
            return Err(StoreError::Refused("the due date lies beyond the calendar".to_owned()));
        }
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE firings SET due_at = $1 WHERE id = $2 AND class = 'ticket'";
        if tx.execute(sql, args![due, id]).await? == 0 {
            return Ok(false);
        }
        note(&mut tx, id, now, HistoryKind::Due, Some(&by), Some(&due.to_string())).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// The partial index over tickets to do knows this condition by its text.
pub(crate) const TO_DO: &str = select_firing!(
    "WHERE progress IN ('open', 'in_progress') AND (due_at, id) > ($1, $2) AND due_at < $3
     ORDER BY due_at, id LIMIT $4"
);
