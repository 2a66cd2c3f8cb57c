"""From the start of the action to the comment on a pull request, beside `certform plan` of the same commits.

The clouds and GitHub are the tests' emulators, on this machine and in this process: what they take is in
every figure. What holds anywhere are the requests, and the shares of what certform itself does.
"""

import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from action_rig import programs
from clouds import Clouds
from measurement import Row, scratch, seconds, show
from pull_requests import Latency, Site, cloud_site, example_site, fresh, watched

RUNS = int(os.environ.get("BENCHMARK_RUNS", "5"))
COLD = int(os.environ.get("BENCHMARK_COLD_RUNS", "3"))
CERTIFICATES = int(os.environ.get("BENCHMARK_CERTIFICATES", "1000"))
SHARES = {"aws": 0.4, "azure": 0.2, "gcp": 0.4}
HEAD = (
    "", "install", "then to the comment", "in all", "processor", "requests to GitHub",
    "certform plan = 1",
)  # fmt: skip
WAYS: Mapping[str, tuple[bool, str]] = {
    "uv on PATH": (True, "auto"),
    "no uv: pip fetches it": (False, "auto"),
    "pip alone": (False, "pip"),
}
"""Whether there is uv, and the input `install`."""


def middle(latencies: Sequence[Latency]) -> Latency:
    """Return the one whose whole is the median of all."""
    return sorted(latencies, key=lambda each: each.whole)[len(latencies) // 2]


def warm(site: Site, path: str) -> tuple[Latency, float]:
    """Return the median of plans whose environment is there, and that of `certform plan`, in turns."""
    machine = site.machine("warm", path)
    site.plan(machine)  # installs
    found, alone = [], []
    for _ in range(RUNS):
        found.append(site.plan(machine))
        alone.append(site.alone(found[-1].workspace))
    return middle(found), statistics.median(each.wall for each in alone)


def cold(site: Site, ways: Mapping[str, str]) -> Iterator[tuple[str, Latency]]:
    """Yield the medians of plans on machines with nothing: no wheel, no environment, no bytecode."""
    found: dict[str, list[Latency]] = {way: [] for way in ways}
    for number in range(COLD):
        for place, (way, path) in enumerate(ways.items()):
            name, install = f"cold-{place}-{number}", WAYS[way][1]
            machine = site.machine(name, path, fresh(site.folder), install)
            found[way].append(site.plan(machine))
    yield from ((way, middle(each)) for way, each in found.items())


def row(name: str, latency: Latency, alone: float) -> Row:
    """Return a row of the first table."""
    ratio = f"{latency.whole / alone:.1f}"
    times = map(seconds, (latency.install, latency.run, latency.whole, latency.processor))
    return name, *times, f"{latency.requests}", ratio


def phases(site: Site, path: str) -> Mapping[str, float]:
    """Return the medians of what each phase takes where everything is warm."""
    more = {"CERTFORM_CHECKOUT": str(Path(__file__).resolve().parent.parent)}
    told = str(site.folder / "watching/phases.json")
    machine = site.machine("watching", path, watched(site.folder), CERTFORM_PHASES=told, **more)
    found = [site.phases(machine) for _ in range(RUNS + 1)][1:]
    names = {name: None for each in found for name in each}
    return {name: statistics.median(each.get(name, 0.0) for each in found) for name in names}


@contextmanager
def sites(folder: Path) -> Iterator[Mapping[str, Site]]:
    """Yield the repositories by what they are called."""
    counts = {cloud: int(CERTIFICATES * share) for cloud, share in SHARES.items()}
    with (
        Clouds.running(folder / "emulators") as clouds,
        example_site(folder / "example") as small,
        cloud_site(folder / "clouds", clouds, counts) as large,
    ):
        yield {"the example": small, f"{CERTIFICATES:,} in three clouds": large}


def main() -> None:
    """Measure warm and cold, then where the time goes."""
    with scratch() as name, sites(Path(name)) as known:
        paths = {uv: programs(Path(name, f"uv-{uv}"), uv=uv) for uv in (True, False)}
        rows, columns = [], {}
        for title, site in known.items():
            latency, alone = warm(site, paths[True])
            rows.append(row(f"{title}, installed before", latency, alone))
            ways = WAYS if site is next(iter(known.values())) else list(WAYS)[:1]
            for way, found in cold(site, {way: paths[WAYS[way][0]] for way in ways}):
                rows.append(row(f"{title}, nothing there, {way}", found, alone))
            columns[title] = phases(site, paths[True])
    show(f"From the action's start to the comment, medians of {RUNS}, cold of {COLD}", HEAD, rows)
    names = {phase: None for each in columns.values() for phase in each}
    parts = [(n, *(seconds(each.get(n, 0.0)) for each in columns.values())) for n in names]
    show("Where the time of Run goes", ("phase", *columns), parts)


if __name__ == "__main__":
    main()
