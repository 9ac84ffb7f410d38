#!/usr/bin/env bash
# A plan of faults says which request gets what; the preview says so before; and the same seed gives the same faults.
source "$(dirname "$0")/lib.sh"
title "scripted and random faults"
start_server
open_session

request POST "/s/$session/fail/script/503,429,ok,delay:50"
check "a script is put in force by one request" "$status" 200
seen=()
for _ in {1..5}; do
  request GET "/s/$session/msg"
  seen+=("$status")
done
check "its steps come in order, and then nothing" "${seen[*]}" "503 429 200 200 200"
request GET "/s/$session/faults"
check "the plan counts what matched and what was injected" "$(json matched "$body") $(json injected "$body")" "5 3"

plan='{"rules": [{"match": {"methods": ["POST"], "path": "/echo/orders/*"}, "per": "key",
  "script": [{"status": 429, "headers": {"Retry-After": "2"}}, "ok"], "then": "repeat"}]}'
request PUT "/s/$session/faults" --data "$plan"
check "a plan replaces the script" "$status" 200
request GET "/s/$session/msg"
check "a request that no rule matches passes" "$status" 200
for key in a b; do
  request POST "/s/$session/echo/orders/7" --header "Idempotency-Key: $key"
  check "key $key gets its own first step" "$status $(count_of 'retry-after: 2' "${headers,,}")" "429 1"
done
request POST "/s/$session/echo/orders/7" --header "Idempotency-Key: a"
check "and its own second one" "$status" 200

request PUT "/s/$session/faults" --data '{"rules": [{"script": ["503", "explode"]}]}'
check "a plan with a mistake is refused" "$status" 422
check_matches "with the place of the mistake" "$body" '"loc":\["body","rules",0,"script",1\]'
request GET "/s/$session/faults"
check "and changes nothing" "$(json path "$body")" '/echo/orders/*'

random='{"faults": {"seed": 42, "rules": [{"probability": 0.4, "fault": 503}]}}'
runs=()
for _ in 1 2; do
  open_session "$random"
  request POST "/s/$session/faults/preview" --data '{"requests": 20}'
  previewed=$(count_of '"fault":"503"' "$body")
  run=()
  for _ in {1..20}; do
    request GET "/s/$session/msg"
    run+=("$status")
  done
  check "as many random faults come as the preview has said" "$(count_of 503 "${run[*]}")" "$previewed"
  runs+=("${run[*]}")
done
check "and in another session with the same seed the same requests fail" "${runs[1]}" "${runs[0]}"

request DELETE "/s/$session/faults"
check "a plan can be taken away" "$status" 204
request GET "/s/$session/msg"
check "and then nothing fails" "$status" 200

finish
