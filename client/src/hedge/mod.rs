//! Hedging: a second request beside a slow one, so that a few slow answers do not make calls slow.
//!
//! * `rules`: which calls may be hedged. Pure.
//! * `turns`: when the hedges of an attempt are due. Pure.
//! * `latencies`: a quantile of the calls seen, in bounded memory. Pure.
//! * `hedging`: what all calls of a client share: the latencies, and the end of the last `Retry-After`.
//!
//! The requests are sent by `engine::round`. Whether the budget and the breaker allow a hedge is decided by the
//! supervisor.

mod hedging;
mod latencies;
mod rules;
mod turns;

pub(crate) use self::{
    hedging::Hedging,
    rules::{HedgeRules, Key},
    turns::{Turn, Turns},
};
