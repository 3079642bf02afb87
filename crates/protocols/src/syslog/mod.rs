//! syslog messages, RFC 5424 and RFC 3164, to log records and requests.
//!
//! One message is a datagram, or what [`Frames`] cuts from a TCP connection. The old form has no grammar that senders
//! keep: everything here is read as far as it can be, and what can't is the message's text. Nothing but an empty message
//! is refused. Year and zone, which the old form lacks, come from the caller. Never panics on any bytes.
//!
//! Written here rather than with `syslog_loose`, which reads lines of real senders wrongly: it drops the `-` at the start
//! of a text (`-1` becomes `1`), takes nginx's tag for a host (`nohostname`), reads no tag behind nginx's empty host
//! name, takes the first word of an untagged text for a program, loses the severity of a message without a time, and
//! ignores the zone of times with a year.

mod frame;
mod time;

#[cfg(test)]
mod tests;

pub use frame::{Cut, Frames, MAX_FRAME};

use crate::access::{AccessRecord, Among, Decoder, Reject};
use crate::observed::{Field, LogRecord, Observer, Refusal, RequestRecord};
use base::Timestamp;
use jiff::tz::TimeZone;
use signal::log::Severity;
use std::borrow::Cow;
use std::net::IpAddr;

/// What a message in the old form does not say: its year and its zone.
#[derive(Debug, Clone, Copy)]
pub struct Here<'z> {
    /// When the message arrived.
    pub now: Timestamp,
    /// Zone of the sender's clock.
    pub zone: &'z TimeZone,
}

/// One message. Borrows from its bytes, unless they are no UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message<'a> {
    /// What part of the system spoke, by the syslog's own names.
    pub facility: Option<&'static str>,
    /// How grave it is.
    pub severity: Option<Severity>,
    /// When it was said.
    pub ts: Option<Timestamp>,
    /// Machine it was said on.
    pub host: Option<Cow<'a, str>>,
    /// Program that said it: app name or tag.
    pub app: Option<Cow<'a, str>>,
    /// Process id.
    pub proc_id: Option<Cow<'a, str>>,
    /// Kind of message.
    pub msg_id: Option<Cow<'a, str>>,
    /// Structured data, `SD-ID.param`.
    pub data: Vec<Field<'a>>,
    /// What was said.
    pub text: Cow<'a, str>,
}

impl<'a> Message<'a> {
    /// Reads one message. Line ends and NULs at its end are no part of it.
    pub fn read(bytes: &'a [u8], here: &Here<'_>) -> Result<Self, Refusal> {
        if bytes.len() > MAX_FRAME {
            return Err(Refusal::TooLong);
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => read_text(text, here),
            Err(_) => read_text(&String::from_utf8_lossy(bytes), here).map(Message::into_owned),
        }
    }

    /// The message as a log record.
    pub fn into_log(self) -> LogRecord<'a> {
        let named =
            [("proc_id", self.proc_id), ("msg_id", self.msg_id), ("facility", self.facility.map(Cow::Borrowed))];
        let mut fields: Vec<Field<'a>> =
            named.into_iter().filter_map(|(name, value)| Some((Cow::Borrowed(name), value?))).collect();
        fields.extend(self.data);
        LogRecord {
            ts: self.ts,
            service: self.app,
            host: self.host,
            severity: self.severity,
            body: self.text,
            trace_id: None,
            fields,
        }
    }

    /// The message as a request, when its text is a line of an access log (nginx's `access_log syslog:`). A line that
    /// does not name a virtual host has the machine for its host.
    pub fn request(&self, decoder: &mut Decoder) -> Result<RequestRecord<'_>, Reject> {
        let access = decoder.decode(self.text.as_bytes())?;
        Ok(self.of_access(access))
    }

    /// The same when nothing is known of the program's lines: whatever its tag, and whatever else it says. `among` is
    /// what was learned of that program in this delivery.
    pub fn request_among(&self, among: &mut Among) -> Option<RequestRecord<'_>> {
        among.of_line(&self.text).map(|access| self.of_access(access))
    }

    fn of_access<'m>(&'m self, mut access: AccessRecord<'m>) -> RequestRecord<'m> {
        if access.host.is_none() {
            access.host = self.host.as_deref().map(Cow::Borrowed);
        }
        RequestRecord { service: self.app.as_deref().map(Cow::Borrowed), route: None, access }
    }

    fn into_owned(self) -> Message<'static> {
        fn own(text: Cow<'_, str>) -> Cow<'static, str> {
            Cow::Owned(text.into_owned())
        }
        Message {
            facility: self.facility,
            severity: self.severity,
            ts: self.ts,
            host: self.host.map(own),
            app: self.app.map(own),
            proc_id: self.proc_id.map(own),
            msg_id: self.msg_id.map(own),
            data: self.data.into_iter().map(|(name, value)| (own(name), own(value))).collect(),
            text: own(self.text),
        }
    }
}

/// Hands over one message: as a request when `access` is given and reads its text, else as a log record.
pub fn decode(bytes: &[u8], here: &Here<'_>, access: Option<&mut Decoder>, observer: &mut dyn Observer) {
    let message = match Message::read(bytes, here) {
        Ok(message) => message,
        Err(why) => return observer.refuse(why, bytes),
    };
    if let Some(request) = access.and_then(|decoder| message.request(decoder).ok()) {
        return observer.request(request);
    }
    observer.log(message.into_log());
}

fn read_text<'a>(raw: &'a str, here: &Here<'_>) -> Result<Message<'a>, Refusal> {
    let raw = raw.trim_end_matches(['\n', '\r', '\0']);
    if raw.trim_start().is_empty() {
        return Err(Refusal::Malformed);
    }
    let mut message = Message::default();
    let rest = match priority(raw) {
        Some((priority, rest)) => {
            message.facility = facility(priority / 8);
            message.severity = Severity::from_syslog(priority % 8);
            rest
        }
        None => raw,
    };
    if read_new(rest, &mut message).is_none() {
        read_old(rest, here, &mut message);
    }
    Ok(message)
}

/// `<132>`, 0 to 191, and what follows.
fn priority(text: &str) -> Option<(u8, &str)> {
    let (digits, rest) = text.strip_prefix('<')?.split_once('>')?;
    let plain = (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let priority = digits.parse().ok().filter(|priority| plain && *priority <= 191)?;
    Some((priority, rest))
}

fn facility(number: u8) -> Option<&'static str> {
    const NAMES: [&str; 24] = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
        "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ];
    NAMES.get(usize::from(number)).copied()
}

/// RFC 5424 behind the priority. `None`, and nothing read, when the header is another one.
fn read_new<'a>(rest: &'a str, message: &mut Message<'a>) -> Option<()> {
    let rest = rest.strip_prefix("1 ")?;
    let mut words = rest.splitn(6, ' ');
    let mut word = || words.next().filter(|word| !word.is_empty());
    let (time, host, app, proc_id, msg_id) = (word()?, word()?, word()?, word()?, word()?);
    let ts = if time == "-" { None } else { Some(time::rfc3339(time)?) };
    let said = |word: &'a str| (word != "-").then_some(Cow::Borrowed(word));
    message.ts = ts;
    message.host = said(host);
    message.app = said(app);
    message.proc_id = said(proc_id);
    message.msg_id = said(msg_id);
    let rest = words.next().unwrap_or_default();
    let text = structured_data(rest, &mut message.data).unwrap_or(rest);
    // rsyslog writes the blank behind an old message's tag into the text.
    let text = text.strip_prefix(' ').unwrap_or(text);
    message.text = Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text));
    Some(())
}

/// `-` or `[id name="value" ...][...]`, then a blank or the end; what follows. `None`, and nothing read, for other text.
fn structured_data<'a>(text: &'a str, data: &mut Vec<Field<'a>>) -> Option<&'a str> {
    let mut found = Vec::new();
    let mut rest = match text.strip_prefix('-') {
        Some(rest) => rest,
        None if text.starts_with('[') => text,
        None => return None,
    };
    while let Some(element) = rest.strip_prefix('[') {
        let end = element.find([' ', ']'])?;
        let (id, params) = element.split_at(end);
        if id.is_empty() || id.contains(['=', '"']) {
            return None;
        }
        rest = params;
        loop {
            rest = rest.trim_start_matches(' ');
            if let Some(after) = rest.strip_prefix(']') {
                rest = after;
                break;
            }
            let (name, quoted) = rest.split_once("=\"")?;
            let (value, after) = param_value(quoted)?;
            found.push((Cow::Owned(format!("{id}.{name}")), value));
            rest = after;
        }
    }
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(' ')? };
    data.append(&mut found);
    Some(rest)
}

/// Text up to the closing quote, without the escapes `\"`, `\\` and `\]`; what follows.
fn param_value(quoted: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut plain = String::new();
    let mut rest = quoted;
    loop {
        let at = memchr::memchr2(b'"', b'\\', rest.as_bytes())?;
        let (before, after) = rest.split_at(at);
        if let Some(after) = after.strip_prefix('"') {
            let value = if plain.is_empty() { Cow::Borrowed(before) } else { Cow::Owned(plain + before) };
            return Some((value, after));
        }
        plain.push_str(before);
        // A backslash before anything else is one.
        let escaped = after.as_bytes().get(1).filter(|byte| matches!(byte, b'"' | b'\\' | b']'));
        plain.push(escaped.map_or('\\', |byte| char::from(*byte)));
        rest = &after[if escaped.is_some() { 2 } else { 1 }..];
    }
}

/// RFC 3164 behind the priority: `time host tag[pid]: text`, of which anything may be missing.
fn read_old<'a>(rest: &'a str, here: &Here<'_>, message: &mut Message<'a>) {
    message.text = Cow::Borrowed(rest);
    let Some((ts, rest)) = time::read_start(rest, here) else { return };
    message.ts = Some(ts);
    // Some senders write a colon behind the time, and nginx a blank where it knows no host name.
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    if let Some(rest) = rest.strip_prefix(' ') {
        return read_tag(rest, message);
    }
    let (host, behind) = rest.split_once(' ').unwrap_or((rest, ""));
    if is_tag(host) || behind.is_empty() {
        return read_tag(rest, message);
    }
    message.host = Some(Cow::Borrowed(host));
    read_tag(behind, message);
}

/// Whether the word where the host stands is the tag already: `nginx:` or `app[12]:`, and no IPv6 address.
fn is_tag(word: &str) -> bool {
    (word.ends_with(':') || word.ends_with(']')) && word.parse::<IpAddr>().is_err() && !word.starts_with('[')
}

/// `tag: text` or `tag[pid]: text`; text without a tag is text.
fn read_tag<'a>(rest: &'a str, message: &mut Message<'a>) {
    message.text = Cow::Borrowed(rest);
    let Some(end) = rest.find([':', '[', ' ']).filter(|end| *end > 0) else { return };
    let (tag, behind) = rest.split_at(end);
    let (proc_id, behind) = match behind.strip_prefix('[').and_then(|behind| behind.split_once(']')) {
        Some((proc_id, behind)) if !proc_id.contains(' ') => (Some(proc_id), behind),
        _ => (None, behind),
    };
    let text = match behind.strip_prefix(':') {
        Some(text) => text,
        None if proc_id.is_some() && behind.starts_with(' ') => behind,
        None => return,
    };
    message.app = Some(Cow::Borrowed(tag));
    message.proc_id = proc_id.map(Cow::Borrowed);
    message.text = Cow::Borrowed(text.strip_prefix(' ').unwrap_or(text));
}
