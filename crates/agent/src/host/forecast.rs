//! When a disk will be full, if it goes on as it did.
//!
//! Pure. A straight line through the median of all slopes (Theil–Sen): one clean-up or one large upload does not turn
//! it. Says nothing rather than something weak.

use base::Timestamp;

const MIN_POINTS: usize = 12;
const MAX_POINTS: usize = 240;
const MIN_SPAN_DAYS: f64 = 1.0 / 24.0;
/// No forecast reaches further than this many times what was observed.
const HORIZON: f64 = 30.0;
/// This share of all pairs of points must rise.
const RISING: f64 = 0.75;
const DAY_US: f64 = 86_400_000_000.0;

/// A moment and the share of the disk in use then.
pub type FillPoint = (Timestamp, f64);

/// Days from the last point until the disk is full; `None` when it is not filling, or the points don't tell.
pub fn fill_forecast(points: &[FillPoint]) -> Option<f64> {
    let mut points: Vec<(f64, f64)> = points
        .iter()
        .filter(|(_, used)| (0.0..=1.0).contains(used))
        .map(|(at, used)| (at.micros() as f64 / DAY_US, *used))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let stride = points.len().div_ceil(MAX_POINTS).max(1);
    let points: Vec<(f64, f64)> = points.into_iter().rev().step_by(stride).collect();
    let (last, first) = (points.first()?, points.last()?);
    let span = last.0 - first.0;
    if points.len() < MIN_POINTS || span < MIN_SPAN_DAYS {
        return None;
    }
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (index, later) in points.iter().enumerate() {
        let earlier = points[index + 1..].iter().filter(|earlier| later.0 > earlier.0);
        slopes.extend(earlier.map(|earlier| (later.1 - earlier.1) / (later.0 - earlier.0)));
    }
    let rising = slopes.iter().filter(|slope| **slope > 0.0).count() as f64;
    if slopes.is_empty() || rising < RISING * slopes.len() as f64 {
        return None;
    }
    let slope = median(&mut slopes);
    let mut levels: Vec<f64> = points.iter().map(|(at, used)| used + slope * (last.0 - at)).collect();
    let days = (1.0 - median(&mut levels)).max(0.0) / slope;
    (slope > 0.0 && days <= span * HORIZON).then_some(days)
}

fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    let (_, median, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    *median
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hourly(count: u32, used: impl Fn(f64) -> f64) -> Vec<FillPoint> {
        let point = |hour: u32| (Timestamp::from_seconds(i64::from(hour) * 3600), used(f64::from(hour)));
        (0..count).map(point).collect()
    }

    #[test]
    fn a_disk_that_fills_is_told_in_time() {
        let days = fill_forecast(&hourly(48, |hour| 0.5 + hour * 0.001)).unwrap();
        assert!((days - 0.453 / 0.024).abs() < 0.1, "{days}");
        let outlier = |hour: f64| if (hour - 20.0).abs() < 0.1 { 0.99 } else { 0.5 + hour * 0.001 };
        let robust = fill_forecast(&hourly(48, outlier)).unwrap();
        assert!((robust - days).abs() < 0.2, "{robust} {days}");
    }

    #[test]
    fn nothing_is_said_without_reason() {
        let sawtooth = |hour: f64| 0.3 + (hour % 6.0) * 0.05;
        for (case, points) in [
            ("nothing", Vec::new()),
            ("too few points", hourly(11, |hour| 0.5 + hour * 0.01)),
            (
                "too short",
                hourly(30, |hour| 0.5 + hour * 0.01)
                    .iter()
                    .map(|(at, used)| (Timestamp::from_micros(at.micros() / 100), *used))
                    .collect(),
            ),
            ("flat", hourly(48, |_| 0.5)),
            ("shrinking", hourly(48, |hour| 0.9 - hour * 0.001)),
            ("up and down", hourly(48, sawtooth)),
            ("beyond the horizon", hourly(48, |hour| 0.1 + hour * 1e-6)),
            ("not a number", hourly(48, |_| f64::NAN)),
            ("one moment", vec![(Timestamp::from_seconds(0), 0.5); 40]),
        ] {
            assert_eq!(fill_forecast(&points), None, "{case}");
        }
    }
}
