//! Random histories of arms, resets and requests over three servers, one of which is stopped now and then, held against
//! the model: one count. What every operation saw must be possible in some order in which none comes before another that
//! had ended when it began.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use actix_rt::Arbiter;
use futures::future::join_all;

use super::super::{FailureHandle, shared};
use super::*;
use crate::store::testing::{LIVES, RedisServer, available, eventually};
use crate::store::{StoreHandle, prepare};

/// What a client has done, and what it has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Arm(u32),
    Reset,
    Failed,
    Passed,
    /// A request whose decision did not come: it may have taken a failure.
    Undecided,
}

#[derive(Clone, Copy, Debug)]
struct Event {
    operation: Operation,
    begun: Instant,
    /// `None`: it is not known whether it has taken effect, and when.
    ended: Option<Instant>,
}

impl Operation {
    /// The count after this operation; `None` if it cannot have seen this count.
    fn apply(self, count: u32) -> Option<u32> {
        match self {
            Self::Arm(armed) => Some(armed),
            Self::Reset => Some(0),
            Self::Failed => count.checked_sub(1),
            Self::Passed => (count == 0).then_some(0),
            Self::Undecided => Some(count.saturating_sub(1)),
        }
    }
}

/// Whether a history is possible: a search over the orders in which its operations may have taken effect.
fn is_possible(history: &[Event]) -> bool {
    fn search(history: &[Event], done: u64, count: u32, seen: &mut HashSet<(u64, u32)>) -> bool {
        let open = || history.iter().enumerate().filter(|(index, _)| done & (1 << index) == 0);
        let Some(first_end) = open().filter_map(|(_, event)| event.ended).min() else { return true };
        if !seen.insert((done, count)) {
            return false;
        }
        let may_be_next: Vec<_> = open().filter(|(_, event)| event.begun <= first_end).collect();
        may_be_next.into_iter().any(|(index, event)| {
            let next = event.operation.apply(count);
            next.is_some_and(|count| search(history, done | (1 << index), count, seen))
        })
    }
    search(history, 0, 0, &mut HashSet::new())
}

/// A server on a thread of its own.
struct Server {
    arbiter: Arbiter,
    failures: FailureHandle,
    _store: StoreHandle,
}

impl Server {
    async fn start(redis: &RedisServer) -> Self {
        let arbiter = Arbiter::new();
        let (store, actor) = prepare(redis.address("t"), "test");
        arbiter.spawn_fn(move || actor.start());
        available(&store).await;
        let failures = shared(StorePlace::new(store.clone(), "default", LIVES));
        Self { arbiter, failures, _store: store }
    }

    /// Stops the thread for a while, as if the process were stopped.
    fn stop(&self, lasts: Duration) {
        self.arbiter.spawn_fn(move || std::thread::sleep(lasts));
    }

    async fn run(&self, operation: Operation) -> Event {
        let begun = Instant::now();
        let (operation, is_known) = match operation {
            Operation::Arm(count) => (operation, self.failures.fail_next(count).await.is_ok()),
            Operation::Reset => (operation, self.failures.reset().await.is_ok()),
            _ => match self.failures.decide().await {
                Ok(Decision::Fail(failure)) => {
                    failure.spend();
                    (Operation::Failed, true)
                }
                Ok(Decision::Pass) => (Operation::Passed, true),
                Err(_) => (Operation::Undecided, false),
            },
        };
        Event { operation, begun, ended: is_known.then(Instant::now) }
    }
}

fn any_operation(random: &mut fastrand::Rng) -> Operation {
    match random.u8(0..10) {
        0 => Operation::Arm(random.u32(0..4)),
        1 => Operation::Reset,
        _ => Operation::Undecided,
    }
}

/// Four clients, each of which does one thing after another on any server.
async fn history(servers: &[Server; 3], random: &mut fastrand::Rng) -> Vec<Event> {
    let clients = (0..4).map(|_| {
        let mut random = random.fork();
        async move {
            let mut events = Vec::new();
            for _ in 0..8 {
                let operation = any_operation(&mut random);
                events.push(servers[random.usize(0..3)].run(operation).await);
                if random.bool() {
                    actix_rt::task::yield_now().await;
                }
            }
            events
        }
    });
    // The model begins with nothing armed.
    eventually(async || servers[0].failures.reset().await.is_ok()).await;
    join_all(clients).await.into_iter().flatten().collect()
}

#[actix_rt::test]
async fn every_random_history_over_three_servers_is_possible_with_one_count() {
    let Some(redis) = RedisServer::start() else { return };
    let servers = [Server::start(&redis).await, Server::start(&redis).await, Server::start(&redis).await];
    let mut random = fastrand::Rng::with_seed(crate::seed::seed());
    let histories = std::env::var("HISTORIES").ok().and_then(|count| count.parse().ok()).unwrap_or(300);
    for number in 0..histories {
        if number % 100 == 50 {
            servers[random.usize(0..3)].stop(Duration::from_millis(random.u64(200..1_500)));
        }
        let history = history(&servers, &mut random).await;
        assert!(is_possible(&history), "history {number}: {history:#?}");
    }
    for server in servers {
        server.arbiter.stop();
    }
}

#[test]
fn the_search_tells_possible_histories_from_others() {
    let start = Instant::now();
    let at = |millis| start + Duration::from_millis(millis);
    let event = |operation, begun, ended| Event { operation, begun: at(begun), ended: Some(at(ended)) };
    let arm = event(Operation::Arm(2), 0, 10);
    let failed = |begun| event(Operation::Failed, begun, begun + 1);
    let passed = |begun| event(Operation::Passed, begun, begun + 1);
    let unknown = |operation, begun| Event { operation, begun: at(begun), ended: None };
    let table = [
        (vec![arm, failed(20), failed(30), passed(40)], true),
        (vec![arm, failed(20), passed(30)], false),
        (vec![arm, failed(20), failed(30), failed(40)], false),
        (vec![arm, passed(2), failed(4), failed(20)], true),
        (vec![arm, failed(2), passed(4)], false),
        (vec![unknown(Operation::Arm(1), 0), passed(20), failed(30)], true),
        (vec![unknown(Operation::Arm(1), 25), failed(20)], false),
        (vec![arm, unknown(Operation::Undecided, 15), failed(20), passed(30)], true),
    ];
    for (index, (history, expected)) in table.into_iter().enumerate() {
        assert_eq!(is_possible(&history), expected, "{index}");
    }
}
