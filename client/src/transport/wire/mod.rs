//! The stream below awc, which handles what awc gets wrong on the wire.
//!
//! * `stream`: the stream itself, exchange by exchange. `ahead`: reading while a request is still being written.
//! * `reply`, `held`, `head`, `fields`, `framing`, `chunked`: where a reply ends, and what of it awc gets. Pure.
//! * `request`: the part of a request that is not sent. Pure.
//! * `timed`, `silence`: timers for a server that is silent.
//! * `fault`: what is reported.
//!
//! It sees plain bytes, above TLS. It must never change a byte of a body.

mod ahead;
mod chunked;
mod fault;
mod fields;
mod framing;
mod head;
mod held;
mod reply;
mod request;
mod silence;
mod stream;
mod timed;

pub(super) use self::{fault::WireFault, request::Omission, stream::Wire};

#[cfg(test)]
mod tests;
