"""What nobody manages is found, and what could not be read is never taken for nothing."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fleet import Fleet
from fleet_documents import Leaf, at

from providers import x509
from providers.base import OWNER, Bundle, Content, Installed
from providers.errors import Denied, Unreachable
from providers.memory import MemoryTarget
from providers.specimens import Specimens
from reconciler import certificate_files, discovery
from reconciler.discovery import Discovery, discover, in_directory

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def specimens() -> Specimens:
    return Specimens.make(NOW)


@pytest.fixture
def bundle(specimens: Specimens) -> Bundle:
    return specimens.bundle("www.example.com", NOW)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(leaves={"web": Leaf(targets=at("a", "b"))}).converge()


def look(fleet: Fleet, *directories: Path, closely: bool = False) -> Discovery:
    world = fleet.world()
    return discover(world.observed, fleet.reach(), world.ledger, directories, (), closely=closely)


def test_what_carries_our_label_is_left_out(fleet: Fleet) -> None:
    assert look(fleet).finds == ()
    foreign = fleet.foreign("b", "theirs")
    (find,) = look(fleet).finds
    assert (find.where, find.id, find.place) == ("b", foreign.id, "b")


def test_another_owner_is_named(fleet: Fleet) -> None:
    other = replace(fleet.foreign("b", "theirs"), labels={OWNER: "else_0011"})
    fleet.store("b").put_foreign(other)
    assert [find.owner for find in look(fleet).finds] == ["else_0011"]


def test_a_target_that_cannot_be_read_is_unknown_and_one_elsewhere_is_told(fleet: Fleet) -> None:
    fleet.store("a").reachable = False
    fleet.away.add("b")
    found = look(fleet)
    assert found.unknown == {"a": "a cannot be read"}
    assert found.elsewhere.keys() == {"b"}


def test_details_are_asked_for_where_a_listing_tells_none(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Telling(MemoryTarget):
        def inspect(self, installed: Installed, /) -> Installed:
            asked.append(installed.name)
            if installed.name == "shut":
                raise Denied("no")
            return replace(installed, content=Content(dns_names=("told.example.com",)))

    fleet.kinds["b"] = Telling
    fleet.foreign("b", "shut")
    known = replace(fleet.foreign("b", "known"), content=Content(dns_names=("a.example.com",)))
    fleet.store("b").put_foreign(known)
    fleet.foreign("b", "vague")
    assert [find.names for find in look(fleet).finds] == [
        ("a.example.com",),
        (),
        ("told.example.com",),
    ]
    assert asked == ["shut", "vague"]
    look(fleet, closely=True)
    assert asked[2:] == ["known", "shut", "vague"]
    monkeypatch.setattr(discovery, "INSPECTED", 1)
    look(fleet, closely=True)
    assert asked[5:] == ["known"]


def test_a_directory_tells_each_certificate_once_and_no_ca(
    bundle: Bundle, specimens: Specimens, tmp_path: Path
) -> None:
    chain = b"".join((bundle.certificate, *bundle.chain))
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "cert.pem").write_bytes(bundle.certificate)
    (tmp_path / "live" / "fullchain.pem").write_bytes(chain)
    (tmp_path / "live" / "combined.PEM").write_bytes(bundle.held_key.reveal() + chain)
    (tmp_path / "root.crt").write_bytes(x509.pem(specimens.root))
    (tmp_path / "binary.der").write_bytes(x509.to_der(bundle.certificate))
    (tmp_path / "readme.txt").write_bytes(bundle.certificate)
    (tmp_path / "broken.pem").write_bytes(
        b"-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----"
    )
    (tmp_path / "broken.der").write_bytes(b"\x30\x82")
    (find,) = in_directory(tmp_path)
    assert find.id == "binary.der and 3 more"
    assert (find.names, find.content.issuer) == (("www.example.com",), "Specimen CA")
    assert find.place is None


def test_links_pipes_and_giants_are_passed_over(bundle: Bundle, tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "cert.pem").write_bytes(bundle.certificate)
    (inside / "link.pem").symlink_to(outside / "cert.pem")
    (inside / "folder").symlink_to(outside)
    os.mkfifo(inside / "pipe.pem")
    with (inside / "large.pem").open("wb") as file:
        file.truncate(certificate_files.LARGEST + 1)
    assert list(in_directory(inside)) == []


def test_keys_by_name_are_not_opened(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "server.key").write_bytes(bundle.held_key.reveal())
    monkeypatch.setattr(os, "open", None)
    assert list(in_directory(tmp_path)) == []


def test_what_cannot_be_read_is_told(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.pem").write_bytes(b"")
    monkeypatch.setattr(certificate_files, "MOST", 0)
    assert "more than 0 files" in look(fleet, tmp_path).unknown[str(tmp_path)]
    monkeypatch.undo()

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(Unreachable, match=r"a\.pem cannot be read: Permission denied"):
        list(in_directory(tmp_path))
    monkeypatch.undo()
    with pytest.raises(Unreachable, match="gone cannot be read"):
        list(in_directory(tmp_path / "gone"))


def test_what_we_issued_ourselves_is_ours_in_a_directory_too(fleet: Fleet, tmp_path: Path) -> None:
    certificate = fleet.current("web").certificate
    assert certificate is not None
    (tmp_path / "web.pem").write_text(certificate)
    assert look(fleet, tmp_path).finds == ()


def test_a_find_is_as_old_as_it_says(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_bytes(bundle.certificate)
    (find,) = in_directory(tmp_path)
    assert find.not_after is not None
    assert find.content.not_before is not None
    assert timedelta(days=6) < find.not_after - find.content.not_before < timedelta(days=8)
