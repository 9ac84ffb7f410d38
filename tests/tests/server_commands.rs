//! The commands beside serving, and how a start fails: the exit code tells, and so does one line.

use std::net::TcpListener;

use workspace_tests::{Program, TestServer, answer};

#[tokio::test]
async fn help_lists_every_command() {
    let help = Program::test_server().argument("--help").run().await;
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for command in ["serve", "config-info", "health", "openapi"] {
        assert!(help.stdout.contains(command), "{command}: {}", help.stdout);
    }
}

#[tokio::test]
async fn the_version_is_told() {
    let version = Program::test_server().argument("--version").run().await;
    assert_eq!((version.code, version.stderr.as_str()), (Some(0), ""));
    assert!(version.stdout.starts_with("test-server "), "{version:?}");
}

#[tokio::test]
async fn usage_that_makes_no_sense_is_exit_code_2() {
    let usages: [&[&str]; 7] = [
        &["serve", "--no-such-flag"],
        &["no-such-command"],
        &["serve", "extra"],
        &["serve", "--port"],
        &["serve", "--port", "1", "--port", "2"],
        &["health", "--url", "not a url"],
        &["config-info", "--yaml"],
    ];
    for usage in usages {
        let outcome = Program::test_server().env("SERVER_PORT", "0").arguments(usage).run().await;
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{usage:?}: {outcome:#?}");
        assert!(
            !outcome.stderr.is_empty() && !outcome.stderr.contains("panicked"),
            "{usage:?}: {outcome:#?}"
        );
    }
}

#[tokio::test]
async fn no_command_at_all_serves() {
    let server = Program::test_server().env("SERVER_HOST", "127.0.0.1").env("SERVER_PORT", "0").start().await;
    answer(server.get("/msg")).await.message_id();
}

#[tokio::test]
async fn flags_work_without_the_word_serve() {
    let server = Program::test_server().flag("--host", "127.0.0.1").flag("--port", 0).start().await;
    answer(server.get("/msg")).await.message_id();
}

#[tokio::test]
async fn a_port_already_taken_is_exit_code_1_and_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let serve = || Program::test_server().argument("serve").flag("--host", "127.0.0.1").flag("--port", port);
    for program in [serve(), serve().argument("--reload")] {
        let outcome = program.run().await;
        assert_eq!(outcome.code, Some(1), "{outcome:#?}");
        assert!(outcome.only_error_line().contains(&port.to_string()), "{outcome:#?}");
        assert!(!outcome.stdout.contains("panicked"), "{outcome:#?}");
    }
}

#[tokio::test]
async fn two_servers_never_share_a_port() {
    for reload in [&[] as &[&str], &["--reload"]] {
        let builder = TestServer::builder().arguments(reload);
        let first = builder.start().await;
        let second = Program::test_server().argument("serve").flag("--host", "127.0.0.1");
        let second = second.arguments(reload);
        let outcome = second.flag("--port", first.address().port()).run().await;
        assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    }
}

#[tokio::test]
async fn an_address_that_is_not_ours_is_exit_code_1_and_one_line() {
    // An address for documentation (RFC 5737), of no machine.
    let outcome = Program::test_server().env("SERVER_HOST", "192.0.2.1").env("SERVER_PORT", "0").run().await;
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    assert!(outcome.only_error_line().contains("192.0.2.1"), "{outcome:#?}");
}

#[tokio::test]
async fn health_is_0_for_a_healthy_server_and_silent_about_errors() {
    let server = TestServer::builder().flag("--max-concurrency", 1).start().await;
    let outcome = Program::test_server().argument("health").flag("--url", server.url("/health")).run().await;
    assert!(outcome.code == Some(0) && outcome.stderr.is_empty(), "{outcome:#?}");
    // Failing on purpose is not being ill.
    answer(server.post("/fail/count/9")).await;
    let outcome = Program::test_server().argument("health").flag("--url", server.url("/health")).run().await;
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
}

#[tokio::test]
async fn health_asks_the_configured_port_when_told_no_other() {
    let server = TestServer::start().await;
    let port = server.address().port().to_string();
    for host in ["0.0.0.0", "127.0.0.1"] {
        let outcome = Program::test_server()
            .argument("health")
            .env("SERVER_PORT", &port)
            .env("SERVER_HOST", host)
            .run()
            .await;
        assert_eq!(outcome.code, Some(0), "{host}: {outcome:#?}");
    }
}

#[tokio::test]
async fn health_is_1_and_one_line_when_nobody_answers_well() {
    let server = TestServer::start().await;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = { TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap() };
    let urls = [
        server.url("/nope"),
        server.url("/fail/status"),
        format!("http://{closed}/health"),
        // A server that accepts and never answers: the check must end by itself.
        format!("http://{}/health", silent.local_addr().unwrap()),
        "http://no-such-host.invalid/health".to_owned(),
    ];
    for url in urls {
        let outcome = Program::test_server().argument("health").flag("--url", &url).run().await;
        assert_eq!(outcome.code, Some(1), "{url}: {outcome:#?}");
        outcome.only_error_line();
    }
}

#[tokio::test]
async fn a_reader_that_has_left_is_no_panic() {
    for arguments in [&["openapi"] as &[&str], &["config-info"], &["config-info", "--json"], &["--help"]] {
        let program = Program::test_server().arguments(arguments);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = program.command().stdout(writer).output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!errors.contains("panicked"), "{arguments:?}: {errors}");
    }
}
