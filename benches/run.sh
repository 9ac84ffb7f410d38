#!/usr/bin/env bash
# Builds and measures the server and the client beside their baselines, and prints one table with the ratios.
#   benches/run.sh [--rounds N] [--seconds N] [--only PART-OF-A-ROW]
# Needs Linux, wrk and taskset, and nginx for two rows; what is missing is named, nothing is installed.
# The clients of others (reqwest with reqwest-retry, tower's layers) are a package outside the workspace, benches/others:
# no other build includes them. This command builds it, which needs their crates; without them their rows are left out.
# The size of the image is that of actix-test-server in the engine that DOCKER names, once `make docker-build` has made
# it. What `cargo run` and `cargo test` take on a fresh clone is measured by benches/fresh.sh, because it takes long.
set -euo pipefail
cd "$(dirname "$0")/.."
exec cargo run --release --locked --package benchmarks --bin versus -- "$@"
