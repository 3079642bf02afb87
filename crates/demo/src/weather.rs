//! How fast and how reliable the shop's database and payment service are, per route.
//!
//! Pure: randomness and the state of the story come in. The handler then really waits that long, so what the access
//! log says is what a person waited for.

use crate::scenario::Release;
use rand::RngExt;
use std::f64::consts::TAU;
use std::time::Duration;

/// The routes of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Route {
    Home,
    Items,
    Item,
    Search,
    AddToCart,
    Cart,
    Checkout,
    Order,
    Asset,
}

/// No request waits longer, however unlucky the draw.
const LONGEST_MS: f64 = 6_000.0;

impl Route {
    /// Median wait in milliseconds, and how widely it is spread (sigma of a log-normal).
    fn latency(self, release: Release) -> (f64, f64) {
        match (self, release) {
            (Self::Home, _) => (12.0, 0.35),
            (Self::Items, _) => (26.0, 0.40),
            (Self::Item, Release::V1_0) => (34.0, 0.40),
            (Self::Item, Release::V1_1) => (104.0, 0.45),
            (Self::Search, _) => (340.0, 0.70),
            (Self::AddToCart, _) => (18.0, 0.35),
            (Self::Cart, _) => (15.0, 0.35),
            (Self::Checkout, _) => (130.0, 0.50),
            (Self::Order, _) => (22.0, 0.40),
            (Self::Asset, _) => (0.0, 0.0),
        }
    }

    /// How long the backends behind this request take.
    pub(crate) fn wait(self, release: Release, rng: &mut impl RngExt) -> Duration {
        let (median_ms, sigma) = self.latency(release);
        if median_ms <= 0.0 {
            return Duration::ZERO;
        }
        let wait_ms = (median_ms * (sigma * standard_normal(rng)).exp()).min(LONGEST_MS);
        Duration::from_secs_f64(wait_ms / 1_000.0)
    }

    /// The share of requests that fail; `deploy_fails` is that of item pages of release 1.1.
    pub(crate) fn failure_share(self, release: Release, deploy_fails: f64, is_failing: bool) -> f64 {
        match (self, is_failing) {
            (Self::Checkout, true) => 0.7,
            (Self::AddToCart, true) => 0.12,
            (Self::Search, _) => 0.001,
            (Self::Item, _) if release == Release::V1_1 => deploy_fails.clamp(0.0, 1.0),
            (Self::Home | Self::Items | Self::Item | Self::Cart | Self::Order | Self::Asset, _)
            | (Self::Checkout | Self::AddToCart, false) => 0.0,
        }
    }
}

/// One draw from the standard normal distribution (Box and Muller).
fn standard_normal(rng: &mut impl RngExt) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (TAU * v).cos()
}

/// Think time around `mean`: two exponential draws averaged, so that it is seldom near zero and never endless.
pub(crate) fn around(mean: Duration, rng: &mut impl RngExt) -> Duration {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    let factor = -f64::midpoint((1.0 - u).ln(), (1.0 - v).ln());
    mean.mul_f64(factor.clamp(0.0, 6.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn percentile_ms(route: Route, release: Release, percent: usize) -> f64 {
        let mut rng = StdRng::seed_from_u64(7);
        let mut waits: Vec<f64> = (0..4_000).map(|_| route.wait(release, &mut rng).as_secs_f64() * 1_000.0).collect();
        waits.sort_by(f64::total_cmp);
        waits[3_999 * percent / 100]
    }

    #[test]
    fn the_deploy_makes_the_item_page_three_times_slower_and_nothing_else() {
        for (case, route, at_least, at_most) in
            [("item", Route::Item, 2.7, 3.4), ("home", Route::Home, 0.95, 1.05), ("search", Route::Search, 0.95, 1.05)]
        {
            let ratio = percentile_ms(route, Release::V1_1, 50) / percentile_ms(route, Release::V1_0, 50);
            assert!((at_least..at_most).contains(&ratio), "{case}: {ratio}");
        }
    }

    #[test]
    fn search_is_the_slow_route_with_a_long_but_bounded_tail() {
        let p95 = percentile_ms(Route::Search, Release::V1_0, 95);
        assert!((800.0..1_400.0).contains(&p95), "{p95}");
        assert!(percentile_ms(Route::Search, Release::V1_0, 100) <= LONGEST_MS);
        assert!(Route::Asset.wait(Release::V1_0, &mut StdRng::seed_from_u64(1)).is_zero());
    }

    #[test]
    fn think_time_keeps_its_mean() {
        let mut rng = StdRng::seed_from_u64(3);
        let total: f64 = (0..5_000).map(|_| around(Duration::from_secs(1), &mut rng).as_secs_f64()).sum();
        assert!((0.95..1.05).contains(&(total / 5_000.0)), "{total}");
    }
}
