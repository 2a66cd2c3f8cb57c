"""CAs that give way, killed and failed at every named point: whoever relies on them notices nothing."""

import itertools
import signal
from collections.abc import Callable, Mapping

import judge
import pytest
import rig
from rig import Repository, Runner, Workshop
from rotations import Change

OF_TRUST = ("authority.", "bundles.", "crls.", "ocsp.", "publish.", "revocations.", "tree.")
"""Points that are always tried; the others are spread over the run."""

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
