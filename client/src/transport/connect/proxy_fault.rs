//! What can go wrong with a proxy, and how it travels through awc: inside an `io::Error`.

use std::{fmt, io, time::Duration};

use crate::{headers::Headers, proxy::Proxy};

/// A proxy that is of no use. Its text names the proxy and never its credentials.
#[derive(Debug, derive_more::Error)]
pub(in crate::transport) struct ProxyFault {
    proxy: String,
    #[error(not(source))]
    pub(in crate::transport) problem: Problem,
}

/// What is wrong with a proxy.
#[derive(Debug)]
pub(in crate::transport) enum Problem {
    /// Its name has no address.
    Unknown(String),
    /// No connection to it can be made.
    Unreachable(io::Error),
    /// It ended the connection before it had answered.
    Broken(io::Error),
    /// Its answer is not HTTP.
    NotHttp,
    /// It answered with this status instead of opening a tunnel.
    Refused(u16),
    /// It wants credentials, or others (407).
    Unauthenticated(Headers),
    /// There was no connection through it in time.
    TooSlow(Duration),
}

impl Problem {
    /// The error of a connection through `proxy`.
    pub(super) fn of(self, proxy: &Proxy) -> io::Error {
        let kind = match &self {
            Self::TooSlow(_) => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, ProxyFault { proxy: proxy.to_string(), problem: self })
    }
}

impl ProxyFault {
    /// The fault inside an error, if a proxy is the reason.
    pub(in crate::transport) fn inside(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }
}

impl fmt::Display for ProxyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxy = &self.proxy;
        match &self.problem {
            Problem::Unknown(why) => write!(f, "the name of the proxy {proxy} cannot be resolved: {why}"),
            Problem::Unreachable(why) => write!(f, "connecting to the proxy {proxy}: {why}"),
            Problem::Broken(why) => {
                write!(f, "the proxy {proxy} ended the connection without an answer: {why}")
            }
            Problem::NotHttp => write!(f, "the proxy {proxy} did not answer with HTTP"),
            Problem::Refused(status) => write!(f, "the proxy {proxy} answered {status} and opened no tunnel"),
            Problem::Unauthenticated(_) => write!(f, "the proxy {proxy} wants other credentials (407)"),
            Problem::TooSlow(longest) => {
                write!(f, "no connection through the proxy {proxy} within {} s", longest.as_secs_f64())
            }
        }
    }
}
