"""The registry, and that every class in it is a target to a type checker too."""

from pathlib import Path

import pytest
from mypy import api

from providers.abilities import Activator, Relabeler, Restorer, Stager, Verifier
from providers.base import TargetConfig
from providers.errors import NotFound
from providers.local.directory import LocalDirectoryTarget
from providers.registry import TARGETS, make_target, target_class
from schemas.target import LocalDirectory, TargetSpec

ABILITIES = (Stager, Activator, Verifier, Restorer, Relabeler)


def test_a_target_is_made_from_its_kind(tmp_path: Path) -> None:
    spec = TargetSpec(local_directory=LocalDirectory(path="tls"))
    target = make_target(TargetConfig("web", spec, "corp_1", tmp_path))
    assert isinstance(target, LocalDirectoryTarget)
    assert all(isinstance(target, ability) for ability in ABILITIES)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_kind_is_not_found() -> None:
    with pytest.raises(NotFound, match="known: local-directory"):
        target_class("carrier-pigeon")


def test_every_target_satisfies_its_protocols_statically(tmp_path: Path) -> None:
    lines = ["from providers.base import *"]
    for path in (*TARGETS.values(), "providers.memory:MemoryTarget"):
        module, _, name = path.partition(":")
        lines.append(f"from {module} import {name}")
        protocols = ("Target", *(ability.__name__ for ability in ABILITIES))
        lines += [f"def {name}_{each}(it: {name}) -> {each}: return it" for each in protocols]
    source = tmp_path / "proof.py"
    source.write_text("\n".join(lines))
    root = Path(__file__).parents[2]
    arguments = ("--strict", "--config-file", str(root / "pyproject.toml"), str(source))
    output, _, status = api.run([*arguments, "--cache-dir", str(root / ".mypy_cache")])
    assert status == 0, output
