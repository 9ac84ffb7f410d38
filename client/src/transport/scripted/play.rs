//! A step of a script as the client sees it, within the limits of the exchange. Pure.

use std::{io, time::Duration};

use bytes::Bytes;

use super::{
    super::{Fault, Limits, Reply, Sent, body::too_large, wire::WireFault},
    step::{self, Outcome, Step},
};
use crate::{config::TimeoutConfig, method::Method};

const CONNECTING: &str = "connecting to the server";
const WAITING: &str = "waiting for the reply";

/// How long an exchange takes, and its result. A silent server costs no more than the client's own timeouts.
pub(super) fn play(step: Step, method: Method, limits: Limits) -> (Duration, Result<Reply, Fault>) {
    let Step { outcome, delay } = step;
    let TimeoutConfig { connect, read, .. } = limits.timeout;
    match outcome {
        Outcome::Fault(step::Fault::ConnectTimeout) => (connect, no_connection(connect)),
        Outcome::Fault(step::Fault::Refused) if delay > connect => (connect, no_connection(connect)),
        Outcome::Fault(step::Fault::Refused) => {
            let refused = io::ErrorKind::ConnectionRefused.into();
            (delay, Err(Fault::from_io(CONNECTING, Sent::Nothing, refused)))
        }
        Outcome::Fault(step::Fault::ReadTimeout) => (read, no_reply(read)),
        Outcome::Fault(_) | Outcome::Reply(_) if delay > read => (read, no_reply(read)),
        Outcome::Fault(step::Fault::Reset) => {
            let reset = io::ErrorKind::ConnectionReset.into();
            (delay, Err(Fault::from_io(WAITING, Sent::Maybe, reset)))
        }
        Outcome::Fault(step::Fault::Truncated) => {
            let cut = WireFault::Closed.into_io();
            (delay, Err(Fault::from_io("the reply was cut short", Sent::Maybe, cut)))
        }
        Outcome::Reply(reply) => (delay, whole(reply, method, limits.max_body)),
    }
}

fn no_connection(within: Duration) -> Result<Reply, Fault> {
    Err(Fault::from_io(CONNECTING, Sent::Nothing, WireFault::Connect(within).into_io()))
}

fn no_reply(within: Duration) -> Result<Reply, Fault> {
    Err(Fault::from_io(WAITING, Sent::Maybe, WireFault::ReadSilence(within).into_io()))
}

/// The reply, unless its body is longer than allowed.
fn whole(reply: step::Reply, method: Method, max_body: u64) -> Result<Reply, Fault> {
    let step::Reply { status, headers, body } = reply;
    let body = if method == Method::Head || matches!(status, 204 | 304) { Bytes::new() } else { body };
    if body.len() as u64 > max_body {
        return Err(too_large(max_body));
    }
    Ok(Reply { status, headers: headers.into_iter().collect(), body })
}
