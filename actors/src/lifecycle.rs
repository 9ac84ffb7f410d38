//! The lifecycle that all actors of this crate share: prepared, started, failed and rebuilt, ended.
//!
//! An actor is a [`State`] and the messages that it [handles](Handle). The state is built by a factory when the actor
//! starts. A handler that panics may leave the state half changed, so the state is dropped and the factory builds a
//! new one, while the mailbox and its address stay: the caller of the message that panicked gets
//! [`ActorError::Failed`](crate::ActorError::Failed), and the messages behind it are handled by the new state.
//!
//! actix itself catches no panic: without the guard here, a panic would end the actor and its supervisor with it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use actix::dev::channel::{AddressReceiver, channel};
use actix::{Actor, ActorContext, Addr, Context, Handler, Message, Supervised};

use crate::address::{Address, WeakAddress};

/// What one actor owns and changes, one message at a time.
pub(crate) trait State: Unpin + 'static {
    /// Names the actor in errors and in the log.
    const NAME: &'static str;

    /// The last number that this state has given to what it lends (a lease, a permit, a counted failure). The next
    /// state numbers from here on, so that what was lent before a failure never matches what is lent after it.
    fn last_number(&self) -> u64;

    /// Logs that this state has replaced one that was lost in a panic.
    fn log_restart(&self);
}

/// A state that handles messages of one type. Handlers must not wait: the next message is handled after this one.
pub(crate) trait Handle<M>: State {
    fn handle(&mut self, message: M);
}

/// The actor around a state.
pub(crate) struct StateActor<S: State> {
    /// `None` only between a failure and the restart.
    state: Option<S>,
    last_number: u64,
    build: Box<dyn FnMut(WeakAddress<S>, u64) -> S>,
    address: WeakAddress<S>,
}

/// A message on its way to a [`StateActor`].
pub(crate) struct Mail<M>(pub(crate) M);

/// An actor that has an address already but does not run yet; its messages wait in the mailbox.
///
/// A server makes its handles first and starts the actors later, on the thread that talks to them most: a message to
/// an actor on the same thread costs a fraction of one that has to wake another thread.
///
/// If it is dropped instead of started, the mailbox closes and every caller gets
/// [`ActorError::Ended`](crate::ActorError::Ended).
#[must_use = "messages wait until the actor is started"]
pub struct Unstarted(Box<dyn FnOnce() + Send>);

impl Unstarted {
    /// Starts the actor on the current thread's arbiter, where it stays until its last handle is dropped.
    ///
    /// # Panics
    ///
    /// Outside an actix system, as every actor does.
    pub fn start(self) {
        (self.0)();
    }

    /// Something that is no actor of its own, and begins with the actors.
    #[cfg(feature = "store")]
    pub(crate) fn of(start: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(start))
    }

    /// Adds something to be done right after the start.
    pub(crate) fn and_then(self, next: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(move || {
            self.start();
            next();
        }))
    }
}

/// Makes an address, and the actor behind it that has yet to be started.
///
/// `build` makes the state at the start and after every failure, and publishes what readers see of it. It gets an
/// address for the state's own use, and the number after which the state begins to number what it lends.
///
/// The mailbox has no bound. Its users admit work before they send (a request sends one message at a time, and
/// requests are limited), and a lease that is given back must never be refused.
pub(crate) fn prepare<S: State>(
    mut build: impl FnMut(WeakAddress<S>, u64) -> S + Send + 'static,
) -> (Address<S>, Unstarted) {
    const UNBOUNDED: usize = 0;
    let (sender, mailbox) = channel(UNBOUNDED);
    let address = Address::new(Addr::new(sender));
    let own = address.downgrade();
    let start = move || {
        let last_number = 0;
        let state = Some(build(own.clone(), last_number));
        StateActor { state, last_number, build: Box::new(build), address: own }.run(mailbox);
    };
    (address, Unstarted(Box::new(start)))
}

impl<S: State> StateActor<S> {
    /// Runs until the last address is dropped, and restarts after every failure.
    fn run(self, mailbox: AddressReceiver<Self>) {
        let mut running = Context::with_receiver(mailbox).into_future(self);
        actix_rt::spawn(async move {
            loop {
                (&mut running).await;
                if !running.restart() {
                    break;
                }
            }
        });
    }

    /// Drops the state and stops the context, which leaves the rest of the mailbox to the restarted actor.
    fn fail(&mut self, context: &mut Context<Self>) {
        if let Some(failed) = self.state.take() {
            self.last_number = failed.last_number();
            // Whatever made the handler panic can make the drop of the same values panic.
            let _ = catch_unwind(AssertUnwindSafe(move || drop(failed)));
        }
        context.stop();
    }
}

impl<S: State> Actor for StateActor<S> {
    type Context = Context<Self>;

    /// Called for a failure too, which leaves no state.
    fn stopped(&mut self, _: &mut Self::Context) {
        if self.state.is_some() {
            self.address.mark_ended();
        }
    }
}

impl<S: State> Supervised for StateActor<S> {
    fn restarting(&mut self, _: &mut Self::Context) {
        let state = (self.build)(self.address.clone(), self.last_number);
        self.address.count_restart();
        state.log_restart();
        self.state = Some(state);
    }
}

impl<M> Message for Mail<M> {
    type Result = ();
}

impl<S: Handle<M>, M: Send + 'static> Handler<Mail<M>> for StateActor<S> {
    type Result = ();

    /// Unwind safety: a state that was left half changed is never looked at again, but for its last number.
    fn handle(&mut self, Mail(message): Mail<M>, context: &mut Self::Context) {
        let Some(state) = &mut self.state else { return };
        if catch_unwind(AssertUnwindSafe(|| state.handle(message))).is_err() {
            self.fail(context);
        }
    }
}

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;

/// Makes a handler of any state panic, in tests.
#[cfg(any(test, feature = "panic-injection"))]
pub(crate) struct Panic(
    #[expect(dead_code, reason = "dropped by the panic")] pub(crate) crate::address::Reply<()>,
);

#[cfg(any(test, feature = "panic-injection"))]
impl<S: State> Handle<Panic> for S {
    fn handle(&mut self, _: Panic) {
        panic!("injected into the {} actor by a test", S::NAME);
    }
}
