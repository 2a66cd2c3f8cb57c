"""The real command line over three clouds: killed at every step there, and refused in every way."""

import itertools
import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import judge
import pytest
import rig
from cloud_rig import REFUSALS, fail_from
from cloud_station import ISSUED, Station, recovered, standing
from wire import Response, Way

Case = TypeVar("Case")
CLOUDS = ("aws.", "azure.", "gcp.")
REACHED = (
    *("aws.imported", "aws.labelled", "aws.removing"),
    *("azure.deleted", "azure.installed", "azure.recovered"),
    *("gcp.attached", "gcp.detached", "gcp.imported", "gcp.trusted"),
)
Sweep = Callable[[Sequence[Case], Callable[[Station, Case, Path], list[str]]], list[list[str]]]


@pytest.fixture(scope="module")
def stations(
    tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]
) -> Iterator[Sequence[Station]]:
    for program in ("git", "openssl"):
        require(program)
    folders = [tmp_path_factory.mktemp("station") for _ in range(rig.WORKERS)]
    with ExitStack() as stack:
        yield [stack.enter_context(Station.working(folder)) for folder in folders]


def swept(
    stations: Sequence[Station],
    cases: Sequence[Case],
    trial: Callable[[Station, Case, Path], list[str]],
    folder: Path,
) -> list[list[str]]:
    """Return what each trial found; as many are made at once as there are stations."""
    idle: queue.SimpleQueue[Station] = queue.SimpleQueue()
    for station in stations:
        idle.put(station)

    def attempt(numbered: tuple[int, Case]) -> list[str]:
        number, case = numbered
        station = idle.get()
        try:
            return [f"{case}: {problem}" for problem in trial(station, case, folder / str(number))]
        finally:
            idle.put(station)

    with ThreadPoolExecutor(len(stations)) as pool:
        return list(pool.map(attempt, enumerate(cases)))


@pytest.fixture(scope="module")
def points(
    stations: Sequence[Station], tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[str, str, int]]:
    """The named points in clouds that an apply reaches, as (scenario, name, n)."""
    found, station = [], stations[0]
    for scenario in ISSUED:
        with station.begun(scenario, tmp_path_factory.mktemp("points")) as repository:
            log = repository.temporary.parent / "points"
            ended = station.apply(repository, CERTFORM_FAILPOINT_LOG=str(log))
            assert ended.status == 0, ended.err
            names = [
                name for name in log.read_text().split() if rig.FULL or name.startswith(CLOUDS)
            ]
        found += [(scenario, name, at) for name, at in rig.chosen(names, per_name=1)]
    return found


@pytest.mark.parametrize("action", ["kill", "raise"])
def test_an_apply_stopped_at_any_step_in_a_cloud_is_finished_by_the_next(
    stations: Sequence[Station],
    points: list[tuple[str, str, int]],
    tell: Callable[[str], None],
    tmp_path: Path,
    action: str,
) -> None:
    def trial(station: Station, point: tuple[str, str, int], place: Path) -> list[str]:
        scenario, name, at = point
        with station.begun(scenario, place) as repository:
            ended = station.apply(repository, CERTFORM_FAILPOINT=f"{name}:{at}:{action}")
            problems = (
                [] if (ended.status == -9) == (action == "kill") else [f"ended with {ended.status}"]
            )
            if "met a bug" in ended.err or "Traceback" in ended.err:
                problems.append(ended.err)
            problems += lost(station, repository.root, scenario)
            return problems + recovered(station, repository, scenario)

    found = swept(stations, points, trial, tmp_path)
    tell(judge.summary(f"crash sweep over clouds, {action}", found))
    assert {name for _, name, _ in points} >= set(REACHED)
    assert list(itertools.chain(*found)) == []


def lost(station: Station, root: Path, scenario: str) -> list[str]:
    """Return what must not be so at any moment: two of ours in one place, or none where there was one."""
    fewest = 1 if scenario == "reissue" else 0
    held = standing(station.clouds, root)
    return [
        f"{place} holds {len(each)}" for place, each in held.items() if not fewest <= len(each) <= 1
    ]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an operation of a cloud is answered with, and the exit code that this is to have."""

    cloud: str
    operation: str
    name: str
    status: int
    way: Way
    response: Response
    times: int | None = 1

    def __str__(self) -> str:
        return f"{self.name} at {self.operation} of {self.cloud}"


IMPORTS = {"aws": "ImportCertificate", "azure": "ImportCertificate", "gcp": "CreateCertificate"}
LISTINGS = {"aws": "GetResources", "azure": "ListCertificates", "gcp": "ListCertificates"}


def refusals() -> Iterator[Refusal]:
    """Yield what is tried, and how it must end: 0 where it was lived through, 4 where something is left."""
    for cloud, operation in IMPORTS.items():
        told, listing = REFUSALS[cloud], LISTINGS[cloud]
        yield Refusal(cloud, operation, "time-out after", 0, Way.UNANSWERED, Response(500))
        yield Refusal(cloud, operation, "500 after", 0, Way.MISANSWERED, Response(500))
        yield Refusal(cloud, operation, "429", 0, Way.REFUSED, told.throttled)
        yield Refusal(cloud, operation, "permission lost", 4, Way.REFUSED, told.denied, None)
        yield Refusal(cloud, listing, "permission lost", 4, Way.REFUSED, told.denied, None)
        if rig.FULL:
            yield Refusal(cloud, listing, "503", 0, Way.REFUSED, Response(503))
        if cloud != "aws" or rig.FULL:  # it is looked for in ACM for 15 seconds
            yield Refusal(cloud, operation, "503 before", 4, Way.REFUSED, Response(503))


def test_an_apply_that_a_cloud_refuses_ends_with_the_right_code_and_is_finished_by_the_next(
    stations: Sequence[Station], tell: Callable[[str], None], tmp_path: Path
) -> None:
    cases = [(refusal, scenario) for refusal in refusals() for scenario in ("issue",)]

    def trial(station: Station, case: tuple[Refusal, str], place: Path) -> list[str]:
        refusal, scenario = case
        with station.begun(scenario, place) as repository:
            wire = station.clouds.wires[refusal.cloud]
            fail_from(wire, refusal.operation, 1, refusal.way, refusal.response, refusal.times)
            ended = station.apply(repository)
            problems = []
            if ended.status != refusal.status:
                problems.append(
                    f"ended with {ended.status}, not {refusal.status}: {ended.out}{ended.err}"
                )
            if "met a bug" in ended.err or "Traceback" in ended.err:
                problems.append(ended.err)
            problems += lost(station, repository.root, scenario)
            return problems + recovered(station, repository, scenario)

    found = swept(stations, cases, trial, tmp_path)
    tell(judge.summary("refusals of clouds on the command line", found))
    assert list(itertools.chain(*found)) == []
