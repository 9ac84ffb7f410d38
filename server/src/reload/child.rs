//! A server as a child process, seen from both ends of its lifeline.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use actix_rt::net::TcpStream;
use actix_rt::time::{sleep, timeout};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use uuid::Uuid;

/// Tells a child where its watcher waits for it, and how to prove that it is the child.
const LIFELINE: &str = "TEST_SERVER_LIFELINE";

/// How long a new server may take until it serves.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// What a stop may take beyond the shutdown timeout, before the child is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// A server that serves, in a process of its own.
pub(super) struct Server {
    child: Child,
    lifeline: TcpStream,
}

impl Server {
    /// Starts `program` with this process's arguments, and waits until it serves.
    pub(super) async fn start(program: &Path, listener: &TcpListener) -> io::Result<Self> {
        let meeting_point = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let token = Uuid::new_v4().simple().to_string();
        let mut child = Command::new(program)
            .args(std::env::args_os().skip(1))
            .env(LIFELINE, format!("{} {token}", meeting_point.local_addr()?))
            .stdin(Stdio::from(OwnedFd::from(listener.try_clone()?)))
            .kill_on_drop(true)
            .spawn()?;
        tokio::select! {
            lifeline = meet(&meeting_point, &token) => Ok(Self { child, lifeline: lifeline? }),
            status = child.wait() => Err(io::Error::other(format!("the new server has exited: {}", status?))),
            () = sleep(START_PATIENCE) => Err(io::Error::other("the new server does not serve in time")),
        }
    }

    pub(super) fn has_exited(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Closes the lifeline and waits until the server has finished what it serves.
    pub(super) async fn stop(self, shutdown_timeout: Duration) -> io::Result<()> {
        let Self { mut child, lifeline } = self;
        drop(lifeline);
        match timeout(shutdown_timeout + STOP_PATIENCE, child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Err(error)) => Err(error),
            Ok(Ok(_)) => Err(io::Error::other("the server did not stop cleanly")),
            Err(_) => child.kill().await,
        }
    }
}

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

/// What a child gets from its watcher.
pub struct Inherited {
    /// The socket to accept from.
    pub listener: TcpListener,
    watcher: SocketAddr,
    token: String,
}

/// Whether this process is a watcher's child; if so, its inheritance.
///
/// # Errors
/// It says it is, but standard input is no socket.
pub fn inherited() -> io::Result<Option<Inherited>> {
    let Ok(lifeline) = std::env::var(LIFELINE) else { return Ok(None) };
    let parsed = lifeline.split_once(' ').and_then(|(watcher, token)| Some((watcher.parse().ok()?, token)));
    let (watcher, token) = parsed.ok_or_else(|| io::Error::other(format!("{LIFELINE} is not understood")))?;
    let listener = TcpListener::from(io::stdin().as_fd().try_clone_to_owned()?);
    Ok(Some(Inherited { listener, watcher, token: token.to_owned() }))
}

impl Inherited {
    /// Tells the watcher that this process serves, and returns when the watcher lets go.
    pub async fn hold_lifeline(watcher: SocketAddr, token: String) -> &'static str {
        let held = async {
            let mut lifeline = TcpStream::connect(watcher).await?;
            lifeline.write_all(token.as_bytes()).await?;
            lifeline.read(&mut [0]).await
        };
        // Whatever ends it means the same: nobody wants this process any more.
        let _ = held.await;
        "reload"
    }

    /// The lifeline's other end, and the token that opens it.
    #[must_use]
    pub fn into_parts(self) -> (TcpListener, SocketAddr, String) {
        (self.listener, self.watcher, self.token)
    }
}
