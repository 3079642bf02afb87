//! PagerDuty: Events API v2. One incident a firing; its end resolves it.

use super::escape::{Count, fit, plain};
use super::{Outgoing, post_json};
use crate::Class;
use crate::message::{LinkTo, Message};
use base::Secret;
use serde_json::{Map, Value, json};
use store::MessageKind;
use url::Url;

/// https://developer.pagerduty.com/docs/send-alert-event
const SUMMARY_MAX: usize = 1024;
const KEY_MAX: usize = 255;

#[derive(Debug, Clone)]
pub(crate) struct Pagerduty {
    pub(crate) api: Url,
    pub(crate) routing_key: Secret,
}

impl Pagerduty {
    pub(crate) fn render(&self, message: &Message) -> Outgoing {
        let requests: Vec<_> = match message.kind {
            // One event can end one incident only.
            MessageKind::Resolve => {
                // What never arrived needn't be opened to be closed, but somebody wants to read of it.
                let opens = message.folds.then(|| self.trigger(message));
                let ends = message.firings.iter().map(|firing| self.resolve(firing));
                opens.into_iter().chain(ends).collect()
            }
            MessageKind::Fire | MessageKind::Escalate | MessageKind::Remind if message.firings.len() > 1 => {
                message.firings.iter().map(|firing| self.trigger_one(message, firing)).collect()
            }
            MessageKind::Fire | MessageKind::Escalate | MessageKind::Remind => vec![self.trigger(message)],
            // An incident that nobody resolves would be a false page.
            MessageKind::Test | MessageKind::Heartbeat => vec![self.trigger(message), self.resolve(&message.id)],
        };
        Outgoing::Steps(requests)
    }

    fn trigger(&self, message: &Message) -> super::HttpRequest {
        let firing = if message.thread.is_empty() { &message.id } else { &message.thread };
        self.trigger_one(message, firing)
    }

    fn trigger_one(&self, message: &Message, firing: &str) -> super::HttpRequest {
        let severity = match (message.kind, message.class) {
            (MessageKind::Test | MessageKind::Heartbeat, _) => "info",
            (_, Class::Alert) => "critical",
            (_, Class::Ticket | Class::Record) => "warning",
        };
        let mut details = Map::new();
        for fact in &message.facts {
            details.insert(fact.name.clone(), Value::from(fact.value.clone()));
        }
        details.insert("text".to_owned(), Value::from(message.text.clone()));
        if !message.also.is_empty() {
            details.insert("also".to_owned(), Value::from(message.also.clone()));
        }
        let link = |link: &crate::message::Link| json!({"href": link.url, "text": link.label});
        let page = message.links.iter().find(|link| link.to == LinkTo::Firing).map(|link| link.url.clone());
        self.event(json!({
            "event_action": "trigger",
            "dedup_key": fit(firing, KEY_MAX, Count::Chars, plain),
            "client": "Koshu",
            "client_url": page,
            "links": message.links.iter().map(link).collect::<Vec<_>>(),
            "payload": {
                "summary": fit(&message.title, SUMMARY_MAX, Count::Chars, plain),
                "source": message.service.as_deref().unwrap_or("koshu"),
                "severity": severity,
                "timestamp": message.at.to_string(),
                "component": message.service,
                "group": message.rule,
                "class": message.class.as_str(),
                "custom_details": details,
            },
        }))
    }

    fn resolve(&self, firing: &str) -> super::HttpRequest {
        self.event(json!({"event_action": "resolve", "dedup_key": fit(firing, KEY_MAX, Count::Chars, plain)}))
    }

    fn event(&self, mut event: Value) -> super::HttpRequest {
        event["routing_key"] = Value::from(self.routing_key.reveal());
        post_json(&self.api, &event)
    }
}
