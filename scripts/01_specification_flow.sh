#!/usr/bin/env bash
# The complete flow: a server is healthy, fails as often as was armed, recovers, gives one answer to one request id, and
# lets an induced failure hide that answer without forgetting it.
source "$(dirname "$0")/lib.sh"
title "healthy, failing, recovered, idempotent, failing first"
start_server

request GET /health
check "1. the server is healthy" "$status $(json status "$body")" "200 ok"

request POST /fail/count/3
check "2. 3 failures are armed" "$status $(json fail_requests_count "$body")" "200 3"

for n in 1 2 3; do
  request GET /msg
  check "3. request $n fails" "$status $body" '500 {"detail":"Induced server failure"}'
done

request GET /msg
check "4. the next one succeeds" "$status" 200

id=$(new_request_id)
request GET /msg --header "X-Request-ID: $id"
first=$(json message_id "$body")
uuid_v4='^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'
check_matches "5. a request with an id gets a message" "$first" "$uuid_v4"
request GET /msg --header "X-Request-ID: $id"
check "5. the same id gets the same message" "$(json message_id "$body")" "$first"

request POST /fail/count/1
request GET /msg --header "X-Request-ID: $id"
check "6. an induced failure comes before the stored answer" "$status" 500
request GET /msg --header "X-Request-ID: $id"
check "6. and leaves it in place" "$status $(json message_id "$body")" "200 $first"

finish
