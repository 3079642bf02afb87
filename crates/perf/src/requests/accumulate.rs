//! Sums per route.

use super::exact::ExactDurations;
use base::Timestamp;
use signal::route::{OverLimit, RouteId, RouteNormaliser, RouteTable};
use signal::{AccessRecord, LatencySketch};

/// What is counted for one route.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    pub(super) count: u64,
    pub(super) errors: u64,
    pub(super) timed: u64,
    pub(super) total_us: u64,
    pub(super) sketch: LatencySketch,
    pub(super) exact: ExactDurations,
}

#[derive(Debug)]
pub(super) struct Accumulator {
    routes: RouteTable,
    sums: Vec<Sums>,
    /// Different durations that may be kept before exactness is given up; 0 when it was not asked for.
    exact_room: usize,
    exact: bool,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

/// About 128 MiB; a log in milliseconds never gets there.
const EXACT_ROOM: usize = 4 << 20;

impl Accumulator {
    pub(super) fn new(normaliser: RouteNormaliser, exact: bool) -> Self {
        let routes = RouteTable::new(normaliser);
        Self { routes, sums: Vec::new(), exact_room: EXACT_ROOM, exact, first: None, last: None }
    }

    pub(super) fn add(&mut self, record: &AccessRecord<'_>) {
        let id = self.routes.route(&record.method, &record.target);
        if id.index() >= self.sums.len() {
            self.sums.resize_with(id.index() + 1, Sums::default);
        }
        let sums = &mut self.sums[id.index()];
        sums.count += 1;
        sums.errors += u64::from(record.status >= 500);
        if let Some(us) = record.duration_us {
            sums.timed += 1;
            sums.total_us = sums.total_us.saturating_add(us);
            sums.sketch.add(us);
            if self.exact {
                self.exact_room -= usize::from(sums.exact.add(us));
                if self.exact_room == 0 {
                    self.give_up_exactness();
                }
            }
        }
        self.first = Some(self.first.map_or(record.ts, |first| first.min(record.ts)));
        self.last = Some(self.last.map_or(record.ts, |last| last.max(record.ts)));
    }

    fn give_up_exactness(&mut self) {
        self.exact = false;
        for sums in &mut self.sums {
            sums.exact = ExactDurations::default();
        }
    }

    /// Whether every duration is kept.
    pub(super) fn is_exact(&self) -> bool {
        self.exact
    }

    /// First and last time of a request.
    pub(super) fn span(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.first, self.last)
    }

    /// Routes that were called, with their sums.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&str, &Sums)> {
        self.routes.names().zip(&self.sums).filter(|(_, sums)| sums.count > 0)
    }

    pub(super) fn named_routes(&self) -> usize {
        self.routes.len()
    }

    pub(super) fn route_limit(&self) -> usize {
        self.routes.limit()
    }

    pub(super) fn over_limit(&self) -> Option<OverLimit> {
        self.routes.over_limit()
    }

    pub(super) fn other_requests(&self) -> u64 {
        self.sums.get(RouteId::OTHER.index()).map_or(0, |sums| sums.count)
    }
}
