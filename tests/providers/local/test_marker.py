"""Whatever a directory's marker holds, one that is not ours is told, and only that target is lost."""

import json
from pathlib import Path

import pytest
from installing import MakeTarget, Wanted

from providers.conformance import OURS
from providers.errors import Unreachable
from providers.local.directory import LocalDirectoryTarget
from providers.local.layout import MARKER


def marker(**changed: object) -> bytes:
    return json.dumps({"format": 1, "owner": OURS, "target": "local", **changed}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[" * 2000,
        b'{"format":' * 400,
        b"[]",
        b"7",
        marker(format=2),
        marker(owner=["a"]),
        marker(owner=None),
        marker(owner="\ud800"),
        marker(target="local\n  + certificate/web"),
        marker(target="\x1b[2J"),
    ],
)
def test_a_marker_that_certform_did_not_write_names_an_unknown_owner(
    target: LocalDirectoryTarget, wanted: Wanted, root: Path, content: bytes
) -> None:
    root.mkdir()
    (root / MARKER).write_bytes(content)
    with pytest.raises(Unreachable, match="belongs to an unknown owner, not to owner"):
        target.observe()
    with pytest.raises(Unreachable):
        target.install(wanted())
    assert (root / MARKER).read_bytes() == content


def test_a_huge_marker_is_not_read(target: LocalDirectoryTarget, root: Path) -> None:
    root.mkdir()
    (root / MARKER).write_bytes(marker(owner="x" * 5000))
    with pytest.raises(Unreachable, match="too large") as refusal:
        target.observe()
    assert len(str(refusal.value)) < 500


def test_a_directory_that_was_moved_along_with_its_path_is_ours(
    make_target: MakeTarget, wanted: Wanted, root: Path
) -> None:
    installed = make_target().install(wanted())
    root.rename(root.with_name("old"))
    with pytest.raises(Unreachable, match="If the path was changed, move the old directory here"):
        make_target().confirm()
    root.with_name("old").rename(root)
    assert make_target().observe() == (installed,)
