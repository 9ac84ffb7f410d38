//! The settings, turned into what the supervisor needs.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use resilience_actors::supervisor::{
    BreakerState, Change, LogTarget, Scope, SupervisorSettings, TransitionHook,
    backoff::{Backoff, Jitter},
    breaker::{BreakerSettings, RateSettings, Transition, Window},
    budget::BudgetSettings,
    retry::RetryPolicy,
};

use crate::{
    config::{BreakerScope, BreakerWindow, CircuitBreakerConfig, ClientConfig, RetryConfig, RetryMethods},
    observe::{Event, Observers},
};

/// The most origins that have a breaker of their own: far more than a program calls regularly, and few enough that one
/// which follows every link it finds keeps less than a megabyte of breakers, or 200 bytes more for each hundred calls
/// of their windows.
const MOST_ORIGINS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1_023);

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
    let on_transition = TransitionHook::new(move |Change { origin, transition }| {
        observers.emit(Event::BreakerChanged { origin, state: state_after(transition) });
    });
    let breaker = &config.circuit_breaker;
    SupervisorSettings {
        breaker: BreakerSettings {
            failure_threshold: breaker.failure_threshold,
            recovery_timeout: breaker.recovery_timeout,
            half_open_max_calls: breaker.half_open_max_calls,
            rates: rates(breaker),
        },
        scope: match breaker.scope {
            BreakerScope::Client => Scope::Client,
            BreakerScope::Origin => Scope::Origin { most: MOST_ORIGINS },
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

/// The shares that the breaker looks at, if it looks at any.
fn rates(breaker: &CircuitBreakerConfig) -> Option<RateSettings> {
    let share = |share: f64| (share > 0.0).then_some(share);
    let (failure_rate, slow_call_rate) = (share(breaker.failure_rate), share(breaker.slow_call_rate));
    if failure_rate.is_none() && slow_call_rate.is_none() {
        return None;
    }
    let window = match breaker.window {
        BreakerWindow::Calls(calls) => Window::Calls(calls),
        BreakerWindow::Seconds(time) => Window::Time(time),
    };
    Some(RateSettings { window, failure_rate, slow_call_rate, minimum_calls: breaker.minimum_calls })
}

/// The duration from which an attempt makes its call a slow one, if the breaker looks at slow calls.
pub(crate) fn slow_from(breaker: &CircuitBreakerConfig) -> Option<Duration> {
    (breaker.slow_call_rate > 0.0).then_some(breaker.slow_call_duration)
}

fn state_after(transition: Transition) -> BreakerState {
    match transition {
        Transition::Opened { .. } => BreakerState::Open,
        Transition::HalfOpened => BreakerState::HalfOpen,
        Transition::Closed => BreakerState::Closed,
    }
}
