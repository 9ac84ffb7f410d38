//! A fault at work: from the first byte of the answer to what follows the answer.

use std::future::pending;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use futures::future::LocalBoxFuture;

use super::answer::{Answer, Piece};
use super::ending::Ending;
use super::output::{Output, Sent};
use super::rewrite::{self, Finish, Rewrite};
use crate::connection::delivery::{Asked, Content, Delivery, End, Order, Protocol, Spent};
use crate::connection::exchange::Exchange;
use crate::connection::socket::Socket;

/// How many bytes may wait to be sent before no more of the answer is taken.
const MAX_WAITING: usize = 64 * 1024;

/// The work on one answer.
pub(super) struct Work {
    answer: Answer,
    fault: Box<dyn Rewrite>,
    output: Output,
    stage: Stage,
    /// When this completes, the connection ends.
    revoked: LocalBoxFuture<'static, ()>,
}

#[derive(Debug)]
enum Stage {
    /// More of the answer is to come.
    Answering,
    /// What was made of the answer is being sent.
    Finishing(Finish),
    /// The connection ends.
    Ending(Ending),
    /// The connection goes on.
    Done,
}

impl Work {
    /// Carries out a delivery on the answer that begins with the next bytes.
    pub(super) fn on_answer(Order { delivery, asked, revoked }: Order) -> Box<Self> {
        let output = match delivery {
            Delivery::Drip { bytes_per_second } => Output::slow(bytes_per_second),
            _ => Output::fast(),
        };
        let fault = rewrite::of(delivery, asked);
        Box::new(Self { answer: Answer::new(asked), fault, output, stage: Stage::Answering, revoked })
    }

    /// Ends the connection, whatever is written.
    pub(super) fn end(end: End) -> Box<Self> {
        let asked = Asked { content: Content::HeadAndBody, protocol: Protocol::Http11 };
        let mut work =
            Self::on_answer(Order { delivery: Delivery::Instead(end), asked, revoked: Box::pin(pending()) });
        work.stage = Stage::Finishing(Finish::End(end));
        work
    }

    /// Whether more of the answer is expected.
    pub(super) fn awaits_more(&self) -> bool {
        matches!(self.stage, Stage::Answering)
    }

    /// Whether the connection goes on.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }

    /// Whether the connection ends anyway, and with the end of the stream.
    fn closes(&self) -> bool {
        matches!(self.stage, Stage::Done | Stage::Ending(Ending::Close | Ending::Discarding(_)))
    }

    /// Whether enough waits to be sent.
    pub(super) fn is_full(&self) -> bool {
        self.output.waiting() >= MAX_WAITING || !self.awaits_more()
    }

    /// Takes the next bytes of the answer. What comes behind the part that is wanted is dropped.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.with_pieces(|answer, pass| answer.take(bytes, pass));
    }

    /// The answer has no more bytes.
    pub(super) fn close(&mut self) {
        self.with_pieces(|answer, pass| answer.close(pass));
    }

    fn with_pieces(&mut self, cut: impl FnOnce(&mut Answer, &mut dyn FnMut(Piece<'_>) -> bool)) {
        let Self { answer, fault, output, stage, .. } = self;
        if !matches!(stage, Stage::Answering) {
            return;
        }
        cut(answer, &mut |piece| match fault.take(piece, output.bytes()) {
            Some(finish) => {
                *stage = Stage::Finishing(finish);
                false
            }
            None => true,
        });
    }

    /// Sends what waits, and does what follows. Ready when more of the answer can be taken, or when the answer is
    /// delivered: with what it leaves of the connection, if not all.
    pub(super) fn poll(
        &mut self,
        inner: &mut impl Socket,
        exchange: &Rc<Exchange>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Option<Spent>>> {
        if !self.closes() && self.revoked.as_mut().poll(context).is_ready() {
            self.stage = Stage::Ending(Ending::close(exchange));
        }
        if let Stage::Answering | Stage::Finishing(_) = self.stage
            && ready!(self.output.poll_send(inner, exchange, context))? == Sent::TooSlowly
        {
            self.stage = Stage::Ending(Ending::close(exchange));
        }
        if let Stage::Finishing(finish) = self.stage {
            if let Finish::End(_) | Finish::HalfClose = finish {
                exchange.sent();
            }
            self.stage = match finish {
                Finish::GoOn | Finish::Spend(_) => Stage::Done,
                Finish::End(End::Close) => Stage::Ending(Ending::close(exchange)),
                Finish::End(End::Reset) => Stage::Ending(Ending::reset()),
                Finish::HalfClose => Stage::Ending(Ending::half_close()),
            };
            if let Finish::Spend(spent) = finish {
                return Poll::Ready(Ok(Some(spent)));
            }
        }
        if let Stage::Ending(ending) = &mut self.stage {
            ready!(ending.poll(inner, context));
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Poll::Ready(Ok(None))
    }
}
