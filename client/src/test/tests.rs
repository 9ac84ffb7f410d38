//! The kit as its users see it.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use tokio::time::{Instant, sleep, timeout};

use super::{Fault, Reply, Script, SentRequest, run};
use crate::{
    BulkheadConfig, Call, ClientConfig, ConnectionError, ErrorKind, Method, ResilientClient, RetryConfig,
    TimeoutConfig,
};

/// Waits of 1, 2, 4 and so on seconds.
fn config(max_attempts: u32) -> ClientConfig {
    ClientConfig {
        retry: RetryConfig { max_attempts, jitter: false, ..RetryConfig::default() },
        timeout: TimeoutConfig { connect: seconds(2), read: seconds(3), ..ClientConfig::default().timeout },
        ..ClientConfig::new("http://shop")
    }
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn times(script: &Script) -> Vec<Duration> {
    script.requests().iter().map(SentRequest::at).collect()
}

/// The message of a panic.
fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

#[test]
fn three_503_and_then_200_are_four_requests_at_exact_times_without_waiting() {
    let began = std::time::Instant::now();
    run(async {
        let script = Script::new([503, 503, 503, 200]);
        let client = script.client(config(4)).unwrap();
        let reply = client.get("/orders").query(&[("page", "2")]).send().await.unwrap();
        assert_eq!((reply.status(), reply.attempts().len()), (200, 4));
        assert_eq!(times(&script), [0, 1, 3, 7].map(seconds));
        assert!(script.requests().iter().all(|request| request.url() == "http://shop/orders?page=2"));
        script.assert_done();
    });
    // Seven seconds under the clock of the test.
    assert!(began.elapsed() < seconds(5), "{:?}", began.elapsed());
}

#[test]
fn what_was_sent_is_recorded_with_method_headers_and_body() {
    run(async {
        let script = Script::new([200]);
        let client = script.client(config(1)).unwrap();
        client
            .put("/orders/7")
            .header("X-Tenant", "a")
            .json(&["tea"])
            .request_id("id-1")
            .send()
            .await
            .unwrap();
        let requests = script.requests();
        let sent = &requests[0];
        assert_eq!((sent.method(), sent.url()), (Method::Put, "http://shop/orders/7"));
        assert_eq!((sent.header("x-tenant"), sent.header("X-Request-ID")), (Some("a"), Some("id-1")));
        assert_eq!((sent.text(), sent.json::<Vec<String>>()), (r#"["tea"]"#, vec!["tea".to_owned()]));
        assert_eq!(sent.headers().get("content-type"), Some("application/json"));
        assert_eq!(&sent.body()[..], br#"["tea"]"#);
    });
}

#[test]
fn a_reply_has_its_status_headers_body_and_delay() {
    run(async {
        let script = Script::new([Reply::new(201).header("x-a", "1").json(&[1, 2]).after(seconds(2))]);
        let client = script.client(config(1)).unwrap();
        let begun = Instant::now();
        let reply = client.post("/").send().await.unwrap();
        assert_eq!((reply.status(), reply.headers().get("x-a")), (201, Some("1")));
        assert_eq!(reply.headers().get("content-type"), Some("application/json"));
        assert_eq!(reply.json::<Vec<u8>>().unwrap(), [1, 2]);
        assert_eq!(begun.elapsed(), seconds(2));
    });
}

#[test]
fn every_fault_is_the_error_that_the_network_would_bring_after_the_same_time() {
    use ConnectionError::{Network, Timeout};
    for (fault, error, takes, message) in [
        (Fault::Refused.into(), Network, 0, "connecting to the server: connection refused"),
        (Fault::Refused.after(seconds(1)), Network, 1, "connecting to the server: connection refused"),
        (Fault::Refused.after(seconds(9)), Timeout, 2, "connecting to the server: no connection within 2 s"),
        (Fault::ConnectTimeout.into(), Timeout, 2, "connecting to the server: no connection within 2 s"),
        (Fault::Reset.into(), Network, 0, "waiting for the reply: connection reset"),
        (Fault::Reset.after(seconds(3)), Network, 3, "waiting for the reply: connection reset"),
        (Fault::Truncated.into(), Network, 0, "the reply was cut short: the server closed the connection"),
        (Fault::ReadTimeout.into(), Timeout, 3, "waiting for the reply: the server was silent for 3 s"),
        (
            Reply::new(200).after(seconds(4)),
            Timeout,
            3,
            "waiting for the reply: the server was silent for 3 s",
        ),
        (Fault::Reset.after(seconds(4)), Timeout, 3, "waiting for the reply: the server was silent for 3 s"),
    ] {
        run(async {
            let script = Script::new([fault]);
            let client = script.client(config(1)).unwrap();
            let begun = Instant::now();
            let failed = client.get("/").send().await.unwrap_err();
            assert_eq!(failed.kind(), ErrorKind::Connection(error), "{failed}");
            assert_eq!(begun.elapsed(), seconds(takes), "{failed}");
            assert!(failed.message().contains(message), "{failed}");
        });
    }
}

#[test]
fn only_a_fault_before_the_request_lets_a_post_that_is_not_idempotent_be_repeated() {
    for (fault, attempts) in
        [(Fault::Refused, 2), (Fault::ConnectTimeout, 2), (Fault::Reset, 1), (Fault::Truncated, 1)]
    {
        run(async {
            let script = Script::new([fault]).then_always(200);
            let mut config = config(3);
            config.retry.methods = crate::RetryMethods::IdempotentOnly;
            let client = script.client(config).unwrap();
            let _ = client.post("/").send().await;
            assert_eq!(script.requests().len(), attempts, "{fault:?}");
        });
    }
}

#[test]
fn a_body_is_bounded_and_absent_where_http_has_none() {
    run(async {
        let script = Script::always(Reply::new(200).body("12345"));
        let client = script.client(ClientConfig { max_body_bytes: 4, ..config(1) }).unwrap();
        assert_eq!(client.get("/").send().await.unwrap_err().kind(), ErrorKind::BodyTooLarge);
        assert!(client.head("/").send().await.unwrap().body().is_empty());
        let script = Script::always(Reply::new(204).body("12345"));
        let client = script.client(config(1)).unwrap();
        assert!(client.get("/").send().await.unwrap().body().is_empty());
    });
}

#[test]
fn a_redirect_that_is_followed_is_a_request_of_its_own() {
    run(async {
        let script = Script::new([Reply::new(303).header("location", "/done")]).then(200);
        let client = script.client(config(1)).unwrap();
        let reply = client.post("/orders").send().await.unwrap();
        assert_eq!((reply.status(), reply.attempts().len()), (200, 1));
        let sent = script.requests();
        assert_eq!((sent[1].method(), sent[1].url()), (Method::Get, "http://shop/done"));
    });
}

#[test]
fn a_server_that_decides_by_the_request_can_answer_each_host_differently() {
    run(async {
        let script = Script::from_fn(|request| match request.url() {
            url if url.starts_with("http://dead/") => Fault::Refused.into(),
            _ => 200.into(),
        });
        let client = script.client(config(1)).unwrap();
        client.get("http://dead/").send().await.unwrap_err();
        client.get("/").send().await.unwrap();
        script.assert_done();
    });
}

#[test]
fn a_request_that_the_script_does_not_expect_fails_the_test_and_names_the_request() {
    let panic = std::panic::catch_unwind(|| {
        run(async {
            let script = Script::new([503]);
            let client = script.client(config(3)).unwrap();
            let _ = client.get("/orders?token=secret").send().await;
        });
    });
    let expected = "the script has no step for request 2: GET http://shop/orders?token=*** at 1s";
    assert_eq!(message(&*panic.unwrap_err()), expected);
}

#[test]
fn an_unexpected_request_of_a_task_fails_the_test_when_the_script_is_dropped() {
    let panic = std::panic::catch_unwind(|| {
        run(async {
            let script = Script::new([200]).then(200);
            let client = script.client(config(1)).unwrap();
            let address = client.addr();
            for _ in 0..2 {
                address.send(Call::get("/")).await.unwrap().unwrap();
            }
            // The actor makes the call in a task of its own, which takes the panic.
            address.send(Call::get("/third")).await.unwrap_err();
        });
    });
    let expected = "the script has no step for request 3: GET http://shop/third at 0ns";
    assert_eq!(message(&*panic.unwrap_err()), expected);
}

#[test]
fn steps_that_are_left_are_reported_when_they_are_asked_for() {
    run(async {
        let script = Script::new([200, 200, 200]);
        let client = script.client(config(1)).unwrap();
        client.get("/").send().await.unwrap();
        let panic = std::panic::catch_unwind(AssertUnwindSafe(|| script.assert_done())).unwrap_err();
        assert_eq!(message(&*panic), "2 steps of the script are left after 1 requests");
    });
}

#[test]
fn a_call_that_is_dropped_is_no_longer_in_flight() {
    run(async {
        let script = Script::always(Reply::new(200).after(seconds(2)));
        let client = script.client(config(1)).unwrap();
        let call = actix_rt::spawn(client.get("/").send());
        sleep(seconds(1)).await;
        assert_eq!((script.in_flight(), client.in_flight()), (1, 1));
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
        assert_eq!((script.in_flight(), client.in_flight()), (0, 0));
        assert!(timeout(seconds(1), client.get("/").send()).await.is_err());
        assert_eq!(script.in_flight(), 0);
    });
}

#[test]
fn the_policies_of_the_client_are_the_real_ones() {
    run(async {
        let script = Script::new([500, 500]).then_always(Reply::new(200).after(seconds(1)));
        let mut config = ClientConfig {
            bulkhead: BulkheadConfig {
                max_concurrency: 1,
                acquisition_timeout: seconds(9),
                ..BulkheadConfig::default()
            },
            ..config(1)
        };
        config.circuit_breaker.failure_threshold = 2;
        config.circuit_breaker.recovery_timeout = seconds(30);
        let client = script.client(config).unwrap();
        let get = || client.get("/").send();
        get().await.unwrap_err();
        get().await.unwrap_err();
        assert!(matches!(get().await.unwrap_err().kind(), ErrorKind::CircuitOpen { .. }));
        sleep(seconds(30)).await;
        get().await.unwrap();
        let (one, two) = futures::join!(get(), get());
        assert!(one.is_ok() && two.is_ok());
        assert_eq!(times(&script), [0, 0, 30, 31, 32].map(seconds), "one at a time");
    });
}

#[test]
fn it_runs_in_the_system_of_an_actix_test_too() {
    actix_rt::System::new().block_on(async {
        let script = Script::new([200]);
        let client = script.client(config(1)).unwrap();
        assert_eq!(client.get("/").send().await.unwrap().status(), 200);
    });
}

#[test]
fn without_an_actix_system_it_says_what_is_missing() {
    let start = || drop(Script::new([200]).client(config(1)));
    let panic = std::panic::catch_unwind(start).unwrap_err();
    let message = message(&*panic);
    assert!(message.contains("resilient_client::test::run starts one"), "{message}");
}

#[test]
fn an_invalid_configuration_is_an_error() {
    run(async {
        let error = Script::new([200]).client(config(0)).unwrap_err();
        assert_eq!(error.field().unwrap().field(), "retry.max_attempts");
    });
}

#[test]
fn an_invalid_reply_and_a_step_appended_to_a_function_are_rejected() {
    for wrong in [
        || drop(Reply::new(100)),
        || drop(Reply::new(200).header("no name", "")),
        || drop(Reply::new(200).header("name", "\n")),
        || drop(Script::from_fn(|_| 200.into()).then(200)),
        || drop(Script::from_fn(|_| 200.into()).then_always(200)),
    ] {
        std::panic::catch_unwind(wrong).unwrap_err();
    }
}

#[test]
fn debug_output_hides_secrets() {
    run(async {
        let script = Script::new([Reply::new(200).header("set-cookie", "a=secret")]);
        let shown = format!("{script:?} {:?}", Reply::new(200).header("set-cookie", "a=secret"));
        assert!(!shown.contains("secret"), "{shown}");
        let client: ResilientClient = script.client(config(1)).unwrap();
        client
            .get("/?token=secret")
            .bearer_auth("secret")
            .body("secret")
            .send()
            .now_or_never()
            .unwrap()
            .unwrap();
        let shown = format!("{script:?}");
        assert!(shown.contains("authorization") && !shown.contains("secret"), "{shown}");
    });
}

#[test]
fn a_hedge_is_a_request_of_its_own_and_the_loser_is_dropped() {
    run(async {
        let script =
            Script::new([Reply::new(200).body("late").after(seconds(2))]).then(Reply::new(200).body("hedge"));
        let mut config = config(1);
        config.hedge.after = crate::config::HedgeAfter::Delay(seconds(1));
        let client = script.client(config).unwrap();
        let reply = client.get("/").send().await.unwrap();
        assert_eq!(reply.text().unwrap(), "hedge");
        assert_eq!((times(&script), script.in_flight()), ([0, 1].map(seconds).to_vec(), 0));
    });
}

#[test]
fn two_clients_of_one_script_share_its_steps_and_its_clock() {
    run(async {
        let script = Script::new([200]).then(404);
        let (one, other) = (script.client(config(1)).unwrap(), script.client(config(1)).unwrap());
        sleep(seconds(1)).await;
        one.get("/one").send().await.unwrap();
        sleep(seconds(1)).await;
        assert_eq!(other.get("/other").send().await.unwrap_err().status(), Some(404));
        assert_eq!(times(&script), [1, 2].map(seconds));
        script.assert_done();
    });
}

#[test]
fn a_test_that_opens_a_socket_by_mistake_panics() {
    let open = || run(async { drop(tokio::net::TcpListener::bind("127.0.0.1:0").await) });
    std::panic::catch_unwind(open).unwrap_err();
}
