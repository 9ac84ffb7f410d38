//! The state of the idempotency actor: it reads the clock, asks the cache, publishes, and answers leader or followers.

use std::sync::Arc;

use super::answer::Answer;
use super::cache::{
    Begun, CacheSettings, CacheStats, Completed, ExecutionId, Fingerprint, Follower, IdempotencyCache, Key,
};
use super::lease::{Lease, Outcome};
use super::published::{Published, Unstored};
use crate::address::{Reply, WeakAddress};
use crate::clock::now;
use crate::lifecycle::{Handle, State};

/// How many expired answers one sweep removes, so that no request waits long behind it.
const SWEEP_LIMIT: usize = 256;

/// Owns one [`IdempotencyCache`].
pub(super) struct Answers<V: Answer> {
    cache: IdempotencyCache<V, Reply<Outcome<V>>>,
    published: Arc<Published<V>>,
    address: WeakAddress<Self>,
    log_target: &'static str,
}

impl<T: Send> Follower for Reply<T> {
    fn has_left(&self) -> bool {
        self.is_closed()
    }
}

/// Asks for the answer to a key, or for the lease to make it.
pub(super) struct Begin<V: Answer> {
    pub(super) key: Key,
    pub(super) fingerprint: Fingerprint,
    pub(super) reply: Reply<Outcome<V>>,
}

/// Reports the answer of an execution.
pub(super) struct Complete<V: Answer> {
    pub(super) key: Key,
    pub(super) execution: ExecutionId,
    pub(super) value: V,
    pub(super) unstored: Unstored<V>,
}

/// Reports that an execution ended without an answer.
pub(super) struct Abandon {
    pub(super) key: Key,
    pub(super) execution: ExecutionId,
}

/// Asks how full the cache is.
pub(super) struct ReadStats {
    pub(super) reply: Reply<CacheStats>,
}

/// Removes expired answers.
pub(super) struct Sweep;

impl<V: Answer> Answers<V> {
    /// An empty cache, with nothing published.
    pub(super) fn new(
        settings: CacheSettings,
        log_target: &'static str,
        published: Arc<Published<V>>,
        address: WeakAddress<Self>,
        last_number: u64,
    ) -> Self {
        published.clear();
        Self { cache: IdempotencyCache::new(settings, last_number), published, address, log_target }
    }

    /// Applies the replays that readers took without a message. To be called before the order of use matters.
    fn catch_up(&mut self) {
        for key in self.published.take_notes() {
            self.cache.touch(&key);
        }
    }

    fn lease(&self, key: &Key, execution: ExecutionId) -> Lease<V> {
        Lease::new(Key::clone(key), execution, self.address.clone(), Arc::clone(&self.published))
    }

    /// Withdraws an answer that has left the cache, and logs why.
    fn removed(&self, key: &str, event: &'static str) {
        self.published.withdraw(key);
        log::debug!(target: self.log_target, request_id = key; "{event}");
    }
}

impl<V: Answer> State for Answers<V> {
    const NAME: &'static str = "idempotency";

    fn last_number(&self) -> u64 {
        self.cache.last_number()
    }

    fn log_restart(&self) {
        log::error!(target: self.log_target, "Idempotency actor restarted after a panic; the cache is empty now");
    }
}

impl<V: Answer> Handle<Begin<V>> for Answers<V> {
    /// An answer that cannot be delivered is dropped here, and a dropped lease abandons its execution.
    fn handle(&mut self, Begin { key, fingerprint, reply }: Begin<V>) {
        if reply.is_closed() {
            return;
        }
        self.catch_up();
        match self.cache.begin(&key, fingerprint, reply, now()) {
            Begun::Replay { value, expires, caller } => {
                self.published.publish(&key, fingerprint, value.clone(), expires);
                drop(caller.send(Outcome::Replay(value)));
            }
            Begun::Lead { execution, caller, expired } => {
                if expired {
                    self.removed(&key, "Cache entry expired");
                }
                drop(caller.send(Outcome::Execute(self.lease(&key, execution))));
            }
            Begun::Follow => {}
            Begun::Conflict { caller } => drop(caller.send(Outcome::Conflict)),
        }
    }
}

impl<V: Answer> Handle<Complete<V>> for Answers<V> {
    /// Readers ask the actor until this has returned, so that they never read what it evicts.
    fn handle(&mut self, Complete { key, execution, value, unstored: _unstored }: Complete<V>) {
        self.catch_up();
        let Some(Completed { followers, evicted }) =
            self.cache.complete(&key, execution, value.clone(), now())
        else {
            return;
        };
        for follower in followers {
            let _ = follower.send(Outcome::Replay(value.clone()));
        }
        if let Some(evicted) = evicted {
            self.removed(&evicted, "Cache entry evicted");
        }
    }
}

impl<V: Answer> Handle<Abandon> for Answers<V> {
    /// A successor that has left as well drops its lease undelivered, and the next follower takes over.
    fn handle(&mut self, Abandon { key, execution }: Abandon) {
        if let Some((execution, successor)) = self.cache.abandon(&key, execution) {
            drop(successor.send(Outcome::Execute(self.lease(&key, execution))));
        }
    }
}

impl<V: Answer> Handle<ReadStats> for Answers<V> {
    fn handle(&mut self, ReadStats { reply }: ReadStats) {
        let _ = reply.send(self.cache.stats());
    }
}

impl<V: Answer> Handle<Sweep> for Answers<V> {
    fn handle(&mut self, _: Sweep) {
        let (target, published) = (self.log_target, &self.published);
        let more = self.cache.sweep(now(), SWEEP_LIMIT, |key| {
            published.withdraw(key);
            log::debug!(target: target, request_id = key; "Cache entry expired");
        });
        if more {
            self.address.send(Sweep);
        }
    }
}
