#!/usr/bin/env bash
# A server in front of a real API: its requests are forwarded, and fail when the test says so.
source "$(dirname "$0")/lib.sh"
title "an API behind the server has a bad day"
start_server
api=$url

# A second server, with the first one as its upstream.
proxy=$(program TEST_SERVER test-server test-server)
: >"$work/proxy.log"
(cd "$work" && exec env -i "$proxy" serve --host 127.0.0.1 --port 0 --upstream "$api") >"$work/proxy.log" 2>&1 &
proxy_pid=$!
end=$((SECONDS + 30))
until [[ $(<"$work/proxy.log") == *'"logger":"server.startup"'* ]]; do
  kill -0 "$proxy_pid" 2>/dev/null || fail "the server ended: $(<"$work/proxy.log")"
  ((SECONDS < end)) || fail "the server did not start within 30 s"
  sleep 0.02
done
url=http://$(json address "$(<"$work/proxy.log")")
export no_proxy="127.0.0.1,${no_proxy:-}"

request POST /echo/orders?a=1 --data 'an order' --header 'X-Tenant: a'
check "a request is forwarded" "$status $(json method "$body") $(json path "$body") $(json body "$body")" \
  "200 POST /echo/orders an order"
check "with its headers" "$(json x-tenant "$body")" a
check "and with the address of its client" "$(json x-forwarded-for "$body")" 127.0.0.1

request POST /__test/fail/count/1
check "the server's own paths are below its prefix" "$status" 200
request GET /echo
check "a failure comes in place of the API's answer" "$status $(json detail "$body")" "500 Induced server failure"
request GET /echo
check "and then the API answers again" "$status" 200

request GET /echo --header 'X-Fault: 429'
check "one request asks for its own fault" "$status" 429

id=$(new_request_id)
request POST /__test/sessions --data "{\"faults\": {\"rules\": [{\"script\": [\"503\", \"ok\"]}]}}"
check "a session can be opened" "$status" 201
proxy_url=$url
url=$(json base_url "$body")
check_matches "its address has the prefix" "$url" '/__test/s/[^/]+$'
request GET /__test/faults
check "below it the session's own paths have the prefix too" "$status $(json matched "$body")" "200 0"
request GET /echo/in/session --header "X-Request-ID: $id"
check "the session's script comes first" "$status" 503
request GET /not/here --header "X-Request-ID: $id"
check "then requests are forwarded, and the API's own errors come back" "$status $(json detail "$body")" "404 Not Found"
url=$proxy_url
request GET /echo
check "other sessions see none of it" "$status" 200

kill "$proxy_pid"
wait "$proxy_pid" || fail "the server ended with exit code $?"
url=$api
finish
