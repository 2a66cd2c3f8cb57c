"""The file of an offline key: there whole and durable, or not at all."""

import os
import stat
from pathlib import Path

import pytest
from key_kinds import P256

from providers.secret import Secret
from reconciler.ceremony.keys import load_key, make_key
from reconciler.errors import InvalidInput

PASSPHRASE = Secret(b"a passphrase of the tests")


def test_a_key_and_its_name_are_durable_before_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, real = [], os.fsync

    def watched(descriptor: int) -> None:
        synced.append(stat.S_IFMT(os.fstat(descriptor).st_mode))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    made = make_key(tmp_path / "root.key", P256, PASSPHRASE)
    assert synced == [stat.S_IFREG, stat.S_IFDIR]
    found = load_key(tmp_path / "root.key", lambda _: PASSPHRASE)
    assert found.public_key() == made.public_key()


def test_a_disk_that_is_full_leaves_no_part_of_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InvalidInput, match="cannot be written: No space"):
        make_key(tmp_path / "root.key", P256, PASSPHRASE)
    assert [*tmp_path.iterdir()] == []
