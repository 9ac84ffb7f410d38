//! The command line of `check`, its reports and its exit codes.

use std::io::Read;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use workspace_tests::terminal::terminal;
use workspace_tests::{answer, http, within};

use crate::support::{check, end, resilient};

/// A client that makes one attempt, in two cases.
fn two_cases<'a>(flags: &[&'a str]) -> Vec<&'a str> {
    let cases = ["--case", "steady", "--case", "one-503"];
    [&cases[..], flags, &["--", resilient(), "get", "--max-attempts", "1", "{url}"]].concat()
}

#[tokio::test]
async fn every_case_is_listed_with_its_reason_and_its_source() {
    let outcome = check(&["--list"]).run().await;
    assert_eq!((outcome.code, outcome.stdout.lines().count()), (Some(0), 30), "{outcome:#?}");
    let steady = "steady             An ordinary request succeeds (RFC 9110, 15.3.1)\n";
    assert!(outcome.stdout.starts_with(steady), "{}", outcome.stdout);
    let one = check(&["--list", "--case", "flaky"]).run().await;
    assert!(one.stdout.starts_with("flaky  Random failures") && one.stdout.lines().count() == 1, "{one:#?}");
}

#[tokio::test]
async fn wrong_usage_is_one_line_and_exit_code_2() {
    let table: [(&[&str], &str); 10] = [
        (&[], "COMMAND"),
        (&["--"], "COMMAND"),
        (&["curl", "{url}"], "curl"),
        (&["--case", "one503", "--", "true"], "there is no case \"one503\"; did you mean one-503?"),
        (&["--jobs", "0", "--", "true"], "--jobs is \"0\", expected a whole number from 1 to 256"),
        (&["--timeout", "1.5", "--", "true"], "--timeout is \"1.5\", expected a whole number from 1 to 3600"),
        (&["--report", "xml", "--", "true"], "xml"),
        (&["--expect", "missing.json", "--", "true"], "cannot read missing.json: No such file"),
        (
            &["--expect", "wrong.json", "--", "true"],
            "cannot read wrong.json: attempts: Extra inputs are not permitted",
        ),
        (
            &["--expect", "broken.json", "--", "true"],
            "cannot read broken.json: 0: JSON decode error: EOF while parsing",
        ),
    ];
    for (arguments, expected) in table {
        let program = check(arguments);
        std::fs::write(program.directory().join("wrong.json"), r#"{"attempts":3}"#).unwrap();
        std::fs::write(program.directory().join("broken.json"), "{").unwrap();
        let outcome = program.run().await;
        assert_eq!(outcome.code, Some(2), "{arguments:?}: {outcome:#?}");
        assert!(outcome.only_error_line().contains(expected), "{arguments:?}: {outcome:#?}");
    }
}

#[tokio::test]
async fn a_warning_is_a_failure_only_where_it_is_asked_for() {
    let relaxed = end(check(&two_cases(&[]))).await;
    assert_eq!((relaxed.code, &*relaxed.stderr), (Some(0), ""), "{relaxed:#?}");
    assert!(relaxed.stdout.ends_with("\n1 pass, 1 warn, 0 fail, 0 not applicable\n"), "{relaxed:#?}");
    let strict = end(check(&two_cases(&["--strict"]))).await;
    assert_eq!(strict.code, Some(1), "{strict:#?}");
    assert_eq!(strict.only_error_line(), "test-server: the client failed in 1 of 2 cases");
}

#[tokio::test]
async fn the_report_has_the_form_that_was_asked_for() {
    let json = end(check(&two_cases(&["--report", "json"]))).await;
    let report: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&report["cases"][0]["case"], &report["cases"][0]["result"]),
        (&"steady".into(), &"pass".into())
    );
    assert_eq!((&report["cases"][0]["exit"], &report["cases"][1]["exit"]), (&0.into(), &3.into()));
    assert_eq!(report["cases"][1]["findings"][0]["id"], "no-retry", "{report:#}");
    assert!(report["cases"][1]["seconds"].is_number());
    let junit = end(check(&two_cases(&["--report=junit", "--strict"]))).await;
    assert!(junit.stdout.contains("tests=\"2\" failures=\"1\""), "{junit:#?}");
    let markdown = end(check(&two_cases(&["--report", "markdown"]))).await;
    assert!(
        markdown.stdout.starts_with("| case | result | why |\n|---|---|---|\n| `steady` | pass |"),
        "{markdown:#?}"
    );
}

#[tokio::test]
async fn a_terminal_gets_a_progress_bar_beside_the_report() {
    let (mut ours, theirs) = terminal();
    let program = check(&two_cases(&[])).env("TERM", "xterm-256color");
    let mut command = program.command();
    let child = command.stderr(theirs).spawn().unwrap();
    drop(command);
    let reader = std::thread::spawn(move || {
        let (mut text, mut chunk) = (Vec::new(), [0; 4096]);
        // The end of the other side is an error on this one.
        while let Ok(length @ 1..) = ours.read(&mut chunk) {
            text.extend_from_slice(&chunk[..length]);
        }
        String::from_utf8_lossy(&text).into_owned()
    });
    let output = within("the end", child.wait_with_output()).await.unwrap();
    assert!(output.stdout.starts_with(b"steady   pass  "), "{output:?}");
    let shown = reader.join().unwrap();
    assert!(shown.contains("/2 cases"), "{shown:?}");
}

#[tokio::test]
async fn one_job_at_a_time_is_enough_for_cases_with_several_runs() {
    let arguments = ["--jobs", "1", "--case", "rate-limit", "--case", "steady", "--"];
    let outcome = end(check(&arguments).arguments(&[resilient(), "get", "{url}"])).await;
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert!(outcome.stdout.starts_with("steady  "), "in the order of the table: {outcome:#?}");
}

#[tokio::test]
async fn the_server_and_its_sessions_are_kept_until_a_signal_where_that_is_asked_for() {
    let mut child = check(&two_cases(&["--keep"])).command().spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut pages = Vec::new();
    loop {
        let line = within("the pages of the sessions", lines.next_line()).await.unwrap().expect("it runs");
        match line.strip_prefix("test-server: ").and_then(|line| line.split_once(": ")) {
            Some((case, url)) => pages.push((case.to_owned(), url.to_owned())),
            None => break assert_eq!(line, "test-server: the server runs until SIGINT or SIGTERM"),
        }
    }
    assert_eq!(pages.iter().map(|(case, _)| case.as_str()).collect::<Vec<_>>(), ["steady", "one-503"]);
    let base_url = pages[1].1.strip_suffix("/ui").expect("the page of a session");
    let journal = answer(http::client().get(format!("{base_url}/journal"))).await;
    assert_eq!((journal.status, &journal.body["entries"][0]["status"]), (200, &503.into()), "{journal:#?}");
    kill_process(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap(), Signal::TERM).unwrap();
    let status = tokio::time::timeout(Duration::from_secs(20), child.wait()).await.expect("it ends").unwrap();
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn the_page_of_clients_has_a_result_for_every_case_and_client() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/clients.md");
    let page = std::fs::read_to_string(page).unwrap();
    let listed = check(&["--list"]).run().await.stdout;
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"))
        .map(|row| row.split(" | ").collect())
        .collect();
    let clients = page.lines().find_map(|line| line.strip_prefix("| case | ")).unwrap().split(" | ").count();
    for case in listed.lines().filter_map(|line| line.split_whitespace().next()) {
        let row = rows.iter().find(|row| row[0].trim_end_matches('`') == case);
        let row = row.unwrap_or_else(|| panic!("{case} has no row"));
        assert_eq!(row.len(), clients + 1, "{row:?}");
        let known = ["pass", "**warn**", "**FAIL**", "-"];
        assert!(row[1..].iter().all(|cell| known.contains(cell)), "{row:?}");
        assert_eq!(row[clients], "pass", "the project's own client, which is the last one: {row:?}");
    }
    assert!(clients >= 10, "{clients}");
}
