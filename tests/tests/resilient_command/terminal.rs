//! Output to terminals, to pipes without a reader, and to full devices.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;
use std::thread;

use workspace_tests::terminal::terminal;
use workspace_tests::wire_server::{WireServer, reply};
use workspace_tests::{Program, TestServer, within};

use crate::support::{end, get, report_of, resilient};

/// Runs a program on a terminal, and returns what it writes there.
async fn on_terminal(program: Program) -> String {
    let (mut ours, theirs) = terminal();
    let program = program.env("TERM", "xterm-256color");
    let mut command = program.command();
    let (stdout, stderr) = (theirs.try_clone().expect("a file can be shared"), theirs);
    let mut child = command.stdout(stdout).stderr(stderr).spawn().expect("the command can be started");
    drop(command);
    let reader = thread::spawn(move || {
        let (mut text, mut chunk) = (Vec::new(), [0; 4096]);
        // The end of the other side is an error on this one.
        while let Ok(length @ 1..) = ours.read(&mut chunk) {
            text.extend_from_slice(&chunk[..length]);
        }
        text
    });
    let status = within("the end of the command", child.wait()).await.expect("it can be waited for");
    assert!(status.success(), "{status}");
    String::from_utf8_lossy(&reader.join().expect("reading does not panic")).into_owned()
}

#[tokio::test]
async fn a_terminal_gets_a_progress_bar_and_colours_and_no_color_is_respected() {
    let server = TestServer::start().await;
    let url = server.url("/msg");
    let load =
        || resilient().arguments(&["load", &url, "--requests", "50", "--concurrency", "2", "--rate", "50"]);
    let colourful = on_terminal(load()).await;
    assert!(colourful.contains("/50 requests"), "{colourful}");
    assert!(colourful.contains("\u{1b}[32m"), "{colourful:?}");
    let plain = on_terminal(load().env("NO_COLOR", "1")).await;
    assert!(plain.contains("50 of 50"), "{plain}");
    assert!(!plain.contains("\u{1b}[32m") && !plain.contains("\u{1b}[1m"), "{plain:?}");
}

#[tokio::test]
async fn on_a_terminal_a_body_ends_its_line() {
    let server = WireServer::always(vec![reply(200, "", "body")]).await;
    assert_eq!(on_terminal(get(&server.url())).await, "body\r\n");
}

#[tokio::test]
async fn a_reader_that_has_gone_away_is_not_an_error() {
    let server = TestServer::start().await;
    let url = server.url("/msg");
    for program in [
        get(&url),
        report_of(&url),
        resilient().argument("--help"),
        resilient().arguments(&["load", &url, "--requests", "5", "--concurrency", "1"]),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = program.command().stdout(writer).spawn().unwrap();
        let outcome = end(child).await;
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{program:?}: {outcome:#?}");
    }
}

#[tokio::test]
async fn output_that_cannot_be_written_is_an_error() {
    let server = WireServer::always(vec![reply(200, "", "body")]).await;
    let url = server.url();
    let load = resilient().arguments(&["load", &url, "--requests", "1", "--concurrency", "1"]);
    let printing = [&["--help"][..], &["--version"], &["completions", "bash"]];
    let printing = printing.into_iter().map(|arguments| resilient().arguments(arguments));
    for program in [get(&url), report_of(&url), load].into_iter().chain(printing) {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let outcome = end(program.command().stdout(full).spawn().unwrap()).await;
        assert_eq!(outcome.code, Some(1), "{outcome:#?}");
        assert!(outcome.only_error_line().starts_with("resilient: standard output: "), "{outcome:#?}");
    }
}

#[tokio::test]
async fn a_closed_standard_error_is_never_a_panic() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let program = resilient().arguments(&["get", "ftp://host/"]);
    let child = program.command().stdout(Stdio::piped()).stderr(writer).spawn().unwrap();
    assert_eq!(end(child).await.code, Some(2));
}
