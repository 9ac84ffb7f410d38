#!/usr/bin/env bash
# Faults below HTTP: resets, closed connections, answers that are cut short, malformed, late or too long. curl says by
# its exit code what it has seen.
source "$(dirname "$0")/lib.sh"
title "what goes wrong on the wire"
start_server
open_session
path=/s/$session/msg

# A port forwarder between curl and a server that is not ours may turn a reset into the end of the stream.
reset='^56$'
if is_foreign; then reset='^(52|56)$'; fi

attempt GET "$path" --header 'X-Fault: reset'
check_matches "a reset instead of an answer" "$curl_code" "$reset"
attempt GET "$path" --header 'X-Fault: close'
check "the end of the connection instead of an answer" "$curl_code" 52
attempt GET "$path" --header 'X-Fault: truncate:5'
check "a body of which five bytes come" "$curl_code $status ${#body}" "18 200 5"
attempt GET "$path" --header 'X-Fault: garbage'
check_matches "bytes that are no HTTP" "$curl_code" '^(1|8)$'
attempt GET "$path" --header 'X-Fault: malformed_chunk'
check "a chunked body that breaks its framing" "$curl_code $status" "56 200"
attempt GET "$path" --header 'X-Fault: hang:300'
check "no answer, and after 300 ms the end of the connection" "$curl_code" 52
attempt GET "$path" --header 'X-Fault: hang' --max-time 1
check "no answer until the client gives up" "$curl_code" 28

attempt GET "$path" --header 'X-Fault: http10'
check_matches "an answer of HTTP/1.0" "$curl_code $headers" '^0 HTTP/1\.0 200'
attempt GET "$path" --header 'X-Fault: interim'
check_matches "an interim answer before the real one" "$headers" 'HTTP/1\.1 103.*HTTP/1\.1 200'
attempt POST "/s/$session/echo" --header 'X-Fault: early:413' --data 'a body that is not read'
check "an answer before the body is read" "$curl_code $status" "0 413"
started=${EPOCHREALTIME/[.,]/}
attempt GET "$path" --header 'X-Fault: drip:200'
took=$((${EPOCHREALTIME/[.,]/} - started))
check "a whole answer that comes slowly" "$curl_code $status" "0 200"
check_between "at 200 bytes a second" "$((took / 1000))" 500 40000

# curl repeats a request by itself when a connection that it has used before turns out to be closed.
request POST "/s/$session/reset"
attempt GET "$path" --header 'X-Fault: stale' --output "$work/next" "$url$path"
check "a connection that goes stale behind a good answer" "$curl_code $status" "0 200200"
request GET "/s/$session/journal"
check "the request on it is read, and not executed" "$(count_of '"execution":"executed"' "$body")" 2
check "the journal calls it stale" "$(count_of '"ended":"stale"' "$body")" 1

finish
