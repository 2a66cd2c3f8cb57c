"""The age identity that is made where sops looks: only in a file that nobody else can read."""

import os
from pathlib import Path

import pytest

from providers.errors import Conflict
from providers.sops.identity import make_identity


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.txt"
    path.touch(0o600)
    return path


def test_an_identity_is_added_to_a_file_of_our_own(file: Path) -> None:
    assert make_identity(file) in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_others_can_read_gets_none(file: Path) -> None:
    file.chmod(0o640)
    with pytest.raises(Conflict, match="can be read by others"):
        make_identity(file)
    assert not file.read_bytes()


def test_a_file_of_another_user_gets_none(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = file.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(Conflict, match="belongs to another user"):
        make_identity(file)
    assert not file.read_bytes()
