"""Objects: where storing puts them, and which folders have to be flushed for that."""

import os

import ledger_kit as kit
import pytest
from ledger_kit import Site

from providers import processes
from reconciler.git import Git
from reconciler.ledger import disk
from reconciler.ledger.contract import Wave
from reconciler.ledger.objects import object_format, store


@pytest.mark.parametrize("number", [2, 100])
def test_few_objects_lie_loose_and_many_in_a_pack(site: Site, number: int) -> None:
    git = Git(site.path)
    naming = object_format(git)
    made = [naming.object("blob", f"{n} ".encode() * n) for n in range(number)]
    loose = store(git, naming, made)
    assert loose == (frozenset(item.id for item in made) if number < 100 else frozenset())
    assert git.blobs([item.id for item in made]) == [item.content for item in made]
    folder = git.common_directory() / "objects"
    assert all((folder / item.id[:2] / item.id[2:]).exists() == bool(loose) for item in made)


def test_a_wave_flushes_the_folders_of_its_own_objects_alone(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = Git(site.path).common_directory() / "objects"
    flushed: list[str] = []

    def sync(*folders: os.PathLike[str]) -> None:
        flushed.extend(os.fspath(folder) for folder in folders)

    with site.journal() as journal:
        before = set(objects.glob("??/*"))
        monkeypatch.setattr("reconciler.ledger.store.sync", sync)
        journal.write(Wave("one", certificates=[kit.certificate("web")]))
        new = {os.fspath(path.parent) for path in set(objects.glob("??/*")) - before}
        named = {path for path in flushed if path.startswith(f"{objects}/")}
    if kit.run_git(site.path, "remote"):
        assert not flushed, "durable is what the remote acknowledged"
        return
    assert new <= named
    assert len(named - new) <= 2, "pack, and objects itself"
    assert len(disk.object_folders(objects.parent)) > len(named)


def test_many_records_are_written_by_several_processes(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LEAST", 2)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    records = [kit.certificate(f"web-{n}") for n in range(5)]
    with site.journal() as journal:
        journal.write(Wave("many", certificates=records))
    assert site.read().certificates == {record.name: record for record in records}
