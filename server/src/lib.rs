//! A test server: it fails, waits, times out and answers idempotently on command, so that people can see how
//! their HTTP client copes.
//!
//! * [`config`]: what can be set; [`cli`]: how it is typed.
//! * [`app`]: binds and runs; [`world`]: the state and the limits that requests share.
//! * [`routes`]: what each path does; [`validation`]: how values are read; [`error`]: what refusals look like.
//! * [`middleware`]: the layers around every request.
//! * [`connection`]: the wire below HTTP: silence, garbage, and the end.
//! * [`logging`]: one event a line; [`openapi`]: the document.
//! * [`health`]: the program as a health check; [`reload`]: the program as its own watcher.

pub mod app;
pub mod cli;
pub mod config;
pub mod connection;
pub mod error;
pub mod health;
pub mod logging;
pub mod middleware;
pub mod openapi;
pub mod reload;
pub mod routes;
pub mod validation;
pub mod world;
