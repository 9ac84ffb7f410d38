#!/usr/bin/env bash
# The server and the client against each other, with failures being armed and reset at random; ends with 1 and one
# line when something that must always hold does not.
#
#   scripts/soak.sh                                   a minute, with a server of its own
#   scripts/soak.sh 3600                              an hour
#   BASE_URL=http://localhost:8000 scripts/soak.sh    against that server, which nothing else uses meanwhile; start
#                                                     it with SERVER_CACHE_MAX_SIZE=10000
#   PROFILE=dev scripts/soak.sh                       with debug builds; SEED=N does what an earlier run did
set -euo pipefail
cd "$(dirname "$0")/.."

arguments=(--seconds "${1:-60}")
[ -z "${BASE_URL:-}" ] || arguments+=(--url "$BASE_URL")
[ -z "${SEED:-}" ] || arguments+=(--seed "$SEED")

exec cargo run --quiet --locked --profile "${PROFILE:-release}" --package workspace-tests --bin soak -- "${arguments[@]}"
