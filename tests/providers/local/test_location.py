"""A link that a proposed change brings leads nobody out of the repository."""

from pathlib import Path

import pytest
from installing import MakeTarget, Wanted

from providers.base import Publication
from providers.errors import Unreachable
from providers.local.location import Location
from providers.local.publisher import DirectoryPublisher


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("inside", ["live", "live/edge", "live/edge/tls"])
def test_no_link_below_the_repository_is_followed(
    repository: Path, elsewhere: Path, inside: str
) -> None:
    link = repository / inside
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(elsewhere)
    for path in (f"{inside}/deep/er", inside, str(repository / inside)):
        location = Location.of(repository, path)
        for verb in (location.open, location.make):
            with pytest.raises(Unreachable) as refusal:
                verb()
            assert f"{link} is a symbolic link to {elsewhere}" in str(refusal.value)
    assert list(elsewhere.iterdir()) == []


def test_a_link_to_nowhere_is_no_directory_to_be_made(repository: Path, elsewhere: Path) -> None:
    (repository / "live").symlink_to(elsewhere / "new")
    with pytest.raises(Unreachable, match="is a symbolic link"):
        Location.of(repository, "live/edge").make()
    assert not (elsewhere / "new").exists()


def test_an_absolute_path_elsewhere_may_be_linked(
    repository: Path, elsewhere: Path, tmp_path: Path
) -> None:
    (tmp_path / "etc").symlink_to(elsewhere)
    with Location.of(repository, str(tmp_path / "etc" / "tls" / "web")).make() as folder:
        assert folder.names() == []
    assert (elsewhere / "tls" / "web").is_dir()


@pytest.mark.parametrize(
    ("alias", "leads", "path"),
    [
        ("alias", "repository", "alias/pki/x"),
        ("alias", "repository/pki", "alias/x"),
        ("alias", "repository/pki/x", "alias"),
        ("deep/alias", "../repository/sub", "deep/alias/../pki/x"),
    ],
)
def test_a_path_that_comes_into_the_repository_by_a_link_follows_none_from_there_on(
    repository: Path, elsewhere: Path, tmp_path: Path, alias: str, leads: str, path: str
) -> None:
    (repository / "sub").mkdir()
    (repository / "pki").symlink_to(elsewhere)
    (tmp_path / alias).parent.mkdir(exist_ok=True)
    target = leads if leads.startswith("..") else tmp_path / leads
    (tmp_path / alias).symlink_to(target)
    location = Location.of(repository, str(tmp_path / path))
    for verb in (location.open, location.make):
        with pytest.raises(Unreachable, match="pki is a symbolic link"):
            verb()
    assert list(elsewhere.iterdir()) == []


def test_a_path_that_comes_into_the_repository_by_a_link_may_lead_to_a_directory(
    repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "alias").symlink_to(repository)
    with Location.of(repository, str(tmp_path / "alias" / "live" / "edge")).make():
        assert (repository / "live" / "edge").is_dir()


def test_links_that_lead_in_a_circle_come_to_an_end(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    location = Location.of(repository, str(tmp_path / "one" / "tls"))
    for verb in (location.open, location.make):
        with pytest.raises(OSError, match="symbolic links"):
            verb()


def test_the_repository_itself_may_be_reached_by_a_link(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repository)
    with Location.of(tmp_path / "link", "live/edge").make():
        assert (repository / "live" / "edge").is_dir()


@pytest.mark.parametrize("outside", [False, True])
@pytest.mark.parametrize("path", ["file", "file/deeper"])
def test_a_file_in_the_way_is_named_once_with_what_to_do(
    repository: Path, elsewhere: Path, outside: bool, path: str
) -> None:
    base = elsewhere if outside else repository
    (base / "file").write_text("mine")
    location = Location.of(repository, str(base / path))
    for verb in (location.open, location.make):
        with pytest.raises(Unreachable) as refusal:
            verb()
        text = str(refusal.value)
        assert "is not a directory: move it away, or name another path" in text
        assert text.count(str(base / "file")) == 1
    assert (base / "file").read_text() == "mine"


def test_a_target_behind_a_link_is_unknown_and_nothing_is_written_through_it(
    make_target: MakeTarget, wanted: Wanted, root: Path, elsewhere: Path
) -> None:
    root.symlink_to(elsewhere)
    with pytest.raises(Unreachable, match="is a symbolic link"):
        make_target().observe()
    with pytest.raises(Unreachable, match="is a symbolic link"):
        make_target().install(wanted())
    assert list(elsewhere.iterdir()) == []


def test_what_is_published_does_not_follow_a_link_either(repository: Path, elsewhere: Path) -> None:
    (repository / "pki").symlink_to(elsewhere)
    publisher = DirectoryPublisher(Location.of(repository, "pki"), "corp_1")
    with pytest.raises(Unreachable, match="is a symbolic link"):
        publisher.published()
    with pytest.raises(Unreachable, match="is a symbolic link"):
        publisher.publish([Publication("a.crl", b"one")])
    assert list(elsewhere.iterdir()) == []


def test_a_failing_call_names_its_path_once(
    make_target: MakeTarget, wanted: Wanted, root: Path
) -> None:
    target = make_target()
    target.install(wanted())
    root.joinpath(".certform-owner").unlink()
    root.joinpath(".certform-owner").mkdir()
    with pytest.raises(Unreachable) as refusal:
        target.observe()
    assert str(refusal.value).count(str(root)) == 1
