//! This host's samples: taken every few seconds, written to the lake.

use crate::sources::Sources;
use agent::host::HostSampler;
use base::Clock;
use lake::{Append, Lake};
use signal::{SampleRow, SampleRows, Table};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the host is sampled.
const EVERY: Duration = Duration::from_secs(10);

/// Samples this host until it is stopped.
pub async fn sample_host(lake: Arc<Lake>, sources: Arc<Sources>, host: String, clock: Clock, stop: CancellationToken) {
    let mut sampler = HostSampler::new(Path::new("/"));
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let now = clock.now();
        let taken = tokio::task::spawn_blocking(move || {
            let samples = sampler.sample(now);
            (sampler, samples)
        });
        let Ok((back, samples)) = taken.await else { return };
        sampler = back;
        let mut rows = SampleRows::default();
        for sample in &samples {
            let row = SampleRow {
                ts: now,
                service: None,
                host: Some(&host),
                name: sample.name,
                value: sample.value,
                source: "agent",
            };
            let labels: Vec<_> = sample.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            rows.push(&row, &labels);
        }
        if rows.is_empty() {
            continue;
        }
        let append = Append { rows: vec![(Table::Samples, rows.finish())], marks: Vec::new() };
        match lake.append(append).await {
            Ok(()) => sources.sampled(&host, samples.len() as u64, now),
            // Samples are not worth waiting for: a gap in a chart says that the server was full.
            Err(error) => tracing::warn!(%error, "this host's samples were not stored"),
        }
    }
}
