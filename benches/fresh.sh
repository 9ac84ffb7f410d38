#!/usr/bin/env bash
# Times `cargo run` and `cargo test` on fresh clones: of this commit, and of the last one before part two, or another.
#   benches/fresh.sh [BASE-COMMIT]
# It takes long: each clone is built from nothing, twice (a server until its first answer; all tests). Needs git, curl
# and the crates, which it fetches before it begins to measure. Nothing of your own target folder is used or changed.
set -euo pipefail
cd "$(dirname "$0")/.."

base=${1:-b52899c}
git cat-file -e "$base^{commit}" 2>/dev/null || { echo "fresh.sh: there is no commit $base" >&2; exit 1; }

work=$(mktemp -d)
server=
cleanup() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# A target folder of the environment would not be fresh.
unset CARGO_TARGET_DIR

seconds() { awk -v from="$1" -v to="$2" 'BEGIN { printf "%.1f", to - from }'; }

# Clones a commit into a folder, with its crates.
clone() {
  git clone --quiet --no-checkout . "$work/$1"
  git -C "$work/$1" checkout --quiet --detach "$2"
  (cd "$work/$1" && cargo fetch --locked --quiet)
}

# The time from `cargo run` to the first answer of the server.
run_time() {
  local port=$((20000 + RANDOM % 20000)) from
  cd "$work/$1"
  from=$EPOCHREALTIME
  cargo run --quiet --locked --package test-server -- serve --host 127.0.0.1 --port "$port" >"$work/log" 2>&1 &
  server=$!
  until curl -fs --noproxy '*' -o /dev/null "http://127.0.0.1:$port/health"; do
    kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
  done
  seconds "$from" "$EPOCHREALTIME" >"$work/$1.run"
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=
  cd - >/dev/null
}

# The time of `cargo test` from nothing, and of its build alone. Tests that fail are said, and counted all the same.
test_time() {
  local from built
  cd "$work/$1"
  cargo clean --quiet
  from=$EPOCHREALTIME
  cargo test --workspace --quiet --locked --no-run >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  built=$EPOCHREALTIME
  cargo test --workspace --quiet --locked --no-fail-fast >"$work/log" 2>&1 || {
    echo "fresh.sh: tests of $1 failed; their time is in the table all the same" >&2
    grep -E '^test .* FAILED|^error' "$work/log" >&2 || true
  }
  seconds "$from" "$built" >"$work/$1.build"
  seconds "$from" "$EPOCHREALTIME" >"$work/$1.test"
  cd - >/dev/null
}

row() {
  awk -v name="$1" -v it="$(cat "$work/now.$2")" -v base="$(cat "$work/before.$2")" 'BEGIN {
    verdict = it / base <= 1.3 ? "holds" : "MISSED"
    printf "%-44s %9.1f s %9.1f s %6.2f x   at most 1.30: %s\n", name, it, base, it / base, verdict
  }'
}

clone now HEAD
clone before "$base"
for which in now before; do run_time "$which"; done
for which in before now; do test_time "$which"; done
printf '%-44s %11s %11s %8s\n' "on a fresh clone, beside $base" it before ratio
row "cargo run, to the first answer" run
row "cargo test" test
row "of it, the build (cargo test --no-run)" build
