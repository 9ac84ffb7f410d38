#!/usr/bin/env bash
# Builds and measures the server and the client beside their baselines, and prints one table with the ratios.
#   benches/run.sh [--rounds N] [--seconds N] [--only PART-OF-A-ROW]
# Needs Linux, wrk and taskset, and nginx for one row; what is missing is named, nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
exec cargo run --release --locked --package benchmarks --bin versus -- "$@"
