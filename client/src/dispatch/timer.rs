//! Waits with a bound, on any thread: by the timer of the caller's runtime, or, without one, by a timer thread that
//! all clients of the process share and that is started when it is first needed.

use std::{
    future::{pending, poll_fn},
    sync::OnceLock,
    task::Poll,
    thread,
};

use tokio::{
    runtime::{Builder, Handle, Id},
    time::Instant,
};

/// Waits for `future` until `until`; `None` when the time is over first.
pub(crate) async fn bounded<T>(future: impl Future<Output = T>, until: Instant) -> Option<T> {
    tokio::select! {
        biased;
        done = future => Some(done),
        () = sleep_until(until) => None,
    }
}

pub(super) fn in_runtime() -> bool {
    Handle::try_current().is_ok()
}

async fn sleep_until(until: Instant) {
    while let Waited::Moved = wait_here(until).await {}
}

enum Waited {
    Elapsed,
    /// The future was polled in another runtime, whose timer must be used from now on: the first one may have ended.
    Moved,
}

async fn wait_here(until: Instant) -> Waited {
    let runtime = runtime_here();
    let sleep = if runtime.is_some() {
        tokio::time::sleep_until(until)
    } else {
        // If the timer thread cannot be started, the wait ends at once, because it could not be bounded.
        let Some(timers) = timers() else { return Waited::Elapsed };
        let _timers = timers.enter();
        tokio::time::sleep_until(until)
    };
    tokio::pin!(sleep);
    poll_fn(|cx| match sleep.as_mut() {
        sleep if runtime_here() == runtime => sleep.poll(cx).map(|()| Waited::Elapsed),
        _ => Poll::Ready(Waited::Moved),
    })
    .await
}

fn runtime_here() -> Option<Id> {
    Handle::try_current().ok().map(|handle| handle.id())
}

/// The runtime of the timer thread; `None` when the thread could not be started.
fn timers() -> Option<&'static Handle> {
    static TIMERS: OnceLock<Option<Handle>> = OnceLock::new();
    let start = || {
        let runtime = Builder::new_current_thread().enable_time().build().ok()?;
        let handle = runtime.handle().clone();
        let named = thread::Builder::new().name("resilient-timer".to_owned());
        named.spawn(move || runtime.block_on(pending::<()>())).ok()?;
        Some(handle)
    };
    TIMERS.get_or_init(start).as_ref()
}

#[cfg(test)]
mod tests {
    use std::{future::ready, task::Context, time::Duration};

    use futures::{FutureExt, executor::block_on};

    use super::*;

    #[test]
    fn a_wait_without_a_runtime_ends_at_its_bound() {
        assert!(!in_runtime());
        let soon = || Instant::now() + Duration::from_millis(20);
        assert_eq!(block_on(bounded(pending::<()>(), soon())), None);
        assert_eq!(block_on(bounded(ready(7), soon())), Some(7));
    }

    #[test]
    fn a_wait_that_leaves_its_runtime_ends_at_its_bound_though_the_runtime_has_ended() {
        let mut wait = Box::pin(bounded(pending::<()>(), Instant::now() + Duration::from_millis(20)));
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        let entered = runtime.enter();
        assert!(wait.poll_unpin(&mut Context::from_waker(std::task::Waker::noop())).is_pending());
        drop(entered);
        drop(runtime);
        assert_eq!(block_on(wait), None);
    }
}
