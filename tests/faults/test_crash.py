"""Every named point of an apply, failed and killed: the next apply puts everything right."""

import itertools

import pytest


@pytest.fixture(scope="session")
def points(rig, workshop, scenarios):
    """The named points that an apply reaches, in order, by scenario."""

    def reached(runner, repository, _):
        log = repository.temporary.parent / "points"
        assert runner.apply(repository, CERTFORM_FAILPOINT_LOG=str(log)).status == 0
        return log.read_text().split()

    return {
        name: workshop.sweep(template, [None], reached)[0]
        for name, (template, _) in scenarios.items()
    }


@pytest.mark.parametrize("action", ["kill", "raise"])
@pytest.mark.parametrize("scenario", ["issue", "reissue"])
def test_an_apply_stopped_at_any_point_is_finished_by_the_next(  # noqa: PLR0917  fixtures, given by name
    rig, judge, workshop, scenarios, points, recovered, tell, scenario, action
):
    template, wanted = scenarios[scenario]

    def trial(runner, repository, point):
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
