//! SIGINT and SIGTERM end the command whatever blocks it.
//!
//! Each test lets the command block for ever, so that only a signal, or its own time limit, can end it.

use std::fs::{File, read_dir, read_to_string};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl, open};
use rustix::process::Signal;
use tokio::process::{Child, Command};
use workspace_tests::terminal::terminal;
use workspace_tests::wire_server::{Act, WireServer, reply};
use workspace_tests::{Program, within};

use crate::support::{end, get, received, report_of, resilient, signal, signalled, spawn};

const STOPS: [(Signal, i32); 2] = [(Signal::INT, 130), (Signal::TERM, 143)];

/// Sends a signal, and checks that it ends the command with the exit code of that signal and without a word.
async fn assert_stops(child: Child, (stop, code): (Signal, i32)) {
    signal(&child, stop);
    let outcome = end(child).await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(code), ""), "{outcome:#?}");
}

/// Returns once the thread that carries out the command exists and sleeps, so that signals are caught.
async fn blocked(child: &Child) {
    let tasks = format!("/proc/{}/task", child.id().expect("the child has not been waited for"));
    let sleeps = |task: PathBuf| {
        let read = |name| read_to_string(task.join(name)).unwrap_or_default();
        read("comm") == "command\n" && read("status").lines().any(|line| line.starts_with("State:\tS"))
    };
    let blocked = || read_dir(&tasks).into_iter().flatten().flatten().any(|task| sleeps(task.path()));
    let waiting = async {
        while !blocked() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("a blocked command", waiting).await;
}

#[tokio::test]
async fn a_signal_ends_a_call_and_its_connection() {
    for (stop, code) in STOPS {
        let server = WireServer::always(vec![Act::Stall]).await;
        let child = spawn(&get(&server.url()));
        received(&server, 1).await;
        signal(&child, stop);
        let outcome = end(child).await;
        assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(code), "", ""));
    }
}

#[tokio::test]
async fn a_signal_ends_the_reading_of_a_terminal() {
    for stop in STOPS {
        let (_ours, theirs) = terminal();
        let program = resilient().arguments(&["post", "http://127.0.0.1:1/", "-d", "@-"]);
        let child = signalled(&program).stdin(theirs).spawn().unwrap();
        blocked(&child).await;
        assert_stops(child, stop).await;
    }
}

/// A FIFO in the directory of a program.
fn fifo(program: &Program) -> PathBuf {
    let path = program.directory().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo can be started");
    assert!(made.success(), "{made}");
    path
}

/// The writing end of a FIFO, once another process reads it.
async fn writer(fifo: &Path) -> File {
    let opening = async {
        loop {
            match open(fifo, OFlags::WRONLY | OFlags::NONBLOCK, Mode::empty()) {
                Ok(writer) => return File::from(writer),
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    within("a reader of the FIFO", opening).await
}

#[tokio::test]
async fn a_signal_ends_the_opening_of_a_fifo_without_a_writer() {
    for (stop, flag) in STOPS.into_iter().zip(["-d", "--json"]) {
        let program = resilient().arguments(&["post", "http://127.0.0.1:1/", flag, "@fifo"]);
        fifo(&program);
        let child = spawn(&program);
        blocked(&child).await;
        assert_stops(child, stop).await;
    }
}

#[tokio::test]
async fn a_signal_ends_the_reading_of_a_fifo_whose_writer_is_silent() {
    for stop in STOPS {
        let program = resilient().arguments(&["load", "http://127.0.0.1:1/", "-d", "@fifo", "-X", "post"]);
        let program = program.flag("--requests", 1).flag("--concurrency", 1);
        let path = fifo(&program);
        let child = spawn(&program);
        let _writer = writer(&path).await;
        assert_stops(child, stop).await;
    }
}

/// The writing end of a pipe that is full, with its reading end.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, mut writer) = std::io::pipe().expect("a pipe can be made");
    let flags = fcntl_getfl(&writer).expect("a pipe has flags");
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).expect("a pipe can be made not to block");
    while let Ok(1..) = writer.write(&[b'x'; 4096]) {}
    assert_eq!(writer.write(b"x").map_err(|why| why.kind()), Err(ErrorKind::WouldBlock));
    fcntl_setfl(&writer, flags).expect("a pipe can be made to block");
    (reader, writer)
}

#[tokio::test]
async fn a_signal_ends_the_writing_to_a_full_pipe() {
    let server = WireServer::always(vec![reply(200, "", "body")]).await;
    let load = resilient().arguments(&["load", &server.url()]).flag("--requests", 1).flag("--concurrency", 1);
    for (n, program) in [get(&server.url()), report_of(&server.url()), load].into_iter().enumerate() {
        for stop in STOPS {
            let (_reader, writer) = full_pipe();
            let before = server.request_count();
            let child = signalled(&program).stdin(Stdio::null()).stdout(writer).spawn().unwrap();
            received(&server, before + 1).await;
            blocked(&child).await;
            println!("program {n}, {stop:?}");
            assert_stops(child, stop).await;
        }
    }
}

#[tokio::test]
async fn a_stopped_load_that_cannot_print_its_results_ends_all_the_same() {
    for stop in STOPS {
        let server = WireServer::always(vec![Act::Stall]).await;
        let load =
            resilient().arguments(&["load", &server.url()]).flag("--requests", 1).flag("--concurrency", 1);
        let (_reader, writer) = full_pipe();
        let child = signalled(&load).stdout(writer).spawn().unwrap();
        received(&server, 1).await;
        assert_stops(child, stop).await;
    }
}

#[tokio::test]
async fn a_signal_ends_the_writing_of_an_error_to_a_full_pipe() {
    let server = WireServer::always(vec![reply(404, "", "")]).await;
    for (n, (stop, code)) in STOPS.into_iter().enumerate() {
        let (_reader, writer) = full_pipe();
        let child = signalled(&get(&server.url())).stderr(writer).spawn().unwrap();
        received(&server, n + 1).await;
        blocked(&child).await;
        signal(&child, stop);
        assert_eq!(end(child).await.code, Some(code));
    }
}

/// A command whose name look-ups never end: its `/etc/hosts` is a FIFO that nobody writes to. `None`, with a note on
/// standard output, where a process may not have mounts of its own.
fn without_answers_to_look_ups(program: &Program) -> Option<Command> {
    let path = fifo(program);
    let mount = r#"mount --bind "$0" /etc/hosts && exec "$@""#;
    let own_mounts = ["--user", "--map-root-user", "--mount", "sh", "-c"];
    let trial =
        std::process::Command::new("unshare").args(own_mounts).arg(mount).arg(&path).arg("true").output();
    if !trial.is_ok_and(|trial| trial.status.success()) {
        println!("NOT RUN: this machine does not let a process have mounts of its own");
        return None;
    }
    let inner = signalled(program);
    let mut command = Command::new("unshare");
    command.args(own_mounts).arg(mount).arg(&path);
    command.arg(inner.as_std().get_program()).args(inner.as_std().get_args());
    command.current_dir(program.directory()).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Some(command)
}

#[tokio::test]
async fn a_look_up_that_never_ends_ends_with_its_time_limit_and_the_process_with_it() {
    for (limit, code, kind) in
        [(["--deadline", "0.5"], 7, "deadline_exceeded"), (["--connect-timeout", "0.5"], 3, "timeout")]
    {
        let program = resilient().arguments(&["get", "http://name.test/", "--max-attempts", "1"]);
        let program = program.arguments(&limit);
        let Some(mut command) = without_answers_to_look_ups(&program) else { return };
        let outcome = end(command.spawn().unwrap()).await;
        assert_eq!(outcome.code, Some(code), "{outcome:#?}");
        assert!(outcome.only_error_line().starts_with(&format!("resilient: {kind}: ")), "{outcome:#?}");
    }
}

#[tokio::test]
async fn a_signal_ends_a_look_up_that_never_ends() {
    for stop in STOPS {
        let program = resilient().arguments(&["get", "http://name.test/"]);
        let Some(mut command) = without_answers_to_look_ups(&program) else { return };
        let child = command.spawn().unwrap();
        // The look-up has begun as soon as it reads the FIFO.
        let _writer = writer(&program.directory().join("fifo")).await;
        assert_stops(child, stop).await;
    }
}
