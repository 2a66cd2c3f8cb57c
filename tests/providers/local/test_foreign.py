"""What strangers leave in a target is foreign, however odd, and hides nothing of ours."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from installing import MakeTarget, Wanted

from providers import x509
from providers.local.layout import FILES
from schemas.base import canonical

DIGEST = "0" * 64
MANIFEST = {
    "format": 1,
    "labels": {},
    "serial": "1",
    "sha256": DIGEST,
    "notAfter": "2027-01-01T00:00:00Z",
    "trust": DIGEST,
    "dnsName": None,
    "files": dict.fromkeys(FILES, DIGEST),
}


def generation(folder: Path) -> Path:
    """Make what looks like an object of ours, and return its generation."""
    held = folder / "generations" / "0001"
    held.mkdir(parents=True)
    (folder / "current").symlink_to("generations/0001")
    return held


def file_as_generation(folder: Path) -> None:
    (folder / "generations").mkdir(parents=True)
    (folder / "generations" / "0001").write_text("mine")
    (folder / "current").symlink_to("generations/0001")


def link_as_generation(folder: Path) -> None:
    (folder / "generations").mkdir(parents=True)
    (folder / "generations" / "0007").symlink_to("/etc")
    (folder / "current").symlink_to("/etc")


def link_as_generations(folder: Path) -> None:
    folder.mkdir()
    (folder / "generations").symlink_to("/etc")
    (folder / "current").symlink_to("generations/0001")


def directory_as_manifest(folder: Path) -> None:
    (generation(folder) / "certform.json").mkdir()


def pipe_as_manifest(folder: Path) -> None:
    os.mkfifo(generation(folder) / "certform.json")


def naive_date(folder: Path) -> None:
    data = {**MANIFEST, "notAfter": "2027-01-01T00:00:00"}
    (generation(folder) / "certform.json").write_bytes(canonical(data))


def certificate_of_no_version(folder: Path) -> None:
    held = generation(folder)
    (held / "certform.json").write_bytes(canonical(MANIFEST))
    cert = (folder.parent / "web" / "current" / "cert.pem").read_bytes()
    der = x509.to_der(cert).replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09", 1)
    (held / "cert.pem").write_bytes(x509.pem(der))


@pytest.mark.parametrize(
    "leave",
    [
        file_as_generation,
        link_as_generation,
        link_as_generations,
        directory_as_manifest,
        pipe_as_manifest,
        naive_date,
        certificate_of_no_version,
    ],
)
def test_an_odd_folder_is_foreign_and_ours_is_seen(
    make_target: MakeTarget, root: Path, wanted: Wanted, leave: Callable[[Path], None]
) -> None:
    ours = make_target().install(wanted())
    leave(root / "odd")
    found = {each.name: each for each in make_target().observe()}
    assert found["web"] == ours
    assert found["odd"].labels == {}
    assert found["odd"].drift
    assert found["odd"].not_after is None


@pytest.mark.parametrize("name", [b"\xff\xfe", b"two\nlines", b"\x1b[2J", b"-rf"])
def test_a_name_that_is_no_text_is_foreign(
    make_target: MakeTarget, root: Path, wanted: Wanted, name: bytes
) -> None:
    make_target().install(wanted())
    (root / os.fsdecode(name)).mkdir()
    names = [each.name for each in make_target().observe()]
    assert sorted(names) == sorted(["web", os.fsdecode(name)])
