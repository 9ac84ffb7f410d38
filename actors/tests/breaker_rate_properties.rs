//! Random histories for a breaker that opens by rate, beside a naive one that keeps every call of the present state.
//!
//! `SEED` repeats a run.

#[path = "property/seed.rs"]
mod seed;

use std::time::{Duration, Instant};

use resilience_actors::supervisor::breaker::{
    Breaker, BreakerSettings, Cause, Outcome, RateSettings, Speed, State, Ticket, Transition, Window,
};

const HISTORIES: u64 = 20_000;
const EVENTS: usize = 80;
/// How long the breaker stays open, in milliseconds.
const RECOVERY: u64 = 25;
/// The window of time, in milliseconds; a slice is a tenth.
const WINDOW: u64 = 100;

/// A call that has ended in the present state, as the naive breaker keeps it.
#[derive(Clone, Copy)]
struct Ended {
    at: u64,
    failed: bool,
    slow: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Closed,
    OpenUntil(u64),
    HalfOpen,
}

struct Naive {
    settings: BreakerSettings,
    rates: RateSettings,
    mode: Mode,
    era: u64,
    consecutive: u32,
    ended: Vec<Ended>,
    /// When the first call ever counted: there the slices begin.
    first: Option<u64>,
}

impl Naive {
    fn enter(&mut self, mode: Mode) {
        (self.mode, self.consecutive, self.era) = (mode, 0, self.era + 1);
        self.ended.clear();
    }

    fn window(&self, now: u64) -> Vec<Ended> {
        match self.rates.window {
            Window::Calls(most) => self.ended.iter().rev().take(most as usize).copied().collect(),
            Window::Time(_) => {
                let slice = |at: u64| (at - self.first.unwrap_or(at)) / (WINDOW / 10);
                self.ended.iter().filter(|call| slice(call.at) + 10 > slice(now)).copied().collect()
            }
        }
    }

    /// Counts a regular call, and returns what opens the breaker.
    fn count(&mut self, call: Ended) -> Option<Cause> {
        self.first.get_or_insert(call.at);
        self.ended.push(call);
        self.consecutive = if call.failed { self.consecutive + 1 } else { 0 };
        if self.consecutive >= self.settings.failure_threshold {
            return Some(Cause::Consecutive { failures: self.consecutive });
        }
        let window = self.window(call.at);
        let number = |is: fn(&&Ended) -> bool| {
            u32::try_from(window.iter().filter(is).count()).expect("a history is short")
        };
        let (calls, failed, slow) = (number(|_| true), number(|c| c.failed), number(|c| c.slow));
        if calls < self.rates.minimum_calls {
            return None;
        }
        let share = |part: u32| f64::from(part) / f64::from(calls);
        if self.rates.failure_rate.is_some_and(|limit| share(failed) >= limit) {
            return Some(Cause::FailureRate { failed, calls });
        }
        if self.rates.slow_call_rate.is_some_and(|limit| share(slow) >= limit) {
            return Some(Cause::SlowCallRate { slow, calls });
        }
        None
    }

    fn report(&mut self, era: u64, call: Ended, outcome: Outcome) -> Option<Transition> {
        if era != self.era || outcome == Outcome::Abandoned {
            return None;
        }
        let cause = match self.mode {
            Mode::Closed => self.count(call)?,
            _ if call.failed => Cause::Consecutive { failures: 1 },
            _ => {
                self.enter(Mode::Closed);
                return Some(Transition::Closed);
            }
        };
        self.enter(Mode::OpenUntil(call.at + RECOVERY));
        Some(Transition::Opened { cause, recovery: Some(self.settings.recovery_timeout) })
    }
}

fn settings(rng: &mut fastrand::Rng) -> BreakerSettings {
    // Shares as people write them. Most have no exact binary fraction, and some are what a number of calls comes to.
    let share = |rng: &mut fastrand::Rng| rng.bool().then(|| f64::from(rng.u32(1..=100)) / 100.0);
    let calls = rng.u32(1..=25);
    BreakerSettings {
        failure_threshold: rng.u32(2..=12),
        recovery_timeout: Duration::from_millis(RECOVERY),
        half_open_max_calls: 1,
        rates: Some(RateSettings {
            window: if rng.bool() {
                Window::Calls(calls)
            } else {
                Window::Time(Duration::from_millis(WINDOW))
            },
            failure_rate: share(rng),
            slow_call_rate: share(rng),
            minimum_calls: rng.u32(1..=calls),
        }),
    }
}

/// Runs one history, and returns the causes for which the breaker opened.
fn history(rng: &mut fastrand::Rng) -> Vec<Cause> {
    let settings = settings(rng);
    let rates = settings.rates.clone().expect("every history has shares");
    let mut breaker = Breaker::new(settings.clone(), 0);
    let (mode, ended) = (Mode::Closed, Vec::new());
    let mut naive = Naive { settings, rates, mode, era: 0, consecutive: 0, ended, first: None };
    let (start, mut now) = (Instant::now(), 0);
    let mut out: Vec<(Ticket, u64)> = Vec::new();
    let mut causes = Vec::new();
    for _ in 0..EVENTS {
        let at = |millis: u64| start + Duration::from_millis(millis);
        match rng.u8(..10) {
            0..4 => {
                // The lease outlives the history, so only a report gives a probe's place back.
                let (answer, transition) = breaker.admit(at(now), at(1_000_000));
                let recovers = matches!(naive.mode, Mode::OpenUntil(until) if now >= until);
                if recovers {
                    naive.enter(Mode::HalfOpen);
                }
                assert_eq!(transition, recovers.then_some(Transition::HalfOpened));
                let probes = out.iter().filter(|(_, era)| *era == naive.era).count();
                let passes = naive.mode == Mode::Closed || (naive.mode == Mode::HalfOpen && probes == 0);
                assert_eq!(answer.is_ok(), passes, "{:?}", naive.mode);
                out.extend(answer.ok().map(|ticket| (ticket, naive.era)));
            }
            4..8 if !out.is_empty() => {
                let (mut ticket, era) = out.swap_remove(rng.usize(..out.len()));
                let outcome = [Outcome::Success, Outcome::Success, Outcome::Failure, Outcome::Abandoned]
                    [rng.usize(..4)];
                let slow = rng.u8(..3) == 0;
                ticket.speed = if slow { Speed::Slow } else { Speed::Normal };
                let call = Ended { at: now, failed: outcome == Outcome::Failure, slow };
                let expected = naive.report(era, call, outcome);
                assert_eq!(breaker.report(ticket, outcome, at(now)), expected);
                if let Some(Transition::Opened { cause, .. }) = expected {
                    causes.push(cause);
                }
            }
            _ => now += [0, 1, 3, 10, 30, WINDOW][rng.usize(..6)],
        }
        let same = match breaker.state() {
            State::Closed { failures } => naive.mode == Mode::Closed && *failures == naive.consecutive,
            State::Open { .. } => matches!(naive.mode, Mode::OpenUntil(_)),
            State::HalfOpen { .. } => naive.mode == Mode::HalfOpen,
        };
        assert!(same, "{:?} beside {:?}", breaker.state(), naive.mode);
    }
    causes
}

#[test]
fn a_breaker_by_rate_behaves_like_a_list_of_calls_in_20_000_random_histories() {
    let seed = seed::seed();
    let (mut consecutive, mut failures, mut slow) = (0, 0, 0);
    for n in 0..HISTORIES {
        let mut rng = fastrand::Rng::with_seed(seed.wrapping_add(n));
        for cause in history(&mut rng) {
            match cause {
                Cause::Consecutive { .. } => consecutive += 1,
                Cause::FailureRate { .. } => failures += 1,
                Cause::SlowCallRate { .. } => slow += 1,
                Cause::ByHand => panic!("no operator is part of a history"),
            }
        }
    }
    // Each rule was put to the test.
    assert!(consecutive > 1_000 && failures > 1_000 && slow > 1_000, "{consecutive} {failures} {slow}");
}
