//! Questions about single requests: rows page by page, their number over time, their commonest values, who was
//! disappointed, and how durations spread.
//!
//! Every answer is bounded and names the damaged files that were left out. Filters become expressions of the query
//! engine, never text of SQL.

mod aggregate;
mod disappointed;
pub(crate) mod functions;
mod judge;
mod page;
mod predicate;

pub use aggregate::{Bar, Facets, HeatMap, Histogram};
pub(crate) use disappointed::{JudgedCache, Sources as JudgedSources};
pub use judge::{Disappointed, DisappointedRow};
pub use page::{RowOrder, RowPage, RowQuery};

use crate::{Lake, QueryError};
use base::TimeRange;
use signal::filter::Filter;

/// How long after a failure the next try counts as a recovery: 10 minutes, in microseconds.
pub const RECOVERY_WINDOW_US: i64 = 600_000_000;
/// Most steps of time in a histogram or heat map.
pub const MAX_STEPS: usize = 2_000;

impl Lake {
    /// One page of rows.
    pub async fn request_rows(&self, query: &RowQuery) -> Result<RowPage, QueryError> {
        self.reader().in_time(page::rows(self.reader(), query)).await
    }

    /// Number of matching rows by step and kind of status; steps start at multiples of `step_us` since the epoch.
    pub async fn histogram(
        &self,
        range: TimeRange,
        filter: Option<&Filter>,
        service: Option<&str>,
        step_us: i64,
    ) -> Result<Histogram, QueryError> {
        aggregate::histogram(self.reader(), range, predicate::selected(filter, service, None), step_us).await
    }

    /// The commonest values of a field (as in filters: `status`, `route`, an attribute, ...) among matching rows.
    pub async fn facets(
        &self,
        range: TimeRange,
        filter: Option<&Filter>,
        service: Option<&str>,
        field: &str,
        limit: usize,
    ) -> Result<Facets, QueryError> {
        aggregate::facets(self.reader(), range, predicate::selected(filter, service, None), field, limit).await
    }

    /// Who saw a server error of the service in the range, and whose next try succeeded.
    pub async fn disappointed(
        &self,
        range: TimeRange,
        service: &str,
        time_zone: &jiff::tz::TimeZone,
        window_us: i64,
    ) -> Result<Disappointed, QueryError> {
        let sources = self.judged_sources();
        let read = disappointed::disappointed(&sources, range, service, time_zone, window_us);
        self.reader().in_time(read).await
    }

    /// How the durations of a route spread, step by step.
    pub async fn heatmap(
        &self,
        service: &str,
        route: Option<&str>,
        range: TimeRange,
        steps: usize,
    ) -> Result<HeatMap, QueryError> {
        let wanted = predicate::selected(None, Some(service), route);
        aggregate::heatmap(self.reader(), range, wanted, steps).await
    }
}

#[cfg(test)]
mod tests;
