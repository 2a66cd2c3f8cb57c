"""An order at an ACME CA, stopped anywhere: the next run goes on with it, and nothing is paid for twice."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import judge
import pytest
import rig
from acme_estate import AcmeEstate
from acme_tally import CountedEstate
from rig import Repository, Runner, Workshop
from wire import Way

OF_AN_ORDER = ("acme.", "orders.")
STEPS = {
    *("acme.account", "acme.ordered", "acme.noted", "acme.presented", "acme.answered"),
    *("acme.ready", "acme.finalized", "acme.valid", "acme.downloaded"),
}
"""Every step of an order: each sweep stops at all of them."""
SPREAD = 3
"""How many points are tried beside those of the order, spread over the run."""
LOADED = ("providers.acme.issuer", "providers.solvers.webroot")
FIRST = ("apply", "--auto-approve")
RENEWAL = (*FIRST, "--replace", "certificate/web")
RUNS = {"first": (FIRST, 1), "renewal": (RENEWAL, 2)}
"""What is run, and how many certificates there are in the end."""
SWEEPS = [
    ("first", "kill"),
    ("first", "raise"),
    ("renewal", "kill"),
    *([("renewal", "raise")] if rig.FULL else []),
]


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a run is stopped, and how many orders that may cost."""

    point: str
    surplus: int


@pytest.fixture(scope="module")
def workshop(
    tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]
) -> Iterator[Workshop]:
    """Runners that have loaded what speaks ACME: most of what a short run takes is spared."""
    for program in ("git", "openssl"):
        require(program)
    runners = [Runner(*LOADED) for _ in range(rig.WORKERS)]
    yield Workshop(tmp_path_factory.mktemp("acme-faults"), runners)
    for runner in runners:
        runner.stop()


@pytest.fixture(scope="module")
def estate(workshop: Workshop) -> Iterator[AcmeEstate]:
    trusting = {"PEBBLE_VA_ALWAYS_VALID": "1"}
    with AcmeEstate.founded(workshop.runner, workshop.folder / "acme", trusting) as made:
        (made.repository.root / "authorities/ca.yaml").unlink()
        made.want("web.example.com")
        yield made
        assert "There are now 1 accounts" in made.pebble.log
        assert "There are now 2 accounts" not in made.pebble.log


def stops(names: Sequence[str]) -> list[Stop]:
    """Return where to stop a run that reached these points.

    An order may be lost while the CA has it and its address is not durable yet, and at no other time.
    """
    lost = range(names.index("acme.ordered"), names.index("orders.noted") - 1)
    found = []
    for name, nth in rig.spread(names, SPREAD, OF_AN_ORDER):
        at = [n for n, each in enumerate(names) if each == name][nth - 1]
        found.append(Stop(f"{name}:{nth}", int(at in lost)))
    return found


def points(workshop: Workshop, estate: AcmeEstate, what: str) -> list[str]:
    """Return the points that a run reaches when nothing stops it, in order."""

    def trial(runner: Runner, repository: Repository, argv: tuple[str, ...]) -> list[str]:
        log = repository.temporary.parent / "points"
        with CountedEstate.of(estate, repository, runner) as mine:
            if what == "renewal":
                mine.settle()
            ended = mine.run(*argv, CERTFORM_FAILPOINT_LOG=str(log))
            assert ended.status == 0, ended.out + ended.err
        return log.read_text().split()

    return workshop.sweep(estate.repository, [RUNS[what][0]], trial)[0]


@pytest.mark.parametrize(("what", "action"), SWEEPS)
def test_an_order_stopped_at_any_point_is_finished_by_the_next_run(
    workshop: Workshop, estate: AcmeEstate, tell: Callable[[str], None], what: str, action: str
) -> None:
    argv, certificates = RUNS[what]

    def trial(runner: Runner, repository: Repository, stop: Stop) -> list[str]:
        with CountedEstate.of(estate, repository, runner) as mine:
            if what == "renewal":
                mine.settle()
            ended = mine.run(*argv, CERTFORM_FAILPOINT=f"{stop.point}:{action}")
            problems = [] if (ended.status == -9) == (action == "kill") else [f"{ended.status}"]
            if "Traceback" in ended.err:
                problems.append(ended.err)
            problems += mine.served_badly()
            mine.settle()
            problems += mine.served_badly()
            problems += mine.unsettled(certificates=certificates, surplus=stop.surplus)
        return [f"{action} at {stop.point}: {problem}" for problem in problems]

    reached = points(workshop, estate, what)
    assert {point for point in reached if point.startswith("acme.")} == STEPS
    where = stops(reached)
    found = workshop.sweep(estate.repository, where, trial)
    tell(judge.summary(f"ACME, {what}, {action}", found))
    assert [problem for each in found for problem in each] == []


@pytest.mark.parametrize(
    ("what", "surplus"),
    [("newAccount", 0), ("newOrder", 1), ("finalize", 0), ("order", 0), ("certificate", 0)],
)
def test_an_answer_that_is_lost_after_the_ca_has_done_it_costs_no_certificate(
    workshop: Workshop, estate: AcmeEstate, what: str, surplus: int
) -> None:
    def trial(runner: Runner, repository: Repository, _: None) -> list[str]:
        with CountedEstate.of(estate, repository, runner) as mine:
            mine.front.wire.fail(what, Way.UNANSWERED)
            ended = mine.apply()
            assert not mine.front.wire.faults[0].times, ended.out + ended.err
            mine.settle()
            return list(mine.unsettled(certificates=1, surplus=surplus))

    assert workshop.sweep(estate.repository, [None], trial) == [[]]
