//! Actors and the pure logic that they guard. Nothing here knows HTTP.
//!
//! Every concept is a folder of three: a **pure core** (plain structs and enums; no actor, no clock, no
//! randomness, no log), a thin **actor** that owns one core and reads the clock for it, and a **handle**,
//! the only thing that the rest of the world sees. A handle's method reads like an async function and
//! returns [`Gone`] when its actor has ended.
//!
//! * [`failure`]: which requests are to fail: the next N, or all for a while.
//! * [`idempotency`]: one execution a key; its answer is kept for a while and replayed.
//! * [`supervisor`]: a client's circuit breaker, its retry budget, and whether and when a failed call is tried again.

mod clock;
pub mod failure;
pub mod idempotency;
mod mailbox;
pub mod supervisor;

pub use mailbox::{Gone, Unstarted};
