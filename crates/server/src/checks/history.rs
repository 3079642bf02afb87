//! What is remembered of one check: where it stands, its last results, its minutes. Bounded, whatever it does.

use super::{Moment, PlaceView};
use base::{Span, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use watch::check::{Check, Heartbeat, HeartbeatPhase, Minutes, Probe, RunResult, Status};

/// Results that are remembered in short.
pub const BRIEFS: usize = 100;

/// One result in short.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Brief {
    /// When it began.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// Where the check stood after it: `ok`, `failed`, `unknown`, `late`.
    #[schema(value_type = String)]
    pub status: Status,
    /// All steps together.
    pub total_ms: Option<f64>,
}

/// What was found in one place.
#[derive(Debug)]
struct Place {
    status: Status,
    last: Arc<RunResult>,
    /// When it came, by the steady clock of this machine.
    heard_us: i64,
}

/// One check's memory.
#[derive(Debug)]
pub struct History {
    /// Where it stands, all places together.
    pub status: Status,
    /// Since when.
    pub since: Option<Timestamp>,
    /// The last results, oldest first.
    pub briefs: VecDeque<Brief>,
    /// The last results with every step, oldest first.
    pub details: VecDeque<Arc<RunResult>>,
    /// The last result that was not good, however long ago.
    pub last_bad: Option<Arc<RunResult>>,
    /// When it was last good.
    pub last_ok: Option<Timestamp>,
    /// The last day.
    pub minutes: Minutes,
    /// Where it stands in each place.
    places: BTreeMap<String, Place>,
    /// Since when results are awaited, by the steady clock.
    began_us: i64,
    /// For a heartbeat.
    pub heartbeat: Option<Heartbeat>,
    /// The phase that was last told.
    pub phase: Option<HeartbeatPhase>,
}

impl History {
    /// Of a check that nothing is known of.
    pub fn new(check: &Check, now: Moment) -> Self {
        let heartbeat = match &check.probe {
            Probe::Heartbeat { grace, .. } => Some(Heartbeat::new(check.every, *grace, now)),
            _ => None,
        };
        Self {
            status: Status::Pending,
            since: None,
            briefs: VecDeque::new(),
            details: VecDeque::new(),
            last_bad: None,
            last_ok: None,
            minutes: Minutes::default(),
            places: BTreeMap::new(),
            began_us: now.steady_us,
            heartbeat,
            phase: None,
        }
    }

    /// Takes a result, after which the check stands at `status` in its place until the next one is due.
    pub fn take(&mut self, result: &Arc<RunResult>, status: Status, every: Span, keep_details: usize, now: Moment) {
        let (good, valid) = result.counts();
        self.minutes.note(result.at, status, good, valid, every);
        // An agent sends late what it found while the server was away: it counts, but says nothing of now.
        if self.places.get(&result.from).is_some_and(|place| place.last.at > result.at) {
            return;
        }
        let place = Place { status, last: Arc::clone(result), heard_us: now.steady_us };
        self.places.insert(result.from.clone(), place);
        let together = self.together();
        if self.status != together {
            self.status = together;
            self.since = Some(result.at);
        }
        match status {
            Status::Ok => self.last_ok = Some(result.at),
            Status::Failed | Status::Unknown => self.last_bad = Some(Arc::clone(result)),
            Status::Late | Status::Pending => {}
        }
        let total_ms = result.total_us().map(|us| us as f64 / 1000.0);
        insert(&mut self.briefs, Brief { at: result.at, status, total_ms }, BRIEFS, |brief| brief.at);
        insert(&mut self.details, Arc::clone(result), keep_details, |result| result.at);
    }

    /// Of several places one that failed counts; that one of them knows nothing hides nothing.
    fn together(&self) -> Status {
        let order = [Status::Failed, Status::Late, Status::Ok, Status::Unknown];
        let is_there = |status: &Status| self.places.values().any(|place| place.status == *status);
        order.into_iter().find(is_there).unwrap_or(Status::Pending)
    }

    /// The result that says why the check stands where it stands: the latest of those that say so.
    pub fn telling(&self) -> Option<&Arc<RunResult>> {
        let saying = self.places.values().filter(|place| place.status == self.status);
        saying.map(|place| &place.last).max_by_key(|result| result.at)
    }

    /// Since when a place has sent nothing, by the steady clock.
    pub fn silent_since(&self, place: &str) -> i64 {
        self.places.get(place).map_or(self.began_us, |place| place.heard_us)
    }

    /// Where the check stands in each of these places.
    pub fn places_of(&self, from: &[String]) -> Vec<PlaceView> {
        let view = |from: &String| {
            let place = self.places.get(from);
            PlaceView {
                from: from.clone(),
                status: place.map_or(Status::Pending, |place| place.status),
                last_at: place.map(|place| place.last.at),
                total_ms: place.and_then(|place| place.last.total_us()).map(|us| us as f64 / 1000.0),
                why: place.and_then(|place| place.last.why().cloned()),
            }
        };
        from.iter().map(view).collect()
    }
}

/// Puts a value where it belongs by time: results of agents come some seconds late.
fn insert<T>(into: &mut VecDeque<T>, value: T, keep: usize, at: impl Fn(&T) -> Timestamp) {
    while into.len() >= keep.max(1) {
        into.pop_front();
    }
    let later = into.iter().rev().take_while(|known| at(known) > at(&value)).count();
    into.insert(into.len() - later, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use watch::check::{Outcome, Why, WhyCode};

    fn result(from: &str, at_s: i64, is_good: bool) -> Arc<RunResult> {
        let why = Why::new(WhyCode::Connect, "a connection", "nothing");
        let outcome = if is_good { Outcome::Ok } else { Outcome::Failed { step: 0, why } };
        let at = Timestamp::from_seconds(at_s);
        Arc::new(RunResult { at, from: from.to_owned(), attempts: 1, outcome, steps: Vec::new() })
    }

    #[test]
    fn of_several_places_one_that_failed_counts_and_one_that_knows_nothing_hides_nothing() {
        let check: Check = serde_json::from_value(json!({"tcp": "a.example:1", "from": ["server", "tokyo"]})).unwrap();
        let now = |seconds: i64| Moment { wall: Timestamp::from_seconds(seconds), steady_us: seconds * 1_000_000 };
        let mut history = History::new(&check, now(0));
        let take = |history: &mut History, from: &str, at_s: i64, is_good: bool| {
            let result = result(from, at_s, is_good);
            history.take(&result, result.status(), check.every, 5, now(at_s));
        };
        assert_eq!(history.status, Status::Pending);
        take(&mut history, "server", 10, true);
        take(&mut history, "tokyo", 20, false);
        take(&mut history, "server", 70, true);
        assert_eq!((history.status, history.since), (Status::Failed, Some(Timestamp::from_seconds(20))));
        assert_eq!(history.telling().unwrap().from, "tokyo", "the good result of another place explains nothing");
        let places = history.places_of(&check.from);
        assert_eq!(places.iter().map(|place| place.status).collect::<Vec<_>>(), [Status::Ok, Status::Failed]);

        // What it found earlier comes late: it counts for its minute, and changes nothing of now.
        take(&mut history, "tokyo", 80, true);
        take(&mut history, "tokyo", 30, false);
        assert_eq!((history.status, history.since), (Status::Ok, Some(Timestamp::from_seconds(80))));

        let unknown = result("tokyo", 140, false);
        history.take(&unknown, Status::Unknown, check.every, 5, now(140));
        assert_eq!(history.status, Status::Ok, "the server still reaches it");
        history.take(&result("server", 150, false), Status::Unknown, check.every, 5, now(150));
        assert_eq!(history.status, Status::Unknown);
        assert_eq!((history.silent_since("tokyo"), history.silent_since("osaka")), (140_000_000, 0));
        take(&mut history, "osaka", 145, true);
        let times: Vec<i64> = history.briefs.iter().map(|brief| brief.at.micros() / 1_000_000).collect();
        assert_eq!(times, [10, 20, 70, 80, 140, 145, 150], "in the order of time, though one came late");
    }
}
