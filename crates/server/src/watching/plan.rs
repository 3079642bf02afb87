//! What is configured to be watched, and who is told.

use base::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use watch::actionability::{PageBudget, WorkingHours};
use watch::channel::Channel;
use watch::detects::Detects;
use watch::escalation::{Escalation, Rotation};
use watch::objective::Objective;
use watch::routing::Lists;
use watch::rule::{Rule, RuleKind, Selector, What};
use watch::signals::Signal;
use watch::texts::Language;

/// What is configured to be watched, and who is told.
#[derive(Debug, Default)]
pub struct Plan {
    /// Rules.
    pub rules: Vec<Arc<Rule>>,
    /// Objectives.
    pub objectives: Vec<Arc<Objective>>,
    /// Where each class goes.
    pub lists: Lists,
    /// Channels by name.
    pub channels: BTreeMap<String, Channel>,
    /// What happens when nobody acknowledges.
    pub escalation: Escalation,
    /// Who is on duty.
    pub rotations: BTreeMap<String, Rotation>,
    /// Channel of each person.
    pub people: BTreeMap<String, String>,
    /// How often another service hears that all is well, over the channel [`super::HEARTBEAT_CHANNEL`].
    pub heartbeat_every: Option<Span>,
    /// When people work.
    pub working_hours: WorkingHours,
    /// Alerts that a person may get.
    pub page_budget: PageBudget,
    /// Address of the pages in messages, without a slash at its end.
    pub base_url: String,
    /// Language of messages.
    pub language: Language,
    /// What the rules ask for.
    pub selectors: BTreeSet<Selector>,
    /// Commands whose processes any rule is about.
    pub commands: BTreeSet<String>,
}

/// Reads the configuration again: a plan, or why there is none.
pub type Reloaded = Result<Plan, String>;

impl Plan {
    /// With what its rules ask for.
    #[must_use]
    pub fn ready(mut self) -> Self {
        let is_own =
            |selector: &&Selector| !matches!(selector.what, What::Signal(Signal::BudgetLeft | Signal::BudgetBurn));
        self.selectors = self.rules.iter().filter_map(selector_of).filter(is_own).cloned().collect();
        let of_processes =
            |selector: &Selector| matches!(selector.what, What::Signal(Signal::ProcessCount | Signal::ProcessRestarts));
        let asked = self.selectors.iter().filter(|selector| of_processes(selector));
        self.commands = asked.filter_map(|selector| selector.process.clone()).collect();
        self
    }

    /// The channel of a person.
    pub fn channel_of_person(&self, person: &str) -> Option<String> {
        self.people.get(person).cloned()
    }

    /// What a firing's rule detects, in parts, if it still detects what the firing says: `condition` is its sentence then.
    pub fn detects(&self, rule: &str, condition: &str) -> Option<&Detects> {
        let found = self.rule(rule.strip_suffix("/absent").unwrap_or(rule))?;
        let absent = match &found.kind {
            RuleKind::Threshold { absent, .. } => absent.as_ref().map(|absent| &absent.info),
            RuleKind::Burn { .. } => None,
        };
        let info = [Some(&found.info), absent].into_iter().flatten().find(|info| info.name == rule)?;
        info.detects.as_ref().filter(|_| info.condition == condition)
    }

    /// The rule of this name.
    pub fn rule(&self, name: &str) -> Option<&Arc<Rule>> {
        self.rules.iter().find(|rule| rule.info.name == name)
    }
}

/// What a threshold rule asks for.
fn selector_of(rule: &Arc<Rule>) -> Option<&Selector> {
    match &rule.kind {
        RuleKind::Threshold { selector, .. } => Some(selector),
        RuleKind::Burn { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use watch::compile::{Declared, compile};
    use watch::spec::RuleSpec;

    fn plan(above: &str) -> Plan {
        let rule = serde_json::json!({
            "name": "disk", "signal": "saturation.disk", "above": above, "class": "record", "absent": "record",
        });
        let rules: Vec<RuleSpec> = vec![serde_json::from_value(rule).unwrap()];
        let declared = Declared {
            services: BTreeMap::new(),
            checks: BTreeSet::new(),
            runbooks: None,
            time_zone: "UTC",
            interval: Span::from_seconds(15),
        };
        let compiled = compile(&declared, &rules);
        assert!(compiled.is_usable(), "{:?}", compiled.problems);
        Plan { rules: compiled.rules, ..Plan::default() }.ready()
    }

    #[test]
    fn a_firing_is_told_in_parts_as_long_as_its_rule_says_the_same() {
        let fired = "saturation.disk above 90%";
        let missing = "no data: saturation.disk for 5m";
        for (case, above, rule, condition, want) in [
            ("the rule as it was", "90%", "disk", fired, true),
            ("another limit by now", "95%", "disk", fired, false),
            ("its data are missing", "90%", "disk/absent", missing, true),
            ("not what fired", "90%", "disk/absent", fired, false),
            ("no more", "90%", "memory", fired, false),
        ] {
            let plan = plan(above);
            let found = plan.detects(rule, condition);
            assert_eq!(found.map(ToString::to_string), want.then(|| condition.to_owned()), "{case}");
        }
    }
}
