//! Who is told next when nobody acknowledges, and whose turn it is.
//!
//! Pure: the moment and the overrides are handed in.

mod ical;
mod rotation;

pub use ical::calendar;
pub use rotation::{Duty, Rotation, RotationError, RotationSpec};

use base::Span;
use schemars::JsonSchema;
use serde::Deserialize;

/// One step: after so long without an acknowledgement, tell these, too. Exactly one of the targets is set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepSpec {
    /// How long after the step before; the first one after the alert was told.
    pub after: Span,
    /// Whoever is on duty in this rotation.
    #[serde(default)]
    pub rotation: Option<String>,
    /// This person.
    #[serde(default)]
    pub person: Option<String>,
    /// This channel, by its name.
    #[serde(default)]
    pub output: Option<String>,
}

/// The steps of an escalation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EscalationSpec {
    /// In this order.
    pub steps: Vec<StepSpec>,
    /// How often all steps are taken once more when nobody answers; 0 to 10.
    pub repeat: u8,
}

/// Whom a step tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Whoever is on duty in this rotation.
    Rotation(String),
    /// This person.
    Person(String),
    /// This channel.
    Output(String),
}

/// Why an escalation cannot be used. The part behind the semicolon is the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EscalationError {
    /// None or several targets.
    #[error("step {0} of the escalation names {1} targets; write exactly one of rotation, person, output")]
    NotOne(usize, usize),
    /// Nobody can answer that fast, or the alert is over by then.
    #[error("step {0} of the escalation comes after {1}; write 1m to 1d")]
    After(usize, Span),
    /// It would go on for ever.
    #[error("`repeat` is {0}; write 0 to 10")]
    Repeat(u8),
}

/// An escalation that was checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Escalation {
    steps: Vec<(Span, Target)>,
    repeat: u8,
}

impl Escalation {
    /// Checks it.
    pub fn new(spec: &EscalationSpec) -> Result<Self, EscalationError> {
        if spec.repeat > 10 {
            return Err(EscalationError::Repeat(spec.repeat));
        }
        let steps = spec.steps.iter().enumerate().map(|(index, step)| check(index + 1, step));
        Ok(Self { steps: steps.collect::<Result<_, _>>()?, repeat: spec.repeat })
    }

    /// How long after an alert was told its first step is taken.
    pub fn first_after(&self) -> Option<Span> {
        self.steps.first().map(|(after, _)| *after)
    }

    /// The step to take after `taken` steps, and how long after it the next one is due. `None` when all were taken.
    pub fn step(&self, taken: i64) -> Option<(&Target, Option<Span>)> {
        let taken = usize::try_from(taken).ok()?;
        let all = self.steps.len() * (usize::from(self.repeat) + 1);
        if taken >= all {
            return None;
        }
        let (_, target) = &self.steps[taken % self.steps.len()];
        let next = (taken + 1 < all).then(|| self.steps[(taken + 1) % self.steps.len()].0);
        Some((target, next))
    }

    /// All targets, to check that they exist.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.steps.iter().map(|(_, target)| target)
    }
}

fn check(number: usize, step: &StepSpec) -> Result<(Span, Target), EscalationError> {
    let targets = [
        step.rotation.clone().map(Target::Rotation),
        step.person.clone().map(Target::Person),
        step.output.clone().map(Target::Output),
    ];
    let mut targets: Vec<Target> = targets.into_iter().flatten().collect();
    if !(Span::from_seconds(60)..=Span::from_seconds(86_400)).contains(&step.after) {
        return Err(EscalationError::After(number, step.after));
    }
    match (targets.pop(), targets.len()) {
        (Some(target), 0) => Ok((step.after, target)),
        (found, more) => Err(EscalationError::NotOne(number, more + usize::from(found.is_some()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(yaml: &str) -> Result<Escalation, EscalationError> {
        Escalation::new(&serde_saphyr::from_str(yaml).unwrap())
    }

    #[test]
    fn steps_are_taken_in_order_and_as_often_as_configured() {
        let yaml = "{steps: [{after: 10m, rotation: web}, {after: 20m, person: ann}], repeat: 1}";
        let escalation = spec(yaml).unwrap();
        let minutes = |span: Span| span.micros() / 60_000_000;
        assert_eq!(escalation.first_after().map(minutes), Some(10));
        let (web, ann) = (Target::Rotation("web".to_owned()), Target::Person("ann".to_owned()));
        for (taken, want) in [
            (0, Some((&web, Some(20)))),
            (1, Some((&ann, Some(10)))),
            (2, Some((&web, Some(20)))),
            (3, Some((&ann, None))),
            (4, None),
            (-1, None),
        ] {
            let step = escalation.step(taken).map(|(target, next)| (target, next.map(minutes)));
            assert_eq!(step, want, "{taken}");
        }
        assert_eq!(Escalation::default().step(0), None);
        assert_eq!(Escalation::default().first_after(), None);
    }

    #[test]
    fn a_step_that_cannot_be_is_refused_with_the_way_out() {
        for (yaml, want) in [
            ("{steps: [{after: 10m}]}", "step 1 of the escalation names 0 targets"),
            ("{steps: [{after: 10m, person: a, output: b}]}", "step 1 of the escalation names 2 targets"),
            ("{steps: [{after: 5s, person: a}]}", "step 1 of the escalation comes after 5s"),
            ("{steps: [{after: 2d, person: a}]}", "step 1 of the escalation comes after 2d"),
            ("{repeat: 11}", "`repeat` is 11"),
        ] {
            let error = spec(yaml).unwrap_err().to_string();
            assert!(error.starts_with(want) && error.contains("; write "), "{error}");
        }
    }
}
