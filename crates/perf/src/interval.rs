//! Intervals for what was counted.

use serde::Serialize;

/// A range that holds the true ratio with 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// Lower end, 0 or more.
    pub low: f64,
    /// Upper end, 1 or less.
    pub high: f64,
}

/// Two-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Wilson's score interval (E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA
/// 22, 1927) for `successes` out of `n`, at 95 %. Unlike the normal approximation it is sensible at 0 and for small
/// `n`. `None` for `n` = 0: nothing is known then.
pub fn wilson(successes: u64, n: u64) -> Option<Interval> {
    if n == 0 {
        return None;
    }
    let successes = successes.min(n);
    let (p, count) = (successes as f64 / n as f64, n as f64);
    let spread = Z * Z / count;
    let centre = p + spread / 2.0;
    let half = Z * (p * (1.0 - p) / count + spread / (4.0 * count)).sqrt();
    // The ends are exact where rounding would leave 1e-17.
    let low = if successes == 0 { 0.0 } else { ((centre - half) / (1.0 + spread)).max(0.0) };
    let high = if successes == n { 1.0 } else { ((centre + half) / (1.0 + spread)).min(1.0) };
    Some(Interval { low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_literature() {
        // 15/148 and 1/29 from R. G. Newcombe, Statistics in Medicine 17 (1998), table I; 81/263 and 0/20 too.
        for (successes, n, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let got = wilson(successes, n).unwrap();
            assert!((got.low - low).abs() < 6e-5 && (got.high - high).abs() < 6e-5, "{successes}/{n}: {got:?}");
        }
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson(5, 5).map(|interval| interval.high), Some(1.0));
    }
}
