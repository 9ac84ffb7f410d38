//! What a call can set for itself: credentials, forms with files, and what happens to redirects.

use std::time::Duration;

use resilient_client::{ClientConfig, ErrorKind, Multipart, Part, Redirects, ResilientClient, StatusError};
use workspace_tests::wire_server::{WireServer, reply};

fn client(url: String, follow_redirects: bool) -> ResilientClient {
    let mut config = ClientConfig { follow_redirects, ..workspace_tests::direct(url) };
    config.retry.min_wait = Duration::from_millis(1);
    config.retry.jitter = false;
    ResilientClient::start(config).expect("a valid configuration")
}

/// The values of a header in a request.
fn values<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    let fields = request.lines().skip(1).take_while(|line| !line.is_empty());
    let fields = fields.filter_map(|line| line.split_once(": "));
    fields.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

#[actix_rt::test]
async fn credentials_go_with_every_attempt_and_stay_on_their_origin() {
    let elsewhere = WireServer::always(vec![reply(200, "", "")]).await;
    let there = format!("Location: {}/there\r\n", elsewhere.url());
    let server = WireServer::start(move |n| match n % 3 {
        0 => vec![reply(503, "", "")],
        1 => vec![reply(307, "Location: /again\r\n", "")],
        _ => vec![reply(307, &there, "")],
    })
    .await;
    let client = client(server.url(), true);
    client.get("/").basic_auth("Aladdin", "open sesame").send().await.unwrap();
    client.get("/").bearer_auth("token-1").send().await.unwrap();
    // A retry begins anew at the first URL: 503, then 307, 307, and a request to the other server.
    let sent: Vec<_> = server.requests().iter().map(|r| values(r, "authorization").join(",")).collect();
    let basic = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
    assert_eq!(sent, [basic, basic, basic, "Bearer token-1", "Bearer token-1", "Bearer token-1"]);
    for request in elsewhere.requests() {
        assert_eq!(values(&request, "authorization"), [""; 0], "{request}");
    }
    assert_eq!(elsewhere.request_count(), 2);
}

#[actix_rt::test]
async fn every_attempt_sends_the_same_form_whole() {
    let server = WireServer::start(|n| vec![reply(if n == 0 { 503 } else { 200 }, "", "")]).await;
    let file: Vec<u8> = (0..=127).collect();
    let form = Multipart::new()
        .text("title", "Sommer & Söhne")
        .part("photo", Part::bytes(file.clone()).file_name("beach.bin").content_type("image/x-beach"));
    client(server.url(), true).post("/photos").multipart(form).send().await.unwrap();
    let requests = server.requests();
    let [first, second] = &requests[..] else { panic!("{requests:?}") };
    let (head, body) = first.split_once("\r\n\r\n").unwrap();
    let (second_head, second_body) = second.split_once("\r\n\r\n").unwrap();
    assert_eq!((body, values(head, "content-type")), (second_body, values(second_head, "content-type")));
    let [content_type] = values(head, "content-type")[..] else { panic!("{head}") };
    let boundary =
        content_type.strip_prefix("multipart/form-data; boundary=").expect("it names its boundary");
    let file = String::from_utf8(file).unwrap();
    let expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nSommer & Söhne\r\n\
         --{boundary}\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"beach.bin\"\r\n\
         Content-Type: image/x-beach\r\n\r\n{file}\r\n--{boundary}--\r\n"
    );
    assert_eq!(body, expected);
    assert_eq!(values(head, "content-length"), [expected.len().to_string()]);
}

#[actix_rt::test]
async fn cookies_are_kept_and_sent_back_if_the_client_is_configured_so() {
    let script = |n| match n {
        0 => vec![reply(302, "Set-Cookie: a=1; Path=/\r\nLocation: /there\r\n", "")],
        1 => vec![reply(503, "Set-Cookie: b=2; HttpOnly\r\n", "")],
        _ => vec![reply(200, "", "")],
    };
    for (cookies, expected) in [(true, ["", "a=1", "a=1; b=2", "a=1; b=2"]), (false, [""; 4])] {
        let server = WireServer::start(script).await;
        let mut config = ClientConfig { cookies, ..workspace_tests::direct(server.url()) };
        config.retry.min_wait = Duration::from_millis(1);
        config.retry.jitter = false;
        let client = ResilientClient::start(config).unwrap();
        client.get("/").send().await.unwrap();
        client.get("/").send().await.unwrap();
        let sent: Vec<_> = server.requests().iter().map(|r| values(r, "cookie").join(" and ")).collect();
        assert_eq!(sent[..4], expected, "{cookies}");

        // A call with cookies of its own has no others; another origin gets none.
        client.get("/").header("Cookie", "own=1").send().await.unwrap();
        assert_eq!(values(server.requests().last().unwrap(), "cookie"), ["own=1"]);
        let other = WireServer::always(vec![reply(200, "", "")]).await;
        client.get(other.url().replace("127.0.0.1", "localhost")).send().await.unwrap();
        assert_eq!(values(&other.requests()[0], "cookie"), [""; 0]);
        client.clear_cookies();
        client.get("/").send().await.unwrap();
        assert_eq!(values(server.requests().last().unwrap(), "cookie"), [""; 0]);
    }
}

#[actix_rt::test]
async fn a_call_decides_for_itself_whether_redirects_are_followed() {
    let server = WireServer::start(|n| match n % 2 {
        0 => vec![reply(302, "Location: /there\r\n", "")],
        _ => vec![reply(200, "", "there")],
    })
    .await;
    let following = client(server.url(), true);
    let error = following.get("/").redirects(Redirects::Keep).send().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Status(StatusError::Other), Some(302)));
    assert_eq!(error.response().unwrap().headers().get("location"), Some("/there"));
    assert_eq!((server.request_count(), error.attempts().len()), (1, 1));

    let server = WireServer::start(|n| match n % 2 {
        0 => vec![reply(302, "Location: /there\r\n", "")],
        _ => vec![reply(200, "", "there")],
    })
    .await;
    let keeping = client(server.url(), false);
    let reply = keeping.get("/").redirects(Redirects::Follow).send().await.unwrap();
    assert_eq!((reply.text().unwrap(), server.request_count()), ("there", 2));
    keeping.get("/").send().await.unwrap_err();
}
