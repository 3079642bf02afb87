//! What a visitor does next: browse, search, put something in the cart, buy, try again, give up.
//!
//! Pure: the draws come from the generator that is passed in.

use crate::shop::{ITEMS, PAGE};
use rand::RngExt;
use std::time::Duration;

/// What one visitor wants from the shop now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Home,
    List { page: u16 },
    Item { id: u16 },
    Search { words: &'static str },
    AddToCart { id: u16 },
    Cart,
    Checkout,
    Order { path: String },
    Leave,
}

/// Words people search for, as the browser encodes them.
const WORDS: [&str; 10] = [
    "%E6%8A%B9%E8%8C%B6",                            // 抹茶
    "%E6%80%A5%E9%A0%88",                            // 急須
    "%E5%AE%87%E6%B2%BB",                            // 宇治
    "%E3%81%BB%E3%81%86%E3%81%98%E8%8C%B6",          // ほうじ茶
    "%E5%92%8C%E8%8F%93%E5%AD%90",                   // 和菓子
    "%E4%BA%AC%E9%83%BD%E3%81%AE%E7%85%8E%E8%8C%B6", // 京都の煎茶
    "teapot",
    "sencha",
    "uji+matcha",
    "gift",
];

/// What follows a page that was shown.
pub(crate) fn next(done: &Step, in_cart: usize, rng: &mut impl RngExt) -> Step {
    let draw: f64 = rng.random();
    match done {
        Step::Home => pick(draw, [(0.45, list(rng)), (0.25, search(rng)), (0.25, item(rng))]),
        Step::List { page } => {
            let further = Step::List { page: page % (ITEMS / PAGE) + 1 };
            pick(draw, [(0.22, further), (0.60, item(rng)), (0.10, search(rng))])
        }
        Step::Search { .. } => pick(draw, [(0.68, item(rng)), (0.20, search(rng)), (0.05, Step::Home)]),
        Step::Item { id } => pick(draw, [(0.30, Step::AddToCart { id: *id }), (0.42, item(rng)), (0.20, list(rng))]),
        Step::AddToCart { .. } => Step::Cart,
        Step::Cart if in_cart > 0 => pick(draw, [(0.55, Step::Checkout), (0.30, list(rng)), (0.10, Step::Home)]),
        Step::Cart => pick(draw, [(0.60, list(rng)), (0.20, Step::Home), (0.0, Step::Home)]),
        Step::Order { path } => {
            pick(draw, [(0.35, Step::Order { path: path.clone() }), (0.30, Step::Home), (0.0, Step::Home)])
        }
        Step::Checkout | Step::Leave => Step::Home,
    }
}

/// The first step whose share the draw falls into; leaves when it falls into none.
fn pick(draw: f64, shares: [(f64, Step); 3]) -> Step {
    let mut from = 0.0;
    for (share, step) in shares {
        from += share;
        if draw < from {
            return step;
        }
    }
    Step::Leave
}

fn list(rng: &mut impl RngExt) -> Step {
    Step::List { page: rng.random_range(1..=ITEMS / PAGE) }
}

fn search(rng: &mut impl RngExt) -> Step {
    Step::Search { words: WORDS[rng.random_range(0..WORDS.len())] }
}

/// Some items are more popular than others, and now and then somebody follows a dead link.
fn item(rng: &mut impl RngExt) -> Step {
    let popular = rng.random_range(1..=ITEMS).min(rng.random_range(1..=ITEMS));
    Step::Item { id: if rng.random_bool(0.003) { ITEMS + 100 } else { popular } }
}

/// How often somebody tries again after an error.
const MOST_TRIES: u32 = 4;

/// Whether (and after how long) somebody who just saw an error tries the same again. `tries` counts the retries so far.
pub(crate) fn try_again(tries: u32, rng: &mut impl RngExt) -> Option<Duration> {
    if tries >= MOST_TRIES || !rng.random_bool(0.85) {
        return None;
    }
    let wait_ms = 1_500.0 + 2_000.0 * f64::from(tries);
    Some(Duration::from_secs_f64(wait_ms * rng.random_range(0.7..1.3) / 1_000.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn visits_end_and_a_few_of_each_hundred_pages_are_purchases() {
        let mut rng = StdRng::seed_from_u64(11);
        let (mut pages, mut purchases, mut visits) = (0, 0, 0);
        let (mut step, mut in_cart) = (Step::Home, 0);
        while visits < 2_000 {
            pages += 1;
            match step {
                Step::AddToCart { .. } => in_cart += 1,
                Step::Checkout => (purchases, in_cart) = (purchases + 1, 0),
                Step::Leave => (visits, in_cart) = (visits + 1, 0),
                _ => {}
            }
            step = next(&step, in_cart, &mut rng);
        }
        let share = f64::from(purchases) / f64::from(pages);
        assert!((0.02..0.10).contains(&share), "{purchases} purchases in {pages} pages");
        assert!((5..60).contains(&(pages / visits)), "{} pages a visit", pages / visits);
    }

    #[test]
    fn most_people_try_again_and_nobody_does_for_ever() {
        let mut rng = StdRng::seed_from_u64(5);
        let again = (0..1_000).filter(|_| try_again(0, &mut rng).is_some()).count();
        assert!((800..900).contains(&again), "{again}");
        for _ in 0..100 {
            assert_eq!(try_again(MOST_TRIES, &mut rng), None);
            assert!(try_again(3, &mut rng).is_none_or(|wait| wait < Duration::from_secs(10)));
        }
    }

    #[test]
    fn nobody_checks_out_an_empty_cart() {
        let mut rng = StdRng::seed_from_u64(5);
        for _ in 0..1_000 {
            assert_ne!(next(&Step::Cart, 0, &mut rng), Step::Checkout);
        }
    }
}
