//! Failure modes shared by several servers, over a real store.

use std::time::Instant;

use actix_rt::Arbiter;
use futures::future::join_all;

use super::super::testing::fails;
use super::super::{FailureHandle, shared};
use super::*;
use crate::store::testing::{LIVES, RedisServer, available, eventually, until};
use crate::store::{Availability, prepare};

async fn three(redis: &RedisServer) -> [FailureHandle; 3] {
    [shared(redis.place().await), shared(redis.place().await), shared(redis.place().await)]
}

#[actix_rt::test]
async fn exactly_the_counted_requests_fail_over_three_servers() {
    let Some(redis) = RedisServer::start() else { return };
    let servers = three(&redis).await;
    for count in [1, 7, 200] {
        servers[0].fail_next(count).await.unwrap();
        let requests = (0..1_500).map(|n| fails(&servers[n % 3]));
        let failed = join_all(requests).await.into_iter().filter(|failed| *failed).count();
        assert_eq!(failed, count as usize);
    }
}

#[actix_rt::test]
async fn an_order_that_is_answered_is_known_to_all_servers() {
    let Some(redis) = RedisServer::start() else { return };
    let servers = three(&redis).await;
    for n in 0..200 {
        servers[n % 3].fail_next(1).await.unwrap();
        assert!(fails(&servers[(n + 1) % 3]).await, "round {n}");
        assert!(!fails(&servers[(n + 2) % 3]).await, "round {n}");
    }
}

#[actix_rt::test]
async fn while_nothing_is_armed_no_step_is_taken() {
    let Some(redis) = RedisServer::start() else { return };
    let handle = shared(redis.place().await);
    handle.fail_next(1).await.unwrap();
    assert!(fails(&handle).await);
    let steps =
        || redis.run::<String>("INFO commandstats").lines().filter(|line| line.contains("hincrby")).count();
    redis.run::<()>("CONFIG RESETSTAT");
    let mut asked = 0;
    for _ in 0..1_000 {
        asked += usize::from(!handle_is_quiet(&handle));
        assert!(!fails(&handle).await);
    }
    assert_eq!(steps(), 0, "no failure was taken");
    assert!(asked < 1_000, "it knew at some time that nothing is armed");
}

fn handle_is_quiet(handle: &FailureHandle) -> bool {
    handle.shared().is_quiet()
}

#[actix_rt::test]
async fn a_stopped_server_does_not_act_on_what_it_knew_before_an_order() {
    let Some(redis) = RedisServer::start() else { return };
    let arbiter = Arbiter::new();
    let (stopped, actor) = prepare(redis.address("t"), "test");
    arbiter.spawn_fn(move || actor.start());
    available(&stopped).await;
    let running = redis.place().await;
    let handle = shared(running.clone());
    let before = shared(StorePlace::new(stopped.clone(), "default", LIVES));

    // The thread on which this server renews its lease stops, as if the process were stopped.
    let (release, held) = std::sync::mpsc::channel::<()>();
    arbiter.spawn_fn(move || {
        let _ = held.recv();
    });
    let begun = Instant::now();
    handle.fail_next(1).await.unwrap();
    assert!(!stopped.is_fresh(), "it could still act, {:?} after the order", begun.elapsed());
    assert!(!before.shared().is_quiet());
    eventually(async || running.store.is_fresh()).await;
    drop(release);
    assert!(fails(&before).await, "it asks once it goes on");
    arbiter.stop();
}

#[actix_rt::test]
async fn a_server_that_leaves_keeps_no_order_waiting() {
    let Some(redis) = RedisServer::start() else { return };
    let [first, second, third] = three(&redis).await;
    drop((second, third));
    let live = || redis.run::<usize>("ZCARD t:1:0:live");
    eventually(async || live() <= 1).await;
    first.fail_next(1).await.unwrap();
    assert!(fails(&first).await);
}

#[actix_rt::test]
async fn a_duration_runs_out_for_all_by_the_time_of_the_store() {
    let Some(redis) = RedisServer::start() else { return };
    let servers = three(&redis).await;
    servers[0].fail_for(Duration::from_secs(3_600)).await.unwrap();
    servers[1].fail_next(1).await.unwrap();
    assert!(fails(&servers[2]).await);
    let status = servers[2].status().await.unwrap();
    assert_eq!(status.count, 0, "a duration uses up the count");
    assert!(status.remaining.unwrap() > Duration::from_secs(3_500));
    assert!(fails(&servers[1]).await);
    servers[2].fail_for(Duration::from_millis(1)).await.unwrap();
    eventually(async || !fails(&servers[0]).await).await;
    assert!(!servers[1].status().await.unwrap().failing());
}

#[actix_rt::test]
async fn a_failure_that_no_client_has_seen_is_due_again_unless_the_count_was_set() {
    let Some(redis) = RedisServer::start() else { return };
    let servers = three(&redis).await;
    servers[0].fail_next(1).await.unwrap();
    drop(servers[1].decide().await.unwrap());
    eventually(async || servers[2].status().await.unwrap().count > 0).await;
    let late = servers[1].decide().await.unwrap();
    servers[0].fail_next(5).await.unwrap();
    drop(late);
    // The next step of that server comes behind what it gave back.
    assert_eq!(servers[1].status().await.unwrap().count, 5);
    servers[2].reset().await.unwrap();
    assert!(!servers[0].status().await.unwrap().failing());
}

#[actix_rt::test]
async fn a_request_that_leaves_before_its_decision_takes_no_failure() {
    let Some(redis) = RedisServer::start() else { return };
    let handle = shared(redis.place().await);
    handle.fail_next(100).await.unwrap();
    for _ in 0..50 {
        let mut question = Box::pin(handle.decide());
        assert!(futures::poll!(question.as_mut()).is_pending());
        actix_rt::task::yield_now().await;
        drop(question);
    }
    eventually(async || handle.status().await.unwrap().count == 100).await;
    let failed = join_all((0..150).map(|_| fails(&handle))).await;
    assert_eq!(failed.into_iter().filter(|failed| *failed).count(), 100);
}

#[actix_rt::test]
async fn a_store_that_is_gone_is_an_error_at_once_and_comes_back_by_itself() {
    let Some(mut redis) = RedisServer::start() else { return };
    let handle = shared(redis.place().await);
    let store = &handle.shared().place.store;
    redis.stop();
    until(store, Availability::Unavailable).await;
    assert_eq!(handle.decide().await.unwrap_err(), ActorError::Unavailable);
    assert_eq!(handle.fail_next(1).await.unwrap_err(), ActorError::Unavailable);
    redis.restart();
    available(store).await;
    handle.fail_next(1).await.unwrap();
    assert!(fails(&handle).await, "scripts that the store has forgotten are loaded again");
}

#[actix_rt::test]
async fn a_store_that_hangs_counts_as_gone_and_takes_nothing_late() {
    let Some(redis) = RedisServer::start() else { return };
    let handle = shared(redis.place().await);
    let store = &handle.shared().place.store;
    handle.fail_next(4).await.unwrap();
    // A script that the store does not know yet would not be run late either.
    assert!(fails(&handle).await);
    redis.signal("STOP");
    let asked = join_all((0..5).map(|_| handle.decide())).await;
    assert!(asked.iter().all(|decision| matches!(decision, Err(ActorError::Unavailable))));
    until(store, Availability::Unavailable).await;
    redis.signal("CONT");
    available(store).await;
    assert_eq!(handle.status().await.unwrap().count, 3, "what came late was refused");
}

#[actix_rt::test]
async fn a_store_that_lost_its_data_takes_back_nothing_of_before() {
    let Some(mut redis) = RedisServer::start() else { return };
    let handle = shared(redis.place().await);
    let store = &handle.shared().place.store;
    handle.fail_next(1).await.unwrap();
    let before = handle.decide().await.unwrap();
    let epoch = store.epoch();
    redis.stop();
    until(store, Availability::Unavailable).await;
    redis.restart();
    available(store).await;
    assert_ne!(store.epoch(), epoch);
    // The generations of the store begin anew, and so this one gets the number of the lost one.
    handle.fail_next(7).await.unwrap();
    drop(before);
    assert_eq!(handle.status().await.unwrap().count, 7);
}

#[actix_rt::test]
async fn every_key_is_below_the_prefix_and_expires() {
    let Some(redis) = RedisServer::start() else { return };
    redis.run::<()>("SET foreign 1");
    let handle = shared(redis.place().await);
    handle.fail_next(1).await.unwrap();
    handle.reset().await.unwrap();
    let mut keys: Vec<String> = redis.run("KEYS *");
    keys.retain(|key| key != "foreign");
    assert!(!keys.is_empty());
    for key in keys {
        assert!(key.starts_with("t:1:0:"), "{key}");
        assert!(redis.run::<i64>(&format!("PTTL {key}")) > 0, "{key}");
    }
}
