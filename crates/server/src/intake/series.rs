//! Which series of measured values are known: bounded for each service and together, so that one sender whose labels
//! hold ids can't fill memory, disk and charts of all.

use base::{ServiceName, Timestamp};
use foldhash::{HashMap, HashSet};
use parking_lot::Mutex;

/// Series of one service.
pub const MAX_OF_SERVICE: usize = 50_000;
/// Series of all services together.
pub const MAX_SERIES: usize = 400_000;

/// Series that were seen since the start.
#[derive(Debug, Default)]
pub struct SeriesBook {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    by_service: HashMap<ServiceName, Known>,
    total: usize,
}

#[derive(Debug, Default)]
struct Known {
    series: HashSet<i64>,
    refused: u64,
    since: Option<Timestamp>,
}

/// A service whose samples of new series are refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesOver {
    /// Which.
    pub service: ServiceName,
    /// The limit that it met: its own, or that of all services together.
    pub limit: usize,
    /// Samples that were refused.
    pub refused: u64,
    /// When the first one was.
    pub since: Timestamp,
}

impl SeriesBook {
    /// Why a sample of an unknown series is refused.
    pub const REASON: &'static str = "too_many_series";

    /// Whether a sample of this series may be stored.
    pub fn admit(&self, service: &ServiceName, series: i64, now: Timestamp) -> bool {
        let inner = &mut *self.inner.lock();
        if !inner.by_service.contains_key(service) {
            inner.by_service.insert(service.clone(), Known::default());
        }
        let Some(known) = inner.by_service.get_mut(service) else { return false };
        if known.series.contains(&series) {
            return true;
        }
        if known.series.len() >= MAX_OF_SERVICE || inner.total >= MAX_SERIES {
            known.refused += 1;
            known.since.get_or_insert(now);
            return false;
        }
        known.series.insert(series);
        inner.total += 1;
        true
    }

    /// Services whose samples were refused for a limit.
    pub fn over_limit(&self) -> Vec<SeriesOver> {
        let inner = self.inner.lock();
        let over = inner.by_service.iter().filter_map(|(service, known)| {
            let limit = if known.series.len() >= MAX_OF_SERVICE { MAX_OF_SERVICE } else { MAX_SERIES };
            Some(SeriesOver { service: service.clone(), limit, refused: known.refused, since: known.since? })
        });
        over.collect()
    }

    /// Forgets a service.
    pub fn forget(&self, service: &ServiceName) {
        let inner = &mut *self.inner.lock();
        if let Some(gone) = inner.by_service.remove(service) {
            inner.total -= gone.series.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_service_can_not_take_the_series_of_others() {
        let book = SeriesBook::default();
        let (greedy, modest): (ServiceName, ServiceName) = ("greedy".parse().unwrap(), "modest".parse().unwrap());
        let at = Timestamp::from_seconds;
        let admitted = (0..60_000).filter(|series| book.admit(&greedy, *series, at(*series))).count();
        assert_eq!(admitted, MAX_OF_SERVICE);
        assert!(book.admit(&greedy, 7, at(1)), "a known series goes on");
        assert!(book.admit(&modest, 1, at(1)));
        let over = SeriesOver { service: greedy.clone(), limit: MAX_OF_SERVICE, refused: 10_000, since: at(50_000) };
        assert_eq!(book.over_limit(), [over]);
        book.forget(&greedy);
        assert!(book.admit(&greedy, 60_000, at(1)) && book.over_limit().is_empty());
    }
}
