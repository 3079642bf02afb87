//! A rule that can be evaluated.

use crate::signals::Signal;
use crate::step::StepSpec;
use crate::{Class, RuleInfo};
use base::Span;
use std::sync::Arc;

/// Most series of one rule; further ones are left out, and the engine says how many.
pub const MAX_SERIES: usize = 1000;

/// Which of several a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// All of them together.
    All,
    /// Each of them by itself.
    Each,
    /// This one.
    One(String),
}

impl Scope {
    /// `*` is each, a name is that one.
    pub fn of(written: Option<&str>) -> Self {
        match written {
            None => Self::All,
            Some("*") => Self::Each,
            Some(name) => Self::One(name.to_owned()),
        }
    }
}

/// Where the values come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// A signal.
    Signal(Signal),
    /// A query: column `value`, and labels.
    Sql(String),
}

/// What to measure. Equal selectors have equal answers, so that a source may answer once for several rules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selector {
    /// Signal or query.
    pub what: What,
    /// Service.
    pub service: Scope,
    /// Route.
    pub route: Scope,
    /// Host.
    pub host: Scope,
    /// Check.
    pub check: Scope,
    /// Group of errors.
    pub error_group: Scope,
    /// Heartbeat.
    pub heartbeat: Scope,
    /// Process, by its command.
    pub process: Option<String>,
    /// Objective, by `service/name`.
    pub objective: Option<String>,
    /// The last so much time.
    pub window: Span,
}

impl Selector {
    /// Whether the answer can have several series.
    pub fn is_split(&self) -> bool {
        let scopes = [&self.service, &self.route, &self.host, &self.check, &self.error_group, &self.heartbeat];
        scopes.contains(&&Scope::Each) || matches!(self.what, What::Sql(_))
    }
}

/// How a rule decides.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleKind {
    /// By the multi-window burn of an objective (`service/name`).
    Burn {
        /// Which.
        objective: String,
        /// Whose rows of the table decide.
        class: Class,
    },
    /// By comparing a value.
    Threshold {
        /// What is measured.
        selector: Box<Selector>,
        /// With what it is compared.
        spec: StepSpec,
        /// How missing data becomes a firing of its own.
        absent: Option<AbsentRule>,
    },
}

/// Missing data as a firing of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct AbsentRule {
    /// `NAME/absent`, in its own class.
    pub info: Arc<RuleInfo>,
    /// For how long.
    pub spec: StepSpec,
}

/// A rule that can be evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What is told about it.
    pub info: Arc<RuleInfo>,
    /// How it decides.
    pub kind: RuleKind,
}

/// The multiple of `step` nearest to a length; the larger one of two that are equally near.
fn nearest_steps(length: Span, step: Span) -> Span {
    let step = step.micros().max(1);
    let steps = length.micros().saturating_add(step / 2) / step;
    Span::from_micros(steps.saturating_mul(step))
}

impl Rule {
    /// The same rule, evaluated at another interval: for going through the past in larger steps.
    ///
    /// A hold becomes the nearest whole number of steps. Kept as it is, one of 15 seconds would ask for two bad minutes in a
    /// row: an outage that fired at work would not when its minutes are gone through.
    #[must_use]
    pub fn evaluated_every(&self, interval: Span) -> Self {
        let mut rule = self.clone();
        if let RuleKind::Threshold { spec, absent, .. } = &mut rule.kind {
            for spec in [Some(spec), absent.as_mut().map(|absent| &mut absent.spec)].into_iter().flatten() {
                spec.interval = interval;
                spec.hold = nearest_steps(spec.hold, interval);
            }
        }
        rule
    }

    /// Whether states of the other one still mean the same: only then do they survive a reload.
    pub fn continues(&self, other: &Self) -> bool {
        self.info.name == other.info.name
            && self.info.class == other.info.class
            && match (&self.kind, &other.kind) {
                (RuleKind::Burn { objective: a, .. }, RuleKind::Burn { objective: b, .. }) => a == b,
                (RuleKind::Threshold { selector: a, .. }, RuleKind::Threshold { selector: b, .. }) => a == b,
                (RuleKind::Burn { .. }, RuleKind::Threshold { .. })
                | (RuleKind::Threshold { .. }, RuleKind::Burn { .. }) => false,
            }
    }
}
