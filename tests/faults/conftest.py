"""A repository that certform fills and changes while tests stop, starve and watch it."""

from collections.abc import Callable, Iterator, Mapping

import judge
import pytest
import rig
import rotations
from cloud_rig import Clouds
from judge import Scenarios, Wanted
from rig import Repository, Runner, Workshop
from rotations import Change


@pytest.fixture(scope="session")
def workshop(
    tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]
) -> Iterator[Workshop]:
    for program in ("git", "openssl"):
        require(program)
    made = Workshop(tmp_path_factory.mktemp("faults"), [Runner() for _ in range(rig.WORKERS)])
    yield made
    for runner in made.runners:
        runner.stop()


@pytest.fixture(scope="session")
def empty(workshop: Workshop) -> Repository:
    """A repository where nothing was issued yet: everything is to be made."""
    return rig.prepare(workshop.runner, workshop.folder / "empty")


@pytest.fixture(scope="session")
def filled(workshop: Workshop, empty: Repository) -> Repository:
    """The same after a clean apply."""
    return rig.fill(workshop.runner, empty, workshop.folder / "filled")


@pytest.fixture(scope="session")
def changed(workshop: Workshop, filled: Repository) -> Repository:
    """The same with one name added to a certificate, and another certificate to be revoked."""
    return rig.change(filled, judge.ledger(filled.root), workshop.folder / "changed")


@pytest.fixture(scope="session")
def unwanted(workshop: Workshop, filled: Repository) -> Repository:
    """The same with one more certificate in both targets, which is to be removed."""
    return rig.unwant(workshop.runner, filled, workshop.folder / "unwanted")


@pytest.fixture(scope="session")
def scenarios(empty: Repository, changed: Repository, unwanted: Repository) -> Scenarios:
    """Where to start from and how it must end, by what is done."""
    revoked = frozenset(
        judge.number(i.serial) for i in judge.ledger(changed.root).certificates["three"].issuances
    )
    return {
        "issue": (empty, Wanted({"one": 1, "two": 1, "three": 1})),
        "reissue": (changed, Wanted({"one": 2, "two": 1, "three": 2}, revoked)),
        "remove": (unwanted, Wanted({"one": 1, "two": 1, "three": 1})),
    }


@pytest.fixture(scope="session")
def changes(workshop: Workshop) -> Mapping[str, Change]:
    """What may happen to the CAs of a repository with bundles, lists and responses."""
    runner, folder = workshop.runner, workshop.folder
    empty = rig.prepare(runner, folder / "without-bundles", rotations.DOCUMENTS)
    trusted = rig.fill(runner, empty, folder / "trusted")
    rotate = rotations.rotate(trusted, folder / "rotate")
    return {
        "rotate": rotate,
        "withdraw": rotations.withdraw(runner, rotate, folder / "withdraw"),
        "compromise": rotations.compromise(trusted, folder / "compromise"),
        "uproot": rotations.uproot(trusted, folder / "uproot"),
    }


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clouds]:
    """Three clouds that this process reaches, all empty."""
    with (
        Clouds.running(tmp_path_factory.mktemp("clouds")) as clouds,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in clouds.environment().items():
            patch.setenv(name, value)
        yield clouds
