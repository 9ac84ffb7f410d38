//! The handle of a store, which the shared variants of the other handles ask.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::address::StoreAddress;
use super::answer::{Answer, Failure};
use super::call::Call;
use super::hearing::Hearer;
use super::knowledge::{Listener, Watcher};
use super::link;
use super::shared::{Availability, PATIENCE, Shared};
use super::steps::{Insist, Step, Steps};
use super::waiting::Waiter;
use crate::address::Address;
use crate::clock::now;
use crate::error::ActorError;
use crate::lifecycle::{self, Unstarted};

/// Asks one store, from any thread. Cheap to clone; the actor and its connection end with the last handle.
#[derive(Clone)]
pub struct StoreHandle {
    address: Address<Steps>,
    shared: Arc<Shared>,
}

/// Makes the handle of a store and the actor that has yet to be started. Once it runs, it connects, and connects again
/// whenever the store was gone; that is logged under `log_target`. Nothing waits for the store to be there: what is
/// asked meanwhile gets [`ActorError::Unavailable`] at once.
pub fn prepare(address: StoreAddress, log_target: &'static str) -> (StoreHandle, Unstarted) {
    let shared = Arc::new(Shared::new(address, log_target, now()));
    let (for_actor, for_link) = (Arc::clone(&shared), Arc::clone(&shared));
    let (address, actor) = lifecycle::prepare(move |_, _| Steps::new(Arc::clone(&for_actor)));
    let own = address.downgrade();
    let actor = actor.and_then(move || drop(actix_rt::spawn(link::keep(for_link, own))));
    (StoreHandle { address, shared }, actor)
}

impl StoreHandle {
    /// Whether the store can be used, now and as it changes.
    #[must_use]
    pub fn availability(&self) -> watch::Receiver<Availability> {
        self.shared.availability.subscribe()
    }

    /// Whether this server may act on what it has learnt of the store.
    pub(crate) fn is_fresh(&self) -> bool {
        self.shared.knowledge.is_fresh(now())
    }

    /// Returns as soon as this server may act on what it knows, which it mostly may at once.
    pub(crate) async fn freshen(&self) -> Result<(), ActorError> {
        let mut learnt = self.shared.knowledge.learnt();
        while !self.is_fresh() {
            if *self.shared.availability.borrow() == Availability::Unavailable {
                return Err(ActorError::Unavailable);
            }
            self.shared.ask.notify_one();
            if timeout(PATIENCE, learnt.changed()).await.is_err() {
                return Err(ActorError::Unavailable);
            }
        }
        Ok(())
    }

    /// The name of this server; no other has had it.
    pub(crate) fn server(&self) -> &str {
        &self.shared.server
    }

    /// Calls a watcher with the value of a topic, now and at every change for as long as the watcher exists.
    pub(crate) fn watch(&self, topic: &str, watcher: &Watcher) {
        self.shared.knowledge.watch(topic, watcher);
    }

    /// Calls a listener with the values of a concept's topics, now and at every change for as long as it exists.
    pub(crate) fn listen(&self, concept: &str, listener: &Listener) {
        self.shared.knowledge.listen(concept, listener);
    }

    /// Lets one hear what the store says under a name, for as long as it exists.
    pub(crate) fn hear(&self, name: String, hearer: &Hearer) {
        self.shared.hearing.add(name, hearer);
    }

    /// Begins to wait for what the store says under a name.
    pub(crate) fn wait(&self, name: String) -> Waiter {
        self.shared.waiting.wait(name)
    }

    /// The token of an execution on this server; no other has it.
    pub(crate) fn token(&self) -> String {
        format!("{}/{}", self.shared.server, self.shared.tokens.fetch_add(1, Ordering::Relaxed))
    }

    /// The present epoch of the store; `None` before the first contact.
    pub(crate) fn epoch(&self) -> Option<Arc<str>> {
        self.shared.knowledge.position().0
    }

    /// Runs a script, and makes a value of its answer where the answer arrives. So a value that gives itself back when
    /// it is dropped does so even if the caller has left meanwhile.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        call: Call,
        read: impl FnOnce(Result<Answer, Failure>) -> R + Send + 'static,
    ) -> Result<R, ActorError> {
        self.address.ask(|reply| Step { call, read: Box::new(read), reply }).await
    }

    /// Runs a script and returns its answer.
    pub(crate) async fn ask(&self, call: Call) -> Result<Answer, ActorError> {
        self.run(call, |answer| answer.map_err(|_| ActorError::Unavailable)).await?
    }

    /// Runs an order, and waits until every server knows of it that could act on what was true before.
    pub(crate) async fn order(&self, call: Call) -> Result<Answer, ActorError> {
        let answer = self.ask(call).await?;
        let servers = 2 + usize::try_from(answer.number(1)).unwrap_or(0);
        let live = answer.pairs(servers).map(|(server, left)| {
            let left = left.and_then(|left| left.parse().ok()).unwrap_or(0);
            (server.into(), Duration::from_millis(left))
        });
        self.shared.knowledge.known_by(answer.number(0), live.collect()).await;
        Ok(answer.into_result())
    }

    /// Runs a script even if the store has to come back first, within `lasts`; nobody waits for it.
    pub(crate) fn insist(&self, call: Call, lasts: Duration) {
        self.address.send(Insist { call, lasts });
    }
}

impl fmt::Debug for StoreHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreHandle({})", self.shared.address)
    }
}
