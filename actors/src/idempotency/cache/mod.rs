//! The rules of the idempotency cache. Pure: the time is passed in, and a caller is any value.
//!
//! A key is in one of three states: unknown, in flight (a leader executes, followers may wait), or stored. Executions
//! in flight are kept apart from stored answers, so they can neither be evicted nor expire.

mod executions;
mod settings;
mod stored;

use std::collections::VecDeque;
use std::time::Instant;

pub use executions::{ExecutionId, Follower};
pub use settings::{CacheSettings, Fingerprint, Key};

use executions::{Executions, Joined};
use stored::{Found, StoredAnswers};

/// How full the cache is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStats {
    /// Stored answers, expired ones that have not been swept yet included.
    pub stored: usize,
    /// Executions that have neither completed nor been abandoned.
    pub in_flight: usize,
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
    /// The key belongs to a request that asks for something else.
    Conflict {
        /// The caller, handed back to be answered now.
        caller: W,
    },
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
    stored: StoredAnswers<V>,
    executions: Executions<W>,
}

impl<V: Clone, W: Follower> IdempotencyCache<V, W> {
    /// Makes an empty cache that numbers its executions from `last_number + 1`, so that none has the id of an
    /// execution of an earlier cache.
    #[must_use]
    pub fn new(settings: CacheSettings, last_number: u64) -> Self {
        Self { stored: StoredAnswers::new(settings), executions: Executions::new(last_number) }
    }

    /// Decides whether a caller with `key` takes the stored answer, executes, or waits. A caller that asks for
    /// something else under the same key gets a conflict.
    pub fn begin(&mut self, key: &Key, fingerprint: Fingerprint, caller: W, now: Instant) -> Begun<V, W> {
        let expired = match self.stored.get(key, now) {
            Found::Fresh(_, _, stored) if stored != fingerprint => return Begun::Conflict { caller },
            Found::Fresh(value, expires, _) => return Begun::Replay { value, expires, caller },
            Found::Expired => true,
            Found::Nothing => false,
        };
        match self.executions.join(key, fingerprint, caller) {
            Joined::Leads(execution, caller) => Begun::Lead { execution, caller, expired },
            Joined::Follows => Begun::Follow,
            Joined::Conflicts(caller) => Begun::Conflict { caller },
        }
    }

    /// Stores the answer of `execution` and returns its followers; `None` if that execution has ended already.
    pub fn complete(
        &mut self,
        key: &Key,
        execution: ExecutionId,
        value: V,
        now: Instant,
    ) -> Option<Completed<W>> {
        let (fingerprint, followers) = self.executions.end(key, execution)?;
        Some(Completed { followers, evicted: self.stored.put(key, fingerprint, value, now) })
    }

    /// Ends an execution that has made no answer. The first follower takes over with a new execution; `None` when there
    /// is no follower, or that execution has ended already.
    pub fn abandon(&mut self, key: &Key, execution: ExecutionId) -> Option<(ExecutionId, W)> {
        self.executions.hand_over(key, execution)
    }

    /// Removes expired answers, oldest first and at most `limit`, and calls `removed` with the key of each. Returns
    /// whether more are left.
    pub fn sweep(&mut self, now: Instant, limit: usize, mut removed: impl FnMut(&str)) -> bool {
        for _ in 0..limit {
            let Some(key) = self.stored.oldest_expired(now) else { return false };
            self.stored.remove(&key);
            removed(&key);
        }
        self.stored.oldest_expired(now).is_some()
    }

    /// Makes the answer to `key`, if there is one, the most recently used.
    pub fn touch(&mut self, key: &Key) {
        self.stored.touch(key);
    }

    /// Returns the last number that was given to an execution.
    #[must_use]
    pub fn last_number(&self) -> u64 {
        self.executions.last_number()
    }

    /// Returns how full the cache is.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        CacheStats { stored: self.stored.len(), in_flight: self.executions.len() }
    }
}

#[cfg(test)]
mod tests;
