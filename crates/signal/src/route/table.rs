//! The routes of one service, at most [`MAX_ROUTES`](super::MAX_ROUTES) of them.

use super::{MAX_ROUTES, OTHER, RouteNormaliser};
use foldhash::HashMap;
use foldhash::fast::FixedState;
use std::hash::BuildHasher;

/// A route of a [`RouteTable`], small enough to count by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId(u16);

impl RouteId {
    /// The route `(other)`.
    pub const OTHER: Self = Self(0);

    /// Position in a list with one entry per route, `(other)` first.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What did not fit into a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OverLimit {
    /// Requests that were counted as `(other)`.
    pub requests: u64,
    /// About how many different routes they had.
    pub routes: u64,
}

const CACHE_SLOTS: usize = 8_192;
/// Longer targets are normalised each time, so that the cache stays small.
const MAX_CACHED: usize = 256;
/// Bits for counting the routes over the limit: exact to a few per cent up to about 30,000.
const SKETCH_BITS: usize = 1 << 14;

#[derive(Debug, Clone, Default)]
struct Slot {
    /// Path and method, in buffers that are used again.
    path: String,
    method: String,
    route: Option<RouteId>,
}

impl Slot {
    fn put(&mut self, method: &str, path: &str, route: RouteId) {
        self.path.clear();
        self.path.push_str(path);
        self.method.clear();
        self.method.push_str(method);
        self.route = Some(route);
    }
}

/// Gives every request its route, the first [`MAX_ROUTES`] ones by name, the rest as `(other)`.
///
/// Holds at most a few MiB, whatever is asked. The order in which routes come decides which ones get a name.
#[derive(Debug, Clone)]
pub struct RouteTable {
    normaliser: RouteNormaliser,
    limit: usize,
    names: Vec<Box<str>>,
    index: HashMap<Box<str>, RouteId>,
    hasher: FixedState,
    cache: Vec<Slot>,
    scratch: String,
    over_requests: u64,
    over_routes: Box<[u64]>,
}

impl RouteTable {
    /// An empty table.
    pub fn new(normaliser: RouteNormaliser) -> Self {
        Self::with_limit(normaliser, MAX_ROUTES)
    }

    /// An empty table for fewer routes (at most [`MAX_ROUTES`]).
    pub fn with_limit(normaliser: RouteNormaliser, limit: usize) -> Self {
        Self {
            normaliser,
            limit: limit.min(MAX_ROUTES),
            names: vec![OTHER.into()],
            index: HashMap::default(),
            hasher: FixedState::with_seed(4649),
            cache: vec![Slot::default(); CACHE_SLOTS],
            scratch: String::new(),
            over_requests: 0,
            over_routes: vec![0; SKETCH_BITS / 64].into(),
        }
    }

    /// The route of a request.
    pub fn route(&mut self, method: &str, target: &str) -> RouteId {
        let end = memchr::memchr2(b'?', b'#', target.as_bytes()).unwrap_or(target.len());
        let path = &target[..end];
        if path.len() > MAX_CACHED || method.len() > 20 {
            return self.normalise_and_admit(method, path);
        }
        let hash = self.hasher.hash_one((path, method));
        #[allow(clippy::cast_possible_truncation)] // the low bits are what is wanted
        let at = hash as usize % CACHE_SLOTS;
        if let Slot { method: m, path: p, route: Some(route) } = &self.cache[at]
            && p == path
            && m == method
        {
            let route = *route;
            // A route over the limit is in the sketch since it was cached; only the request is counted again.
            self.over_requests += u64::from(route == RouteId::OTHER);
            return route;
        }
        let route = self.normalise_and_admit(method, path);
        self.cache[at].put(method, path, route);
        route
    }

    fn normalise_and_admit(&mut self, method: &str, path: &str) -> RouteId {
        let mut scratch = std::mem::take(&mut self.scratch);
        self.normaliser.normalise_into(method, path, &mut scratch);
        let route = self.admit(&scratch);
        self.scratch = scratch;
        route
    }

    /// The id of a route that is normalised already, which gets a place if there is one.
    pub fn admit(&mut self, route: &str) -> RouteId {
        if let Some(id) = self.index.get(route) {
            return *id;
        }
        let next = self.names.len();
        if route == OTHER || next > self.limit {
            self.over_requests += 1;
            self.mark_over(route);
            return RouteId::OTHER;
        }
        let id = u16::try_from(next).map_or(RouteId::OTHER, RouteId);
        self.names.push(route.into());
        self.index.insert(route.into(), id);
        id
    }

    fn mark_over(&mut self, route: &str) {
        if route == OTHER {
            return;
        }
        #[allow(clippy::cast_possible_truncation)] // the low bits are what is wanted
        let bit = self.hasher.hash_one(route) as usize % SKETCH_BITS;
        self.over_routes[bit / 64] |= 1 << (bit % 64);
    }

    /// The name of a route.
    pub fn name(&self, route: RouteId) -> &str {
        self.names.get(route.index()).map_or(OTHER, |name| name)
    }

    /// The names in the order of [`RouteId::index`], `(other)` first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// Number of named routes, without `(other)`.
    pub fn len(&self) -> usize {
        self.names.len() - 1
    }

    /// Whether no route was seen.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many routes may have a name.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// What did not fit: `None` while everything did. The number of routes is estimated by linear counting (Whang,
    /// Vander-Zanden, Taylor 1990).
    pub fn over_limit(&self) -> Option<OverLimit> {
        if self.over_requests == 0 {
            return None;
        }
        let set: u32 = self.over_routes.iter().map(|word| word.count_ones()).sum();
        let bits = SKETCH_BITS as f64;
        let free = (bits - f64::from(set)).max(1.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 0 and bits * ln(bits)
        let routes = (bits * (bits / free).ln()).round() as u64;
        Some(OverLimit { requests: self.over_requests, routes })
    }
}
