//! One client with many callers (tasks, arbiters, threads, actors), and how it is closed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix::{Actor, Context, Handler, Recipient, ResponseFuture};
use futures::{StreamExt, future::join_all, stream::FuturesUnordered};
use resilient_client::{BreakerState, Call, ClientConfig, Error, ErrorKind, ResilientClient, Response};
use workspace_tests::{
    seed,
    wire_server::{Act, Gate, WireServer, reply, until},
};

fn config(server: &WireServer) -> ClientConfig {
    let mut config = workspace_tests::direct(server.url());
    config.retry.min_wait = Duration::from_millis(1);
    config.retry.jitter = false;
    config
}

async fn hello() -> WireServer {
    WireServer::always(vec![reply(200, "", "hello")]).await
}

fn assert_send_and_sync<T: Send + Sync + Clone + 'static>(_: &T) {}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_plain_tokio_program_it_brings_its_own_thread() {
    let server = hello().await;
    let client = ResilientClient::start(config(&server)).unwrap();
    assert_send_and_sync(&client);
    let tasks: Vec<_> = (0..50).map(|_| tokio::spawn(client.get("/").send())).collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap().text().unwrap(), "hello");
    }
    assert_eq!((client.in_flight(), client.available_slots()), (0, 50));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_several_arbiters_of_its_own_its_calls_are_spread() {
    let server = hello().await;
    let client = ResilientClient::start_on(3, config(&server)).unwrap();
    for _ in 0..9 {
        client.get("/").send().await.unwrap();
    }
    assert_eq!((server.request_count(), server.connections()), (9, 3), "each has connections of its own");
}

#[actix_rt::test]
async fn in_an_actix_system_it_lives_on_the_current_arbiter_and_serves_all_others() {
    let server = hello().await;
    let client = ResilientClient::start(config(&server)).unwrap();
    client.get("/").send().await.unwrap();
    let arbiter = actix::Arbiter::new();
    let (send, receive) = tokio::sync::oneshot::channel();
    let elsewhere = client.clone();
    arbiter.spawn(async move {
        let _ = send.send(elsewhere.get("/").send().await.map(|reply| reply.status()));
    });
    assert_eq!(receive.await.unwrap().unwrap(), 200);
    assert_eq!(server.connections(), 1);
    arbiter.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_without_a_runtime_can_call_too() {
    let server = hello().await;
    let client = ResilientClient::start(config(&server)).unwrap();
    let thread = std::thread::spawn(move || futures::executor::block_on(client.get("/").send()));
    let reply = tokio::task::spawn_blocking(move || thread.join().unwrap()).await.unwrap();
    assert_eq!(reply.unwrap().status(), 200);
}

#[actix_rt::test]
async fn a_call_that_moves_to_another_thread_goes_on_on_its_own() {
    let server =
        WireServer::always(vec![Act::Pause(Duration::from_millis(20)), reply(200, "", "hello")]).await;
    let client = ResilientClient::start(config(&server)).unwrap();
    let mut call = Box::pin(client.get("/").send());
    tokio::select! {
        biased;
        reply = &mut call => panic!("{reply:?}"),
        () = until(|| server.request_count() == 1) => {}
    }
    let (send, receive) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || drop(send.send(futures::executor::block_on(call))));
    assert_eq!(receive.await.unwrap().unwrap().text().unwrap(), "hello");
    assert_eq!((server.request_count(), client.in_flight()), (1, 0));
}

#[actix_rt::test]
async fn a_call_that_is_dropped_on_another_thread_ends_on_its_own() {
    let server = WireServer::always(vec![Act::Stall]).await;
    let client = ResilientClient::start(config(&server)).unwrap();
    let mut call = Box::pin(client.get("/").send());
    tokio::select! {
        biased;
        reply = &mut call => panic!("{reply:?}"),
        () = until(|| server.request_count() == 1) => {}
    }
    std::thread::spawn(move || drop(call)).join().unwrap();
    until(|| client.in_flight() == 0 && client.available_slots() == 50).await;
    until(|| server.ended_connections() == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_calls_dropped_at_random_moments_leave_the_gauges_at_zero() {
    let server = WireServer::start(|n| match n % 5 {
        0 => vec![reply(500, "", "")],
        1 => vec![Act::Close],
        2 => vec![Act::Pause(Duration::from_millis(2)), reply(200, "", "hello")],
        3 => vec![Act::Stall],
        _ => vec![reply(200, "", "hello")],
    })
    .await;
    let mut config = config(&server);
    config.bulkhead.max_concurrency = 20;
    config.circuit_breaker.recovery_timeout = Duration::from_millis(5);
    let client = ResilientClient::start_on(2, config).unwrap();
    let mut rng = seed::rng();
    let calls = (0..10_000).map(|_| {
        let limit = Duration::from_micros(rng.u64(0..6_000));
        let call = client.get("/").send();
        async move { drop(tokio::time::timeout(limit, call).await) }
    });
    futures::stream::iter(calls).buffer_unordered(100).for_each(|()| async {}).await;

    until(|| client.in_flight() == 0 && client.available_slots() == 20).await;
    until(|| server.ended_connections() + 40 >= server.connections()).await;
    // Whatever they left the breaker as, it has not lost a probe's place.
    client.reset().await.unwrap();
    let mut answered = false;
    while !answered {
        let limit = Duration::from_millis(100);
        answered = matches!(tokio::time::timeout(limit, client.get("/").send()).await, Ok(Ok(_)));
    }
}

#[actix_rt::test]
async fn of_a_thousand_callers_at_the_moment_of_recovery_exactly_the_allowed_reach_the_server() {
    let gate = Gate::closed();
    let held = gate.clone();
    let server = WireServer::start(move |n| match n {
        0 => vec![reply(500, "", "")],
        // All others ask while the probes are out.
        _ => vec![Act::Wait(held.clone()), reply(200, "", "hello")],
    })
    .await;
    let mut config = config(&server);
    config.retry.max_attempts = 1;
    config.circuit_breaker.failure_threshold = 1;
    config.circuit_breaker.half_open_max_calls = 3;
    config.circuit_breaker.recovery_timeout = Duration::from_millis(50);
    let client = ResilientClient::start(config).unwrap();
    client.get("/").send().await.unwrap_err();
    until(|| client.state() == BreakerState::HalfOpen).await;

    let mut calls: FuturesUnordered<_> = (0..1_000).map(|_| client.get("/").send()).collect();
    for _ in 0..997 {
        assert!(calls.next().await.unwrap().unwrap_err().is_circuit_open());
    }
    gate.open();
    for _ in 0..3 {
        assert_eq!(calls.next().await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(server.request_count(), 1 + 3);
    assert_eq!(client.state(), BreakerState::Closed);
}

/// An actor of an application, which knows the client as a recipient of calls.
struct Shop {
    client: Recipient<Call>,
}

struct Buy(String);

impl actix::Message for Buy {
    type Result = Result<u16, Error>;
}

impl Actor for Shop {
    type Context = Context<Self>;
}

impl Handler<Buy> for Shop {
    type Result = ResponseFuture<Result<u16, Error>>;

    fn handle(&mut self, Buy(id): Buy, _: &mut Context<Self>) -> Self::Result {
        let reply = self.client.send(Call::post("/buy").request_id(id));
        Box::pin(async move { Ok(reply.await.expect("the client is open")?.status()) })
    }
}

#[actix_rt::test]
async fn any_actor_can_send_a_call_to_the_client() {
    let server = hello().await;
    let client = ResilientClient::start(config(&server)).unwrap();
    let shop = Shop { client: client.recipient() }.start();
    let bought = join_all((0..20).map(|n| shop.send(Buy(format!("order-{n}"))))).await;
    assert!(bought.into_iter().all(|status| status.unwrap().unwrap() == 200));
    let ids: std::collections::HashSet<_> = server
        .requests()
        .iter()
        .map(|request| request.lines().find(|line| line.starts_with("x-request-id")).unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 20);
}

#[actix_rt::test]
async fn a_message_whose_sender_stops_waiting_ends_its_call() {
    let server = WireServer::always(vec![Act::Stall]).await;
    let client = ResilientClient::start(config(&server)).unwrap();
    let mut asked = Box::pin(client.addr().send(Call::get("/")));
    tokio::select! {
        biased;
        reply = &mut asked => panic!("{reply:?}"),
        () = until(|| server.request_count() == 1) => {}
    }
    drop(asked);
    until(|| client.in_flight() == 0 && server.ended_connections() == 1).await;
    assert_eq!(client.available_slots(), 50);
}

#[actix_rt::test]
async fn when_the_actors_fail_with_a_hundred_calls_in_flight_each_gets_exactly_one_answer() {
    let server = WireServer::start(|n| {
        let status = if n % 2 == 0 { 503 } else { 200 };
        vec![Act::Pause(Duration::from_millis(n as u64 % 7)), reply(status, "", "")]
    })
    .await;
    let mut config = config(&server);
    config.bulkhead.max_concurrency = 100;
    config.retry.max_attempts = 20;
    config.retry.budget.per_second = 10_000.0;
    let client = ResilientClient::start(config).unwrap();
    let answers = Arc::new(AtomicUsize::new(0));
    let calls: Vec<_> = (0..100)
        .map(|n| {
            let (client, answers) = (client.clone(), Arc::clone(&answers));
            actix_rt::spawn(async move {
                let reply: Result<Response, Error> = if n % 2 == 0 {
                    client.get("/").send().await
                } else {
                    client.addr().send(Call::get("/")).await.expect("the actor is supervised")
                };
                answers.fetch_add(1, Ordering::SeqCst);
                reply
            })
        })
        .collect();
    while answers.load(Ordering::SeqCst) < 100 {
        client.crash().await;
        tokio::task::yield_now().await;
    }
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(client.addr().send(Call::get("/")).await.unwrap().unwrap().status(), 200);
    assert_eq!((client.in_flight(), client.available_slots()), (0, 100));
}

#[actix_rt::test]
async fn closing_ends_calls_in_flight_connections_and_the_actor_for_all_handles() {
    let server =
        WireServer::start(|n| if n == 0 { vec![reply(200, "", "")] } else { vec![Act::Stall] }).await;
    let client = ResilientClient::start(config(&server)).unwrap();
    let (other, address) = (client.clone(), client.addr());
    client.get("/").send().await.unwrap();
    let hung = actix_rt::spawn(client.get("/").send());
    until(|| server.request_count() == 2).await;
    client.close().await;
    assert_eq!(hung.await.unwrap().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(other.get("/").send().await.unwrap_err().kind(), ErrorKind::Closed);
    assert!(other.is_closed());
    until(|| !address.connected() && server.ended_connections() == server.connections()).await;
    assert!(address.send(Call::get("/")).await.is_err());
    other.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_last_handle_ends_the_thread_its_connections_and_the_actor() {
    let server = hello().await;
    let client = ResilientClient::start_on(2, config(&server)).unwrap();
    for _ in 0..4 {
        client.get("/").send().await.unwrap();
    }
    let address = client.addr();
    let last = client.clone();
    drop(client);
    assert_eq!(last.get("/").send().await.unwrap().status(), 200);
    drop(last);
    until(|| server.ended_connections() == server.connections()).await;
    until(|| !address.connected()).await;
}

#[actix_rt::test]
async fn dropping_the_last_handle_on_its_arbiter_ends_its_connections_and_the_actor() {
    let server = hello().await;
    let client = ResilientClient::start(config(&server)).unwrap();
    client.get("/").send().await.unwrap();
    let address = client.addr();
    drop(client);
    until(|| server.ended_connections() == 1).await;
    until(|| !address.connected()).await;
}

#[actix_rt::test]
async fn the_breaker_is_read_and_forced_through_any_handle() {
    let server = hello().await;
    let client = ResilientClient::start(config(&server)).unwrap();
    assert_eq!(client.state(), BreakerState::Closed);
    client.clone().force_open().await.unwrap();
    assert_eq!(client.state(), BreakerState::Open);
    let refused = client.get("/").send().await.unwrap_err();
    assert_eq!((refused.is_circuit_open(), refused.retry_after()), (true, None));
    client.force_closed().await.unwrap();
    client.get("/").send().await.unwrap();
    client.force_open().await.unwrap();
    client.reset().await.unwrap();
    assert_eq!(client.get("/").send().await.unwrap().status(), 200);
    assert_eq!(server.request_count(), 2);
}
