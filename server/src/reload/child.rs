//! A server as a child process of the watcher: both ends of the lifeline.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use actix_rt::net::TcpStream;
use actix_rt::time::{sleep, timeout};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use uuid::Uuid;

use super::handover;

/// The variable that names the watcher's address, and the token that proves that the caller is the child.
const LIFELINE: &str = "TEST_SERVER_LIFELINE";

/// The longest time from the start of a new server until it serves.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// The time beyond the shutdown timeout after which a child that does not stop is killed.
const STOP_MARGIN: Duration = Duration::from_secs(5);

/// A serving child process. Dropping it kills the child.
pub(super) struct Server {
    child: Child,
    lifeline: TcpStream,
}

impl Server {
    /// Starts `program` with this process's arguments, and waits until it serves.
    pub(super) async fn start(program: &Path, listeners: &[TcpListener]) -> io::Result<Self> {
        let meeting_point = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let token = Uuid::new_v4().simple().to_string();
        let mut child = Command::new(program)
            .args(std::env::args_os().skip(1))
            .env(LIFELINE, format!("{} {token}", meeting_point.local_addr()?))
            .stdin(Stdio::from(handover::send(listeners)?))
            .kill_on_drop(true)
            .spawn()?;
        tokio::select! {
            lifeline = meet(&meeting_point, &token) => Ok(Self { child, lifeline: lifeline? }),
            status = child.wait() => Err(io::Error::other(format!("the new server has exited: {}", status?))),
            () = sleep(START_TIMEOUT) => Err(io::Error::other("the new server did not serve within 30 s")),
        }
    }

    pub(super) fn has_exited(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Closes the lifeline and waits until the server has finished its requests in flight.
    pub(super) async fn stop(self, shutdown_timeout: Duration) -> io::Result<()> {
        let Self { mut child, lifeline } = self;
        drop(lifeline);
        match timeout(shutdown_timeout + STOP_MARGIN, child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Err(error)) => Err(error),
            Ok(Ok(_)) => Err(io::Error::other("the server did not stop cleanly")),
            Err(_) => child.kill().await,
        }
    }
}

/// Accepts the connection that presents the token.
async fn meet(meeting_point: &tokio::net::TcpListener, token: &str) -> io::Result<TcpStream> {
    loop {
        let (mut stream, _) = meeting_point.accept().await?;
        let mut presented = vec![0; token.len()];
        let read = timeout(Duration::from_secs(1), stream.read_exact(&mut presented)).await;
        if matches!(read, Ok(Ok(_))) && presented == token.as_bytes() {
            return Ok(stream);
        }
    }
}

/// What a child inherits from its watcher.
pub struct Inherited {
    /// The listening sockets.
    pub listeners: Vec<TcpListener>,
    watcher: SocketAddr,
    token: String,
}

/// Returns what this process has inherited, if it is the child of a watcher.
///
/// # Errors
/// The variable is malformed, or standard input cannot be duplicated.
pub fn inherited() -> io::Result<Option<Inherited>> {
    let Ok(lifeline) = std::env::var(LIFELINE) else { return Ok(None) };
    let parsed = lifeline.split_once(' ').and_then(|(watcher, token)| Some((watcher.parse().ok()?, token)));
    let (watcher, token) = parsed.ok_or_else(|| io::Error::other(format!("{LIFELINE} is malformed")))?;
    let listeners = handover::receive(io::stdin().as_fd())?;
    Ok(Some(Inherited { listeners, watcher, token: token.to_owned() }))
}

impl Inherited {
    /// Reports to the watcher that this process serves, and returns when the watcher closes the lifeline.
    pub async fn hold_lifeline(watcher: SocketAddr, token: String) -> &'static str {
        let held = async {
            let mut lifeline = TcpStream::connect(watcher).await?;
            lifeline.write_all(token.as_bytes()).await?;
            lifeline.read(&mut [0]).await
        };
        // However the connection ends, the watcher needs this process no longer.
        let _ = held.await;
        "reload"
    }

    /// The listening sockets, the watcher's address and the token.
    #[must_use]
    pub fn into_parts(self) -> (Vec<TcpListener>, SocketAddr, String) {
        (self.listeners, self.watcher, self.token)
    }
}
