"""Whatever goes wrong between an SDK and its cloud, at every request of an apply: the next one converges.

The real targets and SDKs talk to the emulators; only the ledger is in memory, so that it is done hundreds of
times. What the clouds hold is read from their own stores. `test_cloud_command_line.py` has the same with the
real ledger and the real exit codes.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import rig
from cloud_rig import REFUSALS, Clouds, changes, fail_from
from disturbed_fleet import DisturbedFleet
from fleet_documents import LINEAGE, Leaf, at
from fleet_sights import shown
from wire import Response, Way

from reconciler.events import EventStatus

CLOUDS = {"aws": "aws/eu-west-1", "azure": "azure", "gcp": "gcp/global"}
"""The place that is disturbed, by its cloud."""
BESIDE = "gcp/europe-west1"
"""A place of another service that works all the time."""
STORM = 5
"""How many refusals a storm is made of."""
NAMES = ("www.example.com",)
MORE = (*NAMES, "also.example.com")
SCENARIOS = ("issue", "reissue", "remove", "return")
PAGE = Response(200, b"<html>Please log in</html>", {"Content-Type": "text/html"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """One way to fail. `lasts` until it is repaired; what does not last must be lived through."""

    name: str
    way: Way
    response: Callable[[str], Response] = lambda _: Response(503)
    times: int | None = 1

    @property
    def lasts(self) -> bool:
        return self.times is None


TROUBLES = (
    Trouble("time-out before", Way.DROPPED),
    Trouble("time-out after", Way.UNANSWERED),
    Trouble("503 before", Way.REFUSED),
    Trouble("500 after", Way.MISANSWERED, lambda _: Response(500)),
    Trouble("a proxy's page", Way.REFUSED, lambda _: PAGE),
    Trouble("nothing", Way.REFUSED, lambda _: Response(200)),
    Trouble("429 storm", Way.REFUSED, lambda cloud: REFUSALS[cloud].throttled, STORM),
    Trouble("permission lost", Way.REFUSED, lambda cloud: REFUSALS[cloud].denied, None),
    Trouble("gone dark", Way.DROPPED, times=None),
    Trouble("dark after", Way.UNANSWERED, times=None),
)
QUICK = ("a proxy's page", "permission lost")
"""What is tried at requests that only read, where the sweep is not a full one."""


@dataclass(frozen=True, slots=True)
class Case:
    """A trouble that begins with the n-th request of an operation."""

    operation: str
    nth: int
    trouble: Trouble

    def __str__(self) -> str:
        return f"{self.trouble.name} at {self.operation} {self.nth}"


def begun(clouds: Clouds, cloud: str, scenario: str, root: Path) -> DisturbedFleet:
    """Return a fleet that has one thing to do."""
    clouds.clear()
    root.mkdir()
    places = (CLOUDS[cloud], "local" if cloud == "gcp" else BESIDE)
    fleet = DisturbedFleet(clouds=clouds, root=root, targets=places)
    fleet.leaves["web"] = Leaf(targets=at(*places), names=NAMES)
    if scenario != "issue":
        fleet.converge()
    if scenario == "reissue":
        fleet.edit("web", names=MORE)
    elif scenario == "remove":
        fleet.leaves.clear()
    elif scenario == "return":
        leaf = fleet.leaves.pop("web")
        fleet.converge().leaves["web"] = leaf
    for wire in clouds.wires.values():
        wire.asked.clear()
    return fleet


def cases(clouds: Clouds, cloud: str, scenario: str, root: Path) -> list[Case]:
    """Return each trouble at each request that a sound run makes."""
    fleet = begun(clouds, cloud, scenario, root)
    status, events = fleet.run()
    assert status == 0, events
    found = []
    for operation, count in clouds.wires[cloud].counts.items():
        for nth, trouble in itertools.product(range(1, count + 1), TROUBLES):
            if rig.FULL or (nth == 1 and (changes(operation) or trouble.name in QUICK)):
                found.append(Case(operation, nth, trouble))
    return found


def standing(clouds: Clouds, places: Sequence[str]) -> dict[str, list[str]]:
    """Return the fingerprints of what is ours in each place."""
    ours = [each for each in clouds.held() if each.owner == LINEAGE.owner]
    return {
        place: [each.sha256 for each in ours if each.place == place]
        for place in places
        if place != "local"
    }


def wrong_at_once(
    clouds: Clouds, fleet: DisturbedFleet, before: Mapping[str, list[str]], scenario: str
) -> Iterator[str]:
    """Yield what must not even be so while the trouble lasts: duplicates, and a certificate that is lost."""
    for place, held in standing(clouds, fleet.targets).items():
        if len(held) > 1:
            yield f"{place} holds {len(held)}"
        if scenario == "reissue" and not held:
            yield f"{place} holds nothing any more"
        if scenario == "reissue" and not set(held) <= {*before[place], fleet.current("web").sha256}:
            yield f"{place} holds something else"


def wrong_in_the_end(clouds: Clouds, fleet: DisturbedFleet, scenario: str) -> Iterator[str]:
    """Yield what is not as it must be once the trouble is over and certform ran again."""
    if left := shown(fleet.plan()):
        yield f"the plan is not empty: {left}"
    if kept := fleet.kept_keys():
        yield f"the ledger still holds keys: {kept}"
    wanted = [] if scenario == "remove" else [fleet.current("web").sha256]
    for place, held in standing(clouds, fleet.targets).items():
        if held != wanted:
            yield f"{place} holds {held}, not {wanted}"
    record = fleet.journal.state.certificates.get("web")
    issued = len(record.issuances) if record else 0
    if issued > (2 if scenario in ("reissue", "return") else 1):
        yield f"surplus: {issued} were issued"


def attempted(clouds: Clouds, cloud: str, scenario: str, case: Case, root: Path) -> list[str]:
    """Run with a fault, heal, run again; return what is wrong."""
    fleet = begun(clouds, cloud, scenario, root)
    before = standing(clouds, fleet.targets)
    response = case.trouble.response(cloud)
    fail_from(
        clouds.wires[cloud],
        case.operation,
        case.nth,
        case.trouble.way,
        response,
        case.trouble.times,
    )
    status, events = fleet.run()
    problems = list(wrong_at_once(clouds, fleet, before, scenario))
    failed = [event.message for event in events if event.status is EventStatus.FAILED]
    if status == 4 and not failed and changes(case.operation):
        problems.append("it failed, and nobody was told why")
    clouds.heal()
    again, events = fleet.run()
    if again != 0:
        problems.append(
            f"the next run ended with {again}: {[e.message for e in events if e.message]}"
        )
    problems += wrong_in_the_end(clouds, fleet, scenario)
    if status == 0 and shown(fleet.plan()):
        problems.append("it was told to be done, and was not")
    return [f"{cloud}, {scenario}, {case} (exit {status}): {problem}" for problem in problems]


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("cloud", CLOUDS)
def test_whatever_fails_between_sdk_and_cloud_is_put_right_by_the_next_run(
    clouds: Clouds, cloud: str, scenario: str, tell: Callable[[str], None], tmp_path: Path
) -> None:
    every = cases(clouds, cloud, scenario, tmp_path / "sound")
    found = [
        attempted(clouds, cloud, scenario, case, tmp_path / str(number))
        for number, case in enumerate(every)
    ]
    tell(f"faults between SDK and {cloud}, {scenario}: {found.count([])} of {len(found)} converge")
    assert [problem for problems in found for problem in problems] == []
