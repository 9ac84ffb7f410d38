//! A server that misbehaves byte by byte: for each request it plays a list of acts.
//!
//! It speaks just enough HTTP to know where a request ends. It must never correct what a test told it to send.

use std::{
    io,
    net::SocketAddr,
    ops::ControlFlow,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::AbortHandle,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use crate::guard::within;

/// What the server does next on a connection.
#[derive(Clone, Debug)]
pub enum Act {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes one by one, each in a packet of its own.
    Drip(Vec<u8>),
    /// Waits for this time.
    Pause(Duration),
    /// Waits until the gate is opened.
    Wait(Gate),
    /// Closes the connection gracefully.
    Close,
    /// Closes the TCP connection only: a TLS session then ends without `close_notify`.
    Cut,
    /// Resets the connection.
    Reset,
    /// Waits until the client closes the connection.
    Stall,
}

/// Blocks servers until a test opens it. It cannot be closed again.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// A closed gate.
    pub fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Opens the gate.
    pub fn open(&self) {
        self.0.close();
    }

    async fn opened(&self) {
        // No permit is ever added: the wait ends when the semaphore is closed.
        let _ = self.0.acquire().await;
    }
}

/// Sends these bytes.
pub fn send(bytes: impl AsRef<[u8]>) -> Act {
    Act::Send(bytes.as_ref().to_vec())
}

/// Sends these bytes one by one.
pub fn drip(bytes: impl AsRef<[u8]>) -> Act {
    Act::Drip(bytes.as_ref().to_vec())
}

/// A complete and well-formed reply.
pub fn reply(status: u16, headers: &str, body: &str) -> Act {
    send(format!("HTTP/1.1 {status} Status\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len()))
}

/// Whether the server reads what it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The whole request, before it acts.
    Requests,
    /// Nothing: it acts as soon as a client connects.
    Nothing,
}

/// A running server. It stops listening when it is dropped.
#[derive(Debug)]
pub struct WireServer {
    address: SocketAddr,
    seen: Arc<Seen>,
    task: AbortHandle,
}

#[derive(Debug, Default)]
struct Seen {
    requests: Mutex<Vec<String>>,
    connections: AtomicUsize,
    ended: AtomicUsize,
    played: AtomicUsize,
}

type Script = dyn Fn(usize) -> Vec<Act> + Send + Sync;

impl WireServer {
    /// A server that plays `script(n)` for request `n`, counted over all connections. A connection whose acts do
    /// not end it waits for the next request.
    pub async fn start(script: impl Fn(usize) -> Vec<Act> + Send + Sync + 'static) -> Self {
        Self::with(Reading::Requests, None, script).await
    }

    /// A server that plays the same acts for every request.
    pub async fn always(acts: Vec<Act>) -> Self {
        Self::start(move |_| acts.clone()).await
    }

    /// A server that reads as configured, over TLS if there is a configuration for it.
    pub async fn with(
        reading: Reading,
        tls: Option<Arc<ServerConfig>>,
        script: impl Fn(usize) -> Vec<Act> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let seen = Arc::new(Seen::default());
        let (script, shared): (Arc<Script>, _) = (Arc::new(script), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let (script, seen, tls) = (Arc::clone(&script), Arc::clone(&shared), tls.clone());
                tokio::spawn(async move {
                    // A client may end its connection in any way.
                    let _ = serve(stream, reading, tls, &*script, &seen).await;
                    seen.ended.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, seen, task: task.abort_handle() }
    }

    /// `http://address`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `https://localhost:port`.
    pub fn tls_url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// The requests received so far, as text.
    pub fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The number of requests received so far.
    pub fn request_count(&self) -> usize {
        self.seen.requests.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The number of connections accepted so far.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// The number of requests for which everything has been done, or the client has left before.
    pub fn played(&self) -> usize {
        self.seen.played.load(Ordering::SeqCst)
    }

    /// The number of connections that have ended.
    pub fn ended_connections(&self) -> usize {
        self.seen.ended.load(Ordering::SeqCst)
    }
}

impl Drop for WireServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

async fn serve(
    stream: TcpStream,
    reading: Reading,
    tls: Option<Arc<ServerConfig>>,
    script: &Script,
    seen: &Seen,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match tls {
        None => play(&mut { stream }, reading, script, seen).await,
        Some(config) => {
            let mut session = TlsAcceptor::from(config).accept(stream).await?;
            play(&mut session, reading, script, seen).await
        }
    }
}

/// A connection on which acts are played.
trait Connection: Send {
    fn stream(&mut self) -> &mut dyn Stream;
    fn tcp(&self) -> &TcpStream;
}

impl Connection for TcpStream {
    fn stream(&mut self) -> &mut dyn Stream {
        self
    }

    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Connection for tokio_rustls::server::TlsStream<TcpStream> {
    fn stream(&mut self) -> &mut dyn Stream {
        self
    }

    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

async fn play(
    connection: &mut dyn Connection,
    reading: Reading,
    script: &Script,
    seen: &Seen,
) -> io::Result<()> {
    loop {
        let n = match reading {
            Reading::Requests => {
                let Some(request) = read_request(connection.stream()).await? else { return Ok(()) };
                let mut requests = seen.requests.lock().unwrap_or_else(PoisonError::into_inner);
                requests.push(request);
                requests.len() - 1
            }
            Reading::Nothing => 0,
        };
        let goes_on = perform(connection, reading, script(n)).await;
        seen.played.fetch_add(1, Ordering::SeqCst);
        if goes_on?.is_break() {
            return Ok(());
        }
    }
}

/// Plays the acts of one request, and says whether the connection goes on.
async fn perform(
    connection: &mut dyn Connection,
    reading: Reading,
    acts: Vec<Act>,
) -> io::Result<ControlFlow<()>> {
    for act in acts {
        match act {
            Act::Send(bytes) => {
                connection.stream().write_all(&bytes).await?;
                connection.stream().flush().await?;
            }
            Act::Drip(bytes) => {
                for byte in bytes {
                    connection.stream().write_all(&[byte]).await?;
                    connection.stream().flush().await?;
                    tokio::task::yield_now().await;
                }
            }
            Act::Pause(time) => tokio::time::sleep(time).await,
            Act::Wait(gate) => gate.opened().await,
            Act::Close => return connection.stream().shutdown().await.map(ControlFlow::Break),
            Act::Cut => return Ok(ControlFlow::Break(())),
            Act::Reset => {
                connection.tcp().set_zero_linger()?;
                return Ok(ControlFlow::Break(()));
            }
            Act::Stall if reading == Reading::Nothing => std::future::pending().await,
            Act::Stall => return until_client_leaves(connection.stream()).await.map(ControlFlow::Break),
        }
    }
    Ok(ControlFlow::Continue(()))
}

async fn until_client_leaves(stream: &mut dyn Stream) -> io::Result<()> {
    let mut scrap = [0; 1024];
    while stream.read(&mut scrap).await? > 0 {}
    Ok(())
}

/// Reads a head and as much of a body as it announces; `None` when the client has closed the connection.
async fn read_request(stream: &mut dyn Stream) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.and_then(|value| value.trim().parse().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                return Ok(Some(String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        let n = stream.read(&mut chunk).await?;
        if n == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk[..n]);
    }
}

/// Waits until the condition holds.
pub async fn until(mut so: impl FnMut() -> bool) {
    let wait = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    within("what the test waits for", wait).await;
}
