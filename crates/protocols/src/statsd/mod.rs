//! StatsD and DogStatsD datagrams: lines to metrics, events and checks; [`Aggregator`] makes samples of the metrics.
//!
//! Each line stands alone: one that can't be read is refused and its neighbours are taken. Never asks a clock: the
//! caller decides when a window ends. Never panics on any bytes.

mod aggregate;
mod line;

#[cfg(test)]
mod tests;

pub use aggregate::{Aggregator, MAX_HELD_BYTES, MAX_SERIES};
pub use line::{Level, Line, Metric, Readings};

use crate::observed::{EventRecord, Observer, Refusal, SampleRecord};

/// Reads every line of one datagram: metrics go to `aggregator`, which hands them over when it is flushed; events,
/// checks and metrics with a time of their own are handed over at once.
pub fn decode(datagram: &[u8], aggregator: &mut Aggregator, observer: &mut dyn Observer) {
    for line in datagram.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        let taken = match Line::read(line) {
            Ok(Line::Metric(metric)) => take(metric, aggregator, observer),
            Ok(Line::Event(event) | Line::Check(event)) => {
                observer.event(event);
                Ok(())
            }
            Err(why) => Err(why),
        };
        if let Err(why) = taken {
            observer.refuse(why, line);
        }
    }
}

/// A metric with a time is one that the sender aggregated itself.
fn take(metric: Metric<'_>, aggregator: &mut Aggregator, observer: &mut dyn Observer) -> Result<(), Refusal> {
    let Some(ts) = metric.ts else {
        aggregator.add(&metric);
        return Ok(());
    };
    let value = match &metric.readings {
        Readings::Counts(counts) => Some(counts.iter().sum::<f64>() / metric.rate),
        Readings::Levels(levels) => match levels.last() {
            Some(Level::At(value)) => Some(*value),
            Some(Level::By(_)) | None => None,
        },
        Readings::Spread(_) | Readings::Member(_) => None,
    };
    let value = value.ok_or(Refusal::Malformed)?;
    let (service, host, labels) = line::place(metric.tags);
    observer.sample(SampleRecord { ts: Some(ts), service, host, name: metric.name.into(), value, labels });
    Ok(())
}
