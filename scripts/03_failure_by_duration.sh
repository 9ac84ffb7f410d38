#!/usr/bin/env bash
# A duration ends by itself; it and the count are independent of each other; a reset ends both.
source "$(dirname "$0")/lib.sh"
title "requests fail until the time is over"
start_server

request POST /fail/duration/60
check "failing for 60 s is confirmed" "$status $(json duration_seconds "$body")" "200 60"
request POST /fail/count/1
for n in 1 2 3; do
  request GET /msg
  check "request $n fails: one for the count, the others for the time" "$status" 500
done
request GET /fail/status
check "the count is used up, the time is not" "$(json fail_requests_count "$body") $(json currently_failing "$body")" "0 true"
request POST /fail/reset
request GET /msg
check "a reset ends it at once" "$status" 200

request POST /fail/duration/1
for ((tries = 0; tries < 100; tries++)); do
  request GET /fail/status
  if [ "$(json currently_failing "$body")" = false ]; then break; fi
  sleep 0.1
done
check_matches "1 s ends by itself" "$(json currently_failing "$body") $(json duration_remaining_seconds "$body")" '^false 0(\.0)?$'
request GET /msg
check "and requests succeed again" "$status" 200

request POST /fail/duration/3601
check "more than an hour is refused" "$status $(json type "$body")" "422 less_than_equal"

finish
