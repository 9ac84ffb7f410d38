//! The context of the exchange that is being polled. The transport above awc sets it, and the streams below awc, which
//! awc's pool keeps for later exchanges, read it.

use std::cell::{Cell, RefCell};

use super::wire::Omission;
use crate::{config::TimeoutConfig, headers::Headers};

tokio::task_local! {
    static CONTEXT: Context;
}

/// Whether an exchange may use a connection that has been used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reuse {
    Allowed,
    Forbidden,
}

/// Who has put a `Date` into a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Date {
    /// awc, which puts one into every request that has none.
    Awcs,
    /// The caller.
    Callers,
}

/// One exchange.
pub(super) struct Context {
    pub(super) timeout: TimeoutConfig,
    /// The longest body of a reply.
    pub(super) max_body: u64,
    /// The length of the body of the request.
    pub(super) body_length: usize,
    pub(super) date: Date,
    pub(super) reuse: Reuse,
    /// The fields of a head that awc did not get.
    pub(super) fields: RefCell<Option<Headers>>,
    /// Whether the server has asked for a client certificate.
    pub(super) certificate: Cell<CertificateRequest>,
}

/// Whether a server has asked for a client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CertificateRequest {
    Absent,
    Received,
}

impl Context {
    /// Runs `exchange` with this context.
    pub(super) async fn scope<T>(self, exchange: impl Future<Output = T>) -> T {
        CONTEXT.scope(self, exchange).await
    }
}

/// The timeouts of the exchange. Streams are also polled outside of one, when awc closes them.
pub(super) fn timeout() -> TimeoutConfig {
    CONTEXT.try_with(|context| context.timeout).unwrap_or_default()
}

/// The longest body of a reply.
pub(super) fn max_body() -> u64 {
    CONTEXT.try_with(|context| context.max_body).unwrap_or(0)
}

/// Whether a connection that has been used before may be used.
pub(super) fn reuse() -> Reuse {
    CONTEXT.try_with(|context| context.reuse).unwrap_or(Reuse::Allowed)
}

/// What `find` leaves out of the request, given the length of its body and whose date it has.
pub(super) fn omission(find: impl FnOnce(usize, Date) -> Omission) -> Omission {
    CONTEXT.try_with(|context| find(context.body_length, context.date)).unwrap_or_default()
}

/// Keeps the fields of a head that awc does not get.
pub(super) fn set_fields(fields: Headers) {
    let _ = CONTEXT.try_with(|context| context.fields.replace(Some(fields)));
}

/// The fields of the reply, if awc did not get them.
pub(super) fn take_fields() -> Option<Headers> {
    CONTEXT.try_with(|context| context.fields.take()).unwrap_or(None)
}

/// Notes that the server asks for a client certificate.
pub(super) fn note_certificate_request() {
    let _ = CONTEXT.try_with(|context| context.certificate.set(CertificateRequest::Received));
}

/// Whether the server has asked for a client certificate during this exchange.
pub(super) fn certificate_request() -> CertificateRequest {
    CONTEXT.try_with(|context| context.certificate.get()).unwrap_or(CertificateRequest::Absent)
}
