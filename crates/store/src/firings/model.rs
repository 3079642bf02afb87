//! A firing and the words of its columns.

use crate::StoreError;
use crate::db::Row;
use crate::words::words;
use base::{Id, ServiceName, Timestamp};
use serde::Serialize;

words! {
    /// Which of the two classes that somebody must act on. A record is no firing of the store.
    pub enum FiringClass, "class of a firing", FiringClassError {
        /// Somebody must act now.
        Alert = "alert",
        /// Somebody must act within days.
        Ticket = "ticket",
    }
}
words! {
    /// Whether the rule's condition still holds.
    pub enum FiringState, "state of a firing", FiringStateError {
        /// It does.
        Open = "open",
        /// It has ended.
        Resolved = "resolved",
    }
}
words! {
    /// What came of a firing, as a person says it.
    pub enum Outcome, "outcome", OutcomeError {
        /// Somebody had to act, and did.
        Acted = "acted",
        /// A healing policy put it right.
        Healed = "healed",
        /// It ended before anybody could act.
        ResolvedByItself = "resolved_by_itself",
        /// Another firing told of the same.
        Duplicate = "duplicate",
        /// There was nothing to do; the reason is asked for.
        NoActionNeeded = "no_action_needed",
    }
}
words! {
    /// How far the work on a ticket is. Overdue is no state of its own: it is a due date that has passed.
    pub enum Progress, "state of a ticket", ProgressError {
        /// Nobody has begun.
        Open = "open",
        /// Somebody works on it.
        InProgress = "in_progress",
        /// Done.
        Done = "done",
    }
}
words! {
    /// What happened to a firing.
    pub enum HistoryKind, "kind of history", HistoryKindError {
        /// It began.
        Fired = "fired",
        /// The condition of a ticket came back.
        FiredAgain = "fired_again",
        /// The condition ended.
        Resolved = "resolved",
        /// A person took it.
        Acknowledged = "acknowledged",
        /// A person wrote something.
        Note = "note",
        /// A person said what came of it.
        Outcome = "outcome",
        /// Somebody else answers for it now.
        Assigned = "assigned",
        /// The due date moved.
        Due = "due",
        /// The work on a ticket went on.
        Progress = "progress",
        /// Nobody acknowledged in time; the next was told.
        Escalated = "escalated",
        /// A channel took the message.
        Delivered = "delivered",
        /// A channel was given up.
        GivenUp = "given_up",
        /// A channel failed, so the next one was told.
        FellBack = "fell_back",
        /// It was not told, and why.
        Quiet = "quiet",
        /// It was told after it had been quiet.
        Told = "told",
        /// It was linked to something.
        Linked = "linked",
    }
}
words! {
    /// What a firing can be linked to.
    pub enum LinkKind, "kind of link", LinkKindError {
        /// Another firing, by id.
        Firing = "firing",
        /// A change, by id.
        Change = "change",
        /// A group of errors, by id.
        ErrorGroup = "error_group",
        /// A page, http or https.
        Url = "url",
        /// An issue at a forge: `owner/repo#12`.
        Issue = "issue",
    }
}

/// One occurrence of a rule, from start to end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Firing {
    /// Never changes.
    pub id: Id<Firing>,
    /// The rule's name.
    pub rule: String,
    /// Hash of the rule as it was when it fired.
    pub spec: String,
    /// Alert or ticket.
    pub class: FiringClass,
    /// The service it is about, if about one.
    pub service: Option<ServiceName>,
    /// Which series of the rule; empty for a rule with one.
    pub series: String,
    /// What the rule watches, for people.
    pub condition: String,
    /// Whether the condition still holds.
    pub state: FiringState,
    /// When it began to fire.
    pub started_at: Timestamp,
    /// The last transition.
    pub changed_at: Timestamp,
    /// When the condition ended.
    pub resolved_at: Option<Timestamp>,
    /// How often it fired: more than once for a ticket whose condition came back.
    pub times: i64,
    /// What was measured at the last transition, in the unit of the rule's signal.
    pub value: Option<f64>,
    /// What it was compared with, in the same unit.
    pub threshold: Option<f64>,
    /// Whether anybody was told.
    pub told: bool,
    /// Why nobody was told, when nobody was.
    pub quiet_reason: Option<String>,
    /// How many steps of the escalation were taken.
    pub escalation_level: i64,
    /// When the next step is taken unless somebody acknowledges.
    pub escalate_at: Option<Timestamp>,
    /// When a person took it.
    pub acknowledged_at: Option<Timestamp>,
    /// Who.
    pub acknowledged_by: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Until when; tickets always have it.
    pub due_at: Option<Timestamp>,
    /// How far the work is; `None` for an alert.
    pub progress: Option<Progress>,
    /// When a ticket was done.
    pub done_at: Option<Timestamp>,
    /// By whom; `None` when its condition ended before anybody began.
    pub done_by: Option<String>,
    /// How many notes people wrote.
    pub notes: i64,
    /// What came of it.
    pub outcome: Option<Outcome>,
    /// Why, in a sentence.
    pub outcome_why: Option<String>,
    /// Who said so; `None` when Koshu concluded it.
    pub outcome_by: Option<String>,
    /// When.
    pub outcome_at: Option<Timestamp>,
}

impl Firing {
    /// Whether it is a ticket whose due date has passed and which is not done.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.class == FiringClass::Ticket
            && self.progress != Some(Progress::Done)
            && self.due_at.is_some_and(|due| due < now)
    }
}

/// Something that happened to a firing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// Never changes.
    pub id: Id<HistoryEntry>,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: HistoryKind,
    /// Who; `None` when a program did it.
    pub who: Option<String>,
    /// More about it.
    pub detail: Option<String>,
}

/// What a firing is linked to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FiringLink {
    /// What kind of thing.
    pub kind: LinkKind,
    /// Which one.
    pub target: String,
    /// Since when.
    pub at: Timestamp,
    /// Who linked it; `None` when a program did it.
    pub who: Option<String>,
}

/// A statement that reads whole firings; what follows the list of columns is added.
macro_rules! select_firing {
    ($($rest:expr),+ $(,)?) => {
        concat!(
            "SELECT id, rule, spec, class, service, series, condition_text, state, started_at, changed_at, resolved_at,
             times, value, threshold, told, quiet_reason, escalation_level, escalate_at, acknowledged_at,
             acknowledged_by, owner, due_at, progress, done_at, done_by, notes, outcome, outcome_why, outcome_by,
             outcome_at FROM firings ",
            $($rest),+
        )
    };
}
pub(crate) use select_firing;

pub(crate) fn read_firing(row: &Row) -> Result<Firing, StoreError> {
    Ok(Firing {
        id: row.parsed(0, "a firing id")?,
        rule: row.text(1)?,
        spec: row.text(2)?,
        class: row.parsed(3, "a class")?,
        service: row.maybe_parsed(4, "a service name")?,
        series: row.text(5)?,
        condition: row.text(6)?,
        state: row.parsed(7, "a state of a firing")?,
        started_at: row.time(8)?,
        changed_at: row.time(9)?,
        resolved_at: row.maybe_time(10)?,
        times: row.int(11)?,
        value: row.maybe_number(12, "a measured value")?,
        threshold: row.maybe_number(13, "a threshold")?,
        told: row.int(14)? != 0,
        quiet_reason: row.maybe_text(15)?,
        escalation_level: row.int(16)?,
        escalate_at: row.maybe_time(17)?,
        acknowledged_at: row.maybe_time(18)?,
        acknowledged_by: row.maybe_text(19)?,
        owner: row.maybe_text(20)?,
        due_at: row.maybe_time(21)?,
        progress: row.maybe_parsed(22, "a state of a ticket")?,
        done_at: row.maybe_time(23)?,
        done_by: row.maybe_text(24)?,
        notes: row.int(25)?,
        outcome: row.maybe_parsed(26, "an outcome")?,
        outcome_why: row.maybe_text(27)?,
        outcome_by: row.maybe_text(28)?,
        outcome_at: row.maybe_time(29)?,
    })
}
