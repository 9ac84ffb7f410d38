//! Every error of the client by a real exchange, and every rejection before one.

use std::{collections::HashMap, error::Error as _, time::Duration};

use resilient_client::{
    BreakerState, BulkheadConfig, Call, CircuitBreakerConfig, ClientConfig, ConnectionError, Error,
    ErrorKind, GaveUp, LogLevel, ResilientClient, RetryConfig, StatusError, TimeoutConfig,
};
use workspace_tests::wire_server::{Act, WireServer, reply, send, until};

fn config(url: String) -> ClientConfig {
    let mut config = workspace_tests::direct(url);
    config.retry.min_wait = Duration::from_millis(1);
    config.retry.jitter = false;
    config
}

fn client(server: &WireServer) -> ResilientClient {
    ResilientClient::start(config(server.url())).expect("a valid configuration")
}

#[actix_rt::test]
async fn each_status_is_its_error_with_its_attempts_and_its_reply() {
    use {ConnectionError as C, StatusError as S};
    let connection = ErrorKind::Connection;
    let status = ErrorKind::Status;
    for (code, kind, name, attempts) in [
        (408, connection(C::ServerTimeout), "server_timeout", 3),
        (500, connection(C::Server), "server", 3),
        (501, connection(C::Server), "server", 3),
        (502, connection(C::ServiceUnavailable), "service_unavailable", 3),
        (503, connection(C::ServiceUnavailable), "service_unavailable", 3),
        (504, connection(C::ServiceUnavailable), "service_unavailable", 3),
        (599, connection(C::Server), "server", 3),
        (401, status(S::Authentication), "authentication", 1),
        (403, status(S::Authentication), "authentication", 1),
        (404, status(S::NotFound), "not_found", 1),
        (400, status(S::InvalidRequest), "invalid_request", 1),
        (422, status(S::InvalidRequest), "invalid_request", 1),
        (429, status(S::RateLimited), "rate_limited", 3),
        (405, status(S::Other), "status", 1),
        (409, status(S::Other), "status", 1),
        (304, status(S::Other), "status", 1),
        (300, status(S::Other), "status", 1),
    ] {
        let server = WireServer::always(vec![reply(code, "X-Seen: yes\r\n", "why")]).await;
        // A 304 has no body, so that these bytes are bytes after the reply.
        let body = if code == 304 { "" } else { "why" };
        let error = client(&server).get("/").request_id("mine").send().await.unwrap_err();
        assert_eq!((error.kind(), error.kind().name()), (kind, name), "{code}");
        assert_eq!((error.attempts().len(), server.request_count()), (attempts, attempts), "{code}");
        assert!(error.attempts().iter().all(|a| a.status == Some(code) && a.error == Some(kind)), "{code}");
        assert_eq!(error.status(), Some(code));
        assert_eq!(error.request_id(), Some("mine"));
        assert_eq!(error.is_connection(), matches!(kind, ErrorKind::Connection(_)), "{code}");
        assert_eq!(error.is_status(), !error.is_connection(), "{code}");
        assert_eq!(error.is_retryable(), attempts == 3, "{code}");
        let seen = error.response().unwrap();
        assert_eq!((seen.text().unwrap(), seen.headers().get("x-seen")), (body, Some("yes")), "{code}");
        assert!(error.to_string().contains(&code.to_string()), "{error}");
    }
}

#[actix_rt::test]
async fn a_server_that_is_not_there_is_a_network_error() {
    let server = WireServer::always(vec![]).await;
    let url = server.url();
    drop(server);
    // The port is free as soon as the listener is dropped.
    until(|| std::net::TcpStream::connect(url.trim_start_matches("http://")).is_err()).await;
    let error = ResilientClient::start(config(url)).unwrap().post("/").send().await.unwrap_err();
    assert_eq!((error.kind().name(), error.attempts().len()), ("network", 3));
    assert_eq!(error.gave_up(), Some(GaveUp::AttemptsExhausted));
    let source = error.source().and_then(|source| source.downcast_ref::<std::io::Error>()).unwrap();
    assert_eq!(source.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[actix_rt::test]
async fn a_timeout_is_retried_and_lists_its_attempts() {
    let server = WireServer::always(vec![Act::Stall]).await;
    let timeout = TimeoutConfig { read: Duration::from_millis(50), ..TimeoutConfig::default() };
    let error = client(&server).get("/").timeout(timeout).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection(ConnectionError::Timeout));
    assert_eq!((error.attempts().len(), error.is_retryable()), (3, true));
    assert!(error.attempts().iter().all(|attempt| attempt.status.is_none()));
}

#[actix_rt::test]
async fn a_full_bulkhead_is_a_pool_timeout() {
    let server = WireServer::always(vec![Act::Stall]).await;
    let bulkhead = BulkheadConfig {
        max_concurrency: 1,
        acquisition_timeout: Duration::from_millis(20),
        ..BulkheadConfig::default()
    };
    let client = ResilientClient::start(ClientConfig { bulkhead, ..config(server.url()) }).unwrap();
    let mut hung = Box::pin(client.get("/").send());
    tokio::select! {
        biased;
        reply = &mut hung => panic!("{reply:?}"),
        () = until(|| server.request_count() == 1) => {}
    }
    let error = client.get("/").send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::PoolTimeout, 0));
    assert_eq!(server.request_count(), 1);
    drop(hung);
    assert_eq!(client.available_slots(), 1);
}

fn breaking_after_two(server: &WireServer, recovery_timeout: Duration) -> ResilientClient {
    let circuit_breaker =
        CircuitBreakerConfig { failure_threshold: 2, recovery_timeout, ..CircuitBreakerConfig::default() };
    let retry = RetryConfig { max_attempts: 1, ..RetryConfig::default() };
    ResilientClient::start(ClientConfig { circuit_breaker, retry, ..config(server.url()) })
        .expect("a valid configuration")
}

#[actix_rt::test]
async fn an_open_breaker_rejects_calls_and_says_for_how_long() {
    let server = WireServer::always(vec![reply(500, "", "")]).await;
    let hour = Duration::from_secs(3_600);
    let client = breaking_after_two(&server, hour);
    for _ in 0..2 {
        assert!(client.get("/").send().await.unwrap_err().is_connection());
    }
    for _ in 0..10 {
        let error = client.get("/").send().await.unwrap_err();
        assert!(error.is_circuit_open() && error.attempts().is_empty() && error.source().is_none());
        assert!(error.retry_after().unwrap() <= hour);
        assert!(error.message().starts_with("the circuit breaker is open; try again in "), "{error}");
    }
    assert_eq!((server.request_count(), client.stats().opened), (2, 1));
}

#[actix_rt::test]
async fn a_breaker_that_has_recovered_lets_a_probe_through_and_closes() {
    let server = WireServer::start(|n| vec![reply(if n < 2 { 500 } else { 200 }, "", "")]).await;
    let client = breaking_after_two(&server, Duration::from_millis(20));
    for _ in 0..2 {
        assert!(client.get("/").send().await.unwrap_err().is_connection());
    }
    until(|| client.state() == BreakerState::HalfOpen).await;
    client.get("/").send().await.unwrap();
    assert_eq!(client.state(), BreakerState::Closed);
    client.get("/").send().await.unwrap();
    let stats = client.stats();
    assert_eq!((stats.opened, stats.half_opened, stats.closed), (1, 1, 1));
}

#[actix_rt::test]
async fn the_deadline_covers_all_attempts_and_waits() {
    let server = WireServer::always(vec![reply(200, "", ""), Act::Stall]).await;
    let hung = WireServer::always(vec![Act::Stall]).await;
    let client = client(&server);
    let error = client.get(hung.url()).deadline(Duration::from_millis(50)).send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::DeadlineExceeded, 1));
    assert_eq!(error.attempts()[0].error, Some(ErrorKind::DeadlineExceeded));
    client.get("/").send().await.unwrap();
}

#[actix_rt::test]
async fn a_body_that_is_not_what_it_is_read_as_is_a_decode_error_with_its_reply() {
    let server =
        WireServer::always(vec![send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe")]).await;
    let reply = client(&server).get("/").send().await.unwrap();
    let errors: [Error; 2] =
        [reply.json::<HashMap<String, u32>>().unwrap_err(), reply.text().map(str::to_owned).unwrap_err()];
    for error in errors {
        assert_eq!((error.kind(), error.status()), (ErrorKind::Decode, Some(200)));
        assert_eq!(error.response().unwrap().body(), &b"\xff\xfe"[..]);
        assert_eq!(error.attempts().len(), 1);
        assert!(error.source().is_some());
    }
}

#[actix_rt::test]
async fn an_invalid_call_is_rejected_by_the_name_of_its_part_before_anything_is_sent() {
    let server = WireServer::always(vec![reply(200, "", "")]).await;
    let client = client(&server);
    let odd_map = HashMap::from([(vec![1], 2)]);
    let no_attempts = RetryConfig { max_attempts: 0, ..RetryConfig::default() };
    let no_time = TimeoutConfig { read: Duration::ZERO, ..TimeoutConfig::default() };
    for (call, name, says) in [
        (Call::get("ftp://host/"), "invalid_url", "URL"),
        (Call::get("http://"), "invalid_url", "host"),
        (Call::get("http://host:99999/"), "invalid_url", "port"),
        (Call::get("http://me:secret@host/"), "invalid_url", "credentials"),
        (Call::get("/line\r\nbreak"), "invalid_url", "control"),
        (Call::get("/").header("two words", "x"), "invalid_header", "\"two words\""),
        (Call::get("/").header("x-a", "line\r\nbreak"), "invalid_header", "\"x-a\""),
        (Call::get("/").header("", "x"), "invalid_header", "\"\""),
        (Call::get("/").header("Content-Length", "7"), "invalid_header", "\"Content-Length\""),
        (Call::get("/").header("transfer-encoding", "chunked"), "invalid_header", "\"transfer-encoding\""),
        (Call::get("/").request_id(""), "invalid_header", "request_id"),
        (Call::get("/").request_id("two words"), "invalid_header", "request_id"),
        (Call::get("/").request_id("x".repeat(256)), "invalid_header", "request_id"),
        (Call::get("/").header("X-Request-ID", "two words"), "invalid_header", "request_id"),
        (Call::post("/").json(&odd_map), "encode", "json"),
        (Call::post("/").form(&[1, 2, 3]), "encode", "form"),
        (Call::get("/").query(&[[1, 2, 3]]), "encode", "query"),
        (Call::get("/").deadline(Duration::ZERO), "config", "deadline"),
        (Call::get("/").timeout(no_time), "config", "timeout.read"),
        (Call::get("/").retry(no_attempts), "config", "retry.max_attempts"),
    ] {
        let shown = format!("{call:?}");
        let error = client.send(call).await.expect_err(&shown);
        assert_eq!((error.kind().name(), error.attempts().len()), (name, 0), "{shown}");
        assert!(error.message().contains(says), "{error}");
        assert!(!error.message().contains("secret"), "{error}");
    }
    assert_eq!((server.request_count(), server.connections()), (0, 0));
    assert_eq!(client.stats().calls, 0);
}

#[actix_rt::test]
async fn an_invalid_configuration_is_rejected_at_the_start() {
    let mut bad = workspace_tests::direct("http://localhost");
    bad.retry.multiplier = f64::NAN;
    let error = ResilientClient::start(bad).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().starts_with("retry.multiplier: must be 1 to 1000, got NaN"), "{error}");
    let error = ResilientClient::start_on(0, workspace_tests::direct("http://localhost")).unwrap_err();
    assert!(error.message().starts_with("arbiters: "), "{error}");
    let error = ResilientClient::start(workspace_tests::direct("localhost:8000")).unwrap_err();
    assert!(error.message().starts_with("base_url: "), "{error}");
    let mut quiet = workspace_tests::direct("http://localhost");
    quiet.logging.level = LogLevel::Off;
    ResilientClient::start(quiet).unwrap();
}

#[actix_rt::test]
async fn a_request_has_what_the_call_asked_for() {
    let server = WireServer::always(vec![reply(200, "", "")]).await;
    let client = ResilientClient::start(workspace_tests::direct(format!("{}/api/", server.url()))).unwrap();
    let call = client
        .post("/charges?a=1")
        .query(&[("b", "two words"), ("c", "&=\u{e9}")])
        .header("X-Extra", "1")
        .header("x-extra", "2")
        .json(&serde_json::json!({"amount": 1}));
    let reply = call.send().await.unwrap();
    client.get("/plain").header("User-Agent", "mine").send().await.unwrap();
    client.put("/form").form(&[("k", "v v")]).send().await.unwrap();

    let requests = server.requests();
    let first = &requests[0];
    assert!(first.starts_with("POST /api/charges?a=1&b=two+words&c=%26%3D%C3%A9 HTTP/1.1\r\n"), "{first}");
    let lower = first.to_lowercase();
    let host = server.url().replace("http://", "");
    for line in [
        format!("host: {host}"),
        "content-type: application/json".into(),
        "content-length: 12".into(),
        "x-extra: 1".into(),
        "x-extra: 2".into(),
        format!("user-agent: resilient-client/{}", env!("CARGO_PKG_VERSION")),
        format!("x-request-id: {}", reply.request_id()),
    ] {
        assert_eq!(lower.matches(&format!("\r\n{line}\r\n")).count(), 1, "{line} in {first}");
    }
    assert!(first.ends_with("\r\n\r\n{\"amount\":1}"), "{first}");
    assert_eq!(requests[1].to_lowercase().matches("user-agent: ").count(), 1);
    assert!(requests[1].to_lowercase().contains("user-agent: mine\r\n"));
    assert!(requests[2].ends_with("k=v+v"), "{}", requests[2]);
    assert_ne!(request_id(&requests[0]), request_id(&requests[1]));
}

fn request_id(request: &str) -> Option<String> {
    request.to_lowercase().lines().find_map(|line| line.strip_prefix("x-request-id: ").map(str::to_owned))
}

#[actix_rt::test]
async fn a_redirect_to_another_origin_drops_credentials_and_the_request_id() {
    let there = WireServer::always(vec![reply(200, "", "there")]).await;
    let location = format!("Location: {}/there\r\n", there.url());
    let here = WireServer::start(move |n| match n {
        0 => vec![reply(308, "Location: /next\r\n", "ignored")],
        _ => vec![reply(307, &location, "")],
    })
    .await;
    let call =
        client(&here).post("/").body("body").header("Authorization", "Bearer x").header("Accept", "a/b");
    let reply = call.request_id("mine").send().await.unwrap();
    assert_eq!((reply.text().unwrap(), reply.attempts().len()), ("there", 1));
    let same_origin = &here.requests()[1];
    assert!(same_origin.starts_with("POST /next ") && same_origin.ends_with("body"), "{same_origin}");
    assert_eq!(request_id(same_origin).as_deref(), Some("mine"));
    assert!(same_origin.to_lowercase().contains("authorization: bearer x"));
    let other_origin = &there.requests()[0];
    assert!(other_origin.starts_with("POST /there ") && other_origin.ends_with("body"), "{other_origin}");
    assert_eq!(request_id(other_origin), None);
    assert!(!other_origin.to_lowercase().contains("authorization"));
    assert!(other_origin.to_lowercase().contains("accept: a/b"));
}

#[actix_rt::test]
async fn no_secret_is_in_a_message_or_in_debug_output() {
    let server = WireServer::always(vec![reply(500, "Set-Cookie: session=hunter2\r\n", "")]).await;
    let client = client(&server);
    let call = || {
        let call = Call::get("/path?token=hunter2&page=1");
        call.header("Authorization", "Bearer hunter2")
            .header("Cookie", "a=hunter2")
            .query(&[("key", "hunter2")])
    };
    let mut shown = vec![
        format!("{:?}", call()),
        format!("{:?}", workspace_tests::direct("http://user:hunter2@host/?token=hunter2")),
        format!("{client:?}"),
    ];
    let failed = client.send(call()).await.unwrap_err();
    shown.push(format!("{:?}", failed.response()));
    let rejected = [
        Call::get("ftp://user:hunter2@host/"),
        Call::get("http://user:hunter2@host/"),
        Call::get("mailto://me?password=hunter2"),
        Call::get("/").header("Authorization", "hunter2\n"),
        Call::get("/").header("bad name", "hunter2"),
    ];
    let mut errors = vec![failed];
    for call in rejected {
        errors.push(client.send(call).await.unwrap_err());
    }
    let config = ClientConfig {
        deadline: Duration::from_secs(1),
        ..workspace_tests::direct("http://user:hunter2@host/")
    };
    errors.push(config.validate().unwrap_err());
    let nowhere = ResilientClient::start(ClientConfig::default()).unwrap();
    errors.push(nowhere.get("user:hunter2@host/?secret=hunter2").send().await.unwrap_err());
    for error in errors {
        shown.extend([error.to_string(), format!("{error:?}"), error.message().to_owned()]);
    }
    for text in shown {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[actix_rt::test]
async fn a_call_is_validated_without_a_client_with_the_error_that_sending_it_would_have() {
    let server = WireServer::always(vec![reply(200, "", "")]).await;
    let config = config(server.url());
    let client = ResilientClient::start(config.clone()).unwrap();
    config.validate_call(Call::post("/x").json(&[1]).request_id("mine").header("a", "b")).unwrap();
    config.validate_call(client.get("/x")).unwrap();
    type Make = fn() -> Call;
    let bad: [Make; 7] = [
        || Call::get("ftp://host/"),
        || Call::get("http://host:99999/"),
        || Call::get("/").header("no name", "x"),
        || Call::get("/").header("content-length", "1"),
        || Call::get("/").request_id(""),
        || Call::get("/").query(&1),
        || Call::get("/").deadline(Duration::ZERO),
    ];
    for call in bad {
        let validated = config.validate_call(call()).unwrap_err();
        let sent = client.send(call()).await.unwrap_err();
        assert_eq!((validated.kind(), validated.message()), (sent.kind(), sent.message()));
    }
    assert_eq!(server.request_count(), 0);
    let config = ClientConfig { max_body_bytes: 0, ..config };
    let error = config.validate_call(Call::get("/")).unwrap_err();
    assert_eq!(error.field().unwrap().field(), "max_body_bytes");
}
