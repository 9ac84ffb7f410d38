#!/usr/bin/env bash
# Whether the OpenAPI document and the server say the same: schemathesis reads the document of a running server, makes
# requests that it allows and requests that it forbids, and compares every answer with it.
#
#   TEST_SERVER  the program to start; without it cargo builds it, in debug
#   EXAMPLES     fuzzed requests to each route, in each of the three runs (default 50)
#   PYTHON       the Python to make the environment with (default python3, 3.10 or newer)
#
# The tool and all it needs are pinned in check_openapi.requirements.txt and installed into target/.
# Three runs, to distinguish a server that fails on command from a server with a defect:
#   1. nothing is armed: no answer may be a 5xx, so the routes that arm are left out;
#   2. the routes that arm and disarm: none of them may ever fail, whatever they have armed;
#   3. everything is armed: /msg may answer 500, and whatever it answers must be as the document says.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
requirements=$root/scripts/check_openapi.requirements.txt
target=${CARGO_TARGET_DIR:-$root/target}
work=$(mktemp -d)
server_pid=

cleanup() {
  [ -z "$server_pid" ] || { kill "$server_pid" 2>/dev/null && wait "$server_pid" 2>/dev/null; } || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
  printf 'check_openapi: %s\n' "$*" >&2
  exit 1
}

# The environment is kept as long as what it was made from stays the same.
install_schemathesis() {
  local environment stamp
  environment=$target/schemathesis
  stamp=$environment/requirements.txt
  if ! cmp -s "$requirements" "$stamp"; then
    rm -rf "$environment"
    "${PYTHON:-python3}" -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$requirements"
    cp "$requirements" "$stamp"
  fi
  schemathesis=$environment/bin/schemathesis
}

# One second is the shortest request timeout: a delay of up to 30 s then shows the documented 408 soon.
start_server() {
  local program=${TEST_SERVER:-}
  if [ -z "$program" ]; then
    (cd "$root" && cargo build --quiet --locked --package test-server --bin test-server) || fail "the server does not build"
    program=$target/debug/test-server
  fi
  # Without the fault header: a header made at random must not be a fault.
  SERVER_FAULT_HEADER=false "$program" serve --host 127.0.0.1 --port 0 --request-timeout 1 --log-level INFO --log-format json \
    --enable-docs true --cors-enabled false --max-concurrency 50 --workers 2 >"$work/server.log" &
  server_pid=$!
  for _ in {1..300}; do
    url=$(sed -nE 's/.*"address":"([^"]+)".*/http:\/\/\1/p' "$work/server.log")
    [ -z "$url" ] || return 0
    kill -0 "$server_pid" 2>/dev/null || fail "the server does not start: $(cat "$work/server.log")"
    sleep 0.1
  done
  fail "the server has not started within 30 s"
}

# Of valid requests /msg may refuse those that ask for a longer delay than the request may take, and no others.
cat >"$work/schemathesis.toml" <<'TOML'
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "408"]
TOML
# What a schema cannot say: which plans, scripts and policies mean something, which sessions exist, which key is in use, and that
# /echo takes any method. Unknown query parameters are ignored, as FastAPI ignores them; the tool knows that, but does not
# recognise them beside a parameter of text when it tries one value of each kind ("coverage").
cat >>"$work/schemathesis.toml" <<'TOML'
[[operations]]
include-path-regex = "^/(faults|fail/script|sessions/|verdict)"
checks.positive_data_acceptance.expected-statuses = ["2xx", "404", "408", "409", "422"]
[[operations]]
include-path-regex = "^/(sessions$|echo)"
checks.positive_data_acceptance.expected-statuses = ["2xx", "408", "409", "422", "429"]
checks.negative_data_rejection.enabled = false
checks.unsupported_method.enabled = false
[[operations]]
include-path-regex = "^/journal"
phases.coverage.checks.negative_data_rejection.enabled = false
TOML
# When everything is armed, every valid request must fail, and no other status will do.
cat >"$work/armed.toml" <<'TOML'
[checks.positive_data_acceptance]
expected-statuses = ["500"]
TOML

# compare CONFIGURATION ARGUMENTS...
# All checks are on; naming them here would put them above the configuration. One worker: ast.parse of Python 3.11 fails
# now and then when two threads are in it.
compare() {
  local configuration=$1
  shift
  (cd "$work" && "$schemathesis" --config-file "$work/$configuration" run "$url/openapi.json" \
    --phases examples,coverage,fuzzing --mode all --workers 1 --continue-on-failure \
    --max-examples "${EXAMPLES:-50}" --max-failures 20 --max-response-time 20 --request-timeout 30 \
    --generation-database none --suppress-health-check filter_too_much --warnings off --no-color "$@")
}

ask() { curl -q --silent --show-error --fail --max-time 10 "$@"; }

install_schemathesis
start_server
result=0

# /journal/stream has no end, and its events are no strings of one schema.
printf '\n== nothing is armed\n'
compare schemathesis.toml --exclude-path-regex '^/(fail/(count|duration|script)/|faults$|echo|journal/stream)' || result=1
# Apart from /msg, whose keys it would use for other requests.
compare schemathesis.toml --include-path-regex '^/echo' || result=1

printf '\n== arming and disarming\n'
compare schemathesis.toml --exclude-path-regex '^/(msg|echo|journal/stream)' || result=1

printf '\n== everything is armed\n'
ask --output /dev/null --request POST "$url/reset"
ask --output /dev/null --request POST "$url/fail/duration/3600"
compare armed.toml --include-path /msg --exclude-checks not_a_server_error || result=1
ask "$url/fail/status" | grep -q '"currently_failing":true' || fail "the failures ran out before the run did"

kill -0 "$server_pid" 2>/dev/null || fail "the server has ended"
if grep -E '"level":"error"' "$work/server.log"; then
  fail "the server has logged errors"
fi
[ "$result" -eq 0 ] || fail "the document and the server differ"
printf '\nThe document and the server say the same.\n'
