//! An HTTP server that fails, waits, times out and answers idempotently on command, for testing HTTP clients.
//!
//! * [`config`]: the settings; [`cli`]: the command line; [`logging`]: one event a line.
//! * [`serve`]: the command that serves; [`app`]: runs the server; [`state`]: what the process shares;
//!   [`session`]: what one test needs.
//! * [`data_plane`]: a request of the client under test, from its checks to its answer.
//! * [`routes`]: one file a path, each with its method, its limits and its OpenAPI part; [`openapi`]: the document.
//! * [`middleware`]: the layers around every request; [`context`]: what they know about it; [`observe`]: the one
//!   place that sees a request begin and end.
//! * [`execution`]: the work under an idempotency key; [`query`] and [`validation`]: how values are read; [`error`]: the answers
//!   that are not a success; [`headers`]: the headers that this server defines; [`body`]: bodies
//!   of requests and how large they may be.
//! * [`fault`]: the faults that can be injected, and plans of them; [`json`]: bodies with every problem reported.
//! * [`metrics`]: what the server counts, for `/metrics`.
//! * [`journal`]: every request to the data plane of a session, and how it ended.
//! * [`verdict`]: says what the client did wrong, from the journal alone; [`judgement`]: reads the journal of a session
//!   and has it judged.
//! * [`cases`]: plans of faults that show how a client behaves; [`check`]: runs a client against each of them.
//! * [`listen`]: the addresses that the server listens on; [`signals`]: what ends it.
//! * [`connection`]: the connection below HTTP: its timeouts, one request at a time, refusals, and its end.
//! * [`upstream`]: the reverse proxy in front of the user's own API.
//! * [`watch`]: follows a running server; [`health`]: the program as a health check; [`reload`]: the program as its own watcher.
//!
//! Where it happens: a failure is counted down, a fault is injected, a stored answer is replayed and a slot is granted
//! in [`data_plane`]; a 408 is made in [`middleware::timeout`].

pub mod app;
pub mod body;
pub mod cases;
pub mod check;
pub mod cli;
pub mod config;
pub mod connection;
pub mod context;
pub mod data_plane;
pub mod error;
pub mod execution;
pub mod fault;
pub mod headers;
pub mod health;
pub mod journal;
pub mod json;
pub mod judgement;
pub mod listen;
pub mod logging;
pub mod metrics;
pub mod middleware;
pub mod observe;
pub mod openapi;
pub mod query;
pub mod reload;
pub mod routes;
pub mod serve;
pub mod session;
pub mod signals;
pub mod state;
pub mod upstream;
pub mod validation;
pub mod verdict;
pub mod watch;
