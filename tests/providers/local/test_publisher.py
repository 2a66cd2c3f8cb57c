"""The publication directory."""

import os
import stat
from pathlib import Path

import pytest
from installing import listed

from providers.base import Publication
from providers.errors import Rejected, Unreachable
from providers.local.layout import MARKER
from providers.local.location import Location
from providers.local.publisher import DirectoryPublisher


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "srv" / "pki"


@pytest.fixture
def publisher(directory: Path) -> DirectoryPublisher:
    return DirectoryPublisher(Location.of(directory.parents[1], "srv/pki"), "corp_1")


def test_nothing_is_published_where_nothing_is(
    publisher: DirectoryPublisher, directory: Path
) -> None:
    assert publisher.published() == {}
    with pytest.raises(Unreachable):
        publisher.confirm()
    assert not directory.exists()


def test_what_is_published_can_be_read_by_all_and_is_replaced_whole(
    publisher: DirectoryPublisher, directory: Path
) -> None:
    publisher.publish([Publication("root.g1.crl", b"one"), Publication("root.g1.crt", b"ca")])
    publisher.publish([Publication("root.g1.crl", b"two")])
    assert publisher.published() == {"root.g1.crl": b"two", "root.g1.crt": b"ca"}
    publisher.confirm()
    assert stat.S_IMODE((directory / "root.g1.crl").stat().st_mode) == 0o644
    assert listed(directory) == [MARKER, "root.g1.crl", "root.g1.crt"]


def test_a_large_crl_is_read_back(publisher: DirectoryPublisher) -> None:
    content = os.urandom(5_000_000)
    publisher.publish([Publication("a.crl", content)])
    assert publisher.published() == {"a.crl": content}


def test_other_files_are_neither_reported_nor_touched(
    publisher: DirectoryPublisher, directory: Path
) -> None:
    publisher.publish([Publication("a.crl", b"one")])
    (directory / "index.html").write_text("hello")
    assert publisher.published() == {"a.crl": b"one"}
    with pytest.raises(Rejected):
        publisher.publish([Publication("index.html", b"mine")])
    assert (directory / "index.html").read_text() == "hello"


@pytest.mark.parametrize("name", ["../a.crl", "a/b.crl", ".a.crl", "a.html", "a.crl\n", "", "crl"])
def test_a_name_that_leads_elsewhere_is_refused_before_anything_is_written(
    publisher: DirectoryPublisher, directory: Path, name: str
) -> None:
    with pytest.raises(Rejected):
        publisher.publish([Publication("good.crl", b"one"), Publication(name, b"two")])
    assert not directory.exists()


def test_the_directory_of_somebody_else_is_unreachable(
    publisher: DirectoryPublisher, directory: Path
) -> None:
    directory.mkdir(parents=True)
    (directory / "index.html").write_text("hello")
    with pytest.raises(Unreachable):
        publisher.published()
    with pytest.raises(Unreachable):
        publisher.publish([Publication("a.crl", b"one")])
    assert listed(directory) == ["index.html"]


def test_a_link_in_a_files_place_is_replaced_and_not_followed(
    publisher: DirectoryPublisher, directory: Path, tmp_path: Path
) -> None:
    publisher.publish([Publication("a.crl", b"one")])
    precious = tmp_path / "precious"
    precious.write_text("mine")
    for name in ("a.crl", ".a.crl.new"):
        (directory / name).unlink(missing_ok=True)
        (directory / name).symlink_to(precious)
    with pytest.raises(Unreachable):
        publisher.published()
    publisher.publish([Publication("a.crl", b"two")])
    assert publisher.published() == {"a.crl": b"two"}
    assert precious.read_text() == "mine"
