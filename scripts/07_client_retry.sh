#!/usr/bin/env bash
# The client retries failures that may pass, with one request id, and gives up after the configured attempts; it never
# retries an error that would stay the same.
source "$(dirname "$0")/lib.sh"
title "the client retries, and knows when to stop"
start_server
waits=(--min-wait 0.01 --max-wait 0.05)

request POST /fail/count/2
resilient get "$url/msg" --max-attempts 3 "${waits[@]}"
check "two failures are survived" "$exit_code $(json outcome "$report")" "0 ok"
check "by a third attempt" "$(count_of '"n":' "$report")" 3
check "after two answers 500" "$(count_of '"status":500' "$report")" 2
check_matches "the answer is a message" "$report" '"message_id":"[0-9a-f-]{36}"'

request POST /fail/count/5
resilient get "$url/msg" --max-attempts 3 "${waits[@]}"
check "five are not, with three attempts" "$exit_code $(json outcome "$report") $(json kind "$report")" "3 error server"
request GET /fail/status
check "three requests reached the server, no more" "$(json fail_requests_count "$body")" 2
request POST /fail/reset

id=$(new_request_id)
resilient get "$url/msg" --request-id "$id"
request GET /msg --header "X-Request-ID: $id"
check "the request id that was asked for went out" "$exit_code $(json message_id "$report")" "0 $(json message_id "$body")"

resilient get "$url/msg?delay=soon" --max-attempts 3 "${waits[@]}"
check "a bad request is an error" "$exit_code $(json kind "$report")" "4 invalid_request"
check "and is not retried" "$(count_of '"n":' "$report")" 1

finish
