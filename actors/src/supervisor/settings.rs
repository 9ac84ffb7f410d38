//! What a supervisor is started with.

use super::{breaker::BreakerSettings, budget::BudgetSettings, log::LogTarget};

/// The settings of a supervisor.
#[derive(Clone, Debug)]
pub struct SupervisorSettings {
    /// When the circuit breaker opens and closes.
    pub breaker: BreakerSettings,
    /// How many retries all calls together may make.
    pub budget: BudgetSettings,
    /// Where it logs.
    pub log: LogTarget,
    /// The seed of the jitter; `None` takes a random one.
    pub seed: Option<u64>,
}
