//! One request to the upstream, as the two sides of awc know it: the handler above it, and the stream below it.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;

use super::failure::Failure;
use super::reply_head::{Asked, ReplyHead};
use super::request_body::RequestBody;

tokio::task_local! {
    static CURRENT: Rc<Exchange>;
}

/// Whether a connection has carried an exchange before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connection {
    Fresh,
    Reused,
}

/// One request and what is known of its answer.
pub(super) struct Exchange {
    /// The head that the upstream gets.
    pub(super) head: Vec<u8>,
    /// The body that the upstream gets; taken by the stream.
    pub(super) body: RefCell<Option<RequestBody>>,
    pub(super) asked: Asked,
    /// The head of the answer; put here by the stream.
    pub(super) reply: RefCell<Option<ReplyHead>>,
    pub(super) failure: Cell<Option<Failure>>,
    pub(super) connection: Cell<Connection>,
}

impl Exchange {
    pub(super) fn new(head: Vec<u8>, body: Option<RequestBody>, asked: Asked) -> Rc<Self> {
        Rc::new(Self {
            head,
            body: RefCell::new(body),
            asked,
            reply: RefCell::new(None),
            failure: Cell::new(None),
            connection: Cell::new(Connection::Fresh),
        })
    }

    /// Makes this the exchange of the streams that `work` polls.
    pub(super) async fn scope<T>(self: &Rc<Self>, work: impl Future<Output = T>) -> T {
        CURRENT.scope(Rc::clone(self), work).await
    }

    /// The exchange on whose behalf a stream is polled.
    pub(super) fn current() -> Option<Rc<Self>> {
        CURRENT.try_with(Rc::clone).ok()
    }

    /// Notes the first failure, and makes it an error of the stream.
    pub(super) fn fail(&self, failure: Failure) -> io::Error {
        if self.failure.get().is_none() {
            self.failure.set(Some(failure));
        }
        io::Error::new(io::ErrorKind::UnexpectedEof, failure)
    }
}
