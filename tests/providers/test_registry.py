"""The registry, and that every class in it is a target to a type checker too."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from mypy import api

from providers import abilities
from providers.base import TargetConfig
from providers.errors import NotFound
from providers.local.directory import LocalDirectoryTarget
from providers.registry import TARGETS, make_target, target_class
from schemas.target import LocalDirectory, TargetSpec

ABILITIES = tuple(
    each
    for each in vars(abilities).values()
    if getattr(each, "_is_runtime_protocol", False) and each.__module__ == abilities.__name__
)
LOCAL = (abilities.Stager, abilities.Activator, abilities.Verifier, abilities.Restorer)


def test_a_target_is_made_from_its_kind(tmp_path: Path) -> None:
    spec = TargetSpec(local_directory=LocalDirectory(path="tls"))
    target = make_target(TargetConfig("web", spec, "corp_1", tmp_path))
    assert isinstance(target, LocalDirectoryTarget)
    assert all(isinstance(target, ability) for ability in LOCAL)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_kind_is_not_found() -> None:
    with pytest.raises(NotFound, match="known: local-directory"):
        target_class("carrier-pigeon")


def test_every_class_satisfies_statically_the_protocols_it_is_taken_for(tmp_path: Path) -> None:
    lines = ["from providers.base import Target", "from providers.abilities import *"]
    for path in (*TARGETS.values(), "providers.memory:MemoryTarget"):
        module, _, name = path.partition(":")
        lines.append(f"from {module} import {name}")
        kind = getattr(import_module(module), name)
        protocols = ("Target", *(each.__name__ for each in ABILITIES if issubclass(kind, each)))
        assert len(protocols) > 4, name
        lines += [f"def {name}_{each}(it: {name}) -> {each}: return it" for each in protocols]
    source = tmp_path / "proof.py"
    source.write_text("\n".join(lines))
    root = Path(__file__).parents[2]
    arguments = ("--strict", "--config-file", str(root / "pyproject.toml"), str(source))
    output, _, status = api.run([*arguments, "--cache-dir", str(root / ".mypy_cache")])
    assert status == 0, output


@pytest.mark.parametrize("kind", ["aws-acm", "azure-key-vault", "gcp-certificate-manager"])
def test_without_its_library_a_kind_says_what_to_install(kind: str) -> None:
    script = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("boto3", "botocore", "azure", "google"):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
from providers.errors import MissingExtra
from providers.registry import target_class
try:
    target_class({kind!r})
except MissingExtra as missing:
    print(missing)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"a target of kind {kind} needs: pip install 'certform[")
