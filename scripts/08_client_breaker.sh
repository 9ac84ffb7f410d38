#!/usr/bin/env bash
# After a few failed calls in a row the client stops calling: the rest fail at once, and the server is left alone
# until it had time to recover.
source "$(dirname "$0")/lib.sh"
title "the circuit breaker opens, spares the server, and closes again"
start_server

request POST /fail/count/1000
resilient load "$url/msg" --requests 20 --concurrency 1 --rate 100 \
  --max-attempts 1 --failure-threshold 3 --recovery-timeout 60
check "a load of 20 requests runs to its end" "$exit_code $(json requests "$report")" "0 20"
check "3 of them fail" "$(json server "$report")" 3
check "and 17 are refused by the open breaker" "$(json circuit_open "$report")" 17
request GET /fail/status
check "the server has seen 3 requests" "$(json fail_requests_count "$body")" 997
request POST /fail/reset

# 3 failures open it for 0.2 s; requests go on for 2 s.
request POST /fail/count/3
resilient load "$url/msg" --requests 40 --concurrency 1 --rate 20 \
  --max-attempts 1 --failure-threshold 3 --recovery-timeout 0.2
check "a server that recovers is called again" "$exit_code $(json server "$report")" "0 3"
check "by a probe: open, half-open, closed, once each" \
  "$(json opened "$report") $(json half_opened "$report") $(json closed "$report")" "1 1 1"
check_between "and requests succeed from then on" "$(json ok "$report")" 1 37

finish
