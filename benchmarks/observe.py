"""Reading thousands of certificates in three clouds: requests on the wire, one cloud by one and all together.

The clouds are the tests' emulators, on this machine and in this process, so that times are mostly theirs.
What holds anywhere is the number of requests, and that together takes as long as the slowest.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloud_rig import Clouds
from cloud_stock import DIFFERENT, PLACES, SHARE, asked, fill, look, make, most
from measurement import Row, scratch, seconds, show
from wire import Way

DELAY = 0.2
"""Seconds that each answer of the slow cloud takes longer."""


def timed(clouds: Clouds, *wanted: str) -> float:
    """Observe places; return the seconds it took."""
    for wire in clouds.wires.values():
        wire.asked.clear()
    begun = time.perf_counter()
    found = look(clouds, *wanted)
    for cloud in wanted:
        there = found.targets[PLACES[cloud]]
        assert len(there.installed) == SHARE[cloud], there.detail
    return time.perf_counter() - begun


@contextmanager
def slowed(clouds: Clouds, cloud: str) -> Iterator[None]:
    """Let one cloud take longer for everything."""
    clouds.wires[cloud].fail("*", Way.SLOW, times=None, seconds=DELAY)
    yield
    clouds.wires[cloud].heal()


def rows(clouds: Clouds) -> Iterator[Row]:
    """Yield a row for each cloud alone, for all together, and for all with one that is slow."""
    alone = {cloud: timed(clouds, cloud) for cloud in PLACES}  # the first look imports and logs in
    for cloud in PLACES:
        alone[cloud] = timed(clouds, cloud)
        n, limit = asked(clouds, cloud), most(cloud, SHARE[cloud])
        yield cloud, f"{SHARE[cloud]:,}", f"{n}", f"{limit}", seconds(alone[cloud]), ""
    total = f"{sum(SHARE.values()):,}"
    together = timed(clouds, *PLACES)
    ratio = f"{together / sum(alone.values()):.2f} of one after the other"
    yield "all three", total, _all(clouds), "", seconds(together), ratio
    with slowed(clouds, "azure"):
        slowest = timed(clouds, "azure")
        late = timed(clouds, *PLACES)
    yield (
        "with azure slow",
        total,
        _all(clouds),
        "",
        seconds(late),
        f"{late / slowest:.2f} of azure alone",
    )


def _all(clouds: Clouds) -> str:
    return str(sum(asked(clouds, cloud) for cloud in PLACES))


def main() -> None:
    """Fill the clouds without asking them, then observe."""
    with scratch() as folder, Clouds.running(Path(folder, "clouds")) as clouds:
        os.environ.update(clouds.environment())
        fill(clouds, SHARE, make(DIFFERENT))
        head = ("cloud", "certificates", "requests", "at most", "wall", "ratio")
        show("Observing clouds", head, rows(clouds))


if __name__ == "__main__":
    main()
