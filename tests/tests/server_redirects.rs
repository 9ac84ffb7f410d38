//! A path with a slash too many at its end leads to the path without it.

use reqwest::Method;
use serde_json::json;
use workspace_tests::{TestServer, answer};

#[tokio::test]
async fn a_path_with_a_slash_too_many_leads_to_the_one_without_it() {
    let server = TestServer::start().await;
    let client = workspace_tests::http::client();
    let cases = [
        (Method::GET, "/msg/", "/msg"),
        (Method::GET, "/msg/?delay=5&x=%20y", "/msg?delay=5&x=%20y"),
        (Method::GET, "/msg/?", "/msg?"),
        (Method::GET, "/msg//", "/msg"),
        (Method::POST, "/fail/count/0/", "/fail/count/0"),
        (Method::POST, "/fail/duration/0/", "/fail/duration/0"),
        (Method::POST, "/fail/reset/", "/fail/reset"),
        (Method::GET, "/fail/status/", "/fail/status"),
        (Method::GET, "/health/", "/health"),
        (Method::HEAD, "/health/", "/health"),
        (Method::GET, "/docs/", "/docs"),
        (Method::GET, "/redoc/", "/redoc"),
        (Method::GET, "/openapi.json/", "/openapi.json"),
        // A wrong method and a wrong value are refused where they lead.
        (Method::PUT, "/msg/", "/msg"),
        (Method::POST, "/fail/count/x/", "/fail/count/x"),
    ];
    for (method, from, to) in cases {
        let redirect = answer(client.request(method.clone(), server.url(from))).await;
        assert_eq!(redirect.status, 307, "{method} {from}");
        let base = reqwest::Url::parse(&server.url(from)).unwrap();
        let target = base.join(redirect.header("Location").expect("a location")).unwrap();
        assert_eq!(target.as_str(), server.url(to), "{method} {from}");
    }
}

#[tokio::test]
async fn the_location_is_relative_so_that_it_holds_behind_a_path_prefix() {
    let server = TestServer::start().await;
    let redirect = answer(server.get("/msg/?delay=1")).await;
    let location = redirect.header("Location").expect("a location");
    let outside = reqwest::Url::parse("https://proxy.example/prefix/msg/?delay=1").unwrap();
    assert_eq!(outside.join(location).unwrap().as_str(), "https://proxy.example/prefix/msg?delay=1");
}

#[tokio::test]
async fn only_a_path_that_exists_is_redirected_to() {
    let server = TestServer::start().await;
    for path in ["/", "//", "/nope/", "/fail/", "/fail/count/", "/msg/x/", "//msg/", "/MSG/", "/docs/x/y/"] {
        answer(server.get(path)).await.assert_is(404, &json!({ "detail": "Not Found" }));
    }
}

#[tokio::test]
async fn a_small_body_changes_neither_a_redirect_nor_a_404() {
    let server = TestServer::start().await;
    for (path, status) in [("/fail/count/3/", 307), ("/nope", 404)] {
        let mut connection = server.connect().await;
        for _ in 0..3 {
            let request = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}");
            connection.send(request).await.unwrap();
            assert_eq!(connection.response().await.status, status, "{path}");
        }
        assert_eq!(connection.get("/health").await.status, 200, "the connection is usable after {path}");
        // More than is ignored anywhere.
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n");
        connection.send(head + &"x".repeat(20_000)).await.unwrap();
        assert_eq!(connection.response().await.status, 413, "{path} with a large body");
    }
    assert_eq!(answer(server.get("/fail/status")).await.body["currently_failing"], json!(false));
}

#[tokio::test]
async fn a_client_that_follows_redirects_gets_there_with_its_method() {
    let server = TestServer::start().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let armed = answer(client.post(server.url("/fail/count/2/"))).await;
    assert_eq!(armed.body["fail_requests_count"], 2);
    assert_eq!(answer(client.get(server.url("/msg/"))).await.status, 500);
}
