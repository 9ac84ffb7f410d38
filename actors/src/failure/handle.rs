//! How the rest of the world arms failures and asks whether a request must fail.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use actix::{Addr, Handler, Message};
use futures::channel::oneshot;

use super::actor::{Apply, Change, Decide, FailureActor, GiveBack, ReadStatus};
use super::plan::{FailureStatus, Reason};
use crate::mailbox::{self, Gone, Unstarted};

/// Asks and changes one failure plan, from any thread. Cheap to clone; the actor ends with its last handle.
#[derive(Clone)]
pub struct FailureHandle {
    armed: Arc<AtomicBool>,
    address: Arc<Addr<FailureActor>>,
}

/// Whether a request may go on.
#[derive(Debug)]
pub enum Verdict {
    /// Nothing is due.
    Pass,
    /// This request must fail.
    Fail(InducedFailure),
}

/// A failure that is due to one request.
///
/// Counted failures are exact, so this one must either be answered ([`spend`](Self::spend)) or go back to the
/// plan; dropping it (because the request was cancelled meanwhile) gives it back.
#[derive(Debug)]
pub struct InducedFailure {
    reason: Reason,
    owed_to: Option<Weak<Addr<FailureActor>>>,
}

impl InducedFailure {
    pub(super) fn new(reason: Reason, plan: Weak<Addr<FailureActor>>) -> Self {
        Self { reason, owed_to: Some(plan) }
    }

    /// Says that the request is being answered with this failure, and why.
    pub fn spend(mut self) -> Reason {
        self.owed_to = None;
        self.reason
    }
}

impl Drop for InducedFailure {
    fn drop(&mut self) {
        if let Some(plan) = self.owed_to.take().and_then(|plan| plan.upgrade()) {
            plan.do_send(GiveBack(self.reason));
        }
    }
}

/// Makes a plan in which nothing fails, and the actor that has yet to be started.
///
/// # Examples
///
/// ```
/// use resilience_actors::failure::{self, Verdict};
///
/// # #[actix_rt::main]
/// # async fn main() -> Result<(), resilience_actors::Gone> {
/// let (failures, actor) = failure::prepare();
/// actor.start();
/// failures.fail_next(1).await?;
/// let Verdict::Fail(failure) = failures.decide().await? else { panic!("one failure is armed") };
/// failure.spend();
/// assert!(matches!(failures.decide().await?, Verdict::Pass));
/// # Ok(())
/// # }
/// ```
pub fn prepare() -> (FailureHandle, Unstarted<FailureActor>) {
    let armed = Arc::new(AtomicBool::new(false));
    let (address, actor) =
        mailbox::prepare(|address| FailureActor::new(Arc::clone(&armed), Arc::downgrade(address)));
    (FailureHandle { armed, address }, actor)
}

impl FailureHandle {
    /// Lets the next `count` requests fail, in place of whatever count was left.
    ///
    /// Once this has returned, every later [`decide`](Self::decide) on any thread sees it.
    ///
    /// # Errors
    /// [`Gone`] when the actor has ended.
    pub async fn fail_next(&self, count: u32) -> Result<(), Gone> {
        self.apply(Change::FailNext(count)).await
    }

    /// Lets every request fail for `duration`, from now on.
    ///
    /// # Errors
    /// [`Gone`] when the actor has ended.
    pub async fn fail_for(&self, duration: Duration) -> Result<(), Gone> {
        self.apply(Change::FailFor(duration)).await
    }

    /// Ends both failure modes.
    ///
    /// # Errors
    /// [`Gone`] when the actor has ended.
    pub async fn reset(&self) -> Result<(), Gone> {
        self.apply(Change::Reset).await
    }

    /// Asks whether the request at hand must fail. Without a message, and so without waiting, while nothing is
    /// armed.
    ///
    /// # Errors
    /// [`Gone`] when something is armed and the actor has ended.
    pub async fn decide(&self) -> Result<Verdict, Gone> {
        if !self.armed.load(Ordering::Acquire) {
            return Ok(Verdict::Pass);
        }
        self.ask(|reply| Decide { reply }).await
    }

    /// What is armed now.
    ///
    /// # Errors
    /// [`Gone`] when the actor has ended.
    pub async fn status(&self) -> Result<FailureStatus, Gone> {
        self.ask(|reply| ReadStatus { reply }).await
    }

    async fn apply(&self, change: Change) -> Result<(), Gone> {
        self.ask(|done| Apply { change, done }).await.map(drop)
    }

    /// An ended actor drops the message, and the reply's sender with it.
    async fn ask<M, T>(&self, message: impl FnOnce(oneshot::Sender<T>) -> M) -> Result<T, Gone>
    where
        M: Message<Result = ()> + Send + 'static,
        FailureActor: Handler<M>,
    {
        let (reply, answer) = oneshot::channel();
        self.address.do_send(message(reply));
        answer.await.map_err(|_| Gone("failure"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{advance, pause};

    fn started() -> FailureHandle {
        let (handle, actor) = prepare();
        actor.start();
        handle
    }

    async fn fails(handle: &FailureHandle) -> bool {
        match handle.decide().await.unwrap() {
            Verdict::Pass => false,
            Verdict::Fail(failure) => {
                failure.spend();
                true
            }
        }
    }

    #[actix_rt::test]
    async fn a_duration_runs_out_by_the_runtimes_clock() {
        pause();
        let handle = started();
        handle.fail_for(Duration::from_secs(10)).await.unwrap();
        advance(Duration::from_secs(9)).await;
        assert!(fails(&handle).await);
        assert_eq!(handle.status().await.unwrap().remaining, Some(Duration::from_secs(1)));
        advance(Duration::from_secs(1)).await;
        assert!(!fails(&handle).await);
        assert!(!handle.status().await.unwrap().failing());
    }

    #[actix_rt::test]
    async fn without_anything_armed_no_message_is_sent() {
        let (handle, unstarted) = prepare();
        assert!(!fails(&handle).await, "an actor that does not run yet could not have answered");
        unstarted.start();
    }

    #[actix_rt::test]
    async fn a_dropped_failure_is_due_again() {
        let handle = started();
        handle.fail_next(1).await.unwrap();
        drop(handle.decide().await.unwrap());
        assert_eq!(handle.status().await.unwrap().count, 1);
        assert!(fails(&handle).await);
        assert!(!fails(&handle).await);
    }

    #[actix_rt::test]
    async fn a_question_whose_asker_has_gone_takes_no_failure() {
        let handle = started();
        handle.fail_next(1).await.unwrap();
        let mut question = Box::pin(handle.decide());
        assert!(futures::poll!(question.as_mut()).is_pending(), "the message is in the mailbox");
        drop(question);
        assert_eq!(handle.status().await.unwrap().count, 1);
    }

    #[actix_rt::test]
    async fn an_ended_actor_is_an_error_and_not_a_wait() {
        let (handle, unstarted) = prepare();
        drop(unstarted);
        assert_eq!(handle.reset().await, Err(Gone("failure")));
        assert_eq!(handle.status().await.unwrap_err().to_string(), "the failure actor has ended");
    }

    #[actix_rt::test]
    async fn counts_are_exact_across_threads() {
        let handle = started();
        handle.fail_next(500).await.unwrap();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let handle = handle.clone();
                std::thread::spawn(move || {
                    futures::executor::block_on(async {
                        let mut failed = 0;
                        for _ in 0..400 {
                            failed += usize::from(fails(&handle).await);
                        }
                        failed
                    })
                })
            })
            .collect();
        while !threads.iter().all(std::thread::JoinHandle::is_finished) {
            actix_rt::task::yield_now().await;
        }
        let failed: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(failed, 500);
    }
}
