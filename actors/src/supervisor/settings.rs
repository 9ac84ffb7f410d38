//! What a supervisor is started with.

use std::{
    fmt,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::{breaker::BreakerSettings, budget::BudgetSettings, change::Change, log::LogTarget};

/// The settings of a supervisor.
#[derive(Clone, Debug)]
pub struct SupervisorSettings {
    /// When the circuit breaker opens and closes.
    pub breaker: BreakerSettings,
    /// Which calls share a circuit breaker.
    pub scope: Scope,
    /// How many retries all calls together may make.
    pub budget: BudgetSettings,
    /// Where it logs.
    pub log: LogTarget,
    /// What is called when the breaker changes.
    pub on_transition: TransitionHook,
    /// The seed of the jitter; `None` takes a random one.
    pub seed: Option<u64>,
}

/// Which calls share a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All calls share one.
    Client,
    /// The calls to one origin share one.
    Origin {
        /// The most origins that have a breaker; beyond it the longest unused one is forgotten.
        most: NonZeroUsize,
    },
}

/// What is called, in the actor, after each change of a breaker. It must neither block nor panic.
#[derive(Clone, Default)]
pub struct TransitionHook(Option<Arc<Hook>>);

type Hook = dyn Fn(Change<'_>) + Send + Sync;

impl TransitionHook {
    /// Makes a hook of a function.
    pub fn new(hook: impl Fn(Change<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    /// Calls the hook. A panic in it ends here: the change has been made, and the actor goes on.
    pub(super) fn call(&self, change: Change<'_>) {
        if let Some(hook) = &self.0 {
            let _ = catch_unwind(AssertUnwindSafe(|| hook(change)));
        }
    }
}

impl fmt::Debug for TransitionHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "TransitionHook" } else { "no TransitionHook" })
    }
}
