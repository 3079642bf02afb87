//! A dead man's switch: a job that should say that it ran, and what follows when it does not.
//!
//! Lengths are measured by a clock that never jumps; the clock on the wall is for people. A jump of the wall clock by an
//! hour makes no job late and hides none. Pings that came while nobody listened are nobody's fault: what was due then is
//! not watched, rather than missing, until the job had its time once more.

use base::{Span, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

/// A moment by two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// By the clock on the wall.
    pub wall: Timestamp,
    /// Microseconds since the server started; never goes back.
    pub steady_us: i64,
}

/// Where a heartbeat stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeartbeatPhase {
    /// Nothing came yet, and the first is not overdue.
    Waiting,
    /// The last one came in time.
    Ok,
    /// Due, and the grace is not over.
    Late,
    /// The job said that it failed.
    Failed,
    /// Nothing came in time.
    Missing,
    /// It was due while the server was not running.
    NotWatched,
}

/// What a job says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobSays {
    /// It began.
    Started,
    /// It ended well.
    Done,
    /// It failed.
    Failed,
}

/// One heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    every_us: i64,
    grace_us: i64,
    started: Moment,
    /// When the job last ended, and whether well.
    last_end: Option<(Moment, bool)>,
    last_start: Option<Moment>,
}

impl Heartbeat {
    /// One that nothing was heard of, watched from `now` on.
    pub fn new(every: Span, grace: Span, now: Moment) -> Self {
        Self { every_us: every.micros(), grace_us: grace.micros(), started: now, last_end: None, last_start: None }
    }

    /// Takes what was heard before the server started. A time in the future is taken as now.
    pub fn remember(&mut self, says: JobSays, wall: Timestamp) {
        let ago = self.started.wall.micros().saturating_sub(wall.micros()).max(0);
        let then = Moment { wall, steady_us: self.started.steady_us.saturating_sub(ago) };
        let newer = |known: Option<Moment>| known.is_none_or(|known| known.steady_us <= then.steady_us);
        let known = match says {
            JobSays::Started => self.last_start,
            JobSays::Done | JobSays::Failed => self.last_end.map(|(at, _)| at),
        };
        if newer(known) {
            self.hear(says, then);
        }
    }

    /// Takes what a job says.
    pub fn hear(&mut self, says: JobSays, at: Moment) {
        match says {
            JobSays::Started => self.last_start = Some(at),
            JobSays::Done => self.last_end = Some((at, true)),
            JobSays::Failed => self.last_end = Some((at, false)),
        }
    }

    /// Where it stands. A job that failed and then does not come again is missing.
    pub fn phase(&self, steady_us: i64) -> HeartbeatPhase {
        let overdue = steady_us.saturating_sub(self.due_us());
        if overdue > self.grace_us {
            let due_again = self.started.steady_us.saturating_add(self.every_us).saturating_add(self.grace_us);
            return if steady_us <= due_again && self.last_end.is_some() {
                HeartbeatPhase::NotWatched
            } else {
                HeartbeatPhase::Missing
            };
        }
        match self.last_end {
            None => HeartbeatPhase::Waiting,
            Some((_, false)) => HeartbeatPhase::Failed,
            Some((_, true)) if overdue > 0 => HeartbeatPhase::Late,
            Some((_, true)) => HeartbeatPhase::Ok,
        }
    }

    fn due_us(&self) -> i64 {
        let from = self.last_end.map_or(self.started.steady_us, |(at, _)| at.steady_us);
        from.saturating_add(self.every_us)
    }

    /// The next moment, by the steady clock, at which the phase changes by itself.
    pub fn changes_at(&self, steady_us: i64) -> Option<i64> {
        let due = self.due_us();
        let missing = due.saturating_add(self.grace_us);
        let due_again = self.started.steady_us.saturating_add(self.every_us).saturating_add(self.grace_us);
        // The phase is that of *after* these moments.
        [due, missing, due_again].into_iter().map(|at| at.saturating_add(1)).filter(|at| *at > steady_us).min()
    }

    /// When it is due, for people.
    pub fn due(&self, now: Moment) -> Timestamp {
        now.wall.plus_micros(self.due_us().saturating_sub(now.steady_us))
    }

    /// When the job last said that it ended, well or not.
    pub fn last_end(&self) -> Option<Timestamp> {
        self.last_end.map(|(at, _)| at.wall)
    }

    /// When a run began that has not ended.
    pub fn running_since(&self) -> Option<Timestamp> {
        let start = self.last_start?;
        let ended = self.last_end.is_some_and(|(end, _)| end.steady_us >= start.steady_us);
        (!ended).then_some(start.wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use HeartbeatPhase::{Failed, Late, Missing, NotWatched, Ok, Waiting};
    use proptest::prelude::*;

    const SECOND: i64 = 1_000_000;
    const HOUR: i64 = 3600;

    fn at(seconds: i64) -> Moment {
        Moment { wall: Timestamp::from_seconds(1_790_000_000 + seconds), steady_us: seconds * SECOND }
    }

    /// Every hour, ten minutes of grace.
    fn hourly() -> Heartbeat {
        Heartbeat::new(Span::from_seconds(HOUR), Span::from_seconds(600), at(0))
    }

    #[test]
    fn a_job_is_late_then_missing() {
        let mut never = hourly();
        let mut ran = hourly();
        ran.hear(JobSays::Done, at(100));
        let mut failed = hourly();
        failed.hear(JobSays::Failed, at(100));
        for (case, heartbeat, seconds, want) in [
            ("new", &never, 0, Waiting),
            ("new, due", &never, HOUR, Waiting),
            ("new, in its grace", &never, HOUR + 600, Waiting),
            ("new, over", &never, HOUR + 601, Missing),
            ("ran", &ran, 100, Ok),
            ("exactly due", &ran, 100 + HOUR, Ok),
            ("a second late", &ran, 101 + HOUR, Late),
            ("last second of its grace", &ran, 700 + HOUR, Late),
            ("over", &ran, 701 + HOUR, Missing),
            ("failed", &failed, 100, Failed),
            ("failed, due again", &failed, 101 + HOUR, Failed),
            ("failed, then nothing", &failed, 701 + HOUR, Missing),
        ] {
            assert_eq!(heartbeat.phase(seconds * SECOND), want, "{case}");
        }
        never.hear(JobSays::Done, at(9 * HOUR));
        assert_eq!(never.phase(9 * HOUR * SECOND), Ok, "back again");
    }

    #[test]
    fn a_start_is_no_end() {
        let mut heartbeat = hourly();
        heartbeat.hear(JobSays::Done, at(0));
        heartbeat.hear(JobSays::Started, at(HOUR));
        assert_eq!(heartbeat.running_since(), Some(at(HOUR).wall));
        assert_eq!(heartbeat.phase((HOUR + 601) * SECOND), Missing, "it began and never ended");
        heartbeat.hear(JobSays::Done, at(HOUR + 700));
        assert_eq!(heartbeat.running_since(), None);
        assert_eq!(heartbeat.phase((HOUR + 700) * SECOND), Ok);
    }

    #[test]
    fn a_jump_of_the_wall_clock_changes_nothing() {
        for jump in [-86_400, -3600, 3600, 86_400] {
            let mut heartbeat = hourly();
            let mut heard = at(100);
            heard.wall = heard.wall.plus_seconds(jump);
            heartbeat.hear(JobSays::Done, heard);
            assert_eq!(heartbeat.phase(at(100 + HOUR).steady_us), Ok, "{jump}");
            assert_eq!(heartbeat.phase(at(701 + HOUR).steady_us), Missing, "{jump}");
            let now = Moment { wall: at(200).wall.plus_seconds(jump), steady_us: at(200).steady_us };
            assert_eq!(heartbeat.due(now), at(100 + HOUR).wall.plus_seconds(jump));
        }
    }

    #[test]
    fn what_was_due_while_nobody_listened_is_not_watched() {
        let mut heartbeat = hourly();
        heartbeat.remember(JobSays::Done, at(-2 * HOUR).wall);
        heartbeat.remember(JobSays::Failed, at(-3 * HOUR).wall);
        assert_eq!(heartbeat.phase(0), NotWatched);
        assert_eq!(heartbeat.phase((HOUR + 600) * SECOND), NotWatched);
        assert_eq!(heartbeat.phase((HOUR + 601) * SECOND), Missing);
        let mut in_time = hourly();
        in_time.remember(JobSays::Done, at(-1800).wall);
        assert_eq!(in_time.phase(0), Ok);
        assert_eq!(in_time.phase(1801 * SECOND), Late);
        assert_eq!(in_time.phase(2401 * SECOND), NotWatched, "half of its time nobody listened");
        let mut from_the_future = hourly();
        from_the_future.remember(JobSays::Done, at(HOUR).wall);
        assert_eq!(from_the_future.phase((HOUR + 601) * SECOND), Missing, "a clock that was wrong gives no time");
    }

    proptest! {
        #[test]
        fn the_phase_changes_only_when_it_says_or_when_something_is_heard(
            end in 0i64..10_000, good: bool, from in 0i64..20_000, step in 0i64..20_000,
        ) {
            let mut heartbeat = hourly();
            if end > 0 {
                heartbeat.hear(if good { JobSays::Done } else { JobSays::Failed }, at(end));
            }
            let from = (from + end) * SECOND;
            let until = from + step * SECOND;
            let changes = heartbeat.changes_at(from);
            if changes.is_none_or(|at| until < at) {
                prop_assert_eq!(heartbeat.phase(from), heartbeat.phase(until));
            }
            if let Some(at) = changes {
                prop_assert!(at > from);
            }
        }

        #[test]
        fn silence_always_ends_in_missing(every in 1i64..100_000, grace in 0i64..100_000, before in -200_000i64..0, heard: bool) {
            let mut heartbeat = Heartbeat::new(Span::from_seconds(every), Span::from_seconds(grace), at(0));
            if heard {
                heartbeat.remember(JobSays::Done, at(before).wall);
            }
            prop_assert_eq!(heartbeat.phase((every + grace) * SECOND + 1), Missing);
        }
    }
}
