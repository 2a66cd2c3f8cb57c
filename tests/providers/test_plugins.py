"""A package that adds a kind of target and is no good is told in a sentence, whatever is wrong with it."""

from pathlib import Path

import pytest

from providers.errors import NotFound
from providers.plugins import plugin_class, solver_plugin

BROKEN = {
    "a library of its own is missing": ("import nothing_of_the_sort\n", "No module named"),
    "it fails as it is imported": (
        "raise RuntimeError('no licence')\n",
        "RuntimeError: no licence",
    ),
    "it is not written in Python": ("class (\n", "SyntaxError"),
    "the class is not there": ("", "AttributeError"),
    "it is no class": ("BoxTarget = 3\n", "is no target"),
    "it does not say what it can hold": ("class BoxTarget: config_model = 3\n", "is no target"),
}


def install(site: Path, package: str, content: str, group: str = "certform.targets") -> None:
    """Write a package with its metadata, as pip unpacks it."""
    (site / f"{package}.py").write_text(content)
    metadata = site / f"{package}-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
    entry = f"[{group}]\nexample.com/{site.name} = {package}:BoxTarget\n"
    (metadata / "entry_points.txt").write_text(entry)


@pytest.mark.parametrize("case", BROKEN)
def test_a_kind_cannot_be_loaded_since(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, words = BROKEN[case]
    package = f"broken_{tmp_path.name.replace('-', '_')}"
    install(tmp_path, package, content)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(NotFound, match=words) as raised:
        plugin_class(f"example.com/{tmp_path.name}")
    assert f"{package}:BoxTarget" in str(raised.value)


def test_a_kind_that_two_packages_claim_is_nobody_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "first_box", "")
    install(tmp_path, "second_box", "")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(NotFound, match=r"first_box.* second_box|second_box.* first_box"):
        plugin_class(f"example.com/{tmp_path.name}")


SOLVER = """\
from reconciler.sdk import Model
class Settings(Model):
    server: str
class BoxTarget:
    config_model = Settings
    @classmethod
    def from_config(cls, config): return cls()
    def present(self, record): pass
"""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        (SOLVER, "is no solver: it lacks from_config, present, clean_up or config_model"),
        ("BoxTarget = 3", "is no solver"),
    ],
)
def test_a_kind_of_dns_that_is_no_good_is_told(
    content: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = f"broken_{tmp_path.name.replace('-', '_')}"
    install(tmp_path, package, content, "certform.solvers")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(NotFound, match=words):
        solver_plugin(f"example.com/{tmp_path.name}")


def test_a_target_is_no_kind_of_dns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = f"{SOLVER}    def clean_up(self, record): pass\n"
    install(tmp_path, f"dns_{tmp_path.name.replace('-', '_')}", sound, "certform.solvers")
    monkeypatch.syspath_prepend(tmp_path)
    kind = f"example.com/{tmp_path.name}"
    assert solver_plugin(kind).__name__ == "BoxTarget"
    with pytest.raises(NotFound, match="no installed package has a target of kind"):
        plugin_class(kind)
