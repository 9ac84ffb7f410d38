//! Whatever method and headers a page of an allowed origin asks for, its preflight is answered.

use reqwest::Method;
use workspace_tests::{Answer, Program, TestServer, answer};

const ORIGIN: &str = "https://app.example.com";

/// Every header that gives a request a meaning here.
const HEADERS: &str = "x-request-id, idempotency-key, x-test-session, x-fault, content-type";

/// The methods of the specification, registered ones of other specifications, and some that no specification has.
const METHODS: [&str; 12] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "QUERY", "PROPFIND", "M-SEARCH",
    "x!y",
];

fn open(origins: Option<&str>) -> Program {
    let server = TestServer::builder().env("SERVER_CORS_ENABLED", "true");
    match origins {
        Some(origins) => server.env("SERVER_CORS_ORIGINS", origins),
        None => server,
    }
}

async fn preflight(server: &TestServer, path: &str, method: &str) -> Answer {
    let request = workspace_tests::http::client().request(Method::OPTIONS, server.url(path));
    let request = request.header("Origin", ORIGIN).header("Access-Control-Request-Method", method);
    answer(request.header("Access-Control-Request-Headers", HEADERS)).await
}

fn list(answer: &Answer, header: &str) -> Vec<String> {
    let values = answer.header(header).unwrap_or_default().split(',');
    values.map(|value| value.trim().to_lowercase()).collect()
}

#[tokio::test]
async fn a_preflight_for_any_method_and_for_both_keys_is_answered() {
    for origins in [None, Some(ORIGIN)] {
        let server = open(origins).start().await;
        for path in ["/msg", "/fail/reset", "/echo/some/path"] {
            for method in METHODS {
                let asked = preflight(&server, path, method).await;
                assert_eq!(asked.status, 200, "{method} {path}: {asked:#?}");
                let methods = list(&asked, "Access-Control-Allow-Methods");
                let allowed =
                    |name: &str| methods.contains(&name.to_lowercase()) || methods.contains(&"*".to_owned());
                assert!(allowed(method), "{method} {path}: {asked:#?}");
                let headers = list(&asked, "Access-Control-Allow-Headers");
                for header in HEADERS.split(", ") {
                    assert!(headers.contains(&header.to_owned()), "{header} for {method} {path}: {asked:#?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_page_may_read_the_headers_that_say_what_happened() {
    let server = open(None).start().await;
    for request in [server.get("/msg"), server.get("/msg/"), server.get("/nope"), server.get("/msg?delay=x")]
    {
        let exposed = list(&answer(request.header("Origin", ORIGIN)).await, "Access-Control-Expose-Headers");
        for header in ["x-correlation-id", "idempotent-replayed", "location"] {
            assert!(exposed.contains(&header.to_owned()), "{header} in {exposed:?}");
        }
    }
}

#[tokio::test]
async fn a_refused_preflight_says_why() {
    let server = open(Some("https://other.example.com")).start().await;
    let refused = preflight(&server, "/msg", "GET").await;
    assert_eq!(refused.status, 400, "{refused:#?}");
    let detail = refused.body["detail"].as_str().expect("a detail");
    assert!(detail.to_lowercase().contains("origin"), "{detail}");
}
