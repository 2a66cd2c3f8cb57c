"""A bare name is never found in the repository, whatever PATH says."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from providers.errors import NotFound
from providers.local import activation


@pytest.mark.parametrize("path", [".", "", "bin", "./bin", ":", "/usr/bin:.:/bin"])
def test_a_program_is_not_looked_up_where_a_proposed_change_could_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    for folder in (tmp_path, tmp_path / "bin"):
        folder.mkdir(exist_ok=True)
        (folder / "brought-along").write_text("#!/bin/sh\n: > ran\n")
        (folder / "brought-along").chmod(0o755)
    monkeypatch.setenv("PATH", path)
    with pytest.raises(NotFound, match="no program `brought-along`"):
        activation.run("check", ("brought-along",), tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("argv", [("true",), ("/bin/true",)])
def test_a_program_of_the_host_is_found(tmp_path: Path, argv: Sequence[str]) -> None:
    activation.run("check", argv, tmp_path)
