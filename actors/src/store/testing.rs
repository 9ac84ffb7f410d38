//! A store for tests: a real `redis-server`, started on a free port and ended with the test.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Availability, StoreAddress, StoreHandle, StorePlace, prepare};

/// A running `redis-server`.
pub(crate) struct RedisServer {
    program: OsString,
    process: Child,
    port: u16,
}

/// How long anything in these tests may take.
const BOUND: Duration = Duration::from_secs(30);

/// How long the keys of a session live in these tests.
pub(crate) const LIVES: Duration = Duration::from_secs(60);

impl RedisServer {
    /// Starts the program that `REDIS_SERVER` names, else `redis-server`. Without one the test is not run, and says so;
    /// but if `REDIS_SERVER` is set, there has to be one.
    pub(crate) fn start() -> Option<Self> {
        let named = std::env::var_os("REDIS_SERVER").filter(|name| !name.is_empty());
        let program = named.clone().unwrap_or_else(|| "redis-server".into());
        for _ in 0..10 {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
            match run(&program, free) {
                Ok(process) => {
                    let mut server = Self { program: program.clone(), process, port: free };
                    if server.is_ready() {
                        return Some(server);
                    }
                    // Another program has taken the port meanwhile.
                }
                Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => {
                    // Not through the macro, whose output the test harness keeps for itself.
                    let note = "not run: this test needs redis-server in the PATH or in REDIS_SERVER\n";
                    let _ = std::io::stderr().write_all(note.as_bytes());
                    return None;
                }
                Err(error) => panic!("{} does not start: {error}", program.display()),
            }
        }
        panic!("{} does not listen", program.display());
    }

    /// Ends the server, whose data is lost, and starts one on the same port.
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.process = run(&self.program, self.port).unwrap();
        assert!(self.is_ready());
    }

    pub(crate) fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Stops the server in its tracks, or lets it go on.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.process.id().to_string()).status();
        assert!(status.unwrap().success());
    }

    /// Runs a command.
    pub(crate) fn run<T: redis::FromRedisValue>(&self, command: &str) -> T {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        let mut parts = command.split(' ');
        let mut command = redis::cmd(parts.next().unwrap());
        for part in parts {
            command.arg(part);
        }
        command.query(&mut client.get_connection().unwrap()).unwrap()
    }

    /// The address of the store under a prefix.
    pub(crate) fn address(&self, prefix: &str) -> StoreAddress {
        StoreAddress::parse(&format!("redis://127.0.0.1:{}?prefix={prefix}", self.port)).unwrap()
    }

    /// Joins as a server of its own, on the current thread, and waits until the store can be used.
    pub(crate) async fn join(&self) -> StoreHandle {
        let (store, actor) = prepare(self.address("t"), "test");
        actor.start();
        available(&store).await;
        store
    }

    /// The place of the default session, of a server that may have to wait for the store.
    pub(crate) fn place_unready(&self) -> StorePlace {
        let (store, actor) = prepare(self.address("t"), "test");
        actor.start();
        StorePlace::new(store, "default", LIVES)
    }

    /// As [`join`](Self::join); the place of the default session.
    pub(crate) async fn place(&self) -> StorePlace {
        StorePlace::new(self.join().await, "default", LIVES)
    }

    fn is_ready(&mut self) -> bool {
        let begun = Instant::now();
        while self.process.try_wait().unwrap().is_none() {
            if self.answers().is_ok_and(|answers| answers) {
                return true;
            }
            assert!(begun.elapsed() < BOUND, "redis-server does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }

    fn answers(&self) -> std::io::Result<bool> {
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        socket.set_read_timeout(Some(BOUND))?;
        socket.write_all(b"PING\r\n")?;
        let mut answer = [0; 5];
        socket.read_exact(&mut answer)?;
        Ok(answer == *b"+PONG")
    }
}

fn run(program: &OsStr, port: u16) -> std::io::Result<Child> {
    let port = port.to_string();
    let arguments = ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
    Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).spawn()
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits until the store can be used.
pub(crate) async fn available(store: &StoreHandle) {
    until(store, Availability::Available).await;
}

/// Waits until the store can or cannot be used.
pub(crate) async fn until(store: &StoreHandle, expected: Availability) {
    let mut availability = store.availability();
    let wait = availability.wait_for(|found| *found == expected);
    tokio::time::timeout(BOUND, wait).await.expect("in time").expect("the store is there");
}

/// Waits until something holds, and asks for it again and again.
pub(crate) async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            actix_rt::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(BOUND, wait).await.expect("it never holds");
}
