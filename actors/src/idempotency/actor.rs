//! The actor that owns the cache. Handlers read the clock, ask the cache, and answer whoever is due.

use std::sync::{Arc, Weak};
use std::time::Duration;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use futures::channel::oneshot;

use super::cache::{Begun, CacheSettings, CacheStats, Completed, FlightId, IdempotencyCache, Key, Waiter};
use super::handle::{Lease, Outcome};
use super::published::Published;
use crate::clock::now;

/// Answers that can be kept: cheap to clone, and free to move between threads.
pub trait Answer: Clone + Send + Unpin + 'static {}

impl<V: Clone + Send + Unpin + 'static> Answer for V {}

/// How often dead answers are looked for.
const SWEEP_PERIOD: Duration = Duration::from_secs(1);

/// How many of them one message removes, so that no request waits long behind a sweep.
const SWEEP_LIMIT: usize = 256;

/// Owns one [`IdempotencyCache`].
pub struct IdempotencyActor<V: Answer> {
    cache: IdempotencyCache<V, Reply<V>>,
    published: Arc<Published<V>>,
    address: Weak<Addr<Self>>,
    log_target: &'static str,
}

type Reply<V> = oneshot::Sender<Outcome<V>>;

impl<V: Answer> Waiter for Reply<V> {
    fn has_left(&self) -> bool {
        self.is_canceled()
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Begin<V: Answer> {
    pub(super) key: Key,
    pub(super) reply: Reply<V>,
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Complete<V: Answer> {
    pub(super) key: Key,
    pub(super) flight: FlightId,
    pub(super) value: V,
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Abandon {
    pub(super) key: Key,
    pub(super) flight: FlightId,
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct ReadStats {
    pub(super) reply: oneshot::Sender<CacheStats>,
}

#[derive(Message)]
#[rtype(result = "()")]
struct Sweep;

impl<V: Answer> IdempotencyActor<V> {
    pub(super) fn new(
        settings: CacheSettings,
        log_target: &'static str,
        published: Arc<Published<V>>,
        address: Weak<Addr<Self>>,
    ) -> Self {
        Self { cache: IdempotencyCache::new(settings), published, address, log_target }
    }

    /// Learns of the replays that went past it. To be called before the order of use matters or changes.
    fn catch_up(&mut self) {
        for key in self.published.take_notes() {
            self.cache.touch(&key);
        }
    }

    fn lease(&self, key: &Key, flight: FlightId) -> Lease<V> {
        Lease::new(Key::clone(key), flight, self.address.clone())
    }

    /// The answer is gone from the cache.
    fn ended(&self, key: &str, event: &'static str) {
        self.published.withdraw(key);
        log::debug!(target: self.log_target, request_id = key; "{event}");
    }
}

impl<V: Answer> Actor for IdempotencyActor<V> {
    type Context = Context<Self>;

    /// The sweep's timer is a task of its own: a future in the actor's context would be polled with every message.
    fn started(&mut self, _: &mut Self::Context) {
        let address = self.address.clone();
        actix_rt::spawn(async move {
            loop {
                actix_rt::time::sleep(SWEEP_PERIOD).await;
                match address.upgrade() {
                    Some(address) => address.do_send(Sweep),
                    None => break,
                }
            }
        });
    }
}

impl<V: Answer> Handler<Begin<V>> for IdempotencyActor<V> {
    type Result = ();

    /// An answer that nobody takes any more is dropped here, and a dropped lease reports itself abandoned.
    fn handle(&mut self, Begin { key, reply }: Begin<V>, _: &mut Self::Context) {
        if reply.is_canceled() {
            return;
        }
        self.catch_up();
        match self.cache.begin(&key, reply, now()) {
            Begun::Replay { value, dies, waiter } => {
                self.published.publish(&key, value.clone(), dies);
                drop(waiter.send(Outcome::Replay(value)));
            }
            Begun::Lead { flight, waiter, expired } => {
                if expired {
                    self.ended(&key, "Cache entry expired");
                }
                drop(waiter.send(Outcome::Execute(self.lease(&key, flight))));
            }
            Begun::Waiting => {}
        }
    }
}

impl<V: Answer> Handler<Complete<V>> for IdempotencyActor<V> {
    type Result = ();

    fn handle(&mut self, Complete { key, flight, value }: Complete<V>, _: &mut Self::Context) {
        self.catch_up();
        let Some(Completed { waiters, evicted }) = self.cache.complete(&key, flight, value.clone(), now())
        else {
            return;
        };
        for waiter in waiters {
            let _ = waiter.send(Outcome::Replay(value.clone()));
        }
        if let Some(evicted) = evicted {
            self.ended(&evicted, "Cache entry evicted");
        }
    }
}

impl<V: Answer> Handler<Abandon> for IdempotencyActor<V> {
    type Result = ();

    /// An heir who has left as well drops its lease undelivered, which brings the next one's turn.
    fn handle(&mut self, Abandon { key, flight }: Abandon, _: &mut Self::Context) {
        if let Some((flight, heir)) = self.cache.abandon(&key, flight) {
            drop(heir.send(Outcome::Execute(self.lease(&key, flight))));
        }
    }
}

impl<V: Answer> Handler<ReadStats> for IdempotencyActor<V> {
    type Result = ();

    fn handle(&mut self, ReadStats { reply }: ReadStats, _: &mut Self::Context) {
        let _ = reply.send(self.cache.stats());
    }
}

impl<V: Answer> Handler<Sweep> for IdempotencyActor<V> {
    type Result = ();

    fn handle(&mut self, _: Sweep, context: &mut Self::Context) {
        let (target, published) = (self.log_target, &self.published);
        let more = self.cache.sweep(now(), SWEEP_LIMIT, |key| {
            published.withdraw(key);
            log::debug!(target: target, request_id = key; "Cache entry expired");
        });
        if more {
            context.address().do_send(Sweep);
        }
    }
}
