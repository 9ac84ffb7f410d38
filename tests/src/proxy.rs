//! A proxy that opens tunnels (CONNECT) and misbehaves on demand, and a real one, tinyproxy.

use std::{
    env,
    net::SocketAddr,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    task::AbortHandle,
};

use crate::{guard::within, server::free_address};

/// What a proxy does with the head of a request.
#[derive(Clone, Debug)]
pub enum Manner {
    /// Opens a tunnel to where the request says.
    Tunnel,
    /// Sends these bytes and closes the connection.
    Answer(Vec<u8>),
    /// Sends nothing and keeps the connection open.
    Silent,
    /// Closes the connection.
    Close,
}

/// A running proxy. It stops listening when it is dropped.
#[derive(Debug)]
pub struct TunnelProxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl TunnelProxy {
    /// A proxy that treats request `n`, counted over all connections, as `manner(n)` says.
    pub async fn start(manner: impl Fn(usize) -> Manner + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let connections: Arc<AtomicUsize> = Arc::default();
        let (seen, counted, manner) = (Arc::clone(&heads), Arc::clone(&connections), Arc::new(manner));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let (seen, manner) = (Arc::clone(&seen), Arc::clone(&manner));
                tokio::spawn(async move {
                    // A client may end its connection in any way.
                    let _ = serve(stream, &seen, &*manner).await;
                });
            }
        });
        Self { address, heads, connections, task: task.abort_handle() }
    }

    /// The host and the port.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The heads of the requests received so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The number of connections accepted so far.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for TunnelProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    manner: &(dyn Fn(usize) -> Manner + Send + Sync),
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return Ok(()) };
        head.push(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let n = {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(head);
        seen.len() - 1
    };
    match manner(n) {
        Manner::Tunnel => {
            let mut origin = TcpStream::connect(&target).await?;
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            copy_bidirectional(&mut stream, &mut origin).await.map(drop)
        }
        Manner::Answer(bytes) => {
            stream.write_all(&bytes).await?;
            stream.shutdown().await
        }
        Manner::Silent => {
            // Until the client is gone.
            while stream.read_u8().await.is_ok() {}
            Ok(())
        }
        Manner::Close => Ok(()),
    }
}

/// The program tinyproxy on a port of its own. It ends when it is dropped.
#[derive(Debug)]
pub struct Tinyproxy {
    address: SocketAddr,
    _child: Child,
    _directory: TempDir,
}

impl Tinyproxy {
    /// Starts it with additional lines of configuration; `None` when it is not installed.
    ///
    /// It is found by the variable `TINYPROXY`, else in the `PATH`.
    ///
    /// # Panics
    /// When `TINYPROXY` names no program, or the program does not begin to listen.
    pub async fn start(lines: &str) -> Option<Self> {
        let program = match env::var_os("TINYPROXY").filter(|path| !path.is_empty()) {
            Some(path) => PathBuf::from(path),
            None => in_path("tinyproxy")?,
        };
        let address = free_address();
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let file = directory.path().join("tinyproxy.conf");
        let port = address.port();
        let config =
            format!("Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nAllow 127.0.0.1\n{lines}\n");
        std::fs::write(&file, config).expect("a temporary file can be written");
        let mut command = Command::new(&program);
        command.arg("-d").arg("-c").arg(&file).kill_on_drop(true);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|why| panic!("{} cannot be started: {why}", program.display()));
        let listening = async {
            while TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        within("tinyproxy listens", listening).await;
        Some(Self { address, _child: child, _directory: directory })
    }

    /// The host and the port.
    pub fn address(&self) -> String {
        self.address.to_string()
    }
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}
