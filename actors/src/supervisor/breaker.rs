//! The circuit breaker as a state machine. Pure.
//!
//! It must never ask a clock, wait or log: it is told the time, and says what happened. Every state it enters has
//! a generation; a result that comes with the generation of an earlier state changes nothing, because the server
//! that gave it may have been another one by now.

use std::time::{Duration, Instant};

/// When the breaker opens and how it recovers.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakerSettings {
    /// Consecutive failed calls that open it.
    pub failure_threshold: u32,
    /// How long it stays open before it lets probes through.
    pub recovery_timeout: Duration,
    /// Probes at once while it is half-open.
    pub half_open_max_calls: u32,
}

/// The state of the breaker.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Calls pass; this many in a row have failed.
    Closed {
        /// Consecutive failed calls.
        failures: u32,
    },
    /// Calls are refused.
    Open {
        /// When it ends.
        until: Until,
    },
    /// A few calls pass to see whether the server is back.
    HalfOpen {
        /// The probes that are out.
        probes: Vec<Probe>,
    },
}

/// When an open breaker lets probes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// At this time.
    Time(Instant),
    /// When it is closed by hand: it was opened by hand.
    Forced,
}

/// A probe that is out. Its place comes back when it reports, and at the latest when its lease ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    id: u64,
    lease: Instant,
}

/// The right to make one call, to be given back with its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The generation of the state that issued it.
    pub generation: u64,
    /// What it was issued as.
    pub role: Role,
}

/// What a ticket was issued as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// One of any number of calls through a closed breaker.
    Regular,
    /// One of the few through a half-open one.
    Probe(u64),
}

/// The breaker does not let the call through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// When to ask again; `None` when it was opened by hand and has no time to end.
    pub retry_after: Option<Duration>,
}

/// How a call ended, as far as the breaker cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered.
    Success,
    /// It could not be reached, or said that it cannot serve.
    Failure,
    /// Nobody knows: the call was dropped, or refused before it was sent.
    Abandoned,
}

/// A change of state that is worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// It opened.
    Opened {
        /// The consecutive failures that opened it; 0 when it was opened by hand.
        failures: u32,
        /// For how long; `None` when it was opened by hand.
        recovery: Option<Duration>,
    },
    /// It lets probes through.
    HalfOpened,
    /// It closed.
    Closed,
}

/// The circuit breaker.
#[derive(Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    state: State,
    generation: u64,
    probes_issued: u64,
}

impl Breaker {
    /// Makes a closed breaker of the generation after `last_generation`: results of calls that an earlier breaker let
    /// through do not count for it.
    pub fn new(settings: BreakerSettings, last_generation: u64) -> Self {
        let generation = last_generation + 1;
        Self { settings, state: State::Closed { failures: 0 }, generation, probes_issued: 0 }
    }

    /// The state it is in.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The generation of that state.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Asks to make a call that will have ended by `lease`.
    ///
    /// # Errors
    ///
    /// [`Refusal`] while it is open, or half-open with every probe out.
    pub fn admit(&mut self, now: Instant, lease: Instant) -> (Result<Ticket, Refusal>, Option<Transition>) {
        let transition = self.recover(now);
        (self.issue(now, lease), transition)
    }

    /// Open turns half-open when its time has passed.
    fn recover(&mut self, now: Instant) -> Option<Transition> {
        match self.state {
            State::Open { until: Until::Time(until) } if now >= until => {
                Some(self.enter(State::HalfOpen { probes: Vec::new() }, Transition::HalfOpened))
            }
            _ => None,
        }
    }

    fn issue(&mut self, now: Instant, lease: Instant) -> Result<Ticket, Refusal> {
        let role = match &mut self.state {
            State::Closed { .. } => Role::Regular,
            State::Open { until: Until::Forced } => return Err(Refusal { retry_after: None }),
            State::Open { until: Until::Time(until) } => {
                return Err(Refusal { retry_after: Some(until.saturating_duration_since(now)) });
            }
            State::HalfOpen { probes } => {
                probes.retain(|probe| probe.lease > now);
                if probes.len() >= self.settings.half_open_max_calls as usize {
                    // The place that is sure to come back first; a probe that fails costs a recovery timeout.
                    let first = probes.iter().map(|probe| probe.lease - now).min();
                    return Err(Refusal {
                        retry_after: first.map(|d| d.min(self.settings.recovery_timeout)),
                    });
                }
                self.probes_issued += 1;
                probes.push(Probe { id: self.probes_issued, lease });
                Role::Probe(self.probes_issued)
            }
        };
        Ok(Ticket { generation: self.generation, role })
    }

    /// Takes a ticket back, with the result of its call.
    pub fn report(&mut self, ticket: Ticket, outcome: Outcome, now: Instant) -> Option<Transition> {
        if ticket.generation != self.generation {
            return None;
        }
        match (&mut self.state, ticket.role, outcome) {
            (State::Closed { failures }, Role::Regular, Outcome::Success) => {
                *failures = 0;
                None
            }
            (State::Closed { failures }, Role::Regular, Outcome::Failure) => {
                *failures = failures.saturating_add(1);
                let failures = *failures;
                (failures >= self.settings.failure_threshold).then(|| self.open(failures, now))
            }
            (State::HalfOpen { probes }, Role::Probe(id), outcome) => {
                let place = probes.iter().position(|probe| probe.id == id)?;
                probes.swap_remove(place);
                match outcome {
                    Outcome::Success => Some(self.close()),
                    Outcome::Failure => Some(self.open(1, now)),
                    Outcome::Abandoned => None,
                }
            }
            _ => None,
        }
    }

    /// Opens it until it is told to close.
    pub fn force_open(&mut self) -> Transition {
        self.enter(State::Open { until: Until::Forced }, Transition::Opened { failures: 0, recovery: None })
    }

    /// Closes it, with no failures counted.
    pub fn close(&mut self) -> Transition {
        self.enter(State::Closed { failures: 0 }, Transition::Closed)
    }

    fn open(&mut self, failures: u32, now: Instant) -> Transition {
        let recovery = self.settings.recovery_timeout;
        self.enter(
            State::Open { until: Until::Time(now + recovery) },
            Transition::Opened { failures, recovery: Some(recovery) },
        )
    }

    fn enter(&mut self, state: State, transition: Transition) -> Transition {
        self.state = state;
        self.generation += 1;
        transition
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
