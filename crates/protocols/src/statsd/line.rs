//! One line: `name:value|type|@rate|#tags`, an event `_e{..}`, or a service check `_sc|..`.

use super::{EventRecord, Refusal};
use crate::observed::Field;
use base::Timestamp;
use std::borrow::Cow;

/// Longest name of a metric, bytes.
const MAX_NAME: usize = 512;

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Line<'a> {
    /// Readings of one series.
    Metric(Metric<'a>),
    /// Something that happened (kind `statsd.event`).
    Event(EventRecord<'a>),
    /// How a service is (kind `statsd.check`).
    Check(EventRecord<'a>),
}

/// Readings of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric<'a> {
    /// What was measured.
    pub name: &'a str,
    /// What was read, one or several.
    pub readings: Readings<'a>,
    /// Share of what happened that the sender tells, above 0 and at most 1.
    pub rate: f64,
    /// Tags in the order of the line; one without a value has an empty one.
    pub tags: Vec<Field<'a>>,
    /// Time of the reading, which only senders give that aggregate themselves.
    pub ts: Option<Timestamp>,
}

/// Values by what they mean.
#[derive(Debug, Clone, PartialEq)]
pub enum Readings<'a> {
    /// How often something happened: `c`.
    Counts(Vec<f64>),
    /// How much there is: `g`.
    Levels(Vec<Level>),
    /// Single values whose distribution matters: `ms`, `h` and `d`.
    Spread(Vec<f64>),
    /// One member of a set, of which only the number of members matters: `s`.
    Member(&'a str),
}

/// A gauge's reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Level {
    /// The level itself.
    At(f64),
    /// A change of it: the value has a sign.
    By(f64),
}

impl Level {
    /// DogStatsD knows no changes: there `-2` is a temperature. Its lines are told by what plain StatsD has not: tags, a
    /// time, a container. No client writes `+` but for a change.
    fn without_sign(&mut self) {
        if let Self::By(value) = self
            && *value < 0.0
        {
            *self = Self::At(*value);
        }
    }
}

impl<'a> Line<'a> {
    /// Reads one line, without its end.
    pub fn read(line: &'a [u8]) -> Result<Self, Refusal> {
        let line = std::str::from_utf8(line).map_err(|_| Refusal::Malformed)?;
        if let Some(rest) = line.strip_prefix("_e{") {
            return event(rest).map(Self::Event);
        }
        if let Some(rest) = line.strip_prefix("_sc|") {
            return check(rest).map(Self::Check);
        }
        metric(line).map(Self::Metric)
    }
}

fn metric(line: &str) -> Result<Metric<'_>, Refusal> {
    let (name, rest) = line.split_once(':').ok_or(Refusal::Malformed)?;
    if name.is_empty() || name.len() > MAX_NAME || name.contains(|c: char| c.is_control() || c == '|') {
        return Err(Refusal::BadName);
    }
    let mut parts = rest.split('|');
    let (Some(values), Some(kind)) = (parts.next(), parts.next()) else { return Err(Refusal::Malformed) };
    let mut metric = Metric { name, readings: readings(values, kind)?, rate: 1.0, tags: Vec::new(), ts: None };
    for part in parts {
        if let Readings::Levels(levels) = &mut metric.readings
            && !part.starts_with('@')
        {
            levels.iter_mut().for_each(Level::without_sign);
        }
        if let Some(rate) = part.strip_prefix('@') {
            metric.rate = number(rate).ok().filter(|rate| *rate > 0.0 && *rate <= 1.0).ok_or(Refusal::BadValue)?;
        } else if let Some(list) = part.strip_prefix('#') {
            metric.tags = tags(list);
        } else if let Some(seconds) = part.strip_prefix('T') {
            metric.ts = Some(moment(seconds)?);
        }
        // Others (`c:` container, `e:` and `card:`) say nothing about the series.
    }
    Ok(metric)
}

fn readings<'a>(values: &'a str, kind: &str) -> Result<Readings<'a>, Refusal> {
    let numbers = || values.split(':').map(number).collect::<Result<Vec<_>, _>>();
    Ok(match kind {
        "c" => Readings::Counts(numbers()?),
        "g" => Readings::Levels(values.split(':').map(level).collect::<Result<_, _>>()?),
        "ms" | "h" | "d" => Readings::Spread(numbers()?),
        // A member may hold colons: it is one, never several packed.
        "s" if !values.is_empty() => Readings::Member(values),
        "s" => return Err(Refusal::BadValue),
        _ => return Err(Refusal::Unknown),
    })
}

fn level(text: &str) -> Result<Level, Refusal> {
    let value = number(text)?;
    Ok(if text.starts_with(['+', '-']) { Level::By(value) } else { Level::At(value) })
}

/// A finite number.
fn number(text: &str) -> Result<f64, Refusal> {
    text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or(Refusal::BadValue)
}

/// `env:prod,urgent`.
fn tags(list: &str) -> Vec<Field<'_>> {
    let pairs = list.split(',').filter(|tag| !tag.is_empty()).map(|tag| tag.split_once(':').unwrap_or((tag, "")));
    pairs.map(|(name, value)| (Cow::Borrowed(name), Cow::Borrowed(value))).collect()
}

/// Seconds since the epoch.
fn moment(seconds: &str) -> Result<Timestamp, Refusal> {
    let ts = seconds.parse().map(Timestamp::from_seconds).map_err(|_| Refusal::BadTime)?;
    if ts.is_in_calendar() { Ok(ts) } else { Err(Refusal::BadTime) }
}

/// Service, host and labels: the tags `service` and `host` are places, by DogStatsD's convention.
pub(super) type Place<'a> = (Option<Cow<'a, str>>, Option<Cow<'a, str>>, Vec<Field<'a>>);

/// Takes the place out of the tags; the first tag of a name wins.
pub(super) fn place(tags: Vec<Field<'_>>) -> Place<'_> {
    let (mut service, mut host, mut labels) = (None, None, Vec::with_capacity(tags.len()));
    for (name, value) in tags {
        match name.as_ref() {
            "service" if service.is_none() && !value.is_empty() => service = Some(value),
            "host" if host.is_none() && !value.is_empty() => host = Some(value),
            _ => labels.push((name, value)),
        }
    }
    (service, host, labels)
}

/// `5,4}:title|text|d:..|h:..|p:..|t:..|k:..|s:..|#tags`; both numbers are lengths in bytes.
fn event(rest: &str) -> Result<EventRecord<'_>, Refusal> {
    let (sizes, rest) = rest.split_once("}:").ok_or(Refusal::Malformed)?;
    let (title, text) = sizes.split_once(',').ok_or(Refusal::Malformed)?;
    let size = |digits: &str| digits.parse::<usize>().map_err(|_| Refusal::Malformed);
    let (name, rest) = rest.split_at_checked(size(title)?).ok_or(Refusal::Malformed)?;
    let rest = rest.strip_prefix('|').ok_or(Refusal::Malformed)?;
    let (text, rest) = rest.split_at_checked(size(text)?).ok_or(Refusal::Malformed)?;
    if name.is_empty() || !(rest.is_empty() || rest.starts_with('|')) {
        return Err(Refusal::Malformed);
    }
    let mut event = EventRecord { kind: "statsd.event", name: lines(name), ..EventRecord::default() };
    if !text.is_empty() {
        event.fields.push((Cow::Borrowed("text"), lines(text)));
    }
    about(&mut event, rest)?;
    Ok(event)
}

/// `name|status|d:..|h:..|#tags|m:..`.
fn check(rest: &str) -> Result<EventRecord<'_>, Refusal> {
    let (name, rest) = rest.split_once('|').filter(|(name, _)| !name.is_empty()).ok_or(Refusal::Malformed)?;
    let end = rest.find('|').unwrap_or(rest.len());
    let state = match &rest[..end] {
        "0" => "ok",
        "1" => "warning",
        "2" => "critical",
        "3" => "unknown",
        _ => return Err(Refusal::BadValue),
    };
    let (kind, name, state) = ("statsd.check", Cow::Borrowed(name), Some(Cow::Borrowed(state)));
    let mut event = EventRecord { kind, name, state, ..EventRecord::default() };
    about(&mut event, &rest[end..])?;
    Ok(event)
}

/// What events and checks say behind their head.
fn about<'a>(event: &mut EventRecord<'a>, rest: &'a str) -> Result<(), Refusal> {
    let mut rest = rest;
    while let Some(part) = rest.strip_prefix('|') {
        // A message comes last and may hold anything.
        let end = if part.starts_with("m:") { part.len() } else { part.find('|').unwrap_or(part.len()) };
        let (part, after) = part.split_at(end);
        rest = after;
        if let Some(list) = part.strip_prefix('#') {
            let (service, host, labels) = place(tags(list));
            event.service = service;
            event.host = event.host.take().or(host);
            event.fields.extend(labels);
            continue;
        }
        let Some((key, value)) = part.split_once(':').filter(|(_, value)| !value.is_empty()) else { continue };
        let name = match key {
            "d" => {
                event.ts = Some(moment(value)?);
                continue;
            }
            "h" => {
                event.host = Some(Cow::Borrowed(value));
                continue;
            }
            "t" => {
                event.state = Some(Cow::Borrowed(value));
                continue;
            }
            "p" => "priority",
            "k" => "aggregation_key",
            "s" => "source_type",
            "m" => "message",
            _ => continue,
        };
        event.fields.push((Cow::Borrowed(name), lines(value)));
    }
    Ok(())
}

/// Text with its line ends, which are written `\n`.
fn lines(text: &str) -> Cow<'_, str> {
    if text.contains("\\n") { Cow::Owned(text.replace("\\n", "\n")) } else { Cow::Borrowed(text) }
}
