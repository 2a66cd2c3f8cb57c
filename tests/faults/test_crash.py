"""Every named point of an apply, failed and killed: the next apply puts everything right."""

import itertools
from collections.abc import Callable, Mapping

import judge
import pytest
import rig
from judge import Scenarios, Wanted, recovered
from rig import Repository, Runner, Workshop


@pytest.fixture(scope="session")
def points(workshop: Workshop, scenarios: Scenarios) -> Mapping[str, list[str]]:
    """The named points that an apply reaches, in order, by scenario."""

    def listed(runner: Runner, repository: Repository, _: None) -> list[str]:
        return rig.reached(runner, repository)

    return {
        name: workshop.sweep(template, [None], listed)[0]
        for name, (template, _) in scenarios.items()
    }


@pytest.mark.parametrize("action", ["kill", "raise"])
@pytest.mark.parametrize("scenario", ["issue", "reissue", "remove"])
def test_an_apply_stopped_at_any_point_is_finished_by_the_next(
    workshop: Workshop,
    scenarios: Scenarios,
    points: Mapping[str, list[str]],
    tell: Callable[[str], None],
    scenario: str,
    action: str,
) -> None:
    template, wanted = scenarios[scenario]

    def trial(runner: Runner, repository: Repository, point: tuple[str, int]) -> list[str]:
        ended = runner.apply(repository, CERTFORM_FAILPOINT=f"{point[0]}:{point[1]}:{action}")
        problems = list(judge.served(repository.root, complete=scenario == "reissue"))
        if (ended.status == -9) != (action == "kill"):
            problems.append(f"ended with {ended.status}")
        if "met a bug" in ended.err or "Traceback" in ended.err:
            problems.append(ended.err)
        problems += recovered(runner, repository, wanted)
        return [f"{action} at {point}: {problem}" for problem in problems]

    cases = rig.chosen(points[scenario], per_name=2 if action == "kill" else 1)
    found = workshop.sweep(template, cases, trial)
    tell(judge.summary(f"crash sweep, {scenario}, {action}", found))
    assert list(itertools.chain(*found)) == []


def test_an_init_killed_at_any_point_is_begun_again(workshop: Workshop) -> None:
    bare = rig.written(workshop.folder / "bare")
    with bare.copied(workshop.folder / "points-of-init") as repository:
        log = repository.temporary.parent / "points"
        workshop.runner.run(repository, "init", CERTFORM_FAILPOINT_LOG=str(log))
        reached = log.read_text().split()

    def trial(runner: Runner, repository: Repository, point: tuple[str, int]) -> list[str]:
        killed = runner.run(repository, "init", CERTFORM_FAILPOINT=f"{point[0]}:{point[1]}:kill")
        problems = [] if killed.status == -9 else [f"ended with {killed.status}"]
        again = runner.run(repository, "init")
        problems += [] if again.status == 0 else [f"the next init: {again.err}"]
        problems += recovered(runner, repository, Wanted({"one": 1, "two": 1, "three": 1}))
        return [f"killed at {point}: {problem}" for problem in problems]

    assert "ledger.create" in reached
    found = workshop.sweep(bare, rig.chosen(reached), trial)
    assert list(itertools.chain(*found)) == []
