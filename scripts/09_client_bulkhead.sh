#!/usr/bin/env bash
# The bulkhead bounds what a client has under way: more calls wait for a slot, and give up when none comes free in
# time, without having reached the server.
source "$(dirname "$0")/lib.sh"
title "the bulkhead makes calls wait, for a limited time"
start_server

started=${EPOCHREALTIME/[.,]/}
resilient load "$url/msg?delay=100" --requests 6 --concurrency 6 --max-concurrency 2
took=$((${EPOCHREALTIME/[.,]/} - started))
check "6 calls through 2 slots all succeed" "$exit_code $(json ok "$report")" "0 6"
check_between "in 3 rounds of 100 ms" "$((took / 1000))" 300 60000

resilient load "$url/msg?delay=2000" --requests 6 --concurrency 6 --max-concurrency 2 --acquisition-timeout 0.1
check "with an acquisition timeout of 0.1 s, the 2 calls that got a slot succeed" "$exit_code $(json ok "$report")" "0 2"
check "and 4 give up" "$(json pool_timeout "$report")" 4

finish
