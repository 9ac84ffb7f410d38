//! The wire's edge: one connection, how long it may be silent, and what it says when HTTP itself is broken.
//!
//! actix-http bounds only the first request's head, keeps a timer for each request, and answers malformed
//! requests by itself, without our correlation id. [`Connection`] wraps the socket below it and mends all three;
//! [`Exchange`] is how the request's layers tell it what they are doing; [`Connections`] knows all that are open
//! and ends the idle ones when the server stops.

mod exchange;
mod registry;
mod rejection;
mod stream;

pub use exchange::{Exchange, Expecting};
pub use registry::Connections;
pub use stream::{Connection, Patience};
