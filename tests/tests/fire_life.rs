//! A difficult environment: kills and restarts, a closed log, no free descriptors, a clock that jumps.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use tokio::process::Child;
use workspace_tests::server::{free_address, listens};
use workspace_tests::{Outcome, Program, RawConnection, TestServer, answer, binary, within};

/// The server as `sh` starts it after `before`.
fn by_shell(before: &str) -> Program {
    let shell =
        Program::at(Path::new("/bin/sh")).argument("-c").argument(format!("{before} exec \"$0\" \"$@\""));
    shell.argument(binary::test_server()).arguments(&["serve", "--host", "127.0.0.1"])
}

/// Many requests, all of them logged, and all answered.
async fn assert_serves(address: std::net::SocketAddr, requests: usize) {
    for _ in 0..requests.div_ceil(100) {
        let mut connection = RawConnection::open(address).await;
        for _ in 0..100 {
            assert_eq!(connection.get("/msg").await.status, 200);
        }
    }
}

async fn exit_code(child: &mut Child) -> Option<i32> {
    within("the server's end", child.wait()).await.expect("a child can be waited for").code()
}

async fn terminate(child: &mut Child) -> Option<i32> {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.expect("it runs"), Signal::TERM).expect("a child can be signalled");
    exit_code(child).await
}

#[tokio::test]
async fn killed_while_busy_it_starts_again_on_the_same_port() {
    let mut server = TestServer::start().await;
    let address = server.address();
    for life in 0..3 {
        let key = format!("life-{life}");
        let mut busy = Vec::new();
        for _ in 0..20 {
            let mut connection = RawConnection::open(address).await;
            connection.request("GET", "/msg?delay=30000", &format!("X-Request-ID: {key}\r\n")).await;
            busy.push(connection);
        }
        answer(server.get("/health")).await;
        server.signal(Signal::KILL);
        assert_eq!(server.wait_exit().await.code, None, "a signal ends it");
        for connection in busy {
            assert!(connection.closed().await.is_empty(), "what was cut off has no answer");
        }
        let again = Program::test_server().argument("serve").flag("--host", "127.0.0.1");
        server = again.flag("--port", address.port()).start().await;
        // Executions in flight are lost, so the key is unknown again.
        assert!(!answer(server.get_keyed("/msg", &key)).await.is_replayed());
    }
}

#[tokio::test]
async fn a_second_server_on_the_port_reports_it_and_does_not_disturb_the_first() {
    let first = TestServer::start().await;
    let second = Program::test_server().argument("serve").flag("--host", "127.0.0.1");
    let refused: Outcome = second.flag("--port", first.address().port()).run().await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.only_error_line().contains(&first.address().to_string()), "{refused:?}");
    answer(first.get("/msg")).await.message_id();
}

#[tokio::test]
async fn a_log_whose_reader_has_closed_its_side_does_not_end_the_server() {
    let address = free_address();
    let program = Program::test_server().argument("serve").flag("--host", "127.0.0.1");
    let program = program.flag("--port", address.port()).flag("--log-level", "DEBUG");
    let mut child = program.command().spawn().unwrap();
    listens(address).await;
    assert_serves(address, 100).await;
    drop((child.stdout.take(), child.stderr.take()));
    assert_serves(address, 500).await;
    assert_eq!(terminate(&mut child).await, Some(0));
}

#[tokio::test]
async fn a_log_that_is_not_read_delays_neither_requests_nor_the_stop() {
    let address = free_address();
    let program = Program::test_server().argument("serve").flag("--host", "127.0.0.1");
    let program = program.flag("--port", address.port()).flag("--log-level", "DEBUG");
    let mut child = program.command().spawn().unwrap();
    listens(address).await;
    // Two lines and more a request: far more than a pipe holds.
    assert_serves(address, 1000).await;
    assert_eq!(terminate(&mut child).await, Some(0));
}

#[tokio::test]
async fn without_an_output_or_with_a_full_disk_it_serves_all_the_same() {
    for redirection in [">&- 2>&-", ">/dev/full 2>/dev/full", "<&- >&- 2>&-"] {
        let address = free_address();
        let script = format!("exec \"$0\" \"$@\" {redirection}");
        let shell = Program::at(Path::new("/bin/sh")).argument("-c").argument(script);
        let program = shell.argument(binary::test_server()).arguments(&["serve", "--host", "127.0.0.1"]);
        let program = program.flag("--port", address.port()).flag("--log-level", "DEBUG");
        let mut child = program.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        listens(address).await;
        assert_serves(address, 100).await;
        assert_eq!(terminate(&mut child).await, Some(0), "{redirection}");
    }
}

#[tokio::test]
async fn without_free_descriptors_it_goes_on_and_serves_again_when_some_are_free() {
    let mut server = by_shell("ulimit -n 64;").flag("--port", 0).flag("--workers", 2).start().await;
    let mut first = server.connect().await;
    assert_eq!(first.get("/msg").await.status, 200);
    let mut connections = Vec::new();
    for _ in 0..100 {
        connections.push(server.connect().await);
    }
    // Those that are served already are served on.
    for _ in 0..20 {
        assert_eq!(first.get("/msg").await.status, 200);
    }
    let full = async {
        while server.footprint().descriptors < 64 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within("every descriptor is taken", full).await;
    drop(connections);
    answer(server.get("/msg")).await.message_id();
    assert!(server.is_running());
    assert_eq!(server.stop().await.code, Some(0));
}

/// Where Debian's and others' packages put the library that fakes the clock.
fn libfaketime() -> Option<PathBuf> {
    let places = [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib64",
        "/usr/lib",
        "/usr/local/lib",
    ];
    let paths = places.iter().map(|place| Path::new(place).join("faketime/libfaketimeMT.so.1"));
    paths.into_iter().find(|path| path.exists())
}

#[tokio::test]
async fn a_wall_clock_that_jumps_by_an_hour_changes_shown_times_and_no_measured_ones() {
    let Some(library) = libfaketime() else {
        eprintln!("not tested: there is no libfaketime (package faketime)");
        return;
    };
    let builder = TestServer::builder().env("LD_PRELOAD", library).env("FAKETIME_NO_CACHE", "1");
    let builder = builder.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
    let file = builder.directory().join("clock");
    std::fs::write(&file, "+0").unwrap();
    let builder = builder.env("FAKETIME_TIMESTAMP_FILE", &file);
    let server = builder.flag("--keep-alive", 300).flag("--request-timeout", 60).start().await;

    let mut open = server.connect().await;
    assert_eq!(open.get("/msg").await.status, 200);
    let first = answer(server.get_keyed("/msg", "kept")).await.message_id();
    answer(server.post("/fail/duration/600")).await;
    let status = || async { answer(server.get("/fail/status")).await.body["failure_status"].clone() };
    let until = |status: &serde_json::Value| status["fail_until_timestamp"].as_f64().unwrap();
    let shown = until(&status().await);

    for (clock, jump) in [("+3600", 3600.0), ("-3600", -3600.0)] {
        answer(server.post("/fail/duration/600")).await;
        std::fs::write(&file, clock).unwrap();
        let now = status().await;
        // What is shown has jumped, so the clock has.
        assert!((until(&now) - shown - jump).abs() < 300.0, "{clock}: {now}, before {shown}");
        assert_eq!(now["currently_failing"], true, "{clock}");
        let remaining = now["duration_remaining_seconds"].as_f64().unwrap();
        assert!((300.0..=600.0).contains(&remaining), "{clock}: {now}");
        let uptime = answer(server.get("/health")).await.body["uptime_seconds"].as_f64().unwrap();
        assert!((0.0..300.0).contains(&uptime), "{clock}: {uptime}");
        answer(server.post("/fail/reset")).await;
        let kept = answer(server.get_keyed("/msg", "kept")).await;
        assert!(kept.is_replayed() && kept.message_id() == first, "{clock}: {kept:?}");
        answer(server.get("/msg?delay=50")).await.message_id();
        assert_eq!(open.get("/msg").await.status, 200, "{clock}: the connection has not been idle");
    }
    assert_eq!(server.stop().await.code, Some(0));
}

/// The Rust files below `directory`.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(directory).expect("the sources are there").flatten().map(|entry| entry.path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

#[test]
fn the_wall_clock_is_read_only_where_it_is_shown() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let reads = |path: &PathBuf| std::fs::read_to_string(path).unwrap().contains("SystemTime::now");
    let places = ["actors/src", "client/src", "server/src"];
    let mut found: Vec<String> = places
        .iter()
        .flat_map(|place| sources(&root.join(place)))
        .filter(reads)
        .map(|path| path.strip_prefix(&root).unwrap().display().to_string())
        .filter(|path| !path.contains("tests"))
        .collect();
    found.sort();
    let shown = [
        // `Retry-After` may name a date, which is a time of the wall clock.
        "client/src/engine.rs",
        "server/src/connection/refusals.rs",
        // An injected `Retry-After` as well.
        "server/src/data_plane/instead.rs",
        // When the journal began, for HAR.
        "server/src/journal/session_journal.rs",
        "server/src/logging/mod.rs",
        "server/src/routes/fail/status.rs",
        "server/src/session/session.rs",
    ];
    assert_eq!(found, shown);
}
