//! Waits with a bound, on any thread: by the timer of the caller's runtime, or, without one, by a timer thread that
//! all clients of the process share and that is started when it is first needed.

use std::{future::pending, sync::OnceLock, thread};

use tokio::{
    runtime::{Builder, Handle},
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
    if in_runtime() {
        return tokio::time::sleep_until(until).await;
    }
    // Without a timer thread no wait can be bounded: then there is none.
    let Some(timers) = timers() else { return };
    let sleep = {
        let _timers = timers.enter();
        tokio::time::sleep_until(until)
    };
    sleep.await;
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
    use std::{future::ready, time::Duration};

    use futures::executor::block_on;

    use super::*;

    #[test]
    fn a_wait_without_a_runtime_ends_at_its_bound() {
        assert!(!in_runtime());
        let soon = || Instant::now() + Duration::from_millis(20);
        assert_eq!(block_on(bounded(pending::<()>(), soon())), None);
        assert_eq!(block_on(bounded(ready(7), soon())), Some(7));
    }
}
