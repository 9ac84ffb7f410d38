//! What a connection is doing, shared between its wrappers and the layers that handle its requests.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use actix_web::HttpRequest;
use futures::future::LocalBoxFuture;
use tokio::time::Instant;

use super::delivery::{Delivery, Order, Spent};
use super::ending::Kept;
use super::phase::{Closing, Phase};
use super::registry::Connections;
use crate::headers::Interpreted;

/// One connection's state. HTTP/1.1 answers one request of a connection at a time, so this is also the state of the
/// request at hand.
///
/// The layer around every request calls [`begin`](Self::begin) before its handler and [`end`](Self::end) after it;
/// what is written between the two, and until the next request, is our own answer. What a handler decides about its
/// answer's bytes is kept here as well, like [`OnClientExit`]: set after `begin`, forgotten with the next request.
#[derive(Debug)]
pub struct Exchange {
    phase: Cell<Phase>,
    on_client_exit: Cell<OnClientExit>,
    closing: Cell<Closing>,
    pub(super) delivery: RefCell<Option<Order>>,
    handling: Cell<Handling>,
    body: Cell<Body>,
    work: Cell<Work>,
    spent: Cell<Option<Spent>>,
    number: u64,
    /// When the head of the request at hand was complete.
    came: Cell<Instant>,
    interpreted: Cell<Interpreted>,
    /// How many requests have been accepted.
    requests: Cell<u32>,
    pub(super) kept: Kept,
    /// Since when the client has taken nothing of what is to be written.
    pub(super) stalled: Cell<Option<Instant>>,
    connections: Arc<Connections>,
}

/// Whether the answer at hand leaves the connection as actix-http has written it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handling {
    /// It does, as far as is known.
    Ordinary,
    /// A delivery has been decided, and the answer is not made yet.
    Decided,
    /// The delivery is to be carried out on what is written from now on.
    Due,
}

/// Where the body of the answer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    /// It is made with the answer.
    Whole,
    /// It is streamed; the answer has not been made yet.
    Stream,
    /// It is being streamed, behind a head that has been made.
    Streaming,
}

/// Whether a fault is at work on the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    AtWork,
    Done,
}

/// The body of an answer that is being streamed. Dropping it is the end of the answer.
#[derive(Debug)]
pub struct Streaming(Rc<Exchange>);

/// What happens to a request whose client closes its side of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnClientExit {
    /// It is answered: the client may still read. A client that resets the connection cannot.
    Answer,
    /// Its handler is dropped, which gives back what it holds.
    Drop,
}

impl Exchange {
    pub(super) fn new(connections: Arc<Connections>) -> Self {
        let now = Instant::now();
        Self {
            phase: Cell::new(Phase::New { since: now }),
            came: Cell::new(now),
            interpreted: Cell::new(Interpreted::Perhaps),
            on_client_exit: Cell::new(OnClientExit::Answer),
            closing: Cell::new(Closing::Plain),
            stalled: Cell::new(None),
            delivery: RefCell::new(None),
            handling: Cell::new(Handling::Ordinary),
            body: Cell::new(Body::Whole),
            work: Cell::new(Work::Done),
            spent: Cell::new(None),
            number: connections.next_number(),
            requests: Cell::new(0),
            kept: Kept::default(),
            connections,
        }
    }

    /// The state of the connection that a request came on; `None` in a test without connections.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Option<&Rc<Self>> {
        request.conn_data::<Rc<Self>>()
    }

    /// Reports that a request has been accepted. What is written from now on is our answer to it.
    pub fn begin(&self) {
        if let Phase::Submitted { .. } = self.phase.get() {
            self.phase.set(Phase::Answering);
        }
        self.requests.set(self.requests.get().saturating_add(1));
    }

    /// Decides what happens when the client closes its side before it has its answer.
    pub fn on_client_exit(&self, what: OnClientExit) {
        self.on_client_exit.set(what);
    }

    /// Decides what happens to the bytes of the answer to `request`. When `revoked` completes before all is done, the
    /// connection ends instead.
    pub fn deliver(&self, request: &HttpRequest, delivery: Delivery, revoked: LocalBoxFuture<'static, ()>) {
        self.order(Order::new(request, delivery, revoked));
    }

    pub(super) fn order(&self, order: Order) {
        self.delivery.replace(Some(order));
        self.handling.set(Handling::Decided);
    }

    /// Announces that the body of the answer is streamed: the answer ends when what is returned is dropped.
    #[must_use = "dropping it ends the answer"]
    pub fn stream(self: &Rc<Self>) -> Streaming {
        self.body.set(Body::Stream);
        Streaming(Rc::clone(self))
    }

    /// Why the request at hand must not be executed: the connection ends instead of an answer.
    #[must_use]
    pub fn spent(&self) -> Option<Spent> {
        self.spent.get()
    }

    /// As [`spent`](Self::spent), of the connection that a request came on.
    #[must_use]
    pub fn spent_before(request: &HttpRequest) -> Option<Spent> {
        Self::of(request).and_then(|exchange| exchange.spent())
    }

    /// The number of the connection, which no other connection of this server has.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// When the request at hand came: when its head was complete.
    #[must_use]
    pub fn came(&self) -> Instant {
        self.came.get()
    }

    /// Whether the request at hand has headers of ours.
    #[must_use]
    pub fn interpreted(&self) -> Interpreted {
        self.interpreted.get()
    }

    /// The number of the request at hand on its connection. The first is 1.
    #[must_use]
    pub fn request_number(&self) -> u32 {
        self.requests.get()
    }

    /// Reports that the answer has been made. It is whole then, unless its body is [streamed](Self::stream).
    pub fn end(&self) {
        if self.handling.get() == Handling::Decided {
            self.handling.set(Handling::Due);
        }
        match self.body.get() {
            Body::Whole => self.answer_is_whole(),
            Body::Stream => self.body.set(Body::Streaming),
            Body::Streaming => {}
        }
    }

    fn answer_is_whole(&self) {
        if self.phase.get() == Phase::Answering {
            self.phase.set(Phase::Idle { since: Instant::now() });
        }
    }

    fn stream_ended(&self) {
        if self.body.replace(Body::Whole) == Body::Streaming && self.work.get() == Work::Done {
            self.answer_is_whole();
        }
    }

    /// A fault begins to work on the answer, which is not over before it is [`delivered`](Self::delivered).
    pub(super) fn delivering(&self) {
        self.work.set(Work::AtWork);
        self.phase.set(Phase::Answering);
    }

    /// A fault has delivered the whole answer, and the connection goes on.
    pub(super) fn delivered(&self) {
        self.work.set(Work::Done);
        self.answer_is_whole();
    }

    /// Whether nothing out of the ordinary has been decided: what is written now passes as it is.
    pub(super) fn is_ordinary(&self) -> bool {
        self.handling.get() == Handling::Ordinary && self.spent.get().is_none()
    }

    /// Whether a delivery has been decided of which not a byte is sent, so that nothing precedes it either.
    pub(super) fn is_silent(&self) -> bool {
        let order = self.delivery.borrow();
        order.as_ref().is_some_and(|order| matches!(order.delivery, Delivery::Instead(_) | Delivery::Early))
    }

    /// Takes the delivery that is to be carried out now.
    pub(super) fn take_order(&self) -> Option<Order> {
        if self.handling.get() != Handling::Due {
            return None;
        }
        self.handling.set(Handling::Ordinary);
        self.delivery.take()
    }

    /// Lets the next request be answered with the end of the connection.
    pub(super) fn spend(&self, why: Spent) {
        self.spent.set(Some(why));
    }

    /// Whether the server stops, so that an answer is the connection's last.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.connections.is_stopping()
    }

    /// The first byte of a request's head is here.
    pub(super) fn head_begun(&self) {
        if self.phase.get().is_between_requests() {
            self.phase.set(Phase::Head { since: Instant::now() });
        }
    }

    /// The last byte of a request's head is here, and actix-http is given it.
    pub(super) fn head_complete(&self, interpreted: Interpreted) {
        self.interpreted.set(interpreted);
        self.on_client_exit.set(OnClientExit::Answer);
        if self.handling.get() != Handling::Ordinary {
            self.handling.set(Handling::Ordinary);
            self.delivery.take();
        }
        let now = Instant::now();
        self.came.set(now);
        let since = match self.phase.get() {
            Phase::Head { since } => since,
            _ => now,
        };
        self.phase.set(Phase::Submitted { since });
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        self.phase.set(phase);
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    pub(super) fn client_exit(&self) -> OnClientExit {
        self.on_client_exit.get()
    }

    pub(super) fn linger(&self) {
        self.closing.set(Closing::Lingering);
    }

    pub(super) fn closing(&self) -> Closing {
        self.closing.get()
    }
}

impl Drop for Streaming {
    fn drop(&mut self) {
        self.0.stream_ended();
    }
}
