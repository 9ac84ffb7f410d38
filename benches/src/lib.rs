//! What the server and the client cost, beside baselines in the same run.
//!
//! `cargo run --release -p benchmarks --bin versus` measures whole programs: processor time per request from the
//! operating system's accounting, and latency from a load generator. `cargo bench -p benchmarks` measures the pure
//! cores and the actors. A figure of one machine and one moment says little, so each program is measured beside a
//! baseline, one right after the other, and the median of the ratios counts.

pub mod cost;
