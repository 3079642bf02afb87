//! Where messages go: the form each service wants them in, and what its answers mean.
//!
//! Pure: a message becomes a request (or a mail) that somebody else sends, and the answer that came back becomes a
//! decision. Nothing observed is trusted: it is escaped for each service, can't mention anybody, and is cut to what the
//! service takes.

mod answer;
mod discord;
mod email;
mod escape;
mod github;
mod line;
mod pagerduty;
mod ping;
mod slack;
mod spec;
mod teams;
mod template;
#[cfg(test)]
mod tests;
mod webhook;

pub use answer::{Advice, Answer, HttpAnswer, MailAnswer};
pub use email::Mail;
pub use github::{IssueRef, IssueState};
pub use spec::{
    Addresses, ChannelError, ChannelKind, DiscordSpec, EmailSpec, GithubSpec, LineSpec, OutputSpec, PagerdutySpec,
    SecretSlot, SlackSpec, TeamsSpec, Tls, WebhookSpec,
};
pub use template::{Template, TemplateError};
pub use webhook::{sign, verify};

use crate::message::Message;
use base::{Secret, Timestamp};
use std::fmt;
use store::MessageKind;
use url::Url;

/// A channel that messages can be sent to: all secrets are there, all templates work.
#[derive(Debug, Clone)]
pub struct Channel {
    /// Unique among channels, and the same after every reload of the same configuration.
    pub name: String,
    /// Told at once, also when an earlier channel of the list works.
    pub always: bool,
    pub(crate) to: To,
}

/// What kind of service, and how to reach it.
#[derive(Debug, Clone)]
pub(crate) enum To {
    Slack(slack::Slack),
    Webhook(webhook::Webhook),
    Email(email::Email),
    Github(github::Github),
    Teams(teams::Teams),
    Discord(discord::Discord),
    Line(line::Line),
    Pagerduty(pagerduty::Pagerduty),
    Ping(ping::Ping),
}

/// A request to be sent as it is. Redirects are not to be followed: the address was given by who runs this server, what
/// it redirects to was not.
#[derive(Clone, PartialEq)]
pub struct HttpRequest {
    /// `GET`, `POST` or `PATCH`.
    pub method: &'static str,
    /// Where to. May itself be the secret.
    pub url: Url,
    /// Names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body; empty for a `GET`.
    pub body: String,
}
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.host_str().unwrap_or_default();
        f.debug_struct("HttpRequest").field("method", &self.method).field("host", &host).finish_non_exhaustive()
    }
}

/// What to do to deliver a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Outgoing {
    /// Send this request.
    Http(HttpRequest),
    /// Send this mail.
    Mail(Box<Mail>),
    /// Send these one after the other; all have to be taken. The first one's answer is what counts as delivered.
    Steps(Vec<HttpRequest>),
    /// There is nothing to do: the service has no place for this kind of message. Book it as delivered.
    Nothing,
}

impl Channel {
    /// One that is called to say that all is well.
    pub fn ping(name: &str, url: Url) -> Self {
        Self { name: name.to_owned(), always: false, to: To::Ping(ping::Ping { url }) }
    }

    /// Which kind.
    pub fn kind(&self) -> ChannelKind {
        match &self.to {
            To::Slack(_) => ChannelKind::Slack,
            To::Webhook(_) => ChannelKind::Webhook,
            To::Email(_) => ChannelKind::Email,
            To::Github(_) => ChannelKind::Github,
            To::Teams(_) => ChannelKind::Teams,
            To::Discord(_) => ChannelKind::Discord,
            To::Line(_) => ChannelKind::Line,
            To::Pagerduty(_) => ChannelKind::Pagerduty,
            To::Ping(_) => ChannelKind::Ping,
        }
    }

    /// The request or mail for a message. `issue` is what an earlier message about the same firing became at a forge.
    pub fn render(
        &self,
        message: &Message,
        issue: Option<&IssueRef>,
        now: Timestamp,
    ) -> Result<Outgoing, TemplateError> {
        Ok(match &self.to {
            To::Slack(to) => Outgoing::Http(to.render(message)),
            To::Webhook(to) => Outgoing::Http(to.render(message, now)?),
            To::Ping(to) => Outgoing::Http(to.render()),
            To::Email(to) => Outgoing::Mail(Box::new(to.render(message))),
            To::Github(to) => to.render(message, issue),
            To::Teams(to) => Outgoing::Http(to.render(message)?),
            To::Discord(to) => Outgoing::Http(to.render(message)?),
            To::Line(to) => Outgoing::Http(to.render(message)?),
            To::Pagerduty(to) => to.render(message),
        })
    }

    /// What an answer over HTTP means.
    pub fn classify(&self, answer: &HttpAnswer<'_>, now: Timestamp) -> Answer {
        answer::classify(self.kind(), answer, now)
    }

    /// Before a message is sent to a forge again: the request that finds out whether the attempt before did arrive.
    pub fn find_issue(&self, message: &Message) -> Option<HttpRequest> {
        match &self.to {
            To::Github(to) if message.kind == MessageKind::Fire => Some(to.find(message)),
            _ => None,
        }
    }

    /// The request that lists issues which changed since a moment, and what it found (see [`github::read_changed`]).
    pub fn changed_issues(&self, since: Timestamp) -> Option<HttpRequest> {
        match &self.to {
            To::Github(to) => Some(to.changed(since)),
            _ => None,
        }
    }

    /// Issues in the answer to [`Channel::find_issue`] or [`Channel::changed_issues`], each with its firing.
    pub fn read_issues(&self, body: &str) -> Vec<IssueState> {
        match &self.to {
            To::Github(to) => to.read(body),
            _ => Vec::new(),
        }
    }

    /// `owner/repo` of a channel whose messages become issues.
    pub fn repo(&self) -> Option<&str> {
        match &self.to {
            To::Github(to) => Some(&to.repo),
            _ => None,
        }
    }

    /// How to reach the mail server, for a channel that sends mail.
    pub fn mail_server(&self) -> Option<&email::MailServer> {
        match &self.to {
            To::Email(to) => Some(&to.server),
            _ => None,
        }
    }
}

pub use email::MailServer;

/// A request with a JSON body.
fn post_json(url: &Url, body: &serde_json::Value) -> HttpRequest {
    HttpRequest {
        method: "POST",
        url: url.clone(),
        headers: vec![("content-type", "application/json; charset=utf-8".to_owned())],
        body: body.to_string(),
    }
}

fn bearer(secret: &Secret) -> (&'static str, String) {
    ("authorization", format!("Bearer {}", secret.reveal()))
}
