//! GitHub issues: a ticket is an issue, opened, commented and closed by its firing, and closing it there ends the
//! ticket here.
//!
//! The firing's id stands in the issue as a comment that nobody sees. By it an issue is found again when a sender died
//! before it could book the number, and by it a person's closing finds its ticket.

use super::escape::{Count, fit, markdown, unlinked};
use super::{HttpRequest, Outgoing, bearer};
use crate::message::Message;
use base::{Id, Secret, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt;
use std::str::FromStr;
use store::{Firing, MessageKind};
use url::Url;

const TITLE_MAX: usize = 256;
/// GitHub takes 65,536 characters.
const BODY_MAX: usize = 60_000;
const LABEL: &str = "koshu";
const MARK: &str = "<!-- koshu-firing: ";
const PAGE: u32 = 100;

/// An issue: `owner/repo#12`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueRef {
    /// `owner/repo`.
    pub repo: String,
    /// Its number.
    pub number: u64,
}
impl fmt::Display for IssueRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.repo, self.number)
    }
}
impl FromStr for IssueRef {
    type Err = std::num::ParseIntError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let (repo, number) = raw.rsplit_once('#').unwrap_or((raw, ""));
        Ok(Self { repo: repo.to_owned(), number: number.parse()? })
    }
}

/// What an issue says about its firing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueState {
    /// The firing whose mark it has.
    pub firing: Id<Firing>,
    /// Which issue.
    pub issue: IssueRef,
    /// Whether somebody closed it.
    pub closed: bool,
    /// Who opened or closed it, as far as the answer tells.
    pub closed_by: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Github {
    pub(crate) api: Url,
    pub(crate) repo: String,
    pub(crate) token: Secret,
    pub(crate) labels: Vec<String>,
}

impl Github {
    pub(crate) fn render(&self, message: &Message, issue: Option<&IssueRef>) -> Outgoing {
        match (message.kind, issue) {
            (MessageKind::Fire | MessageKind::Escalate | MessageKind::Remind, None) => {
                Outgoing::Http(self.open(message))
            }
            (MessageKind::Fire, Some(issue)) => {
                Outgoing::Steps(vec![self.comment(message, issue), self.set_state(issue, "open")])
            }
            (MessageKind::Escalate | MessageKind::Remind, Some(issue)) => Outgoing::Http(self.comment(message, issue)),
            (MessageKind::Resolve, Some(issue)) => {
                Outgoing::Steps(vec![self.comment(message, issue), self.set_state(issue, "closed")])
            }
            // There never was an issue about it: it was over before one could be opened.
            (MessageKind::Resolve, None) => Outgoing::Nothing,
            // Reading the repository tells whether the token may write; a test issue would be litter.
            (MessageKind::Test | MessageKind::Heartbeat, _) => {
                Outgoing::Http(self.request("GET", &["repos", &self.repo], &[], None))
            }
        }
    }

    fn open(&self, message: &Message) -> HttpRequest {
        let mut labels = vec![LABEL.to_owned()];
        labels.extend(self.labels.iter().cloned());
        let body = json!({
            "title": fit(&message.title, TITLE_MAX, Count::Chars, title),
            "body": text(message),
            "labels": labels,
        });
        self.request("POST", &["repos", &self.repo, "issues"], &[], Some(&body))
    }

    fn comment(&self, message: &Message, issue: &IssueRef) -> HttpRequest {
        let number = issue.number.to_string();
        let path = ["repos", issue.repo.as_str(), "issues", number.as_str(), "comments"];
        self.request("POST", &path, &[], Some(&json!({"body": text(message)})))
    }

    fn set_state(&self, issue: &IssueRef, state: &str) -> HttpRequest {
        let number = issue.number.to_string();
        let body = match state {
            "closed" => json!({"state": "closed", "state_reason": "completed"}),
            other => json!({"state": other}),
        };
        self.request("PATCH", &["repos", issue.repo.as_str(), "issues", number.as_str()], &[], Some(&body))
    }

    /// Issues that were opened lately: among them is the one of an attempt whose answer got lost.
    pub(crate) fn find(&self, _message: &Message) -> HttpRequest {
        let query =
            [("labels", LABEL.to_owned()), ("state", "all".to_owned()), ("sort", "created".to_owned()), page_size()];
        self.request("GET", &["repos", &self.repo, "issues"], &query, None)
    }

    pub(crate) fn changed(&self, since: Timestamp) -> HttpRequest {
        let query = [
            ("labels", LABEL.to_owned()),
            ("state", "all".to_owned()),
            ("sort", "updated".to_owned()),
            ("since", since.to_string()),
            page_size(),
        ];
        self.request("GET", &["repos", &self.repo, "issues"], &query, None)
    }

    /// Issues with a mark, in the order of the answer. One that nobody can read is none.
    pub(crate) fn read(&self, body: &str) -> Vec<IssueState> {
        #[derive(Deserialize)]
        struct Issue {
            number: u64,
            state: String,
            body: Option<String>,
            closed_by: Option<User>,
        }
        #[derive(Deserialize)]
        struct User {
            login: String,
        }
        let issues: Vec<Issue> = serde_json::from_str(body).unwrap_or_default();
        issues
            .into_iter()
            .filter_map(|issue| {
                Some(IssueState {
                    firing: marked(issue.body.as_deref()?)?,
                    issue: IssueRef { repo: self.repo.clone(), number: issue.number },
                    closed: issue.state == "closed",
                    closed_by: issue.closed_by.map(|user| user.login),
                })
            })
            .collect()
    }

    fn request(
        &self,
        method: &'static str,
        path: &[&str],
        query: &[(&str, String)],
        body: Option<&Value>,
    ) -> HttpRequest {
        let mut url = self.api.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.iter().flat_map(|part| part.split('/')));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut headers = vec![
            ("accept", "application/vnd.github+json".to_owned()),
            ("x-github-api-version", "2022-11-28".to_owned()),
            ("user-agent", "koshu".to_owned()),
            bearer(&self.token),
        ];
        if body.is_some() {
            headers.push(("content-type", "application/json; charset=utf-8".to_owned()));
        }
        HttpRequest { method, url, headers, body: body.map(ToString::to_string).unwrap_or_default() }
    }
}

fn page_size() -> (&'static str, String) {
    ("per_page", PAGE.to_string())
}

/// Titles show Markdown as it stands, but a mention or a reference works in them.
fn title(c: char, out: &mut String) {
    match c {
        '@' | '#' => {
            out.push(c);
            out.push('\u{200b}');
        }
        other => out.push(other),
    }
}

fn text(message: &Message) -> String {
    let safe = |text: &str| fit(&unlinked(text), 4000, Count::Chars, markdown);
    let mut lines = vec![safe(&message.text), String::new()];
    lines.extend(message.facts.iter().map(|fact| format!("- **{}**: {}", safe(&fact.name), safe(&fact.value))));
    lines.extend(message.also.iter().map(|line| format!("- {}", safe(line))));
    lines.push(String::new());
    lines.push(
        message
            .links
            .iter()
            .map(|link| format!("[{}]({})", safe(&link.label), link.url))
            .collect::<Vec<_>>()
            .join(" · "),
    );
    let text = fit(&lines.join("\n"), BODY_MAX, Count::Chars, super::escape::plain);
    // The mark comes last and is never cut; `<` of observed text is escaped, so nobody else can write one.
    message.firings.iter().fold(text, |text, firing| format!("{text}\n{MARK}{firing} -->"))
}

fn marked(body: &str) -> Option<Id<Firing>> {
    let (_, after) = body.rsplit_once(MARK)?;
    after.split_once(" -->")?.0.parse().ok()
}
