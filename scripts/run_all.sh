#!/usr/bin/env bash
# Runs every scenario, one after the other; goes on after one that fails, and ends with 1 if any did.
#
#   scripts/run_all.sh                                each scenario starts its own servers
#   BASE_URL=http://localhost:8000 scripts/run_all.sh all drive that one; what needs other settings is skipped
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
trap 'echo "interrupted" >&2; exit 130' INT
trap 'echo "ended" >&2; exit 143' TERM

failed=()
for scenario in "$here"/[0-9][0-9]_*.sh; do
  "$scenario" || failed+=("$(basename "$scenario" .sh)")
done

if [ ${#failed[@]} -gt 0 ]; then
  printf '\n%d failed: %s\n' "${#failed[@]}" "${failed[*]}" >&2
  exit 1
fi
printf '\nall scenarios passed\n'
