//! The settings, turned into what the supervisor needs.

use std::sync::Arc;

use resilience_actors::supervisor::{
    BreakerState, LogTarget, SupervisorSettings, TransitionHook,
    backoff::{Backoff, Jitter},
    breaker::{BreakerSettings, Transition},
    budget::BudgetSettings,
    retry::RetryPolicy,
};

use crate::{
    config::{ClientConfig, RetryConfig, RetryMethods},
    observe::{Event, Observers},
};

/// How the attempts of a call are repeated: when, and for which methods.
#[derive(Clone, Debug)]
pub(crate) struct RetryRules {
    pub(crate) policy: Arc<RetryPolicy>,
    pub(crate) methods: RetryMethods,
}

impl RetryRules {
    pub(crate) fn new(config: &RetryConfig) -> Self {
        let jitter = if config.jitter { Jitter::Full } else { Jitter::None };
        let backoff =
            Backoff { min: config.min_wait, max: config.max_wait, multiplier: config.multiplier, jitter };
        let policy = RetryPolicy {
            max_attempts: config.max_attempts,
            backoff,
            retry_after_max: config.retry_after_max,
        };
        Self { policy: Arc::new(policy), methods: config.methods }
    }
}

/// The settings of the supervisor's actor.
pub(crate) fn supervisor_settings(
    config: &ClientConfig,
    log: LogTarget,
    observers: &Arc<Observers>,
) -> SupervisorSettings {
    let observers = Arc::clone(observers);
    let on_transition = TransitionHook::new(move |transition| {
        observers.emit(Event::BreakerChanged { state: state_after(transition) });
    });
    let breaker = &config.circuit_breaker;
    SupervisorSettings {
        breaker: BreakerSettings {
            failure_threshold: breaker.failure_threshold,
            recovery_timeout: breaker.recovery_timeout,
            half_open_max_calls: breaker.half_open_max_calls,
        },
        budget: BudgetSettings {
            ratio: config.retry.budget.ratio,
            per_second: config.retry.budget.per_second,
        },
        log,
        on_transition,
        seed: None,
    }
}

fn state_after(transition: Transition) -> BreakerState {
    match transition {
        Transition::Opened { .. } => BreakerState::Open,
        Transition::HalfOpened => BreakerState::HalfOpen,
        Transition::Closed => BreakerState::Closed,
    }
}
