"""A ceremony whose export or import is killed at every named point: asked for once, taken in whole."""

import itertools
import signal
from collections.abc import Mapping
from pathlib import Path

import judge
import pytest
import rig
from judge import Wanted
from rig import Repository, Runner, Workshop

from providers import x509
from providers.signer import KeySigner
from reconciler.ceremony import papers
from reconciler.ceremony.papers import Request
from reconciler.ceremony.signing import assigned, begun, keyless, sign
from reconciler.ledger.records import Status

OFFLINE = "commonName: Fault Root, privateKey: {custody: offline},"
DOCUMENTS: Mapping[str, str] = {
    **rig.DOCUMENTS,
    "authorities/ca.yaml": rig.AUTHORITIES.replace("commonName: Fault Root,", OFFLINE),
}
EXPORT = ("ceremony", "export", "-o", "request.json")
IMPORT = ("ceremony", "import", "answer.json")
ONCE = Wanted({"one": 1, "two": 1, "three": 1})


@pytest.fixture(scope="module")
def waiting(workshop: Workshop) -> Repository:
    """A repository whose root waits for its first ceremony."""
    return rig.prepare(workshop.runner, workshop.folder / "waiting", DOCUMENTS)


@pytest.fixture(scope="module")
def answered(workshop: Workshop, waiting: Repository) -> Repository:
    """The same after an export, with the answer beside it."""
    copy = waiting.kept(workshop.folder / "answered")
    assert workshop.runner.run(copy, *EXPORT).status == 0
    request = papers.read(copy.root / "request.json")
    signed = begun(request)
    keys = [KeySigner(x509.generate_key(kind)) for kind in keyless(signed).values()]
    answer = sign(signed, assigned(signed, keys)).answer()
    (copy.root / "answer.json").write_text(papers.written(answer))
    return copy


def points(workshop: Workshop, template: Repository, argv: tuple[str, ...]) -> list[str]:
    """Return the named points that a command reaches."""
    with template.copied(workshop.folder / f"points-of-{argv[1]}") as repository:
        log = repository.temporary.parent / "points"
        done = workshop.runner.run(repository, *argv, CERTFORM_FAILPOINT_LOG=str(log))
        assert done.status == 0, done.err
        return log.read_text().split()


def statuses(root: Path) -> set[Status]:
    """Return how far the CAs have come."""
    records = judge.ledger(root).authorities.values()
    return {issuance.status for record in records for issuance in record.issuances}


def test_an_export_killed_at_any_point_asks_for_the_same_again(
    workshop: Workshop, waiting: Repository
) -> None:
    def trial(runner: Runner, repository: Repository, point: tuple[str, int]) -> list[str]:
        killed = runner.run(repository, *EXPORT, CERTFORM_FAILPOINT=f"{point[0]}:{point[1]}:kill")
        wrong = [] if killed.status == -signal.SIGKILL else [f"ended with {killed.status}"]
        request, told = repository.root / "request.json", []
        for _ in range(2):
            again = runner.run(repository, *EXPORT)
            if again.status != 0:
                return [f"{point}: the next export ended with {again.status}: {again.err}"]
            told.append(request.read_bytes())
        wrong += [] if told[0] == told[1] else ["it asks for something else each time"]
        records = judge.ledger(repository.root).authorities
        counts = {name: [i.status for i in record.issuances] for name, record in records.items()}
        if counts != {"root": [Status.RESERVED], "issuing": [Status.RESERVED]}:
            wrong.append(f"surplus: {counts}")
        wrong += judge.keys_in(repository.temporary)
        return [f"{point}: {each}" for each in wrong]

    reached = points(workshop, waiting, EXPORT)
    assert "ceremony.reserved" in reached
    found = workshop.sweep(waiting, rig.chosen(reached, per_name=1), trial)
    assert list(itertools.chain(*found)) == []


def test_an_import_killed_at_any_point_is_taken_in_whole_and_gone_on_with(
    workshop: Workshop, answered: Repository
) -> None:
    assert isinstance(papers.read(answered.root / "request.json"), Request)

    def trial(runner: Runner, repository: Repository, point: tuple[str, int]) -> list[str]:
        killed = runner.run(repository, *IMPORT, CERTFORM_FAILPOINT=f"{point[0]}:{point[1]}:kill")
        wrong = [] if killed.status == -signal.SIGKILL else [f"ended with {killed.status}"]
        wrong += [] if len(statuses(repository.root)) == 1 else ["half of it was taken in"]
        again = runner.run(repository, *IMPORT)
        if again.status != 0:
            return [f"{point}: the next import ended with {again.status}: {again.err}"]
        wrong += [] if statuses(repository.root) == {Status.ISSUED} else ["not all was taken in"]
        wrong += judge.recovered(runner, repository, ONCE)
        return [f"{point}: {each}" for each in wrong]

    reached = points(workshop, answered, IMPORT)
    assert "ceremony.recorded" in reached
    found = workshop.sweep(answered, rig.chosen(reached, per_name=1), trial)
    assert list(itertools.chain(*found)) == []
