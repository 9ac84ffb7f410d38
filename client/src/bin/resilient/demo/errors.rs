//! The errors that a caller can tell apart, each by a call that ends with it.

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
    stage::Stage,
    story::{Broken, Story},
};

/// Longer than any of the bounds below, and what the server would take if it were let.
const SLOW: &str = "/msg?delay=20000";

pub(super) async fn show(stage: &Stage) -> Result<(), Broken> {
    let client = ResilientClient::start(stage.single_attempts())?;
    answered(stage, &client).await?;
    unanswered(&client).await?;
    unsent(stage, &client).await
}

/// Where the server's answer is the error.
async fn answered(stage: &Stage, client: &ResilientClient) -> Result<(), Broken> {
    Story::does("calls that the server answers with an error");
    let nowhere = client.get("/no-such-path").send().await;
    is("GET /no-such-path", &nowhere, ErrorKind::Status(StatusError::NotFound), Family::Status)?;
    let malformed = client.post("/fail/count/many").send().await;
    is("POST /fail/count/many", &malformed, ErrorKind::Status(StatusError::InvalidRequest), Family::Status)?;
    let mismatched = client.delete("/msg").send().await;
    is("DELETE /msg", &mismatched, ErrorKind::Status(StatusError::Other), Family::Status)?;
    stage.fail_next(1).await?;
    let failing = client.get("/msg").send().await;
    is("GET /msg, told to fail", &failing, ErrorKind::Connection(ConnectionError::Server), Family::Connection)
}

/// Where no answer comes.
async fn unanswered(client: &ResilientClient) -> Result<(), Broken> {
    Story::does("calls to which no answer comes");
    let (_taken, url) = nobody().map_err(|why| Broken::new(format!("no port is free: {why}")))?;
    let refused = client.get(url).send().await;
    is(
        "GET of a port where nobody listens",
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

/// Where the client itself says no, and where the answer is not what was wanted.
async fn unsent(stage: &Stage, client: &ResilientClient) -> Result<(), Broken> {
    Story::does("calls that are never sent, and an answer that is something else");
    let bad_url = client.get("ftp://example.com/").send().await;
    is("GET ftp://example.com/", &bad_url, ErrorKind::InvalidUrl, Family::Local)?;
    let bad_header = client.get("/msg").header("X-Note", "two\nlines").send().await;
    is("a header of two lines", &bad_header, ErrorKind::InvalidHeader, Family::Local)?;
    let bad_config = ResilientClient::start(ClientConfig { max_body_bytes: 0, ..stage.config() });
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

/// What a caller asks first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// The server could not be reached or could not serve.
    Connection,
    /// The server says that the call is wrong.
    Status,
    /// The client says so.
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

fn is<T>(what: &str, result: &Result<T, Error>, kind: ErrorKind, family: Family) -> Result<(), Broken> {
    let Err(error) = result else { return Err(Broken::new(format!("{what} is no error"))) };
    Story::saw(format!("{what}: {error}"));
    let claim = format!("this is {kind}, of the family {family:?}");
    Story::check(claim, error.kind() == kind && Family::of(error) == family)
}

/// A port that is taken, so that nobody else can have it, and that nobody listens on.
fn nobody() -> io::Result<(TcpSocket, String)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let url = format!("http://{}/", socket.local_addr()?);
    Ok((socket, url))
}
