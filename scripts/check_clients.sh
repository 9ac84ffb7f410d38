#!/usr/bin/env bash
# Examines a dozen HTTP clients with `test-server check`, and writes the page docs/clients.md.
#
#   scripts/check_clients.sh [FILE]
#
#   TEST_SERVER  the program to examine with, RESILIENT the project's own client; without them cargo builds both
#   GOCODE       where Debian's golang-github-hashicorp-go-retryablehttp-dev is, if not in /usr/share/gocode
#
# It needs python3 with venv, node with npm, and cargo, installs the clients in the versions below into a directory of
# its own, and removes it. A client whose language is not there is left out, and the page says so. It takes about eight
# minutes, most of them for clients that wait as long as they are let to.

set -euo pipefail

readonly requests=2.32.3 urllib3=2.2.3 httpx=0.27.2 tenacity=9.0.0 aiohttp=3.10.10 aiohttp_retry=2.8.3
readonly got=14.4.3 axios=1.7.7 axios_retry=4.5.0
# Those of Cargo.toml in scripts/clients/reqwest_retry.
readonly reqwest=0.12.9 reqwest_retry=0.7.0
# The one of Debian 12.
readonly retryablehttp=0.7.1

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
page=${1:-$root/docs/clients.md}
clients=$root/scripts/clients
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir "$work/results"

have() { command -v "$1" >/dev/null; }

# program VARIABLE PACKAGE BIN: the path that the variable holds, or what cargo builds.
program() {
  if [ -n "${!1:-}" ]; then
    realpath "${!1}"
    return
  fi
  (cd "$root" && cargo build --quiet --locked --package "$2" --bin "$3") >&2
  printf '%s\n' "${CARGO_TARGET_DIR:-$root/target}/debug/$3"
}

server=$(program TEST_SERVER test-server test-server)
resilient=$(program RESILIENT resilient-client resilient)
head -c 1000000 /dev/zero | tr '\0' x >"$work/large"
printf xxxxxxxx >"$work/small"

# column NAME VERSION SETTINGS: the client that is examined next.
column() {
  name=$1
  printf '%s: ' "$name" >&2
  printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$work/results/clients.tsv"
}

# examine KIND COMMAND...: examines the client with a GET, a small POST or a large one.
examine() {
  local kind=$1 flags=()
  shift
  case $kind in
    get) ;;
    small) flags=(--post --case lost-ack) ;;
    large) flags=(--post --case early-answer) ;;
  esac
  # A client that fails in a case is what is looked for.
  "$server" check --report json "${flags[@]}" -- "$@" >"$work/results/${name//\//-}.$kind" 2>"$work/log" || [ $? = 1 ] || {
    cat "$work/log" >&2
    exit 1
  }
  printf '%s ' "$kind" >&2
}

# scripted COMMAND...: examines a client that takes the URL and the size of the body of a POST.
scripted() {
  examine get "$@" '{url}'
  examine small "$@" '{url}' 8
  examine large "$@" '{url}' 1000000
  echo >&2
}

# with_file ARGUMENT COMMAND...: examines a command line to which ARGUMENT, with a file behind it, adds the body.
with_file() {
  local argument=$1
  shift
  examine get "$@" '{url}'
  examine small "$@" "$argument$work/small" '{url}'
  examine large "$@" "$argument$work/large" '{url}'
  echo >&2
}

left_out() {
  echo "SKIPPED: $1: there is no $2" >&2
  printf '%s\n' "$1" >>"$work/results/left_out"
}

if have curl; then
  version=$(curl --version | awk 'NR == 1 { print $2 }')
  column curl "$version" "\`curl -sf URL\`"
  with_file -d@ curl -q -sf
  column "curl --retry" "$version" "\`curl -sf --retry 3 URL\`"
  with_file -d@ curl -q -sf --retry 3
else left_out curl curl; fi

if have wget; then
  column wget "$(wget --version | awk 'NR == 1 { print $3 }')" "\`wget -q -O - URL\`"
  with_file --post-file= wget --no-config -q -O -
else left_out wget wget; fi

if have python3 && python3 -m venv "$work/venv" 2>/dev/null; then
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check "requests==$requests" "urllib3==$urllib3" \
    "httpx==$httpx" "tenacity==$tenacity" "aiohttp==$aiohttp" "aiohttp-retry==$aiohttp_retry"
  column requests "$requests, urllib3 $urllib3" "\`Retry(total=3, backoff_factor=0.5)\` for 429, 500, 502, 503, 504; 10 s"
  scripted "$work/venv/bin/python" "$clients/requests_retry.py"
  column httpx "$httpx, tenacity $tenacity" "4 attempts, random exponential wait, transport errors and passing statuses; 10 s"
  scripted "$work/venv/bin/python" "$clients/httpx_tenacity.py"
  column aiohttp-retry "$aiohttp_retry, aiohttp $aiohttp" "\`ExponentialRetry(attempts=4, start_timeout=0.5)\`; 10 s"
  scripted "$work/venv/bin/python" "$clients/aiohttp_retry_client.py"
else left_out "requests, httpx, aiohttp-retry" "python3 with venv"; fi

if have node && have npm; then
  cp "$clients"/*.mjs "$work"
  (cd "$work" && npm install --silent --no-fund --no-audit "got@$got" "axios@$axios" "axios-retry@$axios_retry" >&2)
  column fetch "Node $(node --version | tr -d v)" "Node's own, alone"
  scripted node "$work/fetch.mjs"
  column got "$got" "its defaults"
  scripted node "$work/got.mjs"
  column axios-retry "$axios_retry, axios $axios" "3 retries, \`exponentialDelay\`; 10 s"
  scripted node "$work/axios_retry.mjs"
else left_out "fetch, got, axios-retry" "node with npm"; fi

if have go; then
  export GOCACHE=$work/go GO111MODULE=off GOPATH=${GOCODE:-/usr/share/gocode}
  version=$(go version | awk '{ print substr($3, 3) }')
  go build -o "$work/nethttp" "$clients/nethttp.go"
  column net/http "Go $version" "alone; 10 s"
  scripted "$work/nethttp"
  if go build -o "$work/retryablehttp" "$clients/retryablehttp.go"; then
    column go-retryablehttp "$retryablehttp, Go $version" "its defaults; 10 s"
    scripted "$work/retryablehttp"
  else left_out go-retryablehttp "package of it"; fi
else left_out "net/http, go-retryablehttp" go; fi

if have cargo; then
  cp -r "$clients/reqwest_retry" "$work"
  CARGO_TARGET_DIR=$work/target cargo build --quiet --manifest-path "$work/reqwest_retry/Cargo.toml" >&2
  column reqwest-retry "$reqwest_retry, reqwest $reqwest" "\`ExponentialBackoff\`, 3 retries; 10 s"
  scripted "$work/target/debug/reqwest-retry-client"
else left_out reqwest-retry cargo; fi

column resilient "$("$resilient" --version | awk '{ print $2 }')" "its defaults"
examine get "$resilient" get '{url}'
examine small "$resilient" post '{url}' -d "@$work/small"
examine large "$resilient" post '{url}' -d "@$work/large"
echo >&2

python3 "$clients/page.py" "$work/results" >"$work/page.md"
mv "$work/page.md" "$page"
