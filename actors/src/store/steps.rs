//! The actor that sends steps to the store. No handler waits: each step runs as a task of its own, over one connection
//! that carries the steps of all.

use std::sync::Arc;
use std::time::Duration;

use redis::{RedisError, Value};
use tokio::time::{Instant, sleep, timeout};

use super::answer::{Answer, Failure};
use super::call::Call;
use super::shared::{PATIENCE, Shared};
use crate::address::Reply;
use crate::lifecycle::{Handle, State};

/// Sends steps.
pub(super) struct Steps {
    shared: Arc<Shared>,
}

/// Makes a value of an answer. One that cannot be delivered is dropped, and so gives itself back.
pub(super) type Read<R> = Box<dyn FnOnce(Result<Answer, Failure>) -> R + Send>;

/// Runs a script, once.
pub(super) struct Step<R> {
    pub(super) call: Call,
    pub(super) read: Read<R>,
    pub(super) reply: Reply<R>,
}

/// Runs a script again and again until the store has answered, but not for longer than this.
pub(super) struct Insist {
    pub(super) call: Call,
    pub(super) lasts: Duration,
}

/// How long to wait before a step is tried again.
const PAUSE: Duration = Duration::from_millis(300);

impl Steps {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl State for Steps {
    const NAME: &'static str = "store";

    fn last_number(&self) -> u64 {
        0
    }

    fn log_restart(&self) {
        log::error!(target: self.shared.log_target, "Store actor restarted after a panic; what it had sent goes on");
    }
}

impl<R: Send + 'static> Handle<Step<R>> for Steps {
    fn handle(&mut self, Step { call, read, reply }: Step<R>) {
        if reply.is_closed() {
            return;
        }
        let shared = Arc::clone(&self.shared);
        actix_rt::spawn(async move {
            let answer = run(&shared, &call).await;
            let _ = reply.send(read(answer));
        });
    }
}

impl Handle<Insist> for Steps {
    fn handle(&mut self, Insist { call, lasts }: Insist) {
        let shared = Arc::clone(&self.shared);
        actix_rt::spawn(async move {
            let end = Instant::now() + lasts;
            while run(&shared, &call).await.is_err() && Instant::now() < end {
                sleep(PAUSE).await;
            }
        });
    }
}

/// Runs a script once.
async fn run(shared: &Shared, call: &Call) -> Result<Answer, Failure> {
    let Some(mut ready) = shared.ready() else { return Err(Failure::NotDone) };
    let lives = call.lives.as_millis().to_string();
    let mut invocation = call.script.lua().prepare_invoke();
    invocation
        .key(shared.address.base())
        .arg(call.epoch.as_deref().unwrap_or(&ready.epoch))
        .arg(ready.until)
        .arg(&*call.session)
        .arg(lives)
        .arg(&call.arguments);
    let failed = |error: &RedisError| {
        // The link finds out what it is. A refusal for an epoch that is over means that there is another one.
        shared.ask.notify_one();
        log::debug!(target: shared.log_target, cause:% = error; "Step failed");
        Failure::of(error)
    };
    match timeout(PATIENCE, invocation.invoke_async::<Value>(&mut ready.connection)).await {
        Ok(Ok(value)) => Answer::read(value).map_err(|error| failed(&error)),
        Ok(Err(error)) => Err(failed(&error)),
        Err(_) => {
            shared.ask.notify_one();
            Err(Failure::Unknown)
        }
    }
}
