//! The circuit breaker as a state machine. Pure: the time is passed in, and transitions are returned.
//!
//! Every state that it enters has a generation, and every ticket carries the generation of the state that issued it. An
//! outcome with the generation of an earlier state changes nothing: it says how the server was, and the present state
//! was entered because of something newer.

mod ticket;
mod transition;
mod window;

use std::time::{Duration, Instant};

use self::window::{Recent, Sample};
pub use self::{
    ticket::{Outcome, Refusal, Role, Speed, Ticket},
    transition::{Cause, Transition},
    window::{RateSettings, Window},
};

/// When the breaker opens and how it recovers.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakerSettings {
    /// How many consecutive failed calls open it.
    pub failure_threshold: u32,
    /// How long it stays open before it lets probes through.
    pub recovery_timeout: Duration,
    /// How many probes may be out at once while it is half-open.
    pub half_open_max_calls: u32,
    /// The shares of failed and of slow calls that open it too; `None` looks at consecutive failures alone.
    pub rates: Option<RateSettings>,
}

/// The state of the breaker.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Calls pass.
    Closed {
        /// How many calls in a row have failed.
        failures: u32,
    },
    /// Calls are refused.
    Open {
        /// When this state ends.
        until: Until,
    },
    /// A few calls pass as probes, to find out whether the server has recovered.
    HalfOpen {
        /// The probes that are out.
        probes: Vec<Probe>,
    },
}

/// When the open state ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// At this time.
    Time(Instant),
    /// When the breaker is closed by hand: it was opened by hand, or for longer than the clock can express.
    Forced,
}

/// A probe that is out. Its place comes back when it reports, and at the latest when its lease ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    id: u64,
    lease: Instant,
}

/// The circuit breaker.
#[derive(Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    state: State,
    /// The calls of the present state, if shares are looked at.
    recent: Option<Recent>,
    generation: u64,
    probes_issued: u64,
}

impl Breaker {
    /// Makes a closed breaker of the generation after `last_generation`: results of calls that an earlier breaker let
    /// through do not count for it.
    pub fn new(settings: BreakerSettings, last_generation: u64) -> Self {
        let generation = last_generation + 1;
        let recent = settings.rates.clone().map(Recent::new);
        Self { settings, state: State::Closed { failures: 0 }, recent, generation, probes_issued: 0 }
    }

    /// Returns the present state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns the generation of the present state.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether it will still be open at this time, as far as its present state says.
    pub fn is_open_at(&self, time: Instant) -> bool {
        match self.state {
            State::Open { until: Until::Forced } => true,
            State::Open { until: Until::Time(until) } => until > time,
            State::Closed { .. } | State::HalfOpen { .. } => false,
        }
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

    /// Turns open into half-open when its time has passed.
    fn recover(&mut self, now: Instant) -> Option<Transition> {
        match self.state {
            State::Open { until: Until::Time(until) } if now >= until => {
                self.enter(State::HalfOpen { probes: Vec::new() });
                Some(Transition::HalfOpened)
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
                    // The first lease to end frees a place for certain. A failed probe costs a recovery timeout.
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
        Ok(Ticket { generation: self.generation, role, speed: Speed::Normal })
    }

    /// Takes a ticket back, with the outcome of its call.
    pub fn report(&mut self, ticket: Ticket, outcome: Outcome, now: Instant) -> Option<Transition> {
        if ticket.generation != self.generation {
            return None;
        }
        match (&mut self.state, ticket.role, outcome) {
            (State::Closed { failures }, Role::Regular, Outcome::Success | Outcome::Failure) => {
                let failed = outcome == Outcome::Failure;
                *failures = if failed { failures.saturating_add(1) } else { 0 };
                let failures = *failures;
                let sample = Sample { failed, speed: ticket.speed };
                let exceeded = self.recent.as_mut().and_then(|recent| recent.record(sample, now));
                let consecutive = failures >= self.settings.failure_threshold;
                let cause = if consecutive { Some(Cause::Consecutive { failures }) } else { exceeded };
                cause.map(|cause| self.open(cause, now))
            }
            (State::HalfOpen { probes }, Role::Probe(id), outcome) => {
                let place = probes.iter().position(|probe| probe.id == id)?;
                probes.swap_remove(place);
                match outcome {
                    Outcome::Success => self.close(),
                    Outcome::Failure => Some(self.open(Cause::Consecutive { failures: 1 }, now)),
                    Outcome::Abandoned => None,
                }
            }
            _ => None,
        }
    }

    /// Opens the breaker until [`close`](Self::close). Tickets of earlier states are void even if it was open before.
    pub fn force_open(&mut self) -> Option<Transition> {
        let was_open = matches!(self.state, State::Open { .. });
        self.enter(State::Open { until: Until::Forced });
        (!was_open).then_some(Transition::Opened { cause: Cause::ByHand, recovery: None })
    }

    /// Closes the breaker, with no failures counted. Tickets of earlier states are void even if it was closed before.
    pub fn close(&mut self) -> Option<Transition> {
        let was_closed = matches!(self.state, State::Closed { .. });
        self.enter(State::Closed { failures: 0 });
        (!was_closed).then_some(Transition::Closed)
    }

    fn open(&mut self, cause: Cause, now: Instant) -> Transition {
        let recovery = self.settings.recovery_timeout;
        self.enter(State::Open { until: now.checked_add(recovery).map_or(Until::Forced, Until::Time) });
        Transition::Opened { cause, recovery: Some(recovery) }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        if let Some(recent) = &mut self.recent {
            recent.clear();
        }
        self.generation += 1;
    }
}

#[cfg(test)]
mod tests;
