//! Answers that were worked out before: bounded in memory, least recently used out first, void when what they were made
//! from has changed.

use foldhash::HashMap;
use parking_lot::Mutex;
use std::hash::Hash;
use std::sync::Arc;

struct Kept<S, V> {
    stamp: S,
    used: u64,
    bytes: u64,
    value: Arc<V>,
}

struct Inner<K, S, V> {
    kept: HashMap<K, Kept<S, V>>,
    clock: u64,
    bytes: u64,
}

/// Values by key, each with the stamp of what it was made from.
pub struct StampedCache<K, S, V> {
    inner: Mutex<Inner<K, S, V>>,
    limit_bytes: u64,
}

impl<K: Eq + Hash + Clone, S: PartialEq, V> StampedCache<K, S, V> {
    /// An empty cache of at most `limit_bytes`.
    pub fn new(limit_bytes: u64) -> Self {
        Self { inner: Mutex::new(Inner { kept: HashMap::default(), clock: 0, bytes: 0 }), limit_bytes }
    }

    /// The value under `key`, if it was made from what has this stamp now.
    pub fn get(&self, key: &K, stamp: &S) -> Option<Arc<V>> {
        let inner = &mut *self.inner.lock();
        inner.clock += 1;
        let entry = inner.kept.get_mut(key).filter(|entry| entry.stamp == *stamp)?;
        entry.used = inner.clock;
        Some(Arc::clone(&entry.value))
    }

    /// Keeps a value that takes `bytes` of memory.
    pub fn put(&self, key: K, stamp: S, value: Arc<V>, bytes: u64) {
        let inner = &mut *self.inner.lock();
        inner.clock += 1;
        let used = inner.clock;
        if let Some(before) = inner.kept.insert(key, Kept { stamp, used, bytes, value }) {
            inner.bytes -= before.bytes;
        }
        inner.bytes += bytes;
        while inner.bytes > self.limit_bytes {
            let oldest = inner.kept.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone());
            let Some(gone) = oldest.and_then(|key| inner.kept.remove(&key)) else { return };
            inner.bytes -= gone.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_least_goes_and_what_changed_is_void() {
        let cache = StampedCache::new(100);
        for key in 0..10 {
            cache.put(key, 1, Arc::new(key), 10);
        }
        assert_eq!(cache.get(&0, &1).as_deref(), Some(&0));
        cache.put(10, 1, Arc::new(10), 10);
        assert!(cache.get(&1, &1).is_none(), "the least recently used went");
        assert!(cache.get(&0, &1).is_some());
        assert!(cache.get(&0, &2).is_none(), "made from something else");
        cache.put(0, 2, Arc::new(7), 20);
        assert_eq!(cache.get(&0, &2).as_deref(), Some(&7));
        assert!(cache.get(&0, &1).is_none(), "a key has one value");
        assert_eq!(cache.inner.lock().bytes, 100, "ten were there, the replaced one grew, one more went for it");
    }

    #[test]
    fn a_value_larger_than_the_cache_is_not_kept() {
        let cache = StampedCache::new(100);
        cache.put(1, (), Arc::new(()), 101);
        assert!(cache.get(&1, &()).is_none());
        assert_eq!(cache.inner.lock().bytes, 0);
    }
}
