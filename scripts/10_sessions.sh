#!/usr/bin/env bash
# One server for many tests: a session has failures, idempotency keys and slots of its own, and ends when it is deleted
# or not used.
source "$(dirname "$0")/lib.sh"
title "sessions know nothing of each other"
start_server

open_session '{"max_concurrency": 1}'
first=$session
open_session '{"max_concurrency": 1}'
second=$session

request POST "/s/$first/fail/count/2"
check "failures are armed in the first session" "$status $(json fail_requests_count "$body")" "200 2"
request GET "/s/$second/msg"
check "the second session sees none of them" "$status" 200
request GET /msg
check "and neither does the server at its root" "$status" 200
request GET "/s/$first/msg"
check "the first session fails" "$status" 500
request GET /msg --header "X-Test-Session: $first"
check "also when a header names it" "$status" 500
request GET "/s/$first/msg"
check "as often as was armed" "$status" 200

id=$(new_request_id)
request GET "/s/$first/msg" --header "Idempotency-Key: $id"
message=$(json message_id "$body")
request GET "/s/$second/msg" --header "Idempotency-Key: $id"
check "one key is executed in each session" "$status $(count_of 'idempotent-replayed' "${headers,,}")" "200 0"
[ "$(json message_id "$body")" != "$message" ] || fail "both sessions answer with the same message"
request GET "/s/$first/msg" --header "Idempotency-Key: $id"
check "and replayed in its own" "$(json message_id "$body")" "$message"

curl -q --silent --max-time 40 --output /dev/null "$url/s/$first/echo?delay=30000" &
hanging=$!
in_use() {
  request GET "/sessions/$first"
  [ "$(json requests "$body")" = 6 ]
}
end=$((SECONDS + 30))
until in_use; do
  ((SECONDS < end)) || fail "the delayed request did not arrive within 30 s"
  sleep 0.02
done
request GET "/s/$second/msg"
check "a session whose only slot is taken holds up no other" "$status" 200
request POST "/s/$first/reset"
check "a reset ends what waits" "$status $(json message "$body")" "200 Session has been reset"
code=0
wait "$hanging" || code=$?
check "the connection of the delayed request is closed without an answer" "$code" 52
request GET "/s/$first/msg" --header "Idempotency-Key: $id"
check "and nothing is stored any more" "$status $(count_of 'idempotent-replayed' "${headers,,}")" "200 0"

request DELETE "/sessions/$first"
check "a session can be deleted" "$status" 204
request GET "/s/$first/msg"
check "and is gone" "$status $(json detail "$body")" "404 No such session"

open_session '{"ttl_seconds": 1}'
end=$((SECONDS + 30))
until request GET "/sessions/$session" && [ "$status" = 404 ]; do
  ((SECONDS < end)) || fail "the session did not end by itself within 30 s"
  sleep 0.1
done
passed "a session that is not used ends by itself"

finish
