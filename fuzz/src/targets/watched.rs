//! What `signal` reads of strangers' text: filters, patterns of log lines, routes; and encoded sketches.

use protocols::observed::MAX_RECORD;
use signal::filter::{Filter, MAX_FILTER_BYTES, quote};
use signal::patterns::{MAX_PATTERNS, Pattern};
use signal::route::MAX_ROUTE;
use signal::{LatencySketch, PatternText, Patterns, RouteNormaliser, SketchSum};

pub fn filter(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Err(error) = text.parse::<Filter>() {
        assert!(error.position <= text.chars().count(), "a mistake behind the end: {error}");
        assert!(!error.to_string().is_empty());
    }
    // Any text can be searched for.
    let exact = format!("path:{}", quote(&text));
    if exact.len() <= MAX_FILTER_BYTES {
        assert!(exact.parse::<Filter>().is_ok(), "{exact:?} is no filter");
    }
}

pub fn patterns(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut patterns = Patterns::default();
    for line in text.lines().filter(|line| line.len() <= MAX_RECORD) {
        let Some(at) = patterns.add(line) else { continue };
        let pattern = patterns.found()[at].text();
        assert!(PatternText::new(&pattern).matches(line), "{pattern:?} does not find its own line {line:?}");
    }
    assert!(patterns.found().len() <= MAX_PATTERNS);
    let counted: u64 = patterns.found().iter().map(Pattern::count).sum();
    assert_eq!(counted + patterns.unmatched(), text.lines().count() as u64);
}

pub fn route(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (method, target) = text.split_once(' ').unwrap_or(("GET", &text));
    let normaliser = RouteNormaliser::default();
    let route = normaliser.normalise(method, target);
    assert!(route.len() <= MAX_ROUTE, "a route of {} bytes", route.len());
    assert!(!route.contains(['?', '#']), "a query in a route: {route:?}");
    let (known, path) = route.split_once(' ').expect("a method and a path");
    assert_eq!(normaliser.normalise(known, path), route, "a route that does not normalise to itself");
}

pub fn sketch(input: &[u8]) {
    let mut sum = SketchSum::default();
    let added = sum.add_encoded(input);
    let decoded = LatencySketch::decode(input);
    assert_eq!(added.err(), decoded.as_ref().err().copied());
    let Ok(sketch) = decoded else { return };
    assert_eq!(sum.count(), sketch.count());
    for q in [0.0, 0.5, 0.99, 1.0] {
        assert_eq!(sum.quantile_us(q).is_some(), sketch.count() > 0);
    }
    let mut encoded = Vec::new();
    sketch.encode(&mut encoded);
    assert_eq!(LatencySketch::decode(&encoded), Ok(sketch));
}
