//! The actors of the workspace and the pure logic that each of them guards. It knows no HTTP.
//!
//! * [`supervisor`]: the circuit breaker, the retry budget and the scheduling of retries for a client's calls.

pub mod supervisor;
