//! The sections `services.*.objectives` and `rules` as people write them.
//!
//! Types say what a value may be; [`crate::compile`] says whether the whole can be used, and names the key and the way
//! out of every problem.

use crate::Class;
use crate::burn::MIN_BAD;
use crate::objective::Target;
use crate::signals::Amount;
use crate::window::WindowSpec;
use base::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// One objective of a service: `{name: available, good: "status < 500", target: 99.9, window: 30d}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectiveSpec {
    /// Name, unique in the service: a-z, 0-9, `-`, `_`, `.`.
    pub name: String,
    /// Which requests are good, as a CEL condition: `status < 500`, `duration_ms < 300`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<String>,
    /// Which requests count, as a CEL condition. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<String>,
    /// Instead of `good`: the check whose runs are judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Only requests of this route: `POST /checkout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Percentage that has to be good, for example 99.9.
    pub target: Target,
    /// `30d`, `28d`, `7d`, or a calendar period: `week`, `month`, `quarter`. Default: `30d`.
    #[serde(default = "thirty_days")]
    pub window: WindowSpec,
    /// Time zone in which calendar periods begin, for example `Asia/Tokyo`. Default: the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Fewer bad requests than this never fire, whatever their share. Default: 3.
    #[serde(default = "min_bad")]
    pub min_bad: u64,
    /// What it is for, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Anything, by key; kept for other programs (what OpenSLO says and this does not mean, for example).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

fn thirty_days() -> WindowSpec {
    WindowSpec::Rolling(Span::from_seconds(30 * 86_400))
}

fn min_bad() -> u64 {
    MIN_BAD
}

/// What becomes of a series that has no data, or whose source is lost. A failed query is never one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AbsentSpec {
    /// An alert of its own.
    Alert,
    /// A ticket of its own.
    Ticket,
    /// A record of its own.
    Record,
    /// Shown, and nothing else.
    #[default]
    Ignore,
}

/// One rule. It watches a `signal`, an `sql` query or the burn of an `objective`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// Name, unique among rules: a-z, 0-9, `-`, `_`, `.`.
    pub name: String,
    /// The service it is about; `*` for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Only this route; `*` for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Only this host; `*` for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The check it is about; `*` for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The group of errors it is about; `*` for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_group: Option<String>,
    /// The heartbeat it is about; `*` for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<String>,
    /// The process it is about, by its command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
    /// What is measured: `latency.p95`, `traffic`, `errors.ratio`, `saturation.memory`, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// Instead of `signal`: a query. Its column `value` is compared, its other columns tell series apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// The objective whose burn is watched (without `signal`), or which `signal: budget.left` is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<String>,
    /// Fires above this, in the unit of the signal: `800ms`, `5%`, `10/s`, `3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<Amount>,
    /// Fires below this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Amount>,
    /// With `above`: ends once the value is below this. Default: once it is not above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear_below: Option<Amount>,
    /// With `below`: ends once the value is above this. Default: once it is not below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear_above: Option<Amount>,
    /// Over which time the signal is computed at each evaluation, `1m` to `3d`. Default: `5m`.
    #[serde(default, deserialize_with = "span", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Span>")]
    pub window: Option<Span>,
    /// For how long the condition has to hold. Default: fires at once.
    #[serde(default, deserialize_with = "span", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Span>")]
    pub hold: Option<Span>,
    /// What becomes of it.
    pub class: Class,
    /// Who answers for it. Default: the owner of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What to do first, in a sentence. An alert needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Name or address of the runbook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// How long a ticket may take, for example `3d`. A ticket needs it.
    #[serde(default, deserialize_with = "span", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Span>")]
    pub due: Option<Span>,
    /// What becomes of a series without data: `alert`, `ticket`, `record` or `ignore`. Default: `ignore`.
    #[serde(default)]
    pub absent: AbsentSpec,
    /// For how long the data has to be missing. Default: `5m`.
    #[serde(default, deserialize_with = "span", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Span>")]
    pub absent_after: Option<Span>,
    /// What it is for, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A span where one may be missing; messages end with the way out behind a semicolon, as [`Span`]'s own do.
fn span<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Span>, D::Error> {
    Span::deserialize(input).map(Some)
}

impl RuleSpec {
    /// A rule with nothing but its name and class.
    pub fn new(name: &str, class: Class) -> Self {
        Self {
            name: name.to_owned(),
            service: None,
            route: None,
            host: None,
            check: None,
            error_group: None,
            heartbeat: None,
            process: None,
            signal: None,
            sql: None,
            objective: None,
            above: None,
            below: None,
            clear_below: None,
            clear_above: None,
            window: None,
            hold: None,
            class,
            owner: None,
            action: None,
            runbook: None,
            due: None,
            absent: AbsentSpec::Ignore,
            absent_after: None,
            description: None,
        }
    }
}

/// A step from the root of the configuration to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathPart {
    /// A key of a mapping.
    Key(String),
    /// An element of a list, from 0.
    Index(usize),
}

/// Something wrong (or without effect) in a specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecProblem {
    /// Where: `rules[2].owner`.
    pub path: Vec<PathPart>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// Whether the configuration can be used all the same.
    pub is_warning: bool,
}

impl SpecProblem {
    /// The path as text.
    pub fn path_text(&self) -> String {
        let mut text = String::new();
        for part in &self.path {
            match part {
                PathPart::Key(key) if text.is_empty() => text.push_str(key),
                PathPart::Key(key) => {
                    text.push('.');
                    text.push_str(key);
                }
                PathPart::Index(index) => {
                    text.push('[');
                    text.push_str(&index.to_string());
                    text.push(']');
                }
            }
        }
        text
    }
}
impl fmt::Display for SpecProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.path_text(), self.message, self.help)
    }
}
