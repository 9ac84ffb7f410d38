//! The breaker's rules, one fact a test.

use super::*;

const RECOVERY: Duration = Duration::from_secs(30);
const LEASE: Duration = Duration::from_secs(60);

struct Bench {
    breaker: Breaker,
    start: Instant,
}

impl Bench {
    fn new(threshold: u32, probes: u32) -> Self {
        let settings = BreakerSettings {
            failure_threshold: threshold,
            recovery_timeout: RECOVERY,
            half_open_max_calls: probes,
            rates: None,
        };
        Self { breaker: Breaker::new(settings, 0), start: Instant::now() }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    fn admit(&mut self, seconds: u64) -> Result<Ticket, Refusal> {
        let now = self.at(seconds);
        self.breaker.admit(now, now + LEASE).0
    }

    fn report(&mut self, ticket: Ticket, outcome: Outcome, seconds: u64) -> Option<Transition> {
        let now = self.at(seconds);
        self.breaker.report(ticket, outcome, now)
    }

    fn fail(&mut self, times: u32, seconds: u64) {
        for _ in 0..times {
            let ticket = self.admit(seconds).unwrap();
            self.report(ticket, Outcome::Failure, seconds);
        }
    }

    /// A breaker that opened at second 0 and turned half-open at second 30, with one probe out.
    fn half_open(probes: u32) -> (Self, Ticket) {
        let mut bench = Self::new(1, probes);
        bench.fail(1, 0);
        let probe = bench.admit(30).unwrap();
        (bench, probe)
    }
}

fn refused(seconds: u64) -> Result<Ticket, Refusal> {
    Err(Refusal { retry_after: Some(Duration::from_secs(seconds)) })
}

#[test]
fn it_opens_at_the_threshold_and_not_before() {
    let mut bench = Bench::new(3, 1);
    bench.fail(2, 0);
    assert_eq!(bench.breaker.state(), &State::Closed { failures: 2 });
    let ticket = bench.admit(0).unwrap();
    let opened = bench.report(ticket, Outcome::Failure, 0);
    assert_eq!(
        opened,
        Some(Transition::Opened { cause: Cause::Consecutive { failures: 3 }, recovery: Some(RECOVERY) })
    );
    assert_eq!(bench.admit(1), refused(29));
}

#[test]
fn a_success_while_closed_resets_the_count() {
    let mut bench = Bench::new(3, 1);
    bench.fail(2, 0);
    let ticket = bench.admit(0).unwrap();
    bench.report(ticket, Outcome::Success, 0);
    bench.fail(2, 0);
    assert_eq!(bench.breaker.state(), &State::Closed { failures: 2 });
}

#[test]
fn an_abandoned_call_counts_neither_way() {
    let mut bench = Bench::new(3, 1);
    bench.fail(2, 0);
    let ticket = bench.admit(0).unwrap();
    assert_eq!(bench.report(ticket, Outcome::Abandoned, 0), None);
    assert_eq!(bench.breaker.state(), &State::Closed { failures: 2 });
}

#[test]
fn while_open_every_call_is_refused_with_the_time_to_wait() {
    let mut bench = Bench::new(1, 1);
    bench.fail(1, 0);
    for second in [0, 1, 29] {
        assert_eq!(bench.admit(second), refused(30 - second));
    }
}

#[test]
fn when_the_time_has_passed_exactly_the_allowed_probes_go_out() {
    for allowed in [1, 2, 5] {
        let mut bench = Bench::new(1, allowed);
        bench.fail(1, 0);
        let let_through = (0..1_000).filter(|_| bench.admit(30).is_ok()).count();
        assert_eq!(let_through, allowed as usize);
    }
}

#[test]
fn a_refusal_while_probes_are_out_asks_to_wait_no_longer_than_a_recovery() {
    let (mut bench, _probe) = Bench::half_open(1);
    assert_eq!(bench.admit(31), refused(30), "59 seconds of lease are left, a recovery is shorter");
    assert_eq!(bench.admit(85), refused(5), "the lease ends at 90");
}

#[test]
fn a_probe_that_succeeds_closes_it() {
    let (mut bench, probe) = Bench::half_open(2);
    assert_eq!(bench.report(probe, Outcome::Success, 31), Some(Transition::Closed));
    assert_eq!(bench.breaker.state(), &State::Closed { failures: 0 });
}

#[test]
fn a_probe_that_fails_opens_it_for_a_full_recovery() {
    let (mut bench, probe) = Bench::half_open(2);
    let opened = bench.report(probe, Outcome::Failure, 31);
    assert_eq!(
        opened,
        Some(Transition::Opened { cause: Cause::Consecutive { failures: 1 }, recovery: Some(RECOVERY) })
    );
    assert_eq!(bench.admit(60), refused(1));
    assert!(bench.admit(61).is_ok());
}

#[test]
fn a_probe_that_is_abandoned_gives_its_place_back() {
    let (mut bench, probe) = Bench::half_open(1);
    assert!(bench.admit(31).is_err());
    assert_eq!(bench.report(probe, Outcome::Abandoned, 31), None);
    assert!(bench.admit(31).is_ok());
    assert!(bench.admit(31).is_err());
}

#[test]
fn a_probe_that_hangs_gives_its_place_back_when_its_lease_ends() {
    let (mut bench, _hung) = Bench::half_open(1);
    assert!(bench.admit(89).is_err());
    assert!(bench.admit(90).is_ok());
}

#[test]
fn a_probe_whose_lease_has_ended_changes_nothing_when_it_reports_after_all() {
    for outcome in [Outcome::Success, Outcome::Failure, Outcome::Abandoned] {
        let (mut bench, hung) = Bench::half_open(1);
        let second = bench.admit(90).unwrap();
        assert_eq!(bench.report(hung, outcome, 91), None);
        assert!(bench.admit(91).is_err(), "the second probe still holds the place");
        assert_eq!(bench.report(second, Outcome::Success, 91), Some(Transition::Closed));
    }
}

#[test]
fn a_probe_reports_once() {
    let (mut bench, probe) = Bench::half_open(2);
    bench.report(probe, Outcome::Abandoned, 30);
    assert_eq!(bench.report(probe, Outcome::Success, 30), None);
    assert!(matches!(bench.breaker.state(), State::HalfOpen { .. }));
}

#[test]
fn a_result_of_an_earlier_state_changes_nothing() {
    for outcome in [Outcome::Success, Outcome::Failure, Outcome::Abandoned] {
        // Issued while closed, reported while open, while half-open, and while closed again.
        let mut bench = Bench::new(2, 1);
        let early = bench.admit(0).unwrap();
        bench.fail(2, 0);
        let open = bench.breaker.state().clone();
        assert_eq!(bench.report(early, outcome, 1), None);
        assert_eq!(bench.breaker.state(), &open);

        let probe = bench.admit(30).unwrap();
        let half_open = bench.breaker.state().clone();
        assert_eq!(bench.report(early, outcome, 31), None);
        assert_eq!(bench.breaker.state(), &half_open);

        bench.report(probe, Outcome::Success, 32);
        bench.fail(1, 32);
        assert_eq!(bench.report(early, outcome, 33), None);
        assert_eq!(bench.breaker.state(), &State::Closed { failures: 1 });

        // A probe of the earlier half-open state.
        assert_eq!(bench.report(probe, outcome, 33), None);
        assert_eq!(bench.breaker.state(), &State::Closed { failures: 1 });
    }
}

#[test]
fn a_late_probe_of_an_earlier_half_open_state_does_not_end_the_present_one() {
    let (mut bench, first) = Bench::half_open(2);
    let late = bench.admit(30).unwrap();
    bench.report(first, Outcome::Failure, 31);
    let present = bench.admit(61).unwrap();
    assert_eq!(bench.report(late, Outcome::Success, 62), None);
    assert_eq!(bench.report(present, Outcome::Success, 63), Some(Transition::Closed));
}

#[test]
fn opened_by_hand_it_stays_open_until_it_is_closed_by_hand() {
    let mut bench = Bench::new(1, 1);
    assert_eq!(bench.breaker.force_open(), Some(Transition::Opened { cause: Cause::ByHand, recovery: None }));
    assert_eq!(bench.admit(1_000_000), Err(Refusal { retry_after: None }));
    assert_eq!(bench.breaker.close(), Some(Transition::Closed));
    assert!(bench.admit(0).is_ok());
}

#[test]
fn a_command_that_changes_nothing_is_no_transition_but_voids_earlier_tickets() {
    let mut bench = Bench::new(1, 1);
    let early = bench.admit(0).unwrap();
    assert_eq!(bench.breaker.close(), None);
    assert_eq!(bench.report(early, Outcome::Failure, 0), None);
    assert_eq!(bench.breaker.state(), &State::Closed { failures: 0 });
    bench.fail(1, 0);
    assert_eq!(bench.breaker.force_open(), None, "it was open, and is now open until it is closed by hand");
    assert_eq!(bench.admit(1_000), Err(Refusal { retry_after: None }));
}

#[test]
fn a_recovery_timeout_beyond_the_clock_never_ends() {
    let settings = BreakerSettings {
        failure_threshold: 1,
        recovery_timeout: Duration::MAX,
        half_open_max_calls: 1,
        rates: None,
    };
    let mut bench = Bench { breaker: Breaker::new(settings, 0), start: Instant::now() };
    bench.fail(1, 0);
    assert_eq!(bench.admit(1_000_000), Err(Refusal { retry_after: None }));
}

/// A call that is out.
struct Out {
    ticket: Ticket,
    lease: Instant,
}

/// A random walk of calls that are admitted, end in any way, or never end.
struct Walk {
    bench: Bench,
    rng: fastrand::Rng,
    out: Vec<Out>,
    second: u64,
}

impl Walk {
    const PROBES: usize = 2;

    fn new() -> Self {
        let rng = fastrand::Rng::with_seed(crate::seed::seed());
        Self { bench: Bench::new(3, 2), rng, out: Vec::new(), second: 0 }
    }

    /// The probes of the present state that are out and whose leases have not ended.
    fn probes(&self) -> usize {
        let (now, generation) = (self.bench.at(self.second), self.bench.breaker.generation());
        let is_probe = |out: &&Out| out.ticket.generation == generation && out.ticket.role != Role::Regular;
        self.out.iter().filter(is_probe).filter(|out| out.lease > now).count()
    }

    fn step(&mut self) {
        self.second += u64::from(self.rng.u8(0..5));
        match self.rng.u8(0..5) {
            0 | 1 => self.admit(),
            _ if self.out.is_empty() => {}
            outcome => {
                let ended = self.out.swap_remove(self.rng.usize(0..self.out.len()));
                let outcome =
                    [Outcome::Success, Outcome::Failure, Outcome::Abandoned][usize::from(outcome) - 2];
                self.report(&ended, outcome);
            }
        }
    }

    /// A half-open breaker admits exactly when fewer than the allowed probes are out.
    fn admit(&mut self) {
        let probes = self.probes();
        let was_half_open = matches!(self.bench.breaker.state(), State::HalfOpen { .. });
        let admitted = self.bench.admit(self.second);
        if was_half_open {
            assert_eq!(admitted.is_ok(), probes < Self::PROBES, "{probes} are out");
        }
        let lease = self.bench.at(self.second) + LEASE;
        self.out.extend(admitted.ok().map(|ticket| Out { ticket, lease }));
    }

    fn report(&mut self, ended: &Out, outcome: Outcome) {
        let before = self.bench.breaker.state().clone();
        let stale = ended.ticket.generation != self.bench.breaker.generation();
        self.bench.report(ended.ticket, outcome, self.second);
        assert!(!stale || *self.bench.breaker.state() == before, "a late result changed the state");
    }

    /// Each probe that is out takes exactly one place, and nothing else takes one.
    fn check(&self) {
        let now = self.bench.at(self.second);
        match self.bench.breaker.state() {
            State::Closed { failures } => assert!(*failures < 3),
            State::HalfOpen { probes } => {
                assert_eq!(probes.iter().filter(|probe| probe.lease > now).count(), self.probes());
                assert!(probes.len() <= Self::PROBES);
            }
            State::Open { until } => assert_ne!(*until, Until::Forced),
        }
    }
}

#[test]
fn in_any_sequence_of_calls_the_places_taken_are_those_of_the_probes_that_are_out() {
    let mut walk = Walk::new();
    let mut full = 0;
    for _ in 0..50_000 {
        walk.step();
        walk.check();
        full += usize::from(walk.probes() == Walk::PROBES);
    }
    assert!(full > 100, "the walk filled the places {full} times only");
    // When all that is out has ended and the time has passed, every place is free again.
    for ended in std::mem::take(&mut walk.out) {
        walk.report(&ended, Outcome::Abandoned);
    }
    while matches!(walk.bench.breaker.state(), State::Closed { .. }) {
        walk.bench.fail(1, walk.second);
    }
    walk.second += 1_000;
    let admitted = (0..1_000).filter(|_| walk.bench.admit(walk.second).is_ok()).count();
    assert_eq!(admitted, Walk::PROBES);
}

#[test]
fn a_share_of_so_many_per_cent_is_reached_by_as_many_of_a_hundred_calls() {
    for percent in 1..=100 {
        let rates = RateSettings {
            window: Window::Calls(100),
            failure_rate: Some(f64::from(percent) / 100.0),
            slow_call_rate: None,
            minimum_calls: 100,
        };
        let mut recent = Recent::new(rates);
        let failed = |n| Sample { failed: n <= percent, speed: Speed::Normal };
        let causes: Vec<_> = (1..=100).filter_map(|n| recent.record(failed(n), Instant::now())).collect();
        assert_eq!(causes, [Cause::FailureRate { failed: percent, calls: 100 }], "{percent} %");
    }
}

#[test]
fn it_is_open_until_its_recovery_and_at_any_time_if_it_was_opened_by_hand() {
    let mut bench = Bench::new(1, 1);
    let open_at = |bench: &Bench, seconds| bench.breaker.is_open_at(bench.at(seconds));
    assert!(!open_at(&bench, 0), "closed");
    bench.fail(1, 0);
    assert_eq!((open_at(&bench, 29), open_at(&bench, 30)), (true, false));
    bench.admit(30).unwrap();
    assert!(!open_at(&bench, 30), "half-open");
    bench.breaker.force_open();
    assert!(open_at(&bench, 1_000_000));
}
