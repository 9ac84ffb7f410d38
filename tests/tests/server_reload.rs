//! `serve --reload`: the server restarts on the same port when its program or `.env` changes, and no request in
//! flight is dropped.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tokio::net::TcpStream;
use workspace_tests::logs::LogLine;
use workspace_tests::{Program, TestServer, binary, within};

fn reloading(program: Program) -> Program {
    program.argument("serve").flag("--host", "127.0.0.1").flag("--port", 0).argument("--reload")
}

/// Matches the start line of a server with this number of slots.
fn starts_with_slots(slots: u32) -> impl Fn(&LogLine) -> bool {
    move |line| line.logger() == "server.startup" && line.event["config"]["max_concurrency"] == slots
}

/// Asserts that a new connection is served. An idle connection may belong to a server that is stopping.
async fn assert_served(server: &TestServer) {
    assert_eq!(server.connect().await.get("/msg").await.status, 200);
}

/// Replaces a file in one step, as an editor or a build does.
fn replace(path: &Path, contents: &[u8], mode: u32) {
    let new = path.with_extension("new");
    std::fs::write(&new, contents).expect("a temporary file can be written");
    std::fs::set_permissions(&new, std::fs::Permissions::from_mode(mode)).expect("it is ours");
    std::fs::rename(new, path).expect("a temporary file can be renamed");
}

#[tokio::test]
async fn a_change_of_the_dotenv_file_restarts_the_server_on_the_same_port_and_drops_no_request() {
    let program = Program::test_server().dotenv("SERVER_MAX_CONCURRENCY=11\nSERVER_LOG_LEVEL=DEBUG\n");
    let mut server = reloading(program).start().await;
    server.wait_for_log("the first start", starts_with_slots(11)).await;
    let mut busy = server.connect().await;
    busy.request("GET", "/msg?delay=3000", "X-Request-ID: busy\r\n").await;
    server.received("busy").await;
    replace(&server.dotenv_path(), b"SERVER_MAX_CONCURRENCY=12\n", 0o644);
    // A client that connects during the restart is served.
    let always_served = async {
        loop {
            let mut connection = server.connect().await;
            assert_eq!(connection.get("/health").await.status, 200);
        }
    };
    let again = tokio::select! {
        again = server.wait_for_log("the second start", starts_with_slots(12)) => again,
        () = always_served => unreachable!("it goes on for ever"),
    };
    assert_eq!(again.event["address"], server.address().to_string());
    assert_eq!(busy.response().await.status, 200, "the request in flight is finished");
    assert_served(&server).await;
    server.terminate();
    assert_eq!(server.wait_exit().await.code, Some(0));
    assert!(TcpStream::connect(server.address()).await.is_err(), "nothing is left running");
}

#[tokio::test]
async fn connections_that_the_old_server_has_accepted_are_served_although_their_requests_come_late() {
    let program = Program::test_server().dotenv("SERVER_MAX_CONCURRENCY=11\n");
    let program = reloading(program).flag("--header-timeout", 300).flag("--shutdown-timeout", 300);
    let server = program.start().await;
    server.wait_for_log("the first start", starts_with_slots(11)).await;
    let mut accepted = Vec::new();
    for _ in 0..20 {
        accepted.push(server.connect().await);
    }
    // What has been accepted before this answer includes the connections above.
    assert_served(&server).await;
    replace(&server.dotenv_path(), b"SERVER_MAX_CONCURRENCY=12\n", 0o644);
    server.wait_for_log("the second start", starts_with_slots(12)).await;
    server.wait_for_log("the stop of the first", |line| line.event["reason"] == "reload").await;
    for connection in &mut accepted {
        let answer = connection.get("/health").await;
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    }
    assert_eq!(server.stop().await.code, Some(0));
}

#[tokio::test]
async fn a_dotenv_file_that_is_created_restarts_the_server() {
    let server = reloading(Program::test_server()).start().await;
    replace(&server.dotenv_path(), b"SERVER_MAX_CONCURRENCY=13\n", 0o644);
    server.wait_for_log("the second start", starts_with_slots(13)).await;
    assert_served(&server).await;
    assert_eq!(server.stop().await.code, Some(0));
}

#[tokio::test]
async fn a_replaced_program_restarts_the_server_each_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test-server");
    let contents = std::fs::read(binary::test_server()).unwrap();
    replace(&path, &contents, 0o755);
    let server = reloading(Program::at(&path)).start().await;
    let starts = || server.logs().iter().filter(|line| line.event["config"].is_object()).count();
    for round in 2..=3 {
        replace(&path, &contents, 0o755);
        let again = async {
            while starts() < round {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        within("the next start", again).await;
        assert!(
            server.logs().iter().all(|line| !line.event["config"].is_object()
                || line.event["address"] == server.address().to_string())
        );
        assert_served(&server).await;
    }
    assert_eq!(server.stop().await.code, Some(0));
}

#[tokio::test]
async fn an_invalid_dotenv_file_leaves_the_old_server_serving() {
    let server = reloading(Program::test_server().dotenv("SERVER_MAX_CONCURRENCY=11\n")).start().await;
    replace(&server.dotenv_path(), b"SERVER_MAX_CONCURRENCY=none\n", 0o644);
    let complaint = |line: &LogLine| line.says("SERVER_MAX_CONCURRENCY") && line.says("none");
    let reported = async {
        while !server.logs().iter().chain(&server.errors()).any(complaint) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    within("a report of the invalid value", reported).await;
    assert_served(&server).await;
    replace(&server.dotenv_path(), b"SERVER_MAX_CONCURRENCY=14\n", 0o644);
    server.wait_for_log("the next start", starts_with_slots(14)).await;
    assert_served(&server).await;
    assert_eq!(server.stop().await.code, Some(0));
}

#[tokio::test]
async fn a_ctrl_c_that_reaches_watcher_and_server_is_a_clean_stop() {
    let program = Program::test_server().dotenv("SERVER_MAX_CONCURRENCY=11\nSERVER_LOG_LEVEL=DEBUG\n");
    let mut server = reloading(program).start().await;
    let mut busy = server.connect().await;
    busy.request("GET", "/msg?delay=1000", "X-Request-ID: busy\r\n").await;
    server.received("busy").await;
    server.interrupt();
    assert_eq!(busy.response().await.status, 200);
    let outcome = server.wait_exit().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert!(TcpStream::connect(server.address()).await.is_err(), "nothing is left running");
}
