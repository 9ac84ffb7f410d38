//! The log: one event a line, each with the fields and the level of SPEC.md, 1.6.

use serde_json::Value;
use workspace_tests::logs::LogLine;
use workspace_tests::{Outcome, Program, RawConnection, TestServer, answer};

/// The events of a whole run. Fails when a line is not an event.
#[track_caller]
fn events(outcome: &Outcome) -> Vec<LogLine> {
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let lines: Vec<_> = outcome.stdout.lines().map(|line| LogLine::new(line.to_owned())).collect();
    lines.iter().for_each(assert_is_event);
    lines
}

/// Asserts that the line has the four fields of every event.
#[track_caller]
fn assert_is_event(line: &LogLine) {
    assert!(line.event.is_object(), "no JSON object: {:?}", line.text);
    let timestamp = line.event["timestamp"].as_str().unwrap_or_default();
    let shape: String = timestamp.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{}", line.text);
    assert!(["debug", "info", "warning", "error"].contains(&line.level()), "{}", line.text);
    assert!(line.logger().starts_with("server."), "{}", line.text);
    assert!(!line.message().is_empty(), "{}", line.text);
    assert!(!line.text.contains(char::is_control), "{:?}", line.text);
}

/// Sends valid and invalid requests to every route.
async fn use_everything(server: &TestServer) {
    for path in ["/fail/count/1", "/fail/duration/0", "/fail/reset", "/fail/count/x", "/msg", "/fail/count/1"]
    {
        answer(server.post(path)).await;
    }
    for path in ["/msg", "/msg?delay=1", "/msg?delay=x", "/health", "/fail/status", "/openapi.json", "/nope"]
    {
        answer(server.get(path)).await;
    }
    for _ in 0..2 {
        answer(server.get_keyed("/msg", "key")).await;
    }
    assert_eq!(answer(server.get("/msg?delay=30000")).await.status, 408);
}

#[tokio::test]
async fn every_line_is_an_event_with_its_four_fields() {
    let server = TestServer::verbose().flag("--request-timeout", 1).start().await;
    use_everything(&server).await;
    let events = events(&server.stop().await);
    let levels = ["debug", "info", "warning"];
    assert!(levels.iter().all(|level| events.iter().any(|event| event.level() == *level)), "{events:#?}");
    assert!(
        events.is_sorted_by_key(|event| event.event["timestamp"].as_str().unwrap_or_default().to_owned())
    );
}

#[tokio::test]
async fn the_start_line_has_the_configuration_with_json_types() {
    let server =
        TestServer::builder().flag("--max-concurrency", 7).flag("--cache-ttl-seconds", 9).start().await;
    let is_start = |line: &LogLine| line.logger() == "server.startup" && line.event["config"].is_object();
    let start = server.wait_for_log("the start", is_start).await;
    assert_eq!(start.level(), "info");
    assert_eq!(start.event["address"], server.address().to_string());
    let config = &start.event["config"];
    for (name, value) in
        [("max_concurrency", 7), ("cache_ttl_seconds", 9), ("request_timeout", 30), ("cache_max_size", 1000)]
    {
        assert_eq!(config[name], value, "{config}");
    }
    assert_eq!(
        (&config["enable_docs"], &config["cors_enabled"]),
        (&Value::Bool(true), &Value::Bool(false)),
        "{config}"
    );
    assert_eq!((&config["log_level"], &config["log_format"]), (&"INFO".into(), &"json".into()), "{config}");
}

#[tokio::test]
async fn at_info_starts_stops_and_failure_modes_are_logged_and_requests_are_not() {
    let server = TestServer::builder().start().await;
    for _ in 0..5 {
        answer(server.get("/msg")).await;
        answer(server.get_keyed("/msg", "key")).await;
        for path in ["/msg?delay=x", "/health", "/fail/status", "/openapi.json", "/docs", "/nope"] {
            answer(server.get(path)).await;
        }
    }
    answer(server.post("/fail/count/3")).await;
    for _ in 0..4 {
        answer(server.get("/msg")).await;
    }
    answer(server.post("/fail/duration/60")).await;
    answer(server.post("/fail/reset")).await;
    let events = events(&server.stop().await);
    assert!(events.iter().all(|event| event.level() == "info"), "{events:#?}");
    let failure: Vec<_> = events.iter().filter(|event| event.logger() == "server.failure").collect();
    assert_eq!(failure.len(), 3, "{failure:#?}");
    let has =
        |event: &LogLine, number: i64| event.event.as_object().unwrap().values().any(|field| field == number);
    assert!(has(failure[0], 3), "the count as a number: {failure:#?}");
    assert!(has(failure[1], 60), "the duration as a number: {failure:#?}");
    assert!(failure[2].says("reset"), "{failure:#?}");
    let rest: Vec<_> = events.iter().filter(|event| event.logger() != "server.failure").collect();
    assert!(
        rest.iter().all(|event| event.logger() == "server.startup" || event.logger() == "server.shutdown"),
        "{rest:#?}"
    );
    let stops: Vec<_> =
        rest.iter().filter(|event| event.message().to_lowercase().contains("shutdown")).collect();
    assert_eq!(stops.len(), 2, "begun and done: {rest:#?}");
}

#[tokio::test]
async fn a_request_is_logged_when_received_and_when_completed() {
    let server = TestServer::verbose().start().await;
    let sent = answer(server.get_keyed("/msg?delay=20&x=y", "order-1")).await;
    let id = sent.correlation_id().to_string();
    let of_request = |line: &LogLine| line.logger() == "server.request" && line.mentions(&id);
    let completed =
        server.wait_for_log("completion", |line| of_request(line) && line.event["status"] == 200).await;
    let lines = server.logs();
    let received = lines.iter().find(|line| of_request(line)).expect("a first line");
    assert!(received.event.get("status").is_none() && received.text != completed.text);
    for line in [received, &completed] {
        assert_eq!(line.level(), "debug");
        assert_eq!(
            (&line.event["method"], &line.event["path"]),
            (&"GET".into(), &"/msg".into()),
            "{}",
            line.text
        );
        assert_eq!(line.event["correlation_id"], id, "{}", line.text);
    }
    assert_eq!(received.event["query"], "delay=20&x=y");
    assert_eq!(received.event["request_id"], "order-1");
    assert!(
        received.event["client"].as_str().is_some_and(|client| client.starts_with("127.0.0.1")),
        "{}",
        received.text
    );
    assert!(
        completed.event["duration_ms"].as_f64().is_some_and(|duration| duration >= 20.0),
        "{}",
        completed.text
    );
}

#[tokio::test]
async fn every_answer_is_logged_with_its_status_and_correlation_id() {
    let server = TestServer::verbose().flag("--request-timeout", 1).start().await;
    answer(server.post("/fail/count/1")).await;
    let requests = [
        (500, server.get("/msg")),
        (408, server.get("/msg?delay=30000")),
        (422, server.get("/msg?delay=x")),
        (404, server.get("/nope")),
        (405, server.post("/msg")),
        (200, server.get("/health")),
    ];
    for (status, request) in requests {
        let sent = answer(request).await;
        assert_eq!(sent.status, status);
        let id = sent.correlation_id().to_string();
        let completed = |line: &LogLine| line.mentions(&id) && line.event["status"] == status;
        server.wait_for_log(&format!("completion of a {status}"), completed).await;
    }
}

#[tokio::test]
async fn cache_events_are_logged_with_the_correlation_id_of_the_request() {
    let server = TestServer::verbose().flag("--cache-max-size", 1).start().await;
    let mut ids = Vec::new();
    for key in ["a", "a", "b"] {
        ids.push(answer(server.get_keyed("/msg", key)).await.correlation_id().to_string());
    }
    let cache = |words: &'static str, id: &str| {
        let id = id.to_owned();
        move |line: &LogLine| line.logger() == "server.cache" && line.says(words) && line.mentions(&id)
    };
    for (words, id) in
        [("miss", &ids[0]), ("stor", &ids[0]), ("hit", &ids[1]), ("miss", &ids[2]), ("stor", &ids[2])]
    {
        let line = server.wait_for_log(&format!("{words} of {ids:?} {id}"), cache(words, id)).await;
        assert_eq!(line.level(), "debug");
    }
    server
        .wait_for_log("eviction", |line| {
            line.logger() == "server.cache" && line.says("evict") && line.mentions("a")
        })
        .await;
}

#[tokio::test]
async fn an_entry_that_expires_is_logged_at_debug_without_being_read() {
    let server = TestServer::verbose().flag("--cache-ttl-seconds", 1).start().await;
    answer(server.get_keyed("/msg", "order-1")).await.message_id();
    let expired = |line: &LogLine| line.logger() == "server.cache" && line.says("expired");
    let line = server.wait_for_log("the expiry", expired).await;
    assert_eq!((line.level(), &line.event["request_id"]), ("debug", &"order-1".into()), "{}", line.text);
}

#[tokio::test]
async fn each_induced_failure_is_logged_with_its_reason() {
    let server = TestServer::verbose().start().await;
    for (arm, reason) in [("/fail/count/1", "count"), ("/fail/duration/60", "duration")] {
        answer(server.post("/fail/reset")).await;
        answer(server.post(arm)).await;
        let id = answer(server.get("/msg")).await.correlation_id().to_string();
        let induced =
            |line: &LogLine| line.logger() == "server.failure" && line.mentions(&id) && line.says(reason);
        assert_eq!(server.wait_for_log(reason, induced).await.level(), "debug");
    }
}

#[tokio::test]
async fn a_wait_for_a_slot_is_logged_at_its_beginning_and_its_end() {
    let server = TestServer::verbose().flag("--max-concurrency", 1).start().await;
    let first = tokio::spawn(answer(server.get_keyed("/msg?delay=500", "first")));
    server.wait_for_log("a miss", |line| line.logger() == "server.cache" && line.mentions("first")).await;
    let second = answer(server.get_keyed("/msg", "second")).await.correlation_id().to_string();
    let first = first.await.unwrap().correlation_id().to_string();
    let events = events(&server.stop().await);
    let of_wait = |id: &str| {
        let lines = events.iter().filter(|line| line.logger() == "server.concurrency" && line.mentions(id));
        lines.map(LogLine::message).collect::<Vec<_>>()
    };
    let messages = of_wait(&second);
    assert!(messages.len() == 2 && messages[0] != messages[1], "{messages:?}");
    // A request that gets a slot at once logs no wait.
    assert_eq!(of_wait(&first), [""; 0]);
}

#[tokio::test]
async fn a_timeout_is_a_warning_with_the_correlation_id_of_its_request() {
    let server = TestServer::builder().flag("--request-timeout", 1).start().await;
    let late = answer(server.get("/msg?delay=30000")).await;
    let id = late.correlation_id().to_string();
    let line = server.wait_for_log("the warning", |line| line.level() == "warning").await;
    assert!(line.mentions(&id), "{}", line.text);
    assert_eq!(events(&server.stop().await).iter().filter(|event| event.level() == "warning").count(), 1);
}

#[tokio::test]
async fn a_higher_level_leaves_out_the_lower_ones_but_the_start_line() {
    for (level, expected) in [("warning", &["info", "warning"][..]), ("ERROR", &["info"])] {
        let program = TestServer::builder().flag("--log-level", level).flag("--request-timeout", 1);
        let server = program.start().await;
        answer(server.post("/fail/count/1")).await;
        assert_eq!(answer(server.get("/msg")).await.status, 500);
        assert_eq!(answer(server.get("/msg?delay=30000")).await.status, 408);
        let events = events(&server.stop().await);
        assert_eq!(events.iter().map(LogLine::level).collect::<Vec<_>>(), expected, "{events:#?}");
    }
}

#[tokio::test]
async fn the_start_line_names_the_port_at_every_level_and_in_both_formats() {
    for level in ["DEBUG", "INFO", "WARNING", "ERROR"] {
        for format in ["json", "console"] {
            let program = TestServer::builder().flag("--log-level", level).flag("--log-format", format);
            let server = program.start().await;
            answer(server.get("/msg")).await.message_id();
            let first = server.logs().remove(0);
            assert!(first.says("server.startup ") || first.logger() == "server.startup", "{}", first.text);
            assert!(first.says(&server.address().to_string()), "{}", first.text);
        }
    }
}

#[tokio::test]
async fn a_log_that_is_not_read_delays_no_request() {
    let address = workspace_tests::server::free_address();
    let program = Program::test_server().flag("--host", address.ip()).flag("--port", address.port());
    let program = program.flag("--log-level", "DEBUG");
    let (reader, writer) = std::io::pipe().unwrap();
    let _child = program.command().stdout(writer).spawn().unwrap();
    workspace_tests::server::listens(address).await;
    let mut connection = RawConnection::open(address).await;
    // More lines than any pipe holds.
    for _ in 0..2000 {
        assert_eq!(connection.get("/msg").await.status, 200);
    }
    // A reader that closes its side does not end the server either.
    drop(reader);
    for _ in 0..10 {
        assert_eq!(connection.get("/msg").await.status, 200);
    }
}
