//! Makes the requests of a plan. Each worker has one request in flight at a time.
//!
//! Of a request only its place in the tally is kept. Dropping the future ends the requests in flight.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use futures::{StreamExt, stream::FuturesUnordered};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use resilient_client::{Error, Response};
use tokio::time::{Instant, sleep_until};

use super::{
    plan::{Plan, Waited, counts_from},
    tally::Tally,
};

/// A load in progress.
pub(super) struct Run<'a> {
    plan: &'a Plan,
    started: Instant,
    next: Cell<u64>,
    tally: RefCell<Tally>,
    progress: &'a ProgressBar,
}

impl<'a> Run<'a> {
    pub(super) fn new(plan: &'a Plan, started: Instant, progress: &'a ProgressBar) -> Self {
        Self { plan, started, next: Cell::new(0), tally: RefCell::new(Tally::new()), progress }
    }

    /// Makes all requests, each with `call`.
    pub(super) async fn all<C>(&self, call: impl Fn() -> C)
    where
        C: Future<Output = Result<Response, Error>>,
    {
        let mut workers: FuturesUnordered<_> = (0..self.plan.workers()).map(|_| self.work(&call)).collect();
        while workers.next().await.is_some() {}
    }

    pub(super) fn into_tally(self) -> Tally {
        self.tally.into_inner()
    }

    async fn work<C>(&self, call: &impl Fn() -> C)
    where
        C: Future<Output = Result<Response, Error>>,
    {
        while let Some(n) = self.take() {
            let from = self.turn_of(n).await;
            let result = call().await;
            self.tally.borrow_mut().record(&result, from.elapsed());
            self.progress.inc(1);
            // Calls that fail at once must not starve the signals and the progress bar.
            tokio::task::consume_budget().await;
        }
    }

    /// Takes the next request that no worker has taken.
    fn take(&self) -> Option<u64> {
        let n = self.next.get();
        (n < self.plan.requests).then(|| self.next.set(n + 1))?;
        Some(n)
    }

    /// Waits until a request is due. Returns the moment from which its latency counts.
    async fn turn_of(&self, n: u64) -> Instant {
        let Some(due) = self.plan.due(n) else { return Instant::now() };
        let mut waited = Waited::Busy;
        if self.started.elapsed() < due {
            waited = Waited::NotDue;
            sleep_until(self.started + due).await;
        }
        self.started + counts_from(due, self.started.elapsed(), waited)
    }
}

/// Makes a progress bar, which is shown if standard error is a terminal.
pub(super) fn progress(plan: &Plan) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(plan.requests), ProgressDrawTarget::stderr_with_hz(10));
    let template = "{elapsed_precise} [{bar:40}] {pos}/{len} requests, {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

/// Makes a progress bar that is never shown.
pub(super) fn no_progress() -> ProgressBar {
    ProgressBar::hidden()
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use resilient_client::{ClientConfig, ResilientClient};

    use super::*;

    /// An error that comes after `delay`, with the number of those in flight at once.
    async fn slow_failure(
        client: ResilientClient,
        delay: Duration,
        under_way: Rc<(Cell<u32>, Cell<u32>)>,
    ) -> Result<Response, Error> {
        under_way.0.set(under_way.0.get() + 1);
        under_way.1.set(under_way.1.get().max(under_way.0.get()));
        tokio::time::sleep(delay).await;
        under_way.0.set(under_way.0.get() - 1);
        client.get("no URL").send().await
    }

    async fn run(plan: Plan, delay: Duration) -> (Tally, Duration, u32) {
        let client = ResilientClient::start(ClientConfig::default()).unwrap();
        let progress = no_progress();
        let under_way = Rc::new((Cell::new(0), Cell::new(0)));
        let started = Instant::now();
        let run = Run::new(&plan, started, &progress);
        run.all(|| slow_failure(client.clone(), delay, Rc::clone(&under_way))).await;
        (run.into_tally(), started.elapsed(), under_way.1.get())
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_so_many_are_under_way_and_no_more() {
        let plan = Plan { requests: 10, concurrency: 3, rate: None };
        let (tally, took, most) = run(plan, Duration::from_secs(1)).await;
        assert_eq!((tally.done(), most), (10, 3));
        assert_eq!(took.as_secs(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn with_a_rate_latency_counts_from_when_a_request_was_due() {
        // One at a time, a second each, ten due every second: the last is due at 0.9 s and ends at 10 s.
        let plan = Plan { requests: 10, concurrency: 1, rate: Some(10.0) };
        let (tally, _, most) = run(plan, Duration::from_secs(1)).await;
        assert_eq!((tally.done(), most), (10, 1));
        let longest = tally.overall().max();
        assert!((9_090_000..=9_120_000).contains(&longest), "{longest}");
    }

    #[tokio::test(start_paused = true)]
    async fn with_a_rate_requests_are_spaced_evenly() {
        let plan = Plan { requests: 11, concurrency: 100, rate: Some(10.0) };
        let (_, took, most) = run(plan, Duration::from_millis(10)).await;
        assert_eq!(most, 1);
        assert!(took >= Duration::from_secs(1) && took < Duration::from_millis(1_100), "{took:?}");
    }
}
