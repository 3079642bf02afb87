//! The sections of the watch: `outputs`, `escalation`, `rotations`, `people`; and what `rules` and `objectives` mean
//! together.

use super::Config;
use super::problem::Problem;
use super::yaml::{Document, Node, Place};
use base::{Secret, Span};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;
use server::watching::HEARTBEAT_CHANNEL;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use url::Url;
use watch::actionability::{PageBudget, WorkingHours};
use watch::channel::{Channel, OutputSpec};
use watch::compile::{Compiled, Declared, DeclaredService, INTERVAL, compile};
use watch::escalation::{Escalation, Rotation, Target};
use watch::routing::{Listed, Lists};
use watch::spec::{PathPart, SpecProblem};
use watch::texts::Language;

/// Where alerts and tickets go. Records go to the lake only.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OutputsSection {
    /// Channels of alerts: the first one is told, the next when it has failed for five minutes.
    pub alert: Vec<OutputSpec>,
    /// Channels of tickets: all are told.
    pub ticket: Vec<OutputSpec>,
    /// Another service that hears as long as all is well, and raises the alarm when it does not.
    pub heartbeat: Option<HeartbeatSection>,
    /// Address of the pages as people reach them, for links in messages: `https://koshu.example`. Default: this machine's.
    pub base_url: Option<String>,
    /// Language of messages: `en` or `ja`. Default: `en`.
    pub language: Language,
}

/// When people work, and how much being on duty may take from them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OnCallSection {
    /// Hours of the local clock, Monday to Friday. Default: 9 to 18.
    pub working_hours: WorkingHours,
    /// Alerts that a person may get. Default: 10 a week, 2 of them outside working hours.
    pub page_budget: PageBudget,
}

/// A dead-man's switch: called only when an event has gone through intake, lake, rule and outbox.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatSection {
    /// Its address: `https://hc.example/ping/...`.
    #[schemars(with = "Option<String>")]
    #[serde(default)]
    pub url: Option<Secret>,
    /// File that holds the address.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// How often it is called, at least `30s`. Default: `1m`.
    #[serde(default = "a_minute")]
    pub every: Span,
}

fn a_minute() -> Span {
    Span::from_seconds(60)
}

/// Less is shorter than two evaluations.
const LEAST_HEARTBEAT: Span = Span::from_seconds(30);

/// Everything of the watch that can be used.
pub struct Watched {
    /// Rules and objectives.
    pub compiled: Compiled,
    /// Where each class goes.
    pub lists: Lists,
    /// Channels by name.
    pub channels: BTreeMap<String, Channel>,
    /// Who is told when nobody acknowledges.
    pub escalation: Escalation,
    /// Who is on duty.
    pub rotations: BTreeMap<String, Rotation>,
    /// Channel of each person.
    pub people: BTreeMap<String, String>,
    /// How often another service is called, over the channel of heartbeats.
    pub heartbeat_every: Option<Span>,
}

/// Compiles what a configuration says of the watch; every problem with the path of its key.
pub fn compile_watch(config: &Config) -> (Watched, Vec<SpecProblem>) {
    let zone = config.server.time_zone.clone();
    let zone_name = zone.or_else(|| TimeZone::system().iana_name().map(str::to_owned)).unwrap_or("UTC".to_owned());
    let services = config.services.iter().map(|(name, section)| {
        let declared = DeclaredService { owner: section.owner.as_deref(), objectives: &section.objectives };
        (name.as_str(), declared)
    });
    let declared = Declared {
        services: services.collect(),
        checks: config.checks.keys().map(watch::check::CheckName::as_str).collect::<BTreeSet<_>>(),
        runbooks: None,
        time_zone: &zone_name,
        interval: INTERVAL,
    };
    let compiled = compile(&declared, &config.rules);
    let mut problems = compiled.problems.clone();
    let mut reader = Reader { channels: BTreeMap::new(), problems: &mut problems };
    let alert = reader.list("alert", &config.outputs.alert);
    let ticket = reader.list("ticket", &config.outputs.ticket);
    let people: BTreeMap<String, String> = config
        .people
        .iter()
        .filter_map(|(person, spec)| {
            let channel = reader.channel(&[key("people"), key(person)], spec, &format!("person-{person}"))?;
            Some((person.clone(), channel))
        })
        .collect();
    let mut channels = reader.channels;
    let mut wrong = |path: Vec<PathPart>, error: String| problems.push(problem(path, &error));
    let zone = TimeZone::get(&zone_name).unwrap_or(TimeZone::UTC);
    let mut rotations = BTreeMap::new();
    for (name, spec) in &config.rotations {
        match Rotation::new(name, spec, &zone) {
            Ok(rotation) => drop(rotations.insert(name.clone(), rotation)),
            Err(error) => wrong(vec![key("rotations"), key(name)], error.to_string()),
        }
    }
    let escalation = Escalation::new(&config.escalation).unwrap_or_else(|error| {
        wrong(vec![key("escalation")], error.to_string());
        Escalation::default()
    });
    let mut heartbeat_every = None;
    if let Some(section) = &config.outputs.heartbeat {
        match heartbeat(section) {
            Ok(channel) if channels.contains_key(&channel.name) => {
                let text = format!("a channel is called `{}`; choose another `name` for it", channel.name);
                wrong(vec![key("outputs"), key("heartbeat")], text);
            }
            Ok(channel) => {
                channels.insert(channel.name.clone(), channel);
                heartbeat_every = Some(section.every);
            }
            Err(text) => wrong(vec![key("outputs"), key("heartbeat")], text),
        }
    }
    let hours = config.on_call.working_hours;
    if !(0..24).contains(&hours.from) || !(1..=24).contains(&hours.to) || hours.from >= hours.to {
        let text =
            format!("from {} to {} are no hours of a day; write for example {{from: 9, to: 18}}", hours.from, hours.to);
        wrong(vec![key("on_call"), key("working_hours")], text);
    }
    for target in escalation.targets() {
        let missing = match target {
            Target::Rotation(name) if !rotations.contains_key(name) => format!("no rotation `{name}` is declared"),
            Target::Person(name) if !people.contains_key(name) => format!("nobody called `{name}` is declared"),
            Target::Output(name) if !channels.contains_key(name) => format!("no channel `{name}` is declared"),
            Target::Rotation(_) | Target::Person(_) | Target::Output(_) => continue,
        };
        wrong(vec![key("escalation")], format!("{missing}; add it to `rotations`, `people` or `outputs`"));
    }
    let lists = Lists { alert, ticket };
    (Watched { compiled, lists, channels, escalation, rotations, people, heartbeat_every }, problems)
}

fn heartbeat(section: &HeartbeatSection) -> Result<Channel, String> {
    if section.every < LEAST_HEARTBEAT {
        return Err(format!("`every` is {}; write {LEAST_HEARTBEAT} or more", section.every));
    }
    let url = section.url.as_ref().ok_or("the address is missing; write `url` or `url_file`")?;
    let parsed = url.reveal().parse::<Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = parsed.ok_or("`url` is no address of the web; write for example https://hc.example/ping/...")?;
    Ok(Channel::ping(HEARTBEAT_CHANNEL, url))
}

fn key(name: &str) -> PathPart {
    PathPart::Key(name.to_owned())
}

/// Messages end with the way out behind a semicolon.
fn problem(path: Vec<PathPart>, text: &str) -> SpecProblem {
    let (message, help) = text.rsplit_once("; ").unwrap_or((text, "see the documentation"));
    SpecProblem { path, message: message.to_owned(), help: help.to_owned(), is_warning: false }
}

struct Reader<'p> {
    channels: BTreeMap<String, Channel>,
    problems: &'p mut Vec<SpecProblem>,
}

impl Reader<'_> {
    fn list(&mut self, class: &str, specs: &[OutputSpec]) -> Vec<Listed> {
        let mut listed = Vec::new();
        for (index, spec) in specs.iter().enumerate() {
            let kind = spec.kind().map_or("output", watch::channel::ChannelKind::as_str);
            let usual = if index == 0 { format!("{class}-{kind}") } else { format!("{class}-{kind}-{}", index + 1) };
            let path = [key("outputs"), key(class), PathPart::Index(index)];
            if let Some(name) = self.channel(&path, spec, &usual) {
                listed.push(Listed { name, always: spec.always });
            }
        }
        listed
    }

    fn channel(&mut self, path: &[PathPart], spec: &OutputSpec, usual: &str) -> Option<String> {
        match spec.ready(usual) {
            Ok(channel) if self.channels.contains_key(&channel.name) => {
                let text = format!("`{}` is already the name of a channel; choose another `name`", channel.name);
                self.problems.push(problem(path.to_vec(), &text));
                None
            }
            Ok(channel) => {
                let name = channel.name.clone();
                self.channels.insert(name.clone(), channel);
                Some(name)
            }
            Err(error) => {
                self.problems.push(problem(path.to_vec(), &error.to_string()));
                None
            }
        }
    }
}

/// The problem at its place in the files. Elements of a list that several files share are counted over all of them.
pub(super) fn at_its_place(documents: &[Document], found: &SpecProblem) -> Problem {
    let message = format!("{}: {}", found.path_text(), found.message);
    let problem = match place(documents, &found.path) {
        Some((document, place)) => Problem::at(document, place, message),
        None => Problem::new(message),
    };
    let problem = problem.help(found.help.clone());
    if found.is_warning { problem.into_warning() } else { problem }
}

fn place<'d>(documents: &'d [Document], path: &[PathPart]) -> Option<(&'d Document, Place)> {
    let mut passed = 0;
    for document in documents {
        let mut path = path.to_vec();
        // `rules` of several files are one list.
        if let [PathPart::Key(section), PathPart::Index(index), ..] = path.as_mut_slice() {
            let here = document.root.get(section).map_or(0, |node| node.elements().len());
            if *index < passed || *index - passed >= here {
                passed += here;
                continue;
            }
            *index -= passed;
        }
        if let Some(place) = deepest(&document.root, &path) {
            return Some((document, place));
        }
    }
    None
}

/// Where the last part of a path stands that is there: a key that is missing is told at what it is missing from.
fn deepest(root: &Node, path: &[PathPart]) -> Option<Place> {
    let (mut node, mut found) = (root, None);
    for part in path {
        let next = match part {
            PathPart::Key(name) => {
                node.entries().iter().find(|(key, _)| key.text == *name).map(|(key, node)| (key.place, node))
            }
            PathPart::Index(index) => node.elements().get(*index).map(|(place, node)| (*place, node)),
        };
        let Some((place, below)) = next else { break };
        (node, found) = (below, Some((place, found.map_or(1, |(_, depth): (Place, usize)| depth + 1))));
    }
    // The section alone says nothing of a service that another file declares.
    found.filter(|(_, depth)| *depth >= path.len().min(2)).map(|(place, _)| place)
}
