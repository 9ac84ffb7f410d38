//! The client against servers that speak TLS.

use std::{io::Write, time::Duration};

use resilient_client::{ClientConfig, ResilientClient, RetryConfig};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use workspace_tests::{
    certificates::Certificate,
    wire_server::{Act, Reading, WireServer, reply, send},
};

/// Two attempts with a wait of a millisecond.
fn config(url: String) -> ClientConfig {
    let mut config = workspace_tests::direct(url);
    config.retry =
        RetryConfig { max_attempts: 2, min_wait: Duration::from_millis(1), jitter: false, ..config.retry };
    config
}

fn insecure(server: &WireServer) -> ResilientClient {
    let config = ClientConfig { verify_ssl: false, ..config(server.tls_url()) };
    ResilientClient::start(config).expect("a valid configuration")
}

#[actix_rt::test]
async fn an_untrusted_certificate_is_refused_and_not_retried() {
    let server = WireServer::with(Reading::Requests, Some(Certificate::self_signed().server()), |_| {
        vec![reply(200, "", "")]
    })
    .await;
    let client = ResilientClient::start(config(server.tls_url())).unwrap();
    let error = client.get("/").send().await.unwrap_err();
    assert_eq!((error.kind().name(), error.attempts().len()), ("network", 1));
    assert!(!error.is_retryable());
    assert!(error.message().contains("certificate"), "{error}");
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!(server.request_count(), 0);
}

#[actix_rt::test]
async fn without_verification_calls_go_through() {
    let server = WireServer::with(Reading::Requests, Some(Certificate::self_signed().server()), |_| {
        vec![reply(200, "", "hi")]
    })
    .await;
    let client = insecure(&server);
    for _ in 0..3 {
        assert_eq!(client.get("/x").send().await.unwrap().text().unwrap(), "hi");
    }
    assert_eq!(server.connections(), 1);
    let host = server.tls_url().replace("https://", "host: ");
    assert!(server.requests()[0].to_lowercase().contains(&host), "{}", server.requests()[0]);
}

#[actix_rt::test]
async fn a_truncated_reply_is_never_a_success_even_before_a_graceful_close() {
    for bytes in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        for end in [Act::Close, Act::Cut] {
            let acts = vec![send(bytes), end];
            let server =
                WireServer::with(Reading::Requests, Some(Certificate::self_signed().server()), move |_| {
                    acts.clone()
                })
                .await;
            let error = insecure(&server).get("/").send().await.unwrap_err();
            assert_eq!((error.kind().name(), error.attempts().len()), ("network", 2), "{error}");
        }
    }
}

#[actix_rt::test]
async fn a_body_that_ends_with_the_connection_needs_a_graceful_close() {
    for (end, whole) in [(Act::Close, true), (Act::Cut, false)] {
        let acts = vec![send("HTTP/1.0 200 OK\r\n\r\nhello"), end];
        let server =
            WireServer::with(Reading::Requests, Some(Certificate::self_signed().server()), move |_| {
                acts.clone()
            })
            .await;
        let result = insecure(&server).get("/").send().await;
        assert_eq!(result.is_ok(), whole, "{result:?}");
    }
}

#[actix_rt::test]
async fn a_handshake_that_stalls_is_ended_by_the_connect_timeout() {
    let server = WireServer::with(Reading::Nothing, None, |_| vec![Act::Stall]).await;
    let mut config = config(server.tls_url());
    config.timeout.connect = Duration::from_millis(100);
    let error = ResilientClient::start(config).unwrap().get("/").send().await.unwrap_err();
    assert_eq!((error.kind().name(), error.attempts().len()), ("timeout", 2), "{error}");
    assert!(error.message().contains("no connection within"), "{error}");
}

#[actix_rt::test]
async fn a_server_that_does_not_speak_tls_is_a_network_error() {
    let server =
        WireServer::with(Reading::Nothing, None, |_| vec![send("HTTP/1.1 400 Bad\r\n\r\n"), Act::Close])
            .await;
    let error = insecure(&server).get("/").send().await.unwrap_err();
    assert_eq!((error.kind().name(), error.attempts().len()), ("network", 2), "{error}");
}

#[actix_rt::test]
async fn the_certificates_of_the_ca_file_are_trusted() {
    let (own, other) = (Certificate::self_signed(), Certificate::self_signed());
    let server =
        WireServer::with(Reading::Requests, Some(own.server()), |_| vec![reply(200, "", "hi")]).await;
    for (pem, trusted) in [(own.pem(), true), (other.pem() + &own.pem(), true), (other.pem(), false)] {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(pem.as_bytes()).unwrap();
        let config = ClientConfig { ca_file: Some(file.path().to_owned()), ..config(server.tls_url()) };
        let result = ResilientClient::start(config).unwrap().get("/").send().await;
        match result {
            Ok(reply) => assert!(trusted && reply.body() == &b"hi"[..]),
            Err(error) => {
                assert!(!trusted && error.message().contains("certificate"), "{error}");
                assert_eq!(error.attempts().len(), 1);
            }
        }
    }
}

#[actix_rt::test]
async fn a_ca_file_without_a_certificate_is_refused_at_the_start() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"no certificate").unwrap();
    for path in [file.path().to_owned(), "/there/is/no/such/file".into()] {
        let config = ClientConfig { ca_file: Some(path.clone()), ..config("https://localhost".to_owned()) };
        let error = ResilientClient::start(config).unwrap_err();
        assert_eq!(error.kind().name(), "config");
        assert!(error.message().contains("ca_file"), "{error}");
        assert!(error.message().contains(path.to_str().unwrap()), "{error}");
    }
}

#[actix_rt::test]
async fn a_server_that_requires_a_client_certificate_is_not_tried_again() {
    for version in [&TLS12, &TLS13] {
        let tls = Certificate::self_signed().server_requiring_client_certificates(version);
        let server = WireServer::with(Reading::Requests, Some(tls), |_| vec![reply(200, "", "hi")]).await;
        for body in [0, 1 << 20] {
            let error = insecure(&server).post("/").body(vec![b'x'; body]).send().await.unwrap_err();
            assert_eq!((error.kind().name(), error.attempts().len()), ("network", 1), "{version:?}: {error}");
            assert!(!error.is_retryable(), "{version:?}: {error}");
            assert!(error.message().contains("requires a client certificate"), "{version:?}: {error}");
        }
    }
}

#[actix_rt::test]
async fn an_early_refusal_over_tls_is_the_answer() {
    for end in [Act::Close, Act::Stall] {
        let acts = vec![reply(413, "", "no"), end];
        let tls = Certificate::self_signed().server();
        let server = WireServer::with(Reading::Nothing, Some(tls), move |_| acts.clone()).await;
        let error = insecure(&server).post("/").body(vec![b'x'; 20 << 20]).send().await.unwrap_err();
        assert_eq!((error.status(), error.attempts().len()), (Some(413), 1), "{error}");
    }
}
