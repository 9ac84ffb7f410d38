//! How far a request has come: its head, its body, and the wait for its answer.

use std::rc::Rc;

use tokio::time::Instant;

use super::body::Body;
use super::head::{Framing, Head};
use crate::connection::exchange::Exchange;
use crate::connection::phase::Phase;
use crate::headers::Interpreted;

/// How much is read of a body that is no longer needed, so that the connection can be used again.
pub(super) const MAX_LEFTOVER: usize = 1 << 20;

/// How far the request at hand has come. What is seen of it is reported to the exchange.
pub(super) struct Progress {
    exchange: Rc<Exchange>,
    part: Part,
    head: Head,
    /// Bytes of a body that came after its answer.
    leftover: usize,
}

/// The part of a request that comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Head,
    Body(Body),
    /// Nothing, until the request is answered.
    Answer,
    /// Nothing any more: what came is not HTTP.
    Broken,
}

impl Progress {
    pub(super) fn new(exchange: Rc<Exchange>) -> Self {
        Self { exchange, part: Part::Head, head: Head::default(), leftover: 0 }
    }

    pub(super) fn part(&self) -> Part {
        self.part
    }

    /// The request has been answered, and another one may come.
    pub(super) fn next_request(&mut self) {
        self.part = Part::Head;
    }

    /// Looks at bytes that have come: how many of them come next, and how many are left in all.
    pub(super) fn see(&mut self, data: &mut [u8]) -> (usize, usize) {
        match self.part {
            Part::Head => self.see_head(data),
            Part::Body(body) => self.see_body(body, data),
            Part::Answer | Part::Broken => (0, data.len()),
        }
    }

    /// As [`see`](Self::see), of a head.
    fn see_head(&mut self, data: &mut [u8]) -> (usize, usize) {
        let taken = match self.head.take(data) {
            Ok(taken) => taken,
            Err(status) => {
                self.part = Part::Broken;
                self.exchange.set_phase(Phase::Refused(status));
                return (0, 0);
            }
        };
        if let Some(framing) = taken.complete {
            self.complete_head(framing, taken.interpreted);
        } else if self.head.has_begun() {
            self.exchange.head_begun();
        }
        (taken.ready, taken.total)
    }

    fn complete_head(&mut self, framing: Framing, interpreted: Interpreted) {
        self.exchange.head_complete(interpreted);
        self.leftover = 0;
        self.part = Body::of(framing).map_or(Part::Answer, Part::Body);
    }

    /// As [`see`](Self::see), of a body.
    fn see_body(&mut self, mut body: Body, data: &[u8]) -> (usize, usize) {
        let Ok(length) = body.take(data) else {
            self.part = Part::Broken;
            self.exchange.linger();
            return (0, 0);
        };
        self.part = if body.is_complete() { Part::Answer } else { Part::Body(body) };
        match self.exchange.phase() {
            Phase::Idle { since } if self.part != Part::Answer => {
                self.exchange.set_phase(Phase::Leftover { since });
            }
            Phase::Leftover { .. } if self.part == Part::Answer => {
                self.exchange.set_phase(Phase::Idle { since: Instant::now() });
            }
            Phase::Leftover { .. } => {
                self.leftover += length;
                if self.leftover > MAX_LEFTOVER {
                    self.part = Part::Broken;
                    self.exchange.linger();
                }
            }
            _ => {}
        }
        (length, data.len())
    }
}
