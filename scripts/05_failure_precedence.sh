#!/usr/bin/env bash
# An induced failure comes before a stored answer, and neither replaces the other: the failure is never stored, the
# answer is still there afterwards. So a client can be shown a failure for a request that had already succeeded.
source "$(dirname "$0")/lib.sh"
title "failures come before stored answers"
start_server

id=$(new_request_id)
request GET /msg --header "X-Request-ID: $id"
stored=$(json message_id "$body")
check_matches "an answer is stored" "$status $stored" '^200 [0-9a-f-]{36}$'

request POST /fail/count/2
for n in 1 2; do
  request GET /msg --header "X-Request-ID: $id"
  check "failure $n hides it" "$status" 500
done
request GET /msg --header "X-Request-ID: $id"
check "then it is there again" "$status $(json message_id "$body")" "200 $stored"

id=$(new_request_id)
request POST /fail/count/1
request GET /msg --header "X-Request-ID: $id"
check "a first request with a new id fails" "$status" 500
request GET /msg --header "X-Request-ID: $id"
check "its failure is not stored: the retry is answered" "$status" 200
check "with a first answer, not a replay" "$(count_of 'idempotent-replayed' "${headers,,}")" 0

finish
