//! Transitions and their messages, written together.

use super::model::{Firing, FiringClass, HistoryKind, Outcome};
use super::{Firings, TICKET_REOPENS_WITHIN, note};
use crate::StoreError;
use crate::db::{Tx, args};
use crate::outbox::{self, MessageKind};
use crate::text::cut;
use base::{Id, ServiceName, Span, Timestamp};

const NAME_MAX_CHARS: usize = 200;
const SERIES_MAX_CHARS: usize = 4000;
const CONDITION_MAX_CHARS: usize = 1000;
/// A cause that was quoted, with its own reason.
const REASON_MAX_CHARS: usize = 2000;
/// A ticket for which the rule names no date: nobody may forget it because a key was missing.
const DUE_OF_LAST_RESORT: Span = Span::from_seconds(7 * 86_400);

/// A message to be written with a transition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tell {
    /// Where to.
    pub channel: String,
    /// What about.
    pub kind: MessageKind,
    /// Messages of the same group that wait together are sent as one.
    pub group: String,
    /// Not to be sent before.
    pub not_before: Timestamp,
    /// What the message is made of, as JSON; opaque here.
    pub payload: String,
}

/// A rule's series began to fire.
#[derive(Debug, Clone, PartialEq)]
pub struct Fire {
    /// The rule's name.
    pub rule: String,
    /// Hash of the rule as it is.
    pub spec: String,
    /// Alert or ticket.
    pub class: FiringClass,
    /// The service it is about, if about one.
    pub service: Option<ServiceName>,
    /// Which series; empty for a rule with one.
    pub series: String,
    /// What the rule watches, for people.
    pub condition: String,
    /// When.
    pub at: Timestamp,
    /// What was measured.
    pub value: Option<f64>,
    /// What it was compared with.
    pub threshold: Option<f64>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Until when (tickets).
    pub due_at: Option<Timestamp>,
    /// Who is told. Empty: nobody, for the reason in `quiet`.
    pub tell: Vec<Tell>,
    /// Why nobody is told.
    pub quiet: Option<String>,
    /// When the first step of the escalation is taken unless somebody acknowledges.
    pub escalate_at: Option<Timestamp>,
}

/// A rule's series ceased to fire. Whoever was told of the firing is told of its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolve {
    /// The rule's name.
    pub rule: String,
    /// Which series.
    pub series: String,
    /// When.
    pub at: Timestamp,
    /// What was measured.
    pub value: Option<f64>,
    /// What the messages are made of.
    pub payload: String,
}

/// A transition as it is written.
#[derive(Debug, Clone, PartialEq)]
pub enum FiringChange {
    /// Began.
    Fire(Fire),
    /// Ended.
    Resolve(Resolve),
}

/// What a transition came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// A new firing.
    Fired(Id<Firing>),
    /// A ticket that was there already fires again.
    FiredAgain(Id<Firing>),
    /// This series fires already; nothing was written.
    AlreadyOpen(Id<Firing>),
    /// The firing ended.
    Resolved(Id<Firing>),
    /// There was no such firing; nothing was written.
    NotOpen,
}

/// Which firing a series of a rule belongs to while it is open.
pub(crate) fn series_key(rule: &str, series: &str) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(rule.as_bytes()).update(&[0]).update(series.as_bytes());
    hasher.finalize().to_hex()[..32].to_owned()
}

impl Firings {
    /// Writes transitions and the messages that tell of them, all or none. Safe to repeat.
    pub async fn apply(&self, changes: &[FiringChange]) -> Result<Vec<Applied>, StoreError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let mut applied = Vec::with_capacity(changes.len());
        for change in changes {
            applied.push(match change {
                FiringChange::Fire(fire) => self::fire(&mut tx, fire, now).await?,
                FiringChange::Resolve(resolve) => self::resolve(&mut tx, resolve, now).await?,
            });
        }
        tx.commit().await?;
        Ok(applied)
    }

    /// Tells of an open firing of which nobody was told so far, because a silence has ended for example. `false` when
    /// it was told already or has ended.
    pub async fn tell(
        &self,
        id: Id<Firing>,
        tell: &[Tell],
        escalate_at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE firings SET told = 1, quiet_reason = NULL, escalate_at = $1
                   WHERE id = $2 AND told = 0 AND state = 'open'";
        if tell.is_empty() || tx.execute(sql, args![escalate_at, id]).await? == 0 {
            return Ok(false);
        }
        note(&mut tx, id, now, HistoryKind::Told, None, None).await?;
        for one in tell {
            outbox::add(&mut tx, Some(id), one, false, now).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Takes the next step of an escalation. `level` is the number of steps that the caller saw taken: of two who take
    /// the same step, one gets `false`, as does who comes after an acknowledgement or the end.
    pub async fn escalate(
        &self,
        id: Id<Firing>,
        level: i64,
        tell: &[Tell],
        next_at: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE firings SET escalation_level = escalation_level + 1, escalate_at = $1
                   WHERE id = $2 AND escalation_level = $3 AND state = 'open' AND acknowledged_at IS NULL";
        if tx.execute(sql, args![next_at, id, level]).await? == 0 {
            return Ok(false);
        }
        let to: Vec<&str> = tell.iter().map(|one| one.channel.as_str()).collect();
        note(&mut tx, id, now, HistoryKind::Escalated, None, Some(&to.join(", "))).await?;
        for one in tell {
            outbox::add(&mut tx, Some(id), one, false, now).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

async fn open_id(tx: &mut Tx, key: &str) -> Result<Option<Id<Firing>>, StoreError> {
    let sql = "SELECT id FROM firings WHERE series_key = $1 AND state = 'open'";
    tx.fetch_one(sql, args![key]).await?.map(|row| row.parsed(0, "a firing id")).transpose()
}

async fn fire(tx: &mut Tx, fire: &Fire, now: Timestamp) -> Result<Applied, StoreError> {
    let key = series_key(&fire.rule, &fire.series);
    if let Some(open) = open_id(tx, &key).await? {
        return Ok(Applied::AlreadyOpen(open));
    }
    let again = if fire.class == FiringClass::Ticket { reopen(tx, fire, &key, now).await? } else { None };
    let (id, applied) = match again {
        Some(id) => (id, Applied::FiredAgain(id)),
        None => match insert(tx, fire, &key).await? {
            Some(id) => (id, Applied::Fired(id)),
            // Another server was faster between the two statements (PostgreSQL).
            None => return Ok(open_id(tx, &key).await?.map_or(Applied::NotOpen, Applied::AlreadyOpen)),
        },
    };
    let kind = if again.is_some() { HistoryKind::FiredAgain } else { HistoryKind::Fired };
    note(tx, id, fire.at, kind, None, None).await?;
    if let Some(reason) = fire.quiet.as_deref().filter(|_| fire.tell.is_empty()) {
        note(tx, id, fire.at, HistoryKind::Quiet, None, Some(&cut(reason, REASON_MAX_CHARS))).await?;
    }
    for one in &fire.tell {
        outbox::add(tx, Some(id), one, false, now).await?;
    }
    Ok(applied)
}

async fn insert(tx: &mut Tx, fire: &Fire, key: &str) -> Result<Option<Id<Firing>>, StoreError> {
    let id = Id::<Firing>::generate();
    let ticket = fire.class == FiringClass::Ticket;
    let due = fire.due_at.or_else(|| ticket.then(|| fire.at.plus_micros(DUE_OF_LAST_RESORT.micros())));
    let told = !fire.tell.is_empty();
    let quiet = fire.quiet.as_deref().filter(|_| !told).map(|reason| cut(reason, REASON_MAX_CHARS));
    let progress = ticket.then_some("open");
    let sql = "INSERT INTO firings (id, rule, spec, class, service, series, series_key, condition_text, state,
               started_at, changed_at, times, value, threshold, told, quiet_reason, escalation_level, escalate_at,
               owner, due_at, progress, notes)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, $9, 1, $10, $11, $12, $13, 0, $14, $15, $16, $17, 0)
               ON CONFLICT (series_key) WHERE state = 'open' DO NOTHING";
    let written = tx
        .execute(
            sql,
            args![
                id,
                cut(&fire.rule, NAME_MAX_CHARS),
                cut(&fire.spec, NAME_MAX_CHARS),
                fire.class.as_str(),
                fire.service.as_ref(),
                cut(&fire.series, SERIES_MAX_CHARS),
                key,
                cut(&fire.condition, CONDITION_MAX_CHARS),
                fire.at,
                fire.value,
                fire.threshold,
                told,
                quiet,
                fire.escalate_at.filter(|_| told),
                fire.owner.as_deref().map(|owner| cut(owner, NAME_MAX_CHARS)),
                due,
                progress,
            ],
        )
        .await?;
    Ok((written > 0).then_some(id))
}

/// A ticket of the same series that is not done, or was done by nobody a short while ago, goes on: one cause is one
/// ticket, however often it comes and goes.
async fn reopen(tx: &mut Tx, fire: &Fire, key: &str, now: Timestamp) -> Result<Option<Id<Firing>>, StoreError> {
    let sql = "SELECT id FROM firings WHERE series_key = $1 AND class = 'ticket'
               AND (progress <> 'done' OR (done_by IS NULL AND done_at >= $2)) ORDER BY started_at DESC, id DESC LIMIT 1";
    let since = now.plus_micros(-TICKET_REOPENS_WITHIN.micros());
    let Some(row) = tx.fetch_one(sql, args![key, since]).await? else { return Ok(None) };
    let id: Id<Firing> = row.parsed(0, "a firing id")?;
    // A program's conclusion that it resolved by itself is void now; what a person said stays.
    let told = !fire.tell.is_empty();
    let sql = "UPDATE firings SET state = 'open', changed_at = $1, resolved_at = NULL, times = times + 1, value = $2,
               threshold = $3, spec = $4, told = CASE WHEN $5 = 1 THEN 1 ELSE told END,
               progress = CASE WHEN progress = 'done' THEN 'open' ELSE progress END, done_at = NULL, done_by = NULL,
               outcome = CASE WHEN outcome_by IS NULL THEN NULL ELSE outcome END,
               outcome_at = CASE WHEN outcome_by IS NULL THEN NULL ELSE outcome_at END
               WHERE id = $6 AND state <> 'open'";
    let spec = cut(&fire.spec, NAME_MAX_CHARS);
    let written = tx.execute(sql, args![fire.at, fire.value, fire.threshold, spec, told, id]).await?;
    Ok((written > 0).then_some(id))
}

async fn resolve(tx: &mut Tx, resolve: &Resolve, now: Timestamp) -> Result<Applied, StoreError> {
    let key = series_key(&resolve.rule, &resolve.series);
    let Some(id) = open_id(tx, &key).await? else { return Ok(Applied::NotOpen) };
    // A ticket that nobody has begun is done with its cause; one that somebody works on is theirs to close.
    let sql =
        "UPDATE firings SET state = 'resolved', resolved_at = $1, changed_at = $1, value = $2, escalate_at = NULL,
               done_at = CASE WHEN class = 'ticket' AND progress = 'open' THEN $1 ELSE done_at END,
               outcome_at = CASE WHEN class = 'ticket' AND progress = 'open' AND outcome IS NULL THEN $1
                                 ELSE outcome_at END,
               outcome = CASE WHEN class = 'ticket' AND progress = 'open' AND outcome IS NULL THEN $3
                              ELSE outcome END,
               progress = CASE WHEN progress = 'open' THEN 'done' ELSE progress END
               WHERE id = $4 AND state = 'open'";
    let by_itself = Outcome::ResolvedByItself.as_str();
    if tx.execute(sql, args![resolve.at, resolve.value, by_itself, id]).await? == 0 {
        return Ok(Applied::NotOpen);
    }
    note(tx, id, resolve.at, HistoryKind::Resolved, None, None).await?;
    outbox::tell_the_end(tx, id, &resolve.payload, now).await?;
    Ok(Applied::Resolved(id))
}
