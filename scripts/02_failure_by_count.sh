#!/usr/bin/env bash
# A count is exact: exactly that many of the following requests fail, also when they come all at once.
source "$(dirname "$0")/lib.sh"
title "exactly N requests fail"
start_server

request POST /fail/count/5
request GET /fail/status
check "5 failures are due" "$(json fail_requests_count "$body") $(json currently_failing "$body")" "5 true"

requests_at_once 20 /msg
check "of 20 requests at once, 5 fail" "$(count_of ' 500' "$answers")" 5
check "and 15 succeed" "$(count_of ' 200' "$answers")" 15

request GET /fail/status
check "no failure is due any more" "$(json fail_requests_count "$body") $(json currently_failing "$body")" "0 false"

request POST /fail/count/1000
request POST /fail/reset
check "a reset is confirmed" "$status $(json status "$body")" "200 normal_operation"
request GET /msg
check "and ends it at once" "$status" 200

request POST /fail/count/1001
check "more than 1000 is refused" "$status $(json type "$body")" "422 less_than_equal"
request POST /fail/count/many
check "and so is what is no number" "$status $(json type "$body")" "422 int_parsing"

finish
