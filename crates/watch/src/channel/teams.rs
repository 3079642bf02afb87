//! Microsoft Teams: an Adaptive Card to the webhook of a workflow.
//!
//! Observed text stands in text runs, which show it as it is; only our own labels are in elements that read Markdown.

use super::escape::{Count, fit, plain, unlinked};
use super::slack::SecretUrl;
use super::{HttpRequest, Template, TemplateError, post_json};
use crate::message::Message;
use serde_json::{Value, json};

/// Teams takes 28 KB; the form around the texts needs some of it.
const BODY_MAX_BYTES: usize = 28_000;

#[derive(Debug, Clone)]
pub(crate) struct Teams {
    pub(crate) webhook: SecretUrl,
    pub(crate) template: Option<Template>,
}

impl Teams {
    pub(crate) fn render(&self, message: &Message) -> Result<HttpRequest, TemplateError> {
        if let Some(template) = &self.template {
            return Ok(post_json(&self.webhook.0, &template.render(message)?));
        }
        let whole = post_json(&self.webhook.0, &card(message, 1));
        if whole.body.len() <= BODY_MAX_BYTES {
            return Ok(whole);
        }
        Ok(post_json(&self.webhook.0, &card(message, 4)))
    }
}

/// Texts are cut to a part of their usual size.
fn card(message: &Message, part: usize) -> Value {
    let cut = |text: &str, max: usize| fit(&unlinked(text), max / part, Count::Bytes, plain);
    let run = |text: String, weight: &str| json!({"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, "weight": weight}]});
    let mut body = vec![run(cut(&message.title, 600), "Bolder"), run(cut(&message.text, 1500), "Default")];
    for fact in &message.facts {
        body.push(json!({"type": "RichTextBlock", "spacing": "Small", "inlines": [
            {"type": "TextRun", "text": format!("{}: ", cut(&fact.name, 100)), "isSubtle": true},
            {"type": "TextRun", "text": cut(&fact.value, 600)},
        ]}));
    }
    for line in message.also.iter().take(20 / part) {
        body.push(run(cut(line, 400), "Default"));
    }
    let open = |link: &crate::message::Link| json!({"type": "Action.OpenUrl", "title": link.label, "url": link.url});
    json!({"type": "message", "attachments": [{
        "contentType": "application/vnd.microsoft.card.adaptive",
        "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": body,
            "actions": message.links.iter().map(open).collect::<Vec<_>>(),
        },
    }]})
}
