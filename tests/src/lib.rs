//! What the integration tests under `tests/` need to start whole programs and to talk to them over real sockets.
//!
//! * [`binary`] builds the programs under test, once a process.
//! * [`program`] runs one of them to its end; [`server`] starts the test server and looks after it.
//! * [`running`] is a server that runs already, at `BASE_URL`.
//! * [`fences`] reads the code blocks of a document.
//! * [`logs`] reads the log lines of a program, as events that a test can wait for.
//! * [`http`] sends ordinary requests; [`raw`] sends bytes, for what an ordinary client refuses to send.
//! * [`process`] measures the memory and the descriptors of a running program.
//! * [`session`] makes sessions of a server and talks to them.
//! * [`siege`] is a server for hostile requests, and the check that they did no harm.
//! * [`direct`](fn@direct) configures a client that uses no proxy of the environment.
//! * [`coded`] makes bodies with content codings, and bombs.
//! * [`terminal`] is a pseudo terminal.
//! * [`certificates`] makes certificates and configurations for servers that speak TLS.
//! * [`wire_server`] is a server that misbehaves byte by byte, for the client.
//! * [`proxy`] is a proxy that misbehaves, and starts a real one.
//! * [`interruptible`](fn@interruptible) starts what SIGINT must reach, also from a background job.
//! * [`seed`] prints the seed of a random test and takes it back from the variable `SEED`.
//! * [`guard`] bounds every wait, so that a server that hangs fails a test and does not stop the run.
//!
//! Nothing here knows how the programs are made: the tests see them from outside only.

pub mod binary;
pub mod certificates;
pub mod coded;
pub mod direct;
pub mod fences;
pub mod guard;
pub mod http;
pub mod interruptible;
pub mod logs;
pub mod process;
pub mod program;
pub mod proxy;
pub mod raw;
pub mod running;
pub mod seed;
pub mod server;
pub mod session;
pub mod siege;
pub mod terminal;
pub mod wire_server;

/// The Rust examples of the documents, compiled as doc tests.
#[cfg(doctest)]
mod examples {
    #[doc = include_str!("../../docs/client.md")]
    mod client {}

    #[doc = include_str!("../../README.md")]
    mod readme {}
}

pub use direct::direct;
pub use guard::within;
pub use http::{Answer, answer};
pub use interruptible::interruptible;
pub use process::Footprint;
pub use program::{Outcome, Program};
pub use raw::{Ended, RawConnection};
pub use running::RunningServer;
pub use server::TestServer;
pub use session::Session;
