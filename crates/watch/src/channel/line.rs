//! LINE: a push message of an official account (the Messaging API; LINE Notify was shut down in 2025).
//!
//! The retry key makes a repetition harmless: LINE answers 409 when it has that message already.

use super::escape::{Count, fit, plain, unlinked};
use super::{HttpRequest, Template, TemplateError, bearer, post_json};
use crate::message::Message;
use base::Secret;
use serde_json::{Value, json};
use url::Url;

/// https://developers.line.biz/en/reference/messaging-api/#text-message
const TEXT_MAX: usize = 5000;

#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) api: Url,
    pub(crate) token: Secret,
    pub(crate) to: String,
    pub(crate) template: Option<Template>,
}

impl Line {
    pub(crate) fn render(&self, message: &Message) -> Result<HttpRequest, TemplateError> {
        let messages = match &self.template {
            Some(template) => template.render(message)?,
            None => json!([{"type": "text", "text": text(message)}]),
        };
        let messages = if messages.is_array() { messages } else { Value::Array(vec![messages]) };
        let mut request = post_json(&self.api, &json!({"to": self.to, "messages": messages}));
        request.headers.push(bearer(&self.token));
        request.headers.push(("x-line-retry-key", message.id.clone()));
        Ok(request)
    }
}

/// The links come before what may be cut.
fn text(message: &Message) -> String {
    let shown = |text: &str, max| fit(&unlinked(text), max, Count::Utf16, plain);
    let mut lines = vec![shown(&message.title, 300), shown(&message.text, 1000)];
    lines.extend(message.links.iter().map(|link| format!("{}: {}", link.label, link.url)).filter(|l| l.len() < 500));
    lines.extend(message.facts.iter().map(|fact| format!("{}: {}", fact.name, shown(&fact.value, 320))));
    lines.extend(message.also.iter().map(|line| shown(line, 320)));
    fit(&lines.join("\n"), TEXT_MAX, Count::Utf16, plain)
}
