//! Calls from their admission to their result, over a scripted transport, under a paused clock. One topic a file.

mod adaptive;
mod breaker;
mod endings;
mod events;
mod hedging;
mod hedging_gain;
mod limits;
mod random_runs;
mod redirects;
mod retries;
mod retry_after;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Mutex,
};

use futures::{FutureExt, future::join_all};
use resilience_actors::supervisor::{BreakerState, SupervisorHandle};

use super::*;
use crate::{
    call::Call,
    config::{ClientConfig, HedgeAfter, HedgeConfig, RetryBudget, RetryConfig, RetryMethods},
    error::ConnectionError,
    headers::Headers,
    lifetime::Lifetime,
    method::Method,
    observe::{CallLog, Observer, Observers},
    policy,
    request_id::RequestId,
    response::{Attempt, AttemptRole},
    seed,
    transport::{Cause, Fault, Limits, Replay, Request, Sent},
};

/// What the scripted server does with an exchange.
#[derive(Clone)]
enum Step {
    Answer(u16),
    AnswerWith(u16, &'static str, String),
    Fail(Cause, Sent),
    Hang,
}

/// A transport that follows a script: the step for exchange 0, 1, 2 and so on.
struct Script {
    steps: Box<dyn Fn(usize) -> (Duration, Step)>,
    seen: RefCell<Vec<Request>>,
    replays: RefCell<Vec<Replay>>,
    open: Rc<Cell<usize>>,
}

/// An exchange in progress.
struct Open(Rc<Cell<usize>>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Transport for Script {
    async fn exchange(&self, request: &Request, limits: Limits) -> Result<Reply, Fault> {
        let n = self.seen.borrow().len();
        self.seen.borrow_mut().push(request.clone());
        self.replays.borrow_mut().push(limits.replay);
        self.open.set(self.open.get() + 1);
        let _open = Open(Rc::clone(&self.open));
        let (takes, step) = (self.steps)(n);
        if !takes.is_zero() {
            sleep(takes).await;
        }
        let reply = |status, headers: Headers| Ok(Reply { status, headers, body: "body".into() });
        match step {
            Step::Answer(status) => reply(status, Headers::default()),
            Step::AnswerWith(status, name, value) => {
                let header = (http::header::HeaderName::from_static(name), value.parse().unwrap());
                reply(status, [header].into_iter().collect())
            }
            Step::Fail(cause, sent) => Err(Fault::new(cause, sent, "scripted")),
            Step::Hang => std::future::pending().await,
        }
    }
}

#[derive(Clone)]
struct Bench {
    state: Arc<ClientState>,
    script: Rc<Script>,
    heard: Arc<Heard>,
}

/// An observer that writes down the events.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Observer for Heard {
    fn on(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }
}

impl Bench {
    /// A client that waits 1, 2, 4 and so on seconds between attempts.
    fn new(
        change: impl FnOnce(&mut ClientConfig),
        steps: impl Fn(usize) -> (Duration, Step) + 'static,
    ) -> Self {
        let mut config = ClientConfig::new("http://test");
        config.retry.jitter = false;
        change(&mut config);
        config.validate().unwrap();
        let log = CallLog::new(&config.logging);
        let target = log.target();
        let heard = Arc::new(Heard::default());
        let observers = Arc::new(Observers::new(log));
        observers.add(Arc::clone(&heard) as Arc<dyn Observer>).unwrap();
        let settings = policy::supervisor_settings(&config, target, &observers);
        let supervisor = SupervisorHandle::start(settings);
        let state = ClientState::new(&config, supervisor, observers, Lifetime::default()).unwrap();
        let script = Script {
            steps: Box::new(steps),
            seen: RefCell::default(),
            replays: RefCell::default(),
            open: Rc::default(),
        };
        Self { state: Arc::new(state), script: Rc::new(script), heard }
    }

    /// A client whose server takes these steps without delay, and repeats the last one.
    fn steps(change: impl FnOnce(&mut ClientConfig), steps: &[Step]) -> Self {
        let steps = steps.to_vec();
        Self::new(change, move |n| (Duration::ZERO, steps[n.min(steps.len() - 1)].clone()))
    }

    async fn call(&self, call: Call) -> Result<Response, Error> {
        let call = admit(&self.state, call.parts)?;
        run(&self.state, &*self.script, &call).await
    }

    async fn get(&self) -> Result<Response, Error> {
        self.call(Call::get("/")).await
    }

    fn sent(&self) -> usize {
        self.script.seen.borrow().len()
    }

    /// What must hold whenever there is no call.
    fn assert_idle(&self) {
        assert_eq!(self.state.lifetime.in_flight(), 0);
        assert_eq!(self.state.bulkhead.available(), self.state.bulkhead.size());
        assert_eq!(self.script.open.get(), 0);
    }

    fn state(&self) -> BreakerState {
        self.state.supervisor.state()
    }
}

const NETWORK: Step = Step::Fail(Cause::Network, Sent::Maybe);

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Whole seconds: timers are exact to a millisecond.
fn since(start: Instant) -> u64 {
    start.elapsed().as_secs()
}

fn waits(attempts: &[Attempt]) -> Vec<Option<u64>> {
    attempts.iter().map(|attempt| attempt.wait.map(|wait| wait.as_secs())).collect()
}

fn asks_to_wait(status: u16, value: impl Into<String>) -> Step {
    Step::AnswerWith(status, "retry-after", value.into())
}
