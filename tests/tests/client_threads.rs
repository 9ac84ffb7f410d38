//! Calls whose futures move between threads, and threads of a client that are blocked.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    task::{Context, Waker},
    thread,
    time::Duration,
};

use actix::Arbiter;
use futures::executor::block_on;
use resilient_client::{ClientConfig, Error, ErrorKind, ResilientClient, Response};
use tokio::sync::oneshot;
use workspace_tests::{
    guard::within,
    seed,
    wire_server::{Act, WireServer, reply, until},
};

type Call = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send>>;

/// More calls than fit into the queue of a client's thread.
const MORE_THAN_A_QUEUE: usize = 1_100;
const SHORT: Duration = Duration::from_millis(100);

/// A client that lives on an arbiter of its own, whose thread a test can block.
struct Elsewhere {
    arbiter: Arbiter,
    client: ResilientClient,
}

impl Elsewhere {
    async fn start(config: ClientConfig) -> Self {
        let arbiter = Arbiter::new();
        let client =
            run_on(&arbiter, async move { ResilientClient::start(config).expect("a valid configuration") })
                .await;
        Self { arbiter, client }
    }

    /// A call that has begun on the client's thread, and whose request has reached the server.
    async fn begin_call(&self, server: &WireServer, deadline: Duration) -> Call {
        let before = server.request_count();
        let mut call: Call = Box::pin(self.client.get("/").deadline(deadline).send());
        let (begun, receive) = oneshot::channel();
        let (carry_on, mut carried) = oneshot::channel::<()>();
        self.arbiter.spawn(async move {
            tokio::select! {
                biased;
                reply = &mut call => panic!("{reply:?}"),
                _ = &mut carried => {}
            }
            let _ = begun.send(call);
        });
        until(|| server.request_count() > before).await;
        carry_on.send(()).expect("the call is still there");
        receive.await.expect("the arbiter runs")
    }

    /// Blocks the client's thread until what is returned is dropped.
    async fn block(&self) -> mpsc::Sender<()> {
        let (release, held) = mpsc::channel();
        let (blocked, receive) = oneshot::channel();
        self.arbiter.spawn_fn(move || {
            let _ = blocked.send(());
            let _ = held.recv();
        });
        receive.await.expect("the arbiter runs");
        release
    }

    /// Calls that fill the queue of the client's thread, which is blocked, and more that wait for a place in it.
    fn fill_queue(&self) -> Vec<Call> {
        let calls = burst(&self.client);
        assert_eq!(calls.len(), MORE_THAN_A_QUEUE, "all are pending");
        calls
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.arbiter.stop();
    }
}

/// The output of a future that runs on an arbiter.
async fn run_on<T: Send + 'static>(arbiter: &Arbiter, future: impl Future<Output = T> + Send + 'static) -> T {
    let (send, receive) = oneshot::channel();
    arbiter.spawn(async move { drop(send.send(future.await)) });
    receive.await.expect("the arbiter runs")
}

/// The output of a future on a thread that has no runtime.
async fn on_a_plain_thread<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let (send, receive) = oneshot::channel();
    thread::spawn(move || drop(send.send(block_on(future))));
    within("the end of a call on a plain thread", receive).await.expect("the thread ends")
}

fn poll(call: &mut Call) -> std::task::Poll<Result<Response, Error>> {
    call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// More calls than fit into the queue of the client's thread, each polled once: those that are still pending.
fn burst(client: &ResilientClient) -> Vec<Call> {
    let calls = (0..MORE_THAN_A_QUEUE).map(|_| Box::pin(client.get("/").send()) as Call);
    calls.filter_map(|mut call| poll(&mut call).is_pending().then_some(call)).collect()
}

fn config(server: &WireServer) -> ClientConfig {
    workspace_tests::direct(server.url())
}

#[actix_rt::test]
async fn a_call_that_moves_to_another_thread_while_the_queue_is_full_loses_nothing() {
    let server = WireServer::always(vec![Act::Stall]).await;
    for polled in [true, false] {
        let elsewhere = Elsewhere::start(config(&server)).await;
        let mut call = elsewhere.begin_call(&server, Duration::from_secs(60)).await;
        let release = elsewhere.block().await;
        let waiting = elsewhere.fill_queue();
        if polled {
            assert!(poll(&mut call).is_pending(), "it waits for its own thread");
        }
        drop(call);
        drop(waiting);
        drop(release);
        let client = &elsewhere.client;
        until(|| client.in_flight() == 0 && client.available_slots() == 50).await;
        within("close", client.close()).await;
    }
    until(|| server.ended_connections() == server.connections()).await;
    assert_eq!(server.request_count(), 2, "a call that was dropped in the queue is not sent");
}

#[actix_rt::test]
async fn a_call_in_the_queue_of_a_blocked_thread_frees_its_count_when_it_is_dropped() {
    let server = WireServer::always(vec![reply(200, "", "")]).await;
    let elsewhere = Elsewhere::start(config(&server)).await;
    let _blocked = elsewhere.block().await;
    let calls = elsewhere.fill_queue();
    assert_eq!(elsewhere.client.in_flight(), MORE_THAN_A_QUEUE);
    drop(calls);
    assert_eq!(elsewhere.client.in_flight(), 0);
    within("close", elsewhere.client.close()).await;
}

#[actix_rt::test]
async fn the_deadline_bounds_the_wait_for_a_blocked_thread_with_and_without_a_runtime() {
    let server = WireServer::always(vec![reply(200, "", "")]).await;
    let elsewhere = Elsewhere::start(config(&server)).await;
    let release = elsewhere.block().await;
    let call = || elsewhere.client.get("/").request_id("mine").deadline(SHORT).send();
    let errors = [
        on_a_plain_thread(call()).await.unwrap_err(),
        within("the end of a call in a runtime", call()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded, "{error}");
        assert_eq!((error.request_id(), error.attempts().len()), (Some("mine"), 0));
    }
    assert_eq!(elsewhere.client.in_flight(), 0, "the calls were taken back");
    drop(release);
    assert_eq!(elsewhere.client.get("/").send().await.unwrap().status(), 200);
    assert_eq!(server.request_count(), 1, "a call that was taken back is not sent");
}

#[actix_rt::test]
async fn the_wait_for_a_full_queue_is_bounded_by_the_pool_timeout_and_the_deadline() {
    let server = WireServer::always(vec![Act::Stall]).await;
    let mut config = config(&server);
    config.timeout.pool = SHORT;
    let elsewhere = Elsewhere::start(config).await;
    let _blocked = elsewhere.block().await;
    let waiting = elsewhere.fill_queue();
    for (deadline, kind) in
        [(SHORT / 2, ErrorKind::DeadlineExceeded), (Duration::from_secs(60), ErrorKind::PoolTimeout)]
    {
        let call = || elsewhere.client.get("/").request_id("mine").deadline(deadline).send();
        let errors = [
            on_a_plain_thread(call()).await.unwrap_err(),
            within("the end of a call in a runtime", call()).await.unwrap_err(),
        ];
        for error in errors {
            assert_eq!((error.kind(), error.request_id()), (kind, Some("mine")), "{error}");
        }
    }
    drop(waiting);
    assert_eq!(elsewhere.client.in_flight(), 0);
}

#[actix_rt::test]
async fn the_deadline_bounds_the_wait_of_a_call_that_has_left_a_blocked_thread() {
    let server = WireServer::always(vec![Act::Stall]).await;
    let elsewhere = Elsewhere::start(config(&server)).await;
    let on_plain_thread = elsewhere.begin_call(&server, SHORT * 5).await;
    let in_runtime = elsewhere.begin_call(&server, SHORT * 5).await;
    let release = elsewhere.block().await;
    let errors = [
        on_a_plain_thread(on_plain_thread).await.unwrap_err(),
        within("the end of a call in a runtime", in_runtime).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded, "{error}");
    }
    drop(release);
    until(|| elsewhere.client.in_flight() == 0 && elsewhere.client.available_slots() == 50).await;
}

#[actix_rt::test]
async fn closing_does_not_wait_for_a_blocked_thread_longer_than_the_pool_timeout() {
    let server = WireServer::always(vec![Act::Stall]).await;
    let mut config = config(&server);
    config.timeout.pool = SHORT;
    let elsewhere = Elsewhere::start(config).await;
    let client = elsewhere.client.clone();
    let call = elsewhere.begin_call(&server, Duration::from_secs(60)).await;
    let release = elsewhere.block().await;
    within("close in a runtime", client.close()).await;
    on_a_plain_thread(async move { client.close().await }).await;
    assert_eq!(elsewhere.client.in_flight(), 1, "its thread is still blocked");
    drop(release);
    assert_eq!(within("the end of the call", call).await.unwrap_err().kind(), ErrorKind::Closed);
    until(|| elsewhere.client.in_flight() == 0).await;
}

#[actix_rt::test]
async fn a_call_whose_thread_has_ended_ends_and_frees_what_it_held() {
    let server = WireServer::always(vec![Act::Stall]).await;
    for polled in [true, false] {
        let elsewhere = Elsewhere::start(config(&server)).await;
        let client = elsewhere.client.clone();
        let call = elsewhere.begin_call(&server, Duration::from_secs(60)).await;
        elsewhere.arbiter.stop();
        until(|| client.in_flight() == 0 && client.available_slots() == 50).await;
        if polled {
            assert_eq!(within("the end of the call", call).await.unwrap_err().kind(), ErrorKind::Closed);
        }
        within("close", client.close()).await;
    }
}

/// Calls that any thread may take, poll, drop or put back.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<Call>>>);

impl Shared {
    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self, client: &ResilientClient, rng: &mut fastrand::Rng) {
        let taken = {
            let mut calls = self.calls();
            match calls.len() {
                0 => None,
                n => Some(calls.swap_remove(rng.usize(..n))),
            }
        };
        if rng.u16(..400) == 0 {
            self.calls().extend(burst(client));
        }
        match (rng.u8(..8), taken) {
            (0, taken) => drop(taken),
            (1..=2, taken) => {
                let deadline = Duration::from_millis(rng.u64(1..40));
                let call = Box::pin(client.get("/").deadline(deadline).send());
                self.calls().extend(taken.into_iter().chain([call as Call]));
            }
            (_, Some(mut call)) => {
                if poll(&mut call).is_pending() {
                    self.calls().push(call);
                }
            }
            (_, None) => {}
        }
    }
}

#[actix_rt::test]
async fn calls_polled_and_dropped_at_random_on_random_threads_lose_nothing() {
    let mut rng = seed::rng();
    let server = WireServer::start(|n| match n % 5 {
        0 => vec![reply(500, "", "")],
        1 => vec![Act::Close],
        2 => vec![Act::Pause(Duration::from_millis(2)), reply(200, "", "")],
        3 => vec![Act::Stall],
        _ => vec![reply(200, "", "")],
    })
    .await;
    let mut config = config(&server);
    config.bulkhead.max_concurrency = 8;
    config.retry.min_wait = Duration::from_millis(1);
    config.retry.max_wait = Duration::from_millis(3);
    config.circuit_breaker.failure_threshold = 2;
    config.circuit_breaker.recovery_timeout = Duration::from_millis(2);
    let elsewhere = Elsewhere::start(config).await;
    let shared = Shared::default();

    let threads: Vec<_> = (0..4)
        .map(|n| {
            let (shared, client) = (shared.clone(), elsewhere.client.clone());
            let mut rng = rng.fork();
            thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                // Half of the threads have a runtime.
                let _entered = (n % 2 == 0).then(|| runtime.enter());
                for _ in 0..2_000 {
                    shared.step(&client, &mut rng);
                    if rng.u8(..20) == 0 {
                        thread::sleep(Duration::from_micros(rng.u64(..2_000)));
                    }
                }
            })
        })
        .collect();
    let (at_home, client) = (shared.clone(), elsewhere.client.clone());
    let mut home_rng = rng.fork();
    run_on(&elsewhere.arbiter, async move {
        for _ in 0..2_000 {
            at_home.step(&client, &mut home_rng);
            if home_rng.u8(..50) == 0 {
                // Blocks the client's thread, so that its queue fills.
                thread::sleep(Duration::from_millis(home_rng.u64(..10)));
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| thread.join().unwrap()))
        .await
        .unwrap();

    let client = elsewhere.client.clone();
    shared.calls().clear();
    until(|| client.in_flight() == 0 && client.available_slots() == 8).await;
    // No place of the half-open breaker is lost: calls are admitted again.
    let admitted = async {
        loop {
            match client.get("/").deadline(SHORT).send().await {
                Err(error) if error.is_circuit_open() => tokio::time::sleep(Duration::from_millis(1)).await,
                _ => break,
            }
        }
    };
    within("a call that is admitted", admitted).await;
    within("close", client.close()).await;
    assert_eq!(client.in_flight(), 0);
}
