//! Calls that are handed over to a worker's thread, and the bound on waiting for that thread.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{
        mpsc::error::TrySendError::{Closed, Full},
        oneshot,
    },
    time::Instant,
};

use super::{
    Outcome,
    queue::{Job, Link, Parcel},
    timer::bounded,
};
use crate::{
    engine::Admitted,
    error::{Error, ErrorKind},
    state::ClientState,
};

/// How long after the deadline a caller still waits for the worker's own report of it, which lists the attempts.
/// A worker that is later has a blocked thread.
const GRACE: Duration = Duration::from_millis(100);

/// The deadline of a call that another thread runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    pub(super) at: Instant,
    /// The time that the call had from its start.
    pub(super) within: Duration,
}

impl Deadline {
    pub(super) fn of(call: &Admitted) -> Self {
        Self { at: call.deadline(), within: call.call.deadline }
    }
}

/// Hands a call over to a worker, and waits for its result. Dropping the future takes the call back.
pub(super) async fn hand_over(link: &Link, state: Arc<ClientState>, call: Admitted) -> Outcome {
    let deadline = Deadline::of(&call);
    let request_id = call.call.request_id.clone();
    let pool = call.call.limits.timeout.pool;
    let parcel = TakeBack(Arc::new(Parcel::new(state, call)));
    let (reply, mut answer) = oneshot::channel();
    let outcome = async {
        enqueue(link, Job { call: Arc::clone(&parcel.0), reply }, pool, deadline).await?;
        match bounded(&mut answer, deadline.at).await {
            Some(outcome) => outcome.unwrap_or_else(|_| Err(Error::closed())),
            None if parcel.0.take().is_some() => Err(Error::deadline_exceeded(deadline.within)),
            None => answered(answer, deadline).await,
        }
    };
    outcome.await.map_err(|error| match error.request_id() {
        Some(_) => error,
        None => error.with_request_id(request_id),
    })
}

/// Waits for the result of a call that a worker runs: not much longer than until its deadline, so that a blocked
/// thread does not hold the caller up.
pub(super) async fn answered(answer: oneshot::Receiver<Outcome>, deadline: Deadline) -> Outcome {
    match bounded(answer, deadline.at + GRACE).await {
        Some(outcome) => outcome.unwrap_or_else(|_| Err(Error::closed())),
        None => Err(Error::deadline_exceeded(deadline.within)),
    }
}

/// Puts a job into the queue. While the queue is full it waits, within `timeout.pool` and the deadline.
async fn enqueue(link: &Link, job: Job, pool: Duration, deadline: Deadline) -> Result<(), Error> {
    let job = match link.jobs.try_send(job) {
        Ok(()) => return Ok(()),
        Err(Closed(_)) => return Err(Error::closed()),
        Err(Full(job)) => job,
    };
    let longest = Instant::now() + pool;
    match bounded(link.jobs.send(job), longest.min(deadline.at)).await {
        Some(Ok(())) => Ok(()),
        Some(Err(_)) => Err(Error::closed()),
        None if deadline.at <= longest => Err(Error::deadline_exceeded(deadline.within)),
        None => {
            let seconds = pool.as_secs_f64();
            let message = format!("the queue of the client's thread stayed full for {seconds} s");
            Err(Error::new(ErrorKind::PoolTimeout, message))
        }
    }
}

/// Takes a call back when its caller goes, if no worker has taken it up: a blocked thread does not hold it up.
struct TakeBack(Arc<Parcel>);

impl Drop for TakeBack {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}
