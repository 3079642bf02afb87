//! Whether the server is heard, and who is told when it is not: nobody else would say that the watch itself is gone.
//!
//! Told over channels of the agent's own, once for each silence, and once more when it is over. All agents of a server tell
//! under the same key, so that a service that knows incidents makes one of them.

use super::config::SilentSection;
use base::{Span, Timestamp};
use jiff::tz::TimeZone;
use outbound::Sender;
use std::time::Duration;
use store::MessageKind;
use tokio::time::Instant;
use watch::channel::{Answer, Channel};
use watch::message::{Desk, Item, Message, Told};
use watch::texts::Texts;
use watch::{Class, RuleInfo, Series};

/// How long to wait before all channels are tried again.
const AGAIN: Duration = Duration::from_secs(30);
/// A channel that could not be told that it is over is tried for this long.
const OVER_FOR: Duration = Duration::from_hours(1);
/// What the rule is called in messages.
const RULE: &str = "koshu-server-silent";

/// Where telling stands.
#[derive(Debug, Clone, PartialEq)]
enum Phase {
    /// The server is heard.
    Heard,
    /// It is silent; nobody could be told yet.
    ToTell { since: Timestamp },
    /// Somebody was told.
    Told { since: Timestamp, channel: usize },
    /// The server is heard again; who was told does not know it yet.
    ToTellOver { since: Timestamp, channel: usize, ended: Timestamp, at: Instant },
}

/// Watches over the server.
#[derive(Debug)]
pub struct Silence {
    after: Duration,
    channels: Vec<Channel>,
    texts: Texts,
    zone: TimeZone,
    sender: Sender,
    server: String,
    host: String,
    heard: Instant,
    heard_at: Timestamp,
    why: String,
    phase: Phase,
    next_try: Instant,
}

impl Silence {
    /// From now on. `server` is its address as people know it.
    pub fn new(
        section: &SilentSection,
        sender: Sender,
        server: &str,
        host: &str,
        now: Timestamp,
    ) -> Result<Self, String> {
        let zone = section.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok());
        Ok(Self {
            after: section.after.to_std(),
            channels: section.channels()?,
            texts: Texts::new(section.language),
            zone: zone.unwrap_or_else(TimeZone::system),
            sender,
            server: server.to_owned(),
            host: host.to_owned(),
            heard: Instant::now(),
            heard_at: now,
            why: String::new(),
            phase: Phase::Heard,
            next_try: Instant::now(),
        })
    }

    /// The server answered.
    pub fn heard(&mut self, now: Timestamp) {
        (self.heard, self.heard_at) = (Instant::now(), now);
        self.phase = match std::mem::replace(&mut self.phase, Phase::Heard) {
            Phase::Told { since, channel } => {
                self.next_try = Instant::now();
                Phase::ToTellOver { since, channel, ended: now, at: Instant::now() }
            }
            over @ Phase::ToTellOver { .. } => over,
            Phase::Heard | Phase::ToTell { .. } => Phase::Heard,
        };
    }

    /// The server did not answer, or refused.
    pub fn missed(&mut self, why: &str) {
        why.clone_into(&mut self.why);
        let is_silent = self.heard.elapsed() >= self.after;
        match self.phase.clone() {
            Phase::Heard if is_silent => {
                tracing::warn!(server = self.server, why, "the server is silent");
                self.next_try = Instant::now();
                self.phase = Phase::ToTell { since: self.heard_at };
            }
            // Silent again before anybody was told that it had been heard: for them it goes on.
            Phase::ToTellOver { since, channel, .. } if is_silent => self.phase = Phase::Told { since, channel },
            _ => {}
        }
    }

    /// Tells whoever is to be told now, if it is time.
    pub async fn tell(&mut self, now: Timestamp) {
        if Instant::now() < self.next_try {
            return;
        }
        match self.phase.clone() {
            Phase::Heard | Phase::Told { .. } => {}
            Phase::ToTell { since } => {
                self.next_try = Instant::now() + AGAIN;
                let message = self.message(MessageKind::Fire, since, now);
                for (index, channel) in self.channels.iter().enumerate() {
                    if self.send(channel, &message, now).await {
                        self.phase = Phase::Told { since, channel: index };
                        return;
                    }
                }
            }
            Phase::ToTellOver { since, channel, ended, at } => {
                self.next_try = Instant::now() + AGAIN;
                let message = self.message(MessageKind::Resolve, since, ended);
                if self.send(&self.channels[channel], &message, now).await || at.elapsed() > OVER_FOR {
                    self.phase = Phase::Heard;
                }
            }
        }
    }

    async fn send(&self, channel: &Channel, message: &Message, now: Timestamp) -> bool {
        match self.sender.send(channel, message, None, now).await {
            Answer::Delivered { .. } => true,
            Answer::Retry { why, .. } | Answer::Refused { why, .. } => {
                tracing::warn!(channel = channel.name, why, "nobody was told that the server is silent");
                false
            }
        }
    }

    fn message(&self, kind: MessageKind, since: Timestamp, at: Timestamp) -> Message {
        let silence = Span::from_seconds(((at.micros() - since.micros()) / 1_000_000).max(1));
        let words = [("server", self.server.as_str()), ("host", self.host.as_str()), ("why", self.why.as_str())];
        let rule = RuleInfo {
            name: RULE.to_owned(),
            class: Class::Alert,
            service: None,
            owner: None,
            action: Some(self.texts.say("watch-silent-action", &words)),
            runbook: None,
            due: None,
            condition: self.texts.say("watch-silent-condition", &words),
            detects: None,
            unit: watch::signals::Unit::Seconds,
        };
        let value = (kind == MessageKind::Fire).then_some(silence.micros() as f64 / 1e6);
        let threshold = Some(self.after.as_secs_f64());
        let series = Series([("server".to_owned(), self.server.clone())].into());
        let told = Told { rule, series, began: since, at, value, threshold, due: None };
        let item = Item { firing: None, folds: false, told: Some(told) };
        let desk = Desk { texts: &self.texts, base_url: &self.server, zone: &self.zone };
        // The same for all agents of a server and for the whole silence.
        let key = format!("{RULE}/{}", self.server);
        let id = format!("{key}/{}/{}", self.host, since.micros());
        let mut message = desk.write(&id, kind, &[item], None);
        message.firings = vec![key.clone()];
        message.thread = key;
        message
    }
}
