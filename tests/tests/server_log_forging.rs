//! No input breaks a line of the log, forges a second one, or sends commands to the terminal, and colours are only
//! written to terminals that want them.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use workspace_tests::logs::LogLine;
use workspace_tests::{Program, TestServer};

/// What a forger would like to see at the beginning of a line.
const FORGED: &str = r#"{"timestamp":"2020-01-01T00:00:00.000Z","level":"error","logger":"server.request","message":"forged"}"#;

/// Request heads that try to get a line of their own, or to command a terminal, up to the last header.
fn attempts() -> Vec<Vec<u8>> {
    let encoded = |breaker: &str| format!("{breaker}{}", FORGED.replace('"', "%22").replace('{', "%7B"));
    let mut attempts = Vec::new();
    for breaker in
        ["%0a", "%0d%0a", "%0d", "%00", "%1b%5b2J", "%c2%85", "%e2%80%a8", "%22%7D%0a", "%5cn", "%ff"]
    {
        let text = encoded(breaker);
        for target in [
            format!("/{text}"),
            format!("/msg?{text}"),
            format!("/msg?delay={text}"),
            format!("/fail/count/{text}"),
        ] {
            attempts.push(format!("POST {target} HTTP/1.1\r\nHost: x\r\n").into_bytes());
            attempts.push(format!("GET {target} HTTP/1.1\r\nHost: x\r\n").into_bytes());
        }
    }
    let texts: [&[u8]; 9] = [
        b"\",\"level\":\"error",
        b"\\",
        b"\\n",
        b"a\"}",
        b"\xc2\x9b2J",
        b"\xc2\x85",
        b"\xe2\x80\xa8x",
        b"\xff\xfe",
        b"a\tb",
    ];
    for text in texts {
        for header in [
            "X-Request-ID: ",
            "User-Agent: ",
            "X-Correlation-ID: ",
            "X-Forwarded-For: ",
            "Forwarded: for=",
            "Host: ",
        ] {
            attempts.push([b"GET /msg HTTP/1.1\r\n", header.as_bytes(), text, b"\r\n"].concat());
        }
        attempts.push([b"GET /msg?", text, b" HTTP/1.1\r\nHost: x\r\n"].concat());
        attempts.push([b"GET /", text, b" HTTP/1.1\r\nHost: x\r\n"].concat());
        attempts.push([b"G\"", text, b" /msg HTTP/1.1\r\nHost: x\r\n"].concat());
    }
    attempts
}

/// Makes every attempt on `server`; its log, line by line.
async fn log_of_attempts(server: TestServer) -> Vec<LogLine> {
    for attempt in attempts() {
        let mut connection = server.connect().await;
        let _ = connection.send([&attempt, b"\r\n".as_slice()].concat()).await;
        let response = connection.try_response().await;
        let what = String::from_utf8_lossy(&attempt).into_owned();
        assert!(response.is_some_and(|response| response.status < 500), "{what:?}");
    }
    let outcome = server.stop().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    outcome.stdout.split_terminator('\n').map(|line| LogLine::new(line.to_owned())).collect()
}

/// Whether a terminal, or a program that reads lines, could take this for more than one line of text.
fn breaks_out(c: char) -> bool {
    c.is_control() || ['\u{2028}', '\u{2029}'].contains(&c)
}

#[tokio::test]
async fn in_json_every_line_is_one_event_of_ours() {
    let lines = log_of_attempts(TestServer::verbose().start().await).await;
    assert!(lines.len() > attempts().len(), "the attempts are in the log");
    for line in lines {
        assert!(line.event.is_object(), "{:?}", line.text);
        assert!(!line.text.contains(breaks_out), "{:?}", line.text);
        assert_ne!(line.message(), "forged");
        assert!(line.text.matches("\"level\":").count() == 1 || line.level() != "error", "{:?}", line.text);
        assert_ne!(line.level(), "error", "{:?}", line.text);
    }
}

#[tokio::test]
async fn in_the_console_format_every_line_begins_as_ours_do() {
    let lines = log_of_attempts(TestServer::verbose().flag("--log-format", "console").start().await).await;
    assert!(lines.len() > attempts().len(), "the attempts are in the log");
    let year = lines[0].text.get(..2).expect("a line begins with its time").to_owned();
    for line in lines {
        assert!(line.text.starts_with(&year), "{:?}", line.text);
        assert!(!line.text.contains(breaks_out), "{:?}", line.text);
    }
}

#[tokio::test]
async fn the_console_format_has_what_json_has() {
    let server = TestServer::verbose().flag("--log-format", "console").start().await;
    let sent = workspace_tests::answer(server.get_keyed("/msg?delay=1", "order-1")).await;
    let id = sent.correlation_id().to_string();
    let completed = |line: &LogLine| line.says(&id) && line.says("200");
    server.wait_for_log("completion", completed).await;
    let lines = server.logs();
    assert!(
        lines.iter().any(|line| line.says("order-1") && line.says("/msg") && line.says("server.request")),
        "{lines:#?}"
    );
    assert!(lines.iter().all(|line| line.event.is_null()));
}

/// What `program` writes to a terminal until it has said where it listens.
async fn on_a_terminal(program: &Program) -> String {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are terminals");
    grantpt(&terminal).expect("it is ours");
    unlockpt(&terminal).expect("it is ours");
    let name = ptsname(&terminal, Vec::new()).expect("it has a name").into_string().expect("a plain one");
    let side = || File::options().read(true).write(true).open(&name).expect("it can be opened");
    let mut command = program.command();
    let child =
        command.stdin(Stdio::null()).stdout(side()).stderr(side()).spawn().expect("it can be started");
    drop(command);
    let reading = tokio::task::spawn_blocking(move || {
        let (mut terminal, mut seen) = (File::from(terminal), String::new());
        let mut bytes = [0; 1024];
        while !seen.contains("127.0.0.1:") {
            match terminal.read(&mut bytes) {
                Ok(count) if count > 0 => seen += &String::from_utf8_lossy(&bytes[..count]),
                _ => break,
            }
        }
        seen
    });
    let seen =
        workspace_tests::within("a line on the terminal", reading).await.expect("reading does not panic");
    drop(child);
    seen
}

#[tokio::test]
async fn colour_is_for_terminals_that_want_it() {
    let console = || TestServer::builder().flag("--log-format", "console").env("TERM", "xterm-256color");
    assert!(on_a_terminal(&console()).await.contains('\u{1b}'), "colour on a terminal");
    for value in ["1", "yes"] {
        let plain = on_a_terminal(&console().env("NO_COLOR", value)).await;
        assert!(plain.contains("127.0.0.1:") && !plain.contains('\u{1b}'), "NO_COLOR={value}: {plain:?}");
    }
    let json = on_a_terminal(&TestServer::builder().env("TERM", "xterm-256color")).await;
    assert!(json.contains("127.0.0.1:") && !json.contains('\u{1b}'), "no colour in JSON: {json:?}");
    let piped = console().start().await;
    assert!(piped.logs().iter().all(|line| !line.text.contains('\u{1b}')), "no colour in a pipe");
}
