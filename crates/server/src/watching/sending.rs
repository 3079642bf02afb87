//! Sends what is in the outbox: a worker that claims, sends and books, one message of a channel at a time.

use super::Watch;
use crate::parts::Parts;
use base::Timestamp;
use outbound::chain;
use parking_lot::Mutex;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use store::{Batch, StoreError, Tell};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use watch::channel::{Answer, Channel, IssueRef};
use watch::delivery::{LEASE, Next, Sent, after, next_in_line};
use watch::message::{Desk, Message};
use watch::texts::Texts;

/// The outbox is looked at this often even when nothing was written: what waits for a time comes due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often the forge is asked which tickets people closed there.
const FORGE_EVERY: Duration = Duration::from_mins(1);

/// What a channel's task needs.
#[derive(Clone)]
struct Sender {
    watch: Arc<Watch>,
    parts: Parts,
    outbound: outbound::Sender,
    /// Channels that are being sent to.
    busy: Arc<Mutex<HashSet<String>>>,
}

/// Starts the worker.
pub(super) fn start(watch: &Arc<Watch>, parts: &Parts, tasks: &TaskTracker, stop: &CancellationToken) {
    let outbound = match outbound::Sender::new() {
        Ok(outbound) => outbound,
        Err(error) => {
            tracing::error!(error = chain(&error), "no message can be sent: the HTTP client can't be made");
            return;
        }
    };
    let sender = Sender { watch: Arc::clone(watch), parts: parts.clone(), outbound, busy: Arc::default() };
    let (worker, its_tasks, ends) = (sender.clone(), tasks.clone(), stop.clone());
    tasks.spawn(async move {
        loop {
            worker.round(&its_tasks).await;
            tokio::select! {
                () = ends.cancelled() => return,
                () = worker.watch.to_send.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    });
    let ends = stop.clone();
    tasks.spawn(async move {
        let mut since = sender.parts.clock.now();
        while tokio::time::timeout(FORGE_EVERY, ends.cancelled()).await.is_err() {
            since = sender.closed_issues(since).await;
        }
    });
}

impl Sender {
    /// Begins to send to every channel for which something waits and that may be asked.
    async fn round(&self, tasks: &TaskTracker) {
        let waiting = match self.parts.store.outbox().waiting_channels().await {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::warn!(%error, "the outbox can't be read");
                return;
            }
        };
        for name in waiting {
            let now = self.parts.clock.now();
            let may_ask = self.watch.health.lock().get(&name).is_none_or(|health| health.may_ask(now));
            if may_ask && self.busy.lock().insert(name.clone()) {
                let me = self.clone();
                tasks.spawn(async move {
                    if let Err(error) = me.drain(&name).await {
                        tracing::warn!(%error, channel = name, "messages could not be claimed or booked");
                    }
                    me.busy.lock().remove(&name);
                });
            } else if !may_ask && let Err(error) = self.fall_back(&name, now).await {
                tracing::warn!(%error, channel = name, "alerts that wait could not be given to the next channel");
            }
        }
    }

    /// Sends to a channel until nothing waits or it fails.
    async fn drain(&self, name: &str) -> Result<(), StoreError> {
        loop {
            let now = self.parts.clock.now();
            if self.watch.health.lock().get(name).is_some_and(|health| !health.may_ask(now)) {
                return self.fall_back(name, now).await;
            }
            let Some(batch) = self.parts.store.outbox().claim(name, LEASE).await? else { return Ok(()) };
            self.one(name, &batch).await?;
        }
    }

    async fn one(&self, name: &str, batch: &Batch) -> Result<(), StoreError> {
        let plan = self.watch.plan();
        let texts = Texts::new(plan.language);
        let zone = &self.parts.about.time_zone;
        let message = Desk { texts: &texts, base_url: &plan.base_url, zone }.write_batch(batch);
        let (answer, repo) = if let Some(channel) = plan.channels.get(name) {
            self.send(channel, batch, &message).await?
        } else {
            (Answer::Retry { after: None, why: format!("no channel {name:?} is configured any more") }, None)
        };
        let now = self.parts.clock.now();
        let sent = Sent { kind: batch.kind, class: message.class, since: batch.since(), attempts: batch.attempts() };
        let next = after(&sent, &answer, rand::random(), now);
        let health = self.watch.health.lock().get(name).copied().unwrap_or_default().after(&answer, &next, now);
        self.watch.health.lock().insert(name.to_owned(), health);
        let outbox = self.parts.store.outbox();
        match next {
            Next::Delivered { number } => {
                let issue = repo.zip(number).map(|(repo, number)| IssueRef { repo, number }.to_string());
                outbox.delivered(batch, issue.as_deref()).await
            }
            Next::Retry { at, why } => {
                tracing::info!(channel = name, why, "a message was not taken; it is sent again later");
                outbox.retry(batch, at, &why).await
            }
            Next::GiveUp { why } => {
                tracing::warn!(channel = name, why, "a message was given up");
                outbox.give_up(batch, &why).await
            }
        }
    }

    /// The answer of the channel, and the repository if it is a forge.
    async fn send(
        &self,
        channel: &Channel,
        batch: &Batch,
        message: &Message,
    ) -> Result<(Answer, Option<String>), StoreError> {
        let mut issue = self.issue_of(batch).await?;
        // The attempt before may have arrived, although its answer did not.
        if issue.is_none()
            && batch.attempts() > 1
            && let Some(request) = channel.find_issue(message)
            && let Ok(body) = self.outbound.read(&request).await
        {
            let found = channel.read_issues(&body).into_iter().next();
            if let Some(found) = found {
                return Ok((Answer::Delivered { number: Some(found.issue.number) }, Some(found.issue.repo)));
            }
            issue = None;
        }
        let answer = self.outbound.send(channel, message, issue.as_ref(), self.parts.clock.now()).await;
        let repo = matches!(answer, Answer::Delivered { .. }).then(|| channel.repo().map(str::to_owned)).flatten();
        Ok((answer, repo))
    }

    /// The issue that an earlier message about the same firing became.
    async fn issue_of(&self, batch: &Batch) -> Result<Option<IssueRef>, StoreError> {
        let Some(firing) = batch.messages.first().and_then(|message| message.firing) else { return Ok(None) };
        let links = self.parts.store.firings().links(firing).await?;
        let mut issues = links.into_iter().filter(|link| link.kind == store::LinkKind::Issue);
        Ok(issues.find_map(|link| link.target.parse().ok()))
    }

    /// Gives alerts that wait at a failing channel to the next one of the list.
    async fn fall_back(&self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        let given_over =
            |name: &str| self.watch.health.lock().get(name).is_some_and(|health| health.is_given_over(now));
        if !given_over(name) {
            return Ok(());
        }
        let list: Vec<String> = self.watch.plan().lists.alert.iter().map(|listed| listed.name.clone()).collect();
        let outbox = self.parts.store.outbox();
        for stuck in outbox.stuck(name).await? {
            let told: HashSet<String> =
                outbox.of_firing(stuck.firing).await?.into_iter().map(|delivery| delivery.channel).collect();
            let Some(next) = next_in_line(&list, name, |other| told.contains(other), given_over) else { continue };
            let tell = Tell {
                channel: next.to_owned(),
                kind: stuck.kind,
                group: stuck.group.clone(),
                not_before: now,
                payload: stuck.payload.clone(),
            };
            if outbox.fall_back(&stuck, &tell).await? {
                tracing::warn!(channel = name, next, "an alert that a channel does not take goes to the next one");
                self.watch.to_send.notify_one();
            }
        }
        Ok(())
    }

    /// Tickets whose issue somebody closed at the forge are done. Answers the moment from which to look next time.
    async fn closed_issues(&self, since: Timestamp) -> Timestamp {
        let now = self.parts.clock.now();
        for channel in self.watch.plan().channels.values() {
            // A minute of overlap: clocks differ, and what is done stays done.
            let Some(request) = channel.changed_issues(since.plus_seconds(-60)) else { continue };
            let Ok(body) = self.outbound.read(&request).await else { return since };
            for issue in channel.read_issues(&body) {
                let by = issue.closed_by.as_deref().unwrap_or("github");
                let progress = if issue.closed { store::Progress::Done } else { continue };
                if let Err(error) = self.parts.store.firings().set_progress(issue.firing, progress, by).await {
                    tracing::warn!(%error, "a ticket that was closed at the forge is not booked");
                    return since;
                }
            }
        }
        now
    }
}
