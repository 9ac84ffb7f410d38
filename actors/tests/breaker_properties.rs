//! Random sequences for a breaker: calls succeed, fail, are dropped or never come back, in the breaker and in
//! a naive one that keeps a list of the calls that are out.
//!
//! A failing sequence is shrunk to its shortest form. `PROPTEST_CASES` sets how many are tried, `SEED` repeats a run.

mod property;

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use resilience_actors::supervisor::breaker::{
    Breaker, BreakerSettings, Cause, Outcome, Role, State, Ticket, Transition, Until,
};

/// How long it stays open, in milliseconds.
const RECOVERY: u64 = 20;

/// What can happen to a breaker. Times are in milliseconds.
#[derive(Debug, Clone)]
enum Event {
    /// A call asks to go out; it will have ended after this long.
    Ask(u64),
    Report(Index, Outcome),
    Pass(u64),
    ForceOpen,
    Close,
}

fn event() -> impl Strategy<Value = Event> {
    let outcome = prop_oneof![
        2 => Just(Outcome::Success),
        4 => Just(Outcome::Failure),
        2 => Just(Outcome::Abandoned),
    ];
    prop_oneof![
        8 => prop_oneof![1..10u64, Just(RECOVERY * 3)].prop_map(Event::Ask),
        8 => (any::<Index>(), outcome).prop_map(|(which, outcome)| Event::Report(which, outcome)),
        4 => prop_oneof![0..5u64, Just(RECOVERY - 1), Just(RECOVERY)].prop_map(Event::Pass),
        1 => Just(Event::ForceOpen),
        1 => Just(Event::Close),
    ]
}

/// What the naive breaker is doing.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    Closed,
    OpenUntil(u64),
    OpenUntilForced,
    HalfOpen,
}

/// A call that is out.
#[derive(Clone, Copy)]
struct Call {
    ticket: Ticket,
    /// Counts the modes up to the one in which it went out.
    era: u64,
    /// When it will have ended.
    lease: u64,
    /// Whether the breaker has counted its place as free since.
    forgotten: bool,
}

struct Compared {
    breaker: Breaker,
    settings: BreakerSettings,
    mode: Mode,
    failures: u32,
    era: u64,
    out: Vec<Call>,
    start: Instant,
    now: u64,
}

impl Compared {
    fn new(failure_threshold: u32, half_open_max_calls: u32) -> Self {
        let recovery_timeout = Duration::from_millis(RECOVERY);
        let settings =
            BreakerSettings { failure_threshold, recovery_timeout, half_open_max_calls, rates: None };
        Self {
            breaker: Breaker::new(settings.clone(), 0),
            settings,
            mode: Mode::Closed,
            failures: 0,
            era: 0,
            out: Vec::new(),
            start: Instant::now(),
            now: 0,
        }
    }

    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    fn enter(&mut self, mode: Mode) {
        (self.mode, self.failures, self.era) = (mode, 0, self.era + 1);
    }

    fn ask(&mut self, takes: u64) -> Result<(), TestCaseError> {
        let lease = self.now + takes;
        let (answer, transition) = self.breaker.admit(self.at(self.now), self.at(lease));
        let recovered = matches!(self.mode, Mode::OpenUntil(until) if self.now >= until);
        if recovered {
            self.enter(Mode::HalfOpen);
        }
        prop_assert_eq!(transition, recovered.then_some(Transition::HalfOpened));
        let (now, era) = (self.now, self.era);
        if self.mode == Mode::HalfOpen {
            let over = |call: &&mut Call| call.era == era && call.lease <= now;
            self.out.iter_mut().filter(over).for_each(|call| call.forgotten = true);
        }
        let probes = self.out.iter().filter(|call| call.era == era && !call.forgotten).count();
        let passes = match self.mode {
            Mode::Closed => true,
            Mode::OpenUntil(_) | Mode::OpenUntilForced => false,
            Mode::HalfOpen => probes < self.settings.half_open_max_calls as usize,
        };
        prop_assert_eq!(answer.is_ok(), passes);
        match answer {
            Ok(ticket) => {
                prop_assert_eq!(matches!(ticket.role, Role::Probe(_)), self.mode == Mode::HalfOpen);
                self.out.push(Call { ticket, era, lease, forgotten: false });
            }
            Err(refusal) => match self.mode {
                Mode::OpenUntilForced => prop_assert_eq!(refusal.retry_after, None),
                Mode::OpenUntil(until) => {
                    prop_assert_eq!(refusal.retry_after, Some(Duration::from_millis(until - now)));
                }
                _ => prop_assert!(refusal.retry_after.is_some_and(|wait| wait > Duration::ZERO)),
            },
        }
        if let Err(Some(wait)) = answer.map_err(|refusal| refusal.retry_after) {
            prop_assert!(wait <= self.settings.recovery_timeout, "{wait:?} is longer than it stays open");
        }
        Ok(())
    }

    fn report(&mut self, which: Index, outcome: Outcome) -> Result<(), TestCaseError> {
        let call = self.out.swap_remove(which.index(self.out.len()));
        let before = (self.breaker.state().clone(), self.breaker.generation());
        let transition = self.breaker.report(call.ticket, outcome, self.at(self.now));
        if call.era != self.era || call.forgotten {
            prop_assert_eq!(transition, None);
            prop_assert_eq!((self.breaker.state().clone(), self.breaker.generation()), before);
            return Ok(());
        }
        let expected = match (self.mode, outcome) {
            (_, Outcome::Abandoned) => None,
            (Mode::Closed, Outcome::Success) => {
                self.failures = 0;
                None
            }
            (Mode::Closed, Outcome::Failure) if self.failures + 1 < self.settings.failure_threshold => {
                self.failures += 1;
                None
            }
            (_, Outcome::Failure) => {
                let failures = self.failures + 1;
                self.enter(Mode::OpenUntil(self.now + RECOVERY));
                Some(Transition::Opened {
                    cause: Cause::Consecutive { failures },
                    recovery: Some(self.settings.recovery_timeout),
                })
            }
            (_, Outcome::Success) => {
                self.enter(Mode::Closed);
                Some(Transition::Closed)
            }
        };
        prop_assert_eq!(transition, expected);
        Ok(())
    }

    fn happens(&mut self, event: &Event) -> Result<(), TestCaseError> {
        match event {
            Event::Ask(takes) => self.ask(*takes)?,
            Event::Report(which, outcome) if !self.out.is_empty() => self.report(*which, *outcome)?,
            Event::Report(..) => {}
            Event::Pass(millis) => self.now += millis,
            Event::ForceOpen => {
                self.breaker.force_open();
                self.enter(Mode::OpenUntilForced);
            }
            Event::Close => {
                self.breaker.close();
                self.enter(Mode::Closed);
            }
        }
        let probes = match self.breaker.state() {
            State::Closed { failures } => {
                prop_assert_eq!((self.mode, *failures), (Mode::Closed, self.failures));
                prop_assert!(*failures < self.settings.failure_threshold);
                return Ok(());
            }
            State::Open { until: Until::Forced } => {
                prop_assert_eq!(self.mode, Mode::OpenUntilForced);
                return Ok(());
            }
            State::Open { until: Until::Time(until) } => {
                let model = match self.mode {
                    Mode::OpenUntil(until) => Some(self.at(until)),
                    _ => None,
                };
                prop_assert_eq!(Some(*until), model);
                return Ok(());
            }
            State::HalfOpen { probes } => probes.len(),
        };
        prop_assert_eq!(self.mode, Mode::HalfOpen);
        prop_assert!(probes <= self.settings.half_open_max_calls as usize, "{probes} probes are out");
        Ok(())
    }

    /// After any sequence, once all calls have ended and the time has passed, a call is admitted.
    fn recovers(&mut self) -> Result<(), TestCaseError> {
        if self.mode == Mode::OpenUntilForced {
            return Ok(());
        }
        self.now += RECOVERY * 4;
        let (answer, _) = self.breaker.admit(self.at(self.now), self.at(self.now + 1));
        prop_assert!(answer.is_ok(), "it never lets a call through again");
        Ok(())
    }
}

proptest! {
    #![proptest_config(property::config())]

    #[test]
    fn the_breaker_behaves_like_a_list_of_calls(
        (threshold, max_probes) in (1..4u32, 1..4u32),
        sequence in vec(event(), 0..80),
    ) {
        let mut compared = Compared::new(threshold, max_probes);
        for event in sequence {
            compared.happens(&event)?;
        }
        compared.recovers()?;
    }
}
