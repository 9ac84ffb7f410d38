//! Hedges over real sockets: what the server sees, and what is free once the faster answer is there.

use std::time::Duration;

use futures::future::join_all;
use resilient_client::{
    AttemptRole, Call, ClientConfig, HedgeAfter, HedgeConfig, Method, ResilientClient, RetryMethods,
};
use serde_json::Value;
use workspace_tests::{
    guard::within,
    server::TestServer,
    wire_server::{Act, Gate, WireServer, reply, until},
};

/// A client that sends one hedge after this time.
fn config(url: String, after: HedgeAfter) -> ClientConfig {
    let mut config = workspace_tests::direct(url);
    config.hedge = HedgeConfig { after, max: 1 };
    config.bulkhead.max_concurrency = 2;
    config
}

const SOON: HedgeAfter = HedgeAfter::Delay(Duration::from_millis(50));

/// How many milliseconds the test server takes for a call that gets a hedge: so long that a busy machine, too, sends the
/// hedge before the answer comes.
const LONG: &str = "2000";

/// A server that never answers the first request, and all others at once.
async fn stuck_once() -> WireServer {
    WireServer::start(|n| if n == 0 { vec![Act::Stall] } else { vec![reply(200, "", "fast")] }).await
}

/// Checks that the slower request has left nothing behind, and that the client goes on with the connection of the other.
async fn check_free(client: &ResilientClient, server: &WireServer) {
    assert_eq!((client.available_slots(), client.stats().slots), (2, 2));
    assert_eq!((client.in_flight(), client.stats().hedges), (0, 1));
    // The server sees the end of the slow request's connection without any more traffic.
    until(|| server.ended_connections() == 1).await;
    assert_eq!((server.connections(), server.request_count()), (2, 2));
    let next = within("the next call", client.get("/").send()).await.expect("a good answer");
    assert_eq!(next.body().as_ref(), b"fast");
    assert_eq!((server.connections(), server.ended_connections()), (2, 1), "the good connection is kept");
}

#[actix_rt::test]
async fn the_connection_and_the_slot_of_the_slower_request_are_free_at_once() {
    let server = stuck_once().await;
    let client = ResilientClient::start(config(server.url(), SOON)).unwrap();
    let reply = within("the call", client.get("/").send()).await.unwrap();
    assert_eq!(reply.text().unwrap(), "fast");
    let roles: Vec<_> =
        reply.attempts().iter().map(|attempt| (attempt.role, attempt.is_cancelled())).collect();
    assert_eq!(roles, [(AttemptRole::Regular, true), (AttemptRole::Hedge, false)]);
    check_free(&client, &server).await;
}

#[tokio::test]
async fn the_same_holds_for_a_client_on_a_thread_of_its_own() {
    let server = stuck_once().await;
    let client = ResilientClient::start_on(1, config(server.url(), SOON)).unwrap();
    let reply = within("the call", client.get("/").send()).await.unwrap();
    assert_eq!(reply.text().unwrap(), "fast");
    check_free(&client, &server).await;
}

#[actix_rt::test]
async fn a_call_that_is_dropped_closes_the_connections_of_both_requests() {
    let server = WireServer::always(vec![Act::Stall]).await;
    let client = ResilientClient::start(config(server.url(), SOON)).unwrap();
    let mut call = Box::pin(client.get("/").send());
    let both = until(|| server.request_count() == 2);
    tokio::select! {
        _ = &mut call => panic!("the server does not answer"),
        () = both => {}
    }
    assert_eq!(client.available_slots(), 0);
    drop(call);
    assert_eq!((client.available_slots(), client.in_flight()), (2, 0));
    until(|| server.ended_connections() == 2).await;
}

#[actix_rt::test]
async fn nothing_is_sent_twice_that_has_no_key_and_what_is_carries_the_same_key() {
    use Method::{Delete, Get, Head, Patch, Post, Put};
    for method in [Get, Head, Put, Delete, Post, Patch] {
        for key in [None, Some("mine")] {
            for methods in [RetryMethods::All, RetryMethods::IdempotentOnly] {
                let gate = Gate::closed();
                let wait = gate.clone();
                let server =
                    WireServer::start(move |_| vec![Act::Wait(wait.clone()), reply(200, "", "")]).await;
                let mut config = config(server.url(), SOON);
                config.retry.methods = methods;
                let client = ResilientClient::start(config).unwrap();
                let may = method.is_idempotent() || (key.is_some() && methods == RetryMethods::All);
                let sent = 1 + usize::from(may);
                let call = key.into_iter().fold(Call::new(method, "/").body("body"), Call::request_id);
                let open = async {
                    until(|| server.request_count() == sent).await;
                    // Where no hedge may be sent, none is, also not some time after it would be due.
                    tokio::time::sleep(Duration::from_millis(if may { 0 } else { 150 })).await;
                    gate.open();
                };
                let (answer, ()) = futures::join!(client.send(call), open);
                // An answer to HEAD has no body, as this server's has none.
                answer.unwrap_or_else(|error| panic!("{method} {key:?} {methods:?}: {error}"));
                let keys: Vec<_> = server.requests().iter().map(|request| id_of(request)).collect();
                assert_eq!(keys.len(), sent, "{method} {key:?} {methods:?}");
                assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
            }
        }
    }
}

/// The value of `x-request-id`.
fn id_of(request: &str) -> String {
    let line = request.lines().find(|line| line.to_ascii_lowercase().starts_with("x-request-id:"));
    let value = line.and_then(|line| Some(line.split_once(':')?.1));
    value.expect("every request has an id").trim().to_owned()
}

#[actix_rt::test]
async fn a_server_that_honours_the_key_executes_a_hedged_call_once() {
    let server = TestServer::start().await;
    let client = ResilientClient::start(config(server.url(""), SOON)).unwrap();
    let call = client.get("/msg").query(&[("delay", LONG)]).request_id("hedged").send();
    let reply = within("the call", call).await.unwrap();
    assert_eq!((reply.attempts().len(), client.stats().hedges), (2, 1));
    let message: Value = reply.json().unwrap();
    let again: Value = client.get("/msg").request_id("hedged").send().await.unwrap().json().unwrap();
    assert_eq!(message, again, "both requests were one execution");
}

#[actix_rt::test]
async fn an_answer_that_asks_to_wait_stops_the_hedges_of_later_calls() {
    let server = WireServer::start(|n| match n {
        0 => vec![reply(503, "Retry-After: 30\r\n", "")],
        _ => vec![Act::Pause(Duration::from_millis(300)), reply(200, "", "slow")],
    })
    .await;
    let mut config = config(server.url(), SOON);
    config.retry.max_attempts = 1;
    let client = ResilientClient::start(config).unwrap();
    client.get("/").send().await.unwrap_err();
    assert_eq!(client.get("/").send().await.unwrap().attempts().len(), 1);
    assert_eq!((server.request_count(), client.stats().hedges), (2, 0));
}

#[actix_rt::test]
async fn the_verdict_of_the_test_server_knows_a_hedge_from_a_retry_without_a_wait() {
    let server = TestServer::start().await;
    let mut config = config(server.url(""), SOON);
    config.bulkhead.max_concurrency = 6;
    let client = ResilientClient::start(config).unwrap();
    let calls =
        (0..3).map(|n| client.get("/msg").query(&[("delay", LONG)]).request_id(format!("hedged-{n}")).send());
    for reply in within("the calls", join_all(calls)).await {
        assert_eq!(reply.unwrap().attempts().len(), 2);
    }
    assert_eq!(client.stats().hedges, 3);
    let plain = ResilientClient::start(workspace_tests::direct(server.url(""))).unwrap();
    let verdict: Value = plain.get("/verdict").send().await.unwrap().json().unwrap();
    let failed =
        verdict["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == "fail");
    assert_eq!(failed.cloned().collect::<Vec<_>>(), Vec::<Value>::new(), "{verdict:#}");
}
