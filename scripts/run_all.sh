#!/usr/bin/env bash
# Runs every scenario, one after the other; goes on after one that fails, and ends with 1 if any did.
#
#   scripts/run_all.sh                                each scenario starts its own servers
#   BASE_URL=http://localhost:8000 scripts/run_all.sh all drive that one; what needs other settings is skipped
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
scenario_pid=

# stop CODE: ends the scenario that runs, waits until it has cleaned up, and ends.
stop() {
  trap '' INT TERM
  if [ -n "$scenario_pid" ]; then
    kill "$scenario_pid" 2>/dev/null || true
    wait "$scenario_pid" || true
  fi
  exit "$1"
}
trap 'stop 130' INT
trap 'stop 143' TERM

failed=()
for scenario in "$here"/[0-9][0-9]_*.sh; do
  # In the background, because a shell runs its traps only once the program in the foreground has ended.
  "$scenario" &
  scenario_pid=$!
  wait "$scenario_pid" || failed+=("$(basename "$scenario" .sh)")
  scenario_pid=
done

if [ ${#failed[@]} -gt 0 ]; then
  printf '\n%d failed: %s\n' "${#failed[@]}" "${failed[*]}" >&2
  exit 1
fi
printf '\nall scenarios passed\n'
