//! Help, and the refusal of wrong usage before anything is sent: exit code 2 and one line.

use workspace_tests::Program;
use workspace_tests::wire_server::{WireServer, reply};

use crate::support::resilient;

const COMMANDS: [&str; 9] = ["get", "post", "put", "patch", "delete", "head", "load", "demo", "completions"];

/// Runs a program that must refuse its arguments. Returns the line that says why.
async fn refusal(program: Program) -> String {
    let outcome = program.run().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{outcome:#?}");
    let line = outcome.only_error_line();
    assert!(line.starts_with("resilient: ") && !line.contains(char::is_control), "{line:?}");
    line.to_owned()
}

#[tokio::test]
async fn help_lists_every_command_and_exit_code() {
    let help = resilient().argument("--help").run().await;
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for word in COMMANDS.into_iter().chain(["6 circuit open", "RESILIENT_"]) {
        assert!(help.stdout.contains(word), "{word}: {}", help.stdout);
    }
    let version = resilient().argument("--version").run().await;
    assert_eq!((version.code, version.stdout.as_str()), (Some(0), "resilient 0.1.0\n"));
}

#[tokio::test]
async fn the_help_of_a_command_lists_every_flag() {
    let settings = [
        "--max-attempts",
        "--min-wait",
        "--max-wait",
        "--multiplier",
        "--no-jitter",
        "--retry-methods",
        "--retry-after-max",
        "--failure-threshold",
        "--recovery-timeout",
        "--half-open-max-calls",
        "--breaker-scope",
        "--breaker-window",
        "--failure-rate",
        "--slow-call-rate",
        "--slow-call-duration",
        "--minimum-calls",
        "--max-concurrency",
        "--acquisition-timeout",
        "--connect-timeout",
        "--read-timeout",
        "--write-timeout",
        "--pool-timeout",
        "--deadline",
        "--no-redirects",
        "--insecure",
        "--user-agent",
        "--max-body-bytes",
        "--report",
        "-v,",
        "-H,",
        "-d,",
        "--json",
    ];
    for command in COMMANDS.into_iter().filter(|command| !["demo", "completions"].contains(command)) {
        let help = resilient().arguments(&[command, "--help"]).run().await;
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
        let own: &[&str] = match command {
            "load" => &["--requests", "--concurrency", "--rate"],
            _ => &["--request-id", "-i,"],
        };
        for flag in settings.iter().chain(own) {
            assert!(help.stdout.contains(flag), "{command} {flag}: {}", help.stdout);
        }
    }
    let help = resilient().arguments(&["load", "--help"]).run().await.stdout;
    assert!(
        help.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains("counted from the moment at which a request was due")
    );
    assert!(resilient().arguments(&["demo", "--help"]).run().await.stdout.contains("--base-url"));
}

#[tokio::test]
async fn a_bad_value_is_refused_with_flag_value_and_range_and_nothing_is_sent() {
    let server = WireServer::always(vec![reply(200, "", "")]).await;
    let url = server.url();
    for (arguments, expected) in [
        (&["--deadline", "NaN"][..], r#"--deadline must be 0.001 to 604800 seconds, got "NaN""#),
        (&["--deadline", "inf"], r#"--deadline must be 0.001 to 604800 seconds, got "inf""#),
        (&["--deadline", "-1"], r#"--deadline must be 0.001 to 604800 seconds, got "-1""#),
        (&["--deadline", "0"], "--deadline must be 0.001 to 604800 seconds, got 0"),
        (
            &["--deadline", "1\n2\u{1b}[31m"],
            r#"--deadline must be 0.001 to 604800 seconds, got "1\n2\u{1b}[31m""#,
        ),
        (&["--max-attempts", "0"], "--max-attempts must be 1 to 10000, got 0"),
        (&["--max-attempts", "1e3"], r#"--max-attempts must be 1 to 10000, got "1e3""#),
        (&["--max-attempts", "99999999999999999999"], r#"1 to 10000, got "99999999999999999999""#),
        (&["--multiplier", "0.5"], "--multiplier must be 1 to 1000, got 0.5"),
        (&["--min-wait", "2", "--max-wait", "1"], "--min-wait must be at most --max-wait (1 s), got 2 s"),
        (&["--retry-methods", "some"], r#"--retry-methods must be all or idempotent, got "some""#),
        (&["--user-agent", "a\nb"], "--user-agent must be one or more visible characters"),
        (&["--max-body-bytes", "0"], "--max-body-bytes must be 1 to 1099511627776, got 0"),
        (&["--request-id", "two words"], "request_id must be 1 to 255 visible ASCII characters"),
        (&["-H", "no colon"], r#"-H must be 'Name: value', got one that begins with "no""#),
        (&["-H", "Authorization Bearer secret"], r#"got one that begins with "Authorization""#),
        (&["-H", ": value"], r#"-H must be 'Name: value'"#),
        (&["-H", "b@d: x"], r#"header "b@d" is not a valid name"#),
        (&["-H", "X: a\nb"], r#"header "X" has a value with control characters"#),
        (&["-H", "Content-Length: 3"], "is set by the client itself"),
        (&["--json", "{"], "--json must be JSON: "),
        (&["--json", ""], "--json must be JSON: "),
        (&["-d", "@"], "-d @ must be followed by the name of a file"),
        (&["-d", "@/"], r#"-d must name a file that can be read, got "/": Is a directory"#),
        (&["-i", "--report"], "--report"),
        (&["--json", "@/no/such/file"], "--json must name a file that can be read"),
        (&["-d", "@/no/such/file"], r#"-d must name a file that can be read, got "/no/such/file""#),
        (&["-d", "a", "--json", "1"], "--json"),
        (&["--bogus"], "--bogus"),
        (&["--deadline"], "--deadline"),
        (&["--deadline", "1", "--deadline", "1"], "--deadline"),
    ] {
        let line = refusal(resilient().arguments(&["post", &url]).arguments(arguments)).await;
        assert!(line.contains(expected), "{arguments:?}: {line}");
        assert!(!line.contains("secret"), "{line}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn credentials_of_a_url_are_in_no_message_and_no_report() {
    for url in [
        "ftp://user:password@host/",
        "http://user:password@host/",
        "user:password@host/",
        "http://user:password@host:99999/",
        "http://user:password@ho st/",
        "//user:password@host/",
        "http://user:password/word@host/",
    ] {
        let line = refusal(resilient().arguments(&["get", url])).await;
        assert!(line.contains("URL") && !line.contains("password"), "{url}: {line}");
        let report = resilient().arguments(&["get", url, "--report"]).run().await;
        assert_eq!(report.code, Some(2), "{report:#?}");
        assert!(!format!("{report:?}").contains("password"), "{report:#?}");
        for program in [resilient().arguments(&["demo", "--base-url", url]), resilient().argument(url)] {
            let line = refusal(program).await;
            assert!(!line.contains("password"), "{url}: {line}");
        }
    }
}

#[tokio::test]
async fn a_bad_url_is_refused() {
    for url in [
        "",
        "/path",
        "host:99999/",
        "ftp://host/",
        "http://",
        "http:/host",
        "http://host:99999/",
        "http://u:p@host/",
        "http://a b/",
    ] {
        let line = refusal(resilient().arguments(&["get", url])).await;
        assert!(line.contains("URL"), "{url}: {line}");
        let load = resilient().arguments(&["load", url, "--requests", "2", "--concurrency", "1"]);
        refusal(load).await;
    }
}

#[tokio::test]
async fn one_bad_url_among_several_and_nothing_is_sent() {
    let server = WireServer::always(vec![reply(200, "", "")]).await;
    refusal(resilient().arguments(&["get", &server.url(), "ftp://host/"])).await;
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn arguments_without_a_complete_command_are_refused() {
    for arguments in [
        &[][..],
        &["dance"],
        &["get"],
        &["demo", "extra"],
        &["demo", "--base-url", ""],
        &["demo", "--base-url", "/x"],
    ] {
        refusal(resilient().arguments(arguments)).await;
    }
}

#[tokio::test]
async fn a_load_with_a_bad_plan_is_refused() {
    for (arguments, named) in [
        (&["--concurrency", "1"][..], "--requests"),
        (&["--requests", "1"], "--concurrency"),
        (&["--requests", "0", "--concurrency", "1"], "--requests must be 1 to 1000000000, got \"0\""),
        (&["--requests", "1", "--concurrency", "-1"], "--concurrency must be 1 to 100000, got \"-1\""),
        (
            &["--requests", "1", "--concurrency", "1", "--rate", "NaN"],
            "--rate must be 0.001 to 1000000, got \"NaN\"",
        ),
        (&["--requests", "1", "--concurrency", "1", "--method", "trace"], "--method must be"),
        (&["--requests", "1", "--concurrency", "1", "-H", "x-request-id: a"], "X-Request-ID"),
        (&["--requests", "1", "--concurrency", "1", "--deadline", "x"], "--deadline must be"),
    ] {
        let line =
            refusal(resilient().arguments(&["load", "http://127.0.0.1:1/"]).arguments(arguments)).await;
        assert!(line.contains(named), "{arguments:?}: {line}");
    }
}

#[tokio::test]
async fn a_bad_variable_is_refused_by_its_name() {
    for (name, value, expected) in [
        ("RESILIENT_RETRY_MIN_WAIT", "soon", "RESILIENT_RETRY_MIN_WAIT must be a number of seconds"),
        (
            "RESILIENT_RETRY_MIN_WAIT",
            "61",
            "RESILIENT_RETRY_MIN_WAIT must be at most RESILIENT_RETRY_MAX_WAIT (60 s)",
        ),
        (
            "RESILIENT_BULKHEAD_MAX_CONCURRENCY",
            "0",
            "RESILIENT_BULKHEAD_MAX_CONCURRENCY must be 1 to 100000, got 0",
        ),
        (
            "RESILIENT_BASE_URL",
            "ftp://u:secret@host",
            "RESILIENT_BASE_URL must start with http:// or https://",
        ),
    ] {
        let line = refusal(resilient().env(name, value).arguments(&["get", "http://127.0.0.1:1/"])).await;
        assert!(line.contains(expected) && !line.contains("secret"), "{name}={value}: {line}");
    }
}

#[tokio::test]
async fn a_variable_that_does_not_exist_is_refused_with_the_nearest_one_that_does() {
    let server = WireServer::always(vec![reply(200, "", "")]).await;
    let get = |name, value| resilient().env(name, value).arguments(&["get", &server.url()]);
    for (name, nearest) in [
        ("RESILIENT_RETRY_MAX_ATTEMPT", "RESILIENT_RETRY_MAX_ATTEMPTS"),
        ("RESILIENT_DEADLINES", "RESILIENT_DEADLINE"),
        ("RESILIENT_RETRY_RETRY_AFTER", "RESILIENT_RETRY_RETRY_AFTER_MAX"),
    ] {
        let line = refusal(get(name, "secret")).await;
        assert!(line.contains(&format!("{name} does not exist")) && !line.contains("secret"), "{line}");
        assert!(line.contains(&format!("did you mean {nearest}?")), "{line}");
        let load = resilient().env(name, "1").arguments(&["load", &server.url()]);
        refusal(load.flag("--requests", 1).flag("--concurrency", 1)).await;
    }
    assert_eq!(server.connections(), 0);
    // Kubernetes sets this for a service that is named resilient.
    let outcome = get("RESILIENT_SERVICE_HOST", "10.0.0.1").run().await;
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
}

#[tokio::test]
async fn an_argument_that_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let bad = std::ffi::OsStr::from_bytes(b"a\xff");
    let line = refusal(resilient().arguments(&["get", "http://127.0.0.1:1/", "-d"]).argument(bad)).await;
    assert!(line.contains("after -d must be UTF-8"), "{line}");
}
