//! What an outcome says about the rule: whether somebody had to act.
//!
//! Pure. The words themselves are the store's ([`store::Outcome`]).

use base::{Span, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Firing, FiringClass, Outcome};

/// An alert that ended sooner than this, and that nobody touched, was none.
pub const FLAP_BELOW: Span = Span::from_seconds(300);

/// What a firing says about its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// Somebody had to act.
    Actionable,
    /// Nobody had to, or nobody could.
    NotActionable,
    /// Nobody said so far.
    Open,
}

/// What a measure needs to know of a firing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// When a person took it.
    pub acknowledged: Option<Timestamp>,
    /// What came of it.
    pub outcome: Option<Outcome>,
    /// Whether somebody was told.
    pub told: bool,
    /// Whether it was an alert then.
    pub alert: bool,
}

impl From<&Firing> for Case {
    fn from(firing: &Firing) -> Self {
        Self {
            began: firing.started_at,
            ended: firing.resolved_at,
            acknowledged: firing.acknowledged_at,
            outcome: firing.outcome,
            told: firing.told,
            alert: firing.class == FiringClass::Alert,
        }
    }
}

impl Case {
    /// Whether it ended within five minutes without anybody's doing.
    pub fn is_flap(&self) -> bool {
        let touched = self.acknowledged.is_some() || matches!(self.outcome, Some(Outcome::Acted | Outcome::Healed));
        let short = |ended: Timestamp| ended.micros() - self.began.micros() < FLAP_BELOW.micros();
        self.ended.is_some_and(short) && !touched
    }

    /// What it says about its rule. A healed one needed no person; a duplicate woke one for nothing. A flap that nobody
    /// said anything about counts as not actionable: by the time anybody could look it was over.
    pub fn judgement(&self) -> Judgement {
        match self.outcome {
            Some(Outcome::Acted) => Judgement::Actionable,
            Some(Outcome::Healed | Outcome::ResolvedByItself | Outcome::Duplicate | Outcome::NoActionNeeded) => {
                Judgement::NotActionable
            }
            None if self.is_flap() => Judgement::NotActionable,
            None => Judgement::Open,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn case(minutes: Option<i64>, acknowledged: Option<i64>, outcome: Option<Outcome>) -> Case {
        let began = Timestamp::from_seconds(1_000_000);
        Case {
            began,
            ended: minutes.map(|minutes| began.plus_seconds(minutes * 60)),
            acknowledged: acknowledged.map(|minutes| began.plus_seconds(minutes * 60)),
            outcome,
            told: true,
            alert: true,
        }
    }

    #[test]
    fn an_outcome_says_whether_somebody_had_to_act() {
        use Judgement::{Actionable, NotActionable, Open};
        use Outcome::{Acted, Duplicate, Healed, NoActionNeeded, ResolvedByItself};
        for (what, case, flap, want) in [
            ("acted", case(Some(30), Some(2), Some(Acted)), false, Actionable),
            ("acted within five minutes", case(Some(4), None, Some(Acted)), false, Actionable),
            ("healed", case(Some(1), None, Some(Healed)), false, NotActionable),
            ("a duplicate", case(Some(30), None, Some(Duplicate)), false, NotActionable),
            ("nothing to do", case(Some(30), Some(1), Some(NoActionNeeded)), false, NotActionable),
            ("by itself", case(Some(2), None, Some(ResolvedByItself)), true, NotActionable),
            ("a flap without a word", case(Some(4), None, None), true, NotActionable),
            ("five minutes are none", case(Some(5), None, None), false, Open),
            ("somebody took it", case(Some(4), Some(1), None), false, Open),
            ("still fires", case(None, None, None), false, Open),
        ] {
            assert_eq!((case.is_flap(), case.judgement()), (flap, want), "{what}");
        }
    }
}
