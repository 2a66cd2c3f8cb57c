"""A place that lost its content is unknown, says which it is and what to do; a new one is empty."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fleet import Fleet
from fleet_documents import LINEAGE, Leaf, at
from fleet_sights import shown

from providers import processes
from providers.base import Publication, Publisher, TargetConfig
from providers.conformance import request
from providers.errors import Unreachable
from providers.local.directory import LocalDirectoryTarget
from providers.local.layout import MARKER
from providers.local.location import Location
from providers.local.publisher import DirectoryPublisher
from providers.memory import MemoryTarget
from providers.specimens import Specimens
from reconciler.observe import observe
from reconciler.state import Observed
from schemas.target import LocalDirectory, TargetSpec


@pytest.fixture(scope="module")
def applied() -> Fleet:
    """Two targets and a place of publication that the ledger knows to be filled."""
    return Fleet(leaves={"web": Leaf(targets=at("a", "b"))}).converge()


@pytest.fixture
def publisher(tmp_path: Path) -> DirectoryPublisher:
    return DirectoryPublisher(Location.of(tmp_path, "pki"), LINEAGE.owner)


@pytest.fixture
def local(tmp_path: Path) -> Callable[[str], LocalDirectoryTarget]:
    def make(name: str) -> LocalDirectoryTarget:
        spec = TargetSpec(local_directory=LocalDirectory(path=name))
        return LocalDirectoryTarget.from_config(TargetConfig(name, spec, LINEAGE.owner, tmp_path))

    return make


def seen(
    fleet: Fleet, targets: Sequence[LocalDirectoryTarget] = (), publisher: Publisher | None = None
) -> Observed:
    named = dict(zip(fleet.targets, targets, strict=False))
    return observe(fleet.desired(), fleet.journal.state, named, publisher)


def test_an_empty_target_that_was_filled_is_unknown_and_says_the_way_out(
    applied: Fleet, local: Callable[[str], LocalDirectoryTarget], tmp_path: Path
) -> None:
    found = seen(applied, [local("a")]).targets["a"]
    assert found.status == "unknown"
    words, command = found.detail.splitlines()
    assert words.startswith(
        f"{tmp_path}/a is missing or empty, although certificates were installed in target a. "
        "If the path was changed, move the old directory here. "
    )
    assert "`hosts` of the Target" in words
    assert "keeps its keys until you delete it" in words
    subprocess.run(["sh", "-c", command], check=True)
    assert seen(applied, [local("a")]).targets["a"].status == "observed"


def test_what_is_published_nowhere_although_it_was_is_unknown_and_says_the_way_out(
    applied: Fleet, publisher: DirectoryPublisher, tmp_path: Path
) -> None:
    found = seen(applied, publisher=publisher)
    assert found.published is None
    assert found.published_detail.startswith(f"{tmp_path}/pki is missing or empty, although CRLs")
    subprocess.run(["sh", "-c", found.published_detail.splitlines()[-1]], check=True)
    assert seen(applied, publisher=publisher).published == {}


def test_a_lost_mount_of_publications_blocks_and_publishes_nothing(
    applied: Fleet, publisher: DirectoryPublisher, tmp_path: Path
) -> None:
    publisher.publish([Publication("root-g1.crl", b"one")])
    shutil.rmtree(tmp_path / "pki")
    (tmp_path / "pki").mkdir()
    assert seen(applied, publisher=publisher).published is None
    assert list((tmp_path / "pki").iterdir()) == []


def test_a_place_to_publish_at_is_new_while_the_ledger_knows_of_nothing_there(
    publisher: DirectoryPublisher,
) -> None:
    assert seen(Fleet(), publisher=publisher).published == {}


def test_a_first_publication_that_is_cut_short_is_made_by_the_next_run(
    publisher: DirectoryPublisher, applied: Fleet
) -> None:
    publisher.prepare()
    assert seen(applied, publisher=publisher).published == {}


@pytest.mark.parametrize("name", ["it's", "a b", "$HOME"])
def test_the_way_out_can_be_pasted_whatever_the_path(
    applied: Fleet, tmp_path: Path, name: str
) -> None:
    lost = DirectoryPublisher(Location.of(tmp_path, name), LINEAGE.owner)
    command = seen(applied, publisher=lost).published_detail.splitlines()[-1]
    assert str(tmp_path / name / MARKER) == "".join(shlex.split(command)[-1:])
    subprocess.run(["sh", "-c", command], check=True)
    lost.confirm()


def test_several_large_targets_are_each_read_by_several_processes(
    local: Callable[[str], LocalDirectoryTarget], monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = Fleet(leaves={})
    specimens = Specimens.make(fleet.now)
    for name in fleet.targets:
        for number in range(3):
            bundle = specimens.bundle("www.example.com", fleet.now)
            local(name).install(replace(request(f"web-{number}", bundle)))
    forked: list[int] = []
    fork = os.fork

    def count() -> int:
        forked.append(fork())
        return forked[-1]

    monkeypatch.setattr(processes, "LEAST", 2)
    monkeypatch.setattr(processes, "_threads", lambda: 1)  # another test may have left some
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    monkeypatch.setattr(os, "fork", count)
    found = seen(fleet, [local(name) for name in fleet.targets])
    assert len(forked) == len(fleet.targets)
    for name in fleet.targets:
        assert sorted(found.targets[name].installed) == ["web-0", "web-1", "web-2"]


def test_what_is_unmounted_while_certform_is_at_work_is_not_taken_for_new(
    local: Callable[[str], LocalDirectoryTarget], publisher: DirectoryPublisher, tmp_path: Path
) -> None:
    now = Fleet().now
    target, wanted = local("a"), request("web", Specimens.make(now).bundle("www.example.com", now))
    target.install(wanted)
    publisher.prepare()
    for name in ("a", "pki"):
        shutil.rmtree(tmp_path / name)
        (tmp_path / name).mkdir()
    (result,) = target.stage([wanted])
    assert isinstance(result, Unreachable)
    with pytest.raises(Unreachable):
        publisher.publish([Publication("root-g1.crl", b"one")])
    for name in ("a", "pki"):
        assert list((tmp_path / name).iterdir()) == []


class Unmarked(MemoryTarget):
    """A target that reads as empty, and whose marker cannot be read."""

    def confirm(self) -> None:
        raise Unreachable("the marker cannot be read")


def test_a_target_whose_marker_cannot_be_read_is_unknown() -> None:
    fleet = Fleet(leaves={"web": Leaf(targets=at("a", "b"))}).converge()
    fleet.store("a").objects.clear()
    fleet.kinds["a"] = Unmarked
    assert shown(fleet.plan()) == [("blocked", "target/a", "TargetUnknown")]
    assert fleet.world().observation("a").detail == "the marker cannot be read"
