//! A simulated server whose capacity changes, and callers that always have something to send.
//!
//! The server works at `capacity` requests at once; the others wait in its queue. The best limit is its capacity: less
//! leaves it idle, more only waits. Beside ours runs Gradient2 of Netflix's concurrency-limits, as its documentation
//! describes it, with its defaults.

use std::{cmp::Reverse, collections::BinaryHeap, collections::VecDeque, ops::RangeInclusive};

use super::*;

/// How long the server works at a request.
#[derive(Clone, Copy, Debug)]
enum Work {
    /// Always this long, within 10 %.
    Even(f64),
    /// This long on average, exponentially distributed: as uneven as it gets.
    Uneven(f64),
}

/// A limit that is tried out.
trait Limiter {
    fn get(&self) -> u32;
    fn begin(&mut self, in_flight: u32) -> Ticket;
    fn end(&mut self, ticket: Ticket, latency: f64, in_flight: u32);
    /// Whether the limit is lowered for a measurement.
    fn is_probing(&self) -> bool;
}

impl Limiter for AdaptiveLimit {
    fn get(&self) -> u32 {
        AdaptiveLimit::get(self)
    }

    fn begin(&mut self, in_flight: u32) -> Ticket {
        self.began(in_flight)
    }

    fn end(&mut self, ticket: Ticket, latency: f64, _: u32) {
        self.ended(ticket, Some(Signal::Served(Duration::from_secs_f64(latency))));
    }

    fn is_probing(&self) -> bool {
        matches!(self.phase, Phase::Probing { .. })
    }
}

/// Gradient2: the limit times the ratio of a long average to the latest latency, and room for a queue of 4.
struct Gradient2 {
    limit: f64,
    long: f64,
    samples: u32,
}

impl Limiter for Gradient2 {
    fn get(&self) -> u32 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let whole = self.limit as u32;
        whole
    }

    fn begin(&mut self, _: u32) -> Ticket {
        Ticket::OTHER
    }

    fn end(&mut self, _: Ticket, latency: f64, in_flight: u32) {
        self.samples += 1;
        if self.samples <= 10 {
            let n = f64::from(self.samples);
            self.long = (self.long * (n - 1.0) + latency) / n;
        } else {
            let factor = 2.0 / (600.0 + 1.0);
            self.long = self.long * (1.0 - factor) + latency * factor;
        }
        if self.long / latency > 2.0 {
            self.long *= 0.9;
        }
        if f64::from(in_flight) < self.limit / 2.0 {
            return;
        }
        let gradient = (self.long / latency).clamp(0.5, 1.0);
        let wanted = self.limit * gradient + 4.0;
        self.limit = (self.limit * 0.8 + wanted * 0.2).clamp(20.0, 200.0);
    }

    fn is_probing(&self) -> bool {
        false
    }
}

struct Simulation<L> {
    limiter: L,
    work: Work,
    capacity: usize,
    rng: fastrand::Rng,
    /// In seconds.
    now: f64,
    in_flight: u32,
    /// Requests that the server works at, by the nanosecond of their end: when they began, and their ticket.
    working: BinaryHeap<Reverse<(u64, u64, u64)>>,
    queue: VecDeque<(f64, Ticket)>,
}

impl<L: Limiter> Simulation<L> {
    fn new(limiter: L, work: Work, capacity: usize, seed: u64) -> Self {
        Self {
            limiter,
            work,
            capacity,
            rng: fastrand::Rng::with_seed(seed),
            now: 0.0,
            in_flight: 0,
            working: BinaryHeap::new(),
            queue: VecDeque::new(),
        }
    }

    fn duration(&mut self) -> f64 {
        match self.work {
            Work::Even(mean) => mean * (0.9 + 0.2 * self.rng.f64()),
            Work::Uneven(mean) => -mean * (1.0 - self.rng.f64()).ln(),
        }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    fn serve(&mut self) {
        while self.working.len() < self.capacity {
            let Some((began, ticket)) = self.queue.pop_front() else { return };
            let ends = self.now + self.duration();
            self.working.push(Reverse(((ends * 1e9) as u64, (began * 1e9) as u64, ticket.0)));
        }
    }

    /// Lets one more call end, and returns its latency.
    #[allow(clippy::cast_precision_loss)]
    fn step(&mut self) -> f64 {
        while self.in_flight < self.limiter.get() {
            self.in_flight += 1;
            let ticket = self.limiter.begin(self.in_flight);
            self.queue.push_back((self.now, ticket));
        }
        self.serve();
        let Reverse((ends, began, ticket)) = self.working.pop().expect("the limit is at least 1");
        self.now = ends as f64 / 1e9;
        let latency = (ends - began) as f64 / 1e9;
        self.limiter.end(Ticket(ticket), latency, self.in_flight);
        self.in_flight -= 1;
        self.serve();
        latency
    }

    fn run(&mut self, calls: usize) {
        for _ in 0..calls {
            self.step();
        }
    }

    /// The least and the highest limit over so many calls, but for probes and the window after each, and the calls in
    /// a second for each unit of capacity.
    #[allow(clippy::cast_precision_loss)]
    fn watch(&mut self, calls: usize) -> (u32, u32, f64) {
        let (mut least, mut most, began) = (u32::MAX, 0, self.now);
        for _ in 0..calls {
            self.step();
            if !self.limiter.is_probing() {
                least = least.min(self.limiter.get());
                most = most.max(self.limiter.get());
            }
        }
        (least, most, calls as f64 / (self.now - began) / self.capacity as f64)
    }
}

/// A row of capacities, each twice or half of the one before.
fn changes(capacity: usize) -> [usize; 5] {
    [capacity, capacity / 2, capacity, capacity * 2, capacity]
}

/// Calls until the limit has followed a change, when at most so many were in progress at the same time.
fn followed_within(before: usize, after: usize) -> usize {
    400 + 12 * before.max(after)
}

/// The share of capacity that the limit was, at the least and at the most.
#[allow(clippy::cast_precision_loss)]
fn shares((least, most, _): (u32, u32, f64), capacity: usize) -> (f64, f64) {
    (f64::from(least) / capacity as f64, f64::from(most) / capacity as f64)
}

/// What must hold once the limit has followed a capacity that has changed.
struct Demand {
    work: Work,
    /// The limit as a share of the capacity.
    limit: RangeInclusive<f64>,
    /// The least of a hundred calls that the capacity allows.
    done: f64,
}

fn assert_follows(demand: &Demand) {
    let mut rng = crate::seed::rng();
    for capacity in [10, 40, 100].into_iter().cycle().take(12) {
        let mut run = Simulation::new(AdaptiveLimit::new(1, 500), demand.work, capacity, rng.u64(..));
        let mut before = capacity;
        for now in changes(capacity) {
            run.capacity = now;
            run.run(followed_within(before, now));
            let watched = run.watch(20_000);
            let (least, most) = shares(watched, now);
            println!("{before} to {now}: {watched:?}");
            assert!(demand.limit.contains(&least), "{before} to {now}: {watched:?}");
            assert!(demand.limit.contains(&most), "{before} to {now}: {watched:?}");
            assert!(watched.2 >= demand.done, "{before} to {now}: of 100 calls a second {watched:?}");
            before = now;
        }
    }
}

#[test]
fn the_limit_follows_a_capacity_that_halves_and_doubles_and_stays_between_it_and_twice_that() {
    assert_follows(&Demand { work: Work::Even(0.01), limit: 1.0..=2.5, done: 95.0 });
}

#[test]
fn with_latencies_as_uneven_as_they_get_the_limit_follows_too_and_seven_tenths_of_the_capacity_are_used() {
    assert_follows(&Demand { work: Work::Uneven(0.01), limit: 0.0..=3.5, done: 70.0 });
}

#[test]
fn a_server_that_becomes_slower_without_a_queue_keeps_its_limit() {
    let mut rng = crate::seed::rng();
    for factor in [2.0, 3.0, 10.0, 0.5] {
        let mut run = Simulation::new(AdaptiveLimit::new(1, 500), Work::Even(0.01), 40, rng.u64(..));
        run.run(5_000);
        run.work = Work::Even(0.01 * factor);
        // The baseline falls by half of the difference with each measurement, so a faster server takes longer.
        run.run(if factor < 1.0 { 8_000 } else { 2_000 });
        let watched = run.watch(20_000);
        println!("{factor} times as slow: {watched:?}");
        assert!(shares(watched, 40).0 >= 0.7 && shares(watched, 40).1 <= 2.6, "{watched:?}");
        assert!(watched.2 * factor >= 90.0, "{watched:?}");
    }
}

#[test]
fn beside_gradient2_the_limit_swings_less_and_no_capacity_is_lost() {
    let seed = crate::seed::seed();
    for capacity in [20, 40, 80] {
        let mut ours = Simulation::new(AdaptiveLimit::new(1, 200), Work::Even(0.01), capacity, seed);
        let theirs = Gradient2 { limit: 20.0, long: 0.0, samples: 0 };
        let mut theirs = Simulation::new(theirs, Work::Even(0.01), capacity, seed);
        ours.run(4_000);
        theirs.run(4_000);
        let (ours, theirs) = (ours.watch(20_000), theirs.watch(20_000));
        println!("capacity {capacity}: ours {ours:?}, Gradient2 {theirs:?}");
        let swing = |(least, most, _): (u32, u32, f64)| f64::from(most) / f64::from(least);
        assert!(swing(ours) < 1.7 && swing(ours) < swing(theirs) / 1.5, "{capacity}: {ours:?} {theirs:?}");
        assert!(ours.2 > theirs.2 * 0.97, "{capacity}: {ours:?} {theirs:?}");
    }
}
