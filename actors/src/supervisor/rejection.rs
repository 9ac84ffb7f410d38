//! Why a call, or a second request of a call, is not allowed.

use derive_more::{Display, Error, From};

use super::breaker::Refusal;
use crate::error::ActorError;

/// Why a call was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, Error, From)]
pub enum Rejection {
    /// The breaker refused.
    #[display("the circuit breaker is open")]
    Refused(#[error(not(source))] Refusal),
    /// The supervisor has not answered.
    #[display("{_0}")]
    Unanswered(#[error(source)] ActorError),
}

/// Why a second request of a call was not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display, Error, From)]
pub enum NoHedge {
    /// The breaker is not in the closed state that admitted the call.
    #[display("the circuit breaker has changed its state")]
    #[from(skip)]
    BreakerChanged,
    /// All calls together have spent the retry budget.
    #[display("the retry budget is spent")]
    #[from(skip)]
    BudgetSpent,
    /// The supervisor has not answered.
    #[display("{_0}")]
    Unanswered(#[error(source)] ActorError),
}
