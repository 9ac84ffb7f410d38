//! The rules of the idempotency cache. Pure: the time is passed in, and a waiter is any value.
//!
//! A key is in one of three states: unknown, in flight (somebody executes, others may wait), or stored. An entry
//! in flight lives apart from the stored ones, so it can neither be evicted nor expire.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lru::LruCache;

/// An idempotency key. Shared, because the cache keeps it in three places.
pub type Key = Arc<str>;

/// Names one execution. A report with the id of an execution that has ended changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FlightId(u64);

/// How much is kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSettings {
    /// Stored answers at most; the least recently used one makes room for a new one.
    pub max_size: NonZeroUsize,
    /// An answer is dead this long after it was stored. Being read does not prolong its life.
    pub ttl: Duration,
}

/// How full the cache is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStats {
    /// Stored answers, dead ones that have not been swept yet included.
    pub stored: usize,
    /// Keys that somebody is executing now.
    pub in_flight: usize,
}

/// Somebody who waits for an answer and may give up.
pub trait Waiter {
    /// Whether nobody waits any more.
    fn has_left(&self) -> bool;
}

/// What the cache says to a caller who comes with a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Begun<V, W> {
    /// The answer is stored.
    Replay {
        /// The stored answer.
        value: V,
        /// When it dies.
        dies: Instant,
        /// The caller, to be answered now.
        waiter: W,
    },
    /// The caller is to execute, and to report with [`complete`](IdempotencyCache::complete) or
    /// [`abandon`](IdempotencyCache::abandon).
    Lead {
        /// The execution's id.
        flight: FlightId,
        /// The caller, to be answered now.
        waiter: W,
        /// Whether a stored answer was found dead and removed.
        expired: bool,
    },
    /// Somebody else is executing; the cache keeps the caller until that ends.
    Waiting,
}

/// What storing an answer has led to.
#[derive(Debug, PartialEq, Eq)]
pub struct Completed<W> {
    /// Those who waited, first come first.
    pub waiters: VecDeque<W>,
    /// The key that had to make room.
    pub evicted: Option<Key>,
}

/// Answers by key, and who waits for those that are being made.
#[derive(Debug)]
pub struct IdempotencyCache<V, W> {
    settings: CacheSettings,
    stored: LruCache<Key, Stored<V>>,
    /// The stored keys in the order in which they were stored, which is the order in which they die.
    by_age: BTreeMap<u64, Key>,
    flights: HashMap<Key, Flight<W>>,
    /// Numbers flights and stored answers.
    next: u64,
}

#[derive(Debug)]
struct Stored<V> {
    value: V,
    since: Instant,
    age: u64,
}

#[derive(Debug)]
struct Flight<W> {
    id: FlightId,
    waiters: VecDeque<W>,
}

impl<V: Clone, W: Waiter> IdempotencyCache<V, W> {
    /// An empty cache. Memory is taken as answers are stored, not in advance.
    #[must_use]
    pub fn new(settings: CacheSettings) -> Self {
        Self {
            settings,
            stored: LruCache::unbounded(),
            by_age: BTreeMap::new(),
            flights: HashMap::new(),
            next: 0,
        }
    }

    /// Decides what a caller with `key` does: take the stored answer, execute, or wait.
    pub fn begin(&mut self, key: &Key, waiter: W, now: Instant) -> Begun<V, W> {
        let expired = match self.stored.get(key) {
            Some(found) if is_alive(found.since, self.settings.ttl, now) => {
                let dies = found.since + self.settings.ttl;
                return Begun::Replay { value: found.value.clone(), dies, waiter };
            }
            Some(_) => {
                self.remove(key);
                true
            }
            None => false,
        };
        if let Some(flight) = self.flights.get_mut(key) {
            flight.join(waiter);
            return Begun::Waiting;
        }
        let flight = FlightId(self.number());
        self.flights.insert(Arc::clone(key), Flight { id: flight, waiters: VecDeque::new() });
        Begun::Lead { flight, waiter, expired }
    }

    /// Stores the answer of `flight` and hands back those who waited for it; `None` if that flight has ended.
    pub fn complete(&mut self, key: &Key, flight: FlightId, value: V, now: Instant) -> Option<Completed<W>> {
        let ended = self.end(key, flight)?;
        let age = self.number();
        self.stored.put(Arc::clone(key), Stored { value, since: now, age });
        self.by_age.insert(age, Arc::clone(key));
        Some(Completed { waiters: ended.waiters, evicted: self.evict() })
    }

    /// The execution of `flight` has died. The first of those who wait takes over, as a new flight; `None` when
    /// nobody waits or that flight has ended already.
    pub fn abandon(&mut self, key: &Key, flight: FlightId) -> Option<(FlightId, W)> {
        let mut ended = self.end(key, flight)?;
        let successor = ended.waiters.pop_front()?;
        let flight = FlightId(self.number());
        self.flights.insert(Arc::clone(key), Flight { id: flight, waiters: ended.waiters });
        Some((flight, successor))
    }

    /// Removes dead answers, oldest first and `limit` at most, and names each. Returns whether more are left.
    pub fn sweep(&mut self, now: Instant, limit: usize, mut removed: impl FnMut(&str)) -> bool {
        for _ in 0..limit {
            match self.oldest_if_dead(now) {
                Some(key) => {
                    self.remove(&key);
                    removed(&key);
                }
                None => return false,
            }
        }
        self.oldest_if_dead(now).is_some()
    }

    /// Counts as a use of the answer, if there is one: it is now the most recently used.
    pub fn touch(&mut self, key: &Key) {
        self.stored.promote(key);
    }

    /// How full the cache is.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        CacheStats { stored: self.stored.len(), in_flight: self.flights.len() }
    }

    fn oldest_if_dead(&self, now: Instant) -> Option<Key> {
        let (_, key) = self.by_age.first_key_value()?;
        let since = self.stored.peek(key)?.since;
        (!is_alive(since, self.settings.ttl, now)).then(|| Arc::clone(key))
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

    fn end(&mut self, key: &Key, flight: FlightId) -> Option<Flight<W>> {
        self.flights.get(key).filter(|current| current.id == flight)?;
        self.flights.remove(key)
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl<W: Waiter> Flight<W> {
    /// Forgets those who left, whenever the queue would have to grow: so it holds at most twice as many as were
    /// ever waiting at once, however many come and go.
    fn join(&mut self, waiter: W) {
        if self.waiters.len() == self.waiters.capacity() {
            self.waiters.retain(|waiting| !waiting.has_left());
        }
        self.waiters.push_back(waiter);
    }
}

fn is_alive(since: Instant, ttl: Duration, now: Instant) -> bool {
    now.saturating_duration_since(since) < ttl
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
