//! What an error of awc means, in the client's own words.

use std::io::ErrorKind;

use actix_http::error::ParseError;
use awc::error::{ConnectError, PayloadError, SendRequestError};
use bytes::Bytes;

use super::{
    Cause, Fault, Reply, Sent,
    connect::{Problem, ProxyFault},
    wire::WireFault,
};

/// The answer of a proxy that wants other credentials. It is an answer like any other with its status.
pub(super) fn answer_of_proxy(error: &SendRequestError) -> Option<Reply> {
    let SendRequestError::Connect(ConnectError::Io(io)) = error else { return None };
    match &ProxyFault::inside(io)?.problem {
        Problem::Unauthenticated(headers) => {
            Some(Reply { status: 407, headers: headers.clone(), body: Bytes::new() })
        }
        _ => None,
    }
}

/// What ended an exchange before its head came.
pub(super) fn send_fault(error: SendRequestError) -> Fault {
    match error {
        SendRequestError::Connect(ConnectError::Io(io)) if ProxyFault::inside(&io).is_some() => {
            let cause = if io.kind() == ErrorKind::TimedOut { Cause::Timeout } else { Cause::Network };
            let message = io.to_string();
            Fault { source: Some(Box::new(io)), ..Fault::new(cause, Sent::Nothing, message) }
        }
        SendRequestError::Connect(ConnectError::Io(io)) => {
            Fault::from_io("connecting to the server", Sent::Nothing, io)
        }
        SendRequestError::Connect(ConnectError::Timeout) | SendRequestError::Timeout => {
            Fault::new(Cause::Timeout, Sent::Maybe, "no reply in time")
        }
        SendRequestError::Connect(ConnectError::Resolver(why)) => Fault::new(
            Cause::Network,
            Sent::Nothing,
            format!("the name of the server cannot be resolved: {why}"),
        ),
        SendRequestError::Connect(ConnectError::NoRecords) => {
            Fault::new(Cause::Network, Sent::Nothing, "the name of the server has no address")
        }
        SendRequestError::Send(io) => Fault::from_io("sending the request", Sent::Maybe, io),
        SendRequestError::Response(ParseError::Io(io)) => {
            Fault::from_io("waiting for the reply", Sent::Maybe, io)
        }
        SendRequestError::Response(why) => {
            Fault::new(Cause::Network, Sent::Maybe, format!("the reply is not HTTP: {why}"))
        }
        other => Fault::new(Cause::Network, Sent::Maybe, format!("the exchange failed: {other}")),
    }
}

/// What ended an exchange in its body.
pub(super) fn body_fault(error: PayloadError) -> Fault {
    match error {
        PayloadError::Incomplete(Some(io)) | PayloadError::Io(io) => {
            Fault::from_io("the reply was cut short", Sent::Maybe, io)
        }
        other => {
            Fault::new(Cause::Network, Sent::Maybe, format!("the body of the reply is malformed: {other}"))
        }
    }
}

/// Whether the stream ended cleanly, which is where some bodies end.
pub(super) fn is_close(error: &PayloadError) -> bool {
    match error {
        PayloadError::Incomplete(Some(io)) | PayloadError::Io(io) => {
            WireFault::inside(io) == Some(WireFault::Closed)
        }
        _ => false,
    }
}
