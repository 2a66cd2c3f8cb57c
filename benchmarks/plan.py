"""A plan that finds nothing to do, beside octoDNS finding nothing to do, and how both grow.

Each certificate is issued and installed first, so that the plan reads its document, its record in the
ledger and every file it has in the target.
"""

import math
import sys
from pathlib import Path

from measurement import Cost, measure, median, scratch, seconds, show
from repository import make_repository

RUNS = 5
SIZES = (1_000, 10_000, 20_000)
MAIN = 10_000
TERRAFORM = Cost(24.8, 44.0, 1960.0)
"""Terraform 1.x, no-op plan of 10,000 `terraform_data`, recorded once on another machine of 2 cores."""

_OCTODNS = """\
manager: {{max_workers: 1}}
providers:
  wanted: {{class: octodns.provider.yaml.YamlProvider, directory: {root}/wanted}}
  live: {{class: octodns.provider.yaml.YamlProvider, directory: {root}/live}}
zones:
  example.com.: {{sources: [wanted], targets: [live]}}
"""


def certform(folder: Path, certificates: int) -> Cost:
    """Apply that many certificates for real, then measure plans of them."""
    made = make_repository(folder / f"certificates-{certificates}", certificates)
    made.run("apply", "--auto-approve")
    return median(RUNS, lambda: measure(made.command("plan"), made.environment))


def octodns(folder: Path, records: int) -> Cost:
    """Synchronise that many A records from YAML to YAML, then measure that nothing is left to do."""
    root = folder / f"records-{records}"
    for name in ("wanted", "live"):
        (root / name).mkdir(parents=True)
    zone = "".join(_record(number) for number in range(records))
    (root / "wanted/example.com.yaml").write_text(f"---\n{zone}")
    configuration = root / "config.yaml"
    configuration.write_text(_OCTODNS.format(root=root))
    program = str(Path(sys.executable).with_name("octodns-sync"))
    command = [program, "--config-file", str(configuration), "--quiet"]
    measure([*command, "--doit", "--force"])
    return median(3, lambda: measure(command))


def _record(number: int) -> str:
    address = f"10.0.{number >> 8}.{number & 255}"
    return f"service-{number:05d}:\n  ttl: 300\n  type: A\n  value: {address}\n"


def main() -> None:
    """Measure both sides, and how certform's cost grows with the number of certificates."""
    with scratch() as folder:
        found = {size: certform(Path(folder), size) for size in SIZES}
        other = octodns(Path(folder), MAIN)
    ours = found[MAIN]
    rows = [
        _row(f"certform plan, {MAIN:,} certificates", ours, ours),
        _row(f"octoDNS sync, {MAIN:,} A records", other, ours),
        _row(f"Terraform plan, {MAIN:,} resources (recorded elsewhere)", TERRAFORM, ours),
    ]
    head = ("no changes", "wall", "processor", "memory", "wall, certform = 1")
    show(f"No-op plan, medians of {RUNS}", head, rows)
    grown = [
        (f"{n:,}", seconds(c.wall), seconds(c.processor), f"{c.memory:.0f} MB")
        for n, c in found.items()
    ]
    small, large = SIZES[0], SIZES[-1]
    exponent = math.log(found[large].processor / found[small].processor, large / small)
    show("How a no-op plan grows", ("certificates", "wall", "processor", "memory"), grown)
    print(f"\nGrowth exponent of processor time from {small:,} to {large:,}: {exponent:.2f}")


def _row(name: str, cost: Cost, base: Cost) -> tuple[str, ...]:
    memory = f"{cost.memory:,.0f} MB"
    return name, seconds(cost.wall), seconds(cost.processor), memory, f"{cost.wall / base.wall:.1f}"


if __name__ == "__main__":
    main()
