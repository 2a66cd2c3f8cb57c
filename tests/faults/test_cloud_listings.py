"""Listings that lag behind what was written, and answers that are lost: nothing is imported twice."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cloud_rig import Clouds, lagging
from disturbed_fleet import DisturbedFleet
from fleet_documents import LINEAGE, Leaf, at
from fleet_sights import shown
from wire import Way

LISTINGS = frozenset({"GetResources", "SearchCertificates", "ListCertificates"})
IMPORTS = {"aws": "ImportCertificate", "azure": "ImportCertificate", "gcp": "CreateCertificate"}
PLACES = {"aws": "aws/eu-west-1", "azure": "azure", "gcp": "gcp/europe-west1"}
PATIENT = 4
"""How many old listings an import is looked for in; ACM has no other way to tell one that was lost."""


@dataclass(frozen=True, slots=True)
class Case:
    """How many listings of each kind are old, whether answers to imports are lost, and how often that is."""

    cloud: str
    listings: int
    lost: int
    kinds: frozenset[str] = LISTINGS

    def __str__(self) -> str:
        kinds = "listings" if self.kinds == LISTINGS else "listings of labels"
        return f"{self.cloud}, {self.listings} old {kinds}, {self.lost} lost answers"


LABELS = frozenset({"GetResources"})
CASES = [
    *(Case(c, n, lost) for c in PLACES for n in (1, 2, 4, 8) for lost in (0, 1, 2)),
    *(Case("aws", n, lost, LABELS) for n in (1, 2, 4, 8) for lost in (0, 1)),
]


def attempted(clouds: Clouds, case: Case, root: Path) -> list[str]:
    clouds.clear()
    place, wire = PLACES[case.cloud], clouds.wires[case.cloud]
    fleet = DisturbedFleet(clouds=clouds, root=root, targets=(place,))
    fleet.leaves["web"] = Leaf(targets=at(place))
    if case.lost:
        wire.fail(IMPORTS[case.cloud], Way.UNANSWERED, times=case.lost)
    problems, statuses, most = [], [], 0
    with lagging(wire, case.kinds, case.listings):
        for _ in range(3):
            statuses.append(fleet.run()[0])
            most = max(most, written(clouds, case.cloud))
    again, _ = fleet.run()
    held = [each.sha256 for each in clouds.held() if each.owner == LINEAGE.owner]
    if most > 1 and case.listings <= PATIENT:
        problems.append(f"{most} were there at once")
    if again != 0 or shown(fleet.plan()):
        problems.append(f"the next run ended with {again}: {shown(fleet.plan())}")
    if held != [fleet.current("web").sha256]:
        problems.append(f"{len(held)} are there")
    if len(fleet.journal.state.certificates["web"].issuances) != 1:
        problems.append("it was issued again")
    if fleet.kept_keys():
        problems.append("its key is still kept")
    return [
        f"{case} {statuses}, {wire.counts[IMPORTS[case.cloud]]} imports: {each}"
        for each in problems
    ]


def written(clouds: Clouds, cloud: str) -> int:
    """Return how many objects there are, or versions where imports make those."""
    if cloud == "azure":
        return sum(len(entry.versions) for entry in clouds.azure.store.entries.values())
    return len(clouds.held())


def test_a_listing_that_lags_leads_to_no_second_object(
    clouds: Clouds, tell: Callable[[str], None], tmp_path: Path
) -> None:
    found = [attempted(clouds, case, tmp_path) for case in CASES]
    tell(f"listings that lag: {found.count([])} of {len(found)} converge")
    assert [problem for problems in found for problem in problems] == []
