//! The counts of all objectives, shared between who counts (intake) and who decides (the engine).

use crate::condition::{Condition, Request};
use crate::counts::{Added, Counts, SavedCounts, Sum, Tally};
use crate::objective::{Judgement, Objective, Standing, Subject, standing};
use base::{Span, TimeRange, Timestamp};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// One objective and its counts.
#[derive(Debug)]
struct Tracked {
    objective: Arc<Objective>,
    counts: Mutex<Counts>,
}

/// Every objective with its counts. Locks are held for one objective at a time, and briefly.
#[derive(Debug, Default)]
pub struct Budgets {
    tracked: Vec<Tracked>,
    by_service: HashMap<String, Vec<usize>>,
    by_check: HashMap<String, Vec<usize>>,
}

/// What could not be counted, for whoever has to say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// Before everything that is kept.
    pub too_old: u64,
    /// Further ahead of our clock than can be believed.
    pub ahead: u64,
}

impl Budgets {
    /// Empty counts at a moment.
    pub fn new(objectives: &[Arc<Objective>], now: Timestamp) -> Self {
        let mut budgets = Self::default();
        for objective in objectives {
            let at = budgets.tracked.len();
            let counts = Mutex::new(Counts::new(objective.window.longest(), now));
            budgets.tracked.push(Tracked { objective: Arc::clone(objective), counts });
            match &objective.subject {
                Subject::Requests { .. } => budgets.by_service.entry(objective.service.clone()).or_default().push(at),
                Subject::Check(check) => budgets.by_check.entry(check.clone()).or_default().push(at),
            }
        }
        budgets
    }

    /// The objectives, in the order of configuration.
    pub fn objectives(&self) -> impl Iterator<Item = &Arc<Objective>> {
        self.tracked.iter().map(|tracked| &tracked.objective)
    }

    /// Whether requests of a service are counted at all.
    pub fn wants(&self, service: &str) -> bool {
        self.by_service.contains_key(service)
    }

    /// Whether a condition over the requests of a service asks for more than its columns: the user agent, or a named field.
    pub fn wants_fields(&self, service: &str) -> bool {
        let asks = |condition: &Condition| ["attrs", "user_agent"].iter().any(|name| condition.text().contains(name));
        let of_service = self.by_service.get(service).into_iter().flatten();
        of_service.map(|&at| &self.tracked[at].objective.subject).any(|subject| match subject {
            Subject::Requests { good, valid } => asks(good) || valid.as_ref().is_some_and(asks),
            Subject::Check(_) => false,
        })
    }

    /// Counts requests of one service, in any order; late ones too.
    pub fn count(&self, service: &str, requests: &[(Timestamp, Request<'_>)]) -> LeftOut {
        let mut left_out = LeftOut::default();
        for &at in self.by_service.get(service).into_iter().flatten() {
            let tracked = &self.tracked[at];
            // Added up by minute first: the lock is taken once, and a batch holds few minutes.
            let mut minutes: BTreeMap<Timestamp, Tally> = BTreeMap::new();
            for (ts, request) in requests {
                let Some(tally) = tracked.objective.judge(request).tally() else { continue };
                let sum = minutes.entry(ts.minute()).or_default();
                sum.good += tally.good;
                sum.valid += tally.valid;
                sum.unknown += tally.unknown;
            }
            let mut counts = tracked.counts.lock();
            for (minute, tally) in minutes {
                left_out.book(counts.add(minute, tally), tally);
            }
        }
        left_out
    }

    /// Counts one run of a check. Until the next one is due, `every` later, this one is what is known: the time between
    /// them was seen.
    pub fn count_check(&self, check: &str, at: Timestamp, is_good: bool, every: Span) -> LeftOut {
        let mut left_out = LeftOut::default();
        let judged = if is_good { Judgement::Good } else { Judgement::Bad };
        for &index in self.by_check.get(check).into_iter().flatten() {
            let Some(tally) = judged.tally() else { continue };
            let mut counts = self.tracked[index].counts.lock();
            let added = counts.add(at, tally);
            if added == Added::Counted {
                counts.see_ahead(TimeRange { from: at, to: at.plus_micros(every.micros()) });
            }
            left_out.book(added, tally);
        }
        left_out
    }

    /// Adds counts of the past, for example those of [`Objective::count_sql`] by minute.
    pub fn load(&self, key: &str, rows: impl IntoIterator<Item = (Timestamp, Tally)>) -> LeftOut {
        let mut left_out = LeftOut::default();
        if let Some(tracked) = self.find(key) {
            let mut counts = tracked.counts.lock();
            for (at, tally) in rows {
                left_out.book(counts.add(at, tally), tally);
            }
        }
        left_out
    }

    /// Says that a range of the past was looked at for an objective.
    pub fn see(&self, key: &str, range: TimeRange) {
        if let Some(tracked) = self.find(key) {
            tracked.counts.lock().see(range);
        }
    }

    /// The same for a run of a check, which stands until the next one is due.
    pub fn see_ahead(&self, key: &str, range: TimeRange) {
        if let Some(tracked) = self.find(key) {
            tracked.counts.lock().see_ahead(range);
        }
    }

    /// Says that a service was watched during a range.
    pub(crate) fn see_service(&self, service: &str, range: TimeRange) {
        for &at in self.by_service.get(service).into_iter().flatten() {
            self.tracked[at].counts.lock().see(range);
        }
    }

    pub(crate) fn services(&self) -> impl Iterator<Item = &str> {
        self.by_service.keys().map(String::as_str)
    }

    /// Tells every count what the time is.
    pub(crate) fn set_now(&self, now: Timestamp) {
        for tracked in &self.tracked {
            tracked.counts.lock().set_now(now);
        }
    }

    /// Where an objective (`service/name`) stands.
    pub fn standing(&self, key: &str, now: Timestamp) -> Option<Standing> {
        let tracked = self.find(key)?;
        Some(standing(&tracked.objective, &tracked.counts.lock(), now))
    }

    /// The sum of an objective over a range.
    pub fn sum(&self, key: &str, range: TimeRange) -> Option<Sum> {
        Some(self.find(key)?.counts.lock().sum(range))
    }

    /// The sum of an objective over steps of a range, for a chart of its budget over time; at most 10,000 steps.
    pub fn steps(&self, key: &str, range: TimeRange, step: Span) -> Option<Vec<(Timestamp, Sum)>> {
        let counts = self.find(key)?.counts.lock();
        let step_us = step.micros().max(60_000_000);
        let mut at = range.from.floor(step_us);
        let mut out = Vec::new();
        while at < range.to && out.len() < 10_000 {
            let next = at.plus_micros(step_us);
            out.push((at, counts.sum(TimeRange { from: at, to: next })));
            at = next;
        }
        Some(out)
    }

    /// Works on an objective and its counts.
    pub fn with<T>(&self, key: &str, work: impl FnOnce(&Objective, &Counts) -> T) -> Option<T> {
        let tracked = self.find(key)?;
        Some(work(&tracked.objective, &tracked.counts.lock()))
    }

    /// Takes over what another one counted for objectives that judge the same. The keys of the others, whose past has to
    /// be loaded, are given back.
    pub fn adopt(&self, old: &Self) -> Vec<String> {
        let mut fresh = Vec::new();
        for tracked in &self.tracked {
            let key = tracked.objective.key();
            let same = old.find(&key).filter(|old| {
                let (new, old) = (&tracked.objective, &old.objective);
                new.subject == old.subject && new.route == old.route && new.window.longest() <= old.window.longest()
            });
            match same {
                Some(old) => tracked.counts.lock().restore(&old.counts.lock().save()),
                None => fresh.push(key),
            }
        }
        fresh
    }

    /// All counts, to be kept across a restart.
    pub fn save(&self) -> BTreeMap<String, SavedCounts> {
        self.tracked.iter().map(|tracked| (tracked.objective.key(), tracked.counts.lock().save())).collect()
    }

    /// Takes back what [`Budgets::save`] gave, before anything else is counted.
    pub fn restore(&self, saved: &BTreeMap<String, SavedCounts>) {
        for (key, counts) in saved {
            if let Some(tracked) = self.find(key) {
                tracked.counts.lock().restore(counts);
            }
        }
    }

    /// Memory of all counts in bytes; fixed once made.
    pub fn heap_bytes(&self) -> usize {
        self.tracked.iter().map(|tracked| tracked.counts.lock().heap_bytes()).sum()
    }

    fn find(&self, key: &str) -> Option<&Tracked> {
        let (service, name) = key.split_once('/')?;
        self.tracked.iter().find(|tracked| tracked.objective.service == service && tracked.objective.name == name)
    }
}

impl LeftOut {
    fn book(&mut self, added: Added, tally: Tally) {
        let events = tally.valid + tally.unknown;
        match added {
            Added::Counted => {}
            Added::TooOld => self.too_old += events,
            Added::Ahead => self.ahead += events,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{Declared, DeclaredService, INTERVAL, compile};
    use crate::spec::ObjectiveSpec;

    const NOW: Timestamp = Timestamp::from_seconds(1_782_000_000);

    fn budgets(yaml: &str) -> Budgets {
        let objectives: Vec<ObjectiveSpec> = serde_saphyr::from_str(yaml).unwrap();
        let declared = Declared {
            services: [("shop", DeclaredService { owner: None, objectives: &objectives })].into(),
            checks: ["buy"].into(),
            runbooks: None,
            time_zone: "UTC",
            interval: INTERVAL,
        };
        let compiled = compile(&declared, &[]);
        assert!(compiled.is_usable(), "{:?}", compiled.problems);
        Budgets::new(&compiled.objectives, NOW)
    }

    const THREE: &str = "[{name: available, good: \"status < 500\", target: 99.9},
        {name: fast, good: \"duration_ms < 300\", valid: \"status < 500\", target: 99}, {name: buying, check: buy, target: 99}]";

    fn last_hour(budgets: &Budgets, key: &str) -> Tally {
        budgets.sum(key, TimeRange { from: NOW.plus_seconds(-3600), to: NOW }).unwrap().tally
    }

    #[test]
    fn each_objective_counts_its_own_and_what_is_left_out_is_said() {
        let budgets = budgets(THREE);
        let request = |status, duration_us| Request { status, duration_us, service: "shop", ..Request::default() };
        let left_out = budgets.count(
            "shop",
            &[
                (NOW.plus_seconds(-61), request(200, Some(100_000))),
                (NOW.plus_seconds(-1), request(200, Some(900_000))),
                (NOW.plus_seconds(-1), request(200, None)),
                (NOW.plus_seconds(-1), request(500, None)),
                (NOW.plus_seconds(3600), request(200, None)),
                (NOW.plus_seconds(-60 * 86_400), request(500, None)),
            ],
        );
        // Two objectives over six requests; the old 500 is not valid for one of them.
        assert_eq!(left_out, LeftOut { too_old: 1, ahead: 2 });
        assert_eq!(last_hour(&budgets, "shop/available"), Tally { good: 3, valid: 4, unknown: 0 });
        assert_eq!(last_hour(&budgets, "shop/fast"), Tally { good: 1, valid: 2, unknown: 1 });
        let every = Span::from_seconds(600);
        budgets.count_check("buy", NOW.plus_seconds(-1230), true, every);
        budgets.count_check("buy", NOW.plus_seconds(-620), false, every);
        assert_eq!(last_hour(&budgets, "shop/buying"), Tally { good: 1, valid: 2, unknown: 0 });
        let hour = TimeRange { from: NOW.plus_seconds(-3600), to: NOW };
        let seen = budgets.sum("shop/buying", hour).unwrap().seen;
        assert_eq!(seen, 20, "a run every ten minutes leaves no gap, and says nothing of the time before the first");
        budgets.count_check("buy", NOW, true, Span::from_seconds(3600));
        budgets.set_now(NOW.plus_seconds(3600));
        let next = TimeRange { from: NOW, to: NOW.plus_seconds(3600) };
        assert_eq!(budgets.sum("shop/buying", next).unwrap().seen, 60, "an hour stands for the hour");
        assert!(budgets.wants("shop") && !budgets.wants("blog"));
        let steps = budgets.steps(
            "shop/available",
            TimeRange { from: NOW.plus_seconds(-120), to: NOW },
            Span::from_seconds(60),
        );
        let valid: Vec<u64> = steps.unwrap().iter().map(|(_, sum)| sum.tally.valid).collect();
        assert_eq!(valid, [1, 3]);
    }

    #[test]
    fn a_reload_takes_over_the_counts_of_what_judges_the_same() {
        let old = budgets(THREE);
        for key in ["shop/available", "shop/fast", "shop/buying"] {
            old.load(key, [(NOW.plus_seconds(-60), Tally { good: 8, valid: 9, unknown: 0 })]);
        }
        // Another target is the same judgement; another condition or a longer window is not.
        let new = budgets(
            "[{name: available, good: \"status < 500\", target: 99}, {name: fast, good: \"duration_ms < 200\", target: 99},
              {name: buying, check: buy, target: 99, window: 90d}, {name: new, good: \"true\", target: 99}]",
        );
        assert_eq!(new.adopt(&old), ["shop/fast", "shop/buying", "shop/new"]);
        assert_eq!(last_hour(&new, "shop/available").valid, 9);
        assert_eq!(last_hour(&new, "shop/fast").valid, 0);
        let again = budgets(THREE);
        again.restore(&old.save());
        assert_eq!(last_hour(&again, "shop/buying"), Tally { good: 8, valid: 9, unknown: 0 });
    }
}
