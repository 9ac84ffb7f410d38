//! Actors and the pure logic that they guard. Nothing here knows HTTP.
//!
//! Every concept is a folder of three: a **pure core** (plain structs and enums; no actor, no clock, no randomness,
//! no log), the **actor's state**, which owns one core and reads the clock for it, and a **handle**, the only part
//! that other crates use. A handle's method reads like an async function and returns an [`ActorError`] when there is
//! no answer.
//!
//! * [`failure`]: which requests fail: the next N, or all for a while.
//! * [`fault`]: scripted and seeded faults: which request gets which fault.
//! * [`idempotency`]: one execution for each key; its answer is stored for a while and replayed.
//! * [`journal`]: the last records of what has ended, in order and in bounded memory.
//! * [`registry`]: members that are known by an id and expire when they are not used for a while.
//! * `store` (with the feature of this name): the same state, shared by several servers through Redis or Valkey.
//! * [`supervisor`]: a client's circuit breaker, its retry budget, and whether and when a failed call is retried.
//!
//! What the actors have in common: `lifecycle` (start, failure, restart), `address` (messages and answers), `error`,
//! `clock`.

mod address;
mod clock;
mod error;
pub mod failure;
pub mod fault;
pub mod idempotency;
pub mod journal;
mod lifecycle;
pub mod registry;
#[cfg(test)]
#[path = "../tests/property/seed.rs"]
mod seed;
#[cfg(feature = "store")]
pub mod store;
pub mod supervisor;

pub use error::ActorError;
pub use lifecycle::Unstarted;
