//! The rules of the idempotency cache. Pure: the time is passed in, and a caller is any value.
//!
//! A key is in one of three states: unknown, in flight (a leader executes, followers may wait), or stored. Executions
//! in flight are kept apart from stored answers, so they can neither be evicted nor expire.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lru::LruCache;

/// An idempotency key. It is shared because the cache keeps it in three places.
pub type Key = Arc<str>;

/// Identifies one execution. A report with the id of an execution that has ended changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExecutionId(u64);

/// How much is kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSettings {
    /// The largest number of stored answers; beyond it, the least recently used one is evicted.
    pub max_size: NonZeroUsize,
    /// How long after it was stored an answer expires. Reading it does not extend the time.
    pub ttl: Duration,
}

/// How full the cache is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStats {
    /// Stored answers, expired ones that have not been swept yet included.
    pub stored: usize,
    /// Executions that have neither completed nor been abandoned.
    pub in_flight: usize,
}

/// A caller that may have to wait for the answer of another, and may leave meanwhile.
pub trait Follower {
    /// Whether the caller no longer waits.
    fn has_left(&self) -> bool;
}

/// What a caller with a key does next.
#[derive(Debug, PartialEq, Eq)]
pub enum Begun<V, W> {
    /// The caller takes the stored answer.
    Replay {
        /// The stored answer.
        value: V,
        /// When it expires.
        expires: Instant,
        /// The caller, handed back to be answered now.
        caller: W,
    },
    /// The caller leads: it executes, and reports with [`complete`](IdempotencyCache::complete) or
    /// [`abandon`](IdempotencyCache::abandon).
    Lead {
        /// The id of its execution.
        execution: ExecutionId,
        /// The caller, handed back to be answered now.
        caller: W,
        /// Whether a stored answer had expired and was removed.
        expired: bool,
    },
    /// The caller follows: the cache keeps it until the leader's execution ends.
    Follow,
}

/// The consequences of storing an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Completed<W> {
    /// The callers that waited for the answer, in the order in which they came.
    pub followers: VecDeque<W>,
    /// The key whose answer was evicted.
    pub evicted: Option<Key>,
}

/// Stored answers, and executions in flight with their followers, by key.
#[derive(Debug)]
pub struct IdempotencyCache<V, W> {
    settings: CacheSettings,
    stored: LruCache<Key, Stored<V>>,
    /// The stored keys in the order in which they were stored, which is the order in which they expire.
    by_age: BTreeMap<u64, Key>,
    executions: HashMap<Key, Execution<W>>,
    /// The last number given to an execution or a stored answer.
    last_number: u64,
}

#[derive(Debug)]
struct Stored<V> {
    value: V,
    since: Instant,
    age: u64,
}

#[derive(Debug)]
struct Execution<W> {
    id: ExecutionId,
    followers: VecDeque<W>,
}

impl<V: Clone, W: Follower> IdempotencyCache<V, W> {
    /// Makes an empty cache that numbers its executions from `last_number + 1`, so that none has the id of an
    /// execution of an earlier cache. Memory is allocated as answers are stored, not in advance.
    #[must_use]
    pub fn new(settings: CacheSettings, last_number: u64) -> Self {
        Self {
            settings,
            stored: LruCache::unbounded(),
            by_age: BTreeMap::new(),
            executions: HashMap::new(),
            last_number,
        }
    }

    /// Decides whether a caller with `key` takes the stored answer, executes, or waits.
    pub fn begin(&mut self, key: &Key, caller: W, now: Instant) -> Begun<V, W> {
        let expired = match self.stored.get(key) {
            Some(found) if is_fresh(found.since, self.settings.ttl, now) => {
                let expires = found.since + self.settings.ttl;
                return Begun::Replay { value: found.value.clone(), expires, caller };
            }
            Some(_) => {
                self.remove(key);
                true
            }
            None => false,
        };
        if let Some(execution) = self.executions.get_mut(key) {
            execution.join(caller);
            return Begun::Follow;
        }
        let execution = ExecutionId(self.number());
        self.executions.insert(Arc::clone(key), Execution { id: execution, followers: VecDeque::new() });
        Begun::Lead { execution, caller, expired }
    }

    /// Stores the answer of `execution` and returns its followers; `None` if that execution has ended already.
    pub fn complete(
        &mut self,
        key: &Key,
        execution: ExecutionId,
        value: V,
        now: Instant,
    ) -> Option<Completed<W>> {
        let ended = self.end(key, execution)?;
        let age = self.number();
        self.stored.put(Arc::clone(key), Stored { value, since: now, age });
        self.by_age.insert(age, Arc::clone(key));
        Some(Completed { followers: ended.followers, evicted: self.evict() })
    }

    /// Ends an execution that has made no answer. The first follower takes over with a new execution; `None` when there
    /// is no follower, or that execution has ended already.
    pub fn abandon(&mut self, key: &Key, execution: ExecutionId) -> Option<(ExecutionId, W)> {
        let mut ended = self.end(key, execution)?;
        let successor = ended.followers.pop_front()?;
        let execution = ExecutionId(self.number());
        self.executions.insert(Arc::clone(key), Execution { id: execution, followers: ended.followers });
        Some((execution, successor))
    }

    /// Removes expired answers, oldest first and at most `limit`, and calls `removed` with the key of each. Returns
    /// whether more are left.
    pub fn sweep(&mut self, now: Instant, limit: usize, mut removed: impl FnMut(&str)) -> bool {
        for _ in 0..limit {
            match self.oldest_if_expired(now) {
                Some(key) => {
                    self.remove(&key);
                    removed(&key);
                }
                None => return false,
            }
        }
        self.oldest_if_expired(now).is_some()
    }

    /// Makes the answer to `key`, if there is one, the most recently used.
    pub fn touch(&mut self, key: &Key) {
        self.stored.promote(key);
    }

    /// Returns the last number that was given to an execution or a stored answer.
    #[must_use]
    pub fn last_number(&self) -> u64 {
        self.last_number
    }

    /// Returns how full the cache is.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        CacheStats { stored: self.stored.len(), in_flight: self.executions.len() }
    }

    fn oldest_if_expired(&self, now: Instant) -> Option<Key> {
        let (_, key) = self.by_age.first_key_value()?;
        let since = self.stored.peek(key)?.since;
        (!is_fresh(since, self.settings.ttl, now)).then(|| Arc::clone(key))
    }

    fn remove(&mut self, key: &Key) {
        if let Some(removed) = self.stored.pop(key) {
            self.by_age.remove(&removed.age);
        }
    }

    fn evict(&mut self) -> Option<Key> {
        if self.stored.len() <= self.settings.max_size.get() {
            return None;
        }
        let (key, evicted) = self.stored.pop_lru()?;
        self.by_age.remove(&evicted.age);
        Some(key)
    }

    fn end(&mut self, key: &Key, execution: ExecutionId) -> Option<Execution<W>> {
        self.executions.get(key).filter(|current| current.id == execution)?;
        self.executions.remove(key)
    }

    fn number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}

impl<W: Follower> Execution<W> {
    /// Adds a follower. Those that have left are removed whenever the queue would have to grow, so it holds at most
    /// twice as many as ever waited at once, however many come and go.
    fn join(&mut self, caller: W) {
        if self.followers.len() == self.followers.capacity() {
            self.followers.retain(|waiting| !waiting.has_left());
        }
        self.followers.push_back(caller);
    }
}

fn is_fresh(since: Instant, ttl: Duration, now: Instant) -> bool {
    now.saturating_duration_since(since) < ttl
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
