//! What a process remembers from one call to the next: a bounded number of entries, of which those stay that are used.
//!
//! Which tenants' calls meet in a process is the gateway's choice, and often they come in turn. So what is dropped is
//! not what was used longest ago: with one tenant more than there is room for, that would be the very one that comes
//! next, each time. CLOCK-Pro keeps most of them, and the misses are about as many as there are entries too many.

use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::unsync::Cache;

/// How many entries a process remembers at most of each kind. The largest, a signing key, takes 2 KB.
pub const MOST: usize = 10_000;

/// Entries of one kind, for as long as the process lives. A secret belongs behind an `Arc`: the entries themselves are
/// moved when there are more of them, which leaves copies behind.
pub struct Memory<K, V>(Arc<Mutex<Cache<K, V>>>);

impl<K: Eq + Hash, V: Clone> Memory<K, V> {
    /// The value under a key, if it is still remembered.
    pub fn get(&self, key: &K) -> Option<V> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Remembers a value in place of the one before.
    pub fn keep(&self, key: K, value: V) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, value);
    }
}

impl<K, V> Clone for Memory<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Eq + Hash, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Cache::new(MOST))))
    }
}

impl<K, V> fmt::Debug for Memory<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Memory")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of so many keys that come in turn again and again, the part that is remembered when it comes.
    fn remembered(keys: usize) -> f64 {
        let memory = Memory::default();
        let mut hits = 0_u32;
        for turn in 0..4 {
            for key in 0..keys {
                let found = memory.get(&key);
                assert!(found.is_none_or(|found| found == key));
                hits += u32::from(turn == 3 && found.is_some());
                if found.is_none() {
                    memory.keep(key, key);
                }
            }
        }
        assert_eq!(memory.0.lock().unwrap().len(), keys.min(MOST));
        f64::from(hits) / f64::from(u32::try_from(keys).unwrap())
    }

    #[test]
    fn keys_that_come_in_turn_are_remembered_and_a_few_too_many_cost_a_few() {
        assert!(remembered(MOST) > 0.9999);
        assert!(remembered(MOST + MOST / 20) > 0.90);
        assert!(remembered(2 * MOST) > 0.40);
    }

    #[test]
    fn what_is_dropped_is_gone_at_once() {
        let memory = Memory::default();
        let values: Vec<_> = (0..2 * MOST).map(Arc::new).collect();
        for (key, value) in values.iter().enumerate() {
            memory.keep(key, Arc::clone(value));
        }
        assert_eq!(values.iter().filter(|value| Arc::strong_count(value) == 2).count(), MOST);
        memory.keep(0, Arc::new(7));
        assert_eq!(*memory.get(&0).unwrap(), 7);
        assert_eq!(Arc::strong_count(&values[0]), 1);
    }
}
