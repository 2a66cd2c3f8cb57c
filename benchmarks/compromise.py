"""A plan of what a compromised CA takes with it, beside a plan of the same repository that finds nothing."""

import math
import os
import subprocess
from pathlib import Path

from measurement import Cost, Row, measure, median, scratch, seconds, show
from repository import Repository, make_repository

RUNS = 3
MOST = int(os.environ.get("BENCHMARK_CERTIFICATES", "10000"))
SIZES = (MOST // 10, MOST)
AIM = 3.0
"""How many times a plan that finds nothing it may take."""
_REVOCATION = """\
kind: Revocation
metadata: {{name: stolen}}
spec: {{authorityRef: internal, generation: 1, reason: keyCompromise{immediate}}}
"""


def planned(made: Repository, text: str = "") -> Cost:
    """Return what a plan costs with a Revocation, or without one."""
    document = made.root / "revocations/stolen.yaml"
    document.parent.mkdir(exist_ok=True)
    document.write_text(text)
    cost = median(RUNS, lambda: measure(made.command("plan"), made.environment))
    document.unlink()
    return cost


def counted(made: Repository) -> int:
    """Return how many certificates the plan of a compromise revokes, the CA's own among them."""
    document = made.root / "revocations/stolen.yaml"
    document.write_text(_REVOCATION.format(immediate=""))
    command = made.command("plan", "--format", "json")
    done = subprocess.run(command, env=made.environment, check=True, capture_output=True, text=True)
    document.unlink()
    return done.stdout.count('"action": "revoke"') + done.stdout.count('"action":"revoke"')


def rows(made: Repository, number: int) -> tuple[list[Row], float]:
    """Return the rows of one size, and the seconds of the plan of the compromise."""
    nothing = planned(made)
    found = [("finds nothing", nothing)]
    found.append(("compromised", planned(made, _REVOCATION.format(immediate=""))))
    found.append(
        ("compromised, immediate", planned(made, _REVOCATION.format(immediate=", immediate: true")))
    )
    lines: list[Row] = [
        (
            f"{number:,}, {title}",
            seconds(cost.wall),
            seconds(cost.processor),
            f"{cost.memory:.0f} MB",
            f"{cost.processor / nothing.processor:.1f}",
        )
        for title, cost in found
    ]
    return lines, found[1][1].processor


def main() -> None:
    """Measure each size, and how the cost of the plan grows."""
    lines: list[Row] = []
    spent: dict[int, float] = {}
    with scratch() as folder:
        for number in SIZES:
            made = make_repository(Path(folder, f"certificates-{number}"), number)
            made.run("apply", "--auto-approve")
            more, spent[number] = rows(made, number)
            lines += more
            revoked = counted(made)
    head = ("certificates", "wall", "processor", "memory", "processor, finds nothing = 1")
    show(f"A plan after a CA's key was stolen, medians of {RUNS}", head, lines)
    small, large = SIZES[0], SIZES[-1]
    exponent = math.log(spent[large] / spent[small], large / small)
    print(f"\n{revoked:,} certificates to revoke in the largest. Growth exponent: {exponent:.2f}.")
    print(f"The aim is {AIM:.0f} times a plan that finds nothing.")


if __name__ == "__main__":
    main()
