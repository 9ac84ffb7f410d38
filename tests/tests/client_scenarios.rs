//! The client against the test server.

use std::time::Duration;

use futures::future::join_all;
use resilient_client::{
    BreakerState, CircuitBreakerConfig, ClientConfig, Error, ErrorKind, GaveUp, ResilientClient, Response,
    RetryConfig,
};
use serde_json::Value;
use workspace_tests::{TestServer, wire_server::until, within};

/// A configuration with short waits between attempts.
fn config(server: &TestServer) -> ClientConfig {
    let mut config = workspace_tests::direct(format!("http://{}", server.address()));
    config.retry.min_wait = Duration::from_millis(1);
    config.retry.jitter = false;
    config
}

fn client(server: &TestServer) -> ResilientClient {
    ResilientClient::start(config(server)).expect("a valid configuration")
}

async fn get(client: &ResilientClient) -> Result<Response, Error> {
    within("a call", client.get("/msg").send()).await
}

async fn get_keyed(client: &ResilientClient, key: &str) -> Result<Response, Error> {
    within("a call", client.get("/msg").request_id(key).send()).await
}

fn message_id(reply: &Response) -> String {
    reply.json::<Value>().expect("JSON")["message_id"].as_str().expect("an id").to_owned()
}

async fn order(client: &ResilientClient, path: &str) {
    within("an order", client.post(path).send()).await.expect("the control plane always answers");
}

#[actix_rt::test]
async fn the_flow_of_the_specification_holds_without_retries() {
    let server = TestServer::start().await;
    let mut config = config(&server);
    config.retry.max_attempts = 1;
    let client = ResilientClient::start(config).unwrap();
    assert_eq!(client.get("/health").send().await.unwrap().status(), 200);
    order(&client, "/fail/count/3").await;
    for _ in 0..3 {
        assert_eq!(get(&client).await.unwrap_err().status(), Some(500));
    }
    get(&client).await.unwrap();
    let first = get_keyed(&client, "test-123").await.unwrap();
    let again = get_keyed(&client, "test-123").await.unwrap();
    assert_eq!(message_id(&first), message_id(&again));
    assert_eq!(again.headers().get("Idempotent-Replayed"), Some("true"));
    order(&client, "/fail/count/1").await;
    assert_eq!(get_keyed(&client, "test-123").await.unwrap_err().status(), Some(500));
    assert_eq!(message_id(&get_keyed(&client, "test-123").await.unwrap()), message_id(&first));
}

#[actix_rt::test]
async fn retries_hide_fewer_failures_than_attempts_and_more_failures_end_the_call() {
    let server = TestServer::start().await;
    let client = client(&server);
    order(&client, "/fail/count/2").await;
    let reply = get(&client).await.unwrap();
    assert_eq!(reply.attempts().iter().map(|a| a.status.unwrap()).collect::<Vec<_>>(), [500, 500, 200]);

    order(&client, "/fail/count/3").await;
    let error = get(&client).await.unwrap_err();
    assert_eq!((error.kind().name(), error.attempts().len()), ("server", 3));
    assert_eq!(error.response().unwrap().json::<Value>().unwrap()["detail"], "Induced server failure");
    get(&client).await.unwrap();
}

#[actix_rt::test]
async fn a_call_that_waits_longer_than_a_failure_by_duration_succeeds() {
    let server = TestServer::start().await;
    let retry = RetryConfig {
        max_attempts: 100,
        min_wait: Duration::from_millis(100),
        max_wait: Duration::from_millis(100),
        ..RetryConfig::default()
    };
    let client = ResilientClient::start(ClientConfig { retry, ..config(&server) }).unwrap();
    order(&client, "/fail/duration/1").await;
    let reply = get(&client).await.unwrap();
    assert!(reply.attempts().len() > 1, "{:?}", reply.attempts());
}

#[actix_rt::test]
async fn the_work_is_done_once_however_often_a_call_is_repeated() {
    let server = TestServer::start().await;
    let client = client(&server);
    let call = || client.get("/msg").query(&[("delay", "50")]).request_id("order-42").send();
    let replies = within("the calls", join_all((0..20).map(|_| call()))).await;
    let ids: std::collections::HashSet<_> =
        replies.into_iter().map(|reply| message_id(&reply.unwrap())).collect();
    assert_eq!(ids.len(), 1);
}

#[actix_rt::test]
async fn the_breaker_opens_rejects_calls_and_recovers() {
    let server = TestServer::start().await;
    let retry = RetryConfig { max_attempts: 1, ..RetryConfig::default() };
    let circuit_breaker = CircuitBreakerConfig {
        failure_threshold: 3,
        recovery_timeout: Duration::from_millis(500),
        ..CircuitBreakerConfig::default()
    };
    let client = ResilientClient::start(ClientConfig { retry, circuit_breaker, ..config(&server) }).unwrap();
    order(&client, "/fail/count/3").await;
    for _ in 0..3 {
        assert!(get(&client).await.unwrap_err().is_connection());
    }
    assert_eq!(client.stats().opened, 1);
    until(|| client.state() == BreakerState::HalfOpen).await;
    get(&client).await.unwrap();
    assert_eq!((client.state(), client.stats().closed), (BreakerState::Closed, 1));
    assert_eq!(client.stats().retries, 0);
}

#[actix_rt::test]
async fn the_bulkhead_rejects_a_call_that_gets_no_slot_in_time() {
    let server = TestServer::start().await;
    let mut config = config(&server);
    config.bulkhead.max_concurrency = 2;
    config.bulkhead.acquisition_timeout = Duration::from_millis(50);
    let client = ResilientClient::start(config).unwrap();
    let slow = || client.get("/msg").query(&[("delay", "1000")]).send();
    let replies = within("the calls", join_all((0..6).map(|_| slow()))).await;
    let turned_away = replies.iter().filter_map(|reply| reply.as_ref().err());
    assert!(turned_away.clone().all(|error| error.kind() == ErrorKind::PoolTimeout));
    assert_eq!((replies.iter().filter(|reply| reply.is_ok()).count(), turned_away.count()), (2, 4));
    assert_eq!((client.available_slots(), client.state()), (2, BreakerState::Closed));
}

#[actix_rt::test]
async fn each_error_of_the_server_has_its_own_kind() {
    let server = TestServer::builder().flag("--request-timeout", 1).start().await;
    let mut config = config(&server);
    config.retry.max_attempts = 2;
    let client = ResilientClient::start(config).unwrap();
    let call = |url: &str| within("a call", client.get(url).send());
    for (url, name, attempts) in [
        ("/nowhere", "not_found", 1),
        ("/fail/reset", "status", 1),
        ("/msg?delay=soon", "invalid_request", 1),
        ("/msg?delay=5000", "server_timeout", 2),
    ] {
        let error = call(url).await.expect_err(url);
        assert_eq!((error.kind().name(), error.attempts().len()), (name, attempts), "{url}");
        assert!(error.response().is_some_and(|reply| reply.headers().contains("x-correlation-id")), "{url}");
    }
    let mut timeout = ClientConfig::default().timeout;
    timeout.read = Duration::from_millis(100);
    let error = within("a call", client.get("/msg?delay=900").timeout(timeout).send()).await.unwrap_err();
    assert_eq!((error.kind().name(), error.gave_up()), ("timeout", Some(GaveUp::AttemptsExhausted)));
}
