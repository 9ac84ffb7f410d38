# shellcheck shell=bash
# What the scenarios share: a server, requests, and checks that say what they check. Sourced, never run.
#
#   BASE_URL     drive the server that is already there; without it each scenario starts one of its own
#   TEST_SERVER  the program to start, RESILIENT the client's; without them cargo builds both, in debug
#
# Everything is cleaned up when the scenario ends, also by Ctrl-C or SIGTERM: programs that it started are stopped, and
# a server that it did not start has its failure modes reset and loses the sessions that were opened on it. A shell starts background jobs with SIGINT ignored, and
# then no script can catch it: end such a job with SIGTERM.

set -euo pipefail

((BASH_VERSINFO[0] >= 5)) || { echo "the scenarios need bash 5, this is $BASH_VERSION" >&2; exit 1; }
command -v curl >/dev/null || { echo "the scenarios need curl" >&2; exit 1; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
scenario=$(basename "$0" .sh)
foreign_url=${BASE_URL:-}
foreign_url=${foreign_url%/}
server_pid=
sessions=()
checks=0

cleanup() {
  local code=$? pid
  trap '' INT TERM
  trap - EXIT
  if [ -n "$foreign_url" ]; then
    curl -q --silent --max-time 5 --output /dev/null --request POST "$foreign_url/fail/reset" || true
    for session in "${sessions[@]}"; do
      curl -q --silent --max-time 5 --output /dev/null --request DELETE "$foreign_url/sessions/$session" || true
    done
  fi
  for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
  case $code in
    0) ;;
    130 | 143) printf '%s: interrupted\n' "$scenario" >&2 ;;
    *) printf '%s: FAILED\n' "$scenario" >&2 ;;
  esac
  exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
  printf '  FAILED: %s\n' "$*" >&2
  exit 1
}

# program VARIABLE PACKAGE BIN: the path that the variable holds, or what cargo builds.
program() {
  if [ -n "${!1:-}" ]; then
    printf '%s\n' "${!1}"
    return
  fi
  command -v cargo >/dev/null || fail "there is no cargo to build $3 with: set $1 to the program's path"
  (cd "$root" && cargo build --quiet --locked --package "$2" --bin "$3") >&2 || fail "$3 does not build"
  printf '%s\n' "${CARGO_TARGET_DIR:-$root/target}/debug/$3"
}


# --- The server -------------------------------------------------------------------------------------------------

# start_server [FLAG...]: a server on a free port, with these flags; with BASE_URL, the one that is there as it is.
start_server() {
  if [ -n "$foreign_url" ]; then
    url=$foreign_url
    request POST /fail/reset
    check "the server at $url answers" "$status" 200
    return
  fi
  stop_server
  local server
  server=$(program TEST_SERVER test-server test-server)
  : >"$work/server.log"
  # In a directory of its own: a developer's .env must not change what is shown here.
  (cd "$work" && exec env -i "$server" serve --host 127.0.0.1 --port 0 "$@") >"$work/server.log" 2>&1 &
  server_pid=$!
  wait_for_log '"logger":"server.startup"'
  url=http://$(json address "$(<"$work/server.log")")
  export no_proxy="127.0.0.1,${no_proxy:-}"
}

stop_server() {
  [ -n "$server_pid" ] || return 0
  kill "$server_pid"
  wait "$server_pid" || fail "the server ended with exit code $?"
  server_pid=
}

# The server is not ours: its settings are unknown, and its log is out of reach.
is_foreign() { [ -n "$foreign_url" ]; }

# wait_for_log TEXT: until our server has logged it.
wait_for_log() {
  local end=$((SECONDS + 30))
  while ((SECONDS < end)); do
    [[ $(<"$work/server.log") != *"$1"* ]] || return 0
    kill -0 "$server_pid" 2>/dev/null || fail "the server ended: $(<"$work/server.log")"
    sleep 0.02
  done
  fail "the server did not log $1 within 30 s"
}


# --- Requests ---------------------------------------------------------------------------------------------------

# request METHOD PATH [CURL ARGUMENT...]: sets $status, $headers and $body.
# shellcheck disable=SC2034 # the scenarios read $headers and $body
request() {
  local method=$1 path=$2
  shift 2
  status=$(curl -q --silent --show-error --max-time 40 --request "$method" --dump-header "$work/headers" \
    --output "$work/body" --write-out '%{http_code}' "$@" "$url$path") || fail "no answer to $method $path"
  headers=$(<"$work/headers")
  body=$(<"$work/body")
}

# attempt METHOD PATH [CURL ARGUMENT...]: as request; the answer may be broken, or never come. Sets $curl_code as well:
# 0 for a whole answer, 18 for a part of one, 52 for a connection that ended before a byte, 56 for one that was reset.
# shellcheck disable=SC2034 # the scenarios read $curl_code, $headers and $body
attempt() {
  local method=$1 path=$2
  shift 2
  : >"$work/headers"
  : >"$work/body"
  curl_code=0
  status=$(curl -q --silent --max-time 40 --request "$method" --dump-header "$work/headers" \
    --output "$work/body" --write-out '%{http_code}' "$@" "$url$path") || curl_code=$?
  headers=$(<"$work/headers")
  body=$(<"$work/body")
}

# open_session [JSON]: makes a session with these fields; sets $session, its id.
open_session() {
  request POST /sessions --data "${1:-}"
  session=$(json id "$body")
  check "a session is opened" "$status" 201
  sessions+=("$session")
}

# requests_at_once N PATH [CURL ARGUMENT...]: makes N of them together; sets $answers, a line "BODY STATUS" for each.
# shellcheck disable=SC2034 # the scenarios read it
requests_at_once() {
  local n=$1 path=$2 pids=() i
  shift 2
  for ((i = 0; i < n; i++)); do
    curl -q --silent --max-time 40 --write-out ' %{http_code}\n' "$@" "$url$path" >"$work/answer.$i" &
    pids+=($!)
  done
  for i in "${pids[@]}"; do wait "$i" || fail "one of $n requests to $path got no answer"; done
  answers=$(cat "$work"/answer.*)
  rm "$work"/answer.*
}

# A request id that was never used before, on whatever server this is.
new_request_id() { printf '%s-%s-%s%s\n' "$scenario" "$$" "$RANDOM" "$RANDOM"; }

# resilient ARGUMENT...: the client's command; sets $report and $exit_code.
# shellcheck disable=SC2034 # the scenarios read them
resilient() {
  client=${client:-$(program RESILIENT resilient-client resilient)}
  exit_code=0
  report=$("$client" "$@" --report) || exit_code=$?
}

# json KEY TEXT: prints the first value of this key that is a string, a number or a boolean, if there is one.
json() {
  local pattern="\"$1\":[[:space:]]*(\"([^\"]*)\"|-?[0-9.]+|true|false)"
  if [[ $2 =~ $pattern ]]; then printf '%s\n' "${BASH_REMATCH[2]:-${BASH_REMATCH[1]}}"; fi
}

# count_of WHAT TEXT: how often it occurs in it.
count_of() {
  local rest=${2//"$1"/}
  echo $(((${#2} - ${#rest}) / ${#1}))
}


# --- Checks -----------------------------------------------------------------------------------------------------

title() { printf '%s: %s\n' "$scenario" "$*"; }

# check WHAT ACTUAL EXPECTED: they are equal.
check() {
  [ "$2" = "$3" ] || fail "$1: expected $3, got ${2:-nothing}"
  passed "$1"
}

# check_matches WHAT ACTUAL PATTERN: it contains a match of this extended regular expression.
check_matches() {
  [[ $2 =~ $3 ]] || fail "$1: expected a match of $3, got ${2:-nothing}"
  passed "$1"
}

# check_between WHAT ACTUAL LOW HIGH: a whole number within these bounds.
check_between() {
  if [[ ! $2 =~ ^[0-9]+$ ]] || [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ]; then
    fail "$1: expected $3..$4, got ${2:-nothing}"
  fi
  passed "$1"
}

passed() {
  checks=$((checks + 1))
  printf '  ok: %s\n' "$1"
}

skip() { printf '  SKIPPED, the server is not ours: %s\n' "$1"; }

finish() { title "passed, $checks checks"; }
