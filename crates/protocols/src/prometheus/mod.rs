//! What Prometheus and Alertmanager send and serve: remote write 1.0 and 2.0, the text formats of a scrape, alerts.
//!
//! A series is read once and its samples refer to it; names stay as they were sent. A label `service`, else `job`, names
//! the service, and `instance` without its port the host; both stay labels too. Stale markers end a series and are no
//! samples: they are counted. Values that are no numbers otherwise (`NaN` of an empty summary) and infinities are
//! handed over as they are. Never panics on any bytes, and never allocates by a length that the bytes only claim.

mod alerts;
mod native;
mod remote_write;
mod series;
mod snappy;
mod text;

#[cfg(test)]
mod tests;

pub use alerts::{alertmanager_webhook, alerts};
pub use remote_write::{Version, remote_write};
pub use snappy::MAX_DECOMPRESSED;
pub use text::{Format, Target, scrape};

use crate::observed::Refusal;

/// What became of the samples of a request or a scrape, or of the alerts of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Floating-point samples, or alerts, that were handed over.
    pub samples: u64,
    /// Native histograms that were handed over, each as several samples.
    pub histograms: u64,
    /// Exemplars, which are not stored.
    pub exemplars: u64,
    /// Markers that a series ended: no samples, and nothing wrong.
    pub stale: u64,
    /// Samples, histograms or lines that were refused.
    pub rejected: u64,
    /// Why the first was refused.
    pub first_reason: Option<Refusal>,
}

impl Outcome {
    fn reject(&mut self, why: Refusal, count: u64) {
        self.rejected += count;
        self.first_reason.get_or_insert(why);
    }
}
