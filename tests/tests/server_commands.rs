//! The commands beside `serve`, and how a start fails: by an exit code and one line on standard error.

use std::net::TcpListener;

use workspace_tests::{Program, TestServer, answer};

#[tokio::test]
async fn help_lists_every_command() {
    let help = Program::test_server().argument("--help").run().await;
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for command in ["serve", "config-info", "health", "watch", "check", "openapi", "completions"] {
        assert!(help.stdout.contains(command), "{command}: {}", help.stdout);
    }
}

#[tokio::test]
async fn the_version_is_printed() {
    let version = Program::test_server().argument("--version").run().await;
    assert_eq!((version.code, version.stderr.as_str()), (Some(0), ""));
    assert!(version.stdout.starts_with("test-server "), "{version:?}");
}

#[tokio::test]
async fn invalid_usage_is_exit_code_2_and_one_line() {
    let usages: [&[&str]; 10] = [
        &["serve", "--no-such-flag"],
        &["no-such-command"],
        &["serve", "extra"],
        &["serve", "--port"],
        &["serve", "--port", "1", "--port", "2"],
        &["health", "--url", "not a url"],
        &["config-info", "--yaml"],
        &["serve", "--reload=maybe"],
        &["completions"],
        &["completions", "tcsh"],
    ];
    for usage in usages {
        let outcome = Program::test_server().env("SERVER_PORT", "0").arguments(usage).run().await;
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{usage:?}: {outcome:#?}");
        assert!(!outcome.only_error_line().contains("panicked"), "{usage:?}: {outcome:#?}");
    }
}

#[tokio::test]
async fn without_arguments_the_program_serves() {
    let server = Program::test_server().env("SERVER_HOST", "127.0.0.1").env("SERVER_PORT", "0").start().await;
    answer(server.get("/msg")).await.message_id();
}

#[tokio::test]
async fn flags_without_a_command_belong_to_serve() {
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
async fn an_address_of_another_machine_is_exit_code_1_and_one_line() {
    // An address that is reserved for documentation (RFC 5737).
    let outcome = Program::test_server().env("SERVER_HOST", "192.0.2.1").env("SERVER_PORT", "0").run().await;
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    assert!(outcome.only_error_line().contains("192.0.2.1"), "{outcome:#?}");
}

#[tokio::test]
async fn health_exits_with_0_for_a_healthy_server_also_while_failures_are_armed() {
    let server = TestServer::builder().flag("--max-concurrency", 1).start().await;
    let outcome = Program::test_server().argument("health").flag("--url", server.url("/health")).run().await;
    assert!(outcome.code == Some(0) && outcome.stderr.is_empty(), "{outcome:#?}");
    // A server with armed failures is healthy.
    answer(server.post("/fail/count/9")).await;
    let outcome = Program::test_server().argument("health").flag("--url", server.url("/health")).run().await;
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
}

#[tokio::test]
async fn health_asks_the_configured_port_by_default() {
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
async fn health_exits_with_1_and_one_line_without_a_healthy_answer() {
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
async fn reload_can_be_switched_off_by_its_value() {
    // Only a server with --reload looks at its watcher's variable, and refuses this one.
    let builder = || TestServer::builder().env("TEST_SERVER_LIFELINE", "nonsense");
    for reload in ["--reload=false", "--reload=off", "--reload=0"] {
        answer(builder().argument(reload).start().await.get("/msg")).await.message_id();
    }
    for reload in ["--reload", "--reload=true", "--reload=yes"] {
        let outcome = builder().argument(reload).run().await;
        assert_eq!(outcome.code, Some(1), "{reload}: {outcome:#?}");
    }
}

#[tokio::test]
async fn the_help_of_the_program_begins_with_what_it_is_and_where_settings_come_from() {
    for arguments in [["--help"], ["-h"], ["help"]] {
        let help = Program::test_server().arguments(&arguments).run().await;
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
        let about = help.stdout.split("USAGE:").next().unwrap_or_default();
        for part in ["An HTTP server that misbehaves on command", "SERVER_PORT for --port", ".env"] {
            assert!(about.contains(part), "{arguments:?}: {part}: {}", help.stdout);
        }
        assert!(!about.contains("comment"), "{}", help.stdout);
    }
}

#[tokio::test]
async fn the_help_is_written_for_people() {
    for command in ["serve", "config-info", "health", "openapi", "completions"] {
        let help = Program::test_server().argument(command).argument("--help").run().await;
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
        for trace in ["crate::", "[`", "`]", "as it was typed"] {
            assert!(!help.stdout.contains(trace), "{command}: {trace}: {}", help.stdout);
        }
    }
}

async fn completions(shell: &str) -> String {
    let outcome = Program::test_server().argument("completions").argument(shell).run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:#?}");
    outcome.stdout
}

#[tokio::test]
async fn every_shell_gets_its_own_completion_script_with_every_command() {
    let signs = [
        ("bash", "complete -F _test-server"),
        ("zsh", "#compdef test-server"),
        ("fish", "complete -c test-server"),
    ];
    for (shell, sign) in signs {
        let script = completions(shell).await;
        assert!(script.contains(sign), "{shell}: {script}");
        for word in ["serve", "config-info", "health", "openapi", "completions", "max-connections", "reload"]
        {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[tokio::test]
async fn bash_completes_commands_and_flags() {
    if std::process::Command::new("bash").arg("--version").output().is_err() {
        println!("NOT RUN: there is no bash");
        return;
    }
    let script = completions("bash").await;
    for (words, expected) in [
        (&["test-server", "''"][..], &["serve", "config-info", "health", "openapi", "completions"][..]),
        (&["test-server", "ser"], &["serve"]),
        (&["test-server", "serve", "--max-con"], &["--max-concurrency", "--max-connections"]),
        (&["test-server", "config-info", "--js"], &["--json"]),
    ] {
        let ask = format!(
            "{script}\nCOMP_WORDS=({}); COMP_CWORD={}; _test-server test-server; printf '%s\n' \"${{COMPREPLY[@]}}\"",
            words.join(" "),
            words.len() - 1
        );
        let output = std::process::Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let offered = String::from_utf8_lossy(&output.stdout).into_owned();
        for word in expected {
            assert!(offered.lines().any(|offer| offer == *word), "{words:?}: {word} is not in {offered:?}");
        }
    }
}

#[tokio::test]
async fn a_closed_standard_output_is_not_a_failure() {
    for arguments in [
        &["openapi"] as &[&str],
        &["config-info"],
        &["config-info", "--json"],
        &["--help"],
        &["completions", "zsh"],
    ] {
        let program = Program::test_server().arguments(arguments);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = program.command().stdout(writer).output().await.unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    }
}
