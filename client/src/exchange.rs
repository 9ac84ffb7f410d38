//! One attempt: an exchange, and those to which its redirects lead.

use http::Uri;

use crate::{
    config::Redirects,
    method::Method,
    prepare::{self, Prepared},
    redirect::{self, MAX_REDIRECTS, NotFollowed},
    transport::{Fault, Limits, Reply, Request, Transport},
};

/// The result of an attempt: its last reply.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) reply: Reply,
    /// Why that reply was not followed, if it is a redirect.
    pub(crate) not_followed: Option<NotFollowed>,
}

/// Makes one attempt of a call.
pub(crate) async fn attempt<T: Transport>(transport: &T, call: &Prepared) -> Result<Answer, Fault> {
    let reply = transport.exchange(&call.request, call.limits).await?;
    if call.redirects == Redirects::Keep {
        let not_followed = redirect::is_redirect(reply.status).then_some(NotFollowed::NotWanted);
        return Ok(Answer { reply, not_followed });
    }
    match redirect::next(&call.request, &reply) {
        Ok(None) => Ok(Answer { reply, not_followed: None }),
        Ok(Some(next)) => follow(transport, call, next).await,
        Err(why) => Ok(Answer { reply, not_followed: Some(why) }),
    }
}

async fn follow<T: Transport>(transport: &T, call: &Prepared, mut request: Request) -> Result<Answer, Fault> {
    let mut visited = vec![place(&call.request)];
    loop {
        // A redirect may have changed the method.
        let replay = prepare::replay(request.method, call.retry.methods);
        let reply = transport.exchange(&request, Limits { replay, ..call.limits }).await?;
        visited.push(place(&request));
        let not_followed = match redirect::next(&request, &reply) {
            Ok(None) => None,
            Ok(Some(next)) if visited.len() <= usize::from(MAX_REDIRECTS) => {
                request = next;
                continue;
            }
            // A place that was visited before may answer differently the next time, so a loop, too, is followed
            // until there are too many redirects; but then it has its own name.
            Ok(Some(next)) if visited.contains(&place(&next)) => Some(NotFollowed::Loop),
            Ok(Some(_)) => Some(NotFollowed::TooMany),
            Err(why) => Some(why),
        };
        return Ok(Answer { reply, not_followed });
    }
}

fn place(request: &Request) -> (Method, Uri) {
    (request.method, request.uri.clone())
}
