//! State that several servers share: what the actors of this crate keep in memory, kept in Redis or Valkey instead.
//!
//! * [`StoreAddress`]: where the store is. [`StoreHandle`]: what the shared variants of the other handles ask.
//! * `scripts`: every decision is one script, which the store runs as one step. Each is a file of its own in `scripts/`.
//! * `steps`: the actor that sends scripts to the store and passes their answers on.
//! * `link`: the connection, made again whenever it is lost, and the lease of this server, renewed on it.
//! * `knowledge`: what this server knows of the store without asking, and until when it may act on it. \[pure\]
//! * `events`: what the store pushes. It is a hint to ask, or a reason to wake those that wait; never state.
//!
//! **What a server knows.** A request that meets nothing armed must not wait for the store. So the store publishes what
//! every server has to know as the values of *topics*, numbered by a *version*. A server that renews its lease learns
//! all changes since its own version, and may act on what it knows for the length of the lease, counted by its own clock
//! from when it asked. An order (a change that all servers must know before it is answered) waits until every live
//! server has said that it knows the version, or its lease has ended. So a server that is stopped, cut off or killed
//! never acts on what was true before an order that has been answered.
//!
//! **What was lost.** A store has an *epoch*. Every step carries the epoch of what its server knows, so a store that lost
//! its data refuses whatever belonged to it.

mod address;
mod answer;
mod call;
mod events;
mod handle;
mod hearing;
mod knowledge;
mod link;
mod place;
mod scripts;
mod shared;
mod steps;
mod waiting;

pub use address::{InvalidAddress, StoreAddress};
pub use handle::{StoreHandle, prepare};
pub use place::StorePlace;
pub use shared::Availability;

pub(crate) use answer::{Answer, Failure};
pub(crate) use call::Call;
pub(crate) use hearing::Hearer;
pub(crate) use knowledge::{Listener, Watcher};
#[cfg(test)]
pub(crate) use shared::LEASE;

pub(crate) mod script {
    //! The scripts, by name.
    pub(crate) use super::scripts::{
        ANSWER_ABANDON, ANSWER_BEGIN, ANSWER_COMPLETE, ANSWER_STATS, FAILURE_DECIDE, FAILURE_GIVE_BACK,
        FAILURE_PREPARE, FAILURE_SET, FAILURE_STATUS, JOURNAL_APPEND, JOURNAL_FLUSH, JOURNAL_READ,
        PLAN_DECIDE, PLAN_SET, PLAN_STATUS, SESSION_CREATE, SESSION_READ, SESSION_REMOVE, SESSION_RESET,
        SESSION_TOUCH,
    };
}

#[cfg(test)]
pub(crate) mod testing;
