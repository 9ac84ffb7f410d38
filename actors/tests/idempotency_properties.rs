//! Random sequences for keys: the cache compared with two plain lists, and the actor with callers that leave.
//!
//! A failing sequence is shrunk to its shortest form. `PROPTEST_CASES` sets how many are tried, `SEED` repeats a run.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

mod property;

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use resilience_actors::ActorError;
use resilience_actors::idempotency::cache::{Begun, Follower, IdempotencyCache};
use resilience_actors::idempotency::{
    self, CacheSettings, CacheStats, ExecutionId, Fingerprint, Key, Lease, Outcome,
};

/// How long an answer is kept, in milliseconds.
const TTL: u64 = 20;

/// What can happen to a cache. Times are in milliseconds.
#[derive(Debug, Clone)]
enum Event {
    Begin(usize),
    Complete(Index),
    Abandon(Index),
    /// Reports an execution that has ended already.
    ReportLate(Index),
    Leave(Index),
    Sweep(usize),
    Pass(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..5usize).prop_map(Event::Begin),
        4 => any::<Index>().prop_map(Event::Complete),
        2 => any::<Index>().prop_map(Event::Abandon),
        1 => any::<Index>().prop_map(Event::ReportLate),
        2 => any::<Index>().prop_map(Event::Leave),
        1 => (0..4usize).prop_map(Event::Sweep),
        3 => prop_oneof![0..4u64, Just(TTL - 1), Just(TTL)].prop_map(Event::Pass),
    ]
}

/// A caller. The sequence shares `left`, and sets it to let the caller leave.
#[derive(Debug, Clone, PartialEq)]
struct Caller {
    number: usize,
    left: Rc<Cell<bool>>,
}

impl Follower for Caller {
    fn has_left(&self) -> bool {
        self.left.get()
    }
}

/// A leader executes, followers wait.
struct Execution {
    key: usize,
    id: ExecutionId,
    waiting: Vec<Caller>,
}

/// A stored answer.
#[derive(Clone)]
struct Stored {
    key: usize,
    value: usize,
    since: u64,
    /// Counts the answers, so that those stored at one time have an order.
    number: usize,
}

/// A cache and the naive form of it, under the same sequence of events.
struct Compared {
    cache: IdempotencyCache<usize, Caller>,
    max_size: usize,
    /// The least recently used first.
    stored: Vec<Stored>,
    executions: Vec<Execution>,
    ended: Vec<(usize, ExecutionId)>,
    callers: Vec<Caller>,
    /// How many answers each caller has got.
    answers: Vec<usize>,
    values: usize,
    start: Instant,
    now: u64,
}

fn name(key: usize) -> Key {
    format!("key-{key}").into()
}

impl Compared {
    fn new(max_size: usize) -> Self {
        let settings = CacheSettings {
            max_size: NonZeroUsize::new(max_size).expect("true in this test"),
            ttl: Duration::from_millis(TTL),
        };
        Self {
            cache: IdempotencyCache::new(settings, 0),
            max_size,
            stored: Vec::new(),
            executions: Vec::new(),
            ended: Vec::new(),
            callers: Vec::new(),
            answers: Vec::new(),
            values: 0,
            start: Instant::now(),
            now: 0,
        }
    }

    fn clock(&self) -> Instant {
        self.start + Duration::from_millis(self.now)
    }

    fn begin(&mut self, key: usize) -> Result<(), TestCaseError> {
        let caller = Caller { number: self.callers.len(), left: Rc::default() };
        self.callers.push(caller.clone());
        self.answers.push(0);
        let found = self.stored.iter().position(|entry| entry.key == key).map(|at| self.stored.remove(at));
        let (live, expired_entry): (Option<Stored>, bool) = match found {
            Some(entry) if self.now - entry.since < TTL => (Some(entry), false),
            other => (None, other.is_some()),
        };
        let now = self.clock();
        match self.cache.begin(&name(key), Fingerprint::default(), caller.clone(), now) {
            Begun::Replay { value, caller: answered, .. } => {
                let entry = live.ok_or_else(|| TestCaseError::fail("a replay of what is not stored"))?;
                prop_assert_eq!((value, &answered), (entry.value, &caller));
                self.stored.push(entry);
                self.answers[caller.number] += 1;
            }
            Begun::Lead { execution, caller: answered, expired } => {
                prop_assert!(live.is_none(), "a stored answer is made again");
                prop_assert!(self.executions.iter().all(|other| other.key != key), "two lead");
                prop_assert_eq!((expired, &answered), (expired_entry, &caller));
                self.executions.push(Execution { key, id: execution, waiting: Vec::new() });
                self.answers[caller.number] += 1;
            }
            Begun::Follow => {
                let execution = self.executions.iter_mut().find(|execution| execution.key == key);
                let execution = execution.ok_or_else(|| TestCaseError::fail("it follows no leader"))?;
                execution.waiting.push(caller);
            }
            Begun::Conflict { .. } => prop_assert!(false, "all ask for the same"),
        }
        Ok(())
    }

    fn complete(&mut self, which: Index) -> Result<(), TestCaseError> {
        let execution = self.executions.swap_remove(which.index(self.executions.len()));
        self.values += 1;
        let (value, now) = (self.values, self.clock());
        let completed = self.cache.complete(&name(execution.key), execution.id, value, now);
        let completed = completed.ok_or_else(|| TestCaseError::fail("an execution was lost"))?;
        self.stored.push(Stored { key: execution.key, value, since: self.now, number: value });
        let evicted = (self.stored.len() > self.max_size).then(|| name(self.stored.remove(0).key));
        prop_assert_eq!(completed.evicted, evicted);
        let stayed = |callers: &mut dyn Iterator<Item = Caller>| -> Vec<usize> {
            callers.filter(|caller| !caller.has_left()).map(|caller| caller.number).collect()
        };
        let answered = stayed(&mut completed.followers.into_iter());
        prop_assert_eq!(&answered, &stayed(&mut execution.waiting.into_iter()));
        answered.into_iter().for_each(|number| self.answers[number] += 1);
        self.ended.push((execution.key, execution.id));
        Ok(())
    }

    /// As the actor does: a successor that has left abandons in turn.
    fn abandon(&mut self, place: usize) -> Result<(), TestCaseError> {
        let Execution { key, mut id, waiting } = self.executions.swap_remove(place);
        let mut expected = waiting.into_iter().filter(|caller| !caller.has_left());
        loop {
            self.ended.push((key, id));
            match self.cache.abandon(&name(key), id) {
                Some((next, successor)) if successor.has_left() => id = next,
                Some((next, successor)) => {
                    let first = expected.next();
                    prop_assert_eq!(Some(&successor), first.as_ref());
                    self.answers[successor.number] += 1;
                    self.executions.push(Execution { key, id: next, waiting: expected.collect() });
                    return Ok(());
                }
                None => {
                    prop_assert!(expected.next().is_none(), "one who waits was forgotten");
                    return Ok(());
                }
            }
        }
    }

    fn report_late(&mut self, which: Index) -> Result<(), TestCaseError> {
        let (key, id) = self.ended[which.index(self.ended.len())];
        let now = self.clock();
        prop_assert_eq!(self.cache.complete(&name(key), id, usize::MAX, now), None);
        prop_assert_eq!(self.cache.abandon(&name(key), id), None);
        Ok(())
    }

    fn sweep(&mut self, limit: usize) -> Result<(), TestCaseError> {
        let expired_entry = |entry: &Stored| self.now - entry.since >= TTL;
        let mut expected: Vec<Stored> =
            self.stored.iter().filter(|entry| expired_entry(entry)).cloned().collect();
        expected.sort_by_key(|entry| entry.number);
        let more = expected.len() > limit;
        expected.truncate(limit);
        self.stored.retain(|entry| expected.iter().all(|swept| swept.number != entry.number));
        let mut swept: Vec<Key> = Vec::new();
        let now = self.clock();
        prop_assert_eq!(self.cache.sweep(now, limit, |key| swept.push(key.into())), more);
        prop_assert_eq!(swept, expected.iter().map(|entry| name(entry.key)).collect::<Vec<_>>());
        Ok(())
    }

    fn happens(&mut self, event: &Event) -> Result<(), TestCaseError> {
        match event {
            Event::Begin(key) => self.begin(*key)?,
            Event::Complete(which) if !self.executions.is_empty() => self.complete(*which)?,
            Event::Abandon(which) if !self.executions.is_empty() => {
                self.abandon(which.index(self.executions.len()))?;
            }
            Event::ReportLate(which) if !self.ended.is_empty() => self.report_late(*which)?,
            Event::Leave(which) if !self.callers.is_empty() => which.get(&self.callers).left.set(true),
            Event::Sweep(limit) => self.sweep(*limit)?,
            Event::Pass(millis) => self.now += millis,
            Event::Complete(_) | Event::Abandon(_) | Event::ReportLate(_) | Event::Leave(_) => {}
        }
        let CacheStats { stored, in_flight } = self.cache.stats();
        prop_assert_eq!((stored, in_flight), (self.stored.len(), self.executions.len()));
        prop_assert!(stored <= self.max_size);
        Ok(())
    }
}

proptest! {
    #![proptest_config(property::config())]

    #[test]
    fn the_cache_behaves_like_two_plain_lists(max_size in 1..4usize, sequence in vec(event(), 0..80)) {
        let mut compared = Compared::new(max_size);
        for event in sequence {
            compared.happens(&event)?;
        }
        while !compared.executions.is_empty() {
            compared.abandon(0)?;
        }
        for (caller, times) in compared.callers.iter().zip(&compared.answers) {
            prop_assert!(*times == 1 || (caller.has_left() && *times == 0), "{caller:?} got {times} answers");
        }
    }
}

/// What callers of the actor do.
#[derive(Debug, Clone)]
enum Step {
    /// A request with this key comes; its message is sent and not answered yet.
    Begin(usize),
    /// The actor gets to run.
    Run,
    /// A request takes its outcome, if that has come.
    Take(Index),
    /// A client leaves while its request waits for the outcome, which may be on its way.
    Leave(Index),
    Complete(Index),
    /// The client of the leader leaves.
    Drop(Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3usize).prop_map(Step::Begin),
        4 => Just(Step::Run),
        5 => any::<Index>().prop_map(Step::Take),
        4 => any::<Index>().prop_map(Step::Leave),
        1 => any::<Index>().prop_map(Step::Complete),
        3 => any::<Index>().prop_map(Step::Drop),
    ]
}

type Asked = LocalBoxFuture<'static, Result<Outcome<usize>, ActorError>>;

/// Requests at every stage.
#[derive(Default)]
struct Requests {
    asked: Vec<(usize, Asked)>,
    leases: Vec<(usize, Lease<usize>)>,
    /// The answer of each key, once there is one.
    answers: [Option<usize>; 3],
    made: usize,
}

impl Requests {
    async fn take(&mut self, place: usize) -> Result<(), TestCaseError> {
        let Poll::Ready(outcome) = futures::poll!(&mut self.asked[place].1) else { return Ok(()) };
        let (key, _) = self.asked.swap_remove(place);
        match outcome.expect("true in this test") {
            Outcome::Replay(value) => prop_assert_eq!(Some(value), self.answers[key]),
            Outcome::Execute(lease) => {
                prop_assert!(self.leases.iter().all(|(other, _)| *other != key), "two execute {key}");
                prop_assert_eq!(self.answers[key], None, "an answer is made again");
                self.leases.push((key, lease));
            }
            Outcome::Conflict => prop_assert!(false, "all ask for the same"),
        }
        Ok(())
    }

    fn complete(&mut self, place: usize) {
        let (key, lease) = self.leases.swap_remove(place);
        self.made += 1;
        lease.complete(self.made);
        self.answers[key] = Some(self.made);
    }
}

async fn run_the_actor() {
    for _ in 0..3 {
        actix_rt::task::yield_now().await;
    }
}

/// One caller executes a key at a time, one answer is made, and every caller that stays gets a result.
async fn act(sequence: Vec<Step>) -> Result<(), TestCaseError> {
    let settings = CacheSettings {
        max_size: NonZeroUsize::new(100).expect("true in this test"),
        ttl: Duration::from_secs(3600),
    };
    let (cache, actor) = idempotency::prepare::<usize>(settings, "test");
    actor.start();
    let mut requests = Requests::default();
    for step in sequence {
        let (asked, leases) = (requests.asked.len(), requests.leases.len());
        match step {
            Step::Begin(key) => {
                let cache = cache.clone();
                let mut outcome =
                    async move { cache.begin(name(key), Fingerprint::default()).await }.boxed_local();
                match futures::poll!(&mut outcome) {
                    Poll::Pending => requests.asked.push((key, outcome)),
                    // What was replayed lately is replayed without the actor.
                    Poll::Ready(Ok(Outcome::Replay(value))) => {
                        prop_assert_eq!(Some(value), requests.answers[key]);
                    }
                    Poll::Ready(other) => prop_assert!(false, "decided without the actor: {other:?}"),
                }
            }
            Step::Run => run_the_actor().await,
            Step::Take(which) if asked > 0 => requests.take(which.index(asked)).await?,
            Step::Leave(which) if asked > 0 => drop(requests.asked.swap_remove(which.index(asked))),
            Step::Complete(which) if leases > 0 => requests.complete(which.index(leases)),
            Step::Drop(which) if leases > 0 => drop(requests.leases.swap_remove(which.index(leases))),
            Step::Take(_) | Step::Leave(_) | Step::Complete(_) | Step::Drop(_) => {}
        }
    }
    settle(requests).await?;
    prop_assert_eq!(cache.stats().await.expect("true in this test").in_flight, 0);
    Ok(())
}

/// Abandons every execution until no request waits any more; each round ends at least one request.
async fn settle(mut requests: Requests) -> Result<(), TestCaseError> {
    for _ in 0..=requests.asked.len() {
        requests.leases.clear();
        run_the_actor().await;
        for place in (0..requests.asked.len()).rev() {
            requests.take(place).await?;
        }
    }
    prop_assert!(requests.asked.is_empty(), "{} wait without end", requests.asked.len());
    drop(requests);
    run_the_actor().await;
    Ok(())
}

proptest! {
    #![proptest_config(property::config())]

    #[test]
    fn a_caller_that_stays_gets_an_answer_or_the_lease_and_nothing_stays_in_flight(sequence in vec(step(), 0..80)) {
        actix_rt::System::new().block_on(act(sequence))?;
    }
}
