"""CAs that give way, killed and failed at every named point: whoever relies on them notices nothing."""

import itertools
import re
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import judge
import pytest
import rig
from rig import Repository, Runner, Workshop
from rotations import Change

OF_TRUST = ("authority.", "bundles.", "crls.", "ocsp.", "publish.", "revocations.", "tree.")
"""Points that are always tried; the others are spread over the run."""

NAMED = re.compile(r'reach\("([^"]+)"\)|"(local\.(?:check|reload|[a-z]+-sync))"')
UNTRIED = {"aws.requested", "gcp.added", "gcp.authorized", "gcp.hosted"}
"""Of places in clouds that issue by themselves, or are reached by one more object."""
OF_LISTS = ("crls.", "publish.")


@pytest.fixture(scope="session")
def points(workshop: Workshop, changes: Mapping[str, Change]) -> Mapping[str, list[str]]:
    """The named points that an apply reaches, in order, by what is done."""

    def listed(runner: Runner, repository: Repository, _: None) -> list[str]:
        return rig.reached(runner, repository)

    return {
        name: workshop.sweep(change.template, [None], listed)[0] for name, change in changes.items()
    }


@pytest.mark.parametrize("action", ["kill", "raise"])
@pytest.mark.parametrize("name", ["rotate", "withdraw", "compromise", "uproot"])
def test_whoever_relies_on_a_ca_sees_no_point_at_which_a_run_is_stopped(
    workshop: Workshop,
    changes: Mapping[str, Change],
    points: Mapping[str, list[str]],
    tell: Callable[[str], None],
    name: str,
    action: str,
) -> None:
    change = changes[name]

    def trial(runner: Runner, repository: Repository, point: tuple[str, int]) -> list[str]:
        ended = runner.apply(repository, CERTFORM_FAILPOINT=f"{point[0]}:{point[1]}:{action}")
        problems = []
        if (ended.status == -signal.SIGKILL) != (action == "kill"):
            problems.append(f"ended with {ended.status}")
        if "met a bug" in ended.err or "Traceback" in ended.err:
            problems.append(ended.err)
        listed = action == "kill" or not point[0].startswith(OF_LISTS)
        problems += change.ends(runner, repository, listed=listed)
        return [f"{action} at {point}: {problem}" for problem in problems]

    killed = action == "kill"
    cases = rig.spread(points[name], 14 if killed else 8, OF_TRUST if killed else ())
    found = workshop.sweep(change.template, cases, trial)
    tell(judge.summary(f"crash sweep, {name}, {action}", found))
    assert list(itertools.chain(*found)) == []


def test_every_named_point_is_reached_by_a_sweep_or_named_by_a_test(
    points: Mapping[str, list[str]],
) -> None:
    root = Path(__file__).parents[2]
    code = [
        path for package in ("providers", "reconciler") for path in (root / package).rglob("*.py")
    ]
    named = {a or b for path in code for a, b in NAMED.findall(path.read_text())}
    swept = set(itertools.chain(*points.values()))
    tests = " ".join(path.read_text() for path in (root / "tests").rglob("test_*.py"))
    assert named > swept
    assert {
        name for name in named - swept if not re.search(f'"{name}[":]', tests)
    } | UNTRIED == UNTRIED
    assert {name for name in UNTRIED if name not in named} == set()
