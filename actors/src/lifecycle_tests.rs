//! The lifecycle with a small state that numbers tickets, and panics on request.

use futures::future::join3;

use super::*;
use crate::ActorError;
use crate::address::Reply;

/// Panics when it is dropped, if it was armed.
#[derive(Default)]
struct Trap {
    armed: bool,
}

impl Drop for Trap {
    fn drop(&mut self) {
        assert!(!self.armed, "on purpose, while the failed state is dropped");
    }
}

struct Tickets {
    last: u64,
    sold: u64,
    trap: Trap,
    /// Never answered, so that the callers wait for as long as the state exists.
    waiting: Vec<Reply<u64>>,
}

impl State for Tickets {
    const NAME: &'static str = "tickets";

    fn last_number(&self) -> u64 {
        self.last
    }

    fn log_restart(&self) {}
}

struct Sell(Reply<u64>);
struct CountSold(Reply<u64>);
struct Wait(Reply<u64>);

/// Numbers a ticket, and panics before it is sold.
struct Break {
    trap: Trap,
    _reply: Reply<()>,
}

impl Handle<Sell> for Tickets {
    fn handle(&mut self, Sell(reply): Sell) {
        self.last += 1;
        self.sold += 1;
        let _ = reply.send(self.last);
    }
}

impl Handle<CountSold> for Tickets {
    fn handle(&mut self, CountSold(reply): CountSold) {
        let _ = reply.send(self.sold);
    }
}

impl Handle<Wait> for Tickets {
    fn handle(&mut self, Wait(reply): Wait) {
        self.waiting.push(reply);
    }
}

impl Handle<Break> for Tickets {
    fn handle(&mut self, Break { trap, _reply }: Break) {
        self.last += 1;
        self.trap = trap;
        panic!("on purpose");
    }
}

fn prepared() -> (Address<Tickets>, Unstarted) {
    prepare(|_, last| Tickets { last, sold: 0, trap: Trap::default(), waiting: Vec::new() })
}

fn started() -> Address<Tickets> {
    let (address, actor) = prepared();
    actor.start();
    address
}

async fn fail(address: &Address<Tickets>, trap: Trap) -> Result<(), ActorError> {
    address.ask(|reply| Break { trap, _reply: reply }).await
}

const FAILED: ActorError = ActorError::Failed("tickets");
const ENDED: ActorError = ActorError::Ended("tickets");

#[actix_rt::test]
async fn messages_before_and_behind_a_panic_are_answered_and_the_one_that_panics_is_an_error() {
    let tickets = started();
    let (before, panicked, behind) =
        join3(tickets.ask(Sell), fail(&tickets, Trap::default()), tickets.ask(Sell)).await;
    assert_eq!((before, panicked, behind), (Ok(1), Err(FAILED), Ok(3)));
}

#[actix_rt::test]
async fn the_state_after_a_panic_is_new_but_its_numbers_go_on() {
    let tickets = started();
    for restarts in 0..100 {
        assert_eq!(tickets.ask(Sell).await, Ok(2 * restarts + 1));
        assert_eq!(tickets.ask(CountSold).await, Ok(1));
        assert_eq!(tickets.restarts(), restarts);
        assert_eq!(fail(&tickets, Trap::default()).await, Err(FAILED));
    }
}

#[actix_rt::test]
async fn a_caller_that_waits_for_a_later_message_gets_an_error_when_the_state_is_lost() {
    let tickets = started();
    let (waited, panicked, _) = join3(tickets.ask(Wait), fail(&tickets, Trap::default()), async {}).await;
    assert_eq!((waited, panicked), (Err(FAILED), Err(FAILED)));
}

#[actix_rt::test]
async fn a_state_that_panics_while_it_is_dropped_is_replaced_like_any_other() {
    let tickets = started();
    assert_eq!(fail(&tickets, Trap { armed: true }).await, Err(FAILED));
    assert_eq!((tickets.ask(Sell).await, tickets.restarts()), (Ok(2), 1));
}

#[actix_rt::test]
async fn an_actor_that_was_never_started_has_ended() {
    let (tickets, actor) = prepared();
    drop(actor);
    assert_eq!(tickets.ask(Sell).await, Err(ENDED));
}

#[actix_rt::test]
async fn a_message_to_an_actor_that_was_never_started_is_an_error_when_the_actor_is_dropped() {
    let (tickets, actor) = prepared();
    let (sold, (), ()) = join3(tickets.ask(Sell), async { drop(actor) }, async {}).await;
    assert_eq!(sold, Err(ENDED));
}

#[actix_rt::test]
async fn a_caller_that_waits_when_the_actors_thread_ends_learns_that_the_actor_has_ended() {
    // The caller and the thread that ends race, so once would prove little.
    for _ in 0..50 {
        let (tickets, actor) = prepared();
        let arbiter = actix::Arbiter::new();
        arbiter.spawn_fn(move || actor.start());
        let waiting = actix_rt::spawn({
            let tickets = tickets.clone();
            async move { tickets.ask(Wait).await }
        });
        actix_rt::task::yield_now().await;
        tickets.ask(CountSold).await.unwrap();
        arbiter.stop();
        assert_eq!(waiting.await.unwrap(), Err(ENDED));
        arbiter.join().unwrap();
    }
}

#[actix_rt::test]
async fn the_actor_ends_with_its_last_address_after_a_restart_as_before_it() {
    for restarts in [0, 1] {
        let tickets = started();
        for _ in 0..restarts {
            fail(&tickets, Trap::default()).await.unwrap_err();
        }
        let (waiting, other) = (tickets.clone(), tickets.downgrade());
        let waiting = actix_rt::spawn(async move { waiting.ask(Wait).await });
        tickets.ask(CountSold).await.unwrap();
        drop(tickets);
        assert!(other.upgrade().is_some(), "a question keeps its actor");
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        assert!(other.upgrade().is_none());
    }
}
