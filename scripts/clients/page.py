"""Makes docs/clients.md from the reports of `test-server check` in a directory. Run by check_clients.sh."""
import json
import sys
from datetime import date
from pathlib import Path

folder = Path(sys.argv[1])
INTRODUCTION = """\
# Clients, examined

What a dozen HTTP clients do in the cases of `test-server check`. This page is made by
[`scripts/check_clients.sh`](../scripts/check_clients.sh): every cell is a measurement with the versions and settings
below, nothing is taken from documentation. Measured on {today}.

## How to read it

* `pass`: the client did nothing wrong. **warn**: something that is harmful under load or in bad luck. **FAIL**: something
  that is wrong by a specification or loses data. `-`: the case does not concern the client. The reasons are below the
  table, in the words of `test-server check`; [findings.md](findings.md) explains each name, and `test-server check --list`
  each case.
* **A client's defaults are the choice of its maintainers.** Most of them leave retries to their users, and then the table
  has many warnings `no-retry`: they say what the command as it stands does, not that the library is bad. Most libraries
  can be configured so that their warnings go away.
* `early-answer` and `lost-ack` were measured with a POST (of 1,000,000 and of 8 bytes) without an idempotency key, all
  other cases with a GET.
* `ten-alike` and `rate-limit` run the client several times, and waits are random: a single cell may differ from run to
  run. `ten-alike` compares waits of 100 ms or more, and finds those alike that differ by less than 2 %: it says nothing of
  a client whose first wait is shorter, and on a busy machine it may miss one without jitter.
"""


def escaped(text: str) -> str:
    for character in "\\|*_<":
        text = text.replace(character, "\\" + character)
    return text


def cases_of(name: str) -> dict:
    measured = {}
    for kind in ("get", "small", "large"):
        for case in json.loads((folder / f"{name.replace('/', '-')}.{kind}").read_text())["cases"]:
            if kind == "get" or case["result"] != "not_applicable":
                measured[case["case"]] = case
    return measured


CELLS = {"pass": "pass", "warn": "**warn**", "fail": "**FAIL**", "not_applicable": "-"}
clients = [line.split("\t") for line in (folder / "clients.tsv").read_text().splitlines()]
measured = {name: cases_of(name) for name, _, _ in clients}
names = list(measured)

print(INTRODUCTION.format(today=date.today().isoformat()))
print("| client | version | settings |\n|---|---|---|")
for name, version, settings in clients:
    print(f"| {name} | {version} | {settings} |")
left_out = folder / "left_out"
if left_out.exists():
    print(f"\nNot measured, because their tools were not there: {', '.join(left_out.read_text().splitlines())}.")
print("\nThe programs are in [`scripts/clients`](../scripts/clients).\n\n## The table\n")
print(f"| case | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
for case in measured[names[0]]:
    print(f"| `{case}` | {' | '.join(CELLS[measured[name][case]['result']] for name in names)} |")
for result in ("pass", "warn", "fail"):
    counts = (sum(case["result"] == result for case in measured[name].values()) for name in names)
    print(f"| *{result}* | {' | '.join(map(str, counts))} |")

print("\n## The reasons")
for name in names:
    reasons: dict[str, list[str]] = {}
    for case in measured[name].values():
        if case["result"] in ("warn", "fail"):
            reasons.setdefault(f"{CELLS[case['result']]} {escaped(case['why'])}", []).append(f"`{case['case']}`")
    print(f"\n### {name}\n")
    for reason, cases in reasons.items():
        print(f"* {reason}: {', '.join(cases)}")
    if not reasons:
        print("None.")
