//! One exchange: a request goes out, and a whole reply comes back or a fault that says what went wrong.
//!
//! * `awc_transport`, `receive`, `awc_errors`: awc, which no file outside this folder names.
//! * `connect`, `tls`: the connections that awc gets, directly or through a proxy.
//! * `wire`: the stream below awc, which handles what awc gets wrong. `context`: what both sides of awc know.
//! * `body`, `decode`: the body of a reply, and its content codings.
//! * `fault`: what can go wrong.
//! * `scripted`: exchanges that a user's test scripts (feature `test-util`). `worker`: which transport a worker has.
//!
//! It must never retry, follow a redirect or decide anything for more than one exchange.

mod awc_errors;
mod awc_transport;
mod body;
mod connect;
mod context;
mod decode;
mod fault;
mod receive;
#[cfg(any(test, feature = "test-util"))]
pub(crate) mod scripted;
pub(crate) mod tls;
mod wire;
mod worker;

use bytes::Bytes;
use http::{HeaderValue, Uri, header::HeaderName};

pub(crate) use self::{
    awc_transport::{AwcTransport, ConnectSettings},
    decode::ACCEPTED as ACCEPTED_CODINGS,
    fault::{Cause, Fault, Sent},
    worker::{TransportSettings, WorkerTransport},
};
use crate::{config::TimeoutConfig, headers::Headers, method::Method};

/// What goes out.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

/// A whole reply.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
}

/// The bounds of one exchange.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) timeout: TimeoutConfig,
    pub(crate) max_body: u64,
    pub(crate) replay: Replay,
    pub(crate) coded: Coded,
}

/// What happens to the body of a reply that has a content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coded {
    /// It is decoded.
    Decode,
    /// It stays as it is: the client has not asked for it, or the caller wants it so.
    Keep,
}

/// Whether a request may be sent again, once and on a new connection, after a reused connection ended before a byte
/// of the reply (RFC 9112, 9.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replay {
    Allowed,
    Forbidden,
}

/// Makes exchanges: over awc, or, in tests, as a script says.
pub(crate) trait Transport {
    /// Makes one exchange. Dropping the future closes its connection.
    fn exchange(&self, request: &Request, limits: Limits) -> impl Future<Output = Result<Reply, Fault>>;
}
