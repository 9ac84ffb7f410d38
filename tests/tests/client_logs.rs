//! The log lines of the client.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use log::{Level, LevelFilter, Log, Metadata, Record, kv};
use resilient_client::{BreakerScope, BreakerState, ClientConfig, LogLevel, ResilientClient};
use workspace_tests::wire_server::{Act, Gate, WireServer, reply, until};

/// A record as it was made.
#[derive(Clone, Debug)]
struct Line {
    target: String,
    level: Level,
    message: String,
    fields: Vec<(String, String)>,
}

/// Keeps every record of the process. Each test has a target of its own.
struct Keep(Mutex<Vec<Line>>);

static KEEP: Keep = Keep(Mutex::new(Vec::new()));

impl Log for Keep {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let mut fields = Fields(Vec::new());
        record.key_values().visit(&mut fields).expect("fields are visited to their end");
        let line = Line {
            target: record.target().to_owned(),
            level: record.level(),
            message: record.args().to_string(),
            fields: fields.0,
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn flush(&self) {}
}

struct Fields(Vec<(String, String)>);

impl<'kvs> kv::VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: kv::Key<'kvs>, value: kv::Value<'kvs>) -> Result<(), kv::Error> {
        self.0.push((key.to_string(), value.to_string()));
        Ok(())
    }
}

fn lines(target: &str) -> Vec<Line> {
    let all = KEEP.0.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().filter(|line| line.target == target).cloned().collect()
}

/// A client that logs to this target.
fn client(
    server: &WireServer,
    target: &str,
    level: LogLevel,
    change: impl FnOnce(&mut ClientConfig),
) -> ResilientClient {
    // Any test may be the first to run.
    if log::set_logger(&KEEP).is_ok() {
        log::set_max_level(LevelFilter::Trace);
    }
    let mut config = workspace_tests::direct(server.url());
    config.retry.min_wait = Duration::from_millis(250);
    config.retry.max_wait = Duration::from_millis(250);
    config.logging.target = target.to_owned();
    config.logging.level = level;
    change(&mut config);
    ResilientClient::start(config).expect("a valid configuration")
}

fn messages(lines: &[Line]) -> Vec<(Level, &str)> {
    lines.iter().map(|line| (line.level, line.message.as_str())).collect()
}

#[actix_rt::test]
async fn at_debug_every_event_of_a_call_is_a_line_with_its_request_id() {
    let server = WireServer::start(|n| vec![reply(if n == 0 { 503 } else { 200 }, "", "")]).await;
    let client = client(&server, "debug", LogLevel::Debug, |c| c.bulkhead.max_concurrency = 7);
    let reply = client.get("/").send().await.unwrap();
    client.close().await;
    let id = reply.request_id();
    let seen = lines("debug");
    let expected = [
        (Level::Info, "Client started".to_owned()),
        (Level::Debug, format!("New request id [{id}]")),
        (Level::Debug, format!("Operation [{id}] acquired a slot (6 left)")),
        (
            Level::Debug,
            format!(
                "Operation [{id}] failed with [service_unavailable: 503]. Retrying in 0.250 seconds (Attempt 1 of 3)"
            ),
        ),
        (Level::Debug, format!("Operation [{id}] acquired a slot (6 left)")),
        (Level::Info, "Client closed".to_owned()),
    ];
    let expected: Vec<_> = expected.iter().map(|(level, message)| (*level, message.as_str())).collect();
    assert_eq!(messages(&seen), expected);
    for line in seen.iter().filter(|line| line.level == Level::Debug) {
        assert!(line.fields.contains(&("request_id".to_owned(), id.to_owned())), "{line:?}");
    }
}

#[actix_rt::test]
async fn waiting_for_a_slot_is_logged() {
    let gate = Gate::closed();
    let held = gate.clone();
    let server = WireServer::start(move |_| vec![Act::Wait(held.clone()), reply(200, "", "")]).await;
    let client = client(&server, "waiting", LogLevel::Debug, |c| c.bulkhead.max_concurrency = 1);
    let first = actix_rt::spawn(client.get("/").send());
    until(|| server.request_count() == 1).await;
    let second = actix_rt::spawn(client.get("/").request_id("second").send());
    let waits = || lines("waiting").iter().any(|line| line.message == "Operation [second] waits for a slot");
    until(waits).await;
    gate.open();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
}

#[actix_rt::test]
async fn without_request_ids_no_line_carries_one() {
    let server = WireServer::start(|n| vec![reply(if n % 2 == 0 { 503 } else { 200 }, "", "")]).await;
    let client = client(&server, "hidden", LogLevel::Debug, |c| c.logging.include_request_id = false);
    let random = client.get("/").send().await.unwrap();
    client.get("/").request_id("the-secret-id").send().await.unwrap();
    let seen = lines("hidden");
    assert!(seen.len() > 6, "{seen:?}");
    let shown = format!("{seen:?}");
    assert!(!shown.contains("the-secret-id") && !shown.contains(random.request_id()), "{shown}");
    assert!(seen.iter().any(|line| line.message.starts_with("Operation failed with [")), "{shown}");
}

#[actix_rt::test]
async fn at_info_only_events_that_concern_all_calls_are_logged() {
    let server = WireServer::start(|n| vec![reply(if n < 2 { 500 } else { 200 }, "", "")]).await;
    let client = client(&server, "info", LogLevel::Info, |c| {
        c.retry.max_attempts = 1;
        c.circuit_breaker.failure_threshold = 2;
        c.circuit_breaker.recovery_timeout = Duration::from_millis(500);
    });
    for _ in 0..2 {
        client.get("/").send().await.unwrap_err();
    }
    until(|| client.state() == BreakerState::HalfOpen).await;
    client.get("/").send().await.unwrap();
    drop(client);
    until(|| lines("info").len() == 5).await;
    assert_eq!(
        messages(&lines("info")),
        [
            (Level::Info, "Client started"),
            (Level::Warn, "Circuit breaker opened after 2 failures, for 0.5 seconds"),
            (Level::Info, "Circuit breaker half-open"),
            (Level::Info, "Circuit breaker closed"),
            (Level::Info, "Client closed"),
        ]
    );
    let opened = &lines("info")[1];
    assert_eq!(
        opened.fields,
        [("failures".to_owned(), "2".to_owned()), ("recovery_seconds".to_owned(), "0.5".to_owned())]
    );
}

#[actix_rt::test]
async fn the_lines_of_a_breaker_of_an_origin_name_the_origin() {
    let server = WireServer::always(vec![reply(500, "", "")]).await;
    let client = client(&server, "origins", LogLevel::Warning, |c| {
        c.retry.max_attempts = 1;
        c.circuit_breaker.scope = BreakerScope::Origin;
        c.circuit_breaker.failure_rate = 1.0;
        c.circuit_breaker.minimum_calls = 2;
    });
    for _ in 0..2 {
        client.get("/path?secret").send().await.unwrap_err();
    }
    let url = server.url();
    let seen = lines("origins");
    let message =
        format!("Circuit breaker of {url} opened after 2 of the last 2 calls failed, for 30 seconds");
    assert_eq!(messages(&seen), [(Level::Warn, message.as_str())]);
    let fields = [("failed", "2"), ("calls", "2"), ("recovery_seconds", "30"), ("origin", &url)];
    assert_eq!(seen[0].fields, fields.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[actix_rt::test]
async fn a_line_below_the_configured_level_is_not_logged() {
    let server = WireServer::always(vec![reply(500, "", "")]).await;
    for (target, level, count) in
        [("warning", LogLevel::Warning, 1), ("error", LogLevel::Error, 0), ("off", LogLevel::Off, 0)]
    {
        let client = client(&server, target, level, |c| {
            c.retry.max_attempts = 1;
            c.circuit_breaker.failure_threshold = 1;
        });
        client.get("/").send().await.unwrap_err();
        client.close().await;
        assert_eq!(lines(target).len(), count, "{target}");
    }
}
