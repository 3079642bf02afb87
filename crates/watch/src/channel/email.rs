//! Mail: plain text and HTML, one thread a firing, and an id by which a repetition is known.

use super::escape::{Count, fit, html, plain};
use crate::message::{Message, clean};
use base::Secret;
use store::MessageKind;

const SUBJECT_MAX: usize = 150;
const TEXT_MAX: usize = 20_000;

/// How to reach the mail server.
#[derive(Debug, Clone, PartialEq)]
pub struct MailServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept secret.
    pub tls: super::Tls,
    /// Account and password, where it asks for them.
    pub login: Option<(String, Secret)>,
}

#[derive(Debug, Clone)]
pub(crate) struct Email {
    pub(crate) server: MailServer,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
}

/// A mail to be sent as it is. No text in it has a line break where a header would end.
#[derive(Debug, Clone, PartialEq)]
pub struct Mail {
    /// Sender.
    pub from: String,
    /// Recipients.
    pub to: Vec<String>,
    /// One line.
    pub subject: String,
    /// `<id@domain>`: the same at every attempt.
    pub message_id: String,
    /// `In-Reply-To` and `References`: all mails about a firing are one thread.
    pub references: Option<String>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// For readers without HTML.
    pub text: String,
    /// The same as HTML, without a picture, script or style from elsewhere.
    pub html: String,
}

impl Email {
    pub(crate) fn render(&self, message: &Message) -> Mail {
        let domain = self.from.trim_end_matches('>').rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        let mut headers = vec![
            // No holiday notice comes back to it (RFC 3834).
            ("Auto-Submitted", "auto-generated".to_owned()),
            ("X-Koshu-Kind", message.kind.as_str().to_owned()),
        ];
        if matches!(message.kind, MessageKind::Fire | MessageKind::Escalate) && message.class == crate::Class::Alert {
            headers.push(("Importance", "high".to_owned()));
        }
        Mail {
            from: self.from.clone(),
            to: self.to.clone(),
            subject: fit(&clean(&message.title, SUBJECT_MAX), SUBJECT_MAX, Count::Chars, plain),
            message_id: format!("<{}@{domain}>", message.id),
            references: (!message.thread.is_empty()).then(|| format!("<{}@{domain}>", message.thread)),
            headers,
            text: text(message),
            html: page(message),
        }
    }
}

fn text(message: &Message) -> String {
    let mut lines = vec![message.text.clone(), String::new()];
    lines.extend(message.links.iter().map(|link| format!("{}: {}", link.label, link.url)));
    lines.push(String::new());
    lines.extend(message.facts.iter().map(|fact| format!("{}: {}", fact.name, fact.value)));
    lines.extend(message.also.iter().cloned());
    fit(&lines.join("\n"), TEXT_MAX, Count::Chars, plain)
}

fn page(message: &Message) -> String {
    use std::fmt::Write as _;
    let safe = |text: &str, max| fit(text, max, Count::Chars, html);
    let language = match message.language {
        crate::texts::Language::English => "en",
        crate::texts::Language::Japanese => "ja",
    };
    let mut page = format!("<!doctype html><html lang=\"{language}\"><meta charset=\"utf-8\"><body>");
    // Writing to a String cannot fail.
    let _ = write!(page, "<h1 style=\"font-size:1.2em\">{}</h1>", safe(&message.title, 400));
    let _ = write!(page, "<p>{}</p><p>", safe(&message.text, 3000));
    for link in &message.links {
        let _ = write!(page, "<a href=\"{}\">{}</a> &nbsp; ", safe(&link.url, 2000), safe(&link.label, 200));
    }
    page.push_str("</p><table>");
    for fact in &message.facts {
        let (name, value) = (safe(&fact.name, 300), safe(&fact.value, 2000));
        let _ = write!(page, "<tr><th align=\"left\" valign=\"top\">{name}</th><td>{value}</td></tr>");
    }
    page.push_str("</table>");
    for line in &message.also {
        let _ = write!(page, "<p>{}</p>", safe(line, 2000));
    }
    page.push_str("</body></html>");
    page
}
