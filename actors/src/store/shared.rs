//! What the handles of a store share with its actor and its link.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use tokio::sync::{Notify, watch};

use super::address::StoreAddress;
use super::events::Event;
use super::hearing::{Heard, Hearing};
use super::knowledge::Knowledge;
use super::waiting::Waiting;
use crate::clock::now;

/// How long a server may act on what it knows, and how long its executions are its own, without hearing of the store.
pub(crate) const LEASE: Duration = Duration::from_secs(1);

/// How long the store may take for a step; one that takes longer counts as gone.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// Whether the store can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// It can.
    Available,
    /// It has not been reached yet, or does not answer.
    Unavailable,
}

/// The state of the connection and of what is known.
pub(super) struct Shared {
    pub(super) address: StoreAddress,
    /// Names this process among the servers; no other has had it.
    pub(super) server: String,
    pub(super) log_target: &'static str,
    /// How many tokens have been given out.
    pub(super) tokens: AtomicU64,
    pub(super) knowledge: Knowledge,
    pub(super) waiting: Arc<Waiting>,
    pub(super) hearing: Hearing,
    pub(super) availability: watch::Sender<Availability>,
    /// Asks the link to renew the lease now.
    pub(super) ask: Notify,
    connection: Mutex<Option<MultiplexedConnection>>,
}

/// What a step needs to be sent.
pub(super) struct Ready {
    pub(super) connection: MultiplexedConnection,
    pub(super) epoch: Arc<str>,
    /// The time of the store, in milliseconds, from which nobody waits for the answer.
    pub(super) until: u64,
}

impl Shared {
    pub(super) fn new(address: StoreAddress, log_target: &'static str, now: Instant) -> Self {
        Self {
            address,
            server: random_name(),
            log_target,
            tokens: AtomicU64::new(0),
            knowledge: Knowledge::new(now),
            waiting: Arc::default(),
            hearing: Hearing::default(),
            availability: watch::Sender::new(Availability::Unavailable),
            ask: Notify::new(),
            connection: Mutex::default(),
        }
    }

    /// What the next step needs; `None` while there is no connection.
    pub(super) fn ready(&self) -> Option<Ready> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let (epoch, time) = self.knowledge.clock(now())?;
        let until = time.saturating_add(u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX));
        Some(Ready { connection, epoch, until })
    }

    /// A connection is there, and everything is known.
    pub(super) fn connected(&self, connection: MultiplexedConnection) {
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        self.waiting.wake_all();
    }

    /// The connection is not used any more.
    pub(super) fn disconnected(&self) {
        self.knowledge.doubt();
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Lets the records of a session be appended; a server that has none says so at once.
    fn flush(&self, session: &str, number: &str) {
        if self.hearing.say(&format!("flush {session}"), number) == Heard::ByNone {
            self.publish(format!("flushed {number} {}", self.server));
        }
    }

    /// Says something to all servers. If it gets lost, those that wait for it do so in vain, for a second.
    fn publish(&self, text: String) {
        let Some(Ready { mut connection, .. }) = self.ready() else { return };
        let channel = format!("{}events", self.address.base());
        tokio::spawn(async move {
            let _ = redis::cmd("PUBLISH").arg(channel).arg(text).query_async::<u64>(&mut connection).await;
        });
    }

    /// Takes a message of the store.
    pub(super) fn hear(&self, text: &str) {
        match Event::read(text) {
            Some(Event::Changed) => self.ask.notify_one(),
            Some(Event::Knows { epoch, server, version }) => self.knowledge.note(epoch, server, version),
            Some(Event::Settled(name)) => self.waiting.wake(name),
            Some(Event::Flush { session, number }) => self.flush(session, number),
            Some(Event::Flushed { number, server }) => {
                self.hearing.say(&format!("flushed {number}"), server);
            }
            // A newer server may say more.
            None => {}
        }
    }
}

/// A name that nobody else has.
pub(super) fn random_name() -> String {
    format!("{:032x}", fastrand::u128(..))
}
