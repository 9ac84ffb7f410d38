#!/usr/bin/env bash
# The request is executed and its answer is lost: a retry with the same key gets the stored answer, and the work is done
# once.
source "$(dirname "$0")/lib.sh"
title "a lost acknowledgement"
start_server
open_session

executions() {
  request GET "/s/$session/journal?limit=1000"
  printf '%s executed, %s replayed\n' "$(count_of '"execution":"executed"' "$body")" \
    "$(count_of '"execution":"replayed"' "$body")"
}

charge=(--header "Idempotency-Key: $(new_request_id)" --data '{"amount": 12}')
for loss in lose:close lose:truncate; do
  attempt POST "/s/$session/echo/charges" "${charge[@]}" --header "X-Fault: $loss"
  [ "$curl_code" != 0 ] || fail "the answer was not lost: $status $body"
  passed "$loss: the client does not get the whole answer (curl: $curl_code)"
done
request POST "/s/$session/echo/charges" "${charge[@]}"
check "the retry gets the stored answer" "$status $(count_of 'idempotent-replayed: true' "${headers,,}")" "200 1"
check "and the charge was made once" "$(executions)" "1 executed, 2 replayed"

request POST "/s/$session/reset"
attempt POST "/s/$session/echo/charges" "${charge[@]}" --header 'X-Fault: lose:hang' --max-time 1
check "a client gives up waiting for an answer that is lost in a hang" "$curl_code" 28
request POST "/s/$session/echo/charges" "${charge[@]}"
check "its retry is answered at once" "$status $(count_of 'idempotent-replayed: true' "${headers,,}")" "200 1"

request POST "/s/$session/reset"
request POST "/s/$session/fail/script/lose,lose:close"
resilient post "$url/s/$session/echo/charges" --data '{"amount": 12}' --max-attempts 3 --min-wait 0.01 --max-wait 0.05
check "the client survives two lost answers" "$exit_code $(json outcome "$report")" "0 ok"
check "with three attempts" "$(count_of '"n":' "$report")" 3
check "of one execution" "$(executions)" "1 executed, 2 replayed"

request POST "/s/$session/reset"
request POST "/s/$session/fail/script/lose:close"
attempt POST "/s/$session/echo/charges" --data '{"amount": 12}'
request POST "/s/$session/echo/charges" --data '{"amount": 12}'
check "without a key, the charge is made twice" "$status $(executions)" "200 2 executed, 0 replayed"

finish
