//! Stopping: requests in flight are finished, no new ones begin, and idle connections do not delay it.

use rustix::process::Signal;
use tokio::net::TcpStream;
use workspace_tests::logs::LogLine;
use workspace_tests::{RawConnection, TestServer, answer, within};

/// Begins a request that takes `delay` milliseconds; returns once it is being worked on.
async fn in_flight(server: &TestServer, delay: u32) -> RawConnection {
    let key = format!("in-flight-{delay}");
    let mut connection = server.connect().await;
    connection.request("GET", &format!("/msg?delay={delay}"), &format!("X-Request-ID: {key}\r\n")).await;
    server.wait_for_log("a miss", |line| line.logger() == "server.cache" && line.mentions(&key)).await;
    connection
}

/// Returns once the address has no listener any more.
async fn refuses_connections(server: &TestServer) {
    let refused = async {
        while TcpStream::connect(server.address()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    within("connections are refused", refused).await;
}

/// Whether the event is a shutdown begun or done.
fn tells_of_shutdown(line: &LogLine) -> bool {
    line.level() == "info" && line.message().to_lowercase().contains("shutdown")
}

#[tokio::test]
async fn an_idle_server_stops_on_either_signal_and_logs_it() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = TestServer::start().await;
        answer(server.get("/msg")).await.message_id();
        server.signal(signal);
        let outcome = server.wait_exit().await;
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{signal:?}");
        let lines = server.logs().iter().filter(|line| tells_of_shutdown(line)).count();
        assert_eq!(lines, 2, "begun and done: {}", outcome.stdout);
        refuses_connections(&server).await;
    }
}

#[tokio::test]
async fn a_request_in_flight_is_finished_on_either_signal() {
    for signal in [Signal::TERM, Signal::INT] {
        // Once it is answered, only the settings of idle connections could still delay the stop.
        let builder = TestServer::verbose().flag("--shutdown-timeout", 300);
        let builder = builder.flag("--keep-alive", 3600).flag("--header-timeout", 300);
        let mut server = builder.start().await;
        let mut busy = in_flight(&server, 1000).await;
        server.signal(signal);
        assert_eq!(busy.response().await.status, 200, "{signal:?}");
        assert_eq!(server.wait_exit().await.code, Some(0), "{signal:?}");
    }
}

#[tokio::test]
async fn while_requests_are_finished_no_connection_is_accepted() {
    let mut server =
        TestServer::verbose().flag("--shutdown-timeout", 300).flag("--request-timeout", 300).start().await;
    let busy = in_flight(&server, 30000).await;
    server.terminate();
    refuses_connections(&server).await;
    assert!(server.is_running(), "it still waits for the one in flight");
    // When the last one goes away there is nothing left to wait for.
    busy.abort();
    assert_eq!(server.wait_exit().await.code, Some(0));
}

#[tokio::test]
async fn requests_that_wait_for_a_slot_are_in_flight() {
    let mut server =
        TestServer::verbose().flag("--shutdown-timeout", 300).flag("--max-concurrency", 1).start().await;
    let mut first = in_flight(&server, 1000).await;
    let mut second = server.connect().await;
    second.request("GET", "/msg?delay=50", "X-Request-ID: second\r\n").await;
    server.queued("second").await;
    server.terminate();
    assert_eq!(first.response().await.status, 200);
    assert_eq!(second.response().await.status, 200);
    assert_eq!(server.wait_exit().await.code, Some(0));
}

#[tokio::test]
async fn followers_of_a_key_are_in_flight() {
    let mut server = TestServer::verbose().flag("--shutdown-timeout", 300).start().await;
    let mut leader = in_flight(&server, 1000).await;
    let mut follower = server.connect().await;
    follower.request("GET", "/msg", "X-Request-ID: in-flight-1000\r\n").await;
    let both = || {
        server
            .logs()
            .iter()
            .filter(|line| line.logger() == "server.request" && line.mentions("in-flight-1000"))
            .count()
            >= 2
    };
    while !both() {
        tokio::task::yield_now().await;
    }
    server.terminate();
    let (leader, follower) = (leader.response().await, follower.response().await);
    assert_eq!((leader.status, leader.json()), (200, follower.json()));
    assert_eq!(server.wait_exit().await.code, Some(0));
}

#[tokio::test]
async fn an_idle_connection_does_not_delay_the_stop() {
    let mut server =
        TestServer::builder().flag("--shutdown-timeout", 300).flag("--keep-alive", 3600).start().await;
    let mut idle = server.connect().await;
    assert_eq!(idle.get("/msg").await.status, 200);
    server.terminate();
    // Were the idle connection waited for, it would take minutes.
    assert_eq!(server.wait_exit().await.code, Some(0));
    assert!(idle.closed().await.is_empty());
}

#[tokio::test]
async fn a_connection_that_has_sent_nothing_does_not_delay_the_stop_for_long() {
    let builder = TestServer::builder().flag("--shutdown-timeout", 1).flag("--header-timeout", 300);
    let mut server = builder.start().await;
    let silent = server.connect().await;
    let mut partial = server.connect().await;
    partial.send("GET /msg HTT").await.unwrap();
    answer(server.get("/health")).await;
    server.terminate();
    assert_eq!(server.wait_exit().await.code, Some(0));
    drop((silent, partial));
}

#[tokio::test]
async fn requests_that_outlast_the_shutdown_timeout_are_dropped() {
    for timeout in [0, 1] {
        let builder =
            TestServer::verbose().flag("--shutdown-timeout", timeout).flag("--request-timeout", 300);
        let mut server = builder.start().await;
        let mut busy = in_flight(&server, 30000).await;
        server.terminate();
        assert_eq!(server.wait_exit().await.code, Some(0), "after {timeout} s");
        assert!(busy.try_response().await.is_none_or(|response| response.status >= 500), "after {timeout} s");
        assert_eq!(
            server.logs().iter().filter(|line| tells_of_shutdown(line)).count(),
            2,
            "after {timeout} s"
        );
    }
}

#[tokio::test]
async fn a_signal_at_the_very_start_is_a_clean_stop() {
    for _ in 0..5 {
        let mut server = TestServer::start().await;
        server.terminate();
        assert_eq!(server.wait_exit().await.code, Some(0));
    }
}

#[tokio::test]
async fn a_port_is_free_again_after_a_stop() {
    let server = TestServer::start().await;
    let mut connection = server.connect().await;
    assert_eq!(connection.get("/msg").await.status, 200);
    let port = server.address().port();
    assert_eq!(server.stop().await.code, Some(0));
    // The connection that the old server closed may linger; the new one must not mind.
    let again = workspace_tests::Program::test_server()
        .flag("--host", "127.0.0.1")
        .flag("--port", port)
        .start()
        .await;
    answer(again.get("/msg")).await.message_id();
}

#[tokio::test]
async fn an_answer_given_while_stopping_says_that_the_connection_closes() {
    let mut server = TestServer::verbose().flag("--shutdown-timeout", 300).flag("--workers", 2).start().await;
    let mut clients = Vec::new();
    for n in 0..20 {
        let mut connection = server.connect().await;
        assert_eq!(connection.get("/health").await.header("Connection"), None);
        let key = format!("stopping-{n}");
        connection.request("GET", "/msg?delay=1500", &format!("X-Request-ID: {key}\r\n")).await;
        server.received(&key).await;
        clients.push(connection);
    }
    server.terminate();
    for mut connection in clients {
        let last = connection.response().await;
        assert_eq!((last.status, last.header("Connection")), (200, Some("close")));
        assert!(connection.closed().await.is_empty());
    }
    assert_eq!(server.wait_exit().await.code, Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_the_process_at_once() {
    for (first, second) in
        [(Signal::TERM, Signal::TERM), (Signal::TERM, Signal::INT), (Signal::INT, Signal::INT)]
    {
        let mut server = TestServer::verbose()
            .flag("--shutdown-timeout", 300)
            .flag("--request-timeout", 300)
            .start()
            .await;
        let busy = in_flight(&server, 30000).await;
        server.signal(first);
        server.wait_for_log("the stop begins", |line| line.message() == "Shutdown begun").await;
        assert!(server.is_running());
        server.signal(second);
        let outcome = server.wait_exit().await;
        assert_eq!(outcome.code, Some(1), "{first:?}, {second:?}");
        assert!(outcome.only_error_line().contains("second signal"), "{outcome:?}");
        assert!(busy.closed().await.is_empty());
    }
}

#[tokio::test]
async fn the_work_of_one_worker_is_finished_although_the_others_are_idle() {
    // The actors must not end with an idle worker.
    let mut server = TestServer::verbose().flag("--shutdown-timeout", 300).flag("--workers", 4).start().await;
    for _ in 0..8 {
        let mut connection = server.connect().await;
        assert_eq!(connection.get("/health").await.status, 200);
    }
    let mut busy = in_flight(&server, 2500).await;
    server.terminate();
    assert_eq!(busy.response().await.status, 200);
    assert_eq!(server.wait_exit().await.code, Some(0));
}
