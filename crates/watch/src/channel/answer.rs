//! What a service's answer means: taken, to be tried again, or never to be taken in this form.

use super::ChannelKind;
use base::{Span, Timestamp};
use serde_json::Value;

const WHY_MAX_CHARS: usize = 300;
/// A service may ask for a longer wait; an alert asks again after this.
const RETRY_AFTER_MAX: Span = Span::from_seconds(3600);

/// What came back over HTTP.
#[derive(Debug, Clone, Copy)]
pub enum HttpAnswer<'a> {
    /// An answer.
    Status {
        /// Its status.
        status: u16,
        /// Its header of that name.
        retry_after: Option<&'a str>,
        /// GitHub: requests that are left.
        rate_remaining: Option<&'a str>,
        /// GitHub: second at which more are left.
        rate_reset: Option<&'a str>,
        /// The beginning of its body.
        body: &'a str,
    },
    /// None: no connection, no answer in time.
    None {
        /// Why.
        why: &'a str,
    },
}

/// What came back from a mail server.
#[derive(Debug, Clone, Copy)]
pub enum MailAnswer<'a> {
    /// A reply.
    Code {
        /// Three digits.
        code: u16,
        /// Its text.
        text: &'a str,
    },
    /// None: no connection, no reply in time.
    None {
        /// Why.
        why: &'a str,
    },
}

/// What a person must do before a message is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// The address is gone.
    Address,
    /// The secret is wrong.
    Secret,
    /// The secret is right and may not do this.
    Permission,
    /// The content is not taken.
    Content,
    /// It is too large.
    Size,
    /// The recipient is not taken.
    Recipient,
    /// It answers with a redirect.
    Redirect,
}

impl Advice {
    /// Key of the text that says so.
    pub fn key(self) -> &'static str {
        match self {
            Self::Address => "watch-advice-address",
            Self::Secret => "watch-advice-secret",
            Self::Permission => "watch-advice-permission",
            Self::Content => "watch-advice-content",
            Self::Size => "watch-advice-size",
            Self::Recipient => "watch-advice-recipient",
            Self::Redirect => "watch-advice-redirect",
        }
    }
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The service has it.
    Delivered {
        /// GitHub: the number of the issue it became.
        number: Option<u64>,
    },
    /// Trying again helps.
    Retry {
        /// Not before this has passed, if the service said so.
        after: Option<Span>,
        /// Why.
        why: String,
    },
    /// Trying again doesn't help until a person did something.
    Refused {
        /// Why.
        why: String,
        /// What to do.
        advice: Advice,
    },
}

pub(super) fn classify(kind: ChannelKind, answer: &HttpAnswer<'_>, now: Timestamp) -> Answer {
    let (status, body) = match *answer {
        HttpAnswer::None { why } => return Answer::Retry { after: None, why: cut(why) },
        HttpAnswer::Status { status, body, .. } => (status, body),
    };
    let why = if body.trim().is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {}", cut(body)) };
    match status {
        // Slack-like servers and flows of Teams say some failures with a 200.
        200..=299 => taken(kind, body, why),
        // LINE: this very message was taken before.
        409 if kind == ChannelKind::Line => Answer::Delivered { number: None },
        408 | 425 | 429 | 500..=599 => Answer::Retry { after: wait(answer, now), why },
        // GitHub says "too fast" with a 403.
        403 if kind == ChannelKind::Github && is_limited(answer) => Answer::Retry { after: wait(answer, now), why },
        300..=399 => Answer::Refused { why, advice: Advice::Redirect },
        401 => Answer::Refused { why, advice: Advice::Secret },
        403 if kind == ChannelKind::Slack && body.contains("invalid_token") => {
            Answer::Refused { why, advice: Advice::Secret }
        }
        403 => Answer::Refused { why, advice: Advice::Permission },
        // GitHub hides a repository from those who may not see it.
        404 if kind == ChannelKind::Github => Answer::Refused { why, advice: Advice::Permission },
        404 | 410 => Answer::Refused { why, advice: Advice::Address },
        413 => Answer::Refused { why, advice: Advice::Size },
        400 if kind == ChannelKind::Line && body.contains("'to'") => Answer::Refused { why, advice: Advice::Recipient },
        400 if kind == ChannelKind::Pagerduty && body.contains("routing_key") => {
            Answer::Refused { why, advice: Advice::Secret }
        }
        _ => Answer::Refused { why, advice: Advice::Content },
    }
}

/// What a reply of a mail server means. A 4xx is for later, a 5xx for ever (RFC 5321).
impl MailAnswer<'_> {
    /// What it means.
    pub fn classify(&self) -> Answer {
        let (code, text) = match *self {
            Self::None { why } => return Answer::Retry { after: None, why: cut(why) },
            Self::Code { code, text } => (code, text),
        };
        let why = format!("SMTP {code}: {}", cut(text));
        match code {
            200..=299 => Answer::Delivered { number: None },
            530 | 534 | 535 | 538 => Answer::Refused { why, advice: Advice::Secret },
            // Also "relaying denied" and "no such user here".
            550 | 551 | 553 => Answer::Refused { why, advice: Advice::Recipient },
            552 => Answer::Refused { why, advice: Advice::Size },
            500..=599 => Answer::Refused { why, advice: Advice::Content },
            _ => Answer::Retry { after: None, why },
        }
    }
}

fn taken(kind: ChannelKind, body: &str, why: String) -> Answer {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    match kind {
        ChannelKind::Slack if json["ok"] == Value::Bool(false) => Answer::Refused { why, advice: Advice::Content },
        // The old connectors of Teams: "Webhook message delivery failed with error: ... HTTP error 429".
        ChannelKind::Teams if body.contains("delivery failed") => Answer::Retry { after: None, why },
        ChannelKind::Github => Answer::Delivered { number: json["number"].as_u64() },
        ChannelKind::Slack
        | ChannelKind::Teams
        | ChannelKind::Webhook
        | ChannelKind::Email
        | ChannelKind::Discord
        | ChannelKind::Line
        | ChannelKind::Pagerduty
        | ChannelKind::Ping => Answer::Delivered { number: None },
    }
}

fn is_limited(answer: &HttpAnswer<'_>) -> bool {
    let HttpAnswer::Status { retry_after, rate_remaining, body, .. } = answer else { return false };
    retry_after.is_some() || *rate_remaining == Some("0") || body.contains("rate limit")
}

/// How long the service wants to be left alone.
fn wait(answer: &HttpAnswer<'_>, now: Timestamp) -> Option<Span> {
    let HttpAnswer::Status { retry_after, rate_reset, body, .. } = answer else { return None };
    let header = retry_after.and_then(|text| after(text.trim(), now));
    let discord = || {
        let seconds = serde_json::from_str::<Value>(body).ok()?["retry_after"].as_f64()?;
        // Clamped to an hour below, so it fits.
        #[allow(clippy::cast_possible_truncation)]
        (seconds.is_finite() && seconds >= 0.0).then(|| Span::from_micros((seconds.min(1e6) * 1e6) as i64))
    };
    let github = || {
        let until: i64 = rate_reset.as_ref()?.trim().parse().ok()?;
        Some(Span::from_micros(Timestamp::from_seconds(until).micros().saturating_sub(now.micros())))
    };
    let found = header.or_else(discord).or_else(github)?;
    Some(found.min(RETRY_AFTER_MAX))
}

/// `Retry-After`: seconds, or a date (RFC 9110).
fn after(text: &str, now: Timestamp) -> Option<Span> {
    if let Ok(seconds) = text.parse::<i64>() {
        return (seconds >= 0).then(|| Span::from_seconds(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Span::from_micros(date.as_microsecond().saturating_sub(now.micros())))
}

fn cut(text: &str) -> String {
    crate::message::clean(text.trim(), WHY_MAX_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, retry_after: Option<&'static str>, body: &'static str) -> HttpAnswer<'static> {
        HttpAnswer::Status { status, retry_after, rate_remaining: None, rate_reset: None, body }
    }

    #[test]
    fn an_answer_is_taken_later_or_never() {
        use ChannelKind::{Discord, Github, Line, Pagerduty, Slack, Teams, Webhook};
        let now = Timestamp::from_seconds(1_445_412_480);
        let later = |seconds: Option<i64>| ("later", seconds, None);
        let never = |advice| ("never", None, Some(advice));
        for (case, kind, answer, want) in [
            ("ok", Slack, status(200, None, "ok"), ("taken", None, None)),
            ("accepted", Pagerduty, status(202, None, ""), ("taken", None, None)),
            ("no content", Discord, status(204, None, ""), ("taken", None, None)),
            ("too fast, in seconds", Slack, status(429, Some("30"), ""), later(Some(30))),
            ("too fast, a date", Webhook, status(503, Some("Wed, 21 Oct 2015 07:29:00 GMT"), ""), later(Some(60))),
            ("a date that has passed", Webhook, status(503, Some("Wed, 21 Oct 2015 07:20:00 GMT"), ""), later(Some(0))),
            ("too long a wait", Webhook, status(429, Some("86400"), ""), later(Some(3600))),
            ("nonsense", Webhook, status(429, Some("soon"), ""), later(None)),
            ("negative", Webhook, status(429, Some("-5"), ""), later(None)),
            ("in the body", Discord, status(429, None, r#"{"retry_after": 0.5}"#), later(Some(0))),
            ("down", Webhook, status(502, None, "<html>"), later(None)),
            ("no answer", Webhook, HttpAnswer::None { why: "timed out" }, later(None)),
            ("old connector", Teams, status(200, None, "Webhook message delivery failed: 429"), later(None)),
            ("sent before", Line, status(409, None, ""), ("taken", None, None)),
            ("conflict", Webhook, status(409, None, ""), never(Advice::Content)),
            ("hook deleted", Slack, status(404, None, "no_service"), never(Advice::Address)),
            ("channel archived", Slack, status(410, None, "channel_is_archived"), never(Advice::Address)),
            ("wrong token", Slack, status(403, None, "invalid_token"), never(Advice::Secret)),
            ("wrong token", Github, status(401, None, ""), never(Advice::Secret)),
            ("hidden repository", Github, status(404, None, ""), never(Advice::Permission)),
            ("may not", Github, status(403, None, "Resource not accessible"), never(Advice::Permission)),
            ("second limit", Github, status(403, Some("60"), ""), later(Some(60))),
            ("too large", Webhook, status(413, None, ""), never(Advice::Size)),
            ("redirect", Webhook, status(302, None, ""), never(Advice::Redirect)),
            ("bad card", Discord, status(400, None, "{}"), never(Advice::Content)),
        ] {
            let got = match classify(kind, &answer, now) {
                Answer::Delivered { .. } => ("taken", None, None),
                Answer::Retry { after, .. } => ("later", after.map(|span| span.micros() / 1_000_000), None),
                Answer::Refused { advice, .. } => ("never", None, Some(advice)),
            };
            assert_eq!(got, want, "{case}");
        }
    }

    #[test]
    fn github_says_until_when_it_is_too_fast_and_which_issue_it_made() {
        let limited = HttpAnswer::Status {
            status: 403,
            retry_after: None,
            rate_remaining: Some("0"),
            rate_reset: Some("160"),
            body: "",
        };
        let now = Timestamp::from_seconds(100);
        let Answer::Retry { after, .. } = classify(ChannelKind::Github, &limited, now) else { panic!() };
        assert_eq!(after, Some(Span::from_seconds(60)));
        let made = classify(ChannelKind::Github, &status(201, None, r#"{"number": 12}"#), now);
        assert_eq!(made, Answer::Delivered { number: Some(12) });
    }

    #[test]
    fn a_mail_server_refuses_with_a_five() {
        for (code, want) in [
            (250, None),
            (421, Some(None)),
            (451, Some(None)),
            (535, Some(Some(Advice::Secret))),
            (550, Some(Some(Advice::Recipient))),
            (552, Some(Some(Advice::Size))),
            (554, Some(Some(Advice::Content))),
        ] {
            let got = match (MailAnswer::Code { code, text: "x" }).classify() {
                Answer::Delivered { .. } => None,
                Answer::Retry { .. } => Some(None),
                Answer::Refused { advice, .. } => Some(Some(advice)),
            };
            assert_eq!(got, want, "{code}");
        }
    }

    #[test]
    fn every_advice_has_its_text() {
        let texts = crate::texts::Texts::new(crate::texts::Language::Japanese);
        use Advice::{Address, Content, Permission, Recipient, Redirect, Secret, Size};
        for advice in [Address, Secret, Permission, Content, Size, Recipient, Redirect] {
            assert_ne!(texts.get(advice.key()), advice.key());
        }
    }
}
