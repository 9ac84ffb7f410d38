//! The client as an actor among actors: it takes calls as messages.
//!
//! It keeps no state and waits for nothing: each call is a task of its own, so that a restart of the actor loses
//! no call, and each call gets exactly one answer.

use std::sync::Weak;

use actix::{
    Actor, Context, Handler, Message, Supervised,
    dev::{ContextFut, MessageResponse, OneshotSender},
};

use crate::{
    call::{Call, Parts},
    client::Inner,
    dispatch,
    error::Error,
    lifetime::Lifetime,
    response::Response,
};

/// The actor behind [`ResilientClient::addr`](crate::ResilientClient::addr). It has no methods: send it a [`Call`].
#[derive(Debug)]
pub struct ClientActor {
    client: Weak<Inner>,
}

impl Actor for ClientActor {
    type Context = Context<Self>;
}

impl Supervised for ClientActor {}

impl ClientActor {
    pub(crate) fn new(client: Weak<Inner>) -> Self {
        Self { client }
    }
}

/// Runs the actor, and restarts it whenever it stops, until the client closes or no address of the actor is left.
pub(crate) async fn supervise(mut actor: ContextFut<ClientActor, Context<ClientActor>>, lifetime: Lifetime) {
    loop {
        tokio::select! {
            () = lifetime.closing() => return,
            () = &mut actor => {
                if !actor.restart() {
                    return;
                }
            }
        }
    }
}

impl Message for Call {
    type Result = Result<Response, Error>;
}

impl Handler<Call> for ClientActor {
    type Result = Reply;

    fn handle(&mut self, call: Call, _: &mut Self::Context) -> Reply {
        Reply { client: self.client.clone(), parts: call.parts }
    }
}

/// A call whose result is sent once the call has ended. The call ends early when its sender stops waiting.
#[derive(Debug)]
pub struct Reply {
    client: Weak<Inner>,
    parts: Parts,
}

impl MessageResponse<ClientActor, Call> for Reply {
    fn handle(self, _: &mut Context<ClientActor>, reply: Option<OneshotSender<Result<Response, Error>>>) {
        let Reply { client, parts } = self;
        let call = async move {
            match client.upgrade() {
                Some(client) => client.make(parts).await,
                None => Err(Error::closed()),
            }
        };
        match reply {
            Some(reply) => drop(actix_rt::spawn(dispatch::answer(call, reply))),
            // Sent with `do_send`: the call is made, its result is not wanted.
            None => drop(actix_rt::spawn(call)),
        }
    }
}

/// Stops the actor, in tests of its restart.
#[cfg(feature = "panic-injection")]
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Crash;

#[cfg(feature = "panic-injection")]
impl Handler<Crash> for ClientActor {
    type Result = ();

    fn handle(&mut self, _: Crash, ctx: &mut Self::Context) {
        actix::ActorContext::stop(ctx);
    }
}
