"""What the action installs is locked by hash, within what pyproject.toml allows."""

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "action/requirements.lock").read_text()
INSTALLER = (ROOT / "action/installer.lock").read_text()
EXTRAS = ("acme", "aws", "azure", "gcp", "github", "lexicon", "vault")
PIN = re.compile(
    r"([a-z0-9-]+)==([^ ;]+)( ; [^\\]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)"
)


def needed() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return [
        Requirement(text)
        for texts in (project["dependencies"], *(extras[name] for name in EXTRAS))
        for text in texts
        if not text.startswith("certform[")
    ]


def test_every_line_is_a_version_with_its_hashes() -> None:
    pins = list(PIN.finditer(LOCK))
    assert len(pins) > 40
    assert "".join(pin[0] for pin in pins) == LOCK


@pytest.mark.parametrize("requirement", needed(), ids=str)
def test_a_dependency_is_locked_within_its_range(requirement: Requirement) -> None:
    versions = {pin[1]: pin[2] for pin in PIN.finditer(LOCK)}
    assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)])


def test_every_extra_is_locked_but_the_one_of_all_and_tokens_which_no_hosted_runner_has() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    assert set(EXTRAS) == extras.keys() - {"all", "hsm"}


def test_what_the_locked_packages_need_is_locked_too() -> None:
    locked = {pin[1] for pin in PIN.finditer(LOCK)}
    for name in locked:
        for text in requires(name) or ():
            other = Requirement(text)
            if other.marker is None or other.marker.evaluate({"extra": ""}):
                assert canonicalize_name(other.name) in locked, f"{name} needs {other.name}"


def test_the_installer_is_uv_for_every_platform_and_nothing_else() -> None:
    (pin,) = PIN.finditer(INSTALLER)
    assert (pin[0], pin[1]) == (INSTALLER, "uv")
    assert pin[4].count("--hash") > 15, "Linux, macOS and Windows"


@pytest.mark.parametrize("lock", [LOCK, INSTALLER], ids=["requirements", "installer"])
def test_it_names_no_place_to_fetch_from(lock: str) -> None:
    assert not re.search(r"://|--(extra-)?index-url|--find-links", lock)
