//! The upstream: which paths are forwarded, what the upstream gets, and what the client gets of its answer.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use workspace_tests::server::free_address;
use workspace_tests::wire_server::{Act, Gate, WireServer, drip, reply, send, until};
use workspace_tests::{Program, TestServer, answer, within};

/// Prepares a server in front of this upstream.
fn in_front_of(upstream: &WireServer) -> Program {
    TestServer::verbose().flag("--upstream", upstream.url())
}

/// An upstream that answers every request with 200 and `from upstream`.
async fn friendly() -> (WireServer, TestServer) {
    let upstream = WireServer::always(vec![reply(200, "", "from upstream")]).await;
    let server = in_front_of(&upstream).start().await;
    (upstream, server)
}

/// Sends `request` on a connection of its own, ends that side, and returns all that comes back.
async fn all_of(server: &TestServer, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).await.expect("the server listens");
    stream.write_all(request.as_bytes()).await.expect("the connection is open");
    let mut bytes = Vec::new();
    let _ = within("the end of the connection", stream.read_to_end(&mut bytes)).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The lines of a head, sorted, but for the first.
fn lines(head: &str) -> Vec<&str> {
    let mut lines: Vec<_> = head.split("\r\n\r\n").next().unwrap_or_default().split("\r\n").collect();
    lines[1..].sort_unstable();
    lines
}

#[tokio::test]
async fn own_paths_are_forwarded_at_the_root_and_answered_below_the_prefix() {
    let (upstream, server) = friendly().await;
    let paths = [
        "/msg",
        "/health",
        "/echo/a",
        "/sessions",
        "/s/a/msg",
        "/docs",
        "/openapi.json",
        "/fail/status",
        "/",
        "/nope",
        "/msg/",
    ];
    for path in paths {
        assert_eq!(answer(server.get(path)).await.text, "from upstream", "{path}");
    }
    assert_eq!(upstream.request_count(), paths.len());
    for path in [
        "/msg",
        "/health",
        "/echo/a",
        "/sessions",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/fail/status",
        "/s/default/__test/msg",
    ] {
        let own = answer(server.get(&format!("/__test{path}"))).await;
        assert_eq!(own.status, 200, "{path}");
        assert_ne!(own.text, "from upstream", "{path}");
    }
    for path in ["/__test", "/__test/", "/__test/nope"] {
        answer(server.get(path)).await.assert_is(404, &json!({"detail": "Not Found"}));
    }
    assert_eq!(answer(server.post("/__test/health")).await.status, 405);
    assert_eq!(answer(server.get("/__test/health/")).await.header("location"), Some("../health"));
    assert_eq!(answer(server.get("/__tests")).await.text, "from upstream");
    assert_eq!(upstream.request_count(), paths.len() + 1, "nothing else was forwarded");
}

#[tokio::test]
async fn the_prefix_can_be_chosen_and_the_health_check_finds_it() {
    let upstream = WireServer::always(vec![reply(200, "", "from upstream")]).await;
    let server = in_front_of(&upstream).flag("--control-prefix", "/own/paths").start().await;
    assert_eq!(answer(server.get("/own/paths/health")).await.body["status"], "ok");
    assert_eq!(answer(server.get("/__test/health")).await.text, "from upstream");
    let healthy = Program::test_server()
        .argument("health")
        .env("SERVER_HOST", "127.0.0.1")
        .env("SERVER_PORT", server.address().port().to_string())
        .env("SERVER_UPSTREAM", upstream.url())
        .env("SERVER_CONTROL_PREFIX", "/own/paths")
        .run()
        .await;
    assert_eq!((healthy.code, healthy.stdout.trim()), (Some(0), "healthy"), "{healthy:?}");
}

#[tokio::test]
async fn the_prefix_alone_changes_nothing() {
    let server = TestServer::builder().flag("--control-prefix", "/own").start().await;
    assert_eq!(answer(server.get("/health")).await.status, 200);
    assert_eq!(answer(server.get("/own/health")).await.status, 404);
}

#[tokio::test]
async fn credentials_of_the_upstream_are_sent_and_never_shown() {
    let upstream = WireServer::always(vec![reply(200, "", "")]).await;
    let url = upstream.url().replace("http://", "http://user:s3cret@");
    let server = TestServer::verbose().flag("--upstream", &url).start().await;
    answer(server.get("/a")).await;
    assert!(upstream.requests()[0].contains("authorization: Basic dXNlcjpzM2NyZXQ="));
    assert!(server.logs().iter().any(|line| line.text.contains("http://***@127.0.0.1")));
    assert!(server.logs().iter().all(|line| !line.text.contains("s3cret")));
    for program in [
        Program::test_server().argument("config-info").env("SERVER_UPSTREAM", &url),
        Program::test_server().argument("config-info").env("SERVER_UPSTREAM", "https://user:s3cret@host"),
        Program::test_server().argument("config-info").dotenv("SERVER_UPSTREAM=user:s3cret@host\n"),
        Program::test_server().argument("serve").flag("--upstream", "ftp://user:s3/cret@host"),
    ] {
        let outcome = program.run().await;
        let shown = outcome.stdout + &outcome.stderr;
        assert!(shown.contains("***@") && !shown.contains("s3"), "{shown}");
    }
}

#[tokio::test]
async fn a_path_under_a_session_is_whose_it_is_at_the_root_and_belongs_to_that_session() {
    let (upstream, server) = friendly().await;
    let created = answer(server.post("/__test/sessions").body(r#"{"id":"a"}"#)).await;
    assert_eq!(created.header("location"), Some("/__test/sessions/a"));
    let base_url = created.body["base_url"].as_str().unwrap();
    assert_eq!(base_url, server.url("/__test/s/a"));
    assert_eq!(answer(server.post("/__test/s/a/__test/fail/count/2")).await.status, 200);
    assert_eq!(answer(server.get("/orders")).await.text, "from upstream", "the default session");
    assert_eq!(answer(server.get("/__test/s/a/orders/?q=%2F")).await.status, 500);
    assert_eq!(answer(server.get("/health").header("X-Test-Session", "a")).await.status, 500, "by header");
    let forwarded = [
        "/orders/?q=%2F",
        "/",
        "",
        "/sessions",
        "/s/b",
        "/metrics",
        "/msg",
        "/health",
        "/faults",
        "/echo/x",
        "/fail/count/1",
        "/health/",
        "/__tests",
        "/openapi.json",
    ];
    for path in forwarded {
        assert_eq!(answer(server.get(&format!("/__test/s/a{path}"))).await.text, "from upstream", "{path}");
    }
    let targets: Vec<_> =
        upstream.requests().iter().map(|request| request.split(' ').nth(1).unwrap().to_owned()).collect();
    let expected = forwarded.map(|path| if path.is_empty() { "/" } else { path });
    assert_eq!(targets, [&["/orders"], &expected[..]].concat());
    assert_eq!(answer(server.get("/__test/s/a/__test/health")).await.body["status"], "ok", "an own route");
    let plan = r#"{"rules":[{"match":{"path":"/faults"},"fault":"418"}]}"#;
    let put = reqwest::Client::new().put(server.url("/__test/s/a/__test/faults")).body(plan);
    assert_eq!(answer(put).await.status, 200);
    assert_eq!(
        answer(server.get("/__test/s/a/faults")).await.status,
        418,
        "a fault on a path of the upstream"
    );
    assert_eq!(answer(server.get("/faults")).await.text, "from upstream", "in that session alone");
    for path in ["/sessions", "/s/a/msg", "/metrics", "/nope", "", "/"] {
        let own = answer(server.get(&format!("/__test/s/a/__test{path}"))).await;
        own.assert_is(404, &json!({"detail": "Not Found"}));
    }
    answer(server.get("/__test/s/b/orders")).await.assert_is(404, &json!({"detail": "No such session"}));
    answer(server.get("/x").header("X-Test-Session", "b"))
        .await
        .assert_is(404, &json!({"detail": "No such session"}));
}

#[tokio::test]
async fn the_upstream_gets_the_request_without_what_concerned_the_connection_or_us() {
    let (upstream, server) = friendly().await;
    let path = "/a//b/%2e./c%zz?x=1&&y=%20";
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: front:1\r\nConnection: close, x-hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n\
         TE: trailers\r\nTrailer: x\r\nProxy-Connection: a\r\nX-Fault: ok\r\nX-Test-Session: default\r\n\
         Accept-Encoding: gzip\r\nCookie: a=b\r\nX-Twice: 1\r\nX-Twice: 2\r\nIdempotency-Key: bad key, passed on\r\n\
         X-Request-ID: 1\r\nX-Request-ID: 2\r\nX-Forwarded-For: 192.0.2.1\r\nContent-Length: 4\r\n\r\nbody"
    );
    let got = all_of(&server, &head).await;
    assert!(got.starts_with("HTTP/1.1 200 OK\r\n") && got.ends_with("\r\n\r\nfrom upstream"), "{got}");
    let request = upstream.requests().remove(0);
    assert!(request.ends_with("\r\n\r\nbody"));
    let expected = [
        &format!("PUT {path} HTTP/1.1"),
        "accept-encoding: gzip",
        "content-length: 4",
        "cookie: a=b",
        &format!("host: {}", upstream.url().trim_start_matches("http://")),
        "idempotency-key: bad key, passed on",
        "x-forwarded-for: 192.0.2.1, 127.0.0.1",
        "x-forwarded-host: front:1",
        "x-forwarded-proto: http",
        "x-request-id: 1",
        "x-request-id: 2",
        "x-twice: 1",
        "x-twice: 2",
    ];
    assert_eq!(lines(&request), expected);
}

#[tokio::test]
async fn a_request_without_a_body_gets_none() {
    let (upstream, server) = friendly().await;
    assert_eq!(all_of(&server, "GET /a HTTP/1.0\r\n\r\n").await.lines().next(), Some("HTTP/1.0 200 OK"));
    let request = upstream.requests().remove(0);
    let host = format!("host: {}", upstream.url().trim_start_matches("http://"));
    assert_eq!(
        lines(&request),
        ["GET /a HTTP/1.1", &host, "x-forwarded-for: 127.0.0.1", "x-forwarded-proto: http"]
    );
}

#[tokio::test]
async fn every_method_and_any_target_is_forwarded_but_connect() {
    let (upstream, server) = friendly().await;
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
        let got =
            all_of(&server, &format!("{method} /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
        assert!(got.ends_with("from upstream"), "{got}");
        assert!(upstream.requests().last().unwrap().starts_with(&format!("{method} /a HTTP/1.1\r\n")));
    }
    all_of(&server, "GET http://other/b?c HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n").await;
    assert!(upstream.requests().last().unwrap().starts_with("GET /b?c HTTP/1.1\r\n"));
    all_of(&server, "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(upstream.requests().last().unwrap().starts_with("OPTIONS * HTTP/1.1\r\n"));
    let count = upstream.request_count();
    let got = all_of(&server, "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n").await;
    assert!(got.starts_with("HTTP/1.1 405 "), "{got}");
    assert_eq!(upstream.request_count(), count);
}

#[tokio::test]
async fn the_answer_of_the_upstream_is_not_changed() {
    let head = "HTTP/1.1 418 Teapot\r\nContent-Type: text/html\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nConnection: X-Hop\r\n\
                X-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Encoding: gzip\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\
                Upgrade: h2c\r\nServer: s\r\nX-Latin: \u{e9}\r\nContent-Length: 4\r\n\r\n\u{1}\u{2}\u{3}\u{4}";
    let upstream = WireServer::always(vec![send(head)]).await;
    let server = in_front_of(&upstream).start().await;
    let mut connection = server.connect().await;
    let got = connection.get("/a").await;
    assert_eq!((got.status, got.body.as_slice()), (418, &[1, 2, 3, 4][..]));
    let mut headers: Vec<_> = got.headers.iter().filter(|(name, _)| name != "x-correlation-id").collect();
    headers.sort_by_key(|(name, _)| name.clone());
    let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let expected = [
        "content-encoding: gzip",
        "content-length: 4",
        "content-type: text/html",
        "date: Thu, 01 Jan 1970 00:00:00 GMT",
        "server: s",
        "set-cookie: a=1",
        "set-cookie: b=2",
        "x-latin: \u{e9}",
    ];
    assert_eq!(headers, expected);
    assert!(got.header("x-correlation-id").is_some());
}

#[tokio::test]
async fn redirects_and_errors_are_passed_on_and_not_followed() {
    for status in [200, 201, 206, 301, 302, 307, 400, 401, 404, 429, 500, 502, 503, 599] {
        let headers = "Location: /elsewhere\r\nRetry-After: 7\r\nContent-Type: text/plain\r\n";
        let upstream = WireServer::always(vec![reply(status, headers, "as it is")]).await;
        let server = in_front_of(&upstream).start().await;
        let got = answer(server.get("/a")).await;
        assert_eq!((got.status, got.text.as_str()), (status, "as it is"));
        assert_eq!((got.header("location"), got.header("retry-after")), (Some("/elsewhere"), Some("7")));
        assert_eq!(upstream.request_count(), 1);
    }
}

#[tokio::test]
async fn every_framing_of_a_body_is_understood_and_packets_may_be_cut_anywhere() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n";
    let acts: [Vec<Act>; 6] = [
        vec![drip("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde")],
        vec![drip(chunked)],
        vec![send(chunked)],
        vec![drip("HTTP/1.1 200 OK\r\n\r\nabcde"), Act::Close],
        vec![drip("HTTP/1.0 200 OK\r\n\r\nabcde"), Act::Close],
        vec![drip(
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
        )],
    ];
    for acts in acts {
        let upstream = WireServer::always(acts.clone()).await;
        let server = in_front_of(&upstream).start().await;
        let mut connection = server.connect().await;
        for _ in 0..3 {
            let got = connection.get("/a").await;
            assert_eq!((got.status, got.body.as_slice()), (200, &b"abcde"[..]), "{acts:?}");
            assert_eq!(got.header("link").or(got.header("x-trailer")), None);
        }
        let got = all_of(&server, "GET /a HTTP/1.0\r\n\r\n").await;
        assert!(got.ends_with("\r\n\r\nabcde") && !got.to_lowercase().contains("chunked"), "{got}");
    }
}

#[tokio::test]
async fn answers_without_a_body_keep_their_length_and_the_connection() {
    let upstream = WireServer::start(|n| {
        vec![send(match n {
            0 => "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n",
            1 => "HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 12345\r\n\r\n",
            2 => "HTTP/1.1 204 No Content\r\n\r\n",
            3 => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            _ => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        })]
    })
    .await;
    let server = in_front_of(&upstream).start().await;
    let mut connection = server.connect().await;
    connection.request("HEAD", "/a", "").await;
    let head = connection.head().await;
    assert_eq!((head.status, head.header("content-length")), (200, Some("12345")));
    connection.request("GET", "/a", "").await;
    let head = connection.head().await;
    assert_eq!(
        (head.status, head.header("content-length"), head.header("etag")),
        (304, Some("12345"), Some("x"))
    );
    let got = connection.get("/a").await;
    assert_eq!(
        (got.status, got.header("content-length"), got.header("transfer-encoding")),
        (204, None, None)
    );
    connection.request("HEAD", "/a", "").await;
    assert_eq!(connection.head().await.status, 200);
    let got = connection.get("/a").await;
    assert_eq!((got.status, got.header("content-length")), (200, Some("0")));
    assert_eq!(upstream.connections(), 1, "all of them on one connection to the upstream");
}

#[tokio::test]
async fn an_upstream_that_does_not_answer_properly_is_a_502_that_the_log_explains() {
    let refused =
        TestServer::verbose().flag("--upstream", format!("http://{}", free_address())).start().await;
    let mut servers = vec![(refused, None)];
    for acts in [
        vec![Act::Close],
        vec![Act::Reset],
        vec![send("HTTP/1.1 200 OK\r\nContent-Le"), Act::Close],
        vec![send("SSH-2.0-OpenSSH_9.2p1\r\n"), Act::Close],
        vec![send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")],
        vec![send("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")],
        vec![send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")],
    ] {
        let upstream = WireServer::always(acts).await;
        servers.push((in_front_of(&upstream).start().await, Some(upstream)));
    }
    for (server, _upstream) in &servers {
        let mut connection = server.connect().await;
        for _ in 0..2 {
            let got = connection.get("/a").await;
            assert_eq!((got.status, got.json()), (502, json!({"detail": "Upstream unreachable"})));
            let id = got.header("x-correlation-id").unwrap().to_owned();
            let line = server
                .wait_for_log("why", |line| line.logger() == "server.upstream" && line.mentions(&id))
                .await;
            assert_eq!((line.level(), line.message()), ("warning", "Upstream unreachable"));
            assert!(line.event["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{line:?}");
        }
    }
    let (server, _) = &servers[0];
    let injected = answer(server.get("/a").header("X-Fault", "502")).await;
    injected.assert_is(502, &json!({"detail": "Induced server failure"}));
    let logged = |line: &&workspace_tests::logs::LogLine| line.logger() == "server.upstream";
    assert_eq!(server.logs().iter().filter(logged).count(), 2, "an injected 502 is not the upstream's");
}

#[tokio::test]
async fn a_truncated_answer_is_never_whole() {
    let heads = [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\nnot a size\r\n",
    ];
    for head in heads {
        for end in [Act::Close, Act::Reset] {
            let upstream = WireServer::always(vec![send(format!("{head}0123456789")), end.clone()]).await;
            let server = in_front_of(&upstream).start().await;
            let mut connection = server.connect().await;
            connection.request("GET", "/a", "").await;
            // What is seen to be broken before the head has been passed on is a 502.
            let got = connection.try_response().await.map(|got| got.status);
            assert!(matches!(got, None | Some(502)), "{head:?} {end:?}: {got:?}");
            server.wait_for_log("the reason", |line| line.logger() == "server.upstream").await;
        }
    }
    // A body that ends with the connection is whole when the connection is closed, and not when it is reset.
    for (end, is_whole) in [(Act::Close, true), (Act::Reset, false)] {
        let upstream = WireServer::always(vec![send("HTTP/1.1 200 OK\r\n\r\n0123456789"), end]).await;
        let server = in_front_of(&upstream).start().await;
        let mut connection = server.connect().await;
        connection.request("GET", "/a", "").await;
        let got = connection.try_response().await.filter(|got| got.status == 200);
        assert_eq!(got.is_some(), is_whole, "{got:?}");
    }
    let upstream = WireServer::always(vec![
        send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789"),
        Act::Close,
    ])
    .await;
    let server = in_front_of(&upstream).start().await;
    let got = all_of(&server, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(got.ends_with("\r\n\r\n0123456789"), "what has come is passed on: {got}");
}

#[tokio::test]
async fn bytes_behind_an_answer_are_never_the_next_answer() {
    let evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    for head in [
        format!("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood{evil}"),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n{evil}"),
    ] {
        let upstream = WireServer::always(vec![send(head)]).await;
        let server = in_front_of(&upstream).start().await;
        for _ in 0..5 {
            assert_eq!(answer(server.get("/a")).await.text, "good");
        }
        assert_eq!(upstream.connections(), 5);
    }
}

#[tokio::test]
async fn connections_to_the_upstream_are_used_again_and_stale_ones_replaced() {
    let (upstream, server) = friendly().await;
    let server = {
        drop(server);
        in_front_of(&upstream).flag("--workers", 1).start().await
    };
    for i in 0..20 {
        let request = server.post(&format!("/{i}")).body("x".repeat(i * 1000));
        assert_eq!(answer(request).await.text, "from upstream");
    }
    assert_eq!(upstream.connections(), 1);
    // The second request on a connection finds that the upstream closes it as the request comes.
    let stale =
        WireServer::start(|n| if n % 3 != 1 { vec![reply(200, "", "ok")] } else { vec![Act::Close] }).await;
    let server = in_front_of(&stale).flag("--workers", 1).start().await;
    for _ in 0..4 {
        assert_eq!(answer(server.get("/a")).await.status, 200);
    }
    // What is not idempotent is not sent twice.
    assert_eq!(answer(server.post("/a")).await.status, 200);
    assert_eq!(answer(server.post("/a")).await.status, 502);
    assert_eq!(stale.request_count(), 8);
}

#[tokio::test]
async fn failure_modes_rules_and_the_fault_header_act_on_forwarded_paths() {
    let (upstream, server) = friendly().await;
    let large = "x".repeat(3 << 20);
    answer(server.post("/__test/fail/count/1")).await;
    answer(server.post("/orders").body(large.clone()))
        .await
        .assert_is(500, &json!({"detail": "Induced server failure"}));
    assert_eq!(answer(server.get("/a").header("X-Fault", "429")).await.status, 429);
    assert_eq!(answer(server.post("/a").header("X-Fault", "503").body(large)).await.status, 503);
    assert_eq!(answer(server.get("/a").header("X-Fault", "nonsense")).await.status, 422);
    assert_eq!(upstream.request_count(), 0, "what comes instead of an answer is not forwarded");
    let plan = json!({"rules": [{"match": {"path": "/orders/*"}, "per": "key", "script": ["503", "ok"]}]});
    answer(server.post("/__test/fail/reset")).await;
    let put = reqwest::Client::new().put(server.url("/__test/faults")).json(&plan);
    assert_eq!(answer(put).await.status, 200);
    let keyed = async |key: &str| answer(server.get_keyed("/orders/1", key)).await.status;
    assert_eq!(
        [keyed("a").await, keyed("a").await, keyed("b").await, keyed("a").await],
        [503, 200, 503, 200]
    );
    assert_eq!(answer(server.get("/orders/1")).await.status, 200);
    assert_eq!(answer(server.get_keyed("/orders/1", "b")).await.header("idempotent-replayed"), None);
    assert_eq!(upstream.request_count(), 4, "keys are passed on and nothing is cached");
}

#[tokio::test]
async fn what_a_fault_does_to_an_answer_it_does_to_a_forwarded_one() {
    for reply in [
        "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nfrom upstream",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\nfrom upstream\r\n0\r\n\r\n",
    ] {
        let upstream = WireServer::always(vec![send(reply)]).await;
        let server = in_front_of(&upstream).start().await;
        let faulty = async |fault: &str| {
            let request =
                format!("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Fault: {fault}\r\n\r\n");
            all_of(&server, &request).await
        };
        assert!(faulty("ok").await.contains("from upstream"));
        assert_eq!(faulty("lose").await, "", "{reply}");
        assert_eq!(faulty("lose:close").await, "", "{reply}");
        let cut = faulty("truncate:5").await;
        assert!(cut.contains("from ") && !cut.contains("from u"), "{cut}");
        assert!(faulty("http10").await.starts_with("HTTP/1.0 200 OK\r\n"));
        assert!(faulty("interim").await.starts_with("HTTP/1.1 103 "));
        assert_eq!(upstream.request_count(), 6, "each was forwarded");
        assert_eq!(faulty("close").await, "");
        assert_eq!(upstream.request_count(), 6, "instead of an answer nothing is forwarded");
        assert_eq!(answer(server.get("/a")).await.text, "from upstream");
    }
}

#[tokio::test]
async fn the_request_timeout_bounds_the_wait_for_the_head_alone() {
    let upstream = WireServer::start(|n| match n {
        0 => vec![Act::Stall],
        _ => vec![
            send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"),
            Act::Pause(Duration::from_millis(2500)),
            send("1\r\nb\r\n0\r\n\r\n"),
        ],
    })
    .await;
    let server = in_front_of(&upstream).flag("--request-timeout", 1).start().await;
    answer(server.get("/a")).await.assert_is(408, &json!({"detail": "Request timeout"}));
    until(|| upstream.ended_connections() == 1).await;
    assert_eq!(answer(server.get("/a")).await.text, "ab");
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_exchange_and_gives_back_its_slot() {
    let upstream = WireServer::start(|n| match n % 3 {
        0 => vec![Act::Stall],
        1 => vec![send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), Act::Stall],
        _ => vec![reply(200, "", "done")],
    })
    .await;
    let server = in_front_of(&upstream).flag("--max-concurrency", 1).flag("--workers", 1).start().await;
    for round in 1..=3 {
        let mut connection = server.connect().await;
        connection.request("GET", "/waits", "").await;
        until(|| upstream.request_count() == 3 * round - 2).await;
        connection.close();
        let mut connection = server.connect().await;
        connection.request("GET", "/streams", "").await;
        assert_eq!(connection.head().await.status, 200);
        connection.close();
        assert_eq!(answer(server.get("/last")).await.text, "done");
        until(|| upstream.ended_connections() >= 2 * round).await;
    }
}

#[tokio::test]
async fn a_streamed_answer_holds_its_slot_and_the_next_request_until_its_last_byte() {
    let gate = Gate::closed();
    let streams =
        vec![send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"), Act::Wait(gate.clone()), send("b")];
    let upstream =
        WireServer::start(move |n| if n == 0 { streams.clone() } else { vec![reply(200, "", "second")] })
            .await;
    let server = in_front_of(&upstream).flag("--max-concurrency", 1).start().await;
    let mut first = server.connect().await;
    first.request("GET", "/first", "").await;
    first.request("GET", "/pipelined", "").await;
    assert_eq!(first.head().await.status, 200);
    let second = tokio::spawn(answer(server.get_keyed("/second", "second")));
    server.queued("second").await;
    assert!(
        server.logs().iter().all(|line| !line.mentions("/pipelined")),
        "it waits for the answer before it"
    );
    assert_eq!(upstream.request_count(), 1);
    gate.open();
    assert_eq!(within("the second", second).await.unwrap().text, "second");
    drop(first);
}

#[tokio::test]
async fn a_session_that_is_deleted_ends_its_streams() {
    let upstream =
        WireServer::always(vec![send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), Act::Stall]).await;
    let server = in_front_of(&upstream).start().await;
    answer(server.post("/__test/sessions").body(r#"{"id":"a"}"#)).await;
    let mut connection = server.connect().await;
    connection.request("GET", "/__test/s/a/stream", "").await;
    assert_eq!(connection.head().await.status, 200);
    let deleted = reqwest::Client::new().delete(server.url("/__test/sessions/a"));
    assert_eq!(answer(deleted).await.status, 204);
    assert_eq!(connection.closed().await, b"abc");
    until(|| upstream.ended_connections() == 1).await;
}
