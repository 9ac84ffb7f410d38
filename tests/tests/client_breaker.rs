//! The circuit breaker by rate and the breakers of origins, over real exchanges.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use resilient_client::{BreakerScope, BreakerState, ErrorKind, Event, Observer, ResilientClient, Response};
use workspace_tests::wire_server::{Act, WireServer, reply, until};

/// A port of the loopback address at which nothing listens.
const DEAD: &str = "http://127.0.0.1:1";

/// The changes of breakers that were observed.
#[derive(Default)]
struct Changes(Mutex<Vec<(Option<String>, BreakerState)>>);

impl Observer for Changes {
    fn on(&self, event: &Event<'_>) {
        if let Event::BreakerChanged { origin, state } = *event {
            self.0.lock().expect("no other use panics").push((origin.map(str::to_owned), state));
        }
    }
}

/// A client whose breakers open after two failed calls of one attempt each, one breaker for each origin.
fn client(base_url: String) -> (ResilientClient, Arc<Changes>) {
    let mut config = workspace_tests::direct(base_url);
    config.retry.max_attempts = 1;
    config.circuit_breaker.failure_threshold = 2;
    config.circuit_breaker.scope = BreakerScope::Origin;
    let changes = Arc::new(Changes::default());
    let config = config.observer(Arc::clone(&changes) as Arc<dyn Observer>);
    (ResilientClient::start(config).expect("a valid configuration"), changes)
}

async fn ok(client: &ResilientClient, url: impl Into<String>) -> Response {
    client.get(url).send().await.expect("a live server")
}

#[actix_rt::test]
async fn a_dead_host_refuses_no_call_to_a_live_one() {
    let live = WireServer::always(vec![reply(200, "", "")]).await;
    let (client, changes) = client(live.url());
    for _ in 0..2 {
        let error = client.get(format!("{DEAD}/x?secret=1")).send().await.unwrap_err();
        assert_eq!(error.kind().name(), "network");
        ok(&client, "/").await;
    }
    let refused = client.get(DEAD).send().await.unwrap_err();
    assert!(refused.is_circuit_open() && refused.attempts().is_empty());
    let message = format!("the circuit breaker of {DEAD} is open; try again in ");
    assert!(refused.message().starts_with(&message), "{refused}");
    for _ in 0..10 {
        ok(&client, "/").await;
    }
    assert_eq!(live.request_count(), 12);
    assert_eq!(client.state_of(DEAD).unwrap(), BreakerState::Open);
    assert_eq!(client.state_of("http://127.0.0.1:01/other/path?q").unwrap(), BreakerState::Open);
    assert_eq!(client.state_of("/any/path").unwrap(), BreakerState::Closed);
    assert_eq!(client.state_of("https://127.0.0.1:1").unwrap(), BreakerState::Closed, "another scheme");
    assert_eq!(client.state(), BreakerState::Open, "the worst of all");
    assert_eq!(client.state_of("ftp://h").unwrap_err().kind(), ErrorKind::InvalidUrl);
    assert_eq!(*changes.0.lock().unwrap(), [(Some(DEAD.to_owned()), BreakerState::Open)]);
}

#[actix_rt::test]
async fn an_attempt_counts_for_the_origin_at_which_it_begins_whatever_redirects_lead_to() {
    let failing = WireServer::always(vec![reply(500, "", "")]).await;
    let location = format!("Location: {}\r\n", failing.url());
    let redirecting = WireServer::always(vec![reply(302, &location, "")]).await;
    let (client, _) = client(redirecting.url());
    for _ in 0..2 {
        assert_eq!(client.get("/").send().await.unwrap_err().status(), Some(500));
    }
    assert_eq!(client.state_of("/").unwrap(), BreakerState::Open);
    assert_eq!(client.state_of(&failing.url()).unwrap(), BreakerState::Closed);
    assert!(client.get("/").send().await.unwrap_err().is_circuit_open());
    assert_eq!((redirecting.request_count(), failing.request_count()), (2, 2));
    assert_eq!(client.get(failing.url()).send().await.unwrap_err().status(), Some(500));
}

#[actix_rt::test]
async fn an_open_breaker_of_a_redirects_target_does_not_refuse_the_redirect() {
    let failing = WireServer::start(|n| vec![reply(if n < 2 { 500 } else { 200 }, "", "")]).await;
    let location = format!("Location: {}\r\n", failing.url());
    let redirecting = WireServer::always(vec![reply(302, &location, "")]).await;
    let (client, _) = client(redirecting.url());
    for _ in 0..2 {
        client.get(failing.url()).send().await.unwrap_err();
    }
    assert_eq!(client.state_of(&failing.url()).unwrap(), BreakerState::Open);
    ok(&client, "/").await;
    assert_eq!(client.state_of(&failing.url()).unwrap(), BreakerState::Open, "it was not asked");
}

#[actix_rt::test]
async fn the_breaker_of_an_origin_recovers_by_itself() {
    let [first, second] = [7, 7]
        .map(|fails| WireServer::start(move |n| vec![reply(if n < fails { 500 } else { 200 }, "", "")]));
    let (first, second) = (first.await, second.await);
    let mut config = workspace_tests::direct(first.url());
    config.retry.max_attempts = 1;
    config.circuit_breaker.failure_threshold = 7;
    config.circuit_breaker.recovery_timeout = Duration::from_millis(20);
    config.circuit_breaker.scope = BreakerScope::Origin;
    let client = ResilientClient::start(config).unwrap();
    for _ in 0..7 {
        client.get(first.url()).send().await.unwrap_err();
        client.get(second.url()).send().await.unwrap_err();
    }
    until(|| client.state() == BreakerState::HalfOpen).await;
    ok(&client, first.url()).await;
    assert_eq!(client.state_of(&first.url()).unwrap(), BreakerState::Closed);
    assert_eq!(client.state_of(&second.url()).unwrap(), BreakerState::HalfOpen);
    ok(&client, second.url()).await;
    let stats = client.stats();
    assert_eq!((stats.opened, stats.half_opened, stats.closed), (2, 2, 2), "of all origins together");
    assert_eq!(client.state(), BreakerState::Closed);
}

#[actix_rt::test]
async fn a_server_that_fails_every_second_call_opens_a_breaker_by_rate_and_none_by_count() {
    for (rate, expected) in [(0.0, BreakerState::Closed), (0.5, BreakerState::Open)] {
        let server = WireServer::start(|n| vec![reply(if n % 2 == 0 { 500 } else { 200 }, "", "")]).await;
        let mut config = workspace_tests::direct(server.url());
        config.retry.max_attempts = 1;
        config.circuit_breaker.failure_threshold = 2;
        config.circuit_breaker.failure_rate = rate;
        config.circuit_breaker.minimum_calls = 20;
        let client = ResilientClient::start(config).unwrap();
        for n in 0..20 {
            assert_eq!(client.state(), BreakerState::Closed, "after {n} calls");
            let _ = client.get("/").send().await;
        }
        assert_eq!((client.state(), server.request_count()), (expected, 20), "{rate}");
    }
}

#[actix_rt::test]
async fn a_server_whose_answers_are_slow_opens_a_breaker_by_the_rate_of_slow_calls() {
    let slow = Duration::from_millis(150);
    let server = WireServer::always(vec![Act::Pause(slow), reply(200, "", "")]).await;
    let mut config = workspace_tests::direct(server.url());
    config.circuit_breaker.slow_call_rate = 1.0;
    config.circuit_breaker.slow_call_duration = slow;
    config.circuit_breaker.minimum_calls = 3;
    let client = ResilientClient::start(config).unwrap();
    for _ in 0..3 {
        ok(&client, "/").await;
    }
    assert_eq!(client.state(), BreakerState::Open);
    assert!(client.get("/").send().await.unwrap_err().is_circuit_open());
}
