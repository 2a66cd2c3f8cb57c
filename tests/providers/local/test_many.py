"""Many objects at once: several processes write and read them, and nobody can tell."""

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from installing import MakeTarget, Wanted

from providers import processes, x509
from providers.abilities import Staged
from providers.base import Installed, InstallRequest
from providers.conformance import sound
from providers.errors import Ambiguous, Conflict, ProviderError, Rejected, Unreachable
from providers.local import observation, staging
from providers.local.directory import LocalDirectoryTarget

NAMES = [f"web-{number}" for number in range(8)]


@pytest.fixture(autouse=True)
def _several_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LEAST", 2)
    monkeypatch.setattr(processes, "_threads", lambda: 1)  # another test may have left some
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1, 2})


@pytest.fixture
def requests(wanted: Wanted) -> list[InstallRequest]:
    return [wanted(name) for name in NAMES]


def install(target: LocalDirectoryTarget, requests: Sequence[InstallRequest]) -> list[Installed]:
    staged = [sound(each, Staged) for each in target.stage(requests)]
    assert [each.request for each in staged] == requests
    shown = [sound(each, Installed) for each in target.switch(staged)]
    verified = [sound(each, Installed) for each in target.verify(shown)]
    target.settle(verified)
    return verified


def die_elsewhere() -> Callable[[object], None]:
    parent = os.getpid()

    def reach(_name: object) -> None:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return reach


def test_all_are_installed_in_order_and_observed(
    target: LocalDirectoryTarget, requests: list[InstallRequest], root: Path
) -> None:
    installed = install(target, requests)
    assert [each.name for each in installed] == NAMES
    assert target.observe() == tuple(installed)
    for request in requests:
        current = root / request.name / "current"
        assert (current / "cert.pem").read_bytes() == request.bundle.certificate
        assert (current / "privkey.pem").read_bytes() == request.bundle.held_key.reveal()
        assert x509.split_pem((current / "fullchain.pem").read_bytes())
        assert not (root / request.name / "previous").is_symlink()


def test_one_that_fails_stops_no_other(
    target: LocalDirectoryTarget, requests: list[InstallRequest], root: Path, wanted: Wanted
) -> None:
    target.install(wanted("marked"))
    for name in (NAMES[0], NAMES[-1]):
        (root / name).mkdir()
    results = target.stage(requests)
    failed = [n for n, each in enumerate(results) if isinstance(each, ProviderError)]
    assert failed == [0, len(NAMES) - 1]
    assert all(isinstance(results[n], Conflict) for n in failed)


def test_a_name_asked_for_twice_is_written_once_wherever_the_two_are(
    target: LocalDirectoryTarget, requests: list[InstallRequest], wanted: Wanted
) -> None:
    results = target.stage([*requests, wanted(NAMES[0])])
    assert [n for n, each in enumerate(results) if isinstance(each, Conflict)] == [len(NAMES)]


@pytest.mark.parametrize("name", [NAMES[0], NAMES[-1]])
def test_drift_is_seen_in_every_part(
    target: LocalDirectoryTarget, requests: list[InstallRequest], root: Path, name: str
) -> None:
    installed = install(target, requests)
    (root / name / "current/chain.pem").write_text("something else")
    drifted = [each.name for each in target.observe() if each.drift]
    assert drifted == [name]
    refused = [each for each in target.verify(installed) if isinstance(each, Rejected)]
    assert len(refused) == 1
    assert name in str(refused[0])


def test_after_a_process_died_at_writing_the_next_run_writes_all(
    target: LocalDirectoryTarget,
    make_target: MakeTarget,
    requests: list[InstallRequest],
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(staging, "reach", die_elsewhere())
        assert all(isinstance(each, Ambiguous) for each in target.stage(requests))
    assert target.observe() == ()
    install(make_target(), requests)
    assert len(list(root.rglob("privkey.pem"))) == len(NAMES)


def test_what_a_process_died_at_reading_is_unknown_and_not_empty(
    target: LocalDirectoryTarget, requests: list[InstallRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(target, requests)
    die = die_elsewhere()
    inspect = observation.inspect
    monkeypatch.setattr(observation, "inspect", lambda *where: (die(""), inspect(*where))[1])
    with pytest.raises(Unreachable):
        target.observe()
