//! The one timer of a connection.
//!
//! It fires now and then and is compared with whatever deadline there is at that moment; so a request neither makes a
//! timer nor moves one.

use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

pub(super) struct Alarm {
    tick: Duration,
    timer: Option<Armed>,
}

/// A timer, and the task that it wakes.
struct Armed {
    sleep: Pin<Box<Sleep>>,
    task: Waker,
}

impl Armed {
    /// Whether there is nothing to do for now: the timer runs, and wakes this task.
    fn is_running_for(&self, task: &Waker) -> bool {
        !self.sleep.is_elapsed() && self.task.will_wake(task)
    }
}

impl Alarm {
    /// Makes an alarm that looks at its deadline at least once in every `tick`.
    pub(super) fn new(tick: Duration) -> Self {
        Self { tick, timer: None }
    }

    /// Ready when `deadline` has passed. Until then the task is woken at the next tick or at the deadline.
    pub(super) fn poll(&mut self, deadline: Option<Instant>, context: &mut Context<'_>) -> Poll<()> {
        // What most polls find.
        match &self.timer {
            Some(timer) if timer.is_running_for(context.waker()) => Poll::Pending,
            _ => self.poll_timer(deadline, context),
        }
    }

    #[cold]
    fn poll_timer(&mut self, deadline: Option<Instant>, context: &mut Context<'_>) -> Poll<()> {
        let tick = self.tick;
        let next_look = |now: Instant| deadline.map_or(now + tick, |deadline| deadline.min(now + tick));
        let timer = self.timer.get_or_insert_with(|| Armed {
            sleep: Box::pin(sleep_until(next_look(Instant::now()))),
            task: context.waker().clone(),
        });
        timer.task.clone_from(context.waker());
        loop {
            ready!(timer.sleep.as_mut().poll(context));
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Poll::Ready(());
            }
            timer.sleep.as_mut().reset(next_look(now));
        }
    }
}
