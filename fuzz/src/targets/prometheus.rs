//! Prometheus and Alertmanager: what came is samples, stale markers and refusals, and nothing beside.

use super::twice;
use base::Timestamp;
use protocols::observed::DecodeError;
use protocols::prometheus::{self, Format, Outcome, Target, Version};

const AT: Timestamp = Timestamp::from_seconds(1_795_000_000);

pub fn scrape_text(body: &[u8]) {
    scrape(body, Format::Text);
}

/// The end that is demanded is added, so that a fuzzer need not keep it.
pub fn scrape_openmetrics(body: &[u8]) {
    scrape(&[body, b"\n# EOF\n"].concat(), Format::OpenMetrics);
}

fn scrape(body: &[u8], format: Format) {
    let target = Target { labels: &[("instance", "web-1:9100"), ("job", "shop")], at: Some(AT) };
    let (outcome, seen) = twice(|seen| prometheus::scrape(body, format, &target, seen));
    let Ok(outcome) = outcome else { return };
    let lines = body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let said = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#")).count() as u64;
    assert_eq!(outcome.samples + outcome.stale + outcome.rejected, said, "{outcome:?}");
    assert_eq!((seen.samples, seen.refused), (outcome.samples, outcome.rejected));
}

pub fn remote_write_1(message: &[u8]) {
    write(&compressed(message), Version::V1);
}

pub fn remote_write_2(message: &[u8]) {
    write(&compressed(message), Version::V2);
}

/// The bytes as they came.
pub fn snappy(body: &[u8]) {
    write(body, Version::V1);
}

fn compressed(message: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(message).expect("it is short")
}

fn write(body: &[u8], version: Version) {
    let (outcome, seen) = twice(|seen| prometheus::remote_write(body, version, seen));
    let Ok(outcome) = outcome else { return };
    // A histogram is at least its count and its sum; a series that is refused counts all its samples.
    assert!(seen.samples >= outcome.samples + 2 * outcome.histograms, "{seen:?} of {outcome:?}");
    assert!(outcome.histograms > 0 || seen.samples == outcome.samples, "{seen:?} of {outcome:?}");
    assert!(outcome.rejected >= seen.refused, "{seen:?} of {outcome:?}");
    assert_eq!(outcome.rejected == 0, outcome.first_reason.is_none());
}

pub fn alerts(body: &[u8]) {
    let (outcome, seen) = twice(|seen| prometheus::alerts(body, AT, seen));
    events(&outcome, seen.events, seen.refused);
}

pub fn webhook(body: &[u8]) {
    let (outcome, seen) = twice(|seen| prometheus::alertmanager_webhook(body, seen));
    events(&outcome, seen.events, seen.refused);
}

fn events(outcome: &Result<Outcome, DecodeError>, taken: u64, refused: u64) {
    if let Ok(outcome) = outcome {
        assert_eq!((taken, refused), (outcome.samples, outcome.rejected));
    }
}
