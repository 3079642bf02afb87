//! Slack, and servers that speak like it (Mattermost, Rocket.Chat): an incoming webhook.
//!
//! Slack shows the blocks, the others the text; both say the same. Observed text is verbatim and escaped: it can't
//! mention anybody and no address in it becomes a link.

use super::escape::{Count, fit, slack};
use super::{HttpRequest, post_json};
use crate::message::{Fact, Message};
use serde_json::{Value, json};
use url::Url;

// https://docs.slack.dev/reference/block-kit/blocks
const HEADER_MAX: usize = 150;
const SECTION_MAX: usize = 3000;
const FIELD_MAX: usize = 2000;
const FIELDS_MAX: usize = 10;
/// Slack cuts a text after 40,000 characters; Mattermost refuses one beyond 16,383.
const TEXT_MAX: usize = 15_000;

#[derive(Debug, Clone)]
pub(crate) struct Slack {
    pub(crate) webhook: SecretUrl,
}

/// An address that is a secret by itself.
#[derive(Clone)]
pub(crate) struct SecretUrl(pub(crate) Url);
impl std::fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Slack {
    pub(crate) fn render(&self, message: &Message) -> HttpRequest {
        let mut blocks = vec![
            json!({"type": "header", "text": {"type": "plain_text", "text": fit(&message.title, HEADER_MAX, Count::Chars, slack), "emoji": false}}),
            section(&fit(&message.text, SECTION_MAX, Count::Chars, slack)),
        ];
        for facts in message.facts.chunks(FIELDS_MAX) {
            blocks.push(json!({"type": "section", "fields": facts.iter().map(field).collect::<Vec<_>>()}));
        }
        if !message.also.is_empty() {
            blocks.push(section(&fit(&message.also.join("\n"), SECTION_MAX, Count::Chars, slack)));
        }
        let links = links(message);
        if !links.is_empty() {
            blocks.push(section(&links));
        }
        post_json(&self.webhook.0, &json!({"text": text(message, &links), "blocks": blocks, "unfurl_links": false}))
    }
}

fn section(text: &str) -> Value {
    // Verbatim: no address, channel or name in it becomes a link; `<address|label>` still does.
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}})
}

fn field(fact: &Fact) -> Value {
    let name = fit(&fact.name, 200, Count::Chars, slack);
    let value = fit(&fact.value, FIELD_MAX - 250, Count::Chars, slack);
    json!({"type": "mrkdwn", "text": format!("*{name}*\n{value}"), "verbatim": true})
}

/// Addresses are ours or the configuration's, parsed as such: no `|` or `>` is in them unescaped.
fn links(message: &Message) -> String {
    let link = |link: &crate::message::Link| {
        let url = fit(&link.url, 1000, Count::Chars, address);
        format!("<{url}|{}>", fit(&link.label, 100, Count::Chars, slack))
    };
    message.links.iter().map(link).collect::<Vec<_>>().join("   ")
}

fn address(c: char, out: &mut String) {
    match c {
        '|' => out.push_str("%7C"),
        '<' => out.push_str("%3C"),
        '>' => out.push_str("%3E"),
        '&' => out.push_str("&amp;"),
        other => out.push(other),
    }
}

fn text(message: &Message, links: &str) -> String {
    let mut lines = vec![format!("*{}*", fit(&message.title, 300, Count::Chars, slack))];
    lines.push(fit(&message.text, SECTION_MAX, Count::Chars, slack));
    for fact in &message.facts {
        let name = fit(&fact.name, 200, Count::Chars, slack);
        lines.push(format!("{name}: {}", fit(&fact.value, 500, Count::Chars, slack)));
    }
    lines.extend(message.also.iter().map(|line| fit(line, 400, Count::Chars, slack)));
    lines.push(links.to_owned());
    // Whole lines only: a cut within an escape or a link would show.
    let mut text = String::new();
    for line in lines.iter().filter(|line| !line.is_empty()) {
        if text.chars().count() + line.chars().count() < TEXT_MAX {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}
