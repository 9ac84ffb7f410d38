//! The kinds of errors, each shown by a call that ends with it.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use resilient_client::{
    Call, ClientConfig, ConnectionError, Error, ErrorKind, ResilientClient, Response, StatusError,
    TimeoutConfig,
};
use tokio::net::TcpSocket;

use super::{
    server::Server,
    transcript::{self, NotHeld},
};

/// A request that takes the server longer than each of the time limits below.
const SLOW: &str = "/msg?delay=20000";

pub(super) async fn show(server: &Server) -> Result<(), NotHeld> {
    let client = ResilientClient::start(server.single_attempts())?;
    answered(server, &client).await?;
    unanswered(&client).await?;
    unsent(server, &client).await
}

/// Shows the errors that are answers of the server.
async fn answered(server: &Server, client: &ResilientClient) -> Result<(), NotHeld> {
    transcript::step("calls that the server answers with an error");
    let nowhere = client.get("/no-such-path").send().await;
    is("GET /no-such-path", &nowhere, ErrorKind::Status(StatusError::NotFound), Family::Status)?;
    let malformed = client.post("/fail/count/many").send().await;
    is("POST /fail/count/many", &malformed, ErrorKind::Status(StatusError::InvalidRequest), Family::Status)?;
    let mismatched = client.delete("/msg").send().await;
    is("DELETE /msg", &mismatched, ErrorKind::Status(StatusError::Other), Family::Status)?;
    server.fail_next(1).await?;
    let failing = client.get("/msg").send().await;
    is("GET /msg, made to fail", &failing, ErrorKind::Connection(ConnectionError::Server), Family::Connection)
}

/// Shows the errors of calls that get no answer.
async fn unanswered(client: &ResilientClient) -> Result<(), NotHeld> {
    transcript::step("calls to which no answer comes");
    let (_reserved, url) = unused_port().map_err(|why| NotHeld::new(format!("no port is free: {why}")))?;
    let refused = client.get(url).send().await;
    is(
        "GET of a port without a listener",
        &refused,
        ErrorKind::Connection(ConnectionError::Network),
        Family::Connection,
    )?;
    let read = Duration::from_millis(200);
    let impatient = client.get(SLOW).timeout(TimeoutConfig { read, ..TimeoutConfig::default() }).send().await;
    is(
        "a slow call, read timeout 200 ms",
        &impatient,
        ErrorKind::Connection(ConnectionError::Timeout),
        Family::Connection,
    )?;
    let late = client.get(SLOW).deadline(read).send().await;
    is("a slow call, deadline 200 ms", &late, ErrorKind::DeadlineExceeded, Family::Local)
}

/// Shows the errors that the client itself makes.
async fn unsent(server: &Server, client: &ResilientClient) -> Result<(), NotHeld> {
    transcript::step("calls that are never sent, and an answer that cannot be decoded");
    let bad_url = client.get("ftp://example.com/").send().await;
    is("GET ftp://example.com/", &bad_url, ErrorKind::InvalidUrl, Family::Local)?;
    let bad_header = client.get("/msg").header("X-Note", "two\nlines").send().await;
    is("a header of two lines", &bad_header, ErrorKind::InvalidHeader, Family::Local)?;
    let bad_config = ResilientClient::start(ClientConfig { max_body_bytes: 0, ..server.config() });
    is("a client for bodies of 0 bytes", &bad_config, ErrorKind::Config, Family::Local)?;
    let number = client.get("/msg").send().await?.json::<u32>();
    is("the message read as a number", &number, ErrorKind::Decode, Family::Local)?;
    client.force_open().await?;
    let refused = client.get("/msg").send().await;
    is(
        "GET /msg, the breaker held open",
        &refused,
        ErrorKind::CircuitOpen { retry_after: None },
        Family::Local,
    )?;
    client.close().await;
    let closed: Result<Response, Error> = client.send(Call::get("/msg")).await;
    is("GET /msg, the client closed", &closed, ErrorKind::Closed, Family::Local)
}

/// The family of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// The server could not be reached or could not serve.
    Connection,
    /// The server answered that the call is wrong.
    Status,
    /// The client itself made the error.
    Local,
}

impl Family {
    fn of(error: &Error) -> Self {
        match (error.is_connection(), error.is_status()) {
            (true, _) => Self::Connection,
            (_, true) => Self::Status,
            _ => Self::Local,
        }
    }
}

fn is<T>(what: &str, result: &Result<T, Error>, kind: ErrorKind, family: Family) -> Result<(), NotHeld> {
    let Err(error) = result else { return Err(NotHeld::new(format!("{what} succeeded"))) };
    transcript::saw(format!("{what}: {error}"));
    let claim = format!("this is {kind}, of the family {family:?}");
    transcript::check(claim, error.kind() == kind && Family::of(error) == family)
}

/// A port that is reserved and has no listener.
fn unused_port() -> io::Result<(TcpSocket, String)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let url = format!("http://{}/", socket.local_addr()?);
    Ok((socket, url))
}
