//! How a handle talks to its actor: messages, questions, and the channel of an answer.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use actix::Addr;
use tokio::sync::oneshot;

use crate::error::ActorError;
use crate::lifecycle::{Handle, Mail, State, StateActor};

/// The channel of one answer. A message brings its own, so an answer can be sent from any later message too;
/// a message that is dropped drops its channel, and its caller gets an [`ActorError`].
pub(crate) type Reply<R> = oneshot::Sender<R>;

/// The address of a started or prepared actor. The actor ends with its last address.
///
/// It is shared behind an [`Arc`] because cloning an `Addr` of actix allocates and cloning an `Arc` does not.
pub(crate) struct Address<S: State>(Arc<Shared<S>>);

/// An address that does not keep its actor running.
pub(crate) struct WeakAddress<S: State>(Weak<Shared<S>>);

struct Shared<S: State> {
    actor: Addr<StateActor<S>>,
    restarts: AtomicU64,
    /// Set before an actor that ends for good drops its state, and with it the answers that its callers wait for.
    ended: AtomicBool,
}

impl<S: State> Address<S> {
    pub(crate) fn new(actor: Addr<StateActor<S>>) -> Self {
        Self(Arc::new(Shared { actor, restarts: AtomicU64::new(0), ended: AtomicBool::new(false) }))
    }

    /// Sends a message; an actor that has ended drops it.
    pub(crate) fn send<M>(&self, message: M)
    where
        S: Handle<M>,
        M: Send + 'static,
    {
        self.0.actor.do_send(Mail(message));
    }

    /// Sends a message that carries the channel for its answer, and waits for the answer.
    pub(crate) async fn ask<M, R>(&self, message: impl FnOnce(Reply<R>) -> M) -> Result<R, ActorError>
    where
        S: Handle<M>,
        M: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(message(reply));
        answer.await.map_err(|_| match self.has_ended() {
            true => ActorError::Ended(S::NAME),
            false => ActorError::Failed(S::NAME),
        })
    }

    /// Whether the actor has ended, or was dropped before it was started.
    fn has_ended(&self) -> bool {
        self.0.ended.load(Ordering::Acquire) || !self.0.actor.connected()
    }

    /// How many times the actor's state has been built anew after a panic.
    pub(crate) fn restarts(&self) -> u64 {
        self.0.restarts.load(Ordering::Acquire)
    }

    pub(crate) fn downgrade(&self) -> WeakAddress<S> {
        WeakAddress(Arc::downgrade(&self.0))
    }
}

impl<S: State> WeakAddress<S> {
    /// The address; `None` once its last holder has dropped it, which ends the actor.
    pub(crate) fn upgrade(&self) -> Option<Address<S>> {
        self.0.upgrade().map(Address)
    }

    /// Sends a message if the actor still runs.
    pub(crate) fn send<M>(&self, message: M)
    where
        S: Handle<M>,
        M: Send + 'static,
    {
        if let Some(address) = self.upgrade() {
            address.send(message);
        }
    }

    pub(crate) fn mark_ended(&self) {
        if let Some(shared) = self.0.upgrade() {
            shared.ended.store(true, Ordering::Release);
        }
    }

    pub(crate) fn count_restart(&self) {
        if let Some(shared) = self.0.upgrade() {
            shared.restarts.fetch_add(1, Ordering::Release);
        }
    }
}

impl<S: State> Clone for Address<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: State> Clone for WeakAddress<S> {
    fn clone(&self) -> Self {
        Self(Weak::clone(&self.0))
    }
}

impl<S: State> fmt::Debug for Address<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", S::NAME)
    }
}

impl<S: State> fmt::Debug for WeakAddress<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WeakAddress({})", S::NAME)
    }
}
