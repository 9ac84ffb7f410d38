//! Helpers of the integration tests.

pub mod wire_server;
