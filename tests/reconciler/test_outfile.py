"""Files appear whole, with the mode they should have, or what was there stays."""

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.outfile import READABLE, write_whole


@contextmanager
def umask(bits: int) -> Iterator[None]:
    before = os.umask(bits)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def largest(size: int) -> Iterator[None]:
    """Let no file be made larger than so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(("mask", "mode", "found"), [
    (0o077, READABLE, 0o644), (0o077, None, 0o600), (0o022, None, 0o644), (0o027, None, 0o640),
])  # fmt: skip
def test_a_file_has_the_mode_asked_for_or_what_the_umask_leaves(
    tmp_path: Path, mask: int, mode: int | None, found: int
) -> None:
    with umask(mask):
        write_whole(tmp_path / "a.prom", "ü\n", mode)
    assert (tmp_path / "a.prom").read_bytes() == "ü\n".encode()
    assert stat.S_IMODE((tmp_path / "a.prom").stat().st_mode) == found
    assert [path.name for path in tmp_path.iterdir()] == ["a.prom"]


def test_a_reader_never_sees_half_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "a.prom"
    write_whole(file, "old\n")
    with file.open() as reader:
        write_whole(file, "new\n")
        assert reader.read() == "old\n", "what was opened is another file"
    assert file.read_text() == "new\n"


def test_a_name_may_be_as_long_as_names_may_be(tmp_path: Path) -> None:
    write_whole(tmp_path / ("n" * 255), "x")
    assert [path.name for path in tmp_path.iterdir()] == ["n" * 255]


@pytest.mark.parametrize(("parent", "kind"), [
    ("none", FileNotFoundError), ("file", NotADirectoryError), ("loop", OSError),
])  # fmt: skip
def test_what_cannot_be_written_names_the_file_that_was_meant(
    tmp_path: Path, parent: str, kind: type[OSError]
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    path = tmp_path / parent / "a.prom"
    with pytest.raises(kind, match=r"a\.prom") as failure:
        write_whole(path, "x")
    assert failure.value.filename == str(path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "loop"]


def test_what_is_no_plain_file_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "there").write_text("of somebody else")
    (tmp_path / "link").symlink_to("there")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    before = {path.name: path.lstat().st_ino for path in tmp_path.iterdir()}
    for name in ("folder", "link", "dangling", "pipe"):
        with pytest.raises(FileExistsError, match="no plain file"):
            write_whole(tmp_path / name, "x")
    assert {path.name: path.lstat().st_ino for path in tmp_path.iterdir()} == before
    assert (tmp_path / "there").read_text() == "of somebody else"


def test_what_was_there_stays_when_there_is_no_room(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "old")
    with largest(1_000), pytest.raises(OSError, match="File too large") as failure:
        write_whole(tmp_path / "a", "new" * 1_000)
    assert failure.value.filename == str(tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"
