//! Discord: a webhook of a channel. Nobody is ever mentioned.

use super::escape::{Count, fit, markdown, unlinked};
use super::slack::SecretUrl;
use super::{HttpRequest, Template, TemplateError, post_json};
use crate::Class;
use crate::message::Message;
use serde_json::{Value, json};
use store::MessageKind;

// https://discord.com/developers/docs/resources/message#embed-object-embed-limits
const TITLE_MAX: usize = 256;
const DESCRIPTION_MAX: usize = 2000;
const NAME_MAX: usize = 100;
const VALUE_MAX: usize = 250;
const FIELDS_MAX: usize = 10;

#[derive(Debug, Clone)]
pub(crate) struct Discord {
    pub(crate) webhook: SecretUrl,
    pub(crate) template: Option<Template>,
}

impl Discord {
    pub(crate) fn render(&self, message: &Message) -> Result<HttpRequest, TemplateError> {
        let mut body = match &self.template {
            Some(template) => template.render(message)?,
            None => card(message),
        };
        if let Value::Object(body) = &mut body {
            // Also with a template: whether `@everyone` works is not for an observed text to decide.
            body.insert("allowed_mentions".to_owned(), json!({"parse": []}));
        }
        Ok(post_json(&self.webhook.0, &body))
    }
}

/// All parts together stay below the 6,000 characters of an embed.
fn card(message: &Message) -> Value {
    let escaped = |text: &str, max| fit(&unlinked(text), max, Count::Utf16, markdown);
    let mut description = vec![escaped(&message.text, 900)];
    description.extend(message.also.iter().take(5).map(|line| escaped(line, 150)));
    let links = message.links.iter().map(|link| format!("[{}]({})", escaped(&link.label, 50), link.url));
    let links = links.filter(|link| link.len() < 500).collect::<Vec<_>>().join(" · ");
    let mut description = fit(&description.join("\n"), DESCRIPTION_MAX - 1, Count::Utf16, super::escape::plain);
    if links.encode_utf16().count() < 1500 {
        description = format!("{description}\n{links}");
    }
    let fields: Vec<Value> = message
        .facts
        .iter()
        .take(FIELDS_MAX)
        .map(|fact| {
            json!({"name": escaped(&fact.name, NAME_MAX), "value": escaped(&fact.value, VALUE_MAX), "inline": true})
        })
        .collect();
    json!({"embeds": [{
        "title": escaped(&message.title, TITLE_MAX),
        "description": description,
        "fields": fields,
        "color": colour(message),
        "timestamp": message.at.to_string(),
    }]})
}

/// Red only where somebody must act now.
fn colour(message: &Message) -> u32 {
    match (message.kind, message.class) {
        (MessageKind::Fire | MessageKind::Escalate, Class::Alert) => 0x00c6_2828,
        (MessageKind::Fire | MessageKind::Escalate | MessageKind::Remind, _) => 0x00b2_6a00,
        (MessageKind::Resolve | MessageKind::Test | MessageKind::Heartbeat, _) => 0x0075_7575,
    }
}
