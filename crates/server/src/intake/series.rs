//! Which series of measured values are known: bounded for each service and together, so that one sender whose labels
//! hold ids can't fill memory, disk and charts of all.

use base::ServiceName;
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
}

impl SeriesBook {
    /// Why a sample of an unknown series is refused.
    pub const REASON: &'static str = "too_many_series";

    /// Whether a sample of this series may be stored.
    pub fn admit(&self, service: &ServiceName, series: i64) -> bool {
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
            return false;
        }
        known.series.insert(series);
        inner.total += 1;
        true
    }

    /// Services at their limit, with the number of samples that were refused for it.
    pub fn over_limit(&self) -> Vec<(ServiceName, u64)> {
        let inner = self.inner.lock();
        let over = inner.by_service.iter().filter(|(_, known)| known.refused > 0);
        over.map(|(service, known)| (service.clone(), known.refused)).collect()
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
        let admitted = (0..60_000).filter(|series| book.admit(&greedy, *series)).count();
        assert_eq!(admitted, MAX_OF_SERVICE);
        assert!(book.admit(&greedy, 7), "a known series goes on");
        assert!(book.admit(&modest, 1));
        assert_eq!(book.over_limit(), [(greedy.clone(), 10_000)]);
        book.forget(&greedy);
        assert!(book.admit(&greedy, 60_000) && book.over_limit().is_empty());
    }
}
