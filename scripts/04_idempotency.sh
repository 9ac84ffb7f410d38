#!/usr/bin/env bash
# One request id, one answer: when it is repeated, and also when it is repeated while the first one still runs.
source "$(dirname "$0")/lib.sh"
title "one request id, one message"
start_server

id=$(new_request_id)
request GET /msg --header "X-Request-ID: $id"
first=$(json message_id "$body")
check_matches "a request with an id gets a message" "$status $first" '^200 [0-9a-f-]{36}$'
check "a first answer is not marked as a replay" "$(count_of 'idempotent-replayed' "${headers,,}")" 0

request GET /msg --header "X-Request-ID: $id"
check "the same id gets the same message" "$(json message_id "$body")" "$first"
check "marked as a replay" "$(count_of 'idempotent-replayed: true' "${headers,,}")" 1

request GET /msg --header "X-Request-ID: $(new_request_id)"
second=$(json message_id "$body")
check_matches "another id gets a message" "$status $second" '^200 [0-9a-f-]{36}$'
[ "$second" != "$first" ] || fail "another id gets the same message"
passed "and it is another one"

requests_at_once 5 '/msg?delay=300' --header "X-Request-ID: $(new_request_id)"
check "5 requests at once with one id all succeed" "$(count_of ' 200' "$answers")" 5
check "and get one message: the work is done once" "$(sort -u <<<"$answers" | wc -l | tr -d ' ')" 1

request GET /msg --header "X-Request-ID: $(printf 'x%.0s' {1..256})"
check "an id of more than 255 characters is refused" "$status $(json type "$body")" "422 string_too_long"

finish
