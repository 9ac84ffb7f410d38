//! What a supervisor is started with.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{
    breaker::{BreakerSettings, Transition},
    budget::BudgetSettings,
    log::LogTarget,
};

/// The settings of a supervisor.
#[derive(Clone, Debug)]
pub struct SupervisorSettings {
    /// When the circuit breaker opens and closes.
    pub breaker: BreakerSettings,
    /// How many retries all calls together may make.
    pub budget: BudgetSettings,
    /// Where it logs.
    pub log: LogTarget,
    /// What is called when the breaker changes.
    pub on_transition: TransitionHook,
    /// The seed of the jitter; `None` takes a random one.
    pub seed: Option<u64>,
}

/// What is called, in the actor, after each change of the breaker. It must neither block nor panic.
#[derive(Clone, Default)]
pub struct TransitionHook(Option<Arc<dyn Fn(Transition) + Send + Sync>>);

impl TransitionHook {
    /// Makes a hook of a function.
    pub fn new(hook: impl Fn(Transition) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    /// Calls the hook. A panic in it ends here: the change has been made, and the actor goes on.
    pub(super) fn call(&self, transition: Transition) {
        if let Some(hook) = &self.0 {
            let _ = catch_unwind(AssertUnwindSafe(|| hook(transition)));
        }
    }
}

impl fmt::Debug for TransitionHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "TransitionHook" } else { "no TransitionHook" })
    }
}
