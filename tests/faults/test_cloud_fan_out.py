"""One certificate in six places, some of which fail: those keep the old one, the ledger the new one's key."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import rig
from cloud_rig import Clouds, closed, digest_of
from disturbed_fleet import DisturbedFleet
from fleet_documents import LINEAGE, Leaf, at
from fleet_sights import shown
from judge import load

from reconciler.ledger.records import Status

SCENARIOS = ("issue", "reissue", "revoke")


@dataclass(frozen=True, slots=True)
class Case:
    """The places that are open are those whose bit is set, in the order they are installed in."""

    scenario: str
    bits: int
    refused: bool

    def __str__(self) -> str:
        why = "refused" if self.refused else "failing"
        return f"{self.scenario}, open {self.bits:06b}, the others {why}"


def masks(n: int) -> Iterator[int]:
    """Yield the first k of n, and the last k, for every k; all subsets in a full sweep."""
    whole = (1 << n) - 1
    yield from range(whole) if rig.FULL else {(1 << k) - 1 for k in range(n)}
    if not rig.FULL:
        yield from {whole & ~((1 << k) - 1) for k in range(1, n)}


def every(n: int) -> Iterator[Case]:
    """Yield the cases for n places; where the sweep is not a full one, each with one way to fail."""
    for scenario, (number, bits) in product(SCENARIOS, enumerate(masks(n))):
        for refused in (True, False) if rig.FULL else (number % 2 == 0,):
            yield Case(scenario, bits, refused)


def held(clouds: Clouds, fleet: DisturbedFleet) -> dict[str, list[str]]:
    """Return the fingerprints of ours in every place."""
    found: dict[str, list[str]] = {place: [] for place in fleet.targets}
    for each in clouds.held():
        if each.owner == LINEAGE.owner:
            found[each.place].append(each.sha256)
    local = (
        load(shown_file)
        if (shown_file := fleet.root / "live/web/current/cert.pem").exists()
        else None
    )
    found["local"] += [digest_of(local)] if local else []
    return found


def begun(clouds: Clouds, scenario: str, root: Path) -> DisturbedFleet:
    """Return a fleet that has one certificate to bring to six places."""
    clouds.clear()
    root.mkdir()
    places = tuple(clouds.specs())
    fleet = DisturbedFleet(clouds=clouds, root=root, targets=places, publish=True)
    fleet.leaves["web"] = Leaf(targets=at(*places))
    if scenario != "issue":
        fleet.converge()
    if scenario == "reissue":
        fleet.edit("web", names=("www.example.com", "also.example.com"))
    elif scenario == "revoke":
        fleet.wait(1 / 24 / 60).revoke("incident", "web")
    return fleet


def status_of_first(fleet: DisturbedFleet) -> Status:
    """Return what the ledger says of the certificate that was there before."""
    return fleet.journal.state.certificates["web"].issuances[0].status


def attempted(clouds: Clouds, case: Case, root: Path) -> list[str]:
    """Apply while some places are closed, then once more; return what is wrong."""
    fleet = begun(clouds, case.scenario, root)
    before = held(clouds, fleet)
    opened = {place for n, place in enumerate(fleet.targets) if case.bits >> n & 1}
    with closed(clouds, set(fleet.targets) - opened, root, case.refused):
        status, _ = fleet.run()
    new = fleet.current("web")
    problems = [] if status == 4 else [f"ended with {status}"]
    for place, fingerprints in held(clouds, fleet).items():
        wanted = [new.sha256] if place in opened else before[place]
        if fingerprints != wanted:
            problems.append(f"{place} holds {fingerprints}, not {wanted}")
    if new.serial not in fleet.kept_keys():
        problems.append("the key is not kept")
    if case.scenario != "issue" and status_of_first(fleet) is Status.REVOKED:
        problems.append("the old certificate is revoked where it is still in use")
    again, _ = fleet.run()
    problems += [] if again == 0 else [f"the next run ended with {again}"]
    return [f"{case}: {each}" for each in [*problems, *unsettled(clouds, fleet, case, new.serial)]]


def unsettled(clouds: Clouds, fleet: DisturbedFleet, case: Case, serial: str) -> Iterator[str]:
    """Yield what is not as it must be once all places are open again."""
    if left := shown(fleet.plan()):
        yield f"the plan is not empty: {left}"
    if fleet.current("web").serial != serial:
        yield "another certificate was issued"
    if fleet.kept_keys():
        yield "its key is still kept"
    for place, fingerprints in held(clouds, fleet).items():
        if fingerprints != [fleet.current("web").sha256]:
            yield f"in the end {place} holds {fingerprints}"
    if case.scenario == "revoke" and status_of_first(fleet) is not Status.REVOKED:
        yield "the old certificate is not revoked"


def test_every_part_of_the_places_may_fail_and_the_next_run_brings_the_same_certificate_there(
    clouds: Clouds, tell: Callable[[str], None], tmp_path: Path
) -> None:
    cases = list(every(len(clouds.specs())))
    found = [attempted(clouds, case, tmp_path / str(n)) for n, case in enumerate(cases)]
    tell(f"fan-out to {len(clouds.specs())} places: {found.count([])} of {len(found)} converge")
    assert [problem for problems in found for problem in problems] == []
