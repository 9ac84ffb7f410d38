//! Cross-origin requests: which origins may read the answers, errors included, depends on the configuration.

use reqwest::Method;
use reqwest::RequestBuilder;
use workspace_tests::{Answer, TestServer, answer};

const ALLOWED: &str = "https://app.example.com";
const OTHER: &str = "https://evil.example.org";

fn from_origin(request: RequestBuilder, origin: &str) -> RequestBuilder {
    request.header("Origin", origin)
}

async fn preflight(server: &TestServer, path: &str, origin: &str, method: &str) -> Answer {
    let request = workspace_tests::http::client().request(Method::OPTIONS, server.url(path));
    let request = request.header("Access-Control-Request-Method", method);
    answer(from_origin(request, origin).header("Access-Control-Request-Headers", "x-request-id")).await
}

fn cors_headers(answer: &Answer) -> Vec<&str> {
    let names = answer.headers.keys().map(reqwest::header::HeaderName::as_str);
    names.filter(|name| name.starts_with("access-control-")).collect()
}

fn allowed_origin(answer: &Answer) -> Option<&str> {
    answer.header("Access-Control-Allow-Origin")
}

/// Starts a server that allows `origins`, a comma-separated list.
async fn open_to(origins: &str) -> TestServer {
    TestServer::builder().env("SERVER_CORS_ENABLED", "true").env("SERVER_CORS_ORIGINS", origins).start().await
}

#[tokio::test]
async fn by_default_no_other_origin_is_allowed() {
    let server = TestServer::start().await;
    let simple = answer(from_origin(server.get("/msg"), ALLOWED)).await;
    simple.message_id();
    assert_eq!(cors_headers(&simple), [""; 0]);
    let refused = preflight(&server, "/msg", ALLOWED, "GET").await;
    assert_eq!((refused.status, cors_headers(&refused)), (405, vec![]));
}

#[tokio::test]
async fn origins_have_no_effect_while_cors_is_off() {
    let server = TestServer::builder().env("SERVER_CORS_ORIGINS", ALLOWED).start().await;
    assert_eq!(cors_headers(&answer(from_origin(server.get("/msg"), ALLOWED)).await), [""; 0]);
}

#[tokio::test]
async fn without_a_list_any_origin_is_allowed_without_credentials() {
    let server = TestServer::builder().env("SERVER_CORS_ENABLED", "true").start().await;
    for origin in [ALLOWED, OTHER, "null"] {
        let simple = answer(from_origin(server.get("/msg"), origin)).await;
        simple.message_id();
        assert!([Some("*"), Some(origin)].contains(&allowed_origin(&simple)), "{simple:#?}");
        assert_eq!(simple.header("Access-Control-Allow-Credentials"), None);
        let asked = preflight(&server, "/msg", origin, "GET").await;
        assert!((200..=204).contains(&asked.status), "{asked:#?}");
        assert!([Some("*"), Some(origin)].contains(&allowed_origin(&asked)), "{asked:#?}");
        assert_eq!(asked.header("Access-Control-Allow-Credentials"), None);
    }
}

#[tokio::test]
async fn a_preflight_allows_the_methods_and_the_header_in_use() {
    for server in
        [TestServer::builder().env("SERVER_CORS_ENABLED", "true").start().await, open_to(ALLOWED).await]
    {
        for (path, method) in
            [("/msg", "GET"), ("/fail/count/1", "POST"), ("/fail/reset", "POST"), ("/health", "GET")]
        {
            let asked = preflight(&server, path, ALLOWED, method).await;
            assert!((200..=204).contains(&asked.status), "{path}: {asked:#?}");
            let methods = asked.header("Access-Control-Allow-Methods").unwrap_or_default();
            assert!(methods == "*" || methods.contains(method), "{path}: {asked:#?}");
            let headers = asked.header("Access-Control-Allow-Headers").unwrap_or_default().to_lowercase();
            assert!(headers == "*" || headers.contains("x-request-id"), "{path}: {asked:#?}");
        }
    }
}

#[tokio::test]
async fn a_preflight_for_any_method_is_answered() {
    for server in [open_to("").await, open_to(ALLOWED).await] {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            for path in ["/msg", "/fail/status", "/nope"] {
                let asked = preflight(&server, path, ALLOWED, method).await;
                assert!((200..=204).contains(&asked.status), "{method} {path}: {asked:#?}");
                let methods = asked.header("Access-Control-Allow-Methods").unwrap_or_default();
                assert!(methods == "*" || methods.contains(method), "{method} {path}: {asked:#?}");
            }
        }
    }
}

#[tokio::test]
async fn a_star_and_null_and_an_empty_list_allow_any_origin_without_credentials() {
    for origins in ["*", "null", "", " , "] {
        let server =
            TestServer::builder().env("SERVER_CORS_ENABLED", "yes").env("SERVER_CORS_ORIGINS", origins);
        let simple = answer(from_origin(server.start().await.get("/msg"), OTHER)).await;
        assert!([Some("*"), Some(OTHER)].contains(&allowed_origin(&simple)), "{origins:?}: {simple:#?}");
        assert_eq!(simple.header("Access-Control-Allow-Credentials"), None, "{origins:?}");
    }
}

#[tokio::test]
async fn a_configured_origin_matches_what_browsers_send_for_it() {
    let server = open_to("http://x:80, HTTPS://App.Example.COM:443/, http://localhost:5173").await;
    for origin in ["http://x", "https://app.example.com", "http://localhost:5173"] {
        let simple = answer(from_origin(server.get("/msg"), origin)).await;
        assert_eq!(allowed_origin(&simple), Some(origin), "{simple:#?}");
    }
    assert_eq!(allowed_origin(&answer(from_origin(server.get("/msg"), "https://x")).await), None);
}

#[tokio::test]
async fn with_a_list_only_its_origins_are_allowed() {
    let server = open_to(&format!("{ALLOWED}, http://localhost:3000")).await;
    for origin in [ALLOWED, "http://localhost:3000"] {
        let simple = answer(from_origin(server.get("/msg"), origin)).await;
        simple.message_id();
        assert_eq!(allowed_origin(&simple), Some(origin), "{simple:#?}");
        assert_eq!(simple.header("Access-Control-Allow-Credentials"), Some("true"), "{simple:#?}");
        let vary: String =
            simple.headers.get_all("Vary").iter().map(|v| v.to_str().unwrap().to_lowercase()).collect();
        assert!(vary.contains("origin"), "a shared cache must not mix origins: {simple:#?}");
    }
    for origin in [OTHER, "http://localhost:3001", "https://app.example.com.evil.org", "null"] {
        // The server answers, and the browser hides the answer from the page.
        let simple = answer(from_origin(server.get("/msg"), origin)).await;
        simple.message_id();
        assert_eq!(allowed_origin(&simple), None, "{origin}: {simple:#?}");
        let asked = preflight(&server, "/msg", origin, "GET").await;
        assert_eq!(allowed_origin(&asked), None, "{origin}: {asked:#?}");
    }
}

#[tokio::test]
async fn allowed_origins_can_read_errors() {
    let server = TestServer::builder()
        .env("SERVER_CORS_ENABLED", "true")
        .env("SERVER_CORS_ORIGINS", ALLOWED)
        .flag("--request-timeout", 1);
    let server = server.start().await;
    answer(server.post("/fail/count/1")).await;
    let requests = [
        (500, server.get("/msg")),
        (408, server.get("/msg?delay=30000")),
        (422, server.get("/msg?delay=x")),
        (404, server.get("/nope")),
        (405, server.post("/msg")),
    ];
    for (status, request) in requests {
        let error = answer(from_origin(request, ALLOWED)).await;
        assert_eq!((error.status, allowed_origin(&error)), (status, Some(ALLOWED)), "{error:#?}");
    }
}

#[tokio::test]
async fn allowed_origins_can_read_the_headers_of_this_server() {
    let server = open_to(ALLOWED).await;
    let simple = answer(from_origin(server.get("/msg"), ALLOWED)).await;
    let exposed = simple.header("Access-Control-Expose-Headers").unwrap_or_default().to_lowercase();
    for name in ["x-correlation-id", "idempotent-replayed"] {
        assert!(exposed == "*" || exposed.contains(name), "{simple:#?}");
    }
}
