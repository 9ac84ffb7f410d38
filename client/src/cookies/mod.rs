//! Cookies (RFC 6265): those that servers set are sent back where they belong. Off unless it is configured.
//!
//! * `jar`: the cookies of a client. This file puts it between the redirects of an attempt and the transport, so that
//!   each exchange sends and stores its own.

mod jar;

use http::header::COOKIE;

pub(crate) use self::jar::CookieJar;
use crate::transport::{Fault, Limits, Reply, Request, Transport};

/// A transport that sends and stores cookies, if there is a jar.
pub(crate) struct WithCookies<'a, T> {
    pub(crate) transport: &'a T,
    pub(crate) jar: Option<&'a CookieJar>,
}

impl<T: Transport> Transport for WithCookies<'_, T> {
    async fn exchange(&self, request: &Request, limits: Limits) -> Result<Reply, Fault> {
        match self.jar {
            None => self.transport.exchange(request, limits).await,
            // Apart, so that a client without a jar has no place for it in every call.
            Some(jar) => Box::pin(exchange(self.transport, jar, request, limits)).await,
        }
    }
}

async fn exchange<T: Transport>(
    transport: &T,
    jar: &CookieJar,
    request: &Request,
    limits: Limits,
) -> Result<Reply, Fault> {
    // The caller's own cookies are the only ones.
    let own = request.headers.iter().any(|(name, _)| name == COOKIE);
    let cookies = if own { None } else { jar.header(&request.uri) };
    let reply = match cookies {
        None => transport.exchange(request, limits).await?,
        Some(cookies) => {
            let mut request = request.clone();
            request.headers.push((COOKIE, cookies));
            transport.exchange(&request, limits).await?
        }
    };
    // A 407 is the answer of a proxy, which must not set cookies of the origin.
    if reply.status != 407 {
        jar.store(&request.uri, reply.headers.raw("set-cookie"));
    }
    Ok(reply)
}
