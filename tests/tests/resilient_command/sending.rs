//! What goes out: methods, headers and bodies, as the server sees them.

use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use workspace_tests::wire_server::{WireServer, reply};
use workspace_tests::{Program, within};

use crate::support::{end, resilient};

async fn echo() -> WireServer {
    WireServer::always(vec![reply(200, "X-Note: here\r\n", "")]).await
}

/// The one request that the server got from a run that succeeded.
async fn sent(server: &WireServer, program: Program) -> String {
    let before = server.request_count();
    let outcome = program.run().await;
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome:#?}");
    assert_eq!(server.request_count(), before + 1);
    server.requests().pop().unwrap_or_default()
}

/// Whether a request has this header.
#[track_caller]
fn assert_header(request: &str, name: &str, value: &str) {
    let has = request
        .lines()
        .filter_map(|line| line.split_once(':'))
        .any(|(n, v)| n.eq_ignore_ascii_case(name) && v.trim() == value);
    assert!(has, "no {name}: {value} in {request}");
}

#[tokio::test]
async fn each_method_is_sent_as_itself() {
    let server = echo().await;
    for method in ["get", "post", "put", "patch", "delete"] {
        let request = sent(&server, resilient().arguments(&[method, &server.url()])).await;
        assert!(request.starts_with(&format!("{} / HTTP/1.1\r\n", method.to_uppercase())), "{request}");
    }
}

#[tokio::test]
async fn a_head_prints_the_status_and_the_headers() {
    let server = WireServer::always(vec![workspace_tests::wire_server::send(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Note: here\r\n\r\n",
    )])
    .await;
    let outcome = resilient().arguments(&["head", &server.url()]).run().await;
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert!(
        outcome.stdout.starts_with("HTTP 200\n") && outcome.stdout.contains("\nx-note: here\n"),
        "{outcome:#?}"
    );
    assert!(server.requests()[0].starts_with("HEAD / "));
}

#[tokio::test]
async fn headers_are_sent_as_typed() {
    let server = echo().await;
    let call =
        resilient().arguments(&["get", "-H", "X-One: 1", "-H", "X-Two:a:b", "-H", "X-Empty:", &server.url()]);
    let request = sent(&server, call.arguments(&["-H", "X-Request-ID: mine"])).await;
    for (name, value) in [("X-One", "1"), ("X-Two", "a:b"), ("X-Empty", ""), ("X-Request-ID", "mine")] {
        assert_header(&request, name, value);
    }
}

#[tokio::test]
async fn data_is_sent_as_it_is_from_the_command_line_and_from_a_file() {
    let server = echo().await;
    let request = sent(&server, resilient().arguments(&["post", &server.url(), "-d", "a=1&b=\u{e9}"])).await;
    assert!(request.ends_with("\r\n\r\na=1&b=\u{e9}"), "{request}");
    assert!(!request.to_lowercase().contains("content-type"), "{request}");

    let program =
        resilient().arguments(&["put", &server.url(), "-d", "@body.txt", "-H", "Content-Type: text/plain"]);
    std::fs::write(program.directory().join("body.txt"), "from\na file\n").unwrap();
    let request = sent(&server, program).await;
    assert!(request.ends_with("\r\n\r\nfrom\na file\n"), "{request}");
    assert_header(&request, "content-type", "text/plain");
}

#[tokio::test]
async fn data_comes_from_standard_input_too() {
    let server = echo().await;
    let program = resilient().arguments(&["post", &server.url(), "-d", "@-"]);
    let mut child = program.command().stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    within("the command reads", stdin.write_all(b"typed\n")).await.unwrap();
    drop(stdin);
    assert_eq!(end(child).await.code, Some(0));
    assert!(server.requests()[0].ends_with("\r\n\r\ntyped\n"));
}

#[tokio::test]
async fn json_is_checked_sent_as_typed_and_has_its_type() {
    let server = echo().await;
    let request =
        sent(&server, resilient().arguments(&["post", &server.url(), "--json", r#"{"a": 1.50}"#])).await;
    assert!(request.ends_with("\r\n\r\n{\"a\": 1.50}"), "{request}");
    assert_header(&request, "content-type", "application/json");

    let own =
        resilient().arguments(&["post", &server.url(), "--json", "[]", "-H", "content-type: text/json"]);
    let request = sent(&server, own).await;
    assert_header(&request, "content-type", "text/json");
    assert!(!request.contains("application/json"), "{request}");
}

#[tokio::test]
async fn credentials_are_sent_as_their_header_and_never_shown() {
    let server = echo().await;
    let request = sent(&server, resilient().arguments(&["get", &server.url(), "-u", "me:pass:word"])).await;
    assert_header(&request, "authorization", "Basic bWU6cGFzczp3b3Jk");
    let request = sent(&server, resilient().arguments(&["get", &server.url(), "--bearer", "abc"])).await;
    assert_header(&request, "authorization", "Bearer abc");
    for (flag, value) in [("-u", "secret"), ("--bearer", "sec\nret secret")] {
        let outcome = resilient().arguments(&["get", &server.url(), flag, value, "-v"]).run().await;
        assert_eq!(outcome.code, Some(2), "{outcome:#?}");
        assert!(!outcome.stderr.contains("ret"), "{outcome:#?}");
    }
}

#[tokio::test]
async fn a_form_has_fields_and_files() {
    let server = echo().await;
    let program = resilient().arguments(&["post", &server.url(), "-F", "title=a=b;type=c"]);
    let program = program.arguments(&["-F", "one=@one.txt", "-F", "two=@two.png;type=image/png"]);
    std::fs::write(program.directory().join("one.txt"), "1").unwrap();
    std::fs::write(program.directory().join("two.png"), "2").unwrap();
    let request = sent(&server, program).await;
    for part in [
        "name=\"title\"\r\n\r\na=b;type=c\r\n--",
        "name=\"one\"; filename=\"one.txt\"\r\nContent-Type: application/octet-stream\r\n\r\n1\r\n--",
        "name=\"two\"; filename=\"two.png\"\r\nContent-Type: image/png\r\n\r\n2\r\n--",
    ] {
        assert!(request.contains(part), "{part:?} is not in {request}");
    }
    for (field, why) in [("title", "NAME=TEXT"), ("=x", "NAME=TEXT"), ("a=@missing", "missing")] {
        let outcome = resilient().arguments(&["post", &server.url(), "-F", field]).run().await;
        assert!(outcome.code == Some(2) && outcome.stderr.contains(why), "{outcome:#?}");
    }
}

#[tokio::test]
async fn every_attempt_sends_the_whole_body() {
    let server = WireServer::start(|n| vec![reply([500, 500, 200][n.min(2)], "", "")]).await;
    let call = resilient().arguments(&[
        "post",
        &server.url(),
        "-d",
        "body",
        "--min-wait",
        "0",
        "--max-wait",
        "0.01",
    ]);
    assert_eq!(call.run().await.code, Some(0));
    let requests = server.requests();
    assert_eq!(
        requests.iter().filter(|request| request.ends_with("\r\n\r\nbody")).count(),
        3,
        "{requests:#?}"
    );
}

#[tokio::test]
async fn an_address_without_a_scheme_is_http() {
    let server = echo().await;
    let address = server.url().replace("http://", "");
    let port = address.rsplit(':').next().unwrap_or_default();
    for (address, target) in [
        (address.clone(), "/"),
        (format!("{address}/msg?to=http://other/"), "/msg?to=http://other/"),
        (format!("localhost:{port}/msg"), "/msg"),
    ] {
        let request = sent(&server, resilient().arguments(&["get", &address])).await;
        assert!(request.starts_with(&format!("GET {target} HTTP/1.1\r\n")), "{address}: {request}");
        let load = resilient().arguments(&["load", &address]).flag("--requests", 1);
        sent(&server, load.flag("--concurrency", 1)).await;
    }
}

#[tokio::test]
async fn an_ipv6_address_without_a_scheme_is_http() {
    let Ok(listener) = tokio::net::TcpListener::bind("[::1]:0").await else {
        println!("NOT RUN: this machine has no IPv6");
        return;
    };
    let address = format!("{}/x", listener.local_addr().unwrap());
    let program = resilient().arguments(&["get", &address, "--max-attempts", "1"]);
    let (outcome, _accepted) = tokio::join!(program.run(), async {
        let (mut stream, _) = within("a connection", listener.accept()).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nsix").await.unwrap();
        stream
    });
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "six"), "{outcome:#?}");
}

#[tokio::test]
async fn usage_errors_are_reported_before_the_body_is_read() {
    // Standard input that stays open and silent.
    let (silent, _writer) = std::io::pipe().unwrap();
    let program = resilient().arguments(&["post", "http://h/", "-d", "@-", "--max-attempts", "0"]);
    let outcome = end(program.command().stdin(silent).spawn().unwrap()).await;
    assert_eq!(outcome.code, Some(2), "{outcome:#?}");
}
