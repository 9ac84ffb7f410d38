//! A timer that runs while nothing happens. A connection keeps it for its whole life, because to reset a timer costs
//! a fraction of what a new one costs.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// Times the silence on a stream.
#[derive(Default)]
pub(super) struct Silence {
    timer: Option<Pin<Box<Sleep>>>,
    running: bool,
}

impl Silence {
    /// Ready when `longest` has passed since the first poll after [`end`](Self::end).
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, longest: Duration) -> Poll<()> {
        let end = || Instant::now() + longest;
        let timer = match &mut self.timer {
            Some(timer) => {
                if !self.running {
                    timer.as_mut().reset(end());
                }
                timer
            }
            None => self.timer.insert(Box::pin(sleep_until(end()))),
        };
        self.running = true;
        timer.as_mut().poll(cx)
    }

    /// Ends the silence. The next poll begins a new one.
    pub(super) fn end(&mut self) {
        self.running = false;
    }
}
