//! Compressed replies, as servers send them over a socket: asked for, decoded, cut, corrupt, or left alone.

use std::time::Duration;

use resilient_client::{ClientConfig, ErrorKind, Method, ResilientClient};
use workspace_tests::coded::{ZSTD_TEXT, bare_deflate, brotli, gzip, gzip_bomb, zlib, zstd};
use workspace_tests::wire_server::{Act, WireServer, drip, reply, send};

const TEXT: &str = "the quick brown fox jumps over the lazy dog, and over it again and again and again";

/// Two attempts with a wait of a millisecond.
fn config(url: String) -> ClientConfig {
    let mut config = workspace_tests::direct(url);
    config.retry.max_attempts = 2;
    config.retry.min_wait = Duration::from_millis(1);
    config.retry.jitter = false;
    config.circuit_breaker.failure_threshold = 1_000;
    config
}

fn client(server: &WireServer) -> ResilientClient {
    ResilientClient::start(config(server.url())).expect("a valid configuration")
}

/// A whole reply with a coded body.
fn coded(status: u16, codings: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status} Status\r\nX-Other: kept\r\nContent-Encoding: {codings}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn chunked(codings: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nX-Other: kept\r\nContent-Encoding: {codings}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let mut reply = head.into_bytes();
    for chunk in body.chunks(7) {
        reply.extend(format!("{:x}\r\n", chunk.len()).bytes());
        reply.extend(chunk);
        reply.extend(b"\r\n");
    }
    reply.extend(b"0\r\n\r\n");
    reply
}

/// The values of the header in a request.
fn accepted(request: &str) -> Option<&str> {
    let fields = request.lines().filter_map(|line| line.split_once(": "));
    fields.filter(|(name, _)| name.eq_ignore_ascii_case("accept-encoding")).map(|(_, value)| value).next()
}

/// Each coding, with the body that it gives.
fn codings() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let text = TEXT.as_bytes();
    vec![
        ("gzip", gzip(text), TEXT),
        ("x-gzip", gzip(text), TEXT),
        ("gzip", [gzip(&text[..20]), gzip(&text[20..])].concat(), TEXT),
        ("deflate", zlib(text), TEXT),
        ("deflate", bare_deflate(text), TEXT),
        ("br", brotli(text), TEXT),
        ("zstd", zstd(), ZSTD_TEXT),
        ("gzip, br", brotli(&gzip(text)), TEXT),
        ("identity, gzip", gzip(text), TEXT),
    ]
}

#[actix_rt::test]
async fn every_coding_is_asked_for_and_decoded_in_every_framing() {
    for (codings, body, text) in codings() {
        let close = [
            format!("HTTP/1.1 200 OK\r\nX-Other: kept\r\nContent-Encoding: {codings}\r\n\r\n").as_bytes(),
            &body,
        ]
        .concat();
        let server = WireServer::start(move |n| match n {
            0 => vec![send(coded(200, codings, &body))],
            1 => vec![send(chunked(codings, &body))],
            2 => vec![drip(coded(200, codings, &body))],
            _ => vec![send(&close), Act::Close],
        })
        .await;
        let client = client(&server);
        for framing in ["length", "chunked", "byte by byte", "close"] {
            let reply = client.get("/").send().await.unwrap();
            assert_eq!(reply.text().unwrap(), text, "{codings} {framing}");
            for gone in ["content-encoding", "content-length"] {
                assert!(!reply.headers().contains(gone), "{codings} {framing}: {:?}", reply.headers());
            }
            assert_eq!(reply.headers().get("x-other"), Some("kept"));
        }
        assert_eq!(accepted(&server.requests()[0]), Some("gzip, deflate, br, zstd"));
        assert_eq!(server.connections(), 1, "a decoded reply leaves its connection usable");
    }
}

#[actix_rt::test]
async fn a_coded_stream_that_ends_too_early_is_a_truncated_reply_and_retried() {
    for (codings, body, text) in codings() {
        let cut = body[..body.len() - 3].to_vec();
        let server = WireServer::start(move |n| match n {
            // Whole as far as HTTP can tell.
            0 => vec![send(coded(200, codings, &cut))],
            _ => vec![send(coded(200, codings, &body))],
        })
        .await;
        let reply = client(&server).get("/").send().await.unwrap();
        assert_eq!((reply.text().unwrap(), reply.attempts().len()), (text, 2), "{codings}");
        assert_eq!(reply.attempts()[0].error.map(ErrorKind::name), Some("network"));
    }
}

#[actix_rt::test]
async fn a_body_without_a_byte_is_empty_where_its_end_is_marked_and_cut_where_it_is_not() {
    for (head, end, whole) in [
        ("Content-Length: 0\r\n\r\n", None, true),
        ("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", None, true),
        ("\r\n", Some(Act::Close), false),
    ] {
        let bytes = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n{head}");
        let acts: Vec<_> = std::iter::once(send(bytes)).chain(end).collect();
        let server = WireServer::always(acts).await;
        match client(&server).get("/").send().await {
            Ok(reply) => assert!(whole && reply.body().is_empty(), "{head:?}"),
            Err(error) => assert!(!whole && error.kind().name() == "network", "{head:?}: {error}"),
        }
    }
}

#[actix_rt::test]
async fn a_corrupt_body_is_a_decode_error_that_is_not_retried_and_does_not_count() {
    for (codings, mut body, _) in codings() {
        // Neither a checksum nor a valid stream survives this.
        body.extend(b"garbage after the end");
        let server = WireServer::always(vec![send(coded(200, codings, &body))]).await;
        let mut config = config(server.url());
        config.circuit_breaker.failure_threshold = 1;
        let client = ResilientClient::start(config).unwrap();
        for _ in 0..3 {
            let error = client.get("/").send().await.unwrap_err();
            assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Decode, 1), "{codings}: {error}");
            assert!(error.message().contains("is not valid"), "{error}");
            assert!(!error.is_retryable());
        }
    }
    let server = WireServer::always(vec![send(coded(200, "gzip, br, gzip, br", b"x"))]).await;
    let error = client(&server).get("/").send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::Decode, 1), "{error}");
}

#[actix_rt::test]
async fn a_status_that_is_an_error_stays_that_error_whatever_its_body_is() {
    let corrupt = |status| vec![send(coded(status, "gzip", b"no gzip at all"))];
    let server = WireServer::always(corrupt(503)).await;
    let error = client(&server).get("/").send().await.unwrap_err();
    assert_eq!((error.kind().name(), error.attempts().len()), ("service_unavailable", 2), "{error}");
    let server = WireServer::always(corrupt(404)).await;
    let error = client(&server).get("/").send().await.unwrap_err();
    assert_eq!((error.kind().name(), error.status()), ("not_found", Some(404)), "{error}");
    assert!(error.response().unwrap().body().is_empty());

    let body = gzip(br#"{"detail":"no such thing"}"#);
    let server = WireServer::always(vec![send(coded(404, "gzip", &body))]).await;
    let error = client(&server).get("/").send().await.unwrap_err();
    assert_eq!(error.response().unwrap().text().unwrap(), r#"{"detail":"no such thing"}"#);
}

#[actix_rt::test]
async fn the_coded_body_of_a_redirect_does_not_matter() {
    let server = WireServer::start(|n| match n {
        0 => {
            let head =
                "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n";
            vec![send(format!("{head}\r\nwrong"))]
        }
        _ => vec![reply(200, "", "there")],
    })
    .await;
    let reply = client(&server).get("/").send().await.unwrap();
    assert_eq!((reply.text().unwrap(), reply.attempts().len()), ("there", 1));
}

#[actix_rt::test]
async fn what_was_not_asked_for_stays_as_it_is() {
    let body = gzip(TEXT.as_bytes());
    let whole = coded(200, "gzip", &body);
    let part = coded(206, "gzip", &body);
    let unknown = coded(200, "gzip, dcb", &body);
    for (name, bytes, asked) in [("off", &whole, false), ("own", &whole, false), ("range", &part, false)]
        .into_iter()
        .chain([("part", &part, true), ("unknown", &unknown, true)])
    {
        let server = WireServer::always(vec![send(bytes)]).await;
        let client =
            ResilientClient::start(ClientConfig { compression: name != "off", ..config(server.url()) });
        let client = client.unwrap();
        let call = match name {
            "own" => client.get("/").header("Accept-Encoding", "gzip;q=0.5"),
            "range" => client.get("/").header("Range", "bytes=0-99"),
            _ => client.get("/"),
        };
        let reply = call.send().await.unwrap();
        assert_eq!(reply.body(), &body[..], "{name}");
        assert!(reply.headers().contains("content-encoding"), "{name}");
        assert_eq!(reply.headers().get("content-length"), Some(&*body.len().to_string()), "{name}");
        let sent = &server.requests()[0];
        assert_eq!(accepted(sent) == Some("gzip, deflate, br, zstd"), asked, "{name}: {sent}");
        if name == "own" {
            assert_eq!(accepted(sent), Some("gzip;q=0.5"), "{sent}");
        }
    }
}

#[actix_rt::test]
async fn a_head_asks_for_no_coding_and_keeps_its_headers() {
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5000\r\n\r\n";
    let server = WireServer::always(vec![send(head)]).await;
    let reply = client(&server).call(Method::Head, "/").send().await.unwrap();
    let headers = reply.headers();
    assert_eq!(
        (headers.get("content-encoding"), headers.get("content-length")),
        (Some("gzip"), Some("5000"))
    );
    assert_eq!(accepted(&server.requests()[0]), Some("identity"));
}

#[actix_rt::test]
async fn the_decoded_body_is_bounded() {
    let length = TEXT.len() as u64;
    for (codings, body, _) in codings().into_iter().filter(|(codings, ..)| *codings != "zstd") {
        let server = WireServer::always(vec![send(coded(200, codings, &body))]).await;
        for (bound, fits) in [(length, true), (length - 1, false)] {
            let config = ClientConfig { max_body_bytes: bound, ..config(server.url()) };
            match ResilientClient::start(config).unwrap().get("/").send().await {
                Ok(reply) => assert!(fits && reply.text().unwrap() == TEXT, "{codings} {bound}"),
                Err(error) => assert!(!fits && error.kind() == ErrorKind::BodyTooLarge, "{codings}: {error}"),
            }
        }
    }
    let server = WireServer::always(vec![send(coded(200, "gzip", &gzip_bomb()))]).await;
    let error = client(&server).get("/").send().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts().len()), (ErrorKind::BodyTooLarge, 1), "{error}");
}

#[actix_rt::test]
async fn a_head_that_is_replaced_below_has_its_codings_too() {
    // awc would take this for a switch of protocols, so it gets another head.
    let body = gzip(TEXT.as_bytes());
    let head = format!(
        "HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let server = WireServer::always(vec![send([head.as_bytes(), &body].concat())]).await;
    let reply = client(&server).get("/").send().await.unwrap();
    assert_eq!((reply.text().unwrap(), reply.headers().contains("content-encoding")), (TEXT, false));
    assert_eq!(reply.headers().get("upgrade"), Some("h2c"));
}
