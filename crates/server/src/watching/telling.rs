//! From transitions to firings, messages in the outbox, and events in the lake.

use super::{Watch, series_of, series_text};
use crate::parts::Parts;
use base::Timestamp;
use lake::Append;
use signal::{EventRow, EventRows, Table};
use std::sync::Arc;
use store::{Fire, Firing, FiringChange, FiringClass, MessageKind, Resolve, StoreError, Tell};
use watch::engine::OpenFiring;
use watch::escalation::Target;
use watch::message::Told;
use watch::routing::{Hush, OpenAlert, Route, Subject, remind, route};
use watch::rule::{RuleKind, What};
use watch::signals::{Signal, Unit};
use watch::{Class, Phase, RuleInfo, Series, Transition};

/// Firings that are looked at again in one go, because a silence has ended or nobody has acknowledged.
const AT_ONCE: u32 = 200;

/// What is quiet and what fires, read once for a round.
struct Situation {
    silences: Vec<store::Silence>,
    maintenances: Vec<store::Maintenance>,
    open: Vec<OpenAlert>,
}

impl Situation {
    fn hush(&self) -> Hush<'_> {
        Hush { silences: &self.silences, maintenances: &self.maintenances, open: &self.open }
    }
}

impl Watch {
    /// Stores what waits, with its messages; then looks after those that nobody was told of or that nobody acknowledged.
    pub(super) async fn tell(&self, parts: &Parts, now: Timestamp) {
        let transitions = std::mem::take(&mut *self.pending.lock());
        if let Err(error) = self.store(parts, &transitions, now).await {
            tracing::error!(%error, waiting = transitions.len(), "what the rules said is not stored; it is tried again");
            let mut pending = self.pending.lock();
            pending.splice(0..0, transitions);
            return;
        }
        self.record(parts, &transitions).await;
        if let Err(error) = self.look_after(parts, now).await {
            tracing::warn!(%error, "silences and escalations were not looked at");
        }
        self.to_send.notify_one();
    }

    async fn store(&self, parts: &Parts, transitions: &[Transition], now: Timestamp) -> Result<(), StoreError> {
        let concerns = |transition: &&Transition| transition.rule.class != Class::Record && turns(transition).is_some();
        let told: Vec<&Transition> = transitions.iter().filter(concerns).collect();
        if told.is_empty() {
            return Ok(());
        }
        let mut situation = self.situation(parts).await?;
        let changes: Vec<FiringChange> =
            told.into_iter().filter_map(|transition| self.change(transition, &mut situation, now)).collect();
        parts.store.firings().apply(&changes).await?;
        Ok(())
    }

    fn change(&self, transition: &Transition, situation: &mut Situation, now: Timestamp) -> Option<FiringChange> {
        let series = series_text(&transition.series);
        if turns(transition)? == Turn::Ends {
            let payload = Told::of(transition, transition.since, None).to_json();
            let rule = transition.rule.name.clone();
            return Some(FiringChange::Resolve(Resolve {
                rule,
                series,
                at: transition.at,
                value: transition.value,
                payload,
            }));
        }
        let rule = &transition.rule;
        let class = if rule.class == Class::Alert { FiringClass::Alert } else { FiringClass::Ticket };
        let due_at = rule.due.map(|due| transition.at.plus_micros(due.micros()));
        let payload = Told::of(transition, transition.at, due_at).to_json();
        let host_gone = self.is_of_host_silence(&rule.name);
        let route = self.route(rule, &transition.series, host_gone, situation, &payload, now);
        let (tell, quiet) = match route {
            Route::Tell(tell) => (tell, None),
            Route::Quiet(quiet) => (Vec::new(), Some(quiet.to_json())),
            Route::Record => return None,
        };
        situation.open.push(OpenAlert {
            rule: rule.name.clone(),
            service: rule.service.clone(),
            series: transition.series.clone(),
            host_gone,
            told: !tell.is_empty() && class == FiringClass::Alert,
        });
        Some(FiringChange::Fire(Fire {
            rule: rule.name.clone(),
            spec: spec_hash(rule),
            class,
            service: rule.service.as_deref().and_then(|name| name.parse().ok()),
            series,
            condition: rule.condition.clone(),
            at: transition.at,
            value: transition.value,
            threshold: transition.threshold,
            owner: rule.owner.clone(),
            due_at,
            escalate_at: self.first_escalation(class, &tell, now),
            tell,
            quiet,
        }))
    }

    fn route(
        &self,
        rule: &RuleInfo,
        series: &Series,
        host_gone: bool,
        situation: &Situation,
        payload: &str,
        now: Timestamp,
    ) -> Route {
        let subject = Subject { rule, series, host_gone };
        route(subject, situation.hush(), &self.plan().lists, &mut self.groups.lock(), payload, now)
    }

    fn first_escalation(&self, class: FiringClass, tell: &[Tell], now: Timestamp) -> Option<Timestamp> {
        let after = self.plan().escalation.first_after()?;
        (class == FiringClass::Alert && !tell.is_empty()).then(|| now.plus_micros(after.micros()))
    }

    fn is_of_host_silence(&self, rule: &str) -> bool {
        self.plan().rule(rule).is_some_and(|rule| match &rule.kind {
            RuleKind::Threshold { selector, .. } => {
                matches!(selector.what, What::Signal(Signal::HostSilence | Signal::HostGone))
            }
            RuleKind::Burn { .. } => false,
        })
    }

    async fn situation(&self, parts: &Parts) -> Result<Situation, StoreError> {
        let open = parts.store.firings().open().await?;
        let open = open.into_iter().filter(|firing| firing.class == FiringClass::Alert);
        Ok(Situation {
            silences: parts.store.silences().current().await?,
            maintenances: parts.store.maintenances().current().await?,
            open: open
                .map(|firing| OpenAlert {
                    host_gone: self.is_of_host_silence(&firing.rule),
                    service: firing.service.map(String::from),
                    series: series_of(&firing.series),
                    told: firing.told,
                    rule: firing.rule,
                })
                .collect(),
        })
    }

    /// Tells what was kept quiet and need not be any more; takes the next step where nobody has acknowledged.
    async fn look_after(&self, parts: &Parts, now: Timestamp) -> Result<(), StoreError> {
        let untold = parts.store.firings().untold(AT_ONCE).await?;
        if !untold.is_empty() {
            let situation = self.situation(parts).await?;
            for firing in untold {
                let Some(rule) = self.info(&firing) else { continue };
                let series = series_of(&firing.series);
                let payload = told_again(&rule, &firing, now).to_json();
                let host_gone = self.is_of_host_silence(&firing.rule);
                if let Route::Tell(tell) = self.route(&rule, &series, host_gone, &situation, &payload, now) {
                    let escalate_at = self.first_escalation(firing.class, &tell, now);
                    parts.store.firings().tell(firing.id, &tell, escalate_at).await?;
                }
            }
        }
        for firing in parts.store.firings().to_escalate(AT_ONCE).await? {
            self.escalate(parts, &firing, now).await?;
        }
        if !self.plan().lists.ticket.is_empty() {
            self.remind_of_overdue(parts, now).await?;
        }
        Ok(())
    }

    /// Says at the channels of tickets which ones are overdue. Those that are kept quiet now are looked at again in the
    /// next round, and never keep others from being looked at.
    async fn remind_of_overdue(&self, parts: &Parts, now: Timestamp) -> Result<(), StoreError> {
        let firings = parts.store.firings();
        let mut page = firings.to_remind(None, AT_ONCE).await?;
        if page.firings.is_empty() {
            return Ok(());
        }
        let situation = self.situation(parts).await?;
        let mut reminded = 0;
        loop {
            for firing in &page.firings {
                reminded += u32::from(self.remind(parts, firing, &situation, now).await?);
            }
            let Some(next) = page.next.filter(|_| reminded < AT_ONCE) else { return Ok(()) };
            page = firings.to_remind(Some(&next), AT_ONCE).await?;
        }
    }

    /// Says that a ticket is overdue, unless it is kept quiet. Whether it was said.
    async fn remind(
        &self,
        parts: &Parts,
        firing: &Firing,
        situation: &Situation,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(rule) = self.info(firing) else { return Ok(false) };
        let series = series_of(&firing.series);
        let subject = Subject { rule: &rule, series: &series, host_gone: self.is_of_host_silence(&firing.rule) };
        let payload = told_again(&rule, firing, now).to_json();
        let plan = self.plan();
        match remind(subject, situation.hush(), &plan.lists, &firing.id.to_string(), &payload, now) {
            Route::Tell(tell) => parts.store.outbox().remind(firing.id, &tell).await,
            Route::Quiet(_) | Route::Record => Ok(false),
        }
    }

    async fn escalate(&self, parts: &Parts, firing: &Firing, now: Timestamp) -> Result<(), StoreError> {
        let plan = self.plan();
        let firings = parts.store.firings();
        let Some((target, next)) = plan.escalation.step(firing.escalation_level) else {
            firings.escalate(firing.id, firing.escalation_level, &[], None).await?;
            return Ok(());
        };
        let channel = match target {
            Target::Output(name) => Some(name.clone()),
            Target::Rotation(name) => self.on_duty(parts, name, now).await?,
            Target::Person(name) => plan.channel_of_person(name),
        };
        let tell: Vec<Tell> = channel
            .into_iter()
            .filter_map(|channel| {
                let rule = self.info(firing)?;
                Some(Tell {
                    channel,
                    kind: MessageKind::Escalate,
                    group: format!("escalate/{}", firing.id),
                    not_before: now,
                    payload: told_again(&rule, firing, now).to_json(),
                })
            })
            .collect();
        let next_at = next.map(|after| now.plus_micros(after.micros()));
        firings.escalate(firing.id, firing.escalation_level, &tell, next_at).await?;
        Ok(())
    }

    /// The channel of whoever is on duty in a rotation.
    async fn on_duty(&self, parts: &Parts, rotation: &str, now: Timestamp) -> Result<Option<String>, StoreError> {
        let plan = self.plan();
        let Some(known) = plan.rotations.get(rotation) else { return Ok(None) };
        let range = base::TimeRange { from: now, to: now.plus_seconds(1) };
        let overrides = parts.store.rotation_overrides().within(rotation, range).await?;
        Ok(plan.channel_of_person(known.on_duty(now, &overrides)))
    }

    /// What is told about the rule of a firing; its own words when the rule is no more.
    fn info(&self, firing: &Firing) -> Option<Arc<RuleInfo>> {
        let class = Class::parse(firing.class.as_str())?;
        let known = self.plan().rule(&firing.rule).map(|rule| Arc::clone(&rule.info));
        Some(known.unwrap_or_else(|| {
            Arc::new(RuleInfo {
                name: firing.rule.clone(),
                class,
                service: firing.service.as_ref().map(ToString::to_string),
                owner: firing.owner.clone(),
                action: None,
                runbook: None,
                due: None,
                condition: firing.condition.clone(),
                detects: None,
                unit: Unit::Any,
            })
        }))
    }

    /// Ends firings whose rules are no more.
    pub(super) async fn end_unclaimed(&self, parts: &Parts, ended: &[OpenFiring], now: Timestamp) {
        let transitions = ended.iter().map(|firing| Transition {
            rule: Arc::new(RuleInfo {
                name: firing.rule.clone(),
                class: Class::Ticket,
                service: None,
                owner: None,
                action: None,
                runbook: None,
                due: None,
                condition: "the rule was removed".to_owned(),
                detects: None,
                unit: Unit::Any,
            }),
            series: firing.series.clone(),
            at: now,
            since: firing.since,
            from: Phase::Firing,
            to: Phase::Fine,
            value: None,
            threshold: None,
        });
        self.pend(transitions.collect());
        self.tell(parts, now).await;
    }

    /// Writes what happened into the lake, records too: that is all that becomes of them.
    async fn record(&self, parts: &Parts, transitions: &[Transition]) {
        let mut rows = EventRows::default();
        for transition in transitions {
            let state = match turns(transition) {
                Some(Turn::Begins) => "firing",
                Some(Turn::Ends) => "resolved",
                None => continue,
            };
            let row = EventRow {
                ts: transition.at,
                service: transition.rule.service.as_deref(),
                host: transition.series.0.get("host").map(String::as_str),
                kind: "firing",
                name: &transition.rule.name,
                state: Some(state),
                source: "watch",
            };
            let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
            let (value, threshold) = (number(transition.value), number(transition.threshold));
            let series = transition.series.text();
            let fields = [
                ("class", transition.rule.class.as_str()),
                ("series", series.as_str()),
                ("value", value.as_str()),
                ("threshold", threshold.as_str()),
                ("condition", transition.rule.condition.as_str()),
            ];
            rows.push(&row, fields.into_iter().filter(|(_, value)| !value.is_empty()));
        }
        if rows.is_empty() {
            return;
        }
        let append = Append { rows: vec![(Table::Events, rows.finish())], marks: Vec::new() };
        if let Err(error) = parts.lake.append(append).await {
            tracing::warn!(%error, "what the rules said is not in the lake; firings and messages are not affected");
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Begins,
    Ends,
}

fn turns(transition: &Transition) -> Option<Turn> {
    match (transition.from == Phase::Firing, transition.to == Phase::Firing) {
        (false, true) => Some(Turn::Begins),
        (true, false) => Some(Turn::Ends),
        (true, true) | (false, false) => None,
    }
}

/// What a message says about a firing that began before.
fn told_again(rule: &Arc<RuleInfo>, firing: &Firing, now: Timestamp) -> Told {
    let transition = Transition {
        rule: Arc::clone(rule),
        series: series_of(&firing.series),
        at: now,
        since: firing.started_at,
        from: Phase::Fine,
        to: Phase::Firing,
        value: firing.value,
        threshold: firing.threshold,
    };
    Told::of(&transition, firing.started_at, firing.due_at)
}

/// Which version of a rule fired: its words, hashed.
fn spec_hash(rule: &RuleInfo) -> String {
    let words = serde_json::to_vec(rule).unwrap_or_default();
    blake3::hash(&words).to_hex()[..16].to_owned()
}
