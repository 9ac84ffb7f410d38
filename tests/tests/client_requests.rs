//! The bytes of requests, and the heads of replies at their limits.

use std::time::Duration;

use resilient_client::{Call, ClientConfig, Method, ResilientClient, Response};
use workspace_tests::wire_server::{Act, WireServer, drip, reply, send};

fn config(url: String) -> ClientConfig {
    let mut config = workspace_tests::direct(url);
    config.retry.min_wait = Duration::from_millis(1);
    config.retry.jitter = false;
    config
}

fn client(server: &WireServer) -> ResilientClient {
    ResilientClient::start(config(server.url())).expect("a valid configuration")
}

/// The request line, the fields in alphabetical order, and the body.
fn parts(request: &str) -> (String, Vec<String>, String) {
    let (head, body) = request.split_once("\r\n\r\n").expect("a head has an end");
    let mut lines = head.split("\r\n").map(str::to_owned);
    let line = lines.next().expect("a head has a first line");
    let mut fields: Vec<_> = lines.collect();
    fields.sort();
    (line, fields, body.to_owned())
}

#[actix_rt::test]
async fn a_request_has_exactly_the_fields_that_it_needs() {
    let server = WireServer::always(vec![reply(200, "", "")]).await;
    let client = client(&server);
    let host = server.url().replace("http://", "host: ");
    let common = |extra: &[&str]| {
        let mut fields = vec![host.clone(), "user-agent: test".to_owned(), "x-request-id: one".to_owned()];
        fields.extend(extra.iter().map(|field| (*field).to_owned()));
        fields.sort();
        fields
    };
    for (method, body, extra) in [
        (Method::Get, "", &[][..]),
        (Method::Head, "", &[]),
        (Method::Delete, "", &[]),
        (Method::Options, "", &[]),
        (Method::Post, "", &["content-length: 0"]),
        (Method::Put, "", &["content-length: 0"]),
        (Method::Patch, "", &["content-length: 0"]),
        (Method::Post, "body\r\n\r\n", &["content-length: 8"]),
        (Method::Delete, "body", &["content-length: 4"]),
        (Method::Get, "body", &["content-length: 4"]),
    ] {
        let mut call = client.call(method, "/path").request_id("one").header("user-agent", "test");
        if !body.is_empty() {
            call = call.body(body);
        }
        call.send().await.unwrap();
        let (line, mut fields, sent) = parts(server.requests().last().unwrap());
        fields.retain(|field| !field.starts_with("accept-encoding: "));
        assert_eq!(line, format!("{method} /path HTTP/1.1"));
        assert_eq!((fields, &sent[..]), (common(extra), body), "{method} {body:?}");
    }
    assert_eq!(server.connections(), 1);
}

#[actix_rt::test]
async fn a_date_of_the_callers_is_sent() {
    let server = WireServer::always(vec![reply(200, "", "")]).await;
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    client(&server).get("/").header("date", date).send().await.unwrap();
    assert!(server.requests()[0].contains(&format!("\r\ndate: {date}\r\n")), "{}", server.requests()[0]);
}

#[actix_rt::test]
async fn a_request_with_a_long_head_and_a_body_is_sent_whole() {
    let server = WireServer::always(vec![reply(200, "", "")]).await;
    let (long, body) = ("x".repeat(30_000), "y".repeat(100_000));
    client(&server).post("/").header("x-long", &long).body(body.clone()).send().await.unwrap();
    let (_, fields, sent) = parts(&server.requests()[0]);
    assert!(fields.contains(&format!("x-long: {long}")));
    assert!(!fields.iter().any(|field| field.starts_with("date: ")));
    assert!(sent == body);
}

#[actix_rt::test]
async fn the_target_always_begins_with_a_slash() {
    let server = WireServer::always(vec![reply(200, "", "")]).await;
    let url = server.url();
    let client = client(&server);
    for (path, target) in [
        (format!("{url}?x=1"), "/?x=1"),
        (url.clone(), "/"),
        ("?x=1".to_owned(), "/?x=1"),
        ("/a b/%2e%2e/c".to_owned(), "/a%20b/%2e%2e/c"),
    ] {
        client.get(&path).send().await.unwrap();
        let (line, ..) = parts(server.requests().last().unwrap());
        assert_eq!(line, format!("GET {target} HTTP/1.1"), "{path}");
    }
}

async fn answer(act: Act) -> Result<Response, resilient_client::Error> {
    let server = WireServer::always(vec![act]).await;
    client(&server).get("/").send().await
}

#[actix_rt::test]
async fn an_upgrade_in_an_ordinary_reply_changes_nothing() {
    for connection in ["", "Connection: upgrade\r\n", "Connection: Upgrade, keep-alive\r\n"] {
        for upgrade in ["websocket", "h2c", "TLS/1.0, HTTP/2.0"] {
            for (status, ok) in [(200, true), (426, false), (404, false)] {
                let text = format!(
                    "HTTP/1.1 {status} Status\r\nUpgrade: {upgrade}\r\n{connection}Content-Length: 16\r\n\r\n0123456789abcdef"
                );
                let server = WireServer::always(vec![send(text)]).await;
                let client = client(&server);
                for _ in 0..2 {
                    let result = client.get("/").send().await;
                    assert_eq!(result.is_ok(), ok, "{status} {upgrade}");
                    let response = match &result {
                        Ok(response) => response,
                        Err(error) => error.response().unwrap(),
                    };
                    assert_eq!(response.body(), &b"0123456789abcdef"[..], "{status} {upgrade}");
                    assert_eq!(response.headers().get("upgrade"), Some(upgrade));
                    assert_eq!(response.attempts().len().max(1), 1);
                }
                assert_eq!((server.request_count(), server.connections()), (2, 1), "{status} {upgrade}");
            }
        }
    }
}

#[actix_rt::test]
async fn a_folded_field_is_read_as_one_line() {
    let text = "HTTP/1.1 200 OK\r\nX-Folded: one\r\n two\r\n\tthree\r\nContent-Length: 2\r\n\r\nok";
    for act in [send(text), drip(text)] {
        let reply = answer(act).await.unwrap();
        assert_eq!(reply.headers().get("x-folded"), Some("one two three"));
        assert_eq!((reply.text().unwrap(), reply.attempts().len()), ("ok", 1));
    }
}

fn with_fields(count: usize) -> String {
    let fields: String = (1..count).map(|n| format!("X-{n}: {n}\r\n")).collect();
    format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok")
}

fn with_length(length: usize) -> String {
    let (start, end) = ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: ", "\r\n\r\n");
    format!("{start}{}{end}ok", "x".repeat(length - start.len() - end.len()))
}

fn with_interim(count: usize) -> String {
    format!(
        "{}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 102 Processing\r\n\r\n".repeat(count)
    )
}

#[actix_rt::test]
async fn a_head_is_read_up_to_its_limits() {
    for text in [
        with_fields(97),
        with_fields(1_000),
        with_length(100_000),
        with_length(256 * 1024),
        with_interim(100),
    ] {
        let reply = answer(send(&text)).await.unwrap_or_else(|error| panic!("{}: {error:?}", &text[..60]));
        assert_eq!((reply.text().unwrap(), reply.attempts().len()), ("ok", 1));
    }
    let reply = answer(send(with_fields(1_000))).await.unwrap();
    assert_eq!((reply.headers().len(), reply.headers().get("x-999")), (1_000, Some("999")));
}

#[actix_rt::test]
async fn a_head_beyond_a_limit_is_an_error_that_names_it_and_is_neither_retried_nor_counted() {
    for (text, limit) in [
        (with_fields(1_001), "1000 fields"),
        (with_length(256 * 1024 + 1), "256 KiB"),
        (format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(600_000)), "256 KiB"),
        (with_interim(101), "100 interim replies"),
    ] {
        let server = WireServer::always(vec![send(text)]).await;
        let mut config = config(server.url());
        config.circuit_breaker.failure_threshold = 1;
        let client = ResilientClient::start(config).unwrap();
        for n in 1..=2 {
            let error = client.get("/").send().await.unwrap_err();
            assert!(error.message().contains(limit), "{limit}: {error}");
            assert!(!error.is_retryable(), "{limit}");
            assert_eq!((error.attempts().len(), server.request_count()), (1, n), "{limit}");
        }
    }
}

#[actix_rt::test]
async fn the_body_of_a_redirect_does_not_count() {
    for framing in ["Content-Length: 5000\r\n", "Connection: close\r\n"] {
        let server = WireServer::start(move |n| match n {
            0 => {
                let head = format!("HTTP/1.1 302 Found\r\nLocation: /there\r\n{framing}\r\n");
                vec![send(head + &"x".repeat(5_000)), Act::Close]
            }
            _ => vec![reply(200, "", "there")],
        })
        .await;
        let client =
            ResilientClient::start(ClientConfig { max_body_bytes: 1_000, ..config(server.url()) }).unwrap();
        let reply = client.get("/").send().await.unwrap();
        assert_eq!((reply.text().unwrap(), reply.attempts().len()), ("there", 1), "{framing}");
    }
}

#[actix_rt::test]
async fn a_redirect_that_is_not_followed_says_why() {
    for (status, fields, why, requests) in [
        (302, "Location: /\r\n", "in a loop", 11),
        (302, "", "a redirect without a Location", 1),
        (302, "Location: http:///echo/x\r\n", "Location is not an http or https URL", 1),
        (302, "Location: http://me:password@h/\r\n", "credentials in its Location", 1),
        (304, "Location: /there\r\n", "Not Modified", 1),
        (300, "Location: /there\r\n", "the server answered 300", 1),
    ] {
        let server = WireServer::always(vec![reply(status, fields, "")]).await;
        let error = client(&server).get("/").send().await.unwrap_err();
        assert!(error.message().contains(why), "{status} {fields:?}: {error}");
        assert!(!error.to_string().contains("password"), "{error}");
        assert_eq!((error.status(), server.request_count()), (Some(status), requests));
    }
    let server = WireServer::start(|n| vec![reply(302, &format!("Location: /{n}\r\n"), "")]).await;
    let error = client(&server).get("/start").send().await.unwrap_err();
    assert!(error.message().contains("too many redirects"), "{error}");
    assert_eq!(server.request_count(), 11);
}

#[actix_rt::test]
async fn an_address_with_a_password_is_refused_without_repeating_it() {
    for url in ["ftp://user:password@host/", "http://user:password@host/"] {
        let error = ResilientClient::start(workspace_tests::direct(url)).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("password"), "{error:?}");
        let client = ResilientClient::start(workspace_tests::direct("http://127.0.0.1:1")).unwrap();
        let error = client.send(Call::get(url)).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("password"), "{error:?}");
    }
}
