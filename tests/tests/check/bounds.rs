//! Clients that hang, fork, ignore signals, print too much or do not exist: bounded, cleaned up, reported.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use workspace_tests::{Footprint, Program, within};

use crate::support::{check, end, resilient, runs};

/// Examines a shell script in the case `steady`. `PID` in it is a file whose content is then read as process ids, which
/// must not run any more.
async fn examine(flags: &[&str], script: &str) -> (Option<i32>, String, Vec<String>) {
    let program = check(&["--case", "steady"]).arguments(flags);
    let file = program.directory().join("pids");
    let script = script.replace("PID", &file.display().to_string()).replace("GET", &get());
    let program = program.arguments(&["--", "/bin/sh", "-c", &script]);
    let directory = program.directory().to_owned();
    let command = program.command().output();
    let output = tokio::time::timeout(Duration::from_secs(200), command).await;
    let output = output.expect("the examination ends").expect("it can be started");
    let pids = fs::read_to_string(&file).unwrap_or_default();
    let pids = pids.split_whitespace().map(str::to_owned).collect();
    drop((program, directory));
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), pids)
}

fn get() -> String {
    format!("{} get $TARGET_URL", resilient())
}

async fn have_ended(pids: &[String], count: usize) {
    assert_eq!(pids.len(), count, "{pids:?}");
    let gone = async {
        while pids.iter().any(|pid| runs(pid)) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the processes of the client have ended", gone).await;
}

#[tokio::test]
async fn a_client_that_hangs_is_ended_and_fails() {
    let (code, report, pids) = examine(&["--timeout", "1"], "echo $$ > PID; sleep 300").await;
    assert_eq!(code, Some(1));
    assert!(report.starts_with("steady  fail  "), "{report}");
    assert!(report.contains("sent no request; did not end within 1s"), "{report}");
    have_ended(&pids, 1).await;
}

#[tokio::test]
async fn a_client_that_ignores_sigterm_is_ended_with_its_children() {
    let script = "trap '' TERM; (trap '' TERM; sleep 300) & echo $$ $! > PID; GET; wait; sleep 300";
    let (code, report, pids) = examine(&["--timeout", "3"], script).await;
    assert_eq!(code, Some(1));
    assert!(report.contains("did not end within 3s"), "{report}");
    have_ended(&pids, 2).await;
}

#[tokio::test]
async fn what_a_client_leaves_running_is_ended_and_does_not_hold_up_the_examination() {
    let (code, report, pids) = examine(&[], "sleep 300 & echo $! > PID; GET").await;
    assert_eq!(code, Some(0), "{report}");
    have_ended(&pids, 1).await;
}

#[tokio::test]
async fn a_process_that_got_away_and_holds_the_output_does_not_hold_up_the_examination() {
    let script =
        "setsid sh -c 'echo $$ > PID; exec sleep 150' & while ! [ -s PID ]; do sleep 0.01; done; GET";
    let (code, report, pids) = within("the end", examine(&[], script)).await;
    assert_eq!(code, Some(0), "{report}");
    let pid: i32 = pids[0].parse().unwrap();
    // What this test has started ends with it.
    let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
}

#[tokio::test]
async fn a_client_that_prints_a_gigabyte_is_judged_in_bounded_memory() {
    let script = format!("{} >/dev/null; head -c 1000000000 /dev/zero", get());
    let program = check(&["--case", "steady", "--", "/bin/sh", "-c", &script]);
    let mut child = program.command().spawn().unwrap();
    let pid = child.id().unwrap();
    let mut most = 0;
    let ended = async {
        loop {
            most = most.max(Footprint::peak_mebibytes(pid).unwrap_or(0));
            if let Ok(status) = tokio::time::timeout(Duration::from_millis(20), child.wait()).await {
                break status.unwrap();
            }
        }
    };
    let status = tokio::time::timeout(Duration::from_secs(120), ended).await.expect("the examination ends");
    assert_eq!(status.code(), Some(0));
    assert!((1..200).contains(&most), "{most} MiB");
}

#[tokio::test]
async fn a_client_that_does_not_exist_is_wrong_usage() {
    for command in ["/no/such/client", "no-such-client-anywhere"] {
        let outcome = check(&["--", command, "{url}"]).run().await;
        assert_eq!((outcome.code, &*outcome.stdout), (Some(2), ""), "{outcome:#?}");
        let line = outcome.only_error_line();
        assert!(line.contains(&format!("cannot start \"{command}\": No such file")), "{line}");
    }
    let outcome = check(&["--", "/dev/null"]).run().await;
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome.only_error_line().contains("cannot start \"/dev/null\": Permission denied"),
        "{outcome:#?}"
    );
}

#[tokio::test]
async fn a_client_that_is_ended_by_a_signal_fails() {
    let (code, report, _) = examine(&[], "GET; kill -SEGV $$").await;
    assert_eq!(code, Some(1));
    assert!(report.contains("was ended by signal 11"), "{report}");
}

/// Starts an examination of a client that hangs, and returns it once the client runs, with the client's process id.
async fn hanging(program: Program) -> (Program, tokio::process::Child, String) {
    let file = program.directory().join("pid");
    let script = format!("echo $$ > {0}.new; mv {0}.new {0}; sleep 300", file.display());
    let program = program.arguments(&["--case", "steady", "--", "/bin/sh", "-c", &script]);
    let child = program.command().spawn().expect("the examination can be started");
    let begun = async {
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the client runs", begun).await;
    let pid = fs::read_to_string(&file).expect("the file is there").trim().to_owned();
    (program, child, pid)
}

#[tokio::test]
async fn a_signal_ends_the_examination_and_its_clients() {
    for signal in [Signal::INT, Signal::TERM] {
        let (_program, child, client) = hanging(check(&[])).await;
        let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        let output = within("the end", child.wait_with_output()).await.unwrap();
        assert_eq!(output.status.code(), Some(1));
        let line = String::from_utf8_lossy(&output.stderr);
        assert!(line.starts_with("test-server: interrupted by SIG"), "{line}");
        have_ended(&[client], 1).await;
    }
}

#[tokio::test]
async fn neither_variables_nor_a_dotenv_change_the_examination() {
    let program = Program::test_server().dotenv("SERVER_PORT=wrong\nSERVER_JOURNAL_SIZE=0\n");
    let program = program.env("SERVER_WORKERS", "0").env("SERVER_HOST", "not a host").argument("check");
    let outcome = end(program.arguments(&["--case", "steady", "--", resilient(), "get", "{url}"])).await;
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""), "{outcome:#?}");
}

#[tokio::test]
async fn a_proxy_of_the_environment_is_not_in_the_way() {
    let program =
        check(&["--case", "steady"]).env("no_proxy", "intranet").env("HTTP_PROXY", "http://127.0.0.1:1");
    let script = format!("{} && echo $no_proxy $NO_PROXY > seen", get());
    let program =
        program.env("http_proxy", "http://127.0.0.1:1").arguments(&["--", "/bin/sh", "-c", &script]);
    let seen = program.directory().join("seen");
    let output = within("the end", program.command().output()).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let seen = fs::read_to_string(seen).unwrap();
    assert_eq!(seen.trim(), "intranet,127.0.0.1,localhost,::1 intranet,127.0.0.1,localhost,::1");
}
