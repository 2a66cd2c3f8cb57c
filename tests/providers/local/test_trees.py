"""Trees of files in the published directory: whole at every moment, ours alone, put right again."""

import os
import stat
from pathlib import Path

import pytest

from providers.base import Tree
from providers.errors import ProviderError, Rejected, Unreachable
from providers.local import trees
from providers.local.folder import Folder
from providers.local.location import Location
from providers.local.publisher import DirectoryPublisher

NAME = "ocsp/services-g1"
ONE = {"MFUw+a=": b"one", "MFUw/b/c": b"two", "MFUw/b/index.ocsp": b"three"}
TWO = {"MFUw+a=": b"1", "MFUw/x": b"2"}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "srv" / "pki"


@pytest.fixture
def publisher(directory: Path) -> DirectoryPublisher:
    return DirectoryPublisher(Location.of(directory.parents[1], "srv/pki"), "corp_1")


def shown(directory: Path) -> dict[str, bytes]:
    """What a web server finds."""
    root = directory / NAME
    found = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def beside(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "ocsp").iterdir() if "." in path.name)


def test_nothing_is_shown_where_nothing_was_published(
    publisher: DirectoryPublisher, directory: Path
) -> None:
    assert publisher.tree(NAME) is None
    publisher.prepare()
    assert publisher.tree(NAME) is None
    assert not (directory / "ocsp").exists()


def test_a_tree_is_shown_whole_and_read_back(
    publisher: DirectoryPublisher, directory: Path
) -> None:
    publisher.publish_tree(Tree(NAME, ONE))
    assert shown(directory) == ONE
    found = publisher.tree(NAME)
    assert found == Tree(NAME, ONE)
    assert found is not None
    assert found.digest == Tree(NAME, ONE).digest != Tree(NAME, TWO).digest
    assert stat.S_IMODE((directory / NAME / "MFUw/b/c").stat().st_mode) == 0o644
    assert stat.S_IMODE((directory / NAME / "MFUw/b").stat().st_mode) == 0o755


def test_the_flat_files_and_the_trees_know_nothing_of_each_other(
    publisher: DirectoryPublisher,
) -> None:
    publisher.publish_tree(Tree(NAME, ONE))
    assert publisher.published() == {}


def test_the_one_before_stays_for_who_is_on_his_way_and_goes_with_the_next(
    publisher: DirectoryPublisher, directory: Path
) -> None:
    for number in range(4):
        publisher.publish_tree(Tree(NAME, {"a": str(number).encode()}))
        assert shown(directory) == {"a": str(number).encode()}
        assert len(beside(directory)) == min(number + 1, 2)


def test_trees_of_names_that_begin_alike_leave_each_other_alone(
    publisher: DirectoryPublisher, directory: Path
) -> None:
    others = [
        f"ocsp/{stem}" for stem in ("services-g1", "services-g11", "services", "a-services-g1")
    ]
    for name in others:
        for _ in range(3):
            publisher.publish_tree(Tree(name, {"a": name.encode()}))
    assert [publisher.tree(name) for name in others] == [
        Tree(name, {"a": name.encode()}) for name in others
    ]


@pytest.mark.parametrize("point", ["tree.write", "tree.switch", "tree.sweep"])
def test_a_run_that_dies_leaves_the_old_tree_or_the_new_one(
    publisher: DirectoryPublisher, directory: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    publisher.publish_tree(Tree(NAME, ONE))

    def die(name: str) -> None:
        if name == point:
            raise OSError(5, "failpoint")

    with monkeypatch.context() as patched:
        patched.setattr(trees, "reach", die)
        with pytest.raises(ProviderError):
            publisher.publish_tree(Tree(NAME, TWO))
    assert shown(directory) == (TWO if point == "tree.sweep" else ONE)
    publisher.publish_tree(Tree(NAME, TWO))
    assert shown(directory) == TWO
    assert len(beside(directory)) == 2


def test_no_reader_sees_some_of_the_old_and_some_of_the_new(
    publisher: DirectoryPublisher, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.publish_tree(Tree(NAME, ONE))
    seen: list[dict[str, bytes]] = []
    for call in ("write", "make", "rename", "point", "discard", "flush"):
        real = getattr(Folder, call)

        def watched(self: object, *args: object, real: object = real) -> object:
            seen.append(shown(directory))
            result = real(self, *args)  # type: ignore[operator]
            seen.append(shown(directory))
            return result

        monkeypatch.setattr(Folder, call, watched)
    publisher.publish_tree(Tree(NAME, TWO))
    assert seen[0] == ONE
    assert seen[-1] == TWO
    assert all(each in (ONE, TWO) for each in seen)
    assert [each == TWO for each in seen] == sorted(each == TWO for each in seen)


def _tamper(path: Path) -> None:
    path.write_bytes(b"forged")


def _link_away(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("do", [_tamper, _link_away, _pipe, Path.unlink])
def test_what_somebody_did_to_a_file_is_another_digest_and_is_put_right(
    publisher: DirectoryPublisher, directory: Path, do: object
) -> None:
    publisher.publish_tree(Tree(NAME, ONE))
    do(directory / NAME / "MFUw/b/c")  # type: ignore[operator]
    found = publisher.tree(NAME)
    assert found is not None
    assert found.digest != Tree(NAME, ONE).digest
    publisher.publish_tree(Tree(NAME, ONE))
    assert publisher.tree(NAME) == Tree(NAME, ONE)
    assert shown(directory) == ONE


def test_a_file_that_was_added_is_another_digest(
    publisher: DirectoryPublisher, directory: Path
) -> None:
    publisher.publish_tree(Tree(NAME, ONE))
    (directory / NAME / "more").write_bytes(b"x")
    found = publisher.tree(NAME)
    assert found is not None
    assert found.digest != Tree(NAME, ONE).digest


def test_a_copy_without_links_is_put_right(publisher: DirectoryPublisher, directory: Path) -> None:
    publisher.publish_tree(Tree(NAME, ONE))
    (directory / NAME).unlink()
    (directory / NAME).mkdir()
    (directory / NAME / "MFUw+a=").write_bytes(b"one")
    assert publisher.tree(NAME) == Tree(NAME, {})
    publisher.publish_tree(Tree(NAME, ONE))
    publisher.publish_tree(Tree(NAME, TWO))
    assert shown(directory) == TWO
    assert len(beside(directory)) == 2


@pytest.mark.parametrize("where", ["/etc", "../..", "services-g2.00000000", "nowhere"])
def test_a_link_that_leads_elsewhere_is_not_followed_and_is_replaced(
    publisher: DirectoryPublisher, directory: Path, where: str
) -> None:
    publisher.publish_tree(Tree(NAME, ONE))
    (directory / NAME).unlink()
    (directory / NAME).symlink_to(where)
    assert publisher.tree(NAME) == Tree(NAME, {})
    publisher.publish_tree(Tree(NAME, TWO))
    assert shown(directory) == TWO


def test_a_folder_of_trees_that_is_a_link_is_not_followed(
    publisher: DirectoryPublisher, directory: Path, tmp_path: Path
) -> None:
    publisher.prepare()
    (tmp_path / "else").mkdir()
    (directory / "ocsp").symlink_to(tmp_path / "else")
    assert publisher.tree(NAME) is None
    with pytest.raises(ProviderError):
        publisher.publish_tree(Tree(NAME, ONE))
    assert list((tmp_path / "else").iterdir()) == []


@pytest.mark.parametrize(
    "name", ["ocsp", "ocsp/", "/a", "../a", "ocsp/../a", "ocsp/.a", "ocsp/a/b"]
)
def test_a_name_that_leads_elsewhere_is_refused(
    publisher: DirectoryPublisher, directory: Path, name: str
) -> None:
    with pytest.raises(Rejected):
        publisher.publish_tree(Tree(name, ONE))
    assert not (directory / "ocsp").exists()


@pytest.mark.parametrize(
    "path", ["", "/a", "a/", "a//b", "../a", "a/../b", ".a", "a\0", "a b", "é"]
)
def test_a_path_that_leads_elsewhere_is_refused_before_anything_is_written(
    publisher: DirectoryPublisher, directory: Path, path: str
) -> None:
    with pytest.raises(Rejected):
        publisher.publish_tree(Tree(NAME, {"good": b"one", path: b"two"}))
    assert not (directory / "ocsp").exists()


def test_the_directory_of_somebody_else_is_unreachable(
    publisher: DirectoryPublisher, directory: Path
) -> None:
    directory.mkdir(parents=True)
    (directory / "index.html").write_text("hello")
    with pytest.raises(Unreachable):
        publisher.tree(NAME)
    with pytest.raises(Unreachable):
        publisher.publish_tree(Tree(NAME, ONE))
