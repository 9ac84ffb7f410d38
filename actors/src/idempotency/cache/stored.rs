//! Stored answers: bounded in number by the order of use, and in time by the order in which they were stored.

use std::collections::BTreeMap;
use std::time::Instant;

use lru::LruCache;

use super::settings::{CacheSettings, Fingerprint, Key};

/// The stored answers, by key.
#[derive(Debug)]
pub(super) struct StoredAnswers<V> {
    settings: CacheSettings,
    by_use: LruCache<Key, Stored<V>>,
    /// The keys in the order in which their answers were stored, which is the order in which they expire.
    by_age: BTreeMap<u64, Key>,
    /// The age of the newest answer.
    last_age: u64,
}

#[derive(Debug)]
struct Stored<V> {
    value: V,
    fingerprint: Fingerprint,
    since: Instant,
    age: u64,
}

/// What is stored under a key.
pub(super) enum Found<V> {
    /// An answer, when it expires, and what it is for.
    Fresh(V, Instant, Fingerprint),
    /// An answer that had expired, and has been removed.
    Expired,
    /// Nothing.
    Nothing,
}

impl<V: Clone> StoredAnswers<V> {
    /// Memory is allocated as answers are stored, not in advance.
    pub(super) fn new(settings: CacheSettings) -> Self {
        Self { settings, by_use: LruCache::unbounded(), by_age: BTreeMap::new(), last_age: 0 }
    }

    /// Looks an answer up, which makes it the most recently used.
    pub(super) fn get(&mut self, key: &Key, now: Instant) -> Found<V> {
        match self.by_use.get(key) {
            Some(stored) if is_fresh(&self.settings, stored.since, now) => {
                let expires = stored.since + self.settings.ttl;
                Found::Fresh(stored.value.clone(), expires, stored.fingerprint)
            }
            Some(_) => {
                self.remove(key);
                Found::Expired
            }
            None => Found::Nothing,
        }
    }

    /// Stores an answer, and returns the key whose answer was evicted for it.
    pub(super) fn put(&mut self, key: &Key, fingerprint: Fingerprint, value: V, now: Instant) -> Option<Key> {
        self.remove(key);
        self.last_age += 1;
        self.by_use.put(Key::clone(key), Stored { value, fingerprint, since: now, age: self.last_age });
        self.by_age.insert(self.last_age, Key::clone(key));
        self.evict()
    }

    pub(super) fn touch(&mut self, key: &Key) {
        self.by_use.promote(key);
    }

    pub(super) fn len(&self) -> usize {
        self.by_use.len()
    }

    /// The key of the oldest answer, if that has expired.
    pub(super) fn oldest_expired(&self, now: Instant) -> Option<Key> {
        let (_, key) = self.by_age.first_key_value()?;
        let since = self.by_use.peek(key)?.since;
        (!is_fresh(&self.settings, since, now)).then(|| Key::clone(key))
    }

    pub(super) fn remove(&mut self, key: &Key) {
        if let Some(removed) = self.by_use.pop(key) {
            self.by_age.remove(&removed.age);
        }
    }

    fn evict(&mut self) -> Option<Key> {
        if self.by_use.len() <= self.settings.max_size.get() {
            return None;
        }
        let (key, evicted) = self.by_use.pop_lru()?;
        self.by_age.remove(&evicted.age);
        Some(key)
    }
}

fn is_fresh(settings: &CacheSettings, since: Instant, now: Instant) -> bool {
    now.saturating_duration_since(since) < settings.ttl
}
