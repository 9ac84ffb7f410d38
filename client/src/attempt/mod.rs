//! One attempt, judged: is it a success, which error is it, may it be repeated, does it count for the breaker? Pure.
//!
//! * `classify`: from a status or a cause to the kind of error, its retryability and its outcome for the breaker.
//! * `failure`: a failed attempt, and the error that it becomes.
//! * `retry_after`: the `Retry-After` header.
//!
//! Whether and when a failed attempt is repeated is decided by the supervisor
//! (`resilience_actors::supervisor::retry`).

pub(crate) mod classify;
mod failure;
mod retry_after;

pub(crate) use self::failure::{Failure, gave_up, judge};
