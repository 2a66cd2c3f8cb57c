"""An order at another CA, killed at every named point: the next run goes on with it, and pays once."""

from collections.abc import Iterator

import pytest
from issuer_rig import Estate
from rig import Repository, Runner, Workshop

POINTS = (
    "orders.reserved",
    "aws.pca.ordered",
    "orders.noted",
    "aws.pca.noted",
    "orders.answered",
    "orders.recorded",
)


@pytest.fixture(scope="module")
def estate(workshop: Workshop) -> Iterator[Estate]:
    with Estate.founded(workshop.runner, workshop.folder / "estate") as made:
        made.want("private")
        yield made


@pytest.mark.parametrize("action", ["kill", "raise"])
def test_an_order_stopped_at_any_point_is_finished_by_the_next_run(
    workshop: Workshop, estate: Estate, action: str
) -> None:
    def trial(runner: Runner, repository: Repository, point: str) -> list[str]:
        mine = estate.at(repository, runner)
        ended = mine.apply(CERTFORM_FAILPOINT=f"{point}:1:{action}")
        problems = [] if (ended.status == -9) == (action == "kill") else [f"ended {ended.status}"]
        if "Traceback" in ended.err:
            problems.append(ended.err)
        mine.settle()
        if mine.bought() != [f"{mine.served.serial_number}"]:
            problems.append(f"bought {mine.bought()}")
        if mine.run("log", "--verify").status != 0:
            problems.append("the ledger's history is not sound")
        return [f"{action} at {point}: {problem}" for problem in problems]

    found = workshop.sweep(estate.repository, POINTS, trial)
    assert [problem for each in found for problem in each] == []


def test_a_revocation_stopped_after_the_ca_was_told_is_finished(
    workshop: Workshop, estate: Estate
) -> None:
    def trial(runner: Runner, repository: Repository, _: None) -> None:
        mine = estate.at(repository, runner)
        mine.settle()
        serial = mine.served.serial_number
        mine.revoke(f"{serial:x}")
        assert mine.apply(CERTFORM_FAILPOINT="revocations.told:1:kill").status == -9
        mine.settle()
        assert mine.cas.sold[f"{mine.arn}/certificate/{serial}"].revoked == "SUPERSEDED"
        assert mine.served.serial_number != serial

    workshop.sweep(estate.repository, [None], trial)
