//! Channels as the configuration writes them: entries of `outputs.alert` and `outputs.ticket`.

use super::slack::SecretUrl;
use super::{
    Channel, MailServer, Template, TemplateError, To, discord, email, github, line, pagerduty, slack, teams, webhook,
};
use base::Secret;
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::PathBuf;
use url::Url;

const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";
const GITHUB: &str = "https://api.github.com/";
const LINE: &str = "https://api.line.me/v2/bot/message/push";
const RECIPIENTS_MAX: usize = 50;

/// One place where messages go. Exactly one of the kinds of channel is set.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OutputSpec {
    /// What the channel is called; by default its kind (`slack`, `slack-2`, ...).
    pub name: Option<String>,
    /// Told at once together with the first of the list. By default an alert goes to the first channel of the list, and
    /// to the next one when that has failed for five minutes; a ticket goes to all.
    pub always: bool,
    /// Slack, Mattermost or another service that takes Slack's incoming webhooks.
    pub slack: Option<SlackSpec>,
    /// A webhook of your own, signed as Standard Webhooks say.
    pub webhook: Option<WebhookSpec>,
    /// Mail over SMTP.
    pub email: Option<EmailSpec>,
    /// Issues at GitHub, for tickets.
    pub github: Option<GithubSpec>,
    /// Microsoft Teams.
    pub teams: Option<TeamsSpec>,
    /// Discord.
    pub discord: Option<DiscordSpec>,
    /// LINE, by an official account.
    pub line: Option<LineSpec>,
    /// PagerDuty, Events API v2.
    pub pagerduty: Option<PagerdutySpec>,
}

/// Slack's incoming webhook.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SlackSpec {
    /// The webhook's address, which is a secret.
    #[schemars(with = "Option<String>")]
    pub webhook: Option<Secret>,
    /// File that holds it.
    pub webhook_file: Option<PathBuf>,
}

/// A webhook of one's own.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookSpec {
    /// Where to.
    #[schemars(with = "Option<String>")]
    pub url: Option<Secret>,
    /// File that holds the address.
    pub url_file: Option<PathBuf>,
    /// What messages are signed with: `whsec_` and base64, or any text. Without it they are not signed.
    #[schemars(with = "Option<String>")]
    pub secret: Option<Secret>,
    /// File that holds the secret.
    pub secret_file: Option<PathBuf>,
    /// A Jinja template that writes the JSON body; every value is written as JSON by itself.
    pub template: Option<String>,
}

/// One mail address or several.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Addresses {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}
impl Default for Addresses {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

/// How a connection to a mail server is kept secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// Not at all; only to this machine.
    None,
    /// Begun in the open, then secret; anything else is refused.
    Starttls,
    /// Secret from the first byte.
    Tls,
}

/// Mail over SMTP.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EmailSpec {
    /// Recipients.
    pub to: Addresses,
    /// Sender; by default `koshu@` and the mail server's name.
    pub from: Option<String>,
    /// The mail server; by default the one of this machine.
    pub host: Option<String>,
    /// Its port; by default 25, 587 (`starttls`) or 465 (`tls`).
    pub port: Option<u16>,
    /// `none` (only to this machine), `starttls` or `tls`. By default `none` to this machine and `starttls` elsewhere.
    pub tls: Option<Tls>,
    /// Account at the mail server.
    pub user: Option<String>,
    /// Its password.
    #[schemars(with = "Option<String>")]
    pub password: Option<Secret>,
    /// File that holds the password.
    pub password_file: Option<PathBuf>,
}

/// Issues at GitHub.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GithubSpec {
    /// `owner/repository`.
    pub repo: String,
    /// A token that may write issues there.
    #[schemars(with = "Option<String>")]
    pub token: Option<Secret>,
    /// File that holds the token.
    pub token_file: Option<PathBuf>,
    /// Address of the API, for a server of your own: `https://github.example/api/v3/`.
    pub api: Option<String>,
    /// Labels of the issues, beside `koshu`.
    pub labels: Vec<String>,
}

/// Microsoft Teams: the webhook of a workflow.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TeamsSpec {
    /// The webhook's address, which is a secret.
    #[schemars(with = "Option<String>")]
    pub webhook: Option<Secret>,
    /// File that holds it.
    pub webhook_file: Option<PathBuf>,
    /// A Jinja template that writes the JSON body; every value is written as JSON by itself.
    pub template: Option<String>,
}

/// Discord: the webhook of a channel.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DiscordSpec {
    /// The webhook's address, which is a secret.
    #[schemars(with = "Option<String>")]
    pub webhook: Option<Secret>,
    /// File that holds it.
    pub webhook_file: Option<PathBuf>,
    /// A Jinja template that writes the JSON body; every value is written as JSON by itself.
    pub template: Option<String>,
}

/// LINE: push messages of an official account.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LineSpec {
    /// The account's channel access token.
    #[schemars(with = "Option<String>")]
    pub token: Option<Secret>,
    /// File that holds the token.
    pub token_file: Option<PathBuf>,
    /// Id of the user, group or room that gets the messages.
    pub to: String,
    /// Address of the API.
    pub api: Option<String>,
    /// A Jinja template that writes the JSON of one message or of a list of messages.
    pub template: Option<String>,
}

/// PagerDuty.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PagerdutySpec {
    /// The integration key of a service.
    #[schemars(with = "Option<String>")]
    pub routing_key: Option<Secret>,
    /// File that holds the key.
    pub routing_key_file: Option<PathBuf>,
    /// Address of the API; `https://events.eu.pagerduty.com/v2/enqueue` in the EU.
    pub api: Option<String>,
}

/// A secret of an output: to be filled from its file when that is given.
#[derive(Debug)]
pub struct SecretSlot<'a> {
    /// `slack.webhook`.
    pub key: &'static str,
    /// Where it belongs.
    pub secret: &'a mut Option<Secret>,
    /// The file that holds it.
    pub file: Option<&'a PathBuf>,
}

/// What kind of channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChannelKind {
    /// Slack and alike.
    Slack,
    /// A webhook of one's own.
    Webhook,
    /// Mail.
    Email,
    /// GitHub issues.
    Github,
    /// Microsoft Teams.
    Teams,
    /// Discord.
    Discord,
    /// LINE.
    Line,
    /// PagerDuty.
    Pagerduty,
    /// A dead-man's switch, for heartbeats alone.
    Ping,
}

impl ChannelKind {
    /// As it stands in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Webhook => "webhook",
            Self::Email => "email",
            Self::Github => "github",
            Self::Teams => "teams",
            Self::Discord => "discord",
            Self::Line => "line",
            Self::Pagerduty => "pagerduty",
            Self::Ping => "ping",
        }
    }
}

/// Why an output cannot be used. The part behind the semicolon is the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// None or several kinds.
    #[error(
        "an output is exactly one channel, here are {0}; write one of slack, webhook, email, github, teams, discord, line, pagerduty"
    )]
    NotOne(usize),
    /// A key is missing.
    #[error("`{0}` is missing; add it, or `{0}_file` where it is a secret")]
    Missing(&'static str),
    /// No address of the web. The address itself is not repeated: it may be a secret.
    #[error("`{0}` is no http or https address; write the whole address, beginning with https://")]
    Address(&'static str),
    /// An address without encryption that leaves the machine.
    #[error("`{0}` would send a secret in the open; use https (http works to this machine only)")]
    InTheOpen(&'static str),
    /// A mail address that is none.
    #[error("{0:?} is no mail address; write name@example.com")]
    MailAddress(String),
    /// Too many or no recipients.
    #[error("`email.to` has {0} recipients; write 1 to {max}", max = RECIPIENTS_MAX)]
    Recipients(usize),
    /// A password would be sent in the open.
    #[error("`email.tls: none` works to this machine only; use starttls or tls")]
    MailInTheOpen,
    /// A user without a password, or the other way round.
    #[error("`email.user` and `email.password` belong together; write both or none")]
    Login,
    /// A repository that is none.
    #[error("{0:?} is no repository; write owner/name")]
    Repository(String),
    /// A name that is none.
    #[error("{0:?} is no name of a channel; use 1 to 60 of a-z, 0-9, - and .")]
    Name(String),
    /// A template that does not work.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl OutputSpec {
    /// The kinds of channel that are set.
    fn kinds(&self) -> Vec<ChannelKind> {
        [
            (ChannelKind::Slack, self.slack.is_some()),
            (ChannelKind::Webhook, self.webhook.is_some()),
            (ChannelKind::Email, self.email.is_some()),
            (ChannelKind::Github, self.github.is_some()),
            (ChannelKind::Teams, self.teams.is_some()),
            (ChannelKind::Discord, self.discord.is_some()),
            (ChannelKind::Line, self.line.is_some()),
            (ChannelKind::Pagerduty, self.pagerduty.is_some()),
        ]
        .into_iter()
        .filter_map(|(kind, set)| set.then_some(kind))
        .collect()
    }

    /// What kind of channel it is.
    pub fn kind(&self) -> Result<ChannelKind, ChannelError> {
        match self.kinds()[..] {
            [kind] => Ok(kind),
            ref kinds => Err(ChannelError::NotOne(kinds.len())),
        }
    }

    /// All secrets and the files that may hold them.
    pub fn secrets(&mut self) -> Vec<SecretSlot<'_>> {
        let mut out = Vec::new();
        if let Some(SlackSpec { webhook, webhook_file }) = &mut self.slack {
            out.push(slot("slack.webhook", webhook, webhook_file.as_ref()));
        }
        if let Some(WebhookSpec { url, url_file, secret, secret_file, .. }) = &mut self.webhook {
            out.push(slot("webhook.url", url, url_file.as_ref()));
            out.push(slot("webhook.secret", secret, secret_file.as_ref()));
        }
        if let Some(EmailSpec { password, password_file, .. }) = &mut self.email {
            out.push(slot("email.password", password, password_file.as_ref()));
        }
        if let Some(GithubSpec { token, token_file, .. }) = &mut self.github {
            out.push(slot("github.token", token, token_file.as_ref()));
        }
        if let Some(TeamsSpec { webhook, webhook_file, .. }) = &mut self.teams {
            out.push(slot("teams.webhook", webhook, webhook_file.as_ref()));
        }
        if let Some(DiscordSpec { webhook, webhook_file, .. }) = &mut self.discord {
            out.push(slot("discord.webhook", webhook, webhook_file.as_ref()));
        }
        if let Some(LineSpec { token, token_file, .. }) = &mut self.line {
            out.push(slot("line.token", token, token_file.as_ref()));
        }
        if let Some(PagerdutySpec { routing_key, routing_key_file, .. }) = &mut self.pagerduty {
            out.push(slot("pagerduty.routing_key", routing_key, routing_key_file.as_ref()));
        }
        out
    }

    /// The channel, once all secrets are filled in. `name` is what it is called when it has no name of its own.
    pub fn ready(&self, name: &str) -> Result<Channel, ChannelError> {
        let name = self.name.as_deref().unwrap_or(name);
        let fits = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '.');
        if name.is_empty() || name.len() > 60 || !name.chars().all(fits) {
            return Err(ChannelError::Name(name.chars().take(80).collect()));
        }
        self.kind()?;
        let to = None
            .or_else(|| self.slack.as_ref().map(SlackSpec::ready))
            .or_else(|| self.webhook.as_ref().map(WebhookSpec::ready))
            .or_else(|| self.email.as_ref().map(EmailSpec::ready))
            .or_else(|| self.github.as_ref().map(GithubSpec::ready))
            .or_else(|| self.teams.as_ref().map(TeamsSpec::ready))
            .or_else(|| self.discord.as_ref().map(DiscordSpec::ready))
            .or_else(|| self.line.as_ref().map(LineSpec::ready))
            .or_else(|| self.pagerduty.as_ref().map(PagerdutySpec::ready));
        let to = to.unwrap_or(Err(ChannelError::NotOne(0)))?;
        Ok(Channel { name: name.to_owned(), always: self.always, to })
    }
}

fn slot<'a>(key: &'static str, secret: &'a mut Option<Secret>, file: Option<&'a PathBuf>) -> SecretSlot<'a> {
    SecretSlot { key, secret, file }
}

/// An address of the web that keeps a secret on its way.
fn address(key: &'static str, raw: Option<&str>) -> Result<Url, ChannelError> {
    let raw = raw.ok_or(ChannelError::Missing(key))?;
    let url = Url::parse(raw.trim()).map_err(|_| ChannelError::Address(key))?;
    if url.cannot_be_a_base() || !url.has_host() {
        return Err(ChannelError::Address(key));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here(url.host_str().unwrap_or_default()) => Ok(url),
        "http" => Err(ChannelError::InTheOpen(key)),
        _ => Err(ChannelError::Address(key)),
    }
}

fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn reveal(secret: Option<&Secret>) -> Option<&str> {
    secret.map(Secret::reveal)
}

fn secret(key: &'static str, secret: Option<&Secret>) -> Result<Secret, ChannelError> {
    let given = secret.map(|secret| secret.reveal().trim()).filter(|secret| !secret.is_empty());
    let given = given.ok_or(ChannelError::Missing(key))?;
    // It becomes a header.
    if given.chars().any(char::is_control) { Err(ChannelError::Missing(key)) } else { Ok(Secret::new(given)) }
}

fn template(source: Option<&String>) -> Result<Option<Template>, ChannelError> {
    Ok(source.map(|source| Template::parse(source)).transpose()?)
}

impl SlackSpec {
    fn ready(&self) -> Result<To, ChannelError> {
        let url = address("slack.webhook", reveal(self.webhook.as_ref()))?;
        Ok(To::Slack(slack::Slack { webhook: SecretUrl(url) }))
    }
}

impl WebhookSpec {
    fn ready(&self) -> Result<To, ChannelError> {
        let url = SecretUrl(address("webhook.url", reveal(self.url.as_ref()))?);
        let secret = self.secret.as_ref().map(|given| secret("webhook.secret", Some(given))).transpose()?;
        Ok(To::Webhook(webhook::Webhook { url, secret, template: template(self.template.as_ref())? }))
    }
}

impl EmailSpec {
    fn ready(&self) -> Result<To, ChannelError> {
        let to = match &self.to {
            Addresses::One(one) => std::slice::from_ref(one),
            Addresses::Many(many) => many,
        };
        if to.is_empty() || to.len() > RECIPIENTS_MAX {
            return Err(ChannelError::Recipients(to.len()));
        }
        let host = self.host.as_deref().unwrap_or("localhost").trim();
        let from = self.from.clone().unwrap_or_else(|| format!("koshu@{host}"));
        for mail in to.iter().chain([&from]) {
            check_mail(mail)?;
        }
        let here = is_here(host);
        let tls = self.tls.unwrap_or(if here { Tls::None } else { Tls::Starttls });
        if tls == Tls::None && !here {
            return Err(ChannelError::MailInTheOpen);
        }
        let login = match (&self.user, &self.password) {
            (Some(user), Some(password)) => Some((user.clone(), password.clone())),
            (None, None) => None,
            _ => return Err(ChannelError::Login),
        };
        let port = self.port.unwrap_or(match tls {
            Tls::None => 25,
            Tls::Starttls => 587,
            Tls::Tls => 465,
        });
        let server = MailServer { host: host.to_owned(), port, tls, login };
        Ok(To::Email(email::Email { server, from, to: to.to_vec() }))
    }
}

/// `name@host` or `Name <name@host>`, on one line. The mail library reads it more closely.
fn check_mail(raw: &str) -> Result<(), ChannelError> {
    let bad = || ChannelError::MailAddress(raw.chars().take(100).collect());
    let inner = match raw.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').ok_or_else(bad)?,
        None => raw,
    };
    let (name, host) = inner.rsplit_once('@').ok_or_else(bad)?;
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';' | '@');
    let whole = !name.is_empty() && !host.is_empty() && !name.contains(odd) && !host.contains(odd);
    if whole && !raw.chars().any(char::is_control) { Ok(()) } else { Err(bad()) }
}

impl GithubSpec {
    fn ready(&self) -> Result<To, ChannelError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_repo = self.repo.split_once('/').is_some_and(|(owner, name)| {
            [owner, name].iter().all(|part| !part.is_empty() && part.chars().all(fits) && !part.starts_with('.'))
        });
        if !is_repo {
            return Err(ChannelError::Repository(self.repo.chars().take(100).collect()));
        }
        let api = address("github.api", Some(self.api.as_deref().unwrap_or(GITHUB)))?;
        let token = secret("github.token", self.token.as_ref())?;
        Ok(To::Github(github::Github { api, repo: self.repo.clone(), token, labels: self.labels.clone() }))
    }
}

impl TeamsSpec {
    fn ready(&self) -> Result<To, ChannelError> {
        let webhook = SecretUrl(address("teams.webhook", reveal(self.webhook.as_ref()))?);
        Ok(To::Teams(teams::Teams { webhook, template: template(self.template.as_ref())? }))
    }
}

impl DiscordSpec {
    fn ready(&self) -> Result<To, ChannelError> {
        let webhook = SecretUrl(address("discord.webhook", reveal(self.webhook.as_ref()))?);
        Ok(To::Discord(discord::Discord { webhook, template: template(self.template.as_ref())? }))
    }
}

impl LineSpec {
    fn ready(&self) -> Result<To, ChannelError> {
        if self.to.trim().is_empty() {
            return Err(ChannelError::Missing("line.to"));
        }
        let api = address("line.api", Some(self.api.as_deref().unwrap_or(LINE)))?;
        let token = secret("line.token", self.token.as_ref())?;
        let template = template(self.template.as_ref())?;
        Ok(To::Line(line::Line { api, token, to: self.to.trim().to_owned(), template }))
    }
}

impl PagerdutySpec {
    fn ready(&self) -> Result<To, ChannelError> {
        let api = address("pagerduty.api", Some(self.api.as_deref().unwrap_or(PAGERDUTY)))?;
        Ok(To::Pagerduty(pagerduty::Pagerduty {
            api,
            routing_key: secret("pagerduty.routing_key", self.routing_key.as_ref())?,
        }))
    }
}
