#!/usr/bin/env bash
# Requests beyond the limit wait for a slot; a request that takes too long, its wait included, is a 408; the
# control plane answers at once all the while; and a client that disconnects gives back its slot.
source "$(dirname "$0")/lib.sh"
title "slots, timeouts, and a server that can always be reset"
start_server --max-concurrency 1 --request-timeout 30 --log-level DEBUG

# hang: a client that asks for the longest delay there is, in the background.
hanging=()
hang() {
  curl -q --silent --max-time 40 --output /dev/null "$url/msg?delay=30000" &
  hanging+=($!)
}

hang
hang
if is_foreign; then
  skip "whether the second request waits for the slot of the first"
else
  wait_for_log '"message":"Request waits for a slot"'
  passed "with one slot, a second request waits"
fi
request GET /health
check "meanwhile the server says that it is healthy" "$status $(json status "$body")" "200 ok"
request POST /fail/count/1
check "arms failures" "$status" 200
request POST /fail/reset
check "and resets" "$status" 200
for pid in "${hanging[@]}"; do
  kill -0 "$pid" 2>/dev/null || fail "a hanging request was answered before its delay was over"
done
passed "while both requests still hang"

kill "${hanging[@]}"
wait "${hanging[@]}" || true
request GET /msg --max-time 20
check "when their clients give up, the slot is free" "$status" 200

if is_foreign; then
  skip "how many run at once, and the request timeout"
else
  started=${EPOCHREALTIME/[.,]/}
  requests_at_once 3 '/msg?delay=200'
  took=$((${EPOCHREALTIME/[.,]/} - started))
  check "3 requests at once all succeed" "$(count_of ' 200' "$answers")" 3
  check_between "one after the other: 3 times 200 ms" "$((took / 1000))" 600 30000

  start_server --max-concurrency 1 --request-timeout 1
  requests_at_once 2 '/msg?delay=30000'
  check "past its timeout a request is a 408, and so is one that waited for its slot" \
    "$(count_of '{"detail":"Request timeout"} 408' "$answers")" 2
  request GET /msg
  check "and the slot is free again" "$status" 200
fi

finish
