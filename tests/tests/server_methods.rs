//! HEAD and CONNECT, the two methods with framing rules of their own.

use serde_json::json;
use workspace_tests::{TestServer, within};

/// Headers that differ from one answer to the next.
const OF_ONE_ANSWER: [&str; 2] = ["x-correlation-id", "date"];

#[tokio::test]
async fn head_is_answered_with_the_head_of_get_and_no_body() {
    let server = TestServer::start().await;
    for path in ["/health", "/openapi.json", "/docs", "/redoc", "/docs/swagger-ui.css"] {
        let mut connection = server.connect().await;
        let get = connection.get(path).await;
        connection.request("HEAD", path, "").await;
        let head = connection.head().await;
        let lasting = |headers: &[(String, String)]| {
            let mut headers = headers.to_vec();
            headers.retain(|(name, _)| !OF_ONE_ANSWER.contains(&name.as_str()));
            if path == "/health" {
                // The uptime may have got a digit more meanwhile.
                headers.retain(|(name, _)| name != "content-length");
            }
            headers.sort_unstable();
            headers
        };
        assert_eq!((head.status, lasting(&head.headers)), (200, lasting(&get.headers)), "HEAD {path}");
        let length: usize = head.header("Content-Length").expect("a length").parse().expect("a number");
        assert!(length.abs_diff(get.body.len()) <= 2, "HEAD {path}: {length} of {}", get.body.len());
        assert!(head.header("X-Correlation-ID").is_some(), "HEAD {path}");
        // Bytes of a body would be taken for the next answer.
        assert_eq!(connection.get("/fail/status").await.status, 200, "after HEAD {path}");
    }
}

#[tokio::test]
async fn head_is_a_405_on_msg_and_the_failure_routes() {
    let server = TestServer::start().await;
    let routes = [
        ("/msg", "GET"),
        ("/fail/count/1", "POST"),
        ("/fail/duration/1", "POST"),
        ("/fail/reset", "POST"),
        ("/fail/status", "GET"),
    ];
    for (path, allowed) in routes {
        let mut connection = server.connect().await;
        connection.request("HEAD", path, "").await;
        let refused = connection.head().await;
        assert_eq!((refused.status, refused.header("Allow")), (405, Some(allowed)), "HEAD {path}");
        assert_eq!(connection.get("/health").await.status, 200, "after HEAD {path}");
    }
}

#[tokio::test]
async fn the_allow_header_names_head_where_it_is_answered() {
    let server = TestServer::start().await;
    for path in ["/health", "/openapi.json", "/docs", "/redoc"] {
        let mut connection = server.connect().await;
        connection.request("PUT", path, "Content-Length: 0\r\n").await;
        assert_eq!(connection.response().await.header("Allow"), Some("GET, HEAD"), "{path}");
    }
}

#[tokio::test]
async fn connect_is_a_405_at_once_and_ends_the_connection() {
    // The request timeout and the shutdown are further away than the test waits.
    let server = TestServer::builder().flag("--request-timeout", 300).start().await;
    for target in ["/msg", "/fail/reset", "/nope", "example.com:443", "/msg/"] {
        for more in ["", "\x16\x03\x01 a TLS hello"] {
            let mut connection = server.connect().await;
            connection.request("CONNECT", target, "").await;
            connection.send(more).await.unwrap();
            let refused = connection.response().await;
            assert_eq!(refused.status, 405, "CONNECT {target}: {refused:?}");
            assert_eq!(refused.json(), json!({ "detail": "Method Not Allowed" }), "CONNECT {target}");
            assert!(refused.header("Allow").is_some(), "CONNECT {target}: {refused:?}");
            assert!(refused.header("X-Correlation-ID").is_some(), "CONNECT {target}: {refused:?}");
            assert_eq!(refused.header("Connection"), Some("close"), "CONNECT {target}: {refused:?}");
        }
    }
    let mut connection = server.connect().await;
    connection.request("CONNECT", "/msg", "").await;
    connection.response().await;
    assert!(within("the connection ends", connection.closed()).await.is_empty());
}
