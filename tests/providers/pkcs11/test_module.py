"""Which modules are loaded: code that root or this user put there, and nobody else could have."""

import os
from pathlib import Path

import pytest

from providers.errors import Conflict, Denied, NotFound, ProviderError, Unreachable
from providers.pkcs11.module import load, require_trusted


@pytest.fixture
def module(tmp_path: Path) -> Path:
    made = tmp_path / "lib" / "hsm.so"
    made.parent.mkdir(mode=0o755)
    made.write_bytes(b"no code")
    made.chmod(0o644)
    return made


def test_one_that_is_guarded_is_trusted(module: Path) -> None:
    require_trusted(str(module))


@pytest.mark.parametrize("mode", [0o646, 0o664])
def test_one_that_others_can_write_is_refused(module: Path, mode: int) -> None:
    module.chmod(mode)
    refuses(module, Denied, "can be written by others")


def test_one_in_a_folder_that_others_can_write_is_refused(module: Path) -> None:
    module.parent.chmod(0o777)
    refuses(module, Denied, "can be written by others")
    module.parent.chmod(0o1777)  # as /tmp is: nobody takes the place of another one's file
    require_trusted(str(module))


def test_one_of_somebody_else_is_refused(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = module.stat().st_uid
    monkeypatch.setattr("os.getuid", lambda: owner + 1)
    if owner == 0:
        os.chown(module, 12345, -1)
    refuses(module, Denied, "belongs to somebody else")


def test_one_in_a_repository_is_refused_however_it_is_named(module: Path, tmp_path: Path) -> None:
    (module.parent / ".git").mkdir()
    refuses(module, Denied, "is in the repository")
    link = tmp_path / "link.so"
    link.symlink_to(module)
    refuses(link, Denied, "is in the repository")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    refuses(tmp_path, Conflict, "is no file")
    refuses(tmp_path / "missing.so", NotFound, "cannot be read")
    refuses(Path("hsm.so"), Conflict, "whole path")


def test_what_is_no_library_is_told(module: Path) -> None:
    with pytest.raises(Unreachable, match="cannot be used"):
        load(str(module))


def refuses(module: Path, kind: type[ProviderError], said: str) -> None:
    with pytest.raises(kind, match=said):
        load(str(module))
