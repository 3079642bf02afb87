//! Sums of roll-ups over any window, from roll-ups alone: what the golden-signal pages read.
//!
//! Whole hours are summed once and kept (bounded); the edges of a window are read minute by minute. An hour's sums are
//! void as soon as more partials of it are sealed. Their cost depends on minutes and routes, never on requests.

use crate::error::QueryError;
use crate::query::Reader;
use crate::rows::TIMES;
use crate::stamped::StampedCache;
use crate::state::{Snapshot, State};
use base::{TimeRange, Timestamp};
use datafusion::arrow::array::RecordBatch;
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{col, lit};
use foldhash::HashMap;
use signal::Table;
use signal::rollup::{Partial, Sum, each_partial};
use std::collections::BTreeMap;
use std::sync::Arc;

const HOUR: i64 = 3_600_000_000;
const MINUTE: i64 = 60_000_000;

/// What to sum.
#[derive(Debug, Clone)]
pub struct WindowQuery {
    /// The window; partials of a minute count when the minute starts inside.
    pub range: TimeRange,
    /// Only this service.
    pub service: Option<String>,
    /// Only this route.
    pub route: Option<String>,
    /// Width of the steps of [`Windows::steps`], microseconds, a multiple of a minute.
    pub step_us: i64,
}

/// Sums by service.
#[derive(Debug, Default)]
pub struct Windows {
    /// By service name.
    pub services: HashMap<Arc<str>, ServiceWindows>,
    /// Files that are damaged and were left out.
    pub damaged_files: Vec<String>,
}

/// Sums of one service.
#[derive(Debug, Default, Clone)]
pub struct ServiceWindows {
    /// Over the whole window, by route (users included).
    pub routes: HashMap<Arc<str>, Sum>,
    /// By start of the step, over all routes (users not included).
    pub steps: BTreeMap<i64, Sum>,
    /// Start of the last minute with a request.
    pub last_minute: Option<i64>,
}

impl ServiceWindows {
    fn add(&mut self, partial: &Partial<'_>, step_us: i64) {
        let route = match self.routes.get_mut(partial.route) {
            Some(sum) => sum,
            None => self.routes.entry(partial.route.into()).or_default(),
        };
        route.add(partial);
        route.add_users(partial);
        self.steps.entry(partial.minute.floor(step_us).micros()).or_default().add(partial);
        self.last_minute = self.last_minute.max(Some(partial.minute.micros()));
    }

    fn merge(&mut self, other: &Self, step_us: i64) {
        for (route, sum) in &other.routes {
            self.routes.entry(Arc::clone(route)).or_default().merge(sum);
        }
        for (minute, sum) in &other.steps {
            self.steps.entry(Timestamp::from_micros(*minute).floor(step_us).micros()).or_default().merge(sum);
        }
        self.last_minute = self.last_minute.max(other.last_minute);
    }

    /// Everything in the window.
    pub fn total(&self) -> Sum {
        let mut total = Sum::default();
        self.routes.values().for_each(|sum| total.merge(sum));
        total
    }

    fn heap_bytes(&self) -> usize {
        let sums = self.routes.values().chain(self.steps.values());
        sums.map(|sum| sum.heap_bytes() + size_of::<Sum>() + 64).sum()
    }
}

/// Sums by service and route.
pub type RouteSums = HashMap<(Arc<str>, Arc<str>), Sum>;

/// Sums of every minute by themselves, for whoever goes through the past.
#[derive(Debug, Default)]
pub struct Minutes {
    /// By start of the minute (users not included).
    pub minutes: BTreeMap<i64, RouteSums>,
    /// Files that are damaged and were left out.
    pub damaged_files: Vec<String>,
}

/// Sums of one hour.
#[derive(Debug, Default)]
pub struct Hour {
    services: HashMap<Arc<str>, ServiceWindows>,
}

impl Hour {
    fn heap_bytes(&self) -> usize {
        self.services.values().map(ServiceWindows::heap_bytes).sum()
    }
}

/// Hours that were summed before, by their start; stamped with their generation and the lake's epoch.
pub type HourCache = StampedCache<i64, (u64, u64), Hour>;

/// Sums of every minute that starts within the range, of those services and routes that are wanted. Memory grows with
/// their number: ask for an hour or a few.
pub async fn minutes(
    reader: &Reader,
    state: &State,
    range: TimeRange,
    wanted: impl Fn(&str, &str) -> bool + Send + Sync,
) -> Result<Minutes, QueryError> {
    let snapshot = state.snapshot(Table::Rollup1m, range);
    let mut out = Minutes::default();
    let mut visit = |partial: Partial<'_>| {
        if range.contains(partial.minute) && wanted(partial.service, partial.route) {
            let minute = out.minutes.entry(partial.minute.micros()).or_default();
            minute.entry((partial.service.into(), partial.route.into())).or_default().add(&partial);
        }
    };
    for segment in &snapshot.segments {
        segment.with_rollups(|rollups| rollups.partials().for_each(&mut visit));
    }
    let damaged = reader.in_time(read(reader, &snapshot, range, (None, None), &mut visit)).await?;
    out.damaged_files = damaged;
    Ok(out)
}

/// Sums the window.
pub async fn windows(
    reader: &Reader,
    state: &State,
    cache: &HourCache,
    query: &WindowQuery,
) -> Result<Windows, QueryError> {
    reader.in_time(sum(reader, state, cache, query)).await
}

async fn sum(reader: &Reader, state: &State, cache: &HourCache, query: &WindowQuery) -> Result<Windows, QueryError> {
    let step_us = query.step_us.max(MINUTE);
    let clamp = |at: Timestamp| Timestamp::from_micros(at.micros().clamp(*TIMES.start(), *TIMES.end()));
    let range = TimeRange { from: clamp(query.range.from).minute(), to: clamp(query.range.to) };
    let mut out = Windows::default();
    // One moment for both: what is sealed later is still in one of these segments.
    let snapshot = state.snapshot(Table::Rollup1m, range);
    let wanted = |partial: &Partial<'_>| {
        range.contains(partial.minute)
            && query.service.as_deref().is_none_or(|service| service == partial.service)
            && query.route.as_deref().is_none_or(|route| route == partial.route)
    };
    for segment in &snapshot.segments {
        segment.with_rollups(|rollups| {
            rollups.partials().filter(wanted).for_each(|partial| add(&mut out, &partial, step_us));
        });
    }
    let mut edges = Vec::new();
    if query.route.is_none() {
        let (hours, rest) = split_hours(range, &snapshot);
        let add_hour = |out: &mut Windows, hour: &Hour| {
            for (service, sums) in &hour.services {
                if query.service.as_deref().is_none_or(|wanted| wanted == &**service) {
                    out.services.entry(Arc::clone(service)).or_default().merge(sums, step_us);
                }
            }
        };
        whole_hours(reader, cache, &snapshot, &hours, &mut out, add_hour).await?;
        edges.extend(rest);
    } else {
        edges.push(range);
    }
    for edge in edges {
        let service = (query.service.as_deref(), query.route.as_deref());
        let visit = |partial: Partial<'_>| {
            if wanted(&partial) {
                add(&mut out, &partial, step_us);
            }
        };
        let damaged = read(reader, &snapshot, edge, service, visit).await?;
        out.damaged_files.extend(damaged);
    }
    out.damaged_files.sort();
    out.damaged_files.dedup();
    Ok(out)
}

fn add(out: &mut Windows, partial: &Partial<'_>, step_us: i64) {
    let service = match out.services.get_mut(partial.service) {
        Some(service) => service,
        None => out.services.entry(partial.service.into()).or_default(),
    };
    service.add(partial, step_us);
}

/// Whole hours with sealed rows inside the range, and what of the range is left at its ends.
fn split_hours(range: TimeRange, snapshot: &Snapshot) -> (Vec<(i64, u64)>, Vec<TimeRange>) {
    let first = -(-range.from.micros()).div_euclid(HOUR) * HOUR;
    let last = range.to.floor(HOUR).micros();
    if first >= last {
        return (Vec::new(), vec![range]);
    }
    let hours = snapshot.hours.range(first..last).map(|(hour, generation)| (*hour, *generation)).collect();
    let ends = [
        TimeRange { from: range.from, to: Timestamp::from_micros(first) },
        TimeRange { from: Timestamp::from_micros(last), to: range.to },
    ];
    (hours, ends.into_iter().filter(|end| end.micros() > 0).collect())
}

/// Hours that are read at once: their sums, by minute and route, are in no budget until they are kept.
const STRETCH: i64 = 4 * HOUR;

/// Adds the sums of whole hours. What is not kept is read in stretches, so that memory does not grow with the window.
async fn whole_hours(
    reader: &Reader,
    cache: &HourCache,
    snapshot: &Snapshot,
    hours: &[(i64, u64)],
    out: &mut Windows,
    add_hour: impl Fn(&mut Windows, &Hour) + Sync,
) -> Result<(), QueryError> {
    let mut stretches: BTreeMap<i64, BTreeMap<i64, u64>> = BTreeMap::new();
    for &(hour, generation) in hours {
        match cache.get(&hour, &(generation, snapshot.epoch)) {
            Some(kept) => add_hour(out, &kept),
            None => drop(stretches.entry(hour.div_euclid(STRETCH)).or_default().insert(hour, generation)),
        }
    }
    for missing in stretches.into_values() {
        let (Some((&first, _)), Some((&last, _))) = (missing.first_key_value(), missing.last_key_value()) else {
            continue;
        };
        let span = TimeRange { from: Timestamp::from_micros(first), to: Timestamp::from_micros(last + HOUR) };
        let mut fresh: HashMap<i64, Hour> = missing.keys().map(|&hour| (hour, Hour::default())).collect();
        let visit = |partial: Partial<'_>| {
            if let Some(hour) = fresh.get_mut(&partial.minute.floor(HOUR).micros()) {
                let service = match hour.services.get_mut(partial.service) {
                    Some(service) => service,
                    None => hour.services.entry(partial.service.into()).or_default(),
                };
                service.add(&partial, MINUTE);
            }
        };
        let damaged = read(reader, snapshot, span, (None, None), visit).await?;
        for (at, hour) in fresh {
            add_hour(out, &hour);
            // A sum with holes is not kept: the damaged file may come back from a backup.
            if damaged.is_empty() {
                let (stamp, bytes) = ((missing.get(&at).copied().unwrap_or(0), snapshot.epoch), hour.heap_bytes());
                cache.put(at, stamp, Arc::new(hour), bytes as u64);
            }
        }
        out.damaged_files.extend(damaged);
    }
    Ok(())
}

/// Visits sealed partials of a service and a route. Returns the damaged files that were left out.
async fn read(
    reader: &Reader,
    snapshot: &Snapshot,
    range: TimeRange,
    (service, route): (Option<&str>, Option<&str>),
    mut visit: impl FnMut(Partial<'_>) + Send,
) -> Result<Vec<String>, QueryError> {
    let build = |mut frame: DataFrame| {
        if let Some(service) = service {
            frame = frame.filter(col("service").eq(lit(service)))?;
        }
        if let Some(route) = route {
            frame = frame.filter(col("route").eq(lit(route)))?;
        }
        frame.drop_columns(&["date"])
    };
    let each = |batch: &RecordBatch| each_partial(batch, &mut visit);
    let stats = reader.visit_sealed(Table::Rollup1m, snapshot, range, build, each).await?;
    Ok(stats.damaged_files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_whole_hours_and_ends() {
        let hours = BTreeMap::from([(0, 1), (HOUR, 3), (2 * HOUR, 1)]);
        let snapshot = Snapshot { files: Arc::default(), segments: Vec::new(), hours, epoch: 0 };
        let at = Timestamp::from_micros;
        let range = TimeRange { from: at(MINUTE), to: at(2 * HOUR + MINUTE) };
        let (whole, ends) = split_hours(range, &snapshot);
        assert_eq!(whole, [(HOUR, 3)]);
        assert_eq!(
            ends,
            [TimeRange { from: at(MINUTE), to: at(HOUR) }, TimeRange { from: at(2 * HOUR), to: at(2 * HOUR + MINUTE) }]
        );
        let short = TimeRange { from: at(MINUTE), to: at(2 * MINUTE) };
        assert_eq!(split_hours(short, &snapshot), (Vec::new(), vec![short]));
        let exact = TimeRange { from: at(0), to: at(2 * HOUR) };
        assert_eq!(split_hours(exact, &snapshot).1, Vec::new());
    }
}
