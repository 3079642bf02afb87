//! What a rule says when it changes its mind: the seam between evaluating and telling.

use crate::Class;
use crate::detects::Detects;
use crate::signals::Unit;
use base::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one series of a rule looks like at one evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict", content = "value")]
pub enum Verdict {
    /// A value that could be compared.
    Value(f64),
    /// The question was answered: there is nothing. A service without traffic at night, for example.
    Absent,
    /// The question could not be answered: a query failed or ran out of time.
    Failed,
    /// What used to send has stopped sending.
    SourceLost,
}

/// Where one series of a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing to say.
    Fine,
    /// The condition holds, but not yet for `hold`.
    Pending,
    /// It fires.
    Firing,
    /// Nothing was seen; see [`Verdict::Absent`].
    Absent,
    /// See [`Verdict::Failed`].
    Failed,
    /// See [`Verdict::SourceLost`].
    SourceLost,
}

/// Which of a rule's series: label names and values, in the order of names. Empty for a rule with one series.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Series(pub BTreeMap<String, String>);

impl Series {
    /// `route="POST /cart",service="shop"`; empty for the one series of a rule.
    pub fn text(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        pairs.join(",")
    }
}

/// What is told about a rule beside its state: fixed at load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleInfo {
    /// Unique among rules.
    pub name: String,
    /// One of three.
    pub class: Class,
    /// The service it is about, if about one.
    pub service: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What to do first, in a sentence.
    pub action: Option<String>,
    /// Name or address of the runbook.
    pub runbook: Option<String>,
    /// How long a ticket may take.
    pub due: Option<Span>,
    /// What it watches, for people: `latency.p95 of POST /checkout above 800ms for 5m`.
    pub condition: String,
    /// The same in parts. `None` of a rule that is no more, and in messages of earlier versions.
    #[serde(default)]
    pub detects: Option<Detects>,
    /// Of what was measured and of what it is compared with. Messages that were written before it was known have none.
    #[serde(default)]
    pub unit: Unit,
}

/// A series of a rule went from one phase to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The rule.
    pub rule: Arc<RuleInfo>,
    /// The series.
    pub series: Series,
    /// When, by the evaluating clock.
    pub at: Timestamp,
    /// Since when the condition holds; equals `at` where there is no hold.
    pub since: Timestamp,
    /// Before.
    pub from: Phase,
    /// After.
    pub to: Phase,
    /// What was measured, in the unit of the rule's signal.
    pub value: Option<f64>,
    /// What it was compared with, in the same unit.
    pub threshold: Option<f64>,
}
