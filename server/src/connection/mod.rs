//! The connection below actix-http, as a stack of wrappers around a socket, each with one concern.
//!
//! | wrapper, outermost first | concern |
//! |---|---|
//! | [`refusals`] | what the client reads when its bytes are not a request: JSON, a correlation id, a clean close |
//! | [`faults`] | what is done to an answer that a fault concerns |
//! | [`requests`] | one request at a time: actix-http gets the next one when the answer before it is complete |
//! | [`stop`] | idle connections end when the server stops |
//! | [`timeouts`] | how long the client may be silent, and how long it may leave an answer unread |
//! | [`socket`] | the socket itself, and whether the client has left although its bytes are unread |
//!
//! They share the connection's [`Exchange`]: what the connection is doing now, and what the layer that handles a
//! request reports and decides. A wrapper reads a decision from the exchange and carries it out on the bytes; so a
//! handler never sees the stream, and a new way to treat an answer is one more file in [`faults`].
//!
//! This module knows nothing of routes and layers. It must never answer a request that actix-http has accepted.

mod alarm;
mod chunks;
mod delivery;
mod ending;
mod exchange;
mod faults;
mod phase;
mod refusals;
mod registry;
mod requests;
mod socket;
mod stop;
#[cfg(test)]
mod testing;
mod timeouts;
mod unacknowledged;

use std::rc::Rc;
use std::sync::Arc;

use tokio::net::TcpStream;

pub use delivery::{Delivery, End, Promise, Spent};
pub use ending::Fate;
pub use exchange::{Exchange, OnClientExit, Streaming};
pub use faults::Faults;
pub use refusals::Refusals;
pub use registry::Connections;
pub use requests::Requests;
pub use socket::{Incoming, Socket, TcpSocket};
pub use stop::Stop;
pub use timeouts::{ConnectionTimeouts, Timeouts};

/// A client's connection, as actix-http reads and writes it.
pub type Connection = Refusals<Faults<Requests<Stop<Timeouts<TcpSocket>>>>>;

/// Wraps a socket that has just been accepted.
pub fn wrap(stream: TcpStream, timeouts: ConnectionTimeouts, connections: &Arc<Connections>) -> Connection {
    stack(TcpSocket::new(stream), timeouts, connections)
}

fn stack<T: Socket>(
    socket: T,
    timeouts: ConnectionTimeouts,
    connections: &Arc<Connections>,
) -> Refusals<Faults<Requests<Stop<Timeouts<T>>>>> {
    let exchange = Rc::new(Exchange::new(Arc::clone(connections)));
    let timeouts = Timeouts::new(socket, timeouts, Rc::clone(&exchange));
    let stop = Stop::new(timeouts, connections.enter(), Rc::clone(&exchange));
    let requests = Requests::new(stop, Rc::clone(&exchange));
    Refusals::new(Faults::new(requests, Rc::clone(&exchange)), exchange)
}
