//! What happens to the bytes of an answer on their way to the client.

use std::fmt;

use actix_web::HttpRequest;
use actix_web::http::{Method, Version};
use actix_web::web::Bytes;
use futures::future::LocalBoxFuture;

/// What a connection does with the answer to the request at hand. A handler decides it, and the wrapper
/// [`faults`](super::faults) carries it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The connection ends, and not a byte of the answer is sent.
    Instead(End),
    /// A TCP reset once so many bytes of the answer, from the status line on, have been acknowledged; once all have,
    /// if there are fewer.
    ResetAfter(u64),
    /// The head promises the whole body, and the connection ends after a part of it. At least one byte is missing;
    /// without a body the connection ends instead.
    Truncate {
        /// How many bytes of the body are sent; `None` means half of them.
        after_bytes: Option<u64>,
        /// How the head promises more.
        framing: Promise,
    },
    /// The body is chunked, and breaks its framing. The connection stays open for up to a second.
    MalformedChunk,
    /// Bytes that are not HTTP instead of the answer. The connection stays open for up to a second.
    Garbage,
    /// Bytes behind the whole answer; `None` means a second answer. The connection stays open for up to a second.
    Extra(Option<Bytes>),
    /// The answer goes out although the body of the request has not been read; the connection is then half-closed,
    /// and closed after two seconds.
    Early,
    /// The answer is one of HTTP/1.0 without keep-alive, and the connection ends behind it.
    Http10,
    /// The answer goes out slowly, for at most 300 s.
    Drip {
        /// The speed.
        bytes_per_second: u32,
    },
    /// Interim answers go out before the answer; none to a request of HTTP/1.0.
    Interim {
        /// Their status.
        status: u16,
        /// How many of them.
        count: u32,
    },
    /// The answer goes out as it is; the next request on the connection is read, and the connection ends without an answer.
    Stale,
}

/// A delivery, and what must be known of the request to carry it out.
pub(super) struct Order {
    pub(super) delivery: Delivery,
    pub(super) asked: Asked,
    /// When this completes, the connection ends, whatever has been delivered.
    pub(super) revoked: LocalBoxFuture<'static, ()>,
}

/// What a request says about the framing of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) content: Content,
    pub(super) protocol: Protocol,
}

/// Whether a request asks for more than a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    HeadAndBody,
    HeadAlone,
}

/// What the client understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Neither interim answers nor chunks.
    Http10,
    Http11,
}

impl Order {
    pub(super) fn new(
        request: &HttpRequest,
        delivery: Delivery,
        revoked: LocalBoxFuture<'static, ()>,
    ) -> Self {
        let content =
            if request.method() == Method::HEAD { Content::HeadAlone } else { Content::HeadAndBody };
        let protocol = if request.version() < Version::HTTP_11 { Protocol::Http10 } else { Protocol::Http11 };
        Self { delivery, asked: Asked { content, protocol }, revoked }
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order").field("delivery", &self.delivery).field("asked", &self.asked).finish()
    }
}

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a TCP reset.
    Reset,
    /// With the end of the stream.
    Close,
}

/// How the head of a truncated answer promises more than comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// By `Content-Length`.
    Length,
    /// By a chunked body without its last chunk.
    Chunked,
}

/// Why the next request on a connection is answered with the end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spent {
    /// The answer before it was delivered as [`Delivery::Stale`].
    Stale,
    /// The answer before it was broken: malformed, or followed by bytes that are no answer.
    Broken,
}
