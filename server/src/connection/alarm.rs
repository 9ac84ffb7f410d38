//! The one timer of a connection.
//!
//! It fires now and then and is compared with whatever deadline there is at that moment; so a request neither makes a
//! timer nor moves one.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

pub(super) struct Alarm {
    tick: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// Makes an alarm that looks at its deadline at least once in every `tick`.
    pub(super) fn new(tick: Duration) -> Self {
        Self { tick, timer: None }
    }

    /// Ready when `deadline` has passed. Until then the task is woken at the next tick or at the deadline.
    pub(super) fn poll(&mut self, deadline: Option<Instant>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let next_look = Instant::now() + self.tick;
            let next_look = deadline.map_or(next_look, |deadline| deadline.min(next_look));
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(next_look)));
            ready!(timer.as_mut().poll(context));
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Poll::Ready(());
            }
            let next_look = now + self.tick;
            timer.as_mut().reset(deadline.map_or(next_look, |deadline| deadline.min(next_look)));
        }
    }
}
