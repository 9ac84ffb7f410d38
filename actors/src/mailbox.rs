//! A mailbox that exists before its actor runs, and what a caller gets once the actor has ended.
//!
//! A server makes its handles first and starts the actors later, on the thread that will talk to them most:
//! a message to an actor on the same thread costs a fraction of one that has to wake another thread.

use std::sync::Arc;

use actix::dev::channel::{AddressReceiver, channel};
use actix::{Actor, Addr, Context};
use derive_more::{Display, Error};

/// The actor behind a handle has ended, so there is nobody to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
#[display("the {_0} actor has ended")]
pub struct Gone(#[error(not(source))] pub(crate) &'static str);

/// An actor that has an address already but does not run yet; its messages wait in the mailbox.
///
/// Dropping it instead of starting it closes the mailbox: whoever waits for an answer gets [`Gone`].
#[must_use = "messages wait until the actor is started"]
pub struct Unstarted<A: Actor<Context = Context<A>>> {
    actor: A,
    mailbox: AddressReceiver<A>,
}

impl<A: Actor<Context = Context<A>>> Unstarted<A> {
    /// Starts the actor on the current thread's arbiter, where it stays until its last handle is dropped.
    pub fn start(self) {
        Context::with_receiver(self.mailbox).run(self.actor);
    }
}

/// Makes the address first and then the actor, which may keep a weak reference to it.
///
/// The address is shared behind an [`Arc`] because cloning an `Addr` allocates and cloning an `Arc` does not.
/// The mailbox itself has no bound: its users admit work before they send (a request sends one message at a
/// time, and requests are limited), and a lease that is given back must never be refused.
pub(crate) fn prepare<A>(actor: impl FnOnce(&Arc<Addr<A>>) -> A) -> (Arc<Addr<A>>, Unstarted<A>)
where
    A: Actor<Context = Context<A>>,
{
    const UNBOUNDED: usize = 0;
    let (sender, mailbox) = channel(UNBOUNDED);
    let address = Arc::new(Addr::new(sender));
    let actor = actor(&address);
    (address, Unstarted { actor, mailbox })
}
