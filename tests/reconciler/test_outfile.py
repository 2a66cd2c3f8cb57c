"""Files appear whole, with the mode they should have, or what was there stays."""

import os
import stat
from pathlib import Path

import pytest

from reconciler.outfile import write_whole


def test_a_file_is_readable_by_all_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_whole(tmp_path / "a.prom", "ü\n")
    finally:
        os.umask(before)
    assert (tmp_path / "a.prom").read_bytes() == "ü\n".encode()
    assert stat.S_IMODE((tmp_path / "a.prom").stat().st_mode) == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["a.prom"]


def test_a_reader_never_sees_half_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a.prom"
    write_whole(file, "old\n")
    with file.open() as reader:
        write_whole(file, "new\n")
        assert reader.read() == "old\n", "what was opened is another file"
    assert file.read_text() == "new\n"


@pytest.mark.parametrize("parent", ["none", "file"])
def test_what_cannot_be_written_names_the_file_that_was_meant(tmp_path: Path, parent: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"a\.prom") as failure:
        write_whole(tmp_path / parent / "a.prom", "x")
    assert failure.value.filename == str(tmp_path / parent / "a.prom")
