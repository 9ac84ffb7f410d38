//! The client behind a proxy: plain requests and tunnels, credentials, and proxies that fail in every way.

use std::{
    io::Write,
    sync::{Mutex, OnceLock},
    time::{Duration, Instant},
};

use resilient_client::{ClientConfig, Error, ErrorKind, LogLevel, ProxyConfig, ResilientClient, StatusError};
use tokio::net::TcpListener;
use workspace_tests::{
    certificates::Certificate,
    proxy::{Manner, Tinyproxy, TunnelProxy},
    wire_server::{Act, Reading, WireServer, reply, send},
};

/// Two attempts with a wait of a millisecond, through the proxy at this address.
fn config(base_url: impl Into<String>, proxy: &str) -> ClientConfig {
    let mut config = ClientConfig::new(base_url);
    config.proxy = ProxyConfig { url: Some(format!("http://{proxy}")), from_env: false, no_proxy: None };
    config.verify_ssl = false;
    config.retry.max_attempts = 2;
    config.retry.min_wait = Duration::from_millis(1);
    config.retry.jitter = false;
    config.circuit_breaker.failure_threshold = 1_000;
    config
}

fn client(base_url: impl Into<String>, proxy: &str) -> ResilientClient {
    ResilientClient::start(config(base_url, proxy)).expect("a valid configuration")
}

fn with_credentials(address: &str) -> String {
    format!("user:hidden@{address}")
}

const CREDENTIALS: &str = "Basic dXNlcjpoaWRkZW4=";

async fn tls_server() -> WireServer {
    let tls = Some(Certificate::self_signed().server());
    WireServer::with(Reading::Requests, tls, |_| vec![reply(200, "", "origin")]).await
}

fn address(server: &WireServer) -> String {
    server.url().replace("http://", "")
}

fn values<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    let fields = request.lines().skip(1).take_while(|line| !line.is_empty());
    let fields = fields.filter_map(|line| line.split_once(": "));
    fields.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
}

/// Everything that an error shows.
fn shown(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text.push_str(&format!(" {inner} {inner:?}"));
        source = inner.source();
    }
    text
}

#[actix_rt::test]
async fn a_plain_request_goes_to_the_proxy_in_absolute_form_with_its_credentials() {
    let proxy = WireServer::always(vec![reply(200, "", "from the proxy")]).await;
    // No such host exists: the proxy is the one that looks it up.
    let client = client("http://origin.invalid:8080/api", &with_credentials(&address(&proxy)));
    for (path, target) in [
        ("/x?a=1&b=//c", "http://origin.invalid:8080/api/x?a=1&b=//c"),
        ("", "http://origin.invalid:8080/api/"),
        ("http://other.invalid", "http://other.invalid/"),
        ("http://other.invalid?q=\"1\"", "http://other.invalid/?q=%221%22"),
        ("http://[::1]:81/y", "http://[::1]:81/y"),
    ] {
        let reply = client.post(path).body("body").send().await.unwrap();
        assert_eq!(reply.text().unwrap(), "from the proxy");
        let request = proxy.requests().pop().unwrap();
        assert!(request.starts_with(&format!("POST {target} HTTP/1.1\r\n")), "{request}");
        assert!(request.ends_with("\r\n\r\nbody"), "{request}");
        let host = target.split('/').nth(2).unwrap();
        assert_eq!(values(&request, "host"), [host], "{request}");
        assert_eq!(values(&request, "proxy-authorization"), [CREDENTIALS], "{request}");
    }
}

#[actix_rt::test]
async fn https_goes_through_a_tunnel_and_the_origin_sees_no_credentials_of_the_proxy() {
    let server = tls_server().await;
    let proxy = TunnelProxy::start(|_| Manner::Tunnel).await;
    let client = client(server.tls_url(), &with_credentials(&proxy.address()));
    for _ in 0..3 {
        let reply = client.get("/x").header("Authorization", "for the origin").send().await.unwrap();
        assert_eq!(reply.text().unwrap(), "origin");
    }
    let origin = server.tls_url().replace("https://", "");
    let expected =
        format!("CONNECT {origin} HTTP/1.1\r\nHost: {origin}\r\nproxy-authorization: {CREDENTIALS}\r\n\r\n");
    assert_eq!(proxy.heads(), [expected], "one tunnel for all calls, and nothing else in the clear");
    assert_eq!((server.connections(), server.request_count()), (1, 3));
    for request in server.requests() {
        assert!(request.starts_with("GET /x HTTP/1.1\r\n"), "{request}");
        assert_eq!(values(&request, "proxy-authorization"), [""; 0], "{request}");
        assert_eq!(values(&request, "authorization"), ["for the origin"], "{request}");
    }
}

#[actix_rt::test]
async fn the_certificate_behind_a_tunnel_is_that_of_the_origin() {
    let server = tls_server().await;
    let proxy = TunnelProxy::start(|_| Manner::Tunnel).await;
    let config = ClientConfig { verify_ssl: true, ..config(server.tls_url(), &proxy.address()) };
    let error = ResilientClient::start(config).unwrap().get("/").send().await.unwrap_err();
    assert_eq!((error.kind().name(), error.attempts().len()), ("network", 1), "{error}");
    assert!(error.message().contains("certificate"), "{error}");
}

#[actix_rt::test]
async fn a_407_is_an_authentication_error_that_is_not_retried() {
    let refusal =
        "HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
    let plain = WireServer::always(vec![send(refusal)]).await;
    let tunnel = TunnelProxy::start(|_| Manner::Answer(refusal.into())).await;
    for (url, proxy) in
        [("http://origin.invalid/", address(&plain)), ("https://origin.invalid/", tunnel.address())]
    {
        let error = client(url, &with_credentials(&proxy)).get("/").send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Status(StatusError::Authentication), "{url}: {error}");
        assert_eq!((error.status(), error.attempts().len()), (Some(407), 1), "{url}: {error}");
        let headers = error.response().unwrap().headers();
        assert_eq!(headers.get("proxy-authenticate"), Some("Basic realm=\"x\""));
        assert!(!error.is_retryable() && !shown(&error).contains("hidden"), "{}", shown(&error));
    }
    assert_eq!((plain.request_count(), tunnel.heads().len()), (1, 1));
}

#[actix_rt::test]
async fn a_proxy_that_is_of_no_use_is_a_network_error_that_names_it_and_is_retried() {
    // A port on which nobody listens any more.
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().to_string()
    };
    for url in ["http://origin.invalid/", "https://origin.invalid/"] {
        for proxy in [closed.clone(), "proxy.invalid:3128".to_owned()] {
            let error = client(url, &with_credentials(&proxy)).get("/").send().await.unwrap_err();
            assert_eq!((error.kind().name(), error.attempts().len()), ("network", 2), "{url}: {error}");
            assert!(error.message().contains(&format!("the proxy {proxy}")), "{url}: {error}");
            assert!(!shown(&error).contains("hidden"), "{}", shown(&error));
        }
    }
    for (manner, why) in [
        (Manner::Close, "ended the connection"),
        (Manner::Answer(b"HTTP/1.1 200 OK\r\n".to_vec()), "ended the connection"),
        (Manner::Answer(b"220 smtp.example.com\r\n".to_vec()), "did not answer with HTTP"),
        (Manner::Answer(b"HTTP/1.1 200 OK\r\n\r\nstray".to_vec()), "did not answer with HTTP"),
        (Manner::Answer(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno".to_vec()), "answered 403"),
        (Manner::Answer(b"HTTP/1.1 502 Bad\r\n\r\n".to_vec()), "answered 502"),
        (Manner::Answer(b"HTTP/1.1 302 Found\r\nLocation: http://h/\r\n\r\n".to_vec()), "answered 302"),
    ] {
        let proxy = TunnelProxy::start(move |_| manner.clone()).await;
        let error = client("https://origin.invalid/", &with_credentials(&proxy.address()));
        let error = error.get("/").send().await.unwrap_err();
        assert_eq!((error.kind().name(), error.attempts().len()), ("network", 2), "{why}: {error}");
        let message = error.message();
        assert!(message.contains(&proxy.address()) && message.contains(why), "{why}: {error}");
        assert!(!shown(&error).contains("hidden"), "{}", shown(&error));
        assert_eq!(proxy.heads().len(), 2);
    }
}

#[actix_rt::test]
async fn a_proxy_that_recovers_is_used_by_the_next_attempt() {
    let server = tls_server().await;
    let proxy = TunnelProxy::start(|n| if n == 0 { Manner::Close } else { Manner::Tunnel }).await;
    let reply = client(server.tls_url(), &proxy.address()).get("/").send().await.unwrap();
    assert_eq!((reply.text().unwrap(), reply.attempts().len()), ("origin", 2));
}

#[actix_rt::test]
async fn a_silent_proxy_is_bounded_by_the_timeouts_and_the_deadline() {
    let tunnel = TunnelProxy::start(|_| Manner::Silent).await;
    let mut short = config("https://origin.invalid/", &with_credentials(&tunnel.address()));
    short.timeout.connect = Duration::from_millis(50);
    let error = ResilientClient::start(short).unwrap().get("/").send().await.unwrap_err();
    assert_eq!((error.kind().name(), error.attempts().len()), ("timeout", 2), "{error}");
    assert!(error.message().contains(&format!("through the proxy {}", tunnel.address())), "{error}");

    let plain = WireServer::always(vec![Act::Stall]).await;
    let mut short = config("http://origin.invalid/", &address(&plain));
    short.timeout.read = Duration::from_millis(50);
    let error = ResilientClient::start(short).unwrap().get("/").send().await.unwrap_err();
    assert_eq!((error.kind().name(), error.attempts().len()), ("timeout", 2), "{error}");

    for url in ["http://origin.invalid/", "https://origin.invalid/"] {
        let proxy = if url.starts_with("https") { tunnel.address() } else { address(&plain) };
        let call = client(url, &proxy).get("/").deadline(Duration::from_millis(50));
        let begun = Instant::now();
        let error = call.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded, "{url}: {error}");
        // Without the deadline it would take as long as the connect timeout at least.
        assert!(begun.elapsed() < Duration::from_secs(5), "{url}");
    }
}

#[actix_rt::test]
async fn a_redirect_to_a_host_without_proxy_goes_there_without_the_credentials_of_the_proxy() {
    let direct = WireServer::always(vec![reply(200, "", "direct")]).await;
    let location = format!("Location: {}/there\r\n", direct.url());
    let proxy = WireServer::start(move |_| vec![reply(302, &location, "")]).await;
    let mut config = config("http://origin.invalid/", &with_credentials(&address(&proxy)));
    config.proxy.no_proxy = Some("127.0.0.0/8".to_owned());
    let reply = ResilientClient::start(config).unwrap().get("/").send().await.unwrap();
    assert_eq!(reply.text().unwrap(), "direct");
    let request = &direct.requests()[0];
    assert!(request.starts_with("GET /there HTTP/1.1\r\n"), "{request}");
    assert_eq!(values(request, "proxy-authorization"), [""; 0], "{request}");
    assert_eq!(proxy.request_count(), 1);
}

#[actix_rt::test]
async fn connections_are_kept_for_each_origin() {
    let proxy = WireServer::always(vec![reply(200, "", "")]).await;
    let client = client("http://one.invalid/", &address(&proxy));
    for path in ["/", "/", "http://two.invalid/", "/", "http://two.invalid/x", "http://one.invalid:81/"] {
        client.get(path).send().await.unwrap();
    }
    assert_eq!((proxy.request_count(), proxy.connections()), (6, 3));
}

#[actix_rt::test]
async fn a_proxy_that_closed_an_idle_connection_costs_no_attempt() {
    let proxy = WireServer::start(|_| vec![reply(200, "", ""), Act::Close]).await;
    let client = client("http://origin.invalid/", &address(&proxy));
    for _ in 0..20 {
        let reply = client.post("/").body("x").send().await.unwrap();
        assert_eq!(reply.attempts().len(), 1);
    }
}

#[actix_rt::test]
async fn what_is_no_proxy_is_refused_at_the_start_without_its_credentials() {
    for url in ["socks5://user:hidden@127.0.0.1:1", "https://user:hidden@127.0.0.1:1", "http://user:hidden@"]
    {
        let mut config = ClientConfig::new("http://origin.invalid/");
        config.proxy.url = Some(url.to_owned());
        assert!(!format!("{config:?}").contains("hidden"), "{config:?}");
        let error = ResilientClient::start(config).unwrap_err();
        assert_eq!((error.kind(), error.field().unwrap().field()), (ErrorKind::Config, "proxy.url"));
        assert!(!shown(&error).contains("hidden"), "{}", shown(&error));
    }
}

/// A logger that keeps every line of this process.
struct Lines(Mutex<Vec<String>>);

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().expect("no test panics while it logs").push(format!(
            "{} {}",
            record.target(),
            record.args()
        ));
    }

    fn flush(&self) {}
}

#[actix_rt::test]
async fn the_credentials_of_a_proxy_are_in_no_log_line() {
    static LINES: OnceLock<&Lines> = OnceLock::new();
    let lines: &'static Lines = Box::leak(Box::new(Lines(Mutex::default())));
    LINES.set(lines).ok().unwrap();
    log::set_logger(lines).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let proxy = TunnelProxy::start(|_| Manner::Close).await;
    let mut config = config("https://origin.invalid/", &with_credentials(&proxy.address()));
    config.logging.level = LogLevel::Debug;
    let client = ResilientClient::start(config).unwrap();
    client.get("/").send().await.unwrap_err();
    client.close().await;
    let lines = lines.0.lock().unwrap().join("\n");
    assert!(lines.contains("Retrying"), "{lines}");
    let (_, base64) = CREDENTIALS.split_once(' ').unwrap();
    assert!(!lines.contains("hidden") && !lines.contains(base64), "{lines}");
}

/// A running tinyproxy; `None` after saying that there is none.
async fn tinyproxy(lines: &str) -> Option<Tinyproxy> {
    let proxy = Tinyproxy::start(lines).await;
    if proxy.is_none() {
        // Past the test harness, which hides what a passing test prints.
        let _ = writeln!(std::io::stderr(), "NOT RUN: tinyproxy is neither in TINYPROXY nor in the PATH");
    }
    proxy
}

#[actix_rt::test]
async fn tinyproxy_passes_plain_requests_and_tunnels() {
    let Some(proxy) = tinyproxy("").await else { return };
    let plain =
        WireServer::start(|n| vec![reply(if n == 0 { 503 } else { 200 }, "X-Origin: yes\r\n", "plain")])
            .await;
    let over_tls = tls_server().await;
    let plainly = client(plain.url(), &proxy.address());
    let reply = plainly.post("/x?y=1").body("body").send().await.unwrap();
    assert_eq!((reply.text().unwrap(), reply.attempts().len()), ("plain", 2));
    assert_eq!(reply.headers().get("x-origin"), Some("yes"));
    let request = plain.requests().pop().unwrap();
    assert!(request.starts_with("POST /x?y=1 HTTP/1."), "{request}");
    assert!(request.ends_with("\r\n\r\nbody") && !values(&request, "via").is_empty(), "{request}");

    let client = client(over_tls.tls_url(), &proxy.address());
    for _ in 0..5 {
        assert_eq!(client.get("/").send().await.unwrap().text().unwrap(), "origin");
    }
    assert_eq!((over_tls.connections(), over_tls.request_count()), (1, 5));
}

#[actix_rt::test]
async fn tinyproxy_with_credentials_lets_in_who_has_them() {
    let Some(proxy) = tinyproxy("BasicAuth user hidden").await else { return };
    let plain = WireServer::always(vec![reply(200, "", "plain")]).await;
    let over_tls = tls_server().await;
    for url in [plain.url(), over_tls.tls_url()] {
        let reply = client(&url, &with_credentials(&proxy.address())).get("/").send().await.unwrap();
        assert_eq!(reply.status(), 200, "{url}");
        let error = client(&url, &proxy.address()).get("/").send().await.unwrap_err();
        assert_eq!(error.status(), Some(407), "{url}: {error}");
        assert_eq!(error.kind(), ErrorKind::Status(StatusError::Authentication), "{url}: {error}");
        // tinyproxy answers 401 to credentials that are wrong.
        let error =
            client(&url, &format!("user:wrong@{}", proxy.address())).get("/").send().await.unwrap_err();
        assert!(error.message().contains("answered 401"), "{url}: {error}");
    }
    assert_eq!((plain.request_count(), over_tls.request_count()), (1, 1));
    assert_eq!(values(&plain.requests()[0], "proxy-authorization"), [""; 0], "it stays with the proxy");
}

#[actix_rt::test]
async fn tinyproxy_says_when_the_origin_cannot_be_reached() {
    let Some(proxy) = tinyproxy("").await else { return };
    let error = client("https://127.0.0.1:1/", &proxy.address()).get("/").send().await.unwrap_err();
    assert_eq!(error.kind().name(), "network", "{error}");
    assert!(error.message().contains(&format!("the proxy {} answered 5", proxy.address())), "{error}");
}
